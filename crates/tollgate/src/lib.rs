//! Tollgate: the gate between agents and databases, as a library that the binary and the tests drive.

pub mod config;
pub mod protocol;
