//! PostgreSQL's types in the core's words: by name and by kind. It asks the database nothing.

use postgres_types::{Kind, Oid, Type};
use tollgate_core::catalog::{SqlType, TypeKind};

/// Domains within domains and arrays of them, at most; the catalogs cannot make a circle, a broken server could.
const NESTING_MAX: u32 = 16;

/// The core's type for a type of the driver, with the modifier of its column (-1 without one).
pub(super) fn sql_type(ty: &Type, modifier: i32) -> SqlType {
    SqlType { name: name(ty, modifier), kind: kind(ty) }
}

/// The type under a domain, or the type itself.
pub(super) fn base(ty: &Type) -> &Type {
    let mut ty = ty;
    for _ in 0..NESTING_MAX {
        match ty.kind() {
            Kind::Domain(inner) => ty = inner,
            _ => break,
        }
    }
    ty
}

/// The kind of a type; `Other` for whatever is not known to bind, compare and encode as one of ours.
pub(super) fn kind(ty: &Type) -> TypeKind {
    nested_kind(ty, NESTING_MAX)
}

fn nested_kind(ty: &Type, depth_left: u32) -> TypeKind {
    let Some(depth_left) = depth_left.checked_sub(1) else { return TypeKind::Other };
    match ty.kind() {
        Kind::Domain(inner) => nested_kind(inner, depth_left),
        Kind::Enum(labels) => TypeKind::Enum(labels.clone()),
        Kind::Array(element) => {
            let element = SqlType { name: name(element, -1), kind: nested_kind(element, depth_left) };
            TypeKind::Array(Box::new(element))
        }
        Kind::Simple => builtin_kind(ty.oid()),
        _ => TypeKind::Other,
    }
}

/// The kind of a type that every PostgreSQL has; `Other` for all others.
pub(super) fn builtin_kind(oid: Oid) -> TypeKind {
    let Some(ty) = Type::from_oid(oid) else { return TypeKind::Other };
    match ty {
        Type::BOOL => TypeKind::Bool,
        Type::INT2 | Type::INT4 => TypeKind::Int,
        Type::INT8 => TypeKind::BigInt,
        Type::NUMERIC => TypeKind::Decimal,
        Type::FLOAT4 | Type::FLOAT8 => TypeKind::Float,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => TypeKind::Text,
        Type::BYTEA => TypeKind::Bytes,
        Type::DATE => TypeKind::Date,
        Type::TIME => TypeKind::Time,
        Type::TIMESTAMP => TypeKind::Timestamp,
        Type::TIMESTAMPTZ => TypeKind::TimestampTz,
        Type::UUID => TypeKind::Uuid,
        Type::JSON | Type::JSONB => TypeKind::Json,
        _ => TypeKind::Other,
    }
}

/// The spelling that `format_type` gives under an empty search path.
fn name(ty: &Type, modifier: i32) -> String {
    if let Kind::Array(element) = ty.kind() {
        return format!("{}[]", name(element, modifier));
    }
    match *ty {
        Type::BOOL => "boolean".to_owned(),
        Type::INT2 => "smallint".to_owned(),
        Type::INT4 => "integer".to_owned(),
        Type::INT8 => "bigint".to_owned(),
        Type::FLOAT4 => "real".to_owned(),
        Type::FLOAT8 => "double precision".to_owned(),
        Type::VARCHAR => length("character varying", modifier),
        Type::BPCHAR if modifier < 0 => "bpchar".to_owned(),
        Type::BPCHAR => length("character", modifier),
        Type::NUMERIC => numeric(modifier),
        Type::TIME => fraction("time", modifier, " without time zone"),
        Type::TIMETZ => fraction("time", modifier, " with time zone"),
        Type::TIMESTAMP => fraction("timestamp", modifier, " without time zone"),
        Type::TIMESTAMPTZ => fraction("timestamp", modifier, " with time zone"),
        Type::CHAR => "\"char\"".to_owned(),
        _ if ty.schema() == "pg_catalog" => ty.name().to_owned(),
        _ => format!("{}.{}", quoted_if_needed(ty.schema()), quoted_if_needed(ty.name())),
    }
}

fn length(name: &str, modifier: i32) -> String {
    if modifier < 4 { name.to_owned() } else { format!("{name}({})", modifier - 4) }
}

fn numeric(modifier: i32) -> String {
    if modifier < 4 {
        return "numeric".to_owned();
    }
    let packed = modifier - 4;
    // The scale is an 11-bit signed number since PostgreSQL 15.
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    format!("numeric({},{scale})", (packed >> 16) & 0xffff)
}

fn fraction(name: &str, modifier: i32, zone: &str) -> String {
    if modifier < 0 { format!("{name}{zone}") } else { format!("{name}({modifier}){zone}") }
}

fn quoted_if_needed(identifier: &str) -> String {
    let first_plain = identifier.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    let plain = identifier.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if first_plain && plain { identifier.to_owned() } else { format!("\"{}\"", identifier.replace('"', "\"\"")) }
}
