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
    /// MariaDB 10.11 and later. What MySQL 8 does otherwise is said where it matters.
    MariaDb,
}

impl Dialect {
    /// The name people know the engine by.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Postgres => "PostgreSQL",
            Dialect::Sqlite => "SQLite",
            Dialect::MariaDb => "MariaDB",
        }
    }

    /// Folds an identifier that was written without quotes to the spelling the catalog has.
    /// PostgreSQL folds to lower case; SQLite and MariaDB keep the spelling and compare without case.
    pub fn fold(self, unquoted: &str) -> String {
        match self {
            Dialect::Postgres => unquoted.to_ascii_lowercase(),
            Dialect::Sqlite | Dialect::MariaDb => unquoted.to_owned(),
        }
    }

    /// Whether two identifiers, already folded, name the same thing. MariaDB tells tables and aliases apart by case where its
    /// files are, and columns never: what differs by case alone is one name here.
    pub fn same_name(self, a: &str, b: &str) -> bool {
        match self {
            Dialect::Postgres => a == b,
            Dialect::Sqlite | Dialect::MariaDb => a.eq_ignore_ascii_case(b),
        }
    }
}
