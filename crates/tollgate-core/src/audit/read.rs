//! Bytes to records, strictly: a line is good when it is exactly what the writer would write. Never mends anything.

use std::{borrow::Cow, str};

use jiff::Timestamp;
use serde::Deserialize;

use super::{Body, FORMAT, Kind, Record, Stamp, encode::micros, write_line};

/// The longest line there can be, newline included. The longest of all is a `rotate` with every open call.
pub const LINE_MAX: usize = 4 << 20;

/// Why a line is not a record.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// There is no checksum where it must be.
    #[error("the line does not end in a checksum")]
    NoChecksum,
    /// The bytes are not those that were written.
    #[error("the checksum does not match")]
    Checksum,
    /// Not the JSON of a record.
    #[error("not the JSON of a record")]
    Json(#[from] serde_json::Error),
    /// A format of another version.
    #[error("format version {0} is not known")]
    Version(u32),
    /// A type that this version does not have.
    #[error("record type `{0}` is not known")]
    Kind(String),
    /// A record, but not in the form it is written in: fields more, less or in another order.
    #[error("not in the form a `{}` record is written in", .0.as_str())]
    Form(Kind),
}

/// A line whose checksum holds and whose common fields were read.
#[derive(Debug)]
pub struct Line<'a> {
    bytes: &'a [u8],
    kind: Kind,
    head: Head<'a>,
}

#[derive(Debug, Deserialize)]
struct Head<'a> {
    v: u32,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    seq: u64,
    #[serde(with = "micros")]
    ts: Timestamp,
    mono_ns: u64,
    #[serde(borrow)]
    replica: Cow<'a, str>,
    #[serde(borrow)]
    boot_id: Cow<'a, str>,
    call_id: Option<Cow<'a, str>>,
    agent_id: Option<Cow<'a, str>>,
    tool: Option<Cow<'a, str>>,
}

impl<'a> Line<'a> {
    /// Checks a line, given without its newline, and reads its common fields.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, LineError> {
        let (covered, crc) = split_checksum(bytes).ok_or(LineError::NoChecksum)?;
        if crc32c::crc32c(covered) != crc {
            return Err(LineError::Checksum);
        }
        let head: Head<'a> = serde_json::from_slice(bytes)?;
        if head.v != FORMAT {
            return Err(LineError::Version(head.v));
        }
        let kind = Kind::from_name(&head.kind).ok_or_else(|| LineError::Kind(head.kind.chars().take(40).collect()))?;
        Ok(Self { bytes, kind, head })
    }

    /// Its type.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its place in its log.
    pub fn seq(&self) -> u64 {
        self.head.seq
    }

    /// Its wall-clock time.
    pub fn ts(&self) -> Timestamp {
        self.head.ts
    }

    /// The log's name.
    pub fn replica(&self) -> &str {
        &self.head.replica
    }

    /// The process that wrote it.
    pub fn boot_id(&self) -> &str {
        &self.head.boot_id
    }

    /// The call it is about.
    pub fn call_id(&self) -> Option<&str> {
        self.head.call_id.as_deref()
    }

    /// The agent it is about.
    pub fn agent_id(&self) -> Option<&str> {
        self.head.agent_id.as_deref()
    }

    /// The tool it is about.
    pub fn tool(&self) -> Option<&str> {
        self.head.tool.as_deref()
    }

    /// The whole record. A line that is not byte for byte what the record would be written as is refused: a second
    /// `status`, a field nobody knows or another order of keys has no place to hide in.
    pub fn record(&self) -> Result<Record, LineError> {
        let body = Body::decode(self.kind, self.bytes)?;
        let stamp = Stamp {
            seq: self.head.seq,
            ts: self.head.ts,
            mono_ns: self.head.mono_ns,
            replica: Cow::Owned(self.head.replica.to_string()),
            boot_id: Cow::Owned(self.head.boot_id.to_string()),
        };
        let mut again = Vec::with_capacity(self.bytes.len() + 1);
        write_line(&mut again, &stamp, &body.encode());
        match again.split_last() {
            Some((b'\n', line)) if line == self.bytes => Ok(Record { stamp, body }),
            _ => Err(LineError::Form(self.kind)),
        }
    }
}

/// `…,"crc":"1a2b3c4d"}` into what the checksum covers, and the checksum.
fn split_checksum(line: &[u8]) -> Option<(&[u8], u32)> {
    const TAIL: usize = r#","crc":"00000000"}"#.len();
    let (covered, tail) = line.split_at_checked(line.len().checked_sub(TAIL)?)?;
    let hex = tail.strip_prefix(br#","crc":""#)?.strip_suffix(br#""}"#)?;
    let lower_hex = hex.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let crc = u32::from_str_radix(str::from_utf8(hex).ok()?, 16).ok()?;
    lower_hex.then_some((covered, crc))
}
