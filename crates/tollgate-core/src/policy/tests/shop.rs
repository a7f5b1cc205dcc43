//! The shop that the cases are about, read from `testdata/policy`.

use std::sync::Arc;

use serde_json::Value;

use super::{read, testdata};
use crate::catalog::{Catalog, Column, SqlType, Table, TableId, TableKind, TypeKind};
use crate::names::Dialect;
use crate::policy::{ColumnsGrant, MaskGrant, Role, RoleGrant, RowsGrant, TableGrant};
use crate::sql::MaskKey;

/// The schema, in a dialect.
pub(super) fn catalog(dialect: Dialect) -> Catalog {
    let schema = match dialect {
        Dialect::Postgres => "public",
        Dialect::Sqlite => "main",
        Dialect::MariaDb => "shop",
    };
    let tables = read("policy/shop.schema").lines().map(|line| table(line, schema, dialect)).collect();
    Catalog::new(dialect, schema.to_owned(), "test".to_owned(), tables)
}

fn table(line: &str, schema: &str, dialect: Dialect) -> Table {
    let (name, columns) = line.split_once(": ").unwrap();
    let (kind, name) = match name.strip_prefix("view ") {
        Some(name) => (TableKind::View, name),
        None => (TableKind::Table, name),
    };
    Table {
        id: TableId { schema: schema.to_owned(), name: name.to_owned() },
        kind,
        columns: columns.split(", ").map(|column| self::column(column, dialect)).collect(),
        primary_key: vec!["id".to_owned()],
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: None,
    }
}

fn array(name: &str, kind: TypeKind) -> TypeKind {
    TypeKind::Array(Box::new(SqlType { name: name.to_owned(), kind }))
}

fn column(text: &str, dialect: Dialect) -> Column {
    let (name, ty) = text.split_once(' ').unwrap();
    let nullable = ty.ends_with('?');
    let (ty, kind) = match (ty.trim_end_matches('?'), dialect) {
        ("text", _) | ("enum" | "german" | "french" | "word", Dialect::Sqlite) => ("text", TypeKind::Text),
        ("int" | "bigint", Dialect::Sqlite) => ("integer", TypeKind::BigInt),
        ("int", _) => ("integer", TypeKind::Int),
        ("bigint", _) => ("bigint", TypeKind::BigInt),
        ("decimal", Dialect::Sqlite) => ("NUMERIC", TypeKind::Any),
        ("decimal", _) => ("numeric(12,2)", TypeKind::Decimal),
        ("float", _) => ("double precision", TypeKind::Float),
        ("date", _) => ("date", TypeKind::Date),
        ("timestamptz", _) => ("timestamp with time zone", TypeKind::TimestampTz),
        ("json", _) => ("jsonb", TypeKind::Json),
        ("enum", _) => ("public.\"User Status\"", TypeKind::Enum(vec!["active".into(), "inactive".into()])),
        ("word", _) => ("public.word", TypeKind::Text),
        ("german" | "french", _) => ("text", TypeKind::Collated(ty.to_owned())),
        ("texts", _) => ("text[]", array("text", TypeKind::Text)),
        ("documents", _) => ("json[]", array("json", TypeKind::Json)),
        ("other", _) => ("public.tags", TypeKind::Other),
        (other, _) => panic!("no type {other} in {}", testdata("policy/shop.schema").display()),
    };
    let ty = SqlType { name: ty.to_owned(), kind };
    Column { name: name.to_owned(), ty, nullable, allowed: None, comment: None }
}

/// A role of `testdata/policy/roles.json`.
pub(super) fn role(dialect: Dialect, name: &str) -> Role {
    let roles: Value = serde_json::from_str(&read("policy/roles.json")).unwrap();
    Role::compile(&grant(&roles[name]), &catalog(dialect)).unwrap()
}

/// A role as the configuration would have it, from JSON.
pub(super) fn grant(role: &Value) -> RoleGrant {
    let tables = role.as_object().unwrap().iter();
    let tables = tables.filter(|(key, _)| *key != "mask_key").map(|(key, table)| table_grant(key, table)).collect();
    let secret = role.get("mask_key").and_then(Value::as_str);
    RoleGrant { tables, mask_key: secret.map(|secret| Arc::new(MaskKey::of_role(secret, "support"))) }
}

fn mask_grant(written: &Value) -> MaskGrant {
    match written {
        Value::String(name) => MaskGrant::Named(name.clone()),
        sql => MaskGrant::Sql(sql["sql"].as_str().unwrap().to_owned()),
    }
}

fn table_grant(key: &str, written: &Value) -> TableGrant {
    let mut parts: Vec<&str> = key.split('.').skip(1).collect();
    let table = parts.pop().unwrap().to_owned();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let masks = written.get("masks").and_then(Value::as_object);
    TableGrant {
        key: key.to_owned(),
        schema: parts.pop().map(str::to_owned),
        table,
        columns: match &written["columns"] {
            Value::Array(list) => ColumnsGrant::These(list.iter().map(text).collect()),
            all => ColumnsGrant::AllExcept(all["all_except"].as_array().unwrap().iter().map(text).collect()),
        },
        masks: masks.into_iter().flatten().map(|(column, mask)| (column.clone(), mask_grant(mask))).collect(),
        rows: match written.get("rows") {
            None => None,
            Some(Value::Array(list)) => Some(RowsGrant::List(list.iter().map(text).collect())),
            Some(Value::Object(rows)) => Some(RowsGrant::Owner {
                sql: text(&rows["sql"]),
                tables: rows["owner"].as_array().unwrap().iter().map(text).collect(),
            }),
            Some(one) => Some(RowsGrant::One(text(one))),
        },
        min_group_size: written
            .get("min_group_size")
            .map(|least| u32::try_from(least.as_u64().unwrap()).unwrap().try_into().unwrap()),
    }
}
