//! PostgreSQL: read-only sessions pinned at connect, one prepared statement a call, rows encoded from their binary form.
//! It never sends a text that `sql::check` did not make, except its own questions to the catalogs.

mod bind;
mod calendar;
mod check_list;
mod connect;
mod error;
mod estimate;
mod execute;
mod harden;
mod inbound;
mod introspect;
mod login;
mod numeric;
mod prepare;
#[cfg(any(test, feature = "testing"))]
pub mod raw;
mod session;
mod tls;
mod types;
mod url;
mod value;

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    catalog::Catalog,
    names::{Dialect, Value},
    sql::{CheckedStatement, Described, Reach},
};

use self::connect::{Connector, Lease};
use crate::{
    Backend, BackendError, BoxFuture, ErrorKind, Executed, Execution, Finding, FoundFunction, NarrowLogin, PoolLimits,
    PoolStatus,
    pool::{Connector as _, Pool},
};

/// How long a question of ours may take that no call waits for: introspection, descriptions, plans.
const OPERATOR_TIME_MAX: Duration = Duration::from_secs(30);

/// A backend for a `postgres://` URL. Nothing is connected yet: a server that is down is found by the first use.
/// The error never repeats any part of the URL.
pub fn connect(url: &str, limits: PoolLimits) -> Result<Arc<dyn Backend>, BackendError> {
    let connector = Connector::new(url, &limits).map_err(|error| BackendError::new(ErrorKind::Internal, error))?;
    let pool = Arc::new(Pool::new(connector, limits)?);
    Ok(Arc::new(Postgres { pool, health: tokio::sync::Mutex::new(None) }))
}

struct Postgres {
    pool: Arc<Pool<Connector>>,
    /// A connection beside the pool, so that a busy pool is not taken for a dead server.
    health: tokio::sync::Mutex<Option<connect::Connection>>,
}

impl Postgres {
    /// Asks on a pooled connection, which is returned only when everything was answered.
    async fn ask<T>(&self, question: impl AsyncFnOnce(&Client) -> Result<T, BackendError>) -> Result<T, BackendError> {
        let deadline = Instant::now() + OPERATOR_TIME_MAX;
        let mut lease = Lease::new(self.pool.acquire(deadline, &CancellationToken::new()).await?);
        let client = &lease.connection()?.client;
        let answer = tokio::time::timeout_at(deadline, question(client))
            .await
            .map_err(|elapsed| BackendError::new(ErrorKind::Timeout, elapsed))??;
        lease.release();
        Ok(answer)
    }

    async fn describe(&self, statement: &CheckedStatement) -> Result<Described, BackendError> {
        let shapes = &self.pool.connector().shapes;
        let described = self.ask(async |client| Ok(prepare::described(client, shapes, statement).await?)).await?;
        let params = described.params().iter().map(|ty| Some(types::sql_type(ty, -1))).collect();
        let names = statement.columns().iter().map(|column| column.name.clone());
        let column_types = described.columns().iter().map(|c| types::sql_type(c.type_(), c.type_modifier()));
        Ok(Described { params, columns: names.zip(column_types).collect() })
    }

    async fn plan(&self, statement: &CheckedStatement, values: &[Value]) -> Result<String, BackendError> {
        self.ask(async |client| {
            let text = format!("EXPLAIN {}", statement.text());
            let prepared =
                client.prepare_typed(&text, &[postgres_types::Type::TEXT]).await.map_err(error::backend_error)?;
            let bound =
                bind::bind(values, prepared.params()).map_err(|error| BackendError::new(ErrorKind::Data, error))?;
            let params = bound.iter().map(|value| value as &(dyn postgres_types::ToSql + Sync)).collect::<Vec<_>>();
            let rows = client.query(&prepared, &params).await.map_err(error::backend_error)?;
            let lines: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
            Ok(lines.map_err(error::backend_error)?.join("\n"))
        })
        .await
    }

    async fn probe(&self) -> Result<(), BackendError> {
        let probing = async {
            let mut health = self.health.lock().await;
            if let Some(connection) = health.take()
                && connection.client.check_connection().await.is_ok()
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
}

impl Backend for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn introspect(&self) -> BoxFuture<'_, Result<Catalog, BackendError>> {
        Box::pin(self.ask(introspect::catalog))
    }

    fn functions<'a>(
        &'a self,
        names: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<Vec<FoundFunction>, BackendError>> {
        Box::pin(self.ask(async |client| introspect::functions(client, names).await))
    }

    fn describe<'a>(&'a self, statement: &'a CheckedStatement) -> BoxFuture<'a, Result<Described, BackendError>> {
        Box::pin(self.describe(statement))
    }

    fn execute<'a>(&'a self, execution: Execution<'a>) -> BoxFuture<'a, Result<Executed, BackendError>> {
        Box::pin(execute::execute(&self.pool, execution))
    }

    fn plan<'a>(
        &'a self,
        statement: &'a CheckedStatement,
        values: &'a [Value],
    ) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(self.plan(statement, values))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(self.probe())
    }

    fn examine<'a>(&'a self, reach: Option<&'a Reach>) -> BoxFuture<'a, Result<Vec<Finding>, BackendError>> {
        Box::pin(self.ask(async move |client| login::examine(client, reach).await))
    }

    fn harden<'a>(&'a self, login: &'a NarrowLogin<'a>) -> BoxFuture<'a, Result<String, BackendError>> {
        let limits = *self.pool.limits();
        Box::pin(self.ask(async move |client| harden::script(client, login, &limits).await))
    }

    fn pool_status(&self) -> PoolStatus {
        self.pool.status()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.health.lock().await.take();
            self.pool.close().await;
        })
    }
}

#[cfg(test)]
mod tests;
