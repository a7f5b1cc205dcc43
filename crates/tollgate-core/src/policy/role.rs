//! A role in one database: the grants as written, and what they come to against the catalog. Never sees a claim's value or a caller.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::error::{PathPart, PolicyError, Problem};
use super::filter;
use super::mask::{self, Mask};
use crate::catalog::{Catalog, Column, Table, TableId, TableKind};
use crate::sql::{MaskKey, RestrictedColumn, Restriction, Restrictions};

/// What a role is given in one database, as the configuration has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleGrant {
    /// Its tables.
    pub tables: Vec<TableGrant>,
    /// What its `hash` masks are keyed with.
    pub mask_key: Option<Arc<MaskKey>>,
}

/// One table of a role, as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableGrant {
    /// The key as written, `shop.users`: where errors point to.
    pub key: String,
    /// The schema, where the key names one.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// The columns that exist for the role.
    pub columns: ColumnsGrant,
    /// Masks by column.
    pub masks: Vec<(String, MaskGrant)>,
    /// The rows; must be said.
    pub rows: Option<RowsGrant>,
    /// How many rows must be alike for any of them to be seen.
    pub min_group_size: Option<NonZeroU32>,
}

/// `columns:` as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnsGrant {
    /// These and no others.
    These(Vec<String>),
    /// All but these, those that the table gets later included.
    AllExcept(Vec<String>),
}

/// A mask as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaskGrant {
    /// By its name.
    Named(String),
    /// An expression over the row's own columns.
    Sql(String),
}

/// `rows:` as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowsGrant {
    /// `all`, or one condition.
    One(String),
    /// Conditions that all hold.
    List(Vec<String>),
    /// One condition, in whose subqueries some tables stand whole, as their owner sees them.
    Owner {
        /// The condition.
        sql: String,
        /// The tables, `orgs` or `public.orgs`.
        tables: Vec<String>,
    },
}

/// A role in one database, compiled.
#[derive(Clone, Debug, Default)]
pub struct Role {
    restrictions: Restrictions,
    masks: BTreeMap<TableId, BTreeMap<String, Mask>>,
    filters: BTreeMap<TableId, Vec<String>>,
    owners: BTreeMap<TableId, Vec<String>>,
    all_except: BTreeMap<TableId, Vec<String>>,
    warnings: Vec<PolicyError>,
}

impl Role {
    /// Compiles the grants against the catalog, or says everything that is wrong with them.
    pub fn compile(written: &RoleGrant, catalog: &Catalog) -> Result<Self, Vec<PolicyError>> {
        let mut compiling =
            Compiling { catalog, has_key: written.mask_key.is_some(), errors: Vec::new(), warnings: Vec::new() };
        let mut granted = BTreeMap::new();
        for grant in &written.tables {
            if let Some(table) = compiling.table(grant)
                && granted.insert(table.table.id.clone(), table).is_some()
            {
                compiling.error(grant, &[], Problem::DuplicateTable(grant.key.clone()));
            }
        }
        let mut role = Role {
            restrictions: Restrictions::default(),
            masks: granted.iter().map(|(id, table)| (id.clone(), table.masks.clone())).collect(),
            filters: granted.iter().map(|(id, table)| (id.clone(), table.filters())).collect(),
            owners: granted.iter().map(|(id, table)| (id.clone(), table.owner_tables().to_vec())).collect(),
            all_except: granted.iter().filter_map(|(id, table)| Some((id.clone(), table.all_except()?))).collect(),
            warnings: Vec::new(),
        };
        match filter::compile(&granted, catalog) {
            Ok(filtered) => {
                role.restrictions = filtered.restrictions;
                role.restrictions.mask_key.clone_from(&written.mask_key);
                role.warnings = compiling.warnings;
                role.warnings.extend(filtered.warnings);
            }
            // After other mistakes a filter may miss a table that was meant to be there; those are told first.
            Err(errors) => compiling.errors.extend(errors),
        }
        if compiling.errors.is_empty() { Ok(role) } else { Err(compiling.errors) }
    }

    /// What its statements may see.
    pub fn restrictions(&self) -> &Restrictions {
        &self.restrictions
    }

    /// What works and should still be looked at.
    pub fn warnings(&self) -> &[PolicyError] {
        &self.warnings
    }

    /// The mask on a column, where there is one.
    pub fn mask(&self, table: &TableId, column: &str) -> Option<&Mask> {
        self.masks.get(table)?.get(column)
    }

    /// A table's row filters as written; empty for all rows.
    pub fn filters(&self, table: &TableId) -> &[String] {
        self.filters.get(table).map_or(&[], Vec::as_slice)
    }
}

impl Role {
    /// The tables that stand whole in a table's row filter, as written.
    pub(super) fn owners(&self, table: &TableId) -> &[String] {
        self.owners.get(table).map_or(&[], Vec::as_slice)
    }

    /// The columns that are hidden from a table of which all others show, new ones too; `None` where columns are listed.
    pub(super) fn all_except(&self, table: &TableId) -> Option<&[String]> {
        self.all_except.get(table).map(Vec::as_slice)
    }
}

/// A grant whose table, columns and masks exist; its filters are still text.
pub(super) struct Granted<'a> {
    pub(super) table: &'a Table,
    pub(super) grant: &'a TableGrant,
    pub(super) restriction: Restriction,
    masks: BTreeMap<String, Mask>,
}

impl<'a> Granted<'a> {
    /// The row filters, each with the way to it; none for all rows.
    pub(super) fn rows(&self) -> Vec<(&'a str, Vec<PathPart>)> {
        let key = || PathPart::Key("rows".to_owned());
        match &self.grant.rows {
            Some(RowsGrant::One(text)) if text == ALL => Vec::new(),
            Some(RowsGrant::One(text)) => vec![(text.as_str(), vec![key()])],
            Some(RowsGrant::Owner { sql, tables: _ }) => {
                vec![(sql.as_str(), vec![key(), PathPart::Key("sql".to_owned())])]
            }
            Some(RowsGrant::List(texts)) => texts
                .iter()
                .enumerate()
                // Beside others it is a mistake that has been told.
                .filter(|(_, text)| *text != ALL)
                .map(|(index, text)| (text.as_str(), vec![key(), PathPart::Index(index)]))
                .collect(),
            None => Vec::new(),
        }
    }

    /// The tables that stand whole in the filter's subqueries.
    pub(super) fn owner_tables(&self) -> &'a [String] {
        match &self.grant.rows {
            Some(RowsGrant::Owner { sql: _, tables }) => tables,
            Some(RowsGrant::One(_) | RowsGrant::List(_)) | None => &[],
        }
    }

    /// The hidden columns, where all others show.
    fn all_except(&self) -> Option<Vec<String>> {
        match &self.grant.columns {
            ColumnsGrant::These(_) => None,
            ColumnsGrant::AllExcept(names) => Some(names.clone()),
        }
    }

    fn filters(&self) -> Vec<String> {
        self.rows().into_iter().map(|(text, _)| text.trim().to_owned()).collect()
    }
}

/// The word for every row.
const ALL: &str = "all";

struct Compiling<'a> {
    catalog: &'a Catalog,
    has_key: bool,
    errors: Vec<PolicyError>,
    warnings: Vec<PolicyError>,
}

impl<'a> Compiling<'a> {
    fn error(&mut self, grant: &TableGrant, below: &[PathPart], problem: Problem) {
        self.errors.push(at(grant, below, problem));
    }

    fn table(&mut self, grant: &'a TableGrant) -> Option<Granted<'a>> {
        let Some(table) = self.catalog.table(grant.schema.as_deref(), &grant.table) else {
            let suggestion = self.similar_table(grant);
            self.error(grant, &[], Problem::UnknownTable { name: grant.key.clone(), suggestion });
            return None;
        };
        self.rows(grant);
        let visible = self.visible(grant, table);
        let masks = self.masks(grant, table, &visible);
        let columns = self.columns(grant, table, visible, &masks);
        // What stands behind a foreign table may be a view.
        let hides_rows = matches!(table.kind, TableKind::View | TableKind::Foreign)
            || grant.rows != Some(RowsGrant::One(ALL.to_owned()));
        // Groups of one are rows.
        let min_group_size = grant.min_group_size.filter(|least| least.get() > 1);
        Some(Granted {
            table,
            grant,
            restriction: Restriction { columns, filter: None, hides_rows, min_group_size },
            masks,
        })
    }

    fn rows(&mut self, grant: &TableGrant) {
        let problem = match &grant.rows {
            None => Problem::RowsMissing,
            Some(RowsGrant::One(_)) => return,
            Some(RowsGrant::Owner { sql, .. }) if sql != ALL => return,
            Some(RowsGrant::List(list)) if !list.is_empty() && !list.iter().any(|text| text == ALL) => return,
            Some(RowsGrant::List(_) | RowsGrant::Owner { .. }) => Problem::RowsForm,
        };
        let below: &[PathPart] = match problem {
            Problem::RowsMissing => &[],
            _ => &[PathPart::Key("rows".to_owned())],
        };
        self.error(grant, below, problem);
    }

    /// The columns that exist for the role, in the order of the list or of the table.
    fn visible(&mut self, grant: &TableGrant, table: &'a Table) -> Vec<&'a Column> {
        let key = PathPart::Key("columns".to_owned());
        let (names, below) = match &grant.columns {
            ColumnsGrant::These(names) => (names, vec![key.clone()]),
            ColumnsGrant::AllExcept(names) => (names, vec![key.clone(), PathPart::Key("all_except".to_owned())]),
        };
        let mut listed: Vec<&Column> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let place = [below.as_slice(), &[PathPart::Index(index)]].concat();
            match self.catalog.column(table, name) {
                // A name that is misspelt would hide nothing.
                None => self.error(grant, &place, unknown_column(name, table)),
                Some(column) if listed.iter().any(|seen| seen.name == column.name) => {
                    self.error(grant, &place, Problem::DuplicateColumn(name.clone()));
                }
                Some(column) => listed.push(column),
            }
        }
        let visible: Vec<&Column> = match &grant.columns {
            ColumnsGrant::These(_) => listed,
            ColumnsGrant::AllExcept(_) => {
                table.columns.iter().filter(|column| !listed.iter().any(|hidden| hidden.name == column.name)).collect()
            }
        };
        let is_none = match &grant.columns {
            ColumnsGrant::These(names) => names.is_empty(),
            ColumnsGrant::AllExcept(_) => visible.is_empty(),
        };
        if is_none {
            self.error(grant, &[key], Problem::NoColumns(grant.key.clone()));
        }
        visible
    }

    fn masks(&mut self, grant: &TableGrant, table: &Table, visible: &[&Column]) -> BTreeMap<String, Mask> {
        let mut masks = BTreeMap::new();
        for (column, written) in &grant.masks {
            let below = [PathPart::Key("masks".to_owned()), PathPart::Key(column.clone())];
            let mask = match written {
                MaskGrant::Sql(text) => Some(Mask::Sql(text.trim().to_owned())),
                MaskGrant::Named(name) => name.parse::<Mask>().ok().or_else(|| {
                    let suggestion = similar(name, mask::NAMES.iter().map(|(name, _)| *name));
                    self.error(grant, &below, Problem::UnknownMask { name: name.clone(), suggestion });
                    None
                }),
            };
            if mask == Some(Mask::Hash) && !self.has_key {
                self.error(grant, &below, Problem::MaskKeyMissing);
            }
            let Some(found) = self.catalog.column(table, column) else {
                self.error(grant, &below, unknown_column(column, table));
                continue;
            };
            if !visible.iter().any(|visible| visible.name == found.name) {
                self.error(grant, &below, Problem::MaskOnHiddenColumn(column.clone()));
            }
            if let Some(mask) = mask
                && masks.insert(found.name.clone(), mask).is_some()
            {
                self.error(grant, &below, Problem::DuplicateColumn(column.clone()));
            }
        }
        masks
    }

    fn columns(
        &mut self,
        grant: &TableGrant,
        table: &Table,
        visible: Vec<&Column>,
        masks: &BTreeMap<String, Mask>,
    ) -> Vec<RestrictedColumn> {
        let mut columns: Vec<RestrictedColumn> = Vec::new();
        for column in visible {
            let below = [PathPart::Key("masks".to_owned()), PathPart::Key(column.name.clone())];
            let mask = masks.get(&column.name).map(|mask| mask.over(table, column, self.catalog));
            let mask = mask.transpose().unwrap_or_else(|problem| {
                self.error(grant, &below, problem);
                None
            });
            if let Some(leak) = mask.as_ref().and_then(|mask| mask.leak.clone()) {
                self.warnings.push(at(grant, &below, Problem::LeakyMask(leak)));
            }
            columns.push(RestrictedColumn { name: column.name.clone(), mask });
        }
        columns
    }

    fn similar_table(&self, grant: &TableGrant) -> Option<String> {
        let names = self.catalog.tables().iter().map(|table| table.id.name.as_str());
        similar(&grant.table, names)
    }
}

/// A problem with a table's grant, at a key below it.
pub(super) fn at(grant: &TableGrant, below: &[PathPart], problem: Problem) -> PolicyError {
    let mut path = vec![PathPart::Key("tables".to_owned()), PathPart::Key(grant.key.clone())];
    path.extend_from_slice(below);
    PolicyError { path, problem }
}

/// A table that the database does not have.
pub(super) fn unknown_table(name: &str, catalog: &Catalog) -> Problem {
    let suggestion = similar(name, catalog.tables().iter().map(|table| table.id.name.as_str()));
    Problem::UnknownTable { name: name.to_owned(), suggestion }
}

/// A column that the table does not have.
pub(super) fn unknown_column(name: &str, table: &Table) -> Problem {
    let names = table.columns.iter().map(|column| column.name.as_str());
    Problem::UnknownColumn { name: name.to_owned(), table: table.id.to_string(), suggestion: similar(name, names) }
}

/// The nearest name, if it is near enough to be what was meant.
fn similar<'n>(name: &str, among: impl Iterator<Item = &'n str>) -> Option<String> {
    among
        .map(|known| (strsim::damerau_levenshtein(&name.to_lowercase(), &known.to_lowercase()), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| known.to_owned())
}
