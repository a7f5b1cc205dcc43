//! `information_schema` as a snapshot: what exists in the databases that are not the server's own, as far as the login is told of it.
//! It reads definitions and never rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mysql_async::{Conn, Row, prelude::Queryable as _};
use tollgate_core::{
    catalog::{Catalog, Column, ForeignKey, Table, TableId, TableKind, TypeKind},
    names::Dialect,
};

use super::{check_list, connect::Connection, error, types};
use crate::{BackendError, ErrorKind};

/// Tables of one server, at most.
const TABLES_MAX: usize = 20_000;
/// Columns of one server, at most.
const COLUMNS_MAX: usize = 500_000;
/// Tables whose definition is asked for one by one, at most; of the others no key is believed.
const DEFINITIONS_MAX: usize = 1_000;

/// The server's own databases.
pub(super) const SYSTEM: &str = "'information_schema', 'mysql', 'performance_schema', 'sys'";

const TABLES: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, COALESCE(ENGINE, ''), COALESCE(TABLE_COMMENT, '') \
    FROM information_schema.TABLES";
const COLUMNS: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COALESCE(COLUMN_COMMENT, '') \
    FROM information_schema.COLUMNS";
const KEYS: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COALESCE(COLUMN_NAME, ''), COALESCE(SUB_PART, 0) \
    FROM information_schema.STATISTICS";
const REFERENCES: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, \
    REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE";
/// MariaDB's, which say whose they are. MySQL's do not, and its documents have a type of their own.
const CHECKS: &str = "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS";
/// Where the login may read whole tables, and so is told all of them. Empty names stand for all.
const WIDE: &str = "SELECT '', '' FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = 'SELECT' \
    UNION ALL SELECT TABLE_SCHEMA, '' FROM information_schema.SCHEMA_PRIVILEGES WHERE PRIVILEGE_TYPE = 'SELECT' \
    UNION ALL SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLE_PRIVILEGES WHERE PRIVILEGE_TYPE = 'SELECT'";

/// What stops a snapshot.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("the server has more than {max} {what}")]
    TooMany { what: &'static str, max: usize },
    #[error("the database of the url does not exist, or its login sees nothing of it")]
    NoDatabase,
    #[error("the server tells of a definition in another form than is known")]
    Malformed,
}

/// The snapshot. `schema` is the database of unqualified names.
pub(super) async fn catalog(connection: &mut Connection, schema: &str) -> Result<Catalog, BackendError> {
    let client = connection.client()?;
    let version =
        client.query_first::<Option<String>, _>("SELECT VERSION()").await.map_err(error::backend_error)?.flatten();
    let version = version.unwrap_or_default();
    let mut tables = Tables::default();
    tables.read(&asked(client, TABLES, "TABLE_SCHEMA", TABLES_MAX, "tables").await?)?;
    tables.columns(&asked(client, COLUMNS, "TABLE_SCHEMA", COLUMNS_MAX, "columns").await?)?;
    let wide = privileges(client).await?;
    let Whole { tables: whole, checks } = tables.whole(client, &wide).await?;
    tables.keys(&asked(client, KEYS, "NON_UNIQUE = 0 AND TABLE_SCHEMA", COLUMNS_MAX, "keys").await?, &whole)?;
    let references = "REFERENCED_TABLE_NAME IS NOT NULL AND TABLE_SCHEMA";
    tables.references(&asked(client, REFERENCES, references, COLUMNS_MAX, "references").await?, &whole)?;
    if version.contains("MariaDB") {
        for row in asked(client, CHECKS, "CONSTRAINT_SCHEMA", COLUMNS_MAX, "checks").await? {
            tables.check(&id(&row)?, &get(&row, 2)?);
        }
    }
    for (id, clause) in checks {
        tables.check(&id, &clause);
    }
    let tables = tables.distinct();
    if !tables.iter().any(|table| Dialect::MariaDb.same_name(&table.id.schema, schema)) {
        return Err(BackendError::new(ErrorKind::Unavailable, Unfit::NoDatabase));
    }
    Ok(Catalog::new(Dialect::MariaDb, schema.to_owned(), version, tables))
}

/// A question about all databases that are not the server's own, its rows in the server's order of names and positions.
async fn asked(
    client: &mut Conn,
    text: &str,
    filter: &str,
    max: usize,
    what: &'static str,
) -> Result<Vec<Row>, BackendError> {
    let order = match what {
        "columns" => " ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
        "keys" => " ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
        "references" => " ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
        _ => "",
    };
    let text = format!("{text} WHERE {filter} NOT IN ({SYSTEM}){order} LIMIT {}", max + 1);
    let rows: Vec<Row> = client.query(text).await.map_err(error::backend_error)?;
    if rows.len() > max {
        return Err(BackendError::new(ErrorKind::Resources, Unfit::TooMany { what, max }));
    }
    Ok(rows)
}

/// The databases and tables that the login may read as a whole.
async fn privileges(client: &mut Conn) -> Result<BTreeSet<(String, String)>, BackendError> {
    let rows: Vec<Row> = client.query(WIDE).await.map_err(error::backend_error)?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}

fn get(row: &Row, at: usize) -> Result<String, BackendError> {
    let found = row.get_opt::<String, _>(at).and_then(Result::ok);
    found.ok_or_else(|| BackendError::new(ErrorKind::Internal, Unfit::Malformed))
}

fn id(row: &Row) -> Result<TableId, BackendError> {
    Ok(TableId { schema: get(row, 0)?, name: get(row, 1)? })
}

/// What the login is told all of, and the CHECKs of those of them whose definition had to be asked for.
#[derive(Default)]
struct Whole {
    tables: BTreeSet<TableId>,
    checks: Vec<(TableId, String)>,
}

#[derive(Default)]
struct Tables(BTreeMap<TableId, Table>);

impl Tables {
    fn read(&mut self, rows: &[Row]) -> Result<(), BackendError> {
        for row in rows {
            let (of_type, engine, comment) = (get(row, 2)?, get(row, 3)?, get(row, 4)?);
            let kind = match (of_type.as_str(), engine.to_ascii_uppercase().as_str()) {
                ("VIEW", _) => TableKind::View,
                ("BASE TABLE", "FEDERATED" | "CONNECT" | "SPIDER" | "MRG_MYISAM") => TableKind::Foreign,
                ("BASE TABLE" | "SYSTEM VERSIONED", _) => TableKind::Table,
                // Sequences, temporary tables, and what came after this was written.
                _ => continue,
            };
            let id = id(row)?;
            let table = Table {
                id: id.clone(),
                kind,
                columns: Vec::new(),
                primary_key: Vec::new(),
                unique_keys: Vec::new(),
                foreign_keys: Vec::new(),
                comment: (kind != TableKind::View).then_some(comment).filter(|comment| !comment.is_empty()),
            };
            self.0.insert(id, table);
        }
        Ok(())
    }

    fn columns(&mut self, rows: &[Row]) -> Result<(), BackendError> {
        for row in rows {
            let Some(table) = self.0.get_mut(&id(row)?) else { continue };
            table.columns.push(Column {
                name: get(row, 2)?,
                ty: types::declared(&get(row, 3)?),
                nullable: get(row, 4)? != "NO",
                allowed: None,
                comment: Some(get(row, 5)?).filter(|comment| !comment.is_empty()),
            });
        }
        Ok(())
    }

    /// The tables of which the login is told everything. Of one that it may read some columns of, it is told of those alone, and a key
    /// over two columns would seem to be one over the first; with another privilege on the table it may still ask for its definition.
    async fn whole(&self, client: &mut Conn, wide: &BTreeSet<(String, String)>) -> Result<Whole, BackendError> {
        let told = |schema: &str, name: &str| wide.contains(&(schema.to_owned(), name.to_owned()));
        let mut whole = Whole::default();
        let mut asked = 0;
        for id in self.0.keys() {
            if told("", "") || told(&id.schema, "") || told(&id.schema, &id.name) {
                whole.tables.insert(id.clone());
                continue;
            }
            asked += 1;
            if asked > DEFINITIONS_MAX {
                break;
            }
            let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
            let text = format!("SHOW CREATE TABLE {}.{}", quoted(&id.schema), quoted(&id.name));
            match client.query_first::<Row, _>(text).await {
                Ok(row) => {
                    let definition = row.as_ref().map(|row| get(row, 1)).transpose()?.unwrap_or_default();
                    let clauses = definition.lines().filter_map(check_list::in_definition);
                    whole.checks.extend(clauses.map(|clause| (id.clone(), clause.to_owned())));
                    whole.tables.insert(id.clone());
                }
                Err(mysql_async::Error::Server(_)) => {}
                Err(error) => return Err(error::backend_error(error)),
            }
        }
        Ok(whole)
    }

    fn keys(&mut self, rows: &[Row], whole: &BTreeSet<TableId>) -> Result<(), BackendError> {
        let mut keys: BTreeMap<(TableId, String), Vec<Option<String>>> = BTreeMap::new();
        for row in rows {
            let column = get(row, 3)?;
            // Of a prefix or an expression it says nothing that a column's values are unique by.
            let is_whole = !column.is_empty() && get(row, 4)? == "0";
            keys.entry((id(row)?, get(row, 2)?)).or_default().push(is_whole.then_some(column));
        }
        for ((id, name), columns) in keys {
            let Some(table) = self.0.get_mut(&id).filter(|_| whole.contains(&id)) else { continue };
            let Some(columns) = columns.into_iter().collect::<Option<Vec<_>>>() else { continue };
            if name == "PRIMARY" {
                table.primary_key = columns;
            } else {
                table.unique_keys.push(columns);
            }
        }
        Ok(())
    }

    fn references(&mut self, rows: &[Row], whole: &BTreeSet<TableId>) -> Result<(), BackendError> {
        let mut keys: BTreeMap<(TableId, String), ForeignKey> = BTreeMap::new();
        for row in rows {
            let target = TableId { schema: get(row, 4)?, name: get(row, 5)? };
            let key = keys.entry((id(row)?, get(row, 2)?)).or_insert_with(|| ForeignKey {
                columns: Vec::new(),
                target,
                target_columns: Vec::new(),
            });
            key.columns.push(get(row, 3)?);
            key.target_columns.push(get(row, 6)?);
        }
        for ((id, _), key) in keys {
            let seen = whole.contains(&id) && self.0.contains_key(&key.target);
            if let Some(table) = self.0.get_mut(&id).filter(|_| seen) {
                table.foreign_keys.push(key);
            }
        }
        Ok(())
    }

    /// What a CHECK says: MariaDB's documents are texts that are checked to be such, and a list narrows what its column may hold.
    fn check(&mut self, id: &TableId, clause: &str) {
        let Some((name, said)) = check_list::parse(clause) else { return };
        let Some(table) = self.0.get_mut(id) else { return };
        let Some(column) = table.columns.iter_mut().find(|column| column.name.eq_ignore_ascii_case(&name)) else {
            return;
        };
        match said {
            check_list::Said::Document if column.ty.name.starts_with("longtext") => column.ty.kind = TypeKind::Json,
            check_list::Said::Document => {}
            check_list::Said::OneOf(values) => {
                column.allowed = Some(match column.allowed.take() {
                    Some(before) => before.into_iter().filter(|value| values.contains(value)).collect(),
                    None => values,
                });
            }
        }
    }

    /// The tables, without those whose names differ by case alone: to the core they are one.
    fn distinct(self) -> Vec<Table> {
        let folded = |id: &TableId| (id.schema.to_ascii_lowercase(), id.name.to_ascii_lowercase());
        let mut count: HashMap<(String, String), usize> = HashMap::new();
        for id in self.0.keys() {
            *count.entry(folded(id)).or_default() += 1;
        }
        self.0.into_values().filter(|table| count.get(&folded(&table.id)) == Some(&1)).collect()
    }
}
