//! The function behind the bound of recursive queries, which SQLite could only cut off. No view or trigger may call it.

use rusqlite::{
    Connection, Error, ffi,
    functions::{Context, FunctionFlags},
};
use tollgate_core::sql::limits::{RECURSION_FUNCTION, RECURSION_ROWS_MAX};

use super::error::RECURSION_BOUND;

/// Gives a connection the function: of the row's number, from 1.
pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(RECURSION_FUNCTION, 1, flags, in_bounds)
}

fn in_bounds(context: &Context<'_>) -> rusqlite::Result<bool> {
    let number: i64 = context.get(0)?;
    if u64::try_from(number).is_ok_and(|number| number <= RECURSION_ROWS_MAX) {
        return Ok(true);
    }
    // With a message SQLite would take the code for its general one.
    Err(Error::SqliteFailure(ffi::Error::new(RECURSION_BOUND), None))
}
