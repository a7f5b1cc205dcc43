//! Prints how a common table expression that reads itself is read: for so many rows, and never silently for fewer than it has.
//!
//! The rows are numbered as they come, and the number after the last is an error. Nothing outside can be evaluated before the
//! number is looked at, since no condition moves into a subquery that pages, and nothing can make the look superfluous. A reader that
//! wants fewer rows never comes that far.

use super::{Printed, Printer};
use crate::names::Dialect;
use crate::sql::limits::{RECURSION_FUNCTION, RECURSION_ROWS_MAX};

impl Printer {
    /// `(SELECT columns FROM (SELECT columns, row_number() OVER () AS n FROM name LIMIT max + 1) WHERE n is in bounds) AS alias`.
    pub(super) fn recursion(&mut self, name: &str, columns: &[String], alias: &str) -> Printed {
        let number = row_number(columns);
        self.put("(SELECT ");
        self.list(columns, |p, column| p.ident(column))?;
        self.put(" FROM (SELECT ");
        self.list(columns, |p, column| p.ident(column))?;
        self.put(", ");
        self.function_name("row_number")?;
        self.put("() OVER () AS ");
        self.ident(&number)?;
        self.put(" FROM ");
        self.cte_reading(name, "tg_recursion")?;
        self.put(&format!(" LIMIT {}) AS ", RECURSION_ROWS_MAX + 1));
        self.ident("tg_numbered")?;
        self.put(" WHERE ");
        self.in_bounds(&number)?;
        self.put(match self.dialect {
            Dialect::Postgres => " OFFSET 0) AS ",
            Dialect::Sqlite => " LIMIT -1) AS ",
        });
        self.ident(alias)
    }

    /// A condition that is true for every row, and an error for the one after the last.
    fn in_bounds(&mut self, number: &str) -> Printed {
        match self.dialect {
            // A negative LIMIT has an error code of its own, and a caller's LIMIT is never negative. This one depends on the row, so it
            // is not computed while the statement is planned.
            Dialect::Postgres => self.wrapped(|p| {
                p.ident(number)?;
                p.put(&format!(" <= {RECURSION_ROWS_MAX} OR (SELECT TRUE LIMIT ({RECURSION_ROWS_MAX} - "));
                p.ident(number)?;
                p.put("))");
                Ok(())
            }),
            Dialect::Sqlite => {
                self.function_name(RECURSION_FUNCTION)?;
                self.wrapped(|p| p.ident(number))
            }
        }
    }
}

/// A name for the row's number that none of the columns has.
fn row_number(columns: &[String]) -> String {
    let mut name = "tg_number".to_owned();
    while columns.iter().any(|column| column.eq_ignore_ascii_case(&name)) {
        name.push('_');
    }
    name
}
