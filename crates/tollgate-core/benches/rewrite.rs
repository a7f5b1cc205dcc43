//! What it costs to rewrite a statement, from text to checked statement, as it is shipped:
//! `cargo bench --profile dist -p tollgate-core --bench rewrite`.
//!
//! A corpus is a folder with `schema.tsv` (table, column, type) and `queries/*.sql`; `TOLLGATE_CORPUS` names one, else a small shop
//! is taken. Every table hides rows. It says why a statement is refused or fenced, and four times of each: the first is with cold caches, as
//! for a statement that nobody has sent before; the median is warm, and the least what it costs undisturbed; the cached is what it costs a
//! caller of `query` to send the same text again, which is then not rewritten.
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
    sync::Arc,
    time::{Duration, Instant},
};

use tollgate_core::{
    catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind},
    names::Dialect,
    policy::{ColumnsGrant, Role, RoleGrant, RowsGrant, TableGrant},
    sql::{CheckedStatement, Cost, SqlError, check_own, limits::STACK_BYTES},
    tools::Queryable,
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
    let catalog = Arc::new(catalog(&fs::read_to_string(folder.join("schema.tsv")).unwrap()));
    let role = Arc::new(role(&catalog));
    let results: Vec<Measured> =
        statements(&folder.join("queries")).map(|(name, sql)| measure(name, &sql, &catalog, &role)).collect();
    print(&results);
}

/// One statement and what became of it.
struct Measured {
    name: String,
    bytes: usize,
    first: Duration,
    median: Duration,
    least: Duration,
    cached: Duration,
    outcome: Result<CheckedStatement, SqlError>,
}

fn measure(name: String, sql: &str, catalog: &Arc<Catalog>, role: &Arc<Role>) -> Measured {
    let once = || {
        let start = Instant::now();
        let outcome = std::hint::black_box(check_own(sql, catalog, role.restrictions(), Cost::Unbounded));
        (start.elapsed(), outcome)
    };
    let (first, outcome) = once();
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| once().0).collect();
    times.sort();
    let cached = cached(sql, &Queryable::new(Arc::clone(catalog), Arc::clone(role), Cost::Unbounded));
    Measured { name, bytes: sql.len(), first, median: times[ROUNDS / 2], least: times[0], cached, outcome }
}

/// The median time of a statement that is sent again; of one that is refused, of another refusal.
fn cached(sql: &str, queryable: &Queryable) -> Duration {
    let once = || {
        let start = Instant::now();
        let outcome = std::hint::black_box(queryable.check(sql));
        let elapsed = start.elapsed();
        drop(outcome);
        elapsed
    };
    once();
    let mut times: Vec<Duration> = (0..ROUNDS).map(|_| once()).collect();
    times.sort();
    times[ROUNDS / 2]
}

fn print(results: &[Measured]) {
    let width = results.iter().map(|m| m.name.len()).max().unwrap_or(0);
    println!("{:width$}  bytes  first µs  median µs  least µs  cached ns  outcome", "");
    for Measured { name, bytes, first, median, least, cached, outcome } in results {
        let outcome = match outcome {
            Ok(statement) => statement.fence().map_or_else(|| "open".to_owned(), |leak| format!("fenced: {leak}")),
            Err(error) => format!("refused: {error}"),
        };
        println!(
            "{name:width$}  {bytes:5}  {:8}  {:9}  {:8}  {:9}  {outcome}",
            first.as_micros(),
            median.as_micros(),
            least.as_micros(),
            cached.as_nanos()
        );
    }
    let accepted: Vec<&Measured> = results.iter().filter(|m| m.outcome.is_ok()).collect();
    let fenced = accepted.iter().filter(|m| m.outcome.as_ref().is_ok_and(CheckedStatement::fenced)).count();
    let median = |time: fn(&Measured) -> Duration| {
        let mut times: Vec<Duration> = accepted.iter().map(|m| time(m)).collect();
        times.sort();
        times.get(times.len() / 2).map_or(0, Duration::as_nanos)
    };
    println!(
        "{} of {} accepted, {fenced} fenced; median over statements: {} µs the first time, {} µs warm, {} µs at least, {} ns cached",
        accepted.len(),
        results.len(),
        median(|m| m.first) / 1_000,
        median(|m| m.median) / 1_000,
        median(|m| m.least) / 1_000,
        median(|m| m.cached)
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
fn role(catalog: &Catalog) -> Role {
    let grant = |table: &Table| {
        let first = &table.columns[0];
        let constant = if first.ty.kind == TypeKind::Text { "'1'" } else { "1" };
        TableGrant {
            key: format!("db.{}", table.id.name),
            schema: None,
            table: table.id.name.clone(),
            columns: ColumnsGrant::AllExcept(Vec::new()),
            masks: Vec::new(),
            rows: Some(RowsGrant::One(format!("\"{}\" <> {constant}", first.name))),
            min_group_size: None,
        }
    };
    Role::compile(&RoleGrant { tables: catalog.tables().iter().map(grant).collect(), mask_key: None }, catalog).unwrap()
}
