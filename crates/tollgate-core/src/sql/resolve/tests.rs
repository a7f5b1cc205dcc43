//! Cases are files: `testdata/refuse` (a statement and its refusal), `testdata/resolve` (a statement and its tree).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use super::{ClaimUse, ParamShape, Scope, resolve_predicate, resolve_query};
use crate::catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind};
use crate::names::{Dialect, ParamName};
use crate::sql::error::SqlError;
use crate::sql::restriction::{RestrictedColumn, Restriction, Restrictions};
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
fn resolve(dialect: Dialect, text: &str) -> Result<String, SqlError> {
    let (catalog, visible) = shop(dialect);
    let (params, none) = (params(), BTreeMap::new());
    let filter_of = catalog.tables().iter().find_map(|t| Some((t, text.strip_prefix(&format!("{}: ", t.id.name))?)));
    if let Some((table, predicate)) = filter_of {
        let scope = Scope { catalog: &catalog, visible: &visible, params: &none, claims: ClaimUse::Allowed };
        return resolve_predicate(predicate, table, &scope).map(|expr| format!("{expr:#?}"));
    }
    let scope = Scope { catalog: &catalog, visible: &visible, params: &params, claims: ClaimUse::Refused };
    resolve_query(text, &scope).map(|query| format!("{query:#?}"))
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
