//! Trees that no text was read into: what stages after `resolve` put into a statement.

use super::{BinaryOp, ColumnRef, Expr, Literal, Projection, Query, Relation, UnaryOp};
use crate::names::Dialect;

/// The LIMIT that no number of rows reaches, on MariaDB.
pub(in crate::sql) const ALL_ROWS: &str = "18446744073709551615";

impl Expr {
    /// A column of a relation that was made up.
    pub(in crate::sql) fn made_up(relation: &str, name: &str) -> Self {
        Self::Column(ColumnRef::made_up(relation, name))
    }

    /// A whole number.
    pub(in crate::sql) fn number(number: u64) -> Self {
        Self::Literal(Literal::Number(number.to_string()))
    }

    /// An operation on two operands.
    pub(in crate::sql) fn binary(op: BinaryOp, left: Self, right: Self) -> Self {
        Self::Binary { op, left: Box::new(left), right: Box::new(right) }
    }
}

/// Columns of a relation that was made up, by their names.
pub(in crate::sql) fn columns(relation: &str, names: &[String]) -> Vec<Projection> {
    names.iter().map(|name| Projection { expr: Expr::made_up(relation, name), name: name.clone() }).collect()
}

/// The LIMIT and the OFFSET that have all rows. No condition moves into a subquery that pages, which is what makes one a fence.
pub(in crate::sql) fn page_of_all(dialect: Dialect) -> (Option<Expr>, Option<Expr>) {
    match dialect {
        Dialect::Postgres => (None, Some(Expr::number(0))),
        Dialect::Sqlite => {
            let minus_one = Expr::Unary { op: UnaryOp::Minus, expr: Box::new(Expr::number(1)) };
            (Some(minus_one), None)
        }
        Dialect::MariaDb => (Some(Expr::Literal(Literal::Number(ALL_ROWS.to_owned()))), None),
    }
}

impl Query {
    /// The same rows behind a fence.
    pub(in crate::sql) fn fenced(self, dialect: Dialect) -> Self {
        let (limit, offset) = page_of_all(dialect);
        Self { limit, offset, ..self }
    }

    /// The query as a relation.
    pub(in crate::sql) fn derived(self, alias: &str) -> Relation {
        Relation::Derived { query: Box::new(self), alias: alias.to_owned(), lateral: false }
    }
}
