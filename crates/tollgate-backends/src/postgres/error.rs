//! From SQLSTATE to the few kinds that a caller can act on. The server's words go no further than the operator's log.

use std::{error::Error as _, io};

use tokio_postgres::{
    Error,
    error::{DbError, Severity},
};

use crate::{BackendError, ErrorKind, Fault};

/// What the driver said, as a kind with the driver's story behind it.
pub(super) fn backend_error(error: Error) -> BackendError {
    let kind = match error.as_db_error() {
        Some(refused) => server_kind(refused),
        None if error.is_closed() || is_io(&error) => ErrorKind::Unavailable,
        None => ErrorKind::Internal,
    };
    let database_code = error.code().map(|state| state.code().to_owned());
    BackendError { kind, database_code, source: Some(Box::new(error)) }
}

/// The same while connecting, when whatever went wrong means that there is no connection.
pub(super) fn connect_error(error: Error) -> BackendError {
    BackendError { kind: ErrorKind::Unavailable, ..backend_error(error) }
}

/// Where the server finds that a prepared statement's result has another type by now.
const REVALIDATE: &str = "RevalidateCachedQuery";

/// Whether a prepared statement no longer stands for what it was prepared from, so that preparing it again may help.
pub(super) fn is_stale_plan(error: &Error) -> bool {
    error.as_db_error().is_some_and(|refused| match refused.code().code() {
        // No such prepared statement.
        "26000" => true,
        // "cached plan must not change result type", which has no code of its own.
        "0A000" => refused.routine() == Some(REVALIDATE),
        _ => false,
    })
}

/// Whether a statement that holds a recursive query came to its bound: an error that nothing else in a checked statement can raise,
/// since only the bound makes a LIMIT that may be negative. A view or an added function could; the sentence would be wrong then, and
/// nothing else.
pub(super) fn is_recursion_bound(error: &Error) -> bool {
    error.as_db_error().is_some_and(|refused| refused.code().code() == "2201W")
}

/// What does not fit together in a statement that the server refuses to parse; `None` where something else is the matter.
pub(super) fn fault(error: &Error) -> Option<Fault> {
    let refused = error.as_db_error().filter(|refused| refused.parsed_severity() == Some(Severity::Error))?;
    let code = refused.code().code();
    match code {
        // Privileges, and names that were there when they were resolved: tables, columns, schemas, types.
        "42501" | "42P01" | "42703" | "3F000" | "42704" => None,
        "42883" | "42725" => Some(Fault::Operands),
        "42804" => Some(Fault::Mismatch),
        "42846" => Some(Fault::Cast),
        "42P18" => Some(Fault::Untyped),
        "42P21" | "42P22" => Some(Fault::Collations),
        "42803" => Some(Fault::Grouping),
        "0A000" => Some(Fault::Unsupported),
        "21000" => Some(Fault::Rows),
        _ => match code.get(..2) {
            Some("22") => Some(Fault::Value),
            Some("42") => Some(Fault::Other),
            _ => None,
        },
    }
}

/// The same of one that is running. A value that is none of its type is a row's then, and no fault of the text.
pub(super) fn fault_while_running(error: &Error) -> Option<Fault> {
    fault(error).filter(|fault| *fault != Fault::Value)
}

/// Whether a cancel request stopped the statement: a timeout ends one with the same code. A server that says it in another language
/// is taken for one that timed out.
fn is_user_request(refused: &DbError) -> bool {
    refused.message() == "canceling statement due to user request"
}

fn is_io(error: &Error) -> bool {
    error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>)
}

fn server_kind(refused: &DbError) -> ErrorKind {
    let code = refused.code().code();
    match code {
        "57014" if is_user_request(refused) => ErrorKind::Cancelled,
        // The latter of a whole transaction.
        "57014" | "25P04" => ErrorKind::Timeout,
        // A lock.
        "55P03" => ErrorKind::Conflict,
        // Too many connections, no such database, ended for idling.
        "53300" | "3D000" | "25P03" => ErrorKind::Unavailable,
        "42501" | "25006" => ErrorKind::Refused,
        // What the server does not do with the columns of a statement that it took: no sign of a change in them.
        "0A000" if refused.routine() != Some(REVALIDATE) => ErrorKind::Internal,
        "42P21" | "42P22" => ErrorKind::Internal,
        // The statement was checked against the catalog: a name or type that is not there now has gone since.
        "26000" | "3F000" | "0A000" => ErrorKind::Changed,
        // A subquery that yields more than one row.
        "21000" => ErrorKind::Data,
        _ => match code.get(..2) {
            // Connections, logins, and operators that intervene: shutting down, starting up.
            Some("08" | "28" | "57") => ErrorKind::Unavailable,
            // Values, and those that a domain does not take.
            Some("22" | "23") => ErrorKind::Data,
            // Deadlocks, conflicts with a standby's recovery, snapshots that are too old.
            Some("40" | "72") => ErrorKind::Conflict,
            Some("42") => ErrorKind::Changed,
            Some("53" | "54") => ErrorKind::Resources,
            _ => ErrorKind::Internal,
        },
    }
}
