//! PostgreSQL: a database for each side, on one throw-away server.

use std::{collections::BTreeSet, sync::Arc};

use tokio::runtime::Runtime;
use tokio_postgres::{Client, SimpleQueryMessage, error::SqlState};
use tollgate_backends::{
    Backend, PoolLimits,
    testing::postgres::{PostgresServer, TestDatabase},
};
use tollgate_core::{
    names::{Dialect, Value},
    sql::{CheckedStatement, SlotUse, tree::Slot},
};

use super::{
    engine::{Engine, Failure, Outcome, Phase, Side},
    kind::{MOODS, quoted},
    world::{Grant, World},
};

pub(super) struct Postgres {
    runtime: Runtime,
    full: Database,
    twin: Database,
    seen: Database,
}

struct Database {
    of: TestDatabase,
    client: Client,
    backend: Option<Arc<dyn Backend>>,
}

/// What a session of the product has, too, as far as it bears on values.
const SESSION: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'; SET jit = off; \
    SET client_min_messages = error; SET log_statement = 'none'; SET statement_timeout = '5s'";

/// Statistics of our tables. A bare ANALYZE takes the system's catalogs too, which is most of its time.
const ANALYZE: &str = "DO $$ DECLARE t regclass; BEGIN \
    FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP \
    EXECUTE format('ANALYZE %s', t); END LOOP; END $$";

impl Postgres {
    /// `None` where no server is installed.
    pub(super) fn start() -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = PostgresServer::shared()?;
        let open = || {
            runtime.block_on(async {
                let database = server.database("").await;
                let client = database.superuser().await;
                client.batch_execute(SESSION).await.unwrap();
                Database { of: database, client, backend: None }
            })
        };
        let (full, twin, seen) = (open(), open(), open());
        for filtered in [&full, &twin] {
            runtime.block_on(filtered.client.batch_execute("SET search_path = ''")).unwrap();
        }
        Some(Self { runtime, full, twin, seen })
    }

    /// The owner's URL of what the role sees.
    pub(super) fn seen_url(&self) -> String {
        self.seen.of.superuser_url()
    }

    fn database(&self, on: Side) -> &Database {
        match on {
            Side::Full => &self.full,
            Side::Twin => &self.twin,
            Side::Seen => &self.seen,
        }
    }

    fn batch(&self, on: Side, batch: &str) {
        let done = self.runtime.block_on(self.database(on).client.batch_execute(batch));
        done.unwrap_or_else(|error| panic!("{error:?} for {batch}"));
    }

    fn ask(&self, on: Side, batch: &str) -> Outcome {
        match self.runtime.block_on(self.database(on).client.simple_query(batch)) {
            Ok(messages) => Outcome::Rows(messages.iter().filter_map(cells).collect()),
            Err(error) => {
                let Some(found) = error.as_db_error() else { panic!("{error:?} for {batch}") };
                let code = found.code();
                // Too long, too deep, too much.
                if *code == SqlState::QUERY_CANCELED || code.code().starts_with("53") || code.code().starts_with("54") {
                    return Outcome::TooLong;
                }
                let message = found.message().to_owned();
                // Whether a FULL JOIN can be made into a simpler one depends on what the planner knows of the columns' values: of one masked
                // with NULL it knows all.
                let planned = message.starts_with("FULL JOIN is only supported");
                let of_text = !planned && ["42", "0A"].iter().any(|class| code.code().starts_with(class));
                let phase = if of_text { Phase::Text } else { Phase::Data };
                Outcome::Failed(Failure { phase, code: code.code().to_owned(), message })
            }
        }
    }
}

fn cells(message: &SimpleQueryMessage) -> Option<Vec<Option<String>>> {
    match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
        _ => None,
    }
}

fn literal(value: &Value) -> String {
    let element = |value: &Value| match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        other => panic!("no list holds {other:?}"),
    };
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => quoted(&value.to_string(), Dialect::Postgres),
        Value::Integer(number) => quoted(&number.to_string(), Dialect::Postgres),
        Value::Number(text) | Value::Text(text) | Value::Json(text) => quoted(text, Dialect::Postgres),
        Value::Array(values) => {
            quoted(&format!("{{{}}}", values.iter().map(element).collect::<Vec<_>>().join(",")), Dialect::Postgres)
        }
    }
}

impl Engine for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn reset(&mut self, _world: &World) {
        let moods: Vec<String> = MOODS.iter().map(|mood| quoted(mood, Dialect::Postgres)).collect();
        for side in [Side::Full, Side::Twin, Side::Seen] {
            if let Some(backend) = self.database(side).backend.clone() {
                self.runtime.block_on(backend.close());
            }
            let reader = self.database(side).of.reader();
            self.batch(
                side,
                &format!(
                    "DROP SCHEMA IF EXISTS seen CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA seen; \
                     GRANT USAGE ON SCHEMA public TO {reader}; CREATE TYPE public.mood AS ENUM ({})",
                    moods.join(", ")
                ),
            );
        }
    }

    fn run(&mut self, on: Side, statements: &[String]) {
        self.batch(on, &format!("SET search_path = public; {}; SET search_path = ''", statements.join(";\n")));
    }

    fn show(&mut self, world: &World, at: usize, grant: &Grant, visible: &BTreeSet<i64>) {
        for side in [Side::Full, Side::Twin] {
            self.run(side, &world.seen(at, grant, visible, "seen"));
        }
        self.run(Side::Seen, &world.seen(at, grant, visible, "public"));
    }

    fn numbers(&mut self, on: Side, sql: &str) -> BTreeSet<i64> {
        match self.ask(on, &format!("SET search_path = public; {sql}; SET search_path = ''")) {
            Outcome::Rows(rows) => rows.into_iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect(),
            other => panic!("{other:?} for {sql}"),
        }
    }

    fn settle(&mut self) {
        for side in [Side::Full, Side::Twin] {
            let reader = self.database(side).of.reader().to_owned();
            self.batch(side, &format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}; {ANALYZE}"));
            let limits = PoolLimits { max: 1, ..PoolLimits::default() };
            let url = self.database(side).of.url();
            let backend = tollgate_backends::open(&url, std::path::Path::new("."), limits).unwrap();
            match side {
                Side::Full => self.full.backend = Some(backend),
                _ => self.twin.backend = Some(backend),
            }
        }
        self.batch(Side::Seen, &format!("SET search_path = public; {ANALYZE}"));
    }

    fn original(&mut self, sql: &str) -> Outcome {
        self.ask(Side::Seen, sql)
    }

    fn fails(&mut self, sql: &str) -> bool {
        let plans = ["hashjoin", "mergejoin", "nestloop", "hashagg", "sort", "seqscan"];
        plans.iter().any(|plan| {
            let outcome = self.ask(Side::Seen, &format!("BEGIN; SET LOCAL enable_{plan} = off; {sql}"));
            self.batch(Side::Seen, "ROLLBACK");
            outcome.failure().is_some()
        })
    }

    fn rewritten(&mut self, on: Side, statement: &CheckedStatement, values: &[Value]) -> Outcome {
        let of_slot = |(slot, value): (&SlotUse, &Value)| match (&slot.slot, value) {
            (Slot::MaskKey(_), Value::Text(block)) => format!("decode('{block}', 'base64')"),
            _ => literal(value),
        };
        let values: Vec<String> = statement.slots().iter().zip(values).map(of_slot).collect();
        let text = statement.text();
        let batch = format!("DEALLOCATE ALL; PREPARE checked(text) AS {text}; EXECUTE checked({})", values.join(", "));
        self.ask(on, &batch)
    }

    fn backend(&self, on: Side) -> (&Runtime, &Arc<dyn Backend>) {
        (&self.runtime, self.database(on).backend.as_ref().unwrap())
    }
}
