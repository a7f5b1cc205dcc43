//! The function behind the `hash` mask, which SQLite lacks. It gives a value for every input, and no view or trigger may call it.

use rusqlite::{
    Connection, Error,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};
use tollgate_core::sql::{HASH_FUNCTION, hash_under};

/// Gives a connection the function: `(inner block, outer block, value)`, blocks in base64.
pub(super) fn install(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(HASH_FUNCTION, 3, flags, hash)
}

fn hash(context: &Context<'_>) -> rusqlite::Result<Option<String>> {
    let number;
    let text: &[u8] = match context.get_raw(2) {
        ValueRef::Null => return Ok(None),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Integer(integer) => {
            number = integer.to_string();
            number.as_bytes()
        }
        ValueRef::Real(double) => {
            number = format!("{double:?}");
            number.as_bytes()
        }
    };
    let (inner, outer) = (context.get_raw(0).as_str()?, context.get_raw(1).as_str()?);
    hash_under(inner, outer, text).map(Some).map_err(|error| Error::UserFunctionError(error.into()))
}
