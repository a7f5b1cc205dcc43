//! The shapes of audit records: what is written, how it is encoded, what is hashed. Imports `names` only.
//!
//! One line of JSON is one record, and later one leaf of the tree: its stored bytes, without the newline, are what is
//! hashed, so nothing is ever canonicalised again. Nothing here writes a file or reads a clock.

mod encode;
mod entry;
mod escape;
mod read;
mod redact;
#[cfg(test)]
mod tests;

pub use crate::names::is_invisible;
pub use encode::{Fields, Stamp, write_line};
pub use entry::{
    AgentOrigin, Aggregate, AggregateOf, Body, Boot, Call, Cut, Denied, Digest, Genesis, Intent, Kind, OpenCall,
    Outcome, Record, Recover, Rejected, Rotate, RotateReason, Shutdown, Status,
};
pub use escape::cut;
pub use read::{LINE_MAX, Line, LineError};
pub use redact::{Argument, Redactor, Sensitivity};

/// The version of the record format, the field `v`.
pub const FORMAT: u32 = 1;
