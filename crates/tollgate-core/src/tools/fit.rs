//! Whether a declared tool and the database agree: parameter types, enumerations, result columns. Says nothing of values.

use super::{
    arguments::{nearest, quoted},
    claims,
    declare::ParamType,
    error::{Problem, ToolError},
    param::Param,
};
use crate::{
    catalog::{Catalog, ColumnId, SqlType, TypeKind},
    names::Dialect,
    sql::{CheckedStatement, Described, SlotUse, tree::Slot},
};

/// The type of each slot: what the database infers, else the compared column's. A list's is its items'.
pub(super) fn slot_types(statement: &CheckedStatement, described: &Described) -> Vec<Option<SqlType>> {
    let inferred = described.params.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let slots = statement.slots().iter().zip(inferred);
    slots
        .map(|(slot, inferred)| match (inferred.or(slot.ty.as_ref()), &slot.slot) {
            // To MariaDB a text that is no number equals 0: a claim is bound where it is sure what it stands beside.
            (_, Slot::Claim(_) | Slot::ClaimList(_)) if slot.mixed && statement.dialect() == Dialect::MariaDb => None,
            (Some(SqlType { kind: TypeKind::Array(item), .. }), Slot::ParamList(_) | Slot::ClaimList(_)) => {
                Some((**item).clone())
            }
            (ty, _) => ty.cloned(),
        })
        .collect()
}

/// Everything in which one variant and the database disagree.
pub(super) fn check(
    params: &[Param],
    statement: &CheckedStatement,
    described: &Described,
    slot_types: &[Option<SqlType>],
    catalog: &Catalog,
) -> Vec<ToolError> {
    let mut errors = check_columns(statement, described);
    let (slots, inferred) = (statement.slots().len(), described.params.len());
    // SQLite infers nothing and may say so by silence.
    if inferred != slots && !(inferred == 0 && statement.dialect() == Dialect::Sqlite) {
        let problem = Problem::SlotCount { described: inferred, checked: slots };
        errors.push(ToolError::new("sql", problem));
        return errors;
    }
    for (slot, ty) in statement.slots().iter().zip(slot_types) {
        match (&slot.slot, ty) {
            (Slot::Param(name) | Slot::ParamList(name), ty) => {
                let Some(param) = params.iter().find(|param| param.name() == name) else { continue };
                if let Some(ty) = ty {
                    check_type(param, ty, statement.dialect(), &mut errors);
                }
                if statement.dialect() == Dialect::MariaDb {
                    // No other engine would take it for two types.
                    let columns = slot
                        .compared
                        .iter()
                        .skip(1)
                        .filter_map(|id| catalog.column(catalog.get(&id.table)?, &id.column));
                    columns.for_each(|column| check_type(param, &column.ty, statement.dialect(), &mut errors));
                }
                check_enum(param, slot, ty.as_ref(), catalog, &mut errors);
            }
            (Slot::Claim(name) | Slot::ClaimList(name), None) if statement.dialect() == Dialect::MariaDb => {
                errors.push(ToolError::new("sql", Problem::ClaimUntyped { name: name.clone() }));
            }
            (Slot::Claim(name) | Slot::ClaimList(name), Some(ty)) if !claims::can_bind(ty) => {
                let problem = Problem::ClaimType { name: name.clone(), database: ty.name.clone() };
                errors.push(ToolError::new("sql", problem));
            }
            _ => {}
        }
    }
    errors
}

fn check_columns(statement: &CheckedStatement, described: &Described) -> Vec<ToolError> {
    let columns = statement.columns();
    if columns.len() != described.columns.len() {
        let problem = Problem::ColumnCount { described: described.columns.len(), checked: columns.len() };
        return vec![ToolError::new("sql", problem)];
    }
    let pairs = columns.iter().zip(&described.columns).enumerate();
    pairs
        .filter(|(_, (column, (name, _)))| column.name != *name)
        .map(|(position, (column, (name, _)))| {
            let (described, checked) = (name.clone(), column.name.clone());
            ToolError::new("sql", Problem::ColumnName { position: position + 1, described, checked })
        })
        .collect()
}

fn check_type(param: &Param, ty: &SqlType, dialect: Dialect, errors: &mut Vec<ToolError>) {
    let declared = param.scalar().ty();
    if takes(declared, &ty.kind, dialect) {
        return;
    }
    let problem = Problem::Type {
        name: param.name().clone(),
        ty: param.type_name(),
        database: ty.name.clone(),
        hint: hint(&ty.kind),
    };
    let at = if param.is_array() { "items.type" } else { "type" };
    errors.push(ToolError::new(&format!("params.{}.{at}", param.name()), problem));
}

/// Whether a value of the declared type is one of the database's type, always and exactly.
pub(super) fn takes(declared: ParamType, kind: &TypeKind, dialect: Dialect) -> bool {
    let sqlite = dialect == Dialect::Sqlite;
    match kind {
        // A column without a type takes each value as what it is.
        TypeKind::Any => true,
        TypeKind::Bool => declared == ParamType::Boolean,
        TypeKind::Int | TypeKind::BigInt => match declared {
            ParamType::Integer => true,
            // PostgreSQL infers the column's type for the parameter and then cannot read `1.5`; SQLite compares the numbers,
            // and keeps truth values as 0 and 1.
            ParamType::Number | ParamType::Boolean => sqlite,
            _ => false,
        },
        TypeKind::Decimal | TypeKind::Float => matches!(declared, ParamType::Integer | ParamType::Number),
        TypeKind::Text | TypeKind::Collated(_) => match declared {
            ParamType::String | ParamType::Uuid => true,
            // SQLite has no types of their own for these: a text column holds them.
            ParamType::Date | ParamType::Timestamp | ParamType::Json => sqlite,
            _ => false,
        },
        TypeKind::Enum(_) | TypeKind::Time | TypeKind::Other => declared == ParamType::String,
        TypeKind::Date => declared == ParamType::Date || (sqlite && declared == ParamType::String),
        TypeKind::Timestamp | TypeKind::TimestampTz => match declared {
            ParamType::Date | ParamType::Timestamp => true,
            // Of whatever form the table keeps.
            ParamType::String => sqlite,
            _ => false,
        },
        TypeKind::Uuid => declared == ParamType::Uuid || (sqlite && declared == ParamType::String),
        TypeKind::Json => declared == ParamType::Json,
        TypeKind::Bytes | TypeKind::Array(_) => false,
    }
}

fn hint(kind: &TypeKind) -> &'static str {
    match kind {
        TypeKind::Bool => "; declare it as `boolean`",
        TypeKind::Int | TypeKind::BigInt => "; declare it as `integer`",
        TypeKind::Decimal | TypeKind::Float => "; declare it as `number`",
        TypeKind::Text | TypeKind::Collated(_) | TypeKind::Enum(_) | TypeKind::Time | TypeKind::Other => {
            "; declare it as `string`"
        }
        TypeKind::Date => "; declare it as `date`",
        TypeKind::Timestamp | TypeKind::TimestampTz => "; declare it as `timestamp`",
        TypeKind::Uuid => "; declare it as `uuid`",
        TypeKind::Json => "; declare it as `json`",
        TypeKind::Array(_) => "; an array parameter can only be used as `IN (:name)`",
        TypeKind::Bytes => "; byte strings cannot be parameters",
        TypeKind::Any => "",
    }
}

/// Every value of the parameter's enumeration is one that the database has.
fn check_enum(param: &Param, slot: &SlotUse, ty: Option<&SqlType>, catalog: &Catalog, errors: &mut Vec<ToolError>) {
    let mut lists: Vec<(String, &[String])> = Vec::new();
    if let Some(SqlType { name, kind: TypeKind::Enum(labels) }) = ty {
        if param.scalar().allowed_texts().is_none() {
            let problem = Problem::EnumMissing { name: param.name().clone(), database: name.clone() };
            errors.push(ToolError::new(&format!("params.{}", param.name()), problem));
            return;
        }
        lists.push((name.clone(), labels));
    }
    lists.extend(slot.compared.iter().filter_map(|column| allowed(column, catalog)));
    let at = if param.is_array() { "items.enum" } else { "enum" };
    for (column, allowed) in lists {
        let values = param.scalar().allowed_texts().unwrap_or_default().iter().enumerate();
        for (position, value) in values.filter(|(_, value)| !allowed.contains(value)) {
            let problem = Problem::EnumValue {
                value: quoted(value),
                column: column.clone(),
                near: nearest(value, allowed.iter().map(String::as_str)).map(str::to_owned),
            };
            errors.push(ToolError::new(&format!("params.{}.{at}[{position}]", param.name()), problem));
        }
    }
}

/// The values that a column's CHECK allows.
fn allowed<'c>(column: &ColumnId, catalog: &'c Catalog) -> Option<(String, &'c [String])> {
    let table = catalog.get(&column.table)?;
    let found = catalog.column(table, &column.column)?;
    Some((format!("{}.{}", column.table.name, column.column), found.allowed.as_deref()?))
}
