//! Every SQLSTATE that PostgreSQL has, raised with all that an error can say of what it met: nothing of it reaches the agent, the
//! warnings on the way neither, and each comes to the code and the advice that it should.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use tollgate_backends::testing::postgres::{PostgresServer, TestDatabase};

use crate::harness::{Agent, Called, Server, new_key};

/// In everything that the database says.
const MARKER: &str = "marker-of-what-is-hidden";

const SETUP: &str = "
    CREATE FUNCTION raises(state text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
        RAISE INFO USING MESSAGE = 'marker-of-what-is-hidden', DETAIL = 'marker-of-what-is-hidden';
        RAISE WARNING USING MESSAGE = 'marker-of-what-is-hidden', HINT = 'marker-of-what-is-hidden', ERRCODE = '01000';
        RAISE NOTICE 'marker-of-what-is-hidden';
        IF state = 'none' THEN RETURN 'fine'; END IF;
        RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'marker-of-what-is-hidden', DETAIL = 'marker-of-what-is-hidden',
            HINT = 'marker-of-what-is-hidden', COLUMN = 'marker-of-what-is-hidden', CONSTRAINT = 'marker-of-what-is-hidden',
            DATATYPE = 'marker-of-what-is-hidden', TABLE = 'marker-of-what-is-hidden', SCHEMA = 'marker-of-what-is-hidden';
    END $$;
    CREATE TABLE states (state text PRIMARY KEY);
    CREATE VIEW raised AS SELECT state, public.raises(state) AS outcome FROM states;";

/// Each SQLSTATE, the codes that it comes to behind a tool and in a caller's own statement, and whether a later try may go better.
fn states() -> impl Iterator<Item = (&'static str, [&'static str; 2], bool)> {
    include_str!("sqlstates/sqlstates.tsv").lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.split('\t');
        let (state, _name) = (fields.next().unwrap(), fields.next().unwrap());
        let codes = [fields.next().unwrap(), fields.next().unwrap()];
        (state, codes, fields.next().unwrap() == "again")
    })
}

/// The whole answer says nothing of the database's own, but for the name of the column that was asked for.
fn assert_silent(called: &Called, state: &str, sent: &str) {
    let read = format!("{}{}", called.text(), called.headers).replace(sent, "");
    for word in [MARKER, "raises", "PL/pgSQL", "public", "ERROR", "RAISE"] {
        assert!(!read.contains(word), "{state}: `{word}` in {read}");
    }
    // As a word of its own: a random call id may well hold five characters of any kind.
    let mut words = read.split(|c: char| !c.is_ascii_alphanumeric());
    assert!(words.all(|word| word != state), "{state}: {read}");
}

/// A server over a database that raises, with one agent. The rest is kept until the test ends.
struct Shop {
    server: Server,
    agent: Agent,
    _folder: TempDir,
    _database: TestDatabase,
}

async fn shop() -> Option<Shop> {
    let rows: Vec<String> = states().map(|(state, ..)| format!("('{state}')")).collect();
    let setup = format!("{SETUP} INSERT INTO states VALUES ('none'), {}", rows.join(", "));
    let database = PostgresServer::shared()?.database(&setup).await;
    let folder = TempDir::new().unwrap();
    let (key, hash) = new_key();
    let url = database.url();
    fs::write(
        folder.path().join("tollgate.yaml"),
        format!(
            "databases:\n  shop:\n    url: \"{url}\"\n    pool: {{ max: 1 }}\n    \
             functions: [{{ name: public.raises, unsafe_reason: raises what it is told }}]\n\
             roles:\n  asker:\n    tables:\n      shop.raised: {{ columns: [state, outcome], rows: all }}\n    \
             tools: [raised]\n    query: [shop]\n\
             tools:\n  raised:\n    description: What came of it\n    database: shop\n    params: {{ state: {{ type: string }} }}\n    \
             sql: SELECT outcome FROM raised WHERE state = :state\n\
             agents:\n  one: {{ keys: [\"{hash}\"], role: asker }}\n\
             server: {{ listen: \"127.0.0.1:0\", metrics_listen: \"127.0.0.1:0\" }}\n"
        ),
    )
    .unwrap();
    let server = Server::serve(folder.path());
    let agent = server.agent(&key);
    Some(Shop { server, agent, _folder: folder, _database: database })
}

#[tokio::test]
async fn every_sqlstate_ends_in_a_sentence_of_ours() {
    let Some(shop) = shop().await else { return };
    let Shop { server, agent, .. } = &shop;
    let fine = agent.call("raised", json!({"state": "none"})).await;
    assert_eq!(fine.rows(), &[json!({"outcome": "fine"})]);
    assert_silent(&fine, "01000", "none");
    for (state, [behind_a_tool, of_ones_own], again) in states() {
        // While rows are read, behind a view; and while the statement is planned, in a caller's own.
        let own = format!("SELECT raises('{state}') AS outcome");
        for (code, called) in [
            (behind_a_tool, agent.call("raised", json!({ "state": state })).await),
            (of_ones_own, agent.call("query", json!({ "database": "shop", "sql": own })).await),
        ] {
            assert_eq!(called.code(), code, "{state}: {called:?}");
            assert_eq!(called.text().contains("retry_after_ms"), again, "{state}: {called:?}");
            assert_silent(&called, state, &own);
        }
    }
    // One connection served them all, and the next caller meets nothing of them.
    assert_eq!(agent.call("raised", json!({"state": "none"})).await.rows().len(), 1);
    let log = serde_json::to_string(&server.audit()).unwrap();
    assert!(!log.contains(MARKER) && log.contains("\"22012\""), "the log holds codes, and nothing else of an error");
}
