//! A log whose records hold on to each other: each carries the hash of the one before it, so that one that was
//! changed, removed or moved is found out, and by the head, kept beside them, also an end that was cut off.
//!
//! The hash of a record is SHA-256 over its number, the hash before it and the entry's bytes as they were written:
//! `seq u64 little-endian | previous 32 bytes | entry`. Before the first record there are 32 zeroes. Whoever may write
//! the folder could make a whole new chain; a head that was noted elsewhere tells that one from this.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::log::{Fact, Log};
use crate::record::Record;
use crate::{Error, read, replace};

mod verify;

pub use verify::{Flaw, Verified, verify};

/// What a record is known by to the next one.
pub type Hash = [u8; 32];

/// A place in a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anchor {
    /// The record's number; nought before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

/// One record of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub seq: u64,
    /// The hash of the record before it.
    pub previous: Hash,
    /// What was written.
    pub entry: Vec<u8>,
}

impl Link {
    /// The place of this record.
    pub fn anchor(&self) -> Anchor {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.seq.to_le_bytes());
        context.update(&self.previous);
        context.update(&self.entry);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Anchor { seq: self.seq, hash }
    }

    fn parse(record: Record) -> Option<Self> {
        let (previous, entry) = record.payload.split_first_chunk::<32>()?;
        Some(Self { seq: record.seq, previous: *previous, entry: entry.to_vec() })
    }
}

/// Where a chain begins and ends, as it is kept beside the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    /// Up to here records may have been retired.
    start: Anchor,
    /// The newest record that was acknowledged.
    head: Anchor,
}

/// A chain that is appended to. One process opens a folder at a time; the caller sees to that.
#[derive(Debug)]
pub struct Chain {
    folder: PathBuf,
    log: Log,
    ends: Ends,
}

/// A chain, just opened.
#[derive(Debug)]
pub struct OpenedChain {
    /// The chain, ready to be appended to.
    pub chain: Chain,
    /// Everything that can be read, oldest first; whether it is whole says [`verify`].
    pub links: Vec<Link>,
    /// What was found of the log below it.
    pub facts: Vec<Fact>,
}

impl Chain {
    /// Opens the chain in `folder`, which is made if absent. What is missing at its end stays missing: a number is
    /// never given twice, so that the gap is seen for ever.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses; damage is no error.
    pub fn open(folder: &Path) -> Result<OpenedChain, Error> {
        let opened = Log::open(folder)?;
        let links: Vec<Link> = opened.records.into_iter().filter_map(Link::parse).collect();
        let mut ends = ends(folder)?.unwrap_or_default();
        if let Some(last) = links.last().filter(|last| last.seq > ends.head.seq) {
            ends.head = last.anchor();
        }
        let mut log = opened.log;
        log.skip_to(ends.head.seq.saturating_add(1));
        Ok(OpenedChain { chain: Self { folder: folder.to_owned(), log, ends }, links, facts: opened.facts })
    }

    /// Appends an entry, durable when this returns. Returns where it is.
    ///
    /// # Errors
    /// As [`Log::append`]: after an [`Error::Io`] the chain has to be opened again, which tells what it holds.
    pub fn append(&mut self, entry: &[u8]) -> Result<Anchor, Error> {
        let link = Link { seq: self.log.next(), previous: self.ends.head.hash, entry: entry.to_vec() };
        self.log.append(&[&[link.previous.as_slice(), entry].concat()])?;
        self.ends.head = link.anchor();
        // After the record: a head that is behind is made up for, one that is ahead would accuse somebody.
        self.write_ends()?;
        Ok(self.ends.head)
    }

    /// Lets go of records up to and including `last`, as whole segments of the log.
    ///
    /// # Errors
    /// [`Error::Io`] if the system refuses; the chain stays usable.
    pub fn retire(&mut self, last: &Link) -> Result<(), Error> {
        self.ends.start = last.anchor();
        self.write_ends()?;
        self.log.retire(last.seq.saturating_add(1))
    }

    fn write_ends(&self) -> Result<(), Error> {
        let line = |name: &str, anchor: &Anchor| format!("{name} {} {}\n", anchor.seq, hex(&anchor.hash));
        let text = line("start", &self.ends.start) + &line("head", &self.ends.head);
        replace(&ends_path(&self.folder), text.as_bytes())
    }
}

/// A hash as text.
pub fn hex(hash: &Hash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn ends_path(folder: &Path) -> PathBuf {
    folder.join("ends")
}

/// The ends kept beside the records; none if there are none that can be read.
fn ends(folder: &Path) -> Result<Option<Ends>, Error> {
    let bytes = read(&ends_path(folder))?;
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text.and_then(|text| {
        let mut lines = text.lines();
        Some(Ends { start: anchor(lines.next()?, "start")?, head: anchor(lines.next()?, "head")? })
    }))
}

fn anchor(line: &str, name: &str) -> Option<Anchor> {
    let mut words = line.split(' ');
    let (found, seq, text) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
    let mut hash = [0; 32];
    if found != name || text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(Anchor { seq, hash })
}

#[cfg(test)]
mod tests;
