//! Our functions of two texts beside SQLite's own, and how long they take.

use rusqlite::types::Value as Stored;

use super::*;
use crate::sqlite::{authorizer::Authorizer, call::CurrentCall, connect};

/// What functions of texts may be given: SQL expressions, some of them no UTF-8.
const OPERANDS: &[&str] = &[
    "NULL",
    "''",
    "' '",
    "'a'",
    "'aa'",
    "'aab'",
    "'abaabaaab'",
    "'ab'",
    "'ba'",
    "'é'",
    "'aéa'",
    "'éé€'",
    "'€'",
    "'😀x😀'",
    "'😀'",
    "char(0)",
    "'a' || char(0) || 'b'",
    "char(0) || 'a'",
    "0",
    "1",
    "-10",
    "1.0",
    "0.1",
    "1e300",
    "-0.0",
    "9e999",
    "11",
    "9223372036854775807",
    "123456789.123456789",
    "x''",
    "x'61'",
    "x'6161'",
    "x'c3'",
    "x'a9'",
    "x'c3a9'",
    "x'a9a9'",
    "x'e282'",
    "CAST(x'c3' AS TEXT)",
    "CAST(x'a9' AS TEXT)",
    "CAST(x'a961a9' AS TEXT)",
    "CAST(x'61c3c3a9' AS TEXT)",
    "CAST(x'c361c3a9' AS TEXT)",
    "CAST(x'e28261e282ac' AS TEXT)",
    "CAST(x'ff80fe' AS TEXT)",
    "CAST(x'80' AS TEXT)",
    "x'00'",
];

fn ours(path: &std::path::Path) -> rusqlite::Connection {
    let authorizer = Authorizer::default();
    let (_, _, mut connection) = connect::open(path, &authorizer, &CurrentCall::default()).unwrap();
    connection.authorizer(None::<fn(rusqlite::hooks::AuthContext<'_>) -> rusqlite::hooks::Authorization>).unwrap();
    connection
}

#[test]
fn each_answers_as_sqlite_does() {
    let fixture = Fixture::new("CREATE TABLE t (x)");
    let (ours, sqlites) = (ours(&fixture.path), rusqlite::Connection::open_in_memory().unwrap());
    let answer = |connection: &rusqlite::Connection, text: &str| -> (String, Stored) {
        let answer = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        connection.prepare(text).unwrap().query_row([], answer).unwrap()
    };
    let mut texts = Vec::new();
    for a in OPERANDS {
        for b in OPERANDS {
            for function in ["trim", "ltrim", "rtrim", "instr"] {
                texts.push(format!("{function}({a}, {b})"));
            }
            for c in ["NULL", "''", "'x'", "'aa'", "2.5", "x'c3'", "CAST(x'a9' AS TEXT)"] {
                texts.push(format!("replace({a}, {b}, {c})"));
            }
        }
    }
    for text in texts {
        // As bytes, since a text need not be UTF-8.
        let text = format!("SELECT typeof({text}), CAST({text} AS BLOB)");
        assert_eq!(answer(&ours, &text), answer(&sqlites, &text), "{text}");
    }
}

#[test]
fn views_and_indices_of_a_file_are_made_with_them() {
    let fixture = Fixture::new(
        "CREATE TABLE t (x); INSERT INTO t VALUES ('-a-'), ('-b-'); CREATE INDEX i ON t (trim(x, '-'));
         CREATE VIEW v AS SELECT replace(x, '-', '+') AS y, instr(x, 'b') AS z FROM t",
    );
    let ours = ours(&fixture.path);
    let plan = "EXPLAIN QUERY PLAN SELECT count(*) FROM t WHERE trim(x, '-') = 'b'";
    let plan: String = ours.query_row(plan, [], |row| row.get(3)).unwrap();
    assert!(plan.contains("INDEX i"), "{plan}");
    let count = |text: &str| -> i64 { ours.query_row(text, [], |row| row.get(0)).unwrap() };
    assert_eq!(count("SELECT count(*) FROM t WHERE trim(x, '-') = 'b'"), 1);
    assert_eq!(count("SELECT count(*) FROM v WHERE y = '+b+' AND z = 2"), 1);
}

/// Two texts of up to a million bytes, of which SQLite's own functions would make work for hours.
const LONG: &str = "CREATE TABLE t (x, y);
INSERT INTO t SELECT hex(zeroblob(500000)), hex(zeroblob(250000)) || '1';
INSERT INTO t SELECT x, x || 'A' FROM t;";

#[tokio::test]
async fn none_takes_the_product_of_its_lengths() {
    let fixture = Fixture::with_limits(LONG, PoolLimits { max: 1, ..PoolLimits::default() });
    for call in ["trim(y, x)", "ltrim(x, y)", "rtrim(x, '1' || y)", "instr(x, y)", "replace(x, y, '')"] {
        let name = call.split('(').next().unwrap();
        let own = footprint(&[("t", "x"), ("t", "y")], &[name, "length"], &[]);
        let deadline = Instant::now() + Duration::from_secs(60);
        let text = format!("SELECT length({call}) FROM main.t");
        let ran = fixture.run_until(&text, &own, &[], deadline, &CancellationToken::new()).await;
        assert!(ran.is_ok(), "{text}: {:?}", ran.unwrap_err());
    }
}

#[tokio::test]
async fn a_row_of_them_ends_with_its_call() {
    let fixture = Fixture::with_limits(LONG, PoolLimits { max: 1, ..PoolLimits::default() });
    let own = footprint(&[("t", "x"), ("t", "y")], &["instr"], &[]);
    // One row and no jump: SQLite asks whether to go on before it and behind it.
    let text = format!("SELECT {} FROM main.t LIMIT 1", vec!["instr(x, y)"; 900].join(" + "));
    let deadline = Instant::now() + Duration::from_millis(200);
    let stopped = fixture.run_until(&text, &own, &[], deadline, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(stopped.kind, ErrorKind::Timeout, "{:?}", stopped.source);
    while fixture.backend.pool_status().overdue > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(fixture.backend.pool_status().in_use, 0);
}
