//! Which name means which column: one frame of relations per SELECT, looked up from the inside out.

use std::cell::{Cell, RefCell};

use super::output::Output;
use super::set_call::SetCall;
use super::window::NamedWindow;
use crate::catalog::TableId;
use crate::names::Dialect;
use crate::sql::error::{SqlError, shown};
use crate::sql::limits::{SIMILAR_BYTES_MAX, SIMILAR_NAMES_MAX};
use crate::sql::tree::{ColumnRef, Expr};
use crate::sql::walk::each_part;

/// The relations that one SELECT's expressions can name.
#[derive(Default)]
pub(super) struct Names<'p> {
    /// The enclosing SELECT's relations, for correlated references.
    pub(super) parent: Option<&'p Names<'p>>,
    /// How subqueries may reach this frame.
    pub(super) capture: Capture,
    /// What a qualified name is looked up in.
    pub(super) sources: Vec<Source>,
    /// What an unqualified name is looked up in and `*` stands for, in order.
    pub(super) columns: Vec<Visible>,
    /// The SELECT's own output, where the dialect lets its aliases stand for input columns.
    pub(super) aliases: Vec<Output>,
    /// Which of the two a name means that is both.
    pub(super) precedence: Precedence,
    /// The windows that the SELECT names.
    pub(super) windows: Vec<NamedWindow>,
    /// The call in its output that yields rows.
    pub(super) set_call: Option<SetCall>,
    /// Every reference that was resolved to this frame.
    pub(super) references: RefCell<Vec<ColumnRef>>,
    /// Whether an aggregate or a window function over this frame's rows was seen.
    pub(super) aggregates: Cell<bool>,
}

/// Which of two things a name means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Precedence {
    /// The column of a relation.
    #[default]
    Columns,
    /// The output of that alias, where no column of a relation has its name: which of both is meant depends on what is around it.
    Either,
}

/// How subqueries may reach a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Capture {
    /// By qualified and unqualified names.
    #[default]
    Any,
    /// By qualified names only: a row filter's own columns must not be captured silently.
    Qualified,
}

/// One relation.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// What qualifies its columns in the text.
    pub(super) name: String,
    /// The base table it is under its own name, for `schema.table.column`.
    pub(super) table: Option<TableId>,
    /// Its columns; `relation` is what qualifies them when printed.
    pub(super) columns: Vec<ColumnRef>,
    /// Whether its name alone stands for its one column: a function in FROM that yields plain values.
    pub(super) scalar: bool,
    /// The primary key, where all of it is visible and unmasked.
    pub(super) key: Vec<String>,
}

/// One column under its unqualified name: a column, or what USING made of two.
#[derive(Clone, Debug)]
pub(super) struct Visible {
    /// Its name.
    pub(super) name: String,
    /// What it stands for.
    pub(super) expr: Expr,
}

impl Source {
    /// Its columns as unqualified names.
    pub(super) fn visible(&self) -> Vec<Visible> {
        self.columns.iter().map(|c| Visible { name: c.name.clone(), expr: Expr::Column(c.clone()) }).collect()
    }

    /// How its columns are qualified when printed.
    fn printed(&self) -> &str {
        self.columns.first().map_or(self.name.as_str(), |c| c.relation.as_str())
    }
}

impl Names<'_> {
    /// The frames from the inside out.
    fn frames(&self) -> impl Iterator<Item = &Names<'_>> {
        let mut next: Option<&Names<'_>> = Some(self);
        std::iter::from_fn(move || {
            let frame = next?;
            next = frame.parent;
            Some(frame)
        })
    }

    /// The column of this frame that an unqualified name means; `None` where it has none.
    pub(super) fn local(&self, dialect: Dialect, name: &str) -> Result<Option<Expr>, SqlError> {
        let mut found = self.columns.iter().filter(|c| dialect.same_name(&c.name, name));
        let Some(first) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(SqlError::AmbiguousColumn { name: shown(name) });
        }
        self.note(&first.expr);
        Ok(Some(first.expr.clone()))
    }

    /// The column that an unqualified name means.
    pub(super) fn unqualified(&self, dialect: Dialect, name: &str) -> Result<Expr, SqlError> {
        for (depth, frame) in self.frames().enumerate() {
            if depth > 0 && frame.capture == Capture::Qualified {
                if let (Some(_), Some(source)) = (frame.local(dialect, name)?, frame.sources.first()) {
                    let construct = format!("the outer {} without its table in a subquery", shown(name));
                    return Err(SqlError::unsupported(format!(
                        "{construct} (write {})",
                        shown(&format!("{}.{name}", source.name))
                    )));
                }
                continue;
            }
            let alias = frame.aliases.iter().find(|o| depth == 0 && dialect.same_name(&o.name, name));
            if let (Some(output), Precedence::Either) = (alias, frame.precedence) {
                return match frame.local(dialect, name)? {
                    Some(column) if column != output.expr => Err(SqlError::AmbiguousColumn { name: shown(name) }),
                    _ => Ok(output.expr.clone()),
                };
            }
            if let Some(expr) = frame.local(dialect, name)? {
                self.not_shadowed(dialect, depth, &expr)?;
                return Ok(expr);
            }
            if let Some(output) = alias {
                return Ok(output.expr.clone());
            }
        }
        let whole = self.frames().enumerate().find_map(|(depth, frame)| {
            frame.sources.iter().find(|s| dialect.same_name(&s.name, name)).map(|source| (depth, frame, source))
        });
        if let Some((depth, frame, source)) = whole {
            if let (true, [column]) = (source.scalar, source.columns.as_slice()) {
                return self.column_of(dialect, (depth, frame), source, &column.name, || shown(name));
            }
            let construct = format!("the whole row {}", shown(name));
            return Err(SqlError::unsupported_use(construct, "name its columns"));
        }
        Err(self.unknown_column(name, shown(name)))
    }

    /// The column that `relation.name` means.
    pub(super) fn qualified(&self, dialect: Dialect, relation: &str, name: &str) -> Result<Expr, SqlError> {
        let written = || shown(&format!("{relation}.{name}"));
        for (depth, frame) in self.frames().enumerate() {
            let Some(source) = frame.sources.iter().find(|s| dialect.same_name(&s.name, relation)) else { continue };
            return self.column_of(dialect, (depth, frame), source, name, written);
        }
        Err(self.unknown_relation(dialect, relation))
    }

    /// The column that `schema.table.name` means: only of a table that stands under its own name.
    pub(super) fn fully_qualified(
        &self,
        dialect: Dialect,
        (schema, table): (&str, &str),
        name: &str,
    ) -> Result<Expr, SqlError> {
        let written = || shown(&format!("{schema}.{table}.{name}"));
        let is_it = |s: &&Source| {
            s.table.as_ref().is_some_and(|t| dialect.same_name(&t.schema, schema) && dialect.same_name(&t.name, table))
        };
        for (depth, frame) in self.frames().enumerate() {
            let Some(source) = frame.sources.iter().find(is_it) else { continue };
            return self.column_of(dialect, (depth, frame), source, name, written);
        }
        Err(self.unknown_relation(dialect, &format!("{schema}.{table}")))
    }

    /// The relation of this frame that `name.*` means.
    pub(super) fn source(&self, dialect: Dialect, name: &str) -> Result<&Source, SqlError> {
        let found = self.sources.iter().find(|s| dialect.same_name(&s.name, name));
        found.ok_or_else(|| self.unknown_relation(dialect, name))
    }

    /// Whether a printed name qualifies columns of this very frame.
    pub(super) fn has_relation(&self, dialect: Dialect, printed: &str) -> bool {
        self.sources.iter().any(|s| dialect.same_name(s.printed(), printed))
    }

    fn column_of(
        &self,
        dialect: Dialect,
        (depth, frame): (usize, &Names<'_>),
        source: &Source,
        name: &str,
        written: impl FnOnce() -> String,
    ) -> Result<Expr, SqlError> {
        let Some(column) = source.columns.iter().find(|c| dialect.same_name(&c.name, name)) else {
            let names = source.columns.iter().map(|c| c.name.as_str());
            return Err(SqlError::UnknownColumn { name: written(), suggestion: similar(name, names) });
        };
        let expr = Expr::Column(column.clone());
        frame.note(&expr);
        self.not_shadowed(dialect, depth, &expr)?;
        Ok(expr)
    }

    /// A column found `depth` frames outside must not be qualified by a name that a frame between gives to something else:
    /// the engine would look there.
    fn not_shadowed(&self, dialect: Dialect, depth: usize, expr: &Expr) -> Result<(), SqlError> {
        for frame in self.frames().take(depth) {
            let mut shadowed = None;
            any_column(expr, &mut |c| {
                if frame.has_relation(dialect, &c.relation) {
                    shadowed = Some(c.relation.clone());
                }
            });
            if let Some(relation) = shadowed {
                let construct =
                    format!("a reference to the outer {} from inside another of that name", shown(&relation));
                return Err(SqlError::unsupported_use(construct, "give one of them an alias of its own"));
            }
        }
        Ok(())
    }

    fn note(&self, expr: &Expr) {
        any_column(expr, &mut |c| self.references.borrow_mut().push(c.clone()));
    }

    fn unknown_column(&self, name: &str, written: String) -> SqlError {
        let names = self.frames().flat_map(|f| f.columns.iter().map(|c| c.name.as_str()));
        SqlError::UnknownColumn { name: written, suggestion: similar(name, names) }
    }

    fn unknown_relation(&self, dialect: Dialect, name: &str) -> SqlError {
        debug_assert!(!self.sources.iter().any(|s| dialect.same_name(&s.name, name)));
        let names = self.frames().flat_map(|f| f.sources.iter().map(|s| s.name.as_str()));
        SqlError::UnknownTable { name: shown(name), suggestion: similar(name, names) }
    }
}

/// The most similar of some visible names, in backticks. Looking takes as long as both names together are, for each of them.
pub(super) fn similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    if name.len() > SIMILAR_BYTES_MAX {
        return None;
    }
    let folded = name.to_lowercase();
    names
        .take(SIMILAR_NAMES_MAX)
        .filter(|candidate| candidate.len() <= SIMILAR_BYTES_MAX)
        .map(|candidate| (strsim::jaro_winkler(&folded, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| shown(candidate))
}

/// Calls `visit` with every column of an expression. Subqueries are not entered.
pub(super) fn any_column<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e ColumnRef)) {
    if let Expr::Column(column) = expr {
        visit(column);
    }
    each_part(expr, &mut |part| any_column(part, visit));
}
