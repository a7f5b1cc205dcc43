//! The control: the same attacks on a plain connection of the login that each needs, with no guard at all. It shows that the lab has
//! what they are after; what came of each is kept in `control.tsv`.

use std::{collections::BTreeSet, fmt::Write as _, fs, sync::Arc, time::Duration};

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};
use tollgate_backends::testing::postgres::PostgresServer;

use super::{
    corpus::{self, Attack, Engine, Needs, folder},
    lab::{Lab, World},
};

/// How long an attack may run.
const TIME_MAX: Duration = Duration::from_millis(500);

/// `scripts/redteam --control`: about two minutes, since a lab that an attack harmed is made anew.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "shows that the lab is honest, which changes only with the lab: scripts/redteam --control"]
async fn redteam_control() {
    let mut found = String::from("id\tengine\tneeds\tstatement\tharm\n");
    if let Some(server) = super::quiet_server().await {
        let mut labs = None;
        for attack in corpus::attacks(Engine::Postgres, &[]).iter().filter(|attack| is_safe(attack)) {
            let pair = match labs.take() {
                Some(pair) => pair,
                None => [plain_lab(&server, World::First).await, plain_lab(&server, World::Second).await],
            };
            let harm = postgres_harm(&pair, attack).await;
            if !harm.contains("writes") {
                labs = Some(pair);
            }
            note(&mut found, attack, "postgres", &harm);
        }
    }
    for attack in corpus::attacks(Engine::Sqlite, &[]).iter().filter(|attack| is_safe(attack)) {
        let harm = sqlite_harm(&[Lab::sqlite(World::First), Lab::sqlite(World::Second)], attack).await;
        note(&mut found, attack, "sqlite", &harm);
    }
    let file = folder().join("control.tsv");
    if std::env::var_os("UPDATE_CONTROL").is_some() {
        fs::write(&file, &found).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), found, "UPDATE_CONTROL=1 writes what was found");
}

/// Of the list itself, but for what would fill the memory of the machine that the tests run on.
fn is_safe(attack: &Attack) -> bool {
    !attack.id.starts_with('X') && !["PG-207", "PG-208", "SL-038"].contains(&attack.id.as_str())
}

fn note(found: &mut String, attack: &Attack, engine: &str, harm: &BTreeSet<&'static str>) {
    let harm = if harm.is_empty() { "none".to_owned() } else { harm.iter().copied().collect::<Vec<_>>().join(", ") };
    let (id, needs) = (&attack.id, attack.needs);
    let statement = attack.steps.join(" ;; ").escape_debug().take(100).collect::<String>();
    let _ = writeln!(found, "{id}\t{engine}\t{needs:?}\t{statement}\t{harm}");
}

/// A lab whose tables belong to a login of its own.
async fn plain_lab(server: &Arc<PostgresServer>, world: World) -> Lab {
    let lab = Lab::postgres(server, world).await;
    let database = lab.database();
    let (reader, password) = (database.reader(), database.password());
    database
        .run(&format!(
            "DO $$ DECLARE r regclass; BEGIN
               IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lab_owner') THEN
                 CREATE ROLE lab_owner LOGIN PASSWORD '{password}';
               END IF;
               FOR r IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace
                 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_class.oid AND d.deptype = 'e')
               LOOP EXECUTE format('ALTER TABLE %s OWNER TO lab_owner', r); END LOOP;
             END $$;
             GRANT CREATE ON SCHEMA public TO lab_owner;
             GRANT owner_r TO {reader}; GRANT SELECT ON secrets TO owner_r;"
        ))
        .await;
    lab
}

async fn connect(lab: &Lab, needs: Needs) -> Client {
    let database = lab.database();
    let url = match needs {
        Needs::Reader => database.url(),
        Needs::Owner => database.url_of("lab_owner"),
        Needs::Superuser => database.superuser_url(),
    };
    let (client, driver) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(driver);
    let set = format!("SET statement_timeout = {}; SET app.tenant = 't0'", TIME_MAX.as_millis());
    client.batch_execute(&set).await.unwrap();
    client
}

async fn postgres_harm(labs: &[Lab; 2], attack: &Attack) -> BTreeSet<&'static str> {
    let mut harm = BTreeSet::new();
    let mut told = Vec::new();
    for lab in labs {
        let client = connect(lab, attack.needs).await;
        let (state, session) = (lab.state().await, report(&client).await);
        let mut said = String::new();
        for step in &attack.steps {
            match client.simple_query(&lab.aimed(step)).await {
                Ok(messages) => messages.iter().for_each(|message| {
                    if let SimpleQueryMessage::Row(row) = message {
                        (0..row.len()).for_each(|n| said.push_str(row.get(n).unwrap_or_default()));
                    }
                }),
                Err(error) => {
                    if error.code() == Some(&tokio_postgres::error::SqlState::QUERY_CANCELED) {
                        harm.insert("runs on");
                    }
                    let _ = write!(
                        said,
                        "{:?}",
                        error.as_db_error().map(|e| (e.message().to_owned(), e.detail().map(str::to_owned)))
                    );
                }
            }
        }
        if lab.stolen(&said).is_some_and(|stolen| !attack.steps.concat().contains(&stolen)) {
            harm.insert("reads");
        }
        if report(&client).await != session {
            harm.insert("lingers in the session");
        }
        if lab.state().await != state {
            harm.insert("writes");
        }
        told.push(lab.anonymous(&said));
    }
    if told.first() != told.last() {
        harm.insert("tells");
    }
    harm
}

/// The session's own account of itself; nothing when it is gone or in a failed transaction.
async fn report(client: &Client) -> Option<String> {
    client.query_one("SELECT public.session_report()", &[]).await.ok().map(|row| row.get(0))
}

async fn sqlite_harm(labs: &[Lab; 2], attack: &Attack) -> BTreeSet<&'static str> {
    let mut harm = BTreeSet::new();
    let mut told = Vec::new();
    for lab in labs {
        let mut connection = rusqlite::Connection::open(lab.file()).unwrap();
        let until = std::time::Instant::now() + TIME_MAX;
        connection.progress_handler(1_000, Some(move || std::time::Instant::now() > until)).unwrap();
        let (state, session) = (lab.state().await, sqlite_report(&connection));
        let mut said = String::new();
        for step in &attack.steps {
            let text = lab.aimed(step);
            if let Err(error) = read(&connection, &text, &mut said) {
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) {
                    harm.insert("runs on");
                }
                let _ = write!(said, "{error}");
            }
        }
        if lab.stolen(&said).is_some_and(|stolen| !attack.steps.concat().contains(&stolen)) {
            harm.insert("reads");
        }
        if sqlite_report(&connection) != session {
            harm.insert("lingers in the session");
        }
        drop(connection);
        if lab.state().await != state {
            harm.insert("writes");
        }
        told.push(lab.anonymous(&said));
    }
    if told.first() != told.last() {
        harm.insert("tells");
    }
    harm
}

fn read(connection: &rusqlite::Connection, text: &str, said: &mut String) -> rusqlite::Result<()> {
    for statement in text.split_inclusive(';') {
        let mut prepared = connection.prepare(statement)?;
        let width = prepared.column_count();
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next()? {
            for index in 0..width {
                let _ = write!(said, "{:?} ", row.get_ref(index)?);
                if let Ok(text) = row.get_ref(index)?.as_bytes() {
                    said.push_str(&String::from_utf8_lossy(text));
                }
            }
        }
    }
    Ok(())
}

fn sqlite_report(connection: &rusqlite::Connection) -> String {
    let pragmas = [
        "query_only",
        "trusted_schema",
        "cache_size",
        "hard_heap_limit",
        "soft_heap_limit",
        "mmap_size",
        "locking_mode",
    ];
    let mut report = pragmas.iter().fold(String::new(), |mut report, pragma| {
        let value = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| Ok(format!("{:?}", row.get_ref(0)?)));
        let _ = write!(report, "{pragma} {value:?} ");
        report
    });
    let like = connection.query_row(
        "SELECT 'a' LIKE 'A', (SELECT count(*) FROM temp.sqlite_schema), (SELECT count(*) FROM pragma_database_list)",
        [],
        |row| Ok(format!("{:?} {:?} {:?}", row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?)),
    );
    let _ = write!(report, "{like:?} {}", connection.is_autocommit());
    report
}
