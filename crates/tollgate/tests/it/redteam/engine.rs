//! The engine's own layer with no rewriting in front of it: a session as calls get it, under a login as narrow as the policy, takes
//! every attack as it is written.

use std::time::Duration;

use tollgate_backends::{
    PoolLimits,
    postgres::raw::{RawSession, Sessions},
    sqlite,
};
use tollgate_core::{
    catalog::{ColumnId, TableId},
    names::Dialect,
    sql::{Footprint, functions},
};

use super::{
    corpus::{Attack, Engine},
    lab::Lab,
};
use crate::harness::tollgate;

/// How long a statement may run.
const TIME_MAX: Duration = Duration::from_millis(100);

/// What a login can say to a session of its own, so that nothing is left but what it may do.
const LIFTED: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; SET search_path = public";

/// The columns that the policy of the lab needs: those its role sees, and those of its filters.
const NEEDED: [(&str, &[&str]); 8] = [
    ("customers", &["id", "tenant", "name", "email"]),
    ("orders", &["id", "tenant", "total"]),
    ("notes", &["id", "body", "tenant"]),
    ("big", &["n"]),
    ("t", &["id", "a", "b", "c", "x", "doc", "tenant"]),
    ("events", &["id", "kind", "tenant"]),
    ("assets", &["id", "label", "tenant"]),
    ("staff", &["id", "name", "dept", "city", "pay", "bonus"]),
];

/// What a session said to an attack, all of it: values and errors.
/// PostgreSQL's sessions stay open until the caller is done looking at what they hold.
pub async fn said(lab: &Lab, sessions: Option<&Sessions>, attack: &Attack, open: &mut Vec<RawSession>) -> String {
    let mut said = String::new();
    for step in &attack.steps {
        let text = lab.aimed(step);
        match lab.engine {
            Engine::Postgres => {
                let session = opened(sessions.unwrap()).await;
                // With the session as it is pinned, and then with every setting set back that a login may set.
                let pinned = session.one(&text).await;
                let lifted = session.many(LIFTED).await.map(|_| ());
                let together = session.many(&text).await;
                assert!(lifted.is_ok() || pinned.is_err(), "{lifted:?}");
                for answer in [pinned, together] {
                    said.push_str(&answer.map_or_else(|error| format!("{error:?}"), |values| values.join("\n")));
                    said.push('\n');
                }
                open.push(session);
            }
            Engine::Sqlite => said.push_str(&sqlite_said(lab, &text)),
        }
    }
    said
}

/// Whether all that an attack did is what no database takes from a login: it used up a transaction id, as each committed `NOTIFY` does.
/// Whatever is written besides is in another line of the state.
pub fn is_let_through(difference: &str) -> bool {
    difference.lines().all(|line| line.get(1..).is_some_and(|line| line.starts_with("next transaction: ")))
}

/// A session, once the server has got over the last one.
async fn opened(sessions: &Sessions) -> RawSession {
    for _ in 0..100 {
        if let Ok(session) = sessions.open().await {
            return session;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server takes no sessions any more");
}

fn sqlite_said(lab: &Lab, text: &str) -> String {
    let session = sqlite::raw::RawSession::open(lab.file(), &footprint()).unwrap();
    let one = session.one(text, TIME_MAX).map_or_else(|error| error.to_string(), |values| values.join("\n"));
    let many = session.many(text, TIME_MAX).map_or_else(|error| error.to_string(), |()| String::new());
    let after = session.unguarded().unwrap();
    let number = |sql: &str| after.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(number("PRAGMA query_only"), 1, "{text}");
    assert_eq!(number("SELECT count(*) FROM temp.sqlite_schema"), 0, "{text}");
    assert!(after.is_autocommit(), "{text}");
    format!("{one}\n{many}\n")
}

/// All that a statement of the lab's role could name.
fn footprint() -> Footprint {
    let table = |name: &str| TableId { schema: "main".to_owned(), name: name.to_owned() };
    let columns = NEEDED.iter().flat_map(|(name, columns)| {
        columns.iter().map(move |column| ColumnId { table: table(name), column: (*column).to_owned() })
    });
    Footprint {
        columns: columns.collect(),
        tables: NEEDED.iter().map(|(name, _)| table(name)).collect(),
        functions: functions::list(Dialect::Sqlite).iter().map(|function| function.name.to_owned()).collect(),
        ..Footprint::default()
    }
}

/// A login that `tollgate harden` makes for the lab's role.
pub async fn narrow_login(lab: &Lab) -> Sessions {
    let config = lab.folder().join("tollgate.yaml");
    let hardened =
        tollgate().args(["harden", "--role", "agent", "--login", "narrow", "-c"]).arg(config).output().unwrap();
    assert!(hardened.status.success(), "{}", String::from_utf8_lossy(&hardened.stderr));
    let database = lab.database();
    let script = String::from_utf8(hardened.stdout).unwrap();
    database.run(&script).await;
    // What it leaves to the administrator to judge.
    for remark in script.lines().filter(|line| line.starts_with("--")) {
        if let Some(at) = remark.find("REVOKE ") {
            database.run(&remark[at..]).await;
        }
    }
    // An attack has a session of its own, and SCRAM takes the server longer than most attacks do.
    let password = format!("SET password_encryption = 'md5'; ALTER ROLE narrow PASSWORD '{}'", database.password());
    database.run(&password).await;
    let limits = PoolLimits { statement_timeout: TIME_MAX, ..PoolLimits::default() };
    Sessions::of(&database.url_of("narrow"), &limits).unwrap()
}
