//! What a policy reads of a database, whatever statement runs under it: the columns that a login must be able to select, and no
//! others. Never says which rows.

use std::collections::{BTreeMap, BTreeSet};

use super::restriction::{RAW, Restriction, Restrictions};
use super::statement::Footprint;
use super::tree::{ColumnRef, Expr, Slot};
use super::walk::{self, Node};
use crate::catalog::TableId;

/// Base tables and those of their columns that are read; never a table without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    tables: BTreeMap<TableId, BTreeSet<String>>,
}

impl Restriction {
    /// Whether its rows are the same for every caller: no claim decides them.
    pub fn is_the_same_for_all(&self) -> bool {
        let Some(filter) = &self.filter else { return true };
        let mut claims = false;
        walk::each_in_expr(filter, &mut |node| {
            if let Node::Expr(Expr::Slot(slot) | Expr::InSlot { slot, .. }) = node {
                claims |= matches!(slot, Slot::Claim(_) | Slot::ClaimList(_));
            }
        });
        !claims
    }
}

impl Reach {
    /// The tables and their columns.
    pub fn tables(&self) -> &BTreeMap<TableId, BTreeSet<String>> {
        &self.tables
    }

    /// The columns that are read of a table, where it is read at all.
    pub fn columns(&self, table: &TableId) -> Option<&BTreeSet<String>> {
        self.tables.get(table)
    }

    /// Adds all that statements under these restrictions may read: visible columns, and what masks and filters read behind them.
    pub fn add_restrictions(&mut self, restrictions: &Restrictions) {
        for (table, restriction) in &restrictions.tables {
            self.add_restriction(table, restriction);
        }
    }

    /// Adds what one statement reads.
    pub fn add_footprint(&mut self, footprint: &Footprint) {
        for column in &footprint.columns {
            self.add(&column.table, &column.column);
        }
    }

    fn add_restriction(&mut self, table: &TableId, restriction: &Restriction) {
        for column in &restriction.columns {
            match &column.mask {
                None => self.add(table, &column.name),
                Some(mask) => self.add_expr(&mask.expr),
            }
        }
        if let Some(filter) = &restriction.filter {
            self.add_expr(filter);
        }
        // To count a table's rows, an engine wants one of its columns to be readable.
        if let (None, Some(first)) = (self.tables.get(table), restriction.columns.first()) {
            self.add(table, &first.name);
        }
    }

    fn add_expr(&mut self, expr: &Expr) {
        // A table that a subquery only counts names no column here; its own restriction is added too, and names one.
        walk::each_in_expr(expr, &mut |node| {
            if let Node::Expr(Expr::Column(ColumnRef { relation, origin: Some(origin), .. })) = node
                && relation == RAW
            {
                self.add(&origin.table, &origin.column);
            }
        });
    }

    fn add(&mut self, table: &TableId, column: &str) {
        self.tables.entry(table.clone()).or_default().insert(column.to_owned());
    }
}
