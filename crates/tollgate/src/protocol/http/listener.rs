//! Accepts connections, holds them to their limits, and lets go of them when the server shuts down.

use std::{
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{HttpSettings, Server};
use crate::protocol::{
    connection::{Connections, PatientStream},
    host::ToolHost,
};

/// What a connection that has not sent a request yet may still take when the server shuts down.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What cancelled calls may take to come back with their outcome.
const CANCEL_GRACE: Duration = Duration::from_secs(2);
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// How the server's end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Calls that did not finish in time and were cancelled.
    pub cancelled: usize,
    /// Cancelled calls that still had not come back when the server stopped waiting.
    pub abandoned: usize,
}

/// Serves MCP on a listener until `shutdown` fires, then lets the calls in flight finish for at most the drain timeout
/// and cancels the rest.
pub async fn serve<H: ToolHost>(
    listener: TcpListener,
    host: Arc<H>,
    settings: HttpSettings,
    shutdown: CancellationToken,
) -> Drained {
    let connections = Arc::new(Connections::new(settings.connections_max, settings.connections_per_address_max));
    let server = Arc::new(Server::new(host, settings));
    let ending = Ending { begun: shutdown.clone(), cut: CancellationToken::new() };
    let open = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((stream, address)) => match connections.admit(address.ip()) {
                Some(slot) => {
                    let (server, ending) = (Arc::clone(&server), ending.clone());
                    open.spawn(async move {
                        connection(&server, stream, address, &ending).await;
                        drop(slot);
                    });
                }
                // Best effort: whoever floods has no claim to an answer.
                None => drop(stream.try_write(FULL)),
            },
            Err(error) => accept_failed(&error).await,
        }
    }
    drop(listener);
    drain(&server, &ending, &open).await
}

/// Out of file descriptors or memory: the connections there are must end before more can come.
async fn accept_failed(error: &io::Error) {
    tracing::warn!(kind = ?error.kind(), "a connection could not be accepted");
    sleep(Duration::from_millis(50)).await;
}

#[derive(Clone)]
struct Ending {
    /// No more requests after those in flight.
    begun: CancellationToken,
    /// No more waiting.
    cut: CancellationToken,
}

async fn drain<H: ToolHost>(server: &Server<H>, ending: &Ending, open: &TaskTracker) -> Drained {
    let calls = &server.gate.calls;
    open.close();
    calls.close();
    let finish = async {
        open.wait().await;
        calls.wait().await;
    };
    if timeout(server.settings.drain_timeout, finish).await.is_ok() {
        return Drained { cancelled: 0, abandoned: 0 };
    }
    let cancelled = calls.len();
    server.gate.abort.cancel();
    let come_back = async {
        open.wait().await;
        calls.wait().await;
    };
    // A connection whose client does not read may outlast its call: it is cut off either way.
    let _ = timeout(CANCEL_GRACE, come_back).await;
    ending.cut.cancel();
    open.wait().await;
    Drained { cancelled, abandoned: calls.len() }
}

async fn connection<H: ToolHost>(server: &Server<H>, stream: TcpStream, address: SocketAddr, ending: &Ending) {
    // Without it an answer in two packets waits for the client's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(kind = ?error.kind(), "a connection went before its first request");
        return;
    }
    let settings = &server.settings;
    let asked = AtomicBool::new(false);
    let service = service_fn(|request: hyper::Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        async { Ok::<_, std::convert::Infallible>(server.respond(request, address).await) }
    });
    let io = TokioIo::new(PatientStream::new(stream, settings.write_timeout));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        // hyper's clock runs from one answer to the next request, so it is the idle timeout too. Only a client that
        // has authenticated gets to have a second request.
        .header_read_timeout(settings.idle_timeout)
        .max_buf_size(settings.headers_max.max(8 << 10))
        .serve_connection(io, service);
    let mut serving = pin!(serving);
    let mut first = pin!(sleep(settings.header_timeout));
    let (mut waiting, mut ended) = (true, false);
    loop {
        tokio::select! {
            // A connection that breaks is its client's affair; what its calls came to is in the audit log.
            _ = serving.as_mut() => return,
            () = first.as_mut(), if waiting => {
                if !asked.load(Ordering::Relaxed) {
                    return;
                }
                waiting = false;
            }
            () = ending.begun.cancelled(), if !ended => {
                ended = true;
                serving.as_mut().graceful_shutdown();
                if !asked.load(Ordering::Relaxed) {
                    first.as_mut().reset(Instant::now() + settings.header_timeout.min(LAST_WORDS));
                }
            }
            () = ending.cut.cancelled() => return,
        }
    }
}
