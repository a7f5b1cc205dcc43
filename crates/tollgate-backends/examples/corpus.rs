//! A corpus's queries under a policy that hides rows, beside the same queries over views that hide the same: the same answers, and
//! what the plans cost. `TOLLGATE_CORPUS` names a folder that `scripts/corpora` made:
//! `TOLLGATE_CORPUS=DIR/tpch cargo run -p tollgate-backends --features testing --example corpus`.
#![expect(clippy::print_stdout, reason = "it is run by hand, to be read")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a corpus that cannot be read is an error of its maker"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use tokio_postgres::{
    Client, Error,
    error::SqlState,
    types::{ToSql, Type},
};
use tollgate_backends::{PoolLimits, testing::postgres::PostgresServer};
use tollgate_core::{
    catalog::{Catalog, Table, TypeKind},
    sql::{
        CheckedStatement, ClaimUse, Cost, RestrictedColumn, Restriction, Restrictions, Scope, check_own,
        resolve_predicate, tree::Slot,
    },
};

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(std::env::var_os("TOLLGATE_CORPUS").unwrap());
    let Some(server) = PostgresServer::shared() else { return };
    let schema = fs::read_to_string(folder.join("schema.tsv")).unwrap();
    let database = server.database(&tables(&schema)).await;
    let client = database.superuser().await;
    load(&client, &schema, &folder.join("data")).await;
    let backend = tollgate_backends::open(&database.url(), Path::new("/"), PoolLimits::default()).unwrap();
    let catalog = backend.introspect().await.unwrap();
    let restrictions = restrictions(&catalog);
    client.batch_execute(&views(&catalog)).await.unwrap();
    client.batch_execute("SET search_path = seen; SET statement_timeout = '60s'").await.unwrap();
    let mut tally = Tally::default();
    println!("query  outcome   rows     cost  of views  ratio");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder.join("queries")).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let sql = without_limit(&fs::read_to_string(&path).unwrap());
        match check_own(&sql, &catalog, &restrictions, Cost::Unbounded) {
            Ok(statement) => compare(&client, &name, &sql, &statement, &mut tally).await,
            Err(error) => {
                tally.refused += 1;
                println!("{name:5}  refused: {error}");
            }
        }
    }
    tally.print();
    assert!(tally.differ == 0, "an answer is not what the views say");
}

/// What came of the queries.
#[derive(Default)]
struct Tally {
    refused: usize,
    same: usize,
    differ: usize,
    not_compared: usize,
    open: Vec<f64>,
    fenced: Vec<f64>,
}

impl Tally {
    fn print(&self) {
        println!(
            "{} answers as views give them, {} others, {} not compared, {} refused",
            self.same, self.differ, self.not_compared, self.refused
        );
        for (what, ratios) in [("open", &self.open), ("fenced", &self.fenced)] {
            let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len().max(1) as f64).exp();
            let most = ratios.iter().copied().fold(0.0, f64::max);
            println!("{} {what}: cost beside the views' {mean:.3} (geometric mean), {most:.2} at most", ratios.len());
        }
    }
}

async fn compare(client: &Client, name: &str, sql: &str, statement: &CheckedStatement, tally: &mut Tally) {
    let word = if statement.fenced() { "fenced" } else { "open" };
    let values = parameters(statement);
    let (rows, wanted) = match digest(client, sql, &[]).await {
        Ok(wanted) => wanted,
        Err(error) => {
            tally.not_compared += 1;
            return println!("{name:5}  {word:7}  over the views: {}", message(&error));
        }
    };
    let verdict = match digest(client, statement.text(), &values).await {
        Ok(found) if found == (rows, wanted) => {
            tally.same += 1;
            String::new()
        }
        // It is too slow, which its cost tells.
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => {
            tally.not_compared += 1;
            "  takes more than a minute".to_owned()
        }
        Ok((rows, _)) => {
            tally.differ += 1;
            format!("  DIFFERS: {rows} rows")
        }
        Err(error) => {
            tally.differ += 1;
            format!("  DIFFERS: {}", message(&error))
        }
    };
    let costs = (cost(client, statement.text(), &values).await, cost(client, sql, &[]).await);
    let ratio = costs.0 / costs.1;
    if statement.fenced() {
        tally.fenced.push(ratio);
    } else {
        tally.open.push(ratio);
    }
    println!("{name:5}  {word:7}  {rows:5}  {:8.0}  {:8.0}  {ratio:5.2}{verdict}", costs.0, costs.1);
}

fn message(error: &Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

type Parameter = (Box<dyn ToSql + Sync>, Type);

/// Values for a statement's slots: the whole of its answer.
fn parameters(statement: &CheckedStatement) -> Vec<Parameter> {
    let value = |slot: &Slot| -> Parameter {
        match slot {
            Slot::CallId => (Box::new("call"), Type::TEXT),
            Slot::Limit => (Box::new(1_000_000_000_i64), Type::INT8),
            Slot::Offset => (Box::new(0_i64), Type::INT8),
            other => panic!("no value for {other:?}"),
        }
    };
    statement.slots().iter().map(|used| value(&used.slot)).collect()
}

fn borrowed(values: &[Parameter]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|(value, ty)| (&**value, ty.clone())).collect()
}

/// How many rows, and a digest of them in whatever order.
async fn digest(client: &Client, sql: &str, values: &[Parameter]) -> Result<(i64, Option<String>), Error> {
    let text = format!(
        "SELECT pg_catalog.count(*), pg_catalog.md5(pg_catalog.string_agg(t::text, '|' ORDER BY t::text)) FROM ({sql}) AS t"
    );
    let row = client.query_typed(&text, &borrowed(values)).await?;
    Ok((row[0].get(0), row[0].get(1)))
}

/// What the planner says a statement costs in all.
async fn cost(client: &Client, sql: &str, values: &[Parameter]) -> f64 {
    let rows = client.query_typed(&format!("EXPLAIN {sql}"), &borrowed(values)).await.unwrap();
    let line: String = rows[0].get(0);
    let (_, rest) = line.split_once("..").unwrap();
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// The query without its end and without a LIMIT there, which would choose among equals.
fn without_limit(sql: &str) -> String {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    let lower = sql.to_ascii_lowercase();
    match lower.rfind("limit") {
        Some(at) if lower[at + 5..].trim().bytes().all(|b| b.is_ascii_digit()) => sql[..at].to_owned(),
        _ => sql.to_owned(),
    }
}

fn tables(schema: &str) -> String {
    let mut columns: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in schema.lines() {
        let [table, column, ty]: [&str; 3] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        columns.entry(table).or_default().push(format!("{column} {ty}"));
    }
    columns.iter().fold(String::new(), |mut text, (table, columns)| {
        write!(text, "CREATE TABLE {table} ({});", columns.join(", ")).unwrap();
        text
    })
}

/// Loads the tables from files that the server can read, and indexes each by its first column and by those that are keys by name.
async fn load(client: &Client, schema: &str, data: &Path) {
    let mut last = "";
    for line in schema.lines() {
        let [table, column, _]: [&str; 3] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        if table != last {
            let file = data.join(format!("{table}.csv"));
            client.batch_execute(&format!("COPY {table} FROM '{}' (FORMAT csv)", file.display())).await.unwrap();
        }
        if table != last || column.ends_with("key") || column.ends_with("_sk") {
            client.batch_execute(&format!("CREATE INDEX ON {table} ({column})")).await.unwrap();
        }
        last = table;
    }
    client.batch_execute("ANALYZE").await.unwrap();
}

/// The row filter of a table: all but those whose first column is 1.
fn filter(table: &Table) -> String {
    let first = &table.columns[0];
    let constant = if first.ty.kind == TypeKind::Text { "'1'" } else { "1" };
    format!("\"{}\" <> {constant}", first.name)
}

/// Views that hide what the policy hides.
fn views(catalog: &Catalog) -> String {
    catalog.tables().iter().fold("CREATE SCHEMA seen;".to_owned(), |mut text, table| {
        let name = &table.id.name;
        write!(text, "CREATE VIEW seen.\"{name}\" AS SELECT * FROM public.\"{name}\" WHERE {};", filter(table))
            .unwrap();
        text
    })
}

/// Every column of every table, and the rows that its filter lets through.
fn restrictions(catalog: &Catalog) -> Restrictions {
    let (nothing, none) = (Restrictions::default(), BTreeMap::new());
    let scope = Scope { catalog, visible: &nothing, params: &none, claims: ClaimUse::Refused };
    let restriction = |table: &Table| {
        let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
        let filter = Some(resolve_predicate(&filter(table), table, &scope).unwrap());
        (table.id.clone(), Restriction { columns, filter, hides_rows: true, min_group_size: None })
    };
    Restrictions { tables: catalog.tables().iter().map(restriction).collect(), ..Restrictions::default() }
}
