//! What a policy reads of a database, whatever statement runs under it: the columns that a login must be able to select, the
//! functions that it must be able to call, and no others. Never says which rows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::restriction::{RAW, Restriction, Restrictions};
use super::statement::Footprint;
use super::tree::{ColumnRef, Expr, Relation, Slot};
use super::walk::{self, Node};
use crate::catalog::{AddedFunction, Catalog, TableId};

/// Base tables and those of their columns that are read, and functions beyond the reviewed list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    tables: BTreeMap<TableId, BTreeSet<String>>,
    functions: Vec<Arc<AddedFunction>>,
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
    /// The tables and their columns; no table is without one once this is `complete`.
    pub fn tables(&self) -> &BTreeMap<TableId, BTreeSet<String>> {
        &self.tables
    }

    /// The columns that are read of a table, where it is read at all.
    pub fn columns(&self, table: &TableId) -> Option<&BTreeSet<String>> {
        self.tables.get(table)
    }

    /// The functions that the configuration adds to the reviewed list.
    pub fn functions(&self) -> &[Arc<AddedFunction>] {
        &self.functions
    }

    /// Adds what only the database's schema says: a column of each table whose rows are counted and nothing else, since an engine
    /// wants one to be readable for that, and the functions that every role there may call.
    pub fn complete(&mut self, catalog: &Catalog) {
        for (id, columns) in self.tables.iter_mut().filter(|(_, columns)| columns.is_empty()) {
            let key = catalog.get(id).and_then(|table| {
                table.primary_key.first().or_else(|| table.columns.first().map(|column| &column.name))
            });
            columns.extend(key.cloned());
        }
        if !self.tables.is_empty() {
            self.functions = catalog.functions().to_vec();
        }
    }

    /// Adds all that statements under these restrictions may read: visible columns, and what masks and filters read behind them.
    pub fn add_restrictions(&mut self, restrictions: &Restrictions) {
        for (table, restriction) in &restrictions.tables {
            self.add_restriction(table, restriction);
        }
    }

    /// Adds what one statement reads.
    pub fn add_footprint(&mut self, footprint: &Footprint) {
        for table in &footprint.tables {
            self.count(table);
        }
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
        // Masks may read no column at all, and then a visible one is as good as any.
        if let (true, Some(first)) = (self.count(table).is_empty(), restriction.columns.first()) {
            self.add(table, &first.name);
        }
    }

    fn add_expr(&mut self, expr: &Expr) {
        walk::each_in_expr(expr, &mut |node| match node {
            Node::Expr(Expr::Column(ColumnRef { relation, origin: Some(origin), .. })) if relation == RAW => {
                self.add(&origin.table, &origin.column);
            }
            // A subquery may read no column of it.
            Node::Relation(Relation::Restricted(table)) => {
                self.count(table.table());
            }
            _ => {}
        });
    }

    /// A table that is read, of which no column need be.
    fn count(&mut self, table: &TableId) -> &BTreeSet<String> {
        self.tables.entry(table.clone()).or_default()
    }

    fn add(&mut self, table: &TableId, column: &str) {
        self.tables.entry(table.clone()).or_default().insert(column.to_owned());
    }
}
