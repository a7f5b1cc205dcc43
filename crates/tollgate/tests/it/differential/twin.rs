//! The same database but for what the role cannot see: other hidden rows, other values in hidden columns and behind masks.

use std::collections::BTreeSet;

use tollgate_core::names::Dialect;

use super::{
    engine::{Engine, Side},
    kind::{Cell, name},
    random::Random,
    world::{Grant, KEY, NUMBER, Table, View, World, number_of, row},
};

/// Fills the twin side, whose tables are there and empty.
pub(super) fn load_twin(engine: &mut dyn Engine, world: &World, visible: &[BTreeSet<i64>], random: &mut Random) {
    let keys: Vec<Vec<String>> =
        world.tables.iter().map(|table| table.rows.iter().filter_map(|row| row[KEY].clone()).collect()).collect();
    let mut tables = Vec::new();
    for (at, table) in world.tables.iter().enumerate() {
        let rows = other_rows(world, at, &visible[at], random, &keys);
        tables.push(Table { rows, ..table.clone() });
    }
    let twin = World { tables, ..world.clone() };
    let filled: Vec<String> =
        (0..twin.tables.len()).filter_map(|at| twin.insertion(at, &twin.tables[at].rows)).collect();
    engine.run(Side::Twin, &filled);
    for (at, grant) in world.granted() {
        put_right(engine, world, (at, grant), &visible[at]);
    }
    let keys = match world.dialect {
        Dialect::Postgres => world.foreign_keys(),
        Dialect::Sqlite | Dialect::MariaDb => Vec::new(),
    };
    engine.run(Side::Twin, &keys);
}

/// The rows of a table with everything hidden made anew, and some more that are meant to be hidden.
fn other_rows(
    world: &World,
    at: usize,
    visible: &BTreeSet<i64>,
    random: &mut Random,
    keys: &[Vec<String>],
) -> Vec<Vec<Cell>> {
    let table = &world.tables[at];
    // What filters read whole decides what is seen.
    if world.owned().contains(&at) {
        return table.rows.clone();
    }
    let mut rows: Vec<Vec<Cell>> = table
        .rows
        .iter()
        .map(|original| match &world.grants[at] {
            Some(grant) if visible.contains(&number_of(original)) => {
                alike(world, (table, grant), original, random, keys)
            }
            _ => row(random, world.dialect, &table.columns, number(original), keys),
        })
        .collect();
    // Where every row is visible a new one cannot be hidden.
    if table.view.is_some() || world.grants[at].as_ref().is_none_or(|grant| !grant.filters.is_empty()) {
        let first = table.rows.iter().map(|row| number(row) + 1).max().unwrap_or(0);
        // The others stay in their order: which of equal rows comes first, and how doubles add up, is no secret of hidden ones.
        for number in first..first + random.below(8) {
            let place = random.below(rows.len() + 1);
            rows.insert(place, row(random, world.dialect, &table.columns, number, keys));
        }
    }
    rows
}

/// A visible row that shows the same.
fn alike(
    world: &World,
    (table, grant): (&Table, &Grant),
    original: &[Cell],
    random: &mut Random,
    keys: &[Vec<String>],
) -> Vec<Cell> {
    let mut read: BTreeSet<usize> = grant.filters.iter().flat_map(super::policy::Filter::reads).collect();
    read.extend(grant.columns.iter().filter_map(|(_, mask)| (*mask)?.reads()));
    if let Some(View::Nulls(column)) = table.view {
        read.insert(column);
    }
    let mut other = original.to_vec();
    for index in KEY + 1..table.columns.len() {
        let granted = grant.columns.iter().find(|(own, _)| *own == index);
        if read.contains(&index) {
            continue;
        }
        for _ in 0..6 {
            let mut new = original.to_vec();
            new[index].clone_from(&row(random, world.dialect, &table.columns, number(original), keys)[index]);
            let shows_the_same = match granted {
                None => true,
                Some((_, None)) => false,
                Some((_, Some(mask))) => mask.over(&new, index) == mask.over(original, index),
            };
            if shows_the_same {
                other[index].clone_from(&new[index]);
                break;
            }
        }
    }
    other
}

fn number(row: &[Cell]) -> usize {
    usize::try_from(number_of(row)).unwrap()
}

/// Takes back what turned out to be visible.
fn put_right(engine: &mut dyn Engine, world: &World, (at, grant): (usize, &Grant), visible: &BTreeSet<i64>) {
    let table = &world.tables[at];
    let query = world.visible_numbers(at, grant, &engine.seen_schema());
    let now = engine.numbers(Side::Twin, &query);
    let number_column = name(&table.columns[NUMBER].name, world.dialect);
    let mut statements = Vec::new();
    for intruder in now.difference(visible) {
        let condition = format!("WHERE {number_column} = {intruder}");
        let table_name = table.stored(world.dialect);
        match table.rows.iter().find(|row| number_of(row) == *intruder) {
            None => statements.push(format!("DELETE FROM {table_name} {condition}")),
            Some(original) => {
                let set = table.columns.iter().zip(original).map(|(column, cell)| {
                    format!("{} = {}", name(&column.name, world.dialect), column.kind.stored(cell, world.dialect))
                });
                statements.push(format!("UPDATE {table_name} SET {} {condition}", set.collect::<Vec<_>>().join(", ")));
            }
        }
    }
    if !statements.is_empty() {
        engine.run(Side::Twin, &statements);
    }
    assert_eq!(engine.numbers(Side::Twin, &query), *visible, "the twin shows other rows of {}", table.name);
}
