//! A run over many worlds and queries, and what it has to tell.

use std::{collections::BTreeMap, fmt::Write as _, time::Instant};

use super::{
    Case, Verdict,
    compare::Difference,
    engine::Engine,
    query::{Generator, Made, Source},
    random::Random,
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
/// Findings after which a run ends.
const FINDINGS_MAX: usize = 5;

#[derive(Default)]
struct Report {
    asked: u64,
    accepted: u64,
    fenced: u64,
    failed: u64,
    allowed: BTreeMap<(Difference, String), (u64, String)>,
    refusals: BTreeMap<String, (u64, String)>,
    findings: Vec<String>,
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Asks until that many queries were accepted.
pub(super) fn run(engine: &mut dyn Engine, property: Property, otherwise: u64) {
    let wanted = setting("TOLLGATE_QUERIES", otherwise);
    let first = setting("TOLLGATE_SEED", 0);
    let started = Instant::now();
    let mut report = Report::default();
    let mut seed = first;
    while report.accepted < wanted && report.findings.len() < FINDINGS_MAX {
        world(engine, property, seed, &mut report);
        seed += 1;
    }
    let took = started.elapsed().as_secs_f64();
    println!("{:?} {property:?}, seeds {first} to {}: {}", engine.dialect(), seed - 1, report.told(took));
    assert!(report.findings.is_empty(), "{}", report.findings.join("\n\n"));
}

fn world(engine: &mut dyn Engine, property: Property, seed: u64, report: &mut Report) {
    let mut random = Random::new(seed);
    let world = World::new(&mut random, engine.dialect());
    let mut twin = random.clone();
    let (dialect, sources) = (world.dialect, sources(&world));
    let mut case = Case::new(engine, world, (property == Property::Noninterference).then_some(&mut twin));
    for _ in 0..PER_WORLD {
        let made = Generator::new(&mut random, dialect, &sources).statement();
        if !ask(&mut case, property, &made, seed, report) {
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
    let wanted = setting("TOLLGATE_QUERIES", otherwise);
    let mut seed = setting("TOLLGATE_SEED", 0);
    let started = Instant::now();
    let mut report = Report::default();
    while report.asked < wanted && report.findings.len() < FINDINGS_MAX {
        let world = World::new(&mut Random::new(seed), engine.dialect()).plain();
        let mut case = Case::new(engine, world, None);
        let Some(texts) = queries(seed, PER_WORLD) else {
            println!("SKIPPED: sqlsmith is not installed");
            return;
        };
        for text in texts {
            let made = Made { node: text.into(), columns: Vec::new(), ordered: false };
            if !ask(&mut case, Property::Differential, &made, seed, &mut report) {
                break;
            }
        }
        seed += 1;
    }
    println!("sqlsmith, seeds to {seed}: {}", report.told(started.elapsed().as_secs_f64()));
    assert!(report.findings.is_empty(), "{}", report.findings.join("\n\n"));
}

/// Puts one query. After a finding the world is no longer what it was.
fn ask(case: &mut Case<'_>, property: Property, made: &Made, seed: u64, report: &mut Report) -> bool {
    report.asked += 1;
    match case.judge(property, made) {
        Verdict::Refused(error) => {
            note(&mut report.refusals, generalised(&error.to_string()), &made.node.text());
        }
        Verdict::Same { fenced, failed } => {
            report.accepted += 1;
            report.fenced += u64::from(fenced);
            report.failed += u64::from(failed);
        }
        Verdict::Different(found, why, _) if allowed(property, found) => {
            report.accepted += 1;
            note(&mut report.allowed, (found, generalised(&why)), &made.node.text());
        }
        Verdict::Different(found, ..) => {
            let told = shrink(case, property, made, found);
            report.findings.push(format!("seed {seed}, {found:?}\n{told}"));
            return false;
        }
    }
    true
}

/// An engine may compute things in another order, and so fail or not; whether hidden data has a part in it is for noninterference.
/// What is read more generously than the engine reads it is told, for a human to judge.
pub(super) fn allowed(property: Property, found: Difference) -> bool {
    property == Property::Differential && matches!(found, Difference::Failed | Difference::Spared | Difference::Lax)
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
fn sources(world: &World) -> Vec<Source> {
    let tables = world.granted().map(|(at, grant)| {
        let table = &world.tables[at];
        let columns =
            grant.columns.iter().map(|(index, _)| (table.columns[*index].name.clone(), table.columns[*index].kind));
        Source { name: table.name.clone(), columns: columns.collect(), is_table: true }
    });
    tables.collect()
}

/// A message without what is the query's own.
fn generalised(message: &str) -> String {
    let mut out = String::new();
    let message = message.split(" at Line").next().unwrap_or_default();
    for (at, part) in message.split(['`', '"']).enumerate() {
        out.push_str(if at % 2 == 1 && !part.is_empty() { "…" } else { part });
    }
    out
}

/// Counts, and keeps the shortest example.
fn note<K: Ord>(into: &mut BTreeMap<K, (u64, String)>, key: K, sql: &str) {
    let entry = into.entry(key).or_insert_with(|| (0, sql.to_owned()));
    entry.0 += 1;
    if sql.len() < entry.1.len() {
        sql.clone_into(&mut entry.1);
    }
}

fn start(example: &str) -> String {
    example.chars().take(300).collect()
}

impl Report {
    fn told(&self, seconds: f64) -> String {
        let mut out = format!(
            "{} of {} accepted ({} fenced, {} failed on both sides), {:.0} a second",
            self.accepted,
            self.asked,
            self.fenced,
            self.failed,
            self.accepted as f64 / seconds
        );
        for ((difference, why), (count, example)) in &self.allowed {
            let _ = write!(out, "\n  {count} allowed: {difference:?}, {why}\n      {}", start(example));
        }
        let mut refusals: Vec<_> = self.refusals.iter().collect();
        refusals.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (error, (count, example)) in refusals.into_iter().take(25) {
            let _ = write!(out, "\n  {count} refused: {error}\n      {}", start(example));
        }
        out
    }
}
