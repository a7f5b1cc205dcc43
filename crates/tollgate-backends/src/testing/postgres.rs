//! A PostgreSQL server of a test's own: a fresh cluster in a temporary directory, on a free port of 127.0.0.1, ended with
//! the process that started it whatever happens to that process.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

pub use super::certificates::Encryption;
use super::{
    certificates,
    process::{self, Owner, PASSWORD, PASSWORD_IN_URL, Process, run},
};

/// A running server.
pub struct PostgresServer {
    binaries: PathBuf,
    owner: Option<Owner>,
    dir: TempDir,
    port: u16,
    encryption: Encryption,
    process: Process,
}

impl PostgresServer {
    /// A plain server shared by the tests of one process that run at the same time. `None`, and a loud word, where no
    /// PostgreSQL is installed; with `CI=true` that is a failure.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<PostgresServer>> = Mutex::new(Weak::new());
        process::shared(&SHARED, || Self::start(Encryption::Off))
    }

    /// A server of its own, for a test that stops it. `None` as for `shared`.
    pub fn start(encryption: Encryption) -> Option<Self> {
        let Some(binaries) = find_binaries() else {
            process::skip("PostgreSQL", "`postgres` in /usr/lib/postgresql/*/bin and PATH");
            return None;
        };
        let owner = Owner::when_root(&["postgres"]);
        let dir = tempfile::Builder::new().prefix("tollgate-pg-").tempdir().unwrap();
        let port = process::free_port();
        let server = Self { binaries, owner, dir, port, encryption, process: Process::default() };
        server.initialise();
        server.restart();
        Some(server)
    }

    /// A database of its own for one test, made by `setup` as its owner, and a login `reader` that may select from all
    /// of it and nothing else.
    pub async fn database(self: &Arc<Self>, setup: &str) -> TestDatabase {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let reader = format!("reader_{name}");
        let server = Arc::clone(self);
        server.run_on("postgres", &format!("CREATE DATABASE {name}")).await;
        let database = TestDatabase { server, name, reader };
        database.run(setup).await;
        let reader = &database.reader;
        let grants = format!(
            "CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"
        );
        database.run(&grants).await;
        database
    }

    /// The superuser's URL of a database.
    pub fn superuser_url(&self, database: &str) -> String {
        format!("postgres://postgres:{PASSWORD_IN_URL}@127.0.0.1:{}/{database}", self.port)
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that a server with TLS is verified by.
    pub fn root_certificate(&self) -> PathBuf {
        certificates::root(self.dir.path())
    }

    /// All that the server has logged: every statement, with its parameters.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.path().join("log")).unwrap()).into_owned()
    }

    /// Ends the server as a crash would, every connection with it.
    pub fn crash(&self) {
        self.process.end(|| self.signal("QUIT"));
    }

    /// Stops every process of the server in its tracks, so that connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.signal_all("STOP");
    }

    /// Undoes `freeze`.
    pub fn thaw(&self) {
        self.signal_all("CONT");
    }

    /// Starts the server again, on the same port with the same data.
    pub fn restart(&self) {
        let data = self.data();
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let arguments = ["-D".as_ref(), data.as_os_str()];
        let (server, log) = (self.binaries.join("postgres"), self.dir.path().join("log"));
        let spawn = || process::spawn(self.owner, "QUIT", &server, &arguments, &log);
        self.process.start(spawn, || self.is_ready(), || self.log());
    }

    async fn run_on(&self, database: &str, sql: &str) {
        self.superuser(database).await.batch_execute(sql).await.unwrap();
    }

    async fn superuser(&self, database: &str) -> Client {
        self.client("postgres", database).await
    }

    async fn client(&self, user: &str, database: &str) -> Client {
        let config = format!(
            "host=127.0.0.1 port={} user={user} password='{PASSWORD}' dbname={database} sslmode=disable",
            self.port
        );
        let (client, driver) = tokio_postgres::connect(&config, NoTls).await.unwrap();
        tokio::spawn(driver);
        client
    }

    fn initialise(&self) {
        let password_file = self.dir.path().join("password");
        fs::write(&password_file, PASSWORD).unwrap();
        if self.encryption == Encryption::On {
            certificates::make(self.dir.path());
        }
        if let Some(owner) = self.owner {
            owner.take(self.dir.path());
        }
        let mut initdb = process::command(self.owner, self.binaries.join("initdb"));
        initdb
            .args(["--no-sync", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"])
            .args([self.authentication(), "--pwfile"])
            .arg(&password_file)
            .arg("-D")
            .arg(self.data());
        run(&mut initdb);
        let mut settings = String::new();
        let ssl = if self.encryption == Encryption::On { "on" } else { "off" };
        let directory = self.dir.path().display().to_string();
        for (name, value) in [
            ("listen_addresses", "127.0.0.1"),
            ("port", &self.port.to_string()),
            ("unix_socket_directories", &directory),
            ("fsync", "off"),
            ("shared_buffers", "16MB"),
            ("max_connections", "80"),
            ("log_statement", "all"),
            ("log_parameter_max_length", "-1"),
            ("log_line_prefix", "%m [%p] %a "),
            ("ssl", ssl),
            ("ssl_cert_file", &format!("{directory}/server.crt")),
            ("ssl_key_file", &format!("{directory}/server.key")),
        ] {
            let _ = writeln!(settings, "{name} = '{value}'");
        }
        fs::write(self.data().join("postgresql.auto.conf"), settings).unwrap();
    }

    /// SCRAM where TLS is tested too. An unoptimised client takes very long over it, so other servers ask for the password.
    fn authentication(&self) -> &'static str {
        match self.encryption {
            Encryption::On => "--auth=scram-sha-256",
            Encryption::Off => "--auth=password",
        }
    }

    /// A root, and a certificate of it for `localhost` alone, so that a connection to the address 127.0.0.1 is refused.
    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The first line of its lock file is the server's process, the eighth says whether it is ready.
    fn lock_file(&self) -> Option<String> {
        fs::read_to_string(self.data().join("postmaster.pid")).ok()
    }

    fn is_ready(&self) -> bool {
        self.lock_file().is_some_and(|lock| lock.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
    }

    fn postmaster(&self) -> Option<String> {
        self.lock_file()?.lines().next().map(str::to_owned)
    }

    fn signal(&self, name: &str) {
        if let Some(postmaster) = self.postmaster() {
            let _ = Command::new("kill").args([&format!("-{name}"), &postmaster]).status();
        }
    }

    fn signal_all(&self, name: &str) {
        let Some(postmaster) = self.postmaster() else { return };
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap_or_default();
        for process in children.split_whitespace().chain([postmaster.as_str()]) {
            let _ = Command::new("kill").args([&format!("-{name}"), process]).stderr(Stdio::null()).status();
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.thaw();
        self.crash();
    }
}

/// A database of one test.
pub struct TestDatabase {
    server: Arc<PostgresServer>,
    name: String,
    reader: String,
}

impl TestDatabase {
    /// The URL of the login that may only read.
    pub fn url(&self) -> String {
        self.url_of(&self.reader)
    }

    /// The URL of another login with the tests' password.
    pub fn url_of(&self, user: &str) -> String {
        format!("postgres://{user}:{PASSWORD_IN_URL}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// The URL of the login that may only read, by way of the server's unix socket.
    pub fn socket_url(&self) -> String {
        let folder = self.server.dir.path().display().to_string().replace('/', "%2F");
        self.url().replace("127.0.0.1", &folder)
    }

    /// The superuser's URL.
    pub fn superuser_url(&self) -> String {
        self.server.superuser_url(&self.name)
    }

    /// Runs statements as the owner.
    pub async fn run(&self, sql: &str) {
        self.server.run_on(&self.name, sql).await;
    }

    /// A connection as the owner, to look at the server beside the code under test.
    pub async fn superuser(&self) -> Client {
        self.server.superuser(&self.name).await
    }

    /// A connection as a login with the tests' password, for what such a login can do by itself.
    pub async fn client_of(&self, user: &str) -> Client {
        self.server.client(user, &self.name).await
    }

    /// The reading login's name.
    pub fn reader(&self) -> &str {
        &self.reader
    }

    /// The tests' password, for roles that a test makes itself.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Its server.
    pub fn server(&self) -> &Arc<PostgresServer> {
        &self.server
    }
}

/// The binaries that `TOLLGATE_POSTGRES` names, else those of the newest installed version.
fn find_binaries() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TOLLGATE_POSTGRES") {
        let named = PathBuf::from(named);
        assert!(has_server(&named), "TOLLGATE_POSTGRES names no folder with a PostgreSQL server");
        return Some(named);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let numbered = versions.filter_map(|path| Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path)));
    let newest = numbered.max_by_key(|(version, _)| *version).map(|(_, path)| path.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.into_iter().chain(std::env::split_paths(&path)).find(|bin| has_server(bin))
}

fn has_server(bin: &Path) -> bool {
    bin.join("initdb").exists() && bin.join("postgres").exists()
}
