//! What one operation's verdict depends on beyond itself: the dialect, and which bound values have one type wherever they stand.
//!
//! PostgreSQL gives a parameter the type of its first use. Where a second use wants another, the value, or the column beside it, is
//! converted while rows are read, and a conversion can fail: such a parameter is no constant any more.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::{self, Kind};
use crate::catalog::TypeKind;
use crate::names::Dialect;
use crate::sql::tree::{Expr, OpClass, Query, Slot};
use crate::sql::walk::{self, Node};

/// What a verdict depends on.
#[derive(Debug)]
pub(in crate::sql) struct Context {
    /// The dialect.
    pub(super) dialect: Dialect,
    /// Parameters that are used in places of different types.
    loose: BTreeSet<Slot>,
}

/// How a parameter is used.
#[derive(Default)]
struct Uses {
    times: usize,
    compared: usize,
    beside: Vec<Kind>,
}

impl Context {
    /// The context of a whole query.
    pub(in crate::sql) fn of_query(query: &Query, dialect: Dialect) -> Self {
        let mut uses = BTreeMap::new();
        let plain = Self::plain(dialect);
        walk::each_in_query(query, &mut |node| note(node, &plain, &mut uses));
        Self { dialect, loose: loose(uses, dialect) }
    }

    /// The context of an expression that stands alone.
    pub(in crate::sql) fn of_expr(expr: &Expr, dialect: Dialect) -> Self {
        let mut uses = BTreeMap::new();
        let plain = Self::plain(dialect);
        walk::each_in_expr(expr, &mut |node| note(node, &plain, &mut uses));
        Self { dialect, loose: loose(uses, dialect) }
    }

    fn plain(dialect: Dialect) -> Self {
        Self { dialect, loose: BTreeSet::new() }
    }

    /// Whether a parameter stands in places of different types.
    pub(super) fn is_loose(&self, slot: &Slot) -> bool {
        self.loose.contains(slot)
    }
}

fn loose(uses: BTreeMap<Slot, Uses>, dialect: Dialect) -> BTreeSet<Slot> {
    if dialect == Dialect::Sqlite {
        return BTreeSet::new();
    }
    uses.into_iter().filter(|(_, uses)| uses.are_loose()).map(|(slot, _)| slot).collect()
}

impl Uses {
    fn are_loose(&self) -> bool {
        let one_type =
            self.beside.iter().all(|kind| matches!(kind, Kind::Typed(_)) && self.beside.first() == Some(kind));
        self.times > 1 && (self.compared < self.times || !one_type)
    }
}

fn note(node: Node<'_>, plain: &Context, uses: &mut BTreeMap<Slot, Uses>) {
    let Node::Expr(expr) = node else { return };
    match expr {
        Expr::Slot(slot) => uses.entry(slot.clone()).or_default().times += 1,
        Expr::InSlot { expr, slot, negated: _ } => {
            uses.entry(slot.clone()).or_default().times += 1;
            compared(slot, std::iter::once(&**expr), plain, uses);
        }
        Expr::Binary { op, left, right } if op.class() == OpClass::Comparison => beside(&[left, right], plain, uses),
        Expr::Between { .. } | Expr::InList { .. } | Expr::Like { .. } => beside(&walk::parts(expr), plain, uses),
        _ => {}
    }
}

fn beside(sides: &[&Expr], plain: &Context, uses: &mut BTreeMap<Slot, Uses>) {
    for side in sides {
        if let Expr::Slot(slot) = side {
            compared(slot, sides.iter().copied(), plain, uses);
        }
    }
}

fn compared<'a>(slot: &Slot, others: impl Iterator<Item = &'a Expr>, plain: &Context, uses: &mut BTreeMap<Slot, Uses>) {
    let entry = uses.entry(slot.clone()).or_default();
    entry.compared += 1;
    for other in others {
        match kind::of(other, plain) {
            Kind::Constant => {}
            // Between integers of different widths every conversion widens.
            Kind::Typed(TypeKind::Int) => entry.beside.push(Kind::Typed(TypeKind::BigInt)),
            kind => entry.beside.push(kind),
        }
    }
}
