//! Bound lists where the database has no arrays and no table-valued functions with columns of their own: on MariaDB a list is a JSON
//! text that `JSON_TABLE` spells out, as values of the type of the column that they are compared with. It says that type, and nothing
//! of a value.

use super::tree::{ColumnRef, Expr};
use crate::catalog::{SqlType, TypeKind};

/// The list's name in a statement.
pub(super) const LIST: &str = "tg_list";
/// Its column's name.
pub(super) const VALUE: &str = "tg_value";

/// The type that a list's values are read as; `None` beside anything but a column of a type that lists have. Whatever is none of that type
/// becomes NULL, which equals nothing.
pub(super) fn value_type(expr: &Expr) -> Option<&'static str> {
    let Expr::Column(ColumnRef { ty: Some(SqlType { name, kind }), .. }) = expr else { return None };
    match kind {
        TypeKind::Bool | TypeKind::Int | TypeKind::BigInt if name.contains("unsigned") => Some("BIGINT UNSIGNED"),
        TypeKind::Bool | TypeKind::Int | TypeKind::BigInt => Some("BIGINT"),
        TypeKind::Decimal => Some("DECIMAL(65,30)"),
        TypeKind::Float => Some("DOUBLE"),
        TypeKind::Text | TypeKind::Enum(_) => Some("VARCHAR(4096)"),
        TypeKind::Date => Some("DATE"),
        TypeKind::Timestamp | TypeKind::TimestampTz => Some("DATETIME(6)"),
        TypeKind::Collated(_)
        | TypeKind::Bytes
        | TypeKind::Time
        | TypeKind::Uuid
        | TypeKind::Json
        | TypeKind::Array(_)
        | TypeKind::Any
        | TypeKind::Other => None,
    }
}
