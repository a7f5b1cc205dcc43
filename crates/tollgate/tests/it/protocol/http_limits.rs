//! Clients that are slow, large, many, or gone.

use std::time::{Duration, Instant};

use tollgate::protocol::http::HttpSettings;

use super::harness::{Harness, call, post};

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn slow_headers_end_the_connection() {
    let settings = HttpSettings { header_timeout: SHORT, ..HttpSettings::default() };
    let harness = Harness::start(settings).await;
    let mut silent = harness.connect().await;
    let mut slow = harness.connect().await;
    slow.send(b"POST /mcp HTTP/1.1\r\nhost: ").await;
    assert!(silent.ends_within(LONG).await, "a client that says nothing");
    assert!(slow.ends_within(LONG).await, "a client that does not finish its headers");
}

#[tokio::test]
async fn a_slow_body_is_answered_and_ends_the_connection() {
    let settings = HttpSettings { body_timeout: SHORT, ..HttpSettings::default() };
    let harness = Harness::start(settings).await;
    let mut client = harness.connect().await;
    client.send(&post(&[("content-length", "100")], b"{\"jsonrpc\"")).await;
    let answer = client.answer().await.unwrap();
    assert_eq!(answer.status, 408);
    assert!(answer.body.contains("TG325"), "{}", answer.body);
    assert!(client.ends_within(LONG).await);
    harness.seen("reject tester TG325").await;
}

#[tokio::test]
async fn an_idle_connection_ends_and_a_busy_one_does_not() {
    let settings = HttpSettings { idle_timeout: SHORT, header_timeout: SHORT, ..HttpSettings::default() };
    let harness = Harness::start(settings).await;
    let mut client = harness.connect().await;
    for id in 0..3 {
        client.send(&call(id, "slow", r#"{"ms":300}"#)).await;
        assert_eq!(client.answer().await.unwrap().status, 200, "a call longer than the idle time");
    }
    assert!(client.ends_within(LONG).await);
}

#[tokio::test]
async fn an_unknown_caller_is_answered_before_its_body_is_there() {
    let harness = Harness::start(HttpSettings::default()).await;
    let mut client = harness.connect().await;
    client.send(&post(&[("content-length", "1000"), ("authorization", "")], b"")).await;
    assert_eq!(client.answer().await.unwrap().status, 401);
    assert!(client.ends_within(LONG).await, "an unknown caller has no second request");
}

#[tokio::test]
async fn bodies_are_limited_whether_or_not_they_say_how_long_they_are() {
    let settings = HttpSettings { body_max: 1000, ..HttpSettings::default() };
    let harness = Harness::start(settings).await;
    let fits = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping"{}}}"#, " ".repeat(1000 - 40));
    assert_eq!(fits.len(), 1000);
    assert_eq!(harness.ask(&post(&[], fits.as_bytes())).await.status, 200);
    assert_eq!(harness.ask(&post(&[], &[b' '; 1001])).await.status, 413);
    let asking_first = post(&[("content-length", "1001"), ("expect", "100-continue")], b"");
    assert_eq!(harness.ask(&asking_first).await.status, 413);
    let chunked = format!("3e9\r\n{}\r\n0\r\n\r\n", "x".repeat(1001));
    let chunked = post(&[("content-length", ""), ("transfer-encoding", "chunked")], chunked.as_bytes());
    let answer = harness.ask(&chunked).await;
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("TG321"), "{}", answer.body);
    harness.seen("reject tester TG321: a request has at most 1000 bytes").await;
}

#[tokio::test]
async fn headers_are_limited() {
    let harness = Harness::start(HttpSettings::default()).await;
    let long = "x".repeat(64 << 10);
    assert_eq!(harness.ask(&post(&[("x-long", &long)], b"{}")).await.status, 431);
    let many: Vec<String> = (0..200).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(harness.ask(&post(&many, b"{}")).await.status, 431);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_a_parse_error() {
    let harness = Harness::start(HttpSettings::default()).await;
    let answer = harness.ask(&post(&[], b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("-32700"), "{}", answer.body);
}

#[tokio::test]
async fn deep_and_wide_json_is_refused_or_taken_in_time() {
    let harness = Harness::start(HttpSettings::default()).await;
    let body = |arguments: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{arguments}}}}}"#
        )
    };
    let started = Instant::now();
    let deep = body(&format!("{{\"a\":{}{}}}", "[".repeat(400_000), "]".repeat(400_000)));
    let answer = harness.ask(&post(&[], deep.as_bytes())).await;
    assert_eq!((answer.status, answer.body.contains("deeper than 64")), (400, true));
    let keys: Vec<String> = (0..80_000).map(|n| format!("\"{n}\":0")).collect();
    let answer = harness.ask(&post(&[], body(&format!("{{{}}}", keys.join(","))).as_bytes())).await;
    assert_eq!(answer.status, 200);
    assert!(started.elapsed() < LONG);
}

#[tokio::test]
async fn connections_are_limited_by_address() {
    let settings = HttpSettings { connections_per_address_max: 2, ..HttpSettings::default() };
    let harness = Harness::start(settings).await;
    let first = harness.connect().await;
    let mut second = harness.connect().await;
    second.send(&call(1, "echo", "{}")).await;
    assert_eq!(second.answer().await.unwrap().status, 200);
    let mut third = harness.connect().await;
    assert_eq!(third.answer().await.unwrap().status, 503);
    assert!(third.ends_within(LONG).await);
    drop(first);
    tokio::time::sleep(SHORT).await;
    assert_eq!(harness.ask(&call(2, "echo", "{}")).await.status, 200, "a place is given back");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let settings = HttpSettings { write_timeout: SHORT, connections_per_address_max: 1, ..HttpSettings::default() };
    let harness = Harness::start(settings).await;
    let mut client = harness.connect().await;
    client.send(&call(1, "big", r#"{"bytes":12000000}"#)).await;
    harness.seen("call big").await;
    let freed = async {
        loop {
            let mut other = harness.connect().await;
            other.send(&call(2, "echo", "{}")).await;
            if other.answer().await.is_some_and(|answer| answer.status == 200) {
                break;
            }
            tokio::time::sleep(SHORT).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), freed).await.expect("its place is given back");
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_call() {
    let harness = Harness::start(HttpSettings::default()).await;
    let mut client = harness.connect().await;
    client.send(&call(7, "slow", r#"{"ms":60000}"#)).await;
    harness.seen("call slow").await;
    drop(client);
    harness.seen("cancelled 7").await;
}

#[tokio::test]
async fn a_call_that_ended_is_not_cancelled_by_what_comes_after() {
    let harness = Harness::start(HttpSettings::default()).await;
    let mut client = harness.connect().await;
    client.send(&call(1, "slow", r#"{"ms":1}"#)).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    drop(client);
    harness.seen("done 1").await;
    assert!(!harness.host.lines().iter().any(|line| line.starts_with("cancelled")));
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_connection_lives() {
    let harness = Harness::start(HttpSettings::default()).await;
    let mut client = harness.connect().await;
    client.send(&call(1, "panic", "{}")).await;
    let answer = client.answer().await.unwrap();
    assert!(answer.body.contains(r#""isError":true"#) && answer.body.contains("TG790"), "{}", answer.body);
    assert!(!answer.body.contains("postgres"), "{}", answer.body);
    client.send(&call(2, "echo", "{}")).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_calls_at_once_are_each_answered_with_their_own() {
    let settings = HttpSettings { connections_per_address_max: 400, ..HttpSettings::default() };
    let harness = std::sync::Arc::new(Harness::start(settings).await);
    let calls = (0..300).map(|id| {
        let harness = std::sync::Arc::clone(&harness);
        tokio::spawn(async move {
            let answer = harness.ask(&call(id, "slow", &format!(r#"{{"ms":100,"mine":{id}}}"#))).await;
            assert!(answer.body.contains(&format!(r#""mine":{id}}}"#)), "{}", answer.body);
            assert!(answer.body.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"#)), "{}", answer.body);
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_order() {
    let harness = Harness::start(HttpSettings::default()).await;
    let mut client = harness.connect().await;
    client.send(&[call(1, "slow", r#"{"ms":50}"#), call(2, "echo", "{}")].concat()).await;
    assert!(client.answer().await.unwrap().body.contains(r#""id":1"#));
    assert!(client.answer().await.unwrap().body.contains(r#""id":2"#));
}

#[tokio::test]
async fn a_client_that_sends_too_much_still_sees_why() {
    let harness = Harness::start(HttpSettings::default()).await;
    let mut body = vec![b' '; 5 << 20];
    body[0] = b'{';
    assert_eq!(harness.ask(&post(&[], &body)).await.status, 413);
    // Sent after the answer, to a connection that is already ending.
    let mut client = harness.connect().await;
    client.send(&post(&[("authorization", ""), ("content-length", "60000")], b"")).await;
    tokio::time::sleep(SHORT).await;
    client.send(&vec![b'x'; 60_000]).await;
    assert_eq!(client.answer().await.unwrap().status, 401);
}

/// RFC 9112, 6.1: a message with both a length and chunks may be an attempt to smuggle a request past a proxy.
#[tokio::test]
async fn a_body_in_chunks_is_the_last_on_its_connection() {
    let harness = Harness::start(HttpSettings::default()).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    for length in [("", ""), ("content-length", "5"), ("content-length", "")] {
        let headers = [("transfer-encoding", "chunked"), length];
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        let mut client = harness.connect().await;
        client.send(&[post(&headers, chunks.as_bytes()), call(2, "echo", "{}")].concat()).await;
        assert_eq!(client.answer().await.unwrap().status, 200);
        assert!(client.answer().await.is_none(), "what follows is nobody's request");
    }
    let packed = post(&[("content-length", ""), ("transfer-encoding", "gzip, chunked")], chunks.as_bytes());
    assert_eq!(harness.ask(&packed).await.status, 501);
}
