//! A disk that fails when it is told to, over a real folder.

use std::{
    io::{self, Read},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    clock::Clock,
    ledger::{
        folder::Folder,
        space::Space,
        storage::{SegmentFile, Storage},
    },
};

/// An operation that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Append,
    Sync,
    Create,
    SyncFolder,
    Cut,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing happens but an error.
    Io,
    /// The disk is full; some bytes got there.
    FullAfter(usize),
    /// Everything happened, and there is an error all the same.
    Done,
}

/// What is to go wrong, and what went on.
#[derive(Clone, Debug, Default)]
pub(super) struct Script(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Operations to let pass, then the ones that fail.
    fault: Option<(Op, u32, u32, Fault)>,
    space: Option<Space>,
    slow_sync: Duration,
}

impl Script {
    /// Lets `after` operations pass and then fails `times` of them.
    pub(super) fn fail(&self, op: Op, after: u32, times: u32, fault: Fault) {
        self.0.lock().unwrap().fault = Some((op, after, times, fault));
    }

    pub(super) fn space(&self, free: u64, total: u64) {
        self.0.lock().unwrap().space = Some(Space { free, total });
    }

    pub(super) fn slow_sync(&self, pause: Duration) {
        self.0.lock().unwrap().slow_sync = pause;
    }

    /// Whether all that was to fail has failed.
    pub(super) fn is_over(&self) -> bool {
        self.0.lock().unwrap().fault.is_none()
    }

    fn next(&self, op: Op) -> Option<Fault> {
        let mut state = self.0.lock().unwrap();
        let (at, after, times, fault) = state.fault.as_mut()?;
        if *at != op {
            return None;
        }
        if *after > 0 {
            *after -= 1;
            return None;
        }
        let fault = *fault;
        *times -= 1;
        if *times == 0 {
            state.fault = None;
        }
        Some(fault)
    }

    fn act<T>(&self, op: Op, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.next(op) {
            None => act(),
            Some(Fault::Done) => act().and(Err(io::Error::other("injected, after the fact"))),
            Some(Fault::FullAfter(_)) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            Some(Fault::Io) => Err(io::Error::other("injected")),
        }
    }
}

pub(super) struct Disk {
    pub(super) folder: Folder,
    pub(super) script: Script,
}

impl Disk {
    fn wrap(&self, file: Box<dyn SegmentFile>) -> Box<dyn SegmentFile> {
        Box::new(Segment { file, script: self.script.clone() })
    }
}

impl Storage for Disk {
    fn segments(&self) -> io::Result<Vec<u64>> {
        self.folder.segments()
    }

    fn read(&self, segment: u64) -> io::Result<Box<dyn Read>> {
        self.folder.read(segment)
    }

    fn append_to(&self, segment: u64, reserve: u64) -> io::Result<Box<dyn SegmentFile>> {
        Ok(self.wrap(self.folder.append_to(segment, reserve)?))
    }

    fn create(&self, segment: u64, reserve: u64) -> io::Result<Box<dyn SegmentFile>> {
        Ok(self.wrap(self.script.act(Op::Create, || self.folder.create(segment, reserve))?))
    }

    fn remove(&self, segment: u64) -> io::Result<()> {
        self.folder.remove(segment)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.script.act(Op::SyncFolder, || self.folder.sync_folder())
    }

    fn space(&self) -> io::Result<Space> {
        match self.script.0.lock().unwrap().space {
            Some(space) => Ok(space),
            None => self.folder.space(),
        }
    }
}

struct Segment {
    file: Box<dyn SegmentFile>,
    script: Script,
}

impl SegmentFile for Segment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.script.next(Op::Append) {
            None => self.file.append(bytes),
            Some(Fault::Io) => Err(io::Error::other("injected")),
            Some(Fault::FullAfter(some)) => {
                self.file.append(&bytes[..some.min(bytes.len())])?;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            Some(Fault::Done) => self.file.append(bytes).and(Err(io::Error::other("injected, after the fact"))),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let pause = self.script.0.lock().unwrap().slow_sync;
        thread::sleep(pause);
        let Self { file, script } = self;
        script.act(Op::Sync, || file.sync())
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn cut_to(&mut self, length: u64) -> io::Result<()> {
        let Self { file, script } = self;
        script.act(Op::Cut, || file.cut_to(length))
    }
}

/// A clock that a test can set forward.
#[derive(Debug)]
pub(super) struct TestClock {
    started: Instant,
    ahead_ms: AtomicU64,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { started: Instant::now(), ahead_ms: AtomicU64::new(0) }
    }
}

impl TestClock {
    pub(super) fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(by.as_millis() as u64, SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap() + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.ahead_ms.load(SeqCst))
    }
}
