//! What the URLs of servers have in common: percent-encoding, options, which hosts are this machine, whether TLS is used and whom it
//! trusts. No error holds a part of a URL, since a password may stand anywhere in one that is wrong.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use rustls::pki_types::{CertificateDer, pem::PemObject as _};

/// Why a URL cannot be used, whatever its server. No variant holds a part of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("the url is not of the form `{form}`; special characters are percent-encoded", form = .0)]
    Malformed(&'static str),
    #[error("the url names no user")]
    NoUser,
    #[error("the url names no database")]
    NoDatabase,
    #[error("the url has an option that is not one of {}", .0.join(", "))]
    UnknownOption(&'static [&'static str]),
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
    #[error("the file of `sslrootcert` cannot be read or holds no certificates")]
    RootCertificates,
}

/// After how long an idle connection's peer is asked whether it is still there.
pub(crate) const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// The options of a URL's query, as written: none that is not known, and none twice.
pub(crate) struct Options<'a> {
    form: &'static str,
    options: Vec<(&'static str, &'a str)>,
}

impl<'a> Options<'a> {
    /// Those of a URL of that form.
    pub(crate) fn parse(query: &'a str, known: &'static [&'static str], form: &'static str) -> Result<Self, UrlError> {
        let mut options: Vec<(&'static str, &'a str)> = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (key, value) = option.split_once('=').ok_or(UrlError::Malformed(form))?;
            let key = *known.iter().find(|known| **known == key).ok_or(UrlError::UnknownOption(known))?;
            if options.iter().any(|(seen, _)| *seen == key) {
                return Err(UrlError::DuplicateOption);
            }
            options.push((key, value));
        }
        Ok(Self { form, options })
    }

    /// Takes one out.
    pub(crate) fn take(&mut self, key: &str) -> Result<Option<String>, UrlError> {
        let Some(at) = self.options.iter().position(|(name, _)| *name == key) else { return Ok(None) };
        let (_, value) = self.options.remove(at);
        percent_decoded(value).map(Some).ok_or(UrlError::Malformed(self.form))
    }

    /// Those that were not taken out, as they were written.
    pub(crate) fn rest(&self) -> String {
        let written: Vec<String> = self.options.iter().map(|(key, value)| format!("{key}={value}")).collect();
        written.join("&")
    }
}

/// Where a server is, as far as TLS goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Socket,
    Loopback,
    Network,
}

/// Whether TLS is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    /// Plain text: on loopback and unix sockets, or where the URL says `sslmode=disable`.
    Plain,
    /// TLS with a verified certificate, from this file's roots or the system's.
    Verified(Option<PathBuf>),
}

impl Tls {
    /// As `sslmode` and `sslrootcert` say, or else as the place asks for.
    pub(crate) fn of(mode: Option<&str>, roots: Option<String>, place: Place) -> Result<Self, UrlError> {
        let encrypted = match (mode, place) {
            (None, place) => place == Place::Network,
            (Some("disable"), _) => false,
            (Some("require" | "verify-full"), Place::Socket) => return Err(UrlError::TlsOnSocket),
            (Some("require" | "verify-full"), Place::Loopback | Place::Network) => true,
            (Some(_), _) => return Err(UrlError::SslMode),
        };
        match (encrypted, roots) {
            (true, roots) => Ok(Self::Verified(roots.map(PathBuf::from))),
            (false, None) => Ok(Self::Plain),
            (false, Some(_)) => Err(UrlError::UnusedRootCertificates),
        }
    }
}

/// The text that a percent-encoded one stands for; `None` where it stands for none.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (code, after) = rest.split_first_chunk::<2>()?;
        if !code.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(str::from_utf8(code).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// Whether a host is this machine by its name.
pub(crate) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The certificates that a server is verified by: a file's, or else the system's, where what cannot be read is left out.
pub(crate) fn root_certificates(file: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, UrlError> {
    let Some(path) = file else { return Ok(rustls_native_certs::load_native_certs().certs) };
    let certificates = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    certificates.ok().filter(|certificates| !certificates.is_empty()).ok_or(UrlError::RootCertificates)
}
