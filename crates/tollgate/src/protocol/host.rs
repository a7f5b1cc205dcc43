//! What the protocol layer asks of the rest, in words of no protocol library: list tools, call one.

use std::{future::Future, net::SocketAddr, sync::Arc};

use serde_json::{Map, Value, value::RawValue};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tollgate_core::names::{Principal, Refusal};

/// The side of Tollgate that the protocol faces. HTTP, stdio and `tollgate call` all come through it.
pub trait ToolHost: Send + Sync + 'static {
    /// The caller of this credential (`Authorization`'s bearer token, without the scheme). A failure is counted in the audit log.
    fn authenticate(&self, bearer: Option<&str>, peer: &Peer) -> Result<Arc<Principal>, Refusal>;

    /// The tools this caller may call, in a fixed order. Nothing else is hinted at.
    fn list(&self, caller: &Principal) -> Arc<[ToolListing]>;

    /// The tables this caller may read about, in a fixed order; `None` where there are no resources for it at all.
    fn resources(&self, caller: &Principal) -> Option<Arc<[ResourceListing]>>;

    /// One call, to its end. Every way out is audited; a panic inside is an answer too.
    fn call(&self, call: ToolCall) -> impl Future<Output = CallReply> + Send;

    /// A well-authenticated request that is refused before it is a call (malformed, too large): for the audit log.
    fn reject(&self, caller: Option<&Principal>, peer: &Peer, refusal: &Refusal);
}

/// Who is at the other end of the wire, as the wire says. Never trusted, always logged as what it is.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// The client's address, over HTTP.
    pub address: Option<SocketAddr>,
    /// What the client calls itself, at most 128 characters.
    pub client: Option<String>,
    /// `http`, `stdio` or `cli`.
    pub transport: &'static str,
}

/// A call as it came in.
#[derive(Debug)]
pub struct ToolCall {
    /// Who calls.
    pub caller: Arc<Principal>,
    /// The tool's name as written.
    pub name: String,
    /// The arguments' own JSON text, checked to be one object without duplicate keys; `None` when absent.
    pub arguments: Option<Box<RawValue>>,
    /// The JSON-RPC id as text.
    pub request_id: Option<String>,
    /// W3C trace context of the request, size-checked.
    pub traceparent: Option<String>,
    /// The far end.
    pub peer: Peer,
    /// When the client stops waiting, if it said so.
    pub deadline: Option<Instant>,
    /// Fires when the client went away or cancelled.
    pub cancel: CancellationToken,
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub enum CallReply {
    /// Rows: one JSON object, `{"rows":[…],"row_count":n,"truncated":false,"next_cursor":null}`.
    Rows {
        /// The object's JSON text.
        json: Box<RawValue>,
        /// What marks the text of it as data, where the configuration asks for that.
        marked: Option<Tag>,
        /// The call's id in the audit log.
        call_id: String,
    },
    /// A refusal or failure that a model can act on: `isError: true`.
    Refused {
        /// The code and sentence.
        refusal: Refusal,
        /// The call's id in the audit log.
        call_id: String,
    },
    /// The tool does not exist for this caller: a protocol error, -32602.
    UnknownTool {
        /// The code and sentence.
        refusal: Refusal,
        /// The call's id in the audit log.
        call_id: String,
    },
}

/// A table as `resources/list` shows it. Reading it is a call of `describe_table`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceListing {
    /// The database.
    pub database: String,
    /// The table, by the name that `describe_table` takes.
    pub table: String,
}

/// The tool behind `resources/read`.
pub const READ_TOOL: &str = tollgate_core::tools::DESCRIBE_TABLE;

/// A random mark that the data between two of it cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// From random bits, never used for another answer.
    pub fn new(random: u128) -> Self {
        Self(format!("{random:032x}"))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A tool as `tools/list` shows it.
#[derive(Clone, Debug)]
pub struct ToolListing {
    /// Its name.
    pub name: String,
    /// Its title for people.
    pub title: Option<String>,
    /// What it does, and a note when it is deprecated.
    pub description: String,
    /// JSON Schema 2020-12 of its input.
    pub input_schema: Arc<Map<String, Value>>,
    /// JSON Schema 2020-12 of its result.
    pub output_schema: Arc<Map<String, Value>>,
    /// Whether it only reads (derived from its statement).
    pub read_only: bool,
    /// `_meta`: `{"tollgate/deprecated": {"use": …, "since": …, "sunset": …}}` when deprecated.
    pub meta: Option<Map<String, Value>>,
}
