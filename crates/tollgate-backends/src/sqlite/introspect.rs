//! The schema as SQLite tells it: tables and views of `main`. Virtual tables, their shadow tables and SQLite's own tables are
//! left out: what stands behind them is not what their names say.

use std::{collections::HashMap, ffi::CStr};

use rusqlite::Row;
use tollgate_core::{
    catalog::{Catalog, Column, ForeignKey, Table, TableId, TableKind},
    names::Dialect,
};

use super::{
    check_list::check_lists,
    error::{Phase, classify, is_sql_error},
    execute::Engine,
    types,
};
use crate::BackendError;

/// The one schema there is: nothing can be attached.
const MAIN: &str = "main";

impl Engine<'_> {
    /// The schema as it is now.
    pub(super) fn introspect(&mut self) -> Result<Catalog, BackendError> {
        let _armed = self.authorizer.read_schema();
        let schema = Schema { connection: self.connection };
        let tables = schema.tables().map_err(|error| classify(error, Phase::Opening))?;
        Ok(Catalog::new(Dialect::Sqlite, MAIN.to_owned(), rusqlite::version().to_owned(), tables))
    }
}

struct Schema<'c> {
    connection: &'c rusqlite::Connection,
}

/// A line of `table_list`.
struct Listed {
    name: String,
    kind: TableKind,
    rows_by: RowsBy,
}

/// What a table finds its rows by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowsBy {
    /// A row number, which an `INTEGER PRIMARY KEY` is a name of.
    RowId,
    /// Its primary key.
    Key,
}

/// What an index was made for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    PrimaryKey,
    Other,
}

/// A line of `table_xinfo`.
struct Field {
    name: String,
    declared: String,
    not_null: bool,
    key_position: i64,
    hidden: i64,
}

impl Schema<'_> {
    fn pragma<T>(
        &self,
        pragma: &str,
        of: Option<&str>,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut lines = Vec::new();
        let mut line = |row: &Row<'_>| {
            lines.push(read(row)?);
            Ok(())
        };
        match of {
            Some(name) => self.connection.pragma(Some(MAIN), pragma, name, &mut line)?,
            None => self.connection.pragma_query(Some(MAIN), pragma, &mut line)?,
        }
        Ok(lines)
    }

    fn tables(&self) -> rusqlite::Result<Vec<Table>> {
        let definitions = self.definitions()?;
        let mut tables = Vec::new();
        for listed in self.listed()? {
            match self.table(&listed, definitions.get(&listed.name)) {
                Ok(table) => tables.push(table),
                // A view over something that is gone is not there for anybody.
                Err(error) if listed.kind == TableKind::View && is_sql_error(&error) => {
                    tracing::warn!(view = listed.name, %error, "a view that SQLite cannot read is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(tables)
    }

    fn listed(&self) -> rusqlite::Result<Vec<Listed>> {
        let lines = self.pragma("table_list", None, |row| {
            let (schema, name, kind, without_rowid): (String, String, String, bool) =
                (row.get("schema")?, row.get("name")?, row.get("type")?, row.get("wr")?);
            let kind = match kind.as_str() {
                "table" => Some(TableKind::Table),
                "view" => Some(TableKind::View),
                // `virtual`, `shadow`, and whatever comes.
                _ => None,
            };
            let is_ours = schema == MAIN && !name.to_ascii_lowercase().starts_with("sqlite_");
            let rows_by = if without_rowid { RowsBy::Key } else { RowsBy::RowId };
            Ok(kind.filter(|_| is_ours).map(|kind| Listed { name, kind, rows_by }))
        })?;
        Ok(lines.into_iter().flatten().collect())
    }

    fn definitions(&self) -> rusqlite::Result<HashMap<String, String>> {
        let mut statement = self.connection.prepare("SELECT name, sql FROM main.sqlite_schema WHERE type = 'table'")?;
        let lines = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        lines.collect()
    }

    fn table(&self, listed: &Listed, definition: Option<&String>) -> rusqlite::Result<Table> {
        let fields = self.pragma("table_xinfo", Some(&listed.name), |row| {
            Ok(Field {
                name: row.get("name")?,
                declared: row.get("type")?,
                not_null: row.get("notnull")?,
                key_position: row.get("pk")?,
                hidden: row.get("hidden")?,
            })
        })?;
        let mut key: Vec<&Field> = fields.iter().filter(|field| field.key_position > 0).collect();
        key.sort_by_key(|field| field.key_position);
        let mut allowed = definition.map(|sql| check_lists(sql)).unwrap_or_default();
        let columns = fields
            .iter()
            // Generated columns (2 and 3) are read like any; 1 is a virtual table's hidden argument.
            .filter(|field| field.hidden != 1)
            .map(|field| Column {
                name: field.name.clone(),
                ty: types::declared(Some(&field.declared)),
                nullable: !field.not_null && !is_never_null(field, &key, listed.rows_by),
                allowed: allowed.remove(&field.name.to_ascii_lowercase()),
                comment: None,
            })
            .collect();
        Ok(Table {
            id: id(&listed.name),
            kind: listed.kind,
            columns,
            primary_key: self.primary_key(&listed.name, &key)?,
            unique_keys: self.unique_keys(&listed.name)?,
            foreign_keys: self.foreign_keys(&listed.name)?,
            comment: None,
        })
    }

    /// The primary key's columns, where no two rows compare alike in them.
    fn primary_key(&self, table: &str, key: &[&Field]) -> rusqlite::Result<Vec<String>> {
        for index in self.unique_indexes(table, Origin::PrimaryKey)? {
            if self.indexed(table, &index)?.is_none() {
                return Ok(Vec::new());
            }
        }
        Ok(key.iter().map(|field| field.name.clone()).collect())
    }

    /// Unique indexes over plain columns and all rows, the primary key's own left out.
    fn unique_keys(&self, table: &str) -> rusqlite::Result<Vec<Vec<String>>> {
        let mut keys = Vec::new();
        for index in self.unique_indexes(table, Origin::Other)? {
            keys.extend(self.indexed(table, &index)?);
        }
        keys.sort();
        keys.dedup();
        Ok(keys)
    }

    fn unique_indexes(&self, table: &str, wanted: Origin) -> rusqlite::Result<Vec<String>> {
        let indexes = self.pragma("index_list", Some(table), |row| {
            let (name, unique, origin, partial): (String, bool, String, bool) =
                (row.get("name")?, row.get("unique")?, row.get("origin")?, row.get("partial")?);
            let origin = if origin == "pk" { Origin::PrimaryKey } else { Origin::Other };
            Ok((unique && !partial && origin == wanted).then_some(name))
        })?;
        Ok(indexes.into_iter().flatten().collect())
    }

    /// The columns of an index; none where one is an expression, or is kept apart by another collation than it is compared by: values
    /// that differ there may be equal in a statement.
    fn indexed(&self, table: &str, index: &str) -> rusqlite::Result<Option<Vec<String>>> {
        let fields = self.pragma("index_xinfo", Some(index), |row| {
            let field: (bool, Option<String>, String) = (row.get("key")?, row.get("name")?, row.get("coll")?);
            Ok(field)
        })?;
        let mut columns = Vec::new();
        for (_, name, collation) in fields.into_iter().filter(|(is_key, _, _)| *is_key) {
            // An expression, or the row number, has no name.
            let Some(name) = name else { return Ok(None) };
            let (_, compared, ..) = self.connection.column_metadata(Some(MAIN), table, &name)?;
            let compared = compared.map_or("BINARY".into(), CStr::to_string_lossy);
            if !(compared.eq_ignore_ascii_case("BINARY") || compared.eq_ignore_ascii_case(&collation)) {
                return Ok(None);
            }
            columns.push(name);
        }
        Ok(Some(columns))
    }

    fn foreign_keys(&self, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
        let lines = self.pragma("foreign_key_list", Some(table), |row| {
            let line: (i64, String, String, Option<String>) =
                (row.get("id")?, row.get("table")?, row.get("from")?, row.get("to")?);
            Ok(line)
        })?;
        let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
        for (number, target, from, to) in lines {
            if keys.last().is_none_or(|(last, _)| *last != number) {
                keys.push((number, ForeignKey { columns: vec![], target: id(&target), target_columns: vec![] }));
            }
            if let Some((_, key)) = keys.last_mut() {
                key.columns.push(from);
                key.target_columns.extend(to);
            }
        }
        for (_, key) in &mut keys {
            if key.target_columns.is_empty() {
                key.target_columns = self.key_of(&key.target.name)?;
            }
        }
        keys.reverse();
        Ok(keys.into_iter().map(|(_, key)| key).collect())
    }

    /// A table's primary key, which a reference without columns means.
    fn key_of(&self, table: &str) -> rusqlite::Result<Vec<String>> {
        let mut key = self.pragma("table_xinfo", Some(table), |row| {
            let field: (i64, String) = (row.get("pk")?, row.get("name")?);
            Ok(field)
        })?;
        key.retain(|(position, _)| *position > 0);
        key.sort();
        Ok(key.into_iter().map(|(_, name)| name).collect())
    }
}

/// SQLite lets NULL stand in most primary keys, for compatibility with a mistake it once made.
fn is_never_null(field: &Field, key: &[&Field], rows_by: RowsBy) -> bool {
    let is_row_number = key.len() == 1 && field.declared.eq_ignore_ascii_case("integer");
    field.key_position > 0 && (rows_by == RowsBy::Key || is_row_number)
}

fn id(table: &str) -> TableId {
    TableId { schema: MAIN.to_owned(), name: table.to_owned() }
}
