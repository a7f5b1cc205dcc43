//! A database made at random, with a policy over it, and the same data as the policy should show it, made without the product:
//! masks are computed here and filters are run by the engine from text of our own.

use std::{collections::BTreeSet, sync::Arc};

use tollgate_core::{
    names::Dialect,
    policy::{ColumnsGrant, RoleGrant, RowsGrant, TableGrant},
    sql::MaskKey,
};

use super::{
    compare::Case,
    kind::{Cell, Kind, name},
    policy::{Claim, Filter, Mask, Policy, ROLE, SECRET},
    random::Random,
};

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// What its texts are compared by, if not the database's default.
    pub(super) collation: Option<&'static str>,
    /// How its texts compare, by that or by the default.
    pub(super) case: Case,
    /// The table whose `id` it refers to.
    pub(super) refers_to: Option<usize>,
}

/// What a view leaves out of the table that it shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum View {
    /// Every third row.
    Thirds,
    /// Rows in which a column is NULL.
    Nulls(usize),
}

/// A table, or a view of one. Column 0 numbers the rows and is never granted; column 1 is the primary key.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) view: Option<View>,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// Where a row's number stands.
pub(super) const NUMBER: usize = 0;
/// Where the primary key stands.
pub(super) const KEY: usize = 1;

/// What a role sees of a table.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    /// The columns in the order of the grant, with their masks.
    pub(super) columns: Vec<(usize, Option<Mask>)>,
    /// All must hold; none for all rows.
    pub(super) filters: Vec<Filter>,
}

impl Table {
    /// Where its rows are.
    pub(super) fn stored(&self, dialect: Dialect) -> String {
        match self.view {
            None => name(&self.name, dialect),
            Some(_) => name(&format!("{} stored", self.name), dialect),
        }
    }

    /// What a view says of its rows.
    fn condition(&self, view: View, dialect: Dialect) -> String {
        match view {
            View::Thirds => format!("{} % 3 <> 1", name(&self.columns[NUMBER].name, dialect)),
            View::Nulls(column) => format!("{} IS NOT NULL", name(&self.columns[column].name, dialect)),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) dialect: Dialect,
    pub(super) tables: Vec<Table>,
    /// What the role sees of each, if anything. A table's filter reads later tables alone.
    pub(super) grants: Vec<Option<Grant>>,
    pub(super) claims: Vec<Claim>,
    /// What texts are compared by where their column does not say so, on MariaDB.
    pub(super) collation: &'static str,
}

/// Collations under which a text equals others: SQLite's without case, and MariaDB's without case or without the spaces at the end.
const FOLDING: [&str; 4] = ["NOCASE", "utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"];
/// MariaDB's collations of a whole database.
const DEFAULTS: [&str; 5] =
    ["utf8mb4_nopad_bin", "utf8mb4_nopad_bin", "utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci"];

const TABLE_NAMES: [&str; 8] = ["users", "orders", "Items", "two words", "logs", "order", "t", "événements"];
const COLUMN_NAMES: [&str; 14] =
    ["a", "b", "name", "grp", "val", "note", "Mixed", "two words", "select", "é", "we\"i`rd", "state", "c", "d"];

impl World {
    pub(super) fn new(random: &mut Random, dialect: Dialect) -> Self {
        let mut names = TABLE_NAMES;
        random.shuffle(&mut names);
        let count = 2 + random.below(4);
        let mut tables: Vec<Table> = (0..count)
            .map(|at| {
                let columns = columns(random, dialect, (at, count));
                let view = random.percent(20).then(|| match random.below(columns.len()) {
                    NUMBER | KEY => View::Thirds,
                    column => View::Nulls(column),
                });
                Table { name: names[at].to_owned(), view, columns, rows: Vec::new() }
            })
            .collect();
        if random.percent(25) {
            collate(random, dialect, &mut tables);
        }
        let collation = *random.one_of(&DEFAULTS);
        let default = (dialect == Dialect::MariaDb).then_some(collation);
        for column in tables.iter_mut().flat_map(|table| &mut table.columns) {
            if column.collation.or(default).is_some_and(|collation| FOLDING.contains(&collation)) {
                column.case = Case::Folded;
            }
        }
        let sizes: Vec<usize> = (0..count).map(|_| if random.percent(8) { 0 } else { 1 + random.below(13) }).collect();
        let keys: Vec<Vec<String>> =
            sizes.iter().map(|size| (1..=*size).map(|key| key.to_string()).collect()).collect();
        for at in 0..count {
            let rows = (0..sizes[at]).map(|number| row(random, dialect, &tables[at].columns, number, &keys)).collect();
            tables[at].rows = rows;
        }
        let mut policy = Policy { random, dialect, tables: &tables, grants: vec![None; count], claims: Vec::new() };
        policy.fill();
        let Policy { grants, claims, .. } = policy;
        Self { dialect, tables, grants, claims, collation }
    }

    /// The same with names that need no quotes.
    pub(super) fn plain(mut self) -> Self {
        let plain = |name: &str| {
            let kept: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
            format!("{}_x", kept.to_lowercase())
        };
        for table in &mut self.tables {
            table.name = plain(&table.name);
            for column in &mut table.columns {
                column.name = plain(&column.name);
            }
        }
        self
    }

    /// What the product is told.
    pub(super) fn role(&self) -> RoleGrant {
        let tables = self.granted().map(|(at, grant)| {
            let table = &self.tables[at];
            let column = |index: usize| table.columns[index].name.clone();
            let masked = grant
                .columns
                .iter()
                .filter_map(|(index, mask)| Some((column(*index), (*mask)?.granted(table, *index, self.dialect))));
            TableGrant {
                min_group_size: None,
                key: format!("db.{}", table.name),
                schema: None,
                table: table.name.clone(),
                columns: ColumnsGrant::These(grant.columns.iter().map(|(index, _)| column(*index)).collect()),
                masks: masked.collect(),
                rows: Some(self.rows_grant(grant)),
            }
        });
        RoleGrant { tables: tables.collect(), mask_key: Some(Arc::new(MaskKey::of_role(SECRET, ROLE))) }
    }

    fn rows_grant(&self, grant: &Grant) -> RowsGrant {
        let filters: Vec<String> = grant.filters.iter().map(|filter| filter.as_configured(self)).collect();
        let owners: BTreeSet<usize> = grant.filters.iter().flat_map(Filter::owners).collect();
        match filters.as_slice() {
            [one] if !owners.is_empty() => {
                let tables = owners.into_iter().map(|at| self.tables[at].name.clone()).collect();
                RowsGrant::Owner { sql: one.clone(), tables }
            }
            [] => RowsGrant::One("all".to_owned()),
            [one] => RowsGrant::One(one.clone()),
            _ => RowsGrant::List(filters),
        }
    }

    /// The granted tables, each after those that its filter reads.
    pub(super) fn granted(&self) -> impl Iterator<Item = (usize, &Grant)> {
        self.grants.iter().enumerate().rev().filter_map(|(at, grant)| Some((at, grant.as_ref()?)))
    }

    /// How the answers of a query over it compare.
    pub(super) fn case(&self) -> Case {
        let folded = self.tables.iter().flat_map(|table| &table.columns).any(|column| column.case == Case::Folded);
        if folded { Case::Folded } else { Case::Kept }
    }

    /// The tables that filters read whole.
    pub(super) fn owned(&self) -> BTreeSet<usize> {
        self.granted().flat_map(|(_, grant)| &grant.filters).flat_map(Filter::owners).collect()
    }

    /// The definition of a table. On PostgreSQL foreign keys come later; on MariaDB there are but their indexes.
    pub(super) fn definition(&self, at: usize) -> Vec<String> {
        let table = &self.tables[at];
        let columns = table.columns.iter().enumerate().map(|(index, column)| {
            let key = if index == KEY { " PRIMARY KEY" } else { "" };
            let reference = match (column.refers_to, self.dialect) {
                (Some(target), Dialect::Sqlite) => {
                    format!(
                        " REFERENCES {} ({})",
                        self.tables[target].stored(self.dialect),
                        name(&self.tables[target].columns[KEY].name, self.dialect)
                    )
                }
                _ => String::new(),
            };
            format!("{}{key}{reference}", self.declared(column))
        });
        let stored = table.stored(self.dialect);
        let indexed =
            table.columns.iter().filter(|column| column.refers_to.is_some() && self.dialect == Dialect::MariaDb);
        let columns = columns.chain(indexed.map(|column| format!("KEY ({})", name(&column.name, self.dialect))));
        let mut all = vec![format!("CREATE TABLE {stored} ({})", columns.collect::<Vec<_>>().join(", "))];
        all.extend(table.view.map(|view| {
            let columns: Vec<String> = table.columns.iter().map(|column| name(&column.name, self.dialect)).collect();
            let (view_name, condition) = (name(&table.name, self.dialect), table.condition(view, self.dialect));
            format!("CREATE VIEW {view_name} AS SELECT {} FROM {stored} WHERE {condition}", columns.join(", "))
        }));
        all
    }

    fn declared(&self, column: &Column) -> String {
        let collation = column.collation.map_or(String::new(), |collation| format!(" COLLATE {collation}"));
        format!("{} {}{collation}", name(&column.name, self.dialect), column.kind.declared(self.dialect))
    }

    /// PostgreSQL's foreign keys.
    pub(super) fn foreign_keys(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in &self.tables {
            for column in &table.columns {
                if let Some(target) = column.refers_to {
                    let target = self.tables[target].stored(self.dialect);
                    all.push(format!(
                        "ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {target}",
                        table.stored(self.dialect),
                        name(&column.name, self.dialect)
                    ));
                }
            }
        }
        all
    }

    /// The rows of a table as one INSERT.
    pub(super) fn insertion(&self, at: usize, rows: &[Vec<Cell>]) -> Option<String> {
        let table = &self.tables[at];
        let columns: Vec<usize> = (0..table.columns.len()).collect();
        self.insert(&table.stored(self.dialect), at, &columns, rows.iter().map(Vec::clone))
    }

    fn insert(
        &self,
        into: &str,
        at: usize,
        columns: &[usize],
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Option<String> {
        let kinds = columns.iter().map(|index| self.tables[at].columns[*index].kind);
        let rows: Vec<String> = rows
            .map(|row| {
                let values = row.iter().zip(kinds.clone()).map(|(cell, kind)| kind.stored(cell, self.dialect));
                format!("({})", values.collect::<Vec<_>>().join(", "))
            })
            .collect();
        (!rows.is_empty()).then(|| format!("INSERT INTO {into} VALUES {}", rows.join(", ")))
    }

    /// The query for the numbers of a table's visible rows, in which `seen` holds the tables as the role sees them.
    pub(super) fn visible_numbers(&self, at: usize, grant: &Grant, seen: &str) -> String {
        let table = &self.tables[at];
        let conditions: Vec<String> =
            grant.filters.iter().map(|filter| format!("({})", filter.as_run(self, seen))).collect();
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        let name = |text: &str| name(text, self.dialect);
        format!("SELECT {} FROM {}{filter}", name(&table.columns[NUMBER].name), name(&table.name))
    }

    /// The table as the role sees it: its definition, and its visible rows with their masks.
    pub(super) fn seen(&self, at: usize, grant: &Grant, visible: &BTreeSet<i64>, schema: &str) -> Vec<String> {
        let table = &self.tables[at];
        let columns = grant.columns.iter().map(|(index, mask)| {
            let column = &table.columns[*index];
            let key = if *index == KEY && mask.is_none() && table.view.is_none() { " PRIMARY KEY" } else { "" };
            match (mask, self.dialect) {
                // What a mask in SQL gives has no type of a column's.
                (Some(Mask::Unless(_)), Dialect::MariaDb) if column.kind == Kind::Mood => {
                    format!("{} VARCHAR(500)", name(&column.name, self.dialect))
                }
                (Some(Mask::Unless(_)), Dialect::Sqlite) => name(&column.name, self.dialect),
                _ => format!("{}{key}", self.declared(column)),
            }
        });
        let into = format!("{schema}.{}", name(&table.name, self.dialect));
        let mut statements = vec![format!("CREATE TABLE {into} ({})", columns.collect::<Vec<_>>().join(", "))];
        let indexes: Vec<usize> = grant.columns.iter().map(|(index, _)| *index).collect();
        let rows = table.rows.iter().filter(|row| visible.contains(&number_of(row))).map(|row| {
            let shown = grant.columns.iter().map(|(index, mask)| match mask {
                None => row[*index].clone(),
                Some(mask) => mask.over(row, *index),
            });
            shown.collect()
        });
        statements.extend(self.insert(&into, at, &indexes, rows));
        statements
    }
}

/// The number of a row.
pub(super) fn number_of(row: &[Cell]) -> i64 {
    row[NUMBER].as_deref().unwrap().parse().unwrap()
}

fn columns(random: &mut Random, dialect: Dialect, (at, count): (usize, usize)) -> Vec<Column> {
    let plain =
        |name: &str, kind| Column { name: name.to_owned(), kind, collation: None, case: Case::Kept, refers_to: None };
    let mut names = COLUMN_NAMES;
    random.shuffle(&mut names);
    let mut columns = vec![plain("row no", Kind::Int), plain("id", Kind::Int)];
    for column in names.iter().take(2 + random.below(5)) {
        let kind = if random.percent(25) { Kind::Text } else { *random.one_of(Kind::all(dialect)) };
        columns.push(plain(column, kind));
    }
    if random.percent(50) {
        let target = random.below(count);
        if target != at {
            let reference = Column { refers_to: Some(target), ..plain(&format!("ref{target}"), Kind::Int) };
            let place = 2 + random.below(columns.len() - 1);
            columns.insert(place, reference);
        }
    }
    columns
}

/// Gives some text columns a collation, the same in the whole world: two different ones do not compare.
fn collate(random: &mut Random, dialect: Dialect, tables: &mut [Table]) {
    let collation = match dialect {
        Dialect::Postgres => *random.one_of(&["\"C\"", "\"en-x-icu\""]),
        Dialect::Sqlite => FOLDING[0],
        Dialect::MariaDb => *random.one_of(&["utf8mb4_bin", "utf8mb4_general_ci"]),
    };
    for column in tables.iter_mut().flat_map(|table| &mut table.columns) {
        if column.kind == Kind::Text && random.percent(50) {
            column.collation = Some(collation);
        }
    }
}

/// A row; its key is its number and 1. References meet one of the keys.
pub(super) fn row(
    random: &mut Random,
    dialect: Dialect,
    columns: &[Column],
    number: usize,
    keys: &[Vec<String>],
) -> Vec<Cell> {
    let cell = |(index, column): (usize, &Column)| match (index, column.refers_to) {
        (NUMBER, _) => Some(number.to_string()),
        (KEY, _) => Some((number + 1).to_string()),
        (_, Some(target)) if keys[target].is_empty() || random.percent(15) => None,
        (_, Some(target)) => Some(random.one_of(&keys[target]).clone()),
        // Of two values of one column that compare equal, an engine may show either.
        (_, None) if column.kind == Kind::Text && column.case == Case::Folded => {
            column.kind.cell(random, dialect).map(|text| text.trim_end().to_ascii_lowercase())
        }
        (_, None) => column.kind.cell(random, dialect),
    };
    columns.iter().enumerate().map(cell).collect()
}
