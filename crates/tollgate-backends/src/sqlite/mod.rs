//! SQLite, embedded. Files are opened for reading only and never created; each connection has a thread of its own, so that no
//! statement ever blocks the runtime, and goes back to the pool only by that thread's hand, after a statement's own end.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;
use tollgate_core::{
    catalog::Catalog,
    names::{Dialect, Value},
    sql::{CheckedStatement, Described, Reach},
};

use self::{call::Call, connect::FileConnector, execute::Engine};
use crate::{
    Backend, BackendError, BoxFuture, ErrorKind, Executed, Execution, Finding, FoundFunction, NarrowLogin, PoolLimits,
    PoolStatus,
    pool::{Pool, Pooled},
};

mod authorizer;
mod call;
mod check_list;
mod connect;
mod error;
mod execute;
mod hash;
mod introspect;
mod permissions;
#[cfg(any(test, feature = "testing"))]
pub mod raw;
mod recursion;
mod text;
mod types;
mod value;

/// How long a call that is over waits for its statement to be seen to end. One that is deep in a single instruction may not;
/// its connection then stays on loan until it does, and the caller has its answer.
const GRACE: Duration = Duration::from_millis(50);
/// What our own work may take at the least, however short statements are kept: a slow machine reads a policy with groups for a while.
const OWN_WORK: Duration = Duration::from_secs(30);

/// A SQLite file. Nothing is opened yet: a file that is not there makes every call `Unavailable` until it is.
pub fn open(path: impl Into<PathBuf>, limits: PoolLimits) -> Result<Arc<dyn Backend>, BackendError> {
    Ok(Arc::new(Sqlite::new(path.into(), limits)?))
}

struct Sqlite {
    pool: Pool<FileConnector>,
    /// Connections that still work for a call that is over.
    overdue: Arc<AtomicU32>,
}

/// A call that is dropped before its answer came is cancelled.
struct CancelOnDrop(Arc<Call>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
        self.0.left();
    }
}

/// A connection while its thread has it, and whom it works for.
struct Loan {
    _lent: Pooled<FileConnector>,
    call: Arc<Call>,
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.call.ended();
    }
}

impl Sqlite {
    fn new(path: PathBuf, limits: PoolLimits) -> Result<Self, BackendError> {
        Ok(Self { pool: Pool::new(FileConnector::new(path), limits)?, overdue: Arc::default() })
    }

    /// Does a statement's work.
    async fn run<T: Send + 'static>(
        &self,
        deadline: Instant,
        cancel: &CancellationToken,
        work: impl for<'c> FnOnce(&mut Engine<'c>) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<(T, Duration), BackendError> {
        self.lend((deadline, self.pool.limits().statement_timeout), cancel, work).await
    }

    /// Lends a connection and does some work on its thread, until the deadline and for so long at the most. Returns the work's answer and the time waited for a connection.
    async fn lend<T: Send + 'static>(
        &self,
        (deadline, most): (Instant, Duration),
        cancel: &CancellationToken,
        work: impl for<'c> FnOnce(&mut Engine<'c>) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<(T, Duration), BackendError> {
        let asked = Instant::now();
        let lent = self.pool.acquire(deadline, cancel).await?;
        let waited = asked.elapsed();
        let ends = deadline.min(Instant::now() + most);
        let call = Arc::new(Call::new(ends.into_std(), Arc::clone(&self.overdue)));
        let (reply, mut answer) = oneshot::channel();
        let jobs = lent.jobs();
        let job = {
            let call = Arc::clone(&call);
            let loan = Loan { _lent: lent, call: Arc::clone(&call) };
            move |engine: &mut Engine<'_>| {
                let done = catch_unwind(AssertUnwindSafe(|| engine.work_for(call, work))).unwrap_or_else(|_panic| {
                    engine.condemn();
                    Err(BackendError::new(ErrorKind::Internal, "a panic while working with SQLite"))
                });
                // Only now, after the statement's own end, may another call have the connection.
                drop(loan);
                // Nobody waits any more when this fails.
                let _ = reply.send(done);
            }
        };
        let _cancel_on_drop = CancelOnDrop(Arc::clone(&call));
        jobs.try_send(Box::new(job)).map_err(|_gone| BackendError::of(ErrorKind::Unavailable))?;
        let over = tokio::select! {
            biased;
            done = &mut answer => return finished(done, waited),
            () = cancel.cancelled() => ErrorKind::Cancelled,
            () = tokio::time::sleep_until(ends) => ErrorKind::Timeout,
        };
        if over == ErrorKind::Cancelled {
            call.cancel();
        }
        match tokio::time::timeout(GRACE, answer).await {
            Ok(done) => finished(done, waited),
            Err(_still_running) => Err(BackendError::of(over)),
        }
    }

    /// Work of our own.
    async fn run_own<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&mut Engine<'c>) -> Result<T, BackendError> + Send + 'static,
    ) -> Result<T, BackendError> {
        let limits = self.pool.limits();
        let most = limits.statement_timeout.max(OWN_WORK);
        let deadline = Instant::now() + limits.acquire_timeout + most;
        self.lend((deadline, most), &CancellationToken::new(), work).await.map(|(done, _)| done)
    }
}

fn finished<T>(
    done: Result<Result<T, BackendError>, oneshot::error::RecvError>,
    waited: Duration,
) -> Result<(T, Duration), BackendError> {
    match done {
        Ok(done) => done.map(|value| (value, waited)),
        Err(gone) => Err(BackendError::new(ErrorKind::Unavailable, gone)),
    }
}

impl Backend for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn introspect(&self) -> BoxFuture<'_, Result<Catalog, BackendError>> {
        Box::pin(self.run_own(|engine: &mut Engine<'_>| engine.introspect()))
    }

    /// A file has no functions of its own, and the library's are all in the reviewed list or left out of it.
    fn functions<'a>(&'a self, _: &'a [(String, String)]) -> BoxFuture<'a, Result<Vec<FoundFunction>, BackendError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn describe<'a>(&'a self, statement: &'a CheckedStatement) -> BoxFuture<'a, Result<Described, BackendError>> {
        let statement = statement.clone();
        Box::pin(self.run_own(move |engine: &mut Engine<'_>| engine.describe(&statement)))
    }

    fn execute<'a>(&'a self, execution: Execution<'a>) -> BoxFuture<'a, Result<Executed, BackendError>> {
        let statement = Arc::clone(execution.statement);
        let values = execution.values.to_vec();
        let (limits, form) = (execution.limits, execution.form);
        Box::pin(async move {
            let work = move |engine: &mut Engine<'_>| engine.execute(&statement, &values, limits, form);
            let ((rows, ran), waited) = self.run(execution.deadline, execution.cancel, work).await?;
            Ok(Executed { rows, waited, ran })
        })
    }

    fn plan<'a>(
        &'a self,
        statement: &'a CheckedStatement,
        values: &'a [Value],
    ) -> BoxFuture<'a, Result<String, BackendError>> {
        let statement = statement.clone();
        let values = values.to_vec();
        Box::pin(self.run_own(move |engine: &mut Engine<'_>| engine.plan(&statement, &values)))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), BackendError>> {
        Box::pin(self.run_own(|engine: &mut Engine<'_>| engine.probe()))
    }

    fn examine<'a>(&'a self, _reach: Option<&'a Reach>) -> BoxFuture<'a, Result<Vec<Finding>, BackendError>> {
        Box::pin(async { permissions::examine(self.pool.connector().path()) })
    }

    fn harden<'a>(&'a self, login: &'a NarrowLogin<'a>) -> BoxFuture<'a, Result<String, BackendError>> {
        Box::pin(async { Ok(permissions::harden(self.pool.connector().path(), login)) })
    }

    fn pool_status(&self) -> PoolStatus {
        PoolStatus { overdue: self.overdue.load(Ordering::Relaxed), ..self.pool.status() }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.pool.close())
    }
}

#[cfg(test)]
mod tests;
