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
    names::{ParamName, Value},
    policy::Role,
    sql::{CheckedStatement, PageBound, ParamShape, Request, SqlError, check, tree::Slot},
};

mod campaign;
mod compare;
mod engine;
mod expr;
mod from;
mod kind;
mod mariadb;
mod node;
mod policy;
mod postgres;
mod probe;
mod query;
mod random;
mod report;
mod shrink;
mod sqlite;
mod sqlsmith;
mod twin;
mod window;
mod words;
mod world;

use campaign::{Property, run};
use compare::{Difference, difference};
use engine::{Engine, Outcome, Side};
use query::Made;
use world::World;

/// More rows than any query has.
const ROWS_MAX: i64 = 1 << 40;

/// Bytes as lower-case hexadecimal digits.
fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A world in an engine, and the product's view of it.
struct Case<'a> {
    engine: &'a mut dyn Engine,
    world: World,
    /// The product's view of all the data.
    full: View,
    /// And of all the data with other hidden data, which is another where the names of databases are part of a text.
    twin: View,
    /// By table, the numbers of the rows that the role sees.
    visible: Vec<BTreeSet<i64>>,
}

/// What the product knows of one side.
struct View {
    catalog: Catalog,
    role: Role,
}

impl View {
    fn of(engine: &dyn Engine, side: Side, world: &World) -> Result<Self, String> {
        let catalog = engine.catalog(side);
        let role = Role::compile(&world.role(), &catalog).map_err(|errors| format!("{errors:#?}"))?;
        Ok(Self { catalog, role })
    }
}

/// What two sides say alike.
struct Answer {
    fenced: bool,
    of: Yield,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Yield {
    Rows,
    Nothing,
    Failure,
}

impl Yield {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Rows(rows) if rows.is_empty() => Yield::Nothing,
            Outcome::Rows(_) => Yield::Rows,
            Outcome::Failed(_) | Outcome::TooLong => Yield::Failure,
        }
    }
}

/// What a query showed.
enum Verdict {
    Refused(SqlError),
    /// A side took too long to answer.
    GivenUp,
    Same(Answer),
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
        let view =
            |side| View::of(engine, side, &world).unwrap_or_else(|errors| panic!("{errors}\n{:#?}", world.role()));
        let (full, twin) = (view(Side::Full), view(Side::Twin));
        Self { engine, world, full, twin, visible }
    }

    fn check(&self, made: &Made) -> Result<CheckedStatement, SqlError> {
        self.check_on(Side::Full, made)
    }

    fn check_on(&self, side: Side, made: &Made) -> Result<CheckedStatement, SqlError> {
        let View { catalog, role } = if side == Side::Twin { &self.twin } else { &self.full };
        let params: BTreeMap<ParamName, ParamShape> =
            made.node.params().into_iter().map(|(name, (shape, _))| (name, shape)).collect();
        let (sql, restrictions) = (&made.node.text(), role.restrictions());
        check(&Request { sql, catalog, restrictions, params: &params })
    }

    fn values(&self, statement: &CheckedStatement, made: &Made) -> Vec<Value> {
        let (page, params) = (statement.page(), made.node.params());
        let bound = |bound: Option<&PageBound>| match bound? {
            PageBound::Constant(rows) => i64::try_from(*rows).ok(),
            PageBound::Param(name) => match params[name].1 {
                Value::Integer(rows) => Some(rows),
                ref other => panic!("no page is {other:?}"),
            },
        };
        let value = |slot: &Slot| match slot {
            Slot::CallId => Value::Text("call".to_owned()),
            Slot::Limit => Value::Integer(bound(page.limit.as_ref()).unwrap_or(ROWS_MAX)),
            Slot::Offset => Value::Integer(bound(page.offset.as_ref()).unwrap_or(0)),
            Slot::Claim(name) | Slot::ClaimList(name) => {
                self.world.claims.iter().find(|claim| claim.name == name.as_str()).unwrap().value()
            }
            Slot::Param(name) | Slot::ParamList(name) => params[name].1.clone(),
            Slot::MaskKey(pad) => statement.mask_key(*pad).unwrap(),
            Slot::After(_) => panic!("no query is paged by a key"),
        };
        statement.slots().iter().map(|used| value(&used.slot)).collect()
    }

    /// The rewritten statement over everything against the original over what is seen.
    fn differential(&mut self, made: &Made) -> Verdict {
        let statement = match self.check(made) {
            Ok(statement) => statement,
            Err(error) => return Verdict::Refused(error),
        };
        let values = self.values(&statement, made);
        let original = self.engine.original(&made.node.original());
        let rewritten = self.engine.rewritten(Side::Full, &statement, &values);
        if [&original, &rewritten].contains(&&Outcome::TooLong) {
            return Verdict::GivenUp;
        }
        match difference(&original, &rewritten, made.ordered, self.world.case()) {
            None => Verdict::Same(Answer { fenced: statement.fenced(), of: Yield::of(&original) }),
            Some(found) => {
                let why = [&original, &rewritten].into_iter().find_map(Outcome::failure).unwrap_or_default().to_owned();
                let told = format!("{}\n  expected {original:?}\n  found    {rewritten:?}", statement.text());
                Verdict::Different(found, why, told)
            }
        }
    }

    /// The rewritten statement over everything against itself over other hidden data.
    fn noninterference(&mut self, made: &Made) -> Verdict {
        let statement = match self.check(made) {
            Ok(statement) => Arc::new(statement),
            Err(error) => return Verdict::Refused(error),
        };
        let values = self.values(&statement, made);
        let one = self.engine.executed(Side::Full, &statement, &values);
        let over_twin = Arc::new(self.check_on(Side::Twin, made).unwrap());
        let other = self.engine.executed(Side::Twin, &over_twin, &values);
        let found = match (&one, &other) {
            (Ok(one), Ok(other)) => compare::rows(one, other, false, self.world.case()),
            (Err(one), Err(other)) => (one != other).then_some(Difference::Failed),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) if self.engine.fails(&made.node.original()) => Some(Difference::Planned),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => Some(Difference::Failed),
        };
        let Some(found) = found else {
            let of = one.map_or(Yield::Failure, |rows| if rows.is_empty() { Yield::Nothing } else { Yield::Rows });
            return Verdict::Same(Answer { fenced: statement.fenced(), of });
        };
        Verdict::Different(found, String::new(), format!("{}\n  one   {one:?}\n  other {other:?}", statement.text()))
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
fn mariadb_shows_what_a_filtered_copy_would() {
    let Some(mut engine) = mariadb::MariaDb::start() else { return };
    run(&mut engine, Property::Differential, 500);
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

#[test]
fn mariadb_shows_the_same_whatever_is_hidden() {
    let Some(mut engine) = mariadb::MariaDb::start() else { return };
    run(&mut engine, Property::Noninterference, 250);
}

#[test]
fn sqlite_fails_on_no_hidden_row() {
    probe::run(&mut sqlite::Sqlite::start(), 400);
}

#[test]
fn postgres_fails_on_no_hidden_row() {
    let Some(mut engine) = postgres::Postgres::start() else { return };
    probe::run(&mut engine, 400);
}

#[test]
fn mariadb_fails_on_no_hidden_row() {
    let Some(mut engine) = mariadb::MariaDb::start() else { return };
    probe::run(&mut engine, 400);
}
