//! Cases are files: `testdata/refuse` (a statement and its refusal), `testdata/resolve` (a statement and the text that is sent).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::{ClaimUse, ParamShape, Scope, resolve_predicate, resolve_query};
use crate::catalog::{Catalog, ColumnId};
use crate::names::{Code, Dialect, ParamName};
use crate::sql::cases::{HIDDEN, check, seeds, shop};
use crate::sql::check::{Request, check as check_statement};
use crate::sql::error::SqlError;
use crate::sql::restriction::Restrictions;
use crate::sql::statement::CheckedStatement;
use crate::sql::template::Template;
use crate::sql::tree::{Expr, Relation};
use crate::sql::walk::{self, Node};

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

#[test]
fn refusals() {
    check("refuse", |dialect, text| match resolve(dialect, text) {
        Ok(()) => "accepted".to_owned(),
        Err(error) => error.to_agent().to_string(),
    });
}

fn checked(dialect: Dialect, text: &str) -> Result<CheckedStatement, SqlError> {
    checked_in(&shop(dialect), text)
}

fn checked_in((catalog, restrictions): &(Catalog, Restrictions), text: &str) -> Result<CheckedStatement, SqlError> {
    check_statement(&Request { sql: text, catalog, restrictions, params: &params() })
}

#[test]
fn resolutions() {
    check("resolve", |dialect, text| match checked(dialect, text) {
        Ok(statement) => statement.text().to_owned(),
        Err(error) => error.to_agent().to_string(),
    });
}

/// Common table expressions that each read the one before twice.
fn doubling(depth: usize) -> String {
    let mut text = "WITH c0 AS (SELECT id FROM users)".to_owned();
    for at in 1..depth {
        let before = at - 1;
        write!(text, ", c{at} AS (SELECT id FROM c{before} UNION ALL SELECT id FROM c{before})").unwrap();
    }
    write!(text, " SELECT count(*) AS n FROM c{}", depth - 1).unwrap();
    text
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
        doubling(60),
        doubling(60).replace(" UNION ALL ", ", "),
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
                assert!(started.elapsed().as_secs() < 60, "{:?} for {start}", started.elapsed());
                let _ = resolve(dialect, &format!("users: {}", text.trim_start_matches("SELECT ")));
            }
        }
    };
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap();
}

/// The shop as it would be if what is hidden had never been there.
fn shop_without_hidden(dialect: Dialect) -> (Catalog, Restrictions) {
    let (catalog, restrictions) = shop(dialect);
    let mut tables = catalog.tables().to_vec();
    tables.retain(|table| restrictions.tables.contains_key(&table.id));
    for table in &mut tables {
        table.columns.retain(|column| !HIDDEN.contains(&column.name.as_str()));
    }
    let schema = catalog.default_schema().to_owned();
    (Catalog::new(dialect, schema, "test".into(), tables), restrictions)
}

/// What a caller can tell: the text that would be sent, or the refusal it reads.
fn visible_outcome(shop: &(Catalog, Restrictions), text: &str) -> String {
    match checked_in(shop, text) {
        Ok(statement) => statement.text().to_owned(),
        Err(error) => error.to_agent().to_string(),
    }
}

/// Invariant: a hidden name and a missing one cannot be told apart.
fn hidden_is_missing(dialect: Dialect, text: &str) {
    let (real, without) = (shop(dialect), shop_without_hidden(dialect));
    assert_eq!(visible_outcome(&real, text), visible_outcome(&without, text), "{text}");
}

/// Invariant: whatever is resolved names visible tables and columns only.
fn names_are_visible(dialect: Dialect, text: &str) {
    let (catalog, visible) = shop(dialect);
    let params = params();
    let scope = Scope { catalog: &catalog, visible: &visible, params: &params, claims: ClaimUse::Refused };
    let Ok(query) = resolve_query(text, &scope) else { return };
    walk::each_in_query(&query, &mut |node| match node {
        Node::Relation(Relation::Base { table, alias: _ }) => assert!(visible.tables.contains_key(table), "{text}"),
        Node::Expr(Expr::Column(column)) => {
            if let Some(ColumnId { table, column }) = &column.origin {
                let restriction = &visible.tables[table];
                assert!(restriction.columns.iter().any(|c| c.name == *column), "{text}");
            }
        }
        _ => {}
    });
}

/// A text that the earlier stages let through is never one that cannot be sent: what is printed reads as what was meant.
fn whatever_resolves_is_sent(dialect: Dialect, text: &str) {
    if let Err(error) = checked(dialect, text) {
        assert!(error.code() != Code::INTERNAL, "{error}: {text}");
    }
}

/// Of the cases. The fuzz targets hold changed ones to the same.
#[test]
fn hidden_names_are_missing_names() {
    for text in seeds() {
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            whatever_resolves_is_sent(dialect, &text);
            hidden_is_missing(dialect, &text);
            names_are_visible(dialect, &text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn no_text_panics(text in "\\PC*", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = String::from_utf8_lossy(&bytes).into_owned();
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            for text in [&text, &bytes, &format!("SELECT {text}"), &format!("users: {bytes}")] {
                let _ = resolve(dialect, text);
                if let Ok(template) = Template::parse(dialect, text) {
                    let _ = template.variant(u32::MAX);
                }
            }
        }
    }
}
