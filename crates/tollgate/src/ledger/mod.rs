//! The audit log of this process: every call is written down before it runs and before it is answered, or it is refused.
//!
//! One writer thread takes what waits, writes it at once, syncs once, and only then lets the callers go on. There is no
//! silent mode: when a record cannot be made durable, the call gets `TG701`. Nothing here knows what a tool or a
//! statement is, and nothing here ever changes or removes a record that was acknowledged.

mod counts;
mod error;
mod folder;
mod queue;
mod recover;
mod redaction_key;
mod space;
mod storage;
mod tail;
#[cfg(test)]
mod tests;
mod ticket;
mod writer;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;
use tollgate_core::{
    audit::{AggregateOf, Body, Redactor, Rejected, cut},
    names::{Code, Principal},
};
use ulid::Ulid;

use crate::clock::{Clock, SystemClock};

pub use error::LedgerError;
pub use tail::{Tail, Tailed};
pub use ticket::{CallHead, Failure, Intent, Outcome, Peer, Ticket};

use counts::{Admission, Counts};
use folder::Folder;
use queue::{Entry, Queue, Room};
use space::Level;
use storage::Storage;
use writer::Writer;

/// The most calls that may have an intent and no outcome yet.
const OPEN_MAX: usize = 8192;
/// The most records that may wait for the writer. A queue this long is a disk that does not answer.
const QUEUE_MAX: usize = 16_384;

/// Where and how the log is written.
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// `audit.dir`: the process takes a folder of its own below it.
    pub dir: PathBuf,
    /// The replica's name: 1 to 64 ASCII letters, digits, `_`, `-` and `.`, not starting with a dot.
    pub replica: String,
    /// What the process runs as: `serve`, `serve --stdio`, `call`.
    pub command: &'static str,
    /// When a segment is full. So much is reserved on the disk ahead of time.
    pub segment_bytes: u64,
    /// How long a caller waits for its record to be durable.
    pub strict_timeout: Duration,
    /// `audit.sensitive`: arguments and claims of these names are hashed, whatever else is said of them.
    pub sensitive: BTreeSet<String>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl LedgerConfig {
    /// The log below a directory, with everything else as it is by default.
    pub fn new(dir: impl Into<PathBuf>, command: &'static str) -> Self {
        Self {
            dir: dir.into(),
            replica: "local".to_owned(),
            command,
            segment_bytes: 256 << 20,
            strict_timeout: Duration::from_secs(2),
            sensitive: BTreeSet::new(),
            clock: Arc::new(SystemClock::default()),
        }
    }
}

/// The log, open for writing. Dropped without `shutdown`, it leaves the log as a crash would.
#[derive(Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
    name: String,
}

/// What the callers and the writer thread share.
#[derive(Debug)]
struct Shared {
    queue: Queue,
    counts: Counts,
    condition: ArcSwap<Condition>,
    /// Tickets with an intent and no outcome.
    open: AtomicUsize,
    stats: Stats,
    redactor: Redactor,
    sensitive: BTreeSet<String>,
    strict_timeout: Duration,
    clock: Arc<dyn Clock>,
}

/// Whether records can be written, as the writer last saw it.
#[derive(Clone, Debug)]
enum Condition {
    /// Yes.
    Writing,
    /// The disk is filling up.
    LowSpace(Level, Arc<str>),
    /// A write failed.
    Failed(Arc<str>),
    /// The log was shut down.
    Closed,
}

#[derive(Debug, Default)]
struct Stats {
    records: AtomicU64,
    bytes: AtomicU64,
    batches: AtomicU64,
    sync_ns: AtomicU64,
    failures: AtomicU64,
}

/// The log in figures, since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerStats {
    /// Records written.
    pub records: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Writes, each with one sync: `records / batches` is how well commits are shared.
    pub batches: u64,
    /// Time spent in sync.
    pub sync: Duration,
    /// Writes and syncs that failed.
    pub failures: u64,
    /// Records waiting for the writer now.
    pub queued: usize,
    /// Calls with an intent and no outcome now.
    pub open: usize,
}

impl Ledger {
    /// Locks a folder below the directory, reads what a process before left there, and begins to write.
    pub fn open_dir(config: LedgerConfig) -> Result<Self, LedgerError> {
        let folder = Folder::lock_first_free(&config.dir, &config.replica)?;
        let name = folder.name().to_owned();
        let redactor = redaction_key::load_or_make(&folder)?;
        Self::start(config, name, redactor, Box::new(folder))
    }

    fn start(
        config: LedgerConfig,
        name: String,
        redactor: Redactor,
        storage: Box<dyn Storage>,
    ) -> Result<Self, LedgerError> {
        let shared = Arc::new(Shared {
            queue: Queue::new(QUEUE_MAX),
            counts: Counts::default(),
            condition: ArcSwap::from_pointee(Condition::Writing),
            open: AtomicUsize::new(0),
            stats: Stats::default(),
            redactor,
            sensitive: config.sensitive,
            strict_timeout: config.strict_timeout,
            clock: config.clock,
        });
        let writer = Writer::begin(Arc::clone(&shared), storage, name.clone(), config.segment_bytes, config.command)?;
        thread::Builder::new()
            .name("tollgate-ledger".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| LedgerError::io("start the writer of", &config.dir, source))?;
        Ok(Self { shared, name })
    }

    /// The log's name, `<replica>-<slot>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins a call. From here on it will be in the log, whatever becomes of it.
    pub fn open(&self, head: &CallHead<'_>) -> Ticket {
        let ms = u64::try_from(self.shared.clock.now().as_millisecond()).unwrap_or_default();
        let id = Ulid::from_parts(ms, Ulid::generate().random());
        Ticket::new(Arc::clone(&self.shared), id.to_string(), head)
    }

    /// Notes a request that was refused before it was a call: one record if the caller is known and does not do it all
    /// the time, else a count.
    pub fn reject(&self, caller: Option<&Principal>, peer: &Peer<'_>, code: Code) {
        let now = self.shared.clock.now();
        let address = peer.address.map(|a| a.ip());
        let Some(caller) = caller else {
            return self.shared.counts.count(AggregateOf::Unauthenticated, None, code, address, now);
        };
        let agent = caller.agent().name().as_str();
        let counts = &self.shared.counts;
        if counts.admit(AggregateOf::Rejected, agent, code, address, now) == Admission::Counted {
            return;
        }
        let (agent_origin, os_user) = ticket::origin(caller);
        let rejected = Body::Rejected(Rejected {
            agent_id: Cow::Borrowed(agent),
            agent_origin,
            os_user: os_user.map(Cow::Borrowed),
            transport: Cow::Borrowed(peer.transport),
            peer: peer.address.map(|a| Cow::Owned(a.to_string())),
            client_self_reported: peer.client.map(|c| Cow::Borrowed(cut(c, 128))),
            error_code: Cow::Owned(code.to_string()),
            error_message: Cow::Borrowed(code.title()),
        });
        let entry = Entry::noted(rejected.encode());
        if !self.shared.may_note() || self.shared.queue.push(entry, Room::Bounded).is_err() {
            counts.count(AggregateOf::Rejected, Some(agent), code, address, now);
        }
    }

    /// Whether calls can be written down; if not, why not, for the operator.
    pub fn health(&self) -> Result<(), String> {
        match &**self.shared.condition.load() {
            Condition::Writing | Condition::LowSpace(Level::Warn, _) => Ok(()),
            Condition::LowSpace(_, why) | Condition::Failed(why) => Err(why.to_string()),
            Condition::Closed => Err(LedgerError::Closed.to_string()),
        }
    }

    /// The log in figures.
    pub fn stats(&self) -> LedgerStats {
        let stats = &self.shared.stats;
        LedgerStats {
            records: stats.records.load(Relaxed),
            bytes: stats.bytes.load(Relaxed),
            batches: stats.batches.load(Relaxed),
            sync: Duration::from_nanos(stats.sync_ns.load(Relaxed)),
            failures: stats.failures.load(Relaxed),
            queued: self.shared.queue.len(),
            open: self.shared.open.load(Relaxed),
        }
    }

    /// Writes what waits and the record `shutdown`, syncs, and lets the folder go. Calls opened after this are refused.
    pub async fn shutdown(&self) -> Result<(), LedgerError> {
        let (done, ended) = oneshot::channel();
        if !self.shared.queue.close(Some(done)) {
            return Err(LedgerError::Closed);
        }
        match ended.await {
            Ok(result) => result.map_err(LedgerError::Failed),
            Err(_) => Err(LedgerError::Failed("the audit writer stopped".into())),
        }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.shared.queue.close(None);
    }
}

impl Shared {
    /// Whether a new call may begin, which needs room for its intent and its outcome.
    fn may_begin(&self) -> Result<(), LedgerError> {
        match &**self.condition.load() {
            Condition::Writing | Condition::LowSpace(Level::Warn, _) => Ok(()),
            Condition::LowSpace(_, why) => Err(LedgerError::LowSpace(Arc::clone(why))),
            Condition::Failed(why) => Err(LedgerError::Failed(Arc::clone(why))),
            Condition::Closed => Err(LedgerError::Closed),
        }
    }

    /// Whether a refusal may still be written down.
    fn may_note(&self) -> bool {
        matches!(&**self.condition.load(), Condition::Writing | Condition::LowSpace(Level::Warn | Level::NoCalls, _))
    }
}
