//! A database as a role may query it, and the one place where a caller's text becomes a checked statement.

use std::sync::Arc;

use crate::{
    catalog::{Catalog, TableId},
    policy,
    sql::{self, CheckedStatement, Cost, KeptStatements, Restriction, SqlError},
};

/// A database as a role may query it. All that a check depends on beside the text is in here and never changes, so a statement that was
/// checked stays as it is for as long as this lives: a reload makes another one, and no other role has it.
#[derive(Debug)]
pub struct Queryable {
    catalog: Arc<Catalog>,
    role: Arc<policy::Role>,
    cost: Cost,
    kept: KeptStatements,
}

impl Queryable {
    /// A database of that schema as a role sees it, and whether what a statement costs there is bounded.
    pub fn new(catalog: Arc<Catalog>, role: Arc<policy::Role>, cost: Cost) -> Self {
        Self { catalog, role, cost, kept: KeptStatements::default() }
    }

    /// Checks a statement that a caller wrote, or has it from the last time that somebody of the role wrote exactly that. A refusal is
    /// not kept: whoever reads it writes something else.
    pub fn check(&self, written: &str) -> Result<Arc<CheckedStatement>, SqlError> {
        if let Some(kept) = self.kept.get(written) {
            return Ok(kept);
        }
        // Nobody waits for a check but who asked for it.
        let statement = Arc::new(sql::check_own(written, &self.catalog, self.role.restrictions(), self.cost)?);
        self.kept.insert(written, &statement);
        Ok(statement)
    }

    /// Whether a statement needs no checking, for now.
    pub(super) fn keeps(&self, written: &str) -> bool {
        self.kept.has(written)
    }

    /// Its schema.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What the role sees of it.
    pub(super) fn role(&self) -> &policy::Role {
        &self.role
    }

    /// The tables that exist for the role, in the order of their names.
    pub(super) fn visible(&self) -> impl Iterator<Item = (&TableId, &Restriction)> {
        self.role.restrictions().tables.iter()
    }

    /// A table as a statement may name it.
    pub(super) fn name_of(&self, table: &TableId) -> String {
        if self.catalog.default_schema() == table.schema { table.name.clone() } else { table.to_string() }
    }
}

#[cfg(test)]
mod tests;
