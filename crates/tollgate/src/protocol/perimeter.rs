//! What is known of a request before its body is read: whom it is addressed to, who sent it, whether it may go on.
//!
//! It reads headers only. The credential is taken from `Authorization` and from nowhere else.

use std::str::FromStr;

use hyper::{
    HeaderMap, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName, ORIGIN, TRANSFER_ENCODING},
    http::uri::Authority,
};
use tollgate_core::names::{Code, Refusal};

use super::wire::{RpcCode, RpcError};

const TOKEN_MAX: usize = 4096;

/// A text that is no host or origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct InvalidAddress {
    text: String,
    wanted: &'static str,
}

/// A name this server answers to, with a port or with any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedHost {
    host: String,
    port: Option<u16>,
}

impl AllowedHost {
    /// A name of this machine for itself, with any port.
    pub(super) fn loopback(host: &str) -> Self {
        Self { host: host.to_owned(), port: None }
    }
}

impl FromStr for AllowedHost {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (host, port) = authority(text).ok_or_else(|| InvalidAddress {
            text: text.to_owned(),
            wanted: "a host, as `db.example.com` or `localhost:8642`",
        })?;
        Ok(Self { host, port })
    }
}

/// A web page's origin that may send requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin(Origin);

impl FromStr for AllowedOrigin {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let wanted = "an origin, as `https://app.example.com`";
        Origin::parse(text).map(Self).ok_or_else(|| InvalidAddress { text: text.to_owned(), wanted })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// `scheme://host[:port]` and nothing more; `null` is no origin that could be trusted.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (host, port) = authority(rest)?;
        let scheme = scheme.to_ascii_lowercase();
        let usual = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Some(Self { scheme, host, port: port.or(usual) })
    }
}

/// Host in lower case and port of `host[:port]`; a user name in it makes it something else.
fn authority(text: &str) -> Option<(String, Option<u16>)> {
    let authority = Authority::from_str(text).ok()?;
    let named_port = authority.as_str().len() > authority.host().len();
    if text.contains('@') || authority.host().is_empty() || (named_port && authority.port_u16().is_none()) {
        return None;
    }
    Some((authority.host().to_ascii_lowercase(), authority.port_u16()))
}

/// The names this server answers to and the web pages it answers.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    pub(super) hosts: Vec<AllowedHost>,
    pub(super) origins: Vec<AllowedOrigin>,
}

impl Addresses {
    /// Refuses a request to a name that is not ours (a rebound DNS name) or from a page that may not ask.
    pub(super) fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), RpcError> {
        let (host, port) = self.host(uri, headers)?;
        let mut origins = headers.get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return Ok(());
        };
        let origin = origin.to_str().ok().and_then(Origin::parse).filter(|_| origins.next().is_none());
        let allowed = origin.is_some_and(|origin| {
            // A page that this very server would have served; its name was checked just before.
            let own = matches!(origin.scheme.as_str(), "http" | "https")
                && origin.host == host
                && port.is_none_or(|port| origin.port == Some(port));
            own || self.origins.iter().any(|allowed| allowed.0 == origin)
        });
        if allowed { Ok(()) } else { Err(forbidden("the `Origin` of the request is not allowed")) }
    }

    fn host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(String, Option<u16>), RpcError> {
        let mut values = headers.get_all(HOST).iter();
        let header = values.next().and_then(|value| value.to_str().ok()).and_then(authority);
        let Some(named) = header.filter(|_| values.next().is_none()) else {
            return Err(forbidden("the request has no one valid `Host`").with_status(StatusCode::BAD_REQUEST));
        };
        let of_uri = uri.authority().map(|in_uri| authority(in_uri.as_str()));
        let ours = |(host, port): &(String, Option<u16>)| {
            self.hosts
                .iter()
                .any(|allowed| allowed.host == *host && allowed.port.is_none_or(|allowed| *port == Some(allowed)))
        };
        if ours(&named) && of_uri.is_none_or(|in_uri| in_uri.as_ref() == Some(&named)) {
            return Ok(named);
        }
        Err(forbidden("the `Host` of the request is not one of this server"))
    }
}

fn forbidden(sentence: &str) -> RpcError {
    let refusal = Refusal::new(Code::UNTRUSTED_ADDRESS, sentence);
    RpcError::new(RpcCode::own(Code::UNTRUSTED_ADDRESS), refusal).with_status(StatusCode::FORBIDDEN)
}

/// The bearer token of the one `Authorization` header.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    let fits = !token.is_empty() && token.len() <= TOKEN_MAX && token.bytes().all(|b| b.is_ascii_graphic());
    (scheme.eq_ignore_ascii_case("bearer") && fits).then_some(token)
}

/// JSON in, JSON out, nothing compressed.
pub(super) fn media(headers: &HeaderMap) -> Result<(), RpcError> {
    let json = |value: &str| essence(value).eq_ignore_ascii_case("application/json");
    if !text(headers, &CONTENT_TYPE).is_some_and(json) {
        return Err(unusable(StatusCode::UNSUPPORTED_MEDIA_TYPE, "`Content-Type` must be `application/json`"));
    }
    if text(headers, &CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(unusable(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a compressed body is not accepted"));
    }
    if headers.get_all(TRANSFER_ENCODING).iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Err(unusable(StatusCode::NOT_IMPLEMENTED, "`Transfer-Encoding` can only be `chunked`"));
    }
    let mut accepted = headers.get_all(ACCEPT).iter().peekable();
    let takes_json = accepted.peek().is_none()
        || accepted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|range| {
            matches!(essence(range).to_ascii_lowercase().as_str(), "application/json" | "application/*" | "*/*")
        });
    if takes_json {
        Ok(())
    } else {
        Err(unusable(StatusCode::NOT_ACCEPTABLE, "`Accept` must allow `application/json`"))
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

fn unusable(status: StatusCode, sentence: &str) -> RpcError {
    RpcError::new(RpcCode::INVALID_REQUEST, Refusal::new(Code::MALFORMED_REQUEST, sentence)).with_status(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn hosts_and_origins_are_read_in_one_form_only() {
        for good in ["localhost", "db.example.com:8642", "[::1]", "[::1]:8642"] {
            assert!(good.parse::<AllowedHost>().is_ok(), "{good}");
        }
        for bad in ["", "a@b", "http://a", "a/b", "a b", "a:x", "a:", ":80"] {
            assert!(bad.parse::<AllowedHost>().is_err(), "{bad}");
        }
        for good in ["https://app.example.com", "http://localhost:3000", "chrome-extension://abc"] {
            assert!(good.parse::<AllowedOrigin>().is_ok(), "{good}");
        }
        for bad in ["null", "*", "https://", "https://a/b", "https://u@a", "https://a?b", "a.example.com"] {
            assert!(bad.parse::<AllowedOrigin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_listed_page_may_ask_and_its_neighbours_may_not() {
        let addresses = Addresses {
            hosts: vec!["db.example.com:8642".parse().unwrap()],
            origins: vec!["https://app.example.com".parse().unwrap()],
        };
        let admits = |host: &str, origin: &str| {
            addresses.admit(&Uri::from_static("/mcp"), &headers(&[(HOST, host), (ORIGIN, origin)])).is_ok()
        };
        assert!(admits("db.example.com:8642", "https://app.example.com"));
        assert!(admits("DB.example.com:8642", "https://APP.example.com:443"));
        for origin in ["http://app.example.com", "https://app.example.com:8443", "https://x.app.example.com"] {
            assert!(!admits("db.example.com:8642", origin), "{origin}");
        }
        assert!(!admits("db.example.com", "https://app.example.com"), "the port belongs to the name");
        assert!(!admits("db.example.com.:8642", "https://app.example.com"));
    }

    #[test]
    fn one_bearer_token_is_taken_from_one_header() {
        let bearer_of = |value: &str| bearer(&headers(&[(AUTHORIZATION, value)])).map(ToOwned::to_owned);
        assert_eq!(bearer_of("Bearer tg_x"), Some("tg_x".to_owned()));
        assert_eq!(bearer_of("bearer  tg_x "), Some("tg_x".to_owned()));
        for bad in ["tg_x", "Bearer", "Bearer ", "Bearer a b", "Basic tg_x", "Bearer\ttg_x"] {
            assert_eq!(bearer_of(bad), None, "{bad}");
        }
        assert_eq!(bearer_of(&format!("Bearer {}", "x".repeat(TOKEN_MAX + 1))), None);
    }
}
