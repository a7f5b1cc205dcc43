//! A policy on a real MariaDB, from the configuration to the agent: rows, columns and masks, what is refused, and the narrow login.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use tollgate_backends::testing::mariadb::{MariaDbServer, TestDatabase};

use crate::harness::{Agent, Server, new_key, tollgate};

const SHOP: &str = "
    CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(80) NOT NULL, email VARCHAR(120) NOT NULL UNIQUE, region VARCHAR(20) NOT NULL,
      status ENUM('active', 'inactive') NOT NULL, born DATE, made TIMESTAMP NOT NULL DEFAULT '2026-01-31 09:30:00', paid BOOLEAN NOT NULL,
      doc JSON, password_hash TEXT NOT NULL);
    CREATE TABLE orders (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id), total DECIMAL(10, 2) NOT NULL,
      note VARCHAR(80));
    CREATE TABLE secrets (id INT PRIMARY KEY, body TEXT); INSERT INTO secrets VALUES (1, 'TOPSECRET');
    INSERT INTO users (id, name, email, region, status, born, paid, doc, password_hash) VALUES
      (1, 'Ada', 'ada@example.com', 'eu', 'active', '1990-05-04', 1, '{\"a\": [1, 2.50]}', 'TOPSECRET'),
      (2, 'Bao', 'bao@example.com', 'eu', 'inactive', NULL, 0, NULL, 'TOPSECRET'),
      (3, 'Chidi', 'chidi@hidden.example', 'us', 'active', '1985-01-01', 1, NULL, 'TOPSECRET');
    INSERT INTO orders VALUES (10, 1, 12.50, '1'), (11, 1, 99.99, '2'), (12, 3, 5.00, 'x');";

const POLICY: &str = r#"
mask_key: "0123456789abcdef0123456789abcdef"
databases:
  shop: { url: "@url@", require_least_privilege: @narrow@ }
roles:
  support:
    tables:
      shop.users:
        columns: [id, name, email, region, status, born, made, paid, doc]
        masks: { email: email, name: hash, born: year }
        rows: region = :claims.region
      shop.orders:
        columns: [id, user_id, total, note]
        rows: user_id IN (SELECT id FROM users)
    tools: [get_user, users_by_status, orders_over, orders_by_key]
    query: [shop]
tools:
  get_user:
    description: One user
    database: shop
    params: { id: { type: integer } }
    sql: SELECT id, email, region, status, born, made, paid, doc FROM users WHERE id = :id
  users_by_status:
    description: Users of a status
    database: shop
    params: { status: { type: string, enum: [active, inactive] }, paid: { type: boolean, required: false } }
    sql: SELECT id FROM users WHERE status = :status [[ AND paid = :paid ]] ORDER BY id
  orders_over:
    description: Orders of more than an amount
    database: shop
    params: { least: { type: number } }
    sql: SELECT id, total FROM orders WHERE total >= :least AND total >= :least ORDER BY id
  orders_by_key:
    description: Orders in pages
    database: shop
    sql: SELECT id, total FROM orders ORDER BY total DESC, id
    page: { key: [total, id] }
    rows_max: 1
agents:
  eu: { keys: ["@hash@"], role: support, claims: { region: eu } }
  number: { keys: ["@number@"], role: support, claims: { region: 0 } }
server: { listen: "127.0.0.1:0", metrics_listen: "127.0.0.1:0" }
"#;

struct Shop {
    database: TestDatabase,
    folder: TempDir,
    keys: [String; 2],
}

impl Shop {
    fn new() -> Option<Self> {
        let database = MariaDbServer::shared()?.database(SHOP);
        let made = [new_key(), new_key()];
        let folder = tempfile::tempdir().unwrap();
        let shop = Self { folder, keys: [made[0].0.clone(), made[1].0.clone()], database };
        let policy = POLICY.replace("@hash@", &made[0].1).replace("@number@", &made[1].1);
        fs::write(shop.folder.path().join("policy"), policy).unwrap();
        shop.log_in_as(&shop.database.url(), "false");
        Some(shop)
    }

    fn log_in_as(&self, url: &str, narrow: &str) {
        let policy = fs::read_to_string(self.folder.path().join("policy")).unwrap();
        let text = policy.replace("@url@", url).replace("@narrow@", narrow);
        fs::write(self.folder.path().join("tollgate.yaml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let config = self.folder.path().join("tollgate.yaml");
        tollgate().args(arguments).arg("-c").arg(config).output().unwrap()
    }

    fn serve(&self) -> (Server, Agent, Agent) {
        let server = Server::serve(self.folder.path());
        let [eu, number] = [server.agent(&self.keys[0]), server.agent(&self.keys[1])];
        (server, eu, number)
    }
}

async fn rows(agent: &Agent, sql: &str) -> Value {
    let called = agent.call("query", json!({ "sql": sql })).await;
    assert!(!called.text().contains("TOPSECRET") && !called.text().contains("hidden"), "{sql}: {called:?}");
    json!(called.rows())
}

async fn refused(agent: &Agent, sql: &str) -> String {
    let called = agent.call("query", json!({ "sql": sql })).await;
    assert!(!called.text().contains("TOPSECRET") && !called.text().contains("127.0.0.1"), "{sql}: {called:?}");
    called.code().to_owned()
}

async fn everything_works(shop: &Shop) {
    let (server, eu, number) = shop.serve();
    let called = eu.call("get_user", json!({ "id": 1 })).await;
    let expected = json!([{ "id": 1, "email": "a***@example.com", "region": "eu", "status": "active", "born": "1990-01-01",
        "made": "2026-01-31T09:30:00Z", "paid": true, "doc": { "a": [1, 2.50] } }]);
    assert_eq!(json!(called.rows()), expected);
    assert_eq!(json!(eu.call("get_user", json!({ "id": 3 })).await.rows()), json!([]));
    let active = eu.call("users_by_status", json!({ "status": "active", "paid": true })).await;
    assert_eq!(json!(active.rows()), json!([{ "id": 1 }]));
    let over = eu.call("orders_over", json!({ "least": 12.5 })).await;
    assert_eq!(json!(over.rows()), json!([{ "id": 10, "total": "12.50" }, { "id": 11, "total": "99.99" }]));
    let first = eu.call("orders_by_key", json!({})).await;
    assert_eq!(json!(first.rows()), json!([{ "id": 11, "total": "99.99" }]));
    let cursor = first.result()["next_cursor"].clone();
    let next = eu.call("orders_by_key", json!({ "cursor": cursor })).await;
    assert_eq!(json!(next.rows()), json!([{ "id": 10, "total": "12.50" }]));
    // A claim that is a number never meets a text, which would be every text that is no number.
    assert_eq!(number.call("get_user", json!({ "id": 1 })).await.code(), "TG302");
    assert_eq!(refused(&number, "SELECT count(*) AS n FROM users").await, "TG302");
    server.signal("-TERM");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_holds_on_mariadb() {
    let Some(shop) = Shop::new() else { return };
    let checked = shop.run(&["check", "--matrix"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    everything_works(&shop).await;
    let (_server, eu, _) = shop.serve();
    for (sql, expected) in [
        ("SELECT count(*) AS n FROM users", json!([{ "n": 2 }])),
        ("SELECT count(*) AS n FROM orders WHERE total + 0 > 1", json!([{ "n": 2 }])),
        (
            "SELECT u.region, sum(o.total) AS s FROM orders o JOIN users u ON u.id = o.user_id GROUP BY u.region",
            json!([{ "region": "eu", "s": "112.49" }]),
        ),
        ("SELECT `id` FROM `users` WHERE email LIKE '%hidden%' OR name = 'Ada'", json!([])),
        ("SELECT length(name) AS n, year(born) AS y FROM users WHERE id = 1", json!([{ "n": 32, "y": 1990 }])),
        ("SELECT 'a:b' AS t, -id AS m FROM users ORDER BY id LIMIT 1", json!([{ "t": "a:b", "m": -1 }])),
        (
            "SELECT id, (SELECT max(total) FROM orders o WHERE o.user_id = u.id) AS most FROM users u ORDER BY id",
            json!([{ "id": 1, "most": "99.99" }, { "id": 2, "most": null }]),
        ),
    ] {
        assert_eq!(rows(&eu, sql).await, expected, "{sql}");
    }
    for (sql, code) in [
        ("SELECT password_hash FROM users", "TG405"),
        ("SELECT nothing FROM users", "TG405"),
        ("SELECT * FROM secrets", "TG404"),
        ("SELECT * FROM mysql.user", "TG404"),
        ("SELECT * FROM information_schema.tables", "TG404"),
        ("SELECT @@version", "TG401"),
        ("SELECT 1 /*! UNION SELECT body FROM secrets */", "TG401"),
        ("SELECT id FROM users INTO OUTFILE '/tmp/x'", "TG401"),
        ("SELECT id FROM users FOR UPDATE", "TG403"),
        ("SELECT sleep(10)", "TG406"),
        ("SELECT load_file('/etc/passwd')", "TG406"),
        ("SELECT id FROM users USE INDEX (PRIMARY)", "TG401"),
        ("DELETE FROM users", "TG402"),
        ("SELECT id FROM users; SELECT 1", "TG402"),
    ] {
        let found = refused(&eu, sql).await;
        assert!(found.starts_with("TG4"), "{sql}: {found} and not as {code}");
    }
    let told = eu.call("describe_table", json!({ "table": "users" })).await;
    assert!(told.text().contains("region") && !told.text().contains("password_hash"), "{told:?}");
    assert_eq!(shop.database.ask("SELECT count(*) FROM users"), [["3"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_narrow_login_does_all_that_the_policy_needs_and_nothing_else() {
    let Some(shop) = Shop::new() else { return };
    // The tests' login reads everything: more than the policy names.
    shop.log_in_as(&shop.database.url(), "true");
    let refused = shop.run(&["check"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned() + &String::from_utf8_lossy(&refused.stdout);
    assert!(!refused.status.success() && said.contains("secrets"), "{said}");
    shop.log_in_as(&shop.database.url(), "false");
    let login = format!("narrow_{}", shop.database.name());
    let script = shop.run(&["harden", "--role", "support", "--login", &login]);
    assert!(script.status.success(), "{}", String::from_utf8_lossy(&script.stderr));
    let script = String::from_utf8(script.stdout).unwrap().replace("REQUIRE SSL ", "");
    shop.database.ask(&script.replace("IDENTIFIED BY '…'", &format!("IDENTIFIED BY '{}'", shop.database.password())));
    shop.log_in_as(&shop.database.url_of(&login), "true");
    let checked = shop.run(&["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    everything_works(&shop).await;
    for sql in [
        "SELECT * FROM secrets",
        "SELECT password_hash FROM users",
        "SELECT * FROM users",
        "UPDATE users SET name = 'x'",
        "DELETE FROM orders",
        "CREATE TABLE mine (id INT)",
        "SELECT load_file('/etc/passwd') IS NOT NULL FROM secrets",
        "SELECT * FROM mysql.user",
        "SELECT id FROM users INTO OUTFILE '/tmp/tollgate-attack'",
    ] {
        let asked = shop.database.ask_as(&login, sql);
        assert!(asked.is_err(), "{sql}: {asked:?}");
    }
    // What the server's privileges do not hold, as docs/security.md says: the rewriting is the one that does.
    let guessed = "SELECT count(*) FROM users NATURAL JOIN (SELECT '@' AS password_hash) AS g";
    let guess = |text: &str| shop.database.ask_as(&login, &guessed.replace('@', text)).unwrap();
    assert_ne!(guess("TOPSECRET"), guess("no such"));
}

/// The example as it is: its configuration can be served, and its own tests hold.
#[test]
fn the_example_is_what_it_says() {
    let Some(server) = MariaDbServer::shared() else { return };
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/mariadb");
    let database = server.database(&fs::read_to_string(example.join("shop.sql")).unwrap());
    let config = example.join("tollgate.yaml");
    for command in ["check", "test"] {
        let mut tollgate = tollgate();
        let ran =
            tollgate.arg(command).arg("-c").arg(&config).env("SHOP_DATABASE_URL", database.url()).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{command}: {said}");
    }
}

/// Every attack of the lists, as it is written, on a database that has the tables that they name.
const LAB: &str = "
    CREATE TABLE customers (id INT PRIMARY KEY, tenant INT, name VARCHAR(80), email VARCHAR(80), ssn VARCHAR(80), salary INT);
    CREATE TABLE orders (id INT PRIMARY KEY, tenant INT, customer_id INT, total DECIMAL(10, 2), note VARCHAR(80));
    CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, body VARCHAR(80), tenant INT);
    CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(80), b VARCHAR(80), c VARCHAR(80), x VARCHAR(80), doc JSON, tenant INT, ssn VARCHAR(80));
    CREATE TABLE secrets (id INT PRIMARY KEY, token VARCHAR(80), body VARCHAR(80));
    CREATE TABLE users (id INT PRIMARY KEY, pw VARCHAR(80));
    CREATE TABLE big (n INT PRIMARY KEY);
    CREATE VIEW definer_view AS SELECT token FROM secrets;
    INSERT INTO customers VALUES (1, 0, 'Ada', 'ada@example.com', 'TOPSECRET', 1), (2, 1, 'TOPSECRET', 'TOPSECRET', 'TOPSECRET', 2);
    INSERT INTO orders VALUES (1, 0, 1, 10, '1'), (2, 1, 2, 20, 'TOPSECRET');
    INSERT INTO notes (body, tenant) VALUES ('hello', 0), ('TOPSECRET', 1);
    INSERT INTO t VALUES (1, '1', '2', '3', 'x', '{}', 0, 'TOPSECRET'), (2, 'TOPSECRET', 'TOPSECRET', 'TOPSECRET', 'TOPSECRET', NULL, 1, 'TOPSECRET');
    INSERT INTO secrets VALUES (1, 'TOPSECRET', 'TOPSECRET'); INSERT INTO users VALUES (1, 'TOPSECRET'); INSERT INTO big VALUES (1), (2), (3);";

const LAB_POLICY: &str = r#"
databases:
  shop: { url: "@url@", statement_timeout: 2s }
roles:
  agent:
    tables:
      shop.customers: { columns: [id, tenant, name, email], masks: { email: email }, rows: "tenant = :claims.tenant" }
      shop.orders: { columns: [id, tenant, total], rows: "tenant = :claims.tenant" }
      shop.notes: { columns: [id, body, tenant], rows: "tenant IN (:claims.tenants)" }
      shop.t: { columns: [id, a, b, c, x, doc, tenant], rows: "tenant = :claims.tenant AND EXISTS (SELECT 1 FROM customers k WHERE k.tenant = t.tenant)" }
      shop.big: { columns: [n], rows: all }
    tools: [echo]
    query: [shop]
    limits: { rows_max: 100 }
tools:
  echo:
    description: Whether a note says it
    database: shop
    params: { q: { type: string } }
    sql: SELECT count(*) AS found FROM notes WHERE body = :q
agents:
  t0: { keys: ["@hash@"], role: agent, claims: { tenant: 0, tenants: [0] } }
server: { listen: "127.0.0.1:0", metrics_listen: "127.0.0.1:0" }
"#;

/// Its id, whether it must be refused here, and its text.
fn attacks() -> Vec<(String, bool, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tollgate-core/testdata/redteam");
    let table = |name: &str| -> Vec<Vec<String>> {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    };
    let mut attacks = Vec::new();
    let mut add = |id: &str, refused: bool, text: &str| {
        let steps = text.split(" ;; ").flat_map(|step| step.split("  /  "));
        attacks.extend(steps.map(|step| (id.to_owned(), refused, step.to_owned())));
    };
    for row in table("attacks.tsv").iter().filter(|row| ["PG", "SL", "MY", "SP", "OT"].contains(&&row[1][..2])) {
        add(&row[1], row[1].starts_with("MY") && row[5] == "D", &row[6]);
    }
    for (name, column) in [("statements.tsv", 3), ("more.tsv", 4)] {
        for row in table(name) {
            add(&row[0], false, &row[column]);
        }
    }
    attacks
}

#[tokio::test(flavor = "multi_thread")]
async fn the_known_attacks_tell_nothing_and_write_nothing() {
    let Some(server) = MariaDbServer::shared() else { return };
    let database = server.database(LAB);
    let folder = tempfile::tempdir().unwrap();
    let (key, hash) = new_key();
    let policy = LAB_POLICY.replace("@url@", &database.url_of("root_of_the_lab")).replace("@hash@", &hash);
    // The most powerful login, so that only what is tested is in the way.
    database.ask(&format!("GRANT ALL ON *.* TO root_of_the_lab IDENTIFIED BY '{}'", database.password()));
    fs::write(folder.path().join("tollgate.yaml"), policy).unwrap();
    let gate = Server::serve(folder.path());
    let agent = gate.agent(&key);
    let state = || database.ask("CHECKSUM TABLE customers, orders, notes, t, secrets, users, big; SHOW TABLES");
    let before = state();
    let (mut wrong, mut answered) = (Vec::new(), 0);
    let attacks = attacks();
    for (id, must_be_refused, text) in &attacks {
        let asked = agent.call("query", json!({ "sql": text })).await;
        let said = asked.text();
        let refused = asked.body["result"]["isError"] != json!(false);
        answered += usize::from(!refused);
        let driver = ["TOPSECRET", "MariaDB server version", "127.0.0.1", "root:x:0:0", "p@ss", "TG790"];
        if driver.iter().any(|word| said.contains(word) && !text.contains(word)) || (*must_be_refused && !refused) {
            wrong.push(format!("{id}: {text}\n  {said}"));
        }
        let bound = agent.call("echo", json!({ "q": text })).await;
        if bound.body["result"]["isError"] == json!(false) && json!(bound.rows()) != json!([{ "found": 0 }]) {
            wrong.push(format!("{id} as a parameter: {text}\n  {}", bound.text()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), attacks.len(), wrong.join("\n"));
    assert_eq!(state(), before);
    assert!(attacks.len() > 1_000 && answered > 20, "{answered} of {}", attacks.len());
}
