//! Finding things in the snapshot by the dialect's rules.

use std::sync::Arc;

use super::{AddedFunction, Column, Table, TableId};
use crate::names::Dialect;

/// A database's schema at one moment.
#[derive(Clone, Debug)]
pub struct Catalog {
    dialect: Dialect,
    default_schema: String,
    server_version: String,
    tables: Vec<Table>,
    functions: Vec<Arc<AddedFunction>>,
}

impl Catalog {
    /// A snapshot; `default_schema` is what an unqualified table name means.
    pub fn new(dialect: Dialect, default_schema: String, server_version: String, mut tables: Vec<Table>) -> Self {
        tables.sort_by(|a, b| a.id.cmp(&b.id));
        Self { dialect, default_schema, server_version, tables, functions: Vec::new() }
    }

    /// The same with functions that the operator allows.
    #[must_use]
    pub fn with_functions(self, functions: Vec<AddedFunction>) -> Self {
        Self { functions: functions.into_iter().map(Arc::new).collect(), ..self }
    }

    /// The functions beyond the reviewed list that may be called.
    pub fn functions(&self) -> &[Arc<AddedFunction>] {
        &self.functions
    }

    /// The engine's dialect.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The schema of an unqualified name.
    pub fn default_schema(&self) -> &str {
        &self.default_schema
    }

    /// The server's own version text, for operators.
    pub fn server_version(&self) -> &str {
        &self.server_version
    }

    /// Every table, ordered by name.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of that (folded) name; without a schema, in the default one.
    pub fn table(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        let schema = schema.unwrap_or(&self.default_schema);
        self.tables
            .iter()
            .find(|t| self.dialect.same_name(&t.id.schema, schema) && self.dialect.same_name(&t.id.name, name))
    }

    /// The table of that exact identity.
    pub fn get(&self, id: &TableId) -> Option<&Table> {
        self.table(Some(&id.schema), &id.name)
    }

    /// A table's column by its (folded) name.
    pub fn column<'t>(&self, table: &'t Table, name: &str) -> Option<&'t Column> {
        table.columns.iter().find(|c| self.dialect.same_name(&c.name, name))
    }
}
