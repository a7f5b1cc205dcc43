//! The proof that a statement was produced by the policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::leak::Leak;
use super::mask_key::MaskKey;
use super::tree::{KeyPad, Slot};
use crate::catalog::{ColumnId, SqlType, TableId};
use crate::names::{Dialect, ParamName, Value};

/// A statement that may be sent to a database.
///
/// Invariant **checked statement**: only `sql::check` makes one, its fields are private, and it is all that a backend takes.
/// Its text is rendered from the checked tree; the caller's text is never sent.
#[derive(Clone, Debug)]
pub struct CheckedStatement {
    pub(super) dialect: Dialect,
    pub(super) author: Author,
    pub(super) text: String,
    pub(super) slots: Vec<SlotUse>,
    pub(super) columns: Vec<OutputColumn>,
    pub(super) footprint: Footprint,
    pub(super) page: Page,
    pub(super) fence: Option<Leak>,
    pub(super) fingerprint: [u8; 32],
    pub(super) mask_key: Option<Arc<MaskKey>>,
    pub(super) key: Option<RowKey>,
    pub(super) estimate: Option<Estimate>,
}

/// Where a statement that is paged by a key has that key in its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowKey {
    /// The columns of the key, by their places.
    pub(super) places: Vec<usize>,
    /// How many columns at the end are there for the key alone.
    pub(super) hidden: usize,
}

/// Whether what a caller's statement would cost must be told before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Nobody asks.
    Unbounded,
    /// It must.
    Bounded,
}

/// A statement as a planner may reckon what it costs: it holds no constant that could be looked up in statistics, which are of hidden
/// rows too. It is never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Estimate {
    pub(super) text: String,
    pub(super) params: usize,
}

impl Estimate {
    /// Its text, for a page.
    pub fn text(&self, limit: u64, offset: u64) -> String {
        format!("{} LIMIT {limit} OFFSET {offset}", self.text)
    }

    /// How many parameters it has, none of which is given a value.
    pub fn params(&self) -> usize {
        self.params
    }
}

/// Who wrote a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Author {
    /// The operator, as a tool's or a row filter's: it will come again.
    Operator,
    /// The caller, for one call.
    Caller {
        /// Whether a masked column may be compared with a value in the text, which makes the text sensitive by itself.
        compares_masked: bool,
    },
}

/// One bound parameter of the statement, by position.
#[derive(Clone, Debug, PartialEq)]
pub struct SlotUse {
    /// Where its value comes from.
    pub slot: Slot,
    /// The base columns it is compared with.
    pub compared: Vec<ColumnId>,
    /// The type of the first of those.
    pub ty: Option<SqlType>,
    /// Whether it is compared with something else beside: an expression, or a column or constant that is a number where the first is
    /// none. Only an engine that converts one into the other minds.
    pub mixed: bool,
    /// Whether one of those is masked, which makes the value sensitive by itself.
    pub masked: bool,
    /// Where the value is a LIKE pattern that an engine may refuse: the escape character that it must not end in
    /// (`ends_in_escape`), or the refusal would tell whether a value matches that far.
    pub like_escape: Option<char>,
}

/// One column of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputColumn {
    /// Its name in the result.
    pub name: String,
    /// The base column it is, where it is one.
    pub origin: Option<ColumnId>,
    /// Its type where the core knows it; the database's description says the rest.
    pub ty: Option<SqlType>,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether a mask stands before it.
    pub masked: bool,
}

/// What the rendered text touches: the engine's second layer allows exactly this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Base tables' columns, those of filters and masks included. A table of which no column is read stands in `tables` alone.
    pub columns: BTreeSet<ColumnId>,
    /// Base tables.
    pub tables: BTreeSet<TableId>,
    /// Functions, by the name that the text calls them by, operators that are functions to the engine (`like`) included.
    pub functions: BTreeSet<String>,
    /// Common table expressions that the text defines, by name. SQLite's authorizer reports a CTE of which no column is read
    /// (`SELECT count(*) FROM c`) as if it were a table, without a schema.
    pub ctes: BTreeSet<String>,
    /// Those of the functions that stand in FROM: all their columns may be read.
    pub table_functions: BTreeSet<String>,
    /// Whether one of the common table expressions reads itself.
    pub recursive: bool,
}

/// How the statement pages. The text always ends in `LIMIT slot OFFSET slot`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The statement's own LIMIT.
    pub limit: Option<PageBound>,
    /// The statement's own OFFSET.
    pub offset: Option<PageBound>,
    /// Whether it is ordered, so that a later page continues an earlier one.
    pub ordered: bool,
}

/// A bound of the page, as the statement gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageBound {
    /// A constant, in rows.
    Constant(u64),
    /// A parameter, in rows.
    Param(ParamName),
}

/// What the database says of a checked statement without running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The type of each slot, where the database infers one (SQLite never does).
    pub params: Vec<Option<SqlType>>,
    /// The result's columns in order: name and type.
    pub columns: Vec<(String, SqlType)>,
}

impl CheckedStatement {
    /// The dialect it is written in.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Who wrote it.
    pub fn author(&self) -> Author {
        self.author
    }

    /// The text that is sent: rendered, never the caller's.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bound parameters in the order of their numbers.
    pub fn slots(&self) -> &[SlotUse] {
        &self.slots
    }

    /// The result's columns.
    pub fn columns(&self) -> &[OutputColumn] {
        &self.columns
    }

    /// How many columns a row of the database has: the result's, and behind them those that are there for the key alone.
    pub fn width(&self) -> usize {
        self.columns.len() + self.key.as_ref().map_or(0, |key| key.hidden)
    }

    /// The places in such a row of the key that the statement is paged by, where it is.
    pub fn key(&self) -> Option<&[usize]> {
        self.key.as_ref().map(|key| key.places.as_slice())
    }

    /// What it touches.
    pub fn footprint(&self) -> &Footprint {
        &self.footprint
    }

    /// The same statement with the columns at those places as the database's own text, for types that only the database
    /// can write. Names, order, rows, parameters and footprint stay; the fingerprint is the new text's.
    #[must_use]
    pub fn with_text_columns(&self, places: &[usize]) -> CheckedStatement {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let mut inner = Vec::with_capacity(self.width());
        let mut outer = Vec::with_capacity(self.width());
        for place in 0..self.width() {
            let stand_in = format!("c{place}");
            let cast = if places.contains(&place) { format!("CAST({stand_in} AS text)") } else { stand_in.clone() };
            let name = self.columns.get(place).map_or(&stand_in, |column| &column.name);
            outer.push(format!("{cast} AS {}", quoted(name)));
            inner.push(stand_in);
        }
        let text = format!("SELECT {} FROM ({}) AS tg_rows ({})", outer.join(", "), self.text, inner.join(", "));
        let fingerprint = Sha256::digest(text.as_bytes()).into();
        CheckedStatement { text, fingerprint, ..self.clone() }
    }

    /// The value of a `Slot::MaskKey`; `None` without a key, where no such slot stands in the text.
    pub fn mask_key(&self, pad: KeyPad) -> Option<Value> {
        self.mask_key.as_ref().map(|key| key.block(pad))
    }

    /// How it pages.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Whether a leaky operation made it fence its tables.
    pub fn fenced(&self) -> bool {
        self.fence.is_some()
    }

    /// The operation that made it fence its tables, for operators.
    pub fn fence(&self) -> Option<&Leak> {
        self.fence.as_ref()
    }

    /// The same to be reckoned with, where its cost is bounded and the database can say it.
    pub fn estimate(&self) -> Option<&Estimate> {
        self.estimate.as_ref()
    }

    /// SHA-256 of the text, the statement's identity in caches and in the audit log.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}
