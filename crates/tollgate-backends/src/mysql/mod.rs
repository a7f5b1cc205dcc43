//! MySQL and MariaDB: read-only sessions pinned at connect, one prepared statement a call, rows encoded from the binary protocol.
//! It never sends a text that `sql::check` did not make, except its own questions to `information_schema`; `load` alone writes, and
//! nothing that serves calls it.

mod bind;
mod calendar;
mod check_list;
mod connect;
mod error;
mod execute;
mod geometry;
mod harden;
mod introspect;
pub(crate) mod load;
mod login;
mod prepare;
#[cfg(any(test, feature = "testing"))]
pub mod raw;
mod session;
mod types;
mod url;
mod value;

use std::sync::Arc;

use mysql_async::{Params, prelude::Queryable as _};
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

/// A backend for a `mysql://` or `mariadb://` URL. Nothing is connected yet: a server that is down is found by the first use.
/// The error never repeats any part of the URL.
pub fn connect(url: &str, limits: PoolLimits) -> Result<Arc<dyn Backend>, BackendError> {
    let connector = Connector::new(url, &limits).map_err(|error| BackendError::new(ErrorKind::Internal, error))?;
    Ok(Arc::new(MySql(Server::new(connector, limits)?)))
}

struct MySql(Server<Connector>);

impl MySql {
    /// Asks on a connection that is known not to be at rest until everything was answered.
    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut Connection) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        self.0
            .ask(async |connection| {
                connection.busy = true;
                let answer = question(connection).await?;
                connection.busy = false;
                Ok(answer)
            })
            .await
    }

    async fn describe(&self, statement: &CheckedStatement) -> Result<Described, BackendError> {
        self.ask(async |connection| {
            let prepared = prepare::once(connection, statement).await?;
            let columns = prepared.columns.clone();
            prepare::forget(connection, prepared).await?;
            let names = statement.columns().iter().map(|column| column.name.clone());
            let params = statement.slots().iter().map(|slot| slot.ty.clone()).collect();
            Ok(Described { params, columns: names.zip(columns).collect() })
        })
        .await
    }

    async fn plan(&self, statement: &CheckedStatement, values: &[Value]) -> Result<String, BackendError> {
        self.ask(async |connection| {
            let bound =
                bind::bind(values, statement.slots()).map_err(|error| BackendError::new(ErrorKind::Data, error))?;
            let text = format!("EXPLAIN FORMAT=JSON {}", statement.text());
            let explained = prepare::parse(connection, &text).await?;
            let rows: Vec<String> =
                connection.client()?.exec(explained, Params::Positional(bound)).await.map_err(error::backend_error)?;
            // The plan names tables by their aliases.
            let tables: Vec<String> = statement.footprint().tables.iter().map(ToString::to_string).collect();
            Ok(format!("reads {}\n{}", tables.join(", "), rows.join("\n")))
        })
        .await
    }
}

impl Backend for MySql {
    fn dialect(&self) -> Dialect {
        Dialect::MariaDb
    }

    fn introspect(&self) -> BoxFuture<'_, Result<Catalog, BackendError>> {
        let schema = self.0.pool.connector().database();
        Box::pin(self.ask(async move |connection| introspect::catalog(connection, schema).await))
    }

    /// Its stored functions may do anything, and none can be added to the reviewed list.
    fn functions<'a>(&'a self, _: &'a [(String, String)]) -> BoxFuture<'a, Result<Vec<FoundFunction>, BackendError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
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
        let ping = async |connection: &mut Connection| match connection.client() {
            Ok(client) => client.ping().await.is_ok(),
            Err(_) => false,
        };
        Box::pin(self.0.probe(ping))
    }

    fn examine<'a>(&'a self, reach: Option<&'a Reach>) -> BoxFuture<'a, Result<Vec<Finding>, BackendError>> {
        Box::pin(self.ask(async move |connection| login::examine(connection, reach).await))
    }

    fn harden<'a>(&'a self, login: &'a NarrowLogin<'a>) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(std::future::ready(Ok(harden::script(login))))
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
