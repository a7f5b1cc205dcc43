//! Databases behind one trait. A backend takes checked statements only, and knows neither roles nor tools.

pub mod backend;
pub mod mysql;
pub mod postgres;
pub mod sample;
pub mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(test)]
mod conformance;
mod finding;
mod json;
mod pool;
mod server;
mod statements;

use std::{path::Path, sync::Arc};

pub use backend::{
    Backend, BackendError, BoxFuture, ErrorKind, Executed, Execution, Fault, FoundFunction, NarrowLogin, PoolLimits,
    PoolStatus, ReadLimits, RowFilter, Rows, SessionLimits, Truncation,
};
pub use finding::{Finding, FindingKind, Severity};

/// A database by its URL, `postgres://…`, `mysql://…`, `mariadb://…` or `sqlite:path`, a path being relative to `base`. Connects to nothing yet.
/// No error repeats any part of the URL, which may hold a password.
pub fn open(url: &str, base: &Path, limits: PoolLimits) -> Result<Arc<dyn Backend>, BackendError> {
    match url.split_once(':') {
        Some(("postgres" | "postgresql", _)) => postgres::connect(url, limits),
        Some(("mysql" | "mariadb", _)) => mysql::connect(url, limits),
        Some(("sqlite", path)) if !path.is_empty() && !path.starts_with("//") => sqlite::open(base.join(path), limits),
        _ => Err(BackendError::new(
            ErrorKind::Internal,
            "the URL is none of `postgres://…`, `mysql://…`, `mariadb://…` and `sqlite:path`",
        )),
    }
}
