//! The call that a connection's thread is working for. Whether to stop is a property of that call and of nothing else, so a
//! cancel that comes late finds its own call over and cannot hit the next one (which `sqlite3_interrupt` could).

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::ErrorKind;

/// How often SQLite asks whether to go on, in instructions of its virtual machine: some tens of microseconds,
/// unless values are long.
pub(super) const PROGRESS_STEPS: i32 = 1_000;

/// The longest wait for a lock when no call says how long it may take: while a connection is opened.
const LOCK_WAIT_MAX: Duration = Duration::from_millis(500);

/// The longest pause between two looks at a lock.
const LOCK_PAUSE_MAX: Duration = Duration::from_millis(8);

/// One call's end: by the clock, or because nobody wants its answer any more.
#[derive(Debug)]
pub(super) struct Call {
    ends: Instant,
    cancelled: AtomicBool,
    sides: Mutex<Sides>,
    overdue: Arc<AtomicU32>,
}

/// Who is done with a call.
#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    caller: bool,
    thread: bool,
}

impl Call {
    /// A call that is counted in `overdue` for as long as its thread works for it and its caller is gone.
    pub(super) fn new(ends: Instant, overdue: Arc<AtomicU32>) -> Self {
        Self { ends, cancelled: AtomicBool::new(false), sides: Mutex::default(), overdue }
    }

    /// The caller is gone, with an answer or without.
    pub(super) fn left(&self) {
        let mut sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        sides.caller = true;
        if !sides.thread {
            self.overdue.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The thread works for it no more, or never began to.
    pub(super) fn ended(&self) {
        let mut sides = self.sides.lock().unwrap_or_else(PoisonError::into_inner);
        sides.thread = true;
        if sides.caller {
            self.overdue.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Nobody wants the answer any more.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Why the call must stop, if it must.
    fn over(&self) -> Option<ErrorKind> {
        if self.cancelled.load(Ordering::Relaxed) {
            Some(ErrorKind::Cancelled)
        } else if Instant::now() >= self.ends {
            Some(ErrorKind::Timeout)
        } else {
            None
        }
    }
}

/// The call a connection works for now, shared with the hooks that SQLite calls on the same thread.
#[derive(Clone, Debug, Default)]
pub(super) struct CurrentCall(Arc<Mutex<Option<Arc<Call>>>>);

impl CurrentCall {
    pub(super) fn begin(&self, call: Arc<Call>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(call);
    }

    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the call at hand must stop, if there is one and it must.
    pub(super) fn over(&self) -> Option<ErrorKind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|call| call.over())
    }

    fn is_idle(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Whether to look at a lock once more, after a pause: another process writes. A call waits as long as it may take.
    pub(super) fn wait_for_lock(&self, looks: i32) -> bool {
        let pause = Duration::from_millis(1 << looks.clamp(0, 3)).min(LOCK_PAUSE_MAX);
        let waited = LOCK_PAUSE_MAX * looks.unsigned_abs();
        if self.over().is_some() || (self.is_idle() && waited >= LOCK_WAIT_MAX) {
            return false;
        }
        thread::sleep(pause);
        true
    }
}
