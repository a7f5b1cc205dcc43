//! One call's place in the log, from its first fact to its last. A ticket that is dropped still writes how it ended.

use std::{
    borrow::Cow,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};
use tollgate_core::{
    audit::{self, AgentOrigin, AggregateOf, Argument, Body, Call, Cut, Denied, OpenCall, Sensitivity, Status, cut},
    names::{Code, Origin, Principal},
};

use super::{
    LedgerError, OPEN_MAX, Shared,
    counts::Admission,
    queue::{Effect, Entry, Refused, Room},
};

/// The far end of the wire, as the wire says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peer<'a> {
    /// `http`, `stdio` or `cli`.
    pub transport: &'static str,
    /// The client's address.
    pub address: Option<SocketAddr>,
    /// What the client calls itself.
    pub client: Option<&'a str>,
}

/// What is known of a call before anything of it is looked at.
#[derive(Clone, Copy, Debug)]
pub struct CallHead<'a> {
    /// Who calls.
    pub caller: &'a Principal,
    /// The tool's name, as written.
    pub tool: &'a str,
    /// The JSON-RPC id as text.
    pub request_id: Option<&'a str>,
    /// W3C trace context.
    pub traceparent: Option<&'a str>,
    /// The far end.
    pub peer: Peer<'a>,
}

/// What is about to run.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// Which version of the tool.
    pub tool_version: &'a str,
    /// The database, as the configuration names it.
    pub database: &'a str,
    /// The login role there.
    pub database_user: &'a str,
    /// The policy in force.
    pub policy_hash: &'a str,
    /// The configuration in force.
    pub config_hash: &'a str,
    /// The statement that runs, by its hash.
    pub sql_fingerprint: &'a str,
    /// Whether the statement's text holds a sensitive value, which its plain hash would let somebody guess.
    pub sql_sensitivity: Sensitivity,
    /// The hash of the statement as the caller wrote it, where it did.
    pub sql_sha256: Option<&'a str>,
    /// The caller's claims.
    pub claims: &'a [Argument<'a>],
    /// The tool's arguments.
    pub input: &'a [Argument<'a>],
    /// The time the call has.
    pub deadline: Duration,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// In one word. Of no meaning where there was no intent.
    pub status: Status,
    /// Rows in the answer.
    pub row_count: Option<u64>,
    /// Encoded bytes in the answer.
    pub bytes: Option<u64>,
    /// The limit that cut the answer.
    pub truncated: Option<Cut>,
    /// Time spent waiting for a connection.
    pub waited: Option<Duration>,
    /// Time spent in the database.
    pub ran: Option<Duration>,
    /// What went wrong.
    pub failure: Option<Failure>,
    /// The arguments' JSON text, of which a refused call's record keeps the length and a keyed hash.
    pub arguments: Option<&'a str>,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The stable code.
    pub code: Code,
    /// A sentence for the log. It must hold no value of the data or of an argument: both are quoted freely by the
    /// messages of databases, and by refusals of bad arguments.
    pub message: Cow<'static, str>,
    /// The database's own code.
    pub database_code: Option<String>,
}

impl From<Code> for Failure {
    /// The code's own title as the message, which is always safe to write down.
    fn from(code: Code) -> Self {
        Self { code, message: Cow::Borrowed(code.title()), database_code: None }
    }
}

impl Outcome<'_> {
    /// Rows were read.
    pub fn ok(row_count: u64, bytes: u64) -> Self {
        Self { row_count: Some(row_count), bytes: Some(bytes), ..Self::ended(Status::Ok) }
    }

    /// Something went wrong.
    pub fn failed(status: Status, failure: impl Into<Failure>) -> Self {
        Self { failure: Some(failure.into()), ..Self::ended(status) }
    }

    fn ended(status: Status) -> Self {
        Self {
            status,
            row_count: None,
            bytes: None,
            truncated: None,
            waited: None,
            ran: None,
            failure: None,
            arguments: None,
        }
    }
}

/// One call's place in the log.
#[must_use = "a call is in the log only when its ticket is closed"]
#[derive(Debug)]
pub struct Ticket {
    shared: Arc<Shared>,
    call: Call<'static>,
    began: Duration,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No intent yet.
    Head,
    /// The intent was handed to the writer, and nobody heard that it is durable: nothing ran.
    Sent,
    /// The intent is durable: the statement may have run.
    Intended,
    /// Its end was handed to the writer.
    Closed,
}

impl Ticket {
    pub(super) fn new(shared: Arc<Shared>, call_id: String, head: &CallHead<'_>) -> Self {
        let owned = |text: &str, max| Cow::Owned(cut(text, max).to_owned());
        let (agent_origin, os_user) = origin(head.caller);
        let call = Call {
            call_id: Cow::Owned(call_id),
            agent_id: owned(head.caller.agent().name().as_str(), 64),
            agent_origin,
            os_user: os_user.map(|user| owned(user, 64)),
            role: owned(head.caller.role().as_str(), 64),
            tool: owned(head.tool, 128),
            transport: Cow::Borrowed(head.peer.transport),
            peer: head.peer.address.map(|address| Cow::Owned(address.to_string())),
            client_self_reported: head.peer.client.map(|client| owned(client, 128)),
            jsonrpc_id: head.request_id.map(|id| owned(id, 128)),
            traceparent: head.traceparent.map(|parent| owned(parent, 64)),
        };
        let began = shared.clock.monotonic();
        Self { shared, call, began, phase: Phase::Head }
    }

    /// The call's id, a ULID.
    pub fn call_id(&self) -> &str {
        &self.call.call_id
    }

    /// Writes down what is about to run. Only when this returns `Ok` may it run.
    pub async fn intent(&mut self, intent: Intent<'_>) -> Result<(), LedgerError> {
        if self.phase != Phase::Head {
            return Err(LedgerError::SecondIntent);
        }
        self.shared.may_begin()?;
        if self.shared.open.fetch_add(1, Relaxed) >= OPEN_MAX {
            self.shared.open.fetch_sub(1, Relaxed);
            return Err(LedgerError::Full("too many calls have an intent and no outcome yet"));
        }
        let body = Body::Intent(audit::Intent {
            call: self.call.clone(),
            tool_version: Cow::Borrowed(intent.tool_version),
            database: Cow::Borrowed(intent.database),
            database_user: Cow::Borrowed(intent.database_user),
            policy_hash: Cow::Borrowed(intent.policy_hash),
            config_hash: Cow::Borrowed(intent.config_hash),
            sql_fingerprint: match intent.sql_sensitivity {
                Sensitivity::Plain => Cow::Borrowed(intent.sql_fingerprint),
                Sensitivity::Sensitive => self.shared.redactor.digest(intent.sql_fingerprint).hash,
            },
            sql_sha256: match intent.sql_sensitivity {
                Sensitivity::Plain => intent.sql_sha256.map(Cow::Borrowed),
                Sensitivity::Sensitive => None,
            },
            claims: self.shared.summary(intent.claims),
            input_summary: self.shared.summary(intent.input),
            deadline_ms: whole(intent.deadline.as_millis()),
        });
        let (done, durable) = oneshot::channel();
        let entry = Entry { fields: body.encode(), effect: Effect::Opens(self.open_call()), done: Some(done) };
        if let Err(refused) = self.shared.queue.push(entry, Room::Bounded) {
            self.shared.open.fetch_sub(1, Relaxed);
            return Err(refused.into());
        }
        self.phase = Phase::Sent;
        let result = self.shared.durable(durable).await;
        match result {
            Ok(()) => self.phase = Phase::Intended,
            Err(LedgerError::Failed(_)) => {
                // It is not in the log and never will be, so the call ends as one that was denied.
                self.phase = Phase::Head;
                self.shared.open.fetch_sub(1, Relaxed);
            }
            // It may be in the log yet: the call ends with an outcome, `not_executed`.
            Err(_) => {}
        }
        result
    }

    /// Writes down how the call ended. Only when this returns `Ok` may it be answered.
    pub async fn close(mut self, outcome: Outcome<'_>) -> Result<(), LedgerError> {
        let Some((entry, room)) = self.end(outcome) else { return Ok(()) };
        if room == Room::Bounded {
            self.shared.may_begin_or_note()?;
        }
        let (done, durable) = oneshot::channel();
        let entry = Entry { done: Some(done), ..entry };
        self.shared.queue.push(entry, room)?;
        self.shared.durable(durable).await
    }

    /// The last record of the call, once; `None` when it is only counted.
    fn end(&mut self, outcome: Outcome<'_>) -> Option<(Entry, Room)> {
        let phase = self.phase;
        self.phase = Phase::Closed;
        let total_us = whole(self.shared.clock.monotonic().saturating_sub(self.began).as_micros());
        match phase {
            Phase::Closed => None,
            Phase::Head => Some((self.denied(outcome, total_us)?, Room::Bounded)),
            Phase::Sent => {
                self.shared.open.fetch_sub(1, Relaxed);
                let unsent = Outcome { status: Status::NotExecuted, ..outcome };
                Some((self.outcome(&unsent, total_us), Room::Reserved))
            }
            Phase::Intended => {
                self.shared.open.fetch_sub(1, Relaxed);
                Some((self.outcome(&outcome, total_us), Room::Reserved))
            }
        }
    }

    fn outcome(&self, outcome: &Outcome<'_>, total_us: u64) -> Entry {
        let failure = outcome.failure.as_ref();
        let body = Body::Outcome(audit::Outcome {
            call_id: Cow::Borrowed(&self.call.call_id),
            agent_id: Cow::Borrowed(&self.call.agent_id),
            tool: Cow::Borrowed(&self.call.tool),
            status: outcome.status,
            row_count: outcome.row_count,
            bytes: outcome.bytes,
            truncated: outcome.truncated,
            waited_us: outcome.waited.map(|d| whole(d.as_micros())),
            ran_us: outcome.ran.map(|d| whole(d.as_micros())),
            total_us: Some(total_us),
            error_code: failure.map(|f| Cow::Owned(f.code.to_string())),
            error_message: failure.map(|f| Cow::Borrowed(cut(&f.message, 512))),
            database_code: failure.and_then(|f| f.database_code.as_deref()).map(|c| Cow::Borrowed(cut(c, 32))),
        });
        Entry { fields: body.encode(), effect: Effect::Closes(self.open_call()), done: None }
    }

    fn denied(&self, outcome: Outcome<'_>, total_us: u64) -> Option<Entry> {
        let failure = outcome.failure.unwrap_or_else(|| Code::INTERNAL.into());
        let now = self.shared.clock.now();
        let agent = &self.call.agent_id;
        if self.shared.counts.admit(AggregateOf::Denied, agent, failure.code, None, now) == Admission::Counted {
            return None;
        }
        let body = Body::Denied(Denied {
            call: self.call.clone(),
            total_us,
            error_code: Cow::Owned(failure.code.to_string()),
            error_message: Cow::Borrowed(cut(&failure.message, 512)),
            arguments: outcome.arguments.map(|text| self.shared.redactor.digest(text)),
        });
        Some(Entry::noted(body.encode()))
    }

    fn open_call(&self) -> OpenCall<'static> {
        OpenCall {
            call_id: self.call.call_id.clone(),
            agent_id: self.call.agent_id.clone(),
            tool: self.call.tool.clone(),
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.phase == Phase::Closed {
            return;
        }
        let (status, code) = if thread::panicking() {
            (Status::Unknown, Code::INTERNAL)
        } else {
            (Status::Cancelled, Code::DB_CANCELLED)
        };
        if let Some((entry, room)) = self.end(Outcome::failed(status, code)) {
            // Nobody waits, and a queue that was closed leaves the intent open: the next start writes `unknown`.
            let _ = self.shared.queue.push(entry, room);
        }
    }
}

impl Shared {
    async fn durable(&self, durable: oneshot::Receiver<Result<(), Arc<str>>>) -> Result<(), LedgerError> {
        match timeout(self.strict_timeout, durable).await {
            Ok(Ok(result)) => result.map_err(LedgerError::Failed),
            Ok(Err(_)) => Err(LedgerError::Failed("the audit writer stopped".into())),
            Err(_) => Err(LedgerError::Slow(self.strict_timeout.as_millis())),
        }
    }

    fn may_begin_or_note(&self) -> Result<(), LedgerError> {
        if self.may_note() { Ok(()) } else { self.may_begin() }
    }

    fn summary(&self, arguments: &[Argument<'_>]) -> serde_json::Map<String, serde_json::Value> {
        self.redactor.summary(arguments, &self.sensitive)
    }
}

impl From<Refused> for LedgerError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => LedgerError::Full("too many records wait for the audit writer"),
            Refused::Closed => LedgerError::Closed,
        }
    }
}

/// What proved a caller's identity, in the log's words.
pub(super) fn origin(caller: &Principal) -> (AgentOrigin, Option<&str>) {
    match caller.agent().origin() {
        Origin::Key => (AgentOrigin::Key, None),
        Origin::Local { os_user } => (AgentOrigin::Local, Some(os_user)),
    }
}

fn whole(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
