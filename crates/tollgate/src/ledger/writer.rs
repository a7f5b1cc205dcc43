//! The writer thread: takes all that waits, one write, one sync, then tells the callers. Never lingers, never tries a
//! failed write or sync again, never acknowledges what is not durable.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Read as _},
    mem,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tollgate_core::audit::{
    self, Body, Boot, Digest, Fields, Genesis, OpenCall, Recover, Rotate, RotateReason, Shutdown, Stamp, Status,
    write_line,
};
use ulid::Ulid;

use super::{
    Condition, LedgerError, Shared,
    queue::{Done, Drained, Effect, Entry},
    recover::{self, Ended, Found},
    space::Level,
    storage::{SegmentFile, Storage},
};

/// How often the writer looks around when nothing comes.
const TICK: Duration = Duration::from_secs(1);
/// The most bytes in one write, unless one line has more.
const BATCH_MAX: usize = 1 << 20;
/// The longest pause between two attempts to go on after a failure.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// What the writer thread owns.
pub(super) struct Writer {
    shared: Arc<Shared>,
    storage: Box<dyn Storage>,
    file: Box<dyn SegmentFile>,
    /// The segment that is written to, by its first `seq`.
    segment: u64,
    /// Its acknowledged bytes, and their CRC32C.
    length: u64,
    crc: u32,
    segment_bytes: u64,
    next_seq: u64,
    name: String,
    boot_id: String,
    open: BTreeMap<String, OpenCall<'static>>,
    /// Calls whose outcome was lost in a failure.
    orphans: Vec<OpenCall<'static>>,
    failure: Option<Retry>,
    looked_around: Duration,
    buffer: Vec<u8>,
}

/// When to try to go on after a failure.
#[derive(Clone, Copy, Debug)]
struct Retry {
    at: Duration,
    pause: Duration,
}

impl Writer {
    /// Takes over what a process before left, and writes the first records of this one.
    pub(super) fn begin(
        shared: Arc<Shared>,
        storage: Box<dyn Storage>,
        name: String,
        segment_bytes: u64,
        command: &'static str,
    ) -> Result<Self, LedgerError> {
        let failed = |error: &io::Error| LedgerError::Failed(format!("the audit log cannot be opened: {error}").into());
        let space = storage.space().map_err(|e| failed(&e))?;
        if space.level() >= Level::NoCalls {
            return Err(LedgerError::LowSpace(space.to_string().into()));
        }
        let found = recover::find(&*storage)?;
        let file = open_segment(&*storage, &found, segment_bytes).map_err(|e| failed(&e))?;
        let ms = u64::try_from(shared.clock.now().as_millisecond()).unwrap_or_default();
        let boot_id = Ulid::from_parts(ms, Ulid::generate().random()).to_string();
        let mut entries = first_records(&found, &shared, command);
        let mut writer = Self {
            looked_around: shared.clock.monotonic(),
            shared,
            storage,
            file,
            segment: found.segment,
            length: found.length,
            crc: found.crc,
            segment_bytes,
            next_seq: found.next_seq,
            name,
            boot_id,
            open: found.open,
            orphans: Vec::new(),
            failure: None,
            buffer: Vec::new(),
        };
        writer.commit(&mut entries).map_err(LedgerError::Failed)?;
        Ok(writer)
    }

    /// Writes until the queue is closed.
    pub(super) fn run(mut self) {
        let _stopped = Stopped(Arc::clone(&self.shared));
        let mut entries = Vec::new();
        loop {
            let drained = self.shared.queue.drain(&mut entries, TICK);
            self.look_around(&mut entries);
            // A failure is told to the callers and kept in `condition`.
            let _ = self.commit(&mut entries);
            if let Drained::Closed(shutdown) = drained {
                return self.end(shutdown);
            }
        }
    }

    /// Once a second: room on the disk, counted refusals, and going on after a failure.
    fn look_around(&mut self, entries: &mut Vec<Entry>) {
        let now = self.shared.clock.monotonic();
        if now.saturating_sub(self.looked_around) < TICK {
            return;
        }
        self.looked_around = now;
        if let Some(retry) = self.failure {
            if now < retry.at {
                return;
            }
            if let Err(error) = self.resume() {
                self.fail(&error);
                return;
            }
        }
        self.look_at_space();
        if self.shared.may_note() {
            entries.extend(self.counted());
        }
    }

    fn look_at_space(&self) {
        let condition = match self.storage.space() {
            Ok(space) if space.level() == Level::Fine => Condition::Writing,
            Ok(space) => Condition::LowSpace(space.level(), space.to_string().into()),
            Err(error) => Condition::LowSpace(
                Level::NoCalls,
                format!("the room on the audit log's disk is unknown: {error}").into(),
            ),
        };
        let before = self.shared.condition.swap(Arc::new(condition.clone()));
        if mem::discriminant(&*before) != mem::discriminant(&condition) {
            if let Condition::LowSpace(_, why) = &condition {
                tracing::warn!(log = self.name, "{why}");
            } else {
                tracing::info!(log = self.name, "the audit log is written again");
            }
        }
    }

    fn counted(&self) -> Vec<Entry> {
        let aggregates = self.shared.counts.take(self.shared.clock.now());
        aggregates.into_iter().map(|counts| Entry::noted(Body::Aggregate(counts).encode())).collect()
    }

    /// Writes entries in order, in as few writes as their size allows, and tells each caller.
    fn commit(&mut self, entries: &mut Vec<Entry>) -> Result<(), Arc<str>> {
        if self.failure.is_some() {
            let why = match &**self.shared.condition.load() {
                Condition::Failed(why) => Arc::clone(why),
                _ => "the audit log cannot be written".into(),
            };
            self.refuse(entries.drain(..), &why);
            return Err(why);
        }
        let mut rest = entries.drain(..).peekable();
        while rest.peek().is_some() {
            let mut bytes = 0;
            let mut batch = Vec::new();
            while let Some(entry) = rest.next_if(|e| bytes == 0 || bytes + e.fields.len_hint() <= BATCH_MAX) {
                bytes += entry.fields.len_hint();
                batch.push(entry);
            }
            if let Err(error) = self.write(&batch, bytes) {
                let why = self.fail(&error);
                self.refuse(batch.into_iter().chain(rest), &why);
                return Err(why);
            }
            self.acknowledge(batch);
        }
        Ok(())
    }

    fn write(&mut self, batch: &[Entry], bytes: usize) -> io::Result<()> {
        if self.length > 0 && self.length + bytes as u64 > self.segment_bytes {
            self.rotate(RotateReason::Full, None)?;
        }
        self.buffer.clear();
        self.buffer.shrink_to(BATCH_MAX);
        for (seq, entry) in (self.next_seq..).zip(batch) {
            self.encode(seq, &entry.fields);
        }
        self.file.append(&self.buffer)?;
        let began = self.shared.clock.monotonic();
        self.file.sync()?;
        let took = self.shared.clock.monotonic().saturating_sub(began);
        // A log that somebody removes or cuts would go on to be written where nobody ever reads it.
        if self.file.length()? != self.length + self.buffer.len() as u64 {
            return Err(io::Error::other("the segment is not as long as it was written"));
        }
        self.written(batch.len(), took);
        Ok(())
    }

    fn encode(&mut self, seq: u64, fields: &Fields) {
        let clock = &self.shared.clock;
        let stamp = Stamp {
            seq,
            ts: clock.now(),
            mono_ns: u64::try_from(clock.monotonic().as_nanos()).unwrap_or(u64::MAX),
            replica: Cow::Borrowed(&self.name),
            boot_id: Cow::Borrowed(&self.boot_id),
        };
        write_line(&mut self.buffer, &stamp, fields);
    }

    /// Takes the buffer's bytes as acknowledged.
    fn written(&mut self, records: usize, sync: Duration) {
        self.length += self.buffer.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, &self.buffer);
        self.next_seq += records as u64;
        let stats = &self.shared.stats;
        stats.records.fetch_add(records as u64, Relaxed);
        stats.bytes.fetch_add(self.buffer.len() as u64, Relaxed);
        stats.batches.fetch_add(1, Relaxed);
        stats.sync_ns.fetch_add(u64::try_from(sync.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    fn acknowledge(&mut self, batch: Vec<Entry>) {
        for entry in batch {
            match entry.effect {
                Effect::None => {}
                Effect::Opens(call) => {
                    self.open.insert(call.call_id.to_string(), call);
                }
                Effect::Closes(call) => {
                    self.open.remove(&*call.call_id);
                }
            }
            if let Some(done) = entry.done {
                // A caller that went away does not want to know.
                let _ = done.send(Ok(()));
            }
        }
    }

    /// Goes on in a further segment. Until its first record is durable, the one before is still the last.
    fn rotate(&mut self, reason: RotateReason, dropped: Option<Digest<'static>>) -> io::Result<()> {
        let mut next = self.storage.create(self.next_seq, self.segment_bytes)?;
        self.storage.sync_folder()?;
        let rotate = Body::Rotate(Rotate {
            reason,
            previous_segment: self.segment,
            previous_bytes: self.length,
            dropped,
            open: self.open.values().cloned().collect(),
        });
        self.buffer.clear();
        self.encode(self.next_seq, &rotate.encode());
        next.append(&self.buffer)?;
        next.sync()?;
        // Only lets go of room that was reserved.
        let _ = self.file.cut_to(self.length);
        self.file = next;
        self.segment = self.next_seq;
        self.length = 0;
        self.crc = 0;
        self.written(1, Duration::ZERO);
        Ok(())
    }

    /// Closes the log to calls until it can be gone on with.
    fn fail(&mut self, error: &io::Error) -> Arc<str> {
        let why: Arc<str> = format!("the audit log cannot be written: {error}").into();
        tracing::error!(log = self.name, segment = self.segment, "{why}");
        self.shared.stats.failures.fetch_add(1, Relaxed);
        self.shared.condition.store(Arc::new(Condition::Failed(Arc::clone(&why))));
        let pause = self.failure.map_or(TICK, |retry| (retry.pause * 2).min(RETRY_MAX));
        self.failure = Some(Retry { at: self.shared.clock.monotonic() + pause, pause });
        why
    }

    fn refuse(&mut self, entries: impl Iterator<Item = Entry>, why: &Arc<str>) {
        for entry in entries {
            if let Effect::Closes(call) = entry.effect
                && self.open.contains_key(&*call.call_id)
            {
                self.orphans.push(call);
            }
            if let Some(done) = entry.done {
                let _ = done.send(Err(Arc::clone(why)));
            }
        }
    }

    /// Goes on after a failure, in a fresh segment: what was acknowledged must read back as it was, and what was not is
    /// cut off, so that no record is in the log that its caller was told is not.
    fn resume(&mut self) -> io::Result<()> {
        let mut reader = self.storage.read(self.segment)?;
        let mut acknowledged = (&mut reader).take(self.length);
        let (mut crc, mut chunk) = (0, vec![0; 64 << 10]);
        let mut length = 0;
        loop {
            let read = acknowledged.read(&mut chunk)?;
            let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            crc = crc32c::crc32c_append(crc, bytes);
            length += bytes.len() as u64;
        }
        if (length, crc) != (self.length, self.crc) {
            return Err(io::Error::other("what was acknowledged does not read back"));
        }
        let mut rest = Vec::new();
        reader.take(4 * BATCH_MAX as u64).read_to_end(&mut rest)?;
        let mut old = self.storage.append_to(self.segment, 0)?;
        old.cut_to(self.length)?;
        old.sync()?;
        if self.storage.segments()?.contains(&self.next_seq) {
            // Left by a rotation that failed: nothing in it was acknowledged.
            self.storage.remove(self.next_seq)?;
        }
        self.rotate(RotateReason::Failure, (!rest.is_empty()).then(|| recover::digest(&rest)))?;
        self.failure = None;
        self.shared.condition.store(Arc::new(Condition::Writing));
        let mut unknown = mem::take(&mut self.orphans).into_iter().map(unknown_outcome).collect();
        tracing::warn!(log = self.name, segment = self.segment, "the audit log goes on in a fresh segment");
        // Should this fail again, the calls are orphans again.
        let _ = self.commit(&mut unknown);
        Ok(())
    }

    /// Writes the last records, lets go of the folder, and only then says so.
    fn end(mut self, shutdown: Option<Done>) {
        let Some(done) = shutdown else { return };
        let mut last = self.counted();
        last.push(Entry::noted(Body::Shutdown(Shutdown { open: self.open.len() as u64 }).encode()));
        let result = self.commit(&mut last);
        let _ = self.file.cut_to(self.length);
        self.shared.condition.store(Arc::new(Condition::Closed));
        drop(self);
        let _ = done.send(result);
    }
}

/// Opens the segment to go on in, without what is torn, or makes the first one.
fn open_segment(storage: &dyn Storage, found: &Found, reserve: u64) -> io::Result<Box<dyn SegmentFile>> {
    for segment in &found.empty {
        storage.remove(*segment)?;
        storage.sync_folder()?;
    }
    if found.next_seq == 0 {
        let file = storage.create(0, reserve)?;
        storage.sync_folder()?;
        return Ok(file);
    }
    if found.torn.is_some() {
        let mut file = storage.append_to(found.segment, 0)?;
        file.cut_to(found.length)?;
        file.sync()?;
    }
    storage.append_to(found.segment, reserve)
}

/// The records that a process begins with.
fn first_records(found: &Found, shared: &Shared, command: &'static str) -> Vec<Entry> {
    let version = Cow::Borrowed(env!("CARGO_PKG_VERSION"));
    let mut records = Vec::new();
    if found.next_seq == 0 {
        let redaction_epoch = Cow::Owned(shared.redactor.epoch());
        records.push(Entry::noted(Body::Genesis(Genesis { version: version.clone(), redaction_epoch }).encode()));
    }
    if found.torn.is_some() || (found.next_seq > 0 && found.ended == Ended::Abruptly) {
        let previous_boot_id = (!found.boot_id.is_empty()).then_some(Cow::Borrowed(found.boot_id.as_str()));
        let open = found.open.len() as u64;
        let recover = Recover { previous_boot_id, torn: found.torn.clone(), open };
        records.push(Entry::noted(Body::Recover(recover).encode()));
    }
    records.extend(found.open.values().cloned().map(unknown_outcome));
    let boot = Boot { version, command: Cow::Borrowed(command), pid: std::process::id() };
    records.push(Entry::noted(Body::Boot(boot).encode()));
    records
}

fn unknown_outcome(call: OpenCall<'static>) -> Entry {
    let outcome = Body::Outcome(audit::Outcome {
        call_id: Cow::Borrowed(&call.call_id),
        agent_id: Cow::Borrowed(&call.agent_id),
        tool: Cow::Borrowed(&call.tool),
        status: Status::Unknown,
        row_count: None,
        bytes: None,
        truncated: None,
        waited_us: None,
        ran_us: None,
        total_us: None,
        error_code: None,
        error_message: None,
        database_code: None,
    });
    Entry { fields: outcome.encode(), effect: Effect::Closes(call), done: None }
}

/// Says that the writer is no more, also when it panicked.
struct Stopped(Arc<Shared>);

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.queue.close(None);
        if !matches!(&**self.0.condition.load(), Condition::Closed) {
            self.0.condition.store(Arc::new(Condition::Failed("the audit writer stopped".into())));
        }
        // Those who wait hear of it when their sender goes.
        self.0.queue.drain(&mut Vec::new(), Duration::ZERO);
    }
}
