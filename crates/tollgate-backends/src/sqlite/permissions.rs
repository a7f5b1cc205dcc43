//! What the operating system lets be done with a SQLite file, which has no logins of its own. It only asks for permissions: to open
//! the file beside SQLite, and to close it again, would end the locks that SQLite holds on it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use crate::{
    BackendError, ErrorKind,
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
