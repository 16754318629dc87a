//! Where what is remembered lies: an append log below the room's folder, written as [`super::ink`] lets it be.
//!
//! What is wrong with the folder is set aside and said; nothing here keeps the probes from running.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use journal::{Fact, Log, MAX_PAYLOAD, Opened};
use model::Timestamp;
use model::past::{CELL_S, CELLS};

use super::Moment;
use super::ink::Ink;
use super::record::Record;

/// The cells are written this often though nothing changed: what is lost by a cut then is known to be calm until here.
const CALM: Duration = Duration::from_secs(3600);
/// And this often where something changed, while there is ink.
const NEWS: Duration = Duration::from_secs(600);
/// What could not be written, for want of ink or by an error, waits so long.
const AGAIN: Duration = Duration::from_secs(60);
/// All stories are told again after so many bytes, so that what is older than the strips can go.
const BASE_EVERY: u64 = 512 * 1024;
/// How long the strips reach, seconds.
const REACH_S: i64 = CELL_S as i64 * CELLS as i64;

/// What there is to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Something that should be durable at once.
    pub urgent: bool,
    /// Something changed.
    pub news: bool,
}

/// Where all is told again.
#[derive(Clone, Copy, Debug)]
struct Base {
    first: u64,
    at: i64,
}

/// The keeper of the log.
#[derive(Debug)]
pub struct Keeper {
    folder: PathBuf,
    log: Option<Log>,
    ink: Ink,
    tried: Duration,
    not_before: Duration,
    base: Option<Base>,
    since_base: u64,
}

impl Keeper {
    /// Opens the log in `folder` and reads it. What cannot be opened at all is set aside.
    pub fn open(folder: &Path, now: Timestamp) -> (Self, Vec<Record>) {
        let (log, kept, _) = open(folder);
        let mut keeper = Self {
            folder: folder.to_owned(),
            log,
            ink: Ink::full(),
            tried: Duration::ZERO,
            not_before: Duration::ZERO,
            base: None,
            since_base: 0,
        };
        let records = kept.into_iter().filter_map(|kept| {
            let record = Record::read(&kept.payload)?;
            keeper.since_base += kept.payload.len() as u64;
            match record {
                Record::Ink { left, at } => {
                    keeper.ink = Ink::restored(left, now.as_second().saturating_sub(at))
                }
                Record::Base { at } => {
                    keeper.base = Some(Base { first: kept.seq, at });
                    keeper.since_base = 0;
                }
                _ => {}
            }
            Some(record)
        });
        let records = records.collect();
        (keeper, records)
    }

    /// Whether it is time to write.
    pub fn is_due(&mut self, wanted: Wanted, up: Duration) -> bool {
        self.ink.flow(up);
        if up < self.not_before {
            return false;
        }
        let (left, least) = (self.ink.left(), Ink::cost(1));
        let waited = up.saturating_sub(self.tried);
        (wanted.urgent && left >= least)
            || (wanted.news && waited >= NEWS && left >= Ink::RESERVE + least)
            || (waited >= CALM && left >= least)
    }

    /// Whether all that is remembered should be told again with the next write.
    pub const fn wants_base(&self) -> bool {
        self.since_base >= BASE_EVERY
    }

    /// Writes these records, durable when this returns true. With `base` they tell all stories and traces.
    pub fn write(&mut self, records: &[Record], base: bool, moment: Moment) -> bool {
        let at = moment.wall.as_second();
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        if base {
            payloads.push(Record::Base { at }.bytes());
        }
        payloads.extend(records.iter().map(Record::bytes).filter(|payload| payload.len() <= MAX_PAYLOAD));
        let bytes: usize = payloads.iter().map(|payload| payload.len() + RECORD).sum();
        let cost = Ink::cost(bytes + INK);
        self.not_before = moment.up + AGAIN;
        if cost > self.ink.left() {
            return false;
        }
        // Also what fails has been written, in part at least.
        self.ink.spend(cost);
        self.tried = moment.up;
        payloads.push(Record::Ink { left: self.ink.left(), at }.bytes());
        let Some(first) = self.append(&payloads) else { return false };
        self.not_before = moment.up;
        self.since_base += bytes as u64;
        if base {
            self.base = Some(Base { first, at });
            self.since_base = 0;
        }
        self.retire(at);
        true
    }

    /// Whether the log is there; opens it again after an error. Returns whether what was in it has been set aside.
    pub fn reopen(&mut self) -> bool {
        if self.log.is_some() {
            return false;
        }
        let (log, kept, aside) = open(&self.folder);
        self.log = log;
        let fresh = aside || kept.is_empty();
        if fresh {
            (self.base, self.since_base) = (None, 0);
        }
        fresh
    }

    fn append(&mut self, payloads: &[Vec<u8>]) -> Option<u64> {
        let log = self.log.as_mut()?;
        let first = log.next();
        let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        match log.append(&payloads) {
            Ok(_) => Some(first),
            Err(error) => {
                tracing::warn!(%error, "the line's history was not kept; it is tried again");
                self.log = None;
                None
            }
        }
    }

    /// Lets go what lies before the base, once the strips do not reach it any more.
    fn retire(&mut self, now: i64) {
        let Some(base) = self.base.filter(|base| now.saturating_sub(base.at) > REACH_S) else { return };
        self.base = None;
        if let Some(Err(error)) = self.log.as_mut().map(|log| log.retire(base.first)) {
            tracing::warn!(%error, "old history was not let go");
        }
    }
}

/// What a record takes beside its payload.
const RECORD: usize = 16;
/// What the record of the ink takes.
const INK: usize = 64;

fn open(folder: &Path) -> (Option<Log>, Vec<journal::Record>, bool) {
    match Log::open(folder) {
        Ok(opened) => return (Some(opened.log), told(opened.records, &opened.facts), false),
        Err(error) => tracing::warn!(%error, "the line's history cannot be opened and is set aside"),
    }
    set_aside(folder);
    match Log::open(folder) {
        Ok(Opened { log, records, facts }) => (Some(log), told(records, &facts), true),
        Err(error) => {
            tracing::warn!(%error, "the line's history is not kept");
            (None, Vec::new(), true)
        }
    }
}

fn told(records: Vec<journal::Record>, facts: &[Fact]) -> Vec<journal::Record> {
    for fact in facts {
        tracing::warn!(?fact, "the line's history was damaged; what is readable goes on");
    }
    records
}

/// Moves the folder, or what stands in its place, aside; only the newest such thing is kept.
fn set_aside(folder: &Path) {
    let aside = folder.with_extension("damaged");
    // What is not there cannot be removed, and what cannot be removed will not be replaced.
    let _ = fs::remove_dir_all(&aside).or_else(|_| fs::remove_file(&aside));
    if let Err(error) = fs::rename(folder, &aside) {
        tracing::warn!(path = %folder.display(), %error, "the line's history cannot be set aside");
    }
}
