//! Who may see what, as plain data and as a table that a person can read: role × table × column, and role × tool.
//!
//! For operators only: it names what is hidden. Built from the compiled roles, never from their text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroU32;

use serde::Serialize;

use super::definer::DefinerMatrix;
use super::mask::Mask;
use super::role::Role;
use crate::catalog::Catalog;
use crate::names::{DatabaseName, RoleName, ToolName, is_invisible};

/// Everything that the roles may see and call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Matrix {
    /// By role.
    pub roles: BTreeMap<RoleName, RoleMatrix>,
}

/// One role.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RoleMatrix {
    /// By database.
    pub databases: BTreeMap<DatabaseName, DatabaseMatrix>,
    /// The tools it may call.
    pub tools: BTreeSet<ToolName>,
    /// What those of its tools show it that run without its row filters.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub definers: BTreeMap<ToolName, DefinerMatrix>,
    /// The databases it may send its own SELECTs to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub query: BTreeSet<DatabaseName>,
}

/// One role in one database: every table of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DatabaseMatrix {
    /// By table, `public.users`.
    pub tables: BTreeMap<String, TableMatrix>,
    /// The functions beyond the reviewed list that it may call, `postgis.st_dwithin`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub functions: BTreeSet<String>,
}

/// One role and one table: every column of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableMatrix {
    /// The rows it sees.
    pub rows: RowAccess,
    /// The tables that stand whole in the row filter's subqueries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owner: Vec<String>,
    /// How many rows must be alike for any of them to be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_group_size: Option<NonZeroU32>,
    /// The columns in the table's order.
    pub columns: Vec<(String, Access)>,
    /// The only hidden columns, where every other one shows, those that the table gets later included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_except: Option<Vec<String>>,
}

/// Which rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RowAccess {
    /// The table does not exist for the role.
    None,
    /// Every row.
    All,
    /// Those that meet every one of these conditions, as written.
    Filter(Vec<String>),
}

/// Which form of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// As it is.
    Allow,
    /// Through a mask.
    Mask(Mask),
    /// Not at all: it does not exist.
    Deny,
}

impl DatabaseMatrix {
    /// A role in a database: what exists for it, beside all that exists.
    pub fn of(role: &Role, catalog: &Catalog) -> Self {
        let tables = catalog.tables().iter().map(|table| {
            let visible = role.restrictions().tables.get(&table.id);
            let access = |name: &str| match visible.and_then(|v| v.columns.iter().find(|c| c.name == name)) {
                None => Access::Deny,
                Some(_) => role.mask(&table.id, name).cloned().map_or(Access::Allow, Access::Mask),
            };
            let columns = table.columns.iter().map(|c| (c.name.clone(), access(&c.name))).collect();
            let rows = match (visible, role.filters(&table.id)) {
                (None, _) => RowAccess::None,
                (Some(_), []) => RowAccess::All,
                (Some(_), filters) => RowAccess::Filter(filters.to_vec()),
            };
            let owner = role.owners(&table.id).to_vec();
            let all_except = role.all_except(&table.id).map(<[String]>::to_vec);
            let min_group_size = visible.and_then(|visible| visible.min_group_size);
            (table.id.to_string(), TableMatrix { rows, owner, min_group_size, columns, all_except })
        });
        let functions = catalog.functions().iter().map(ToString::to_string);
        Self { tables: tables.collect(), functions: functions.collect() }
    }
}

impl TableMatrix {
    /// The columns that exist for the role.
    pub fn visible(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|(_, access)| *access != Access::Deny).map(|(name, _)| name.as_str())
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Allow => f.write_str("allow"),
            Access::Mask(Mask::Sql(text)) => write!(f, "mask sql {text}"),
            Access::Mask(mask) => write!(f, "mask {}", mask.name()),
            Access::Deny => f.write_str("deny"),
        }
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roles: Vec<&str> = self.roles.keys().map(RoleName::as_str).collect();
        for (database, table) in self.tables() {
            let title = format!("{database} {table}");
            let mut grid = vec![head(title, &roles)];
            let (mut filters, mut masks) = (Vec::new(), Vec::new());
            let cells: Vec<Option<&TableMatrix>> = self.roles.values().map(|r| r.table(database, table)).collect();
            let mut rows = vec!["  rows".to_owned()];
            rows.extend(cells.iter().map(|cell| row_cell(*cell, &mut filters)));
            grid.push(rows);
            if cells.iter().flatten().any(|cell| cell.min_group_size.is_some()) {
                let mut groups = vec!["  groups of at least".to_owned()];
                let size = |cell: &TableMatrix| cell.min_group_size.map(|least| least.to_string());
                groups.extend(cells.iter().map(|cell| cell.and_then(size).unwrap_or_else(|| "-".to_owned())));
                grid.push(groups);
            }
            let columns = cells.iter().find_map(|cell| *cell).map_or(&[][..], |cell| &cell.columns);
            for (index, (name, _)) in columns.iter().enumerate() {
                let mut line = vec![format!("  {name}")];
                line.extend(cells.iter().map(|cell| {
                    let access = cell.and_then(|cell| cell.columns.get(index)).map(|(_, access)| access);
                    column_cell(access.unwrap_or(&Access::Deny), &mut masks)
                }));
                grid.push(line);
            }
            print(f, &grid)?;
            for (number, (filter, owner)) in filters.iter().enumerate() {
                writeln!(f, "  filter {}: {}", number + 1, all_of(filter))?;
                if !owner.is_empty() {
                    writeln!(f, "    in it whole, as their owner sees them: {}", visible(&owner.join(", ")))?;
                }
            }
            for (role, cell) in self.roles.keys().zip(&cells) {
                if let Some(hidden) = cell.and_then(|cell| cell.all_except.as_ref()) {
                    writeln!(f, "  {role} sees every column, new ones too, except: {}", visible(&hidden.join(", ")))?;
                }
            }
            for (number, mask) in masks.iter().enumerate() {
                writeln!(f, "  mask sql {}: {}", number + 1, lines(mask))?;
            }
            writeln!(f)?;
        }
        self.tools(f, &roles)
    }
}

impl Matrix {
    /// The tables of which a role sees every column but some: role, database, table.
    pub fn all_except(&self) -> impl Iterator<Item = (&RoleName, &DatabaseName, &str, &TableMatrix)> {
        let tables = self.roles.iter().flat_map(|(role, of)| of.databases.iter().map(move |found| (role, found)));
        tables.flat_map(|(role, (database, of))| {
            let open = of.tables.iter().filter(|(_, table)| table.all_except.is_some());
            open.map(move |(name, table)| (role, database, name.as_str(), table))
        })
    }

    fn tables(&self) -> BTreeSet<(&DatabaseName, &str)> {
        self.roles
            .values()
            .flat_map(|role| &role.databases)
            .flat_map(|(name, database)| database.tables.keys().map(move |table| (name, table.as_str())))
            .collect()
    }

    fn tools(&self, f: &mut fmt::Formatter<'_>, roles: &[&str]) -> fmt::Result {
        let all: BTreeSet<&ToolName> = self.roles.values().flat_map(|role| &role.tools).collect();
        let mut grid = vec![head("tools".to_owned(), roles)];
        for tool in all {
            let mut line = vec![format!("  {tool}")];
            let word = |role: &RoleMatrix| if role.tools.contains(tool) { "allow" } else { "deny" };
            line.extend(self.roles.values().map(|role| word(role).to_owned()));
            grid.push(line);
        }
        print(f, &grid)?;
        self.definers(f, roles)?;
        self.functions(f, roles)?;
        self.queries(f, roles)
    }

    /// What tools show that run without the row filters of whoever calls them: every row, in groups. Nothing is said where there are none.
    fn definers(&self, f: &mut fmt::Formatter<'_>, roles: &[&str]) -> fmt::Result {
        let all: BTreeSet<&ToolName> = self.roles.values().flat_map(|role| role.definers.keys()).collect();
        for tool in all {
            let cells: Vec<Option<&DefinerMatrix>> = self.roles.values().map(|role| role.definers.get(tool)).collect();
            let mut masks = Vec::new();
            let mut grid = vec![head(format!("{tool}, without row filters"), roles)];
            let mut groups = vec!["  groups of at least".to_owned()];
            let size = |cell: &DefinerMatrix| cell.min_group_size.to_string();
            groups.extend(cells.iter().map(|cell| cell.map_or_else(|| "-".to_owned(), size)));
            grid.push(groups);
            for (table, columns) in cells.iter().find_map(|cell| *cell).into_iter().flat_map(|cell| &cell.tables) {
                for (index, (name, _)) in columns.iter().enumerate() {
                    let mut line = vec![format!("  {table} {name}")];
                    line.extend(cells.iter().map(|cell| {
                        let access = cell.and_then(|cell| cell.tables.get(table)?.get(index)).map(|(_, access)| access);
                        column_cell(access.unwrap_or(&Access::Deny), &mut masks)
                    }));
                    grid.push(line);
                }
            }
            writeln!(f)?;
            print(f, &grid)?;
            for (number, mask) in masks.iter().enumerate() {
                writeln!(f, "  mask sql {}: {}", number + 1, lines(mask))?;
            }
        }
        Ok(())
    }

    /// Which role may call functions beyond the reviewed list. Nothing is said where there are none.
    fn functions(&self, f: &mut fmt::Formatter<'_>, roles: &[&str]) -> fmt::Result {
        let databases = self.roles.values().flat_map(|role| &role.databases);
        let all: BTreeSet<(&DatabaseName, &String)> = databases
            .flat_map(|(name, database)| database.functions.iter().map(move |function| (name, function)))
            .collect();
        if all.is_empty() {
            return Ok(());
        }
        let mut grid = vec![head("functions beyond the list".to_owned(), roles)];
        for (database, function) in all {
            let mut line = vec![format!("  {database} {}", visible(function))];
            let may = |role: &RoleMatrix| role.databases.get(database).is_some_and(|d| d.functions.contains(function));
            line.extend(self.roles.values().map(|role| if may(role) { "allow" } else { "deny" }.to_owned()));
            grid.push(line);
        }
        writeln!(f)?;
        print(f, &grid)
    }

    /// Which role may write its own statements, and where. Nothing is said where none may.
    fn queries(&self, f: &mut fmt::Formatter<'_>, roles: &[&str]) -> fmt::Result {
        let databases: BTreeSet<&DatabaseName> = self.roles.values().flat_map(|role| &role.query).collect();
        if databases.is_empty() {
            return Ok(());
        }
        let mut grid = vec![head("own statements".to_owned(), roles)];
        for database in databases {
            let mut line = vec![format!("  {database}")];
            let word = |role: &RoleMatrix| if role.query.contains(database) { "allow" } else { "deny" };
            line.extend(self.roles.values().map(|role| word(role).to_owned()));
            grid.push(line);
        }
        writeln!(f)?;
        print(f, &grid)
    }
}

impl RoleMatrix {
    fn table(&self, database: &DatabaseName, table: &str) -> Option<&TableMatrix> {
        self.databases.get(database)?.tables.get(table)
    }
}

fn head(title: String, roles: &[&str]) -> Vec<String> {
    std::iter::once(title).chain(roles.iter().map(|&role| role.to_owned())).collect()
}

/// `all`, `none`, or the number of a filter in the list below the table.
fn row_cell<'m>(cell: Option<&'m TableMatrix>, filters: &mut Vec<(&'m [String], &'m [String])>) -> String {
    match cell.map(|cell| (&cell.rows, &cell.owner)) {
        None | Some((RowAccess::None, _)) => "none".to_owned(),
        Some((RowAccess::All, _)) => "all".to_owned(),
        Some((RowAccess::Filter(conditions), owner)) => {
            let filter = (conditions.as_slice(), owner.as_slice());
            let number = filters.iter().position(|known| *known == filter).unwrap_or_else(|| {
                filters.push(filter);
                filters.len() - 1
            });
            format!("filter {}", number + 1)
        }
    }
}

/// What the column is, or the number of its mask in the list below the table.
fn column_cell<'m>(access: &'m Access, masks: &mut Vec<&'m str>) -> String {
    let Access::Mask(Mask::Sql(text)) = access else { return access.to_string() };
    let number = masks.iter().position(|known| known == text).unwrap_or_else(|| {
        masks.push(text);
        masks.len() - 1
    });
    format!("mask sql {}", number + 1)
}

/// A text on lines of its own below a table, each further to the right.
fn lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n            ")
}

/// Conditions that all hold. Each of several stands in parentheses and on lines of its own: an OR in one, or a comment, reaches
/// no further than it does in the statement.
fn all_of(conditions: &[String]) -> String {
    match conditions {
        [only] => lines(only),
        several => {
            let terms: Vec<String> = several.iter().map(|text| format!("({})", lines(text))).collect();
            terms.join("\n        AND ")
        }
    }
}

/// A text in which nothing hides or rearranges what stands around it.
fn visible(text: &str) -> String {
    let shown = |c: char| if is_invisible(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Lines of cells, each column as wide as its widest cell.
fn print(f: &mut fmt::Formatter<'_>, grid: &[Vec<String>]) -> fmt::Result {
    let grid: Vec<Vec<String>> = grid.iter().map(|line| line.iter().map(|cell| visible(cell)).collect()).collect();
    let width = |column: usize| grid.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    for line in &grid {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            let pad = width(column).unwrap_or(0).saturating_sub(cell.chars().count());
            text.push_str(cell);
            text.push_str(&" ".repeat(pad + 2));
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}
