//! What a checked statement says of itself: what each slot is compared with, and all that it touches.

use super::leak;
use super::restriction::RAW;
use super::statement::{Footprint, SlotUse};
use super::tree::{BinaryOp, ColumnRef, Expr, Query, Relation, SetExpr, Slot};
use super::walk::{self, Node};
use crate::catalog::ColumnId;
use crate::names::Dialect;

/// What each slot of a restricted query is used for.
pub(super) fn slots(query: &Query, slots: Vec<Slot>, dialect: Dialect) -> Vec<SlotUse> {
    let mut uses: Vec<SlotUse> = slots
        .into_iter()
        .map(|slot| SlotUse { slot, compared: Vec::new(), ty: None, masked: false, like_escape: None })
        .collect();
    walk::each_in_query(query, &mut |node| {
        if let Node::Expr(expr) = node {
            note(expr, dialect, &mut uses);
        }
    });
    uses
}

fn note(expr: &Expr, dialect: Dialect, uses: &mut [SlotUse]) {
    let sides: Vec<&Expr> = match expr {
        Expr::Binary { op, left, right } if compares(*op) => vec![left, right],
        Expr::Between { expr, low, high, negated: _ } => vec![expr, low, high],
        Expr::InList { expr, list, negated: _ } => std::iter::once(&**expr).chain(list).collect(),
        Expr::InSlot { expr, slot, negated: _ } => return compare(slot, &[expr], uses),
        Expr::InQuery { expr, query, negated: _ } => {
            let others = first_columns(&query.body);
            if let Expr::Slot(slot) = &**expr {
                compare(slot, &others, uses);
            }
            return;
        }
        Expr::Like { expr, pattern, escape, .. } => {
            if let Expr::Slot(slot) = &**pattern
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
            compare(slot, &sides, uses);
        }
    }
}

fn compares(op: BinaryOp) -> bool {
    match op {
        BinaryOp::Eq
        | BinaryOp::NotEq
        | BinaryOp::Lt
        | BinaryOp::LtEq
        | BinaryOp::Gt
        | BinaryOp::GtEq
        | BinaryOp::IsDistinctFrom
        | BinaryOp::IsNotDistinctFrom => true,
        BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Add
        | BinaryOp::Subtract
        | BinaryOp::Multiply
        | BinaryOp::Divide
        | BinaryOp::Modulo
        | BinaryOp::Concat
        | BinaryOp::JsonGet
        | BinaryOp::JsonGetText => false,
    }
}

/// What a list of subquery arms yields in its first column.
fn first_columns(body: &SetExpr) -> Vec<&Expr> {
    match body {
        SetExpr::Select(select) => select.projection.iter().take(1).map(|item| &item.expr).collect(),
        SetExpr::Query(query) => first_columns(&query.body),
        SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
            let mut both = first_columns(left);
            both.extend(first_columns(right));
            both
        }
    }
}

/// Notes what stands beside a slot. A column behind a function or cast does not give the slot its type, but a masked one makes
/// the value sensitive all the same.
fn compare(slot: &Slot, others: &[&Expr], slots: &mut [SlotUse]) {
    let Some(used) = slots.iter_mut().find(|used| used.slot == *slot) else {
        return;
    };
    for other in others {
        if let Expr::Column(ColumnRef { origin: Some(origin), ty, .. }) = other
            && !used.compared.contains(origin)
        {
            used.compared.push(origin.clone());
            used.ty = used.ty.take().or_else(|| ty.clone());
        }
        used.masked |= columns(other).iter().any(|column| column.masked);
    }
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
pub(super) fn footprint(query: &Query, dialect: Dialect, fenced: bool) -> Footprint {
    let mut touched = Footprint::default();
    walk::each_in_query(query, &mut |node| match node {
        Node::Query(query) => {
            touched.ctes.extend(query.with.iter().map(|cte| cte.name.clone()));
            touched.recursive |= query.with.iter().any(|cte| cte.recursive);
        }
        Node::Relation(Relation::Restricted(table)) => {
            touched.tables.insert(table.table().clone());
        }
        Node::Expr(expr) => touch(expr, dialect, &mut touched),
        Node::Relation(_) | Node::Select(_) | Node::SetExpr(_) => {}
    });
    if fenced && dialect == Dialect::Postgres {
        touched.functions.insert("now".to_owned());
    }
    touched
}

fn touch(expr: &Expr, dialect: Dialect, touched: &mut Footprint) {
    let function = match (expr, dialect) {
        // Outside a restriction a column is that of a derived table; the engine reads base columns under `RAW` alone.
        (Expr::Column(ColumnRef { relation, origin: Some(origin), .. }), _) if relation == RAW => {
            touched.columns.insert(ColumnId::clone(origin));
            return;
        }
        (Expr::Function(function), _) => function.name,
        (Expr::Like { .. }, Dialect::Sqlite) => "like",
        (Expr::InSlot { .. }, Dialect::Sqlite) => "json_each",
        (Expr::Binary { op: BinaryOp::JsonGet, .. }, Dialect::Sqlite) => "->",
        (Expr::Binary { op: BinaryOp::JsonGetText, .. }, Dialect::Sqlite) => "->>",
        _ => return,
    };
    touched.functions.insert(function.to_owned());
}
