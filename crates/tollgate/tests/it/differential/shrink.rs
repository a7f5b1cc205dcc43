//! Makes a finding small: drops parts of the query, then rows, filters and masks, as long as the same difference stays.

use super::{
    Case, Made, Verdict, View, campaign::Property, compare::Difference, engine::Side, random::Random,
    report::interrupted, world::World,
};

/// Attempts at most.
const ATTEMPTS_MAX: usize = 3_000;

/// The finding in words.
pub(super) fn shrink(case: &mut Case<'_>, property: Property, made: &Made, found: Difference) -> String {
    let mut made = made.clone();
    let mut attempts = 0;
    smaller_query(case, property, &mut made, found, &mut attempts);
    smaller_world(case, property, &made, found);
    smaller_query(case, property, &mut made, found, &mut attempts);
    let Verdict::Different(_, _, detail) = case.judge(property, &made) else {
        return format!("not found again: {}", made.node.text());
    };
    format!("{}\nas written: {}\nas rewritten: {detail}", told(&case.world), made.node.text())
}

fn shows(case: &mut Case<'_>, property: Property, made: &Made, wanted: Difference) -> bool {
    matches!(case.judge(property, made), Verdict::Different(found, ..) if found == wanted)
}

fn smaller_query(case: &mut Case<'_>, property: Property, made: &mut Made, found: Difference, attempts: &mut usize) {
    'again: loop {
        let length = made.node.text().len();
        for node in made.node.smaller() {
            *attempts += 1;
            if *attempts > ATTEMPTS_MAX || interrupted() {
                return;
            }
            let text = node.text();
            let candidate = Made { node, ..made.clone() };
            if text.len() < length && shows(case, property, &candidate, found) {
                *made = candidate;
                continue 'again;
            }
        }
        return;
    }
}

fn smaller_world(case: &mut Case<'_>, property: Property, made: &Made, found: Difference) {
    let mut at = 0;
    loop {
        let candidates = worlds(&case.world);
        let Some(candidate) = candidates.into_iter().nth(at).filter(|_| !interrupted()) else { return };
        let before = std::mem::replace(&mut case.world, candidate);
        let kept = case.reload(property) && shows(case, property, made, found);
        if !kept {
            case.world = before;
            assert!(case.reload(property));
            at += 1;
        }
    }
}

/// Worlds with one thing less.
fn worlds(world: &World) -> Vec<World> {
    let mut all = Vec::new();
    for at in 0..world.tables.len() {
        let rows = world.tables[at].rows.len();
        let mut size = rows.max(1);
        while size > 0 && rows > 0 {
            for start in (0..rows).step_by(size) {
                let mut less = world.clone();
                less.tables[at].rows.drain(start..(start + size).min(rows));
                all.push(less);
            }
            size /= 2;
        }
        if world.tables[at].view.is_some() {
            let mut less = world.clone();
            less.tables[at].view = None;
            all.push(less);
        }
        for column in 0..world.tables[at].columns.len() {
            if world.tables[at].columns[column].collation.is_some() {
                let mut less = world.clone();
                less.tables[at].columns[column].collation = None;
                all.push(less);
            }
        }
        let Some(grant) = &world.grants[at] else { continue };
        for filter in 0..grant.filters.len() {
            let mut less = world.clone();
            less.grants[at].as_mut().unwrap().filters.remove(filter);
            all.push(less);
        }
        for (column, (_, mask)) in grant.columns.iter().enumerate() {
            if mask.is_some() {
                let mut less = world.clone();
                less.grants[at].as_mut().unwrap().columns[column].1 = None;
                all.push(less);
            }
        }
        for column in 0..grant.columns.len() {
            if grant.columns.len() > 1 {
                let mut less = world.clone();
                less.grants[at].as_mut().unwrap().columns.remove(column);
                all.push(less);
            }
        }
    }
    all
}

impl Case<'_> {
    /// Loads the world anew. Rows that others refer to may not go, nor tables that filters read.
    fn reload(&mut self, property: Property) -> bool {
        if dangling(&self.world) {
            return false;
        }
        let visible = super::engine::load(self.engine, &self.world);
        if property == Property::Noninterference {
            super::twin::load_twin(self.engine, &self.world, &visible, &mut Random::new(1));
        }
        self.engine.settle();
        let view = |side| View::of(self.engine, side, &self.world);
        let (Ok(full), Ok(twin)) = (view(Side::Full), view(Side::Twin)) else { return false };
        (self.full, self.twin) = (full, twin);
        true
    }
}

fn dangling(world: &World) -> bool {
    world.tables.iter().any(|table| {
        table.columns.iter().enumerate().any(|(index, column)| {
            column.refers_to.is_some_and(|target| {
                let keys: Vec<_> = world.tables[target].rows.iter().map(|row| &row[super::world::KEY]).collect();
                table.rows.iter().any(|row| row[index].is_some() && !keys.contains(&&row[index]))
            })
        })
    })
}

/// What is left of the world.
fn told(world: &World) -> String {
    let mut lines = Vec::new();
    for (at, grant) in world.granted() {
        lines.extend(world.definition(at));
        lines.extend(world.insertion(at, &world.tables[at].rows));
        let columns: Vec<String> = grant
            .columns
            .iter()
            .map(|(index, mask)| {
                let mask = mask.map_or(String::new(), |mask| {
                    format!(" masked {:?}", mask.granted(&world.tables[at], *index, world.dialect))
                });
                format!("{}{mask}", world.tables[at].columns[*index].name)
            })
            .collect();
        let filters: Vec<String> = grant.filters.iter().map(|filter| filter.as_run(world, "seen")).collect();
        lines.push(format!("-- sees {} where {filters:?}", columns.join(", ")));
    }
    lines.join("\n")
}
