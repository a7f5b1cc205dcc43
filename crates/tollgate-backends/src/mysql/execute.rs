//! One call on one connection, from the bound values to the last row. The connection of a call that its caller leaves is killed in the
//! server and closed here: nothing of it can reach the next.

use std::sync::Arc;

use mysql_async::{BinaryProtocol, Params, QueryResult, Row, prelude::Queryable as _};
use tollgate_core::{
    names::{ResultForm, Value},
    sql::{Author, CheckedStatement},
};

use super::{
    bind,
    connect::{Connection, Connector, Killer, Lease},
    error,
    prepare::{self, Prepared},
    value::Malformed,
};
use crate::{
    BackendError, ErrorKind, Executed, Execution, ReadLimits, Rows,
    json::{Reading, RowsWriter},
    pool::Pool,
    server::call::{self, Answer, End, Ending, Pending, SURPLUS_TIME_MAX},
};

/// How many rows of that rest are read before its connection is closed.
const SURPLUS_ROWS_MAX: u32 = 64;
/// How often the server is told to end a connection.
const KILLS_MAX: u32 = 3;

/// Runs a statement within the limits, the deadline and the caller's patience.
pub(super) async fn execute(pool: &Pool<Connector>, asked: Execution<'_>) -> Result<Executed, BackendError> {
    call::run(pool, &asked, |mut lease| {
        let killing = Killing(lease.connection()?.killer()?);
        let call = Call {
            statement: Arc::clone(asked.statement),
            values: asked.values.to_vec(),
            limits: asked.limits,
            form: asked.form,
        };
        Ok((killing, Box::pin(call.run(lease)) as Pending<Ended>))
    })
    .await
}

/// A call and all it needs, so that it can go on without its caller.
struct Call {
    statement: Arc<CheckedStatement>,
    values: Vec<Value>,
    limits: ReadLimits,
    form: ResultForm,
}

/// How a call ended, and the connection it ended on.
struct Ended {
    lease: Lease,
    outcome: Result<Rows, BackendError>,
}

/// What ends a call: its connection is killed in the server and closed.
struct Killing(Arc<Killer>);

impl Ending for Killing {
    type Ended = Ended;

    /// The rows. The connection goes back if nothing more of the answer is on its way.
    fn settle(self, mut ended: Ended) -> Result<Rows, BackendError> {
        if ended.lease.connection().is_ok_and(|connection| !connection.busy) {
            ended.lease.release();
        } else if ended.outcome.is_ok() {
            // A limit cut the answer. Closing the connection ends the statement at the next row; killing it, if it computes first.
            tokio::spawn(async move { self.0.kill().await });
        }
        ended.outcome
    }

    /// The connection stays on loan until the server was told, so that the server never has more of them than the pool.
    async fn stop(self, _call: Pending<Ended>) {
        for _ in 0..KILLS_MAX {
            if self.0.kill().await.is_ok() {
                return;
            }
        }
        tracing::warn!(
            "the server could not be told to end a statement that nobody waits for; its connection is closed"
        );
    }
}

impl Call {
    async fn run(self, mut lease: Lease) -> Ended {
        let outcome = match lease.connection() {
            Ok(connection) => self.run_on(connection).await,
            Err(error) => Err(error),
        };
        Ended { lease, outcome }
    }

    async fn run_on(self, connection: &mut Connection) -> Result<Rows, BackendError> {
        let bound = bind::bind(&self.values, self.statement.slots())
            .map_err(|error| BackendError::new(ErrorKind::Data, error))?;
        let prepared = prepare::once(connection, &self.statement).await?;
        connection.busy = true;
        let outcome = self.exchange(connection, &prepared, Params::Positional(bound)).await;
        let at_rest = match &outcome {
            Ok(answer) => answer.end == End::Read,
            Err(Failure::Driver(driver)) => error::leaves_the_connection(driver),
            Err(Failure::Ours(_)) => false,
        };
        if at_rest {
            connection.busy = false;
            prepare::forget(connection, prepared).await?;
        }
        match outcome {
            Ok(answer) => Ok(answer.rows),
            Err(Failure::Driver(driver))
                if self.statement.footprint().recursive && error::is_recursion_bound(&driver) =>
            {
                Err(BackendError { kind: ErrorKind::Recursion, ..error::backend_error(driver) })
            }
            Err(Failure::Driver(driver)) => Err(self.failed(driver)),
            Err(Failure::Ours(error)) => Err(error),
        }
    }

    /// What the server says while a statement runs; what does not fit together in a caller's own is told to its author.
    fn failed(&self, driver: mysql_async::Error) -> BackendError {
        let fault = error::fault_while_running(&driver);
        let error = error::backend_error(driver);
        match (fault, self.statement.author()) {
            (Some(fault), Author::Caller { .. }) => BackendError { kind: ErrorKind::Statement(fault), ..error },
            _ => error,
        }
    }

    /// The rows within the limits. An answer that a limit cut is read on for a moment, so that its connection can be kept.
    async fn exchange(
        &self,
        connection: &mut Connection,
        prepared: &Prepared,
        params: Params,
    ) -> Result<Answer, Failure> {
        let mut result = connection.client()?.exec_iter(&prepared.statement, params).await?;
        let keys = prepared.keys.of(self.form);
        let mut writer = RowsWriter::new(&keys, self.limits);
        let mut last = None;
        loop {
            let Some(row) = result.next().await? else {
                return Ok(Answer { rows: writer.finish(), end: End::Read });
            };
            let reading = writer.row(|index, out| {
                let encoding = prepared.encodings.get(index).ok_or(Malformed)?;
                encoding.write(out, row.as_ref(index).ok_or(Malformed)?)
            })?;
            match reading {
                Reading::More => last = Some(row),
                Reading::Full => break,
            }
        }
        let key = last.map(|row| key(prepared, &row)).transpose()?.flatten();
        let end = tokio::time::timeout(SURPLUS_TIME_MAX, drain(&mut result)).await.unwrap_or(Ok(End::NotRead))?;
        Ok(Answer { rows: Rows { key, ..writer.finish() }, end })
    }
}

/// Why a call ended without rows.
enum Failure {
    /// The driver or the server said so.
    Driver(mysql_async::Error),
    /// We did, and the rest of the answer is still on its way.
    Ours(BackendError),
}

impl From<mysql_async::Error> for Failure {
    fn from(error: mysql_async::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        Self::Ours(error)
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        // The column is not of the type any more that it was prepared with.
        Self::Ours(BackendError::new(ErrorKind::Changed, error))
    }
}

/// The key of a row that a page ended with.
fn key(prepared: &Prepared, row: &Row) -> Result<Option<Vec<Value>>, Malformed> {
    call::key(prepared.key.iter().map(|place| {
        let encoding = prepared.encodings.get(*place).ok_or(Malformed)?;
        encoding.value(row.as_ref(*place).ok_or(Malformed)?)
    }))
}

/// Reads rows up to a quota and keeps none.
async fn drain(result: &mut QueryResult<'_, '_, BinaryProtocol>) -> Result<End, mysql_async::Error> {
    for _ in 0..SURPLUS_ROWS_MAX {
        if result.next().await?.is_none() {
            return Ok(End::Read);
        }
    }
    Ok(End::NotRead)
}
