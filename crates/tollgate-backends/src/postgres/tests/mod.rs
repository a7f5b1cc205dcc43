//! PostgreSQL against a throw-away server of its own.

mod check_lists;
mod introspection;
mod urls;
mod values;

use std::sync::Arc;

use crate::testing::postgres::{PostgresServer, TestDatabase};

/// A fresh database; `None` where no server is installed, which has been said loudly by then.
async fn database(setup: &str) -> Option<Arc<TestDatabase>> {
    Some(Arc::new(PostgresServer::shared()?.database(setup).await))
}
