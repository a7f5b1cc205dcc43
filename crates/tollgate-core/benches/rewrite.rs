//! What it costs to rewrite a statement, from text to checked statement, as it is shipped:
//! `cargo bench --profile dist -p tollgate-core --bench rewrite`.
//!
//! A corpus is a folder with `schema.tsv` (table, column, type) and `queries/*.sql`; `TOLLGATE_CORPUS` names one, else a small shop
//! is taken. Every table hides rows. It says why a statement is refused or fenced, and the first, the median and the least time of each: the
//! first is with cold caches, as for a statement that nobody has sent before; the least is what it costs undisturbed.
#![expect(clippy::print_stdout, reason = "it is run by hand, to be read")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a corpus that cannot be read is an error of its maker"
)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tollgate_core::{
    catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind},
    names::Dialect,
    sql::{
        CheckedStatement, ClaimUse, Cost, RestrictedColumn, Restriction, Restrictions, Scope, SqlError, check_own,
        limits::STACK_BYTES, resolve_predicate,
    },
};

/// How often each statement is rewritten.
const ROUNDS: usize = 200;

fn main() {
    // As a worker has it.
    std::thread::Builder::new().stack_size(STACK_BYTES + (4 << 20)).spawn(bench).unwrap().join().unwrap();
}

fn bench() {
    let folder = std::env::var_os("TOLLGATE_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/shop"), PathBuf::from);
    let catalog = catalog(&fs::read_to_string(folder.join("schema.tsv")).unwrap());
    let restrictions = restrictions(&catalog);
    let results: Vec<Measured> =
        statements(&folder.join("queries")).map(|(name, sql)| measure(name, &sql, &catalog, &restrictions)).collect();
    print(&results);
}

/// One statement and what became of it.
struct Measured {
    name: String,
    bytes: usize,
    first: Duration,
    median: Duration,
    least: Duration,
    outcome: Result<CheckedStatement, SqlError>,
}

fn measure(name: String, sql: &str, catalog: &Catalog, restrictions: &Restrictions) -> Measured {
    let once = || {
        let start = Instant::now();
        let outcome = std::hint::black_box(check_own(sql, catalog, restrictions, Cost::Unbounded));
        (start.elapsed(), outcome)
    };
    let (first, outcome) = once();
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| once().0).collect();
    times.sort();
    Measured { name, bytes: sql.len(), first, median: times[ROUNDS / 2], least: times[0], outcome }
}

fn print(results: &[Measured]) {
    let width = results.iter().map(|m| m.name.len()).max().unwrap_or(0);
    println!("{:width$}  bytes  first µs  median µs  least µs  outcome", "");
    for Measured { name, bytes, first, median, least, outcome } in results {
        let outcome = match outcome {
            Ok(statement) => statement.fence().map_or_else(|| "open".to_owned(), |leak| format!("fenced: {leak}")),
            Err(error) => format!("refused: {error}"),
        };
        println!(
            "{name:width$}  {bytes:5}  {:8}  {:9}  {:8}  {outcome}",
            first.as_micros(),
            median.as_micros(),
            least.as_micros()
        );
    }
    let accepted: Vec<&Measured> = results.iter().filter(|m| m.outcome.is_ok()).collect();
    let fenced = accepted.iter().filter(|m| m.outcome.as_ref().is_ok_and(CheckedStatement::fenced)).count();
    let median = |time: fn(&Measured) -> Duration| {
        let mut times: Vec<Duration> = accepted.iter().map(|m| time(m)).collect();
        times.sort();
        times.get(times.len() / 2).map_or(0, Duration::as_micros)
    };
    println!(
        "{} of {} accepted, {fenced} fenced; median over statements: {} µs the first time, {} µs warm, {} µs at least",
        accepted.len(),
        results.len(),
        median(|m| m.first),
        median(|m| m.median),
        median(|m| m.least)
    );
}

/// The statements of a folder, by name.
fn statements(folder: &Path) -> impl Iterator<Item = (String, String)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
}

fn catalog(schema: &str) -> Catalog {
    let mut tables: BTreeMap<&str, Vec<Column>> = BTreeMap::new();
    for line in schema.lines() {
        let [table, name, ty]: [&str; 3] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let ty = SqlType { name: ty.to_owned(), kind: kind(ty) };
        let column = Column { name: name.to_owned(), ty, nullable: true, allowed: None, comment: None };
        tables.entry(table).or_default().push(column);
    }
    let tables = tables.into_iter().map(|(name, columns)| Table {
        id: TableId { schema: "public".to_owned(), name: name.to_owned() },
        kind: TableKind::Table,
        primary_key: Vec::new(),
        columns,
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: None,
    });
    Catalog::new(Dialect::Postgres, "public".to_owned(), "15".to_owned(), tables.collect())
}

fn kind(ty: &str) -> TypeKind {
    match ty.split('(').next().unwrap() {
        "text" => TypeKind::Text,
        "integer" => TypeKind::Int,
        "bigint" => TypeKind::BigInt,
        "numeric" => TypeKind::Decimal,
        "double precision" => TypeKind::Float,
        "boolean" => TypeKind::Bool,
        "date" => TypeKind::Date,
        "timestamptz" => TypeKind::TimestampTz,
        "jsonb" => TypeKind::Json,
        other => panic!("no type {other}"),
    }
}

/// Every column of every table, and all rows but those whose first column is 1.
fn restrictions(catalog: &Catalog) -> Restrictions {
    let (nothing, none) = (Restrictions::default(), BTreeMap::new());
    let scope = Scope { catalog, visible: &nothing, params: &none, claims: ClaimUse::Refused };
    let restriction = |table: &Table| {
        let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
        let first = &table.columns[0];
        let constant = if first.ty.kind == TypeKind::Text { "'1'" } else { "1" };
        let filter = resolve_predicate(&format!("\"{}\" <> {constant}", first.name), table, &scope).unwrap();
        (table.id.clone(), Restriction { columns, filter: Some(filter), hides_rows: true, min_group_size: None })
    };
    Restrictions { tables: catalog.tables().iter().map(restriction).collect(), ..Restrictions::default() }
}
