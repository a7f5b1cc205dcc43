//! One call, as the list of its stages. Each `?` is a place where it may be refused, and every way out closes its ticket.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use jiff::civil::Date;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use tollgate_backends::{BackendError, ErrorKind, Execution, ReadLimits};
use tollgate_core::{
    audit::{Argument, Sensitivity, Status},
    names::{Code, Principal, Refusal, Value},
    policy::Authorized,
    tools::{self, Bound, BoundCall, Callable, SummaryKind},
};

use super::{DEADLINE_MAX, Database, Gate, Role, Serving, answer::Produced, sha256};
use crate::{
    admission::AdmissionError,
    ledger::{self, CallHead, Failure, Intent, LedgerError, Outcome, Ticket},
    protocol::host::{CallReply, Peer, ResourceListing, ToolCall, ToolHost, ToolListing},
    seal::Seals,
    telemetry::CallLabels,
};

/// How a call ended otherwise than with rows.
struct Refused {
    /// What the agent reads.
    refusal: Refusal,
    /// What the log says. Of no meaning before the intent.
    status: Status,
    /// The database's own code, for the log.
    database_code: Option<String>,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, status: Status::NotExecuted, database_code: None }
    }
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        tracing::error!(error = %error, "the audit log refused a record");
        error.to_agent().into()
    }
}

impl From<BackendError> for Refused {
    fn from(error: BackendError) -> Self {
        let status = match error.kind {
            ErrorKind::Timeout => Status::Timeout,
            ErrorKind::Cancelled => Status::Cancelled,
            ErrorKind::PoolTimeout | ErrorKind::Cost => Status::NotExecuted,
            ErrorKind::Unavailable
            | ErrorKind::Data
            | ErrorKind::Refused
            | ErrorKind::Statement(_)
            | ErrorKind::Changed
            | ErrorKind::Conflict
            | ErrorKind::Resources
            | ErrorKind::Recursion
            | ErrorKind::Internal => Status::DbError,
        };
        Self { refusal: error.kind.to_agent(), status, database_code: error.database_code }
    }
}

impl ToolHost for Gate {
    fn authenticate(&self, bearer: Option<&str>, peer: &Peer) -> Result<Arc<Principal>, Refusal> {
        self.serving().directory.by_bearer(bearer).map_err(|error| {
            let refusal = error.to_agent();
            self.reject(None, peer, &refusal);
            refusal
        })
    }

    fn list(&self, caller: &Principal) -> Arc<[ToolListing]> {
        self.serving().gateway.roles.get(caller.role()).map(|role| role.listings.clone()).unwrap_or_default()
    }

    fn resources(&self, caller: &Principal) -> Option<Arc<[ResourceListing]>> {
        self.serving().gateway.roles.get(caller.role())?.resources.clone()
    }

    async fn call(&self, call: ToolCall) -> CallReply {
        self.metrics.in_flight().inc();
        let began = Instant::now();
        let serving = self.serving();
        let mut ticket = self.ledger.open(&CallHead {
            caller: &call.caller,
            tool: &call.name,
            request_id: call.request_id.as_deref(),
            traceparent: call.traceparent.as_deref(),
            peer: ledger_peer(&call.peer),
        });
        let call_id = ticket.call_id().to_owned();
        let stages = AssertUnwindSafe(self.stages(&serving, &call, &mut ticket, began)).catch_unwind().await;
        let ended = stages.unwrap_or_else(|_panic| {
            tracing::error!(call_id, tool = call.name, "a call panicked; this is a bug in Tollgate");
            let refusal = Refusal::new(Code::INTERNAL, "an internal error; the operator's log says more");
            Err(Refused { status: Status::Unknown, ..Refused::from(refusal) })
        });
        let ended = close(ticket, ended, call.arguments.as_deref()).await;
        self.observe(&serving, &call, &ended, began);
        match ended {
            Ok(produced) => produced.into_reply(call_id),
            Err(Refused { refusal, .. }) if refusal.code == Code::UNKNOWN_TOOL => {
                CallReply::UnknownTool { refusal, call_id }
            }
            Err(Refused { refusal, .. }) => CallReply::Refused { refusal, call_id },
        }
    }

    fn reject(&self, caller: Option<&Principal>, peer: &Peer, refusal: &Refusal) {
        self.metrics.refused(refusal.code);
        self.ledger.reject(caller, &ledger_peer(peer), refusal.code);
    }
}

impl Gate {
    async fn stages(
        &self,
        serving: &Arc<Serving>,
        call: &ToolCall,
        ticket: &mut Ticket,
        began: Instant,
    ) -> Result<Produced, Refused> {
        if self.closing.is_cancelled() {
            return Err(AdmissionError::ShuttingDown.to_agent().into());
        }
        let deadline = (began + DEADLINE_MAX).min(call.deadline.unwrap_or(began + DEADLINE_MAX));
        let (role, callable) = authorize(serving, &call.caller, &call.name)?;
        let bound = tokio::select! {
            bound = self.bind(serving, &callable, call, ticket.call_id(), deadline) => bound?,
            () = call.cancel.cancelled() => return Err(ErrorKind::Cancelled.to_agent().into()),
        };
        let database = serving.gateway.database(bound.database())?;
        match &bound {
            Bound::Answer(answer) => {
                self.intend(serving, call, ticket, callable.tool(), &bound, database, deadline).await?;
                Ok(Produced::answered(answer.clone()))
            }
            Bound::Call(to_run) => {
                let admitted = tokio::select! {
                    admitted = database.gatehouse.admit(deadline) => admitted,
                    // Nobody waits for the answer, and others wait for the place.
                    () = call.cancel.cancelled() => return Err(ErrorKind::Cancelled.to_agent().into()),
                };
                let _permit = admitted.map_err(AdmissionError::to_agent)?;
                self.intend(serving, call, ticket, callable.tool(), &bound, database, deadline).await?;
                self.execute(role, database, call, ticket, to_run, deadline).await
            }
        }
    }

    async fn execute(
        &self,
        role: &Role,
        database: &Database,
        call: &ToolCall,
        ticket: &Ticket,
        bound: &BoundCall,
        deadline: Instant,
    ) -> Result<Produced, Refused> {
        let limits = ReadLimits { rows_max: bound.rows_max, bytes_max: role.limits.bytes_max };
        let execution = Execution {
            statement: &bound.statement,
            values: &bound.values,
            limits,
            cost_max: role.limits.cost_max,
            form: bound.presentation.result,
            deadline,
            cancel: &call.cancel,
        };
        let executed = database.backend.execute(execution).await.map_err(|error| {
            log_failure(ticket.call_id(), &call.name, &error);
            Refused::from(error)
        })?;
        self.metrics.ran(database.name.as_str(), executed.waited.as_secs_f64(), executed.ran.as_secs_f64());
        let next_cursor = match executed.rows.truncated {
            Some(_) => {
                let key = executed.rows.key.clone();
                let cursor = bound.page.next_cursor(executed.rows.count, key, &*self.seals);
                // The rows without a way to those behind them would pass for all of them.
                cursor.map_err(|error| Refused { status: Status::DbError, ..Refused::from(error.to_agent()) })?
            }
            None => None,
        };
        Ok(Produced::rows(bound, executed, next_cursor))
    }

    /// Binds the call here, or where statements are checked if its own is yet to be.
    async fn bind(
        &self,
        serving: &Arc<Serving>,
        callable: &Authorized<'_, Callable>,
        call: &ToolCall,
        call_id: &str,
        deadline: Instant,
    ) -> Result<Bound, Refused> {
        let binding = Binding {
            serving: Arc::clone(serving),
            caller: Arc::clone(&call.caller),
            tool: call.name.clone(),
            call_id: call_id.to_owned(),
            today: self.clock.today(),
            seals: Arc::clone(&self.seals),
        };
        let arguments = call.arguments.as_deref();
        if callable.tool().binds_at_once(arguments) {
            return binding.bind(callable, arguments);
        }
        let arguments = arguments.map(ToOwned::to_owned);
        let bound = self.checking.run(deadline, move || {
            let (_, callable) = authorize(&binding.serving, &binding.caller, &binding.tool)?;
            binding.bind(&callable, arguments.as_deref())
        });
        bound.await.map_err(AdmissionError::to_agent)?
    }

    /// Invariant **intent first**: when this returns `Ok`, what is about to run is on the disk.
    #[expect(clippy::too_many_arguments, reason = "everything that the record says")]
    async fn intend(
        &self,
        serving: &Serving,
        call: &ToolCall,
        ticket: &mut Ticket,
        callable: &Callable,
        bound: &Bound,
        database: &Database,
        deadline: Instant,
    ) -> Result<(), Refused> {
        let summary = callable.summarise(call.arguments.as_deref(), bound);
        let values: Vec<Value> = summary.iter().map(|entry| logged(&entry.value)).collect();
        let input: Vec<Argument<'_>> = summary
            .iter()
            .zip(&values)
            .map(|(entry, value)| match entry.kind {
                SummaryKind::Argument => Argument::new(&entry.name, value, sensitivity(entry.sensitive)),
                SummaryKind::Statement => Argument::statement(&entry.name, value, sensitivity(entry.sensitive)),
            })
            .collect();
        let own = summary.iter().find(|entry| entry.kind == SummaryKind::Statement);
        let sql_sha256 =
            own.map(|_| sha256(&Sha256::digest(callable.written(call.arguments.as_deref()).as_bytes()).into()));
        let claims: Vec<Argument<'_>> = call
            .caller
            .claims()
            .iter()
            .map(|(name, value)| Argument::claim(name.as_str(), value, sensitivity(callable.is_sensitive(name))))
            .collect();
        let intent = Intent {
            tool_version: &sha256(callable.fingerprint()),
            database: database.name.as_str(),
            database_user: database.user.as_deref().unwrap_or_default(),
            policy_hash: &serving.policy_hash,
            config_hash: &serving.config_hash,
            sql_fingerprint: &bound.statement().map(|sql| sha256(sql.fingerprint())).unwrap_or_default(),
            sql_sensitivity: sensitivity(own.is_some_and(|entry| entry.sensitive)),
            sql_sha256: sql_sha256.as_deref(),
            claims: &claims,
            input: &input,
            deadline: deadline.saturating_duration_since(Instant::now()),
        };
        Ok(ticket.intent(intent).await?)
    }

    fn observe(&self, serving: &Serving, call: &ToolCall, ended: &Result<Produced, Refused>, began: Instant) {
        self.metrics.in_flight().dec();
        let known = serving.gateway.roles.get(call.caller.role()).is_some_and(|role| role.knows(&call.name));
        let status = match ended {
            Ok(_) => "ok",
            Err(refused) => {
                self.metrics.refused(refused.refusal.code);
                match refused.status {
                    Status::NotExecuted => "refused",
                    other => other.as_str(),
                }
            }
        };
        let tool = if known { call.name.clone() } else { "unknown".to_owned() };
        let role = call.caller.role().to_string();
        self.metrics.called(&CallLabels { tool, role, status }, began.elapsed().as_secs_f64());
    }
}

/// What binding a call needs, on whatever thread.
struct Binding {
    serving: Arc<Serving>,
    caller: Arc<Principal>,
    tool: String,
    call_id: String,
    today: Date,
    seals: Arc<Seals>,
}

impl Binding {
    fn bind(&self, callable: &Authorized<'_, Callable>, arguments: Option<&RawValue>) -> Result<Bound, Refused> {
        let call = tools::Call {
            caller: &self.caller,
            arguments,
            call_id: &self.call_id,
            today: self.today,
            cursors: &*self.seals,
            policy_hash: &self.serving.gateway.policy_hash,
        };
        tools::bind(callable, &call).map_err(|error| {
            if error.code() == Code::INTERNAL {
                let (call_id, tool) = (&self.call_id, &self.tool);
                tracing::error!(call_id, tool, %error, "a call could not be bound; this is a bug in Tollgate");
            }
            error.to_agent().into()
        })
    }
}

/// What is called, as this caller may use it. A tool that was not granted is not there.
pub(super) fn authorize<'s>(
    serving: &'s Serving,
    caller: &Principal,
    name: &str,
) -> Result<(&'s Role, Authorized<'s, Callable>), Refusal> {
    let unknown = || Refusal::new(Code::UNKNOWN_TOOL, "there is no such tool; `tools/list` says which there are");
    let role = serving.gateway.roles.get(caller.role()).ok_or_else(unknown)?;
    if role.unavailable.contains_key(name) {
        return Err(ErrorKind::Unavailable.to_agent());
    }
    let callable = role.tools.authorize(name).ok_or_else(unknown)?;
    Ok((role, callable))
}

/// Writes how the call ended. The reply waits for it, that of a refusal too: what cannot be written down is not answered.
async fn close(
    ticket: Ticket,
    ended: Result<Produced, Refused>,
    arguments: Option<&RawValue>,
) -> Result<Produced, Refused> {
    let outcome = match &ended {
        Ok(produced) => produced.outcome(),
        Err(refused) => {
            Outcome { arguments: arguments.map(RawValue::get), ..Outcome::failed(refused.status, failure(refused)) }
        }
    };
    ticket.close(outcome).await?;
    ended
}

/// What the log says went wrong: the code's own title, never a value.
fn failure(refused: &Refused) -> Failure {
    Failure { database_code: refused.database_code.clone(), ..refused.refusal.code.into() }
}

fn ledger_peer(peer: &Peer) -> ledger::Peer<'_> {
    ledger::Peer { transport: peer.transport, address: peer.address, client: peer.client.as_deref() }
}

fn sensitivity(sensitive: bool) -> Sensitivity {
    if sensitive { Sensitivity::Sensitive } else { Sensitivity::Plain }
}

/// An argument's JSON as the log's value: what was sent, not what it was read as.
fn logged(json: &RawValue) -> Value {
    let text = json.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map_or_else(|_| Value::Json(text.to_owned()), Value::Text),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        Some(b'[') => serde_json::from_str::<Vec<&RawValue>>(text).map_or_else(
            |_| Value::Json(text.to_owned()),
            |items| Value::Array(items.into_iter().map(logged).collect()),
        ),
        Some(b'{') | None => Value::Json(text.to_owned()),
        Some(_) => Value::Number(text.to_owned()),
    }
}

/// The database's own story, for the operator's log. It is told at once where it is about privileges, names or the
/// network; anything else may quote data, and is told at `debug` only.
fn log_failure(call_id: &str, tool: &str, error: &BackendError) {
    let code = error.database_code.as_deref().unwrap_or_default();
    let (kind, story) = (error.kind, error.story());
    match kind {
        ErrorKind::Cancelled
        | ErrorKind::Data
        | ErrorKind::Statement(_)
        | ErrorKind::Recursion
        | ErrorKind::Cost
        | ErrorKind::Timeout => {
            tracing::info!(call_id, tool, code, ?kind, "a statement did not finish");
        }
        ErrorKind::Refused | ErrorKind::Changed | ErrorKind::Unavailable => {
            tracing::warn!(call_id, tool, code, ?kind, story, "a statement failed");
            return;
        }
        ErrorKind::PoolTimeout | ErrorKind::Conflict | ErrorKind::Resources | ErrorKind::Internal => {
            tracing::warn!(call_id, tool, code, ?kind, "a statement failed");
        }
    }
    tracing::debug!(call_id, story, "what the database said");
}
