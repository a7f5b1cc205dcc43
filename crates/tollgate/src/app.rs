//! The composition root: a configuration becomes a running server, and a running server comes to rest.

use std::{collections::BTreeMap, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tollgate_backends::{Finding, Severity};
use tollgate_core::names::{DatabaseName, Principal};

use crate::{
    admin,
    clock::{Clock, SystemClock},
    config::{self, Compiled, Diagnostics, Loaded, ServerSettings, Settings, file::PolicyTest},
    gateway::{Gate, Serving},
    ledger::{Ledger, LedgerConfig, LedgerError},
    protocol::{self, http::HttpSettings, stdio::StdioSettings},
    seal::{SealError, Seals},
};

/// How often databases that were down at start are tried again.
const RETRY: Duration = Duration::from_secs(3);

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration has mistakes.
    #[error("the configuration cannot be used")]
    Config(Diagnostics),
    /// The audit log cannot be written.
    #[error("the audit log cannot be opened")]
    Ledger(#[from] LedgerError),
    /// Cursors cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Standard input cannot be read.
    #[error("standard input cannot be read")]
    Input(#[source] std::io::Error),
}

/// What the command line says otherwise than the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// Where to serve MCP.
    pub listen: Option<SocketAddr>,
    /// Where to serve health and metrics.
    pub metrics_listen: Option<SocketAddr>,
}

/// Where a server really listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// MCP.
    pub agents: SocketAddr,
    /// Health and metrics.
    pub metrics: SocketAddr,
}

/// A compiled configuration with its audit log open, ready for calls.
#[derive(Debug)]
pub struct App {
    gate: Arc<Gate>,
    ledger: Arc<Ledger>,
    settings: Settings,
    warnings: Diagnostics,
    findings: BTreeMap<DatabaseName, Vec<Finding>>,
    loaded: Loaded,
}

impl App {
    /// Reads and compiles the configuration, opens the audit log, and takes the result into service.
    pub async fn start(config: &Path, command: &'static str) -> Result<Self, StartError> {
        let (loaded, compiled) = read(config).await?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
        let mut log = LedgerConfig::new(compiled.settings.audit.dir.clone(), command);
        log.sensitive = compiled.settings.audit.sensitive.iter().cloned().collect();
        log.clock = Arc::clone(&clock);
        let ledger = Arc::new(Ledger::open_dir(log)?);
        let keys = compiled.settings.server.seal_keys.iter().map(|key| *key.bytes());
        let seals = Seals::new(keys, Arc::clone(&clock))?;
        let gate = Gate::new(Serving::new(compiled.gateway), Arc::clone(&ledger), seals, clock);
        let Compiled { settings, diagnostics: warnings, findings, .. } = compiled;
        Ok(Self { gate, ledger, settings, warnings, findings, loaded })
    }

    /// The gate that every call goes through.
    pub fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// The policy tests of the configuration, in its order.
    pub fn tests(&self) -> &[(String, PolicyTest)] {
        &self.loaded.file.tests.0
    }

    /// What the configuration is warned of.
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// Serves MCP over HTTP, and health and metrics beside it, until `stop` fires; then finishes what runs.
    pub async fn serve_http(
        self,
        overrides: Overrides,
        stop: CancellationToken,
        ready: impl FnOnce(&Addresses),
    ) -> Result<(), StartError> {
        let listeners = async {
            let agents = listen(overrides.listen.unwrap_or(self.settings.server.listen)).await?;
            let metrics = listen(overrides.metrics_listen.unwrap_or(self.settings.server.metrics_listen)).await?;
            Ok((agents, metrics))
        };
        let ((agents, agents_at), (metrics, metrics_at)) = match listeners.await {
            Ok(listeners) => listeners,
            Err(error) => {
                self.finish().await?;
                return Err(error);
            }
        };
        let monitoring = CancellationToken::new();
        let admin = tokio::spawn(admin::serve(metrics, Arc::clone(&self.gate), monitoring.clone()));
        let retry = tokio::spawn(retry_unavailable(Arc::clone(&self.gate), self.loaded.clone()));
        log_findings(&self.findings);
        tracing::info!(agents = %agents_at, metrics = %metrics_at, "serving");
        ready(&Addresses { agents: agents_at, metrics: metrics_at });
        let settings = http_settings(&self.settings.server);
        let closing = tokio::spawn(close_on(stop.clone(), Arc::clone(&self.gate)));
        let drained = protocol::http::serve(agents, Arc::clone(&self.gate), settings, stop).await;
        if drained.cancelled > 0 {
            tracing::warn!(
                calls = drained.cancelled,
                "calls were still running at the end of the drain time and were cancelled"
            );
        }
        closing.abort();
        retry.abort();
        self.finish().await?;
        monitoring.cancel();
        if admin.await.is_err() {
            tracing::warn!("the monitoring listener failed");
        }
        Ok(())
    }

    /// Serves MCP on standard input and output for one caller, until the input ends or `stop` fires.
    pub async fn serve_stdio(self, caller: Arc<Principal>, stop: CancellationToken) -> Result<(), StartError> {
        let settings = StdioSettings {
            line_max: self.settings.server.body_max,
            drain_timeout: self.settings.server.drain_timeout,
            ..StdioSettings::default()
        };
        log_findings(&self.findings);
        let retry = tokio::spawn(retry_unavailable(Arc::clone(&self.gate), self.loaded.clone()));
        let served = protocol::stdio::serve(Arc::clone(&self.gate), caller, settings, stop).await;
        retry.abort();
        self.finish().await?;
        served.map_err(StartError::Input)
    }

    /// Comes to rest: no new calls, those in flight answered, pools closed, `shutdown` in the log.
    pub async fn finish(self) -> Result<(), StartError> {
        self.gate.close();
        self.gate.serving().close().await;
        Ok(self.ledger.shutdown().await?)
    }
}

async fn read(config: &Path) -> Result<(Loaded, Compiled), StartError> {
    let loaded = config::load(config).map_err(StartError::Config)?;
    let compiled = config::compile(&loaded).await.map_err(StartError::Config)?;
    Ok((loaded, compiled))
}

/// What the databases' logins can do beyond the policy, in the log of every server's start; commands leave it to `check`.
fn log_findings(findings: &BTreeMap<DatabaseName, Vec<Finding>>) {
    for (database, findings) in findings {
        for Finding { kind, sentence } in findings {
            let (database, name) = (database.as_str(), kind.name());
            match kind.severity() {
                Severity::Danger => tracing::warn!(database, finding = name, "{sentence}"),
                Severity::Excess | Severity::Note => tracing::info!(database, finding = name, "{sentence}"),
            }
        }
    }
}

/// Reads and compiles the configuration, without an audit log: for commands that run no call.
pub async fn compile(config: &Path) -> Result<Serving, StartError> {
    read(config).await.map(|(_, compiled)| Serving::new(compiled.gateway))
}

/// Fails readiness and refuses new calls as soon as the server is told to stop.
async fn close_on(stop: CancellationToken, gate: Arc<Gate>) {
    stop.cancelled().await;
    gate.close();
}

/// Tries databases that were down at start again, and compiles their tools once one answers.
async fn retry_unavailable(gate: Arc<Gate>, loaded: Loaded) {
    loop {
        let serving = gate.serving();
        if serving.gateway.unavailable.is_empty() {
            return;
        }
        tokio::time::sleep(RETRY).await;
        if !config::any_answers(&loaded, serving.gateway.unavailable.keys()).await {
            continue;
        }
        match config::compile_beside(&loaded, &serving.gateway).await {
            Ok(compiled) => {
                tracing::info!("a database that was down at start is there: its tools are served");
                gate.replace(Serving::new(compiled.gateway));
            }
            Err(diagnostics) => {
                tracing::error!("a database that was down at start is there, and the configuration does not fit it");
                for diagnostic in diagnostics.iter() {
                    tracing::error!(code = %diagnostic.code, "{}", diagnostic.message);
                }
            }
        }
    }
}

fn http_settings(server: &ServerSettings) -> HttpSettings {
    let defaults = HttpSettings::default();
    HttpSettings {
        allowed_hosts: [defaults.allowed_hosts, server.allowed_hosts.clone()].concat(),
        allowed_origins: server.allowed_origins.clone(),
        body_max: server.body_max,
        connections_max: server.connections_max,
        drain_timeout: server.drain_timeout,
        ..defaults
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    bound.await.map_err(|source| StartError::Listen { address, source })
}
