//! The lab: a database in which every attack has something to find, in two worlds that differ only in what the policy hides.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio_postgres::Client;
use tollgate_backends::testing::{
    mariadb::{self, MariaDbServer},
    postgres::{PostgresServer, TestDatabase},
};

use super::corpus::{Engine, folder};

/// Hidden rows are there in the first, and other ones in the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    First,
    Second,
}

/// Columns of which a granted table holds hidden rows, by how their marks in the fixture begin: the rewriting hides them, the engine's
/// own layer need not.
const OF_GRANTED_COLUMNS: [&str; 11] =
    ["name", "email", "note", "b", "c", "kind", "label", "doc", "staff", "pay", "bonus"];

/// Strings of the outside world that no agent may read.
const OUTSIDE: [&str; 3] = ["root:x:0:0", "SCRAM-SHA-256$", "p@ss/w?rd%41"];

/// One database of the lab.
pub struct Lab {
    pub engine: Engine,
    marks: Vec<Mark>,
    place: Place,
    /// Where attacks that write files are told to write them, and what is below it.
    folder: TempDir,
}

/// What a mark of the fixture stands for.
struct Mark {
    name: String,
    value: String,
    /// As a blob is written.
    digits: String,
}

impl Mark {
    fn all(marks: BTreeMap<String, String>) -> Vec<Self> {
        marks.into_iter().map(|(name, value)| Self { digits: hex(value.as_bytes()), name, value }).collect()
    }
}

enum Place {
    Postgres { database: TestDatabase, eye: Client },
    Sqlite { file: PathBuf },
    MariaDb { database: mariadb::TestDatabase },
}

impl Lab {
    /// On a PostgreSQL server.
    pub async fn postgres(server: &Arc<PostgresServer>, world: World) -> Self {
        let (setup, marks) = fixture("postgres.sql", world);
        let folder = loot();
        let database = server.database(&setup).await;
        let (db, port) = (database_name(&database), server.port().to_string());
        let address = [("{db}", db.as_str()), ("{port}", &port), ("{password}", database.password())];
        let after = fs::read_to_string(super::corpus::folder().join("postgres-after.sql")).unwrap();
        database.run(&address.iter().fold(after, |sql, (mark, value)| sql.replace(mark, value))).await;
        let eye = database.superuser().await;
        Self { engine: Engine::Postgres, marks: Mark::all(marks), place: Place::Postgres { database, eye }, folder }
    }

    /// In a file.
    pub fn sqlite(world: World) -> Self {
        let (setup, marks) = fixture("sqlite.sql", world);
        let folder = loot();
        let file = folder.path().join("lab.db");
        rusqlite::Connection::open(&file).unwrap().execute_batch(&setup).unwrap();
        let other = rusqlite::Connection::open(folder.path().join("loot/other.db")).unwrap();
        let stolen = marks.get("token1").unwrap();
        other.execute_batch(&format!("CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('{stolen}')")).unwrap();
        Self { engine: Engine::Sqlite, marks: Mark::all(marks), place: Place::Sqlite { file }, folder }
    }

    /// On a MariaDB server.
    pub fn mariadb(server: &Arc<MariaDbServer>, world: World) -> Self {
        let (setup, marks) = fixture("mariadb.sql", world);
        let database = server.database(&setup);
        let grant = format!("GRANT ALL ON *.* TO root_of_the_lab IDENTIFIED BY '{}'", database.password());
        database.ask(&grant);
        Self { engine: Engine::MariaDb, marks: Mark::all(marks), place: Place::MariaDb { database }, folder: loot() }
    }

    /// The folder of the configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database's URL as the most powerful login has it, so that only what is tested is in the way.
    pub fn url(&self) -> String {
        match &self.place {
            Place::Postgres { database, .. } => database.superuser_url(),
            Place::Sqlite { file } => format!("sqlite:{}", file.display()),
            Place::MariaDb { database } => database.url_of("root_of_the_lab"),
        }
    }

    /// The PostgreSQL database.
    pub fn database(&self) -> &TestDatabase {
        match &self.place {
            Place::Postgres { database, .. } => database,
            Place::Sqlite { .. } | Place::MariaDb { .. } => panic!("another engine"),
        }
    }

    /// The MariaDB database.
    pub fn mariadb_database(&self) -> &mariadb::TestDatabase {
        match &self.place {
            Place::MariaDb { database } => database,
            Place::Sqlite { .. } | Place::Postgres { .. } => panic!("another engine"),
        }
    }

    /// The SQLite file.
    pub fn file(&self) -> &Path {
        match &self.place {
            Place::Sqlite { file } => file,
            Place::Postgres { .. } | Place::MariaDb { .. } => panic!("a server has no file"),
        }
    }

    /// An attack's text with this lab's names in it.
    pub fn aimed(&self, text: &str) -> String {
        self.names().iter().fold(text.to_owned(), |text, (mark, name)| text.replace(mark, name))
    }

    /// An answer without this lab's names, to compare it with that of another.
    pub fn anonymous(&self, text: &str) -> String {
        self.names().iter().fold(text.to_owned(), |text, (mark, name)| text.replace(name, mark))
    }

    fn names(&self) -> Vec<(&'static str, String)> {
        let loot = self.folder.path().join("loot").display().to_string();
        let mut names = vec![("{dir}", loot)];
        if let Place::Postgres { database, .. } = &self.place {
            let (db, port) = (database_name(database), database.server().port());
            let dsn = format!("host=127.0.0.1 port={port} user=postgres password={} dbname={db}", database.password());
            names.extend([("{dsn}", dsn), ("{db}", db)]);
        }
        if let Place::MariaDb { database } = &self.place {
            names.push(("{db}", database.name().to_owned()));
        }
        names
    }

    /// What an agent must not read but a text holds.
    pub fn stolen(&self, text: &str) -> Option<String> {
        self.found(text, |_| true)
    }

    /// What lies outside the granted tables and columns but a text holds. Comments are in the catalogs, which every login can read.
    pub fn stolen_from_outside(&self, text: &str) -> Option<String> {
        self.found(text, |mark| {
            mark != "comment" && !OF_GRANTED_COLUMNS.contains(&mark.trim_end_matches(|c: char| c.is_ascii_digit()))
        })
    }

    fn found(&self, text: &str, counts: impl Fn(&str) -> bool) -> Option<String> {
        let is_there = |mark: &&Mark| text.contains(&mark.value) || text.contains(&mark.digits);
        let mark = self.marks.iter().find(|mark| counts(&mark.name) && is_there(mark)).map(|mark| mark.name.clone());
        mark.or_else(|| OUTSIDE.iter().find(|value| text.contains(**value)).map(|value| (*value).to_owned()))
    }

    /// Waits until the engine layer's sessions are gone, and what they held with them.
    pub async fn alone(&self) {
        for _ in 0..100 {
            let left = match &self.place {
                Place::Postgres { eye, .. } => {
                    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'narrow'";
                    eye.query_one(sessions, &[]).await.unwrap().get::<_, i64>(0)
                }
                Place::MariaDb { database } => {
                    let sessions = "SELECT count(*) FROM information_schema.processlist WHERE user = 'narrow'";
                    database.ask(sessions)[0][0].parse().unwrap()
                }
                Place::Sqlite { .. } => 0,
            };
            if left == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("sessions that were closed are still there");
    }

    /// All that an attack could have changed, a line each.
    pub async fn state(&self) -> String {
        let mut state = match &self.place {
            Place::Postgres { eye, .. } => {
                let sql = include_str!("state.sql");
                eye.query(sql, &[]).await.unwrap().iter().fold(String::new(), |mut state, row| {
                    let _ = writeln!(state, "{}: {}", row.get::<_, &str>(0), row.get::<_, &str>(1));
                    state
                })
            }
            Place::MariaDb { database } => {
                let rows = database.ask(include_str!("state.mariadb.sql"));
                rows.iter().fold(String::new(), |mut state, row| {
                    let _ = writeln!(state, "{}", row.join(" "));
                    state
                })
            }
            Place::Sqlite { file } => format!("file: {}\n", hex(&Sha256::digest(fs::read(file).unwrap()))),
        };
        for folder in [self.folder.path(), &self.folder.path().join("loot")] {
            let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
            names.sort();
            let _ = writeln!(state, "{names:?}");
        }
        state
    }
}

/// The lines that one state has and the other has not.
pub fn difference(before: &str, after: &str) -> String {
    let only = |one: &str, other: &str, sign: char| -> Vec<String> {
        one.lines().filter(|line| !other.lines().any(|o| o == *line)).map(|line| format!("{sign}{line}")).collect()
    };
    [only(before, after, '-'), only(after, before, '+')].concat().join("\n")
}

fn database_name(database: &TestDatabase) -> String {
    database.url().rsplit('/').next().unwrap().to_owned()
}

/// A folder with a place in it that everybody may write to.
fn loot() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::Builder::new().prefix("tollgate-lab-").tempdir().unwrap();
    let loot = folder.path().join("loot");
    fs::create_dir(&loot).unwrap();
    for (path, mode) in [(folder.path(), 0o755), (loot.as_path(), 0o777)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    folder
}

/// The fixture's text for a world, and what its marks became there.
fn fixture(name: &str, world: World) -> (String, BTreeMap<String, String>) {
    let text = fs::read_to_string(folder().join(name)).unwrap();
    let first_only = if world == World::First { "" } else { "-- " };
    let text = text.replace("--A ", first_only);
    let text: String = text.lines().filter(|line| !line.starts_with("--")).flat_map(|line| [line, "\n"]).collect();
    let mut marks = BTreeMap::new();
    let mut out = replaced(&text, '@', &mut marks, |mark| format!("CANARY{}", hex(&seed(mark, world)[..6])));
    out = replaced(&out, '#', &mut marks, |mark| {
        let digits = seed(mark, world).iter().fold(0_u64, |n, byte| (n * 256 + u64::from(*byte)) % 800_000_000);
        (100_000_000 + digits).to_string()
    });
    (out, marks)
}

/// A text with each `@name@` replaced, where `@` is the sign.
fn replaced(text: &str, sign: char, marks: &mut BTreeMap<String, String>, value: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(sign) {
        out.push_str(before);
        let mark = after.split_once(sign).filter(|(mark, _)| is_mark(mark));
        if let Some((mark, after)) = mark {
            let made = value(mark);
            out.push_str(&made);
            marks.insert(mark.to_owned(), made);
            rest = after;
        } else {
            out.push(sign);
            rest = after;
        }
    }
    out + rest
}

fn is_mark(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn seed(mark: &str, world: World) -> Vec<u8> {
    Sha256::digest(format!("{world:?} {mark}")).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
