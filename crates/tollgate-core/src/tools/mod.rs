//! Declared tools: their declaration, variants, schemas, and the binding of one call.
//!
//! A tool goes through four forms, each proving more: a `Declaration` is what the configuration says, a `Tool` is a
//! declaration that makes sense by itself, a `Draft` is a tool whose every variant passed `sql::check` for one role, and
//! a `Plan` is a draft that the database described and that agrees with it. Only a plan can be called, only through `bind`.

mod declare;
mod error;

pub use declare::{ConstraintDeclaration, Declaration, DeprecationDeclaration, ParamDeclaration, ParamType};
pub use error::{ArgumentError, BindError, ClaimError, Problem, ToolError};
