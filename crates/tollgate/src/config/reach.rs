//! What roles read of a database, of all their tables and tools together: a login that serves them needs it, and no more. It knows no
//! login.

use std::collections::BTreeMap;

use tollgate_core::{
    catalog::Catalog,
    names::{DatabaseName, RoleName},
    sql::Reach,
};

use super::compile::{Compiled, Policies, plans};
use crate::gateway::Role;

impl Compiled {
    /// All that roles read of a database: their tables, and those of the tools that they may call.
    pub fn reach(&self, roles: &[&Role], database: &DatabaseName) -> Reach {
        let catalog = self.gateway.databases.get(database).map(|database| &*database.catalog);
        reach(roles.iter().copied(), &self.policies, database, catalog)
    }
}

/// The same of a configuration that is not compiled to its end; without a catalog the database did not answer.
pub(super) fn reach<'r>(
    roles: impl Iterator<Item = &'r Role>,
    policies: &BTreeMap<RoleName, Policies>,
    database: &DatabaseName,
    catalog: Option<&Catalog>,
) -> Reach {
    let mut reach = Reach::default();
    for role in roles {
        if let Some(policy) = policies.get(&role.name).and_then(|policies| policies.get(database)) {
            reach.add_restrictions(policy.restrictions());
        }
        for plan in plans(role).filter(|plan| plan.tool().database() == database) {
            for (_, statement) in plan.statements() {
                reach.add_footprint(statement.footprint());
            }
        }
    }
    if let Some(catalog) = catalog {
        reach.complete(catalog);
    }
    reach
}
