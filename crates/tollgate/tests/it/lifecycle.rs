//! The beginning and the end of a server, at bad moments.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{Server, audit_records, tollgate};

/// An operator's port is a port too: a client that says half a request must neither stay nor hold up the end.
#[test]
fn half_a_request_for_metrics_does_not_hold_up_the_end() {
    let mut server = Server::demo();
    let address = server.monitoring.strip_prefix("http://").unwrap().to_owned();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(b"GET /metr").unwrap();
    let _silent = TcpStream::connect(&address).unwrap();
    let mut whole = TcpStream::connect(&address).unwrap();
    whole.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    whole.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    let began = Instant::now();
    server.signal("-TERM");
    assert!(server.wait().success());
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(server.audit().last().unwrap()["type"], "shutdown");
}

#[test]
fn a_port_that_is_taken_ends_the_start_in_order() {
    let server = Server::demo();
    let taken = server.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let again = tollgate().args(["demo", "--listen", taken, "--dir"]).arg(server.dir()).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains("cannot listen on"), "{told}");
    let second = audit_records(&server.dir().join("audit"));
    assert_eq!(second.last().unwrap()["replica"], "local-1");
    assert_eq!(second.last().unwrap()["type"], "shutdown", "the log of the second process has its end");
}

/// No answer without a record, a refusal's neither.
#[tokio::test]
async fn without_its_audit_log_a_server_answers_no_call() {
    let server = Server::demo();
    let eu = server.agent(&server.demo_keys()["support-eu"]);
    eu.call("get_user", json!({"id": 3})).await.rows();
    fs::remove_dir_all(server.dir().join("audit")).unwrap();
    for (tool, arguments) in [("get_user", json!({"id": 3})), ("get_user", json!({"id": "x"})), ("no_tool", json!({}))]
    {
        let called = eu.call(tool, arguments).await;
        assert_eq!(called.code(), "TG701", "{called:?}");
    }
}
