//! PostgreSQL: read-only sessions pinned at connect, one prepared statement a call, rows encoded from their binary form.
//! It never sends a text that `sql::check` did not make, except its own questions to the catalogs; `load` alone writes, and nothing
//! that serves calls it.

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
pub(crate) mod load;
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

use std::sync::Arc;

use tokio_postgres::Client;
use tollgate_core::{
    catalog::Catalog,
    names::{Dialect, Value},
    sql::{CheckedStatement, Described, Reach},
};

use self::connect::{Connection, Connector};
use crate::{
    Backend, BackendError, BoxFuture, ErrorKind, Executed, Execution, Finding, FoundFunction, NarrowLogin, PoolLimits,
    PoolStatus, server::Server,
};

/// A backend for a `postgres://` URL. Nothing is connected yet: a server that is down is found by the first use.
/// The error never repeats any part of the URL.
pub fn connect(url: &str, limits: PoolLimits) -> Result<Arc<dyn Backend>, BackendError> {
    let connector = Connector::new(url, &limits).map_err(|error| BackendError::new(ErrorKind::Internal, error))?;
    Ok(Arc::new(Postgres(Server::new(connector, limits)?)))
}

struct Postgres(Server<Connector>);

impl Postgres {
    async fn ask<T>(&self, question: impl AsyncFnOnce(&Client) -> Result<T, BackendError>) -> Result<T, BackendError> {
        self.0.ask(async |connection| question(&connection.client).await).await
    }

    async fn describe(&self, statement: &CheckedStatement) -> Result<Described, BackendError> {
        let shapes = &self.0.pool.connector().shapes;
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
        Box::pin(execute::execute(&self.0.pool, execution))
    }

    fn plan<'a>(
        &'a self,
        statement: &'a CheckedStatement,
        values: &'a [Value],
    ) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(self.plan(statement, values))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(self.0.probe(async |connection: &mut Connection| connection.client.check_connection().await.is_ok()))
    }

    fn examine<'a>(&'a self, reach: Option<&'a Reach>) -> BoxFuture<'a, Result<Vec<Finding>, BackendError>> {
        Box::pin(self.ask(async move |client| login::examine(client, reach).await))
    }

    fn harden<'a>(&'a self, login: &'a NarrowLogin<'a>) -> BoxFuture<'a, Result<String, BackendError>> {
        let limits = *self.0.pool.limits();
        Box::pin(self.ask(async move |client| harden::script(client, login, &limits).await))
    }

    fn pool_status(&self) -> PoolStatus {
        self.0.pool.status()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.0.close())
    }
}

#[cfg(test)]
mod tests;
