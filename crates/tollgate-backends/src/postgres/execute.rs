//! One call on one connection, from the bound values to the last row. A call that its caller leaves is cancelled in the
//! database and read to its end in the background; its connection is closed once a cancel request was sent for it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use futures_util::{
    StreamExt as _,
    future::{MaybeDone, maybe_done},
};
use tokio_postgres::{Client, Row, RowStream, error::Severity};
use tollgate_core::{
    names::{ResultForm, Value},
    sql::{Author, CheckedStatement, tree::Slot},
};

use super::{
    bind::{self, Bound},
    connect::{Canceller, Connector, Lease, Pattern},
    error, estimate,
    inbound::{Inbound, Passed, TooLong},
    prepare::{self, Prepared},
    value::{Malformed, Raw},
};
use crate::{
    BackendError, ErrorKind, Executed, Execution, ReadLimits, Rows,
    json::{Reading, RowsWriter},
    pool::Pool,
    server::call::{self, Answer, End, Ending, Pending, SURPLUS_TIME_MAX},
};

/// How much of that rest is read, in bytes, before its connection is closed.
const SURPLUS_BYTES_MAX: usize = 1 << 20;
/// How long a cancelled statement may take to end before it is cancelled again: a request that reaches the server before
/// the statement does is lost.
const CANCELLED_TIME_MAX: Duration = Duration::from_millis(100);
/// How often a statement is cancelled before its connection is closed on it.
const CANCELS_MAX: u32 = 5;

/// Why a call ended without rows.
pub(super) enum Failure {
    /// The driver or the server said so.
    Driver(tokio_postgres::Error),
    /// We did.
    Ours(BackendError),
}

/// Runs a statement within the limits, the deadline and the caller's patience.
pub(super) async fn execute(pool: &Arc<Pool<Connector>>, asked: Execution<'_>) -> Result<Executed, BackendError> {
    call::run(pool, &asked, |mut lease| {
        let canceller = Arc::clone(&lease.connection()?.canceller);
        let left = Arc::new(AtomicBool::new(false));
        let call = Call {
            pool: Arc::clone(pool),
            statement: Arc::clone(asked.statement),
            values: asked.values.to_vec(),
            limits: asked.limits,
            form: asked.form,
            cost_max: asked.cost_max,
            left: Arc::clone(&left),
        };
        Ok((Cancelling { canceller, left }, Box::pin(call.run(lease)) as Pending<Ended>))
    })
    .await
}

/// A call and all it needs, so that it can go on without its caller.
struct Call {
    pool: Arc<Pool<Connector>>,
    statement: Arc<CheckedStatement>,
    values: Vec<Value>,
    limits: ReadLimits,
    form: ResultForm,
    cost_max: Option<u32>,
    /// Whether the caller has left, so that nothing more is to be started.
    left: Arc<AtomicBool>,
}

/// How a call ended, and the connection it ended on.
struct Ended {
    lease: Lease,
    outcome: Result<Answer, Failure>,
}

impl Call {
    async fn run(self, mut lease: Lease) -> Ended {
        let mut outcome = self.run_on(&mut lease).await;
        if outcome.is_err() && lease.connection().is_ok_and(|connection| connection.inbound.passed().is_some()) {
            outcome = Err(BackendError::new(ErrorKind::Resources, TooLong).into());
        }
        Ended { lease, outcome }
    }

    async fn run_on(self, lease: &mut Lease) -> Result<Answer, Failure> {
        let connection = lease.connection()?;
        let shapes = &self.pool.connector().shapes;
        let mut first_attempt = true;
        loop {
            let prepared = prepare::prepared(connection, shapes, &self.statement).await?;
            if let (Some(most), Some(estimate)) = (self.cost_max, self.statement.estimate()) {
                let page = [Slot::Limit, Slot::Offset].map(|bound| self.rows_of(&bound));
                estimate::refuse_over(&connection.client, estimate, page, most).await?;
            }
            let bound = bind::bind(&self.values, prepared.statement.params())
                .map_err(|error| BackendError::new(ErrorKind::Data, error))?;
            if self.left.load(Ordering::Acquire) {
                return Err(BackendError::of(ErrorKind::Cancelled).into());
            }
            connection.inbound.expect_rows(self.limits.bytes_max);
            let inbound = &connection.inbound;
            let exchange = Exchange { prepared: &prepared, limits: self.limits, form: self.form, inbound };
            let outcome = match connection.pattern {
                Pattern::Autocommit => exchange.alone(&connection.client, bound).await,
                Pattern::Transaction => exchange.in_transaction(&connection.client, bound).await,
            };
            match outcome {
                // The server refused the statement before it ran, so that it may be sent once more.
                Err(Failure::Driver(error)) if first_attempt && error::is_stale_plan(&error) => {
                    connection.statements.forget(self.statement.fingerprint());
                    first_attempt = false;
                }
                Err(Failure::Driver(error))
                    if self.statement.footprint().recursive && error::is_recursion_bound(&error) =>
                {
                    let error = BackendError { kind: ErrorKind::Recursion, ..error::backend_error(error) };
                    return Err(error.into());
                }
                Err(failure) if matches!(self.statement.author(), Author::Caller { .. }) => {
                    return Err(prepare::own_fault(failure, error::fault_while_running));
                }
                outcome => return outcome,
            }
        }
    }
}

impl Call {
    /// The value of a bound of the page.
    fn rows_of(&self, bound: &Slot) -> u64 {
        let uses = self.statement.slots().iter().zip(&self.values);
        let value = uses.filter(|(used, _)| used.slot == *bound).map(|(_, value)| value).next();
        match value {
            Some(Value::Integer(rows)) => u64::try_from(*rows).unwrap_or(0),
            _ => 0,
        }
    }
}

/// What ends a call: it is cancelled in the database and read to its end.
struct Cancelling {
    canceller: Arc<Canceller>,
    left: Arc<AtomicBool>,
}

impl Ending for Cancelling {
    type Ended = Ended;

    fn settle(self, ended: Ended) -> Result<Rows, BackendError> {
        let at_rest = match &ended.outcome {
            Ok(answer) if answer.end == End::NotRead => {
                // Closing the connection ends the statement at the next row; a cancel request, if it computes first.
                tokio::spawn(async move { self.canceller.cancel().await });
                false
            }
            Ok(_) => true,
            // The server's fatal errors end the session too.
            Err(Failure::Driver(error)) => {
                error.as_db_error().is_some_and(|refused| refused.parsed_severity() == Some(Severity::Error))
            }
            // Refused before anything was sent, or after the answer to it was read.
            Err(Failure::Ours(error)) => {
                matches!(
                    error.kind,
                    ErrorKind::Data
                        | ErrorKind::Changed
                        | ErrorKind::Cancelled
                        | ErrorKind::Statement(_)
                        | ErrorKind::Recursion
                        | ErrorKind::Cost
                )
            }
        };
        if at_rest {
            ended.lease.release();
        }
        Ok(ended.outcome?.rows)
    }

    fn leave(&self) {
        self.left.store(true, Ordering::Release);
    }

    /// After a cancel request the connection is closed, even if the request was what ended the statement: PostgreSQL's postmaster
    /// signals the backend and its process group, so that one request interrupts twice, and the second time may hit the connection's
    /// next user.
    async fn stop(self, mut call: Pending<Ended>) {
        for attempt in 1..=CANCELS_MAX {
            // A request that could not be sent is sent again below, and in the end the connection is closed all the same.
            let _ = self.canceller.cancel().await;
            if tokio::time::timeout(CANCELLED_TIME_MAX * attempt, call.as_mut()).await.is_ok() {
                return;
            }
        }
        tracing::warn!("a statement that nobody waits for did not end when it was cancelled; its connection is closed");
    }
}

/// A prepared statement's trip to the server and back.
struct Exchange<'a> {
    prepared: &'a Prepared,
    limits: ReadLimits,
    form: ResultForm,
    inbound: &'a Inbound,
}

impl Exchange<'_> {
    /// The statement as a transaction of its own, read-only by the session's default.
    async fn alone(self, client: &Client, bound: Vec<Bound>) -> Result<Answer, Failure> {
        let stream = client.query_raw(&self.prepared.statement, bound).await?;
        self.read(stream).await
    }

    /// The statement within `BEGIN READ ONLY` and `COMMIT`, all three sent before the first is answered. Were BEGIN to
    /// fail, the statement would still run under the session's read-only default, and its rows are not used.
    async fn in_transaction(self, client: &Client, bound: Vec<Bound>) -> Result<Answer, Failure> {
        let mut begin = Box::pin(maybe_done(client.batch_execute("BEGIN READ ONLY")));
        let mut query = Box::pin(maybe_done(client.query_raw(&self.prepared.statement, bound)));
        let mut commit = Box::pin(maybe_done(client.batch_execute("COMMIT")));
        // The first poll of each is what sends it.
        std::future::poll_fn(|cx| {
            let _ = begin.as_mut().poll(cx);
            let _ = query.as_mut().poll(cx);
            let _ = commit.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        let opened = finished(begin).await;
        let answer = match finished(query).await {
            Ok(stream) => self.read(stream).await,
            Err(failure) => Err(failure),
        };
        if matches!(&answer, Ok(Answer { end: End::NotRead, .. })) {
            return opened.and(answer);
        }
        let committed = finished(commit).await;
        match (opened, committed) {
            (Ok(()), Ok(())) => answer,
            // Hit by a request meant for the statement, or the connection is gone: the rows are not vouched for.
            (Err(failure), _) | (_, Err(failure)) => Err(BackendError::from(failure).into()),
        }
    }

    /// The rows within the limits. An answer that a limit cut is read on for a moment, so that its connection can be kept.
    async fn read(self, stream: RowStream) -> Result<Answer, Failure> {
        let mut stream = Box::pin(stream);
        let keys = self.prepared.keys.of(self.form);
        let mut writer = RowsWriter::new(&keys, self.limits);
        let encodings = &self.prepared.encodings;
        let mut last = None;
        loop {
            let row = match stream.next().await {
                None => return Ok(Answer { rows: writer.finish(), end: End::Read }),
                Some(Ok(row)) => row,
                Some(Err(_)) if self.inbound.passed() == Some(Passed::Row) => {
                    writer.leave_out();
                    break;
                }
                Some(Err(error)) => return Err(error.into()),
            };
            if self.is_over(&row)? {
                writer.leave_out();
                break;
            }
            let reading = writer.row(|index, out| {
                let Raw(raw) = row.try_get(index)?;
                let encoding = encodings.get(index).ok_or_else(|| BackendError::of(ErrorKind::Internal))?;
                encoding.write(out, raw).map_err(malformed)
            })?;
            match reading {
                Reading::More => last = Some(row),
                Reading::Full => break,
            }
        }
        let key = last.map(|row| self.key(&row)).transpose()?.flatten();
        let end = match tokio::time::timeout(SURPLUS_TIME_MAX, drain(&mut stream)).await {
            Ok(Err(error)) if self.inbound.passed().is_none() => return Err(error.into()),
            Ok(Ok(end)) => end,
            Ok(Err(_)) | Err(_) => End::NotRead,
        };
        Ok(Answer { rows: Rows { key, ..writer.finish() }, end })
    }

    /// Whether a row cannot fit by one value alone, so that it need not be written to know: escapes make a text six times as long.
    fn is_over(&self, row: &Row) -> Result<bool, Failure> {
        if row.raw_size_bytes() <= self.limits.bytes_max {
            return Ok(false);
        }
        for (index, encoding) in self.prepared.encodings.iter().enumerate() {
            let Raw(raw) = row.try_get(index)?;
            if encoding.written_min(raw.map_or(0, <[u8]>::len)) > self.limits.bytes_max {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The key of a row that a page ended with.
    fn key(&self, row: &Row) -> Result<Option<Vec<Value>>, Failure> {
        let Prepared { encodings, key, .. } = self.prepared;
        call::key(key.iter().map(|place| {
            let Raw(raw) = row.try_get(*place)?;
            let encoding = encodings.get(*place).ok_or_else(|| BackendError::of(ErrorKind::Internal))?;
            encoding.value(raw).map_err(malformed)
        }))
    }
}

fn malformed(error: Malformed) -> Failure {
    Failure::Ours(BackendError::new(ErrorKind::Internal, error))
}

/// What a driver's future yielded, now or in an earlier poll.
async fn finished<F, T>(mut future: Pin<Box<MaybeDone<F>>>) -> Result<T, Failure>
where
    F: Future<Output = Result<T, tokio_postgres::Error>>,
{
    future.as_mut().await;
    let output = future.as_mut().take_output();
    Ok(output.ok_or_else(|| BackendError::of(ErrorKind::Internal))??)
}

/// Reads rows up to a quota and keeps none.
async fn drain(stream: &mut Pin<Box<RowStream>>) -> Result<End, tokio_postgres::Error> {
    let mut bytes = 0_usize;
    while bytes < SURPLUS_BYTES_MAX {
        match stream.next().await.transpose()? {
            Some(row) => bytes = bytes.saturating_add(row.raw_size_bytes()),
            None => return Ok(End::Read),
        }
    }
    Ok(End::NotRead)
}
