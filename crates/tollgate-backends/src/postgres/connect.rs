//! Connections: opened, pinned and verified before anything is asked of them. Whatever a session must be for the policy
//! to hold is set in the startup packet and read back; a server that did not take it gets no statement.

use std::{
    error::Error as _,
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::UnixStream,
    sync::{OnceCell, Semaphore},
    task::AbortHandle,
};
use tokio_postgres::{CancelToken, Client, Config, SimpleQueryMessage};

use super::{
    error,
    inbound::Inbound,
    login,
    prepare::{Prepared, Shapes},
    session::{Session, Sessions},
    tls::Channels,
    url::{self, Target, UrlError},
};
use crate::{BackendError, ErrorKind, PoolLimits, SessionLimits, pool, server::call, statements::Statements};

/// The longest that a statement may wait for a lock.
pub(super) const LOCK_TIMEOUT_MAX: Duration = Duration::from_secs(5);

/// What every session is, in the startup packet's words. All of it is within any role's rights to set.
const PINNED: [(&str, &str); 12] = [
    ("default_transaction_read_only", "on"),
    ("search_path", ""),
    ("standard_conforming_strings", "on"),
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO"),
    ("IntervalStyle", "iso_8601"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("row_security", "on"),
    ("client_min_messages", "error"),
    ("jit", "off"),
    ("hash_mem_multiplier", "2"),
];

/// Read back on every connection: what confinement and exact values rest on. Timeouts in milliseconds.
const VERIFY: &str = "SELECT pg_catalog.current_setting('transaction_read_only'), \
    pg_catalog.current_setting('default_transaction_read_only'), \
    pg_catalog.current_setting('search_path'), \
    pg_catalog.current_setting('standard_conforming_strings'), \
    pg_catalog.current_setting('client_encoding'), \
    pg_catalog.current_setting('TimeZone'), \
    pg_catalog.current_setting('IntervalStyle'), \
    pg_catalog.current_setting('bytea_output'), \
    (EXTRACT(epoch FROM pg_catalog.current_setting('statement_timeout')::pg_catalog.interval) * 1000)::pg_catalog.int8, \
    pg_catalog.pg_size_bytes(pg_catalog.current_setting('work_mem')) / 1024, \
    pg_catalog.current_setting('max_parallel_workers_per_gather')";

/// The names of `VERIFY`'s columns, for the operator.
const VERIFIED: [&str; 11] = [
    "transaction_read_only",
    "default_transaction_read_only",
    "search_path",
    "standard_conforming_strings",
    "client_encoding",
    "TimeZone",
    "IntervalStyle",
    "bytea_output",
    "statement_timeout",
    "work_mem",
    "max_parallel_workers_per_gather",
];

/// A session that is not what it must be.
#[derive(Debug, thiserror::Error)]
#[error(
    "the session setting `{0}` is not as it was asked for; a pooler in between may have dropped it: see \"Poolers\" in docs/operations.md"
)]
struct NotPinned(&'static str);

/// A pooler that refuses what every session must begin with.
#[derive(Debug, thiserror::Error)]
#[error(
    "a pooler in between does not take the startup parameter `options`, as PgBouncer does not; connect to the server itself, or see \
     \"Poolers\" in docs/operations.md"
)]
struct OptionsRefused(#[source] tokio_postgres::Error);

/// Opens connections to one server.
pub(super) struct Connector {
    server: Arc<Server>,
    statement_timeout: Duration,
    session: SessionLimits,
    pattern: OnceCell<Pattern>,
    sessions: Sessions,
    pub(super) shapes: Shapes,
}

/// Where a server is, and how it is spoken to.
struct Server {
    config: Config,
    socket: Option<PathBuf>,
    channels: Channels,
    /// One cancel request at a time.
    cancelling: Semaphore,
}

impl Server {
    /// Opens a connection, what arrives on it bounded.
    async fn open(&self, inbound: &Arc<Inbound>) -> Result<(Client, Driver), BackendError> {
        let channel = self.channels.bounded_by(inbound);
        let Some(socket) = &self.socket else {
            let (client, driver) = self.config.connect(channel).await.map_err(opening_error)?;
            return Ok((client, Driver::spawn(driver)));
        };
        let socket = self.dial(socket).await?;
        let opened = self.config.connect_raw(socket, channel.opening("")).await;
        let (client, driver) = opened.map_err(opening_error)?;
        Ok((client, Driver::spawn(driver)))
    }

    async fn dial(&self, socket: &Path) -> Result<UnixStream, BackendError> {
        let within = url::connect_timeout(&self.config);
        let dialled =
            tokio::time::timeout(within, UnixStream::connect(socket)).await.map_err(io::Error::from).flatten();
        dialled.map_err(|error| BackendError::new(ErrorKind::Unavailable, error))
    }

    /// Sends a cancel request, over a connection of its own.
    async fn cancel(&self, token: &CancelToken) -> Result<(), BackendError> {
        let channel = self.channels.bounded_by(&Inbound::new());
        let sent = match &self.socket {
            Some(socket) => token.cancel_query_raw(self.dial(socket).await?, channel.opening("")).await,
            None => token.cancel_query(channel).await,
        };
        sent.map_err(error::connect_error)
    }
}

impl Connector {
    /// For a URL; nothing is connected yet.
    pub(super) fn new(url: &str, limits: &PoolLimits) -> Result<Self, UrlError> {
        let Target { mut config, socket, tls } = Target::parse(url)?;
        config.options(startup_options(limits));
        let channels = Channels::new(tls, &mut config)?;
        Ok(Self {
            server: Arc::new(Server { config, socket, channels, cancelling: Semaphore::new(1) }),
            statement_timeout: limits.statement_timeout,
            session: limits.session,
            pattern: OnceCell::new(),
            sessions: Sessions::default(),
            shapes: Shapes::default(),
        })
    }

    async fn verify(&self, client: &Client) -> Result<(), BackendError> {
        let files = self.session.temp_files_kib;
        let text = format!(
            "{VERIFY}, CASE WHEN pg_catalog.has_parameter_privilege('temp_file_limit', 'SET') \
             THEN pg_catalog.set_config('temp_file_limit', '{files}kB', false) END"
        );
        let answer = client.simple_query(&text).await.map_err(error::connect_error)?;
        let row = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let timeout = self.statement_timeout.as_millis().to_string();
        let (memory, workers) = (self.session.work_mem_kib.to_string(), self.session.parallel_workers.to_string());
        let expected: [&[&str]; 11] = [
            &["on"],
            &["on"],
            &["", "\"\""],
            &["on"],
            &["UTF8"],
            &["UTC"],
            &["iso_8601"],
            &["hex"],
            &[&timeout],
            &[&memory],
            &[&workers],
        ];
        for (index, (name, expected)) in VERIFIED.into_iter().zip(expected).enumerate() {
            let found = row.and_then(|row| row.try_get(index).ok().flatten());
            if !found.is_some_and(|found| expected.contains(&found)) {
                return Err(BackendError::new(ErrorKind::Unavailable, NotPinned(name)));
            }
        }
        Ok(())
    }
}

impl pool::Connector for Connector {
    type Connection = Connection;

    async fn connect(&self) -> Result<Connection, BackendError> {
        let inbound = Inbound::new();
        let (client, driver) = self.server.open(&inbound).await?;
        let canceller = Canceller { token: client.cancel_token(), server: Arc::clone(&self.server) };
        let session = self.sessions.claim(&client).await?;
        let connection = Connection {
            client,
            _session: session,
            statements: Statements::default(),
            canceller: Arc::new(canceller),
            pattern: Pattern::Transaction,
            inbound,
            _driver: driver,
        };
        self.verify(&connection.client).await?;
        let pattern = *self.pattern.get_or_try_init(|| login::pattern(&connection.client)).await?;
        Ok(Connection { pattern, ..connection })
    }

    fn at_rest(connection: &Connection) {
        connection.inbound.expect_answers();
    }

    fn is_usable(connection: &Connection) -> bool {
        !connection.client.is_closed()
    }
}

/// What a server says to a connection that it does not open.
fn opening_error(error: tokio_postgres::Error) -> BackendError {
    // A protocol violation, to a pooler that knows the parameters it passes on and no others.
    if error.as_db_error().is_some_and(|refused| refused.code().code() == "08P01") {
        return BackendError::new(ErrorKind::Unavailable, OptionsRefused(error));
    }
    error::connect_error(error)
}

fn startup_options(limits: &PoolLimits) -> String {
    let PoolLimits { statement_timeout, session, .. } = limits;
    let milliseconds = statement_timeout.as_millis();
    let lock = (*statement_timeout).min(LOCK_TIMEOUT_MAX).as_millis();
    let mut options = format!(
        "-c statement_timeout={milliseconds} -c lock_timeout={lock} \
         -c idle_in_transaction_session_timeout={milliseconds} -c work_mem={}kB -c max_parallel_workers_per_gather={}",
        session.work_mem_kib, session.parallel_workers
    );
    for (name, value) in PINNED {
        // Writing to a String cannot fail.
        let _ = write!(options, " -c {name}={value}");
    }
    options
}

/// How a statement is kept from writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// The login cannot write, and each statement is a read-only transaction of its own by the session's default.
    Autocommit,
    /// `BEGIN READ ONLY`, the statement, `COMMIT`, sent together.
    Transaction,
}

/// An open, verified connection. Dropping it closes the socket at once, whatever the server is doing.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) statements: Statements<Arc<Prepared>>,
    pub(super) canceller: Arc<Canceller>,
    pub(super) pattern: Pattern,
    /// How long a message may be.
    pub(super) inbound: Arc<Inbound>,
    _session: Session,
    _driver: Driver,
}

/// The task that reads and writes a connection's socket; dropping this ends it.
struct Driver(AbortHandle);

impl Driver {
    fn spawn(driver: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) -> Self {
        let task = tokio::spawn(async move {
            if let Err(error) = driver.await {
                // The statement that was running reports it to its caller; here it is only worth knowing when.
                tracing::debug!(closed = error.is_closed(), cause = error.source(), "a PostgreSQL connection ended");
            }
        });
        Self(task.abort_handle())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Asks the server to stop what a connection runs.
pub(super) struct Canceller {
    token: CancelToken,
    server: Arc<Server>,
}

impl Canceller {
    /// Sends one cancel request.
    pub(super) async fn cancel(&self) -> Result<(), BackendError> {
        call::tell(&self.server.cancelling, self.server.cancel(&self.token)).await
    }
}

/// A connection in use.
pub(super) type Lease = pool::Lease<Connector>;
