//! Policy tests as written: a call, and what must come of it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use tollgate_core::names::{AgentName, ClaimName, ClaimValue, DatabaseName, RoleName};

use super::{Claim, named};
use crate::config::scalar::{Form, JsonText};

/// A call, and what must come of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyTest {
    /// The agent that calls, with its role and claims.
    #[serde(rename = "as")]
    #[schemars(with = "Option<String>")]
    pub agent: Option<AgentName>,
    /// The role that calls, instead of an agent.
    #[schemars(with = "Option<String>")]
    pub role: Option<RoleName>,
    /// The claims of a caller that is given by its role.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Claim>", extend("propertyNames" = named(Form::Claim)))]
    pub claims: BTreeMap<ClaimName, ClaimValue>,
    /// The tool that is called.
    pub tool: Option<String>,
    /// The tool's arguments.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub with: Option<JsonText>,
    /// A SELECT that is sent with `query`, instead of a tool.
    pub sql: Option<String>,
    /// The database that the SELECT is for, where the role may query several.
    #[schemars(with = "Option<String>")]
    pub database: Option<DatabaseName>,
    /// What must come of it.
    pub expect: Expect,
}

/// What must come of a call.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// These rows and no others, in this order; of each row the columns that are named.
    #[schemars(with = "Option<Vec<BTreeMap<String, serde_json::Value>>>")]
    pub rows: Option<Vec<JsonText>>,
    /// So many rows.
    pub row_count: Option<u32>,
    /// No row has one of these columns.
    #[serde(default)]
    pub no_columns: Vec<String>,
    /// No row holds one of these values, or a text that contains one.
    #[serde(default)]
    pub no_values: Vec<JsonText>,
    /// It is refused with this code, `TG301`.
    #[schemars(extend("x-tollgate-form" = "code"))]
    pub refused: Option<String>,
}
