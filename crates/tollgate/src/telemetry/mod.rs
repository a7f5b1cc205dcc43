//! What operators see of a running server: structured logs and metrics. Never arguments, rows, claims or SQL text.

mod logs;
mod metrics;

pub use logs::{LogFormat, init as init_logs};
pub use metrics::{CallLabels, DatabaseLabels, Metrics};
