//! Minimum group sizes: of a table that has one, a statement sees only rows that enough others are like, in all the columns by which
//! the statement tells rows apart. Whatever it does with those columns then, it selects whole groups and never a few rows of one.
//!
//! Columns that a statement only counts, sums or averages tell rows apart by whether there is a value. All others do by the value, wherever they are named: what is
//! not known to be harmless here counts as telling, so that a form of SQL that is new makes groups smaller and never shows a row.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::check::CheckError;
use super::error::SqlError;
use super::limits::GROUPINGS_MAX;
use super::restriction::{Restriction, Restrictions};
use super::tree::{CallOrder, ColumnRef, Expr, Function, FunctionArgs, OrderKey, Query, Relation, Select, SetExpr};
use super::walk::{self, Node};
use crate::catalog::{Catalog, TypeKind};

/// The aggregates of one column that mix its values: what they say of a group says little of one row in it.
const MIXING: [&str; 10] =
    ["count", "sum", "avg", "total", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp"];

/// How the rows of a table are grouped.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Groups {
    /// Rows of a group, at least.
    pub(super) least: NonZeroU32,
    /// In what the rows of a group agree; nothing for all rows as one group.
    pub(super) columns: Vec<(String, Told)>,
}

/// How a column tells rows apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// In what rows agree that it does not tell apart.
    pub(super) alike: Alike,
    /// Whether rows without a value may be among them.
    pub(super) nullable: bool,
}

impl Told {
    /// In what a grouping that keeps the column can have rows agree: as the statement does, or in whether there is a value.
    fn choices(self) -> Vec<Alike> {
        if self.nullable && self.alike > Alike::Presence { vec![self.alike, Alike::Presence] } else { vec![self.alike] }
    }
}

impl Groups {
    /// The grouping itself: the places of its columns, and in what rows agree by each.
    pub(super) fn whole(&self) -> Vec<(usize, Alike)> {
        self.columns.iter().enumerate().map(|(place, (_, told))| (place, told.alike)).collect()
    }

    /// The coarser groupings that a caller can ask for too, all of them: each column is kept, kept for whether it has a value, as
    /// its sum tells, or left out. What one of them shows, less what this one shows of it, must not be too few rows.
    pub(super) fn coarser(&self) -> Vec<Vec<(usize, Alike)>> {
        let mut sets: Vec<Vec<(usize, Alike)>> = vec![Vec::new()];
        for (place, (_, told)) in self.columns.iter().enumerate() {
            let kept = told.choices();
            // More are in the statement that a database describes, and in none that runs.
            if sets.len() * (kept.len() + 1) > GROUPINGS_MAX {
                break;
            }
            for at in 0..sets.len() {
                let without = sets.get(at).cloned().unwrap_or_default();
                sets.extend(kept.iter().map(|alike| [without.as_slice(), &[(place, *alike)]].concat()));
            }
        }
        let whole = self.whole();
        sets.retain(|set| *set != whole);
        sets
    }
}

/// In what the rows of a group agree about a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alike {
    /// Whether it is NULL: of one value among many NULLs, the sum is that value.
    Presence,
    /// Its value, of a type whose equal values are the same.
    Value,
    /// Its text: numbers, documents and texts can be equal and not the same (`1.0` and `1.00`), and a statement can tell them apart.
    Text,
}

impl Alike {
    /// In what rows must agree that a statement tells apart by this column.
    fn in_value_of(column: &ColumnRef) -> Self {
        let Some(ty) = column.ty.as_ref().filter(|_| !column.masked) else { return Self::Text };
        match &ty.kind {
            TypeKind::Bool
            | TypeKind::Int
            | TypeKind::BigInt
            | TypeKind::Bytes
            | TypeKind::Date
            | TypeKind::Time
            | TypeKind::Timestamp
            | TypeKind::TimestampTz
            | TypeKind::Uuid
            | TypeKind::Enum(_) => Self::Value,
            // Blanks at the end of a `character` do not count.
            TypeKind::Text if ty.name == "text" || ty.name.starts_with("character varying") => Self::Value,
            TypeKind::Text
            | TypeKind::Collated(_)
            | TypeKind::Decimal
            | TypeKind::Float
            | TypeKind::Json
            | TypeKind::Array(_)
            | TypeKind::Any
            | TypeKind::Other => Self::Text,
        }
    }
}

/// The columns by which a statement tells rows apart, by the alias that they are named through. An alias that is used in several
/// scopes has those of all.
#[derive(Debug, Default)]
pub(super) struct Telling(BTreeMap<String, BTreeMap<String, Told>>);

impl Telling {
    pub(super) fn of(query: &Query) -> Self {
        let mut telling = Self::default();
        telling.query(query);
        telling
    }

    /// Those of one alias.
    pub(super) fn columns(&self, alias: &str) -> impl Iterator<Item = (&String, &Told)> {
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
        let told = columns.entry(column.name.clone()).or_insert(Told { alike, nullable: false });
        told.alike = alike.max(told.alike);
        told.nullable |= column.nullable;
    }

    /// `own` are the tables of the SELECT that the expression is a clause of: an aggregate over a column of another one may be
    /// computed for each of its rows.
    fn expr(&mut self, expr: &Expr, own: &BTreeSet<&str>) {
        match expr {
            Expr::Column(column) => self.note(column, Alike::in_value_of(column)),
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
    if !restrictions.have_groups() {
        return Ok(());
    }
    let grouped = |table| restrictions.tables.get(table).filter(|restriction| restriction.min_group_size.is_some());
    let telling = Telling::of(query);
    let mut refused = Ok(());
    walk::each_in_query(query, &mut |node| {
        if let Node::Relation(Relation::Base { table, alias }) = node
            && let (Some(restriction), Some(known), true) = (grouped(table), catalog.get(table), refused.is_ok())
        {
            let values = telling.columns(alias).filter(|(_, told)| told.alike > Alike::Presence);
            let columns: BTreeSet<&str> = values.map(|(name, _)| name.as_str()).collect();
            let keys = std::iter::once(&known.primary_key).chain(&known.unique_keys);
            let single = keys.filter(|key| !key.is_empty()).find(|key| is_within(key, &columns, restriction));
            if let Some(key) = single {
                refused = Err(CheckError::SingleRows { columns: key.join("`, `") }.into());
            } else if groupings(telling.columns(alias).map(|(_, told)| *told)) > GROUPINGS_MAX {
                let what = "groupings by columns that tell rows apart";
                refused = Err(SqlError::TooComplex { what, max: GROUPINGS_MAX });
            }
        }
    });
    refused
}

/// How many groupings there are by some of these columns or all.
fn groupings(columns: impl Iterator<Item = Told>) -> usize {
    columns.fold(1, |groupings, told| groupings.saturating_mul(told.choices().len() + 1))
}

/// Whether all columns of a key tell rows apart as they are, none of them through a mask.
fn is_within(key: &[String], columns: &BTreeSet<&str>, restriction: &Restriction) -> bool {
    let as_it_is =
        |name: &String| restriction.columns.iter().any(|column| column.name == *name && column.mask.is_none());
    key.iter().all(|name| columns.contains(name.as_str()) && as_it_is(name))
}
