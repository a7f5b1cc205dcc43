//! Masks on real engines: what each makes of ordinary and odd values, that a hash joins, and that nothing tells of the value behind.

use std::fs;

use serde_json::{Value, json};
use tollgate_backends::testing::postgres::PostgresServer;
use tollgate_core::sql::{MaskKey, hash_under, tree::KeyPad};

use crate::harness::tollgate;

const SECRET: &str = "a secret of the tests that is no secret";

const POLICY: &str = r#"
mask_key: "a secret of the tests that is no secret"
roles:
  clerk:
    tables:
      shop.people:
        columns: [id, email, phone, born, seen, note, team]
        masks:
          email: hash
          phone: { sql: "CASE WHEN length(phone) > 6 THEN substr(phone, 1, 3) || '…' ELSE 'short' END" }
          born: year
          seen: year
          note: { sql: "CAST(note AS integer)" }
          team: { sql: "CASE WHEN team = :claims.team THEN team ELSE 'another' END" }
        rows: team <> 'hidden'
      shop.visits: { columns: [id, email], masks: { email: hash }, rows: all }
    tools: [people, visits_by_person, by_hash, born_in, notes]
    query: [shop]
  other:
    tables:
      shop.people: { columns: [id, email], masks: { email: hash }, rows: all }
    tools: [hashes]
agents:
  clerk: { role: clerk, local: true, claims: { team: red } }
  other: { role: other, local: true }
tools:
  people: { description: People, sql: "SELECT id, email, phone, born, seen, team FROM people ORDER BY id" }
  visits_by_person:
    description: Joined and grouped by hashes
    sql: SELECT p.id, count(*) AS visits FROM people p JOIN visits v ON v.email = p.email GROUP BY p.id ORDER BY p.id
  by_hash:
    description: One person by the hash
    params: { email: { type: string } }
    sql: SELECT id FROM people WHERE email = :email ORDER BY id
  born_in:
    description: People of a year
    params: { first: { type: date } }
    sql: SELECT id FROM people WHERE born = :first ORDER BY id
  notes: { description: Notes as numbers, sql: "SELECT id, note FROM people WHERE note > 1 ORDER BY id" }
  hashes: { description: Hashes, sql: "SELECT id, email FROM people ORDER BY id" }
"#;

const PEOPLE: &str = "
    CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, phone TEXT, born DATE, seen TIMESTAMP, note TEXT, team TEXT NOT NULL);
    CREATE TABLE visits (id INTEGER PRIMARY KEY, email TEXT);
    INSERT INTO people VALUES
        (1, 'jane@example.com', '030123456', '1980-07-09', '2024-02-29 23:59:59', '1', 'red'),
        (2, NULL, NULL, NULL, NULL, '2', 'blue'),
        (3, '', '1234', '9999-12-31', '0001-01-01 00:00:00', '3', 'blue'),
        (4, 'jürgen''s\\@example.com', '☎☎☎☎☎☎☎', '0001-01-01', '9999-12-31 23:59:59', NULL, 'red'),
        (5, 'hidden@example.com', 'x', '2000-01-01', NULL, 'SECRET', 'hidden');
    INSERT INTO visits VALUES (1, 'jane@example.com'), (2, 'jane@example.com'), (3, ''), (4, NULL), (5, 'hidden@example.com');
";

struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("databases:\n  shop: {{ url: \"{url}\" }}\n");
        fs::write(folder.path().join("tollgate.yaml"), database + POLICY).unwrap();
        Self { folder }
    }

    fn run(&self, arguments: &[&str]) -> (String, String) {
        let config = self.folder.path().join("tollgate.yaml");
        let output = tollgate().args(arguments).arg("-c").arg(config).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    }

    fn call(&self, agent: &str, tool: &str, arguments: &[&str]) -> Value {
        let (out, err) = self.run(&[&["call", tool, "--as", agent, "--format", "json"], arguments].concat());
        let result: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{tool}: {err}"));
        result["rows"].clone()
    }
}

/// A block of a role's key, as it is bound.
fn block(role: &str, pad: KeyPad) -> String {
    match MaskKey::of_role(SECRET, role).block(pad) {
        tollgate_core::names::Value::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

fn hash(role: &str, text: &str) -> String {
    hash_under(&block(role, KeyPad::Inner), &block(role, KeyPad::Outer), text.as_bytes()).unwrap()
}

/// What holds on every engine; `moment` writes a timestamp as the engine's results do.
fn masks_hold(shop: &Shop, moment: fn(&str) -> String) {
    let jane = hash("clerk", "jane@example.com");
    assert_eq!(
        shop.call("clerk", "people", &[]),
        json!([
            {"id": 1, "email": jane, "phone": "030…", "born": "1980-01-01", "seen": moment("2024-01-01"), "team": "red"},
            {"id": 2, "email": null, "phone": "short", "born": null, "seen": null, "team": "another"},
            {"id": 3, "email": hash("clerk", ""), "phone": "short", "born": "9999-01-01", "seen": moment("0001-01-01"), "team": "another"},
            {"id": 4, "email": hash("clerk", "jürgen's\\@example.com"), "phone": "☎☎☎…", "born": "0001-01-01", "seen": moment("9999-01-01"), "team": "red"},
        ])
    );
    assert_eq!(shop.call("clerk", "visits_by_person", &[]), json!([{"id": 1, "visits": 2}, {"id": 3, "visits": 1}]));
    assert_eq!(shop.call("clerk", "by_hash", &[&format!("email={jane}")]), json!([{"id": 1}]));
    assert_eq!(shop.call("clerk", "by_hash", &["email=jane@example.com"]), json!([]));
    assert_eq!(shop.call("clerk", "born_in", &["first=1980-01-01"]), json!([{"id": 1}]));
    assert_eq!(shop.call("clerk", "born_in", &["first=1980-07-09"]), json!([]));
    // The hidden row's note is no number, and does not make the statement fail.
    assert_eq!(shop.call("clerk", "notes", &[]), json!([{"id": 2, "note": 2}, {"id": 3, "note": 3}]));
    let own = "sql=SELECT id FROM people WHERE note > 1 AND email IN (SELECT email FROM visits) ORDER BY id";
    assert_eq!(shop.call("clerk", "query", &[own]), json!([{"id": 3}]));
    // Another role's hashes have nothing in common with these.
    let other = shop.call("other", "hashes", &[]);
    assert_eq!(other[0]["email"], hash("other", "jane@example.com"));
    assert_ne!(other[0]["email"], jane);
    let (explained, _) = shop.run(&["explain", "people", "--as", "clerk"]);
    assert!(explained.contains("the key of the role's hashes"), "{explained}");
    assert!(!explained.contains(&block("clerk", KeyPad::Inner)) && !explained.contains(SECRET), "{explained}");
}

#[test]
fn masks_hold_on_sqlite() {
    let shop = Shop::new("sqlite:shop.db");
    let owner = rusqlite::Connection::open(shop.folder.path().join("shop.db")).unwrap();
    owner.execute_batch(PEOPLE).unwrap();
    masks_hold(&shop, |day| format!("{day} 00:00:00"));
    // Any value may stand in any column: what is no date has no year, and a number is hashed by its digits.
    owner.execute_batch("UPDATE people SET born = 'long ago', email = 42 WHERE id = 1; UPDATE people SET born = x'00', email = x'ff' WHERE id = 2").unwrap();
    let people = shop.call("clerk", "people", &[]);
    assert_eq!((&people[0]["born"], &people[1]["born"]), (&Value::Null, &Value::Null));
    assert_eq!(people[0]["email"], hash("clerk", "42"));
}

#[tokio::test]
async fn masks_hold_on_postgresql() {
    let Some(server) = PostgresServer::shared() else { return };
    let database = server.database(PEOPLE).await;
    let shop = Shop::new(&database.url());
    masks_hold(&shop, |day| format!("{day}T00:00:00"));
    database.run("UPDATE people SET born = 'infinity', seen = '-infinity' WHERE id = 1; UPDATE people SET born = '5874897-01-01', seen = '4713-01-01 BC' WHERE id = 2").await;
    let people = shop.call("clerk", "people", &[]);
    for row in [0, 1] {
        assert_eq!((&people[row]["born"], &people[row]["seen"]), (&Value::Null, &Value::Null));
    }
}
