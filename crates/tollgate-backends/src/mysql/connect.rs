//! Connections: opened, pinned and verified before anything is asked of them. One that is not known to be at rest is never used
//! again: it is closed at once, and the server is told to end what it runs.

use std::{sync::Arc, thread, time::Duration};

use mysql_async::{Conn, Opts, prelude::Queryable as _};
use tokio::sync::Semaphore;

use super::{
    error, session,
    url::{Target, UrlError},
};
use crate::{BackendError, ErrorKind, PoolLimits, pool, server::call};

/// A connection in use.
pub(super) type Lease = pool::Lease<Connector>;

/// Opens connections to one server.
pub(super) struct Connector {
    options: Opts,
    database: String,
    connect_timeout: Duration,
    statement_timeout: Duration,
    killing: Arc<Semaphore>,
}

impl Connector {
    /// For a URL; nothing is connected yet.
    pub(super) fn new(url: &str, limits: &PoolLimits) -> Result<Self, UrlError> {
        let Target { options, database, connect_timeout } = Target::parse(url)?;
        Ok(Self {
            options: Opts::from(options),
            database,
            connect_timeout,
            statement_timeout: limits.statement_timeout,
            killing: Arc::new(Semaphore::new(1)),
        })
    }

    /// The database of unqualified table names.
    pub(super) fn database(&self) -> &str {
        &self.database
    }
}

impl pool::Connector for Connector {
    type Connection = Connection;

    async fn connect(&self) -> Result<Connection, BackendError> {
        let opening = async {
            let client = Conn::new(self.options.clone()).await.map_err(error::connect_error)?;
            // From here on it is closed at once where something goes wrong.
            let mut connection = Connection { client: Some(client), busy: true, killer: None };
            let id = session::pin(connection.client()?, &self.database, self.statement_timeout).await?;
            let killer = Killer { id, options: self.options.clone(), gate: Arc::clone(&self.killing) };
            connection.killer = Some(Arc::new(killer));
            connection.busy = false;
            Ok(connection)
        };
        tokio::time::timeout(self.connect_timeout, opening)
            .await
            .unwrap_or_else(|elapsed| Err(BackendError::new(ErrorKind::Unavailable, elapsed)))
    }

    fn is_usable(connection: &Connection) -> bool {
        !connection.busy && connection.client.as_ref().is_some_and(|client| !client.is_disconnected())
    }
}

/// An open, verified connection.
pub(super) struct Connection {
    client: Option<Conn>,
    /// Whether something was asked whose end has not been read.
    pub(super) busy: bool,
    killer: Option<Arc<Killer>>,
}

impl Connection {
    /// The driver's connection; there until this one is dropped.
    pub(super) fn client(&mut self) -> Result<&mut Conn, BackendError> {
        self.client.as_mut().ok_or_else(|| BackendError::of(ErrorKind::Internal))
    }

    /// What ends it from outside.
    pub(super) fn killer(&self) -> Result<Arc<Killer>, BackendError> {
        self.killer.clone().ok_or_else(|| BackendError::of(ErrorKind::Internal))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(client) = self.client.take().filter(|_| self.busy) else { return };
        // Within a runtime the driver would read the rest of the answer, however long it is, before it closes the socket.
        let closing = thread::Builder::new().name("mysql-close".to_owned()).spawn(move || drop(client));
        if let Err(error) = closing {
            tracing::warn!(%error, "a connection is closed by the driver, which reads the rest of its answer first");
        }
    }
}

/// Tells the server to end one connection and whatever it runs.
pub(super) struct Killer {
    id: u64,
    options: Opts,
    gate: Arc<Semaphore>,
}

impl Killer {
    /// Ends the connection and not only its statement: `KILL QUERY` that comes late would hit the next one, and no connection that
    /// something was killed on is used again.
    pub(super) async fn kill(&self) -> Result<(), BackendError> {
        call::tell(&self.gate, async {
            let mut client = Conn::new(self.options.clone()).await.map_err(error::connect_error)?;
            let killed = client.query_drop(format!("KILL {}", self.id)).await;
            let _ = client.disconnect().await;
            match killed {
                // It has ended by itself.
                Err(mysql_async::Error::Server(refused)) if refused.code == 1094 => Ok(()),
                other => other.map_err(error::connect_error),
            }
        })
        .await
    }
}
