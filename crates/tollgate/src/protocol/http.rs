//! MCP over Streamable HTTP: the listener, its limits, and the order in which a request is looked at.
//!
//! Method and path, `Host`, `Origin`, the credential: all from the headers, before a byte of the body is read. Then the
//! body with its limits, the envelope, the headers against the body, and only then the request. No state is kept from
//! one request to the next, no session is issued, and nothing is ever taken from the query string.

mod listener;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{self, HeaderValue},
    http::request::Parts,
};
use rmcp::model::RequestId;
use tollgate_core::names::{Code, Refusal};

pub use self::listener::{Drained, serve};
pub use super::perimeter::{AllowedHost, AllowedOrigin, InvalidAddress};
use super::{
    dispatch::{Asked, CallParams, Caller, Gate},
    envelope::{self, Body, Message, client_name},
    headers,
    host::{Peer, ToolHost},
    perimeter::{self, Addresses},
    revision::Revision,
    wire::{RpcCode, RpcError},
};

/// How many bodies' worth of a body that is too large is read before its sender is cut off.
const DISCARDED_BODIES: usize = 8;

/// How MCP is served over HTTP.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The one path that is served.
    pub path: String,
    /// The names this server answers to: a request to any other is refused.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Web pages that may send requests; one of this server's own name always may.
    pub allowed_origins: Vec<AllowedOrigin>,
    /// Bytes of a body.
    pub body_max: usize,
    /// Bytes of a request's line and headers; at least 8 KiB.
    pub headers_max: usize,
    /// Open connections.
    pub connections_max: usize,
    /// Open connections from one address (from one /64 of IPv6).
    pub connections_per_address_max: usize,
    /// How long a new connection may take to send its first request's headers.
    pub header_timeout: Duration,
    /// How long a request may take to send its body.
    pub body_timeout: Duration,
    /// How long a connection may take from one answer to the next request's headers.
    pub idle_timeout: Duration,
    /// How long a client may take to read an answer, once the network's buffers are full.
    pub write_timeout: Duration,
    /// How long calls in flight may go on when the server shuts down.
    pub drain_timeout: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let host = |host: &str| AllowedHost::loopback(host);
        Self {
            path: "/mcp".to_owned(),
            allowed_hosts: vec![host("localhost"), host("127.0.0.1"), host("[::1]")],
            allowed_origins: Vec::new(),
            body_max: 1 << 20,
            headers_max: 32 << 10,
            connections_max: 1_024,
            connections_per_address_max: 512,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(25),
        }
    }
}

/// What all requests share.
struct Server<H> {
    gate: Gate<H>,
    settings: HttpSettings,
    addresses: Addresses,
}

type Reply = Response<Full<Bytes>>;

impl<H: ToolHost> Server<H> {
    fn new(host: Arc<H>, settings: HttpSettings) -> Self {
        let addresses = Addresses { hosts: settings.allowed_hosts.clone(), origins: settings.allowed_origins.clone() };
        Self { gate: Gate::new(host), settings, addresses }
    }

    /// Answers one request. Whatever goes wrong inside is an answer and not a dead connection.
    async fn respond(&self, request: Request<Incoming>, address: SocketAddr) -> Reply {
        // A body in chunks may have come with a length too, which hyper takes away. A proxy that went by the length sees
        // other requests than we do, so nothing that follows on this connection is anybody's.
        let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let answered = std::panic::AssertUnwindSafe(self.answer(request, address)).catch_unwind().await;
        let reply = answered.unwrap_or_else(|_| {
            let refusal = Refusal::new(Code::INTERNAL, "the server failed to answer");
            closing(refused(&RpcError::new(RpcCode::INTERNAL, refusal).with_status(StatusCode::INTERNAL_SERVER_ERROR)))
        });
        if chunked { closing(reply) } else { reply }
    }

    async fn answer(&self, request: Request<Incoming>, address: SocketAddr) -> Reply {
        let (parts, body) = request.into_parts();
        if parts.uri.path() != self.settings.path {
            return closing(empty(StatusCode::NOT_FOUND));
        }
        if parts.method != Method::POST {
            let mut reply = closing(empty(StatusCode::METHOD_NOT_ALLOWED));
            reply.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            return reply;
        }
        let peer = Peer { address: Some(address), client: user_agent(&parts.headers), transport: "http" };
        if let Err(error) = self.addresses.admit(&parts.uri, &parts.headers) {
            return closing(refused(&self.gate.refuse(None, &peer, error)));
        }
        let caller = match self.gate.host.authenticate(perimeter::bearer(&parts.headers), &peer) {
            Ok(principal) => Caller { principal, peer },
            Err(refusal) => return closing(unauthenticated(refusal, &parts.headers)),
        };
        let bytes = match self.body(&parts, body).await {
            Ok(bytes) => bytes,
            Err(error) => return closing(refused(&self.gate.refuse(Some(&caller), &caller.peer, error))),
        };
        match envelope::parse(&bytes) {
            Ok(Message::Request(id, body)) => self.request(&parts.headers, &caller, &id, &body).await,
            Ok(Message::Notification(body)) => self.notification(&parts.headers, &caller, &body),
            Err(error) => refused(&self.gate.refuse(Some(&caller), &caller.peer, error)),
        }
    }

    async fn body(&self, parts: &Parts, body: Incoming) -> Result<Bytes, RpcError> {
        perimeter::media(&parts.headers)?;
        let (max, limit) = (self.settings.body_max, self.settings.body_timeout);
        // A client that asks first has sent nothing yet.
        if body.size_hint().lower() > max as u64 && parts.headers.contains_key(header::EXPECT) {
            return Err(too_large(max));
        }
        tokio::time::timeout(limit, collect(body, max)).await.unwrap_or_else(|_| {
            let refusal = Refusal::new(Code::REQUEST_TIMEOUT, "the body of the request took too long");
            let code = RpcCode::own(Code::REQUEST_TIMEOUT);
            Err(RpcError::new(code, refusal).with_status(StatusCode::REQUEST_TIMEOUT))
        })
    }

    async fn request(&self, headers: &HeaderMap, caller: &Caller, id: &RequestId, body: &Body<'_>) -> Reply {
        let revision = match self.revision(headers, caller, body) {
            Ok(revision) => revision,
            Err(error) => {
                let error = error.answering(Some(id.clone()));
                return refused(&self.gate.refuse(Some(caller), &caller.peer, error));
            }
        };
        // The connection's end drops this future, and with it the guard.
        let cancel = self.gate.abort.child_token();
        let left = cancel.clone().drop_guard();
        let answered = self.gate.answer(caller, &Asked { id, revision, body }, cancel).await;
        left.disarm();
        match answered {
            Ok(bytes) => json(StatusCode::OK, bytes),
            // Clients before 2026-07-28 look for errors in the body only.
            Err(error) if !revision.is_stateless() => json(StatusCode::OK, error.to_bytes()),
            Err(error) => refused(&error),
        }
    }

    /// The revision of a request, its headers held against its body.
    fn revision(&self, headers: &HeaderMap, caller: &Caller, body: &Body<'_>) -> Result<Revision, RpcError> {
        let revision = headers::revision(headers, body)?;
        headers::agree(headers, body, revision)?;
        if !revision.is_stateless() {
            return Ok(revision);
        }
        if let Some(params) = (body.method == "tools/call").then(|| CallParams::of(body)).flatten() {
            let tools = self.gate.host.list(&caller.principal);
            if let Some(tool) = tools.iter().find(|tool| tool.name == params.name) {
                headers::params_agree(headers, &tool.input_schema, params.arguments)?;
            }
        }
        Ok(revision)
    }

    /// Nothing that a client may notify of changes anything here: a call is cancelled by ending its connection, for
    /// an id alone does not say whose call it is.
    fn notification(&self, headers: &HeaderMap, caller: &Caller, body: &Body<'_>) -> Reply {
        let agreed =
            headers::notification_revision(headers).and_then(|revision| headers::agree(headers, body, revision));
        match agreed {
            Ok(()) => empty(StatusCode::ACCEPTED),
            Err(error) => refused(&self.gate.refuse(Some(caller), &caller.peer, error)),
        }
    }
}

/// Reads a body of at most `max` bytes. Some of what is too much is read too, and thrown away: a client in the middle of
/// sending does not look for an answer.
async fn collect(mut body: Incoming, max: usize) -> Result<Bytes, RpcError> {
    let patience = max.saturating_mul(DISCARDED_BODIES);
    let (mut taken, mut seen) = (BytesMut::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            let refusal = Refusal::new(Code::MALFORMED_REQUEST, "the body of the request broke off");
            RpcError::new(RpcCode::INVALID_REQUEST, refusal)
        })?;
        let data = frame.data_ref().map_or(&[][..], |data| data);
        seen = seen.saturating_add(data.len());
        if seen <= max {
            taken.extend_from_slice(data);
        } else if seen > patience {
            break;
        } else {
            taken = BytesMut::new();
        }
    }
    if seen <= max { Ok(taken.freeze()) } else { Err(too_large(max)) }
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(|text| client_name(text, None))
}

fn too_large(max: usize) -> RpcError {
    let refusal = Refusal::new(Code::REQUEST_TOO_LARGE, format!("a request has at most {max} bytes"));
    RpcError::new(RpcCode::own(Code::REQUEST_TOO_LARGE), refusal).with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

fn unauthenticated(refusal: Refusal, headers: &HeaderMap) -> Reply {
    let status = match refusal.code {
        Code::UNAUTHENTICATED | Code::UNKNOWN_AGENT => StatusCode::UNAUTHORIZED,
        Code::TOO_MANY_CALLS | Code::BUSY => StatusCode::TOO_MANY_REQUESTS,
        Code::AUDIT_UNAVAILABLE | Code::SHUTTING_DOWN => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    };
    let mut reply = refused(&RpcError::new(RpcCode::own(refusal.code), refusal).with_status(status));
    if status == StatusCode::UNAUTHORIZED {
        let challenge = if headers.contains_key(header::AUTHORIZATION) {
            "Bearer realm=\"tollgate\", error=\"invalid_token\""
        } else {
            "Bearer realm=\"tollgate\""
        };
        reply.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    reply
}

fn refused(error: &RpcError) -> Reply {
    let mut reply = json(error.status(), error.to_bytes());
    if let Some(wait) = error.refusal().retry_after_ms {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.div_ceil(1000)));
    }
    reply
}

fn json(status: StatusCode, bytes: Vec<u8>) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(bytes)));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}

fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::new()));
    *reply.status_mut() = status;
    reply
}

/// Ends the connection after the answer: one that is not authenticated, or whose body was left unread, has no other.
fn closing(mut reply: Reply) -> Reply {
    reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    reply
}
