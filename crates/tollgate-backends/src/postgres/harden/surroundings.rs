//! What stands around a login that is to be narrow: what everybody may do in its database, and what the relations that it is to read
//! need besides. It asks the catalogs and grants nothing.

use std::collections::BTreeMap;

use postgres_types::Type;
use tokio_postgres::{Client, Row};
use tollgate_core::sql::Reach;

use crate::postgres::login::{self, ReadByView};

const SURROUNDINGS: &str = include_str!("surroundings.sql");
const EVERYBODY: &str = include_str!("everybody.sql");
const ADDED: &str = include_str!("added.sql");
const FOREIGN: &str = include_str!("foreign.sql");

/// PostgreSQL's own functions that everybody may run and that have effects on others.
const EFFECTS: [&str; 19] = [
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_advisory_unlock",
    "pg_advisory_unlock_all",
    "pg_advisory_unlock_shared",
    "pg_advisory_xact_lock",
    "pg_advisory_xact_lock_shared",
    "pg_cancel_backend",
    "pg_current_xact_id",
    "pg_export_snapshot",
    "pg_logical_emit_message",
    "pg_notify",
    "pg_sleep",
    "pg_terminate_backend",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
    "txid_current",
];

/// What is wrong with a function that everybody may run, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Concern {
    /// The server kept it from everybody, and somebody opened it.
    Opened,
    /// It has its owner's privileges.
    Definer,
    /// Its language can do what no grant says.
    Untrusted,
    /// It has effects on others.
    Effects,
}

impl Concern {
    /// The question's own words.
    fn read(word: &str) -> Self {
        match word {
            "opened" => Concern::Opened,
            "definer" => Concern::Definer,
            "effects" => Concern::Effects,
            _ => Concern::Untrusted,
        }
    }
}

/// All of it. Every name but those of schemas and of the database is quoted as SQL needs it.
pub(super) struct Surroundings {
    pub(super) database: String,
    pub(super) schemas: Vec<String>,
    /// Schemas in which everybody may create.
    pub(super) creatable: Vec<String>,
    /// What everybody has.
    pub(super) public_tables: Vec<String>,
    pub(super) public_servers: Vec<String>,
    pub(super) public_large_objects: Vec<String>,
    pub(super) other_databases: Vec<String>,
    pub(super) public_functions: BTreeMap<Concern, Vec<String>>,
    /// The functions that the policy adds: schema, and each overload.
    pub(super) added: Vec<(String, String)>,
    /// What the policy's views read with their caller's privileges.
    pub(super) views: Vec<ReadByView>,
    /// Foreign tables that are read, and their servers.
    pub(super) foreign: Vec<(String, String)>,
}

impl Surroundings {
    pub(super) async fn ask(client: &Client, reach: &Reach) -> Result<Self, tokio_postgres::Error> {
        let row = client.query_typed_one(SURROUNDINGS, &[]).await?;
        let names = |index| row.try_get::<_, Vec<String>>(index);
        let mut public_functions: BTreeMap<Concern, Vec<String>> = BTreeMap::new();
        for row in client.query_typed(EVERYBODY, &[(&EFFECTS.as_slice() as _, Type::TEXT_ARRAY)]).await? {
            public_functions.entry(Concern::read(row.try_get(0)?)).or_default().push(row.try_get(1)?);
        }
        let added = reach.functions().iter();
        let (schemas, functions) = added.map(|function| (function.schema.as_str(), function.name.as_str())).unzip();
        Ok(Self {
            database: row.try_get(0)?,
            schemas: names(1)?,
            creatable: names(2)?,
            public_tables: names(3)?,
            public_servers: names(4)?,
            public_large_objects: names(5)?,
            other_databases: names(6)?,
            public_functions,
            added: pairs(client, ADDED, (schemas, functions)).await?,
            views: login::read_by_views(client, reach).await?,
            foreign: pairs(client, FOREIGN, login::names(reach)).await?,
        })
    }
}

/// A question over schemas and names whose answers are two texts each.
async fn pairs(
    client: &Client,
    question: &str,
    (schemas, names): (Vec<&str>, Vec<&str>),
) -> Result<Vec<(String, String)>, tokio_postgres::Error> {
    let wanted = [(&schemas as _, Type::TEXT_ARRAY), (&names as _, Type::TEXT_ARRAY)];
    let pair = |row: &Row| Ok((row.try_get(0)?, row.try_get(1)?));
    client.query_typed(question, &wanted).await?.iter().map(pair).collect()
}
