//! From text to a checked statement: `parse` → `resolve` → `restrict` → `check` → `render`.
//!
//! Mechanism only: it applies `Restrictions` and has never heard of a role. The parser's visitor and its `Display` are never
//! used: every construct is lowered by hand into `tree`, which can only say what is allowed, and that tree is what is printed.

pub mod functions;
pub mod limits;
pub mod template;
pub mod tree;

mod absence;
mod bound_list;
#[cfg(test)]
mod cases;
mod check;
mod error;
mod expansion;
mod fence;
mod grammar;
mod grouped;
mod groups;
#[cfg(test)]
mod hostile;
mod kept;
mod keyset;
mod leak;
mod lengths;
mod mask_key;
mod outside;
mod parse;
mod reach;
mod regular;
mod render;
mod resolve;
mod restrict;
mod restriction;
mod statement;
mod tokens;
mod uses;
mod walk;

pub use absence::{names_masked_column_of, tables_to_be_whole};
pub use check::{
    CheckError, Keyset, Request, check, check_keyset, check_own, check_whole_table, has_subquery, is_condition,
    leak_of_predicate, mask_of_expression, tables_of_predicate,
};
pub use error::SqlError;
pub(crate) use kept::KeptStatements;
pub use keyset::KeysetError;
pub use leak::{Leak, ends_in_escape};
pub use mask_key::{HASH_DIGITS, HASH_FUNCTION, MaskKey, hash_under};
pub use reach::Reach;
pub use render::RenderError;
pub use resolve::{ClaimUse, ParamShape, Scope, resolve_mask, resolve_predicate, resolve_query};
pub use restrict::{RestrictError, restrict_predicate};
pub use restriction::{ColumnMask, RAW, RestrictedColumn, Restriction, Restrictions};
pub use statement::{
    Author, CheckedStatement, Cost, Described, Estimate, Footprint, OutputColumn, Page, PageBound, SlotUse,
};
