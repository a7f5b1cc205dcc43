//! The shop as statements that every engine reads alike. Pure; the values are our own, from a fixed seed, and nobody else's.

use super::rows::{self, Order, Product, User};

/// The shop's tables, those that others refer to first.
pub(crate) const TABLES: [&str; 3] = ["users", "products", "orders"];

const SCHEMA: &str = include_str!("shop.sql");

/// Rows of one statement: few round trips, and far less than any server's longest statement.
const ROWS_PER_STATEMENT: usize = 500;

/// Makes one table.
pub(crate) struct Creation {
    pub(crate) table: &'static str,
    pub(crate) text: String,
}

/// Fills a table with some of its rows.
pub(crate) struct Insertion {
    pub(crate) text: String,
    pub(crate) rows: u32,
}

/// What makes the tables, in order.
pub(crate) fn creations() -> impl Iterator<Item = Creation> {
    TABLES.into_iter().filter_map(|table| {
        let begin = format!("CREATE TABLE {table} ");
        schema().find(|text| text.starts_with(&begin)).map(|text| Creation { table, text: text.to_owned() })
    })
}

/// What makes the indexes.
pub(crate) fn indexes() -> impl Iterator<Item = &'static str> {
    schema().filter(|text| text.starts_with("CREATE INDEX "))
}

/// What fills the tables, in order.
pub(crate) fn insertions() -> impl Iterator<Item = Insertion> {
    let users = batched("users", rows::users().map(user));
    let products = batched("products", rows::products().map(product));
    users.chain(products).chain(batched("orders", rows::orders().map(order)))
}

fn schema() -> impl Iterator<Item = &'static str> {
    let statements = SCHEMA.split(';').map(str::trim);
    statements.filter_map(|text| text.get(text.find("CREATE ")?..))
}

fn batched(table: &'static str, mut rows: impl Iterator<Item = String>) -> impl Iterator<Item = Insertion> {
    std::iter::from_fn(move || {
        let batch: Vec<String> = rows.by_ref().take(ROWS_PER_STATEMENT).collect();
        let text = format!("INSERT INTO {table} VALUES\n({})", batch.join("),\n("));
        (!batch.is_empty()).then_some(Insertion { text, rows: batch.len() as u32 })
    })
}

fn user(user: User) -> String {
    let User { id, name, email, region, status, created_at, password_hash, ssn, internal_notes } = user;
    let texts = [&name, &email, region, status, &created_at, &password_hash, &ssn].map(quoted).join(", ");
    format!("{id}, {texts}, {}", internal_notes.map_or_else(|| "NULL".to_owned(), quoted))
}

fn product(product: Product) -> String {
    let Product { id, name, category, price_cents, stock, supplier_cost_cents } = product;
    let (price, cost) = (cents(price_cents), cents(supplier_cost_cents));
    format!("{id}, {}, {}, {price}, {stock}, {cost}", quoted(&name), quoted(category))
}

fn order(order: Order) -> String {
    let Order { id, user_id, product_id, quantity, total_cents, status, created_at, stripe_secret_id, payment_token } =
        order;
    let texts = [status, &created_at, &stripe_secret_id, &payment_token].map(quoted).join(", ");
    format!("{id}, {user_id}, {product_id}, {quantity}, {}, {texts}", cents(total_cents))
}

/// A literal. No value of the shop has a backslash, which engines read differently.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn cents(amount: u32) -> String {
    format!("{}.{:02}", amount / 100, amount % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_is_whole_and_reads_alike_everywhere() {
        assert_eq!(creations().map(|creation| creation.table).collect::<Vec<_>>(), TABLES);
        assert_eq!(indexes().count(), 3);
        assert_eq!(insertions().map(|insertion| insertion.rows).sum::<u32>(), rows::ROWS);
        assert!(insertions().all(|insertion| !insertion.text.contains(['\\', '?'])));
    }
}
