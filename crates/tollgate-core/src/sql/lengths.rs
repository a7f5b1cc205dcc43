//! Operations whose work is the product of two lengths. PostgreSQL runs them without looking at its timeout, or at being told to stop,
//! so that one side must be short where a statement can make the other one long. SQLite bounds what they work on.

use super::error::SqlError;
use super::functions::{ResultType, lookup};
use super::leak::type_of_all;
use super::tree::{BinaryOp, Elements, Expr, Function, FunctionArgs, Literal, OpClass, Query};
use super::walk::{self, Node};
use crate::catalog::TypeKind;
use crate::names::Dialect;

/// Bytes of a text that counts as short.
const SHORT_BYTES: usize = 1_000;
/// Elements of a written array that counts as short.
const SHORT_ELEMENTS: usize = 64;
/// Concatenations of one statement that make no text long: each at the most doubles one.
const CONCATENATIONS: usize = 8;

/// Functions whose texts are about as long as their arguments at the most, all together.
const NO_LONGER: [&str; 18] = [
    "btrim",
    "char",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "left",
    "lower",
    "ltrim",
    "nullif",
    "right",
    "rtrim",
    "split_part",
    "substr",
    "to_char",
    "translate",
    "trim",
    "upper",
];

/// Functions that yield numbers or moments, of a type that the list leaves to the database.
const NUMBERS_AND_MOMENTS: [&str; 24] = [
    "age",
    "avg",
    "ceil",
    "date_bin",
    "date_trunc",
    "exp",
    "floor",
    "gcd",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "lcm",
    "ln",
    "log",
    "log10",
    "make_interval",
    "mod",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "power",
    "round",
    "sign",
    "sum",
];

/// Refuses such an operation between two values that the statement could make long.
pub(super) fn refuse(query: &Query, dialect: Dialect) -> Result<(), SqlError> {
    if dialect == Dialect::Sqlite || !builds(query, dialect) {
        return Ok(());
    }
    let mut refused = None;
    walk::each_in_query(query, &mut |node| {
        if let Node::Expr(expr) = node
            && let Some(what) = multiplies(expr, dialect)
        {
            refused.get_or_insert(what);
        }
    });
    refused.map_or(Ok(()), |what| {
        let instead = "write one of them out, or use a column of a table for it";
        Err(SqlError::unsupported_use(format!("{what} two values that the statement itself makes"), instead))
    })
}

/// Whether a statement may make a value much longer than what is stored or written: by anything that is not known not to.
fn builds(query: &Query, dialect: Dialect) -> bool {
    let (mut builds, mut concatenations) = (false, 0);
    walk::each_in_query(query, &mut |node| match node {
        Node::Query(query) => builds |= query.with.iter().any(|cte| cte.recursive),
        Node::Expr(Expr::Array(elements)) => builds |= !is_plain(elements),
        Node::Expr(Expr::Function(function)) => {
            builds |= !keeps_short(function, dialect);
            if let ("concat" | "concat_ws", FunctionArgs::List(args)) = (function.name, &function.args) {
                concatenations += args.len();
            }
        }
        Node::Expr(Expr::Added { .. }) => builds = true,
        Node::Expr(Expr::Binary { op: BinaryOp::Concat, .. }) => concatenations += 1,
        _ => {}
    });
    builds || concatenations > CONCATENATIONS
}

/// Whether an array is written out, of few elements that are no arrays.
fn is_plain(elements: &Elements) -> bool {
    match elements {
        Elements::List(list) => list.len() <= SHORT_ELEMENTS && !list.iter().any(|e| matches!(e, Expr::Array(_))),
        Elements::Of(_) => true,
        Elements::Query(_) => false,
    }
}

/// Whether what a function yields is no longer than its arguments.
fn keeps_short(function: &Function, dialect: Dialect) -> bool {
    let Some(spec) = lookup(dialect, function.name) else { return false };
    match spec.result {
        ResultType::Integer
        | ResultType::BigInt
        | ResultType::Float
        | ResultType::Decimal
        | ResultType::Bool
        | ResultType::Date
        | ResultType::Timestamp
        | ResultType::TimestampTz
        | ResultType::FirstArgument => true,
        ResultType::Text => NO_LONGER.contains(&function.name),
        ResultType::Unknown => NUMBERS_AND_MOMENTS.contains(&function.name),
        ResultType::Json | ResultType::Jsonb | ResultType::Bytes => false,
    }
}

/// What an expression does between two long values, if it does such a thing.
fn multiplies(expr: &Expr, dialect: Dialect) -> Option<&'static str> {
    let long = |expr: &Expr| !is_short(expr, SHORT_BYTES);
    match expr {
        Expr::Like { pattern, .. } => long(pattern).then_some("LIKE between"),
        Expr::Quantified { op, over, .. } if op.class() == OpClass::Pattern => {
            let Elements::List(patterns) = over else { return Some("LIKE between") };
            patterns.iter().any(long).then_some("LIKE between")
        }
        Expr::Binary { op, left, right } => {
            let what = match (op.class(), op) {
                (OpClass::Containment, _) => "a containment operator between",
                (_, BinaryOp::Like | BinaryOp::ILike | BinaryOp::NotLike | BinaryOp::NotILike) => {
                    return long(right).then_some("LIKE between");
                }
                // Of documents the keys of an array are taken away.
                (_, BinaryOp::Subtract) if may_be_array(right, dialect) => "`-` between",
                _ => return None,
            };
            (long(left) && long(right)).then_some(what)
        }
        _ => None,
    }
}

/// Whether an expression may be an array or a document, by its form and its type.
fn may_be_array(expr: &Expr, dialect: Dialect) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Slot(_) | Expr::Binary { .. } | Expr::Unary { .. } => false,
        Expr::Function(Function {
            name: "coalesce" | "max" | "min" | "nullif",
            args: FunctionArgs::List(args),
            ..
        }) => args.iter().any(|arg| may_be_array(arg, dialect)),
        Expr::Function(function) => !keeps_short(function, dialect),
        expr => match type_of_all(dialect, std::iter::once(expr)) {
            Some(kind) => matches!(kind, TypeKind::Array(_) | TypeKind::Json | TypeKind::Other | TypeKind::Any),
            None => !matches!(expr, Expr::Column(_)),
        },
    }
}

/// Whether a caller cannot make a value longer than so many bytes beyond what is stored.
pub(super) fn is_short(expr: &Expr, most: usize) -> bool {
    written(expr).is_some_and(|bytes| bytes <= most)
}

/// Bytes at most that the statement itself adds to a value that is written, bound or stored, and at the most cut or spelled
/// otherwise; `None` of what it makes in any other way.
fn written(expr: &Expr) -> Option<usize> {
    let sum = |parts: &[Expr]| parts.iter().map(written).sum::<Option<usize>>();
    match expr {
        Expr::Literal(Literal::Text(text)) => Some(text.len()),
        Expr::Literal(_) | Expr::Slot(_) => Some(0),
        Expr::Column(column) => column.origin.is_some().then_some(0),
        Expr::Cast { expr, ty: _ } => written(expr),
        Expr::Binary { op: BinaryOp::Concat, left, right } => Some(written(left)? + written(right)?),
        Expr::Array(Elements::List(list)) if list.len() <= SHORT_ELEMENTS => sum(list),
        Expr::Case { operand: _, branches, otherwise } => {
            branches.iter().map(|(_, then)| then).chain(otherwise.as_deref()).map(written).sum()
        }
        Expr::Function(Function { name, args: FunctionArgs::List(args), .. }) if NO_LONGER.contains(name) => sum(args),
        _ => None,
    }
}
