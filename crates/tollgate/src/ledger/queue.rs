//! What waits for the writer: callers add, the writer takes all there is. Bounded; never blocks a caller.

use std::{
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;
use tollgate_core::audit::{Fields, OpenCall};

/// What a caller is told: durable, or why not.
pub(super) type Done = oneshot::Sender<Result<(), Arc<str>>>;

/// A record on its way to the disk.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) fields: Fields,
    pub(super) effect: Effect,
    pub(super) done: Option<Done>,
}

/// What a record does to the calls that are open.
#[derive(Debug)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// An intent.
    Opens(OpenCall<'static>),
    /// An outcome.
    Closes(OpenCall<'static>),
}

impl Entry {
    /// A record that nobody waits for.
    pub(super) fn noted(fields: Fields) -> Self {
        Self { fields, effect: Effect::None, done: None }
    }
}

/// Whether a record may be turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// When too many wait.
    Bounded,
    /// Never: it is the outcome of an intent, and those are bounded themselves.
    Reserved,
}

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Too many wait.
    Full,
    /// The log was shut down.
    Closed,
}

/// Whether more may come.
#[derive(Debug)]
pub(super) enum Drained {
    /// Yes.
    Open,
    /// No. The sender is that of an orderly shutdown.
    Closed(Option<Done>),
}

#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    closed: bool,
    shutdown: Option<Done>,
}

impl Queue {
    pub(super) fn new(max: usize) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), max }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, entry: Entry, room: Room) -> Result<(), Refused> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Refused::Closed);
        }
        if room == Room::Bounded && waiting.entries.len() >= self.max {
            return Err(Refused::Full);
        }
        waiting.entries.push(entry);
        let first = waiting.entries.len() == 1;
        drop(waiting);
        if first {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Takes all that waits into an empty vector, after waiting for something to come, at most so long.
    pub(super) fn drain(&self, into: &mut Vec<Entry>, patience: Duration) -> Drained {
        let guard = self.lock();
        let (mut waiting, _) = self
            .arrived
            .wait_timeout_while(guard, patience, |w| w.entries.is_empty() && !w.closed)
            .unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut waiting.entries, into);
        if waiting.closed { Drained::Closed(waiting.shutdown.take()) } else { Drained::Open }
    }

    /// Takes nothing more in. Says whether it was open.
    pub(super) fn close(&self, shutdown: Option<Done>) -> bool {
        let mut waiting = self.lock();
        if waiting.closed {
            return false;
        }
        waiting.closed = true;
        waiting.shutdown = shutdown;
        drop(waiting);
        self.arrived.notify_one();
        true
    }

    pub(super) fn len(&self) -> usize {
        self.lock().entries.len()
    }
}
