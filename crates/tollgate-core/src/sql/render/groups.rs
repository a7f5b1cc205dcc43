//! Prints a restricted table of which only groups of rows may be seen: rows that too few others are like are not there.
//!
//! Groups that are too small are left out, and that alone would tell of them: everything less what is shown. So where the rows left out
//! of a group of groups are too few themselves, its smallest group is left out with them.

use super::super::groups::{Alike, Groups};
use super::super::restrict::{Fence, RestrictedTable};
use super::{NO_COLUMN, Printed, Printer};
use crate::names::Dialect;

/// How many rows are like this one.
const ALIKE: &str = "tg_n";

/// How many rows of a coarser group are in groups that are too small.
fn hidden(number: usize) -> String {
    format!("tg_hidden_{number}")
}

/// The smallest group of a coarser one that is large enough.
fn smallest(number: usize) -> String {
    format!("tg_smallest_{number}")
}

impl Printer {
    /// The rows of a restricted table in groups that are large enough, in parentheses.
    pub(super) fn grouped_rows(&mut self, table: &RestrictedTable, groups: &Groups) -> Printed {
        let (least, coarser) = (groups.least, groups.coarser());
        let all: Vec<usize> = (0..groups.columns.len()).collect();
        self.put("(SELECT ");
        self.column_names(table)?;
        self.put(" FROM (SELECT ");
        self.column_names(table)?;
        self.put(", ");
        self.ident(ALIKE)?;
        for (number, kept) in coarser.iter().enumerate() {
            self.put(", ");
            self.over_groups("sum", (&format!(" < {least} THEN 1 ELSE 0"), None), (groups, kept), &hidden(number))?;
            self.put(", ");
            self.over_groups("min", (&format!(" >= {least} THEN "), Some(ALIKE)), (groups, kept), &smallest(number))?;
        }
        self.put(" FROM (SELECT ");
        self.column_names(table)?;
        self.put(", ");
        self.function_name("count")?;
        self.put("(*)");
        self.over(groups, &all, ALIKE)?;
        self.put(" FROM ");
        self.visible_rows(table)?;
        self.put(" AS ");
        self.ident("tg_rows")?;
        self.put(") AS ");
        self.ident("tg_counted")?;
        self.put(") AS ");
        self.ident("tg_grouped")?;
        self.put(" WHERE (");
        self.ident(ALIKE)?;
        self.put(&format!(" >= {least})"));
        for number in 0..coarser.len() {
            self.put(" AND (");
            self.ident(&hidden(number))?;
            self.put(" = 0 OR ");
            self.ident(&hidden(number))?;
            self.put(&format!(" >= {least} OR "));
            self.ident(ALIKE)?;
            self.put(" > ");
            self.ident(&smallest(number))?;
            self.put(")");
        }
        match (table.fence(), self.dialect) {
            (Fence::Open, _) => {}
            (Fence::Closed, Dialect::Postgres) => self.put(" OFFSET 0"),
            (Fence::Closed, Dialect::Sqlite) => self.put(" LIMIT -1"),
        }
        self.put(")");
        Ok(())
    }

    /// `sum(CASE WHEN tg_n … END) OVER (…) AS name`, the CASE's rest as a text and a name behind it.
    fn over_groups(
        &mut self,
        aggregate: &str,
        (rest, value): (&str, Option<&str>),
        (groups, kept): (&Groups, &[usize]),
        name: &str,
    ) -> Printed {
        self.function_name(aggregate)?;
        self.put("(CASE WHEN ");
        self.ident(ALIKE)?;
        self.put(rest);
        if let Some(value) = value {
            self.ident(value)?;
        }
        self.put(" END)");
        self.over(groups, kept, name)
    }

    /// Over the rows that agree in those of the columns.
    fn over(&mut self, groups: &Groups, kept: &[usize], name: &str) -> Printed {
        self.put(" OVER (");
        for (place, (column, alike)) in kept.iter().filter_map(|index| groups.columns.get(*index)).enumerate() {
            self.put(if place == 0 { "PARTITION BY " } else { ", " });
            self.ident(column)?;
            match (alike, self.dialect) {
                (Alike::Presence, _) => self.put(" IS NULL"),
                // Under a column's own collation, values that are not the same could be alike.
                (Alike::Value, Dialect::Sqlite) => self.put(" COLLATE BINARY"),
                (Alike::Value, Dialect::Postgres) => {}
            }
        }
        self.put(") AS ");
        self.ident(name)
    }

    fn column_names(&mut self, table: &RestrictedTable) -> Printed {
        if table.columns().is_empty() {
            return self.ident(NO_COLUMN);
        }
        self.list(table.columns(), |printer, column| printer.ident(&column.name))
    }
}
