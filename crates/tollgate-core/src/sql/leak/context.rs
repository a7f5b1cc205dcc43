//! What one operation's verdict depends on beyond itself: the dialect, and which bound values have one type wherever they stand.
//!
//! PostgreSQL gives a parameter the type of its first use. Where a second use wants another, the value, or the column beside it, is
//! converted while rows are read, and a conversion can fail: such a parameter is no constant any more.

use std::collections::{BTreeMap, BTreeSet};

use super::Leak;
use super::kind::{self, Kind};
use crate::catalog::{ColumnId, TypeKind};
use crate::names::Dialect;
use crate::sql::restriction::Restrictions;
use crate::sql::tree::{BinaryOp, ColumnRef, Expr, OpClass, Query, Slot};
use crate::sql::walk::{self, Node};

/// What a verdict depends on.
#[derive(Debug)]
pub(in crate::sql) struct Context {
    /// The dialect.
    pub(super) dialect: Dialect,
    /// Parameters that are used in places of different types.
    loose: BTreeSet<Slot>,
    /// How many operations of the statement make values longer; no number is enough for a recursive query.
    pub(super) growths: usize,
    /// Columns whose mask can fail on a row's data, and what in it can.
    masks: BTreeMap<ColumnId, Leak>,
    author: Author,
}

/// Aggregates that multiply numbers with themselves.
pub(super) const SQUARES: [&str; 6] = ["stddev", "stddev_pop", "stddev_samp", "var_pop", "var_samp", "variance"];

/// Who wrote an expression: its length is bounded by its text, and only a caller's text is hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Author {
    Caller,
    Operator,
}

/// How a parameter is used.
#[derive(Default)]
struct Uses {
    times: usize,
    compared: usize,
    beside: Vec<Kind>,
}

impl Context {
    /// The context of a whole query over tables in these forms.
    pub(in crate::sql) fn of_query(query: &Query, restrictions: &Restrictions, dialect: Dialect) -> Self {
        let mut uses = BTreeMap::new();
        let plain = Self::plain(dialect);
        let mut growths = 0;
        walk::each_in_query(query, &mut |node| {
            note(node, &plain, &mut uses);
            grow(node, &mut growths);
        });
        Self { dialect, loose: loose(uses, dialect), growths, masks: leaky_masks(restrictions), author: Author::Caller }
    }

    /// The context of an expression that stands alone, its subqueries over tables in these forms.
    pub(in crate::sql) fn of_expr(expr: &Expr, restrictions: &Restrictions, dialect: Dialect) -> Self {
        let mut uses = BTreeMap::new();
        let plain = Self::plain(dialect);
        let mut growths = 0;
        walk::each_in_expr(expr, &mut |node| {
            note(node, &plain, &mut uses);
            grow(node, &mut growths);
        });
        Self { dialect, loose: loose(uses, dialect), growths, masks: leaky_masks(restrictions), author: Author::Caller }
    }

    /// The context of a mask that the operator wrote.
    pub(in crate::sql) fn of_mask(expr: &Expr, dialect: Dialect) -> Self {
        Self { author: Author::Operator, ..Self::of_expr(expr, &Restrictions::default(), dialect) }
    }

    /// A context that knows nothing but the dialect, for what expressions are.
    pub(super) fn plain(dialect: Dialect) -> Self {
        Self { dialect, loose: BTreeSet::new(), growths: 0, masks: BTreeMap::new(), author: Author::Caller }
    }

    /// Whether a parameter stands in places of different types.
    pub(super) fn is_loose(&self, slot: &Slot) -> bool {
        self.loose.contains(slot)
    }

    /// Whether a caller chooses how long texts become.
    pub(super) fn is_callers(&self) -> bool {
        self.author == Author::Caller
    }

    /// What can fail in the mask that stands between a column and its base column.
    pub(super) fn leak_of_mask(&self, column: &ColumnRef) -> Option<&Leak> {
        column.origin.as_ref().filter(|_| column.masked).and_then(|origin| self.masks.get(origin))
    }
}

fn leaky_masks(restrictions: &Restrictions) -> BTreeMap<ColumnId, Leak> {
    let mut masks = BTreeMap::new();
    for (table, restriction) in &restrictions.tables {
        for column in &restriction.columns {
            if let Some(leak) = column.mask.as_ref().and_then(|mask| mask.leak.as_ref()) {
                let leak = Leak::of(format!("the mask of `{}.{}`, which holds {leak}", table.name, column.name));
                masks.insert(ColumnId { table: table.clone(), column: column.name.clone() }, leak);
            }
        }
    }
    masks
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
            Kind::Constant(_) => {}
            // Between integers of different widths every conversion widens.
            Kind::Typed(TypeKind::Int) => entry.beside.push(Kind::Typed(TypeKind::BigInt)),
            kind => entry.beside.push(kind),
        }
    }
}

fn grow(node: Node<'_>, growths: &mut usize) {
    match node {
        Node::Query(query) if query.with.iter().any(|cte| cte.recursive) => *growths = usize::MAX,
        Node::Expr(Expr::Binary { op: BinaryOp::Concat | BinaryOp::Multiply | BinaryOp::Divide, .. }) => {
            *growths = growths.saturating_add(1);
        }
        Node::Expr(Expr::Function(function)) if SQUARES.contains(&function.name) => {
            *growths = growths.saturating_add(1);
        }
        _ => {}
    }
}
