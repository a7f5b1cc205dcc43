//! What the backends of servers have in common: a pool and a connection beside it, URLs, and calls that can be left at any time. It
//! knows no driver and no protocol.

pub(crate) mod call;
pub(crate) mod url;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    BackendError, ErrorKind, PoolLimits,
    pool::{Connector, Lease, Pool},
};

/// How long a question of ours may take that no call waits for: introspection, descriptions, plans.
const OPERATOR_TIME_MAX: Duration = Duration::from_secs(30);

/// A server and the connections to it.
pub(crate) struct Server<C: Connector> {
    pub(crate) pool: Arc<Pool<C>>,
    /// A connection beside the pool, so that a busy pool is not taken for a dead server.
    health: tokio::sync::Mutex<Option<C::Connection>>,
}

impl<C: Connector> Server<C> {
    /// Nothing is connected yet: a server that is down is found by the first use.
    pub(crate) fn new(connector: C, limits: PoolLimits) -> Result<Self, BackendError> {
        Ok(Self { pool: Arc::new(Pool::new(connector, limits)?), health: tokio::sync::Mutex::new(None) })
    }

    /// Asks on a pooled connection, which is returned only when everything was answered.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut C::Connection) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let deadline = Instant::now() + OPERATOR_TIME_MAX;
        let mut lease = Lease::new(self.pool.acquire(deadline, &CancellationToken::new()).await?);
        let answer = tokio::time::timeout_at(deadline, question(lease.connection()?))
            .await
            .map_err(|elapsed| BackendError::new(ErrorKind::Timeout, elapsed))??;
        lease.release();
        Ok(answer)
    }

    /// Whether the server is there, by a question that takes one round trip and says whether it was answered.
    pub(crate) async fn probe(
        &self,
        question: impl AsyncFnOnce(&mut C::Connection) -> bool,
    ) -> Result<(), BackendError> {
        let probing = async {
            let mut health = self.health.lock().await;
            if let Some(mut connection) = health.take()
                && question(&mut connection).await
            {
                *health = Some(connection);
                return Ok(());
            }
            *health = Some(self.pool.connector().connect().await?);
            Ok(())
        };
        tokio::time::timeout(self.pool.limits().acquire_timeout, probing)
            .await
            .unwrap_or_else(|elapsed| Err(BackendError::new(ErrorKind::Unavailable, elapsed)))
    }

    /// Lets running statements end and closes every connection.
    pub(crate) async fn close(&self) {
        self.health.lock().await.take();
        self.pool.close().await;
    }
}
