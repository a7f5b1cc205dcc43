//! Records to bytes: one line of JSON, a fixed order of keys, the checksum last. Never reads, never decides what is said.

use std::{borrow::Cow, io::Write as _};

use jiff::Timestamp;
use serde::Serialize;

use super::{FORMAT, Kind, escape::EscapeInvisible};

/// What every record begins with. The writer gives it, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// The record's place in its log, from 0, without gaps. The order of records is this and never the clock.
    pub seq: u64,
    /// Wall-clock time, to the microsecond.
    pub ts: Timestamp,
    /// Nanoseconds on the process's monotonic clock.
    pub mono_ns: u64,
    /// The log's name, `<replica>-<slot>`: with `seq` it names one record among all logs.
    pub replica: Cow<'a, str>,
    /// The process that wrote it, a ULID.
    pub boot_id: Cow<'a, str>,
}

/// A record's own fields, encoded, waiting for a stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    kind: Kind,
    /// `,"key":value,…`, without the braces.
    json: Vec<u8>,
}

impl Fields {
    pub(super) fn of(kind: Kind, body: &impl Serialize) -> Self {
        let mut json = Vec::with_capacity(512);
        let mut serializer = serde_json::Serializer::with_formatter(&mut json, EscapeInvisible);
        // A body is structs, maps with text keys, text and numbers: there is nothing in it that JSON cannot hold, and
        // the vector takes every byte. Should that ever change, the record says so instead of being lost.
        if body.serialize(&mut serializer).is_err() {
            json = br#"{"encoding":"failed"}"#.to_vec();
        }
        json.pop();
        if let Some(first) = json.first_mut() {
            *first = b',';
        }
        Self { kind, json }
    }

    /// Which type of record.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// About how long the line will be.
    pub fn len_hint(&self) -> usize {
        self.json.len() + 256
    }
}

/// Appends the line of a record, newline included.
///
/// The checksum is CRC32C over all bytes of the line before `,"crc"`.
pub fn write_line(out: &mut Vec<u8>, stamp: &Stamp<'_>, fields: &Fields) {
    let start = out.len();
    let Stamp { seq, ts, mono_ns, replica, boot_id } = stamp;
    let kind = fields.kind.as_str();
    // `replica` and `boot_id` are of an alphabet that needs no escaping: the replica's name is checked where it is
    // configured. Writing to a vector cannot fail.
    let _ = write!(
        out,
        r#"{{"v":{FORMAT},"type":"{kind}","seq":{seq},"ts":"{ts:.6}","mono_ns":{mono_ns},"replica":"{replica}","boot_id":"{boot_id}""#
    );
    out.extend_from_slice(&fields.json);
    let crc = crc32c::crc32c(out.get(start..).unwrap_or_default());
    let _ = writeln!(out, r#","crc":"{crc:08x}"}}"#);
}

/// Timestamps as RFC 3339 in UTC, always with six digits of a second.
pub(super) mod micros {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(ts: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{ts:.6}"))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
