//! What must hold for every text and every argument, as plain functions: they return, or panic with what went wrong.
//!
//! `scripts/fuzz` runs them under libFuzzer; `cargo test` here runs them over the cases of `testdata` and changes of those. Never part
//! of the product.

pub mod mutate;

mod arguments;
mod oracle;
mod shop;

use std::collections::BTreeMap;

use tollgate_core::{
    names::{Code, Dialect, ParamName},
    sql::{self, CheckedStatement, ClaimUse, ParamShape, Request, Scope, template::Template},
};

pub use arguments::arguments;
use shop::Shop;

/// The dialects, each text being put to both.
const DIALECTS: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];
/// What a checked text may come to. A text of 64 KiB that names thousands of columns is far below.
const RENDERED_BYTES_MAX: usize = 4 << 20;

fn params() -> BTreeMap<ParamName, ParamShape> {
    let single = ["region", "status", "n", "since", "pattern"].map(|name| (name.parse().unwrap(), ParamShape::Single));
    let list = ["ids", "regions"].map(|name| (name.parse().unwrap(), ParamShape::List));
    single.into_iter().chain(list).collect()
}

/// A statement, or the refusal that its author reads.
fn checked(shop: &Shop, text: &str) -> Result<CheckedStatement, String> {
    let (catalog, restrictions) = (&shop.catalog, shop.role.restrictions());
    let request = Request { sql: text, catalog, restrictions, params: &params() };
    sql::check(&request).map_err(|error| {
        let told = error.to_agent().to_string();
        assert!(error.code() != Code::INTERNAL, "{error}: {text}");
        assert!(told.len() < 16_384, "a refusal of {} bytes for {text}", told.len());
        told
    })
}

/// parse, resolve, restrict, check and render: a statement is refused, or what is sent stays inside the policy. Either way it comes to
/// the same where what is hidden never was.
pub fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for dialect in DIALECTS {
        let sent = |shop: &Shop| checked(shop, &text).map(|statement| statement.text().to_owned());
        let without = shop::without_hidden(dialect, sent);
        shop::with(dialect, |shop| {
            let statement = match checked(shop, &text) {
                Ok(statement) => statement,
                Err(told) => return assert_eq!(Err(told), without, "hidden is not missing: {text}"),
            };
            assert!(statement.text().len() <= RENDERED_BYTES_MAX, "{} bytes from {text}", statement.text().len());
            oracle::inside(&statement, dialect, &text);
            assert_eq!(Ok(statement.text()), without.as_deref(), "hidden is not missing: {text}");
        });
    }
}

/// The same for a row filter.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for dialect in DIALECTS {
        shop::with(dialect, |shop| {
            let (catalog, visible, params) = (&shop.catalog, shop.role.restrictions(), BTreeMap::new());
            let scope = Scope { catalog, visible, params: &params, claims: ClaimUse::Allowed };
            let Some(table) = catalog.table(None, "items") else { return };
            let Ok(predicate) = sql::resolve_predicate(&text, table, &scope) else { return };
            let _ = sql::leak_of_predicate(&predicate, visible, dialect);
            let _ = sql::is_condition(&predicate, dialect);
            sql::restrict_predicate(predicate, visible, dialect)
                .unwrap_or_else(|error| panic!("resolved and not restricted, {error}: {text}"));
        });
    }
}

/// Optional clauses: every variant is a text like any other.
pub fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for dialect in DIALECTS {
        let Ok(template) = Template::parse(dialect, &text) else { continue };
        let all = (1_u32 << template.clauses().len()) - 1;
        for kept in [0, all, 1, all / 3] {
            let variant = template.variant(kept);
            assert!(variant.len() <= text.len() + 32, "longer than it was: {text}");
            shop::with(dialect, |shop| drop(checked(shop, &variant)));
        }
    }
}
