//! Statements that betray a hidden row by failing, on each engine, at run time and at plan time: a rewriter that only filters is
//! shown to leak, and the checked statement is shown not to. The cases are the core's `testdata/leak/engines.json`.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc, time::Duration};

use serde_json::Value as Json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_backends::{
    Backend, Execution, PoolLimits, ReadLimits,
    testing::{
        mariadb::MariaDbServer,
        postgres::{PostgresServer, TestDatabase},
    },
};
use tollgate_core::{
    names::{ParamName, ResultForm, Value},
    policy::{ColumnsGrant, MaskGrant, Role, RoleGrant, RowsGrant, TableGrant},
    sql::{CheckedStatement, ParamShape, Request, check, tree::Slot},
};

fn suite() -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tollgate-core/testdata/leak/engines.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text(value: &Json) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(value: &Json) -> Vec<String> {
    value.as_array().unwrap().iter().map(text).collect()
}

fn setup(suite: &Json, database: &str) -> String {
    texts(&suite["setup"][database]).join(";\n")
}

fn cases<'s>(suite: &'s Json, database: &str) -> Vec<&'s Json> {
    let cases: Vec<_> = suite["cases"].as_array().unwrap().iter().filter(|case| case["database"] == database).collect();
    assert!(!cases.is_empty());
    cases
}

fn grant(suite: &Json) -> RoleGrant {
    let tables = suite["role"].as_object().unwrap().iter().map(|(key, table)| TableGrant {
        min_group_size: None,
        key: key.clone(),
        schema: None,
        table: key.split('.').next_back().unwrap().to_owned(),
        columns: ColumnsGrant::These(texts(&table["columns"])),
        masks: table["masks"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(column, mask)| (column.clone(), MaskGrant::Named(text(mask))))
            .collect(),
        rows: Some(match &table["rows"] {
            Json::Array(_) => RowsGrant::List(texts(&table["rows"])),
            one => RowsGrant::One(text(one)),
        }),
    });
    RoleGrant { tables: tables.collect(), mask_key: None }
}

/// The case's statement as the role may run it.
async fn checked(suite: &Json, case: &Json, backend: &Arc<dyn Backend>) -> Arc<CheckedStatement> {
    let catalog = backend.introspect().await.unwrap();
    let role = Role::compile(&grant(suite), &catalog).unwrap();
    let params: BTreeMap<ParamName, ParamShape> = [("pattern".parse().unwrap(), ParamShape::Single)].into();
    let sql = text(&case["sql"]);
    let request = Request { sql: &sql, catalog: &catalog, restrictions: role.restrictions(), params: &params };
    let statement = check(&request).unwrap();
    assert!(statement.fenced(), "{sql}");
    Arc::new(statement)
}

fn values(statement: &CheckedStatement, suite: &Json, case: &Json) -> Vec<Value> {
    let value = |slot: &Slot| match slot {
        Slot::CallId => Value::Text("call".to_owned()),
        Slot::ClaimList(name) => {
            Value::Array(texts(&suite["claims"][name.as_str()]).into_iter().map(Value::Text).collect())
        }
        Slot::Param(name) => Value::Text(text(&case["params"][name.as_str()])),
        Slot::Limit => Value::Integer(1_000),
        Slot::Offset => Value::Integer(0),
        Slot::ParamList(_) | Slot::Claim(_) | Slot::MaskKey(_) | Slot::After(_) => panic!("no case has {slot:?}"),
    };
    statement.slots().iter().map(|used| value(&used.slot)).collect()
}

/// The checked statement is planned, and runs to its visible rows.
async fn tells_nothing(suite: &Json, case: &Json, backend: &Arc<dyn Backend>) {
    let statement = checked(suite, case, backend).await;
    let values = values(&statement, suite, case);
    backend.plan(&statement, &values).await.unwrap();
    let execution = Execution {
        statement: &statement,
        values: &values,
        limits: ReadLimits { rows_max: 1_000, bytes_max: 1 << 20 },
        cost_max: None,
        form: ResultForm::Rows,
        deadline: Instant::now() + Duration::from_secs(30),
        cancel: &CancellationToken::new(),
    };
    let executed = backend.execute(execution).await.unwrap_or_else(|error| panic!("{}: {error:?}", statement.text()));
    let json = String::from_utf8(executed.rows.json).unwrap();
    assert!(!json.contains("SECRET"), "{json}");
}

/// A statement's text with its values written into it, for the owner's console.
fn written(text: &str, marker: char, values: &[&str]) -> String {
    let numbered = values.iter().enumerate().rev();
    numbered.fold(text.to_owned(), |text, (index, value)| text.replace(&format!("{marker}{}", index + 1), value))
}

async fn leaks_without_fence(case: &Json, database: &TestDatabase) {
    let mut values = vec!["'call'", "ARRAY['eu']", "1000", "0"];
    let pattern = case["params"]["pattern"].as_str().map(|pattern| format!("'{pattern}'"));
    if let Some(pattern) = &pattern {
        values.insert(2, pattern);
    }
    let naive = written(case["without_fence"].as_str().unwrap(), '$', &values);
    let explain = if case["when"] == "plan" { "EXPLAIN " } else { "" };
    let failed = database.superuser().await.simple_query(&format!("{explain}{naive}")).await;
    assert!(failed.is_err(), "no longer leaks, so it shows nothing: {naive}");
}

#[tokio::test]
async fn postgres_tells_nothing_of_hidden_rows() {
    let Some(server) = PostgresServer::shared() else { return };
    let suite = suite();
    let database = server.database(&setup(&suite, "postgres")).await;
    let backend = tollgate_backends::open(&database.url(), Path::new("."), PoolLimits::default()).unwrap();
    for case in cases(&suite, "postgres") {
        leaks_without_fence(case, &database).await;
        tells_nothing(&suite, case, &backend).await;
    }
    backend.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mariadb_tells_nothing_of_hidden_rows() {
    let Some(server) = MariaDbServer::shared() else { return };
    let suite = suite();
    let database = server.database(&setup(&suite, "mariadb"));
    let backend = tollgate_backends::open(&database.url(), Path::new("."), PoolLimits::default()).unwrap();
    for case in cases(&suite, "mariadb") {
        let naive = case["without_fence"].as_str().unwrap();
        assert!(database.try_ask(naive).is_err(), "no longer leaks, so it shows nothing: {naive}");
        tells_nothing(&suite, case, &backend).await;
    }
    backend.close().await;
}

#[tokio::test]
async fn sqlite_tells_nothing_of_hidden_rows() {
    let suite = suite();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let owner = rusqlite::Connection::open(&file).unwrap();
    owner.execute_batch(&setup(&suite, "sqlite")).unwrap();
    let backend = tollgate_backends::open("sqlite:shop.db", folder.path(), PoolLimits::default()).unwrap();
    for case in cases(&suite, "sqlite") {
        let naive = written(case["without_fence"].as_str().unwrap(), '?', &["'[\"eu\"]'", "1000", "0"]);
        let read = |sql: &str| -> rusqlite::Result<usize> {
            let mut statement = owner.prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut count = 0;
            while rows.next()?.is_some() {
                count += 1;
            }
            Ok(count)
        };
        assert!(read(&naive).is_err(), "no longer leaks, so it shows nothing: {naive}");
        tells_nothing(&suite, case, &backend).await;
    }
    backend.close().await;
}
