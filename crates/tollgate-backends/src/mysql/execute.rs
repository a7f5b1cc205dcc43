//! One call on one connection, from the bound values to the last row. The connection of a call that its caller leaves is killed in the
//! server and closed here: nothing of it can reach the next.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt as _;
use mysql_async::{BinaryProtocol, Params, QueryResult, Row, prelude::Queryable as _};
use tokio::time::Instant;
use tollgate_core::{
    names::{ResultForm, Value},
    sql::CheckedStatement,
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
};

/// How long the rest of an answer that a limit cut may take to arrive before its connection is closed.
const SURPLUS_TIME_MAX: Duration = Duration::from_millis(50);
/// How many rows of that rest are read before its connection is closed.
const SURPLUS_ROWS_MAX: u32 = 64;
/// How often the server is told to end a connection.
const KILLS_MAX: u32 = 3;
/// How long past its statement timeout a server may still be waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs a statement within the limits, the deadline and the caller's patience.
pub(super) async fn execute(pool: &Arc<Pool<Connector>>, asked: Execution<'_>) -> Result<Executed, BackendError> {
    let asked_at = Instant::now();
    let pooled = pool.acquire(asked.deadline, asked.cancel).await?;
    let started_at = Instant::now();
    let ends = asked.deadline.min(started_at + pool.limits().statement_timeout + PATIENCE);
    let killer = pooled.killer()?;
    let call = Call {
        statement: Arc::clone(asked.statement),
        values: asked.values.to_vec(),
        limits: asked.limits,
        form: asked.form,
    };
    let mut running = Running { call: Some(Box::pin(call.run(Lease::new(pooled)))), killer: Arc::clone(&killer) };
    let rows = tokio::select! {
        biased;
        ended = &mut running => ended.settle(killer),
        () = asked.cancel.cancelled() => Err(BackendError::of(ErrorKind::Cancelled)),
        () = tokio::time::sleep_until(ends) => Err(BackendError::of(ErrorKind::Timeout)),
    }?;
    Ok(Executed { rows, waited: started_at - asked_at, ran: started_at.elapsed() })
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

impl Ended {
    /// The rows. The connection goes back if nothing more of the answer is on its way.
    fn settle(mut self, killer: Arc<Killer>) -> Result<Rows, BackendError> {
        if self.lease.connection().is_ok_and(|connection| !connection.busy) {
            self.lease.release();
        } else if self.outcome.is_ok() {
            // A limit cut the answer. Closing the connection ends the statement at the next row; killing it, if it computes first.
            tokio::spawn(async move { killer.kill().await });
        }
        self.outcome
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
        let prepared = prepare::prepared(connection, &self.statement).await?;
        connection.busy = true;
        let outcome = self.exchange(connection, &prepared, Params::Positional(bound)).await;
        let at_rest = match &outcome {
            Ok(answer) => answer.end == End::Read,
            Err(Failure::Driver(driver)) => error::leaves_the_connection(driver),
            Err(Failure::Ours(_)) => false,
        };
        if at_rest {
            connection.busy = false;
            prepare::done(connection, &self.statement, &prepared).await?;
        }
        match outcome {
            Ok(answer) => Ok(answer.rows),
            Err(Failure::Driver(driver))
                if self.statement.footprint().recursive && error::is_recursion_bound(&driver) =>
            {
                Err(BackendError { kind: ErrorKind::Recursion, ..error::backend_error(driver) })
            }
            Err(Failure::Driver(driver)) => Err(error::backend_error(driver)),
            Err(Failure::Ours(error)) => Err(error),
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

/// The rows, and whether the statement's own end was read.
struct Answer {
    rows: Rows,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Read,
    /// A limit cut the answer, and the rest of it is still on its way.
    NotRead,
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

/// The key of a row, where the statement is paged by one and it can be bound again as it is.
fn key(prepared: &Prepared, row: &Row) -> Result<Option<Vec<Value>>, Malformed> {
    let mut values = Vec::with_capacity(prepared.key.len());
    for place in &prepared.key {
        let encoding = prepared.encodings.get(*place).ok_or(Malformed)?;
        values.push(encoding.value(row.as_ref(*place).ok_or(Malformed)?)?);
    }
    Ok(values.into_iter().collect::<Option<Vec<_>>>().filter(|values| !values.is_empty()))
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

type BoxCall = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// A call under way. Dropped before it ended, its connection is killed in the server and closed.
struct Running {
    call: Option<BoxCall>,
    killer: Arc<Killer>,
}

impl Future for Running {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let Some(call) = &mut self.call else { return Poll::Pending };
        let ended = std::task::ready!(call.as_mut().poll(cx));
        self.call = None;
        Poll::Ready(ended)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        // Without a runtime nothing can be sent: dropping the call closes its connection.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(abandon(call, Arc::clone(&self.killer)));
        }
    }
}

/// Ends a call that nobody waits for. Its connection goes back only if the statement had ended by itself; it stays on loan until the
/// server was told, so that the server never has more of them than the pool.
async fn abandon(mut call: BoxCall, killer: Arc<Killer>) {
    if let Some(ended) = call.as_mut().now_or_never() {
        // What it said is of no use to anybody now.
        let _ = ended.settle(killer);
        return;
    }
    for _ in 0..KILLS_MAX {
        if killer.kill().await.is_ok() {
            return;
        }
    }
    tracing::warn!("the server could not be told to end a statement that nobody waits for; its connection is closed");
}
