//! The differential test: over random schemas, data, policies and queries, a checked statement over all the data yields what the
//! query as written yields over a copy that holds only what the role sees. And noninterference: other hidden data, the same answer.
//!
//! `TOLLGATE_QUERIES` says how many queries, `TOLLGATE_SEED` where to start. `scripts/differential` runs it long.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tollgate_core::{
    catalog::Catalog,
    names::Value,
    policy::Role,
    sql::{CheckedStatement, PageBound, Request, SqlError, check, tree::Slot},
};

mod campaign;
mod compare;
mod engine;
mod expr;
mod from;
mod kind;
mod node;
mod policy;
mod postgres;
mod query;
mod random;
mod shrink;
mod sqlite;
mod sqlsmith;
mod twin;
mod world;

use campaign::{Property, run};
use compare::{Difference, difference};
use engine::{Engine, Outcome, Side};
use query::Made;
use world::World;

/// Bytes as lower-case hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A world in an engine, and the product's view of it.
struct Case<'a> {
    engine: &'a mut dyn Engine,
    world: World,
    catalog: Catalog,
    role: Role,
}

/// What a query showed.
enum Verdict {
    Refused(SqlError),
    Same {
        fenced: bool,
        failed: bool,
    },
    /// How, why in the engine's words where one failed, and all about it.
    Different(Difference, String, String),
}

impl<'a> Case<'a> {
    fn new(engine: &'a mut dyn Engine, world: World, twin: Option<&mut random::Random>) -> Self {
        let visible: Vec<BTreeSet<i64>> = engine::load(engine, &world);
        if let Some(random) = twin {
            twin::load_twin(engine, &world, &visible, random);
        }
        engine.settle();
        let catalog = engine.catalog();
        let role =
            Role::compile(&world.role(), &catalog).unwrap_or_else(|errors| panic!("{errors:#?}\n{:#?}", world.role()));
        Self { engine, world, catalog, role }
    }

    fn check(&self, sql: &str) -> Result<CheckedStatement, SqlError> {
        let params = BTreeMap::new();
        check(&Request { sql, catalog: &self.catalog, restrictions: self.role.restrictions(), params: &params })
    }

    fn values(&self, statement: &CheckedStatement) -> Vec<Value> {
        let page = statement.page();
        let value = |slot: &Slot| match slot {
            Slot::CallId => Value::Text("call".to_owned()),
            Slot::Limit => Value::Integer(bound(page.limit.as_ref()).unwrap_or(50_000)),
            Slot::Offset => Value::Integer(bound(page.offset.as_ref()).unwrap_or(0)),
            Slot::Claim(name) | Slot::ClaimList(name) => {
                self.world.claims.iter().find(|claim| claim.name == name.as_str()).unwrap().value()
            }
            Slot::MaskKey(pad) => statement.mask_key(*pad).unwrap(),
            other => panic!("no query has {other:?}"),
        };
        statement.slots().iter().map(|used| value(&used.slot)).collect()
    }

    /// The rewritten statement over everything against the original over what is seen.
    fn differential(&mut self, made: &Made) -> Verdict {
        let sql = made.node.text();
        let statement = match self.check(&sql) {
            Ok(statement) => statement,
            Err(error) => return Verdict::Refused(error),
        };
        let values = self.values(&statement);
        let original = self.engine.original(&sql);
        let rewritten = self.engine.rewritten(Side::Full, &statement, &values);
        match difference(&original, &rewritten, made.ordered) {
            None => Verdict::Same { fenced: statement.fenced(), failed: matches!(original, Outcome::Failed(_)) },
            Some(found) => {
                let why = [&original, &rewritten].into_iter().find_map(Outcome::failure).unwrap_or_default().to_owned();
                let told = format!("{}\n  expected {original:?}\n  found    {rewritten:?}", statement.text());
                Verdict::Different(found, why, told)
            }
        }
    }

    /// The rewritten statement over everything against itself over other hidden data.
    fn noninterference(&mut self, made: &Made) -> Verdict {
        let statement = match self.check(&made.node.text()) {
            Ok(statement) => Arc::new(statement),
            Err(error) => return Verdict::Refused(error),
        };
        let values = self.values(&statement);
        let one = self.engine.executed(Side::Full, &statement, &values);
        let other = self.engine.executed(Side::Twin, &statement, &values);
        if one == other {
            return Verdict::Same { fenced: statement.fenced(), failed: one.is_err() };
        }
        let found = if one.is_ok() && other.is_ok() { Difference::Rows } else { Difference::Failed };
        Verdict::Different(found, String::new(), format!("{}\n  one   {one:?}\n  other {other:?}", statement.text()))
    }
}

fn bound(bound: Option<&PageBound>) -> Option<i64> {
    match bound? {
        PageBound::Constant(rows) => i64::try_from(*rows).ok(),
        PageBound::Param(name) => panic!("no query has a parameter, {name}"),
    }
}

#[test]
fn sqlite_shows_what_a_filtered_copy_would() {
    run(&mut sqlite::Sqlite::start(), Property::Differential, 2_000);
}

#[test]
fn postgres_shows_what_a_filtered_copy_would() {
    let Some(mut engine) = postgres::Postgres::start() else { return };
    run(&mut engine, Property::Differential, 1_000);
}

#[test]
fn sqlite_shows_the_same_whatever_is_hidden() {
    run(&mut sqlite::Sqlite::start(), Property::Noninterference, 500);
}

#[test]
fn postgres_shows_the_same_whatever_is_hidden() {
    let Some(mut engine) = postgres::Postgres::start() else { return };
    run(&mut engine, Property::Noninterference, 500);
}
