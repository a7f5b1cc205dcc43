//! A statement that was checked once is what checking it again would come to, for its role under its policy alone.

use std::thread;

use super::*;
use crate::{
    names::Dialect,
    policy::{ColumnsGrant, Role, RoleGrant, RowsGrant, TableGrant},
    tools::tests::fixtures::catalog,
};

/// The users of the shop with these columns and rows.
fn queryable(columns: &[&str], rows: &str, cost: Cost) -> Queryable {
    let catalog = catalog(Dialect::Postgres);
    let table = TableGrant {
        min_group_size: None,
        key: "shop.users".to_owned(),
        schema: None,
        table: "users".to_owned(),
        columns: ColumnsGrant::These(columns.iter().map(|&column| column.to_owned()).collect()),
        masks: Vec::new(),
        rows: Some(RowsGrant::One(rows.to_owned())),
    };
    let role = Role::compile(&RoleGrant { tables: vec![table], mask_key: None }, &catalog).unwrap();
    Queryable::new(Arc::new(catalog), Arc::new(role), cost)
}

const SQL: &str = "SELECT id, name FROM users WHERE lower(name) = 'ada' ORDER BY id";

#[test]
fn the_same_text_is_checked_once() {
    let shop = queryable(&["id", "name"], "region = :claims.region", Cost::Unbounded);
    let first = shop.check(SQL).unwrap();
    assert!(Arc::ptr_eq(&first, &shop.check(SQL).unwrap()));
    // Another text is another statement, however alike they are.
    let spaced = shop.check(&format!("{SQL} ")).unwrap();
    assert!(!Arc::ptr_eq(&first, &spaced));
    let fresh = sql::check_own(SQL, shop.catalog(), shop.role().restrictions(), Cost::Unbounded).unwrap();
    for kept in [first, spaced] {
        assert_eq!(format!("{kept:?}"), format!("{fresh:?}"));
    }
}

#[test]
fn another_policy_keeps_its_own() {
    let shop = queryable(&["id", "name"], "region = :claims.region", Cost::Unbounded);
    let before = shop.check(SQL).unwrap();
    // What a reload makes: the same role with other rows, without a column, with a bounded cost, with another schema.
    let rows = queryable(&["id", "name"], "region = 'eu'", Cost::Unbounded).check(SQL).unwrap();
    assert_ne!(before.text(), rows.text());
    assert!(queryable(&["id"], "region = :claims.region", Cost::Unbounded).check(SQL).is_err());
    let bounded = queryable(&["id", "name"], "region = :claims.region", Cost::Bounded).check(SQL).unwrap();
    assert!(before.estimate().is_none() && bounded.estimate().is_some());
    let role = Arc::clone(&shop.role);
    let empty = Catalog::new(Dialect::Postgres, "public".to_owned(), "15".to_owned(), Vec::new());
    assert!(Queryable::new(Arc::new(empty), role, Cost::Unbounded).check(SQL).is_err());
}

#[test]
fn a_refusal_is_the_same_each_time() {
    let shop = queryable(&["id", "name"], "region = :claims.region", Cost::Unbounded);
    for refused in ["SELECT email FROM users", "SELECT id FROM orders", "SELECT", "DELETE FROM users"] {
        let first = shop.check(refused).unwrap_err().to_agent().to_string();
        assert_eq!(shop.check(refused).unwrap_err().to_agent().to_string(), first, "{refused}");
    }
}

#[test]
fn hundreds_at_once_have_each_their_own() {
    let shop = queryable(&["id", "name"], "region = :claims.region", Cost::Unbounded);
    let texts: Vec<String> = (0..300).map(|at| format!("SELECT id FROM users WHERE name = 'n{at}'")).collect();
    let fresh = |sql| sql::check_own(sql, shop.catalog(), shop.role().restrictions(), Cost::Unbounded).unwrap();
    let expected: Vec<[u8; 32]> = texts.iter().map(|sql| *fresh(sql).fingerprint()).collect();
    // More texts than are kept, each checked by every thread, in another order by each.
    thread::scope(|threads| {
        for start in 0..4 {
            let (shop, texts, expected) = (&shop, &texts, &expected);
            threads.spawn(move || {
                for at in 0..texts.len() {
                    let at = (at * 7 + start * 50) % texts.len();
                    assert_eq!(*shop.check(&texts[at]).unwrap().fingerprint(), expected[at]);
                }
            });
        }
    });
}
