//! Throw-away servers for tests, behind the feature `testing`. Nothing of the product uses it; it panics where a test
//! would.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    reason = "support for tests, which fail by panicking and speak on standard error"
)]

mod certificates;
pub mod mariadb;
pub mod postgres;
mod process;
