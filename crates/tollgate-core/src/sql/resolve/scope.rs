//! What a text may name.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::names::ParamName;
use crate::sql::restriction::Restrictions;

/// What a statement or predicate may name.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The database's schema, consulted only for tables that are visible.
    pub catalog: &'a Catalog,
    /// The tables and columns that exist for the caller.
    pub visible: &'a Restrictions,
    /// The declared parameters.
    pub params: &'a BTreeMap<ParamName, ParamShape>,
    /// Whether claims may be named.
    pub claims: ClaimUse,
}

/// Whether a parameter is one value or a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamShape {
    /// One value.
    Single,
    /// A list, which may stand only as `IN (:name)`.
    List,
}

/// Whether `:claims.x` may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimUse {
    /// In the policy's own predicates.
    Allowed,
    /// In tools and ad-hoc statements.
    Refused,
}
