//! WITH: common table expressions, plain and recursive, under names of our own.
//!
//! Databases differ in which of several things of one name a WITH makes visible where. Here each expression sees those before it,
//! is printed under a name that nothing else has, and what only one database could read the other way is refused.

use std::cell::Cell;

use sqlparser::ast;

use super::Resolver;
use super::expr::Position;
use super::output::{body_columns, columns_read, unique};
use super::query::{Outer, few_arms, is_only_paged};
use super::refused;
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::RECURSION_ROWS_MAX;
use crate::sql::statement::OutputColumn;
use crate::sql::tree::{self, Expr, Literal, Materialized, Query, SetExpr};

/// The common table expressions that a place can name.
#[derive(Default)]
pub(super) struct Ctes<'p> {
    parent: Option<&'p Ctes<'p>>,
    list: Vec<CteShape>,
    /// Names of this WITH that are not defined yet at this place and mean nothing else there.
    undefined: Vec<String>,
}

/// What a common table expression looks like from outside.
pub(super) struct CteShape {
    /// Its name in the text.
    name: String,
    /// Its name as it is printed.
    pub(super) printed: String,
    /// Its columns.
    pub(super) columns: Vec<OutputColumn>,
    /// How many relations reading it comes to.
    pub(super) weight: usize,
    /// How it may be read here.
    pub(super) reading: Reading,
}

/// How a common table expression is read.
pub(super) enum Reading {
    /// Like a table.
    Plain,
    /// Only so many of its rows: it reads itself and may never end.
    Bounded,
    /// By itself; whether it was.
    Itself(Cell<bool>),
}

impl Ctes<'_> {
    /// The common table expression of that name, from the inside out.
    pub(super) fn find(&self, dialect: Dialect, name: &str) -> Result<Option<&CteShape>, SqlError> {
        let mut next = Some(self);
        while let Some(ctes) = next {
            if let Some(cte) = ctes.list.iter().find(|cte| dialect.same_name(&cte.name, name)) {
                return Ok(Some(cte));
            }
            if ctes.undefined.iter().any(|undefined| dialect.same_name(undefined, name)) {
                return Err(SqlError::unsupported_use(
                    format!("the common table expression {} before it is defined", shown(name)),
                    "put it first; one may read itself only on the right of a UNION under WITH RECURSIVE",
                ));
            }
            next = ctes.parent;
        }
        Ok(None)
    }
}

/// A common table expression that is being resolved.
struct Definition<'q> {
    name: String,
    columns: &'q [ast::TableAliasColumnDef],
    query: &'q ast::Query,
    /// Whether its own name means itself in it.
    reads_itself: bool,
}

impl Resolver<'_> {
    /// WITH: each expression sees those before it.
    pub(super) fn with<'p>(
        &mut self,
        with: Option<&ast::With>,
        outer: Outer<'p>,
    ) -> Result<(Ctes<'p>, Vec<tree::Cte>), SqlError> {
        let mut ctes = Ctes { parent: outer.ctes, list: Vec::new(), undefined: Vec::new() };
        let mut written = Vec::new();
        let Some(ast::With { with_token: _, recursive, cte_tables }) = with else { return Ok((ctes, written)) };
        let mut names = Vec::with_capacity(cte_tables.len());
        for cte in cte_tables {
            names.push(self.alias(&cte.alias.name)?);
        }
        let twice = |at: usize, name: &String| names.iter().take(at).any(|n| self.dialect.same_name(n, name));
        if let Some((_, name)) = names.iter().enumerate().find(|(at, name)| twice(*at, name)) {
            let construct = format!("the name {} for two common table expressions of one WITH", shown(name));
            return Err(SqlError::unsupported_use(construct, "give each a name of its own"));
        }
        for (place, ast::Cte { alias, query, from, materialized, closing_paren_token: _ }) in
            cte_tables.iter().enumerate()
        {
            refused::when(from.is_some(), "FROM in a common table expression")?;
            let ast::TableAlias { explicit: _, name: _, columns, at } = alias;
            refused::when(at.is_some(), "AT in an alias")?;
            let Some(name) = names.get(place).cloned() else { continue };
            // SQLite takes every WITH for a recursive one, in which names are known before they are defined.
            if *recursive || self.dialect == Dialect::Sqlite {
                ctes.undefined = names.iter().skip(place + 1).cloned().collect();
            }
            let reads_itself = *recursive || self.may_read_itself(&name, query, &ctes)?;
            let definition = Definition { name, columns, query, reads_itself };
            let (mut cte, shape) = self.definition(definition, outer, &ctes)?;
            cte.materialized = match materialized {
                None => Materialized::Auto,
                Some(ast::CteAsMaterialized::Materialized) => Materialized::Always,
                Some(ast::CteAsMaterialized::NotMaterialized) => Materialized::Never,
            };
            written.push(cte);
            ctes.list.push(shape);
        }
        ctes.undefined.clear();
        Ok((ctes, written))
    }

    /// Whether SQLite would read the name as the expression's own without being told RECURSIVE: there it could mean nothing else.
    fn may_read_itself(&self, name: &str, query: &ast::Query, ctes: &Ctes<'_>) -> Result<bool, SqlError> {
        let is_union = matches!(&*query.body, ast::SetExpr::SetOperation { op: ast::SetOperator::Union, .. });
        let taken = || self.scope.visible.tables.keys().any(|t| self.dialect.same_name(&t.name, name));
        Ok(self.dialect == Dialect::Sqlite && is_union && !taken() && ctes.find(self.dialect, name)?.is_none())
    }

    fn definition(
        &mut self,
        definition: Definition<'_>,
        outer: Outer<'_>,
        ctes: &Ctes<'_>,
    ) -> Result<(tree::Cte, CteShape), SqlError> {
        let before = self.relations;
        let printed = self.made_up_alias();
        let (query, mut columns, recursive) = match (definition.reads_itself, definition.query.body.as_ref()) {
            (true, ast::SetExpr::SetOperation { op: ast::SetOperator::Union, .. }) => {
                self.recursive(&definition, &printed, outer, ctes)?
            }
            (reads_itself, _) => {
                let undefined = if reads_itself { vec![definition.name.clone()] } else { Vec::new() };
                let inside = Ctes { parent: Some(ctes), list: Vec::new(), undefined };
                let inside = Outer { names: outer.names, ctes: Some(&inside), position: Position::Inside };
                let query = self.query(definition.query, inside)?;
                let columns = columns_read(self.dialect, &query.body);
                (query, columns, false)
            }
        };
        self.rename(&mut columns, definition.columns, &definition.name)?;
        unique(self.dialect, columns.iter().map(|c| c.name.clone()), &shown(&definition.name))?;
        let cte = tree::Cte {
            name: printed.clone(),
            columns: columns.iter().map(|c| c.name.clone()).collect(),
            materialized: Materialized::Auto,
            recursive,
            query,
        };
        let reading = if recursive && !ends(&cte.query) { Reading::Bounded } else { Reading::Plain };
        let weight = self.relations - before;
        Ok((cte, CteShape { name: definition.name, printed, columns, weight, reading }))
    }

    /// A UNION whose right arm may read the expression itself: its query, its columns, and whether it does.
    fn recursive(
        &mut self,
        definition: &Definition<'_>,
        printed: &str,
        outer: Outer<'_>,
        ctes: &Ctes<'_>,
    ) -> Result<(Query, Vec<OutputColumn>, bool), SqlError> {
        let Definition { name, columns, query, reads_itself: _ } = definition;
        let ast::SetExpr::SetOperation { left, op, set_quantifier, right } = query.body.as_ref() else {
            return Err(SqlError::unsupported("a recursive query that is not a UNION"));
        };
        if !is_only_paged(query) {
            return Err(SqlError::unsupported_use(
                "WITH, ORDER BY or FETCH in a recursive query",
                "put it into the query that reads it",
            ));
        }
        few_arms(left, right)?;
        if self.dialect == Dialect::Sqlite && matches!(**right, ast::SetExpr::SetOperation { .. }) {
            return Err(SqlError::unsupported_use(
                "INTERSECT in a recursive query, which SQLite groups from the left",
                "put parentheses around what belongs together",
            ));
        }
        let (op, quantifier) = self.set_operator(*op, *set_quantifier)?;
        let undefined = Ctes { parent: Some(ctes), list: Vec::new(), undefined: vec![name.clone()] };
        let outer = Outer { names: outer.names, ctes: Some(&undefined), position: Position::Inside };
        let left = self.set_expr(left, outer)?;
        let mut shape = columns_read(self.dialect, &left);
        self.rename(&mut shape, columns, name)?;
        for column in &mut shape {
            column.origin = None;
            column.nullable = true;
            column.ty = column.ty.take().filter(|_| self.dialect == Dialect::Postgres);
        }
        let itself = CteShape {
            name: name.clone(),
            printed: printed.to_owned(),
            columns: shape,
            weight: 0,
            reading: Reading::Itself(Cell::new(false)),
        };
        let mut inside = Ctes { parent: Some(ctes), list: vec![itself], undefined: Vec::new() };
        let mut right_arm = self.set_expr(right, Outer { ctes: Some(&inside), ..outer })?;
        Self::same_width(&left, &right_arm)?;
        // What is masked on the right is masked in what the right reads.
        if body_columns(self.dialect, &right_arm).iter().any(|c| c.masked) {
            for column in inside.list.iter_mut().flat_map(|cte| &mut cte.columns) {
                column.masked = true;
            }
            right_arm = self.set_expr(right, Outer { ctes: Some(&inside), ..outer })?;
        }
        let recursive = inside.list.iter().any(|cte| matches!(&cte.reading, Reading::Itself(read) if read.get()));
        let (limit, offset) = self.page(query.limit_clause.as_ref(), None)?;
        let body = SetExpr::SetOperation { op, quantifier, left: Box::new(left), right: Box::new(right_arm) };
        let mut columns = columns_read(self.dialect, &body);
        let limit = if recursive {
            for column in &mut columns {
                column.nullable = true;
            }
            self.recursion_limit(limit, offset.is_some())?
        } else {
            limit
        };
        Ok((Query { with: Vec::new(), body, order_by: Vec::new(), limit, offset }, columns, recursive))
    }

    /// The page of a recursive query: SQLite ends the recursion by it, PostgreSQL knows none.
    fn recursion_limit(&self, limit: Option<Expr>, offset: bool) -> Result<Option<Expr>, SqlError> {
        let refuse = || {
            SqlError::unsupported_use(
                "this LIMIT or OFFSET in a recursive query",
                "put it into the query that reads it",
            )
        };
        match (self.dialect, limit) {
            (_, None) if offset => Err(refuse()),
            (Dialect::Postgres | Dialect::MariaDb, None) => Ok(None),
            // One more than may be read, so that whoever reads it sees that there are more.
            (Dialect::Sqlite, None) => Ok(Some(Expr::number(RECURSION_ROWS_MAX + 1))),
            (Dialect::Sqlite, Some(Expr::Literal(Literal::Number(text)))) if !offset => {
                let wanted = text.parse().unwrap_or(u64::MAX);
                Ok(Some(Expr::number(wanted.min(RECURSION_ROWS_MAX + 1))))
            }
            (Dialect::Postgres | Dialect::Sqlite | Dialect::MariaDb, Some(_)) => Err(refuse()),
        }
    }

    /// Applies `alias (a, b, …)` to a relation's columns.
    pub(super) fn rename(
        &self,
        shape: &mut [OutputColumn],
        columns: &[ast::TableAliasColumnDef],
        relation: &str,
    ) -> Result<(), SqlError> {
        if columns.is_empty() {
            return Ok(());
        }
        if columns.len() != shape.len() {
            let construct =
                format!("a list of {} names for the {} columns of {}", columns.len(), shape.len(), shown(relation));
            return Err(SqlError::unsupported(construct));
        }
        for (column, ast::TableAliasColumnDef { name, data_type }) in shape.iter_mut().zip(columns) {
            refused::when(data_type.is_some(), "a type in a column alias")?;
            column.name = self.alias(name)?;
        }
        Ok(())
    }
}

/// Whether a recursive query ends within the bound by a LIMIT of its own.
fn ends(query: &Query) -> bool {
    match &query.limit {
        Some(Expr::Literal(Literal::Number(text))) => text.parse().is_ok_and(|rows: u64| rows <= RECURSION_ROWS_MAX),
        _ => false,
    }
}
