//! Declared tools: their declaration, variants, schemas, and the binding of one call.
//!
//! A tool goes through four forms, each proving more: a `Declaration` is what the configuration says, a `Tool` is a
//! declaration that makes sense by itself, a `Draft` is a tool whose every variant passed `sql::check` for one role, and
//! a `Plan` is a draft that the database described and that agrees with it. Only a plan can be called, only through `bind`.
//! Beside them stand the tools that are not declared: `query`, whose statement comes with the call and is checked then, and
//! `list_tables` and `describe_table`, which answer from the catalog.

mod arguments;
mod bind;
mod callable;
mod claims;
mod cursor;
mod datetime;
mod decimal;
mod declare;
mod deprecation;
mod discover;
mod document;
mod error;
mod fit;
mod param;
mod pattern;
mod plan;
mod query;
mod queryable;
mod scalar;
mod schema;
mod summary;
mod tool;
mod variants;

pub use bind::{Bound, BoundCall, Call, bind};
pub use callable::Callable;
pub use cursor::{BoundPage, CursorSeal, SEALED_MAX, UncarriedKey};
pub use declare::{
    ConstraintDeclaration, Declaration, DeprecationDeclaration, PageDeclaration, ParamDeclaration, ParamType,
};
pub use deprecation::Deprecation;
pub use discover::{Answer, DESCRIBE_TABLE, FilterDisclosure, LIST_TABLES, SchemaLimits, SchemaTool};
pub use error::{ArgumentError, BindError, ClaimError, Problem, ToolError};
pub use param::{Param, Presence};
pub use plan::{CompileRequest, Draft, Plan, ROWS_MAX_DEFAULT};
pub use query::{Probe, QUERY, QueryDraft, QueryRequest, QueryTool};
pub use queryable::Queryable;
pub use schema::Listing;
pub use summary::{SummaryEntry, SummaryKind};
pub use tool::Tool;

#[cfg(test)]
mod tests;
