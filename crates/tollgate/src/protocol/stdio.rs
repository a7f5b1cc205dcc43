//! MCP over standard input and output: one message a line, calls side by side, nothing but MCP on the way out.
//!
//! The caller is known before the first line is read. When the input ends, what is in flight is finished and the server
//! with it.

use std::{collections::HashMap, io, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use rmcp::model::RequestId;
use serde::Deserialize;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    sync::Mutex,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tollgate_core::names::{Code, Principal, Refusal};

use super::{
    dispatch::{Asked, Caller, Gate},
    envelope::{self, Body, Message},
    host::{Peer, ToolHost},
    revision::Revision,
    wire::{self, RpcCode, RpcError},
};

/// How MCP is served over standard input and output.
#[derive(Clone, Debug)]
pub struct StdioSettings {
    /// Bytes of a line.
    pub line_max: usize,
    /// Requests in flight; one more is refused.
    pub requests_max: usize,
    /// How long calls in flight may go on when the input ends or the server shuts down.
    pub drain_timeout: Duration,
}

impl Default for StdioSettings {
    fn default() -> Self {
        Self { line_max: 1 << 20, requests_max: 64, drain_timeout: Duration::from_secs(25) }
    }
}

/// What cancelled calls may take to come back with their outcome.
const CANCEL_GRACE: Duration = Duration::from_secs(2);

/// Serves MCP on this process's standard input and output.
///
/// Reading standard input is a blocking call that nothing interrupts: after a shutdown that came before the input's
/// end, the process must exit without waiting for the runtime's blocking threads.
pub async fn serve<H: ToolHost>(
    host: Arc<H>,
    caller: Arc<Principal>,
    settings: StdioSettings,
    shutdown: CancellationToken,
) -> io::Result<()> {
    serve_on(tokio::io::stdin(), tokio::io::stdout(), host, caller, settings, shutdown).await
}

/// The same on any pair of streams.
pub async fn serve_on<H, R, W>(
    input: R,
    output: W,
    host: Arc<H>,
    caller: Arc<Principal>,
    settings: StdioSettings,
    shutdown: CancellationToken,
) -> io::Result<()>
where
    H: ToolHost,
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let peer = Peer { address: None, client: None, transport: "stdio" };
    let session = Arc::new(Session {
        gate: Gate::new(host),
        output: Mutex::new(output),
        output_lost: CancellationToken::new(),
        in_flight: std::sync::Mutex::default(),
    });
    let requests = TaskTracker::new();
    let mut caller = Caller { principal: caller, peer };
    let mut input = BufReader::new(input);
    let ended = loop {
        let line = tokio::select! {
            line = read_line(&mut input, settings.line_max) => line,
            () = shutdown.cancelled() => break Ok(()),
            () = session.output_lost.cancelled() => break Ok(()),
        };
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        tokio::select! {
            () = session.take(line, &mut caller, &requests, &settings) => {}
            // A client that does not read its answers must not hold up the end.
            () = shutdown.cancelled() => break Ok(()),
        }
    };
    session.drain(&requests, settings.drain_timeout).await;
    ended
}

enum Line {
    Text(Vec<u8>),
    /// It was read to its end and thrown away.
    TooLong,
}

/// The next line; `None` at the end of the input.
async fn read_line(input: &mut (impl AsyncBufRead + Unpin), max: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = input.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(match (too_long, line.is_empty()) {
                (true, _) => Some(Line::TooLong),
                (false, true) => None,
                (false, false) => Some(Line::Text(line)),
            });
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let (text, _) = chunk.split_at(end.unwrap_or(chunk.len()));
        too_long |= line.len() + text.len() > max;
        if too_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(text);
        }
        let used = text.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(if too_long { Line::TooLong } else { Line::Text(line) }));
        }
    }
}

struct Session<H, W> {
    gate: Gate<H>,
    output: Mutex<W>,
    /// Nobody reads the answers any more.
    output_lost: CancellationToken,
    /// Requests whose answer is owed, so that `notifications/cancelled` finds them.
    in_flight: std::sync::Mutex<HashMap<RequestId, CancellationToken>>,
}

/// What became of a request that wants to run.
enum Entry {
    Running(CancellationToken),
    IdInUse,
    Full,
}

impl<H: ToolHost, W: AsyncWrite + Unpin + Send + 'static> Session<H, W> {
    /// Takes one line: starts a request, or acts on a notification.
    async fn take(self: &Arc<Self>, line: Line, caller: &mut Caller, requests: &TaskTracker, settings: &StdioSettings) {
        let requests_max = settings.requests_max;
        let line = match line {
            Line::Text(line) if line.trim_ascii().is_empty() => return,
            Line::Text(line) => line,
            Line::TooLong => {
                let sentence = format!("a message has at most {} bytes", settings.line_max);
                let refusal = Refusal::new(Code::REQUEST_TOO_LARGE, sentence);
                return self.refuse(caller, RpcError::new(RpcCode::INVALID_REQUEST, refusal)).await;
            }
        };
        match envelope::parse(&line) {
            Ok(Message::Notification(body)) => self.notified(&body),
            Ok(Message::Request(id, body)) => match self.enter(&id, requests_max) {
                Entry::Running(cancel) => {
                    // Older clients say who they are once, at the start.
                    caller.peer.client = body.handshake_client().or(caller.peer.client.take());
                    let (session, caller, body) = (Arc::clone(self), caller.clone(), body.into_owned());
                    requests.spawn(async move { session.run(caller, id, body, cancel).await });
                }
                Entry::IdInUse => {
                    let refusal = Refusal::new(Code::MALFORMED_REQUEST, "a request with this `id` is still running");
                    let error = RpcError::new(RpcCode::INVALID_REQUEST, refusal).answering(Some(id));
                    self.refuse(caller, error).await;
                }
                Entry::Full => {
                    let sentence = format!("at most {requests_max} requests run at a time on this connection");
                    let refusal = Refusal::new(Code::TOO_MANY_CALLS, sentence).retry_after_ms(100);
                    self.gate.host.reject(Some(&caller.principal), &caller.peer, &refusal);
                    self.write(wire::refused(&id, Revision::V2025_11_25, &refusal, None)).await;
                }
            },
            Err(error) => self.refuse(caller, error).await,
        }
    }

    fn notified(&self, body: &Body<'_>) {
        #[derive(Deserialize)]
        struct Cancelled {
            #[serde(rename = "requestId")]
            id: RequestId,
        }
        // Whatever else a client tells changes nothing here.
        if body.method != "notifications/cancelled" {
            return;
        }
        let params = body.params.as_deref().and_then(|params| serde_json::from_str::<Cancelled>(params.get()).ok());
        if let Some(cancel) = params.and_then(|params| self.lock().get(&params.id).cloned()) {
            cancel.cancel();
        }
    }

    fn enter(&self, id: &RequestId, requests_max: usize) -> Entry {
        let mut in_flight = self.lock();
        if in_flight.contains_key(id) {
            return Entry::IdInUse;
        }
        if in_flight.len() >= requests_max {
            return Entry::Full;
        }
        let cancel = self.gate.abort.child_token();
        in_flight.insert(id.clone(), cancel.clone());
        Entry::Running(cancel)
    }

    async fn run(&self, caller: Caller, id: RequestId, body: Body<'_>, cancel: CancellationToken) {
        let answering = AssertUnwindSafe(self.answer(&caller, &id, &body, cancel.clone())).catch_unwind();
        let answer = answering.await.unwrap_or_else(|_| {
            let refusal = Refusal::new(Code::INTERNAL, "the server failed to answer");
            RpcError::new(RpcCode::INTERNAL, refusal).answering(Some(id.clone())).to_bytes()
        });
        let withdrawn = self.lock().remove(&id).is_some_and(|cancel| cancel.is_cancelled());
        // What was cancelled is not answered; what the shutdown cut short is.
        if !withdrawn || self.gate.abort.is_cancelled() {
            self.write(answer).await;
        }
    }

    async fn answer(&self, caller: &Caller, id: &RequestId, body: &Body<'_>, cancel: CancellationToken) -> Vec<u8> {
        let answered = match Revision::of_meta(&body.meta) {
            Ok(named) => {
                let revision = named.unwrap_or(Revision::V2025_11_25);
                self.gate.answer(caller, &Asked { id, revision, body }, cancel).await
            }
            Err(error) => Err(self.gate.refuse(Some(caller), &caller.peer, error.answering(Some(id.clone())))),
        };
        answered.unwrap_or_else(|error| error.to_bytes())
    }

    async fn refuse(&self, caller: &Caller, error: RpcError) {
        self.write(self.gate.refuse(Some(caller), &caller.peer, error).to_bytes()).await;
    }

    async fn write(&self, mut message: Vec<u8>) {
        message.push(b'\n');
        let mut output = self.output.lock().await;
        let written = async {
            output.write_all(&message).await?;
            output.flush().await
        };
        if written.await.is_err() {
            self.output_lost.cancel();
        }
    }

    /// Lets what is in flight finish, then cancels the rest. With nobody to read the answers there is nothing to wait for.
    async fn drain(&self, requests: &TaskTracker, limit: Duration) {
        requests.close();
        self.gate.calls.close();
        let finish = async {
            requests.wait().await;
            self.gate.calls.wait().await;
        };
        let finished = tokio::select! {
            finished = timeout(limit, finish) => finished.is_ok(),
            () = self.output_lost.cancelled() => false,
        };
        if !finished {
            self.gate.abort.cancel();
            let come_back = async {
                self.gate.calls.wait().await;
                requests.wait().await;
            };
            let _ = timeout(CANCEL_GRACE, come_back).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RequestId, CancellationToken>> {
        self.in_flight.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
