//! A session as calls get it, with no rewriting in front of it: the red team shows by it what the engine's own layer holds. Only
//! with the feature `testing`; the product never sends a text that was not checked.

use tokio_postgres::SimpleQueryMessage;

use super::{
    connect::{Connection, Connector, Pattern},
    value::Raw,
};
use crate::{BackendError, ErrorKind, PoolLimits, pool::Connector as _};

/// Opens sessions of one login.
pub struct Sessions(Connector);

impl Sessions {
    /// Of the login of a `postgres://` URL.
    pub fn of(url: &str, limits: &PoolLimits) -> Result<Self, BackendError> {
        let connector = Connector::new(url, limits).map_err(|error| BackendError::new(ErrorKind::Internal, error))?;
        Ok(Self(connector))
    }

    /// Opens one, pinned and verified like those of calls.
    pub async fn open(&self) -> Result<RawSession, BackendError> {
        Ok(RawSession(self.0.connect().await?))
    }
}

/// A session that takes any text.
pub struct RawSession(Connection);

impl RawSession {
    /// Runs one statement as a call's is run, and returns each value as the server sent it.
    pub async fn one(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let client = &self.0.client;
        let bracketed = self.0.pattern == Pattern::Transaction;
        if bracketed {
            client.batch_execute("BEGIN READ ONLY").await?;
        }
        let answered = client.query_typed(sql, &[]).await;
        if bracketed {
            client.batch_execute("COMMIT").await?;
        }
        let mut values = Vec::new();
        for row in answered? {
            for index in 0..row.len() {
                let Raw(raw) = row.try_get(index)?;
                values.push(raw.map_or_else(String::new, |raw| String::from_utf8_lossy(raw).into_owned()));
            }
        }
        Ok(values)
    }

    /// Runs any number of statements in the protocol that takes them in one text, which calls never use.
    pub async fn many(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let mut values = Vec::new();
        for message in self.0.client.simple_query(sql).await? {
            if let SimpleQueryMessage::Row(row) = message {
                values.extend((0..row.len()).map(|index| row.get(index).unwrap_or_default().to_owned()));
            }
        }
        Ok(values)
    }
}
