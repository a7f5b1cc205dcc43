//! Connection URLs: what they may say, and that nothing of them is ever repeated.

use std::error::Error as _;

use crate::{
    PoolLimits,
    postgres::{
        connect,
        url::{MALFORMED, OPTIONS, Target, UrlError},
    },
    server::url::{Tls, UrlError as OfAnyServer},
};

fn tls(url: &str) -> Result<Tls, UrlError> {
    Target::parse(url).map(|target| target.tls)
}

#[test]
fn tls_is_required_beyond_loopback() {
    let verified = Ok(Tls::Verified(None));
    let any = |error: OfAnyServer| Err(UrlError::from(error));
    let cases = [
        ("postgres://u:p@127.0.0.1/d", Ok(Tls::Plain)),
        ("postgresql://u:p@localhost:5433/d", Ok(Tls::Plain)),
        ("postgres://u:p@[::1]:5433/d", Ok(Tls::Plain)),
        ("postgres://u@/d?host=/var/run/postgresql", Ok(Tls::Plain)),
        ("postgres://u:p@db.example.com/d", verified.clone()),
        ("postgres://u:p@10.0.0.5/d", verified.clone()),
        ("postgres://u:p@127.0.0.1,10.0.0.5/d", verified.clone()),
        ("postgres://u:p@db.example.com/d?sslmode=disable", Ok(Tls::Plain)),
        ("postgres://u:p@127.0.0.1/d?sslmode=require", verified.clone()),
        ("postgres://u:p@127.0.0.1/d?sslmode=verify-full", verified),
        ("postgres://u:p@h/d?sslrootcert=%2Fetc%2Fa%20b.pem", Ok(Tls::Verified(Some("/etc/a b.pem".into())))),
        ("postgres://u:p@h/d?sslmode=prefer", any(OfAnyServer::SslMode)),
        ("postgres://u:p@h/d?sslmode=allow", any(OfAnyServer::SslMode)),
        ("postgres://u:p@h/d?sslmode=verify-ca", any(OfAnyServer::SslMode)),
        ("postgres://u:p@h/d?sslmode=", any(OfAnyServer::SslMode)),
        ("postgres://u:p@h/d?sslmode=disable&sslrootcert=/x", any(OfAnyServer::UnusedRootCertificates)),
        ("postgres://u:p@h/d?sslmode=require&sslmode=disable", any(OfAnyServer::DuplicateOption)),
        ("postgres://u@/d?host=/var/run/postgresql&sslmode=require", any(OfAnyServer::TlsOnSocket)),
        ("postgres://u@localhost/d?host=/var/run/postgresql", Err(UrlError::ChoiceOnSocket)),
        ("postgres://u@%2Frun%2Fa,%2Frun%2Fb/d", Err(UrlError::ChoiceOnSocket)),
        ("postgres://u@/d?host=/run&target_session_attrs=read-only", Err(UrlError::ChoiceOnSocket)),
        ("postgres://u:p@h/d?options=-c%20search_path%3Dx", any(OfAnyServer::UnknownOption(OPTIONS))),
        ("postgres://u:p@h/d?sslpassword=x", any(OfAnyServer::UnknownOption(OPTIONS))),
        ("postgres://u:p@h", any(OfAnyServer::NoDatabase)),
        ("postgres://h/d", any(OfAnyServer::NoUser)),
        ("postgres:///d", Err(UrlError::NoHost)),
        ("mysql://u:p@h/d", Err(MALFORMED)),
        ("postgres://u:p@h:notaport/d", Err(MALFORMED)),
    ];
    for (url, expected) in cases {
        assert_eq!(tls(url), expected, "{url}");
    }
}

#[test]
fn an_error_repeats_nothing_of_the_url() {
    let urls = [
        "postgres://u:s3cr3t@h:s3cr3t/d",
        "postgres://u:p@h/d?s3cr3t=s3cr3t",
        "postgres://u:p@h/d?s3cr3t",
        "s3cr3t://u:s3cr3t@h/d",
        "postgres://u:p@h/d?sslmode=s3cr3t",
        "postgres://u:p@h/d?sslrootcert=/s3cr3t",
        "postgres://u:p@h/d?channel_binding=s3cr3t",
    ];
    for url in urls {
        let Err(error) = connect(url, PoolLimits::default()) else { panic!("{url} was accepted") };
        let source = error.source().unwrap();
        for text in [error.to_string(), format!("{error:?}"), source.to_string(), format!("{source:?}")] {
            assert!(!text.contains("s3cr3t"), "{url}: {text}");
        }
    }
}
