//! Where the history lies: a trait, and how it is opened, set aside and made anew.

use std::any::Any;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Instant;

use model::Timestamp;
use model::parcel::{Day as Row, Direction, Passed};
use serde::{Deserialize, Serialize};

use super::apart::Apart;
use super::day::{Day, Event};
use super::sled_store::SledStore;
use crate::entry::Attempt;
use crate::request::Mark;
use crate::site::HistoryBy;

/// Why the store is of no use.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub enum StoreError {
    /// It could not be asked, and is none the worse for it.
    #[error("{0}")]
    Away(String),
    /// It says that it is damaged, or that the system refuses.
    #[error("{0}")]
    Refused(String),
    /// What it holds is not what was put into it.
    #[error("an entry is not what was written")]
    Entry,
    /// It came down.
    #[error("it came down: {0}")]
    CameDown(String),
}

/// Index, history and counters. Nothing it loses is missed by a parcel.
pub trait Store: Send {
    /// What today was until now.
    fn today(&mut self, now: Timestamp) -> Result<Day, StoreError>;
    /// Puts in what happened, and what today is with it.
    fn write(&mut self, events: &[Event], day: &Day) -> Result<(), StoreError>;
    /// What became of a parcel.
    fn passed(&mut self, number: u64) -> Result<Option<Passed>, StoreError>;
    /// Every day, oldest first.
    fn days(&mut self) -> Result<Vec<Row>, StoreError>;
    /// Puts into a new one what the relay's own folder still says. Returns how many parcels that are.
    fn rebuild(&mut self, relay: &Path) -> Result<usize, StoreError>;
}

/// No store: what was is forgotten.
#[derive(Debug)]
pub struct Memory;

impl Store for Memory {
    fn today(&mut self, now: Timestamp) -> Result<Day, StoreError> {
        Ok(Day::of(now))
    }

    fn write(&mut self, _events: &[Event], _day: &Day) -> Result<(), StoreError> {
        Ok(())
    }

    fn passed(&mut self, _number: u64) -> Result<Option<Passed>, StoreError> {
        Ok(None)
    }

    fn days(&mut self) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }

    fn rebuild(&mut self, _relay: &Path) -> Result<usize, StoreError> {
        Ok(0)
    }
}

/// Where the store lies in the relay's own folder.
pub fn folder(relay: &Path) -> PathBuf {
    relay.join("history")
}

/// There while the store is being opened: what brings the whole process down then is not tried a second time.
fn opening(relay: &Path) -> PathBuf {
    relay.join("history.opening")
}

/// The store as it lies there; none yet, and what was being opened when the relay ended, is made anew.
pub fn open(relay: &Path, by: &HistoryBy) -> Box<dyn Store> {
    if opening(relay).exists() {
        tracing::error!("the history was being opened when the relay ended: it is set aside and made anew");
        // Whether it brought the relay down or the power went in that moment, nobody knows: it is not called damaged.
        set_aside(relay, "history.unfinished");
        return anew(relay, by);
    }
    if !folder(relay).exists() {
        return anew(relay, by);
    }
    match made(relay, by) {
        Ok(store) => store,
        Err(StoreError::Away(reason)) => {
            tracing::error!(reason, "there is no history until the next start");
            Box::new(Memory)
        }
        Err(error) => {
            tracing::error!(%error, "the history is damaged: it is set aside and made anew");
            anew(relay, by)
        }
    }
}

/// Sets aside what there is, and makes a new store of what the folders and the log say. What cannot be made is none.
pub fn anew(relay: &Path, by: &HistoryBy) -> Box<dyn Store> {
    set_aside(relay, DAMAGED);
    let begun = Instant::now();
    let rebuilt = made(relay, by).and_then(|mut store| store.rebuild(relay).map(|count| (store, count)));
    match rebuilt {
        Ok((store, count)) => {
            tracing::info!(count, took_ms = begun.elapsed().as_millis(), "made the history's index anew");
            store
        }
        Err(error) => {
            tracing::error!(%error, "there is no history until the next start");
            Box::new(Memory)
        }
    }
}

fn made(relay: &Path, by: &HistoryBy) -> Result<Box<dyn Store>, StoreError> {
    Ok(match by {
        HistoryBy::Itself => Box::new(open_here(relay)?),
        HistoryBy::Program(program, arguments) => Box::new(Apart::new(program, arguments, relay)),
    })
}

/// Opens sled in this process and reads all of it, so that what is damaged is found here.
pub fn open_here(relay: &Path) -> Result<SledStore, StoreError> {
    let refused = |error: std::io::Error| StoreError::Refused(error.to_string());
    fs::write(opening(relay), b"").map_err(refused)?;
    let opened = unwound(|| SledStore::open(&folder(relay)));
    fs::remove_file(opening(relay)).map_err(refused)?;
    opened
}

/// Runs what may panic on damaged bytes.
pub fn unwound<V>(act: impl FnOnce() -> Result<V, StoreError>) -> Result<V, StoreError> {
    let said = |panic: Box<dyn Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(String::new, |&text| text.to_owned()),
    };
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| Err(StoreError::CameDown(said(panic))))
}

/// What a store is called that was not what was written.
const DAMAGED: &str = "history.damaged";

/// One of each name is kept for whoever wants to know why.
fn set_aside(relay: &Path, name: &str) {
    let (from, to) = (folder(relay), relay.join(name));
    if from.exists() {
        let _ = fs::remove_dir_all(&to);
        if fs::rename(&from, &to).is_err() {
            let _ = fs::remove_dir_all(&from);
        }
    }
    let _ = fs::remove_file(opening(relay));
}

/// What the log of recorded parcels and the folder of attempts still say, in pieces: numbers and times. Counts and pairs
/// are lost.
pub fn remembered(relay: &Path, mut told: impl FnMut(Vec<(u64, Passed)>)) {
    let read =
        journal::each(&relay.join("log"), |records| told(records.iter().filter_map(recorded).collect()));
    if let Err(error) = read {
        tracing::warn!(%error, "the history is made anew without the log");
    }
    told(submitted(relay));
}

fn recorded(record: &journal::Record) -> Option<(u64, Passed)> {
    let (number, _, at) = crate::ledger::parse(&record.payload)?;
    Some((number, Passed { at: Timestamp::from_second(at).ok()?, direction: None, kind: None }))
}

fn submitted(relay: &Path) -> Vec<(u64, Passed)> {
    let ends = fs::read_dir(relay.join("attempted")).into_iter().flatten().flatten();
    let entries = ends.filter_map(|end| fs::read_dir(end.path()).ok()).flatten().flatten();
    let passed = |entry: fs::DirEntry| {
        let attempt = Attempt::parse(&entry.file_name()).filter(|attempt| attempt.mark == Mark::Submitted)?;
        let at = Timestamp::try_from(entry.metadata().ok()?.modified().ok()?).ok()?;
        Some((attempt.number, Passed { at, direction: Some(Direction::Request), kind: None }))
    };
    entries.filter_map(passed).collect()
}
