//! Test cases as files, and the shop they are about. Compiled into tests only.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind};
use crate::names::Dialect;
use crate::sql::restriction::{ColumnMask, RestrictedColumn, Restriction, Restrictions};
use crate::sql::tree::{Expr, Literal};

/// The columns of the shop that nobody sees.
pub(super) const HIDDEN: [&str; 3] = ["password_hash", "ssn", "payment_token"];

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
pub(super) fn shop(dialect: Dialect) -> (Catalog, Restrictions) {
    use TypeKind::{BigInt, Decimal, Float, Int, Json, Text, TimestampTz};
    let schema = match dialect {
        Dialect::Postgres => "public",
        Dialect::Sqlite => "main",
        Dialect::MariaDb => "shop",
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
    let mut visible = Restrictions::default();
    for table in catalog.tables().iter().filter(|t| t.id.name != "secrets") {
        let columns = table.columns.iter().filter(|c| !HIDDEN.contains(&c.name.as_str()));
        let columns = columns.map(|c| RestrictedColumn {
            name: c.name.clone(),
            mask: (c.name == "email").then(|| ColumnMask {
                expr: Expr::Literal(Literal::Null),
                ty: Some(c.ty.clone()),
                leak: None,
            }),
        });
        let restriction =
            Restriction { columns: columns.collect(), filter: None, hides_rows: false, min_group_size: None };
        visible.tables.insert(table.id.clone(), restriction);
    }
    (catalog, visible)
}

/// A directory of cases.
fn directory(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// Runs every case of a directory. A file's first line names its dialects; then come cases, each a text and, on lines that
/// start with `=> `, what becomes of it. With `UPDATE_CASES` set, the files are written anew.
pub(super) fn check(name: &str, outcome: impl Fn(Dialect, &str) -> String) {
    for entry in std::fs::read_dir(directory(name)).unwrap() {
        let path = entry.unwrap().path();
        let written = std::fs::read_to_string(&path).unwrap();
        let (header, cases) = written.split_once("\n\n").unwrap();
        let dialects = header.split_whitespace().map(|d| match d {
            "postgres" => Dialect::Postgres,
            "sqlite" => Dialect::Sqlite,
            "mariadb" => Dialect::MariaDb,
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

/// The texts of all statement cases, to be changed at random.
pub(super) fn seeds() -> Vec<String> {
    let mut seeds = Vec::new();
    for name in ["refuse", "resolve"] {
        for entry in std::fs::read_dir(directory(name)).unwrap() {
            let written = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let texts = written.split("\n\n").skip(1).map(|case| case.split("\n=> ").next().unwrap().trim().to_owned());
            seeds.extend(texts.filter(|text| !text.is_empty()));
        }
    }
    seeds
}
