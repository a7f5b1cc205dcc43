//! Tollgate: the gate between agents and databases, as a library that the binary and the tests drive.

pub mod admission;
pub mod config;
pub mod identity;
pub mod protocol;
pub mod telemetry;
