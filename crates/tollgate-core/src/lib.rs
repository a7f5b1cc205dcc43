//! The pure heart of Tollgate: names, the catalog, SQL rewriting, policy, tools and audit records.
//!
//! Nothing here does IO, reads a clock, the environment or a file: what a function needs comes in as an argument,
//! so every decision can be tested as a table of cases. Modules import only those before them:
//! `names`, `catalog`, `sql`, `policy`, `tools`; `audit` imports `names` alone.

pub mod audit;
pub mod catalog;
pub mod names;
pub mod policy;
pub mod sql;
pub mod tools;
