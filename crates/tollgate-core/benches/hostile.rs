//! What it costs to look at hostile statements, which are rewritten or refused before a database sees them:
//! `cargo bench --profile dist -p tollgate-core --bench hostile`. It prints, dearest first, the least time of each, and what became of it.
#![expect(clippy::print_stdout, reason = "it is run by hand, to be read")]

use std::time::{Duration, Instant};

use tollgate_core::{
    catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind},
    names::Dialect,
    sql::{Cost, RestrictedColumn, Restriction, Restrictions, check_own, limits::STACK_BYTES},
};

#[path = "../testdata/hostile/shapes.rs"]
mod shapes;

fn main() {
    // As a worker has it.
    std::thread::Builder::new()
        .stack_size(STACK_BYTES + (4 << 20))
        .spawn(measure)
        .map(std::thread::JoinHandle::join)
        .ok();
}

fn measure() {
    let mut results = Vec::new();
    for dialect in [Dialect::Postgres, Dialect::Sqlite, Dialect::MariaDb] {
        let (catalog, restrictions) = database(dialect);
        for (name, sql) in shapes::shapes() {
            let once = || {
                let start = Instant::now();
                let outcome = std::hint::black_box(check_own(&sql, &catalog, &restrictions, Cost::Unbounded));
                (start.elapsed(), outcome)
            };
            let (first, outcome) = once();
            let least = (0..4).map(|_| once().0).min().map_or(first, |again| again.min(first));
            let outcome = match outcome {
                Ok(statement) => format!("{} bytes", statement.text().len()),
                Err(error) => error.to_string().chars().take(80).collect(),
            };
            results.push((least, dialect, name, sql.len(), outcome));
        }
    }
    results.sort_by_key(|result| std::cmp::Reverse(result.0));
    let over = results.iter().filter(|result| result.0 > Duration::from_millis(20)).count();
    for (least, dialect, name, bytes, outcome) in &results {
        println!("{:9.3} ms  {:10}  {name} ({bytes} bytes): {outcome}", least.as_secs_f64() * 1e3, dialect.name());
    }
    println!("{} statements, {over} over 20 ms", results.len());
}

fn table(schema: &str, name: &str, columns: Vec<(String, TypeKind)>) -> Table {
    let column = |(name, kind): (String, TypeKind)| {
        let ty = SqlType { name: format!("{kind:?}").to_lowercase(), kind };
        Column { name, ty, nullable: true, allowed: None, comment: None }
    };
    let columns: Vec<Column> = columns.into_iter().map(column).collect();
    Table {
        id: TableId { schema: schema.to_owned(), name: name.to_owned() },
        kind: TableKind::Table,
        primary_key: columns.first().map(|column| column.name.clone()).into_iter().collect(),
        columns,
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: None,
    }
}

/// The tables that the shapes name; every one hides rows.
fn database(dialect: Dialect) -> (Catalog, Restrictions) {
    use TypeKind::{BigInt, Float, Int, Json, Text, TimestampTz};
    let schema = match dialect {
        Dialect::Postgres => "public",
        Dialect::Sqlite => "main",
        Dialect::MariaDb => "shop",
    };
    let named = |columns: &[(&str, TypeKind)]| columns.iter().map(|(n, k)| ((*n).to_owned(), k.clone())).collect();
    let users = [
        ("id", Int),
        ("name", Text),
        ("email", Text),
        ("region", Text),
        ("created_at", TimestampTz),
        ("profile", Json),
        ("score", Float),
    ];
    let tables = vec![
        table(schema, "users", named(&users)),
        table(schema, "orders", named(&[("id", BigInt), ("user_id", Int)])),
        table(schema, "wide", (0..1_000).map(|at| (format!("c{at}"), Int)).collect()),
    ];
    let mut restrictions = Restrictions::default();
    for table in &tables {
        let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
        let restriction = Restriction { columns, filter: None, hides_rows: true, min_group_size: None };
        restrictions.tables.insert(table.id.clone(), restriction);
    }
    (Catalog::new(dialect, schema.to_owned(), "test".to_owned(), tables), restrictions)
}
