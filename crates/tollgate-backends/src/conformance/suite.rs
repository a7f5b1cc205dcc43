//! The suite's tests, each over any backend.

use std::{
    sync::Arc,
    time::{Duration, Instant as Clock},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    catalog::{TableId, TableKind, TypeKind},
    names::Dialect,
};

use super::{
    Fixture,
    bench::{Bench, ENDLESS, Params, Terms, WIDE, values},
    cases::{self, Expected},
};
use crate::{ErrorKind, PoolLimits, ReadLimits, Truncation};

/// How long a call may take to come back once it should: no measurement, only what tells a late answer from none at all.
const LATENESS_MAX: Duration = Duration::from_secs(20);

fn pool_of(max: u32) -> PoolLimits {
    PoolLimits { max, ..PoolLimits::default() }
}

pub(super) async fn values_come_back_exactly<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let cases = cases::parse(include_str!("../../testdata/conformance/values.cases"), bench.dialect());
    assert!(cases.len() > 30);
    for case in cases {
        let came = bench.rows(&case.sql, Terms { params: &case.params, ..Terms::plain() }).await;
        match (came, &case.expected) {
            (Ok(rows), Expected::Rows(expected)) => {
                assert_eq!(std::str::from_utf8(&rows.json).unwrap(), expected, "{}{:?}", case.sql, case.params);
                let parsed: Vec<serde_json::Value> = serde_json::from_slice(&rows.json).unwrap();
                assert_eq!((parsed.len(), rows.truncated), (rows.count as usize, None));
            }
            (Err(error), Expected::Error(expected)) => {
                assert_eq!(format!("{:?}", error.kind), *expected, "{}{:?}", case.sql, error.source);
            }
            (came, expected) => panic!("{}{:?}: {came:?} instead of {expected:?}", case.sql, case.params),
        }
    }
}

pub(super) async fn rows_max_is_exact<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    for (rows_max, count, truncated) in [
        (2_999, 2_999, Some(Truncation::Rows)),
        (3_000, 3_000, None),
        (3_001, 3_000, None),
        (1, 1, Some(Truncation::Rows)),
    ] {
        let limits = ReadLimits { rows_max, ..WIDE };
        let rows = bench.rows("SELECT n FROM series ORDER BY n", Terms { limits, ..Terms::plain() }).await.unwrap();
        assert_eq!((rows.count, rows.truncated), (count, truncated));
        let parsed: Vec<serde_json::Value> = serde_json::from_slice(&rows.json).unwrap();
        assert_eq!(parsed.len(), count as usize);
        assert_eq!(parsed.last().unwrap()["n"], count);
    }
}

pub(super) async fn bytes_max_is_exact<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let sql = "SELECT n FROM series WHERE n <= 10 ORDER BY n";
    let all = bench.rows(sql, Terms::plain()).await.unwrap();
    let exact = ReadLimits { bytes_max: all.json.len(), ..WIDE };
    assert_eq!(bench.rows(sql, Terms { limits: exact, ..Terms::plain() }).await.unwrap(), all);
    let less = ReadLimits { bytes_max: all.json.len() - 1, ..WIDE };
    let cut = bench.rows(sql, Terms { limits: less, ..Terms::plain() }).await.unwrap();
    assert_eq!((cut.count, cut.truncated), (9, Some(Truncation::Bytes)));
    assert!(cut.json.len() <= less.bytes_max && all.json.starts_with(&cut.json[..cut.json.len() - 1]));
    // Much more than fits, and the connection is good for the next call.
    let little = ReadLimits { bytes_max: 100, ..WIDE };
    for _ in 0..3 {
        let cut = bench
            .rows("SELECT a.n AS x, b.n AS y FROM series a, series b", Terms { limits: little, ..Terms::plain() })
            .await
            .unwrap();
        assert!(cut.json.len() <= 100 && cut.truncated == Some(Truncation::Bytes) && cut.count > 0);
    }
}

pub(super) async fn pages_follow_one_another<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let mut seen = Vec::new();
    loop {
        let limits = ReadLimits { rows_max: 700, ..WIDE };
        let terms = Terms { limits, offset: seen.len().try_into().unwrap(), ..Terms::plain() };
        let rows = bench.rows("SELECT n FROM series ORDER BY n", terms).await.unwrap();
        let page: Vec<serde_json::Value> = serde_json::from_slice(&rows.json).unwrap();
        seen.extend(page.into_iter().map(|row| row["n"].as_u64().unwrap()));
        if rows.truncated.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=3_000).collect::<Vec<_>>());
}

pub(super) async fn restricted_tables_show_their_rows_alone<F: Fixture>() {
    let Some(mut bench) = Bench::<F>::new(pool_of(1)).await else { return };
    bench.restrict("series", "n <= 10 AND EXISTS (SELECT 1 FROM facts f WHERE f.id = 1)");
    bench.restrict("exact", "big > 9007199254740992");
    for (sql, expected) in [
        ("SELECT count(*) AS n FROM series", r#"[{"n":10}]"#),
        ("SELECT max(n) AS n FROM series", r#"[{"n":10}]"#),
        ("SELECT count(*) AS n FROM series a LEFT JOIN series b ON a.n = b.n + 10", r#"[{"n":10}]"#),
        ("SELECT n FROM series WHERE abs(n) > 9", r#"[{"n":10}]"#),
        ("SELECT id FROM exact WHERE abs(big) > 0 ORDER BY id", r#"[{"id":3},{"id":5}]"#),
        ("WITH c AS (SELECT n FROM series WHERE abs(n) < 3) SELECT count(*) AS n FROM c", r#"[{"n":2}]"#),
    ] {
        let rows = bench.rows(sql, Terms::plain()).await.unwrap_or_else(|e| panic!("{sql}: {e} {:?}", e.source));
        assert_eq!(std::str::from_utf8(&rows.json).unwrap(), expected, "{sql}");
    }
}

pub(super) async fn relations_hide_rows_wherever_they_stand<F: Fixture>() {
    let all = include_str!("../../testdata/conformance/relations.cases");
    let postgres = include_str!("../../testdata/conformance/relations.postgres.cases");
    let sqlite = include_str!("../../testdata/conformance/relations.sqlite.cases");
    let mariadb = include_str!("../../testdata/conformance/relations.mariadb.cases");
    restricted_cases::<F>(all, [postgres, sqlite, mariadb]).await;
}

pub(super) async fn expressions_mean_what_they_say<F: Fixture>() {
    let all = include_str!("../../testdata/conformance/expressions.cases");
    let postgres = include_str!("../../testdata/conformance/expressions.postgres.cases");
    let sqlite = include_str!("../../testdata/conformance/expressions.sqlite.cases");
    let mariadb = include_str!("../../testdata/conformance/expressions.mariadb.cases");
    restricted_cases::<F>(all, [postgres, sqlite, mariadb]).await;
}

/// Cases over tables of which a filter hides most rows.
async fn restricted_cases<F: Fixture>(all: &str, own: [&str; 3]) {
    let Some(mut bench) = Bench::<F>::new(pool_of(1)).await else { return };
    bench.restrict("series", "n <= 10");
    bench.restrict("exact", "id <= 4");
    let dialect = bench.dialect();
    let [postgres, sqlite, mariadb] = own;
    let own = match dialect {
        Dialect::Postgres => postgres,
        Dialect::Sqlite => sqlite,
        Dialect::MariaDb => mariadb,
    };
    let mut cases = cases::parse(all, dialect);
    cases.extend(cases::parse(own, dialect));
    let mut wrong = Vec::new();
    for case in cases {
        match bench.rows(&case.sql, Terms::plain()).await {
            Ok(rows) => {
                let rows = Expected::Rows(String::from_utf8(rows.json).unwrap());
                if rows != case.expected {
                    wrong.push(format!("{}{rows:?}", case.sql));
                }
            }
            Err(error) => wrong.push(format!("{}{error} {:?}", case.sql, error.source)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// A call on the same connection is answered as if nothing had been there before.
async fn next_call_is_unharmed<F: Fixture>(bench: &Bench<F>) {
    let asked = Clock::now();
    let rows = bench.rows("SELECT count(*) AS n FROM series", Terms::plain()).await.unwrap();
    assert_eq!(rows.json, br#"[{"n":3000}]"#);
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
}

pub(super) async fn a_deadline_stops_a_statement<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    for milliseconds in [0, 1, 50, 200] {
        let asked = Clock::now();
        let after = Duration::from_millis(milliseconds);
        let error =
            bench.rows(ENDLESS, Terms { deadline: Instant::now() + after, ..Terms::plain() }).await.unwrap_err();
        // A deadline that has passed before there is a connection is one that was not met by the pool.
        assert!(
            matches!(error.kind, ErrorKind::Timeout | ErrorKind::PoolTimeout | ErrorKind::Unavailable),
            "{error:?}"
        );
        assert!(milliseconds < 50 || error.kind == ErrorKind::Timeout, "{error:?}");
        assert!(asked.elapsed() < LATENESS_MAX, "{:?}", asked.elapsed());
        next_call_is_unharmed(&bench).await;
    }
    let limits = PoolLimits { statement_timeout: Duration::from_millis(100), ..pool_of(1) };
    let Some(bench) = Bench::<F>::new(limits).await else { return };
    let asked = Clock::now();
    assert_eq!(bench.rows(ENDLESS, Terms::plain()).await.unwrap_err().kind, ErrorKind::Timeout);
    assert!(asked.elapsed() < LATENESS_MAX, "{:?}", asked.elapsed());
}

/// Readings of a recursive query that never ends, each of which needs to know all of its rows.
const READ_TO_THE_END: [&str; 14] = [
    "SELECT count(*) AS n FROM r",
    "SELECT max(i) AS n FROM r WHERE i <= 10",
    "SELECT i FROM r WHERE i <= 10",
    "SELECT i FROM r ORDER BY i LIMIT 3",
    "SELECT i FROM r ORDER BY i DESC",
    "SELECT DISTINCT i % 7 AS n FROM r",
    "SELECT n, (SELECT count(*) FROM r WHERE r.i < s.n) AS c FROM series s WHERE n < 3",
    "SELECT n FROM series WHERE n NOT IN (SELECT i FROM r WHERE i < 0)",
    "SELECT n FROM series WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.i < 0)",
    "SELECT count(*) AS n FROM r a JOIN r b ON a.i = b.i AND b.i < 3",
    "SELECT n FROM series WHERE n < 3 UNION ALL SELECT count(*) FROM r",
    "SELECT count(*) AS n FROM (SELECT i FROM r WHERE i < 5) AS few",
    "SELECT sum(s.n) AS n FROM series s LEFT JOIN r ON r.i = s.n",
    "SELECT count(*) AS n FROM (SELECT i FROM r LIMIT 100001) AS more",
];

pub(super) async fn a_recursion_is_read_whole_or_not_at_all<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let up_to = |end: &str| format!("WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r {end})");
    for reading in READ_TO_THE_END {
        let refused = bench.rows(&format!("{} {reading}", up_to("")), Terms::plain()).await;
        assert_eq!(refused.map_err(|error| error.kind), Err(ErrorKind::Recursion), "{reading}");
    }
    next_call_is_unharmed(&bench).await;
    let inner = "SELECT (WITH RECURSIVE r(i) AS (SELECT 1 UNION SELECT i + 1 FROM r) SELECT count(*) FROM r) AS n";
    let twice = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r), \
                 s(j) AS (SELECT 1 UNION ALL SELECT s.j + r.i FROM s JOIN r ON r.i > s.j WHERE r.i < 0) SELECT count(*) AS n FROM s";
    for text in [inner, twice, &format!("{} SELECT count(*) AS n FROM r", up_to("WHERE i <= 100000"))] {
        assert_eq!(bench.rows(text, Terms::plain()).await.unwrap_err().kind, ErrorKind::Recursion, "{text}");
    }
    // Whoever wants no more than there may be is answered, however often; of MariaDB, which computes all of it first, nobody.
    let mariadb = bench.dialect() == Dialect::MariaDb;
    let each = "SELECT n, (WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 60000) \
                SELECT count(*) FROM r WHERE i >= s.n) AS c FROM series s WHERE n <= 2 ORDER BY n";
    for (text, expected) in [
        (format!("{} SELECT count(*) AS n FROM r", up_to("WHERE i < 100000")), r#"[{"n":100000}]"#),
        (format!("{} SELECT i FROM (SELECT i FROM r WHERE i > 1 LIMIT 2) AS few", up_to("")), r#"[{"i":2},{"i":3}]"#),
        (
            format!("{} SELECT count(*) AS n FROM (SELECT i FROM r LIMIT 100000) AS most", up_to("")),
            r#"[{"n":100000}]"#,
        ),
        (format!("{} SELECT n FROM series WHERE n < 2 AND EXISTS (SELECT 1 FROM r)", up_to("")), r#"[{"n":1}]"#),
        (each.to_owned(), r#"[{"n":1,"c":60000},{"n":2,"c":59999}]"#),
    ] {
        let endless = text.starts_with(&up_to(""));
        let rows = bench.rows(&text, Terms::plain()).await.map_err(|error| error.kind);
        let json = rows.map(|rows| String::from_utf8(rows.json).unwrap());
        let expected = if mariadb && endless { Err(ErrorKind::Recursion) } else { Ok(expected.to_owned()) };
        assert_eq!(json, expected, "{text}");
    }
    let limits = ReadLimits { rows_max: 2, ..WIDE };
    let rows = bench.rows(&format!("{} SELECT i FROM r", up_to("")), Terms { limits, ..Terms::plain() }).await;
    let counted = rows.map(|rows| (rows.count, rows.truncated)).map_err(|error| error.kind);
    assert_eq!(counted, if mariadb { Err(ErrorKind::Recursion) } else { Ok((2, Some(Truncation::Rows))) });
    // A failure of the statement's own is not taken for the bound.
    let failing = format!("{} SELECT i / (i - 2) AS n FROM r WHERE i < 3 LIMIT 2", up_to(""));
    if bench.dialect() == Dialect::Postgres {
        assert_eq!(bench.rows(&failing, Terms::plain()).await.unwrap_err().kind, ErrorKind::Data);
    } else if mariadb {
        let failing = format!("{} SELECT exp(i * 1000) AS n FROM r", up_to("WHERE i < 3"));
        assert_eq!(bench.rows(&failing, Terms::plain()).await.unwrap_err().kind, ErrorKind::Data);
    } else {
        for (limit, outcome) in [("LIMIT 100000", Ok(1)), ("LIMIT 100001", Err(ErrorKind::Recursion))] {
            let counted = bench.rows(&format!("{} SELECT count(*) AS n FROM r", up_to(limit)), Terms::plain()).await;
            assert_eq!(counted.map(|rows| rows.count).map_err(|error| error.kind), outcome);
        }
    }
}

pub(super) async fn a_cancel_stops_a_statement_and_not_the_next<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    for round in 0..10 {
        let terms = Terms::plain();
        let cancel = terms.cancel.clone();
        let asked = Clock::now();
        let after = Duration::from_millis(round * 3);
        let (stopped, ()) = tokio::join!(bench.rows(ENDLESS, terms), async {
            tokio::time::sleep(after).await;
            cancel.cancel();
        });
        assert_eq!(stopped.unwrap_err().kind, ErrorKind::Cancelled);
        assert!(asked.elapsed() < LATENESS_MAX, "{:?}", asked.elapsed());
        next_call_is_unharmed(&bench).await;
    }
    let cancel = CancellationToken::new();
    cancel.cancel();
    let refused = bench.rows("SELECT n FROM series", Terms { cancel, ..Terms::plain() }).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Cancelled);
}

pub(super) async fn a_dropped_call_stops_its_statement_and_not_the_next<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    for round in 0..10 {
        let after = Duration::from_millis(round * 3);
        assert!(tokio::time::timeout(after, bench.rows(ENDLESS, Terms::plain())).await.is_err());
        next_call_is_unharmed(&bench).await;
        assert!(bench.backend().pool_status().size <= 1);
    }
}

pub(super) async fn a_full_pool_refuses_in_time<F: Fixture>() {
    let limits = PoolLimits { acquire_timeout: Duration::from_secs(1), ..pool_of(2) };
    let Some(bench) = Bench::<F>::new(limits).await else { return };
    let busy = CancellationToken::new();
    let hold = || bench.rows(ENDLESS, Terms { cancel: busy.clone(), ..Terms::plain() });
    let late = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let asked = Clock::now();
        let refused = bench.rows("SELECT n FROM series", Terms::plain()).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::PoolTimeout);
        assert!(asked.elapsed() < LATENESS_MAX);
        let status = bench.backend().pool_status();
        assert_eq!((status.size, status.in_use, status.max), (2, 2, 2));
        busy.cancel();
    };
    let (first, second, ()) = tokio::join!(hold(), hold(), late);
    assert_eq!((first.unwrap_err().kind, second.unwrap_err().kind), (ErrorKind::Cancelled, ErrorKind::Cancelled));
    next_call_is_unharmed(&bench).await;
}

pub(super) async fn three_hundred_callers_share_four_connections<F: Fixture>() {
    three_hundred_callers::<F>(4).await;
}

pub(super) async fn three_hundred_callers_share_twenty_connections<F: Fixture>() {
    three_hundred_callers::<F>(20).await;
}

async fn three_hundred_callers<F: Fixture>(connections: u32) {
    let limits = PoolLimits { acquire_timeout: Duration::from_secs(30), ..pool_of(connections) };
    let Some(bench) = Bench::<F>::new(limits).await else { return };
    let bench = Arc::new(bench);
    let callers: Vec<_> = (1..=300_u64)
        .map(|caller| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move {
                let params: Params = vec![("n".to_owned(), caller.into())];
                let terms =
                    Terms { params: &params, deadline: Instant::now() + Duration::from_secs(60), ..Terms::plain() };
                let rows = bench.rows("SELECT n FROM series WHERE n = :n", terms).await.unwrap();
                assert_eq!(rows.json, format!(r#"[{{"n":{caller}}}]"#).into_bytes());
                assert!(bench.backend().pool_status().size <= connections);
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(bench.backend().pool_status().waiting, 0);
}

pub(super) async fn a_database_that_went_away_is_unavailable_until_it_is_back<F: Fixture>() {
    let Some(fixture) = F::start_alone(pool_of(2)).await else { return };
    let bench = Bench::over(fixture).await;
    next_call_is_unharmed(&bench).await;
    bench.backend().probe().await.unwrap();
    bench.fixture.go_away();
    for _ in 0..3 {
        let error = bench.rows("SELECT n FROM series", Terms::plain()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error:?}");
        assert_eq!(bench.backend().probe().await.unwrap_err().kind, ErrorKind::Unavailable);
    }
    bench.fixture.come_back();
    let back = Clock::now();
    while bench.rows("SELECT count(*) AS n FROM series", Terms::plain()).await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(20), "not back after {:?}", back.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bench.backend().probe().await.unwrap();
}

pub(super) async fn nothing_is_carried_over<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let sql = "SELECT id, label FROM exact WHERE label = :label";
    let label = |text: &str| -> Params { vec![("label".to_owned(), text.into())] };
    let (present, nul) = (label(""), label("a\0b"));
    for _ in 0..2 {
        let rows = bench.rows(sql, Terms { params: &present, ..Terms::plain() }).await.unwrap();
        assert_eq!(rows.json, br#"[{"id":1,"label":""}]"#);
        let refused = bench.rows(sql, Terms { params: &nul, ..Terms::plain() }).await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Data);
        let nobody: Params = vec![("label".to_owned(), serde_json::Value::Null)];
        let rows = bench.rows(sql, Terms { params: &nobody, ..Terms::plain() }).await.unwrap();
        assert_eq!((rows.json.as_slice(), rows.count), (b"[]".as_slice(), 0));
    }
    assert_eq!(bench.backend().pool_status().size, 1);
}

pub(super) async fn introspection_finds_the_facts<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let catalog = &bench.catalog;
    let names: Vec<_> = catalog.tables().iter().map(|table| (table.id.name.as_str(), table.kind)).collect();
    let table = TableKind::Table;
    let expected =
        [("exact", table), ("facts", table), ("parent", table), ("series", table), ("shown", TableKind::View)];
    assert_eq!(names, expected);
    let facts = catalog.table(None, "facts").unwrap();
    assert_eq!(facts.primary_key, ["id"]);
    assert_eq!(facts.unique_keys, [vec!["code"], vec!["pa", "pb"]]);
    assert_eq!(catalog.table(None, "parent").unwrap().primary_key, ["b", "a"]);
    let nullable: Vec<_> = facts.columns.iter().filter(|c| c.nullable).map(|c| c.name.as_str()).collect();
    assert_eq!(nullable, ["other", "pa", "pb", "note"]);
    let status = catalog.column(facts, "status").unwrap();
    let values = match (&status.ty.kind, &status.allowed) {
        (TypeKind::Enum(labels), None) => labels,
        (TypeKind::Text, Some(allowed)) => allowed,
        other => panic!("{other:?}"),
    };
    assert_eq!(values, &["active", "inactive"]);
    let target = |name: &str| TableId { name: name.to_owned(), ..facts.id.clone() };
    let mut references: Vec<_> =
        facts.foreign_keys.iter().map(|key| (key.columns.clone(), key.target.clone())).collect();
    references.sort();
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(references, [(strings(&["other"]), target("exact")), (strings(&["pb", "pa"]), target("parent"))]);
    let exact = catalog.table(None, "exact").unwrap();
    let kinds: Vec<_> = exact.columns.iter().skip(1).map(|column| column.ty.kind.clone()).collect();
    let expected = [
        TypeKind::BigInt,
        TypeKind::Float,
        TypeKind::Text,
        TypeKind::Bytes,
        TypeKind::Bool,
        TypeKind::Json,
        TypeKind::Date,
        TypeKind::Uuid,
    ];
    assert_eq!(kinds, expected);
}

pub(super) async fn descriptions_name_every_column<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let params: Params = vec![("big".to_owned(), 1.into())];
    let statement = bench.check("SELECT label AS l, big, doc, flag FROM exact WHERE big > :big", &params);
    let described = bench.backend().describe(&statement).await.unwrap();
    assert_eq!(described.params.len(), statement.slots().len());
    let columns: Vec<_> = described.columns.iter().map(|(name, ty)| (name.as_str(), &ty.kind)).collect();
    let expected =
        [("l", &TypeKind::Text), ("big", &TypeKind::BigInt), ("doc", &TypeKind::Json), ("flag", &TypeKind::Bool)];
    assert_eq!(columns, expected);
}

pub(super) async fn plans_are_told<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(1)).await else { return };
    let params: Params = vec![("n".to_owned(), 7.into())];
    let statement = bench.check("SELECT n FROM series WHERE n = :n", &params);
    let given = values(&statement, &Terms { params: &params, ..Terms::plain() });
    let plan = bench.backend().plan(&statement, &given).await.unwrap();
    assert!(plan.contains("series"), "{plan}");
}

pub(super) async fn closing_waits_for_what_runs<F: Fixture>() {
    let Some(bench) = Bench::<F>::new(pool_of(2)).await else { return };
    let slow = "SELECT count(*) AS n FROM series a, series b WHERE a.n + b.n > 0";
    let (ran, ()) = tokio::join!(bench.rows(slow, Terms::plain()), async {
        while bench.backend().pool_status().in_use == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bench.backend().close().await;
        assert_eq!(bench.backend().pool_status().size, 0);
    });
    assert_eq!(ran.unwrap().json, br#"[{"n":9000000}]"#);
    let refused = bench.rows("SELECT n FROM series", Terms::plain()).await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unavailable);
}
