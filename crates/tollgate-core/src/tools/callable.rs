//! What a role may call: a declared tool, `query`, or what tells of the schema. One type for all, so that a call has one path.

use std::{borrow::Cow, sync::Arc};

use serde_json::value::RawValue;

use super::{
    ClaimError,
    bind::Bound,
    discover::SchemaTool,
    plan::Plan,
    query::QueryTool,
    schema::Listing,
    summary::{self, SummaryEntry},
};
use crate::names::{ClaimName, Claims};

/// What a role may call.
#[derive(Clone, Debug)]
pub enum Callable {
    /// A declared tool, ready.
    Tool(Arc<Plan>),
    /// The tool that runs the caller's own SELECTs.
    Query(Arc<QueryTool>),
    /// A tool that tells of what they may name.
    Schema(Arc<SchemaTool>),
}

impl Callable {
    /// What `tools/list` says of it.
    pub fn listing(&self) -> &Listing {
        match self {
            Callable::Tool(plan) => plan.listing(),
            Callable::Query(query) => query.listing(),
            Callable::Schema(schema) => schema.listing(),
        }
    }

    /// SHA-256 over what it is: its version in the audit log.
    pub fn fingerprint(&self) -> &[u8; 32] {
        match self {
            Callable::Tool(plan) => plan.tool().fingerprint(),
            Callable::Query(query) => query.fingerprint(),
            Callable::Schema(schema) => schema.fingerprint(),
        }
    }

    /// Whether the audit log may keep only a keyed hash of a claim's value.
    pub fn is_sensitive(&self, claim: &ClaimName) -> bool {
        match self {
            Callable::Tool(plan) => plan.sensitive_claims().contains(claim),
            Callable::Query(query) => query.sensitive_claims().contains(claim),
            // No statement, no comparison: what the configuration lists is the log's.
            Callable::Schema(_) => false,
        }
    }

    /// Which claims keep a caller from some or every call: what `check` tells of an agent before it calls.
    pub fn unfit_claims(&self, claims: &Claims) -> Vec<ClaimError> {
        match self {
            Callable::Tool(plan) => plan.unfit_claims(claims),
            Callable::Query(query) => query.unfit_claims(claims),
            Callable::Schema(_) => Vec::new(),
        }
    }

    /// The arguments of a bound call for the audit log.
    pub fn summarise(&self, arguments: Option<&RawValue>, bound: &Bound) -> Vec<SummaryEntry> {
        match self {
            Callable::Tool(plan) => plan.summarise(arguments),
            Callable::Query(query) => query.summarise(arguments, bound.statement().map(|statement| statement.author())),
            Callable::Schema(schema) => summary::summarise(schema.params(), arguments),
        }
    }

    /// Whether binding a call takes a bounded few microseconds, and no statement has to be checked for it.
    pub fn binds_at_once(&self, arguments: Option<&RawValue>) -> bool {
        match self {
            Callable::Tool(_) | Callable::Schema(_) => true,
            Callable::Query(query) => query.binds_at_once(arguments),
        }
    }

    /// The statement as somebody wrote it, for `explain`.
    pub fn written<'a>(&'a self, arguments: Option<&'a RawValue>) -> Cow<'a, str> {
        match self {
            Callable::Tool(plan) => Cow::Borrowed(plan.tool().template().text()),
            Callable::Query(_) => QueryTool::written(arguments),
            Callable::Schema(_) => Cow::Borrowed(""),
        }
    }

    /// The declared tool, where it is one.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match self {
            Callable::Tool(plan) => Some(plan),
            Callable::Query(_) | Callable::Schema(_) => None,
        }
    }

    /// The tool that knows which tables exist for the role, where it is one.
    pub fn schema(&self) -> Option<&Arc<SchemaTool>> {
        match self {
            Callable::Schema(schema) => Some(schema),
            Callable::Tool(_) | Callable::Query(_) => None,
        }
    }
}
