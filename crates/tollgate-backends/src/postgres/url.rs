//! The connection URL, read with care: what it may say, how TLS follows from it, and errors that never repeat any of it,
//! since a password may stand anywhere in a URL that is wrong.

use std::{path::PathBuf, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, LoadBalanceHosts, TargetSessionAttrs},
};

use crate::authority::{is_loopback, percent_decoded};

/// Why a URL cannot be used. No variant holds a part of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlError {
    #[error(
        "the url is not of the form `postgres://user:password@host:port/database`; special characters are percent-encoded"
    )]
    Malformed,
    #[error("the url names no host; a unix socket's directory is given as `?host=/var/run/postgresql`")]
    NoHost,
    #[error("the url names no user")]
    NoUser,
    #[error("the url names no database")]
    NoDatabase,
    #[error("the url has an option that is not one of {}", OPTIONS.join(", "))]
    UnknownOption,
    #[error("the url has an option twice")]
    DuplicateOption,
    #[error(
        "`sslmode` is `disable`, `require` or `verify-full`; `require` verifies the certificate and the host name too, \
         and modes that may fall back to plain text do not exist"
    )]
    SslMode,
    #[error("`sslrootcert` without TLS has no meaning; write `sslmode=require`")]
    UnusedRootCertificates,
    #[error("a unix socket has no TLS; leave `sslmode` out")]
    TlsOnSocket,
    #[error(
        "a unix socket is a database's only host, and `target_session_attrs` and `load_balance_hosts` choose among hosts; leave \
             them out"
    )]
    ChoiceOnSocket,
    #[error("the file of `sslrootcert` cannot be read or holds no certificates")]
    RootCertificates,
    #[error("TLS cannot be set up")]
    Tls,
}

/// What the query of a URL may say.
const OPTIONS: [&str; 8] = [
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
/// After how long an idle connection's peer is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

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

/// Whether TLS is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// Plain text: on loopback and unix sockets, or where the URL says `sslmode=disable`.
    Plain,
    /// TLS with a verified certificate, from this file's roots or the system's.
    Verified(Option<PathBuf>),
}

impl Target {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let (base, query) = split(url)?;
        let mut ssl_mode = None;
        let mut root_certificates = None;
        let mut passed_on = Vec::new();
        let mut seen = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').ok_or(UrlError::Malformed)?;
            let known = OPTIONS.into_iter().find(|known| *known == key).ok_or(UrlError::UnknownOption)?;
            if seen.contains(&known) {
                return Err(UrlError::DuplicateOption);
            }
            seen.push(known);
            match known {
                "sslmode" => ssl_mode = Some(value),
                "sslrootcert" => {
                    let path = percent_decoded(value).ok_or(UrlError::Malformed)?;
                    root_certificates = Some(PathBuf::from(path));
                }
                _ => passed_on.push(option),
            }
        }
        // The driver's message may quote the URL: ours takes its place.
        let mut config: Config = format!("{base}?{}", passed_on.join("&")).parse().map_err(|_| UrlError::Malformed)?;
        require_parts(&config)?;
        let tls = tls(&config, ssl_mode, root_certificates)?;
        let socket = socket(&config)?;
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
        return Err(UrlError::Malformed);
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
        return Err(UrlError::NoUser);
    }
    if config.get_dbname().is_none_or(str::is_empty) {
        return Err(UrlError::NoDatabase);
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

fn tls(config: &Config, ssl_mode: Option<&str>, root_certificates: Option<PathBuf>) -> Result<Tls, UrlError> {
    let hosts = config.get_hosts();
    let on_socket = hosts.iter().any(|host| matches!(host, Host::Unix(_)));
    let encrypted = match ssl_mode {
        None => !hosts.iter().all(is_local),
        Some("disable") => false,
        Some("require" | "verify-full") if on_socket => return Err(UrlError::TlsOnSocket),
        Some("require" | "verify-full") => true,
        Some(_) => return Err(UrlError::SslMode),
    };
    match (encrypted, root_certificates) {
        (true, _) if on_socket => Err(UrlError::TlsOnSocket),
        (true, roots) => Ok(Tls::Verified(roots)),
        (false, None) => Ok(Tls::Plain),
        (false, Some(_)) => Err(UrlError::UnusedRootCertificates),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => is_loopback(name),
    }
}
