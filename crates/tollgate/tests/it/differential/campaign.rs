//! A run over many worlds and queries.

use super::{
    Case, Verdict, Yield,
    compare::Difference,
    engine::Engine,
    query::{Generator, Made, Source},
    random::Random,
    report::{Run, generalised, interrupted, note},
    shrink::shrink,
    world::World,
};

/// What is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Property {
    Differential,
    Noninterference,
}

/// Queries to a world.
const PER_WORLD: u64 = 200;

/// Asks until that many queries were accepted.
pub(super) fn run(engine: &mut dyn Engine, property: Property, otherwise: u64) {
    let mut run = Run::start(format!("{:?} {property:?}", engine.dialect()), otherwise);
    while run.goes_on(run.report.accepted) {
        world(engine, property, &mut run);
        run.seed += 1;
    }
    run.end();
}

fn world(engine: &mut dyn Engine, property: Property, run: &mut Run) {
    let mut random = Random::new(run.seed);
    let world = World::new(&mut random, engine.dialect());
    let mut twin = random.clone();
    let (dialect, sources) = (world.dialect, sources(&world));
    let mut case = Case::new(engine, world, (property == Property::Noninterference).then_some(&mut twin));
    for _ in 0..PER_WORLD {
        let made = Generator::new(&mut random, dialect, &sources).statement();
        if !ask(&mut case, property, &made, run) {
            return;
        }
    }
}

/// Puts queries of another generator to the engine, from the database that holds what the role sees.
pub(super) fn run_with(
    engine: &mut dyn Engine,
    otherwise: u64,
    mut queries: impl FnMut(u64, u64) -> Option<Vec<String>>,
) {
    let mut run = Run::start("sqlsmith".to_owned(), otherwise);
    while run.goes_on(run.report.asked) {
        let world = World::new(&mut Random::new(run.seed), engine.dialect()).plain();
        let mut case = Case::new(engine, world, None);
        let Some(texts) = queries(run.seed, PER_WORLD) else {
            println!("SKIPPED: sqlsmith is not installed");
            return;
        };
        for text in texts {
            let made = Made { node: text.into(), columns: Vec::new(), ordered: false };
            if !ask(&mut case, Property::Differential, &made, &mut run) {
                break;
            }
        }
        run.seed += 1;
    }
    run.end();
}

/// Puts one query. After a finding the world is no longer what it was.
fn ask(case: &mut Case<'_>, property: Property, made: &Made, run: &mut Run) -> bool {
    if interrupted() {
        return false;
    }
    run.tell();
    let report = &mut run.report;
    report.asked += 1;
    match case.judge(property, made) {
        Verdict::Refused(error) => {
            note(&mut report.refusals, generalised(&error.to_string()), &made.node.text());
        }
        Verdict::GivenUp => report.given_up += 1,
        Verdict::Same(answer) => {
            report.accepted += 1;
            report.fenced += u64::from(answer.fenced);
            report.failed += u64::from(answer.of == Yield::Failure);
            report.empty += u64::from(answer.of == Yield::Nothing);
        }
        Verdict::Different(found, why, _) if allowed(property, found) => {
            report.accepted += 1;
            note(&mut report.allowed, (found, generalised(&why)), &made.node.text());
        }
        Verdict::Different(found, _, detail) => {
            let seed = run.seed;
            eprintln!("{}: seed {seed}, {found:?}, to be made small\n{}\n{detail}", run.what, made.node.text());
            let small = shrink(case, property, made, found);
            eprintln!("{}: seed {seed}, {found:?}\n{small}", run.what);
            run.report.findings.push(format!("seed {seed}, {found:?}\n{small}"));
            return false;
        }
    }
    true
}

/// An engine may compute things in another order, and so fail or not; whether hidden data has a part in it is for noninterference.
/// What is read more generously than the engine reads it is told, for a human to judge.
pub(super) fn allowed(property: Property, found: Difference) -> bool {
    match property {
        Property::Differential => matches!(found, Difference::Failed | Difference::Spared | Difference::Lax),
        Property::Noninterference => found == Difference::Planned,
    }
}

impl Case<'_> {
    pub(super) fn judge(&mut self, property: Property, made: &Made) -> Verdict {
        match property {
            Property::Differential => self.differential(made),
            Property::Noninterference => self.noninterference(made),
        }
    }
}

/// What the role may name.
pub(super) fn sources(world: &World) -> Vec<Source> {
    let tables = world.granted().map(|(at, grant)| {
        let table = &world.tables[at];
        let columns =
            grant.columns.iter().map(|(index, _)| (table.columns[*index].name.clone(), table.columns[*index].kind));
        Source { name: table.name.clone(), columns: columns.collect(), is_table: true }
    });
    tables.collect()
}
