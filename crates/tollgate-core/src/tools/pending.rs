//! Stands in for `sql::check` and `policy::Authorized` until they land.
#![allow(missing_docs, clippy::all, dead_code, private_interfaces)]
use crate::{
    catalog::Catalog,
    names::ParamName,
    sql::{CheckedStatement, ParamShape, Restrictions, SqlError},
};
use std::collections::BTreeMap;
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub sql: &'a str,
    pub catalog: &'a Catalog,
    pub restrictions: &'a Restrictions,
    pub params: &'a BTreeMap<ParamName, ParamShape>,
}
pub(crate) fn check(request: &Request<'_>) -> Result<CheckedStatement, SqlError> {
    Err(SqlError::Type { name: request.sql.to_owned() })
}
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authorized<'a, T>(pub &'a T);
impl<T> std::ops::Deref for Authorized<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0
    }
}
