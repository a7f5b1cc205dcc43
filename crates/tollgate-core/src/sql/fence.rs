//! The conjuncts of a SELECT that may be copied into a fenced table, so that its indexes still serve.
//!
//! Only what cannot fail is copied, only what speaks of that table alone, and never past an outer join that could still need the row.
//! In a subquery that is run again for each row around it, the values of that row are as good as constants.

use std::collections::{BTreeMap, BTreeSet};

use super::leak::{self, Context};
use super::restriction::Restrictions;
use super::tree::{BinaryOp, ColumnRef, Elements, Expr, JoinKind, Relation, Select};
use super::walk::{self, Node};
use crate::names::Dialect;

/// How often an engine runs a part of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runs {
    /// Once, or as a side of a join that the engine makes of it: it may read the table once and hash it.
    Once,
    /// Again for each row around it, whatever the planner does.
    PerRow,
}

impl Runs {
    /// Of an expression's own subquery. PostgreSQL makes joins of EXISTS and IN, and of no scalar subquery; a fence that names the row
    /// around it would keep it from that. SQLite reads a fence that names no such row once, and makes an index of its own for it;
    /// MariaDB lets none name one.
    pub(super) fn of_subquery(expr: &Expr, dialect: Dialect) -> Self {
        match (dialect, expr) {
            (Dialect::Postgres, Expr::Scalar(_) | Expr::Array(Elements::Query(_))) => Self::PerRow,
            (Dialect::Postgres | Dialect::Sqlite | Dialect::MariaDb, _) => Self::Once,
        }
    }
}

/// Conjuncts by the alias of the table that they may be copied into.
#[derive(Default)]
pub(super) struct Conjuncts(BTreeMap<String, Vec<Expr>>);

impl Conjuncts {
    /// Those of one table.
    pub(super) fn of(&self, alias: &str) -> &[Expr] {
        self.0.get(alias).map_or(&[], Vec::as_slice)
    }
}

/// Finds them for every base table of a SELECT's FROM.
pub(super) fn conjuncts(select: &Select, restrictions: &Restrictions, context: &Context, runs: Runs) -> Conjuncts {
    let mut all = Conjuncts::default();
    let mut own = BTreeSet::new();
    for from in &select.from {
        aliases(from, &mut own);
    }
    let mut wanted = Vec::new();
    if let Some(filter) = &select.filter {
        split(filter, &mut wanted);
    }
    wanted.retain(|conjunct| leak::in_expr(conjunct, context).is_none());
    for from in &select.from {
        descend(from, &wanted, &Around { restrictions, context, own: &own, runs }, &mut all);
    }
    all
}

struct Around<'a> {
    restrictions: &'a Restrictions,
    context: &'a Context,
    /// The aliases of the SELECT's FROM.
    own: &'a BTreeSet<&'a str>,
    runs: Runs,
}

impl Around<'_> {
    /// Whether a column is the same for every row that the SELECT reads, and read without computing anything: a stored column of a
    /// row around it. What a derived table there computes may fail, and would be computed within the fence.
    fn is_given(&self, column: &ColumnRef) -> bool {
        self.runs == Runs::PerRow && column.origin.is_some() && !self.own.contains(column.relation.as_str())
    }

    /// Whether every column of a conjunct is of that alias or given, with at least one of the alias, and no subquery stands in it.
    fn speaks_only_of(&self, conjunct: &Expr, alias: &str) -> bool {
        let mut columns = 0_usize;
        let mut foreign = false;
        walk::each_in_expr(conjunct, &mut |node| match node {
            Node::Expr(Expr::Column(column)) if column.relation == alias => columns += 1,
            Node::Expr(Expr::Column(column)) => foreign |= !self.is_given(column),
            Node::Expr(_) => {}
            Node::Query(_) | Node::Select(_) | Node::SetExpr(_) | Node::Relation(_) => foreign = true,
        });
        columns > 0 && !foreign
    }
}

/// Hands down the conjuncts that a row of this relation must meet or the row is of no use above.
fn descend(relation: &Relation, wanted: &[&Expr], around: &Around<'_>, all: &mut Conjuncts) {
    match relation {
        Relation::Base { table, alias } => {
            if !around.restrictions.tables.get(table).is_some_and(|r| r.hides_rows) {
                return;
            }
            let own: Vec<Expr> =
                wanted.iter().filter(|conjunct| around.speaks_only_of(conjunct, alias)).map(|&c| c.clone()).collect();
            all.0.insert(alias.clone(), own);
        }
        Relation::Restricted(_)
        | Relation::Derived { .. }
        | Relation::Cte { .. }
        | Relation::Recursion { .. }
        | Relation::Values { .. }
        | Relation::Function(_) => {}
        Relation::Join { kind, left, right, on } => {
            let mut on_conjuncts = Vec::new();
            if let Some(on) = on {
                split(on, &mut on_conjuncts);
            }
            on_conjuncts.retain(|conjunct| leak::in_expr(conjunct, around.context).is_none());
            let both: Vec<&Expr> = wanted.iter().chain(&on_conjuncts).copied().collect();
            // A row that an outer join keeps without a partner is not bound by ON; a row that it may replace by NULLs is bound
            // by ON alone, since WHERE sees the NULLs.
            let (for_left, for_right): (&[&Expr], &[&Expr]) = match kind {
                JoinKind::Inner | JoinKind::Cross => (&both, &both),
                JoinKind::Left => (wanted, &on_conjuncts),
                JoinKind::Right => (&on_conjuncts, wanted),
                JoinKind::Full => (&[], &[]),
            };
            descend(left, for_left, around, all);
            descend(right, for_right, around, all);
        }
    }
}

/// The conditions that all hold where this one does.
pub(super) fn split<'a>(expr: &'a Expr, into: &mut Vec<&'a Expr>) {
    match expr {
        Expr::Binary { op: BinaryOp::And, left, right } => {
            split(left, into);
            split(right, into);
        }
        other => into.push(other),
    }
}

/// The aliases that a relation brings into its SELECT.
fn aliases<'a>(relation: &'a Relation, into: &mut BTreeSet<&'a str>) {
    match relation {
        Relation::Base { alias, .. }
        | Relation::Derived { alias, .. }
        | Relation::Cte { alias, .. }
        | Relation::Recursion { alias, .. }
        | Relation::Values { alias, .. } => {
            into.insert(alias);
        }
        Relation::Restricted(table) => {
            into.insert(table.alias());
        }
        Relation::Function(function) => {
            into.insert(&function.alias);
        }
        Relation::Join { kind: _, left, right, on: _ } => {
            aliases(left, into);
            aliases(right, into);
        }
    }
}
