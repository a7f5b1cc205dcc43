//! Bad input of every kind, as hostile or confused agents send it: a clear answer with its code, a record, nothing leaked, nothing down.

use serde_json::{Value, json};

use crate::harness::Server;

#[tokio::test]
async fn arguments_that_do_not_fit_are_told_what_would() {
    let server = Server::demo();
    let eu = server.agent(&server.demo_keys()["support-eu"]);
    let many = format!("[{}]", vec!["1"; 1_000_000].join(","));
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let cases: Vec<(&str, String, &str)> = vec![
        ("query_users_by_region_v2", r#"{"region":"mars"}"#.into(), "TG310"),
        ("query_users_by_region_v2", "{}".into(), "TG311"),
        ("query_users_by_region_v2", r#"{"region":null}"#.into(), "TG311"),
        ("query_users_by_region_v2", r#"{"region":"eu","limit":5}"#.into(), "TG312"),
        ("query_users_by_region_v2", r#"{"region":["eu"]}"#.into(), "TG310"),
        ("query_users_by_region_v2", r#"{"region":"eu","cursor":"AAAA"}"#.into(), "TG313"),
        ("query_users_by_region_v2", r#"{"region":"eu' OR '1'='1"}"#.into(), "TG310"),
        ("get_user", r#"{"id":"3"}"#.into(), "TG310"),
        ("get_user", r#"{"id":3.5}"#.into(), "TG310"),
        ("get_user", r#"{"id":0}"#.into(), "TG310"),
        ("get_user", r#"{"id":9223372036854775808}"#.into(), "TG310"),
        ("get_user", r#"{"id":1e400}"#.into(), "TG310"),
        ("get_user", r#"{"id":true}"#.into(), "TG310"),
        ("search_products", r#"{"text":"La\u0000mp"}"#.into(), "TG310"),
        ("search_products", r#"{"text":"%"}"#.into(), "TG310"),
        ("users_by_ids", format!(r#"{{"ids":[{}]}}"#, vec!["1"; 100_000].join(",")), "TG310"),
        ("orders_of_user", r#"{"user_id":3,"since":"yesterday"}"#.into(), "TG310"),
        ("orders_of_user", r#"{"user_id":3,"since":"2026-02-30T00:00:00Z"}"#.into(), "TG310"),
    ];
    for (tool, arguments, code) in cases {
        let called = eu.call_raw(tool, &arguments).await;
        let shown: String = arguments.chars().take(80).collect();
        assert!(called.status == 200 || called.status == 400, "{tool} {shown}: {called:?}");
        assert_eq!(called.code(), code, "{tool} {shown}: {called:?}");
    }
    // 2^53 + 1 is read exactly, and is nobody's id.
    assert!(eu.call_raw("get_user", r#"{"id":9007199254740993}"#).await.rows().is_empty());
    let nested = eu.call_raw("get_user", &format!(r#"{{"id":{deep}}}"#)).await;
    assert!(["TG310", "TG320"].contains(&nested.code()), "{nested:?}");
    let array = eu.call_raw("users_by_ids", &format!(r#"{{"ids":{many}}}"#)).await;
    assert_eq!((array.status, array.code()), (413, "TG321"), "a million elements are over the body's limit");
    eu.call("get_user", json!({"id": 3})).await;
}

#[tokio::test]
async fn frames_that_are_not_well_formed_are_answered_and_the_server_lives() {
    let server = Server::demo();
    let eu = server.agent(&server.demo_keys()["support-eu"]);
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let frames: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\xff\xfe{}".to_vec(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"\xff\"}}".to_vec(),
        br#"{"jsonrpc":"1.0","id":1,"method":"tools/call"}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call","params":{}}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":{"a":1},"method":"tools/call","params":{}}"#.to_vec(),
        br#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#.to_vec(),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{{"a":1,"a":2}},{meta}}}}}"#).into(),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{}{},{meta}}}}}"#, "[".repeat(100_000), "]".repeat(100_000)).into(),
        vec![b' '; 3 << 20],
    ];
    for frame in frames {
        let shown = String::from_utf8_lossy(&frame[..frame.len().min(80)]).into_owned();
        let called = eu.post(frame).await;
        assert!((400..500).contains(&called.status), "{shown}: {called:?}");
        assert!(called.body["error"]["code"].is_i64(), "{shown}: {called:?}");
    }
    assert!(!eu.tools().await.is_empty());
    let kinds: Vec<Value> = server.audit().iter().map(|r| r["type"].clone()).collect();
    assert!(kinds.contains(&json!("rejected")), "{kinds:?}");
}
