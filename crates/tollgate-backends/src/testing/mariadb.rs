//! A MariaDB server of a test's own: fresh tables in a temporary directory, on a free port of 127.0.0.1, ended with the process
//! that started it whatever happens to that process. It is asked through its own command-line client, which shares no code with
//! what is tested.

use std::{
    ffi::OsStr,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

pub use super::certificates::Encryption;
use super::{
    certificates,
    process::{self, Owner, PASSWORD, PASSWORD_IN_URL, Process},
};

/// A running server.
pub struct MariaDbServer {
    programs: Programs,
    owner: Option<Owner>,
    dir: TempDir,
    port: u16,
    encryption: Encryption,
    process: Process,
}

struct Programs {
    server: PathBuf,
    install: PathBuf,
    client: PathBuf,
}

impl MariaDbServer {
    /// A server shared by the tests of one process that run at the same time. `None`, and a loud word, where no MariaDB is
    /// installed; with `CI=true` that is a failure.
    pub fn shared() -> Option<Arc<Self>> {
        static SHARED: Mutex<Weak<MariaDbServer>> = Mutex::new(Weak::new());
        process::shared(&SHARED, Self::start)
    }

    /// A server of its own, for a test that stops it. `None` as for `shared`.
    pub fn start() -> Option<Self> {
        Self::start_with(Encryption::Off)
    }

    /// The same, with TLS or without. `None` as for `shared`.
    pub fn start_with(encryption: Encryption) -> Option<Self> {
        let Some(programs) = find_programs() else {
            process::skip("MariaDB", "mariadbd in PATH, /usr/sbin and /usr/local/sbin");
            return None;
        };
        let owner = Owner::when_root(&["mysql", "nobody"]);
        let dir = tempfile::Builder::new().prefix("tollgate-my-").tempdir().unwrap();
        if encryption == Encryption::On {
            certificates::make(dir.path());
        }
        let port = process::free_port();
        let server = Self { programs, owner, dir, port, encryption, process: Process::default() };
        if let Some(owner) = server.owner {
            owner.take(server.dir.path());
        }
        server.initialise();
        server.restart();
        Some(server)
    }

    /// A database of its own for one test, made by `setup` as root, and a login `reader` that may select from all of it
    /// and nothing else.
    pub fn database(self: &Arc<Self>, setup: &str) -> TestDatabase {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let reader = format!("reader_{name}");
        let make = format!(
            "CREATE DATABASE {name} CHARACTER SET utf8mb4; CREATE USER {reader} IDENTIFIED BY '{PASSWORD}'; \
             GRANT SELECT ON {name}.* TO {reader}"
        );
        self.ask("mysql", &make);
        let database = TestDatabase { server: Arc::clone(self), name, reader };
        database.ask(setup);
        database
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that a server with TLS is verified by.
    pub fn root_certificate(&self) -> PathBuf {
        certificates::root(self.dir.path())
    }

    /// All that the server has logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.file("log")).unwrap_or_default()).into_owned()
    }

    /// Ends the server as a crash would, every connection with it.
    pub fn crash(&self) {
        self.process.end(|| {
            if let Ok(pid) = fs::read_to_string(self.file("pid")) {
                let _ = Command::new("kill").args(["-KILL", pid.trim()]).stderr(Stdio::null()).status();
            }
        });
    }

    /// Starts the server again, on the same port with the same data.
    pub fn restart(&self) {
        let _ = fs::remove_file(self.file("pid"));
        let file = |name: &str, at: &str| format!("--{name}={}", self.file(at).display());
        let (data, socket, pid, port) =
            (file("datadir", "data"), file("socket", "s"), file("pid-file", "pid"), format!("--port={}", self.port));
        let mut arguments: Vec<&OsStr> = vec!["--no-defaults".as_ref()];
        let temporary = self.temporary_files();
        arguments.extend([&data, &socket, &pid, &port, &temporary].map(OsStr::new));
        arguments.extend(
            [
                "--bind-address=127.0.0.1",
                "--max-connections=80",
                "--key-buffer-size=1M",
                "--aria-pagecache-buffer-size=1M",
                "--performance-schema=off",
                "--skip-log-bin",
            ]
            .map(OsStr::new),
        );
        arguments.extend(QUICK.map(OsStr::new));
        let (certificate, key) = (file("ssl-cert", "server.crt"), file("ssl-key", "server.key"));
        if self.encryption == Encryption::On {
            arguments.extend([&certificate, &key].map(OsStr::new));
        }
        let spawn = || process::spawn(self.owner, "KILL", &self.programs.server, &arguments, &self.file("log"));
        self.process.start(spawn, || self.try_ask("mysql", "SELECT 1").is_ok(), || self.log());
    }

    /// Runs statements as root in a database, and gives the rows of their results, values as the client shows them.
    pub fn ask(&self, database: &str, sql: &str) -> Vec<Vec<String>> {
        self.try_ask(database, sql).unwrap_or_else(|error| panic!("{error}\nin: {sql}"))
    }

    /// The same, or the client's words of what went wrong.
    pub fn try_ask(&self, database: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
        run(self.client("root"), database, sql)
    }

    /// The rows of a script of many statements; one that fails has none, and the next ones run.
    pub fn ask_whatever_fails(&self, database: &str, script: &str) -> Vec<Vec<String>> {
        let file = self.dir.path().join("script");
        fs::write(&file, script).unwrap();
        let script = fs::File::open(file).unwrap();
        rows(
            &self
                .client("root")
                .args(["--force", database])
                .stdin(script)
                .stderr(Stdio::null())
                .output()
                .unwrap()
                .stdout,
        )
    }

    fn client(&self, user: &str) -> Command {
        let mut client = process::command(self.owner, &self.programs.client);
        client
            .args(["--no-defaults", "--default-character-set=utf8mb4", "--batch", "--skip-column-names"])
            .arg(format!("--user={user}"))
            .arg(format!("--socket={}", self.file("s").display()));
        if user != "root" {
            client.arg(format!("--password={PASSWORD}"));
        }
        client
    }

    fn initialise(&self) {
        let mut install = process::command(self.owner, &self.programs.install);
        install
            .args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal"])
            .args(QUICK)
            .arg(format!("--datadir={}", self.file("data").display()))
            .arg(self.temporary_files());
        process::run(&mut install);
    }

    /// A folder of its own: each server that starts clears the one that all would share of files that look like its own.
    fn temporary_files(&self) -> String {
        format!("--tmpdir={}", self.dir.path().display())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn run(mut client: Command, database: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
    let output = client.args(["--execute", sql, database]).stdin(Stdio::null()).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(rows(&output.stdout))
}

fn rows(output: &[u8]) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(output);
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Settings without which most of a test's time would be the server's own.
const QUICK: [&str; 6] = [
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=8M",
    "--innodb-log-file-size=4M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-fast-shutdown=2",
];

impl Drop for MariaDbServer {
    fn drop(&mut self) {
        self.crash();
    }
}

/// A database of one test.
pub struct TestDatabase {
    server: Arc<MariaDbServer>,
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
        format!("mysql://{user}:{PASSWORD_IN_URL}@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// The tests' password, for logins that a test makes itself.
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// Its name, which is the schema of its tables too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The reading login's name.
    pub fn reader(&self) -> &str {
        &self.reader
    }

    /// Runs statements as root, and gives the rows of their results.
    pub fn ask(&self, sql: &str) -> Vec<Vec<String>> {
        self.server.ask(&self.name, sql)
    }

    /// The same, or the client's words of what went wrong.
    pub fn try_ask(&self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        self.server.try_ask(&self.name, sql)
    }

    /// The same as a login with the tests' password, for what such a login can do by itself.
    pub fn ask_as(&self, user: &str, sql: &str) -> Result<Vec<Vec<String>>, String> {
        run(self.server.client(user), &self.name, sql)
    }

    /// Its server.
    pub fn server(&self) -> &Arc<MariaDbServer> {
        &self.server
    }
}

/// The programs that stand in PATH or where distributions put servers.
fn find_programs() -> Option<Programs> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from)).collect();
    let find = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|program| program.exists());
    Some(Programs { server: find("mariadbd")?, install: find("mariadb-install-db")?, client: find("mariadb")? })
}
