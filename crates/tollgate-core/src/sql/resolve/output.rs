//! What comes out of a query: names, and for each column what is known without asking the database.

use super::types::sql_type;
use crate::catalog::{SqlType, TypeKind};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::functions::{ResultType, lookup};
use crate::sql::leak;
use crate::sql::statement::OutputColumn;
use crate::sql::tree::{
    BinaryOp, Expr, Function, FunctionArgs, Literal, OpClass, Query, Select, SetExpr, Subscript, UnaryOp,
};
use crate::sql::walk::{self, Node};

/// One output column while its SELECT is being resolved.
#[derive(Clone, Debug)]
pub(super) struct Output {
    /// Its name.
    pub(super) name: String,
    /// What is computed.
    pub(super) expr: Expr,
    /// Where the name comes from.
    pub(super) naming: Naming,
}

/// Where an output column's name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// An alias of the text.
    Alias,
    /// The column it is.
    Column,
    /// Made up, after the function for example.
    MadeUp,
}

/// The name of an output column without an alias; `position` counts from 1.
pub(super) fn default_name(expr: &Expr, position: usize) -> (String, Naming) {
    match expr {
        Expr::Column(column) => (column.name.clone(), Naming::Column),
        Expr::Function(Function { name, .. }) => ((*name).to_owned(), Naming::MadeUp),
        Expr::Added { function, args: _ } => (function.name.clone(), Naming::MadeUp),
        Expr::Case { .. } => ("case".to_owned(), Naming::MadeUp),
        Expr::Exists { .. } => ("exists".to_owned(), Naming::MadeUp),
        Expr::Cast { expr, ty: _ } if matches!(**expr, Expr::Column(_)) => {
            (default_name(expr, position).0, Naming::MadeUp)
        }
        Expr::Scalar(query) => match first_select(&query.body).and_then(|s| s.projection.first()) {
            Some(projection) => (projection.name.clone(), Naming::MadeUp),
            None => (format!("column{position}"), Naming::MadeUp),
        },
        _ => (format!("column{position}"), Naming::MadeUp),
    }
}

/// The SELECT that names a query's columns: the leftmost.
fn first_select(body: &SetExpr) -> Option<&Select> {
    let mut body = body;
    loop {
        match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &query.body,
        }
    }
}

/// How many columns a query has; the arms of a set operation have equally many.
pub(super) fn width(body: &SetExpr) -> usize {
    first_select(body).map_or(0, |select| select.projection.len())
}

/// The same, to rename its columns.
pub(super) fn first_select_mut(body: &mut SetExpr) -> &mut Select {
    match body {
        SetExpr::Select(select) => select,
        SetExpr::SetOperation { left, .. } => first_select_mut(left),
        SetExpr::Query(query) => first_select_mut(&mut query.body),
    }
}

/// Refuses two output columns of one name: a row is an object, and one would hide the other.
pub(in crate::sql) fn unique_output_names(dialect: Dialect, columns: &[OutputColumn]) -> Result<(), SqlError> {
    unique(dialect, columns.iter().map(|column| column.name.clone()), "the result")
}

/// Refuses two equal names.
pub(super) fn unique(dialect: Dialect, names: impl Iterator<Item = String>, place: &str) -> Result<(), SqlError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        let key = match dialect {
            Dialect::Postgres => name.clone(),
            Dialect::Sqlite | Dialect::MariaDb => name.to_ascii_lowercase(),
        };
        if !seen.insert(key) {
            return Err(SqlError::DuplicateColumn { name: shown(&name), place: place.to_owned() });
        }
    }
    Ok(())
}

/// A query's columns, as far as they are known without the database.
pub(in crate::sql) fn output_columns(dialect: Dialect, query: &Query) -> Vec<OutputColumn> {
    body_columns(dialect, &query.body)
}

/// The columns of a query without its ordering.
pub(super) fn body_columns(dialect: Dialect, body: &SetExpr) -> Vec<OutputColumn> {
    match body {
        SetExpr::Query(query) => output_columns(dialect, query),
        SetExpr::Select(select) => {
            let mut columns: Vec<OutputColumn> =
                select.projection.iter().map(|p| describe(dialect, p.name.clone(), &p.expr)).collect();
            if !select.grouping_sets.is_empty() {
                // What a set leaves out is NULL in its rows.
                for column in &mut columns {
                    column.nullable = true;
                }
            }
            columns
        }
        SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
            let arms = body_columns(dialect, left).into_iter().zip(body_columns(dialect, right));
            arms.map(|(left, right)| merge(left, &right)).collect()
        }
    }
}

/// The columns of a query as the query around it reads them. What it computes is of the type that tells what can fail over it;
/// SQLite knows none.
pub(super) fn columns_read(dialect: Dialect, body: &SetExpr) -> Vec<OutputColumn> {
    let mut columns = body_columns(dialect, body);
    if dialect != Dialect::Sqlite {
        for (column, kind) in columns.iter_mut().zip(leak::types_of(dialect, body)) {
            column.ty = kind.map(|kind| typed(column.ty.take(), kind));
        }
    }
    columns
}

/// A type by its kind, with its name where that is known.
pub(super) fn typed(known: Option<SqlType>, kind: TypeKind) -> SqlType {
    known.filter(|ty| ty.kind == kind).unwrap_or(SqlType { name: String::new(), kind })
}

/// A column that comes from two arms of a set operation keeps of itself what they agree on.
fn merge(left: OutputColumn, right: &OutputColumn) -> OutputColumn {
    OutputColumn {
        origin: left.origin.filter(|origin| right.origin.as_ref() == Some(origin)),
        ty: left.ty.filter(|ty| right.ty.as_ref() == Some(ty)),
        nullable: left.nullable || right.nullable,
        masked: left.masked || right.masked,
        name: left.name,
    }
}

/// What is known of an expression.
pub(super) fn describe(dialect: Dialect, name: String, expr: &Expr) -> OutputColumn {
    if let Expr::Column(c) = expr {
        return OutputColumn {
            name,
            origin: c.origin.clone(),
            ty: c.ty.clone(),
            nullable: c.nullable,
            masked: c.masked,
        };
    }
    OutputColumn { name, origin: None, ty: type_of(dialect, expr), nullable: nullable(expr), masked: masked(expr) }
}

/// Whether a masked column has a part in the value, by way of a subquery's conditions too.
fn masked(expr: &Expr) -> bool {
    let mut found = false;
    walk::each_in_expr(expr, &mut |node| {
        if let Node::Expr(Expr::Column(column)) = node {
            found |= column.masked;
        }
    });
    found
}

/// The type of a query's first column. It asks for nothing else, so that a deep nest stays linear.
fn first_type(dialect: Dialect, body: &SetExpr) -> Option<SqlType> {
    match body {
        SetExpr::Select(select) => type_of(dialect, &select.projection.first()?.expr),
        SetExpr::SetOperation { left, right, .. } => {
            first_type(dialect, left).filter(|ty| first_type(dialect, right).as_ref() == Some(ty))
        }
        SetExpr::Query(query) => first_type(dialect, &query.body),
    }
}

/// Whether the value may be NULL; `true` where that is not plain.
fn nullable(expr: &Expr) -> bool {
    match expr {
        Expr::Column(column) => column.nullable,
        Expr::Literal(literal) => *literal == Literal::Null,
        Expr::Is { .. } | Expr::Exists { .. } | Expr::Function(Function { name: "count" | "now", .. }) => false,
        Expr::Function(Function { name: "coalesce", args: FunctionArgs::List(list), .. }) => list.iter().all(nullable),
        _ => true,
    }
}

/// The type, where the core knows it.
fn type_of(dialect: Dialect, expr: &Expr) -> Option<SqlType> {
    match expr {
        Expr::Column(column) => column.ty.clone(),
        Expr::Literal(Literal::Typed(ty, _)) => Some(sql_type(dialect, ty)),
        Expr::Cast { expr, ty } => match (sql_type(dialect, ty), type_of(dialect, expr)) {
            // A cast between texts keeps the collation.
            (SqlType { kind: TypeKind::Text, .. }, Some(own @ SqlType { kind: TypeKind::Collated(_), .. })) => {
                Some(own)
            }
            (ty, _) => Some(ty),
        },
        Expr::Literal(literal) => literal_type(dialect, literal),
        Expr::Unary { op: UnaryOp::Not, .. }
        | Expr::Is { .. }
        | Expr::Between { .. }
        | Expr::InList { .. }
        | Expr::InSlot { .. }
        | Expr::InQuery { .. }
        | Expr::Exists { .. }
        | Expr::Quantified { .. }
        | Expr::Like { .. } => Some(truth(dialect)),
        Expr::Collate { expr: _, collation } if dialect == Dialect::Postgres => {
            Some(named("text", TypeKind::Collated((*collation).to_owned())))
        }
        Expr::Unary { op: UnaryOp::Minus | UnaryOp::Plus, expr } | Expr::Collate { expr, collation: _ } => {
            type_of(dialect, expr)
        }
        Expr::Binary { op, left, right } => binary_type(dialect, *op, left, right),
        Expr::Scalar(query) => first_type(dialect, &query.body),
        Expr::Case { operand: _, branches, otherwise } => {
            common_type(dialect, branches.iter().map(|(_, result)| result).chain(otherwise.as_deref()))
        }
        Expr::Function(function) => function_type(dialect, function),
        Expr::Unary { op: UnaryOp::BitNot, .. }
        | Expr::Slot(_)
        | Expr::Row(_)
        | Expr::Array(_)
        | Expr::Added { .. } => None,
        Expr::Subscript { expr, part } => match (type_of(dialect, expr)?.kind, part) {
            (TypeKind::Array(element), Subscript::Index(_)) => Some(*element),
            _ => None,
        },
    }
}

fn named(name: &str, kind: TypeKind) -> SqlType {
    SqlType { name: name.to_owned(), kind }
}

/// A truth value: an integer to SQLite and MariaDB.
fn truth(dialect: Dialect) -> SqlType {
    match dialect {
        Dialect::Postgres => named("boolean", TypeKind::Bool),
        Dialect::Sqlite => named("INTEGER", TypeKind::BigInt),
        Dialect::MariaDb => named("int", TypeKind::Int),
    }
}

fn text(dialect: Dialect) -> SqlType {
    match dialect {
        Dialect::Postgres => named("text", TypeKind::Text),
        Dialect::Sqlite => named("TEXT", TypeKind::Text),
        Dialect::MariaDb => named("longtext", TypeKind::Text),
    }
}

/// The text that is made of these: under the collation of its own that one has. With two the database knows of none.
fn text_of(dialect: Dialect, parts: impl IntoIterator<Item = Option<SqlType>>) -> Option<SqlType> {
    let own = |ty: &SqlType| dialect == Dialect::Postgres && matches!(ty.kind, TypeKind::Collated(_));
    let mut collated = parts.into_iter().flatten().filter(own);
    match collated.next() {
        None => Some(text(dialect)),
        Some(first) => collated.all(|other| other.kind == first.kind).then_some(first),
    }
}

fn literal_type(dialect: Dialect, literal: &Literal) -> Option<SqlType> {
    match literal {
        Literal::Bool(_) => Some(truth(dialect)),
        Literal::Text(_) => Some(text(dialect)),
        Literal::Null | Literal::Number(_) | Literal::Typed(..) | Literal::Blob(_) | Literal::Unit(_) => None,
    }
}

fn binary_type(dialect: Dialect, op: BinaryOp, left: &Expr, right: &Expr) -> Option<SqlType> {
    match (op.class(), dialect) {
        _ if op.is_truth() => Some(truth(dialect)),
        // PostgreSQL joins arrays and JSON by the same operator.
        (OpClass::Concat, Dialect::Sqlite) => Some(text(dialect)),
        (OpClass::Concat, Dialect::Postgres) => {
            // Each side is asked once: a chain of them would double the work with each.
            let left = type_of(dialect, left).filter(|ty| matches!(ty.kind, TypeKind::Text | TypeKind::Collated(_)))?;
            text_of(dialect, [Some(left), type_of(dialect, right)])
        }
        (OpClass::JsonPart, Dialect::Postgres) if matches!(op, BinaryOp::JsonGetText | BinaryOp::JsonPathText) => {
            Some(text(dialect))
        }
        _ => None,
    }
}

fn function_type(dialect: Dialect, function: &Function) -> Option<SqlType> {
    let spec = lookup(dialect, function.name)?;
    let sqlite = dialect == Dialect::Sqlite;
    match spec.result {
        result if dialect == Dialect::MariaDb => mariadb_type(result, function),
        ResultType::Integer | ResultType::BigInt if sqlite => Some(named("INTEGER", TypeKind::BigInt)),
        ResultType::Float if sqlite => Some(named("REAL", TypeKind::Float)),
        ResultType::Integer => Some(named("integer", TypeKind::Int)),
        ResultType::BigInt => Some(named("bigint", TypeKind::BigInt)),
        ResultType::Float => Some(named("double precision", TypeKind::Float)),
        ResultType::Decimal => Some(named("numeric", TypeKind::Decimal)),
        ResultType::Text => match &function.args {
            FunctionArgs::List(list) => text_of(dialect, list.iter().map(|part| type_of(dialect, part))),
            FunctionArgs::Star => Some(text(dialect)),
        },
        ResultType::Bool => Some(truth(dialect)),
        ResultType::Json => Some(named("json", TypeKind::Json)).filter(|_| !sqlite),
        ResultType::Jsonb => Some(named("jsonb", TypeKind::Json)).filter(|_| !sqlite),
        ResultType::Bytes => Some(named(if sqlite { "BLOB" } else { "bytea" }, TypeKind::Bytes)),
        ResultType::Date => Some(named("date", TypeKind::Date)),
        ResultType::Timestamp => Some(named("timestamp without time zone", TypeKind::Timestamp)),
        ResultType::TimestampTz => Some(named("timestamp with time zone", TypeKind::TimestampTz)),
        // What lies outside the rows around is NULL, or what the call says.
        ResultType::FirstArgument => match &function.args {
            FunctionArgs::List(list) => common_type(dialect, list.iter()),
            FunctionArgs::Star => None,
        },
        ResultType::Unknown => None,
    }
}

/// MariaDB's own names of the types that listed functions yield there.
fn mariadb_type(result: ResultType, function: &Function) -> Option<SqlType> {
    match result {
        ResultType::Integer => Some(named("int", TypeKind::Int)),
        ResultType::BigInt => Some(named("bigint", TypeKind::BigInt)),
        ResultType::Float => Some(named("double", TypeKind::Float)),
        ResultType::Text => Some(text(Dialect::MariaDb)),
        ResultType::Date => Some(named("date", TypeKind::Date)),
        ResultType::Timestamp => Some(named("datetime", TypeKind::Timestamp)),
        ResultType::FirstArgument => match &function.args {
            FunctionArgs::List(list) => common_type(Dialect::MariaDb, list.iter()),
            FunctionArgs::Star => None,
        },
        ResultType::Bool
        | ResultType::Decimal
        | ResultType::Json
        | ResultType::Jsonb
        | ResultType::Bytes
        | ResultType::TimestampTz
        | ResultType::Unknown => None,
    }
}

/// The one type that all the values have, NULLs aside.
pub(super) fn common_type<'e>(dialect: Dialect, values: impl Iterator<Item = &'e Expr>) -> Option<SqlType> {
    let mut common = None;
    for value in values.filter(|v| **v != Expr::Literal(Literal::Null)) {
        let ty = type_of(dialect, value)?;
        match &common {
            None => common = Some(ty),
            Some(first) if *first == ty => {}
            Some(_) => return None,
        }
    }
    common
}

/// Whether an aggregate stands in the expression, outside its subqueries.
pub(in crate::sql) fn has_aggregate(dialect: Dialect, expr: &Expr) -> bool {
    let aggregate = |name: &str| lookup(dialect, name).is_some_and(|spec| spec.kind.is_aggregate());
    match expr {
        Expr::Function(function) if function.over.is_none() && aggregate(function.name) => true,
        _ => walk::parts(expr).into_iter().any(|part| has_aggregate(dialect, part)),
    }
}

/// Whether a window function stands in the expression, outside its subqueries.
pub(in crate::sql) fn has_window(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) if function.over.is_some() => true,
        _ => walk::parts(expr).into_iter().any(has_window),
    }
}
