//! The conjuncts of a SELECT that may be copied into a fenced table, so that its indexes still serve.
//!
//! Only what cannot fail is copied, only what speaks of that table alone, and never past an outer join that could still need the row.

use std::collections::BTreeMap;

use super::leak::{self, Context};
use super::restriction::Restrictions;
use super::tree::{BinaryOp, Expr, JoinKind, Relation, Select};
use super::walk::{self, Node};

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
pub(super) fn conjuncts(select: &Select, restrictions: &Restrictions, context: &Context) -> Conjuncts {
    let mut all = Conjuncts::default();
    let mut wanted = Vec::new();
    if let Some(filter) = &select.filter {
        split(filter, &mut wanted);
    }
    wanted.retain(|conjunct| leak::in_expr(conjunct, context).is_none());
    for from in &select.from {
        descend(from, &wanted, &Around { restrictions, context }, &mut all);
    }
    all
}

struct Around<'a> {
    restrictions: &'a Restrictions,
    context: &'a Context,
}

/// Hands down the conjuncts that a row of this relation must meet or the row is of no use above.
fn descend(relation: &Relation, wanted: &[&Expr], around: &Around<'_>, all: &mut Conjuncts) {
    match relation {
        Relation::Base { table, alias } => {
            if !around.restrictions.tables.get(table).is_some_and(|r| r.hides_rows) {
                return;
            }
            let own: Vec<Expr> =
                wanted.iter().filter(|conjunct| speaks_only_of(conjunct, alias)).map(|&c| c.clone()).collect();
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

/// Whether every column of a conjunct is of that alias, with at least one, and no subquery stands in it.
fn speaks_only_of(conjunct: &Expr, alias: &str) -> bool {
    let mut columns = 0_usize;
    let mut foreign = false;
    walk::each_in_expr(conjunct, &mut |node| match node {
        Node::Expr(Expr::Column(column)) => {
            columns += 1;
            foreign |= column.relation != alias;
        }
        Node::Expr(_) => {}
        Node::Query(_) | Node::Select(_) | Node::SetExpr(_) | Node::Relation(_) => foreign = true,
    });
    columns > 0 && !foreign
}
