//! The key that sensitive values are hashed under: made once with the log, kept beside it, readable by its user alone.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use ring::rand::{SecureRandom as _, SystemRandom};
use tollgate_core::audit::Redactor;

use super::{
    LedgerError,
    folder::{Folder, no_follow, sync},
    storage::Storage as _,
};

/// The one epoch there is so far.
const EPOCH: u32 = 1;

/// The redactor of a log. The key is made if the log has not begun, and never again: hashes under another key would
/// look like other values.
pub(super) fn load_or_make(folder: &Folder) -> Result<Redactor, LedgerError> {
    let path = folder.path().join("redaction.key");
    let lost = || LedgerError::RedactionKey(path.display().to_string());
    match OpenOptions::new().read(true).custom_flags(no_follow()).open(&path) {
        Ok(file) => {
            let mut text = String::new();
            file.take(256).read_to_string(&mut text).map_err(|e| LedgerError::io("read", &path, e))?;
            let key = parse(&text).ok_or_else(lost)?;
            Ok(Redactor::new(EPOCH, &key))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let segments = folder.segments().map_err(|e| LedgerError::io("list", folder.path(), e))?;
            if segments.is_empty() { make(folder.path(), &path) } else { Err(lost()) }
        }
        Err(error) => Err(LedgerError::io("open", &path, error)),
    }
}

fn make(folder: &Path, path: &Path) -> Result<Redactor, LedgerError> {
    let mut key = [0; 32];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| LedgerError::io("make", path, io::Error::other("the system has no randomness")))?;
    // Written aside and renamed, so that there is never half a key.
    let draft = folder.join("redaction.key.new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(&draft)
        .and_then(|mut file| {
            write!(file, "k{EPOCH}:")?;
            key.iter().try_for_each(|byte| write!(file, "{byte:02x}"))?;
            writeln!(file)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, path));
    written.map_err(|e| LedgerError::io("make", path, e))?;
    sync(folder)?;
    Ok(Redactor::new(EPOCH, &key))
}

fn parse(text: &str) -> Option<[u8; 32]> {
    let hex = text.trim_end().strip_prefix("k1:")?;
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}
