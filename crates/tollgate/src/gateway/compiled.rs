//! A compiled configuration: every role, tool and database as calls need them. Plain data, replaced whole, never changed.

use std::{collections::BTreeMap, fmt, sync::Arc};

use tollgate_backends::{Backend, ErrorKind};
use tollgate_core::{
    catalog::Catalog,
    names::{AgentName, DatabaseName, Refusal, RoleName, ToolName},
    policy::Grants,
    tools::Callable,
};

use crate::{
    admission::Gatehouse,
    identity::Registration,
    protocol::host::{ResourceListing, ToolListing},
};

/// A compiled configuration.
#[derive(Debug)]
pub struct Gateway {
    /// The databases that answered when it was compiled.
    pub databases: BTreeMap<DatabaseName, Arc<Database>>,
    /// Those that did not, and why, for the operator.
    pub unavailable: BTreeMap<DatabaseName, String>,
    /// The roles.
    pub roles: BTreeMap<RoleName, Role>,
    /// The agents.
    pub agents: BTreeMap<AgentName, Registration>,
    /// SHA-256 over everything that decides what a call may see: roles, limits, tools and their rendered statements.
    pub policy_hash: [u8; 32],
    /// SHA-256 over the configuration's files as written.
    pub config_hash: [u8; 32],
}

/// A database in service.
pub struct Database {
    /// Its name in the configuration.
    pub name: DatabaseName,
    /// The way to it.
    pub backend: Arc<dyn Backend>,
    /// Its schema when the configuration was compiled.
    pub catalog: Arc<Catalog>,
    /// The login that statements run under, where it has one: for the audit log.
    pub user: Option<String>,
    /// The bounded number of calls that may come near its pool.
    pub gatehouse: Gatehouse,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What the agents of a role may do.
#[derive(Debug)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// What it may call, ready.
    pub tools: Grants<Callable>,
    /// The tools it was given whose database did not answer when the configuration was compiled.
    pub unavailable: BTreeMap<ToolName, DatabaseName>,
    /// How much one call may return.
    pub limits: Limits,
    /// Its tools as `tools/list` shows them.
    pub listings: Arc<[ToolListing]>,
    /// The tables it may read about, as `resources/list` shows them; `None` where it may ask for none.
    pub resources: Option<Arc<[ResourceListing]>>,
}

/// How much one call may return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows at most.
    pub rows_max: u32,
    /// Encoded bytes at most.
    pub bytes_max: usize,
    /// What a statement of its own may cost at most, in the planner's units.
    pub cost_max: Option<u32>,
}

impl Gateway {
    /// A database that answered when this was compiled.
    pub fn database(&self, name: &DatabaseName) -> Result<&Database, Refusal> {
        self.databases.get(name).map(|database| &**database).ok_or_else(|| ErrorKind::Unavailable.to_agent())
    }
}

impl Role {
    /// Whether the role was given a tool of that name, ready or not.
    pub fn knows(&self, tool: &str) -> bool {
        self.tools.authorize(tool).is_some() || self.unavailable.contains_key(tool)
    }
}
