//! Why the log cannot be written. The operator reads all of it; an agent reads one sentence that names no path and no disk.

use std::{io, path::Path, sync::Arc};

use tollgate_core::{
    audit::LineError,
    names::{Code, Refusal},
};

/// Why the log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file system said no.
    #[error("cannot {doing} `{path}`")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A replica's name that cannot be a folder's.
    #[error(
        "`{0}` is not a valid replica name: 1 to 64 ASCII letters, digits, `_`, `-` and `.`, not starting with a dot"
    )]
    Replica(String),
    /// All folders below the audit directory are taken.
    #[error("{0} processes already write below `{1}`, which is the most there can be")]
    NoSlot(usize, String),
    /// A folder or file that others can read.
    #[error("`{path}` is open to other users (mode {mode:03o}); take that away with chmod go-rwx")]
    Exposed {
        /// Which.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// A folder of another user, who could change what is in it.
    #[error("`{0}` belongs to another user than the one this process runs as")]
    NotOurs(String),
    /// A folder that should be one, and is not.
    #[error("`{0}` is not a directory of its own (a symbolic link, or a file)")]
    NotAFolder(String),
    /// A log whose key is gone or unreadable.
    #[error("the redaction key `{0}` is missing or malformed, though the log has begun; put it back from a backup")]
    RedactionKey(String),
    /// The log is not as it was written. It is never mended.
    #[error("the audit log is damaged: segment {segment}, byte {offset}: {reason}")]
    Damaged {
        /// The segment, by its first `seq`.
        segment: u64,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        reason: String,
        /// The line's own error, where it is one line's.
        source: Option<LineError>,
    },
    /// Too little room on the disk.
    #[error("{0}")]
    LowSpace(Arc<str>),
    /// A write or sync failed.
    #[error("{0}")]
    Failed(Arc<str>),
    /// The record was not durable in time.
    #[error("the record was not durable within {0} ms")]
    Slow(u128),
    /// More waits than can be held, or more calls are open than can be tracked.
    #[error("{0}")]
    Full(&'static str),
    /// A second intent for one call.
    #[error("the call already has an intent")]
    SecondIntent,
    /// The log was shut down.
    #[error("the audit log is closed")]
    Closed,
}

impl LedgerError {
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        LedgerError::Io { doing, path: path.display().to_string(), source }
    }

    /// What an agent may read of it.
    pub fn to_agent(&self) -> Refusal {
        match self {
            LedgerError::Closed => {
                Refusal::new(Code::SHUTTING_DOWN, "the server is shutting down").retry_after_ms(1_000)
            }
            _ => Refusal::new(
                Code::AUDIT_UNAVAILABLE,
                "the call could not be written to the audit log, so it is not answered; try again later",
            )
            .retry_after_ms(1_000),
        }
    }
}
