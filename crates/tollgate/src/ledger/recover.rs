//! Reads what a process before left. Says what it found, never changes it.
//!
//! Only the last segment is read: its first record, `genesis` or `rotate`, says what was open before it.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
};

use sha2::{Digest as _, Sha256};
use tollgate_core::audit::{Body, Digest, Kind, LINE_MAX, Line, LineError, OpenCall};

use super::{LedgerError, storage::Storage};

/// The longest torn tail. One write is at most `BATCH_MAX` and one line.
const TORN_MAX: usize = 2 * LINE_MAX;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The last segment that holds a record.
    pub(super) segment: u64,
    /// Its whole records, in bytes.
    pub(super) length: u64,
    /// CRC32C of those bytes.
    pub(super) crc: u32,
    /// The next record's `seq`; 0 for a log that has not begun.
    pub(super) next_seq: u64,
    /// Calls with an intent and no outcome.
    pub(super) open: BTreeMap<String, OpenCall<'static>>,
    /// The process that wrote last.
    pub(super) boot_id: String,
    /// Whether its last record was `shutdown`.
    pub(super) ended: Ended,
    /// Bytes after the last whole record.
    pub(super) torn: Option<Digest<'static>>,
    /// Segments after it that hold no record.
    pub(super) empty: Vec<u64>,
}

/// How the process before ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ended {
    /// Without a word.
    #[default]
    Abruptly,
    /// With `shutdown`.
    InOrder,
}

/// Reads the last segment that holds a record.
pub(super) fn find(storage: &dyn Storage) -> Result<Found, LedgerError> {
    let mut segments = storage.segments().map_err(|e| unreadable(0, 0, &e))?;
    let mut empty = Vec::new();
    let mut torn = None;
    while let Some(segment) = segments.pop() {
        let mut found = scan(storage, segment)?;
        // A process that dies while it makes a segment leaves one without a record behind the last good one.
        torn = found.torn.take().or(torn);
        if found.length > 0 {
            return Ok(Found { torn, empty, ..found });
        }
        if !empty.is_empty() {
            return Err(damaged(segment, 0, "two segments without a record", None));
        }
        empty.push(segment);
    }
    Ok(Found { torn, empty, ..Found::default() })
}

fn scan(storage: &dyn Storage, segment: u64) -> Result<Found, LedgerError> {
    let file = storage.read(segment).map_err(|e| unreadable(segment, 0, &e))?;
    let mut reader = BufReader::with_capacity(256 << 10, file);
    let mut found = Found { segment, next_seq: segment, ..Found::default() };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader).take(LINE_MAX as u64).read_until(b'\n', &mut line);
        if read.map_err(|e| unreadable(segment, found.length, &e))? == 0 {
            return Ok(found);
        }
        match line.split_last().filter(|(last, _)| **last == b'\n').map(|(_, whole)| Line::parse(whole)) {
            Some(Ok(record)) => found.follow(&record)?,
            Some(Err(error)) if !matches!(error, LineError::NoChecksum | LineError::Checksum) => {
                return Err(damaged(
                    segment,
                    found.length,
                    "a line with a good checksum that is no record",
                    Some(error),
                ));
            }
            Some(Err(_)) | None => {
                found.torn = Some(torn_tail(&found, line, reader)?);
                return Ok(found);
            }
        }
        found.crc = crc32c::crc32c_append(found.crc, &line);
        found.length += line.len() as u64;
    }
}

impl Found {
    /// Takes in the next record of the segment.
    fn follow(&mut self, line: &Line<'_>) -> Result<(), LedgerError> {
        let wrong = |reason: &str| Err(damaged(self.segment, self.length, reason, None));
        if line.seq() != self.next_seq {
            return wrong("a record is missing or out of place");
        }
        let first = self.length == 0;
        let head = if self.segment == 0 { Kind::Genesis } else { Kind::Rotate };
        if first != (line.kind() == head) {
            return wrong("a segment begins with `genesis` or `rotate`, and has it nowhere else");
        }
        match line.kind() {
            Kind::Rotate => {
                let record = line.record().map_err(|e| damaged(self.segment, self.length, "no record", Some(e)))?;
                if let Body::Rotate(rotate) = record.body {
                    self.open = rotate.open.into_iter().map(|call| (call.call_id.to_string(), call)).collect();
                }
            }
            Kind::Intent => match (line.call_id(), line.agent_id(), line.tool()) {
                (Some(id), Some(agent), Some(tool)) => {
                    let owned = |text: &str| text.to_owned().into();
                    let call = OpenCall { call_id: owned(id), agent_id: owned(agent), tool: owned(tool) };
                    self.open.insert(id.to_owned(), call);
                }
                _ => return wrong("an intent without its call"),
            },
            Kind::Outcome => {
                self.open.remove(line.call_id().unwrap_or_default());
            }
            Kind::Genesis
            | Kind::Boot
            | Kind::Denied
            | Kind::Rejected
            | Kind::Aggregate
            | Kind::Recover
            | Kind::Shutdown => {}
        }
        self.next_seq += 1;
        if self.boot_id != line.boot_id() {
            line.boot_id().clone_into(&mut self.boot_id);
        }
        self.ended = if line.kind() == Kind::Shutdown { Ended::InOrder } else { Ended::Abruptly };
        Ok(())
    }
}

/// What stands after the last whole record. If a good record is among it, this is no torn write but damage.
fn torn_tail(found: &Found, mut tail: Vec<u8>, reader: impl Read) -> Result<Digest<'static>, LedgerError> {
    let read = reader.take(TORN_MAX as u64 + 1).read_to_end(&mut tail);
    read.map_err(|e| unreadable(found.segment, found.length, &e))?;
    let good_after = tail.split(|b| *b == b'\n').skip(1).any(|line| Line::parse(line).is_ok());
    if good_after {
        return Err(damaged(found.segment, found.length, "a bad record before good ones", None));
    }
    if tail.len() > TORN_MAX {
        return Err(damaged(found.segment, found.length, "more bytes that are no record than one write has", None));
    }
    Ok(digest(&tail))
}

/// Bytes that are cut off, as they are noted.
pub(super) fn digest(bytes: &[u8]) -> Digest<'static> {
    Digest { bytes: bytes.len() as u64, hash: format!("sha256:{:x}", Sha256::digest(bytes)).into() }
}

fn damaged(segment: u64, offset: u64, reason: &str, source: Option<LineError>) -> LedgerError {
    LedgerError::Damaged { segment, offset, reason: reason.to_owned(), source }
}

fn unreadable(segment: u64, offset: u64, error: &std::io::Error) -> LedgerError {
    damaged(segment, offset, &format!("it cannot be read ({error})"), None)
}
