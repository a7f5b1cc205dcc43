//! Calls: rows, limits, bound values, cancelling, and what a connection's next user finds.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::{catalog::TypeKind, names::Value};

use super::{Asked, Opened};
use crate::{ErrorKind, PoolLimits, ReadLimits, Truncation, testing::postgres::TestDatabase};

const SETUP: &str = "
    CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, region text, born date, raw bytea, big bigint);
    INSERT INTO users SELECT n, 'user ' || n, CASE WHEN n % 2 = 0 THEN 'eu' ELSE 'us' END, '2000-01-01'::date + n,
        '\\xdead', 9007199254740992 + n FROM generate_series(1, 3000) n;
    CREATE TABLE odd (id integer, span interval, address inet, ports int4range, many interval[]);
    INSERT INTO odd VALUES (2, '1 day 2 hours', '10.0.0.1', '[1,5)', '{1 day}'), (1, NULL, '::1', 'empty', NULL);
    CREATE TABLE texts (t text);
    CREATE VIEW slow AS SELECT pg_sleep(5)::text AS x;
    CREATE VIEW brisk AS SELECT pg_sleep(0.02)::text AS x;
    CREATE TABLE written (at timestamptz);
    CREATE FUNCTION write_it() RETURNS text LANGUAGE sql VOLATILE SECURITY DEFINER
        AS 'INSERT INTO public.written VALUES (now()) RETURNING ''done''';
    CREATE VIEW writing AS SELECT write_it() AS x;
    CREATE FUNCTION shout() RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''s3cr3t''; END';
    CREATE VIEW shouting AS SELECT shout() AS x;";

fn one_connection() -> PoolLimits {
    PoolLimits { max: 1, ..PoolLimits::default() }
}

/// Runs a test as a login that cannot write and as one that can: each statement alone, and in a transaction.
async fn both_patterns(test: impl AsyncFn(Opened, &TestDatabase)) {
    let Some(database) = super::database(SETUP).await else { return };
    for url in [database.url(), database.superuser_url()] {
        let opened = Opened::at(&url, one_connection()).await;
        let backend = std::sync::Arc::clone(&opened.backend);
        test(opened, &database).await;
        backend.close().await;
    }
}

#[tokio::test]
async fn limits_are_honest() {
    both_patterns(async |opened, _database| {
        let statement = opened.checked("SELECT id FROM users WHERE id <= 3 ORDER BY id", &[]);
        let cases = [
            (4, 1000, r#"[{"id":1},{"id":2},{"id":3}]"#, None),
            (3, 1000, r#"[{"id":1},{"id":2},{"id":3}]"#, None),
            (2, 1000, r#"[{"id":1},{"id":2}]"#, Some(Truncation::Rows)),
            (0, 1000, "[]", Some(Truncation::Rows)),
            (3, 28, r#"[{"id":1},{"id":2},{"id":3}]"#, None),
            (3, 27, r#"[{"id":1},{"id":2}]"#, Some(Truncation::Bytes)),
        ];
        for (rows_max, bytes_max, expected, truncated) in cases {
            let asked = Asked { limits: ReadLimits { rows_max, bytes_max }, ..Asked::default() };
            let rows = opened.run(&statement, asked).await.unwrap().rows;
            assert_eq!(String::from_utf8(rows.json).unwrap(), expected);
            assert_eq!(rows.truncated, truncated);
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_cut_by_its_bytes_leaves_the_connection_fit_for_the_next() {
    both_patterns(async |opened, _database| {
        let statement = opened.checked("SELECT a.name, b.name AS other FROM users a CROSS JOIN users b", &[]);
        for _ in 0..3 {
            let limits = ReadLimits { rows_max: 2_000_000, bytes_max: 200 };
            let rows = opened.run(&statement, Asked { limits, ..Asked::default() }).await.unwrap().rows;
            assert_eq!(rows.truncated, Some(Truncation::Bytes));
            assert!(rows.json.len() <= 200);
            assert_eq!(opened.rows("SELECT id FROM users WHERE id = 7").await, r#"[{"id":7}]"#);
        }
    })
    .await;
}

#[tokio::test]
async fn types_that_only_the_database_can_write_come_as_its_text() {
    both_patterns(async |opened, _database| {
        let sql = "SELECT id, span, address, ports, many FROM odd ORDER BY id";
        // The server's cast of an address to text spells its mask out.
        let expected = concat!(
            r#"[{"id":1,"span":null,"address":"::1/128","ports":"empty","many":null},"#,
            r#"{"id":2,"span":"P1DT2H","address":"10.0.0.1/32","ports":"[1,5)","many":"{P1D}"}]"#
        );
        assert_eq!(opened.rows(sql).await, expected);
        let described = opened.backend.describe(&opened.checked(sql, &[])).await.unwrap();
        let kinds: Vec<_> = described.columns.iter().map(|(name, ty)| (name.as_str(), &ty.kind)).collect();
        assert_eq!(kinds[1], ("span", &TypeKind::Other));
        assert_eq!(opened.rows(sql).await, expected);
    })
    .await;
}

#[tokio::test]
async fn a_statement_is_described_without_running_it() {
    both_patterns(async |opened, _database| {
        let sql = "SELECT name, big FROM users WHERE id = :id AND born > :since AND region IN (:regions)";
        let statement = opened.checked(sql, &["id", "since", "regions"]);
        let described = opened.backend.describe(&statement).await.unwrap();
        let names = described.params.iter().map(|ty| ty.as_ref().unwrap().name.as_str()).collect::<Vec<_>>();
        assert_eq!(names, ["text", "integer", "date", "text[]", "bigint", "bigint"]);
        let columns = described.columns.iter().map(|(name, ty)| (name.as_str(), ty.name.as_str())).collect::<Vec<_>>();
        assert_eq!(columns, [("name", "text"), ("big", "bigint")]);
        let values = [("id", Value::Integer(7)), ("since", Value::Text("1999-01-01".to_owned()))];
        let regions = ("regions", Value::Array(vec![Value::Text("us".to_owned()), Value::Text("eu".to_owned())]));
        let values = values.into_iter().chain([regions]).collect::<Vec<_>>();
        let asked = Asked { values: &values, ..Asked::default() };
        let bound: Vec<_> = statement.slots().iter().map(|slot| asked.value(&slot.slot)).collect();
        let plan = opened.backend.plan(&statement, &bound).await.unwrap();
        assert!(plan.contains("users"), "{plan}");
        let rows = opened.run(&statement, asked).await.unwrap().rows;
        assert_eq!(rows.json, br#"[{"name":"user 7","big":"9007199254740999"}]"#);
    })
    .await;
}

#[tokio::test]
async fn hostile_values_stay_values() {
    both_patterns(async |opened, _database| {
        let statement =
            opened.checked("SELECT id FROM users WHERE name = :name OR region IN (:regions)", &["name", "regions"]);
        let hostile =
            ["", "'", "\"", "\\", "{}", "{a,b}", "NULL", ",", "a\"b\\c", "' OR 1=1 --", "é\u{202e}\n\t", "$1"];
        let regions = Value::Array(hostile.iter().map(|text| Value::Text((*text).to_owned())).collect());
        for name in hostile {
            let values = [("name", Value::Text(name.to_owned())), ("regions", regions.clone())];
            let rows = opened.run(&statement, Asked { values: &values, ..Asked::default() }).await.unwrap().rows;
            assert_eq!(rows.count, 0, "{name}");
        }
        let empty = [("name", Value::Null), ("regions", Value::Array(Vec::new()))];
        assert_eq!(opened.run(&statement, Asked { values: &empty, ..Asked::default() }).await.unwrap().rows.count, 0);
    })
    .await;
}

#[tokio::test]
async fn a_value_the_type_cannot_hold_is_a_data_error_and_nothing_more() {
    both_patterns(async |opened, _database| {
        let by_id = opened.checked("SELECT id FROM users WHERE id = :id", &["id"]);
        let by_name = opened.checked("SELECT id FROM users WHERE name = :id", &["id"]);
        let by_raw = opened.checked("SELECT id FROM users WHERE raw = :id", &["id"]);
        let by_day = opened.checked("SELECT id FROM users WHERE born = :id", &["id"]);
        let text = |text: &str| Value::Text(text.to_owned());
        let cases = [
            (&by_id, Value::Integer(1 << 40)),
            (&by_id, text("s3cr3t")),
            (&by_id, Value::Number("1e3".to_owned())),
            (&by_id, Value::Number("NaN".to_owned())),
            (&by_id, Value::Array(vec![Value::Integer(1)])),
            (&by_name, text("a\0b")),
            (&by_raw, text("not base64!")),
            (&by_day, text("2026-02-30")),
        ];
        for (statement, value) in cases {
            let values = [("id", value)];
            let error = opened.run(statement, Asked { values: &values, ..Asked::default() }).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Data, "{values:?}");
            assert!(!error.to_string().contains("s3cr3t"));
        }
        assert_eq!(opened.backend.pool_status().size, 1);
        let values = [("id", text("3q0="))];
        assert_eq!(opened.run(&by_raw, Asked { values: &values, ..Asked::default() }).await.unwrap().rows.count, 1000);
    })
    .await;
}

#[tokio::test]
async fn nothing_runs_past_its_deadline() {
    both_patterns(async |opened, _database| {
        let slow = opened.checked("SELECT x FROM slow", &[]);
        let started = Instant::now();
        let asked = Asked { within: Duration::from_millis(200), ..Asked::default() };
        assert_eq!(opened.run(&slow, asked).await.unwrap_err().kind, ErrorKind::Timeout);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        // The only connection is free again long before the slow statement would have ended.
        assert_eq!(opened.rows("SELECT id FROM users WHERE id = 1").await, r#"[{"id":1}]"#);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    })
    .await;
}

#[tokio::test]
async fn a_call_is_cancelled_by_its_token_and_by_being_dropped() {
    both_patterns(async |opened, database| {
        let slow = opened.checked("SELECT x FROM slow", &[]);
        let cancel = CancellationToken::new();
        let call = opened.run(&slow, Asked { cancel: cancel.clone(), ..Asked::default() });
        let (ended, ()) = tokio::join!(call, async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            cancel.cancel();
        });
        assert_eq!(ended.unwrap_err().kind, ErrorKind::Cancelled);
        let dropped = tokio::time::timeout(Duration::from_millis(100), opened.run(&slow, Asked::default())).await;
        assert!(dropped.is_err(), "{dropped:?}");
        let started = Instant::now();
        assert_eq!(opened.rows("SELECT id FROM users WHERE id = 1").await, r#"[{"id":1}]"#);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        assert_eq!(opened.backend.pool_status().size, 1);
        nothing_slow_runs(database).await;
    })
    .await;
}

/// Waits until no statement on `slow` runs in the server, for a second at most.
async fn nothing_slow_runs(database: &TestDatabase) {
    let client = database.superuser().await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
        AND query LIKE '%slow%' AND pid <> pg_backend_pid()";
    let until = Instant::now() + Duration::from_secs(1);
    while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(Instant::now() < until, "a statement that nobody waits for still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_caller_who_leaves_at_any_moment_leaves_nothing_running() {
    both_patterns(async |opened, database| {
        for step in 0..40 {
            // A new statement each time, so that some callers leave while it is being prepared.
            let slow = opened.checked(&format!("SELECT x, {step} AS n FROM slow"), &[]);
            let patience = Duration::from_micros(100 * step);
            let left = tokio::time::timeout(patience, opened.run(&slow, Asked::default())).await;
            assert!(left.is_err());
            assert_eq!(opened.rows("SELECT id FROM users WHERE id = 1").await, r#"[{"id":1}]"#);
        }
        nothing_slow_runs(database).await;
    })
    .await;
}

#[tokio::test]
async fn a_cancel_that_comes_late_never_hits_the_next_call() {
    both_patterns(async |opened, _database| {
        let brisk = opened.checked("SELECT x FROM brisk", &[]);
        opened.run(&brisk, Asked::default()).await.unwrap();
        for round in 0..60 {
            let within = Duration::from_micros(20_000 + round * 50);
            let _ = opened.run(&brisk, Asked { within, ..Asked::default() }).await;
            let next = opened.run(&brisk, Asked::default()).await;
            assert!(next.is_ok(), "round {round}: {next:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_full_pool_says_so_in_time() {
    let Some(database) = super::database(SETUP).await else { return };
    let limits = PoolLimits { acquire_timeout: Duration::from_secs(1), ..one_connection() };
    let opened = Opened::at(&database.url(), limits).await;
    opened.backend.probe().await.unwrap();
    let slow = opened.checked("SELECT x FROM slow", &[]);
    let holding = opened.run(&slow, Asked { within: Duration::from_millis(2500), ..Asked::default() });
    let waiting = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(opened.backend.probe().await.is_ok(), "a busy pool is not a dead server");
        opened.run(&slow, Asked::default()).await
    };
    let (held, waited) = tokio::join!(holding, waiting);
    assert_eq!(held.unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(waited.unwrap_err().kind, ErrorKind::PoolTimeout);
}

#[tokio::test]
async fn the_engine_refuses_to_write_even_if_a_view_would() {
    both_patterns(async |opened, _database| {
        let writing = opened.checked("SELECT x FROM writing", &[]);
        let error = opened.run(&writing, Asked::default()).await.unwrap_err();
        assert_eq!((error.kind, error.database_code.as_deref()), (ErrorKind::Refused, Some("25006")));
        assert_eq!(opened.rows("SELECT at FROM written").await, "[]");
    })
    .await;
}

#[tokio::test]
async fn what_the_database_says_stays_behind_the_kind() {
    both_patterns(async |opened, _database| {
        let error = opened.run(&opened.checked("SELECT x FROM shouting", &[]), Asked::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Internal);
        assert!(!error.to_string().contains("s3cr3t"));
        assert!(!error.kind.to_agent().to_string().contains("s3cr3t"));
        assert!(std::error::Error::source(&error).is_some_and(|source| format!("{source:?}").contains("s3cr3t")));
    })
    .await;
}

#[tokio::test]
async fn the_servers_own_log_shows_the_call_id_of_every_execution() {
    let Some(database) = super::database(SETUP).await else { return };
    for url in [database.url(), database.superuser_url()] {
        let opened = Opened::at(&url, one_connection()).await;
        let statement = opened.checked("SELECT id FROM users WHERE id = :id", &["id"]);
        for call in 0..5 {
            let call_id = format!("call-{}-{call}", database.reader());
            let values = [("id", Value::Integer(call))];
            let asked = Asked { call_id: &call_id, values: &values, ..Asked::default() };
            opened.run(&statement, asked).await.unwrap();
        }
        opened.backend.close().await;
    }
    let log = database.server().log();
    for call in 0..5 {
        let parameter = format!("$1 = 'call-{}-{call}'", database.reader());
        assert_eq!(log.matches(&parameter).count(), 2, "{parameter}");
    }
}

#[tokio::test]
async fn one_caller_leaves_nothing_to_the_next() {
    both_patterns(async |opened, _database| {
        let statement = opened.checked("SELECT name FROM users WHERE id = :id", &["id"]);
        for id in [1_i64, 2, 1] {
            let values = [("id", Value::Integer(id))];
            let rows = opened.run(&statement, Asked { values: &values, ..Asked::default() }).await.unwrap().rows;
            assert_eq!(String::from_utf8(rows.json).unwrap(), format!(r#"[{{"name":"user {id}"}}]"#));
        }
        // More statements than a connection keeps.
        for id in 0..100 {
            let sql = format!("SELECT id, {id} AS n FROM users WHERE id = 1");
            assert_eq!(opened.rows(&sql).await, format!(r#"[{{"id":1,"n":{id}}}]"#));
        }
        assert_eq!(opened.backend.pool_status().size, 1);
    })
    .await;
}

#[tokio::test]
async fn a_result_that_changed_its_type_is_refused_until_it_is_described_again() {
    let Some(database) = super::database(SETUP).await else { return };
    let opened = Opened::at(&database.url(), one_connection()).await;
    let statement = opened.checked("SELECT name FROM users WHERE id = 1", &[]);
    assert_eq!(opened.run(&statement, Asked::default()).await.unwrap().rows.count, 1);
    database.run("ALTER TABLE users ALTER COLUMN name TYPE varchar(50)").await;
    for _ in 0..2 {
        let error = opened.run(&statement, Asked::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Changed);
    }
    opened.backend.describe(&statement).await.unwrap();
    assert_eq!(opened.run(&statement, Asked::default()).await.unwrap().rows.count, 1);
    // A change that leaves the result as it was is no reason to refuse.
    database.run("ALTER TABLE users ADD COLUMN more text; ALTER TABLE users ALTER COLUMN name SET STATISTICS 10").await;
    assert_eq!(opened.run(&statement, Asked::default()).await.unwrap().rows.count, 1);
    database.run("ALTER TABLE users RENAME COLUMN name TO gone").await;
    assert_eq!(opened.run(&statement, Asked::default()).await.unwrap_err().kind, ErrorKind::Changed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_calls_on_four_connections_all_end() {
    let Some(database) = super::database(SETUP).await else { return };
    let limits = PoolLimits { max: 4, acquire_timeout: Duration::from_secs(30), ..PoolLimits::default() };
    let opened = std::sync::Arc::new(Opened::at(&database.url(), limits).await);
    let brisk = opened.checked("SELECT x FROM brisk", &[]);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (opened, brisk) = (std::sync::Arc::clone(&opened), std::sync::Arc::clone(&brisk));
        calls.spawn(
            async move { opened.run(&brisk, Asked { within: Duration::from_secs(30), ..Asked::default() }).await },
        );
    }
    while let Some(call) = calls.join_next().await {
        assert_eq!(call.unwrap().unwrap().rows.count, 1);
    }
    assert!(opened.backend.pool_status().size <= 4);
}
