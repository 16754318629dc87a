//! Reads a chain without touching it, and says what is wrong with it: which record was changed, is missing, was moved,
//! or that the end was cut off.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use super::{Anchor, Link, ends};
use crate::log::{segment_path, segments};
use crate::record;
use crate::{Error, read};

/// What is wrong with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// This record is not what was written.
    Changed(u64),
    /// This record is not there.
    Missing(u64),
    /// This record does not stand where it was written.
    Moved(u64),
    /// The chain once went on to `head`, and now ends with `last`.
    CutOff {
        /// The last record there is.
        last: u64,
        /// The last one there was.
        head: u64,
    },
    /// There are records, and nothing says how many there were.
    NoEnds,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(seq) => write!(f, "record {seq} was changed"),
            Self::Missing(seq) => write!(f, "record {seq} is missing"),
            Self::Moved(seq) => write!(f, "record {seq} does not stand where it was written"),
            Self::CutOff { last, head } => {
                write!(f, "the end was cut off: it went to record {head} and ends with {last}")
            }
            Self::NoEnds => f.write_str("the file that tells how far the record goes is missing or damaged"),
        }
    }
}

/// A chain as it was found.
#[derive(Debug, Default)]
pub struct Verified {
    /// What can be read, oldest first, each record once.
    pub links: Vec<Link>,
    /// What is wrong, in the order of the records.
    pub flaws: Vec<Flaw>,
    /// The newest record, for being noted elsewhere.
    pub head: Anchor,
}

/// Reads the chain in `folder`, which a daemon may be appending to.
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub fn verify(folder: &Path) -> Result<Verified, Error> {
    // Before the records: what is appended meanwhile is more than the head promises, and never less.
    let kept = ends(folder)?;
    let mut found = Vec::new();
    for first in segments(folder)? {
        // One that was retired meanwhile is an empty one.
        let bytes = read(&segment_path(folder, first))?.unwrap_or_default();
        let places = record::places(&bytes).into_iter();
        found.extend(places.map(|place| place.and_then(Link::parse)));
    }
    let ends = kept.unwrap_or_default();
    let mut walk = Walk::new(&found, ends.start.seq.saturating_add(1));
    found.iter().for_each(|place| walk.meet(place.as_ref()));
    walk.end(ends.head);
    let start = walk.links.iter().find(|link| link.seq == ends.start.seq).map(Link::anchor);
    if start.is_some_and(|start| start != ends.start) {
        walk.flaws.insert(Flaw::Changed(ends.start.seq));
    }
    let mut flaws: Vec<Flaw> = walk.flaws.into_iter().collect();
    if kept.is_none() && !walk.links.is_empty() {
        flaws.push(Flaw::NoEnds);
    }
    let head = walk.links.last().map_or(ends.head, Link::anchor);
    Ok(Verified { links: walk.links, flaws, head })
}

struct Walk {
    /// Every number that is somewhere.
    somewhere: BTreeSet<u64>,
    /// The number that should come next, or an earlier one at the beginning.
    next: u64,
    /// Bytes that are no record were met since the last one.
    torn: bool,
    links: Vec<Link>,
    flaws: BTreeSet<Flaw>,
}

impl Walk {
    fn new(found: &[Option<Link>], next: u64) -> Self {
        let somewhere = found.iter().flatten().map(|link| link.seq).collect();
        Self { somewhere, next, torn: false, links: Vec::new(), flaws: BTreeSet::new() }
    }

    fn meet(&mut self, place: Option<&Link>) {
        let Some(link) = place else {
            self.torn = true;
            return;
        };
        let last = self.links.last().map(Link::anchor);
        if last.is_some_and(|last| link.seq <= last.seq) {
            self.flaws.insert(Flaw::Moved(link.seq));
            return;
        }
        self.lost(link.seq);
        match last {
            Some(last) if last.seq + 1 == link.seq && last.hash != link.previous => {
                self.flaws.insert(Flaw::Changed(last.seq));
            }
            None if link.seq == 1 && link.previous != [0; 32] => {
                self.flaws.insert(Flaw::Changed(1));
            }
            _ => {}
        }
        self.next = link.seq.saturating_add(1);
        self.links.push(link.clone());
        self.torn = false;
    }

    /// What should have come before `seq`.
    fn lost(&mut self, seq: u64) {
        for gone in self.next..seq {
            // What stands elsewhere is met there.
            if !self.somewhere.contains(&gone) {
                self.flaws.insert(if self.torn { Flaw::Changed(gone) } else { Flaw::Missing(gone) });
            }
        }
    }

    fn end(&mut self, head: Anchor) {
        let last = self.links.last().map_or_else(Anchor::default, Link::anchor);
        if head.seq > last.seq && self.torn {
            self.lost(head.seq.saturating_add(1));
        } else if head.seq > last.seq {
            self.flaws.insert(Flaw::CutOff { last: last.seq, head: head.seq });
        }
        let found = self.links.iter().find(|link| link.seq == head.seq).map(Link::anchor);
        if found.is_some_and(|found| found.hash != head.hash) {
            self.flaws.insert(Flaw::Changed(head.seq));
        }
    }
}

impl Ord for Flaw {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for Flaw {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Flaw {
    /// In the order of the records.
    const fn place(&self) -> (u64, u8) {
        match self {
            Self::Changed(seq) => (*seq, 0),
            Self::Missing(seq) => (*seq, 1),
            Self::Moved(seq) => (*seq, 2),
            Self::CutOff { last, .. } => (*last, 3),
            Self::NoEnds => (u64::MAX, 4),
        }
    }
}
