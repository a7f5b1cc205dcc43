//! Which tables of a row filter must be read whole, because a row that is missing from them could let a row through.
//!
//! In a row filter other tables stand as the role sees them. `x IN (SELECT …)` over fewer rows lets fewer rows through, and over none
//! none. `x NOT IN (SELECT …)` over none lets all of them through: a role that sees nothing of the inner table would see everything of
//! the outer one. Only what is known to go the right way is taken for harmless; anything else that holds a subquery is not.

use std::collections::BTreeSet;

use super::functions::{FunctionKind, lookup};
use super::tree::{BinaryOp, Expr, Function, JoinKind, Query, Relation, Select, SetExpr, SetOperator};
use super::walk::{self, Node};
use crate::catalog::TableId;
use crate::names::Dialect;

/// Aggregates that are NULL over no rows.
const NULL_OVER_NOTHING: [&str; 6] = ["min", "max", "sum", "avg", "bool_and", "bool_or"];

/// The tables whose missing rows could make a resolved predicate true.
pub fn tables_to_be_whole(predicate: &Expr, dialect: Dialect) -> BTreeSet<TableId> {
    let mut found = Found { dialect, tables: BTreeSet::new(), ctes: false };
    found.condition(predicate);
    if found.ctes {
        walk::each_in_expr(predicate, &mut |node| {
            if let Node::Query(query) = node {
                for cte in &query.with {
                    found.whole_query(&cte.query);
                }
            }
        });
    }
    found.tables
}

/// Whether a predicate names a masked column of a table. What is compared with a mask is as good as missing.
pub fn names_masked_column_of(predicate: &Expr, table: &TableId) -> bool {
    let mut found = false;
    walk::each_in_expr(predicate, &mut |node| {
        if let Node::Expr(Expr::Column(column)) = node {
            found |= column.masked && column.origin.as_ref().is_some_and(|origin| origin.table == *table);
        }
    });
    found
}

struct Found {
    dialect: Dialect,
    tables: BTreeSet<TableId>,
    /// Whether a common table expression must be read whole.
    ctes: bool,
}

impl Found {
    /// A condition that lets a row through when it is true.
    fn condition(&mut self, expr: &Expr) {
        match expr {
            Expr::Binary { op: BinaryOp::And | BinaryOp::Or, left, right } => {
                self.condition(left);
                self.condition(right);
            }
            Expr::Exists { query, negated: false } => self.rows(query),
            Expr::InQuery { expr, query, negated: false } => {
                self.value(expr);
                self.rows(query);
            }
            // NULL on either side makes none of these true.
            Expr::Binary {
                op: BinaryOp::Eq | BinaryOp::NotEq | BinaryOp::Lt | BinaryOp::LtEq | BinaryOp::Gt | BinaryOp::GtEq,
                left,
                right,
            } => {
                self.value(left);
                self.value(right);
            }
            Expr::Between { .. } | Expr::InList { .. } | Expr::InSlot { .. } | Expr::Like { .. } => {
                self.values(walk::parts(expr));
            }
            other => self.whole(other),
        }
    }

    fn values<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        for expr in exprs {
            self.value(expr);
        }
    }

    /// A value that must be NULL when the rows it is made of are missing.
    fn value(&mut self, expr: &Expr) {
        match expr {
            Expr::Scalar(query) => match &query.body {
                SetExpr::Select(select) if self.is_total(select) => match select.projection.as_slice() {
                    [only] if null_over_nothing(&only.expr) => self.clauses(select),
                    _ => self.whole_query(query),
                },
                _ => self.rows(query),
            },
            Expr::Cast { expr, ty: _ } | Expr::Unary { op: _, expr } => self.value(expr),
            Expr::Binary { op: BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Concat, left, right } => {
                self.value(left);
                self.value(right);
            }
            other => self.whole(other),
        }
    }

    /// A query whose rows are looked for: fewer inside must not make more of them.
    fn rows(&mut self, query: &Query) {
        for cte in &query.with {
            self.rows(&cte.query);
        }
        self.body(&query.body);
    }

    fn body(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) if select.having.is_some() || self.is_total(select) => self.whole_select(select),
            SetExpr::Select(select) => self.clauses(select),
            SetExpr::SetOperation { op: SetOperator::Except, quantifier: _, left, right } => {
                self.body(left);
                self.whole_body(right);
            }
            SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
                self.body(left);
                self.body(right);
            }
            SetExpr::Query(query) => self.rows(query),
        }
    }

    fn clauses(&mut self, select: &Select) {
        for relation in &select.from {
            self.relation(relation);
        }
        if let Some(filter) = &select.filter {
            self.condition(filter);
        }
        for item in &select.projection {
            match &item.expr {
                Expr::Function(Function { name, .. }) if NULL_OVER_NOTHING.contains(name) => {
                    self.values(walk::parts(&item.expr));
                }
                expr => self.value(expr),
            }
        }
    }

    fn relation(&mut self, relation: &Relation) {
        match relation {
            Relation::Base { .. } | Relation::Restricted(_) | Relation::Cte { .. } | Relation::Recursion { .. } => {}
            Relation::Values { rows, alias: _ } => self.values(rows.iter().flatten()),
            Relation::Function(function) => self.values(&function.args),
            Relation::Derived { query, alias: _, lateral: _ } => self.rows(query),
            Relation::Join { kind: JoinKind::Inner | JoinKind::Cross, left, right, on } => {
                self.relation(left);
                self.relation(right);
                if let Some(on) = on {
                    self.condition(on);
                }
            }
            // A row that finds no partner in an outer join stays, with NULLs to be asked for.
            Relation::Join { .. } => self.whole_relation(relation),
        }
    }

    /// Whether a SELECT has rows even where there are none to read: an aggregate over everything.
    fn is_total(&self, select: &Select) -> bool {
        if select.grouping_sets.iter().any(Vec::is_empty) {
            return true;
        }
        select.group_by.is_empty() && select.projection.iter().any(|item| self.has_aggregate(&item.expr))
    }

    fn has_aggregate(&self, expr: &Expr) -> bool {
        let own = match expr {
            Expr::Function(function) => {
                lookup(self.dialect, function.name).is_none_or(|spec| spec.kind != FunctionKind::Scalar)
            }
            _ => false,
        };
        own || walk::parts(expr).into_iter().any(|part| self.has_aggregate(part))
    }

    fn whole(&mut self, expr: &Expr) {
        walk::each_in_expr(expr, &mut |node| self.meet(node));
    }

    fn whole_query(&mut self, query: &Query) {
        walk::each_in_query(query, &mut |node| self.meet(node));
    }

    fn whole_select(&mut self, select: &Select) {
        walk::each_in_select(select, &mut |node| self.meet(node));
    }

    fn whole_body(&mut self, body: &SetExpr) {
        walk::each_in_set_expr(body, &mut |node| self.meet(node));
    }

    fn whole_relation(&mut self, relation: &Relation) {
        walk::each_in_relation(relation, &mut |node| self.meet(node));
    }

    fn meet(&mut self, node: Node<'_>) {
        match node {
            Node::Relation(Relation::Base { table, alias: _ }) => {
                self.tables.insert(table.clone());
            }
            Node::Relation(Relation::Cte { .. } | Relation::Recursion { .. }) => self.ctes = true,
            _ => {}
        }
    }
}

fn null_over_nothing(expr: &Expr) -> bool {
    match expr {
        Expr::Function(function) => NULL_OVER_NOTHING.contains(&function.name),
        Expr::Cast { expr, ty: _ } => null_over_nothing(expr),
        _ => false,
    }
}
