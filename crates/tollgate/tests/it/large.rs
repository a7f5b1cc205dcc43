//! Values of PostgreSQL far larger than an answer: many agents at once ask for one each, and the server's memory does not notice.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use serde_json::json;
use tollgate_backends::testing::postgres::PostgresServer;

use crate::harness::{Agent, Called, Server, new_key};

/// How many agents ask at once.
const AGENTS: usize = 30;
/// Rows of `pieces`, each of 400 bytes; a value is put together of the square of this: 64 MB.
const PIECES: u32 = 400;
/// What the server may take at most, in KiB. Read whole, the values of one pool would take half a gigabyte.
const MEMORY_MAX: u64 = 160 << 10;

/// The most memory that a process has had, in KiB; `None` where the system does not tell.
fn memory_peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// What a statement's answer is, once there is a place near the database for it.
async fn patient(agent: &Agent, sql: &str) -> Called {
    loop {
        let called = agent.call("query", json!({ "sql": sql })).await;
        if called.body["result"]["isError"] == json!(false) || !called.code().starts_with("TG6") {
            return called;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_large_values_at_once_do_not_go_through_memory() {
    let Some(postgres) = PostgresServer::shared() else { return };
    let setup = format!("CREATE TABLE pieces AS SELECT n, repeat('a', 400) AS t FROM generate_series(1, {PIECES}) n");
    let database = postgres.database(&setup).await;
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<_> = (0..AGENTS).map(|_| new_key()).collect();
    let mut agents = String::new();
    for (index, (_, hash)) in keys.iter().enumerate() {
        writeln!(agents, "  agent-{index}: {{ keys: [\"{hash}\"], role: reader }}").unwrap();
    }
    let config = format!(
        "databases:\n  shop: {{ url: \"{}\", pool: {{ max: 4, acquire_timeout: 30s }}, statement_timeout: 20s }}\n\
         roles:\n  reader:\n    tables:\n      shop.pieces: {{ columns: [n, t], rows: all }}\n    query: [shop]\n\
         agents:\n{agents}server: {{ listen: \"127.0.0.1:0\", metrics_listen: \"127.0.0.1:0\" }}\n",
        database.url()
    );
    fs::write(folder.path().join("tollgate.yaml"), config).unwrap();
    let server = Server::serve(folder.path());
    let calls: Vec<_> = keys.iter().map(|(key, _)| server.agent(key)).collect();
    let calls: Vec<_> = calls
        .into_iter()
        .map(|agent| {
            tokio::spawn(async move {
                let called = patient(&agent, "SELECT string_agg(a.t, '') AS t FROM pieces a CROSS JOIN pieces b").await;
                assert!(called.rows().is_empty() && called.result()["truncated"] == true, "{called:?}");
                let next = patient(&agent, "SELECT count(*) AS n FROM pieces").await;
                assert_eq!(next.rows()[0]["n"], PIECES);
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    if let Some(peak) = memory_peak(server.pid()) {
        eprintln!("at most {peak} KiB of memory for {AGENTS} values of {} bytes", PIECES * PIECES * 400);
        assert!(peak < MEMORY_MAX, "{peak} KiB");
    }
    let records = server.audit();
    let ids = |kind: &str| -> BTreeSet<String> {
        records.iter().filter(|r| r["type"] == kind).map(|r| r["call_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("intent"), ids("outcome"));
    assert!(ids("outcome").len() >= AGENTS * 2);
}
