//! Databases behind one trait. A backend takes checked statements only, and knows neither roles nor tools.

pub mod backend;
pub mod postgres;
pub mod sample;
pub mod sqlite;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

mod json;
mod pool;

pub use backend::{
    Backend, BackendError, BoxFuture, ErrorKind, Executed, Execution, PoolLimits, PoolStatus, ReadLimits, Rows,
    Truncation,
};
