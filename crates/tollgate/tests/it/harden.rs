//! `tollgate harden` on a real server: everything works under the login that it makes, and the database itself refuses that login
//! whatever the policy does not name, with no rewriting in between.

use std::{fs, path::Path, process::Output};

use serde_json::json;
use tempfile::TempDir;
use tokio_postgres::Client;
use tollgate_backends::testing::postgres::{PostgresServer, TestDatabase};

use crate::harness::{Server, new_key, tollgate};

/// What the owner's database has besides the shop, each a way to data or to effects that no role names.
const AROUND: &str = "
    CREATE TABLE secrets (id int PRIMARY KEY, body text); INSERT INTO secrets VALUES (1, 'TOPSECRET');
    CREATE VIEW secret_view AS SELECT body FROM secrets;
    CREATE SCHEMA hr; CREATE TABLE hr.salaries (id int, body text); INSERT INTO hr.salaries VALUES (1, 'TOPSECRET');
    CREATE SEQUENCE numbers;
    CREATE FUNCTION writes() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO secrets VALUES (2, 'x'); END $$;
    CREATE PROCEDURE writes_and_commits() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM secrets; COMMIT; END $$;
    CREATE FUNCTION definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT body FROM secrets $$;
    REVOKE EXECUTE ON FUNCTION definer() FROM PUBLIC;
    SELECT lo_from_bytea(4242, 'TOPSECRET');
    CREATE EXTENSION dblink;
    GRANT EXECUTE ON FUNCTION pg_read_file(text) TO PUBLIC;
    CREATE FUNCTION open_definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$ SELECT body FROM public.secrets $$;
";

/// What a policy can read beside plain tables, and what each needs of a login.
const KINDS: &str = "
    CREATE SCHEMA reports;
    CREATE FUNCTION reports.twice(n int, OUT two int) LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN two := 2 * n; END $$;
    REVOKE EXECUTE ON FUNCTION reports.twice(int) FROM PUBLIC;
    CREATE TABLE readings (id int, day date, value int) PARTITION BY RANGE (day);
    CREATE TABLE readings_2025 PARTITION OF readings FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    INSERT INTO readings VALUES (1, '2025-05-05', 21);
    CREATE TABLE things (id int, label text); CREATE TABLE heavy_things (weight int) INHERITS (things);
    INSERT INTO heavy_things VALUES (2, 'anvil', 100);
    CREATE TABLE base (id int GENERATED ALWAYS AS IDENTITY, body text, secret text, length int GENERATED ALWAYS AS (length(body)) STORED);
    INSERT INTO base (body, secret) VALUES ('seen', 'TOPSECRET');
    CREATE VIEW by_owner AS SELECT id, body FROM base;
    CREATE VIEW by_caller WITH (security_invoker = yes) AS SELECT b.id, b.body, count(*) OVER () AS things FROM base b, things;
    CREATE VIEW over_it WITH (security_invoker) AS SELECT v.id, o.body FROM by_caller v JOIN by_owner o ON o.id = v.id;
    CREATE MATERIALIZED VIEW kept AS SELECT id, length FROM base;
    CREATE TABLE switches (id int PRIMARY KEY, what text); INSERT INTO switches VALUES (1, 'TOPSECRET');
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{port}', dbname '{db}');
    CREATE FOREIGN TABLE far (id int, body text) SERVER elsewhere OPTIONS (table_name 'by_owner');
";

/// A policy over them, whose agents send SQL of their own.
const OVER_KINDS: &str = r#"
databases:
  shop: { url: "@url@", require_least_privilege: true, functions: [{ name: reports.twice, unsafe_reason: "reads nothing" }] }
roles:
  reader:
    tables:
      shop.readings: { columns: [id, value], rows: "value > 0" }
      shop.things: { columns: [id], masks: { id: { sql: "7" } }, rows: all }
      shop.base: { columns: [id, length], rows: { sql: "EXISTS (SELECT 1 FROM switches)", owner: [switches] } }
      shop.by_owner: { columns: [body], rows: all }
      shop.over_it: { columns: [id, body], rows: all }
      shop.kept: { columns: [id, length], rows: "reports.twice(length) > 1" }
      shop.far: { columns: [id], rows: all }
    query: [shop]
agents:
  reader: { keys: ["@hash@"], role: reader }
server: { listen: "127.0.0.1:0", metrics_listen: "127.0.0.1:0" }
"#;

/// Statements of somebody who has the login itself. None may write, and none may yield `TOPSECRET` or a column that is not granted.
const ATTACKS: &[&str] = &[
    "SELECT * FROM secrets",
    "SELECT * FROM secret_view",
    "SELECT * FROM hr.salaries",
    "SELECT * FROM users",
    "SELECT password_hash FROM users",
    "SELECT u FROM users u",
    "SELECT to_jsonb(u) FROM users u",
    "SELECT count(ssn) FROM users",
    "SELECT id FROM users WHERE password_hash LIKE '$argon2id%'",
    "SELECT id FROM users ORDER BY password_hash",
    "SELECT stripe_secret_id FROM orders",
    "SELECT definer()",
    "SELECT dblink_connect('host=127.0.0.1 user=postgres')",
    "CREATE SERVER mine FOREIGN DATA WRAPPER dblink_fdw",
    "SELECT writes()",
    "CALL writes_and_commits()",
    "SELECT nextval('numbers')",
    "SELECT setval('numbers', 7)",
    "INSERT INTO users (id) VALUES (0)",
    "UPDATE users SET name = 'x'",
    "DELETE FROM users",
    "TRUNCATE users",
    "MERGE INTO users u USING (SELECT 1 AS id) s ON u.id = s.id WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM users RETURNING id) SELECT * FROM gone",
    "EXPLAIN ANALYZE DELETE FROM users",
    "SELECT id FROM users FOR UPDATE",
    "COPY users FROM STDIN",
    "COPY (SELECT id FROM users) TO PROGRAM 'id > /tmp/tollgate-attack'",
    "COPY secrets TO STDOUT",
    "CREATE TABLE mine (id int)",
    "CREATE TABLE public.mine AS SELECT 1 AS id",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE VIEW mine AS SELECT 1 AS id",
    "CREATE EXTENSION dblink",
    "CREATE ROLE mine",
    "ALTER TABLE users ADD COLUMN mine int",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "GRANT SELECT ON users TO PUBLIC",
    "DROP TABLE users",
    "COMMENT ON TABLE users IS 'mine'",
    "ANALYZE secrets",
    "REFRESH MATERIALIZED VIEW secret_view",
    "LOCK TABLE users IN ACCESS EXCLUSIVE MODE",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_put(4242, 0, 'x')",
    "SELECT lo_unlink(4242)",
    "SELECT encode(lo_get(4242), 'escape')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_switch_wal()",
    "SELECT pg_reload_conf()",
    "SELECT pg_create_physical_replication_slot('mine')",
    "SELECT pg_stat_reset()",
    "SELECT * FROM pg_authid",
    "SELECT passwd FROM pg_shadow",
    "SELECT most_common_vals FROM pg_stats WHERE tablename IN ('secrets', 'salaries') OR attname IN ('password_hash', 'ssn')",
    "SELECT stavalues1 FROM pg_statistic",
    "SELECT query_to_xml('SELECT * FROM secrets', true, false, '')",
    "SELECT table_to_xml('secrets', true, false, '')",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "DO $$ BEGIN EXECUTE 'DELETE FROM users'; END $$",
];

/// What is tried before each attack, to lift what a session begins with.
const LIFTED: [&str; 3] = [
    "",
    "SET default_transaction_read_only = off; SET search_path = public, hr;",
    "SELECT set_config('default_transaction_read_only', 'off', false); BEGIN READ WRITE; SET search_path = public, hr;",
];

struct Shop {
    database: TestDatabase,
    folder: TempDir,
}

impl Shop {
    async fn new() -> Option<Self> {
        let server = PostgresServer::shared()?;
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/postgres");
        let schema = fs::read_to_string(examples.join("shop.sql")).unwrap();
        let database = server.database(&schema).await;
        database.run(AROUND).await;
        let folder = tempfile::tempdir().unwrap();
        for name in ["roles.yaml", "tools.yaml"] {
            fs::copy(examples.join(name), folder.path().join(name)).unwrap();
        }
        let shop = Self { database, folder };
        shop.configure(&shop.database.superuser_url(), "support");
        Some(shop)
    }

    /// Least privilege is required from the start: a configuration that it refuses can still be asked what would do.
    /// The key of its one agent.
    fn configure(&self, url: &str, role: &str) -> String {
        let (key, hash) = new_key();
        let text = format!(
            "include: [roles.yaml, tools.yaml]\n\
             databases:\n  shop: {{ url: \"{url}\", require_least_privilege: true }}\n\
             agents:\n  agent: {{ keys: [\"{hash}\"], role: {role}, claims: {{ region: eu, regions: [us-east, eu] }} }}\n\
             server: {{ listen: \"127.0.0.1:0\", metrics_listen: \"127.0.0.1:0\" }}\n"
        );
        self.write(&text);
        key
    }

    fn write(&self, configuration: &str) {
        fs::write(self.folder.path().join("tollgate.yaml"), configuration).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tollgate().args(arguments).arg("-c").arg(self.folder.path().join("tollgate.yaml")).output().unwrap()
    }

    fn harden(&self, login: &str, role: &str) -> String {
        let output = self.run(&["harden", "--role", role, "--login", login]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A login that the script makes, with the tests' password.
    async fn hardened(&self, role: &str) -> String {
        let login = format!("narrow_{role}_{}", self.database.reader());
        self.database.run(&self.harden(&login, role)).await;
        self.database.run(&format!("ALTER ROLE {login} PASSWORD '{}'", self.database.password())).await;
        login
    }

    /// All that a write could change.
    async fn state(&self, superuser: &Client) -> String {
        let question = "SELECT concat_ws(' ',
            (SELECT md5(string_agg(u::text, '' ORDER BY id)) FROM public.users u),
            (SELECT md5(string_agg(o::text, '' ORDER BY id)) FROM public.orders o),
            (SELECT string_agg(s::text, ',' ORDER BY id) FROM public.secrets s),
            (SELECT last_value FROM public.numbers), (SELECT is_called FROM public.numbers),
            (SELECT count(*) FROM pg_class), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_namespace),
            (SELECT count(*) FROM pg_largeobject), (SELECT md5(string_agg(data::text, '')) FROM pg_largeobject),
            (SELECT count(*) FROM pg_attribute), (SELECT string_agg(relacl::text, '') FROM pg_class),
            (SELECT count(*) FROM pg_description))";
        superuser.query_one(question, &[]).await.unwrap().get(0)
    }
}

#[tokio::test]
async fn the_hardened_login_serves_every_tool_of_its_role() {
    let Some(shop) = Shop::new().await else { return };
    let refused = shop.run(&["check"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("TG143"), "{refused:?}");
    shop.database.run("REVOKE EXECUTE ON FUNCTION open_definer(), pg_read_file(text) FROM PUBLIC").await;
    let calls = [
        ("query_users_by_region_v2", json!({"region": "eu"})),
        ("query_users_by_region_v1", json!({"region": "eu"})),
        ("get_user", json!({"id": 2})),
        ("users_by_ids", json!({"ids": [2, 6]})),
        ("orders_of_user", json!({"user_id": 2})),
        ("search_products", json!({"text": "Product 1"})),
        ("top_products", json!({})),
        ("revenue_by_region", json!({})),
        ("revenue_by_month", json!({"year": 2025})),
        ("margins", json!({})),
        ("flagged_users", json!({})),
        ("payments_of_order", json!({"order_id": 1})),
        ("query", json!({"sql": "SELECT count(*) AS n FROM users JOIN orders ON orders.user_id = users.id"})),
    ];
    for (role, tools) in [("support", 7), ("analyst", 8), ("auditor", 5)] {
        let login = shop.hardened(role).await;
        let key = shop.configure(&shop.database.url_of(&login), role);
        let checked = shop.run(&["check"]);
        let told = String::from_utf8_lossy(&checked.stdout);
        // The other roles read what this login cannot, which is found when they are called.
        assert!(checked.status.success() && !told.contains("TG143"), "{told}");
        let server = Server::serve(shop.folder.path());
        let agent = server.agent(&key);
        let offered = agent.tools().await;
        assert_eq!(offered.len(), tools, "{offered:?}");
        for (tool, arguments) in calls.iter().filter(|(tool, _)| offered.iter().any(|name| name == tool)) {
            assert!(!agent.call(tool, arguments.clone()).await.rows().is_empty(), "{role}: {tool}");
        }
    }
}

#[tokio::test]
async fn views_partitions_children_and_added_functions_are_granted_as_they_need_it() {
    let Some(shop) = Shop::new().await else { return };
    shop.database.run("DROP FUNCTION open_definer; REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM PUBLIC").await;
    let (port, name) =
        (shop.database.server().port().to_string(), shop.database.url().rsplit('/').next().unwrap().to_owned());
    shop.database.run(&KINDS.replace("{port}", &port).replace("{db}", &name)).await;
    let (key, hash) = new_key();
    let configure = |url: &str| shop.write(&OVER_KINDS.replace("@url@", url).replace("@hash@", &hash));
    configure(&shop.database.superuser_url());
    let login = shop.hardened("reader").await;
    let script = shop.harden(&login, "reader");
    let mapping = format!("CREATE USER MAPPING FOR \"{login}\" SERVER elsewhere");
    assert!(script.contains(&mapping), "{script}");
    shop.database.run(&format!("{mapping} OPTIONS (user 'postgres', password '{}')", shop.database.password())).await;
    configure(&shop.database.url_of(&login));
    let checked = shop.run(&["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let server = Server::serve(shop.folder.path());
    let agent = server.agent(&key);
    for (sql, rows) in [
        ("SELECT id, value FROM readings", json!([{"id": 1, "value": 21}])),
        ("SELECT id FROM things", json!([{"id": 7}])),
        ("SELECT id, length FROM base", json!([{"id": 1, "length": 4}])),
        ("SELECT body FROM by_owner", json!([{"body": "seen"}])),
        ("SELECT id, body FROM over_it", json!([{"id": 1, "body": "seen"}])),
        ("SELECT id, twice(length) AS two FROM kept", json!([{"id": 1, "two": 8}])),
        ("SELECT id FROM far", json!([{"id": 1}])),
    ] {
        let called = agent.call("query", json!({"sql": sql})).await;
        assert_eq!(json!(called.rows()), rows, "{sql}");
    }
    // Again, with a mapping that counts as its own and a grant that it takes back.
    shop.database.run(&script).await;
    let client = shop.database.client_of(&login).await;
    for denied in [
        "what FROM public.switches",
        "secret FROM public.base",
        "* FROM public.readings_2025",
        "label FROM public.things",
    ] {
        assert!(client.simple_query(&format!("SELECT {denied}")).await.is_err(), "{denied}");
    }
    shop.database.run(&format!("GRANT USAGE ON FOREIGN SERVER elsewhere TO {login}")).await;
    let refused = shop.database.superuser().await.batch_execute(&script).await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("server elsewhere"), "{refused:?}");
}

#[tokio::test]
async fn what_everybody_may_do_is_said_and_can_be_taken_back_as_the_script_writes_it() {
    let Some(shop) = Shop::new().await else { return };
    let login = shop.hardened("support").await;
    let script = shop.harden(&login, "support");
    let escapes = [
        "SELECT pg_read_file('/etc/hostname')",
        "SELECT public.open_definer()",
        "SELECT public.dblink_connect('host=127.0.0.1')",
        "SELECT pg_notify('c', 'x')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock_shared(1, 1)",
        "SELECT txid_current()",
        "SELECT pg_export_snapshot()",
        "SELECT pg_logical_emit_message(false, 'a', 'b')",
        "SELECT pg_sleep_for('1 second')",
        "CREATE TEMPORARY TABLE mine (id int)",
    ];
    let shown: Vec<&str> =
        script.lines().filter_map(|line| line.strip_prefix("-- ").filter(|text| text.starts_with("REVOKE "))).collect();
    for expected in
        ["pg_catalog.pg_read_file(text)", "public.open_definer()", "public.dblink_connect(text)", "DATABASE template1"]
    {
        assert!(shown.iter().any(|line| line.contains(expected)), "{expected} in {script}");
    }
    // Databases are the server's, and other tests use them.
    for remark in shown.iter().filter(|line| !line.contains("CONNECT ON DATABASE")) {
        shop.database.run(remark).await;
    }
    let client = shop.database.client_of(&login).await;
    client.simple_query("SET default_transaction_read_only = off").await.unwrap();
    for escape in escapes {
        let refused = client.simple_query(escape).await.unwrap_err();
        assert_eq!(refused.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{escape}: {refused:?}");
    }
    // What is left is what the script says is left.
    client.simple_query("NOTIFY c").await.unwrap();
    let left = shop.harden(&login, "support");
    assert!(!left.contains("open_definer") && !left.contains("dblink") && !left.contains("pg_notify("), "{left}");
}

#[tokio::test]
async fn the_database_itself_refuses_the_hardened_login_all_else() {
    let Some(shop) = Shop::new().await else { return };
    let login = shop.hardened("support").await;
    shop.database.run("DELETE FROM orders WHERE id > 100").await;
    let superuser = shop.database.superuser().await;
    let before = shop.state(&superuser).await;
    for attack in ATTACKS {
        for lifted in LIFTED {
            let client = shop.database.client_of(&login).await;
            let answer = client.simple_query(&format!("{lifted} {attack}")).await;
            // Whatever was left open is committed, as a confused pooler would.
            drop(client.simple_query("COMMIT").await);
            let shown = format!("{answer:?}");
            assert!(!shown.contains("TOPSECRET") && !shown.contains("$argon2id$v"), "{lifted} {attack}: {shown}");
            assert!(!shown.contains("sk_order_") && !shown.contains("root:x:"), "{lifted} {attack}: {shown}");
        }
        assert_eq!(shop.state(&superuser).await, before, "{attack}");
    }
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_takes_back_what_was_granted_since() {
    let Some(shop) = Shop::new().await else { return };
    let login = shop.hardened("support").await;
    let grants = format!(
        "SELECT coalesce(string_agg(g, ' ' ORDER BY g), '') FROM (
           SELECT table_name || '.' || column_name || privilege_type FROM information_schema.column_privileges WHERE grantee = '{login}'
           UNION ALL SELECT object_name || privilege_type FROM information_schema.usage_privileges WHERE grantee = '{login}'
         ) AS all_of_them (g)"
    );
    let client = shop.database.superuser().await;
    let granted = async || client.query_one(&grants, &[]).await.unwrap().get::<_, String>(0);
    let before = granted().await;
    assert!(before.contains("users.emailSELECT") && !before.contains("password_hash"), "{before}");
    shop.database
        .run(&format!("GRANT ALL ON ALL TABLES IN SCHEMA public TO {login}; GRANT USAGE ON SCHEMA hr TO {login}"))
        .await;
    assert_ne!(granted().await, before);
    shop.database.run(&shop.harden(&login, "support")).await;
    assert_eq!(granted().await, before);
    assert_eq!(shop.harden(&login, "support"), shop.harden(&login, "support"));
    let both = shop.run(&["harden", "--role", "support", "--role", "auditor"]);
    let both = String::from_utf8(both.stdout).unwrap();
    assert!(both.contains("\"ssn\"") && both.contains("\"tollgate\"") && !both.contains("\"password_hash\""), "{both}");
    shop.database.run(&format!("ALTER ROLE {login} CREATEDB")).await;
    let refused = shop.database.superuser().await.batch_execute(&shop.harden(&login, "support")).await.unwrap_err();
    assert!(refused.as_db_error().unwrap().message().contains("choose another name"), "{refused:?}");
}

#[test]
fn a_role_or_login_that_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tollgate.yaml");
    fs::write(&path, "databases: { shop: { url: \"sqlite:shop.db\" } }\nroles: { support: { tables: {} } }\n").unwrap();
    for (arguments, said) in [
        (vec!["--role", "support", "--login", "x\"; DROP ROLE y"], "letters, digits"),
        (vec!["--role", "support", "--login", "pg_monitor"], "PostgreSQL's own"),
        (vec!["--role", "nobody"], "cannot be used"),
    ] {
        let output = tollgate().arg("harden").args(&arguments).arg("-c").arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
    }
}
