//! Structured logs on standard error; standard output belongs to the protocol and to commands.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging to standard error. `level` is `error`, `warn`, `info`, `debug` or `trace`, or a filter like `tollgate=debug,info`.
///
/// The protocol library logs arguments at `debug` and the drivers log statements: both stay at `warn` whatever the level.
/// Returns what is wrong with `level`, if something is.
pub fn init(level: &str, format: LogFormat) -> Result<(), String> {
    let filter = EnvFilter::try_new(level).map_err(|e| format!("`{level}` is not a log filter: {e}"))?;
    let quiet = ["rmcp=warn", "tokio_postgres=warn", "rustls=warn", "hyper=warn"];
    let filter = quiet.iter().filter_map(|d| d.parse().ok()).fold(filter, EnvFilter::add_directive);
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    }
    .map_err(|e| format!("logging could not be started: {e}"))
}
