//! Tollgate: the gate between agents and databases, as a library that the binary and the tests drive.

pub mod admin;
pub mod admission;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod identity;
pub mod ledger;
pub mod protocol;
pub mod seal;
pub mod telemetry;
