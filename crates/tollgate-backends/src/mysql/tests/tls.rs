//! TLS against a real server, over a wire that is listened to: it is verified, or nothing is said that is anybody's.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    ErrorKind, PoolLimits, mysql,
    testing::mariadb::{Encryption, MariaDbServer, TestDatabase},
};

const SETUP: &str = "CREATE TABLE t (id INT PRIMARY KEY)";

/// Passes bytes on to a server, and keeps those that its clients send.
struct Wire {
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&sent);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&kept)));
            }
        });
        Self { port, sent }
    }

    /// All that was sent since it was asked for last.
    fn sent(&self) -> Vec<u8> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

async fn pass(client: TcpStream, server: TcpStream, sent: Arc<Mutex<Vec<u8>>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        sent.lock().unwrap().extend_from_slice(&buffer[..count]);
        if to_server.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    back.abort();
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The URL of a database over a wire.
fn over(wire: &Wire, host: &str, database: &TestDatabase, options: &str) -> String {
    let place = format!("127.0.0.1:{}", database.server().port());
    format!("{}{options}", database.url().replace(&place, &format!("{host}:{}", wire.port)))
}

/// What a client says that finds a server unfit.
async fn refused(wire: &Wire, host: &str, database: &TestDatabase, options: &str) -> Vec<u8> {
    let backend = mysql::connect(&over(wire, host, database, options), PoolLimits::default()).unwrap();
    assert_eq!(backend.probe().await.unwrap_err().kind, ErrorKind::Unavailable, "{host} {options}");
    assert_eq!(backend.introspect().await.unwrap_err().kind, ErrorKind::Unavailable, "{host} {options}");
    let sent = wire.sent();
    assert!(!holds(&sent, database.reader()), "{host} {options}: the login was named");
    sent
}

#[tokio::test]
async fn tls_verifies_the_certificate_and_the_name() {
    let Some(server) = MariaDbServer::start_with(Encryption::On).map(Arc::new) else { return };
    let database = server.database(SETUP);
    let root = server.root_certificate().display().to_string();
    let wire = Wire::to(server.port()).await;
    for mode in ["require", "verify-full"] {
        let url = over(&wire, "localhost", &database, &format!("?sslmode={mode}&sslrootcert={root}"));
        let backend = mysql::connect(&url, PoolLimits::default()).unwrap();
        assert!(backend.introspect().await.unwrap().table(None, "t").is_some());
        backend.close().await;
        let sent = wire.sent();
        assert!(!sent.is_empty() && !holds(&sent, database.reader()) && !holds(&sent, "information_schema"));
    }
    // What the wire would show otherwise.
    let backend =
        mysql::connect(&over(&wire, "localhost", &database, "?sslmode=disable"), PoolLimits::default()).unwrap();
    backend.introspect().await.unwrap();
    backend.close().await;
    let sent = wire.sent();
    assert!(holds(&sent, database.reader()) && holds(&sent, "information_schema"));
    assert!(!holds(&sent, database.password()), "a password is never sent as it is");
    // The certificate is for `localhost` only; without its root, and by another one, it is nobody's.
    refused(&wire, "127.0.0.1", &database, &format!("?sslmode=require&sslrootcert={root}")).await;
    refused(&wire, "localhost", &database, "?sslmode=require").await;
    let Some(other) = MariaDbServer::start_with(Encryption::On) else { return };
    let strange = other.root_certificate().display().to_string();
    refused(&wire, "localhost", &database, &format!("?sslmode=verify-full&sslrootcert={strange}")).await;
}

#[tokio::test]
async fn a_server_without_tls_is_told_nothing_at_all() {
    let Some(server) = MariaDbServer::start_with(Encryption::Off).map(Arc::new) else { return };
    let database = server.database(SETUP);
    let wire = Wire::to(server.port()).await;
    for options in ["?sslmode=require", "?sslmode=verify-full"] {
        let sent = refused(&wire, "localhost", &database, options).await;
        assert!(sent.len() < 64, "{options}: {sent:?}");
    }
}
