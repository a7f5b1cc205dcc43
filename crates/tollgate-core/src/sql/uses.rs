//! What a checked statement says of itself: what each slot is compared with, and all that it touches.

use super::leak;
use super::limits::RECURSION_FUNCTION;
use super::restriction::RAW;
use super::statement::{Footprint, SlotUse};
use super::tree::{
    BinaryOp, ColumnRef, Elements, Expr, LikeKind, Literal, OpClass, Query, Relation, SetExpr, SetOperator,
    SetQuantifier, Slot,
};
use super::walk::{self, Node};
use crate::catalog::{ColumnId, SqlType, TypeKind};
use crate::names::Dialect;

/// What each slot of a restricted query is used for.
pub(super) fn slots(query: &Query, slots: &[Slot], dialect: Dialect) -> Vec<SlotUse> {
    let mut uses: Vec<SlotUse> = Vec::new();
    for slot in slots {
        if !uses.iter().any(|used| used.slot == *slot) {
            let slot = slot.clone();
            uses.push(SlotUse { slot, compared: Vec::new(), ty: None, mixed: false, masked: false, like_escape: None });
        }
    }
    walk::each_in_query(query, &mut |node| {
        if let Node::Expr(expr) = node {
            note(expr, dialect, &mut uses);
        }
    });
    // Where places have no numbers, a slot stands once for each of them.
    slots.iter().filter_map(|slot| uses.iter().find(|used| used.slot == *slot).cloned()).collect()
}

fn note(expr: &Expr, dialect: Dialect, uses: &mut [SlotUse]) {
    let sides: Vec<&Expr> = match expr {
        Expr::Binary { op, left, right } if compares(*op) => return beside(left, right, dialect, uses),
        Expr::InList { expr, list, negated: _ } if matches!(**expr, Expr::Row(_)) => {
            for element in list {
                beside(expr, element, dialect, uses);
            }
            return;
        }
        Expr::Quantified { expr, op, quantifier: _, over } if op.class() == OpClass::Comparison => match over {
            Elements::Of(_) => return,
            Elements::List(list) => std::iter::once(&**expr).chain(list).collect(),
            Elements::Query(query) => std::iter::once(&**expr).chain(first_columns(&query.body)).collect(),
        },
        Expr::Between { expr, low, high, negated: _ } => vec![expr, low, high],
        Expr::InList { expr, list, negated: _ } => std::iter::once(&**expr).chain(list).collect(),
        Expr::InSlot { expr, slot, negated: _ } => return compare(slot, &[expr], dialect, uses),
        Expr::InQuery { expr, query, negated: _ } => {
            if let Expr::Row(values) = &**expr {
                for (position, value) in values.iter().enumerate() {
                    if let Expr::Slot(slot) = value {
                        compare(slot, &columns_at(&query.body, position), dialect, uses);
                    }
                }
                return;
            }
            let others = first_columns(&query.body);
            if let Expr::Slot(slot) = &**expr {
                compare(slot, &others, dialect, uses);
            }
            return;
        }
        Expr::Like { expr, pattern, escape, kind, negated: _ } => {
            if *kind != LikeKind::SimilarTo
                && let Expr::Slot(slot) = &**pattern
                && let Some(used) = uses.iter_mut().find(|used| used.slot == *slot)
            {
                used.like_escape = used.like_escape.or(escape.or(leak::default_escape(dialect)));
            }
            vec![expr, pattern]
        }
        Expr::Case { operand: Some(operand), branches, otherwise: _ } => {
            std::iter::once(&**operand).chain(branches.iter().map(|(when, _)| when)).collect()
        }
        Expr::Function(function) if function.name == "nullif" => walk::parts(expr),
        _ => return,
    };
    for side in &sides {
        if let Expr::Slot(slot) = side {
            compare(slot, &sides, dialect, uses);
        }
    }
}

/// Whether an operator compares two values of one type.
fn compares(op: BinaryOp) -> bool {
    let matches =
        matches!(op, BinaryOp::Regex | BinaryOp::RegexI | BinaryOp::NotRegex | BinaryOp::NotRegexI | BinaryOp::Glob);
    matches || op.class() == OpClass::Comparison
}

/// Two sides of a comparison, of rows value by value.
fn beside(left: &Expr, right: &Expr, dialect: Dialect, uses: &mut [SlotUse]) {
    if let (Expr::Row(left), Expr::Row(right)) = (left, right) {
        for (left, right) in left.iter().zip(right) {
            beside(left, right, dialect, uses);
        }
        return;
    }
    let sides = [left, right];
    for side in sides {
        if let Expr::Slot(slot) = side {
            compare(slot, &sides, dialect, uses);
        }
    }
}

/// What a list of subquery arms yields in its first column.
fn first_columns(body: &SetExpr) -> Vec<&Expr> {
    columns_at(body, 0)
}

/// What a list of subquery arms yields in one column.
fn columns_at(body: &SetExpr, position: usize) -> Vec<&Expr> {
    match body {
        SetExpr::Select(select) => select.projection.iter().skip(position).take(1).map(|item| &item.expr).collect(),
        SetExpr::Query(query) => columns_at(&query.body, position),
        SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
            let mut both = columns_at(left, position);
            both.extend(columns_at(right, position));
            both
        }
    }
}

/// Notes what stands beside a slot. A column behind a function or cast does not give the slot its type, but a masked one makes
/// the value sensitive all the same.
fn compare(slot: &Slot, others: &[&Expr], dialect: Dialect, slots: &mut [SlotUse]) {
    let Some(used) = slots.iter_mut().find(|used| used.slot == *slot) else {
        return;
    };
    for other in others {
        used.mixed |= !agrees(other, used.ty.as_ref());
        if let Expr::Column(ColumnRef { origin: Some(origin), ty, masked, .. }) = other
            && !used.compared.contains(origin)
        {
            // Behind a mask stand other values than the column's own.
            if !masked {
                used.compared.push(origin.clone());
            }
            used.ty = used.ty.take().or_else(|| ty.clone());
        }
        // To this server a text that is no number equals 0: whatever a value stands beside must say which of the two it is.
        if let (Dialect::MariaDb, Expr::Literal(literal)) = (dialect, other) {
            used.ty = used.ty.take().or_else(|| type_of(literal));
        }
        used.masked = used.masked || columns(other).iter().any(|column| column.masked);
    }
}

/// Whether what stands beside a slot is known to be of the kind that the slot has from elsewhere.
fn agrees(other: &Expr, known: Option<&SqlType>) -> bool {
    let ty = match other {
        Expr::Column(ColumnRef { ty, .. }) => ty.clone(),
        Expr::Literal(Literal::Null) | Expr::Slot(_) => return true,
        Expr::Literal(literal) => type_of(literal),
        _ => None,
    };
    match (ty, known) {
        (Some(ty), Some(known)) => is_number(&ty.kind) == is_number(&known.kind),
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn type_of(literal: &Literal) -> Option<SqlType> {
    match literal {
        Literal::Text(_) => Some(SqlType::text()),
        Literal::Number(_) => Some(SqlType { name: "decimal".to_owned(), kind: TypeKind::Decimal }),
        Literal::Bool(_) => Some(SqlType { name: "boolean".to_owned(), kind: TypeKind::Bool }),
        Literal::Null | Literal::Blob(_) | Literal::Typed(..) | Literal::Unit(_) => None,
    }
}

fn is_number(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Bool | TypeKind::Int | TypeKind::BigInt | TypeKind::Decimal | TypeKind::Float)
}

/// Whether a resolved query may compare a masked column with a value that is written in it: a literal stands anywhere, and a
/// masked column stands beside something else. Rather too often than too seldom, since a value can come by way of a subquery.
pub(super) fn compares_masked_with_literal(query: &Query) -> bool {
    if !names_masked(query) {
        return false;
    }
    let (mut literal, mut compared, mut united) = (false, false, false);
    walk::each_in_query(query, &mut |node| match node {
        Node::Expr(Expr::Literal(Literal::Number(_) | Literal::Text(_) | Literal::Typed(..) | Literal::Blob(_))) => {
            literal = true;
        }
        // What these join stands below them.
        Node::Expr(Expr::Binary { op: BinaryOp::And | BinaryOp::Or, .. }) => {}
        Node::Expr(expr) if !compared => {
            let beside = walk::parts(expr).len() > 1 || walk::subquery(expr).is_some();
            compared = beside && columns(expr).iter().any(|column| column.masked);
        }
        // Rows of the arms are compared with one another.
        Node::SetExpr(SetExpr::SetOperation { op, quantifier, .. }) => {
            united |= *op != SetOperator::Union || *quantifier == SetQuantifier::Distinct;
        }
        Node::Query(_) | Node::Select(_) | Node::SetExpr(_) | Node::Relation(_) | Node::Expr(_) => {}
    });
    literal && (compared || (united && exports_masked(query)))
}

fn names_masked(query: &Query) -> bool {
    let mut found = false;
    walk::each_in_query(query, &mut |node| found |= matches!(node, Node::Expr(Expr::Column(column)) if column.masked));
    found
}

/// Whether any SELECT of a query puts out a masked column.
fn exports_masked(query: &Query) -> bool {
    let mut found = false;
    walk::each_in_query(query, &mut |node| {
        if let Node::Select(select) = node {
            let mut exported = select.projection.iter().flat_map(|item| columns(&item.expr));
            found |= exported.any(|column| column.masked);
        }
    });
    found
}

fn columns(expr: &Expr) -> Vec<&ColumnRef> {
    let mut all = Vec::new();
    walk::each_in_expr(expr, &mut |node| {
        if let Node::Expr(Expr::Column(column)) = node {
            all.push(column);
        }
    });
    all
}

/// All that the text of a restricted query touches.
pub(super) fn footprint(query: &Query, dialect: Dialect) -> Footprint {
    let mut touched = Footprint::default();
    walk::each_in_query(query, &mut |node| match node {
        Node::Query(query) => {
            touched.ctes.extend(query.with.iter().map(|cte| cte.name.clone()));
            touched.recursive |= query.with.iter().any(|cte| cte.recursive);
        }
        Node::Relation(Relation::Restricted(table)) => {
            touched.tables.insert(table.table().clone());
        }
        Node::Relation(Relation::Recursion { .. }) => {
            touched.functions.insert("row_number".to_owned());
            if dialect == Dialect::Sqlite {
                touched.functions.insert(RECURSION_FUNCTION.to_owned());
            }
        }
        Node::Relation(Relation::Function(function)) => {
            touched.functions.insert(function.name.to_owned());
            touched.table_functions.insert(function.name.to_owned());
        }
        Node::Expr(expr) => touch(expr, dialect, &mut touched),
        Node::Relation(_) | Node::Select(_) | Node::SetExpr(_) => {}
    });
    touched
}

fn touch(expr: &Expr, dialect: Dialect, touched: &mut Footprint) {
    let function = match (expr, dialect) {
        // Outside a restriction a column is that of a derived table; the engine reads base columns under `RAW` alone.
        (Expr::Column(ColumnRef { relation, origin: Some(origin), .. }), _) if relation == RAW => {
            if !touched.columns.contains(origin) {
                touched.columns.insert(ColumnId::clone(origin));
            }
            return;
        }
        (Expr::Function(function), _) => function.name,
        (Expr::Added { function, args: _ }, _) => {
            touched.functions.insert(function.to_string());
            return;
        }
        (Expr::Like { .. }, Dialect::Sqlite) => "like",
        (Expr::InSlot { .. }, Dialect::Sqlite) => "json_each",
        (Expr::Binary { op: BinaryOp::JsonGet, .. }, Dialect::Sqlite) => "->",
        (Expr::Binary { op: BinaryOp::JsonGetText, .. }, Dialect::Sqlite) => "->>",
        (Expr::Binary { op: BinaryOp::Glob, .. }, Dialect::Sqlite) => "glob",
        _ => return,
    };
    if !touched.functions.contains(function) {
        touched.functions.insert(function.to_owned());
    }
}
