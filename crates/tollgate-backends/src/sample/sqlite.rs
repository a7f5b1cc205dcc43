//! Writes the sample shop into a new SQLite file. The one place that opens SQLite for writing; nothing that serves calls it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::rows;

const SCHEMA: &str = include_str!("shop.sqlite.sql");

/// Why the sample could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the sample database could not be written")]
pub struct SampleError(#[from] rusqlite::Error);

/// Writes the sample into a new file at `path`; an existing file is an error. It stands there whole or not at all.
pub fn create_sqlite(path: &Path) -> Result<(), SampleError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    {
        let mut insert = transaction.prepare("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for u in rows::users() {
            let notes = u.internal_notes;
            let secrets = (u.password_hash, u.ssn);
            insert.execute(params![
                u.id,
                u.name,
                u.email,
                u.region,
                u.status,
                u.created_at,
                secrets.0,
                secrets.1,
                notes
            ])?;
        }
        let mut insert = transaction.prepare("INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)")?;
        for p in rows::products() {
            let cost = cents(p.supplier_cost_cents);
            insert.execute(params![p.id, p.name, p.category, cents(p.price_cents), p.stock, cost])?;
        }
        let mut insert = transaction.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for o in rows::orders() {
            insert.execute(params![
                o.id,
                o.user_id,
                o.product_id,
                o.quantity,
                cents(o.total_cents),
                o.status,
                o.created_at,
                o.stripe_secret_id,
                o.payment_token
            ])?;
        }
    }
    transaction.commit()?;
    connection.execute_batch("ANALYZE")?;
    Ok(())
}

fn cents(amount: u32) -> f64 {
    f64::from(amount) / 100.0
}
