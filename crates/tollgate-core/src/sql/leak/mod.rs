//! Which operations could tell of a row that the caller may not see, by failing on it.
//!
//! A planner may evaluate a caller's predicate before the row filter, and PostgreSQL's over the column's statistics too. An operation
//! that cannot fail says nothing there. What cannot fail is a short list; **anything unlisted is leaky, wherever in the statement it
//! stands**. This file never looks at the policy's own filters while a statement is checked: they are the operator's text.

mod arithmetic;
mod constant;
mod context;
mod given;
mod kind;
mod operator;
mod pattern;

pub use pattern::ends_in_escape;
pub(super) use pattern::{default_escape, unfinished};

use constant::Reach;
pub(super) use context::Context;
use kind::Kind;

use super::outside;
use super::resolve::has_window;
use super::tree::{
    CastType, Distinct, Elements, Expr, FrameBound, FrameUnits, Function, LikeKind, Literal, OrderBy, OrderKey, Query,
    Relation, Select, SetExpr, Subscript, TableFunction, UnaryOp, Window,
};
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
pub(super) fn in_query(query: &Query, cx: &Context) -> Option<Leak> {
    let mut found = None;
    walk::each_in_query(query, &mut |node| judge(node, cx, &mut found));
    found
}

/// The first leaky operation of an expression, its subqueries included.
pub(super) fn in_expr(expr: &Expr, cx: &Context) -> Option<Leak> {
    let mut found = None;
    walk::each_in_expr(expr, &mut |node| judge(node, cx, &mut found));
    found
}

/// The kind of an expression's values, where it is known.
pub(super) fn type_of(expr: &Expr, cx: &Context) -> Option<TypeKind> {
    kind::of(expr, cx).into_read()
}

/// The kinds of a query's columns as the query around it reads them: a constant has become a text.
pub(super) fn types_of(dialect: Dialect, body: &SetExpr) -> Vec<Option<TypeKind>> {
    kind::columns(body, &Context::plain(dialect)).into_iter().map(Kind::into_read).collect()
}

/// The kind of a column of rows of these values, as a query around them reads it.
pub(super) fn type_of_all<'e>(dialect: Dialect, values: impl Iterator<Item = &'e Expr>) -> Option<TypeKind> {
    let cx = Context::plain(dialect);
    Kind::merge(values.map(|value| kind::of(value, &cx)))?.into_read()
}

/// Whether an expression can be true or false.
pub(super) fn may_be_condition(expr: &Expr, cx: &Context) -> bool {
    matches!(kind::of(expr, cx), Kind::Typed(TypeKind::Bool) | Kind::Unknown)
}

fn judge(node: Node<'_>, cx: &Context, found: &mut Option<Leak>) {
    if found.is_some() {
        return;
    }
    *found = match node {
        Node::Expr(expr) => own(expr, cx),
        Node::Query(query) => ordered(query, cx).or_else(|| united(&query.body, cx)),
        Node::Select(select) => grouped(select, cx).or_else(|| mixed(select, &[], cx)),
        Node::Relation(Relation::Values { rows, alias: _ }) => values(rows, cx),
        Node::Relation(Relation::Function(function)) => table_function(function, cx),
        // It is read when a row first asks for it, and fails where it has too many rows.
        Node::Relation(Relation::Recursion { .. }) => Some(Leak::of("a recursive query, whose rows may be too many")),
        // Set operations were looked at as a whole, with the query that they are of.
        Node::SetExpr(_) | Node::Relation(_) => None,
    };
}

/// Whether this node by itself, apart from its parts, can fail on data.
fn own(expr: &Expr, cx: &Context) -> Option<Leak> {
    let kind = |expr: &Expr| kind::of(expr, cx);
    match expr {
        Expr::Column(column) => cx.leak_of_mask(column).cloned(),
        Expr::Literal(Literal::Typed(ty, text)) => typed(ty, text, cx),
        Expr::Literal(_)
        | Expr::Slot(_)
        | Expr::Row(_)
        | Expr::Is { .. }
        | Expr::Exists { .. }
        | Expr::Unary { op: UnaryOp::Not | UnaryOp::Plus, .. } => None,
        Expr::Unary { op: UnaryOp::Minus, expr } => minus(expr, cx),
        Expr::Unary { op: UnaryOp::BitNot, expr } => operator::bits([kind(expr)], cx),
        Expr::Binary { op, left, right } => operator::binary(*op, left, right, cx),
        Expr::Between { expr, low, high, .. } => compared(&kind(expr), [kind(low), kind(high)], cx),
        Expr::InList { expr, list, .. } => operator::among(expr, list, cx),
        Expr::InSlot { expr, slot, negated: _ } => compared(&kind(expr), [kind::of_slot(slot, cx)], cx),
        Expr::InQuery { expr, query, .. } => match &**expr {
            Expr::Row(values) => {
                let columns = kind::columns(&query.body, cx).into_iter().map(Kind::computed);
                values.iter().zip(columns).find_map(|(value, column)| compared(&kind(value), [column], cx))
            }
            expr => compared(&kind(expr), [kind::first_column(&query.body, cx)], cx),
        },
        Expr::Quantified { expr, op, quantifier: _, over } => operator::quantified(expr, *op, over, cx),
        Expr::Array(elements) => array(elements, cx),
        Expr::Subscript { expr, part } => subscript(expr, part, cx),
        Expr::Collate { expr, collation: _ } => match (cx.dialect, kind(expr)) {
            (Dialect::Sqlite, _) | (_, Kind::Constant(_) | Kind::Typed(TypeKind::Text | TypeKind::Collated(_))) => None,
            (Dialect::Postgres | Dialect::MariaDb, _) => Some(Leak::of("COLLATE over something that is not text")),
        },
        Expr::Scalar(query) => match cx.dialect {
            // SQLite takes the first row.
            Dialect::Sqlite => None,
            Dialect::Postgres | Dialect::MariaDb if one_row(query, cx) => None,
            Dialect::Postgres | Dialect::MariaDb => Some(Leak::of("a scalar subquery that may return two rows")),
        },
        Expr::Like { kind: LikeKind::SimilarTo, .. } => Some(Leak::of("a regular expression")),
        Expr::Like { expr, pattern, escape, .. } => like(expr, pattern, *escape, cx),
        Expr::Case { operand, branches, otherwise } => {
            let compare = operand
                .as_deref()
                .and_then(|operand| compared(&kind(operand), branches.iter().map(|(when, _)| kind(when)), cx));
            let results = branches.iter().map(|(_, then)| then).chain(otherwise.as_deref()).map(kind);
            compare.or_else(|| merged("CASE", results, cx))
        }
        Expr::Cast { expr, ty } => cast(expr, ty, cx),
        Expr::Function(function) => call(function, cx),
        Expr::Added { function, args: _ } => Some(Leak::of(format!("the added function `{function}`, which may fail"))),
    }
}

fn minus(operand: &Expr, cx: &Context) -> Option<Leak> {
    match (cx.dialect, kind::of(operand, cx)) {
        (Dialect::Sqlite, _) | (_, Kind::Number | Kind::Typed(TypeKind::Decimal | TypeKind::Float)) => None,
        (Dialect::Postgres | Dialect::MariaDb, _) => Some(Leak::of("arithmetic that can overflow (`-`)")),
    }
}

fn compared(left: &Kind, others: impl IntoIterator<Item = Kind>, cx: &Context) -> Option<Leak> {
    if cx.dialect == Dialect::Sqlite || others.into_iter().all(|other| left.compares_with(&other)) {
        return None;
    }
    Some(Leak::of("a comparison of types of which one must be converted"))
}

fn merged(what: &str, kinds: impl IntoIterator<Item = Kind>, cx: &Context) -> Option<Leak> {
    if cx.dialect == Dialect::Sqlite || Kind::merge(kinds) != Some(Kind::Clash) {
        return None;
    }
    Some(Leak::of(format!("{what} over types that must be converted")))
}

/// An array whose elements become one type; inner arrays need equal lengths, and a subquery's rows have no number.
fn array(elements: &Elements, cx: &Context) -> Option<Leak> {
    let Elements::List(list) = elements else { return Some(Leak::of("an array of a subquery's rows")) };
    let nested = |element: &Expr| matches!(kind::of(element, cx), Kind::Unknown | Kind::Typed(TypeKind::Array(_)));
    if list.len() > 1 && list.iter().any(nested) {
        return Some(Leak::of("an array of arrays, or of values of unknown types"));
    }
    merged("an array", list.iter().map(|element| kind::of(element, cx)), cx)
}

fn subscript(array: &Expr, part: &Subscript, cx: &Context) -> Option<Leak> {
    let (first, last) = match part {
        Subscript::Index(index) => (Some(index), None),
        Subscript::Slice { from, to } => (from.as_ref(), to.as_ref()),
    };
    let whole =
        |bound: &Expr| matches!(kind::of(bound, cx), Kind::Constant(_) | Kind::Number | Kind::Typed(TypeKind::Int));
    let fine = matches!(kind::of(array, cx), Kind::Typed(TypeKind::Array(_)))
        && [first, last].into_iter().flatten().all(|bound| whole(bound));
    if fine {
        None
    } else {
        Some(Leak::of("a subscript that is not an integer, or of what is not known to be an array"))
    }
}

fn like(expr: &Expr, pattern: &Expr, escape: Option<char>, cx: &Context) -> Option<Leak> {
    let Expr::Literal(Literal::Text(text)) = pattern else {
        return Some(Leak::of("LIKE with a pattern that is not constant"));
    };
    if unfinished(text, escape, cx.dialect) || text.len() > pattern::BYTES_MAX {
        return Some(Leak::of("LIKE with a pattern that the engine may refuse"));
    }
    match (cx.dialect, kind::of(expr, cx)) {
        (Dialect::Sqlite, _) | (_, Kind::Constant(_) | Kind::Typed(TypeKind::Text | TypeKind::Collated(_))) => None,
        (Dialect::Postgres | Dialect::MariaDb, _) => Some(Leak::of("LIKE over something that is not text")),
    }
}

fn cast(expr: &Expr, ty: &CastType, cx: &Context) -> Option<Leak> {
    // SQLite's casts give something for every value.
    if cx.dialect == Dialect::Sqlite {
        return None;
    }
    let from = kind::of(expr, cx);
    match (expr, from) {
        // Read as a value of the type when the statement is, or when its parameters are bound. What a precision then makes of a
        // parameter is computed while rows are read, and so are some casts of what has a type already.
        (Expr::Literal(Literal::Text(text)), _) => typed(ty, text, cx),
        (
            Expr::Literal(Literal::Null | Literal::Bool(_) | Literal::Number(_) | Literal::Blob(_) | Literal::Unit(_)),
            _,
        ) => None,
        (Expr::Slot(_), Kind::Constant(_) | Kind::Number) if !ty.as_str().contains('(') => None,
        // The clock, and therefore CURRENT_DATE, is far from every type's end.
        (Expr::Function(function), _) if function.name == "now" => None,
        (_, Kind::Typed(from)) if kind::widens(&from, ty.as_str()) => None,
        (_, Kind::Exact) if kind::widens(&TypeKind::Decimal, ty.as_str()) => None,
        _ => Some(Leak::of(format!("a cast to `{}` that can fail", ty.as_str()))),
    }
}

/// A literal of a type.
fn typed(ty: &CastType, text: &str, cx: &Context) -> Option<Leak> {
    match (cx.dialect, Reach::of_typed(ty, text)) {
        (Dialect::Sqlite, _) | (_, Reach::Ordinary) => None,
        (Dialect::Postgres | Dialect::MariaDb, Reach::Edge) => {
            Some(Leak::of(format!("a `{}` that may be at the edge of its type", ty.as_str())))
        }
    }
}

fn call(function: &Function, cx: &Context) -> Option<Leak> {
    if !kind::is_total(function, cx) {
        return Some(Leak::of(format!("the function `{}`, which can fail", function.name)));
    }
    let keys = function.order.keys().iter().map(|key| &key.expr);
    keys.into_iter().find_map(|key| sorted(key, cx)).or_else(|| window(function.over.as_deref()?, cx))
}

fn window(window: &Window, cx: &Context) -> Option<Leak> {
    let Window { partition_by, order_by, frame } = window;
    let reaches = |bound: &FrameBound| matches!(bound, FrameBound::Preceding(_) | FrameBound::Following(_));
    if let (Dialect::Postgres | Dialect::MariaDb, Some(frame)) = (cx.dialect, frame)
        && frame.units == FrameUnits::Range
        && (reaches(&frame.start) || reaches(&frame.end))
    {
        return Some(Leak::of("a frame of a range of values"));
    }
    partition_by.iter().chain(order_by.iter().map(|key| &key.expr)).find_map(|key| sorted(key, cx))
}

fn ordered(query: &Query, cx: &Context) -> Option<Leak> {
    let keys = query.order_by.iter().find_map(|key| match &key.key {
        // The projection's own expressions are judged where they stand.
        OrderKey::Output(_) => None,
        OrderKey::Expr(expr) => sorted(expr, cx),
    });
    keys.or_else(|| mixed(outside::select_of(query)?, &query.order_by, cx))
}

/// What MariaDB computes of groups and of columns around the subquery together has ended whole servers, before the row filter.
fn mixed(select: &Select, order_by: &[OrderBy], cx: &Context) -> Option<Leak> {
    if cx.dialect != Dialect::MariaDb {
        return None;
    }
    let computed = |expr: &Expr| has_window(expr) || kind::has_aggregate(expr, cx);
    let together = !select.group_by.is_empty() || outside::of_groups(select, order_by).any(computed);
    let outer = |expr: &Expr| outside::beside(expr, select).is_some();
    (together && outside::of_groups(select, order_by).any(outer))
        .then(|| Leak::of("an outer query's column in a subquery over groups"))
}

fn grouped(select: &Select, cx: &Context) -> Option<Leak> {
    // No leak: PostgreSQL before 18 takes a column that a row filter holds to one value for constant in the sets that leave it out, too.
    if cx.dialect == Dialect::Postgres && !select.grouping_sets.is_empty() {
        return Some(Leak::of("grouping sets, which a row filter in sight of the planner can bring out of order"));
    }
    let told_apart: Vec<&Expr> = match &select.distinct {
        Distinct::All => Vec::new(),
        Distinct::Rows => select.projection.iter().map(|item| &item.expr).collect(),
        Distinct::On(keys) => keys.iter().collect(),
    };
    select.group_by.iter().chain(told_apart).find_map(|expr| sorted(expr, cx))
}

fn sorted(expr: &Expr, cx: &Context) -> Option<Leak> {
    match (cx.dialect, kind::of(expr, cx)) {
        (Dialect::Postgres | Dialect::MariaDb, Kind::Typed(TypeKind::Other)) => {
            Some(Leak::of("sorting by a type that is not listed"))
        }
        _ => None,
    }
}

/// Set operations, those within their arms too: what clashes there clashes in the whole. Each by itself would take the arms of all below
/// it, and a chain of them the square of its length.
fn united(body: &SetExpr, cx: &Context) -> Option<Leak> {
    match body {
        SetExpr::SetOperation { .. } => {
            kind::columns(body, cx).into_iter().find_map(|column| merged("a set operation", [column], cx))
        }
        SetExpr::Select(_) | SetExpr::Query(_) => None,
    }
}

/// A function in FROM fails on what is not an array, or not JSON, unless it is an array by its type. It is run when a row first asks
/// for it, so over constants too its failing tells that there is one. The constants of a series have been judged by `resolve`.
fn table_function(function: &TableFunction, cx: &Context) -> Option<Leak> {
    let fine = match (cx.dialect, function.name) {
        (Dialect::Postgres, "unnest") => {
            function.args.iter().all(|arg| matches!(kind::of(arg, cx), Kind::Typed(TypeKind::Array(_))))
        }
        (Dialect::Postgres, "generate_series") => true,
        (Dialect::Postgres, "string_to_table") => {
            let text = |arg: &Expr| matches!(kind::of(arg, cx), Kind::Constant(_) | Kind::Typed(TypeKind::Text));
            function.args.iter().all(text)
        }
        (Dialect::Postgres | Dialect::Sqlite | Dialect::MariaDb, _) => false,
    };
    if fine {
        return None;
    }
    Some(Leak::of(format!("the function `{}` in FROM, which can fail", function.name)))
}

fn values(rows: &[Vec<Expr>], cx: &Context) -> Option<Leak> {
    let width = rows.first().map_or(0, Vec::len);
    (0..width).find_map(|place| {
        merged("VALUES", rows.iter().filter_map(|row| row.get(place)).map(|expr| kind::of(expr, cx)), cx)
    })
}

/// Whether a subquery yields at most one row by its form: an aggregate over everything, or its own `LIMIT 1`.
fn one_row(query: &Query, cx: &Context) -> bool {
    let limited = matches!(&query.limit, Some(Expr::Literal(Literal::Number(n))) if n == "0" || n == "1");
    let aggregate = match &query.body {
        SetExpr::Select(select) => {
            select.group_by.is_empty()
                && select.grouping_sets.is_empty()
                && select.projection.iter().any(|item| kind::has_aggregate(&item.expr, cx))
        }
        SetExpr::SetOperation { .. } | SetExpr::Query(_) => false,
    };
    limited || aggregate
}
