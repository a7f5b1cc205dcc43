//! What the login role can do beyond reading, found once per server: it decides how statements are kept from writing, and
//! an operator is told of it. It never refuses a login; the operator decides.

use tokio_postgres::Client;

use super::{connect::Pattern, error};
use crate::BackendError;

const EXAMINE: &str = include_str!("login.sql");

/// What a login role can do. Every field is a reach beyond what Tollgate needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    /// The role's name.
    name: String,
    /// In the order of the query, the reaches found.
    reaches: Vec<Reach>,
}

/// A reach beyond reading tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Superuser,
    BypassRowSecurity,
    CreateRole,
    Replication,
    Owner,
    WriteGrants,
    CreateInSchema,
    CreateInDatabase,
    ServerFilesOrPrograms,
}

/// In the order of the query's columns, after the name.
const REACHES: [Reach; 9] = [
    Reach::Superuser,
    Reach::BypassRowSecurity,
    Reach::CreateRole,
    Reach::Replication,
    Reach::Owner,
    Reach::WriteGrants,
    Reach::CreateInSchema,
    Reach::CreateInDatabase,
    Reach::ServerFilesOrPrograms,
];

impl Reach {
    fn writes(self) -> bool {
        match self {
            Reach::BypassRowSecurity => false,
            Reach::Superuser
            | Reach::CreateRole
            | Reach::Replication
            | Reach::Owner
            | Reach::WriteGrants
            | Reach::CreateInSchema
            | Reach::CreateInDatabase
            | Reach::ServerFilesOrPrograms => true,
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Reach::Superuser => "is a superuser: no grant and no row security of the database binds it",
            Reach::BypassRowSecurity => "has BYPASSRLS: row security of the database does not bind it",
            Reach::CreateRole => "has CREATEROLE: it can make roles that reach further",
            Reach::Replication => "has REPLICATION: it can read the whole server",
            Reach::Owner => "owns tables: it can change them and their grants",
            Reach::WriteGrants => "can write to tables: SELECT on the tables of the policy is all it needs",
            Reach::CreateInSchema => "can create objects in a schema",
            Reach::CreateInDatabase => "can create schemas in the database",
            Reach::ServerFilesOrPrograms => "can reach files or run programs on the server",
        }
    }
}

impl Login {
    /// How statements of this login are kept from writing.
    pub(super) fn pattern(&self) -> Pattern {
        if self.reaches.iter().any(|reach| reach.writes()) { Pattern::Transaction } else { Pattern::Autocommit }
    }

    /// One sentence for each reach beyond what is needed.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.reaches.iter().map(|reach| format!("the login role `{}` {}", self.name, reach.sentence())).collect()
    }
}

/// Asks the server what the login can do.
pub(super) async fn examine(client: &Client) -> Result<Login, BackendError> {
    let row = client.query_typed_one(EXAMINE, &[]).await.map_err(error::backend_error)?;
    let name = row.try_get(0).map_err(error::backend_error)?;
    let mut reaches = Vec::new();
    for (index, reach) in REACHES.into_iter().enumerate() {
        if row.try_get(index + 1).map_err(error::backend_error)? {
            reaches.push(reach);
        }
    }
    Ok(Login { name, reaches })
}
