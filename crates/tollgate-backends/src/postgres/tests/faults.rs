//! Servers that are not there, die, hang or cannot be trusted.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Asked, Opened};
use crate::{
    BackendError, ErrorKind, PoolLimits,
    postgres::connect,
    testing::postgres::{Encryption, PostgresServer},
};

const SETUP: &str = "CREATE TABLE users (id integer); INSERT INTO users VALUES (1);
    CREATE VIEW slow AS SELECT pg_sleep(5)::text AS x";

/// Everything that an error can be made to say, the whole chain of it.
fn all_words(error: &BackendError) -> String {
    let mut words = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let _ = write!(words, " {error} {error:?}");
        source = error.source();
    }
    words
}

async fn refused(url: &str) -> BackendError {
    let limits = PoolLimits { acquire_timeout: Duration::from_secs(5), ..PoolLimits::default() };
    let backend = connect(url, limits).unwrap();
    let error = backend.introspect().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{}", all_words(&error));
    let error = backend.probe().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable, "{}", all_words(&error));
    error
}

#[tokio::test]
async fn no_server_and_a_wrong_password_are_unavailable_and_tell_no_secret() {
    let Some(database) = super::database(SETUP).await else { return };
    let port = database.server().port();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [
        format!("postgres://u:s3cr3t@127.0.0.1:{nobody}/d"),
        format!("postgres://postgres:s3cr3t@127.0.0.1:{port}/postgres"),
        format!("postgres://postgres:s3cr3t@127.0.0.1:{port}/postgres?sslmode=require"),
        database.superuser_url().replace("/test_", "/no_such_"),
    ] {
        let words = all_words(&refused(&url).await);
        assert!(!words.contains("s3cr3t") && !words.contains("p@ss"), "{words}");
    }
}

#[tokio::test]
async fn a_server_that_crashes_in_mid_call_is_used_again_when_it_is_back() {
    let Some(server) = PostgresServer::start(Encryption::Off).map(Arc::new) else { return };
    let database = server.database(SETUP).await;
    // Each statement alone, and in a transaction.
    for url in [database.url(), database.superuser_url()] {
        let opened = Opened::at(&url, PoolLimits { max: 2, ..PoolLimits::default() }).await;
        let slow = opened.checked("SELECT x FROM slow", &[]);
        let started = Instant::now();
        let crash = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let server = Arc::clone(&server);
            tokio::task::spawn_blocking(move || server.crash()).await.unwrap();
        };
        let (ended, ()) = tokio::join!(opened.run(&slow, Asked::default()), crash);
        assert_eq!(ended.unwrap_err().kind, ErrorKind::Unavailable);
        assert!(started.elapsed() < Duration::from_secs(20));
        let one = opened.checked("SELECT id FROM users", &[]);
        assert_eq!(opened.run(&one, Asked::default()).await.unwrap_err().kind, ErrorKind::Unavailable);
        assert_eq!(opened.backend.probe().await.unwrap_err().kind, ErrorKind::Unavailable);
        let restarted = Arc::clone(&server);
        tokio::task::spawn_blocking(move || restarted.restart()).await.unwrap();
        assert_eq!(opened.rows("SELECT id FROM users").await, r#"[{"id":1}]"#);
        opened.backend.probe().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_answers_nothing_costs_no_call_more_than_its_deadline() {
    let Some(server) = PostgresServer::start(Encryption::Off).map(Arc::new) else { return };
    let database = server.database(SETUP).await;
    let limits = PoolLimits { max: 2, ..PoolLimits::default() };
    let opened = Opened::at(&database.url(), limits).await;
    let one = opened.checked("SELECT id FROM users", &[]);
    opened.run(&one, Asked::default()).await.unwrap();
    server.freeze();
    for _ in 0..4 {
        let started = Instant::now();
        let asked = Asked { within: Duration::from_millis(300), ..Asked::default() };
        opened.run(&one, asked).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
    assert_eq!(opened.backend.probe().await.unwrap_err().kind, ErrorKind::Unavailable);
    server.thaw();
    let back = Instant::now();
    while opened.run(&one, Asked::default()).await.is_err() {
        assert!(back.elapsed() < Duration::from_secs(20), "{:?}", opened.backend.pool_status());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn tls_verifies_the_certificate_and_the_name() {
    let Some(server) = PostgresServer::start(Encryption::On).map(Arc::new) else { return };
    let database = server.database(SETUP).await;
    let root = server.root_certificate().display().to_string();
    let by_name = database.url().replace("127.0.0.1", "localhost");
    for mode in ["require", "verify-full"] {
        let url = format!("{by_name}?sslmode={mode}&sslrootcert={root}");
        let opened = Opened::at(&url, PoolLimits { max: 1, ..PoolLimits::default() }).await;
        assert_eq!(opened.rows("SELECT id FROM users").await, r#"[{"id":1}]"#);
        let sessions = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename = $1";
        let client = database.superuser().await;
        let encrypted: i64 = client.query_one(sessions, &[&database.reader()]).await.unwrap().get(0);
        assert_eq!(encrypted, 1);
        // A cancel request goes over TLS as well.
        let slow = opened.checked("SELECT x FROM slow", &[]);
        let asked = Asked { within: Duration::from_millis(200), ..Asked::default() };
        assert_eq!(opened.run(&slow, asked).await.unwrap_err().kind, ErrorKind::Timeout);
        let started = Instant::now();
        assert_eq!(opened.rows("SELECT id FROM users").await, r#"[{"id":1}]"#);
        assert!(started.elapsed() < Duration::from_secs(20));
        opened.backend.close().await;
    }
    // The certificate is for `localhost` only; without the root it is nobody's.
    refused(&format!("{}?sslmode=require&sslrootcert={root}", database.url())).await;
    refused(&format!("{by_name}?sslmode=require")).await;
}
