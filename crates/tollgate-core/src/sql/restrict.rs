//! Puts every base table into its restricted form: the visible columns, masked, of the rows that the filter lets through.
//!
//! Invariant **filter closed**: afterwards no base table stands in any FROM but as the single relation of its own restriction.
//! `RestrictedTable`'s fields are private to this file and `render` has no way to print a bare base table, so a path that
//! forgets this step ends in an error and never in an open table.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use super::fence::{self, Conjuncts, Runs};
use super::grouped;
use super::groups::{Groups, Telling};
use super::leak::Context;
use super::restriction::{RAW, RestrictedColumn, Restriction, Restrictions};
use super::tree::{
    CastType, ColumnRef, Expr, Function, IsTest, Literal, OrderKey, Projection, Query, Relation, Select, SetExpr,
};
use super::walk::{self, Node};
use crate::catalog::{ColumnId, TableId};
use crate::names::Dialect;

/// Why a tree could not be restricted. Means that an earlier stage let something through that it should have refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestrictError {
    /// A base table that does not exist for the statement.
    #[error("table `{0}` is not visible")]
    TableNotVisible(TableId),
    /// A column that does not exist for the statement.
    #[error("column `{0}` of table `{1}` is not visible")]
    ColumnNotVisible(String, TableId),
}

/// Whether tables that hide rows are kept apart from the rest of the statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fence {
    /// Nothing in the statement can tell of a hidden row; the planner is free.
    Open,
    /// Something in it can fail: no predicate may move in, and no statistics be seen from outside.
    Closed,
}

/// A base table in its restricted form: `(SELECT columns FROM table AS tg_raw WHERE conditions) AS alias`.
#[derive(Clone, Debug, PartialEq)]
pub struct RestrictedTable {
    table: TableId,
    alias: String,
    columns: Vec<Projection>,
    conditions: Vec<Expr>,
    fence: Fence,
}

impl RestrictedTable {
    /// The table behind it.
    pub(super) fn table(&self) -> &TableId {
        &self.table
    }

    /// How columns refer to it.
    pub(super) fn alias(&self) -> &str {
        &self.alias
    }

    /// What it yields, over `RAW`'s columns; at least one.
    pub(super) fn columns(&self) -> &[Projection] {
        &self.columns
    }

    /// The row filter and the conjuncts copied inside, all to be met.
    pub(super) fn conditions(&self) -> &[Expr] {
        &self.conditions
    }

    /// Whether it is kept apart.
    pub(super) fn fence(&self) -> Fence {
        self.fence
    }
}

/// Restricts every base table of a query.
pub(super) fn restrict(
    mut query: Query,
    restrictions: &Restrictions,
    fence: Fence,
    dialect: Dialect,
) -> Result<Query, RestrictError> {
    let (mut used, mut masks) = (Used::default(), Masks::Merged);
    walk::each_in_query(&query, &mut |node| {
        masks.meet(&node, dialect);
        used.meet(node);
    });
    let context = (fence == Fence::Closed).then(|| Context::of_query(&query, restrictions, dialect));
    let telling = restrictions.have_groups().then(|| Telling::of(&query));
    Pass { restrictions, context, used, masks, telling, dialect, runs: Runs::Once }.query(&mut query)?;
    Ok(query)
}

/// Restricts every base table in a predicate's subqueries; the predicate's own table stands outside as `RAW`.
///
/// Never fenced, and never over groups: a row filter is the operator's text, and what it fails on is the operator's to see.
pub fn restrict_predicate(
    mut predicate: Expr,
    restrictions: &Restrictions,
    dialect: Dialect,
) -> Result<Expr, RestrictError> {
    let (mut used, mut masks) = (Used::default(), Masks::Merged);
    walk::each_in_expr(&predicate, &mut |node| {
        masks.meet(&node, dialect);
        used.meet(node);
    });
    Pass { restrictions, context: None, used, masks, telling: None, dialect, runs: Runs::Once }.expr(&mut predicate)?;
    Ok(predicate)
}

/// Where masks are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Masks {
    /// Wherever the planner likes.
    Merged,
    /// Before anything else of the statement: MariaDB 10.11 sorts two windows wrongly of which one is sorted by what is no column.
    First,
}

impl Masks {
    fn meet(&mut self, node: &Node<'_>, dialect: Dialect) {
        if let (Dialect::MariaDb, Node::Expr(Expr::Function(Function { over: Some(_), .. }))) = (dialect, node) {
            *self = Self::First;
        }
    }
}

/// The columns that the statement names, by the alias they are named through. An alias that is used twice, in different
/// scopes, gets the columns of both: more than needed, never less.
#[derive(Default)]
struct Used {
    names: BTreeMap<String, BTreeSet<String>>,
    /// MariaDB's columns of bits, which it takes for a number in some expressions and for a text in others.
    bits: BTreeSet<ColumnId>,
}

impl Used {
    fn meet(&mut self, node: Node<'_>) {
        let Node::Expr(Expr::Column(column)) = node else { return };
        if let (Some(origin), Some(ty)) = (&column.origin, &column.ty)
            && (ty.name == "bit" || ty.name.starts_with("bit("))
        {
            self.bits.insert(origin.clone());
        }
        match self.names.get_mut(&column.relation) {
            Some(names) if names.contains(&column.name) => {}
            Some(names) => {
                names.insert(column.name.clone());
            }
            None => {
                self.names.insert(column.relation.clone(), BTreeSet::from([column.name.clone()]));
            }
        }
    }

    /// The columns of a restricted table that are named through an alias, by name. The alias may stand for another relation
    /// elsewhere; `resolve` has proved each name in its own scope.
    fn of<'r>(&self, alias: &str, restriction: &'r Restriction) -> Vec<&'r RestrictedColumn> {
        let Some(names) = self.names.get(alias) else { return Vec::new() };
        let mut used: Vec<_> = restriction.columns.iter().filter(|column| names.contains(&column.name)).collect();
        used.sort_by(|a, b| a.name.cmp(&b.name));
        used
    }
}

struct Pass<'a> {
    restrictions: &'a Restrictions,
    masks: Masks,
    /// What conjuncts are judged by; none where tables are not fenced.
    context: Option<Context>,
    used: Used,
    /// None in a row filter, whose own tables are seen row by row, and where no table has groups.
    telling: Option<Telling>,
    dialect: Dialect,
    /// How often what is being walked is run.
    runs: Runs,
}

impl Pass<'_> {
    fn query(&mut self, query: &mut Query) -> Result<(), RestrictError> {
        for cte in &mut query.with {
            self.query_run(&mut cte.query, Runs::Once)?;
        }
        self.set_expr(&mut query.body)?;
        for key in &mut query.order_by {
            if let OrderKey::Expr(expr) = &mut key.key {
                self.expr(expr)?;
            }
        }
        for bound in query.limit.iter_mut().chain(&mut query.offset) {
            self.expr(bound)?;
        }
        Ok(())
    }

    fn query_run(&mut self, query: &mut Query, runs: Runs) -> Result<(), RestrictError> {
        let around = mem::replace(&mut self.runs, runs);
        let restricted = self.query(query);
        self.runs = around;
        restricted
    }

    fn set_expr(&mut self, body: &mut SetExpr) -> Result<(), RestrictError> {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { op: _, quantifier: _, left, right } => {
                self.set_expr(left)?;
                self.set_expr(right)
            }
            SetExpr::Query(query) => self.query(query),
        }
    }

    fn select(&mut self, select: &mut Select) -> Result<(), RestrictError> {
        let conjuncts = match &self.context {
            None => Conjuncts::default(),
            Some(context) => fence::conjuncts(select, self.restrictions, context, self.runs),
        };
        for from in &mut select.from {
            self.relation(from, &conjuncts)?;
        }
        for expr in walk::clauses_mut(select) {
            self.expr(expr)?;
        }
        Ok(())
    }

    fn relation(&mut self, relation: &mut Relation, conjuncts: &Conjuncts) -> Result<(), RestrictError> {
        match relation {
            Relation::Base { table, alias } => {
                *relation = self.table(table, alias, conjuncts)?;
            }
            // Made by an earlier pass over a row filter: closed already.
            Relation::Restricted(_) | Relation::Cte { .. } | Relation::Recursion { .. } => {}
            Relation::Function(function) => {
                for arg in &mut function.args {
                    self.expr(arg)?;
                }
            }
            Relation::Values { rows, alias: _ } => {
                for expr in rows.iter_mut().flatten() {
                    self.expr(expr)?;
                }
            }
            Relation::Derived { query, alias: _, lateral: false } => self.query(query)?,
            // What it names of its neighbours is no reason to run it for each of their rows.
            Relation::Derived { query, alias: _, lateral: true } => self.query_run(query, Runs::Once)?,
            Relation::Join { kind: _, left, right, on } => {
                self.relation(left, conjuncts)?;
                self.relation(right, conjuncts)?;
                if let Some(on) = on {
                    self.expr(on)?;
                }
            }
        }
        Ok(())
    }

    fn expr(&mut self, expr: &mut Expr) -> Result<(), RestrictError> {
        for part in walk::parts_mut(expr) {
            self.expr(part)?;
        }
        let runs = Runs::of_subquery(expr, self.dialect);
        match walk::subquery_mut(expr) {
            Some(query) => self.query_run(query, runs),
            None => Ok(()),
        }
    }

    fn table(&self, table: &TableId, alias: &str, conjuncts: &Conjuncts) -> Result<Relation, RestrictError> {
        let restriction =
            self.restrictions.tables.get(table).ok_or_else(|| RestrictError::TableNotVisible(table.clone()))?;
        let used = self.used.of(alias, restriction);
        let groups = self.groups(restriction, alias, &used);
        let hides = restriction.hides_rows || groups.is_some();
        let computed = |column: &&RestrictedColumn| column.mask.as_ref().is_some_and(|mask| is_computed(&mask.expr));
        let masks_first = self.masks == Masks::First && used.iter().any(computed);
        let fence = if (hides && self.context.is_some()) || masks_first { Fence::Closed } else { Fence::Open };
        let columns = self.exported(table, &used, fence);
        let mut conditions: Vec<Expr> = restriction.filter.iter().cloned().collect();
        // A group is counted before any of the statement's own conditions.
        if fence == Fence::Closed && groups.is_none() {
            for conjunct in conjuncts.of(alias) {
                let mut inside = conjunct.clone();
                lower_into(&mut inside, alias, table, restriction)?;
                conditions.push(inside);
            }
        }
        let rows =
            |alias: &str| RestrictedTable { table: table.clone(), alias: alias.to_owned(), columns, conditions, fence };
        Ok(match groups {
            None => Relation::Restricted(Box::new(rows(alias))),
            Some(groups) => grouped::large_enough(rows(grouped::ROWS), &groups, alias, self.dialect),
        })
    }

    fn groups(&self, restriction: &Restriction, alias: &str, used: &[&RestrictedColumn]) -> Option<Groups> {
        let (least, telling) = (restriction.min_group_size?, self.telling.as_ref()?);
        // The alias may stand for another relation elsewhere, whose columns are not this table's.
        let own = telling.columns(alias).filter(|(name, _)| used.iter().any(|column| column.name == **name));
        Some(Groups { least, columns: own.map(|(name, told)| (name.clone(), *told)).collect() })
    }

    /// What a restricted table yields; where none of its columns is used (`SELECT count(*) FROM t`), one of no meaning.
    fn exported(&self, table: &TableId, used: &[&RestrictedColumn], fence: Fence) -> Vec<Projection> {
        if used.is_empty() {
            return vec![Projection {
                expr: Expr::Literal(Literal::Number("1".to_owned())),
                name: NO_COLUMN.to_owned(),
            }];
        }
        let export = |column: &&RestrictedColumn| {
            let plain = column.mask.as_ref().map_or_else(|| self.plain(table, &column.name), |mask| mask.expr.clone());
            let expr = match (fence, self.dialect) {
                (Fence::Closed, Dialect::Postgres) => opaque(plain),
                (Fence::Closed, Dialect::Sqlite | Dialect::MariaDb) | (Fence::Open, _) => plain,
            };
            Projection { expr, name: column.name.clone() }
        };
        used.iter().map(export).collect()
    }

    /// A column that no mask stands for: as it is, but for MariaDB's bits, which are numbers from here on.
    fn plain(&self, table: &TableId, name: &str) -> Expr {
        let own = raw(table, name);
        let id = ColumnId { table: table.clone(), column: name.to_owned() };
        if self.dialect == Dialect::MariaDb && self.used.bits.contains(&id) {
            return Expr::Cast { expr: Box::new(own), ty: CastType("unsigned".to_owned()) };
        }
        own
    }
}

fn is_computed(mask: &Expr) -> bool {
    !matches!(mask, Expr::Column(_) | Expr::Literal(_))
}

/// What a restricted table yields where none of its columns is used.
const NO_COLUMN: &str = "tg_row";

/// `CASE WHEN now() IS NOT NULL THEN x END`: x, but `now()` is never folded to a constant where selectivity is estimated, so the
/// column's statistics, which cover every tenant's rows, cannot be consulted for what stands outside.
fn opaque(expr: Expr) -> Expr {
    let now = Expr::Function(Function::plain("now", Vec::new()));
    let always = Expr::Is { expr: Box::new(now), test: IsTest::Null, negated: true };
    Expr::Case { operand: None, branches: vec![(always, expr)], otherwise: None }
}

/// A table's own column, inside its restriction.
fn raw(table: &TableId, name: &str) -> Expr {
    Expr::Column(ColumnRef {
        relation: RAW.to_owned(),
        name: name.to_owned(),
        origin: Some(ColumnId { table: table.clone(), column: name.to_owned() }),
        ty: None,
        masked: false,
        nullable: true,
    })
}

/// Rewrites a conjunct over the restricted table's columns into one over what stands behind them, masks included. Columns of rows
/// around the statement stay as they are: nothing inside has their relation's name.
fn lower_into(expr: &mut Expr, alias: &str, table: &TableId, restriction: &Restriction) -> Result<(), RestrictError> {
    if let Expr::Column(column) = expr {
        if column.relation != alias {
            return Ok(());
        }
        let visible = restriction.columns.iter().find(|c| c.name == column.name);
        let Some(visible) = visible else {
            return Err(RestrictError::ColumnNotVisible(column.name.clone(), table.clone()));
        };
        if let Some(mask) = &visible.mask {
            *expr = mask.expr.clone();
        } else {
            RAW.clone_into(&mut column.relation);
        }
        return Ok(());
    }
    for part in walk::parts_mut(expr) {
        lower_into(part, alias, table, restriction)?;
    }
    Ok(())
}
