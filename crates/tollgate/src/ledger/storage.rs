//! What the log asks of a file system, as traits, so that tests can make any single operation fail.

use std::io::{self, Read};

use super::space::Space;

/// The folder of a log: segments, each named by the `seq` of its first record.
pub(super) trait Storage: Send {
    /// The segments there are, in order.
    fn segments(&self) -> io::Result<Vec<u64>>;

    /// A segment's bytes, from its head.
    fn read(&self, segment: u64) -> io::Result<Box<dyn Read>>;

    /// Opens a segment for appending and reserves room until it has so many bytes.
    fn append_to(&self, segment: u64, reserve: u64) -> io::Result<Box<dyn SegmentFile>>;

    /// Makes a segment that is not there yet, likewise.
    fn create(&self, segment: u64, reserve: u64) -> io::Result<Box<dyn SegmentFile>>;

    /// Removes a segment that holds no acknowledged record.
    fn remove(&self, segment: u64) -> io::Result<()>;

    /// Makes the folder's own entries durable.
    fn sync_folder(&self) -> io::Result<()>;

    /// Room on the disk.
    fn space(&self) -> io::Result<Space>;
}

/// A segment that is written to.
pub(super) trait SegmentFile: Send {
    /// Adds bytes at the end, all of them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes all of it durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Its length where its name says that it is; an error when it was removed or is another file by now.
    fn length(&self) -> io::Result<u64>;

    /// Cuts it to a length, which also lets go of what was reserved beyond.
    fn cut_to(&mut self, length: u64) -> io::Result<()>;
}
