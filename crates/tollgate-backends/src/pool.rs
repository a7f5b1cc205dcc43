//! The bounded pool that every backend shares. It lends connections and counts them; it never runs a statement, never
//! retries one, and never lends a connection whose last user did not see the end of what it started.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use deadpool::managed::{self, QueueMode, RecycleError, RecycleResult};
use tokio::{sync::Notify, time::Instant};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{BackendError, ErrorKind, PoolLimits, PoolStatus};

/// The longest a connection lives, however busy it is: whatever an engine accumulates in one ends with it.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);

/// The longest that an idle connection outstays its `idle_timeout`.
const REAP_INTERVAL_MAX: Duration = Duration::from_secs(5);

/// What makes a backend's connections.
pub(crate) trait Connector: Send + Sync + 'static {
    /// A connection. Dropping one closes it.
    type Connection: Send + 'static;

    /// Opens a connection and pins everything about it that the backend relies on.
    fn connect(&self) -> impl Future<Output = Result<Self::Connection, BackendError>> + Send;

    /// A call gives it back, everything it was asked having been answered to its end.
    fn at_rest(_connection: &Self::Connection) {}

    /// Whether it can serve another call, without asking the database.
    fn is_usable(connection: &Self::Connection) -> bool;
}

/// At most `PoolLimits::max` connections, lent in the order of asking.
pub(crate) struct Pool<C: Connector> {
    inner: managed::Pool<Adapter<C>>,
    limits: PoolLimits,
    emptied: Arc<Notify>,
    reaper: OnceLock<AbortOnDropHandle<()>>,
}

impl<C: Connector> Pool<C> {
    /// An empty pool; the first connection is made by the first `acquire`.
    pub(crate) fn new(connector: C, limits: PoolLimits) -> Result<Self, BackendError> {
        let emptied = Arc::new(Notify::new());
        let inner = managed::Pool::builder(Adapter { connector, emptied: Arc::clone(&emptied) })
            .max_size(limits.max as usize)
            // The connection used last is lent first, so that what is not needed idles and is closed.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map_err(|error| BackendError::new(ErrorKind::Internal, error))?;
        Ok(Self { inner, limits, emptied, reaper: OnceLock::new() })
    }

    /// The bounds.
    pub(crate) fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    /// What makes the connections.
    pub(crate) fn connector(&self) -> &C {
        &self.inner.manager().connector
    }

    /// Lends a connection within `acquire_timeout`, and never past the deadline.
    pub(crate) async fn acquire(
        &self,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Pooled<C>, BackendError> {
        self.reaper.get_or_init(|| AbortOnDropHandle::new(tokio::spawn(reap(self.inner.weak(), self.limits))));
        let until = deadline.min(Instant::now() + self.limits.acquire_timeout);
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(BackendError::of(ErrorKind::Cancelled)),
            lent = tokio::time::timeout_at(until, self.inner.get()) => match lent {
                Ok(Ok(object)) => Ok(Pooled::lend(object)),
                Ok(Err(error)) => Err(lending_error(error)),
                Err(_elapsed) => Err(self.timed_out()),
            },
        }
    }

    /// Every connection lent and none came back: busy. Otherwise one was being made and the database did not answer.
    fn timed_out(&self) -> BackendError {
        let status = self.inner.status();
        let kind = if status.size >= status.max_size { ErrorKind::PoolTimeout } else { ErrorKind::Unavailable };
        BackendError::of(kind)
    }

    /// The pool, now.
    pub(crate) fn status(&self) -> PoolStatus {
        let status = self.inner.status();
        let in_use = status.size.saturating_sub(status.available);
        PoolStatus {
            size: status.size as u32,
            in_use: in_use as u32,
            waiting: status.waiting as u32,
            max: self.limits.max,
            overdue: 0,
        }
    }

    /// Lends no more, and waits until every connection has come back and is closed.
    pub(crate) async fn close(&self) {
        self.inner.close();
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            // Registered before looking, so that a connection that closes in between is not missed.
            emptied.as_mut().enable();
            if self.inner.status().size == 0 {
                return;
            }
            emptied.await;
        }
    }
}

/// A connection on loan. Dropping it returns it; whoever cannot vouch for its state says `discard`.
pub(crate) struct Pooled<C: Connector> {
    // Dropped before the object, in the order of the fields: the time stands when the connection is back.
    _returning: Returning,
    object: managed::Object<Adapter<C>>,
}

impl<C: Connector> Pooled<C> {
    fn lend(object: managed::Object<Adapter<C>>) -> Self {
        Self { _returning: Returning(Arc::clone(&object.idle_since)), object }
    }

    /// Closes the connection instead of returning it.
    pub(crate) fn discard(self) {
        drop(managed::Object::take(self.object));
    }
}

impl<C: Connector> Deref for Pooled<C> {
    type Target = C::Connection;

    fn deref(&self) -> &C::Connection {
        &self.object.connection
    }
}

impl<C: Connector> DerefMut for Pooled<C> {
    fn deref_mut(&mut self) -> &mut C::Connection {
        &mut self.object.connection
    }
}

/// A connection in use. Only one that is said to be at rest goes back to the pool; dropped in any other way it is closed,
/// so that nothing of one call can reach the next.
pub(crate) struct Lease<C: Connector>(Option<Pooled<C>>);

impl<C: Connector> Lease<C> {
    pub(crate) fn new(pooled: Pooled<C>) -> Self {
        Self(Some(pooled))
    }

    /// The connection; `None` never happens before `release`.
    pub(crate) fn connection(&mut self) -> Result<&mut C::Connection, BackendError> {
        self.0.as_deref_mut().ok_or_else(|| BackendError::of(ErrorKind::Internal))
    }

    /// Returns the connection: everything it was asked has been answered to its end.
    pub(crate) fn release(mut self) {
        if let Some(pooled) = self.0.take() {
            C::at_rest(&pooled);
        }
    }
}

impl<C: Connector> Drop for Lease<C> {
    fn drop(&mut self) {
        if let Some(pooled) = self.0.take() {
            pooled.discard();
        }
    }
}

/// Notes, on its drop, that the connection idles from now on.
struct Returning(Arc<Mutex<Instant>>);

impl Drop for Returning {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

/// A pooled connection with what decides how long it is kept.
struct Slot<T> {
    connection: T,
    made: Instant,
    idle_since: Arc<Mutex<Instant>>,
}

impl<T> Slot<T> {
    fn is_young(&self) -> bool {
        self.made.elapsed() < AGE_MAX
    }

    fn idled(&self) -> Duration {
        self.idle_since.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// Our connector in the words of `deadpool`.
struct Adapter<C> {
    connector: C,
    emptied: Arc<Notify>,
}

impl<C: Connector> managed::Manager for Adapter<C> {
    type Type = Slot<C::Connection>;
    type Error = BackendError;

    async fn create(&self) -> Result<Self::Type, BackendError> {
        let connection = self.connector.connect().await?;
        let now = Instant::now();
        Ok(Slot { connection, made: now, idle_since: Arc::new(Mutex::new(now)) })
    }

    async fn recycle(&self, slot: &mut Self::Type, _: &managed::Metrics) -> RecycleResult<BackendError> {
        if slot.is_young() && C::is_usable(&slot.connection) {
            return Ok(());
        }
        Err(RecycleError::message("broken or too old"))
    }

    fn detach(&self, _slot: &mut Self::Type) {
        self.emptied.notify_waiters();
    }
}

fn lending_error(error: managed::PoolError<BackendError>) -> BackendError {
    match error {
        managed::PoolError::Backend(error) => error,
        managed::PoolError::Closed => BackendError::of(ErrorKind::Unavailable),
        // No time limit, hook or runtime was given to the inner pool.
        error @ (managed::PoolError::Timeout(_)
        | managed::PoolError::NoRuntimeSpecified
        | managed::PoolError::PostCreateHook(_)) => BackendError::new(ErrorKind::Internal, error),
    }
}

/// Closes what idled too long or grew too old, for as long as there is a pool.
async fn reap<C: Connector>(pool: managed::WeakPool<Adapter<C>>, limits: PoolLimits) {
    let interval = (limits.idle_timeout / 4).clamp(Duration::from_millis(20), REAP_INTERVAL_MAX);
    loop {
        tokio::time::sleep(interval).await;
        let Some(pool) = pool.upgrade() else { return };
        let closed = pool.retain(|slot, _| slot.idled() < limits.idle_timeout && slot.is_young());
        // Dropped here, after the pool's lock is free again.
        drop(closed);
    }
}

#[cfg(test)]
mod tests;
