//! What the login role can do beyond reading what the policy names. At the first connection it decides how statements are kept
//! from writing; `check` and `serve` have all of it told to the operator. It never refuses a login.

use std::collections::{BTreeMap, BTreeSet};

use postgres_types::{FromSql, Type};
use tokio_postgres::{Client, Row};
use tollgate_core::{catalog::TableId, sql::Reach};

use super::{connect::Pattern, error};
use crate::{
    BackendError,
    finding::{Beyond, Finding, FindingKind, LoginFindings},
};

const ROLE: &str = include_str!("login/role.sql");
const RELATIONS: &str = include_str!("login/relations.sql");
const FUNCTIONS: &str = include_str!("login/functions.sql");
const SERVER: &str = include_str!("login/server.sql");
const INVOKER_VIEWS: &str = include_str!("login/invoker_views.sql");

/// What a role has by itself, in the order of the query's columns after its memberships.
const ATTRIBUTES: [(FindingKind, &str); 7] = [
    (FindingKind::Superuser, "is a superuser: no grant and no row security of the database binds it"),
    (FindingKind::BypassRowSecurity, "has BYPASSRLS: row security of the database does not bind it"),
    (FindingKind::CreateRole, "has CREATEROLE: it can make roles that reach further"),
    (FindingKind::CreateDatabase, "has CREATEDB: it can make databases"),
    (FindingKind::Replication, "has REPLICATION: it can read the whole server"),
    (FindingKind::CreateInDatabase, "can create schemas in the database"),
    (FindingKind::CreateInSchema, "can create objects in a schema"),
];

/// The login role by itself.
struct Role {
    name: String,
    predefined: Vec<String>,
    others: Vec<String>,
    attributes: Vec<(FindingKind, &'static str)>,
    /// Whether it owns or may write to any table or sequence.
    writes: bool,
}

impl Role {
    async fn ask(client: &Client) -> Result<Self, tokio_postgres::Error> {
        let row = client.query_typed_one(ROLE, &[]).await?;
        let mut attributes = Vec::new();
        for (index, attribute) in ATTRIBUTES.into_iter().enumerate() {
            if row.try_get(index + 3)? {
                attributes.push(attribute);
            }
        }
        Ok(Self {
            name: row.try_get(0)?,
            predefined: row.try_get(1)?,
            others: row.try_get(2)?,
            attributes,
            writes: row.try_get(ATTRIBUTES.len() + 3)?,
        })
    }

    fn is_superuser(&self) -> bool {
        self.attributes.iter().any(|(kind, _)| *kind == FindingKind::Superuser)
    }
}

/// How statements of this login are kept from writing.
pub(super) async fn pattern(client: &Client) -> Result<Pattern, BackendError> {
    let role = Role::ask(client).await.map_err(error::backend_error)?;
    let only_reads = !role.writes
        && role.predefined.is_empty()
        && role.attributes.iter().all(|(kind, _)| *kind == FindingKind::BypassRowSecurity);
    Ok(if only_reads { Pattern::Autocommit } else { Pattern::Transaction })
}

/// All that the login can do beyond reading `reach`; nothing is said of what it reads where that is not known.
pub(super) async fn examine(client: &Client, reach: Option<&Reach>) -> Result<Vec<Finding>, BackendError> {
    let ask = async || -> Result<Vec<Finding>, tokio_postgres::Error> {
        let role = Role::ask(client).await?;
        let mut examined = Examined(LoginFindings::new("login role", &role.name));
        examined.role(&role);
        // All else follows from it.
        if !role.is_superuser() {
            let views = match reach {
                Some(reach) => read_by_views(client, reach).await?,
                None => Vec::new(),
            };
            let needed = reach.map(|reach| with_views(reach, &views));
            examined.relations(&client.query_typed(RELATIONS, &[]).await?, needed.as_ref())?;
            examined.functions(&runnable(client, reach).await?)?;
            if !role.predefined.is_empty() {
                // They come with the predefined roles, which are told.
                examined.0.forget(FindingKind::ServerFunctions);
            }
            examined.server(&client.query_typed_one(SERVER, &[]).await?)?;
        }
        Ok(examined.0.into_all())
    };
    ask().await.map_err(error::backend_error)
}

/// What the policy's views read with their caller's privileges, so that the login must be able to.
pub(super) struct ReadByView {
    /// The view.
    pub(super) view: TableId,
    /// What it reads, which may be a view again.
    pub(super) table: TableId,
    /// Columns of that.
    pub(super) columns: Vec<String>,
}

/// Asks for what the views of a reach read with their caller's privileges.
pub(super) async fn read_by_views(client: &Client, reach: &Reach) -> Result<Vec<ReadByView>, tokio_postgres::Error> {
    let (schemas, names) = names(reach);
    let tables = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
    let read = |row: &Row| {
        Ok(ReadByView {
            view: TableId { schema: row.try_get(0)?, name: row.try_get(1)? },
            table: TableId { schema: row.try_get(2)?, name: row.try_get(3)? },
            columns: row.try_get(4)?,
        })
    };
    client.query_typed(INVOKER_VIEWS, &tables).await?.iter().map(read).collect()
}

/// Schemas and names of all that is read, side by side.
pub(super) fn names(reach: &Reach) -> (Vec<&str>, Vec<&str>) {
    reach.tables().keys().map(|table| (table.schema.as_str(), table.name.as_str())).unzip()
}

/// The columns that a login must be able to read, by table.
pub(super) type Needed<'a> = BTreeMap<&'a TableId, BTreeSet<&'a str>>;

/// What is read, and what its views read besides.
pub(super) fn with_views<'a>(reach: &'a Reach, views: &'a [ReadByView]) -> Needed<'a> {
    let own = reach.tables().iter().map(|(table, columns)| (table, columns.iter().map(String::as_str).collect()));
    let mut needed: Needed<'_> = own.collect();
    for read in views {
        needed.entry(&read.table).or_default().extend(read.columns.iter().map(String::as_str));
    }
    needed
}

/// The functions that the login can run and the policy does not add.
async fn runnable(client: &Client, reach: Option<&Reach>) -> Result<Vec<Row>, tokio_postgres::Error> {
    let added = reach.map(Reach::functions).unwrap_or_default().iter();
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        added.map(|function| (function.schema.as_str(), function.name.as_str())).unzip();
    client.query_typed(FUNCTIONS, &[(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)]).await
}

struct Examined(LoginFindings);

impl Examined {
    fn role(&mut self, role: &Role) {
        for (kind, what) in &role.attributes {
            self.0.add(*kind, what);
            if *kind == FindingKind::Superuser {
                return;
            }
        }
        let so = ", which reach past the grants on tables";
        self.0.add_named(FindingKind::PredefinedRoles, "is a member of", &role.predefined, so);
        let so = ": make it a role of its own, a member of nothing";
        self.0.add_named(FindingKind::OtherRoles, "can become", &role.others, so);
    }

    fn relations(&mut self, rows: &[Row], needed: Option<&Needed<'_>>) -> Result<(), tokio_postgres::Error> {
        let (mut owned, mut beyond) = (Vec::new(), Beyond::default());
        for row in rows {
            let id = TableId { schema: row.try_get(0)?, name: row.try_get(1)? };
            if row.try_get(2)? {
                // All else follows from it.
                owned.push(id.to_string());
                continue;
            }
            if row.try_get(3)? {
                beyond.written.push(id.to_string());
            }
            let Some(needed) = needed else { continue };
            let readable: Vec<String> = row.try_get(4)?;
            match needed.get(&id) {
                None if readable.is_empty() => {}
                None => beyond.tables.push(id.to_string()),
                Some(needed) => {
                    let ungranted = readable.iter().filter(|column| !needed.contains(column.as_str()));
                    beyond.columns.extend(ungranted.map(|column| format!("{id}.{column}")));
                }
            }
        }
        self.0.add_named(FindingKind::Owner, "owns", &owned, ": it can change them and their grants");
        self.0.add_beyond(&beyond);
        Ok(())
    }

    fn functions(&mut self, rows: &[Row]) -> Result<(), tokio_postgres::Error> {
        let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for row in rows {
            let of_concern = found.entry(row.try_get(1)?).or_default();
            let name = row.try_get(0)?;
            // Overloads have one name.
            if of_concern.last() != Some(&name) {
                of_concern.push(name);
            }
        }
        for (concern, kind, so) in [
            ("opened", FindingKind::ServerFunctions, ", which the server keeps from ordinary roles by default"),
            ("definer", FindingKind::DefinerFunctions, ", which have their owners' privileges"),
            ("untrusted", FindingKind::UntrustedFunctions, ", whose language can reach past the database"),
            ("volatile", FindingKind::VolatileFunctions, ", which may have effects"),
        ] {
            self.0.add_named(kind, "can run", found.get(concern).map_or(&[], Vec::as_slice), so);
        }
        Ok(())
    }

    fn server(&mut self, row: &Row) -> Result<(), tokio_postgres::Error> {
        let names = |index| get::<Vec<String>>(row, index);
        self.0.add_named(FindingKind::ForeignServers, "can use the foreign servers", &names(0)?, "");
        let so = " and so make large objects; before PostgreSQL 16 in a read-only transaction too";
        self.0.add_named(FindingKind::LargeObjects, "can run", &names(1)?, so);
        if get(row, 2)? {
            let what = "cannot bound its temporary files; a superuser can: `ALTER ROLE … SET temp_file_limit = '1GB'`";
            self.0.add(FindingKind::UnboundedTemporaryFiles, what);
        }
        Ok(())
    }
}

fn get<'r, T: FromSql<'r>>(row: &'r Row, index: usize) -> Result<T, tokio_postgres::Error> {
    row.try_get(index)
}
