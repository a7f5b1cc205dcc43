//! Who may see what: roles, row filters, masks, and the decision for one caller. Built on `sql`, which applies it.

mod decide;
mod definer;
mod error;
mod filter;
mod mask;
mod matrix;
mod role;

#[cfg(test)]
mod tests;

pub use decide::{Authorized, Grants};
pub use definer::{DefinerGrant, DefinerMatrix};
pub use error::{PathPart, PolicyError, Problem};
pub use mask::Mask;
pub use matrix::{Access, DatabaseMatrix, Matrix, RoleMatrix, RowAccess, TableMatrix};
pub use role::{ColumnsGrant, MaskGrant, Role, RoleGrant, RowsGrant, TableGrant};
