//! Values of every type, written exactly.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    names::{ResultForm, Value},
    sql::{CheckedStatement, Request, RestrictedColumn, Restriction, Restrictions, check, tree::Slot},
};

use crate::{
    Backend, BackendError, ErrorKind, Execution, PoolLimits, ReadLimits, Rows, mysql,
    testing::mariadb::{MariaDbServer, TestDatabase},
};

pub(super) struct Bench {
    _database: TestDatabase,
    pub(super) backend: Arc<dyn Backend>,
}

impl Bench {
    pub(super) fn new(server: &Arc<MariaDbServer>, setup: &str) -> Self {
        let database = server.database(setup);
        let backend = mysql::connect(&database.url(), PoolLimits { max: 1, ..PoolLimits::default() }).unwrap();
        Self { _database: database, backend }
    }

    pub(super) async fn check(&self, sql: &str) -> Arc<CheckedStatement> {
        let catalog = self.backend.introspect().await.unwrap();
        let mut restrictions = Restrictions::default();
        for table in catalog.tables() {
            let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
            let all = Restriction { columns, filter: None, hides_rows: false, min_group_size: None };
            restrictions.tables.insert(table.id.clone(), all);
        }
        let params = std::collections::BTreeMap::new();
        let request = Request { sql, catalog: &catalog, restrictions: &restrictions, params: &params };
        Arc::new(check(&request).unwrap_or_else(|error| panic!("{sql}: {error}")))
    }

    pub(super) async fn rows(&self, sql: &str) -> Result<Rows, BackendError> {
        let statement = self.check(sql).await;
        let values: Vec<Value> = statement
            .slots()
            .iter()
            .map(|used| match used.slot {
                Slot::Limit => Value::Integer(1001),
                _ => Value::Integer(0),
            })
            .collect();
        let execution = Execution {
            statement: &statement,
            values: &values,
            limits: ReadLimits { rows_max: 1000, bytes_max: 1 << 20 },
            cost_max: None,
            form: ResultForm::Table,
            deadline: Instant::now() + std::time::Duration::from_secs(20),
            cancel: &CancellationToken::new(),
        };
        self.backend.execute(execution).await.map(|executed| executed.rows)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_comes_back_exactly() {
    let Some(server) = MariaDbServer::shared() else { return };
    let cases: Vec<Vec<&str>> =
        include_str!("../../../testdata/mariadb/values.tsv").lines().map(|line| line.split('\t').collect()).collect();
    let columns: Vec<String> = cases.iter().enumerate().map(|(at, case)| format!("c{at} {}", case[0])).collect();
    let values: Vec<&str> = cases.iter().map(|case| case[1]).collect();
    let setup = format!(
        "SET sql_mode = ''; CREATE TABLE v (id INT PRIMARY KEY, {}); INSERT INTO v VALUES (1, {})",
        columns.join(", "),
        values.join(", ")
    );
    let bench = Bench::new(&server, &setup);
    let mut wrong = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let came = bench.rows(&format!("SELECT c{at} FROM v")).await.map(|rows| String::from_utf8(rows.json).unwrap());
        let came = came.unwrap_or_else(|error| format!("{error} {:?}", error.source));
        if came != format!("[[{}]]", case[2]) {
            wrong.push(format!("{}: {came} instead of {}", case[0], case[2]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() > 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_is_not_read_beyond_a_size() {
    let Some(server) = MariaDbServer::shared() else { return };
    let setup = "CREATE TABLE big (id INT PRIMARY KEY, a LONGBLOB, b LONGBLOB); \
                 INSERT INTO big VALUES (1, REPEAT('x', 9000000), REPEAT('y', 9000000)), (2, 'a', 'b')";
    let bench = Bench::new(&server, setup);
    let refused = bench.rows("SELECT a, b FROM big WHERE id = 1").await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Resources, "{:?}", refused.source);
    // A limit on bytes cuts what is smaller.
    let cut = bench.rows("SELECT a FROM big WHERE id = 1").await.unwrap();
    assert_eq!((cut.count, cut.truncated), (0, Some(crate::Truncation::Bytes)));
    let rows = bench.rows("SELECT a, b FROM big WHERE id = 2").await.unwrap();
    assert_eq!(rows.json, b"[[\"YQ==\",\"Yg==\"]]");
}

/// Bits are a number wherever they go, and a date with zeros in it is the same inside a temporary table.
#[tokio::test(flavor = "multi_thread")]
async fn computed_values_are_those_of_the_columns() {
    let Some(server) = MariaDbServer::shared() else { return };
    let setup = "SET sql_mode = ''; CREATE TABLE v (id INT PRIMARY KEY, b BIT(5), w BIT(64), d DATE); \
                 INSERT INTO v VALUES (1, b'101', 0xFFFFFFFFFFFFFFFF, '2020-00-10'), (2, b'110', b'1', '2021-03-04')";
    let bench = Bench::new(&server, setup);
    for (sql, expected) in [
        ("SELECT b, w FROM v WHERE id = 1", "[[5,\"18446744073709551615\"]]"),
        ("SELECT min(b) AS m, max(w) AS n FROM v", "[[5,\"18446744073709551615\"]]"),
        ("SELECT nullif(b, 2) AS m FROM v WHERE id = 1", "[[5]]"),
        ("SELECT (SELECT b FROM v AS o WHERE o.id = v.id) AS m FROM v WHERE b = 5", "[[5]]"),
        ("SELECT b AS m FROM v WHERE id = 1 UNION SELECT 7 ORDER BY m", "[[\"5\"],[\"7\"]]"),
        ("SELECT b, count(*) AS n FROM v GROUP BY b ORDER BY b", "[[5,1],[6,1]]"),
        ("SELECT d, count(*) OVER () AS n FROM v ORDER BY id", "[[\"2020-00-10\",2],[\"2021-03-04\",2]]"),
        ("SELECT q.d FROM (SELECT id, d FROM v LIMIT 5) AS q WHERE q.id = 1", "[[\"2020-00-10\"]]"),
    ] {
        let rows = bench.rows(sql).await.unwrap_or_else(|error| panic!("{sql}: {error} {:?}", error.source));
        assert_eq!(String::from_utf8(rows.json).unwrap(), expected, "{sql}");
    }
}
