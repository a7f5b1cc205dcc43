//! Minimum group sizes: of a table that has one, a statement sees only rows that enough others are like, in all the columns by which
//! the statement tells rows apart. Whatever it does with those columns then, it selects whole groups and never a few rows of one.
//!
//! Columns that a statement only counts, sums or averages tell rows apart by whether there is a value. All others do by the value, wherever they are named: what is
//! not known to be harmless here counts as telling, so that a form of SQL that is new makes groups smaller and never shows a row.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::check::CheckError;
use super::error::SqlError;
use super::limits::GROUP_COLUMNS_MAX;
use super::restriction::{Restriction, Restrictions};
use super::tree::{CallOrder, ColumnRef, Expr, Function, FunctionArgs, OrderKey, Query, Relation, Select, SetExpr};
use super::walk::{self, Node};
use crate::catalog::Catalog;

/// The aggregates of one column that mix its values: what they say of a group says little of one row in it.
const MIXING: [&str; 10] =
    ["count", "sum", "avg", "total", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"];

/// How the rows of a table are grouped.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Groups {
    /// Rows of a group, at least.
    pub(super) least: NonZeroU32,
    /// In what the rows of a group agree; nothing for all rows as one group.
    pub(super) columns: Vec<(String, Alike)>,
}

/// With so many columns, and no more, every coarser grouping is looked at.
const ALL_COARSER_MAX: usize = 4;

impl Groups {
    /// The coarser groupings that a caller can ask for too, each as the places of the columns that it keeps. What one of them shows, less
    /// what this one shows of it, must not be too few rows. Of many columns: none, each one, and all but each one.
    pub(super) fn coarser(&self) -> Vec<Vec<usize>> {
        let count = self.columns.len();
        let kept = |bits: u32| (0..count).filter(|place| bits & (1 << place) != 0).collect::<Vec<_>>();
        let looked_at =
            |places: &Vec<usize>| count <= ALL_COARSER_MAX || places.len() <= 1 || places.len() + 1 == count;
        // Of at most `GROUP_COLUMNS_MAX` columns; the last set is all of them.
        let sets = (1_u32 << count.min(GROUP_COLUMNS_MAX)) - 1;
        (0..sets).map(kept).filter(looked_at).collect()
    }
}

/// In what the rows of a group agree about a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alike {
    /// Whether it is NULL: of one value among many NULLs, the sum is that value.
    Presence,
    /// Its value.
    Value,
}

/// The columns by which a statement tells rows apart, by the alias that they are named through. An alias that is used in several
/// scopes has those of all.
#[derive(Debug, Default)]
pub(super) struct Telling(BTreeMap<String, BTreeMap<String, Alike>>);

impl Telling {
    pub(super) fn of(query: &Query) -> Self {
        let mut telling = Self::default();
        telling.query(query);
        telling
    }

    /// Those of one alias.
    pub(super) fn columns(&self, alias: &str) -> impl Iterator<Item = (&String, &Alike)> {
        self.0.get(alias).into_iter().flatten()
    }

    fn query(&mut self, query: &Query) {
        for cte in &query.with {
            self.query(&cte.query);
        }
        self.set_expr(&query.body);
        let mut own = BTreeSet::new();
        if let SetExpr::Select(select) = &query.body {
            for from in &select.from {
                base_aliases(from, &mut own);
            }
        }
        for key in &query.order_by {
            if let OrderKey::Expr(expr) = &key.key {
                self.expr(expr, &own);
            }
        }
        for bound in query.limit.iter().chain(&query.offset) {
            self.expr(bound, &BTreeSet::new());
        }
    }

    fn set_expr(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
                self.set_expr(left);
                self.set_expr(right);
            }
            SetExpr::Query(query) => self.query(query),
        }
    }

    fn select(&mut self, select: &Select) {
        let mut own = BTreeSet::new();
        for from in &select.from {
            base_aliases(from, &mut own);
        }
        for expr in walk::clauses(select) {
            self.expr(expr, &own);
        }
        for from in &select.from {
            self.relation(from);
        }
    }

    fn relation(&mut self, relation: &Relation) {
        let none = BTreeSet::new();
        match relation {
            Relation::Base { .. } | Relation::Cte { .. } | Relation::Recursion { .. } | Relation::Restricted(_) => {}
            Relation::Function(function) => {
                for expr in &function.args {
                    self.expr(expr, &none);
                }
            }
            Relation::Values { rows, alias: _ } => {
                for expr in rows.iter().flatten() {
                    self.expr(expr, &none);
                }
            }
            Relation::Derived { query, alias: _, lateral: _ } => self.query(query),
            Relation::Join { kind: _, left, right, on } => {
                self.relation(left);
                self.relation(right);
                if let Some(on) = on {
                    self.expr(on, &none);
                }
            }
        }
    }

    fn note(&mut self, column: &ColumnRef, alike: Alike) {
        let columns = self.0.entry(column.relation.clone()).or_default();
        let known = columns.entry(column.name.clone()).or_insert(alike);
        *known = alike.max(*known);
    }

    /// `own` are the tables of the SELECT that the expression is a clause of: an aggregate over a column of another one may be
    /// computed for each of its rows.
    fn expr(&mut self, expr: &Expr, own: &BTreeSet<&str>) {
        match expr {
            Expr::Column(column) => self.note(column, Alike::Value),
            Expr::Function(function) if mixed(function, own).is_some() => {
                if let Some(column) = mixed(function, own).filter(|column| column.nullable) {
                    self.note(column, Alike::Presence);
                }
                if let Some(filter) = &function.filter {
                    self.expr(filter, own);
                }
            }
            other => {
                for part in walk::parts(other) {
                    self.expr(part, own);
                }
                if let Some(query) = walk::subquery(other) {
                    self.query(query);
                }
            }
        }
    }
}

/// The column of a call that is one of the listed aggregates over one bare column of these tables.
fn mixed<'a>(function: &'a Function, own: &BTreeSet<&str>) -> Option<&'a ColumnRef> {
    let Function { name, args, distinct, order, filter: _, over } = function;
    let FunctionArgs::List(args) = args else { return None };
    let [Expr::Column(column)] = args.as_slice() else { return None };
    let mixes = MIXING.contains(name)
        && (!distinct || *name == "count")
        && *order == CallOrder::None
        && over.is_none()
        && own.contains(column.relation.as_str());
    mixes.then_some(column)
}

fn base_aliases<'a>(relation: &'a Relation, into: &mut BTreeSet<&'a str>) {
    match relation {
        Relation::Base { table: _, alias } => {
            into.insert(alias);
        }
        Relation::Join { kind: _, left, right, on: _ } => {
            base_aliases(left, into);
            base_aliases(right, into);
        }
        Relation::Restricted(_)
        | Relation::Derived { .. }
        | Relation::Cte { .. }
        | Relation::Recursion { .. }
        | Relation::Values { .. }
        | Relation::Function(_) => {}
    }
}

/// Refuses what could only be empty: groups by the columns of a key, each of which is one row.
pub(super) fn refuse(query: &Query, restrictions: &Restrictions, catalog: &Catalog) -> Result<(), SqlError> {
    let grouped = |table| restrictions.tables.get(table).filter(|restriction| restriction.min_group_size.is_some());
    let telling = Telling::of(query);
    let mut refused = Ok(());
    walk::each_in_query(query, &mut |node| {
        if let Node::Relation(Relation::Base { table, alias }) = node
            && let (Some(restriction), Some(known), true) = (grouped(table), catalog.get(table), refused.is_ok())
        {
            let values = telling.columns(alias).filter(|(_, alike)| **alike == Alike::Value);
            let columns: BTreeSet<&str> = values.map(|(name, _)| name.as_str()).collect();
            let keys = std::iter::once(&known.primary_key).chain(&known.unique_keys);
            let single = keys.filter(|key| !key.is_empty()).find(|key| is_within(key, &columns, restriction));
            if let Some(key) = single {
                refused = Err(CheckError::SingleRows { columns: key.join("`, `") }.into());
            } else if telling.columns(alias).count() > GROUP_COLUMNS_MAX {
                refused = Err(SqlError::TooComplex { what: "columns that tell rows apart", max: GROUP_COLUMNS_MAX });
            }
        }
    });
    refused
}

/// Whether all columns of a key tell rows apart as they are, none of them through a mask.
fn is_within(key: &[String], columns: &BTreeSet<&str>, restriction: &Restriction) -> bool {
    let as_it_is =
        |name: &String| restriction.columns.iter().any(|column| column.name == *name && column.mask.is_none());
    key.iter().all(|name| columns.contains(name.as_str()) && as_it_is(name))
}
