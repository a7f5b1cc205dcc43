//! LIKE patterns: whether an engine could refuse one while it compares.

use crate::names::Dialect;

/// A longer constant pattern counts as leaky: SQLite refuses very long ones while it runs.
pub(super) const BYTES_MAX: usize = crate::sql::limits::PATTERN_BYTES_MAX;

/// The escape character of a LIKE that does not name one.
pub(in crate::sql) fn default_escape(dialect: Dialect) -> Option<char> {
    match dialect {
        Dialect::Postgres | Dialect::MariaDb => Some('\\'),
        Dialect::Sqlite => None,
    }
}

/// Whether a pattern ends in an escape that escapes nothing. PostgreSQL fails on one (MariaDB, whose patterns are held to the same,
/// does not), but only when a value matches that far,
/// which makes the failure an oracle over values.
pub fn ends_in_escape(pattern: &str, escape: char) -> bool {
    let mut escaped = false;
    for c in pattern.chars() {
        escaped = !escaped && c == escape;
    }
    escaped
}

/// The same for a LIKE with or without an escape of its own.
pub(in crate::sql) fn unfinished(pattern: &str, escape: Option<char>, dialect: Dialect) -> bool {
    escape.or(default_escape(dialect)).is_some_and(|escape| ends_in_escape(pattern, escape))
}
