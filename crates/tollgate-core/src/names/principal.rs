//! Who is calling. A `Principal` is the proof that a credential was checked; the binary's `identity` makes them and nobody else.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{AgentName, ClaimName, RoleName};

/// Where an agent's identity came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// An API key of a configured agent.
    Key,
    /// The operating system's user, for an agent with `local: true`.
    Local {
        /// Name or number of the operating-system user.
        os_user: String,
    },
}

/// An agent and where its identity came from, so that no credential of another origin can pose as a configured agent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgentId {
    name: AgentName,
    origin: Origin,
}

impl AgentId {
    /// A configured agent, from the credential that proved it.
    pub fn new(name: AgentName, origin: Origin) -> Self {
        Self { name, origin }
    }

    /// The configured name.
    pub fn name(&self) -> &AgentName {
        &self.name
    }

    /// What proved the identity.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.name, f)
    }
}

/// A claim's value: one scalar or an array of scalars, never an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ClaimValue {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
    /// Several values, for `IN (:claims.x)`.
    List(Vec<ClaimValue>),
}

/// What is known of the caller beside its name, bound as `:claims.NAME`.
pub type Claims = BTreeMap<ClaimName, ClaimValue>;

/// An authenticated caller with its one effective role.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    agent: AgentId,
    role: RoleName,
    claims: Claims,
}

impl Principal {
    /// Only `identity` calls this, after a credential was checked (a test reads the sources and holds it to that).
    pub fn new(agent: AgentId, role: RoleName, claims: Claims) -> Self {
        Self { agent, role, claims }
    }

    /// Who it is and by what proof.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// The role in force for this call.
    pub fn role(&self) -> &RoleName {
        &self.role
    }

    /// The caller's claims.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }
}
