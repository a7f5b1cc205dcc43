//! The pool over connections that are numbers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Connector, Pool};
use crate::{BackendError, ErrorKind, PoolLimits, PoolStatus};

#[derive(Default)]
struct Counting {
    made: AtomicUsize,
    open: Arc<AtomicUsize>,
    hang: AtomicBool,
    fail: AtomicBool,
}

struct Connection {
    number: usize,
    broken: bool,
    open: Arc<AtomicUsize>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Connector for Counting {
    type Connection = Connection;

    async fn connect(&self) -> Result<Connection, BackendError> {
        if self.fail.load(Ordering::SeqCst) {
            return Err(BackendError::of(ErrorKind::Unavailable));
        }
        if self.hang.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.open.fetch_add(1, Ordering::SeqCst);
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        Ok(Connection { number, broken: false, open: Arc::clone(&self.open) })
    }

    fn is_usable(connection: &Connection) -> bool {
        !connection.broken
    }
}

fn pool(max: u32) -> Pool<Counting> {
    let limits = PoolLimits { max, acquire_timeout: Duration::from_millis(100), ..PoolLimits::default() };
    Pool::new(Counting::default(), limits).unwrap()
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3_600)
}

fn open(pool: &Pool<Counting>) -> usize {
    pool.connector().open.load(Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn a_full_pool_refuses_after_acquire_timeout_and_lends_again_when_one_is_back() {
    let pool = pool(2);
    let cancel = CancellationToken::new();
    let first = pool.acquire(far(), &cancel).await.unwrap();
    let _second = pool.acquire(far(), &cancel).await.unwrap();
    let asked = Instant::now();
    let refused = pool.acquire(far(), &cancel).await.err().unwrap();
    assert_eq!(refused.kind, ErrorKind::PoolTimeout);
    assert_eq!(asked.elapsed(), Duration::from_millis(100));
    assert_eq!(pool.status(), PoolStatus { size: 2, in_use: 2, waiting: 0, max: 2, overdue: 0 });
    let number = first.number;
    drop(first);
    assert_eq!(pool.acquire(far(), &cancel).await.unwrap().number, number);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_and_a_cancel_end_the_wait_early() {
    let pool = pool(1);
    let cancel = CancellationToken::new();
    let _lent = pool.acquire(far(), &cancel).await.unwrap();
    let asked = Instant::now();
    let refused = pool.acquire(asked + Duration::from_millis(10), &cancel).await.err().unwrap();
    assert_eq!((refused.kind, asked.elapsed()), (ErrorKind::PoolTimeout, Duration::from_millis(10)));
    cancel.cancel();
    let refused = pool.acquire(far(), &cancel).await.err().unwrap();
    assert_eq!(refused.kind, ErrorKind::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_is_unavailable_and_not_busy() {
    let pool = pool(2);
    let cancel = CancellationToken::new();
    pool.connector().hang.store(true, Ordering::SeqCst);
    assert_eq!(pool.acquire(far(), &cancel).await.err().unwrap().kind, ErrorKind::Unavailable);
    pool.connector().hang.store(false, Ordering::SeqCst);
    pool.connector().fail.store(true, Ordering::SeqCst);
    assert_eq!(pool.acquire(far(), &cancel).await.err().unwrap().kind, ErrorKind::Unavailable);
    pool.connector().fail.store(false, Ordering::SeqCst);
    let _a = pool.acquire(far(), &cancel).await.unwrap();
    let _b = pool.acquire(far(), &cancel).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn broken_and_discarded_connections_are_made_anew() {
    let pool = pool(1);
    let cancel = CancellationToken::new();
    let mut lent = pool.acquire(far(), &cancel).await.unwrap();
    lent.broken = true;
    drop(lent);
    let lent = pool.acquire(far(), &cancel).await.unwrap();
    assert_eq!((lent.number, open(&pool)), (1, 1));
    lent.discard();
    assert_eq!(open(&pool), 0);
    assert_eq!(pool.acquire(far(), &cancel).await.unwrap().number, 2);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_close_from_their_return_on() {
    let pool = pool(2);
    let cancel = CancellationToken::new();
    let lent = pool.acquire(far(), &cancel).await.unwrap();
    tokio::time::sleep(Duration::from_secs(300)).await;
    drop(lent);
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(open(&pool), 1, "used 29 seconds ago");
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!((open(&pool), pool.status().size), (0, 0), "idle for longer than 30 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_connection_does_not_outlive_its_age_however_busy() {
    let pool = pool(1);
    let cancel = CancellationToken::new();
    for _ in 0..31 * 6 {
        drop(pool.acquire(far(), &cancel).await.unwrap());
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    assert_eq!((pool.connector().made.load(Ordering::SeqCst), open(&pool)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn close_waits_for_what_is_lent_and_refuses_what_comes() {
    let pool = Arc::new(pool(3));
    let cancel = CancellationToken::new();
    let lent = pool.acquire(far(), &cancel).await.unwrap();
    drop(pool.acquire(far(), &cancel).await.unwrap());
    let closing = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { pool.close().await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!closing.is_finished());
    assert_eq!(pool.acquire(far(), &cancel).await.err().unwrap().kind, ErrorKind::Unavailable);
    drop(lent);
    closing.await.unwrap();
    assert_eq!(open(&pool), 0);
}

#[tokio::test]
async fn three_hundred_callers_share_four_connections() {
    let patient = PoolLimits { max: 4, acquire_timeout: Duration::from_secs(20), ..PoolLimits::default() };
    let pool = Arc::new(Pool::new(Counting::default(), patient).unwrap());
    let callers = (0..300).map(|_| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move {
            let deadline = Instant::now() + Duration::from_secs(20);
            let Ok(lent) = pool.acquire(deadline, &CancellationToken::new()).await else { return 0 };
            assert!(pool.status().in_use <= 4);
            tokio::time::sleep(Duration::from_micros(200)).await;
            drop(lent);
            1
        })
    });
    let mut served = 0;
    for caller in callers.collect::<Vec<_>>() {
        served += caller.await.unwrap();
    }
    assert_eq!(served, 300);
    assert!(open(&pool) <= 4);
}
