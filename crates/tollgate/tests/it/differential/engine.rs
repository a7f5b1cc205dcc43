//! What the test asks of an engine: three databases (everything, everything with other hidden data, and only what the role sees),
//! raw connections to each, and the product's own backends.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::{runtime::Runtime, time::Instant};
use tokio_util::sync::CancellationToken;
use tollgate_backends::{Backend, Execution, ReadLimits};
use tollgate_core::{
    catalog::Catalog,
    names::{Dialect, ResultForm, Value},
    sql::CheckedStatement,
};

use super::world::{Grant, World};

/// One of the databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// All the data.
    Full,
    /// The same, but for what is hidden.
    Twin,
    /// What the role sees and nothing else.
    Seen,
}

/// What came of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The rows, each cell as text; `None` for NULL.
    Rows(Vec<Vec<Option<String>>>),
    /// The engine's class of errors, and its words.
    Failed(Failure),
    /// Too much work to be worth waiting for.
    TooLong,
}

impl Outcome {
    pub(super) fn failure(&self) -> Option<&str> {
        match self {
            Outcome::Failed(failure) => Some(&failure.message),
            Outcome::Rows(_) | Outcome::TooLong => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) phase: Phase,
    pub(super) code: String,
    pub(super) message: String,
}

/// When a statement failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The engine does not take the text.
    Text,
    /// The engine takes the text or not by types on which a mask bears.
    Typing,
    /// On a value.
    Data,
}

pub(super) trait Engine {
    fn dialect(&self) -> Dialect;

    /// Empty databases for a world.
    fn reset(&mut self, world: &World);

    /// The schema of the tables as the role sees them, where the filters of other tables find them.
    fn seen_schema(&self) -> String {
        "seen".to_owned()
    }

    /// Runs statements that set a database up.
    fn run(&mut self, on: Side, statements: &[String]);

    /// Puts a table as the role sees it where the filters of other tables find it, and on the seen side.
    fn show(&mut self, world: &World, at: usize, grant: &Grant, visible: &BTreeSet<i64>);

    /// The whole numbers that a query yields.
    fn numbers(&mut self, on: Side, sql: &str) -> BTreeSet<i64>;

    /// Sets the data down: statistics, and backends over both full databases.
    fn settle(&mut self);

    /// Runs a text as it is over what the role sees.
    fn original(&mut self, sql: &str) -> Outcome;

    /// Whether a text fails on a value over what the role sees, by some plan.
    fn fails(&mut self, sql: &str) -> bool {
        self.original(sql).failure().is_some()
    }

    /// Runs a checked statement as a bare driver would.
    fn rewritten(&mut self, on: Side, statement: &CheckedStatement, values: &[Value]) -> Outcome;

    /// The product's own way to a full database.
    fn backend(&self, on: Side) -> (&Runtime, &Arc<dyn Backend>);

    /// What the product finds in a full database.
    fn catalog(&self, on: Side) -> Catalog {
        let (runtime, backend) = self.backend(on);
        runtime.block_on(backend.introspect()).unwrap()
    }

    /// Runs a checked statement as the product does, and says all that comes of it: rows in one order, or the kind of error.
    fn executed(
        &self,
        on: Side,
        statement: &Arc<CheckedStatement>,
        values: &[Value],
    ) -> Result<Vec<Vec<Option<String>>>, String> {
        let (runtime, backend) = self.backend(on);
        let execution = Execution {
            statement,
            values,
            limits: ReadLimits { rows_max: 100_000, bytes_max: 1 << 26 },
            cost_max: None,
            form: ResultForm::Table,
            deadline: runtime.block_on(async { Instant::now() + Duration::from_secs(60) }),
            cancel: &CancellationToken::new(),
        };
        let executed = runtime.block_on(backend.execute(execution)).map_err(|error| format!("{:?}", error.kind))?;
        let rows: Vec<Vec<serde_json::Value>> = serde_json::from_slice(&executed.rows.json).unwrap();
        let cell = |cell: serde_json::Value| match cell {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Ok(rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect())
    }
}

/// Fills the full side and the seen side.
pub(super) fn load(engine: &mut dyn Engine, world: &World) -> Vec<BTreeSet<i64>> {
    engine.reset(world);
    for side in [Side::Full, Side::Twin] {
        let tables = (0..world.tables.len()).flat_map(|at| {
            let rows = world.insertion(at, &world.tables[at].rows).filter(|_| side == Side::Full);
            world.definition(at).into_iter().chain(rows)
        });
        let mut statements: Vec<String> = tables.collect();
        if side == Side::Full && world.dialect == Dialect::Postgres {
            statements.extend(world.foreign_keys());
        }
        engine.run(side, &statements);
    }
    let mut visible = vec![BTreeSet::new(); world.tables.len()];
    for (at, grant) in world.granted() {
        visible[at] = engine.numbers(Side::Full, &world.visible_numbers(at, grant, &engine.seen_schema()));
        engine.show(world, at, grant, &visible[at]);
    }
    visible
}
