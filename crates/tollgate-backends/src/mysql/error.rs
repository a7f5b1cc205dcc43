//! From the server's error numbers to the few kinds that a caller can act on. Its words go no further than the operator's log.

use std::io;

use mysql_async::{DriverError, Error, IoError};
use mysql_common::proto::codec::error::PacketCodecError;

use crate::{BackendError, ErrorKind, Fault};

/// What the driver said, as a kind with the driver's story behind it.
pub(super) fn backend_error(error: Error) -> BackendError {
    let kind = match &error {
        Error::Server(refused) => server_kind(refused.code),
        // A row that is larger than what is read of one.
        Error::Driver(DriverError::PacketTooLarge) => ErrorKind::Resources,
        Error::Io(IoError::Io(io)) if is_too_large(io) => ErrorKind::Resources,
        Error::Io(_) | Error::Driver(DriverError::ConnectionClosed) => ErrorKind::Unavailable,
        Error::Driver(_) | Error::Other(_) | Error::Url(_) => ErrorKind::Internal,
    };
    BackendError { kind, database_code: code(&error), source: Some(Box::new(error)) }
}

fn is_too_large(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(PacketCodecError::PacketTooLarge))
}

/// The same while connecting, when whatever went wrong means that there is no connection.
pub(super) fn connect_error(error: Error) -> BackendError {
    BackendError { kind: ErrorKind::Unavailable, ..backend_error(error) }
}

/// Whether a statement that holds a recursive query came to its bound: a radius that is not positive, which nothing else in a checked
/// statement has, on MariaDB and on MySQL; or on MySQL the session's own bound.
pub(super) fn is_recursion_bound(error: &Error) -> bool {
    matches!(error, Error::Server(refused) if matches!(refused.code, 3034 | 3636 | 3706))
}

/// What does not fit together in a statement that the server refuses to prepare; `None` where something else is the matter.
pub(super) fn fault(error: &Error) -> Option<Fault> {
    let Error::Server(refused) = error else { return None };
    match refused.code {
        // Mixes of collations.
        1267 | 1270 | 1271 => Some(Fault::Collations),
        // Aggregates beside columns, and where they may not stand.
        1055 | 1056 | 1111 | 1140 => Some(Fault::Grouping),
        // Operands of the wrong number, and types that an operation does not take.
        1241 | 4078 | 4079 | 1210 | 1582 => Some(Fault::Operands),
        1222 => Some(Fault::Mismatch),
        1242 => Some(Fault::Rows),
        // Values that are none of their type.
        1139 | 1292 | 1366 | 1411 | 1525 | 1690 => Some(Fault::Value),
        // An unqualified name, which stands for no table since there is no database to look in, is among these.
        // So are a recursion that the standard does not have, and a collation beside another character set.
        1046 | 1052 | 1064 | 1235 | 1247 | 1248 | 1253 | 1221 | 3573..=3577 | 4003..=4009 | 4015 | 4107 => {
            Some(Fault::Other)
        }
        _ => None,
    }
}

/// The same of one that is running: a value that is none of its type is a row's then, and no fault of the text.
pub(super) fn fault_while_running(error: &Error) -> Option<Fault> {
    fault(error).filter(|fault| *fault != Fault::Value)
}

/// What stands in the log beside the kind.
pub(super) fn code(error: &Error) -> Option<String> {
    match error {
        Error::Server(refused) => Some(refused.code.to_string()),
        Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_) => None,
    }
}

/// Whether the connection is as it was before the statement: the server refused that, and nothing more of it is on its way.
pub(super) fn leaves_the_connection(error: &Error) -> bool {
    matches!(error, Error::Server(refused) if server_kind(refused.code) != ErrorKind::Unavailable)
}

fn server_kind(code: u16) -> ErrorKind {
    match code {
        // `KILL QUERY`.
        1317 => ErrorKind::Cancelled,
        // `max_statement_time` of MariaDB, `max_execution_time` of MySQL.
        1969 | 3024 => ErrorKind::Timeout,
        // Waiting for a lock, a deadlock.
        1205 | 1213 => ErrorKind::Conflict,
        // Too many connections, no such login, shutting down, killed, gone while idling.
        1040
        | 1044
        | 1045
        | 1049
        | 1053
        | 1079
        | 1080
        | 1129
        | 1130
        | 1152
        | 1158..=1161
        | 1184
        | 1203
        | 1226
        | 1927
        | 3118
        | 4031
        | 4151 => ErrorKind::Unavailable,
        // Privileges, and a write in a read-only transaction or on a read-only server.
        1095 | 1142 | 1143 | 1227 | 1345 | 1356 | 1370 | 1449 | 1792 | 1836 => ErrorKind::Refused,
        // What was otherwise when the statement was checked: a name, a collation, what the server had prepared of it.
        1051 | 1054 | 1064 | 1146 | 1243 | 1267 | 1270 | 1271 | 1305 | 1412 | 1615 => ErrorKind::Changed,
        // Values out of range, malformed, too long; two rows where one is needed; divisions by zero; regular expressions that are none.
        1139
        | 1242
        | 1264
        | 1265
        | 1292
        | 1365
        | 1366
        | 1367
        | 1406
        | 1411
        | 1441
        | 1525
        | 1690
        | 3140..=3158
        | 3685..=3700
        | 4037..=4044 => ErrorKind::Data,
        // Memory, disk, sizes; 1290 is the memory of a session.
        1021 | 1037 | 1038 | 1041 | 1104 | 1114 | 1119 | 1135 | 1153 | 1206 | 1290 | 1301 | 1436 | 1461 | 3170 => {
            ErrorKind::Resources
        }
        _ => ErrorKind::Internal,
    }
}
