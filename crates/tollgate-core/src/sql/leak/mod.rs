//! Which operations could tell of a row that the caller may not see, by failing on it.
//!
//! A planner may evaluate a caller's predicate before the row filter, and PostgreSQL's over the column's statistics too. An operation
//! that cannot fail says nothing there. What cannot fail is a short list; **anything unlisted is leaky, wherever in the statement it
//! stands**. This file never looks at the policy's own filters while a statement is checked: they are the operator's text.

mod kind;
mod pattern;

pub use pattern::ends_in_escape;
pub(super) use pattern::{default_escape, unfinished};

use kind::Kind;

use super::tree::{BinaryOp, Expr, Function, Literal, OrderBy, OrderKey, Query, Select, SetExpr, UnaryOp};
use super::walk::{self, Node};
use crate::catalog::TypeKind;
use crate::names::Dialect;

/// An operation that can fail on a row's data, in words for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak(String);

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Leak {
    fn of(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// The first leaky operation of a query, if there is one.
pub(super) fn in_query(query: &Query, dialect: Dialect) -> Option<Leak> {
    let mut found = None;
    walk::each_in_query(query, &mut |node| judge(node, dialect, &mut found));
    found
}

/// The first leaky operation of an expression, its subqueries included.
pub(super) fn in_expr(expr: &Expr, dialect: Dialect) -> Option<Leak> {
    let mut found = None;
    walk::each_in_expr(expr, &mut |node| judge(node, dialect, &mut found));
    found
}

/// Whether an expression can be true or false.
pub(super) fn may_be_condition(expr: &Expr, dialect: Dialect) -> bool {
    matches!(kind::of(expr, dialect), Kind::Typed(TypeKind::Bool) | Kind::Unknown)
}

fn judge(node: Node<'_>, dialect: Dialect, found: &mut Option<Leak>) {
    if found.is_some() {
        return;
    }
    *found = match node {
        Node::Expr(expr) => own(expr, dialect),
        Node::Query(query) => ordered(&query.order_by, dialect),
        Node::Select(select) => grouped(select, dialect),
        Node::SetExpr(body) => united(body, dialect),
        Node::Relation(_) => None,
    };
}

/// Whether this node by itself, apart from its parts, can fail on data.
fn own(expr: &Expr, dialect: Dialect) -> Option<Leak> {
    let kind = |expr: &Expr| kind::of(expr, dialect);
    match expr {
        Expr::Column(_)
        | Expr::Literal(_)
        | Expr::Slot(_)
        | Expr::Is { .. }
        | Expr::Exists { .. }
        | Expr::Unary { op: UnaryOp::Not | UnaryOp::Plus, .. } => None,
        Expr::Unary { op: UnaryOp::Minus, expr } => minus(expr, dialect),
        Expr::Binary { op, left, right } => binary(*op, left, right, dialect),
        Expr::Between { expr, low, high, .. } => compared(&kind(expr), [kind(low), kind(high)], dialect),
        Expr::InList { expr, list, .. } => compared(&kind(expr), list.iter().map(kind), dialect),
        Expr::InSlot { expr, .. } => compared(&kind(expr), [Kind::Constant], dialect),
        Expr::InQuery { expr, query, .. } => {
            compared(&kind(expr), kind::columns(&query.body, dialect).into_iter().take(1), dialect)
        }
        Expr::Scalar(query) => match dialect {
            // SQLite takes the first row.
            Dialect::Sqlite => None,
            Dialect::Postgres if one_row(query, dialect) => None,
            Dialect::Postgres => Some(Leak::of("a scalar subquery that may return two rows")),
        },
        Expr::Like { expr, pattern, escape, .. } => like(expr, pattern, *escape, dialect),
        Expr::Case { operand, branches, otherwise } => {
            let compare = operand
                .as_deref()
                .and_then(|operand| compared(&kind(operand), branches.iter().map(|(when, _)| kind(when)), dialect));
            let results = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref()).map(kind);
            compare.or_else(|| merged("CASE", results, dialect))
        }
        Expr::Cast { expr, ty } => cast(expr, ty.as_str(), dialect),
        Expr::Function(function) => call(function, dialect),
    }
}

fn minus(operand: &Expr, dialect: Dialect) -> Option<Leak> {
    match (dialect, kind::of(operand, dialect)) {
        (Dialect::Sqlite, _) | (_, Kind::Number | Kind::Typed(TypeKind::Decimal | TypeKind::Float)) => None,
        (Dialect::Postgres, _) => Some(Leak::of("arithmetic that can overflow (`-`)")),
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, dialect: Dialect) -> Option<Leak> {
    match op {
        BinaryOp::And | BinaryOp::Or => None,
        BinaryOp::Eq
        | BinaryOp::NotEq
        | BinaryOp::Lt
        | BinaryOp::LtEq
        | BinaryOp::Gt
        | BinaryOp::GtEq
        | BinaryOp::IsDistinctFrom
        | BinaryOp::IsNotDistinctFrom => compared(&kind::of(left, dialect), [kind::of(right, dialect)], dialect),
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => {
            // SQLite turns an overflow into a float and a division by zero into NULL.
            let constant = numbers_only(left) && numbers_only(right);
            if constant || dialect == Dialect::Sqlite { None } else { Some(Leak::of("arithmetic that can fail")) }
        }
        // Both can end in `too big`, at a length the caller chooses.
        BinaryOp::Concat => Some(Leak::of("a concatenation (`||`)")),
        BinaryOp::JsonGet | BinaryOp::JsonGetText => Some(Leak::of("a JSON operator")),
    }
}

/// Number literals and arithmetic over them: the planner computes it once, whatever the data.
fn numbers_only(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(Literal::Number(_)) => true,
        Expr::Unary { op: UnaryOp::Minus | UnaryOp::Plus, expr } => numbers_only(expr),
        Expr::Binary {
            op: BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo,
            left,
            right,
        } => numbers_only(left) && numbers_only(right),
        _ => false,
    }
}

fn compared(left: &Kind, others: impl IntoIterator<Item = Kind>, dialect: Dialect) -> Option<Leak> {
    if dialect == Dialect::Sqlite || others.into_iter().all(|other| left.compares_with(&other)) {
        return None;
    }
    Some(Leak::of("a comparison of types of which one must be converted"))
}

fn merged(what: &str, kinds: impl IntoIterator<Item = Kind>, dialect: Dialect) -> Option<Leak> {
    if dialect == Dialect::Sqlite || Kind::merge(kinds) != Some(Kind::Clash) {
        return None;
    }
    Some(Leak::of(format!("{what} over types that must be converted")))
}

fn like(expr: &Expr, pattern: &Expr, escape: Option<char>, dialect: Dialect) -> Option<Leak> {
    let Expr::Literal(Literal::Text(text)) = pattern else {
        return Some(Leak::of("LIKE with a pattern that is not constant"));
    };
    if unfinished(text, escape, dialect) || text.len() > pattern::BYTES_MAX {
        return Some(Leak::of("LIKE with a pattern that the engine may refuse"));
    }
    match (dialect, kind::of(expr, dialect)) {
        (Dialect::Sqlite, _) | (_, Kind::Constant | Kind::Typed(TypeKind::Text)) => None,
        (Dialect::Postgres, _) => Some(Leak::of("LIKE over something that is not text")),
    }
}

fn cast(expr: &Expr, ty: &str, dialect: Dialect) -> Option<Leak> {
    // SQLite's casts give something for every value.
    if dialect == Dialect::Sqlite {
        return None;
    }
    let from = kind::of(expr, dialect);
    match (expr, from) {
        // Computed once, when the statement is read or its parameters are bound.
        (Expr::Literal(_) | Expr::Slot(_), _) => None,
        // The clock, and therefore CURRENT_DATE, is far from every type's end.
        (Expr::Function(function), _) if function.name == "now" => None,
        (_, Kind::Typed(from)) if kind::widens(&from, ty) => None,
        _ => Some(Leak::of(format!("a cast to `{ty}` that can fail"))),
    }
}

fn call(function: &Function, dialect: Dialect) -> Option<Leak> {
    if kind::is_total(function, dialect) {
        return None;
    }
    Some(Leak::of(format!("the function `{}`, which can fail", function.name)))
}

fn ordered(keys: &[OrderBy], dialect: Dialect) -> Option<Leak> {
    keys.iter().find_map(|key| match &key.key {
        // The projection's own expressions are judged where they stand.
        OrderKey::Output(_) => None,
        OrderKey::Expr(expr) => sorted(expr, dialect),
    })
}

fn grouped(select: &Select, dialect: Dialect) -> Option<Leak> {
    let distinct = select.projection.iter().filter(|_| select.distinct).map(|item| &item.expr);
    select.group_by.iter().chain(distinct).find_map(|expr| sorted(expr, dialect))
}

fn sorted(expr: &Expr, dialect: Dialect) -> Option<Leak> {
    match (dialect, kind::of(expr, dialect)) {
        (Dialect::Postgres, Kind::Typed(TypeKind::Other)) => Some(Leak::of("sorting by a type that is not listed")),
        _ => None,
    }
}

fn united(body: &SetExpr, dialect: Dialect) -> Option<Leak> {
    let SetExpr::SetOperation { op: _, quantifier: _, left, right } = body else {
        return None;
    };
    let pairs = kind::columns(left, dialect).into_iter().zip(kind::columns(right, dialect));
    pairs.into_iter().find_map(|(left, right)| merged("a set operation", [left, right], dialect))
}

/// Whether a subquery yields at most one row by its form: an aggregate over everything, or its own `LIMIT 1`.
fn one_row(query: &Query, dialect: Dialect) -> bool {
    let limited = matches!(&query.limit, Some(Expr::Literal(Literal::Number(n))) if n == "0" || n == "1");
    let aggregate = match &query.body {
        SetExpr::Select(select) => {
            select.group_by.is_empty() && select.projection.iter().any(|item| kind::has_aggregate(&item.expr, dialect))
        }
        SetExpr::SetOperation { .. } | SetExpr::Query(_) => false,
    };
    limited || aggregate
}
