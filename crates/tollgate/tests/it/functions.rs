//! Functions that the configuration adds to the reviewed list, on a real PostgreSQL.

use std::{fs, process::Output};

use tempfile::TempDir;
use tollgate_backends::testing::postgres::{PostgresServer, TestDatabase};

use crate::harness::tollgate;

const SETUP: &str = "CREATE SCHEMA gis; GRANT USAGE ON SCHEMA gis TO PUBLIC;
    CREATE FUNCTION gis.same(text, text) RETURNS boolean IMMUTABLE STRICT LANGUAGE internal AS 'texteq';
    CREATE FUNCTION gis.\"Odd Name\"(text) RETURNS text IMMUTABLE STRICT LANGUAGE internal AS 'upper';
    CREATE FUNCTION gis.now_ish() RETURNS timestamptz VOLATILE LANGUAGE internal AS 'clock_timestamp';
    CREATE FUNCTION gis.many() RETURNS SETOF integer IMMUTABLE LANGUAGE sql AS 'SELECT 1';
    CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, region text NOT NULL);
    CREATE TABLE secrets (id int);
    CREATE FUNCTION gis.peek() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM public.secrets';
    INSERT INTO users VALUES (1, 'Ada', 'eu'), (2, 'Bob', 'us'), (3, 'Cem', 'eu');";

/// A shop whose configuration adds these functions.
fn folder(database: &TestDatabase, functions: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let url = database.url();
    fs::write(
        folder.path().join("tollgate.yaml"),
        format!(
            "databases:\n  shop:\n    url: \"{url}\"\n    functions: {functions}\n\
             roles:\n  analyst:\n    tables:\n      shop.users: {{ columns: [id, name], rows: region = 'eu' }}\n    \
             query: [shop]\n\
             agents:\n  one: {{ local: true, role: analyst }}\n"
        ),
    )
    .unwrap();
    folder
}

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    tollgate().args(arguments).current_dir(folder.path()).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn query(folder: &TempDir, sql: &str) -> String {
    text(&run(folder, &["call", "query", &format!("sql={sql}"), "--as", "one", "--format", "json"]))
}

#[tokio::test]
async fn an_added_function_is_called_fenced_and_shown() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database(SETUP).await;
    let functions = "[gis.same, gis.Odd Name, { name: gis.now_ish, unsafe_reason: reads the clock only }, \
                     { name: pg_catalog.to_tsvector, unsafe_reason: its configurations are no secret }]";
    let shop = folder(&database, functions);
    let checked = text(&run(&shop, &["check"]));
    assert!(checked.contains("SQL may call `gis.same`, beyond the reviewed list"), "{checked}");
    let matrix = text(&run(&shop, &["check", "--matrix"]));
    assert!(matrix.contains("functions beyond the list") && matrix.contains("shop gis.Odd Name"), "{matrix}");
    for sql in [
        "SELECT id FROM users WHERE same(name, 'Ada')",
        "SELECT id FROM users WHERE gis.same(name, 'Ada')",
        "SELECT id FROM users WHERE \"Odd Name\"(name) = 'ADA' AND now_ish() IS NOT NULL",
        "SELECT id FROM users WHERE CAST(to_tsvector('simple', name) AS text) LIKE '%ada%'",
    ] {
        let answer = query(&shop, sql);
        assert!(answer.contains(r#""id": 1"#) || answer.contains(r#""id":1"#), "{sql}\n{answer}");
        let explained = text(&run(&shop, &["explain", "--sql", sql, "--as", "one"]));
        assert!(explained.contains("OFFSET 0"), "not fenced: {explained}");
    }
    for (sql, why) in [
        ("SELECT gis.peek()", "a function with a schema is not allowed"),
        ("SELECT peek()", "is not one of the functions that may be called"),
        ("SELECT same(name) FROM users", "takes 2 arguments, not 1"),
        ("SELECT same(DISTINCT name, name) FROM users", "takes arguments in parentheses and nothing else"),
        ("SELECT gis.same(name, region) FROM users", "unknown column"),
        ("SELECT gis.same(u, u) FROM users u", "the whole row"),
    ] {
        let answer = query(&shop, sql);
        assert!(answer.contains(why), "{sql}\n{answer}");
    }
}

#[tokio::test]
async fn what_could_do_harm_is_not_added_without_a_reason() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database(SETUP).await;
    for (function, why) in [
        ("gis.now_ish", "is volatile"),
        ("gis.peek", "may read tables past the policy"),
        ("gis.many", "does not make one value"),
        ("gis.nosuch", "has no function `gis.nosuch`"),
        ("same", "is not `schema.function`"),
        ("pg_catalog.lower", "is in the reviewed list already"),
        ("pg_catalog.set_config", "is volatile"),
        ("pg_catalog.pg_read_file", "is volatile"),
        ("pg_catalog.table_to_xml", "tells of the server or its catalog"),
        ("pg_catalog.current_setting", "tells of the server or its catalog"),
        ("{ name: gis.same, unsafe_reason: none }", "needs no `unsafe_reason`"),
    ] {
        let shop = folder(&database, &format!("[{function}]"));
        let output = run(&shop, &["check"]);
        assert_eq!(output.status.code(), Some(1), "{function}");
        assert!(text(&output).contains(why), "{function}: {}", text(&output));
    }
}
