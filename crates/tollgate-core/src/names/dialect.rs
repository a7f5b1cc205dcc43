//! The SQL dialects Tollgate speaks.

use serde::{Deserialize, Serialize};

/// A SQL dialect. Everything that differs between engines in the core matches on this exhaustively.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// PostgreSQL 15 and later, and servers that speak its protocol.
    Postgres,
    /// SQLite, embedded.
    Sqlite,
}

impl Dialect {
    /// The name people know the engine by.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Postgres => "PostgreSQL",
            Dialect::Sqlite => "SQLite",
        }
    }

    /// Folds an identifier that was written without quotes to the spelling the catalog has.
    /// PostgreSQL folds to lower case; SQLite keeps the spelling and compares without case.
    pub fn fold(self, unquoted: &str) -> String {
        match self {
            Dialect::Postgres => unquoted.to_ascii_lowercase(),
            Dialect::Sqlite => unquoted.to_owned(),
        }
    }

    /// Whether two identifiers, already folded, name the same thing.
    pub fn same_name(self, a: &str, b: &str) -> bool {
        match self {
            Dialect::Postgres => a == b,
            Dialect::Sqlite => a.eq_ignore_ascii_case(b),
        }
    }
}
