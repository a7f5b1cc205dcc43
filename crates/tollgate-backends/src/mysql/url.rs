//! The connection URL, read with care: what it may say, how TLS follows from it, and errors that never repeat any of it, since a
//! password may stand anywhere in a URL that is wrong.

use std::{path::PathBuf, time::Duration};

use mysql_async::{OptsBuilder, SslOpts};

use crate::authority::{is_loopback, percent_decoded, root_certificates};

/// Why a URL cannot be used. No variant holds a part of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlError {
    #[error(
        "the url is not of the form `mysql://user:password@host:port/database`; special characters are percent-encoded"
    )]
    Malformed,
    #[error("the url names no host; a unix socket is given as `?socket=/run/mysqld/mysqld.sock`")]
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
    #[error("a unix socket has no TLS and no host; leave `sslmode` and the host out")]
    OnSocket,
    #[error("the file of `sslrootcert` cannot be read or holds no certificates")]
    RootCertificates,
    #[error("`connect_timeout` is a number of seconds from 1 to 30")]
    ConnectTimeout,
}

/// What the query of a URL may say.
const OPTIONS: [&str; 4] = ["sslmode", "sslrootcert", "socket", "connect_timeout"];
/// How long opening a connection may take, its login and its settings included, where the URL does not say. A call waits no longer
/// than for any connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After how long an idle connection's peer is asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
/// The most that is read of one row, in bytes: a value is held whole before it is written.
const ROW_BYTES_MAX: usize = 16 << 20;
/// How long the server lets a connection idle; the pool closes it long before.
const WAIT_TIMEOUT_SECONDS: usize = 28_800;

/// Where to connect to, and how.
pub(super) struct Target {
    /// Host, user and password; no database, so that an unqualified name means nothing to the server.
    pub(super) options: OptsBuilder,
    /// The database of unqualified table names, for the catalog alone.
    pub(super) database: String,
    /// How long opening a connection may take.
    pub(super) connect_timeout: Duration,
}

/// The options of a URL, as written.
#[derive(Default)]
struct Query {
    ssl_mode: Option<String>,
    root_certificates: Option<PathBuf>,
    socket: Option<String>,
    connect_timeout: Option<Duration>,
}

impl Target {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let rest = url.strip_prefix("mysql://").or_else(|| url.strip_prefix("mariadb://"));
        let rest = rest.ok_or(UrlError::Malformed)?;
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = Query::parse(query)?;
        let (authority, database) = base.split_once('/').ok_or(UrlError::NoDatabase)?;
        let (credentials, place) = authority.rsplit_once('@').ok_or(UrlError::NoUser)?;
        let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
        let decoded = |text: &str| percent_decoded(text).ok_or(UrlError::Malformed);
        let (user, database) = (decoded(user)?, decoded(database)?);
        if user.is_empty() {
            return Err(UrlError::NoUser);
        }
        if database.is_empty() || database.contains('/') {
            return Err(UrlError::NoDatabase);
        }
        let options = OptsBuilder::default()
            .user(Some(user))
            .pass(password.map(decoded).transpose()?)
            .prefer_socket(false)
            .tcp_keepalive(Some(KEEPALIVE_IDLE))
            .max_allowed_packet(Some(ROW_BYTES_MAX))
            .wait_timeout(Some(WAIT_TIMEOUT_SECONDS))
            // Kept by ourselves, by a statement's fingerprint.
            .stmt_cache_size(0);
        let connect_timeout = query.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        let options = query.placed(options, place)?;
        Ok(Self { options, database, connect_timeout })
    }
}

impl Query {
    fn parse(text: &str) -> Result<Self, UrlError> {
        let mut query = Self::default();
        let mut seen = Vec::new();
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').ok_or(UrlError::Malformed)?;
            let known = OPTIONS.into_iter().find(|known| *known == key).ok_or(UrlError::UnknownOption)?;
            if seen.contains(&known) {
                return Err(UrlError::DuplicateOption);
            }
            seen.push(known);
            let value = percent_decoded(value).ok_or(UrlError::Malformed)?;
            match known {
                "sslmode" => query.ssl_mode = Some(value),
                "sslrootcert" => query.root_certificates = Some(PathBuf::from(value)),
                "socket" => query.socket = Some(value),
                _ => {
                    let seconds = value.parse().ok().filter(|seconds| (1..=30).contains(seconds));
                    query.connect_timeout = Some(Duration::from_secs(seconds.ok_or(UrlError::ConnectTimeout)?));
                }
            }
        }
        Ok(query)
    }

    /// The options with the place to connect to, and TLS where the place or the URL asks for it.
    fn placed(self, options: OptsBuilder, place: &str) -> Result<OptsBuilder, UrlError> {
        if let Some(socket) = self.socket {
            let plain = matches!(self.ssl_mode.as_deref(), None | Some("disable"));
            if !plain || !place.is_empty() || self.root_certificates.is_some() {
                return Err(UrlError::OnSocket);
            }
            return Ok(options.socket(Some(socket)));
        }
        let (host, port) = host_and_port(place)?;
        let encrypted = match self.ssl_mode.as_deref() {
            None => !is_loopback(&host),
            Some("disable") => false,
            Some("require" | "verify-full") => true,
            Some(_) => return Err(UrlError::SslMode),
        };
        let options = options.ip_or_hostname(host).tcp_port(port);
        match (encrypted, self.root_certificates) {
            (true, file) => {
                let roots = root_certificates(file.as_deref()).ok_or(UrlError::RootCertificates)?;
                let roots = roots.into_iter().map(|root| root.to_vec().into()).collect();
                Ok(options.ssl_opts(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots)))
            }
            (false, None) => Ok(options),
            (false, Some(_)) => Err(UrlError::UnusedRootCertificates),
        }
    }
}

fn host_and_port(place: &str) -> Result<(String, u16), UrlError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(address) => address.split_once(']').ok_or(UrlError::Malformed)?,
        None => place.split_at_checked(place.find(':').unwrap_or(place.len())).ok_or(UrlError::Malformed)?,
    };
    let host = percent_decoded(host).ok_or(UrlError::Malformed)?;
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().map_err(|_| UrlError::Malformed)?,
        None if port.is_empty() => 3306,
        None => return Err(UrlError::Malformed),
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> UrlError {
        Target::parse(url).err().unwrap()
    }

    #[test]
    fn urls_say_where_and_how() {
        let target = Target::parse("mysql://an%40a:p%40ss%2Fw%3Frd%2541@127.0.0.1:3307/shop").unwrap();
        let options = mysql_async::Opts::from(target.options);
        assert_eq!((options.user(), options.pass()), (Some("an@a"), Some("p@ss/w?rd%41")));
        assert_eq!((options.ip_or_hostname(), options.tcp_port()), ("127.0.0.1", 3307));
        assert_eq!((options.db_name(), target.database.as_str()), (None, "shop"));
        assert!(options.ssl_opts().is_none() && !options.prefer_socket());
        let far = |url: &str| mysql_async::Opts::from(Target::parse(url).unwrap().options);
        let verified = far("mariadb://a@db.example.com/shop");
        let tls = verified.ssl_opts().unwrap();
        assert!(tls.disable_built_in_roots() && !tls.accept_invalid_certs() && !tls.skip_domain_validation());
        assert!(far("mysql://a@db.example.com/shop?sslmode=disable").ssl_opts().is_none());
        assert!(far("mysql://a@localhost/shop?sslmode=require").ssl_opts().is_some());
        assert_eq!(far("mysql://a@[::1]:1/shop").ip_or_hostname(), "::1");
        assert_eq!(far("mysql://a@/shop?socket=/run/s").socket(), Some("/run/s"));
    }

    #[test]
    fn what_a_url_may_not_say() {
        assert_eq!(error("postgres://a@h/d"), UrlError::Malformed);
        assert_eq!(error("mysql://a@h"), UrlError::NoDatabase);
        assert_eq!(error("mysql://a@h/"), UrlError::NoDatabase);
        assert_eq!(error("mysql://h/d"), UrlError::NoUser);
        assert_eq!(error("mysql://:p@h/d"), UrlError::NoUser);
        assert_eq!(error("mysql://a@/d"), UrlError::NoHost);
        assert_eq!(error("mysql://a@h:x/d"), UrlError::Malformed);
        assert_eq!(error("mysql://a%4@h/d"), UrlError::Malformed);
        assert_eq!(error("mysql://a@h/d?sslmode=prefer"), UrlError::SslMode);
        assert_eq!(error("mysql://a@h/d?verify_ca=false"), UrlError::UnknownOption);
        assert_eq!(error("mysql://a@h/d?sslmode=require&sslmode=disable"), UrlError::DuplicateOption);
        assert_eq!(error("mysql://a@localhost/d?sslrootcert=/x"), UrlError::UnusedRootCertificates);
        assert_eq!(error("mysql://a@h/d?sslrootcert=/nowhere"), UrlError::RootCertificates);
        assert_eq!(error("mysql://a@h/d?socket=/s"), UrlError::OnSocket);
        assert_eq!(error("mysql://a@/d?socket=/s&sslmode=require"), UrlError::OnSocket);
        assert_eq!(error("mysql://a@h/d?connect_timeout=0"), UrlError::ConnectTimeout);
    }
}
