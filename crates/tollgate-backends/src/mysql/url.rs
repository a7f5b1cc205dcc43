//! The connection URL, read with care: what it may say, how TLS follows from it, and errors that never repeat any of it, since a
//! password may stand anywhere in a URL that is wrong.

use std::time::Duration;

use mysql_async::{OptsBuilder, SslOpts};

use crate::server::url::{self, KEEPALIVE_IDLE, Options, Place, Tls, is_loopback, percent_decoded, root_certificates};

/// Why a URL cannot be used. No variant holds a part of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlError {
    #[error(transparent)]
    OfAnyServer(#[from] url::UrlError),
    #[error("the url names no host; a unix socket is given as `?socket=/run/mysqld/mysqld.sock`")]
    NoHost,
    #[error("a unix socket has no host; leave the host out")]
    HostOnSocket,
    #[error("`connect_timeout` is a number of seconds from 1 to 30")]
    ConnectTimeout,
}

const FORM: &str = "mysql://user:password@host:port/database";
const MALFORMED: UrlError = UrlError::OfAnyServer(url::UrlError::Malformed(FORM));

/// What the query of a URL may say.
const OPTIONS: &[&str] = &["sslmode", "sslrootcert", "socket", "connect_timeout"];
/// How long opening a connection may take, its login and its settings included, where the URL does not say. A call waits no longer
/// than for any connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
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

impl Target {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let rest = url.strip_prefix("mysql://").or_else(|| url.strip_prefix("mariadb://"));
        let rest = rest.ok_or(MALFORMED)?;
        let (base, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut query = Options::parse(query, OPTIONS, FORM)?;
        let (authority, database) = base.split_once('/').ok_or(url::UrlError::NoDatabase)?;
        let (credentials, place) = authority.rsplit_once('@').ok_or(url::UrlError::NoUser)?;
        let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
        let decoded = |text: &str| percent_decoded(text).ok_or(MALFORMED);
        let (user, database) = (decoded(user)?, decoded(database)?);
        if user.is_empty() {
            return Err(url::UrlError::NoUser.into());
        }
        if database.is_empty() || database.contains('/') {
            return Err(url::UrlError::NoDatabase.into());
        }
        let connect_timeout = query.take("connect_timeout")?.map_or(Ok(CONNECT_TIMEOUT), |text| seconds(&text))?;
        let options = OptsBuilder::default()
            .user(Some(user))
            .pass(password.map(decoded).transpose()?)
            .prefer_socket(false)
            .tcp_keepalive(Some(KEEPALIVE_IDLE))
            .max_allowed_packet(Some(ROW_BYTES_MAX))
            .wait_timeout(Some(WAIT_TIMEOUT_SECONDS))
            // Kept by ourselves, by a statement's fingerprint.
            .stmt_cache_size(0);
        let options = placed(options, place, &mut query)?;
        Ok(Self { options, database, connect_timeout })
    }
}

fn seconds(text: &str) -> Result<Duration, UrlError> {
    let seconds = text.parse().ok().filter(|seconds| (1..=30).contains(seconds));
    seconds.map(Duration::from_secs).ok_or(UrlError::ConnectTimeout)
}

/// The options with the place to connect to, and TLS where the place or the URL asks for it.
fn placed(options: OptsBuilder, place: &str, query: &mut Options<'_>) -> Result<OptsBuilder, UrlError> {
    let (mode, roots) = (query.take("sslmode")?, query.take("sslrootcert")?);
    if let Some(socket) = query.take("socket")? {
        if !place.is_empty() {
            return Err(UrlError::HostOnSocket);
        }
        Tls::of(mode.as_deref(), roots, Place::Socket)?;
        return Ok(options.socket(Some(socket)));
    }
    let (host, port) = host_and_port(place)?;
    let place = if is_loopback(&host) { Place::Loopback } else { Place::Network };
    let options = options.ip_or_hostname(host).tcp_port(port);
    match Tls::of(mode.as_deref(), roots, place)? {
        Tls::Plain => Ok(options),
        Tls::Verified(file) => {
            let roots = root_certificates(file.as_deref())?;
            let roots = roots.into_iter().map(|root| root.to_vec().into()).collect();
            Ok(options.ssl_opts(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(roots)))
        }
    }
}

fn host_and_port(place: &str) -> Result<(String, u16), UrlError> {
    let (host, port) = match place.strip_prefix('[') {
        Some(address) => address.split_once(']').ok_or(MALFORMED)?,
        None => place.split_at_checked(place.find(':').unwrap_or(place.len())).ok_or(MALFORMED)?,
    };
    let host = percent_decoded(host).ok_or(MALFORMED)?;
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().map_err(|_| MALFORMED)?,
        None if port.is_empty() => 3306,
        None => return Err(MALFORMED),
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
        let any = UrlError::OfAnyServer;
        assert_eq!(error("postgres://a@h/d"), MALFORMED);
        assert_eq!(error("mysql://a@h"), any(url::UrlError::NoDatabase));
        assert_eq!(error("mysql://a@h/"), any(url::UrlError::NoDatabase));
        assert_eq!(error("mysql://h/d"), any(url::UrlError::NoUser));
        assert_eq!(error("mysql://:p@h/d"), any(url::UrlError::NoUser));
        assert_eq!(error("mysql://a@/d"), UrlError::NoHost);
        assert_eq!(error("mysql://a@h:x/d"), MALFORMED);
        assert_eq!(error("mysql://a%4@h/d"), MALFORMED);
        assert_eq!(error("mysql://a@h/d?sslmode=prefer"), any(url::UrlError::SslMode));
        assert_eq!(error("mysql://a@h/d?verify_ca=false"), any(url::UrlError::UnknownOption(OPTIONS)));
        assert_eq!(error("mysql://a@h/d?sslmode=require&sslmode=disable"), any(url::UrlError::DuplicateOption));
        assert_eq!(error("mysql://a@localhost/d?sslrootcert=/x"), any(url::UrlError::UnusedRootCertificates));
        assert_eq!(error("mysql://a@h/d?sslrootcert=/nowhere"), any(url::UrlError::RootCertificates));
        assert_eq!(error("mysql://a@h/d?socket=/s"), UrlError::HostOnSocket);
        assert_eq!(error("mysql://a@/d?socket=/s&sslmode=require"), any(url::UrlError::TlsOnSocket));
        assert_eq!(error("mysql://a@h/d?connect_timeout=0"), UrlError::ConnectTimeout);
    }
}
