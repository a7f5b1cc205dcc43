//! The configuration as written: what `tollgate.yaml` may say, and nothing else. Its doc comments are the JSON Schema's descriptions.

mod param;
mod policy_test;
mod table;

use std::{collections::BTreeMap, fmt, marker::PhantomData, net::SocketAddr, path::PathBuf};

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Deserializer, de};
use tollgate_core::names::{self, AgentName, ClaimName, ClaimValue, DatabaseName, ParamName, RoleName, ToolName};

use super::scalar::{Day, Duration, Form, Secret, Size, TableKey};
use crate::identity::KeyHash;

pub use param::{Items, Param, ParamType};
pub use policy_test::{Expect, PolicyTest};
pub use table::{AllExcept, Columns, Mask, OwnerRows, Rows, Table};

/// The configuration of Tollgate: databases, roles, agents, tools, and how it listens and logs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Tollgate configuration")]
pub struct File {
    /// Other files that are read as if they stood here: paths or globs, relative to this file.
    #[serde(default)]
    pub include: Vec<String>,
    /// The databases, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Database>", extend("propertyNames" = named(Form::Database)))]
    pub databases: BTreeMap<DatabaseName, Database>,
    /// What agents may see and call, by role. What a role does not grant does not exist for it.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Role>", extend("propertyNames" = named(Form::Role)))]
    pub roles: BTreeMap<RoleName, Role>,
    /// The agents that may call, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Agent>", extend("propertyNames" = named(Form::Agent)))]
    pub agents: BTreeMap<AgentName, Agent>,
    /// The tools that roles may be given, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Tool>", extend("propertyNames" = named(Form::Tool)))]
    pub tools: BTreeMap<ToolName, Tool>,
    /// Policy tests, by name: calls and what must come of them. `tollgate test` runs them.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PolicyTest>")]
    pub tests: InOrder<String, PolicyTest>,
    /// A secret of at least 32 characters that `hash` masks are keyed with, for each role by itself. Changing it changes every hash.
    #[schemars(with = "Option<String>")]
    pub mask_key: Option<Secret>,
    /// How Tollgate listens.
    #[serde(default)]
    pub server: Server,
    /// Where and how calls are written down.
    #[serde(default)]
    pub audit: Audit,
}

fn named(form: Form) -> serde_json::Value {
    form.schema().to_value()
}

/// A database.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `postgres://user:password@host/name`, `mysql://user:password@host/name` or `sqlite:path`; a path is relative to the configuration's folder.
    #[schemars(length(min = 1))]
    pub url: String,
    /// How many connections, and for how long.
    #[serde(default)]
    pub pool: Pool,
    /// The longest a statement may run.
    #[serde(default = "defaults::statement_timeout")]
    #[schemars(extend("default" = "10s"))]
    pub statement_timeout: Duration,
    /// How much of the server one session may use. PostgreSQL only.
    pub session: Option<Session>,
    /// Whether Tollgate refuses to start without it; true by default when it is the only database.
    pub required: Option<bool>,
    /// Whether Tollgate refuses to start when the login can do more than the policy needs.
    #[serde(default)]
    pub require_least_privilege: bool,
    /// Functions that SQL on it may call beyond the reviewed list, by `schema.function`. PostgreSQL only.
    #[serde(default)]
    pub functions: Vec<FunctionEntry>,
}

/// A function that SQL may call beyond the reviewed list.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FunctionEntry {
    /// `schema.function`.
    Name(String),
    /// One that is not safe by its nature, with the reason why it is here.
    Reasoned(ReasonedFunction),
}

impl FunctionEntry {
    /// `schema.function`.
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Reasoned(function) => &function.name,
        }
    }
}

/// A function that is volatile, or may read tables, and is allowed all the same.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonedFunction {
    /// `schema.function`.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Why it does no harm, for whoever reads the policy.
    #[schemars(length(min = 1))]
    pub unsafe_reason: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("Database").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// A database's pool of connections.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// Connections at most.
    #[schemars(range(min = 1, max = 1000), extend("default" = 20))]
    pub max: u32,
    /// How long a connection may idle before it is closed.
    #[schemars(extend("default" = "30s"))]
    pub idle_timeout: Duration,
    /// How long a call may wait for a connection.
    #[schemars(extend("default" = "2s"))]
    pub acquire_timeout: Duration,
}

/// How much of its server one session of a database may use.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// Memory of one sort or hash.
    #[schemars(extend("default" = "16MiB"))]
    pub work_mem: Size,
    /// Further processes of one part of a plan.
    #[schemars(range(min = 0, max = 64), extend("default" = 2))]
    pub parallel_workers: u32,
    /// Temporary files, where the login may set that.
    #[schemars(extend("default" = "1GiB"))]
    pub temp_files: Size,
}

/// What agents of this role may see and call.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What the role is for, for people.
    pub description: Option<String>,
    /// The tables that exist for the role, by `database.table` or `database.schema.table`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Table>", extend("propertyNames" = named(Form::TableKey)))]
    pub tables: BTreeMap<TableKey, Table>,
    /// The tools it may call.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub tools: Vec<ToolName>,
    /// The databases that it may send SELECTs of its own to, with the tool `query`, under the same policy.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub query: Vec<DatabaseName>,
    /// Whether `describe_table` shows what its row filters say.
    #[serde(default)]
    pub disclose_filters: bool,
    /// The form of its results; a tool may say another.
    #[serde(default)]
    pub result: ResultForm,
    /// Whether the text of its results stands between random marks that say that it is data; a tool may say otherwise.
    #[serde(default)]
    pub fence: bool,
    /// How much one call may return.
    #[serde(default)]
    pub limits: Limits,
    /// Of its tables, rows are seen only where at least so many are alike in all that a statement tells them apart by.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub min_group_size: Option<u32>,
}

/// How much one call may return.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Rows at most; a tool's own `rows_max` counts when it is smaller.
    #[schemars(range(min = 1, max = 1_000_000), extend("default" = 1000))]
    pub rows_max: u32,
    /// Bytes of encoded rows at most.
    #[schemars(extend("default" = "1MiB"))]
    pub bytes_max: Size,
    /// What a statement sent to `query` may cost at most, in the units of PostgreSQL's planner.
    #[schemars(range(min = 1))]
    pub cost_max: Option<u32>,
}

/// An agent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Hashes of its API keys, as `tollgate key new` prints them; several, for rotation.
    #[serde(default)]
    pub keys: Vec<KeyHash>,
    /// Whether a user of this machine may be this agent without a key, on stdio and with `tollgate call`.
    #[serde(default)]
    pub local: bool,
    /// Its role.
    #[schemars(with = "String")]
    pub role: RoleName,
    /// What row filters may know of it, as `:claims.NAME`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Claim>", extend("propertyNames" = named(Form::Claim)))]
    pub claims: BTreeMap<ClaimName, ClaimValue>,
}

/// A claim: one value, or a list of values.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it stands for the core's type in the schema")]
enum Claim {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Several values.
    List(Vec<ClaimScalar>),
}

/// One value of a claim.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it stands for the core's type in the schema")]
enum ClaimScalar {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// A tool: a statement with typed inputs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// What it does, for the model that calls it.
    #[schemars(length(min = 1))]
    pub description: String,
    /// Its title, for people; derived from its name if absent.
    pub title: Option<String>,
    /// The database its statement runs on; may be left out when there is only one.
    #[schemars(with = "Option<String>")]
    pub database: Option<DatabaseName>,
    /// Its inputs, by name; `:name` in the statement.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Param>", extend("propertyNames" = named(Form::Param)))]
    pub params: InOrder<ParamName, Param>,
    /// One SELECT. `[[ … ]]` is dropped when a parameter inside it is not given.
    #[schemars(length(min = 1))]
    pub sql: String,
    /// Rows at most; a role's own `rows_max` counts when it is smaller.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub rows_max: Option<u32>,
    /// `definer`: it runs without its caller's row filters, over `columns` and in groups of `min_group_size` rows at least.
    pub security: Option<Security>,
    /// Of a tool with `security: definer`: the columns that exist in it, by table. The caller's role needs no grant on them; its masks stay.
    pub columns: Option<BTreeMap<String, Vec<String>>>,
    /// Of a tool with `security: definer`: rows are seen only in groups of at least so many.
    #[schemars(range(min = 2, max = 1_000_000))]
    pub min_group_size: Option<u32>,
    /// How a result that a limit cut is continued, where not by counting its rows.
    pub page: Option<Page>,
    /// The form of its result, where it is not the role's.
    pub result: Option<ResultForm>,
    /// Whether the text of its result is marked as data, where that is not the role's word.
    pub fence: Option<bool>,
    /// Says that another tool should be used.
    pub deprecated: Option<Deprecated>,
}

/// Whose row filters a tool runs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Nobody's: it is the operator's statement over every row, in groups.
    Definer,
}

/// How a result is continued.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Columns of the table whose rows the tool selects, in the order of the result: unique together, never NULL, and visible and
    /// unmasked for every role that has the tool. The next page begins behind the last row's.
    #[schemars(length(min = 1))]
    pub key: Vec<String>,
}

/// The form of a result's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResultForm {
    /// Each row is an object with the columns' names.
    #[default]
    Rows,
    /// The columns' names stand once, and each row is a list: fewer tokens.
    Table,
}

impl From<ResultForm> for names::ResultForm {
    fn from(written: ResultForm) -> Self {
        match written {
            ResultForm::Rows => Self::Rows,
            ResultForm::Table => Self::Table,
        }
    }
}

/// That a tool should no longer be used.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecated {
    /// The tool to use instead.
    #[serde(rename = "use")]
    #[schemars(with = "String")]
    pub instead: ToolName,
    /// Since when.
    pub since: Option<Day>,
    /// From which day on (00:00 UTC) it is refused.
    pub sunset: Option<Day>,
}

/// A map whose order counts: agents read a tool's inputs in the order its author chose.
#[derive(Clone, Debug)]
pub struct InOrder<K, V>(pub Vec<(K, V)>);

impl<K, V> Default for InOrder<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for InOrder<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> de::Visitor<'de> for Visitor<K, V> {
            type Value = InOrder<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut access: A) -> Result<InOrder<K, V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(Visitor(PhantomData))
    }
}

/// How Tollgate listens.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// The address and port for agents.
    #[schemars(with = "String", extend("default" = "127.0.0.1:8642", "x-tollgate-form" = "address"))]
    pub listen: SocketAddr,
    /// The address and port for health and metrics, never the agents' own.
    #[schemars(with = "String", extend("default" = "127.0.0.1:8643", "x-tollgate-form" = "address"))]
    pub metrics_listen: SocketAddr,
    /// Secrets of at least 32 characters that cursors are sealed with, the first one for new cursors; replicas share them. Made up at start if absent.
    pub seal_keys: Vec<String>,
    /// `Host` headers that are answered besides the listener's own address.
    pub allowed_hosts: Vec<String>,
    /// `Origin` headers of browsers that are answered.
    pub allowed_origins: Vec<String>,
    /// Bytes of a request's body at most.
    #[schemars(extend("default" = "1MiB"))]
    pub body_max: Size,
    /// Connections at most.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 1024))]
    pub connections_max: u32,
    /// How long calls in flight may take to finish when Tollgate is told to stop.
    #[schemars(extend("default" = "25s"))]
    pub drain_timeout: Duration,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// Where and how calls are written down.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// The folder of the audit log, relative to the configuration's folder.
    #[schemars(with = "String", extend("default" = "./audit"))]
    pub dir: PathBuf,
    /// Parameters and claims stored only as keyed hashes, besides those compared with a masked column.
    pub sensitive: Vec<String>,
}

/// The JSON Schema of the configuration, for editors, for the manual, and for our own check of what is written.
pub fn json_schema() -> serde_json::Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<File>().to_value()
}

mod defaults {
    use super::Duration;

    pub(super) fn statement_timeout() -> Duration {
        Duration(std::time::Duration::from_secs(10))
    }
}

impl Default for Pool {
    fn default() -> Self {
        let limits = tollgate_backends::PoolLimits::default();
        Self {
            max: limits.max,
            idle_timeout: Duration(limits.idle_timeout),
            acquire_timeout: Duration(limits.acquire_timeout),
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        let limits = tollgate_backends::SessionLimits::default();
        let kib = |kib: u32| Size(u64::from(kib) << 10);
        Self {
            work_mem: kib(limits.work_mem_kib),
            parallel_workers: limits.parallel_workers,
            temp_files: kib(limits.temp_files_kib),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows_max: 1_000, bytes_max: Size(1 << 20), cost_max: None }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8642)),
            metrics_listen: SocketAddr::from(([127, 0, 0, 1], 8643)),
            seal_keys: Vec::new(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            body_max: Size(1 << 20),
            connections_max: 1_024,
            drain_timeout: Duration(std::time::Duration::from_secs(25)),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self { dir: PathBuf::from("./audit"), sensitive: Vec::new() }
    }
}
