//! `tollgate serve`: MCP over Streamable HTTP for every agent with a key, or over stdio for one.

use std::{path::Path, process::ExitCode};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    ConfigFile,
    output::{self, Paint},
};
use crate::{
    app::{Addresses, App, Overrides, StartError},
    config,
};

/// Serve MCP over Streamable HTTP (default 127.0.0.1:8642/mcp), or over stdio for one agent.
///
/// SIGTERM and SIGINT stop it: nothing new is accepted, what runs is finished and written down; a second signal ends it at once.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// Serve one agent over standard input and output
    #[arg(long, requires = "agent")]
    stdio: bool,
    /// The agent on stdio: its key in `TOLLGATE_KEY`, or `local: true` in the configuration
    #[arg(long = "as", value_name = "AGENT", requires = "stdio", id = "agent")]
    agent: Option<String>,
}

/// Runs the command.
pub async fn run(command: Serve) -> ExitCode {
    match &command.agent {
        Some(agent) => over_stdio(&command.config.path(), agent).await,
        None => {
            over_http(&command.config.path(), Overrides::default(), |addresses| {
                output::note(format_args!(
                    "serving MCP on http://{}/mcp, health and metrics on http://{}",
                    addresses.agents, addresses.metrics
                ));
            })
            .await
        }
    }
}

/// Serves over HTTP until a signal comes.
pub(super) async fn over_http(config: &Path, overrides: Overrides, ready: impl FnOnce(&Addresses)) -> ExitCode {
    let (app, stop) = match start(config, "serve").await {
        Ok(started) => started,
        Err(code) => return code,
    };
    match app.serve_http(overrides, stop, ready).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cannot_start(&error),
    }
}

async fn over_stdio(config: &Path, agent: &str) -> ExitCode {
    let (app, stop) = match start(config, "serve --stdio").await {
        Ok(started) => started,
        Err(code) => return code,
    };
    let caller = match app.gate().local_caller(agent, config::agent_key().as_deref()) {
        Ok(caller) => caller,
        Err(refusal) => {
            if let Err(error) = app.finish().await {
                return cannot_start(&error);
            }
            return output::refused(&refusal);
        }
    };
    match app.serve_stdio(caller, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => cannot_start(&error),
    }
}

/// Starts, unless a signal comes first: a database that is slow to answer must not hold up the end.
async fn start(config: &Path, command: &'static str) -> Result<(App, CancellationToken), ExitCode> {
    let stop = stop_on_signal().map_err(|error| output::failure(&format!("signals cannot be caught: {error}")))?;
    // Nothing is awaited once the audit log is open, so that what is dropped here has written nothing.
    let app = tokio::select! {
        app = App::start(config, command) => app.map_err(|error| cannot_start(&error))?,
        () = stop.cancelled() => return Err(ExitCode::SUCCESS),
    };
    warn(&app);
    Ok((app, stop))
}

/// Fires at the first SIGTERM or SIGINT; a second one ends the process at once.
fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let fired = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            }
        };
        let signal = next().await;
        tracing::info!(signal, "stopping: finishing what runs; a second signal ends at once");
        fired.cancel();
        let signal = next().await;
        tracing::warn!(signal, "ending at once");
        std::process::exit(130);
    });
    Ok(stop)
}

/// Prints why a server cannot start.
pub(super) fn cannot_start(error: &StartError) -> ExitCode {
    if let StartError::Config(diagnostics) = error {
        output::note(diagnostics.render(Paint::stderr().style()));
    }
    output::failure(&output::chain(error))
}

/// Prints what the configuration is warned of.
pub(super) fn warn(app: &App) {
    if !app.warnings().is_empty() {
        output::note(app.warnings().render(Paint::stderr().style()));
    }
}
