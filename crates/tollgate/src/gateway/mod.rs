//! The gate: one call, from request to result, under the configuration in force. HTTP, stdio and `tollgate call` all come through it.

mod answer;
mod call;
mod compiled;
mod explain;
mod readiness;

use std::{fmt::Write, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tollgate_core::names::{Principal, Refusal};

pub use compiled::{Database, Gateway, Limits, Role};
pub use explain::Explained;
pub use readiness::Readiness;

use crate::{
    admission::Checking,
    clock::Clock,
    identity::{self, Directory},
    ledger::Ledger,
    protocol::host::{Peer, ToolHost},
    seal::Seals,
    telemetry::Metrics,
};

/// The longest a call may take from its first byte to its answer, whatever anybody says.
pub const DEADLINE_MAX: Duration = Duration::from_secs(30);

/// How long closing a pool waits for statements whose callers have their answers.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// A compiled configuration and the callers it knows.
#[derive(Debug)]
pub struct Serving {
    /// Roles, tools and databases.
    pub gateway: Gateway,
    /// Who may call.
    pub directory: Directory,
    /// The policy's hash as the audit log has it.
    policy_hash: String,
    /// The configuration's hash as the audit log has it.
    config_hash: String,
}

impl Serving {
    /// Takes a compiled configuration into service.
    pub fn new(gateway: Gateway) -> Self {
        let directory = Directory::new(gateway.agents.values().cloned());
        let (policy_hash, config_hash) = (sha256(&gateway.policy_hash), sha256(&gateway.config_hash));
        Self { gateway, directory, policy_hash, config_hash }
    }

    /// Closes every pool, after what runs on it, if that ends soon: a statement deep in one instruction of SQLite may not.
    pub async fn close(&self) {
        let closing = self.gateway.databases.iter().map(|(name, database)| async move {
            if timeout(CLOSE_MAX, database.backend.close()).await.is_err() {
                let overdue = database.backend.pool_status().in_use;
                tracing::warn!(
                    database = name.as_str(),
                    overdue,
                    "statements that do not stop are left to the process's end"
                );
            }
        });
        join_all(closing).await;
    }
}

/// Everything a call needs.
#[derive(Debug)]
pub struct Gate {
    serving: ArcSwap<Serving>,
    ledger: Arc<Ledger>,
    metrics: Metrics,
    seals: Arc<Seals>,
    clock: Arc<dyn Clock>,
    checking: Checking,
    closing: CancellationToken,
}

impl Gate {
    /// A gate over a compiled configuration, open at once.
    pub fn new(serving: Serving, ledger: Arc<Ledger>, seals: Seals, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            serving: ArcSwap::from_pointee(serving),
            ledger,
            metrics: Metrics::new(),
            seals: Arc::new(seals),
            clock,
            checking: Checking::default(),
            closing: CancellationToken::new(),
        })
    }

    /// The configuration in force now.
    pub fn serving(&self) -> Arc<Serving> {
        self.serving.load_full()
    }

    /// The agent named on the command line, proved by its key or by `local: true`. A failure is counted in the audit log.
    pub fn local_caller(&self, agent: &str, key: Option<&str>) -> Result<Arc<Principal>, Refusal> {
        self.serving().directory.by_name(agent, key, &identity::os_user()).map_err(|error| {
            let refusal = error.to_agent();
            self.reject(None, &Peer { transport: "cli", ..Peer::default() }, &refusal);
            refusal
        })
    }

    /// Puts another configuration in force, whole. Calls in flight end under the one they began with.
    pub fn replace(&self, serving: Serving) {
        self.serving.store(Arc::new(serving));
    }

    /// Refuses new calls and fails readiness from now on; calls in flight go on.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// The metrics in the OpenMetrics text format, gauges as they are now.
    pub fn metrics_text(&self) -> Result<String, std::fmt::Error> {
        for (name, database) in &self.serving().gateway.databases {
            self.metrics.pool(name.as_str(), &database.backend.pool_status());
        }
        let audit = self.ledger.stats();
        self.metrics.audit(audit.records, audit.batches, audit.bytes);
        self.metrics.encode()
    }
}

/// A SHA-256 as the audit log has it: `sha256:` and lower-case hexadecimal digits.
fn sha256(hash: &[u8; 32]) -> String {
    hash.iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
