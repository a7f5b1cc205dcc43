//! A session as calls get it, with no rewriting in front of it: the red team shows by it what the engine's own layer holds. Only
//! with the feature `testing`; the product never sends a text that was not checked.

use mysql_async::{Params, Row, prelude::Queryable as _};

use super::{
    connect::{Connection, Connector},
    error,
};
use crate::{BackendError, ErrorKind, PoolLimits, pool::Connector as _};

/// Opens sessions of one login.
pub struct Sessions(Connector);

impl Sessions {
    /// Of the login of a `mysql://` URL.
    pub fn of(url: &str, limits: &PoolLimits) -> Result<Self, BackendError> {
        let connector = Connector::new(url, limits).map_err(|error| BackendError::new(ErrorKind::Internal, error))?;
        Ok(Self(connector))
    }

    /// Opens one, pinned and verified like those of calls. In the database, which those of calls are not, so that names mean
    /// something.
    pub async fn open(&self) -> Result<RawSession, BackendError> {
        let mut connection = self.0.connect().await?;
        let database = self.0.database().replace('`', "``");
        connection.client()?.query_drop(format!("USE `{database}`")).await.map_err(error::backend_error)?;
        Ok(RawSession(connection))
    }
}

/// A session that takes any text.
pub struct RawSession(Connection);

impl RawSession {
    /// Prepares and runs one statement as a call's is, and returns each value as text.
    pub async fn one(&mut self, sql: &str) -> Result<Vec<String>, BackendError> {
        let client = self.0.client()?;
        let rows: Vec<Row> = client.exec(sql, Params::Empty).await.map_err(error::backend_error)?;
        Ok(rows.iter().flat_map(values).collect())
    }

    /// Runs any number of statements in the protocol that takes them in one text, which calls never use.
    pub async fn many(&mut self, sql: &str) -> Result<Vec<String>, BackendError> {
        let mut found = Vec::new();
        let mut answer = self.0.client()?.query_iter(sql).await.map_err(error::backend_error)?;
        while !answer.is_empty() {
            let rows: Vec<Row> = answer.collect().await.map_err(error::backend_error)?;
            found.extend(rows.iter().flat_map(values));
        }
        Ok(found)
    }
}

fn values(row: &Row) -> Vec<String> {
    let text = |index| match row.as_ref(index) {
        Some(mysql_async::Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(other) => other.as_sql(true),
        None => String::new(),
    };
    (0..row.len()).map(text).collect()
}
