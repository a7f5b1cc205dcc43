//! The server's types in the core's words: of columns by `information_schema`, of results by what the protocol says of them. It asks
//! the database nothing.

use mysql_async::{
    Column,
    consts::{ColumnFlags, ColumnType},
};
use tollgate_core::catalog::{SqlType, TypeKind};

/// The character set that stands for bytes.
const BINARY: u16 = 63;

/// A column's type by `COLUMN_TYPE`, `int(10) unsigned` or `enum('a','b')`.
pub(super) fn declared(declaration: &str) -> SqlType {
    SqlType { name: declaration.to_owned(), kind: declared_kind(declaration) }
}

fn declared_kind(declaration: &str) -> TypeKind {
    let end = declaration.find(['(', ' ']).unwrap_or(declaration.len());
    let (name, rest) = declaration.split_at_checked(end).unwrap_or((declaration, ""));
    match name {
        // What both servers make of BOOLEAN.
        "tinyint" if rest == "(1)" => TypeKind::Bool,
        "int" if rest.contains("unsigned") => TypeKind::BigInt,
        "tinyint" | "smallint" | "mediumint" | "int" | "year" => TypeKind::Int,
        "bigint" | "bit" => TypeKind::BigInt,
        "decimal" => TypeKind::Decimal,
        "float" | "double" => TypeKind::Float,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => TypeKind::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => TypeKind::Bytes,
        "date" => TypeKind::Date,
        "time" => TypeKind::Time,
        "datetime" => TypeKind::Timestamp,
        "timestamp" => TypeKind::TimestampTz,
        "json" => TypeKind::Json,
        "uuid" => TypeKind::Uuid,
        "enum" => labels(rest).map_or(TypeKind::Other, TypeKind::Enum),
        _ => TypeKind::Other,
    }
}

/// The labels of `('a','it''s')`; backslashes stand for themselves there.
fn labels(list: &str) -> Option<Vec<String>> {
    let mut rest = list.strip_prefix('(')?.strip_suffix(')')?;
    let mut labels = Vec::new();
    loop {
        let mut label = String::new();
        rest = rest.strip_prefix('\'')?;
        loop {
            let (piece, after) = rest.split_once('\'')?;
            label.push_str(piece);
            rest = after;
            match after.strip_prefix('\'') {
                Some(after) => {
                    label.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        labels.push(label);
        if rest.is_empty() {
            return Some(labels);
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// A result column's type as the protocol has it, made narrower by what the core knows of it: truth values travel as integers and
/// documents, enumerations and UUIDs as texts.
pub(super) fn of_result(column: &Column, known: Option<&SqlType>) -> SqlType {
    let sent = sent(column);
    match known {
        Some(known) if narrows(&known.kind, &sent.kind) => known.clone(),
        _ => sent,
    }
}

fn narrows(known: &TypeKind, sent: &TypeKind) -> bool {
    match known {
        TypeKind::Bool => matches!(sent, TypeKind::Int),
        TypeKind::Text | TypeKind::Collated(_) | TypeKind::Enum(_) | TypeKind::Json | TypeKind::Uuid => {
            matches!(sent, TypeKind::Text)
        }
        // Of bits the number is sent.
        TypeKind::BigInt | TypeKind::Other => false,
        known => known == sent,
    }
}

fn sent(column: &Column) -> SqlType {
    let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let (name, kind) = match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY => ("tinyint", TypeKind::Int),
        ColumnType::MYSQL_TYPE_SHORT => ("smallint", TypeKind::Int),
        ColumnType::MYSQL_TYPE_YEAR => ("year", TypeKind::Int),
        ColumnType::MYSQL_TYPE_INT24 => ("mediumint", TypeKind::Int),
        ColumnType::MYSQL_TYPE_LONG if unsigned => ("int", TypeKind::BigInt),
        ColumnType::MYSQL_TYPE_LONG => ("int", TypeKind::Int),
        ColumnType::MYSQL_TYPE_LONGLONG => ("bigint", TypeKind::BigInt),
        ColumnType::MYSQL_TYPE_FLOAT => ("float", TypeKind::Float),
        ColumnType::MYSQL_TYPE_DOUBLE => ("double", TypeKind::Float),
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => ("decimal", TypeKind::Decimal),
        ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => ("date", TypeKind::Date),
        ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => ("time", TypeKind::Time),
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_DATETIME2 => ("datetime", TypeKind::Timestamp),
        ColumnType::MYSQL_TYPE_TIMESTAMP | ColumnType::MYSQL_TYPE_TIMESTAMP2 => ("timestamp", TypeKind::TimestampTz),
        ColumnType::MYSQL_TYPE_JSON => ("json", TypeKind::Json),
        ColumnType::MYSQL_TYPE_GEOMETRY => ("geometry", TypeKind::Other),
        ColumnType::MYSQL_TYPE_NULL => ("null", TypeKind::Text),
        ColumnType::MYSQL_TYPE_ENUM | ColumnType::MYSQL_TYPE_SET => ("text", TypeKind::Text),
        ColumnType::MYSQL_TYPE_VARCHAR
        | ColumnType::MYSQL_TYPE_VAR_STRING
        | ColumnType::MYSQL_TYPE_STRING
        | ColumnType::MYSQL_TYPE_TINY_BLOB
        | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
        | ColumnType::MYSQL_TYPE_LONG_BLOB
        | ColumnType::MYSQL_TYPE_BLOB => {
            if column.character_set() == BINARY {
                ("blob", TypeKind::Bytes)
            } else {
                ("text", TypeKind::Text)
            }
        }
        // Replication's, and those that came after this was written: nobody knows how they read. Bits are numbers in each statement of ours.
        ColumnType::MYSQL_TYPE_BIT
        | ColumnType::MYSQL_TYPE_TYPED_ARRAY
        | ColumnType::MYSQL_TYPE_VECTOR
        | ColumnType::MYSQL_TYPE_UNKNOWN => {
            ("unknown", TypeKind::Array(Box::new(SqlType { name: "unknown".to_owned(), kind: TypeKind::Other })))
        }
    };
    let signed = if unsigned && matches!(kind, TypeKind::Int | TypeKind::BigInt) { " unsigned" } else { "" };
    SqlType { name: format!("{name}{signed}"), kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read() {
        let kind = |text: &str| declared(text).kind;
        assert_eq!(kind("tinyint(1)"), TypeKind::Bool);
        assert_eq!(kind("tinyint(1) unsigned"), TypeKind::Int);
        assert_eq!(kind("int"), TypeKind::Int);
        assert_eq!(kind("int(10) unsigned"), TypeKind::BigInt);
        assert_eq!(kind("year(4)"), TypeKind::Int);
        assert_eq!(kind("set('a','b')"), TypeKind::Other);
        assert_eq!(kind("point"), TypeKind::Other);
        assert_eq!(kind("text /* mariadb-5.3 */"), TypeKind::Text);
        let labels = ["a", "it's", "c,d", "(", ""].map(str::to_owned).to_vec();
        assert_eq!(kind("enum('a','it''s','c,d','(','')"), TypeKind::Enum(labels));
        assert_eq!(kind("enum('a'"), TypeKind::Other);
    }
}
