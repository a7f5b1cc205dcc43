//! From the parser's tree to ours: deny by default, every name looked up in what the caller sees and in nothing else.
//!
//! It never consults the catalog for a table that is not visible, so a hidden name and a missing one cannot differ.
//! Every struct of the parser is destructured without `..`: a field that a new version adds breaks the build, not the policy.

mod added;
mod array;
mod call;
mod compare;
mod expr;
mod from;
mod group;
mod grouping;
mod lacking;
mod limit;
mod mariadb;
mod names;
mod output;
mod query;
mod refused;
mod scope;
mod select;
mod series;
mod set_call;
mod table_function;
mod types;
mod values;
mod window;
mod with;

#[cfg(test)]
mod tests;

pub(in crate::sql) use expr::{operator, string};
pub(in crate::sql) use mariadb::UNITS;
pub(in crate::sql) use output::{has_aggregate, has_window, output_columns, unique_output_names};
pub use scope::{ClaimUse, ParamShape, Scope};
pub(in crate::sql) use types::number;

use sqlparser::ast::Ident;

use self::expr::{Aggregates, At, Position};
use self::names::{Capture, Names, Source};
use self::query::Outer;
use super::error::{SqlError, shown};
use super::expansion;
use super::lengths;
use super::limits::{ALIAS_BYTES_MAX, DEPTH_MAX, EXPANDED_MAX, MERGED_MAX, NODES_MAX};
use super::parse::{parse_predicate, parse_query};
use super::restriction::RAW;
use super::tree;
use super::walk;
use crate::catalog::{ColumnId, Table};
use crate::names::Dialect;

/// Parses one SELECT and resolves it.
pub fn resolve_query(sql: &str, scope: &Scope<'_>) -> Result<tree::Query, SqlError> {
    let parsed = parse_query(scope.catalog.dialect(), sql)?;
    let mut resolver = Resolver::new(scope);
    let query = resolver.query(&parsed, Outer::default())?;
    lengths::refuse(&query, resolver.dialect)?;
    expansion::refuse(&query)?;
    resolver.can_be_said(query)
}

/// Parses a predicate over `table` and resolves it. The table's own columns, hidden ones too, stand under the alias `RAW`;
/// subqueries see the scope's tables.
pub fn resolve_predicate(sql: &str, table: &Table, scope: &Scope<'_>) -> Result<tree::Expr, SqlError> {
    resolve_over(sql, table, scope, "in a row filter")
}

/// The same for an expression that stands in a column's place.
pub fn resolve_mask(sql: &str, table: &Table, scope: &Scope<'_>) -> Result<tree::Expr, SqlError> {
    resolve_over(sql, table, scope, "in a mask")
}

fn resolve_over(sql: &str, table: &Table, scope: &Scope<'_>, place: &'static str) -> Result<tree::Expr, SqlError> {
    let parsed = parse_predicate(scope.catalog.dialect(), sql)?;
    let raw = raw_source(table);
    let names = Names { columns: raw.visible(), sources: vec![raw], capture: Capture::Qualified, ..Names::default() };
    let at = At { names: &names, ctes: None, position: Position::Top, aggregates: Aggregates::Refused(place) };
    let mut resolver = Resolver::new(scope);
    let expr = resolver.expr(&parsed, at)?;
    resolver.expr_can_be_said(expr)
}

/// A table's own columns, as its row filter sees them.
fn raw_source(table: &Table) -> Source {
    let column = |column: &crate::catalog::Column| tree::ColumnRef {
        relation: RAW.to_owned(),
        name: column.name.clone(),
        origin: Some(ColumnId { table: table.id.clone(), column: column.name.clone() }),
        ty: Some(column.ty.clone()),
        masked: false,
        nullable: column.nullable,
    };
    Source {
        name: table.id.name.clone(),
        table: Some(table.id.clone()),
        columns: table.columns.iter().map(column).collect(),
        scalar: false,
        key: Vec::new(),
    }
}

/// One resolution.
struct Resolver<'a> {
    scope: Scope<'a>,
    dialect: Dialect,
    /// How deep the tree is at this place.
    depth: usize,
    /// Expressions and columns so far.
    nodes: usize,
    /// Aliases made up so far.
    made_up: usize,
    /// Columns that USING and NATURAL made one so far.
    merged: usize,
    /// Relations named so far, each common table expression counted as often as it is read.
    relations: usize,
}

impl<'a> Resolver<'a> {
    fn new(scope: &Scope<'a>) -> Self {
        Self {
            scope: *scope,
            dialect: scope.catalog.dialect(),
            depth: 0,
            nodes: 0,
            made_up: 0,
            merged: 0,
            relations: 0,
        }
    }

    /// Resolves something one level further down.
    fn deeper<T>(&mut self, resolve: impl FnOnce(&mut Self) -> Result<T, SqlError>) -> Result<T, SqlError> {
        if self.depth == DEPTH_MAX {
            return Err(SqlError::TooComplex { what: "levels of nesting", max: DEPTH_MAX });
        }
        self.depth += 1;
        let resolved = resolve(self);
        self.depth -= 1;
        resolved
    }

    /// Counts expressions, and columns that stand for themselves: those of a relation, of `*`, of NATURAL and USING.
    fn count_nodes(&mut self, more: usize) -> Result<(), SqlError> {
        self.nodes += more;
        if self.nodes > NODES_MAX {
            return Err(SqlError::TooComplex { what: "expressions and columns", max: NODES_MAX });
        }
        Ok(())
    }

    /// Counts columns that USING or NATURAL makes one.
    fn count_merged(&mut self, more: usize) -> Result<(), SqlError> {
        self.merged += more;
        if self.merged > MERGED_MAX {
            return Err(SqlError::TooComplex { what: "columns that USING or NATURAL joins by", max: MERGED_MAX });
        }
        Ok(())
    }

    /// Counts an expression that a name stands for: an alias of the output, or what USING made of several columns.
    fn count_copy(&mut self, copy: &tree::Expr) -> Result<(), SqlError> {
        let mut size = 0;
        walk::each_in_expr(copy, &mut |_| size += 1);
        self.count_nodes(size)
    }

    /// An identifier as the catalog spells it: folded unless it is quoted.
    fn folded(&self, ident: &Ident) -> String {
        let Ident { value, quote_style, span: _ } = ident;
        match quote_style {
            None => self.dialect.fold(value),
            Some(_) => value.clone(),
        }
    }

    /// A name that the text gives to something.
    fn alias(&self, ident: &Ident) -> Result<String, SqlError> {
        let name = self.folded(ident);
        if ident.quote_style == Some('\'') {
            let instead = match self.dialect {
                Dialect::Postgres | Dialect::Sqlite => "write it in double quotes",
                Dialect::MariaDb => "write it in backticks",
            };
            return Err(SqlError::unsupported_use("an alias in single quotes", instead));
        }
        if name.is_empty() || name.len() > ALIAS_BYTES_MAX {
            return Err(SqlError::unsupported(format!("the alias {} (1 to {ALIAS_BYTES_MAX} bytes)", shown(&name))));
        }
        if name.get(..3).is_some_and(|prefix| prefix.eq_ignore_ascii_case("tg_")) {
            return Err(SqlError::unsupported(format!("the alias {} (`tg_` is reserved)", shown(&name))));
        }
        Ok(name)
    }

    /// Counts relations that the statement comes to. Common table expressions that each read another twice double them.
    fn count_relations(&mut self, more: usize) -> Result<(), SqlError> {
        self.relations += more;
        if self.relations > EXPANDED_MAX {
            return Err(SqlError::TooComplex {
                what: "relations, common table expressions counted each time they are read",
                max: EXPANDED_MAX,
            });
        }
        Ok(())
    }

    /// An alias that no text can have.
    fn made_up_alias(&mut self) -> String {
        self.made_up += 1;
        format!("tg_{}", self.made_up)
    }
}
