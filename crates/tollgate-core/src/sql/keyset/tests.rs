//! Cases are files: a key and a statement, and the two texts that are sent, or the refusal.

use std::collections::BTreeMap;

use crate::names::Dialect;
use crate::sql::cases::{check, shop};
use crate::sql::check::{Keyset, Request, check_keyset};
use crate::sql::error::SqlError;
use crate::sql::resolve::ParamShape;

fn pages(dialect: Dialect, text: &str) -> Result<Keyset, SqlError> {
    let (key, sql) = text.split_once('\n').unwrap();
    let key: Vec<String> = key.split_whitespace().map(str::to_owned).collect();
    let (catalog, restrictions) = shop(dialect);
    let params = BTreeMap::from([("region".parse().unwrap(), ParamShape::Single)]);
    check_keyset(&Request { sql, catalog: &catalog, restrictions: &restrictions, params: &params }, &key)
}

#[test]
fn statements_in_pages() {
    check("keyset", |dialect, text| match pages(dialect, text) {
        Err(error) => error.to_string(),
        Ok(Keyset { first, next }) => {
            assert_eq!(first.columns(), next.columns(), "{text}");
            assert_eq!((first.key(), first.width()), (next.key(), next.width()), "{text}");
            assert_eq!(first.fenced(), next.fenced(), "{text}");
            assert!(first.page().ordered && next.page().ordered, "{text}");
            let shown = first.columns().len();
            format!("key at {:?}, {shown} shown\n   {}\n   {}", first.key().unwrap(), first.text(), next.text())
        }
    });
}
