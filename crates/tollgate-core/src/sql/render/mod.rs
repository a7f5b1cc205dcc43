//! Prints a restricted tree in a dialect. Every identifier is quoted, every literal written anew, every expression parenthesised;
//! there are no comments and no unqualified tables. Never prints text that it was not built to print: what it does not know is an error.

mod call;
mod estimate;
mod expr;
mod op;
mod quote;
mod recursion;
mod reparse;
mod reread;

#[cfg(test)]
mod tests;

pub(super) use estimate::estimate;
pub(super) use quote::is_type_name;

use self::estimate::Constants;
use self::reread::Tokens;
use super::restrict::{Fence, RestrictedTable};
use super::restriction::RAW;
use super::tree::build;
use super::tree::{
    Cte, Distinct, Expr, JoinKind, Materialized, OrderBy, OrderKey, Query, Relation, Select, SetExpr, SetOperator,
    SetQuantifier, Slot, TableFunction,
};
use crate::catalog::TableId;
use crate::names::Dialect;

/// A statement's text, with its slots in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) text: String,
    pub(super) slots: Vec<Slot>,
}

/// Why a tree cannot be printed. Each means that an earlier stage let something through that it should have refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A base table outside its restriction: the invariant **filter closed** would be broken.
    #[error("table `{0}` has not been restricted")]
    Unrestricted(TableId),
    /// A NUL character, which no engine can hold in its text.
    #[error("a name or a string holds a NUL character")]
    Nul,
    /// A number that is not written as one.
    #[error("`{0}` is not a number")]
    Number(String),
    /// A word that may not stand outside quotes.
    #[error("`{0}` is not a plain type or function name")]
    Word(String),
    /// A common table expression that no WITH around it defines: its name could be a base table's.
    #[error("no common table expression `{0}` is in scope")]
    UnknownCte(String),
    /// The call's id, which no statement may refer to.
    #[error("the call's id is not a value of the statement")]
    CallId,
    /// Something the dialect does not have.
    #[error("{dialect} has no {what}", dialect = .dialect.name())]
    NotInDialect {
        /// Which dialect.
        dialect: Dialect,
        /// What it lacks.
        what: &'static str,
    },
    /// A list that must hold something and does not.
    #[error("{0} without anything in it")]
    Empty(&'static str),
    /// A text that an engine would read in another way than it was meant.
    #[error("the printed text does not read as what was meant")]
    Misread,
}

/// Prints a query.
pub(super) fn render(query: &Query, dialect: Dialect) -> Result<Rendered, RenderError> {
    let mut printer = Printer::new(dialect);
    printer.query(query)?;
    let rendered = printer.printed()?;
    reparse::check(&rendered.text, &rendered.slots, query, dialect)?;
    Ok(rendered)
}

/// The text so far.
struct Printer {
    dialect: Dialect,
    text: String,
    slots: Vec<Slot>,
    /// The common table expressions in scope.
    ctes: Vec<String>,
    /// What the text is to be read as.
    meant: Tokens,
    constants: Constants,
}

type Printed = Result<(), RenderError>;

impl Printer {
    fn new(dialect: Dialect) -> Self {
        let slots = match dialect {
            Dialect::Postgres => vec![Slot::CallId],
            Dialect::Sqlite | Dialect::MariaDb => Vec::new(),
        };
        let (text, ctes, meant) = (String::new(), Vec::new(), Tokens::default());
        Self { dialect, text, slots, ctes, meant, constants: Constants::Written }
    }

    /// What was printed, once it reads as what was meant.
    fn printed(self) -> Result<Rendered, RenderError> {
        reread::check(&self.text, &self.meant, self.dialect)?;
        Ok(Rendered { text: self.text, slots: self.slots })
    }

    /// Words and signs, never a name, a string or bytes.
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        self.meant.plain(text);
    }

    fn query(&mut self, query: &Query) -> Printed {
        let outer = self.ctes.len();
        if !query.with.is_empty() {
            self.put(if query.with.iter().any(|cte| cte.recursive) { "WITH RECURSIVE " } else { "WITH " });
            self.list(&query.with, Self::cte)?;
            self.put(" ");
        }
        match &query.body {
            SetExpr::Query(inner) => self.nested(inner)?,
            body => self.set_expr(body)?,
        }
        self.order_by(&query.order_by)?;
        self.page(query.limit.as_ref(), query.offset.as_ref())?;
        self.ctes.truncate(outer);
        Ok(())
    }

    /// LIMIT and OFFSET. SQLite and MariaDB know the latter behind the former only.
    fn page(&mut self, limit: Option<&Expr>, offset: Option<&Expr>) -> Printed {
        if limit.is_none() && offset.is_none() {
            return Ok(());
        }
        let (all, _) = build::page_of_all(self.dialect);
        let limit = limit.or(all.as_ref().filter(|_| offset.is_some()));
        for (word, bound) in [(" LIMIT ", limit), (" OFFSET ", offset)] {
            let Some(bound) = bound else { continue };
            self.put(word);
            match bound {
                // A number of rows is looked up nowhere.
                Expr::Literal(rows) => self.written(rows)?,
                // No expression either: SQLite's.
                bound if Some(bound) == all.as_ref() => self.put("-1"),
                bound => self.expr(bound)?,
            }
        }
        Ok(())
    }

    /// A common table expression. Its name is in scope for what follows, and for itself where it is recursive.
    fn cte(&mut self, cte: &Cte) -> Printed {
        if self.dialect == Dialect::MariaDb && cte.materialized != Materialized::Auto {
            return Err(self.lacks("MATERIALIZED"));
        }
        self.ident(&cte.name)?;
        self.put(" (");
        self.list(&cte.columns, |p, name| p.ident(name))?;
        self.put(match cte.materialized {
            Materialized::Auto => ") AS (",
            Materialized::Always => ") AS MATERIALIZED (",
            Materialized::Never => ") AS NOT MATERIALIZED (",
        });
        if cte.recursive {
            self.ctes.push(cte.name.clone());
        }
        self.query(&cte.query)?;
        if !cte.recursive {
            self.ctes.push(cte.name.clone());
        }
        self.put(")");
        Ok(())
    }

    fn order_by(&mut self, keys: &[OrderBy]) -> Printed {
        if keys.is_empty() {
            return Ok(());
        }
        self.put(" ORDER BY ");
        self.list(keys, |p, key| {
            match &key.key {
                OrderKey::Output(position) => p.put(&position.to_string()),
                OrderKey::Expr(expr) => p.expr(expr)?,
            }
            p.put(if key.descending { " DESC" } else { " ASC" });
            if key.nulls_first.is_some() && p.dialect == Dialect::MariaDb {
                return Err(p.lacks("NULLS FIRST or NULLS LAST"));
            }
            match key.nulls_first {
                Some(true) => p.put(" NULLS FIRST"),
                Some(false) => p.put(" NULLS LAST"),
                None => {}
            }
            Ok(())
        })
    }

    fn set_expr(&mut self, body: &SetExpr) -> Printed {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.nested(query),
            SetExpr::SetOperation { op, quantifier, left, right } => {
                // A chain is read from the left, but for INTERSECT, which everybody but SQLite reads first.
                let later =
                    matches!(&**left, SetExpr::SetOperation { op: inner, .. } if *inner != SetOperator::Intersect);
                self.arm(left, if *op == SetOperator::Intersect && later { Side::Right } else { Side::Left })?;
                self.put(match op {
                    SetOperator::Union => " UNION",
                    SetOperator::Intersect => " INTERSECT",
                    SetOperator::Except => " EXCEPT",
                });
                match (quantifier, op, self.dialect) {
                    (SetQuantifier::Distinct, _, _) => self.put(" "),
                    (SetQuantifier::All, SetOperator::Union, _) | (SetQuantifier::All, _, Dialect::Postgres) => {
                        self.put(" ALL ");
                    }
                    (SetQuantifier::All, _, Dialect::Sqlite | Dialect::MariaDb) => {
                        return Err(self.lacks("INTERSECT ALL and EXCEPT ALL"));
                    }
                }
                self.arm(right, Side::Right)
            }
        }
    }

    /// An arm of a set operation. SQLite has no parentheses there. Others have none where they say nothing: not every reader takes
    /// them at the beginning of a subquery.
    fn arm(&mut self, arm: &SetExpr, side: Side) -> Printed {
        match (arm, self.dialect, side) {
            (SetExpr::Select(select), _, _) => self.select(select),
            (SetExpr::Query(query), _, _) => self.nested(query),
            (SetExpr::SetOperation { .. }, _, Side::Left) => self.set_expr(arm),
            (SetExpr::SetOperation { .. }, Dialect::Sqlite, Side::Right) => {
                self.put("SELECT * FROM (");
                self.set_expr(arm)?;
                self.put(")");
                Ok(())
            }
            (SetExpr::SetOperation { .. }, Dialect::Postgres | Dialect::MariaDb, Side::Right) => {
                self.put("(");
                self.set_expr(arm)?;
                self.put(")");
                Ok(())
            }
        }
    }

    /// A query with an ordering or page of its own, where a SELECT may stand.
    fn nested(&mut self, query: &Query) -> Printed {
        self.put(match self.dialect {
            Dialect::Postgres | Dialect::MariaDb => "(",
            Dialect::Sqlite => "SELECT * FROM (",
        });
        self.query(query)?;
        self.put(")");
        Ok(())
    }

    fn select(&mut self, select: &Select) -> Printed {
        if select.projection.is_empty() {
            return Err(RenderError::Empty("SELECT"));
        }
        self.put("SELECT ");
        self.distinct(&select.distinct)?;
        self.list(&select.projection, |p, item| {
            p.expr(&item.expr)?;
            p.put(" AS ");
            p.ident(&item.name)
        })?;
        for (place, relation) in select.from.iter().enumerate() {
            self.put(if place == 0 { " FROM " } else { ", " });
            // SQLite reads commas and joins with one precedence.
            match relation {
                Relation::Join { .. } if place > 0 => self.parenthesised(relation)?,
                _ => self.relation(relation)?,
            }
        }
        if let Some(filter) = &select.filter {
            self.put(" WHERE ");
            self.expr(filter)?;
        }
        self.group_by(select)?;
        if let Some(having) = &select.having {
            self.put(" HAVING ");
            self.expr(having)?;
        }
        Ok(())
    }

    fn distinct(&mut self, distinct: &Distinct) -> Printed {
        match (distinct, self.dialect) {
            (Distinct::All, _) => {}
            (Distinct::Rows, _) => self.put("DISTINCT "),
            (Distinct::On(_), Dialect::Sqlite | Dialect::MariaDb) => return Err(self.lacks("DISTINCT ON")),
            (Distinct::On(keys), Dialect::Postgres) if keys.is_empty() => {
                return Err(RenderError::Empty("DISTINCT ON"));
            }
            (Distinct::On(keys), Dialect::Postgres) => {
                self.put("DISTINCT ON (");
                self.list(keys, Self::expr)?;
                self.put(") ");
            }
        }
        Ok(())
    }

    fn group_by(&mut self, select: &Select) -> Printed {
        let Select { group_by, grouping_sets, .. } = select;
        match (grouping_sets.is_empty(), self.dialect) {
            (true, _) if group_by.is_empty() => Ok(()),
            (true, _) => {
                self.put(" GROUP BY ");
                self.list(group_by, Self::expr)
            }
            (false, Dialect::Sqlite | Dialect::MariaDb) => Err(self.lacks("GROUPING SETS")),
            (false, Dialect::Postgres) => {
                self.put(" GROUP BY GROUPING SETS (");
                self.list(grouping_sets, |p, set| {
                    p.put("(");
                    p.list(set, |p, place| match group_by.get(*place) {
                        Some(expr) => p.expr(expr),
                        None => Err(RenderError::Empty("GROUPING SETS")),
                    })?;
                    p.put(")");
                    Ok(())
                })?;
                self.put(")");
                Ok(())
            }
        }
    }

    fn parenthesised(&mut self, relation: &Relation) -> Printed {
        self.put("(");
        self.relation(relation)?;
        self.put(")");
        Ok(())
    }

    fn relation(&mut self, relation: &Relation) -> Printed {
        match relation {
            Relation::Base { table, alias: _ } => Err(RenderError::Unrestricted(table.clone())),
            Relation::Restricted(table) => self.restricted(table),
            Relation::Derived { query, alias, lateral } => {
                match (lateral, self.dialect) {
                    (false, _) => {}
                    (true, Dialect::Postgres) => self.put("LATERAL "),
                    (true, Dialect::Sqlite | Dialect::MariaDb) => return Err(self.lacks("LATERAL")),
                }
                self.put("(");
                self.query(query)?;
                self.put(") AS ");
                self.ident(alias)
            }
            Relation::Cte { name, alias } => self.cte_reading(name, alias),
            Relation::Recursion { name, columns, alias } => {
                self.relation(&recursion::bounded(name, columns, alias, self.dialect))
            }
            Relation::Values { .. } if self.dialect == Dialect::MariaDb => {
                Err(self.lacks("VALUES with names of its columns"))
            }
            Relation::Values { rows, alias } => self.values(rows, alias),
            Relation::Function(function) => self.table_function(function),
            Relation::Join { kind: JoinKind::Full, .. } if self.dialect == Dialect::MariaDb => {
                Err(self.lacks("FULL JOIN"))
            }
            Relation::Join { kind, left, right, on } => {
                self.relation(left)?;
                self.put(match kind {
                    JoinKind::Inner => " INNER JOIN ",
                    JoinKind::Left => " LEFT JOIN ",
                    JoinKind::Right => " RIGHT JOIN ",
                    JoinKind::Full => " FULL JOIN ",
                    JoinKind::Cross => " CROSS JOIN ",
                });
                match &**right {
                    Relation::Join { .. } => self.parenthesised(right)?,
                    right => self.relation(right)?,
                }
                match (kind, on) {
                    (JoinKind::Cross, None) => Ok(()),
                    (JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full, Some(on)) => {
                        self.put(" ON ");
                        self.expr(on)
                    }
                    (JoinKind::Cross, Some(_)) => Err(RenderError::Empty("CROSS JOIN")),
                    (JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full, None) => {
                        Err(RenderError::Empty("ON"))
                    }
                }
            }
        }
    }

    /// A common table expression by its name, which must not be taken for a table's.
    fn cte_reading(&mut self, name: &str, alias: &str) -> Printed {
        if !self.ctes.iter().any(|cte| cte == name) {
            return Err(RenderError::UnknownCte(name.to_owned()));
        }
        self.ident(name)?;
        self.put(" AS ");
        self.ident(alias)
    }

    fn values(&mut self, rows: &[Vec<Expr>], alias: &str) -> Printed {
        if rows.first().is_none_or(Vec::is_empty) {
            return Err(RenderError::Empty("VALUES"));
        }
        self.put("(VALUES ");
        self.list(rows, |p, row| {
            p.put("(");
            p.list(row, Self::expr)?;
            p.put(")");
            Ok(())
        })?;
        self.put(") AS ");
        self.ident(alias)
    }

    fn table_function(&mut self, function: &TableFunction) -> Printed {
        self.function_name(function.name)?;
        self.put("(");
        self.list(&function.args, Self::expr)?;
        self.put(")");
        if function.ordinality {
            self.put(" WITH ORDINALITY");
        }
        self.put(" AS ");
        self.ident(&function.alias)?;
        match self.dialect {
            Dialect::Postgres => {
                self.put(" (");
                self.list(&function.columns, |p, name| p.ident(name))?;
                self.put(")");
                Ok(())
            }
            Dialect::Sqlite if function.ordinality => Err(self.lacks("WITH ORDINALITY")),
            Dialect::Sqlite => Ok(()),
            Dialect::MariaDb => Err(self.lacks("functions in FROM")),
        }
    }

    /// The one place where a base table's name is printed.
    fn restricted(&mut self, table: &RestrictedTable) -> Printed {
        if table.columns().is_empty() {
            return Err(RenderError::Empty("SELECT"));
        }
        self.put("(SELECT ");
        self.list(table.columns(), |p, column| {
            p.expr(&column.expr)?;
            p.put(" AS ");
            p.ident(&column.name)
        })?;
        self.put(" FROM ");
        self.ident(&table.table().schema)?;
        self.put(".");
        self.ident(&table.table().name)?;
        self.put(" AS ");
        self.ident(RAW)?;
        for (index, condition) in table.conditions().iter().enumerate() {
            self.put(if index == 0 { " WHERE " } else { " AND " });
            self.expr(condition)?;
        }
        if table.fence() == Fence::Closed {
            let (limit, offset) = build::page_of_all(self.dialect);
            self.page(limit.as_ref(), offset.as_ref())?;
        }
        self.put(") AS ");
        self.ident(table.alias())
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T) -> Printed) -> Printed {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            each(self, item)?;
        }
        Ok(())
    }

    /// The number of a slot; one that occurs again keeps its number.
    fn slot(&mut self, slot: &Slot) -> Result<usize, RenderError> {
        if *slot == Slot::CallId {
            return Err(RenderError::CallId);
        }
        // MariaDB's have no numbers: each place takes a value of its own.
        let known = self.slots.iter().position(|known| known == slot).filter(|_| self.dialect != Dialect::MariaDb);
        let index = known.unwrap_or_else(|| {
            self.slots.push(slot.clone());
            self.slots.len() - 1
        });
        Ok(index + 1)
    }

    fn lacks(&self, what: &'static str) -> RenderError {
        RenderError::NotInDialect { dialect: self.dialect, what }
    }
}

/// Where an arm stands: on the left of a chain, or so that it must be kept together.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}
