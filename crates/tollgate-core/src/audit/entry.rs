//! The records, field by field, in the order they are written. Never how they came about, never bytes.
//!
//! A field that has nothing to say is left out. Text from outside is cut to a length before it gets here.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::encode::{Fields, Stamp, micros};

/// A record: the stamp that the writer gave it, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where and when.
    pub stamp: Stamp<'static>,
    /// What.
    pub body: Body<'static>,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident($body:ident $(<$life:lifetime>)?) = $text:literal;)*) => {
        /// The types of records there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        /// What a record says.
        #[expect(clippy::large_enum_variant, reason = "one stands on the stack for as long as it takes to encode it")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum Body<'a> { $($(#[$doc])* $name($body $(<$life>)?),)* }

        impl Kind {
            /// Every type.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// The field `type`.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$name => $text,)* }
            }

            /// The type of this name, if there is one.
            pub fn from_name(name: &str) -> Option<Kind> {
                match name { $($text => Some(Kind::$name),)* _ => None }
            }
        }

        impl Body<'_> {
            /// Its type.
            pub fn kind(&self) -> Kind {
                match self { $(Body::$name(_) => Kind::$name,)* }
            }

            /// Its fields, encoded: all of the record that does not depend on its place in the log.
            pub fn encode(&self) -> Fields {
                match self { $(Body::$name(body) => Fields::of(Kind::$name, body),)* }
            }

            /// The body of a record of this type, from all fields of its line.
            pub(super) fn decode(kind: Kind, line: &[u8]) -> Result<Body<'static>, serde_json::Error> {
                Ok(match kind { $(Kind::$name => Body::$name(serde_json::from_slice(line)?),)* })
            }
        }
    };
}

kinds! {
    /// The first record of a log.
    Genesis(Genesis<'a>) = "genesis";
    /// A process began to write.
    Boot(Boot<'a>) = "boot";
    /// A statement is about to run.
    Intent(Intent<'a>) = "intent";
    /// What came of an intent.
    Outcome(Outcome<'a>) = "outcome";
    /// A call that was refused before it had an intent.
    Denied(Denied<'a>) = "denied";
    /// A request of a known agent that was refused before it was a call.
    Rejected(Rejected<'a>) = "rejected";
    /// Refusals that came too fast to be written one by one, or from nobody known.
    Aggregate(Aggregate<'a>) = "aggregate";
    /// The process before this one did not shut down.
    Recover(Recover<'a>) = "recover";
    /// The first record of a further segment.
    Rotate(Rotate<'a>) = "rotate";
    /// The process ended in order; the last record of a boot.
    Shutdown(Shutdown) = "shutdown";
}

/// The first record of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Genesis<'a> {
    /// The version of Tollgate that began the log.
    pub version: Cow<'a, str>,
    /// The key that sensitive values are hashed under, `k1`.
    pub redaction_epoch: Cow<'a, str>,
}

/// A process began to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boot<'a> {
    /// Its version.
    pub version: Cow<'a, str>,
    /// What it runs as: `serve`, `serve --stdio`, `call`.
    pub command: Cow<'a, str>,
    /// Its process id.
    pub pid: u32,
}

/// What proved an agent's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AgentOrigin {
    /// An API key.
    Key,
    /// The operating system's user.
    Local,
}

/// The facts of a call that are known before anything of it is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call<'a> {
    /// A ULID; goes with the statement to the database where the engine can carry it.
    pub call_id: Cow<'a, str>,
    /// From the credential, never from what the client says of itself.
    pub agent_id: Cow<'a, str>,
    /// What proved it.
    pub agent_origin: AgentOrigin,
    /// The operating system's user, for a local agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_user: Option<Cow<'a, str>>,
    /// The role in force.
    pub role: Cow<'a, str>,
    /// The tool, as the caller wrote it.
    pub tool: Cow<'a, str>,
    /// `http`, `stdio` or `cli`.
    pub transport: Cow<'a, str>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Cow<'a, str>>,
    /// What the client calls itself. Worth nothing as evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_self_reported: Option<Cow<'a, str>>,
    /// The JSON-RPC id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jsonrpc_id: Option<Cow<'a, str>>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Cow<'a, str>>,
}

/// A statement is about to run: durable before the database sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent<'a> {
    /// Whose call.
    #[serde(flatten)]
    pub call: Call<'a>,
    /// Which version of the tool.
    pub tool_version: Cow<'a, str>,
    /// The database, as the configuration names it.
    pub database: Cow<'a, str>,
    /// The login role there.
    pub database_user: Cow<'a, str>,
    /// The policy in force.
    pub policy_hash: Cow<'a, str>,
    /// The configuration in force.
    pub config_hash: Cow<'a, str>,
    /// The statement that runs, by its hash: a keyed one where the statement's text holds a sensitive value. Absent for a call that
    /// asks no database.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub sql_fingerprint: Cow<'a, str>,
    /// The SHA-256 of a statement that the caller wrote, as it came. Absent for tools, and where the text is sensitive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql_sha256: Option<Cow<'a, str>>,
    /// The caller's claims, sensitive ones hashed.
    pub claims: Map<String, Value>,
    /// The arguments, sensitive ones hashed.
    pub input_summary: Map<String, Value>,
    /// The time the call has.
    pub deadline_ms: u64,
}

/// How a call that had an intent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The statement ran and its rows were read.
    Ok,
    /// The database refused or failed.
    DbError,
    /// The statement ran out of time.
    Timeout,
    /// The caller went away.
    Cancelled,
    /// Nobody can say: the process died, or the call's code panicked.
    Unknown,
    /// The statement was never sent.
    NotExecuted,
}

impl Status {
    /// The field `status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::DbError => "db_error",
            Status::Timeout => "timeout",
            Status::Cancelled => "cancelled",
            Status::Unknown => "unknown",
            Status::NotExecuted => "not_executed",
        }
    }
}

/// Which limit cut an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// `rows_max`.
    Rows,
    /// `bytes_max`.
    Bytes,
}

/// What came of an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome<'a> {
    /// The intent's call.
    pub call_id: Cow<'a, str>,
    /// The intent's agent, so that the line can be read by itself.
    pub agent_id: Cow<'a, str>,
    /// The intent's tool.
    pub tool: Cow<'a, str>,
    /// How it ended.
    pub status: Status,
    /// Rows in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// Encoded bytes in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The limit that cut the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Cut>,
    /// Microseconds spent waiting for a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited_us: Option<u64>,
    /// Microseconds spent in the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_us: Option<u64>,
    /// Microseconds from the call's beginning to this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_us: Option<u64>,
    /// The stable code, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<Cow<'a, str>>,
    /// A sentence that holds no value of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Cow<'a, str>>,
    /// The database's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database_code: Option<Cow<'a, str>>,
}

/// Some bytes that are not written down: how many, and their hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest<'a> {
    /// How many.
    pub bytes: u64,
    /// `sha256:…` in hex, or a keyed hash `k1:…` where the bytes are an agent's.
    pub hash: Cow<'a, str>,
}

/// A call that was refused before it had an intent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Denied<'a> {
    /// Whose call.
    #[serde(flatten)]
    pub call: Call<'a>,
    /// Microseconds from the call's beginning to this record.
    pub total_us: u64,
    /// The stable code.
    pub error_code: Cow<'a, str>,
    /// A sentence that holds no value of the arguments.
    pub error_message: Cow<'a, str>,
    /// The arguments' JSON text. What is sensitive in it is not known before it is bound, so all of it is hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Digest<'a>>,
}

/// A request of a known agent that was refused before it was a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected<'a> {
    /// From the credential.
    pub agent_id: Cow<'a, str>,
    /// What proved it.
    pub agent_origin: AgentOrigin,
    /// The operating system's user, for a local agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_user: Option<Cow<'a, str>>,
    /// `http`, `stdio` or `cli`.
    pub transport: Cow<'a, str>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Cow<'a, str>>,
    /// What the client calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_self_reported: Option<Cow<'a, str>>,
    /// The stable code.
    pub error_code: Cow<'a, str>,
    /// What the code means.
    pub error_message: Cow<'a, str>,
}

/// What an aggregate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AggregateOf {
    /// Requests without a valid credential.
    Unauthenticated,
    /// Calls of an agent, refused faster than they are written one by one.
    Denied,
    /// Requests of an agent, refused faster than they are written one by one.
    Rejected,
}

/// Refusals of about one second, as counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregate<'a> {
    /// What is counted.
    pub of: AggregateOf,
    /// When counting began; the record's own time is when it ended.
    #[serde(with = "micros")]
    pub since: Timestamp,
    /// Whose, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<Cow<'a, str>>,
    /// How many in all.
    pub count: u64,
    /// How many of each code.
    pub codes: BTreeMap<Cow<'a, str>, u64>,
    /// How many from each address; the addresses past the first few are in `count` alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub peers: BTreeMap<Cow<'a, str>, u64>,
}

/// The process before this one did not shut down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recover<'a> {
    /// The boot that did not end in order; absent when it died before its first record was whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_boot_id: Option<Cow<'a, str>>,
    /// Bytes after the last whole record, which were cut off: a write that was under way. They were never acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<Digest<'a>>,
    /// How many intents were open; an outcome `unknown` follows for each.
    pub open: u64,
}

/// Why a segment was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RotateReason {
    /// It was full.
    Full,
    /// Writing to it failed.
    Failure,
}

/// A call whose intent has no outcome yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenCall<'a> {
    /// The call.
    pub call_id: Cow<'a, str>,
    /// Its agent.
    pub agent_id: Cow<'a, str>,
    /// Its tool.
    pub tool: Cow<'a, str>,
}

/// The first record of a further segment. It carries what a start must know of the segments before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotate<'a> {
    /// Why.
    pub reason: RotateReason,
    /// The first `seq` of the segment before, which is its name.
    pub previous_segment: u64,
    /// The length of the segment before.
    pub previous_bytes: u64,
    /// Bytes that a failed write left there, which were cut off. They were never acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Digest<'a>>,
    /// The intents without an outcome, in the order of their ids.
    pub open: Vec<OpenCall<'a>>,
}

/// The process ended in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shutdown {
    /// How many intents were still open: the next process writes their outcome `unknown`.
    pub open: u64,
}
