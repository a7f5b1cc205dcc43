//! Which columns a part of a query takes from around it. It reads a resolved tree before its tables are restricted, and never
//! looks a name up: an alias that an inner query gives again is the inner one's.

#[cfg(test)]
mod tests;

use super::functions::lookup;
use super::tree::{ColumnRef, Expr, Function, OrderBy, OrderKey, Query, Relation, Select, SetExpr};
use super::walk;
use crate::names::Dialect;

/// The first column that a query takes from around it.
pub(super) fn of_query(query: &Query) -> Option<&ColumnRef> {
    let mut found = None;
    let mut meet = |column| {
        found.get_or_insert(column);
    };
    Walk { inner: Vec::new(), passed: &|_| false, meet: &mut meet }.query(query);
    found
}

/// The first column that an expression of a SELECT takes from around that SELECT. An aggregate's arguments are not among its parts:
/// they are read row by row.
pub(super) fn beside_aggregates<'a>(expr: &'a Expr, select: &'a Select, dialect: Dialect) -> Option<&'a ColumnRef> {
    first_from_around(expr, select, &|part| is_aggregate(part, dialect))
}

/// The same with the arguments of aggregates.
pub(super) fn beside<'a>(expr: &'a Expr, select: &'a Select) -> Option<&'a ColumnRef> {
    first_from_around(expr, select, &|_| false)
}

/// The first column of a SELECT's own relations that a part of it reads neither in an aggregate nor as one of the keys.
pub(super) fn ungrouped<'a>(expr: &'a Expr, select: &'a Select, dialect: Dialect) -> Option<&'a ColumnRef> {
    let own = relations(select);
    let is_key = |column: &ColumnRef| {
        let same =
            |key: &Expr| matches!(key, Expr::Column(k) if k.relation == column.relation && k.name == column.name);
        select.group_by.iter().any(same)
    };
    let mut found = None;
    let mut meet = |column: &'a ColumnRef| {
        if own.contains(&column.relation.as_str()) && !is_key(column) {
            found.get_or_insert(column);
        }
    };
    let passed = |part: &Expr| is_aggregate(part, dialect) || select.group_by.contains(part);
    Walk { inner: Vec::new(), passed: &passed, meet: &mut meet }.expr(expr);
    found
}

/// The expressions of a SELECT that are computed of its groups: its output, HAVING, and the ordering of the query that it is.
pub(super) fn of_groups<'a>(select: &'a Select, order_by: &'a [OrderBy]) -> impl Iterator<Item = &'a Expr> {
    let output = select.projection.iter().map(|item| &item.expr);
    output.chain(&select.having).chain(order_by.iter().filter_map(sorted_by))
}

/// The SELECT that a query is, where it is one.
pub(super) fn select_of(query: &Query) -> Option<&Select> {
    match &query.body {
        SetExpr::Select(select) => Some(select),
        SetExpr::SetOperation { .. } | SetExpr::Query(_) => None,
    }
}

fn sorted_by(key: &OrderBy) -> Option<&Expr> {
    match &key.key {
        OrderKey::Expr(expr) => Some(expr),
        OrderKey::Output(_) => None,
    }
}

fn is_aggregate(expr: &Expr, dialect: Dialect) -> bool {
    let Expr::Function(Function { name, over: None, .. }) = expr else { return false };
    lookup(dialect, name).is_some_and(|spec| spec.kind.is_aggregate())
}

fn first_from_around<'a>(expr: &'a Expr, select: &'a Select, passed: &dyn Fn(&Expr) -> bool) -> Option<&'a ColumnRef> {
    let mut found = None;
    let mut meet = |column| {
        found.get_or_insert(column);
    };
    Walk { inner: relations(select), passed, meet: &mut meet }.expr(expr);
    found
}

/// How the relations of a SELECT are referred to.
fn relations(select: &Select) -> Vec<&str> {
    let mut all = Vec::new();
    select.from.iter().for_each(|relation| add_aliases(relation, &mut all));
    all
}

fn add_aliases<'a>(relation: &'a Relation, all: &mut Vec<&'a str>) {
    match relation {
        Relation::Base { table: _, alias }
        | Relation::Derived { query: _, alias, lateral: _ }
        | Relation::Cte { name: _, alias }
        | Relation::Recursion { name: _, columns: _, alias }
        | Relation::Values { rows: _, alias } => all.push(alias),
        Relation::Restricted(table) => all.push(table.alias()),
        Relation::Function(function) => all.push(&function.alias),
        Relation::Join { kind: _, left, right, on: _ } => {
            add_aliases(left, all);
            add_aliases(right, all);
        }
    }
}

struct Walk<'m, 'a> {
    /// The relations that are inside here.
    inner: Vec<&'a str>,
    /// Which expressions of the first level are not looked into.
    passed: &'m dyn Fn(&Expr) -> bool,
    meet: &'m mut dyn FnMut(&'a ColumnRef),
}

impl<'a> Walk<'_, 'a> {
    fn expr(&mut self, expr: &'a Expr) {
        if (self.passed)(expr) {
            return;
        }
        if let Expr::Column(column) = expr
            && !self.inner.contains(&column.relation.as_str())
        {
            (self.meet)(column);
        }
        walk::each_part(expr, &mut |part| self.expr(part));
        if let Some(query) = walk::subquery(expr) {
            Walk { inner: self.inner.clone(), passed: &|_| false, meet: &mut *self.meet }.query(query);
        }
    }

    fn query(&mut self, query: &'a Query) {
        for cte in &query.with {
            self.query(&cte.query);
        }
        self.body(&query.body, &query.order_by);
    }

    fn body(&mut self, body: &'a SetExpr, order_by: &'a [OrderBy]) {
        match body {
            SetExpr::Select(select) => self.select(select, order_by),
            // Its ordering names output columns alone.
            SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
                self.body(left, &[]);
                self.body(right, &[]);
            }
            SetExpr::Query(query) => self.query(query),
        }
    }

    fn select(&mut self, select: &'a Select, order_by: &'a [OrderBy]) {
        // A derived table sees what is around the SELECT, and not its neighbours.
        select.from.iter().for_each(|relation| self.derived(relation));
        let around = self.inner.len();
        self.inner.extend(relations(select));
        for expr in walk::clauses(select) {
            self.expr(expr);
        }
        order_by.iter().filter_map(sorted_by).for_each(|expr| self.expr(expr));
        select.from.iter().for_each(|relation| self.beside(relation));
        self.inner.truncate(around);
    }

    fn derived(&mut self, relation: &'a Relation) {
        match relation {
            Relation::Derived { query, alias: _, lateral: false } => self.query(query),
            Relation::Join { kind: _, left, right, on: _ } => {
                self.derived(left);
                self.derived(right);
            }
            _ => {}
        }
    }

    /// What of a relation sees its neighbours.
    fn beside(&mut self, relation: &'a Relation) {
        match relation {
            Relation::Derived { query, alias: _, lateral: true } => self.query(query),
            Relation::Join { kind: _, left, right, on } => {
                self.beside(left);
                self.beside(right);
                if let Some(on) = on {
                    self.expr(on);
                }
            }
            Relation::Values { rows, alias: _ } => rows.iter().flatten().for_each(|expr| self.expr(expr)),
            Relation::Function(function) => function.args.iter().for_each(|expr| self.expr(expr)),
            Relation::Base { .. }
            | Relation::Restricted(_)
            | Relation::Cte { .. }
            | Relation::Recursion { .. }
            | Relation::Derived { query: _, alias: _, lateral: false } => {}
        }
    }
}
