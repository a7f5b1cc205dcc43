//! Whether a connection has a session of the server for itself. Behind a pooler that lends sessions out by the transaction it has
//! not: settings, read back once, hold for another session, and a prepared statement's name may stand for somebody else's statement.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use tokio_postgres::{Client, SimpleQueryMessage};

use super::error;
use crate::{BackendError, ErrorKind};

/// The session's name: its process, and when the server began, since several servers may stand behind one address.
const NAME: &str = "SELECT pg_catalog.pg_backend_pid() || ' ' || pg_catalog.pg_postmaster_start_time()";

/// A session that is not this connection's own.
#[derive(Debug, thiserror::Error)]
#[error(
    "the server's session is shared with other connections, as a pooler in transaction or statement mode does; connect to the server \
     itself, or set the pooler to session mode (PgBouncer: `pool_mode = session`)"
)]
struct Shared;

/// The sessions of all open connections to a server.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<HashSet<String>>>);

/// One connection's session, its own until it is dropped.
pub(super) struct Session {
    all: Sessions,
    name: String,
}

impl Sessions {
    /// Claims a connection's session. It is asked for twice: between two statements a pooler may give another one.
    pub(super) async fn claim(&self, client: &Client) -> Result<Session, BackendError> {
        let (first, second) = (name(client).await?, name(client).await?);
        let own = (first == second).then(|| self.take(first)).flatten();
        own.ok_or_else(|| BackendError::new(ErrorKind::Unavailable, Shared))
    }

    /// The session of that name, unless another connection has it.
    fn take(&self, name: String) -> Option<Session> {
        let is_new = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_new.then(|| Session { all: self.clone(), name })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

async fn name(client: &Client) -> Result<String, BackendError> {
    let answer = client.simple_query(NAME).await.map_err(error::connect_error)?;
    let name = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    name.ok_or_else(|| BackendError::of(ErrorKind::Unavailable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_one_connections_until_it_is_dropped() {
        let sessions = Sessions::default();
        let first = sessions.take("7 monday".to_owned());
        assert!(first.is_some() && sessions.take("8 monday".to_owned()).is_some());
        assert!(sessions.take("7 tuesday".to_owned()).is_some());
        assert!(sessions.take("7 monday".to_owned()).is_none());
        drop(first);
        assert!(sessions.take("7 monday".to_owned()).is_some());
    }
}
