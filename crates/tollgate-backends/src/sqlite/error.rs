//! SQLite's errors in our few kinds. Its messages quote names and data: they go to the operator as the source, never further.

use rusqlite::{Error, ErrorCode, ffi};

use crate::{BackendError, ErrorKind, Fault};

/// What was being done when SQLite failed: its one code for "SQL error" means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Opening the file.
    Opening,
    /// Preparing a statement: its text fitted the schema when it was checked.
    Preparing,
    /// Preparing a caller's own statement, which may not fit together.
    PreparingOnce,
    /// Running a statement, over values.
    Running,
}

/// An error of ours for one of SQLite's. An interruption is for the caller to explain.
pub(super) fn classify(error: Error, phase: Phase) -> BackendError {
    let kind = match (&error, failure(&error)) {
        (_, Some((failure, message))) => kind_of(failure.extended_code, message, phase),
        // A second statement behind the first.
        (Error::MultipleStatement, None) => ErrorKind::Refused,
        (_, None) => ErrorKind::Internal,
    };
    let database_code = failure(&error).map(|(failure, _)| failure.extended_code.to_string());
    BackendError { kind, database_code, source: Some(Box::new(error)) }
}

/// SQLite's own code and message, where the error is SQLite's and not the driver's.
fn failure(error: &Error) -> Option<(&ffi::Error, &str)> {
    match error {
        Error::SqliteFailure(failure, message) => Some((failure, message.as_deref().unwrap_or_default())),
        Error::SqlInputError { error: failure, msg, .. } => Some((failure, msg)),
        _ => None,
    }
}

/// Whether an error leaves a connection that is better not used again.
pub(super) fn breaks_connection(error: &BackendError) -> bool {
    matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Internal)
        || error.database_code.as_deref() == Some(&*ffi::SQLITE_NOMEM.to_string())
}

/// Whether SQLite stopped because it was told to.
pub(super) fn is_interruption(error: &Error) -> bool {
    failure(error).is_some_and(|(failure, _)| failure.code == ErrorCode::OperationInterrupted)
}

/// Whether SQLite could not make sense of a text or of the schema it names.
pub(super) fn is_sql_error(error: &Error) -> bool {
    failure(error).is_some_and(|(failure, _)| failure.extended_code & 0xff == ffi::SQLITE_ERROR)
}

/// The code of our own function's error where a recursive query has too many rows: none of SQLite's.
pub(super) const RECURSION_BOUND: i32 = ffi::SQLITE_ERROR | (0x54 << 8);

fn kind_of(extended_code: i32, message: &str, phase: Phase) -> ErrorKind {
    match extended_code {
        RECURSION_BOUND => return ErrorKind::Recursion,
        // Memory that a file's page wants.
        ffi::SQLITE_IOERR_NOMEM => return ErrorKind::Resources,
        ffi::SQLITE_ERROR_MISSING_COLLSEQ => return ErrorKind::Changed,
        _ => {}
    }
    match extended_code & 0xff {
        ffi::SQLITE_ERROR => match phase {
            Phase::Opening => ErrorKind::Unavailable,
            // The authorizer's word about a function, which has no code of its own.
            _ if message.starts_with("not authorized") => ErrorKind::Refused,
            Phase::Preparing => ErrorKind::Changed,
            Phase::PreparingOnce => match message {
                // Every name was resolved against the catalog: what is not there now has gone since.
                gone if gone.starts_with("no such table") || gone.starts_with("no such column") => ErrorKind::Changed,
                misuse if misuse.starts_with("misuse of ") => ErrorKind::Statement(Fault::Grouping),
                _ => ErrorKind::Statement(Fault::Other),
            },
            Phase::Running if message.starts_with("no such ") => ErrorKind::Changed,
            Phase::Running => ErrorKind::Data,
        },
        ffi::SQLITE_PERM | ffi::SQLITE_AUTH | ffi::SQLITE_READONLY if phase != Phase::Opening => ErrorKind::Refused,
        // Locks of who writes.
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED | ffi::SQLITE_PROTOCOL => ErrorKind::Conflict,
        ffi::SQLITE_NOMEM | ffi::SQLITE_FULL | ffi::SQLITE_TOOBIG => ErrorKind::Resources,
        ffi::SQLITE_PERM
        | ffi::SQLITE_READONLY
        | ffi::SQLITE_CANTOPEN
        | ffi::SQLITE_IOERR
        | ffi::SQLITE_CORRUPT
        | ffi::SQLITE_NOLFS
        | ffi::SQLITE_NOTADB => ErrorKind::Unavailable,
        ffi::SQLITE_SCHEMA => ErrorKind::Changed,
        ffi::SQLITE_CONSTRAINT | ffi::SQLITE_MISMATCH => ErrorKind::Data,
        _ => ErrorKind::Internal,
    }
}
