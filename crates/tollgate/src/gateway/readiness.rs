//! Whether the server can do its work: each database and the audit log, as `/readyz` says it.

use std::{fmt, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout;

use super::Gate;

/// One part of the answer. Says which, and nothing a stranger could use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    part: String,
    state: Result<(), &'static str>,
}

impl Readiness {
    /// Whether this part is well.
    pub fn is_ready(&self) -> bool {
        self.state.is_ok()
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.part, self.state.err().unwrap_or("ok"))
    }
}

impl Gate {
    /// Probes everything at once, each part for at most `limit`.
    pub async fn readiness(&self, limit: Duration) -> Vec<Readiness> {
        let serving = self.serving();
        let ledger = self.ledger.health();
        if let Err(reason) = &ledger {
            tracing::warn!(%reason, "the audit log is not healthy");
        }
        let closing = self.closing.is_cancelled();
        let mut report = vec![
            Readiness { part: "server".into(), state: if closing { Err("shutting down") } else { Ok(()) } },
            Readiness { part: "audit".into(), state: ledger.map_err(|_| "unavailable") },
        ];
        let probes = serving.gateway.databases.iter().map(|(name, database)| async move {
            let up = matches!(timeout(limit, database.backend.probe()).await, Ok(Ok(())));
            self.metrics.database_up(name.as_str(), up.then_some(()).ok_or(()));
            Readiness { part: format!("database {name}"), state: up.then_some(()).ok_or("unavailable") }
        });
        report.extend(join_all(probes).await);
        let waiting = serving.gateway.unavailable.keys().map(|name| {
            self.metrics.database_up(name.as_str(), Err(()));
            Readiness { part: format!("database {name}"), state: Err("unavailable") }
        });
        report.extend(waiting);
        report
    }
}
