//! The engine's own layer with no rewriting in front of it: a session as calls get it, under a login as narrow as the policy, takes
//! every attack as it is written.

use std::time::Duration;

use tollgate_backends::{PoolLimits, mysql, postgres, sqlite};
use tollgate_core::{
    catalog::{ColumnId, TableId},
    names::Dialect,
    sql::{Footprint, functions},
};

use super::{corpus::Attack, lab::Lab};
use crate::harness::tollgate;

/// How long a statement may run.
const TIME_MAX: Duration = Duration::from_millis(100);

/// What a login can say to a session of its own, so that nothing is left but what it may do.
const LIFTED: &str = "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; SET search_path = public";
/// The same on MariaDB.
const LIFTED_ON_MARIADB: &str = "SET SESSION TRANSACTION READ WRITE; SET sql_mode = '', sql_safe_updates = 0";
/// How long MariaDB may take to end a statement.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// Where an attack gets a session.
pub enum Sessions {
    Postgres(postgres::raw::Sessions),
    MariaDb(mysql::raw::Sessions),
    /// The lab's file.
    Sqlite,
}

/// A session that an attack had.
pub enum Used {
    Postgres { _session: Box<postgres::raw::RawSession> },
    MariaDb { _session: mysql::raw::RawSession },
}

/// What a session said to an attack, all of it: values and errors.
/// A server's sessions stay open until the caller is done looking at what they hold.
pub async fn said(lab: &Lab, sessions: &Sessions, attack: &Attack, open: &mut Vec<Used>) -> String {
    let mut said = String::new();
    for step in &attack.steps {
        let text = lab.aimed(step);
        match sessions {
            Sessions::Postgres(sessions) => {
                let session = opened(async || sessions.open().await.ok()).await;
                // With the session as it is pinned, and then with every setting set back that a login may set.
                let pinned = session.one(&text).await;
                let lifted = session.many(LIFTED).await.map(|_| ());
                let together = session.many(&text).await;
                assert!(lifted.is_ok() || pinned.is_err(), "{lifted:?}");
                for answer in [pinned, together] {
                    said.push_str(&answer.map_or_else(|error| format!("{error:?}"), |values| values.join("\n")));
                    said.push('\n');
                }
                open.push(Used::Postgres { _session: Box::new(session) });
            }
            Sessions::MariaDb(sessions) => {
                let mut session = opened(async || sessions.open().await.ok()).await;
                // What it cannot stop is not asked of this layer.
                if let Ok(answer) = tokio::time::timeout(PATIENCE, mariadb_said(&mut session, &text)).await {
                    said.push_str(&answer);
                }
                open.push(Used::MariaDb { _session: session });
            }
            Sessions::Sqlite => said.push_str(&sqlite_said(lab, &text)),
        }
    }
    said
}

/// With the session as it is pinned, and then with every setting set back that a login may set.
async fn mariadb_said(session: &mut mysql::raw::RawSession, text: &str) -> String {
    let pinned = session.one(text).await;
    let lifted = session.many(LIFTED_ON_MARIADB).await.map(|_| ());
    let together = session.many(text).await;
    assert!(lifted.is_ok() || pinned.is_err(), "{lifted:?} after {text}");
    let said =
        [pinned, together].map(|answer| answer.map_or_else(|error| format!("{error:?}"), |values| values.join("\n")));
    said.join("\n") + "\n"
}

/// What no database takes from a login: PostgreSQL's transaction ids, of which each committed `NOTIFY` uses one up, and MariaDB's locks
/// by name.
const LET_THROUGH: [&str; 2] = ["next transaction: ", "lock by name "];

/// Whether that is all that an attack did. Whatever is written besides is in another line of the state.
pub fn is_let_through(difference: &str) -> bool {
    let known = |line: &str| LET_THROUGH.iter().any(|start| line.starts_with(start));
    difference.lines().all(|line| line.get(1..).is_some_and(known))
}

/// A session, once the server has got over the last one.
async fn opened<T>(open: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..100 {
        if let Some(session) = open().await {
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

/// What `tollgate harden` writes for the lab's role.
fn hardened(lab: &Lab) -> String {
    let config = lab.folder().join("tollgate.yaml");
    let hardened =
        tollgate().args(["harden", "--role", "agent", "--login", "narrow", "-c"]).arg(config).output().unwrap();
    assert!(hardened.status.success(), "{}", String::from_utf8_lossy(&hardened.stderr));
    String::from_utf8(hardened.stdout).unwrap()
}

/// The login that it makes on MariaDB. Nothing is left to the administrator there but TLS, which the lab's server has not.
pub fn narrow_login_on_mariadb(lab: &Lab) -> Sessions {
    let database = lab.mariadb_database();
    let password = format!("IDENTIFIED BY '{}'", database.password());
    database.ask(&hardened(lab).replace("REQUIRE SSL ", "").replace("IDENTIFIED BY '…'", &password));
    Sessions::MariaDb(mysql::raw::Sessions::of(&database.url_of("narrow"), &limits()).unwrap())
}

fn limits() -> PoolLimits {
    PoolLimits { statement_timeout: TIME_MAX, ..PoolLimits::default() }
}

/// The login that it makes on PostgreSQL.
pub async fn narrow_login(lab: &Lab) -> Sessions {
    let database = lab.database();
    let script = hardened(lab);
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
    Sessions::Postgres(postgres::raw::Sessions::of(&database.url_of("narrow"), &limits()).unwrap())
}
