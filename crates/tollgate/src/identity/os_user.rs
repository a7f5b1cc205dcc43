//! The operating-system user that runs this process, for the audit log. Never a proof of anything over a network.

use std::fs;

/// The user's name where `/etc/passwd` has one, else `uid:N`.
pub fn os_user() -> String {
    let uid = rustix::process::getuid().as_raw();
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    accounts.lines().find_map(|line| name_of(line, uid)).unwrap_or_else(|| format!("uid:{uid}"))
}

fn name_of(line: &str, uid: u32) -> Option<String> {
    let mut fields = line.split(':');
    let (name, _password, number) = (fields.next()?, fields.next()?, fields.next()?);
    (number.parse() == Ok(uid) && !name.is_empty()).then(|| name.chars().take(64).collect())
}
