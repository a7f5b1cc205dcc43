//! How much of PostgreSQL's own regression SQL is read and accepted, and what the rest is refused for. The sources are PostgreSQL's, got
//! by `scripts/regress DIR`; nothing of them is in this repository. Each statement runs on a throw-away server, so that the tables
//! of a SELECT are there when it is asked about. It fails on a panic, and on nothing else.
#![expect(clippy::print_stdout, reason = "it is run by hand, to be read")]
#![expect(clippy::unwrap_used, reason = "sources that cannot be read are an error of their maker")]

use std::{borrow::Cow, collections::BTreeMap, env, fs, panic, path::PathBuf, time::Duration};

use tokio_postgres::{Client, error::SqlState};
use tollgate_backends::{
    Backend, PoolLimits,
    testing::postgres::{Encryption, PostgresServer, TestDatabase},
};
use tollgate_core::{
    catalog::Catalog,
    sql::{Cost, RestrictedColumn, Restriction, Restrictions, SqlError, check_own},
};

/// How long a statement of theirs may run.
const TIME_MAX: Duration = Duration::from_secs(5);
/// Reasons that are shown.
const REASONS_MAX: usize = 40;
/// Characters of a text that are shown.
const SHOWN_MAX: usize = 160;

#[tokio::main]
async fn main() {
    let folder = PathBuf::from(env::var_os("TOLLGATE_REGRESS").unwrap());
    let Some(server) = PostgresServer::start(Encryption::Off) else { return };
    let server = std::sync::Arc::new(server);
    let database = server.database("SELECT 1").await;
    let mut run = Run::new(database).await;
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    // What the others build on comes first.
    paths.sort_by_key(|path| (!path.ends_with("test_setup.sql"), path.clone()));
    for path in paths {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for statement in statements(&text) {
            run.statement(&statement).await;
        }
    }
    run.tally.print();
    assert!(run.tally.panicked.is_empty(), "a statement makes the reader panic");
}

/// What came of the statements.
#[derive(Default)]
struct Tally {
    statements: usize,
    selects: usize,
    /// Those that PostgreSQL's own parser does not take, which are there to be refused.
    not_sql: usize,
    accepted: usize,
    refused: BTreeMap<&'static str, usize>,
    reasons: BTreeMap<String, (usize, String)>,
    panicked: Vec<String>,
}

impl Tally {
    fn refuse(&mut self, kind: &'static str, reason: String, statement: &str) {
        *self.refused.entry(kind).or_default() += 1;
        let (count, _) = self.reasons.entry(reason).or_insert_with(|| (0, shortened(statement)));
        *count += 1;
    }

    fn print(&self) {
        let sql = self.selects - self.not_sql;
        let unread = self.refused.get("not read").copied().unwrap_or(0);
        let share =
            |of: usize| 100.0 * f64::from(u32::try_from(of).unwrap()) / f64::from(u32::try_from(sql.max(1)).unwrap());
        println!("{} statements, {} of them SELECTs, {sql} of which PostgreSQL reads", self.statements, self.selects);
        println!("read: {} ({:.1} %)", sql - unread, share(sql - unread));
        println!("accepted: {} ({:.1} %)", self.accepted, share(self.accepted));
        for (kind, count) in &self.refused {
            println!("refused, {kind}: {count}");
        }
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (reason, (count, example)) in reasons.iter().take(REASONS_MAX) {
            println!("{count:5}  {reason}\n         {example}");
        }
        println!("panics: {}", self.panicked.len());
        for statement in &self.panicked {
            println!("  {statement}");
        }
    }
}

struct Run {
    database: TestDatabase,
    client: Client,
    backend: std::sync::Arc<dyn Backend>,
    /// The schema, until something may have changed it.
    schema: Option<(Catalog, Restrictions)>,
    tally: Tally,
}

impl Run {
    async fn new(database: TestDatabase) -> Self {
        let backend =
            tollgate_backends::open(&database.superuser_url(), std::path::Path::new("/"), PoolLimits::default());
        let client = session(&database).await;
        Self { client, backend: backend.unwrap(), database, schema: None, tally: Tally::default() }
    }

    async fn statement(&mut self, statement: &str) {
        self.tally.statements += 1;
        let is_select = is_select(statement);
        let verdict = if is_select { Some(self.judge(statement).await) } else { None };
        let answered = tokio::time::timeout(TIME_MAX * 2, self.client.simple_query(&lasting(statement))).await;
        let error = answered.map(Result::err);
        let is_lost = error.is_err() || self.client.is_closed();
        let not_sql = matches!(&error, Ok(Some(error)) if error.code() == Some(&SqlState::SYNTAX_ERROR));
        if is_lost {
            self.client = session(&self.database).await;
        }
        let Some(verdict) = verdict else {
            self.schema = None;
            return;
        };
        self.tally.selects += 1;
        if not_sql {
            self.tally.not_sql += 1;
            return;
        }
        match verdict {
            None => self.tally.panicked.push(shortened(statement)),
            Some(Ok(())) => self.tally.accepted += 1,
            Some(Err(error)) => self.tally.refuse(kind(&error), reason(&error), statement),
        }
    }

    /// What is made of a SELECT; nothing if that panics.
    async fn judge(&mut self, statement: &str) -> Option<Result<(), SqlError>> {
        if self.schema.is_none() {
            let catalog = self.backend.introspect().await.unwrap();
            let restrictions = everything(&catalog);
            self.schema = Some((catalog, restrictions));
        }
        let (catalog, restrictions) = self.schema.as_ref()?;
        panic::catch_unwind(|| check_own(statement, catalog, restrictions, Cost::Bounded).map(|_| ())).ok()
    }
}

async fn session(database: &TestDatabase) -> Client {
    let client = database.superuser().await;
    client.batch_execute("SET statement_timeout = '5s'; SET lock_timeout = '1s'").await.unwrap();
    client
}

/// Every column and row, as if rows were hidden.
fn everything(catalog: &Catalog) -> Restrictions {
    let tables = catalog.tables().iter().filter(|table| !table.columns.is_empty()).map(|table| {
        let columns = table.columns.iter().map(|c| RestrictedColumn { name: c.name.clone(), mask: None }).collect();
        (table.id.clone(), Restriction { columns, filter: None, hides_rows: true, min_group_size: None })
    });
    Restrictions { tables: tables.collect(), ..Restrictions::default() }
}

fn is_select(statement: &str) -> bool {
    let word: String =
        statement.trim_start_matches('(').trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    ["select", "with", "values", "table"].contains(&word.to_ascii_lowercase().as_str())
}

/// Makes of a temporary table one that another session sees.
fn lasting(statement: &str) -> Cow<'_, str> {
    let lower = statement.to_ascii_lowercase();
    for word in ["create temporary ", "create temp "] {
        if let Some(rest) = lower.strip_prefix(word).and_then(|rest| statement.get(statement.len() - rest.len()..)) {
            return Cow::Owned(format!("CREATE {rest}"));
        }
    }
    Cow::Borrowed(statement)
}

fn kind(error: &SqlError) -> &'static str {
    match error {
        SqlError::Syntax { .. } => "not read",
        SqlError::NotOneSelect { .. } => "not one SELECT",
        SqlError::Unsupported { .. } => "outside the grammar",
        SqlError::UnknownTable { .. } | SqlError::UnknownColumn { .. } => "a name that is not there",
        _ => "other",
    }
}

/// A refusal without what differs from statement to statement.
fn reason(error: &SqlError) -> String {
    match error {
        SqlError::UnknownTable { .. } => "unknown table".to_owned(),
        SqlError::UnknownColumn { .. } => "unknown column".to_owned(),
        error => shortened(&error.to_string()),
    }
}

fn shortened(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN_MAX).collect()
}

/// The statements of a file for `psql`, without its own commands, data of COPY, and comments in front.
fn statements(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut statement = String::new();
    let mut quote: Option<String> = None;
    let mut in_copy = false;
    for line in text.lines() {
        if in_copy {
            in_copy = line != "\\.";
            continue;
        }
        let starts = statement.trim().is_empty();
        if quote.is_none() && starts && (line.starts_with('\\') || line.trim_start().starts_with("--")) {
            continue;
        }
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let (taken, ends) = match &quote {
                Some(end) if rest.starts_with(end.as_str()) => (end.len(), Some(false)),
                None if rest.starts_with("--") => (rest.len(), None),
                None if rest.starts_with("/*") => {
                    quote = Some("*/".to_owned());
                    (2, None)
                }
                None if first == '\'' || first == '"' => {
                    quote = Some(first.to_string());
                    (1, None)
                }
                None if first == '$' && dollar(rest).is_some() => {
                    quote = dollar(rest).map(str::to_owned);
                    (dollar(rest).map_or(1, str::len), None)
                }
                None if first == ';' => (1, Some(true)),
                Some(_) | None => (first.len_utf8(), None),
            };
            let (now, after) = rest.split_at(taken);
            rest = after;
            match ends {
                Some(true) => {
                    let whole = std::mem::take(&mut statement).trim().to_owned();
                    let lower = whole.to_ascii_lowercase();
                    in_copy = lower.starts_with("copy") && lower.contains("from stdin");
                    if !whole.is_empty() && !lower.starts_with("copy") {
                        found.push(whole);
                    }
                }
                Some(false) => {
                    quote = None;
                    statement.push_str(now);
                }
                None => statement.push_str(now),
            }
        }
        statement.push('\n');
    }
    found
}

/// `$tag$` at the beginning of a text.
fn dollar(text: &str) -> Option<&str> {
    let end = text.get(1..)?.find('$')? + 2;
    let tag = text.get(..end)?;
    let plain = tag.trim_matches('$');
    let is_tag = plain.chars().all(|c| c.is_alphanumeric() || c == '_') && !plain.starts_with(|c: char| c.is_numeric());
    is_tag.then_some(tag)
}
