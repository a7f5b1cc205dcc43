//! What the demo promises: each agent sees its rows and columns by every tool, the rest is not there, and the call is in the log.

use std::{os::unix::fs::PermissionsExt, process::Stdio};

use serde_json::{Value, json};

use crate::harness::{Server, tollgate};

/// Arguments that each of the demo's tools accepts.
fn arguments(tool: &str) -> Value {
    match tool {
        "query_users_by_region_v2" | "query_users_by_region_v1" => json!({"region": "eu"}),
        "get_user" => json!({"id": 3}),
        "users_by_ids" => json!({"ids": [1, 2, 3, 4, 5, 6, 7, 8]}),
        "orders_of_user" => json!({"user_id": 3}),
        "search_products" => json!({"text": "Lamp"}),
        "top_products" | "revenue_by_region" | "margins" | "flagged_users" | "list_tables" => json!({}),
        "revenue_by_month" => json!({"year": 2025}),
        "payments_of_order" => json!({"order_id": 7}),
        "describe_table" => json!({"table": "orders"}),
        "query" => {
            json!({"sql": "SELECT u.*, o.*, p.* FROM users u LEFT JOIN orders o ON o.user_id = u.id LEFT JOIN products p ON p.id = o.product_id"})
        }
        other => panic!("the demo has a tool `{other}` that this test does not know"),
    }
}

/// Words that no agent may ever read: hidden columns, and how their values begin.
const SECRETS: [&str; 6] =
    ["password_hash", "stripe_secret_id", "$argon2id", "sk_order_", "supplier_cost_cents", "sqlite"];

#[tokio::test]
async fn every_tool_shows_an_agent_its_rows_and_columns_and_nothing_else() {
    each_agent_sees_its_own(&Server::demo()).await;
}

/// Of a demo, wherever its shop is.
pub async fn each_agent_sees_its_own(server: &Server) {
    let keys = server.demo_keys();
    for (name, key) in &keys {
        let agent = server.agent(key);
        let tools = agent.tools().await;
        assert!(tools.len() >= 5, "{name} has {tools:?}");
        for tool in tools {
            let called = agent.call(&tool, arguments(&tool)).await;
            let text = called.text();
            if ["list_tables", "describe_table"].contains(&tool.as_str()) {
                let others = ["ssn", "internal_notes", "payment_token"];
                assert!(SECRETS.iter().chain(&others).all(|hidden| !text.contains(hidden)), "{name} by {tool}: {text}");
                assert_eq!(called.body["result"]["isError"], false, "{text}");
                continue;
            }
            let rows = called.rows();
            assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{name} reads a secret by {tool}: {text}");
            for row in rows {
                if name == "support-eu" && tool.contains("user") && tool != "orders_of_user" {
                    assert_eq!(row["region"], "eu", "{tool}: {row}");
                }
                if let Some(email) = row.get("email") {
                    let masked = match name.as_str() {
                        "support-eu" => {
                            email.as_str().is_some_and(|e| e.get(1..).is_some_and(|e| e == "***@example.com"))
                        }
                        "analyst-us" => email.is_null(),
                        _ => email.is_string(),
                    };
                    assert!(masked, "{name} reads {email} by {tool}");
                }
                for (column, prefix) in [("ssn", "****"), ("payment_token", "****")] {
                    if let Some(value) = row.get(column) {
                        assert!(
                            value.as_str().is_some_and(|v| v.starts_with(prefix)),
                            "{name} reads {value} by {tool}"
                        );
                    }
                }
            }
        }
    }
    let eu = server.agent(&keys["support-eu"]);
    assert!(!eu.call("query_users_by_region_v2", json!({"region": "eu"})).await.rows().is_empty());
    assert!(eu.call("query_users_by_region_v2", json!({"region": "us-east"})).await.rows().is_empty());
    let us = server.agent(&keys["analyst-us"]);
    assert!(us.call("query_users_by_region_v2", json!({"region": "eu"})).await.rows().is_empty());
    assert!(!us.call("query_users_by_region_v2", json!({"region": "us-east"})).await.rows().is_empty());
}

#[tokio::test]
async fn what_is_not_granted_is_not_there() {
    let server = Server::demo();
    let eu = server.agent(&server.demo_keys()["support-eu"]);
    let granted_to_others = eu.call("revenue_by_region", json!({})).await;
    let never_there = eu.call("no_such_tool", json!({})).await;
    assert_eq!(granted_to_others.code(), "TG301");
    assert_eq!(granted_to_others.status, never_there.status);
    let error = |called: &crate::harness::Called| called.body["error"]["message"].clone();
    assert_eq!(error(&granted_to_others), error(&never_there));
    assert!(!eu.tools().await.contains(&"revenue_by_region".to_owned()));
    let stranger = server.agent("tg_nobody").call("get_user", json!({"id": 1})).await;
    assert_eq!(stranger.status, 401);
}

#[tokio::test]
async fn the_call_stands_in_the_audit_log_before_and_after() {
    let server = Server::demo();
    let eu = server.agent(&server.demo_keys()["support-eu"]);
    eu.call("query_users_by_region_v2", json!({"region": "eu", "status": "active"})).await.rows();
    eu.call("revenue_by_region", json!({})).await;
    eu.call("query_users_by_region_v2", json!({"region": "mars"})).await;
    let records = server.audit();
    let of = |kind: &str| records.iter().filter(|r| r["type"] == kind).collect::<Vec<_>>();
    let (intents, outcomes, denied) = (of("intent"), of("outcome"), of("denied"));
    assert_eq!((intents.len(), outcomes.len(), denied.len()), (1, 1, 2), "{records:#?}");
    assert_eq!(intents[0]["call_id"], outcomes[0]["call_id"]);
    assert_eq!(intents[0]["agent_id"], "support-eu");
    assert_eq!(intents[0]["input_summary"]["region"], "eu");
    assert_eq!(outcomes[0]["status"], "ok");
    assert_eq!(outcomes[0]["row_count"], 100);
    assert_eq!([&denied[0]["error_code"], &denied[1]["error_code"]], ["TG301", "TG310"]);
    assert_eq!(records[0]["type"], "genesis");
    assert_eq!(records[1]["type"], "boot");
    let tail = tollgate().args(["audit", "tail", "-c"]).arg(server.dir().join("tollgate.yaml")).output().unwrap();
    let tail = String::from_utf8(tail.stdout).unwrap();
    assert!(
        tail.contains("support-eu") && tail.contains("query_users_by_region_v2") && tail.contains("TG301"),
        "{tail}"
    );
}

#[tokio::test]
async fn a_second_start_goes_on_where_the_first_ended() {
    let mut server = Server::demo();
    let keys = server.demo_keys();
    let mode = |name: &str| server.dir().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("keys.json"), mode("audit")), (0o700, 0o600, 0o700));
    server.signal("-TERM");
    assert!(server.wait().success());
    let again = Server::serve_demo_again(server.dir());
    assert_eq!(again.demo_keys(), keys);
    again.agent(&keys["auditor"]).call("get_user", json!({"id": 1})).await.rows();
    let kinds: Vec<String> = again.audit().iter().map(|r| r["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["genesis", "boot", "shutdown", "boot", "intent", "outcome"]);
}

#[tokio::test]
async fn pages_continue_and_cursors_are_bound_to_their_call() {
    let server = Server::demo();
    let keys = server.demo_keys();
    let (eu, auditor) = (server.agent(&keys["support-eu"]), server.agent(&keys["auditor"]));
    let mut seen = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = eu.call("query_users_by_region_v2", json!({"region": "eu", "cursor": cursor})).await;
        seen.extend(page.rows().iter().map(|r| r["id"].as_i64().unwrap()));
        assert_eq!(page.result()["truncated"].as_bool().unwrap(), page.result()["next_cursor"].is_string());
        cursor = page.result()["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        let with = |arguments: Value| arguments;
        let other_arguments = with(json!({"region": "eu", "status": "active", "cursor": cursor}));
        assert_eq!(eu.call("query_users_by_region_v2", other_arguments).await.code(), "TG313");
        let other_agent = auditor.call("query_users_by_region_v2", json!({"region": "eu", "cursor": cursor})).await;
        assert_eq!(other_agent.code(), "TG313");
    }
    assert!(seen.len() > 1_000);
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "pages overlap or are out of order");
}

#[test]
fn commands_answer_from_the_demo_folder() {
    let server = Server::demo();
    let key = server.demo_keys()["support-eu"].clone();
    let run = |args: &[&str]| {
        let output = tollgate().current_dir(server.dir()).env("TOLLGATE_KEY", &key).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let call = ["call", "query_users_by_region_v2", "region=eu", "status=active", "--as", "support-eu"];
    let (code, out, err) = run(&[&call[..], &["--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["row_count"], 100);
    let (code, out, err) = run(&["call", "revenue_by_region", "--as", "support-eu"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("TG301"), "{err}");
    let (code, _, err) = run(&["call", "get_user", "id=1", "--as", "auditor"]);
    assert_eq!(code, 1, "another agent's key: {err}");
    let (code, out, err) = run(&["explain", "orders_of_user", "user_id=3", "--as", "support-eu"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("\"main\".\"orders\"") && out.contains("plan"), "{out}");
    let (code, out, err) = run(&["check", "--matrix"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("support") && out.contains("mask"), "{out}");
    let (code, out, err) = run(&["explain", "--sql", "SELECT max(name) FROM users", "--as", "analyst-us"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("'[redacted]'") || out.contains("redact"), "{out}");
    assert_eq!(run(&["explain", "--sql", "SELECT 1", "--as", "support-eu"]).0, 1, "no `query` for this one");
    assert_eq!(run(&["query"]).0, 2);
}

#[test]
fn one_agent_is_served_over_stdio() {
    let server = Server::demo();
    let mut child = tollgate()
        .current_dir(server.dir())
        .env("TOLLGATE_KEY", &server.demo_keys()["support-eu"])
        .args(["serve", "--stdio", "--as", "support-eu"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let lines = [
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"get_user","arguments":{{"id":3}},{meta}}}}}"#
        ),
        "this is no JSON".to_owned(),
        format!(r#"{{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{{{meta}}}}}"#),
    ];
    let mut stdin = child.stdin.take().unwrap();
    for line in lines {
        std::io::Write::write_all(&mut stdin, format!("{line}\n").as_bytes()).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |id: i64| answers.iter().find(|a| a["id"] == id).unwrap_or_else(|| panic!("no answer {id}: {answers:#?}"));
    assert!(of(1)["result"]["structuredContent"]["rows"].is_array());
    assert!(of(2)["result"]["tools"].is_array());
    assert!(answers.iter().any(|a| a["error"]["code"] == -32700));
}
