//! What the throw-away servers have in common: a user that is not root, a password, a free port, one server for tests that run at the
//! same time, and an end with the process that started them.

use std::{
    ffi::OsStr,
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{MetadataExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

/// The logins' password; a URL must encode most of it.
pub(super) const PASSWORD: &str = "p@ss/w?rd%41";
/// The same within a URL.
pub(super) const PASSWORD_IN_URL: &str = "p%40ss%2Fw%3Frd%2541";
/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// The operating-system user a server runs as when we are root, which it refuses to be.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// The first of those users that the machine has; nobody at all where we are not root.
    pub(super) fn when_root(users: &[&str]) -> Option<Self> {
        if fs::metadata("/proc/self").unwrap().uid() != 0 {
            return None;
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        let find = |user: &&str| {
            passwd.lines().find_map(|line| match line.split(':').collect::<Vec<_>>().as_slice() {
                [name, _, uid, gid, ..] if name == user => {
                    Some(Self { uid: uid.parse().ok()?, gid: gid.parse().ok()? })
                }
                _ => None,
            })
        };
        let found = users.iter().find_map(find);
        Some(found.unwrap_or_else(|| panic!("as root, the server runs as one of {users:?}, of whom none is there")))
    }

    /// Gives it a folder and the files in it.
    pub(super) fn take(self, folder: &Path) {
        chown(folder, Some(self.uid), Some(self.gid)).unwrap();
        for entry in fs::read_dir(folder).unwrap() {
            chown(entry.unwrap().path(), Some(self.uid), Some(self.gid)).unwrap();
        }
    }
}

/// A command that runs as that user.
pub(super) fn command(owner: Option<Owner>, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(owner) = owner {
        command.uid(owner.uid).gid(owner.gid);
    }
    command
}

/// Starts a server that a signal of that name ends when this process does, in whatever way.
pub(super) fn spawn(owner: Option<Owner>, signal: &str, server: &Path, arguments: &[&OsStr], log: &Path) -> Child {
    let log = fs::File::options().create(true).append(true).open(log).unwrap();
    // The shell ends the server when its standard input closes.
    let script = format!(
        r#"exec 3<&0; trap '' INT; "$0" "$@" </dev/null & pid=$!
            {{ while read -r _; do :; done; kill -{signal} $pid 2>/dev/null; }} <&3 & wait $pid"#
    );
    command(owner, "sh")
        .args(["-c", &script])
        .arg(server)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

/// Runs a command to its end, which must be a good one.
pub(super) fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
}

/// A port of 127.0.0.1 that nobody listens on.
pub(super) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The server that the tests of one process share which run at the same time, started by the first of them.
pub(super) fn shared<S>(slot: &Mutex<Weak<S>>, start: impl FnOnce() -> Option<S>) -> Option<Arc<S>> {
    let mut shared = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(start()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// Says loudly that a server is not installed and where it was looked for; with `CI=true` that is a failure.
pub(super) fn skip(server: &str, places: &str) {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no {server} server is installed");
    eprintln!("SKIPPED: no {server} server is installed (looked for {places})");
}

/// A server's process, while there is one.
#[derive(Default)]
pub(super) struct Process(Mutex<Option<Child>>);

impl Process {
    /// Has a server started, and waits until it is ready.
    pub(super) fn start(&self, spawn: impl FnOnce() -> Child, is_ready: impl Fn() -> bool, log: impl Fn() -> String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(spawn());
        let until = Instant::now() + PATIENCE;
        while !is_ready() {
            assert!(Instant::now() < until, "the server did not start:\n{}", log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Has it ended, if it runs, and waits until it has.
    pub(super) fn end(&self, kill: impl FnOnce()) {
        let mut process = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut process) = process.take() {
            kill();
            process.wait().unwrap();
        }
    }
}
