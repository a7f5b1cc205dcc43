//! Structured logs on standard error; standard output belongs to the protocol and to commands.

use std::io::IsTerminal;

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    /// What needs somebody now.
    Error,
    /// What may need somebody.
    Warn,
    /// What a server does in the large.
    #[default]
    Info,
    /// What databases say of statements that fail, too: it may quote a value.
    Debug,
    /// Everything.
    Trace,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// Starts logging to standard error. Returns what is wrong, if something is.
pub fn init(level: LogLevel, format: LogFormat) -> Result<(), String> {
    let registry = tracing_subscriber::registry().with(filter(level));
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    match format {
        LogFormat::Text => registry.with(layer.with_ansi(std::io::stderr().is_terminal()).compact()).try_init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true).with_current_span(false)).try_init(),
    }
    .map_err(|e| format!("logging could not be started: {e}"))
}

/// Our own words at the level asked for; those of libraries only when something is broken. The protocol library logs
/// arguments, drivers log statements, and either says something of every malformed request: no level brings that in.
fn filter(level: LogLevel) -> Targets {
    Targets::new().with_default(LevelFilter::ERROR).with_target("tollgate", level)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn no_level_brings_in_what_libraries_say_of_a_call() {
        for level in [LogLevel::Info, LogLevel::Debug, LogLevel::Trace] {
            let filter = filter(level);
            for library in ["rmcp", "tokio_postgres", "hyper", "rustls"] {
                assert!(!filter.would_enable(library, &Level::WARN), "{library} at {level:?}");
            }
            assert!(filter.would_enable("tollgate::gateway::call", &Level::INFO));
        }
        assert!(filter(LogLevel::Debug).would_enable("tollgate_backends::pool", &Level::DEBUG));
        assert!(!filter(LogLevel::Info).would_enable("tollgate::gateway::call", &Level::DEBUG));
    }
}
