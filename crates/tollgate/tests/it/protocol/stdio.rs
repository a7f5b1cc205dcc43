//! MCP over a pair of pipes.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tollgate::protocol::stdio::{StdioSettings, serve_on};

use super::{
    fake_host::{FakeHost, principal},
    harness::META,
};

struct Pipes {
    host: Arc<FakeHost>,
    shutdown: CancellationToken,
    input: Option<DuplexStream>,
    output: Lines<BufReader<DuplexStream>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Pipes {
    fn open(settings: StdioSettings) -> Self {
        let (host, shutdown) = (Arc::new(FakeHost::default()), CancellationToken::new());
        let (input, server_input) = tokio::io::duplex(1 << 16);
        let (server_output, output) = tokio::io::duplex(1 << 16);
        let serving = serve_on(server_input, server_output, Arc::clone(&host), principal(), settings, shutdown.clone());
        let output = BufReader::new(output).lines();
        Self { host, shutdown, input: Some(input), output, serving: tokio::spawn(serving) }
    }

    async fn say(&mut self, line: &str) {
        self.input.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    async fn call(&mut self, id: &Value, tool: &str, arguments: Value) {
        let params = json!({ "name": tool, "arguments": arguments });
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()).await;
    }

    async fn hear(&mut self) -> Option<Value> {
        let line = timeout(Duration::from_secs(5), self.output.next_line()).await.expect("a line in 5 s").unwrap();
        line.map(|line| serde_json::from_str(&line).expect("each line is one message"))
    }

    async fn seen(&self, line: &str) {
        for _ in 0..200 {
            if self.host.lines().iter().any(|seen| seen.contains(line)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no `{line}` in {:?}", self.host.lines());
    }
}

#[tokio::test]
async fn an_older_client_shakes_hands_lists_and_calls() {
    let mut pipes = Pipes::open(StdioSettings::default());
    let client = json!({ "name": "desk", "version": "3" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    pipes.say(&json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string()).await;
    let answer = pipes.hear().await.unwrap();
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    pipes.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    pipes.say("").await;
    pipes.say(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).await;
    assert_eq!(pipes.hear().await.unwrap()["result"]["tools"][0]["name"], "echo");
    pipes.call(&json!("c"), "echo", json!({ "text": "line\nbreak" })).await;
    let answer = pipes.hear().await.unwrap();
    assert_eq!(answer["result"]["structuredContent"]["rows"][0]["value"]["text"], "line\nbreak");
    assert!(answer["result"].get("resultType").is_none());
    pipes.seen("client=desk/3 via=stdio").await;
}

#[tokio::test]
async fn a_client_of_2026_says_it_in_each_request() {
    let mut pipes = Pipes::open(StdioSettings::default());
    let ask = |method: &str, more: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{more}"_meta":{META}}}}}"#)
    };
    pipes.say(&ask("server/discover", "")).await;
    assert_eq!(pipes.hear().await.unwrap()["result"]["supportedVersions"][0], "2026-07-28");
    pipes.say(&ask("tools/call", r#""name":"echo","#)).await;
    assert_eq!(pipes.hear().await.unwrap()["result"]["resultType"], "complete");
    pipes.say(&ask("tools/call", r#""name":"nope","#)).await;
    assert_eq!(pipes.hear().await.unwrap()["error"]["code"], -32602);
    pipes.say(&ask("ping", "").replace("2026-07-28", "2031-01-01")).await;
    assert_eq!(pipes.hear().await.unwrap()["error"]["code"], -32022);
}

#[tokio::test]
async fn calls_run_side_by_side_and_a_cancelled_one_is_not_answered() {
    let mut pipes = Pipes::open(StdioSettings::default());
    pipes.call(&json!(1), "slow", json!({ "ms": 60_000 })).await;
    pipes.call(&json!(2), "slow", json!({ "ms": 300 })).await;
    pipes.call(&json!(3), "echo", json!({})).await;
    assert_eq!(pipes.hear().await.unwrap()["id"], 3);
    pipes
        .say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}"#)
        .await;
    pipes.seen("cancelled 1").await;
    assert_eq!(pipes.hear().await.unwrap()["id"], 2);
    pipes.call(&json!(1), "echo", json!({})).await;
    assert_eq!(pipes.hear().await.unwrap()["id"], 1, "the id is free again");
}

#[tokio::test]
async fn malformed_lines_are_answered_and_the_next_one_is_read() {
    let mut pipes = Pipes::open(StdioSettings { line_max: 1000, ..StdioSettings::default() });
    let code = |answer: Option<Value>| answer.unwrap()["error"]["code"].as_i64().unwrap();
    pipes.say("{nonsense").await;
    assert_eq!(code(pipes.hear().await), -32700);
    pipes.say("[]").await;
    assert_eq!(code(pipes.hear().await), -32600);
    pipes.say(&"x".repeat(1001)).await;
    assert_eq!(code(pipes.hear().await), -32600);
    pipes.say(&"y".repeat(300_000)).await;
    assert_eq!(code(pipes.hear().await), -32600);
    pipes.say(r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"echo","name":"slow"}}"#).await;
    let answer = pipes.hear().await;
    assert_eq!(answer.as_ref().unwrap()["id"], 9, "its sender need not wait");
    assert_eq!(code(answer), -32700);
    pipes.input.as_mut().unwrap().write_all(b"\xff\xfe\n").await.unwrap();
    assert_eq!(code(pipes.hear().await), -32700);
    pipes.call(&json!(1), "echo", json!({})).await;
    assert_eq!(pipes.hear().await.unwrap()["id"], 1);
    assert!(pipes.host.lines().iter().filter(|line| line.starts_with("reject tester")).count() == 6);
}

#[tokio::test]
async fn requests_in_flight_are_limited_and_ids_are_not_used_twice() {
    let mut pipes = Pipes::open(StdioSettings { requests_max: 2, ..StdioSettings::default() });
    pipes.call(&json!(1), "slow", json!({ "ms": 60_000 })).await;
    pipes.call(&json!(1), "echo", json!({})).await;
    let answer = pipes.hear().await.unwrap();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32600)));
    pipes.call(&json!(2), "slow", json!({ "ms": 60_000 })).await;
    pipes.call(&json!(3), "echo", json!({})).await;
    let answer = pipes.hear().await.unwrap();
    assert_eq!((&answer["id"], &answer["result"]["_meta"]["code"]), (&json!(3), &json!("TG603")));
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let mut pipes = Pipes::open(StdioSettings::default());
    pipes.call(&json!(1), "panic", json!({})).await;
    let answer = pipes.hear().await.unwrap();
    assert_eq!(answer["result"]["_meta"]["code"], "TG790");
    assert!(!answer.to_string().contains("postgres"));
}

#[tokio::test]
async fn the_end_of_the_input_lets_calls_finish() {
    let mut pipes = Pipes::open(StdioSettings::default());
    pipes.call(&json!(1), "slow", json!({ "ms": 300 })).await;
    // The last line has no line break.
    pipes.input.as_mut().unwrap().write_all(br#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#).await.unwrap();
    drop(pipes.input.take());
    assert_eq!(pipes.hear().await.unwrap()["id"], 2);
    assert_eq!(pipes.hear().await.unwrap()["id"], 1);
    assert_eq!(pipes.hear().await, None);
    pipes.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_shutdown_cancels_what_does_not_finish_in_time() {
    let settings = StdioSettings { drain_timeout: Duration::from_millis(100), ..StdioSettings::default() };
    let mut pipes = Pipes::open(settings);
    pipes.call(&json!(1), "slow", json!({ "ms": 60_000 })).await;
    pipes.seen("call slow").await;
    pipes.shutdown.cancel();
    assert_eq!(pipes.hear().await.unwrap()["result"]["_meta"]["code"], "TG503");
    pipes.serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_is_gone_cancels_its_calls() {
    let mut pipes = Pipes::open(StdioSettings::default());
    pipes.call(&json!(1), "slow", json!({ "ms": 60_000 })).await;
    pipes.seen("call slow").await;
    drop(pipes.output);
    pipes.input.as_mut().unwrap().write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n").await.unwrap();
    timeout(Duration::from_secs(5), pipes.serving).await.unwrap().unwrap().unwrap();
    assert!(pipes.host.lines().contains(&"cancelled 1".to_owned()), "{:?}", pipes.host.lines());
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_hold_up_the_end() {
    let settings =
        StdioSettings { line_max: 1000, drain_timeout: Duration::from_millis(100), ..StdioSettings::default() };
    for line in ["x".repeat(2000), "not JSON".to_owned()] {
        let (input, server_input) = tokio::io::duplex(1 << 16);
        let (server_output, _unread) = tokio::io::duplex(64);
        let (host, shutdown) = (Arc::new(FakeHost::default()), CancellationToken::new());
        let serving = serve_on(server_input, server_output, host, principal(), settings.clone(), shutdown.clone());
        let serving = tokio::spawn(serving);
        let mut input = input;
        for _ in 0..3 {
            input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        shutdown.cancel();
        timeout(Duration::from_secs(5), serving).await.expect("an end in 5 s").unwrap().unwrap();
    }
}

/// Input that can be read for a while and then not any more.
struct Breaking(DuplexStream);

impl tokio::io::AsyncRead for Breaking {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(std::pin::Pin::new(&mut self.0).poll_read(cx, buf))?;
        let end = buf.filled().len() == before;
        std::task::Poll::Ready(if end { Err(std::io::Error::other("broken")) } else { Ok(()) })
    }
}

#[tokio::test]
async fn input_that_breaks_lets_calls_finish() {
    let (mut input, server_input) = tokio::io::duplex(1 << 16);
    let (server_output, output) = tokio::io::duplex(1 << 16);
    let host = Arc::new(FakeHost::default());
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","arguments":{"ms":300}}}"#;
    input.write_all(format!("{call}\n").as_bytes()).await.unwrap();
    drop(input);
    let input = Breaking(server_input);
    let served =
        serve_on(input, server_output, host, principal(), StdioSettings::default(), CancellationToken::new()).await;
    assert!(served.is_err());
    let answer = BufReader::new(output).lines().next_line().await.unwrap().unwrap();
    assert!(answer.contains(r#""row_count":1"#), "{answer}");
}
