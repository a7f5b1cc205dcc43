//! From the parser's tree to ours: deny by default, every name looked up in what the caller sees and in nothing else.
//!
//! It never consults the catalog for a table that is not visible, so a hidden name and a missing one cannot differ.

mod scope;

pub use scope::{ClaimUse, ParamShape, Scope};

use super::error::SqlError;
use super::tree;
use crate::catalog::Table;

/// Parses one SELECT and resolves it.
pub fn resolve_query(sql: &str, scope: &Scope<'_>) -> Result<tree::Query, SqlError> {
    let _ = (sql, scope);
    Err(SqlError::unsupported("this statement"))
}

/// Parses a predicate over `table` and resolves it. The table's own columns, hidden ones too, stand under the alias `RAW`;
/// subqueries see the scope's tables.
pub fn resolve_predicate(sql: &str, table: &Table, scope: &Scope<'_>) -> Result<tree::Expr, SqlError> {
    let _ = (sql, table, scope);
    Err(SqlError::unsupported("this predicate"))
}
