//! The configured agents, by key and by name.

use std::{collections::BTreeMap, sync::Arc};

use tollgate_core::names::{AgentId, AgentName, Claims, Code, Origin, Principal, Refusal, RoleName};

use super::KeyHash;

/// An agent as the configuration registers it.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its name.
    pub name: AgentName,
    /// Its live keys; several while one is being rotated.
    pub keys: Vec<KeyHash>,
    /// Whether it may be taken on from this machine without a key (`local: true`).
    pub local: bool,
    /// Its one role.
    pub role: RoleName,
    /// What is known of it.
    pub claims: Claims,
}

/// Why a caller is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// No credential came with the request.
    #[error("no credential")]
    Missing,
    /// The credential is nobody's.
    #[error("an unknown credential")]
    Unknown,
    /// The agent is not in the configuration.
    #[error("unknown agent `{0}`")]
    UnknownAgent(String),
    /// The agent exists, and neither its key nor `local: true` allows it here.
    #[error("agent `{0}` needs its key in TOLLGATE_KEY, or `local: true` in the configuration")]
    NotLocal(AgentName),
}

impl IdentityError {
    /// The refusal a caller reads. Over the network it never says whether an agent exists.
    pub fn to_agent(&self) -> Refusal {
        match self {
            IdentityError::Missing => {
                Refusal::new(Code::UNAUTHENTICATED, "send an API key as `Authorization: Bearer tg_…`")
            }
            IdentityError::Unknown => {
                Refusal::new(Code::UNAUTHENTICATED, "the credential is not valid; ask the operator for a current key")
            }
            IdentityError::UnknownAgent(_) | IdentityError::NotLocal(_) => {
                Refusal::new(Code::UNKNOWN_AGENT, self.to_string())
            }
        }
    }
}

#[derive(Debug)]
struct Entry {
    principal: Arc<Principal>,
    registration: Registration,
}

/// Every agent that may call.
#[derive(Debug, Default)]
pub struct Directory {
    by_key: BTreeMap<KeyHash, AgentName>,
    by_name: BTreeMap<AgentName, Entry>,
}

impl Directory {
    /// The directory of these agents. That no two share a key was checked when the configuration was read.
    pub fn new(registrations: impl IntoIterator<Item = Registration>) -> Self {
        let mut directory = Self::default();
        for registration in registrations {
            for key in &registration.keys {
                directory.by_key.insert(*key, registration.name.clone());
            }
            let principal = Principal::new(
                AgentId::new(registration.name.clone(), Origin::Key),
                registration.role.clone(),
                registration.claims.clone(),
            );
            let name = registration.name.clone();
            directory.by_name.insert(name, Entry { principal: Arc::new(principal), registration });
        }
        directory
    }

    /// The caller that this bearer token proves.
    pub fn by_bearer(&self, bearer: Option<&str>) -> Result<Arc<Principal>, IdentityError> {
        let presented = KeyHash::of(bearer.ok_or(IdentityError::Missing)?);
        // The lookup's time depends on the hash alone, of which a caller cannot choose a bit at will; the last word is constant-time.
        let name = self.by_key.get(&presented).ok_or(IdentityError::Unknown)?;
        let entry = self.by_name.get(name).ok_or(IdentityError::Unknown)?;
        let proved = entry.registration.keys.iter().fold(false, |found, key| found | key.matches(&presented));
        if proved { Ok(entry.principal.clone()) } else { Err(IdentityError::Unknown) }
    }

    /// What an agent of that name would be, for operators who look at its policy. No credential is asked for, so nothing runs as it.
    pub fn registered(&self, name: &str) -> Result<Arc<Principal>, IdentityError> {
        let entry =
            self.by_name.get(name).ok_or_else(|| IdentityError::UnknownAgent(name.chars().take(80).collect()))?;
        Ok(Arc::clone(&entry.principal))
    }

    /// The agent of that name for a policy test. No credential is asked for, as with `local: true`: whoever runs policy tests reads
    /// and writes the configuration.
    pub fn rehearsed(&self, name: &str, os_user: &str) -> Result<Arc<Principal>, IdentityError> {
        let registered = self.registered(name)?;
        Ok(local(registered.agent().name().clone(), registered.role().clone(), registered.claims().clone(), os_user))
    }

    /// The agent named on the command line: proved by its key where one is given, else by `local: true` for this operating-system user.
    pub fn by_name(&self, name: &str, key: Option<&str>, os_user: &str) -> Result<Arc<Principal>, IdentityError> {
        let entry =
            self.by_name.get(name).ok_or_else(|| IdentityError::UnknownAgent(name.chars().take(80).collect()))?;
        if let Some(key) = key {
            let principal = self.by_bearer(Some(key))?;
            let same = principal.agent().name() == &entry.registration.name;
            return if same { Ok(principal) } else { Err(IdentityError::Unknown) };
        }
        if !entry.registration.local {
            return Err(IdentityError::NotLocal(entry.registration.name.clone()));
        }
        let Registration { name, role, claims, .. } = &entry.registration;
        Ok(local(name.clone(), role.clone(), claims.clone(), os_user))
    }
}

/// Nobody of the configuration, with a role and claims of a policy test's own.
pub fn rehearsed(role: &RoleName, claims: &Claims, os_user: &str) -> Result<Arc<Principal>, IdentityError> {
    let name = REHEARSAL.parse().map_err(|_| IdentityError::UnknownAgent(REHEARSAL.to_owned()))?;
    Ok(local(name, role.clone(), claims.clone(), os_user))
}

/// What the audit log calls the caller of a policy test that names a role.
const REHEARSAL: &str = "policy-test";

fn local(name: AgentName, role: RoleName, claims: Claims, os_user: &str) -> Arc<Principal> {
    let origin = Origin::Local { os_user: os_user.to_owned() };
    Arc::new(Principal::new(AgentId::new(name, origin), role, claims))
}
