//! Tables and columns.

use std::fmt;

use super::SqlType;

/// A table by its real name. Always with a schema; SQLite's is `main`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId {
    /// The schema, `public` or `main`.
    pub schema: String,
    /// The table, in the catalog's spelling.
    pub name: String,
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// A column of a base table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId {
    /// Its table.
    pub table: TableId,
    /// The column, in the catalog's spelling.
    pub column: String,
}

/// What stands behind a table's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// An ordinary or partitioned table.
    Table,
    /// A view: its own WHERE hides rows, so it counts as filtered.
    View,
    /// A materialised view.
    MaterializedView,
    /// A table that lives on another server.
    Foreign,
}

/// A table of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its real name.
    pub id: TableId,
    /// What it is.
    pub kind: TableKind,
    /// Its columns, in the database's order.
    pub columns: Vec<Column>,
    /// The primary key's columns, by name, in key order; empty without one.
    pub primary_key: Vec<String>,
    /// Other unique keys over columns, each by name.
    pub unique_keys: Vec<Vec<String>>,
    /// References to other tables.
    pub foreign_keys: Vec<ForeignKey>,
    /// The database's comment.
    pub comment: Option<String>,
}

/// A column of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the catalog's spelling.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// Whether NULL may stand in it.
    pub nullable: bool,
    /// The values that a CHECK allows, where it is a plain list; an enum's labels are in its type.
    pub allowed: Option<Vec<String>>,
    /// The database's comment.
    pub comment: Option<String>,
}

/// A reference from some columns to another table's columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub target: TableId,
    /// Its columns, in the same order.
    pub target_columns: Vec<String>,
}
