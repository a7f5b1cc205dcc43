//! A log's folder on a real disk: locked, private to its user, one process at a time.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FallocateFlags, FlockOperation, OFlags};

use super::{
    LedgerError,
    space::{Level, Space},
    storage::{SegmentFile, Storage},
};

/// The processes of one replica that may write at a time.
const SLOTS_MAX: usize = 256;

/// A log's folder. The lock is held as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    name: String,
    path: PathBuf,
    directory: File,
    _lock: File,
}

impl Folder {
    /// Locks `<replica>-<slot>/` below a directory, the first that is free, and makes what is not there yet.
    pub(super) fn lock_first_free(dir: &Path, replica: &str) -> Result<Self, LedgerError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if replica.is_empty() || replica.len() > 64 || replica.starts_with('.') || !replica.bytes().all(allowed) {
            return Err(LedgerError::Replica(replica.chars().take(80).collect()));
        }
        let make = |path: &Path| match DirBuilder::new().mode(0o700).recursive(path == dir).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(LedgerError::io("make the directory", path, error))
            }
            _ => Ok(()),
        };
        make(dir)?;
        for slot in 0..SLOTS_MAX {
            let name = format!("{replica}-{slot}");
            let path = dir.join(&name);
            make(&path)?;
            if let Some(lock) = try_lock(&path)? {
                sync(dir)?;
                let directory = File::open(&path).map_err(|e| LedgerError::io("open", &path, e))?;
                return Ok(Self { name, path, directory, _lock: lock });
            }
        }
        Err(LedgerError::NoSlot(SLOTS_MAX, dir.display().to_string()))
    }

    /// The folder's name, which is the log's.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn segment(&self, segment: u64) -> PathBuf {
        self.path.join(segment_file(segment))
    }

    fn opened(&self, file: File, path: PathBuf, reserve: u64) -> io::Result<Box<dyn SegmentFile>> {
        let metadata = file.metadata()?;
        let length = metadata.len();
        let wanted = reserve.saturating_sub(length);
        // Reserving only moves the moment at which a full disk is noticed, so a file system that cannot is no fault;
        // but it must not be what fills the disk.
        if wanted > 0 && self.space()?.less(wanted).level() < Level::NoCalls {
            let _ = rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, length, wanted);
        }
        Ok(Box::new(OnDisk { file, path, identity: identity(&metadata) }))
    }
}

/// A segment's file name.
pub(crate) fn segment_file(segment: u64) -> String {
    format!("{segment:020}.jsonl")
}

/// The segment of a file name, if it is one's.
pub(crate) fn segment_of(file: &str) -> Option<u64> {
    let digits = file.strip_suffix(".jsonl")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The lock of a folder, unless another process has it.
fn try_lock(path: &Path) -> Result<Option<File>, LedgerError> {
    private(path, &path.symlink_metadata().map_err(|e| LedgerError::io("look at", path, e))?)?;
    let file = path.join("lock");
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(&file)
        .map_err(|e| LedgerError::io("open", &file, e))?;
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(lock)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(LedgerError::io("lock", &file, error.into())),
    }
}

fn private(path: &Path, metadata: &Metadata) -> Result<(), LedgerError> {
    if !metadata.is_dir() {
        return Err(LedgerError::NotAFolder(path.display().to_string()));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(LedgerError::NotOurs(path.display().to_string()));
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(LedgerError::Exposed { path: path.display().to_string(), mode });
    }
    Ok(())
}

/// The open flags that refuse a symbolic link, and that do not wait for the other end of a pipe that stands there.
pub(super) fn no_follow() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}

/// Makes a directory's entries durable.
pub(super) fn sync(directory: &Path) -> Result<(), LedgerError> {
    let synced = File::open(directory).and_then(|d| d.sync_all());
    synced.map_err(|e| LedgerError::io("sync", directory, e))
}

impl Storage for Folder {
    fn segments(&self) -> io::Result<Vec<u64>> {
        let mut segments = Vec::new();
        for entry in self.path.read_dir()? {
            segments.extend(entry?.file_name().to_str().and_then(segment_of));
        }
        segments.sort_unstable();
        Ok(segments)
    }

    fn read(&self, segment: u64) -> io::Result<Box<dyn Read>> {
        let file = OpenOptions::new().read(true).custom_flags(no_follow()).open(self.segment(segment))?;
        Ok(Box::new(file))
    }

    fn append_to(&self, segment: u64, reserve: u64) -> io::Result<Box<dyn SegmentFile>> {
        let path = self.segment(segment);
        let file = OpenOptions::new().append(true).custom_flags(no_follow()).open(&path)?;
        self.opened(file, path, reserve)
    }

    fn create(&self, segment: u64, reserve: u64) -> io::Result<Box<dyn SegmentFile>> {
        let path = self.segment(segment);
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
        self.opened(file, path, reserve)
    }

    fn remove(&self, segment: u64) -> io::Result<()> {
        fs::remove_file(self.segment(segment))
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    fn space(&self) -> io::Result<Space> {
        let disk = rustix::fs::fstatvfs(&self.directory)?;
        let used = disk.f_blocks.saturating_sub(disk.f_bfree);
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Ok(Space { free: bytes(disk.f_bavail), total: bytes(disk.f_bavail.saturating_add(used)) })
    }
}

struct OnDisk {
    file: File,
    path: PathBuf,
    identity: (u64, u64),
}

/// What tells one file from another, whatever its name.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

impl SegmentFile for OnDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        let there = self.path.symlink_metadata()?;
        if identity(&there) == self.identity {
            Ok(there.len())
        } else {
            Err(io::Error::other("another file stands in its place"))
        }
    }

    fn cut_to(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}
