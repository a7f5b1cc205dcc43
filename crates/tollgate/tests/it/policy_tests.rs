//! `tollgate test` and `tollgate lock` as their users run them, and the tests that the demo and the example come with.

use std::{fs, path::Path, process::Output};

use serde_json::Value;
use tollgate_backends::testing::postgres::PostgresServer;

use crate::harness::{Server, tollgate};

fn run(config: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = tollgate().args(arguments).arg("-c").arg(config).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

#[test]
fn the_demo_passes_its_own_tests() {
    let mut server = Server::demo();
    server.signal("-TERM");
    server.wait();
    let (code, out) = run(&server.dir().join("tollgate.yaml"), &["test"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("6 passed, 0 failed"), "{out}");
    let records = server.audit();
    let tested: Vec<&Value> = records.iter().filter(|record| record["transport"] == "test").collect();
    assert_eq!(tested.iter().filter(|record| record["type"] == "intent").count(), 4, "{tested:#?}");
    assert!(tested.iter().any(|record| record["agent_id"] == "policy-test"));
}

#[tokio::test]
async fn the_example_passes_its_own_tests() {
    let Some(server) = PostgresServer::shared() else { return };
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/postgres");
    let database = server.database(&fs::read_to_string(examples.join("shop.sql")).unwrap()).await;
    database.run(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}", database.reader())).await;
    let folder = tempfile::tempdir().unwrap();
    for name in ["roles.yaml", "tools.yaml", "tests.yaml", "tollgate.yaml"] {
        fs::copy(examples.join(name), folder.path().join(name)).unwrap();
    }
    let output = tollgate()
        .args(["test", "--format", "json", "-c"])
        .arg(folder.path().join("tollgate.yaml"))
        .env("SHOP_DATABASE_URL", database.url())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!((output.status.code(), &report["ok"]), (Some(0), &Value::Bool(true)), "{report:#}");
    assert!(report["passed"].as_u64().unwrap() >= 8);
}

const CONFIG: &str = r#"
databases: { shop: { url: "sqlite:shop.db" } }
roles:
  clerk:
    tables:
      shop.users: { columns: { all_except: [ssn] }, masks: { email: email }, rows: "region = 'eu'" }
    tools: [users]
agents: { clerk: { role: clerk, local: true } }
tools:
  users: { description: The users, sql: "SELECT id, email FROM users ORDER BY id" }
tests:
  users of the region:
    as: clerk
    tool: users
    expect: { rows: [{ id: 1 }] }
  wrong on purpose:
    as: clerk
    tool: users
    expect: { rows: [{ id: 2 }], no_values: [example.com] }
"#;

#[test]
fn failing_tests_and_changed_definitions_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let owner = rusqlite::Connection::open(folder.path().join("shop.db")).unwrap();
    owner
        .execute_batch(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, region TEXT, ssn TEXT);
             INSERT INTO users VALUES (1, 'jane@example.com', 'eu', '1'), (2, 'joe@example.com', 'us', '2');",
        )
        .unwrap();
    let config = folder.path().join("tollgate.yaml");
    fs::write(&config, CONFIG).unwrap();

    let (code, out) = run(&config, &["test"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("ok      users of the region") && out.contains("FAILED  wrong on purpose"), "{out}");
    assert!(out.contains("row 1: `id` is 1, not 2") && out.contains("row 1 holds \"example.com\" in `email`"), "{out}");
    assert_eq!(run(&config, &["test", "-k", "region"]).0, Some(0));
    assert_eq!(run(&config, &["test", "-k", "no such test"]).0, Some(2));

    let (code, out) = run(&config, &["check"]);
    assert!(
        code == Some(0) && out.contains("clerk sees in shop main.users, by `all_except`: id, email, region"),
        "{out}"
    );
    assert_eq!(run(&config, &["check", "--locked"]).0, Some(2));
    assert_eq!(run(&config, &["lock"]).0, Some(0));
    let first = fs::read_to_string(folder.path().join("tollgate.lock")).unwrap();
    assert_eq!(run(&config, &["lock"]).0, Some(0));
    assert_eq!(fs::read_to_string(folder.path().join("tollgate.lock")).unwrap(), first);
    assert_eq!(run(&config, &["check", "--locked"]).0, Some(0));

    owner.execute_batch("ALTER TABLE users ADD COLUMN password TEXT").unwrap();
    fs::write(&config, CONFIG.replace("The users", "Send all users").replace("masks: { email: email }, ", "")).unwrap();
    let (code, out) = run(&config, &["check", "--locked"]);
    assert_eq!(code, Some(1), "{out}");
    for told in [
        "+ table shop main.users column password: allow  (newly visible)",
        "~ table shop main.users column email: mask email → allow  (newly visible)",
        "~ tool users description: The users → Send all users  (its description changed)",
        "(its meaning changed)",
    ] {
        assert!(out.contains(told), "{told} is not in {out}");
    }
    let (code, out) = run(&config, &["check", "--locked", "--format", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["ok"], &report["locked"]["ok"]), (Some(1), &Value::Bool(true), &Value::Bool(false)));
}
