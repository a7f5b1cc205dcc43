//! A load generator for figures: N keep-alive HTTP clients call one tool, every answer is checked, and the server's own CPU is
//! read from `/proc`. Usage: `load URL KEY TOOL ARGUMENTS CLIENTS SECONDS [PID]`; `{n}` in ARGUMENTS becomes a number in 1..=100000.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench tool, run by hand"
)]
#![allow(
    missing_docs,
    clippy::panic,
    clippy::expect_used,
    clippy::cast_sign_loss,
    reason = "a bench tool, run by hand"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// The server's user and system time so far, in seconds, and its resident memory in MB.
fn usage(pid: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let rss = status.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    let kb: f64 = rss.split_whitespace().nth(1).unwrap().parse().unwrap();
    (ticks / 100.0, kb / 1024.0)
}

struct Client {
    stream: BufReader<TcpStream>,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn connect(authority: &str, path: &str, key: &str, tool: &str) -> Self {
        let stream = TcpStream::connect(authority).unwrap();
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n\
             Mcp-Name: {tool}\r\nContent-Length: "
        );
        Self { stream: BufReader::new(stream), head, body: Vec::new() }
    }

    fn call(&mut self, request: &str) -> usize {
        let message = format!("{}{}\r\n\r\n{request}", self.head, request.len());
        self.stream.get_mut().write_all(message.as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), None);
        let mut first = true;
        loop {
            line.clear();
            assert!(self.stream.read_line(&mut line).unwrap() > 0, "the server closed the connection");
            assert!(!first || line.contains(" 200 "), "unexpected status: {line}");
            first = false;
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse::<usize>().ok();
            }
            if line == "\r\n" {
                break;
            }
        }
        self.body.resize(length.expect("a content-length"), 0);
        self.stream.read_exact(&mut self.body).unwrap();
        let refused = self.body.windows(14).any(|w| w == b"\"isError\":true")
            || !self.body.windows(9).any(|w| w == b"\"content\"");
        assert!(!refused, "refused: {}", String::from_utf8_lossy(&self.body[..self.body.len().min(400)]));
        self.body.len()
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, tool, arguments, clients, seconds, pid @ ..] = args.as_slice() else {
        eprintln!("usage: load URL KEY TOOL ARGUMENTS CLIENTS SECONDS [PID]");
        std::process::exit(2);
    };
    let rest = url.strip_prefix("http://").expect("an http:// address");
    let (authority, path) = rest.split_once('/').map(|(a, p)| (a.to_owned(), format!("/{p}"))).unwrap();
    let (clients, seconds): (usize, u64) = (clients.parse().unwrap(), seconds.parse().unwrap());
    let pid: Option<u32> = pid.first().and_then(|p| p.parse().ok());
    let (stop, done, bytes) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let counting = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..clients)
        .map(|seed| {
            let (stop, done, bytes, counting) = (stop.clone(), done.clone(), bytes.clone(), counting.clone());
            let mut client = Client::connect(&authority, &path, key, tool);
            let (tool, arguments) = (tool.clone(), arguments.clone());
            thread::spawn(move || {
                let mut latencies: Vec<u32> = Vec::new();
                let mut n = seed as u64 * 7919;
                while !stop.load(Ordering::Relaxed) {
                    n = (n * 48_271 + 11) % 100_000;
                    let arguments = arguments.replace("{n}", &(n + 1).to_string());
                    let request = format!(
                        r#"{{"jsonrpc":"2.0","id":{n},"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
                    );
                    let began = Instant::now();
                    let size = client.call(&request);
                    if counting.load(Ordering::Relaxed) {
                        latencies.push(began.elapsed().as_micros() as u32);
                        done.fetch_add(1, Ordering::Relaxed);
                        bytes.fetch_add(size as u64, Ordering::Relaxed);
                    }
                }
                latencies
            })
        })
        .collect();
    thread::sleep(Duration::from_secs(2));
    let before = pid.map(usage);
    let began = Instant::now();
    counting.store(true, Ordering::Relaxed);
    thread::sleep(Duration::from_secs(seconds));
    counting.store(false, Ordering::Relaxed);
    let (elapsed, after) = (began.elapsed().as_secs_f64(), pid.map(usage));
    stop.store(true, Ordering::Relaxed);
    let mut latencies: Vec<u32> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    latencies.sort_unstable();
    let calls = done.load(Ordering::Relaxed);
    let at = |q: f64| f64::from(latencies[((latencies.len() - 1) as f64 * q) as usize]) / 1000.0;
    println!("calls {calls}  calls/s {:.0}  p50 {:.2} ms  p99 {:.2} ms", calls as f64 / elapsed, at(0.5), at(0.99));
    println!("bytes per answer {:.0}", bytes.load(Ordering::Relaxed) as f64 / calls as f64);
    if let (Some((cpu0, _)), Some((cpu1, rss))) = (before, after) {
        println!("server CPU per call {:.1} µs  RSS {rss:.1} MB", (cpu1 - cpu0) * 1e6 / calls as f64);
    }
}
