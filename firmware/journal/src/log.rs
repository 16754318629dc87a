//! An append log in segments, one folder a log. A segment is named by its first record's number.
//!
//! An append is one write and one fdatasync, however many records it carries, so a caller that gathers several
//! pays once. On opening, a torn tail of the last segment is cut off: it was never acknowledged. A bad place
//! with good records behind it is damage: the segment is set aside under another name, what is readable goes on.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::record::{self, MAX_PAYLOAD, Record};
use crate::sabotage::{self, FLUSH_LOG_NAME, FLUSH_LOG_OPEN, FLUSH_RECORD, unless};
use crate::{Error, make_folder, read, replace, sync_folder};

/// A segment that has grown beyond this many bytes is closed and the next one begun.
const SEGMENT: u64 = 1024 * 1024;

/// What was found on opening that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The last append was cut by a crash before it was acknowledged; its bytes are gone.
    TornTail {
        /// How many bytes.
        bytes: u64,
    },
    /// A segment was damaged; the whole of it is kept under another name.
    SetAside {
        /// Where it lies now.
        path: PathBuf,
        /// How many of its records are still readable and were kept.
        kept: usize,
    },
}

/// A log, just opened.
#[derive(Debug)]
pub struct Opened {
    /// The log, ready to be appended to.
    pub log: Log,
    /// Everything it holds, oldest first.
    pub records: Vec<Record>,
    /// What was found.
    pub facts: Vec<Fact>,
}

/// An append log. One process opens a folder at a time; the caller sees to that.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    path: PathBuf,
    file: File,
    size: u64,
    next: u64,
    poisoned: bool,
}

impl Log {
    /// Opens the log in `folder`, which is made if absent.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses; damage is no error but a [`Fact`].
    pub fn open(folder: &Path) -> Result<Opened, Error> {
        make_folder(folder)?;
        let segments = segments(folder)?;
        let (mut records, mut facts) = (Vec::new(), Vec::new());
        for (index, first) in segments.iter().enumerate() {
            let last = index + 1 == segments.len();
            records.extend(read_segment(folder, *first, last, &mut facts)?);
        }
        let after = records.last().map_or(1, |record: &Record| record.seq.saturating_add(1));
        let next = segments.last().map_or(1, |first| *first).max(after);
        let log = Self::begin(folder, segments.last().copied().unwrap_or(next), next)?;
        Ok(Opened { log, records, facts })
    }

    /// Appends the payloads as one record each, durable when this returns. Returns the last record's number.
    ///
    /// # Errors
    /// [`Error::TooLarge`] before anything is written; [`Error::Io`] once, after which the log is
    /// [`Error::Poisoned`] until it is opened again.
    pub fn append(&mut self, payloads: &[&[u8]]) -> Result<u64, Error> {
        if self.poisoned {
            return Err(Error::Poisoned(self.folder.clone()));
        }
        let mut bytes = Vec::new();
        let mut next = self.next;
        for payload in payloads {
            if payload.len() > MAX_PAYLOAD {
                return Err(Error::TooLarge { path: self.folder.clone(), bytes: payload.len() });
            }
            record::encode(&mut bytes, next, payload);
            next += 1;
        }
        self.poisoned = true;
        self.write(&bytes)?;
        self.poisoned = false;
        self.next = next;
        Ok(next - 1)
    }

    /// The number the next record will have.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Lets the next record have this number at least: what was lost stays a gap.
    pub(crate) fn skip_to(&mut self, seq: u64) {
        self.next = self.next.max(seq);
    }

    /// Removes whole segments that hold only records below `seq`; the newest segment always stays. Not flushed: a
    /// segment that comes back after a cut is removed again.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses; the log stays usable.
    pub fn retire(&mut self, seq: u64) -> Result<(), Error> {
        let segments = segments(&self.folder)?;
        for (first, after) in segments.iter().zip(segments.iter().skip(1)) {
            if *after <= seq {
                let path = segment_path(&self.folder, *first);
                fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            }
        }
        Ok(())
    }

    fn begin(folder: &Path, first: u64, next: u64) -> Result<Self, Error> {
        let path = segment_path(folder, first);
        let mut options = OpenOptions::new();
        let file =
            options.append(true).create(true).mode(0o600).open(&path).map_err(Error::io("open", &path))?;
        let size = file.metadata().map_err(Error::io("stat", &path))?.len();
        // What was read may be the cache's only, after a crash between write and fdatasync; and without the
        // folder a cut could take the segment's name, and with it every record acknowledged in it.
        unless(FLUSH_LOG_OPEN, || file.sync_all()).map_err(Error::io("fsync", &path))?;
        unless(FLUSH_LOG_NAME, || sync_folder(folder))?;
        Ok(Self { folder: folder.to_owned(), path, file, size, next, poisoned: false })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.size > sabotage::number("segment", SEGMENT) {
            *self = Self::begin(&self.folder, self.next, self.next)?;
            self.poisoned = true;
        }
        self.file.write_all(bytes).map_err(Error::io("write", &self.path))?;
        unless(FLUSH_RECORD, || self.file.sync_data()).map_err(Error::io("fdatasync", &self.path))?;
        self.size += bytes.len() as u64;
        Ok(())
    }
}

/// Reads the records of a log without touching it, a segment at a time, also while it is appended to. What is no record
/// is passed over.
///
/// # Errors
/// [`Error::Io`] if the system refuses.
pub fn each(folder: &Path, mut told: impl FnMut(Vec<Record>)) -> Result<(), Error> {
    for first in segments(folder)? {
        // One that was retired meanwhile is an empty one.
        let bytes = read(&segment_path(folder, first))?.unwrap_or_default();
        told(record::scan(&bytes, first).records);
    }
    Ok(())
}

/// The first numbers of the segments in a folder, in order.
pub(crate) fn segments(folder: &Path) -> Result<Vec<u64>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let name = entry.map_err(Error::io("list", folder))?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".log"));
        found.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

pub(crate) fn segment_path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.log"))
}

fn read_segment(folder: &Path, first: u64, last: bool, facts: &mut Vec<Fact>) -> Result<Vec<Record>, Error> {
    let path = segment_path(folder, first);
    let bytes = read(&path)?.unwrap_or_default();
    let scan = record::scan(&bytes, first);
    let rest = bytes.len() - scan.whole;
    if scan.damaged || (rest > 0 && !last) {
        let aside = set_aside(&path, &scan.records)?;
        facts.push(Fact::SetAside { path: aside, kept: scan.records.len() });
    } else if rest > 0 {
        cut(&path, scan.whole as u64)?;
        facts.push(Fact::TornTail { bytes: rest as u64 });
    }
    Ok(scan.records)
}

/// Keeps the damaged bytes under another name, and puts what is readable in their place. The second name is made
/// before the first one is replaced, so that a cut between the two loses nothing.
fn set_aside(path: &Path, kept: &[Record]) -> Result<PathBuf, Error> {
    let aside = (0_u32..)
        .map(|n| path.with_extension(format!("damaged-{n}")))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| path.with_extension("damaged"));
    fs::hard_link(path, &aside).map_err(Error::io("link", &aside))?;
    let mut bytes = Vec::new();
    for record in kept {
        record::encode(&mut bytes, record.seq, &record.payload);
    }
    replace(path, &bytes)?;
    Ok(aside)
}

/// Cuts off a torn tail. [`Log::begin`] flushes the last segment before anything is appended.
fn cut(path: &Path, size: u64) -> Result<(), Error> {
    let file = OpenOptions::new().write(true).open(path).map_err(Error::io("open", path))?;
    file.set_len(size).map_err(Error::io("truncate", path))
}

#[cfg(test)]
mod tests;
