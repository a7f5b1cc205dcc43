//! The gate: one call, from request to result, under the configuration in force.

mod compiled;

pub use compiled::{Agent, Database, Gateway, Limits, Role};
