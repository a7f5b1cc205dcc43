//! A call under way on a server's connection: it ends with its rows, at its deadline, or when its caller has no more patience. One that
//! is dropped before it ended is ended in the server too, in the background; it never leaves a statement running for nobody.

use std::{pin::Pin, time::Duration};

use futures_util::FutureExt as _;
use tokio::{sync::Semaphore, time::Instant};
use tollgate_core::names::Value;

use crate::{
    BackendError, ErrorKind, Executed, Execution, Rows,
    pool::{Connector, Lease, Pool},
};

/// How long past its statement timeout a server may still be waited for. Some of its functions look at no timeout.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the rest of an answer that a limit cut may take to arrive before its connection is closed.
pub(crate) const SURPLUS_TIME_MAX: Duration = Duration::from_millis(50);
/// How long telling a server to end something may take, the connection for it included.
const STOP_TIME_MAX: Duration = Duration::from_secs(2);

/// The rows, and whether the statement's own end was read.
pub(crate) struct Answer {
    pub(crate) rows: Rows,
    pub(crate) end: End,
}

/// How far an answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Read,
    /// A limit cut the answer, and the rest of it is still on its way.
    NotRead,
}

/// A call that can go on without its caller.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What an engine does when a call is over, in whatever way.
pub(crate) trait Ending: Send + 'static {
    /// How a call ended, and the connection it ended on.
    type Ended: Send + 'static;

    /// The rows. The connection goes back to the pool unless it may still be in the middle of something.
    fn settle(self, ended: Self::Ended) -> Result<Rows, BackendError>;

    /// The caller has left: the call is to start nothing more.
    fn leave(&self) {}

    /// Ends a call that nobody waits for and that has not ended by itself.
    fn stop(self, call: Pending<Self::Ended>) -> impl Future<Output = ()> + Send;
}

/// Runs a statement within the deadline and the caller's patience, as a call that `begin` makes of a connection.
pub(crate) async fn run<C: Connector, E: Ending>(
    pool: &Pool<C>,
    asked: &Execution<'_>,
    begin: impl FnOnce(Lease<C>) -> Result<(E, Pending<E::Ended>), BackendError>,
) -> Result<Executed, BackendError> {
    let asked_at = Instant::now();
    let lease = Lease::new(pool.acquire(asked.deadline, asked.cancel).await?);
    let started_at = Instant::now();
    let ends = asked.deadline.min(started_at + pool.limits().statement_timeout + PATIENCE);
    let mut running = Running(Some(begin(lease)?));
    let rows = tokio::select! {
        biased;
        rows = running.rows() => rows,
        () = asked.cancel.cancelled() => Err(BackendError::of(ErrorKind::Cancelled)),
        () = tokio::time::sleep_until(ends) => Err(BackendError::of(ErrorKind::Timeout)),
    }?;
    Ok(Executed { rows, waited: started_at - asked_at, ran: started_at.elapsed() })
}

/// A call under way; none when it has ended.
struct Running<E: Ending>(Option<(E, Pending<E::Ended>)>);

impl<E: Ending> Running<E> {
    async fn rows(&mut self) -> Result<Rows, BackendError> {
        let (_, call) = self.0.as_mut().ok_or_else(|| BackendError::of(ErrorKind::Internal))?;
        let ended = call.as_mut().await;
        let (ending, _) = self.0.take().ok_or_else(|| BackendError::of(ErrorKind::Internal))?;
        ending.settle(ended)
    }
}

impl<E: Ending> Drop for Running<E> {
    fn drop(&mut self) {
        let Some((ending, call)) = self.0.take() else { return };
        ending.leave();
        // Without a runtime nothing can be sent: dropping the call closes its connection.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(abandon(ending, call));
        }
    }
}

/// Sees to its end a call that nobody waits for.
async fn abandon<E: Ending>(ending: E, mut call: Pending<E::Ended>) {
    match call.as_mut().now_or_never() {
        Some(ended) => {
            // What it said is of no use to anybody now.
            let _ = ending.settle(ended);
        }
        None => ending.stop(call).await,
    }
}

/// Tells a server to end something, over a connection of its own. One at a time per server, so that a storm of cancelled calls cannot
/// use up the server's connections.
pub(crate) async fn tell(
    one_at_a_time: &Semaphore,
    telling: impl Future<Output = Result<(), BackendError>>,
) -> Result<(), BackendError> {
    let send = async {
        let permit = one_at_a_time.acquire().await;
        let _permit = permit.map_err(|error| BackendError::new(ErrorKind::Internal, error))?;
        telling.await
    };
    tokio::time::timeout(STOP_TIME_MAX, send)
        .await
        .unwrap_or_else(|elapsed| Err(BackendError::new(ErrorKind::Unavailable, elapsed)))
}

/// The key of a row that a page ended with, where the statement is paged by one and each value of it can be bound again as it is.
pub(crate) fn key<E>(values: impl Iterator<Item = Result<Option<Value>, E>>) -> Result<Option<Vec<Value>>, E> {
    let values: Option<Vec<Value>> = values.collect::<Result<_, E>>()?;
    Ok(values.filter(|values| !values.is_empty()))
}
