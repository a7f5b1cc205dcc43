//! What a declared type means. SQLite itself reads little from one; people mean more by it, and `check` holds tools to that.

use tollgate_core::catalog::{SqlType, TypeKind};

/// The type of a column by its declaration; an empty one, or none, says nothing.
pub(super) fn declared(declaration: Option<&str>) -> SqlType {
    let name = declaration.unwrap_or_default().trim();
    SqlType { name: name.to_owned(), kind: kind(name) }
}

fn kind(declaration: &str) -> TypeKind {
    let upper = declaration.to_ascii_uppercase();
    let name = upper.split('(').next().unwrap_or_default().trim();
    match name {
        "BOOL" | "BOOLEAN" => TypeKind::Bool,
        "JSON" | "JSONB" => TypeKind::Json,
        "DATE" => TypeKind::Date,
        "TIME" => TypeKind::Time,
        "DATETIME" | "TIMESTAMP" => TypeKind::Timestamp,
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => TypeKind::TimestampTz,
        "UUID" | "GUID" => TypeKind::Uuid,
        // No declaration says nothing; and the values of these SQLite keeps as integers, doubles or text, as they come, so
        // that no kind is true of all of them.
        "" | "NUMERIC" | "DECIMAL" | "NUMBER" | "MONEY" | "ANY" => TypeKind::Any,
        // The rest by SQLite's own rules of affinity, in its order.
        _ if name.contains("INT") => TypeKind::BigInt,
        _ if ["CHAR", "CLOB", "TEXT"].iter().any(|part| name.contains(part)) => TypeKind::Text,
        _ if name.contains("BLOB") => TypeKind::Bytes,
        _ if ["REAL", "FLOA", "DOUB"].iter().any(|part| name.contains(part)) => TypeKind::Float,
        _ => TypeKind::Any,
    }
}
