//! What a role may call: a declared tool, or `query`. One type for both, so that a call has one path. Knows no role.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use serde_json::value::RawValue;

use super::{ClaimError, bind::BoundCall, plan::Plan, query::QueryTool, schema::Listing, summary::SummaryEntry};
use crate::names::{ClaimName, Claims};

/// What a role may call.
#[derive(Clone, Debug)]
pub enum Callable {
    /// A declared tool, ready.
    Tool(Arc<Plan>),
    /// The tool that runs the caller's own SELECTs.
    Query(Arc<QueryTool>),
}

impl Callable {
    /// What `tools/list` says of it.
    pub fn listing(&self) -> &Listing {
        match self {
            Callable::Tool(plan) => plan.listing(),
            Callable::Query(query) => query.listing(),
        }
    }

    /// SHA-256 over what it is: its version in the audit log.
    pub fn fingerprint(&self) -> &[u8; 32] {
        match self {
            Callable::Tool(plan) => plan.tool().fingerprint(),
            Callable::Query(query) => query.fingerprint(),
        }
    }

    /// Rows that one call delivers at most.
    pub fn rows_max(&self) -> u32 {
        match self {
            Callable::Tool(plan) => plan.rows_max(),
            Callable::Query(query) => query.rows_max(),
        }
    }

    /// The claims whose values the audit log may keep only as keyed hashes.
    pub fn sensitive_claims(&self) -> &BTreeSet<ClaimName> {
        match self {
            Callable::Tool(plan) => plan.sensitive_claims(),
            Callable::Query(query) => query.sensitive_claims(),
        }
    }

    /// Which claims keep a caller from some or every call: what `check` tells of an agent before it calls.
    pub fn unfit_claims(&self, claims: &Claims) -> Vec<ClaimError> {
        match self {
            Callable::Tool(plan) => plan.unfit_claims(claims),
            Callable::Query(query) => query.unfit_claims(claims),
        }
    }

    /// The arguments of a bound call for the audit log.
    pub fn summarise(&self, arguments: Option<&RawValue>, bound: &BoundCall) -> Vec<SummaryEntry> {
        match self {
            Callable::Tool(plan) => plan.summarise(arguments),
            Callable::Query(query) => query.summarise(arguments, bound),
        }
    }

    /// The statement as somebody wrote it, for `explain`.
    pub fn written<'a>(&'a self, arguments: Option<&'a RawValue>) -> Cow<'a, str> {
        match self {
            Callable::Tool(plan) => Cow::Borrowed(plan.tool().template().text()),
            Callable::Query(_) => QueryTool::written(arguments),
        }
    }

    /// The declared tool, where it is one.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match self {
            Callable::Tool(plan) => Some(plan),
            Callable::Query(_) => None,
        }
    }
}
