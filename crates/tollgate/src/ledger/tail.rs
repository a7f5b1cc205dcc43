//! Reads the logs below a directory while they are being written: the last records, and those that come.
//!
//! Takes no lock and changes nothing. A line that is not whole yet is left for the next look; a whole line that is no
//! record is handed on as what it is, never skipped in silence.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use tollgate_core::audit::{LINE_MAX, Line, Record};

use super::folder::{segment_file, segment_of};

/// How much is read at a time.
const BLOCK: u64 = 256 << 10;

/// A whole line of a log.
#[derive(Debug)]
pub struct Tailed {
    /// The log's folder, `local-0`.
    pub log: String,
    /// The stored bytes, without the newline.
    pub line: Vec<u8>,
    /// The record, or why it is none.
    pub record: Result<Record, String>,
}

impl Tailed {
    fn new(log: &str, line: Vec<u8>) -> Self {
        let record = Line::parse(&line).and_then(|line| line.record()).map_err(|error| error.to_string());
        Self { log: log.to_owned(), line, record }
    }

    /// For merging logs: by time, and within a log never against its order.
    fn time(&self) -> Option<Timestamp> {
        self.record.as_ref().ok().map(|record| record.stamp.ts)
    }
}

/// The logs below a directory.
#[derive(Debug)]
pub struct Tail {
    dir: PathBuf,
    logs: BTreeMap<String, Place>,
}

/// Where reading stands in one log.
#[derive(Debug, Default)]
struct Place {
    segment: u64,
    offset: u64,
}

impl Tail {
    /// The last records that are wanted, oldest first, and a tail that goes on behind them.
    pub fn last(dir: &Path, count: usize, wanted: impl Fn(&Tailed) -> bool) -> io::Result<(Self, Vec<Tailed>)> {
        let mut tail = Self { dir: dir.to_owned(), logs: BTreeMap::new() };
        let mut all = Vec::new();
        for log in tail.folders()? {
            let folder = dir.join(&log);
            let mut segments = segments(&folder)?;
            let mut place = Place { segment: segments.last().copied().unwrap_or_default(), offset: 0 };
            let newest = place.segment;
            let mut last = Vec::new();
            while let Some(segment) = segments.pop().filter(|_| last.len() < count) {
                let mut backward = Backward::open(&folder.join(segment_file(segment)))?;
                if segment == newest {
                    place.offset = backward.end;
                }
                while last.len() < count
                    && let Some(line) = backward.line()?
                {
                    last.extend(Some(Tailed::new(&log, line)).filter(&wanted));
                }
            }
            all.extend(last.into_iter().rev());
            tail.logs.insert(log, place);
        }
        let mut all = merged(all);
        all.drain(..all.len().saturating_sub(count));
        Ok((tail, all))
    }

    /// What was written since the last look, in logs and segments that are new too.
    pub fn look(&mut self) -> io::Result<Vec<Tailed>> {
        let mut all = Vec::new();
        for log in self.folders()? {
            let folder = self.dir.join(&log);
            // The writer is done with a segment once there is a further one, so the listing comes before the reading.
            let mut further = segments(&folder)?;
            let Some(first) = further.first().copied() else { continue };
            let place = self.logs.entry(log.clone()).or_insert(Place { segment: first, offset: 0 });
            further.retain(|segment| *segment > place.segment);
            place.read(&log, &folder, &mut all)?;
            for segment in further {
                *place = Place { segment, offset: 0 };
                place.read(&log, &folder, &mut all)?;
            }
        }
        Ok(merged(all))
    }

    fn folders(&self) -> io::Result<Vec<String>> {
        let mut folders = Vec::new();
        for entry in self.dir.read_dir()? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.extend(entry.file_name().into_string());
            }
        }
        folders.sort();
        Ok(folders)
    }
}

impl Place {
    fn read(&mut self, log: &str, folder: &Path, into: &mut Vec<Tailed>) -> io::Result<()> {
        let mut file = match File::open(folder.join(segment_file(self.segment))) {
            // A log that has not begun, or a segment that was archived.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        // A torn tail was cut off by the process that came after.
        self.offset = self.offset.min(file.metadata()?.len());
        file.seek(SeekFrom::Start(self.offset))?;
        let mut pending = Vec::new();
        loop {
            if (&mut file).take(BLOCK).read_to_end(&mut pending)? == 0 {
                return Ok(());
            }
            let Some(end) = pending.iter().rposition(|b| *b == b'\n') else {
                if pending.len() > LINE_MAX {
                    return Err(io::Error::other(format!("a line of `{log}` is longer than any record")));
                }
                continue;
            };
            let rest = pending.split_off(end + 1);
            self.offset += pending.len() as u64;
            let whole = pending.split(|b| *b == b'\n').filter(|line| !line.is_empty());
            into.extend(whole.map(|line| Tailed::new(log, line.to_vec())));
            pending = rest;
        }
    }
}

/// The whole lines of a file, last first.
struct Backward {
    file: File,
    /// Where the last whole line ends.
    end: u64,
    /// Where `block` begins in the file.
    begin: u64,
    block: Vec<u8>,
}

impl Backward {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut lines = Self { file, end: length, begin: length, block: Vec::new() };
        // What stands behind the last newline is a line under way, or a torn one.
        let unfinished = lines.piece()?.unwrap_or_default();
        lines.end -= unfinished.len() as u64;
        Ok(lines)
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.piece()? {
                Some(piece) if piece.is_empty() => {}
                piece => return Ok(piece),
            }
        }
    }

    /// What stands behind the last newline of what is left, or all of it at the head of the file.
    fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let unsearched = self.block.len() - searched;
            if let Some(newline) = self.block.iter().take(unsearched).rposition(|b| *b == b'\n') {
                let piece = self.block.split_off(newline + 1);
                self.block.pop();
                return Ok(Some(piece));
            }
            searched = self.block.len();
            if self.begin == 0 {
                return Ok(Some(std::mem::take(&mut self.block)).filter(|piece| !piece.is_empty()));
            }
            if searched > LINE_MAX {
                return Err(io::Error::other("a line is longer than any record"));
            }
            let from = self.begin.saturating_sub(BLOCK);
            let mut block = Vec::new();
            self.file.seek(SeekFrom::Start(from))?;
            (&mut self.file).take(self.begin - from).read_to_end(&mut block)?;
            block.append(&mut self.block);
            self.block = block;
            self.begin = from;
        }
    }
}

fn segments(folder: &Path) -> io::Result<Vec<u64>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(folder)? {
        segments.extend(entry?.file_name().to_str().and_then(segment_of));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// By time over all logs. The order within a log is kept: it is `seq`, and the clock may have been set back.
fn merged(lines: Vec<Tailed>) -> Vec<Tailed> {
    let mut latest = BTreeMap::new();
    let mut timed: Vec<(Timestamp, Tailed)> = lines
        .into_iter()
        .map(|line| {
            let before = latest.entry(line.log.clone()).or_insert(Timestamp::MIN);
            *before = line.time().unwrap_or(*before).max(*before);
            (*before, line)
        })
        .collect();
    timed.sort_by_key(|(time, _)| *time);
    timed.into_iter().map(|(_, line)| line).collect()
}
