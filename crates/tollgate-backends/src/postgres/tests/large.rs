//! Values larger than any answer may be: they cut it and are not read, however the server is reached.

use std::sync::Arc;

use super::{Asked, Opened};
use crate::{
    ErrorKind, PoolLimits, ReadLimits, Truncation,
    testing::postgres::{Encryption, PostgresServer, TestDatabase},
};

const SETUP: &str = "
    CREATE TABLE ids (id integer); INSERT INTO ids VALUES (1);
    CREATE VIEW huge AS SELECT n, CASE WHEN n = 3 THEN repeat('x', 60000000) ELSE 'small' END AS t FROM generate_series(1, 5) n;
    CREATE VIEW quoting AS SELECT n, (repeat('x', 60000000 + n))::integer AS i FROM generate_series(1, 5) n;
    CREATE VIEW escaped AS SELECT n, repeat(chr(1), n * 1000000) AS t, array_agg(repeat(chr(1), n * 1000000)) AS ts
        FROM generate_series(1, 3) n GROUP BY n;
    CREATE VIEW wide AS SELECT array_agg(n % 10) AS digits FROM generate_series(1, 100000) n;
    CREATE VIEW slow AS SELECT pg_sleep(5)::text AS x;";

/// Every way to the server that a machine has to itself.
fn ways(database: &TestDatabase) -> [String; 3] {
    [database.url(), database.superuser_url(), database.socket_url()]
}

async fn with_one_connection(url: &str) -> Opened {
    Opened::at(url, PoolLimits { max: 1, ..PoolLimits::default() }).await
}

#[tokio::test]
async fn a_value_too_large_cuts_the_answer_before_its_row() {
    let Some(database) = super::database(SETUP).await else { return };
    for url in ways(&database) {
        let opened = with_one_connection(&url).await;
        let huge = opened.checked("SELECT n, t FROM huge", &[]);
        for _ in 0..2 {
            let rows = opened.run(&huge, Asked::default()).await.unwrap().rows;
            assert_eq!(String::from_utf8(rows.json).unwrap(), r#"[{"n":1,"t":"small"},{"n":2,"t":"small"}]"#);
            assert_eq!(rows.truncated, Some(Truncation::Bytes));
            assert_eq!(opened.rows("SELECT id FROM ids").await, r#"[{"id":1}]"#);
        }
        // Cut by another limit first, with the large value on its way.
        let limits = ReadLimits { rows_max: 1, bytes_max: 1 << 20 };
        let rows = opened.run(&huge, Asked { limits, ..Asked::default() }).await.unwrap().rows;
        assert_eq!((rows.count, rows.truncated), (1, Some(Truncation::Rows)));
        assert_eq!(opened.rows("SELECT id FROM ids").await, r#"[{"id":1}]"#);
        opened.backend.close().await;
    }
}

#[tokio::test]
async fn a_text_that_escapes_make_longer_is_measured_before_it_is_written() {
    let Some(database) = super::database(SETUP).await else { return };
    let opened = with_one_connection(&database.url()).await;
    let limits = ReadLimits { rows_max: 9, bytes_max: 7_000_000 };
    for (column, count) in [("t", 1), ("ts", 1)] {
        let escaped = opened.checked(&format!("SELECT n, {column} FROM escaped ORDER BY n"), &[]);
        let rows = opened.run(&escaped, Asked { limits, ..Asked::default() }).await.unwrap().rows;
        assert_eq!((rows.count, rows.truncated), (count, Some(Truncation::Bytes)), "{column}");
        assert_eq!(opened.rows("SELECT id FROM ids").await, r#"[{"id":1}]"#);
    }
}

#[tokio::test]
async fn an_error_that_quotes_too_much_is_not_read() {
    let Some(database) = super::database(SETUP).await else { return };
    for url in ways(&database) {
        let opened = with_one_connection(&url).await;
        let error = opened.run(&opened.checked("SELECT i FROM quoting", &[]), Asked::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Resources, "{error:?}");
        assert_eq!(opened.rows("SELECT id FROM ids").await, r#"[{"id":1}]"#);
        opened.backend.close().await;
    }
}

#[tokio::test]
async fn a_row_that_is_shorter_as_it_is_written_is_read() {
    let Some(database) = super::database(SETUP).await else { return };
    let opened = with_one_connection(&database.url()).await;
    let wide = opened.checked("SELECT digits FROM wide", &[]);
    let limits = ReadLimits { rows_max: 9, bytes_max: 300_000 };
    let rows = opened.run(&wide, Asked { limits, ..Asked::default() }).await.unwrap().rows;
    assert_eq!((rows.count, rows.truncated), (1, None));
}

#[tokio::test]
async fn over_tls_a_value_too_large_cuts_the_answer_too() {
    let Some(server) = PostgresServer::start(Encryption::On).map(Arc::new) else { return };
    let database = server.database(SETUP).await;
    let root = server.root_certificate().display().to_string();
    let url = database.url().replace("127.0.0.1", "localhost");
    let opened = with_one_connection(&format!("{url}?sslmode=require&sslrootcert={root}")).await;
    let rows = opened.run(&opened.checked("SELECT n, t FROM huge", &[]), Asked::default()).await.unwrap().rows;
    assert_eq!((rows.count, rows.truncated), (2, Some(Truncation::Bytes)));
    assert_eq!(opened.rows("SELECT id FROM ids").await, r#"[{"id":1}]"#);
}

#[tokio::test]
async fn a_statement_is_cancelled_over_a_socket_too() {
    let Some(database) = super::database(SETUP).await else { return };
    let opened = with_one_connection(&database.socket_url()).await;
    let slow = opened.checked("SELECT x FROM slow", &[]);
    let asked = Asked { within: std::time::Duration::from_millis(200), ..Asked::default() };
    assert_eq!(opened.run(&slow, asked).await.unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(opened.rows("SELECT id FROM ids").await, r#"[{"id":1}]"#);
    let client = database.superuser().await;
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%slow%' AND pid <> pg_backend_pid()
        AND datname = current_database()";
    let until = std::time::Instant::now() + std::time::Duration::from_secs(4);
    while client.query_one(running, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(std::time::Instant::now() < until, "the statement still runs");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
