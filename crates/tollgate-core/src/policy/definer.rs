//! What a tool reads that runs without its caller's row filters: columns that the tool lists, of every row, in groups and never a row by
//! itself. The caller's masks stay. It gives nothing to the role: outside this tool the tables are what they are for it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Serialize;

use super::error::{PathPart, PolicyError, Problem};
use super::matrix::Access;
use super::role::{Role, unknown_column, unknown_table};
use crate::catalog::{Catalog, Table, TableKind};
use crate::sql::{RestrictedColumn, Restriction, Restrictions};

/// `columns:` and `min_group_size:` of a tool with `security: definer`, as the configuration has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(serde::Deserialize), serde(deny_unknown_fields))]
pub struct DefinerGrant {
    /// The columns that exist in it, by table, `people` or `public.people`.
    pub columns: BTreeMap<String, Vec<String>>,
    /// How many rows must be alike for any of them to be seen.
    pub min_group_size: NonZeroU32,
}

/// What a tool reads for one role without the role's row filters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefinerMatrix {
    /// How many rows must be alike for any of them to be seen.
    pub min_group_size: NonZeroU32,
    /// Its tables, `public.people`, and their columns as the role gets them; no other exists in it.
    pub tables: BTreeMap<String, Vec<(String, Access)>>,
}

impl DefinerGrant {
    /// What the tool's statement sees when `caller` calls it.
    pub fn restrictions(&self, caller: &Role, catalog: &Catalog) -> Result<Restrictions, Vec<PolicyError>> {
        let mut errors = Vec::new();
        let mut tables = BTreeMap::new();
        for (key, columns) in &self.columns {
            let Some(table) = table(key, catalog) else {
                errors.push(at(key, None, unknown_table(key, catalog)));
                continue;
            };
            let restriction = self.restriction(key, columns, (table, caller), catalog, &mut errors);
            if tables.insert(table.id.clone(), restriction).is_some() {
                errors.push(at(key, None, Problem::DuplicateTable(key.clone())));
            }
        }
        if errors.is_empty() {
            Ok(Restrictions { tables, mask_key: caller.restrictions().mask_key.clone() })
        } else {
            Err(errors)
        }
    }

    /// The same for people. A name that is not there has been told.
    pub fn matrix(&self, caller: &Role, catalog: &Catalog) -> DefinerMatrix {
        let tables = self.columns.iter().filter_map(|(key, names)| {
            let table = table(key, catalog)?;
            let access = |name: &String| {
                let column = catalog.column(table, name)?;
                let access = caller.mask(&table.id, &column.name).cloned().map_or(Access::Allow, Access::Mask);
                Some((column.name.clone(), access))
            };
            Some((table.id.to_string(), names.iter().filter_map(access).collect()))
        });
        DefinerMatrix { min_group_size: self.min_group_size, tables: tables.collect() }
    }

    fn restriction(
        &self,
        key: &str,
        names: &[String],
        (table, caller): (&Table, &Role),
        catalog: &Catalog,
        errors: &mut Vec<PolicyError>,
    ) -> Restriction {
        let granted = caller.restrictions().tables.get(&table.id);
        let mut columns: Vec<RestrictedColumn> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            match catalog.column(table, name) {
                None => errors.push(at(key, Some(index), unknown_column(name, table))),
                Some(column) if columns.iter().any(|listed| listed.name == column.name) => {
                    errors.push(at(key, Some(index), Problem::DuplicateColumn(name.clone())));
                }
                Some(column) => {
                    let own = granted.and_then(|own| own.columns.iter().find(|own| own.name == column.name));
                    columns.push(RestrictedColumn {
                        name: column.name.clone(),
                        mask: own.and_then(|own| own.mask.clone()),
                    });
                }
            }
        }
        if names.is_empty() {
            errors.push(at(key, None, Problem::NoColumns(key.to_owned())));
        }
        let own_least = granted.and_then(|own| own.min_group_size);
        Restriction {
            columns,
            filter: None,
            // What stands behind a foreign table may be a view.
            hides_rows: matches!(table.kind, TableKind::View | TableKind::Foreign),
            min_group_size: own_least.max(Some(self.min_group_size)),
        }
    }
}

impl DefinerGrant {
    /// The tables that a role sees by itself of those that the tool groups: what it knows of them is no part of the groups' promise.
    pub fn seen_beside(&self, caller: &Role, catalog: &Catalog) -> Vec<String> {
        let seen = self.columns.keys().filter_map(|key| table(key, catalog));
        let seen = seen.filter(|table| caller.restrictions().tables.contains_key(&table.id));
        seen.map(|table| table.id.to_string()).collect()
    }
}

fn table<'c>(key: &str, catalog: &'c Catalog) -> Option<&'c Table> {
    match key.split_once('.') {
        Some((schema, name)) => catalog.table(Some(schema), name),
        None => catalog.table(None, key),
    }
}

fn at(table: &str, index: Option<usize>, problem: Problem) -> PolicyError {
    let path = [PathPart::Key("columns".to_owned()), PathPart::Key(table.to_owned())];
    PolicyError { path: path.into_iter().chain(index.map(PathPart::Index)).collect(), problem }
}
