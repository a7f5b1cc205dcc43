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
";

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
    key: String,
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
        let (key, hash) = new_key();
        let shop = Self { database, folder, key };
        shop.configure(&shop.database.superuser_url(), &hash);
        Some(shop)
    }

    /// Least privilege is required from the start: a configuration that it refuses can still be asked what would do.
    fn configure(&self, url: &str, hash: &str) {
        let text = format!(
            "include: [roles.yaml, tools.yaml]\n\
             databases:\n  shop: {{ url: \"{url}\", require_least_privilege: true }}\n\
             agents:\n  support-eu: {{ keys: [\"{hash}\"], role: support, claims: {{ region: eu }} }}\n\
             server: {{ listen: \"127.0.0.1:0\", metrics_listen: \"127.0.0.1:0\" }}\n"
        );
        fs::write(self.folder.path().join("tollgate.yaml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tollgate().args(arguments).arg("-c").arg(self.folder.path().join("tollgate.yaml")).output().unwrap()
    }

    fn harden(&self, login: &str) -> String {
        let output = self.run(&["harden", "--role", "support", "--login", login]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A login that the script makes, with the tests' password.
    async fn hardened(&self) -> String {
        let login = format!("narrow_{}", self.database.reader());
        self.database.run(&self.harden(&login)).await;
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
    let login = shop.hardened().await;
    let (key, hash) = new_key();
    shop.configure(&shop.database.url_of(&login), &hash);
    let checked = shop.run(&["check"]);
    assert!(checked.status.success(), "{checked:?}");
    assert!(!String::from_utf8_lossy(&checked.stdout).contains("TG143"), "{checked:?}");
    let server = Server::serve(shop.folder.path());
    let agent = server.agent(&key);
    let calls = [
        ("query_users_by_region_v2", json!({"region": "eu"})),
        ("query_users_by_region_v1", json!({"region": "eu"})),
        ("get_user", json!({"id": 2})),
        ("users_by_ids", json!({"ids": [2, 6]})),
        ("orders_of_user", json!({"user_id": 2})),
        ("search_products", json!({"text": "Product 1"})),
        ("top_products", json!({})),
    ];
    for (tool, arguments) in &calls {
        assert!(!agent.call(tool, arguments.clone()).await.rows().is_empty(), "{tool}");
    }
    assert_eq!(agent.tools().await.len(), calls.len());
    assert_ne!(key, shop.key);
}

#[tokio::test]
async fn the_database_itself_refuses_the_hardened_login_all_else() {
    let Some(shop) = Shop::new().await else { return };
    let login = shop.hardened().await;
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
    let login = shop.hardened().await;
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
    shop.database.run(&shop.harden(&login)).await;
    assert_eq!(granted().await, before);
    assert_eq!(shop.harden(&login), shop.harden(&login));
    let both = shop.run(&["harden", "--role", "support", "--role", "auditor"]);
    let both = String::from_utf8(both.stdout).unwrap();
    assert!(both.contains("\"ssn\"") && both.contains("\"tollgate\"") && !both.contains("\"password_hash\""), "{both}");
    shop.database.run(&format!("ALTER ROLE {login} CREATEDB")).await;
    let refused = shop.database.superuser().await.batch_execute(&shop.harden(&login)).await.unwrap_err();
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
