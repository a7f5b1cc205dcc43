//! SQLite: a file for each side.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest::{SHA256, digest};
use rusqlite::{
    Connection,
    config::DbConfig,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tollgate_backends::{Backend, PoolLimits};
use tollgate_core::{
    names::{Dialect, Value},
    sql::{
        CheckedStatement,
        limits::{RECURSION_FUNCTION, RECURSION_ROWS_MAX},
    },
};

use super::{
    engine::{Engine, Failure, Outcome, Phase, Side},
    world::{Grant, World},
};

/// Looks of the progress handler, 1,000 steps apart, before a statement is given up.
const LOOKS_MAX: u32 = 3_000;

pub(super) struct Sqlite {
    runtime: Runtime,
    databases: Option<Databases>,
}

struct Databases {
    folder: TempDir,
    full: Connection,
    twin: Connection,
    seen: Connection,
    backends: Option<[Arc<dyn Backend>; 2]>,
    looks: Arc<AtomicU32>,
}

impl Sqlite {
    pub(super) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, databases: None }
    }

    fn databases(&self) -> &Databases {
        self.databases.as_ref().unwrap()
    }

    fn connection(&self, on: Side) -> &Connection {
        let databases = self.databases();
        match on {
            Side::Full => &databases.full,
            Side::Twin => &databases.twin,
            Side::Seen => &databases.seen,
        }
    }

    fn ask(&self, on: Side, sql: &str, values: &[Value]) -> Outcome {
        let databases = self.databases();
        databases.looks.store(0, Ordering::Relaxed);
        let failed = |phase: Phase, error: rusqlite::Error| {
            let (found, message) = match error {
                rusqlite::Error::SqliteFailure(found, message) => (found, message.unwrap_or_default()),
                rusqlite::Error::SqlInputError { error: found, msg, .. } => (found, msg),
                other => panic!("{other} for {sql}"),
            };
            if found.code == rusqlite::ErrorCode::OperationInterrupted {
                return Outcome::TooLong;
            }
            Outcome::Failed(Failure { phase, code: found.extended_code.to_string(), message })
        };
        let mut statement = match self.connection(on).prepare(sql) {
            Ok(statement) => statement,
            Err(error) => return failed(Phase::Text, error),
        };
        for (at, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, bound(value)).unwrap();
        }
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut all = Vec::new();
        loop {
            match rows.next() {
                Ok(Some(row)) => all.push((0..columns).map(|at| cell(row.get_ref(at).unwrap())).collect()),
                Ok(None) => return Outcome::Rows(all),
                Err(error) => return failed(Phase::Data, error),
            }
        }
    }
}

fn bound(value: &Value) -> rusqlite::types::Value {
    use rusqlite::types::Value as Sql;
    let json = |value: &Value| match value {
        Value::Integer(number) => serde_json::Value::from(*number),
        Value::Text(text) => serde_json::Value::from(text.as_str()),
        other => panic!("no list holds {other:?}"),
    };
    match value {
        Value::Null => Sql::Null,
        Value::Bool(value) => Sql::Integer(i64::from(*value)),
        Value::Integer(number) => Sql::Integer(*number),
        Value::Number(text) | Value::Text(text) | Value::Json(text) => Sql::Text(text.clone()),
        Value::Array(values) => Sql::Text(serde_json::Value::Array(values.iter().map(json).collect()).to_string()),
    }
}

/// What the product's connections have for the mask `hash`.
fn hash(context: &Context<'_>) -> rusqlite::Result<Option<String>> {
    let Some(text) = context.get::<Option<String>>(2)? else { return Ok(None) };
    let block = |at: usize| STANDARD.decode(context.get::<String>(at).unwrap()).unwrap();
    let inner = digest(&SHA256, &[block(0), text.into_bytes()].concat());
    let outer = digest(&SHA256, &[&block(1), inner.as_ref()].concat());
    Ok(Some(super::hexadecimal(&outer.as_ref()[..16])))
}

/// A number keeps nothing of how it is stored: of two equal ones a DISTINCT may keep either.
fn cell(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(format!("{number:?}")),
        ValueRef::Text(text) => Some(format!("'{}'", String::from_utf8_lossy(text))),
        ValueRef::Blob(bytes) => Some(format!("x{bytes:?}")),
    }
}

impl Engine for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn reset(&mut self, _world: &World) {
        let folder = tempfile::tempdir().unwrap();
        let looks = Arc::new(AtomicU32::new(0));
        let open = |file: &str| {
            let mut connection = Connection::open(folder.path().join(file)).unwrap();
            connection
                .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF")
                .unwrap();
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false).unwrap();
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false).unwrap();
            connection.create_scalar_function("tg_hash", 3, FunctionFlags::SQLITE_DETERMINISTIC, hash).unwrap();
            let recursion =
                |context: &Context<'_>| Ok(context.get::<i64>(0)? <= i64::try_from(RECURSION_ROWS_MAX).unwrap());
            connection
                .create_scalar_function(RECURSION_FUNCTION, 1, FunctionFlags::SQLITE_DETERMINISTIC, recursion)
                .unwrap();
            let looks = Arc::clone(&looks);
            let look = move || looks.fetch_add(1, Ordering::Relaxed) > LOOKS_MAX;
            connection.progress_handler(1_000, Some(look)).unwrap();
            connection
        };
        let (full, twin, seen) = (open("full.db"), open("twin.db"), open("seen.db"));
        let attached = folder.path().join("seen.db");
        for connection in [&full, &twin] {
            connection.execute("ATTACH ?1 AS seen", [attached.to_str().unwrap()]).unwrap();
        }
        self.databases = Some(Databases { folder, full, twin, seen, backends: None, looks });
    }

    fn run(&mut self, on: Side, statements: &[String]) {
        self.databases().looks.store(0, Ordering::Relaxed);
        let batch = format!("BEGIN; {}; COMMIT", statements.join(";\n"));
        self.connection(on).execute_batch(&batch).unwrap_or_else(|error| panic!("{error} for {batch}"));
    }

    fn show(&mut self, world: &World, at: usize, grant: &Grant, visible: &BTreeSet<i64>) {
        self.run(Side::Full, &world.seen(at, grant, visible, "seen"));
    }

    fn numbers(&mut self, on: Side, sql: &str) -> BTreeSet<i64> {
        match self.ask(on, sql, &[]) {
            Outcome::Rows(rows) => rows.into_iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect(),
            other => panic!("{other:?} for {sql}"),
        }
    }

    fn settle(&mut self) {
        let databases = self.databases.as_mut().unwrap();
        for connection in [&databases.full, &databases.twin] {
            connection.execute_batch("DETACH seen; ANALYZE").unwrap();
        }
        databases.seen.execute_batch("ANALYZE").unwrap();
        let open = |file: &str| {
            let limits = PoolLimits { max: 1, ..PoolLimits::default() };
            tollgate_backends::open(&format!("sqlite:{file}"), databases.folder.path(), limits).unwrap()
        };
        databases.backends = Some([open("full.db"), open("twin.db")]);
    }

    fn original(&mut self, sql: &str) -> Outcome {
        self.ask(Side::Seen, sql, &[])
    }

    fn rewritten(&mut self, on: Side, statement: &CheckedStatement, values: &[Value]) -> Outcome {
        self.ask(on, statement.text(), values)
    }

    fn backend(&self, on: Side) -> (&Runtime, &Arc<dyn Backend>) {
        let backends = self.databases().backends.as_ref().unwrap();
        (&self.runtime, &backends[usize::from(on == Side::Twin)])
    }
}
