//! The catalogs as a snapshot: what exists in the schemas that are not PostgreSQL's own, whoever may see it. It reads
//! definitions and never rows.

use std::collections::HashMap;

use postgres_types::{Oid, Type};
use tokio_postgres::{Client, Row};
use tollgate_core::{
    catalog::{AddedFunction, Catalog, Column, ForeignKey, SqlType, Table, TableId, TableKind, TypeKind},
    names::Dialect,
};

use super::{check_list, error, types};
use crate::{BackendError, ErrorKind, FoundFunction};

const TABLES: &str = include_str!("introspect/tables.sql");
const COLUMNS: &str = include_str!("introspect/columns.sql");
const TYPES: &str = include_str!("introspect/types.sql");
const CHECKS: &str = include_str!("introspect/checks.sql");
const UNIQUE_KEYS: &str = include_str!("introspect/unique_keys.sql");
const FUNCTIONS: &str = include_str!("introspect/functions.sql");
const FOREIGN_KEYS: &str = include_str!("introspect/foreign_keys.sql");

/// Tables in one database, at most.
const TABLES_MAX: usize = 20_000;
/// Columns in one database, at most.
const COLUMNS_MAX: usize = 500_000;
/// Domains over domains, at most.
const DOMAINS_MAX: u32 = 16;

/// A schema that is too large to hold.
#[derive(Debug, thiserror::Error)]
#[error("the database has more than {max} {what}")]
struct TooMany {
    what: &'static str,
    max: usize,
}

/// The snapshot, of one moment.
pub(super) async fn catalog(client: &Client) -> Result<Catalog, BackendError> {
    // One snapshot for all questions; our own time limit applies and not the pool's, which may be short.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '30s'";
    client.batch_execute(begin).await.map_err(error::backend_error)?;
    let answers = Answers::ask(client).await.map_err(error::backend_error);
    client.batch_execute("COMMIT").await.map_err(error::backend_error)?;
    let answers = answers?;
    limit("tables", answers.tables.len(), TABLES_MAX)?;
    limit("columns", answers.columns.len(), COLUMNS_MAX)?;
    answers.catalog().map_err(error::backend_error)
}

/// The functions of these schemas and names, those that are there.
pub(super) async fn functions(client: &Client, names: &[(String, String)]) -> Result<Vec<FoundFunction>, BackendError> {
    let (schemas, names): (Vec<&str>, Vec<&str>) = names.iter().map(|(schema, name)| (&**schema, &**name)).unzip();
    let wanted = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
    let rows = client.query_typed(FUNCTIONS, &wanted).await.map_err(error::backend_error)?;
    rows.iter().map(found_function).collect::<Result<_, _>>().map_err(error::backend_error)
}

fn found_function(row: &Row) -> Result<FoundFunction, tokio_postgres::Error> {
    let count = |at: usize| row.try_get::<_, i64>(at).map(|count| usize::try_from(count).unwrap_or(0));
    Ok(FoundFunction {
        function: AddedFunction { schema: row.try_get(0)?, name: row.try_get(1)?, arity: (count(2)?, count(3)?) },
        is_scalar: row.try_get(4)?,
        is_volatile: row.try_get(5)?,
        may_read_tables: row.try_get(6)?,
    })
}

fn limit(what: &'static str, count: usize, max: usize) -> Result<(), BackendError> {
    if count <= max { Ok(()) } else { Err(BackendError::new(ErrorKind::Resources, TooMany { what, max })) }
}

struct Answers {
    version: String,
    tables: Vec<Row>,
    columns: Vec<Row>,
    types: Vec<Row>,
    checks: Vec<Row>,
    unique_keys: Vec<Row>,
    foreign_keys: Vec<Row>,
}

impl Answers {
    async fn ask(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let version = client.query_typed_one("SELECT pg_catalog.current_setting('server_version')", &[]).await?;
        Ok(Self {
            version: version.try_get(0)?,
            tables: client.query_typed(TABLES, &[]).await?,
            columns: client.query_typed(COLUMNS, &[]).await?,
            types: client.query_typed(TYPES, &[]).await?,
            checks: client.query_typed(CHECKS, &[]).await?,
            unique_keys: client.query_typed(UNIQUE_KEYS, &[]).await?,
            foreign_keys: client.query_typed(FOREIGN_KEYS, &[]).await?,
        })
    }

    fn catalog(&self) -> Result<Catalog, tokio_postgres::Error> {
        let types = Types::read(&self.types)?;
        let mut tables = HashMap::with_capacity(self.tables.len());
        for row in &self.tables {
            tables.insert(row.try_get::<_, Oid>(0)?, table(row)?);
        }
        for row in &self.columns {
            if let Some(table) = tables.get_mut(&row.try_get(0)?) {
                table.columns.push(column(row, &types)?);
            }
        }
        for row in &self.checks {
            if let Some(table) = tables.get_mut(&row.try_get(0)?) {
                apply_check(table, row.try_get(1)?);
            }
        }
        for row in &self.unique_keys {
            if let Some(table) = tables.get_mut(&row.try_get(0)?) {
                let columns = row.try_get(2)?;
                if row.try_get(1)? {
                    table.primary_key = columns;
                } else {
                    table.unique_keys.push(columns);
                }
            }
        }
        for row in &self.foreign_keys {
            let target = tables.get(&row.try_get(1)?).map(|target| target.id.clone());
            if let (Some(table), Some(target)) = (tables.get_mut(&row.try_get(0)?), target) {
                let key = ForeignKey { columns: row.try_get(2)?, target, target_columns: row.try_get(3)? };
                table.foreign_keys.push(key);
            }
        }
        let tables = tables.into_values().collect();
        Ok(Catalog::new(Dialect::Postgres, "public".to_owned(), self.version.clone(), tables))
    }
}

fn table(row: &Row) -> Result<Table, tokio_postgres::Error> {
    let kind = match row.try_get(3)? {
        "v" => TableKind::View,
        "m" => TableKind::MaterializedView,
        "f" => TableKind::Foreign,
        // The question asks for no other kinds than these and `r` and `p`.
        _ => TableKind::Table,
    };
    Ok(Table {
        id: TableId { schema: row.try_get(1)?, name: row.try_get(2)? },
        kind,
        columns: Vec::new(),
        primary_key: Vec::new(),
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        comment: row.try_get(4)?,
    })
}

fn column(row: &Row, types: &Types) -> Result<Column, tokio_postgres::Error> {
    let type_oid: Oid = row.try_get(2)?;
    let kind = match (row.try_get(6)?, row.try_get(7)?) {
        (Some(collation), Some(deterministic)) => collated(types.kind(type_oid, DOMAINS_MAX), collation, deterministic),
        _ => types.kind(type_oid, DOMAINS_MAX),
    };
    Ok(Column {
        name: row.try_get(1)?,
        ty: SqlType { name: row.try_get(3)?, kind },
        nullable: !row.try_get::<_, bool>(4)?,
        allowed: types.allowed(type_oid, DOMAINS_MAX),
        comment: row.try_get(5)?,
    })
}

/// The kind of a column with a collation of its own. A nondeterministic one has no pattern matching, and fails on it.
fn collated(kind: TypeKind, collation: String, deterministic: bool) -> TypeKind {
    match kind {
        TypeKind::Text if deterministic => TypeKind::Collated(collation),
        TypeKind::Array(element) => {
            let SqlType { name, kind } = *element;
            TypeKind::Array(Box::new(SqlType { name, kind: collated(kind, collation, deterministic) }))
        }
        _ => TypeKind::Other,
    }
}

/// A list that a CHECK allows narrows what its column may hold.
fn apply_check(table: &mut Table, definition: &str) {
    let Some(check_list::CheckList { subject, values }) = check_list::parse(definition) else { return };
    let Some(column) = table.columns.iter_mut().find(|column| column.name == subject) else { return };
    column.allowed = Some(match column.allowed.take() {
        Some(before) => before.into_iter().filter(|value| values.contains(value)).collect(),
        None => values,
    });
}

/// The types that users made, as far as a column's kind depends on them.
struct Types(HashMap<Oid, Made>);

struct Made {
    name: String,
    form: Form,
}

enum Form {
    Enum(Vec<String>),
    Domain(Domain),
    Array { element: Oid },
}

struct Domain {
    base: Oid,
    allowed: Option<Vec<String>>,
}

impl Types {
    fn read(rows: &[Row]) -> Result<Self, tokio_postgres::Error> {
        let mut types = HashMap::with_capacity(rows.len());
        for row in rows {
            let form = match row.try_get(2)? {
                "e" => Form::Enum(row.try_get::<_, Option<Vec<String>>>(5)?.unwrap_or_default()),
                "d" => {
                    let checks: Vec<String> = row.try_get::<_, Option<_>>(6)?.unwrap_or_default();
                    let allowed = checks.iter().find_map(|check| check_list::parse(check)).map(|list| list.values);
                    Form::Domain(Domain { base: row.try_get(3)?, allowed })
                }
                _ => Form::Array { element: row.try_get(4)? },
            };
            types.insert(row.try_get(0)?, Made { name: row.try_get(1)?, form });
        }
        Ok(Self(types))
    }

    /// The list that a domain, or a domain under it, allows.
    fn allowed(&self, oid: Oid, depth_left: u32) -> Option<Vec<String>> {
        let depth_left = depth_left.checked_sub(1)?;
        match &self.0.get(&oid)?.form {
            Form::Domain(domain) => domain.allowed.clone().or_else(|| self.allowed(domain.base, depth_left)),
            Form::Enum(_) | Form::Array { .. } => None,
        }
    }

    fn kind(&self, oid: Oid, depth_left: u32) -> TypeKind {
        let Some(depth_left) = depth_left.checked_sub(1) else { return TypeKind::Other };
        match self.0.get(&oid).map(|made| &made.form) {
            Some(Form::Enum(labels)) => TypeKind::Enum(labels.clone()),
            Some(Form::Domain(domain)) => self.kind(domain.base, depth_left),
            Some(Form::Array { element }) => {
                let name = match self.0.get(element) {
                    Some(made) => made.name.clone(),
                    None => return TypeKind::Other,
                };
                TypeKind::Array(Box::new(SqlType { name, kind: self.kind(*element, depth_left) }))
            }
            None => postgres_types::Type::from_oid(oid).map_or(TypeKind::Other, |ty| types::kind(&ty)),
        }
    }
}
