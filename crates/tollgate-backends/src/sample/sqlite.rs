//! Writes the sample shop into a new SQLite file. The one place that opens SQLite for writing; nothing that serves calls it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::script;

/// Why the sample could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the sample database could not be written")]
pub struct SampleError(#[from] rusqlite::Error);

/// Writes the sample into a new file at `path`; an existing file is an error. It stands there whole or not at all.
pub fn create_sqlite(path: &Path) -> Result<(), SampleError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    let transaction = connection.transaction()?;
    for creation in script::creations() {
        transaction.execute_batch(&creation.text)?;
    }
    for insertion in script::insertions() {
        transaction.execute_batch(&insertion.text)?;
    }
    for index in script::indexes() {
        transaction.execute_batch(index)?;
    }
    transaction.commit()?;
    connection.execute_batch("ANALYZE")?;
    Ok(())
}
