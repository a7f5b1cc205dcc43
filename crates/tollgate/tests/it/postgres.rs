//! The examples on a real PostgreSQL: the same promises, and what only a server can show: it dies, it is slow, it logs statements.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_backends::testing::postgres::{Encryption, PostgresServer, TestDatabase};

use crate::harness::{Server, audit_records, new_key};

/// The example's shop in a database of its own, and a folder with the example's configuration.
struct Shop {
    database: TestDatabase,
    folder: TempDir,
    key: String,
}

impl Shop {
    /// `None` where there is no PostgreSQL to start, which the harness says loudly.
    async fn new(pool_max: u32) -> Option<Self> {
        let server = PostgresServer::shared()?;
        Some(Self::on(&server, pool_max).await)
    }

    async fn on(server: &Arc<PostgresServer>, pool_max: u32) -> Self {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/postgres");
        let schema = fs::read_to_string(examples.join("shop.sql")).unwrap();
        let database = server.database(&schema).await;
        // A view that takes its time, for calls that are in flight when something happens.
        let reader = database.reader();
        database
            .run(&format!(
                "CREATE FUNCTION slowly(seconds float8) RETURNS int LANGUAGE plpgsql AS
                   $$ BEGIN PERFORM pg_sleep(seconds); RETURN 1; END $$;
                 CREATE VIEW three_seconds AS SELECT slowly(3) AS n;
                 CREATE VIEW a_moment AS SELECT slowly(0.1) AS n;
                 GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};"
            ))
            .await;
        let folder = tempfile::tempdir().unwrap();
        let (key, hash) = new_key();
        for name in ["roles.yaml", "tools.yaml"] {
            fs::copy(examples.join(name), folder.path().join(name)).unwrap();
        }
        let url = database.url();
        fs::write(
            folder.path().join("tollgate.yaml"),
            format!(
                "include: [roles.yaml, tools.yaml]\n\
                 databases:\n  shop: {{ url: \"{url}\", pool: {{ max: {pool_max} }} }}\n\
                 roles:\n  clock:\n    tables:\n      shop.three_seconds: {{ columns: [n], rows: all }}\n      \
                 shop.a_moment: {{ columns: [n], rows: all }}\n    tools: [three_seconds, a_moment]\n\
                 tools:\n  three_seconds: {{ description: Three seconds, database: shop, sql: SELECT n FROM three_seconds }}\n  \
                 a_moment: {{ description: A moment, database: shop, sql: SELECT n FROM a_moment }}\n\
                 agents:\n  support-eu: {{ keys: [\"{hash}\"], role: support, claims: {{ region: eu }} }}\n  \
                 clock: {{ keys: [\"{}\"], role: clock }}\n\
                 server: {{ listen: \"127.0.0.1:0\", metrics_listen: \"127.0.0.1:0\" }}\n",
                clock_hash()
            ),
        )
        .unwrap();
        Self { database, folder, key }
    }

    fn serve(&self) -> Server {
        Server::serve(self.folder.path())
    }
}

/// The clock's key is the same in every test, so that its hash can be written down.
const CLOCK_KEY: &str = "tg_the-clock-of-the-tests-has-no-secrets-to-keep";

fn clock_hash() -> String {
    tollgate::identity::KeyHash::of(CLOCK_KEY).to_string()
}

#[tokio::test]
async fn the_examples_hold_on_postgresql() {
    let Some(shop) = Shop::new(20).await else { return };
    let server = shop.serve();
    let eu = server.agent(&shop.key);
    let users = eu.call("query_users_by_region_v2", json!({"region": "eu"})).await;
    assert_eq!(users.rows().len(), 100);
    assert!(
        users.rows().iter().all(|u| u["region"] == "eu" && u["email"].as_str().unwrap().contains("***@")),
        "{users:?}"
    );
    assert!(eu.call("query_users_by_region_v2", json!({"region": "us-east"})).await.rows().is_empty());
    // User 2 is in the EU by the example's arithmetic, user 3 is not: hidden and missing are the same.
    assert_eq!(eu.call("get_user", json!({"id": 2})).await.rows().len(), 1);
    assert!(eu.call("get_user", json!({"id": 3})).await.rows().is_empty());
    assert!(eu.call("get_user", json!({"id": 999_999})).await.rows().is_empty());
    let orders = eu.call("orders_of_user", json!({"user_id": 2})).await;
    assert!(!orders.rows().is_empty() && orders.rows().iter().all(|o| o["total"].is_string()), "{orders:?}");
    assert!(eu.call("orders_of_user", json!({"user_id": 3})).await.rows().is_empty());
    for tool in eu.tools().await {
        assert!(!["revenue_by_region", "payments_of_order"].contains(&tool.as_str()));
    }
    let text = eu.request("tools/list", json!({})).await.text();
    assert!(["password_hash", "ssn", "internal_notes", "payment_token"].iter().all(|hidden| !text.contains(hidden)));
}

#[tokio::test]
async fn three_hundred_calls_at_once_are_each_answered_or_refused() {
    for pool_max in [4, 20] {
        let Some(shop) = Shop::new(pool_max).await else { return };
        let server = shop.serve();
        let clock = server.agent(CLOCK_KEY);
        let calls: Vec<_> = (0..300)
            .map(|_| {
                let clock = clock.clone();
                tokio::spawn(async move { clock.call("a_moment", json!({})).await })
            })
            .collect();
        let mut answered = 0;
        for call in calls {
            let called = call.await.unwrap();
            if called.body["result"]["isError"] == json!(false) {
                answered += 1;
            } else {
                assert_eq!(called.code(), "TG601", "{called:?}");
            }
        }
        assert!(answered >= 40, "{answered} of 300 on a pool of {pool_max}");
        let records = server.audit();
        let count = |kind: &str| records.iter().filter(|r| r["type"] == kind).count();
        assert_eq!(count("intent"), count("outcome"));
        clock.call("a_moment", json!({})).await.rows();
    }
}

#[tokio::test]
async fn a_termination_waits_for_what_runs() {
    let Some(shop) = Shop::new(4).await else { return };
    let mut server = shop.serve();
    let clock = server.agent(CLOCK_KEY);
    let running = tokio::spawn(async move { clock.call("three_seconds", json!({})).await });
    wait_for_intent(&server).await;
    server.signal("-TERM");
    assert_eq!(running.await.unwrap().rows().len(), 1);
    assert!(server.wait().success());
    let kinds: Vec<Value> = server.audit().iter().map(|r| r["type"].clone()).collect();
    assert_eq!(kinds, ["genesis", "boot", "intent", "outcome", "shutdown"]);
}

#[tokio::test]
async fn a_database_that_dies_in_mid_call_and_comes_back_is_a_clear_answer_and_then_rows() {
    let Some(own) = PostgresServer::start(Encryption::Off).map(Arc::new) else { return };
    let shop = Shop::on(&own, 4).await;
    let server = shop.serve();
    let (clock, eu) = (server.agent(CLOCK_KEY), server.agent(&shop.key));
    eu.call("get_user", json!({"id": 2})).await.rows();
    let running = tokio::spawn(async move { clock.call("three_seconds", json!({})).await });
    wait_for_running(&shop.database).await;
    own.crash();
    let called = running.await.unwrap();
    assert_eq!(called.code(), "TG501", "{called:?}");
    let down = eu.call("get_user", json!({"id": 2})).await;
    assert_eq!(down.code(), "TG501");
    assert!(!down.text().contains("127.0.0.1") && !down.text().contains("refused"), "{down:?}");
    let ready = reqwest::get(format!("{}/readyz", server.monitoring)).await.unwrap();
    assert_eq!(ready.status(), 503);
    own.restart();
    let until = Instant::now() + Duration::from_secs(20);
    while eu.call("get_user", json!({"id": 2})).await.body["result"]["isError"] != json!(false) {
        assert!(Instant::now() < until, "the database is back and calls still fail");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let records = server.audit();
    let ids = |kind: &str| -> BTreeSet<String> {
        records.iter().filter(|r| r["type"] == kind).map(|r| r["call_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("intent"), ids("outcome"));
}

#[tokio::test]
async fn monitoring_tells_of_pools_calls_and_refusals() {
    let Some(shop) = Shop::new(4).await else { return };
    let server = shop.serve();
    let eu = server.agent(&shop.key);
    eu.call("get_user", json!({"id": 2})).await.rows();
    eu.call("get_user", json!({"id": "two"})).await;
    eu.call("drop_tables", json!({})).await;
    let get = |path: &str| {
        let url = format!("{}{path}", server.monitoring);
        async move { reqwest::get(url).await.unwrap() }
    };
    assert_eq!(get("/healthz").await.status(), 200);
    let ready = get("/readyz").await;
    assert_eq!(ready.status(), 200);
    assert!(ready.text().await.unwrap().contains("database shop ok"));
    let metrics = get("/metrics").await.text().await.unwrap();
    for line in [
        r#"tollgate_calls_total{tool="get_user",role="support",status="ok"} 1"#,
        r#"tollgate_calls_total{tool="unknown",role="support",status="refused"} 1"#,
        r#"tollgate_refusals_total{code="TG310"} 1"#,
        r#"tollgate_refusals_total{code="TG301"} 1"#,
        r#"tollgate_pool_connections{database="shop",state="max"} 4"#,
        r#"tollgate_database_up{database="shop"} 1"#,
        "# EOF",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    assert!(!metrics.contains("drop_tables"), "a label came from outside");
}

/// Rounds of `kill -9` under load: two here, more with `TOLLGATE_KILL_ROUNDS`.
#[tokio::test]
async fn nothing_runs_unlogged_under_kill_nine() {
    let Some(own) = PostgresServer::start(Encryption::Off).map(Arc::new) else { return };
    let shop = Shop::on(&own, 8).await;
    for statement in ["ALTER SYSTEM SET log_statement = 'all'", "SELECT pg_reload_conf()"] {
        shop.database.run(statement).await;
    }
    let rounds: u32 = std::env::var("TOLLGATE_KILL_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(2);
    for round in 0..rounds {
        let mut server = shop.serve();
        let ended = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU64::new(0));
        let callers: Vec<_> = (0..32)
            .map(|n| {
                let (agent, ended, answered) = (server.agent(&shop.key), ended.clone(), answered.clone());
                tokio::spawn(async move {
                    while !ended.load(Ordering::Relaxed) {
                        if agent.try_call("get_user", json!({"id": 1 + n})).await.is_none() {
                            return;
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let enough = 100 + u64::from(round) * 37;
        let until = Instant::now() + Duration::from_secs(30);
        while answered.load(Ordering::Relaxed) < enough {
            assert!(Instant::now() < until, "too few answers under load");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.signal("-KILL");
        server.wait();
        ended.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.await.unwrap();
        }
    }
    // The next start closes what was left open.
    let mut server = shop.serve();
    server.signal("-TERM");
    assert!(server.wait().success());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let records = audit_records(&shop.folder.path().join("audit"));
    let ids = |kind: &str| -> BTreeSet<String> {
        records.iter().filter(|r| r["type"] == kind).map(|r| r["call_id"].as_str().unwrap().to_owned()).collect()
    };
    let (intents, outcomes) = (ids("intent"), ids("outcome"));
    assert_eq!(intents, outcomes, "every intent has an outcome after the next start");
    let executed = executed_call_ids(&own.log());
    assert!(executed.len() > 100 * rounds as usize);
    let unlogged: Vec<_> = executed.difference(&intents).collect();
    assert!(unlogged.is_empty(), "{} of {} statements have no intent: {unlogged:?}", unlogged.len(), executed.len());
    println!(
        "{rounds} rounds: {} statements in the server's log, {} intents, 0 unlogged",
        executed.len(),
        intents.len()
    );
}

/// The call ids of the statements in the server's own log: the first bound parameter of each.
fn executed_call_ids(log: &str) -> BTreeSet<String> {
    let ids = log.lines().filter_map(|line| line.split_once("$1 = '")).filter_map(|(_, rest)| rest.split_once('\''));
    ids.map(|(id, _)| id.to_owned()).filter(|id| id.len() == 26).collect()
}

async fn wait_for_intent(server: &Server) {
    let until = Instant::now() + Duration::from_secs(20);
    while !server.audit().iter().any(|r| r["type"] == "intent") {
        assert!(Instant::now() < until, "no intent");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
}

async fn wait_for_running(database: &TestDatabase) {
    let client = database.superuser().await;
    let until = Instant::now() + Duration::from_secs(20);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%three_seconds%' AND pid <> pg_backend_pid()";
    while client.query_one(running, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(Instant::now() < until, "the statement does not run");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
