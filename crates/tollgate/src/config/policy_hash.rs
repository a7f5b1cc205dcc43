//! One hash over all of a policy. Decides nothing: it says whether two policies are the same.

use std::{collections::BTreeMap, num::NonZeroU32};

use sha2::{Digest, Sha256};
use tollgate_core::{
    names::RoleName,
    policy::{Access, Matrix, RoleMatrix, RowAccess},
    tools::Plan,
};

use super::compile::plans;
use crate::gateway::Role;

/// Over everything that decides what a call may see. Each part is preceded by its length, so that no two policies look alike.
pub(super) fn policy_hash(roles: &BTreeMap<RoleName, Role>, matrix: &Matrix) -> [u8; 32] {
    let mut hash = PolicyHash(Sha256::new());
    for (name, role) in roles {
        hash.part(name.as_str());
        hash.part(role.limits.rows_max.to_be_bytes());
        hash.part((role.limits.bytes_max as u64).to_be_bytes());
        if let Some(cost_max) = role.limits.cost_max {
            hash.part("cost_max");
            hash.part(cost_max.to_be_bytes());
        }
        if let Some(granted) = matrix.roles.get(name) {
            hash.granted(granted);
        }
        for plan in plans(role) {
            hash.plan(plan);
        }
        hash.part("");
    }
    hash.0.finalize().into()
}

struct PolicyHash(Sha256);

impl PolicyHash {
    fn part(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update((bytes.as_ref().len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// What exists for the role. What does not may come and go without a change of policy.
    fn granted(&mut self, granted: &RoleMatrix) {
        for database in &granted.query {
            self.part(database.as_str());
        }
        self.part("");
        for (database, tables) in &granted.databases {
            for (name, table) in tables.tables.iter().filter(|(_, table)| table.rows != RowAccess::None) {
                self.part(database.as_str());
                self.part(name);
                self.part(table.min_group_size.map_or(0, NonZeroU32::get).to_be_bytes());
                if let RowAccess::Filter(conditions) = &table.rows {
                    for condition in conditions {
                        self.part(condition);
                    }
                }
                self.part("");
                for whole in &table.owner {
                    self.part(whole);
                }
                self.part("");
                for (column, access) in table.columns.iter().filter(|(_, access)| *access != Access::Deny) {
                    self.part(column);
                    self.part(access.to_string());
                }
                self.part("");
            }
        }
    }

    fn plan(&mut self, plan: &Plan) {
        self.part(plan.tool().name().as_str());
        self.part(plan.tool().fingerprint());
        self.part(plan.rows_max().to_be_bytes());
        for (kept, statement) in plan.statements() {
            self.part(kept.to_be_bytes());
            self.part(statement.fingerprint());
        }
        self.part("");
    }
}
