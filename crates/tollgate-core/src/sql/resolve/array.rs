//! Arrays and their parts, and collations.

use sqlparser::ast;

use super::expr::{At, subquery_outer};
use super::{Resolver, refused};
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::IN_LIST_MAX;
use crate::sql::tree::{Elements, Expr, Subscript};

/// Those that both MariaDB and MySQL have.
const MARIADB_COLLATIONS: [&str; 4] =
    ["utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_520_ci"];

impl Resolver<'_> {
    /// `ARRAY[…]`, and `[…]` inside one.
    pub(super) fn array(&mut self, array: &ast::Array, at: At<'_>) -> Result<Expr, SqlError> {
        refused::when(!array.named, "an array without ARRAY in front of it")?;
        self.elements_of(array, at).map(|list| Expr::Array(Elements::List(list)))
    }

    /// The elements of a written array.
    pub(super) fn elements_of(&mut self, array: &ast::Array, at: At<'_>) -> Result<Vec<Expr>, SqlError> {
        let ast::Array { elem, named: _ } = array;
        if elem.len() > IN_LIST_MAX {
            return Err(SqlError::TooComplex { what: "elements of an array", max: IN_LIST_MAX });
        }
        let mut list = Vec::with_capacity(elem.len());
        for element in elem {
            list.push(match element {
                ast::Expr::Array(inner) => {
                    self.deeper(|this| this.elements_of(inner, at)).map(|list| Expr::Array(Elements::List(list)))?
                }
                other => self.expr(other, at)?,
            });
        }
        Ok(list)
    }

    /// `ARRAY(SELECT …)`.
    pub(super) fn array_of_query(&mut self, query: &ast::Query, at: At<'_>) -> Result<Expr, SqlError> {
        let query = self.query(query, subquery_outer(&at.inside(), false))?;
        self.one_column(&query, "a subquery of ARRAY")?;
        Ok(Expr::Array(Elements::Query(Box::new(query))))
    }

    /// `array[1]`, `array[2:3]`. Several subscripts at once mean another thing than one after the other: refused.
    pub(super) fn subscript(
        &mut self,
        root: &ast::Expr,
        chain: &[ast::AccessExpr],
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let (names, last) = match chain {
            [names @ .., ast::AccessExpr::Subscript(last)] if self.dialect == Dialect::Postgres => (names, last),
            _ => return Err(SqlError::unsupported_use("a field of a row", "name the column as table.column")),
        };
        let array = match (root, names) {
            (root, []) => self.boxed(root, at)?,
            (ast::Expr::Identifier(first), names) => {
                let mut parts = vec![first.clone()];
                for name in names {
                    match name {
                        ast::AccessExpr::Dot(ast::Expr::Identifier(ident)) => parts.push(ident.clone()),
                        ast::AccessExpr::Dot(_) | ast::AccessExpr::Subscript(_) => return Err(several()),
                    }
                }
                Box::new(self.qualified(&parts, at)?)
            }
            _ => return Err(several()),
        };
        let part = match last {
            ast::Subscript::Index { index } => Subscript::Index(self.boxed(index, at)?),
            ast::Subscript::Slice { lower_bound, upper_bound, stride } => {
                refused::when(stride.is_some(), "a slice with a stride")?;
                Subscript::Slice {
                    from: lower_bound.as_ref().map(|bound| self.boxed(bound, at)).transpose()?,
                    to: upper_bound.as_ref().map(|bound| self.boxed(bound, at)).transpose()?,
                }
            }
        };
        Ok(Expr::Subscript { expr: array, part })
    }

    /// COLLATE with one of the collations that compare by bytes or ASCII letters and are in every database.
    pub(super) fn collate(
        &mut self,
        expr: &ast::Expr,
        collation: &ast::ObjectName,
        at: At<'_>,
    ) -> Result<Expr, SqlError> {
        let ast::ObjectName(parts) = collation;
        let path: Vec<String> = parts
            .iter()
            .map(|part| match part {
                ast::ObjectNamePart::Identifier(ident) => Ok(self.folded(ident)),
                ast::ObjectNamePart::Function(_) => Err(SqlError::unsupported("this collation")),
            })
            .collect::<Result<_, _>>()?;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let known = match (self.dialect, path.as_slice()) {
            (Dialect::Postgres, ["C"] | ["pg_catalog", "C"]) => Some("C"),
            (Dialect::Sqlite, [name]) => {
                ["NOCASE", "BINARY", "RTRIM"].into_iter().find(|known| known.eq_ignore_ascii_case(name))
            }
            (Dialect::MariaDb, [name]) => MARIADB_COLLATIONS.into_iter().find(|known| known.eq_ignore_ascii_case(name)),
            (Dialect::Postgres | Dialect::Sqlite | Dialect::MariaDb, _) => None,
        };
        let Some(collation) = known else {
            let listed = match self.dialect {
                Dialect::Postgres => "the one listed is \"C\"",
                Dialect::Sqlite => "listed are NOCASE, BINARY and RTRIM",
                Dialect::MariaDb => {
                    "listed are utf8mb4_bin, utf8mb4_general_ci, utf8mb4_unicode_ci and utf8mb4_unicode_520_ci"
                }
            };
            return Err(SqlError::unsupported_use(format!("the collation {}", shown(&path.join("."))), listed));
        };
        Ok(Expr::Collate { expr: self.boxed(expr, at)?, collation })
    }
}

fn several() -> SqlError {
    SqlError::unsupported_use("several subscripts at once", "take one element at a time in a subquery")
}
