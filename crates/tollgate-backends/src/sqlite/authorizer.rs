//! SQLite's second layer: what the engine itself lets a statement touch. Everything is denied that is not exactly in the
//! statement's footprint, whatever its text says; no rule is made by schema name, since SQLite does not always report one.

use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use tollgate_core::sql::Footprint;

/// The pragmas that introspection reads. None of them changes anything.
const SCHEMA_PRAGMAS: [&str; 5] = ["foreign_key_list", "index_list", "index_xinfo", "table_list", "table_xinfo"];

/// The functions that are relations: SQLite reads them as tables. What they yield is made of their arguments alone.
const TABLE_FUNCTIONS: [&str; 2] = ["json_each", "json_tree"];

/// The column of `json_each` that `IN (:list)` reads.
const LIST_VALUE: (&str, &str) = ("json_each", "value");

/// What a connection is allowed at the moment.
#[derive(Debug, Default)]
enum Mode {
    /// Nothing.
    #[default]
    Closed,
    /// Reading the schema, with statements of our own.
    Schema,
    /// Learning what a view reads: everything a SELECT may do, written down.
    Learning(Box<Allowance>),
    /// One statement's footprint.
    Statement(Arc<Allowance>),
}

/// A connection's authorizer. It is installed once and told what to allow: installing another would make SQLite prepare
/// every cached statement again.
#[derive(Clone, Debug, Default)]
pub(super) struct Authorizer(Arc<Mutex<Mode>>);

impl Authorizer {
    /// SQLite's question, answered.
    pub(super) fn decide(&self, context: &AuthContext<'_>) -> Authorization {
        let allowed = match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Mode::Closed => false,
            Mode::Schema => is_schema_reading(context),
            Mode::Learning(learnt) => learnt.learn(context),
            Mode::Statement(allowance) => allowance.covers(context),
        };
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }

    /// Allows a statement its footprint while the guard lives: for its preparation, and for each of its steps too, since a
    /// changed schema makes SQLite prepare it again in the middle of them.
    pub(super) fn arm(&self, allowance: &Arc<Allowance>) -> Armed {
        self.enter(Mode::Statement(Arc::clone(allowance)))
    }

    /// Allows reading the schema while the guard lives.
    pub(super) fn read_schema(&self) -> Armed {
        self.enter(Mode::Schema)
    }

    /// Allows any SELECT while the guard lives, and writes down what it touches.
    pub(super) fn learn(&self) -> Armed {
        self.enter(Mode::Learning(Box::default()))
    }

    fn enter(&self, mode: Mode) -> Armed {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mode;
        Armed(self.clone())
    }
}

/// Closes the authorizer when dropped.
#[must_use]
pub(super) struct Armed(Authorizer);

impl Armed {
    /// What was learnt since `learn`.
    pub(super) fn learnt(self) -> Allowance {
        match mem::take(&mut *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            Mode::Learning(learnt) => *learnt,
            Mode::Closed | Mode::Schema | Mode::Statement(_) => Allowance::default(),
        }
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = Mode::Closed;
    }
}

/// What a statement may touch. Names are in lower case: SQLite compares them so, and reports some as the text spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Allowance {
    tables: HashSet<String>,
    columns: HashSet<(String, String)>,
    functions: HashSet<String>,
    ctes: HashSet<String>,
    table_functions: HashSet<String>,
    recursive: bool,
    within: Views,
}

/// What the views of a footprint touch, each access under the name that SQLite reports as its accessor: the view, or a CTE
/// inside the view. `None` is what a view's code touches after SQLite has merged it into the statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Views {
    tables: HashSet<String>,
    columns: HashSet<(Option<String>, String, String)>,
    functions: HashSet<(Option<String>, String)>,
    recursive: bool,
}

impl Allowance {
    /// The footprint of a statement that reads no view. `None` when a CTE has the name of a table it reads: what is done in
    /// the one could then not be told from what is done in the other.
    pub(super) fn of(footprint: &Footprint) -> Option<Self> {
        let mut allowance = Self::default();
        allowance.tables.extend(footprint.tables.iter().map(|table| lower(&table.name)));
        allowance.functions.extend(footprint.functions.iter().map(|name| lower(name)));
        allowance.ctes.extend(footprint.ctes.iter().map(|name| lower(name)));
        allowance.table_functions.extend(footprint.table_functions.iter().map(|name| lower(name)));
        allowance.recursive = footprint.recursive;
        for column in &footprint.columns {
            allowance.tables.insert(lower(&column.table.name));
            allowance.columns.insert((lower(&column.table.name), lower(&column.column)));
        }
        let in_main =
            footprint.tables.iter().chain(footprint.columns.iter().map(|c| &c.table)).all(|t| t.schema == "main");
        (in_main && allowance.tables.is_disjoint(&allowance.ctes)).then_some(allowance)
    }

    /// Adds what one of its views was seen to touch.
    pub(super) fn allow_within_view(&mut self, view: &str, learnt: Allowance) {
        // The view's own columns are granted one by one, not because it can be read whole.
        let own = lower(view);
        self.within.columns.extend(learnt.within.columns.into_iter().filter(|(_, table, _)| *table != own));
        self.within.tables.extend(learnt.within.tables.into_iter().filter(|table| *table != own));
        self.within.functions.extend(learnt.within.functions);
        self.within.recursive |= learnt.within.recursive;
    }

    /// Whether the statement calls a function that is a relation, or has a view that may read what it likes.
    pub(super) fn may_read_virtual_tables(&self) -> bool {
        TABLE_FUNCTIONS.iter().any(|name| self.calls_relation(name)) || !self.within.tables.is_empty()
    }

    /// Whether a table of that name is a function that the statement calls.
    fn calls_relation(&self, name: &str) -> bool {
        TABLE_FUNCTIONS.contains(&name) && self.functions.contains(name)
    }

    fn covers(&self, context: &AuthContext<'_>) -> bool {
        let accessor = context.accessor.map(lower);
        // Within a CTE of the statement its name is the accessor; what stands there is the statement's own text still.
        let is_own_text = accessor.as_ref().is_none_or(|name| self.ctes.contains(name));
        match context.action {
            AuthAction::Select => true,
            AuthAction::Read { table_name, column_name } => {
                if context.database_name.is_some_and(|schema| !schema.eq_ignore_ascii_case("main")) {
                    return false;
                }
                let (table, column) = (lower(table_name), lower(column_name));
                if column.is_empty() {
                    let is_cte = context.database_name.is_none() && self.ctes.contains(&table);
                    return is_cte || self.has_table(&table);
                }
                self.has_column(is_own_text, accessor, table, column)
            }
            AuthAction::Function { function_name } => {
                let function = lower(function_name);
                (is_own_text && self.functions.contains(&function))
                    || self.within.functions.contains(&(accessor, function))
            }
            AuthAction::Recursive => self.recursive || self.within.recursive,
            // Everything that writes, attaches, configures or begins, and whatever a later SQLite may ask.
            _ => false,
        }
    }

    fn has_table(&self, table: &str) -> bool {
        self.tables.contains(table) || self.within.tables.contains(table) || self.calls_relation(table)
    }

    fn has_column(&self, is_own_text: bool, accessor: Option<String>, table: String, column: String) -> bool {
        if self.calls_relation(&table) && is_own_text {
            return self.table_functions.contains(&table) || (table.as_str(), column.as_str()) == LIST_VALUE;
        }
        let column = (table, column);
        if is_own_text && self.columns.contains(&column) {
            return true;
        }
        let (table, column) = column;
        self.within.columns.contains(&(accessor, table, column))
    }

    fn learn(&mut self, context: &AuthContext<'_>) -> bool {
        let accessor = context.accessor.map(lower);
        match context.action {
            AuthAction::Select => {}
            AuthAction::Read { table_name, column_name } => {
                let table = lower(table_name);
                self.within.tables.insert(table.clone());
                if !column_name.is_empty() {
                    self.within.columns.insert((accessor, table, lower(column_name)));
                }
            }
            AuthAction::Function { function_name } => {
                self.within.functions.insert((accessor, lower(function_name)));
            }
            AuthAction::Recursive => self.within.recursive = true,
            _ => return false,
        }
        true
    }
}

fn is_schema_reading(context: &AuthContext<'_>) -> bool {
    match context.action {
        AuthAction::Select => true,
        AuthAction::Read { table_name, .. } => matches!(table_name, "sqlite_master" | "sqlite_schema"),
        AuthAction::Pragma { pragma_name, .. } => SCHEMA_PRAGMAS.contains(&pragma_name),
        _ => false,
    }
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}
