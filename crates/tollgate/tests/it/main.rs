//! The integration tests: one binary, a file or folder per feature.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

mod architecture;
mod bad_input;
mod definer;
mod demo;
mod demo_on_servers;
mod differential;
mod functions;
mod groups;
mod harden;
mod harness;
mod large;
mod leak;
mod lifecycle;
mod manual;
mod mariadb;
mod masks;
mod paging;
mod partitions;
mod policy_tests;
mod postgres;
mod protocol;
mod query;
mod redteam;
mod sqlstates;
