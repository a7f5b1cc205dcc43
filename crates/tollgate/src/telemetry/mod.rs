//! What operators see of a running server: structured logs and metrics. Never arguments, rows, claims or SQL text, except
//! that logs at `debug` have what a database said of a statement that failed.

mod logs;
mod metrics;

pub use logs::{LogFormat, LogLevel, init as init_logs};
pub use metrics::{CallLabels, DatabaseLabels, Metrics};
