//! What the operating system lets be done with a SQLite file, which has no logins of its own. It only asks for permissions: to open
//! the file beside SQLite, and to close it again, would end the locks that SQLite holds on it.

use std::{
    fmt::Write as _,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use crate::{
    BackendError, ErrorKind, NarrowLogin,
    finding::{Finding, FindingKind},
};

const WRITABLE_BY_OTHERS: u32 = 0o002;
/// In such a folder only a file's owner can put another in its place.
const STICKY: u32 = 0o1000;

/// Who can change the file behind Tollgate's back.
pub(super) fn examine(path: &Path) -> Result<Vec<Finding>, BackendError> {
    let unavailable = |error: io::Error| BackendError::new(ErrorKind::Unavailable, error);
    let path = fs::canonicalize(path).map_err(unavailable)?;
    let mode = fs::metadata(&path).map_err(unavailable)?.mode();
    let folder = path.parent().map_or_else(|| PathBuf::from("/"), Path::to_owned);
    let folder_mode = fs::metadata(&folder).map_err(unavailable)?.mode();
    let mut findings = Vec::new();
    if mode & WRITABLE_BY_OTHERS != 0 {
        let sentence = "every user of this machine can write the database's file: `chmod o-w` it";
        findings.push(Finding::new(FindingKind::FileWritableByOthers, sentence));
    }
    if folder_mode & WRITABLE_BY_OTHERS != 0 && folder_mode & STICKY == 0 {
        let sentence = "every user of this machine can put another file in the place of the database's";
        findings.push(Finding::new(FindingKind::FolderWritableByOthers, sentence));
    }
    if access(&path, Access::WRITE_OK).is_ok() {
        let sentence = "the user that Tollgate runs as can write the database's file; Tollgate opens it for reading only, and a \
                        user of its own that can only read it would leave nothing to that";
        findings.push(Finding::new(FindingKind::FileWritable, sentence));
    }
    Ok(findings)
}

/// What stands in the place of a narrow login, as remarks: SQLite has none.
pub(super) fn harden(path: &Path, login: &NarrowLogin<'_>) -> String {
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let mut out = format!(
        "-- SQLite has no logins and no grants: there is nothing to run. What keeps {} to what it may see is Tollgate's rewriting,
-- and the authorizer that it arms for each statement. What keeps everything else from the file are its permissions:
--
--     chown root:tollgate {path}      a group that Tollgate's own user is in, and no agent
--     chmod 0640 {path}               which can read it and not write it
--
-- and a folder that only root can write: who can write the folder can put another file in its place. A database in WAL mode must have
-- its -wal and -shm files there, made by its writer. `require_least_privilege: true` then holds it to that.
--
-- These columns are read. A copy of them in a file of its own would hold nothing else to be read:
",
        plain(login.roles),
        path = plain(&path.display().to_string()),
    );
    for (table, columns) in login.reach.tables() {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "--     {}", plain(&format!("{} ({})", table.name, columns.join(", "))));
    }
    out
}
