//! Cases are files: `testdata/refuse` (a statement and its refusal), `testdata/resolve` (a statement and its tree).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use super::{ClaimUse, ParamShape, Scope, resolve_predicate, resolve_query};
use crate::catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind};
use crate::names::{Dialect, ParamName};
use crate::sql::check::{Request, check as check_statement};
use crate::sql::error::SqlError;
use crate::sql::restriction::{RestrictedColumn, Restriction, Restrictions};
use crate::sql::statement::CheckedStatement;
use crate::sql::template::Template;
use crate::sql::tree::{Expr, Literal};

fn column(name: &str, kind: TypeKind, nullable: bool) -> Column {
    let ty = SqlType { name: format!("{kind:?}").to_lowercase(), kind };
    Column { name: name.into(), ty, nullable, allowed: None, comment: None }
}

fn table(schema: &str, name: &str, columns: Vec<Column>) -> Table {
    Table {
        id: TableId { schema: schema.into(), name: name.into() },
        kind: TableKind::Table,
        primary_key: vec![columns[0].name.clone()],
        columns,
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: None,
    }
}

/// A shop: `users` with hidden columns and a masked `email`, `orders`, `items`, and the hidden table `secrets`.
pub(in crate::sql) fn shop(dialect: Dialect) -> (Catalog, Restrictions) {
    use TypeKind::{BigInt, Decimal, Float, Int, Json, Text, TimestampTz};
    let schema = match dialect {
        Dialect::Postgres => "public",
        Dialect::Sqlite => "main",
    };
    let tables = vec![
        table(
            schema,
            "users",
            vec![
                column("id", Int, false),
                column("name", Text, false),
                column("email", Text, true),
                column("region", Text, false),
                column("created_at", TimestampTz, false),
                column("profile", Json, true),
                column("score", Float, true),
                column("password_hash", Text, false),
                column("ssn", Text, true),
            ],
        ),
        table(
            schema,
            "orders",
            vec![
                column("id", BigInt, false),
                column("user_id", Int, false),
                column("total", Decimal, false),
                column("status", Text, true),
                column("payment_token", Text, true),
            ],
        ),
        table(
            schema,
            "items",
            vec![column("id", Int, false), column("order_id", BigInt, false), column("Title", Text, true)],
        ),
        table(schema, "secrets", vec![column("id", Int, false), column("value", Text, false)]),
    ];
    let catalog = Catalog::new(dialect, schema.into(), "test".into(), tables);
    let hidden = BTreeSet::from(["password_hash", "ssn", "payment_token"]);
    let mut visible = Restrictions::default();
    for table in catalog.tables().iter().filter(|t| t.id.name != "secrets") {
        let columns = table.columns.iter().filter(|c| !hidden.contains(c.name.as_str()));
        let columns = columns.map(|c| RestrictedColumn {
            name: c.name.clone(),
            mask: (c.name == "email").then_some(Expr::Literal(Literal::Null)),
        });
        let restriction = Restriction { columns: columns.collect(), filter: None, hides_rows: false };
        visible.tables.insert(table.id.clone(), restriction);
    }
    (catalog, visible)
}

fn params() -> BTreeMap<ParamName, ParamShape> {
    let single = ["region", "status", "n", "since", "pattern"].map(|name| (name.parse().unwrap(), ParamShape::Single));
    let list = ["ids", "regions"].map(|name| (name.parse().unwrap(), ParamShape::List));
    single.into_iter().chain(list).collect()
}

/// Resolves a case's text: `orders: predicate` is a row filter of `orders`, everything else a statement.
fn resolve(dialect: Dialect, text: &str) -> Result<(), SqlError> {
    let (catalog, visible) = shop(dialect);
    let (params, none) = (params(), BTreeMap::new());
    let filter_of = catalog.tables().iter().find_map(|t| Some((t, text.strip_prefix(&format!("{}: ", t.id.name))?)));
    if let Some((table, predicate)) = filter_of {
        let scope = Scope { catalog: &catalog, visible: &visible, params: &none, claims: ClaimUse::Allowed };
        return resolve_predicate(predicate, table, &scope).map(drop);
    }
    let scope = Scope { catalog: &catalog, visible: &visible, params: &params, claims: ClaimUse::Refused };
    resolve_query(text, &scope).map(drop)
}

/// A directory of cases.
fn directory(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// Runs every case of a directory. A file's first line names its dialects; then come cases, each a text and, on lines that
/// start with `=> `, what becomes of it. With `UPDATE_CASES` set, the files are written anew.
fn check(name: &str, outcome: impl Fn(Dialect, &str) -> String) {
    for entry in std::fs::read_dir(directory(name)).unwrap() {
        let path = entry.unwrap().path();
        let written = std::fs::read_to_string(&path).unwrap();
        let (header, cases) = written.split_once("\n\n").unwrap();
        let dialects = header.split_whitespace().map(|d| match d {
            "postgres" => Dialect::Postgres,
            "sqlite" => Dialect::Sqlite,
            other => panic!("{}: no dialect {other}", path.display()),
        });
        let dialects: Vec<Dialect> = dialects.collect();
        let mut actual = format!("{header}\n");
        for case in cases.split("\n\n").map(str::trim).filter(|c| !c.is_empty()) {
            let text = case.split("\n=> ").next().unwrap();
            let outcomes: Vec<String> = dialects.iter().map(|d| outcome(*d, text)).collect();
            write!(actual, "\n{text}\n").unwrap();
            for (at, outcome) in outcomes.iter().enumerate() {
                let same = outcomes.iter().all(|o| o == outcome);
                match (same, at) {
                    (true, 0) => writeln!(actual, "=> {outcome}").unwrap(),
                    (true, _) => {}
                    (false, _) => writeln!(actual, "=> {}: {outcome}", dialects[at].name()).unwrap(),
                }
            }
        }
        if std::env::var_os("UPDATE_CASES").is_some() {
            std::fs::write(&path, actual).unwrap();
        } else {
            assert!(actual == written, "{} should be:\n{actual}", path.display());
        }
    }
}

#[test]
fn refusals() {
    check("refuse", |dialect, text| match resolve(dialect, text) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_agent().to_string(),
    });
}

fn checked(dialect: Dialect, text: &str) -> Result<CheckedStatement, SqlError> {
    let (catalog, restrictions) = shop(dialect);
    check_statement(&Request { sql: text, catalog: &catalog, restrictions: &restrictions, params: &params() })
}

#[test]
fn resolutions() {
    check("resolve", |dialect, text| match checked(dialect, text) {
        Ok(statement) => statement.text().to_owned(),
        Err(error) => error.to_agent().to_string(),
    });
}

/// What must be refused quickly and without exhausting a thread's stack.
fn hostile() -> Vec<String> {
    let n = 100_000;
    let fits = 1_400;
    let nested =
        |open: &str, n: usize, middle: &str, close: &str| format!("{}{middle}{}", open.repeat(n), close.repeat(n));
    vec![
        format!("SELECT {}", nested("(", n, "1", ")")),
        format!("SELECT {}1", "NOT ".repeat(n)),
        format!("SELECT {}1", "- ".repeat(fits)),
        format!("SELECT {}1", "NOT ".repeat(fits)),
        format!("SELECT 1{}", "+1".repeat(n)),
        format!("SELECT 1{}", "+1".repeat(fits / 2)),
        format!("SELECT 1{}", "||1".repeat(fits / 2)),
        format!("SELECT 1{}", "::text".repeat(fits / 2)),
        format!("SELECT 1{}", " IS NULL".repeat(fits / 2)),
        format!("SELECT 1{}", " COLLATE x".repeat(fits / 2)),
        format!("SELECT 1{}", " AT TIME ZONE 'x'".repeat(fits / 4)),
        format!("SELECT 1 WHERE 1=1{}", " AND 1=1".repeat(fits / 4)),
        format!("SELECT 1 WHERE 1=1{}", " OR 1=1 AND 2=2".repeat(fits / 8)),
        format!("SELECT 'a' {}", "GLOB 'a' ".repeat(fits / 2)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(fits / 3)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(40)),
        format!("SELECT {}", nested("CASE WHEN 1=1 THEN ", 39, "1", " END")),
        format!("SELECT {}", nested("CASE WHEN 1=1 THEN ", n / 10, "1", " END")),
        format!("SELECT {}", nested("(SELECT ", 39, "1", ")")),
        format!("SELECT * FROM {}", nested("(SELECT * FROM ", 39, "users", ") x")),
        format!("SELECT * FROM {}", nested("(", 39, "users", ")")),
        format!("SELECT * FROM {}", nested("(", 39, "users JOIN items", ")")),
        format!("SELECT * FROM users {}", "JOIN items ".repeat(fits / 2)),
        format!("SELECT * FROM users {}{}", "JOIN items ".repeat(300), "ON true ".repeat(300)),
        format!("SELECT * FROM users{}", ", users".repeat(5_000)),
        format!("SELECT {}", nested("coalesce(", 39, "1", ",2)")),
        format!("SELECT {}", nested("coalesce(1, ", 39, "1", ")")),
        format!("SELECT id FROM users WHERE {}", nested("id IN (SELECT id FROM users WHERE ", 39, "1=1", ")")),
        format!("SELECT {}", nested("EXISTS (SELECT ", 39, "1", ")")),
        format!("SELECT {}", "INTERVAL ".repeat(fits)),
        format!("SELECT {}", "CASE ".repeat(39)),
        format!("SELECT {}", "EXISTS (".repeat(39)),
        format!("SELECT {}", "DATE ".repeat(fits)),
        format!("SELECT CAST(1 AS {}", "ARRAY<".repeat(fits)),
        format!("SELECT * FROM {}", "(".repeat(39)),
        format!("SELECT * FROM {}", "(SELECT ".repeat(39)),
        format!("SELECT {}", "f(".repeat(39)),
        format!("SELECT {}", "x.".repeat(fits)),
        format!("SELECT {}", "1,".repeat(7_000)),
        format!("SELECT id FROM users WHERE id IN ({}1)", "1,".repeat(5_000)),
        "WITH ".to_owned() + &"a AS (SELECT 1),".repeat(900),
        "/*".repeat(n / 4),
        "'".repeat(n / 2),
        "((((((((((((((((((((".to_owned() + "SELECT 1",
        "[".repeat(n / 2),
        ":a".repeat(n / 4),
    ]
}

#[test]
fn hostile_texts_are_quick() {
    // A runtime's worker threads have 2 MiB.
    let work = || {
        for text in hostile() {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                let start: String = text.chars().take(60).collect();
                let started = std::time::Instant::now();
                let _ = checked(dialect, &text);
                let _ = Template::parse(dialect, &text);
                assert!(started.elapsed().as_secs() < 3, "{:?} for {start}", started.elapsed());
                let _ = resolve(dialect, &format!("users: {}", text.trim_start_matches("SELECT ")));
            }
        }
    };
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap();
}
