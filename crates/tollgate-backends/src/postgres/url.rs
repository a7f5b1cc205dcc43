//! The connection URL, read with care: what it may say, how TLS follows from it, and errors that never repeat any of it,
//! since a password may stand anywhere in a URL that is wrong.

use std::{path::PathBuf, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, LoadBalanceHosts, TargetSessionAttrs},
};

use crate::server::url::{self, KEEPALIVE_IDLE, Options, Place, Tls, is_loopback};

/// Why a URL cannot be used. No variant holds a part of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlError {
    #[error(transparent)]
    OfAnyServer(#[from] url::UrlError),
    #[error("the url names no host; a unix socket's directory is given as `?host=/var/run/postgresql`")]
    NoHost,
    #[error(
        "a unix socket is a database's only host, and `target_session_attrs` and `load_balance_hosts` choose among hosts; leave \
             them out"
    )]
    ChoiceOnSocket,
    #[error("TLS cannot be set up")]
    Tls,
}

const FORM: &str = "postgres://user:password@host:port/database";
pub(super) const MALFORMED: UrlError = UrlError::OfAnyServer(url::UrlError::Malformed(FORM));

/// What the query of a URL may say.
pub(super) const OPTIONS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "host",
    "application_name",
    "connect_timeout",
    "channel_binding",
    "target_session_attrs",
    "load_balance_hosts",
];

/// How long a connection attempt may take, where the URL does not say.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection attempt may take.
pub(super) fn connect_timeout(config: &Config) -> Duration {
    config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT)
}

/// The port where a URL names none.
const PORT: u16 = 5432;

/// Where to connect to, and how.
pub(super) struct Target {
    /// Host, user, password and database. Its `Debug` hides the password.
    pub(super) config: Config,
    /// The unix socket that is the only host.
    pub(super) socket: Option<PathBuf>,
    /// Whether TLS is used, and whom it trusts.
    pub(super) tls: Tls,
}

impl Target {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let (base, query) = split(url)?;
        let mut options = Options::parse(query, OPTIONS, FORM)?;
        // Not the driver's.
        let (mode, roots) = (options.take("sslmode")?, options.take("sslrootcert")?);
        // The driver's message may quote the URL: ours takes its place.
        let mut config: Config = format!("{base}?{}", options.rest()).parse().map_err(|_| MALFORMED)?;
        require_parts(&config)?;
        let socket = socket(&config)?;
        let place = match &socket {
            Some(_) => Place::Socket,
            None if config.get_hosts().iter().all(is_local) => Place::Loopback,
            None => Place::Network,
        };
        let tls = Tls::of(mode.as_deref(), roots, place)?;
        config.keepalives_idle(KEEPALIVE_IDLE);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("tollgate");
        }
        Ok(Self { config, socket, tls })
    }
}

/// The URL without its query, and the query. Credentials end at the first `@`, as the driver reads them.
fn split(url: &str) -> Result<(&str, &str), UrlError> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(MALFORMED);
    }
    let host_from = url.find('@').unwrap_or(0);
    let query_from = url.get(host_from..).and_then(|rest| rest.find('?')).map(|at| at + host_from);
    Ok(query_from.and_then(|at| Some((url.get(..at)?, url.get(at + 1..)?))).unwrap_or((url, "")))
}

fn require_parts(config: &Config) -> Result<(), UrlError> {
    if config.get_hosts().is_empty() {
        return Err(UrlError::NoHost);
    }
    if config.get_user().is_none_or(str::is_empty) {
        return Err(url::UrlError::NoUser.into());
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        return Err(url::UrlError::NoDatabase.into());
    }
    Ok(())
}

/// The unix socket, where there is one.
fn socket(config: &Config) -> Result<Option<PathBuf>, UrlError> {
    let is_choice = config.get_target_session_attrs() != TargetSessionAttrs::Any
        || config.get_load_balance_hosts() != LoadBalanceHosts::Disable;
    match config.get_hosts() {
        [Host::Unix(_)] if is_choice => Err(UrlError::ChoiceOnSocket),
        [Host::Unix(folder)] => {
            let port = config.get_ports().first().copied().unwrap_or(PORT);
            Ok(Some(folder.join(format!(".s.PGSQL.{port}"))))
        }
        hosts if hosts.iter().any(|host| matches!(host, Host::Unix(_))) => Err(UrlError::ChoiceOnSocket),
        _ => Ok(None),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => is_loopback(name),
    }
}
