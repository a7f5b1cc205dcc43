//! A server on a free port, and a client that says exactly what it is told to.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tollgate::protocol::http::{Drained, HttpSettings, serve};

use super::fake_host::{FakeHost, KEY};

/// What a request of 2026-07-28 says about itself.
pub(super) const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"probe","version":"1"}}"#;

pub(super) struct Harness {
    pub(super) host: Arc<FakeHost>,
    pub(super) address: SocketAddr,
    pub(super) shutdown: CancellationToken,
    pub(super) serving: JoinHandle<Drained>,
}

impl Harness {
    pub(super) async fn start(settings: HttpSettings) -> Self {
        Self::with_host(FakeHost::default(), settings).await
    }

    pub(super) async fn with_host(host: FakeHost, settings: HttpSettings) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (host, shutdown) = (Arc::new(host), CancellationToken::new());
        let serving = tokio::spawn(serve(listener, Arc::clone(&host), settings, shutdown.clone()));
        Self { host, address, shutdown, serving }
    }

    pub(super) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// One request on a connection of its own.
    pub(super) async fn ask(&self, request: &[u8]) -> Answer {
        let mut client = self.connect().await;
        client.send(request).await;
        client.answer().await.unwrap()
    }

    /// Waits for a line in the host's journal.
    pub(super) async fn seen(&self, line: &str) {
        for _ in 0..200 {
            if self.host.lines().iter().any(|seen| seen.contains(line)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no `{line}` in {:?}", self.host.lines());
    }
}

pub(super) struct Client(pub(super) TcpStream);

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Client {
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// The next answer; `None` when the connection ends first.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        timeout(Duration::from_secs(20), self.read()).await.expect("an answer in 20 s")
    }

    async fn read(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> =
            lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        Some(Answer { status, headers, body: String::from_utf8(body).unwrap() })
    }

    /// Whether the server ends the connection within the time.
    pub(super) async fn ends_within(&mut self, limit: Duration) -> bool {
        let mut rest = Vec::new();
        timeout(limit, self.0.read_to_end(&mut rest)).await.is_ok()
    }
}

/// A POST with the headers every good request has, and more.
pub(super) fn post(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = "POST /mcp HTTP/1.1\r\n".to_owned();
    let usual = [("host", "127.0.0.1"), ("content-type", "application/json")];
    let length = body.len().to_string();
    let key = format!("Bearer {KEY}");
    let usual = usual.into_iter().chain([("content-length", length.as_str()), ("authorization", key.as_str())]);
    let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    for (name, value) in usual.filter(|(name, _)| !given(name)).chain(headers.iter().copied()) {
        // An empty value stands for a header that is not there.
        if !value.is_empty() {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
    }
    let mut bytes = format!("{text}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// A call of an older client.
pub(super) fn call(id: u64, tool: &str, arguments: &str) -> Vec<u8> {
    let params = format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#);
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#);
    post(&[("mcp-protocol-version", "2025-11-25")], body.as_bytes())
}
