//! A connection and the thread it lives on: opened for reading only, pinned once, and never handed to another thread. It
//! never creates a file, and never follows a path into anything but the file that is there.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use rusqlite::{OpenFlags, config::DbConfig, limits::Limit};
use tokio::sync::{mpsc, oneshot};
use tollgate_core::sql::limits::PATTERN_BYTES_MAX;

use super::{
    authorizer::Authorizer,
    call::{CurrentCall, PROGRESS_STEPS},
    error::{Phase, classify},
    execute::Engine,
    hash, recursion, text,
};
use crate::{BackendError, ErrorKind, pool::Connector};

/// All memory of all SQLite connections of the process, in bytes. Sorting is done in memory, so that hidden rows never reach
/// a temporary file; this is what bounds it.
const HEAP_MAX: u32 = 256 * 1024 * 1024;

/// Bytes of a value.
pub(super) const LENGTH_MAX: usize = 16 * 1024 * 1024;

/// The limits of every connection. What SQLite would allow is made for a program's own SQL.
const LIMITS: [(Limit, usize); 11] = [
    // Bounds what one instruction can build, and how long it can run without asking whether to go on where its time is that of the
    // lengths: what takes their product is our own (see `text`), or has one short operand.
    (Limit::SQLITE_LIMIT_LENGTH, LENGTH_MAX),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 1024 * 1024),
    (Limit::SQLITE_LIMIT_COLUMN, 2_000),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1_000),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
    (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    // What the core lets a pattern have before it counts as one that may fail.
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_BYTES_MAX),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 1_000),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// Switches of every connection. Those that are off by default are asserted all the same.
const SWITCHES: [(DbConfig, Switch); 10] = [
    (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, Switch::On),
    (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_DQS_DML, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_DQS_DDL, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, Switch::Off),
    (DbConfig::SQLITE_DBCONFIG_ENABLE_COMMENTS, Switch::On),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    On,
    Off,
}

/// Something for a connection's thread to do.
pub(super) type Job = Box<dyn for<'c> FnOnce(&mut Engine<'c>) + Send>;

/// The handle of a connection. Dropping it ends the thread, which closes the connection.
pub(super) struct Connection {
    jobs: mpsc::Sender<Job>,
    path: Arc<Path>,
    file: FileIdentity,
    broken: Arc<AtomicBool>,
}

impl Connection {
    /// The way to give its thread a job. The connection must be on loan.
    pub(super) fn jobs(&self) -> mpsc::Sender<Job> {
        self.jobs.clone()
    }
}

/// Which file a path led to: after a file was replaced, an open connection would go on reading the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// Makes connections to one file.
pub(super) struct FileConnector {
    path: PathBuf,
}

impl FileConnector {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The path as configured.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Connector for FileConnector {
    type Connection = Connection;

    async fn connect(&self) -> Result<Connection, BackendError> {
        let path = self.path.clone();
        let (opened, opening) = oneshot::channel();
        thread::Builder::new()
            .name("sqlite".to_owned())
            .spawn(move || live(&path, opened))
            .map_err(|error| BackendError::new(ErrorKind::Resources, error))?;
        opening.await.map_err(|gone| BackendError::new(ErrorKind::Internal, gone))?
    }

    fn is_usable(connection: &Connection) -> bool {
        !connection.jobs.is_closed()
            && !connection.broken.load(Ordering::Relaxed)
            && FileIdentity::of(&connection.path).is_ok_and(|file| file == connection.file)
    }
}

/// A connection's whole life, on its own thread.
fn live(path: &Path, opened: oneshot::Sender<Result<Connection, BackendError>>) {
    let authorizer = Authorizer::default();
    let current = CurrentCall::default();
    let (path, file, connection) = match open(path, &authorizer, &current) {
        Ok(opened) => opened,
        Err(error) => {
            // Nobody is waiting any more when this fails.
            let _ = opened.send(Err(error));
            return;
        }
    };
    let (jobs, mut receiver) = mpsc::channel::<Job>(1);
    let broken = Arc::new(AtomicBool::new(false));
    let handle = Connection { jobs, path: path.into(), file, broken: Arc::clone(&broken) };
    if opened.send(Ok(handle)).is_err() {
        return;
    }
    let mut engine = Engine::new(&connection, authorizer, current, broken);
    while let Some(job) = receiver.blocking_recv() {
        job(&mut engine);
    }
}

pub(super) fn open(
    path: &Path,
    authorizer: &Authorizer,
    current: &CurrentCall,
) -> Result<(PathBuf, FileIdentity, rusqlite::Connection), BackendError> {
    let unavailable = |error: io::Error| BackendError::new(ErrorKind::Unavailable, error);
    // An absolute path of a file that exists: never `:memory:`, never a `file:` URI, never a new file.
    let path = fs::canonicalize(path).map_err(unavailable)?;
    let file = FileIdentity::of(&path).map_err(unavailable)?;
    let opened = || -> rusqlite::Result<rusqlite::Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = rusqlite::Connection::open_with_flags(&path, flags)?;
        let waiting = current.clone();
        connection.busy_handler(Some(move |looks| waiting.wait_for_lock(looks)))?;
        pin(&connection)?;
        hash::install(&connection)?;
        recursion::install(&connection)?;
        text::install(&connection, current)?;
        let asked = current.clone();
        connection.progress_handler(PROGRESS_STEPS, Some(move || asked.over().is_some()))?;
        let asked = authorizer.clone();
        connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| asked.decide(&context)))?;
        Ok(connection)
    };
    let connection = opened().map_err(|error| classify(error, Phase::Opening))?;
    Ok((path, file, connection))
}

/// Sets everything about a connection that is relied on. No statement can set any of it back: none may hold a pragma.
fn pin(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    for (limit, value) in LIMITS {
        // All of them fit; what did not would allow nothing.
        connection.set_limit(limit, i32::try_from(value).unwrap_or(0))?;
    }
    for (config, switch) in SWITCHES {
        connection.set_db_config(config, switch == Switch::On)?;
    }
    connection.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048; PRAGMA mmap_size = 0; \
         PRAGMA cell_size_check = ON; PRAGMA threads = 0; PRAGMA hard_heap_limit = {HEAP_MAX};"
    ))?;
    // Reads the file's header and schema, so that what is no database is known now.
    connection.query_row("SELECT count(*) FROM main.sqlite_schema", [], |_| Ok(()))
}
