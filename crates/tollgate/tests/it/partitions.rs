//! Partitions, children and PostgreSQL's other kinds of relations and columns under a policy, on a real server: what is granted by one
//! name is not granted by another, and a filter holds for the rows of every partition and child.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_backends::testing::postgres::{PostgresServer, TestDatabase};

use crate::harness::{Agent, Server, new_key};

const SETUP: &str = "
    CREATE TABLE events (id int, tenant text NOT NULL, kind text, secret text) PARTITION BY LIST (tenant);
    CREATE TABLE events_t0 PARTITION OF events FOR VALUES IN ('t0') PARTITION BY RANGE (id);
    CREATE TABLE events_t0_low PARTITION OF events_t0 FOR VALUES FROM (0) TO (100);
    CREATE TABLE events_t1 PARTITION OF events FOR VALUES IN ('t1');
    INSERT INTO events VALUES (1, 't0', 'open', 'HIDDEN'), (2, 't1', 'HIDDEN', 'HIDDEN');
    CREATE TABLE assets (id int, tenant text NOT NULL, label text);
    CREATE TABLE assets_old (retired text, secret text) INHERITS (assets);
    INSERT INTO assets VALUES (1, 't0', 'chair'), (2, 't1', 'HIDDEN');
    INSERT INTO assets_old VALUES (3, 't0', 'lamp', '2020', 'HIDDEN'), (4, 't1', 'HIDDEN', 'HIDDEN', 'HIDDEN');
    CREATE TYPE mood AS ENUM ('calm', 'cross');
    CREATE TYPE pair AS (l text, r text);
    CREATE DOMAIN short AS text CHECK (length(VALUE) < 20);
    CREATE TABLE kinds (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant text NOT NULL, word short, feel mood, feels mood[], both_ pair,
        length int GENERATED ALWAYS AS (length(word)) STORED);
    INSERT INTO kinds (tenant, word, feel, feels, both_)
    VALUES ('t0', 'one', 'calm', '{calm,cross}', ROW('l', 'r')), ('t1', 'HIDDEN', 'cross', '{}', ROW('HIDDEN', 'HIDDEN'));
    CREATE VIEW words AS SELECT id, word, length, tenant FROM kinds WHERE feel = 'calm';
    CREATE VIEW over_words AS SELECT id, word || '!' AS loud, tenant FROM words;
    CREATE MATERIALIZED VIEW kept AS SELECT id, word, tenant FROM kinds;
    CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER away FOREIGN DATA WRAPPER nowhere;
    CREATE TABLE spread (id int) PARTITION BY RANGE (id);
    CREATE TABLE spread_1 PARTITION OF spread FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (id);
    CREATE FOREIGN TABLE spread_11 PARTITION OF spread_1 FOR VALUES FROM (0) TO (5) SERVER away;
";

const POLICY: &str = r#"
databases: { shop: { url: "@url@" } }
roles:
  parents:
    tables:
      shop.events: { columns: [id, kind], rows: "tenant IN (:claims.tenants)" }
      shop.assets: { columns: [id, label], rows: "tenant IN (:claims.tenants)" }
      shop.kinds: { columns: [id, word, feel, feels, length], rows: "tenant IN (:claims.tenants)" }
      shop.over_words: { columns: [id, loud], rows: "tenant IN (:claims.tenants)" }
      shop.kept: { columns: [id, word], rows: "tenant IN (:claims.tenants)" }
    query: [shop]
  children:
    tables:
      shop.events_t0: { columns: [id, kind], rows: all }
      shop.assets_old: { columns: [id, retired], rows: "tenant IN (:claims.tenants)" }
    query: [shop]
agents:
  parent: { keys: ["@parent@"], role: parents, claims: { tenants: [t0, t2] } }
  child: { keys: ["@child@"], role: children, claims: { tenants: [t0] } }
server: { listen: "127.0.0.1:0", metrics_listen: "127.0.0.1:0" }
"#;

struct Served {
    database: TestDatabase,
    server: Server,
    keys: [String; 2],
    _folder: TempDir,
}

impl Served {
    async fn new() -> Option<Self> {
        let database = PostgresServer::shared()?.database(SETUP).await;
        let folder = tempfile::tempdir().unwrap();
        let ((parent, parent_hash), (child, child_hash)) = (new_key(), new_key());
        let text = POLICY.replace("@url@", &database.url()).replace("@parent@", &parent_hash);
        fs::write(folder.path().join("tollgate.yaml"), text.replace("@child@", &child_hash)).unwrap();
        let server = Server::serve(folder.path());
        Some(Self { database, server, keys: [parent, child], _folder: folder })
    }

    fn agents(&self) -> [Agent; 2] {
        [0, 1].map(|which| self.server.agent(&self.keys[which]))
    }
}

async fn rows(agent: &Agent, sql: &str) -> Value {
    let called = agent.call("query", json!({ "sql": sql })).await;
    assert!(!called.text().contains("HIDDEN"), "{sql}: {called:?}");
    json!(called.rows())
}

/// The answer with a name in it made anonymous, and without a visible name that looks like it.
async fn refused(agent: &Agent, sql: &str, name: &str) -> String {
    let called = agent.call("query", json!({"sql": sql.replace("NAME", name)})).await;
    let _ = called.code();
    let text = called.body["result"]["content"][0]["text"].as_str().unwrap().replace(name, "NAME");
    text.split(" (did you mean").next().unwrap().to_owned()
}

#[tokio::test]
async fn a_grant_is_of_one_name_and_its_filter_of_every_row_behind_it() {
    let Some(served) = Served::new().await else { return };
    let [parent, child] = served.agents();
    for (sql, expected) in [
        ("SELECT id, kind FROM events", json!([{"id": 1, "kind": "open"}])),
        ("SELECT count(*) AS n FROM events", json!([{"n": 1}])),
        ("SELECT id, label FROM assets ORDER BY id", json!([{"id": 1, "label": "chair"}, {"id": 3, "label": "lamp"}])),
        ("SELECT id, word, feel, length FROM kinds", json!([{"id": 1, "word": "one", "feel": "calm", "length": 3}])),
        ("SELECT id FROM kinds WHERE feel = 'calm' AND feels[2] = 'cross' AND word LIKE 'o%'", json!([{"id": 1}])),
        ("SELECT loud FROM over_words", json!([{"loud": "one!"}])),
        ("SELECT word FROM kept", json!([{"word": "one"}])),
    ] {
        assert_eq!(rows(&parent, sql).await, expected, "{sql}");
    }
    assert_eq!(rows(&child, "SELECT id, kind FROM events_t0").await, json!([{"id": 1, "kind": "open"}]));
    assert_eq!(rows(&child, "SELECT id, retired FROM assets_old").await, json!([{"id": 3, "retired": "2020"}]));
    // What is not granted by its own name is not there, though it is behind a name that is.
    for (agent, hidden, twin) in [
        (&parent, "events_t0", "events_q0"),
        (&parent, "events_t0_low", "events_q0_low"),
        (&parent, "assets_old", "assets_qld"),
        (&parent, "words", "wqrds"),
        (&child, "events", "eqents"),
        (&child, "events_t1", "events_q1"),
        (&child, "assets", "asqets"),
    ] {
        for sql in ["SELECT id FROM NAME", "SELECT id FROM public.NAME", "TABLE NAME", "SELECT NAME.id FROM NAME"] {
            assert_eq!(refused(agent, sql, hidden).await, refused(agent, sql, twin).await, "{sql}: {hidden}");
        }
    }
    for (agent, sql) in [
        (&parent, "SELECT retired FROM assets"),
        (&parent, "SELECT secret FROM events"),
        (&parent, "SELECT both_ FROM kinds"),
        (&parent, "SELECT (both_).l FROM kinds"),
        (&parent, "SELECT tableoid FROM events"),
        (&parent, "SELECT id FROM ONLY assets"),
        (&parent, "SELECT id FROM ONLY (assets)"),
        (&parent, "SELECT id FROM assets *"),
        (&child, "SELECT label, secret FROM assets_old"),
    ] {
        let called = agent.call("query", json!({ "sql": sql })).await;
        assert!(called.code().starts_with("TG4"), "{sql}: {called:?}");
    }
}

#[tokio::test]
async fn a_partition_and_a_child_that_come_later_are_filtered_too() {
    let Some(served) = Served::new().await else { return };
    let [parent, _] = served.agents();
    served
        .database
        .run(
            "CREATE TABLE events_later (LIKE events); INSERT INTO events_later VALUES (7, 't2', 'new', 'HIDDEN');
             ALTER TABLE events ATTACH PARTITION events_later FOR VALUES IN ('t2');
             CREATE TABLE events_other PARTITION OF events DEFAULT;
             INSERT INTO events VALUES (8, 't3', 'HIDDEN', 'HIDDEN');
             CREATE TABLE assets_new (secret text) INHERITS (assets);
             INSERT INTO assets_new VALUES (9, 't2', 'desk', 'HIDDEN'), (10, 't1', 'HIDDEN', 'HIDDEN');",
        )
        .await;
    let events = rows(&parent, "SELECT id, kind FROM events ORDER BY id").await;
    assert_eq!(events, json!([{"id": 1, "kind": "open"}, {"id": 7, "kind": "new"}]));
    assert_eq!(rows(&parent, "SELECT id FROM assets ORDER BY id").await, json!([{"id": 1}, {"id": 3}, {"id": 9}]));
    let unknown = parent.call("query", json!({"sql": "SELECT id FROM events_later"})).await;
    assert_eq!(unknown.code(), "TG404", "{unknown:?}");
}

#[tokio::test]
async fn what_has_a_foreign_partition_counts_as_foreign() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database(SETUP).await;
    let backend = tollgate_backends::open(&database.url(), Path::new("/"), tollgate_backends::PoolLimits::default());
    let catalog = backend.unwrap().introspect().await.unwrap();
    for (name, foreign) in
        [("spread", true), ("spread_1", true), ("spread_11", true), ("events", false), ("assets", false)]
    {
        let kind = catalog.table(None, name).unwrap().kind;
        assert_eq!(kind == tollgate_core::catalog::TableKind::Foreign, foreign, "{name}: {kind:?}");
    }
}
