//! MariaDB: a database for each side, on one throw-away server, asked through the prepared protocol.

use std::{collections::BTreeSet, sync::Arc};

use mysql_async::{BinaryProtocol, Conn, Params, QueryResult, Row, Value as Sql, prelude::Queryable as _};
use tokio::runtime::Runtime;
use tollgate_backends::{
    Backend, PoolLimits,
    testing::mariadb::{MariaDbServer, TestDatabase},
};
use tollgate_core::{
    catalog::TypeKind,
    names::{Dialect, Value},
    sql::{CheckedStatement, SlotUse},
};

use super::{
    engine::{Engine, Failure, Outcome, Phase, Side},
    world::{Grant, World},
};

pub(super) struct MariaDb {
    runtime: Runtime,
    full: Database,
    twin: Database,
    seen: Database,
}

struct Database {
    of: TestDatabase,
    client: Conn,
    backend: Option<Arc<dyn Backend>>,
}

/// What a session of the product has, too, as far as it bears on values.
const SESSION: &str = "SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,\
    NO_ENGINE_SUBSTITUTION', SESSION time_zone = '+00:00', SESSION group_concat_max_len = 1048576, \
    SESSION div_precision_increment = 4, SESSION max_statement_time = 5";

/// A statement that was stopped; what has too many tables, too deep a nest or too much to sort.
const TOO_MUCH: [u16; 8] = [1038, 1041, 1104, 1116, 1317, 1436, 1969, 3024];

/// A column lends its collation to what is made of it, and one that is masked with NULL has none to lend: whether two texts compare
/// depends on the mask.
const MIXES_OF_COLLATIONS: [u16; 3] = [1267, 1270, 1271];

impl MariaDb {
    /// `None` where no server is installed.
    pub(super) fn start() -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = MariaDbServer::shared()?;
        let open = || {
            let of = server.database("");
            of.ask(&format!(
                "CREATE USER owner_{0} IDENTIFIED BY '{1}'; GRANT ALL ON *.* TO owner_{0}",
                of.name(),
                of.password()
            ));
            let url = of.url_of(&format!("owner_{}", of.name()));
            let client = runtime.block_on(Conn::from_url(url)).unwrap();
            Database { of, client, backend: None }
        };
        let (full, twin, seen) = (open(), open(), open());
        Some(Self { runtime, full, twin, seen })
    }

    fn database(&self, on: Side) -> &Database {
        match on {
            Side::Full => &self.full,
            Side::Twin => &self.twin,
            Side::Seen => &self.seen,
        }
    }

    /// The runtime, and a side's client.
    fn client(&mut self, on: Side) -> (&Runtime, &mut Conn) {
        let database = match on {
            Side::Full => &mut self.full,
            Side::Twin => &mut self.twin,
            Side::Seen => &mut self.seen,
        };
        (&self.runtime, &mut database.client)
    }

    fn ask(&mut self, on: Side, sql: &str, values: Vec<Sql>) -> Outcome {
        let (runtime, client) = self.client(on);
        runtime.block_on(asked(client, sql, values))
    }
}

async fn asked(client: &mut Conn, sql: &str, values: Vec<Sql>) -> Outcome {
    let statement = match client.prep(sql).await {
        Ok(statement) => statement,
        Err(error) => return failed(Phase::Text, error, sql),
    };
    let params = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
    let outcome = match client.exec_iter(&statement, params).await {
        Ok(result) => collected(result).await.unwrap_or_else(|error| failed(Phase::Data, error, sql)),
        Err(error) => failed(Phase::Data, error, sql),
    };
    client.close(statement).await.unwrap();
    outcome
}

async fn collected(mut result: QueryResult<'_, '_, BinaryProtocol>) -> mysql_async::Result<Outcome> {
    let rows: Vec<Row> = result.collect().await?;
    Ok(Outcome::Rows(rows.into_iter().map(|row| row.unwrap().iter().map(cell).collect()).collect()))
}

fn failed(phase: Phase, error: mysql_async::Error, sql: &str) -> Outcome {
    let mysql_async::Error::Server(error) = error else { panic!("{error:?} for {sql}") };
    if TOO_MUCH.contains(&error.code) {
        return Outcome::TooLong;
    }
    let phase = if MIXES_OF_COLLATIONS.contains(&error.code) { Phase::Typing } else { phase };
    Outcome::Failed(Failure { phase, code: error.code.to_string(), message: error.message })
}

fn cell(value: &Sql) -> Option<String> {
    match value {
        Sql::NULL => None,
        Sql::Bytes(bytes) => Some(match str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => format!("x{}", super::hexadecimal(bytes)),
        }),
        // Text that compares as a float does, with its point.
        Sql::Float(number) => Some(format!("{number:?}")),
        Sql::Double(number) => Some(format!("{number:?}")),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

fn bound(value: &Value, kind: Option<&TypeKind>) -> Sql {
    let element = |value: &Value| match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        other => panic!("no list holds {other:?}"),
    };
    match value {
        Value::Null => Sql::NULL,
        Value::Bool(value) => Sql::Int(i64::from(*value)),
        Value::Integer(number) => Sql::Int(*number),
        Value::Number(text) if kind == Some(&TypeKind::Float) => Sql::Double(text.parse().unwrap()),
        Value::Number(text) => text.parse().map_or_else(|_| Sql::Bytes(text.clone().into_bytes()), Sql::Int),
        Value::Text(text) | Value::Json(text) => Sql::Bytes(text.clone().into_bytes()),
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(element).collect();
            Sql::Bytes(serde_json::Value::from(texts).to_string().into_bytes())
        }
    }
}

impl Engine for MariaDb {
    fn dialect(&self) -> Dialect {
        Dialect::MariaDb
    }

    fn reset(&mut self, world: &World) {
        for side in [Side::Full, Side::Twin, Side::Seen] {
            if let Some(backend) = self.database(side).backend.clone() {
                self.runtime.block_on(backend.close());
            }
            let (name, collation) = (self.database(side).of.name().to_owned(), world.collation);
            self.run(
                side,
                &[
                    format!("SET NAMES utf8mb4 COLLATE {collation}, {SESSION}"),
                    format!("DROP DATABASE IF EXISTS {name}"),
                    format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE {collation}"),
                    format!("USE {name}"),
                ],
            );
        }
    }

    fn seen_schema(&self) -> String {
        self.seen.of.name().to_owned()
    }

    fn run(&mut self, on: Side, statements: &[String]) {
        let (runtime, client) = self.client(on);
        for statement in statements {
            runtime.block_on(client.query_drop(statement)).unwrap_or_else(|error| panic!("{error} for {statement}"));
        }
    }

    fn show(&mut self, world: &World, at: usize, grant: &Grant, visible: &BTreeSet<i64>) {
        self.run(Side::Seen, &world.seen(at, grant, visible, self.seen.of.name()));
    }

    fn numbers(&mut self, on: Side, sql: &str) -> BTreeSet<i64> {
        match self.ask(on, sql, Vec::new()) {
            Outcome::Rows(rows) => rows.into_iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect(),
            other => panic!("{other:?} for {sql}"),
        }
    }

    fn settle(&mut self) {
        for side in [Side::Full, Side::Twin] {
            let limits = PoolLimits { max: 1, ..PoolLimits::default() };
            let url = self.database(side).of.url();
            let backend = tollgate_backends::open(&url, std::path::Path::new("."), limits).unwrap();
            match side {
                Side::Full => self.full.backend = Some(backend),
                _ => self.twin.backend = Some(backend),
            }
        }
    }

    fn original(&mut self, sql: &str) -> Outcome {
        self.ask(Side::Seen, sql, Vec::new())
    }

    fn rewritten(&mut self, on: Side, statement: &CheckedStatement, values: &[Value]) -> Outcome {
        let of_slot = |(slot, value): (&SlotUse, &Value)| bound(value, slot.ty.as_ref().map(|ty| &ty.kind));
        let values = statement.slots().iter().zip(values).map(of_slot).collect();
        self.ask(on, statement.text(), values)
    }

    fn backend(&self, on: Side) -> (&Runtime, &Arc<dyn Backend>) {
        (&self.runtime, self.database(on).backend.as_ref().unwrap())
    }
}
