//! The history in sled 0.34.7. It loses acknowledged data in a power cut, which is why nothing here is promised
//! (docs/decisions/0007). It may come down on damaged bytes: every call is caught.

use std::path::Path;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::parcel::{Day as Row, Direction, Pair, Passed};
use sled::{Batch, Config, Db, Mode, Tree};

use super::day::{Day, Event, date_of};
use super::store::{Store, StoreError, remembered, unwound};

/// How much of it is kept in memory.
const CACHE: u64 = 256 * 1024;
/// Its file grows by so much, and so much is buffered in memory.
const SEGMENT: usize = 64 * 1024;
/// How many parcels are remembered.
pub const PARCELS: usize = 100_000;
/// How many days are.
const DAYS: usize = 400;
/// How sled says that another process, or another thread of this one, has it open.
const LOCK: &str = "could not acquire lock";
/// A store that was closed a moment ago may still be locked.
const LOCKED: Duration = Duration::from_secs(5);

/// The first entry of every store. sled takes a log whose beginning it cannot read for an empty one, and says nothing.
const MADE: &str = "made";

/// Three trees: `days` by date, `pairs` of today by time, `parcels` by number.
#[derive(Debug)]
pub struct SledStore {
    db: Db,
    days: Tree,
    pairs: Tree,
    parcels: Tree,
    count: usize,
    date: Option<jiff::civil::Date>,
}

impl SledStore {
    /// Opens the store in `folder`, and reads all of it.
    ///
    /// # Errors
    /// If anything of it is not what was written.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let new = !folder.exists();
        let db = patiently(|| {
            let config = Config::new().path(folder).cache_capacity(CACHE).mode(Mode::LowSpace);
            config.segment_size(SEGMENT).flush_every_ms(None).open()
        })?;
        if new {
            db.insert(MADE, &[]).map_err(refused)?;
        } else if db.get(MADE).map_err(refused)?.is_none() {
            return Err(StoreError::Entry);
        }
        let tree = |name: &str| db.open_tree(name).map_err(refused);
        let (days, pairs, parcels) = (tree("days")?, tree("pairs")?, tree("parcels")?);
        let mut store = Self { db, days, pairs, parcels, count: 0, date: None };
        store.read_all()?;
        Ok(store)
    }

    fn read_all(&mut self) -> Result<(), StoreError> {
        for entry in self.days.iter() {
            row(&entry.map_err(refused)?.1)?;
        }
        for entry in self.pairs.iter() {
            let (key, value) = entry.map_err(refused)?;
            pair(&key, &value)?;
        }
        self.count = 0;
        for entry in self.parcels.iter() {
            let (key, value) = entry.map_err(refused)?;
            <[u8; 8]>::try_from(&*key).map_err(|_| StoreError::Entry)?;
            passed(&value)?;
            self.count += 1;
        }
        Ok(())
    }

    fn put_day(&mut self, events: &[Event], day: &Day) -> Result<(), StoreError> {
        if self.date != Some(day.date) {
            // Pairs of another day are in its row.
            for entry in self.pairs.iter() {
                let (key, value) = entry.map_err(refused)?;
                if date_of(pair(&key, &value)?.at) != day.date {
                    self.pairs.remove(key).map_err(refused)?;
                }
            }
            while self.days.len() > DAYS {
                self.days.pop_min().map_err(refused)?;
            }
            self.date = Some(day.date);
        }
        let mut batch = Batch::default();
        let told = events.iter().filter_map(|event| match event {
            Event::Came { pair, number, .. } => Some((*number, (*pair)?)),
            Event::Went { .. } | Event::Said { .. } => None,
        });
        // A new store gets the pairs it has not been told of, which have no number any more.
        let known = if events.is_empty() { day.pairs.as_slice() } else { &[] };
        for (number, pair) in told.chain((0..).zip(known.iter().copied())) {
            batch.insert(key_of(number, pair).as_slice(), &pair.took_ms.to_le_bytes());
        }
        self.pairs.apply_batch(batch).map_err(refused)?;
        let bytes = serde_json::to_vec(&day.row()).map_err(|_| StoreError::Entry)?;
        self.days.insert(day.date.to_string().as_bytes(), bytes).map_err(refused)?;
        Ok(())
    }

    /// Hands what was put in to the system. Promises nothing.
    fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(drop).map_err(refused)
    }

    fn put_parcels(&mut self, passed: &[(u64, Passed)]) -> Result<(), StoreError> {
        for (number, passed) in passed {
            let before = self.parcels.insert(number.to_be_bytes(), bytes_of(passed)).map_err(refused)?;
            self.count += usize::from(before.is_none());
        }
        while self.count > PARCELS {
            self.parcels.pop_min().map_err(refused)?;
            self.count -= 1;
        }
        Ok(())
    }
}

impl Store for SledStore {
    fn today(&mut self, now: Timestamp) -> Result<Day, StoreError> {
        unwound(|| {
            let mut day = Day::of(now);
            let Some(bytes) = self.days.get(day.date.to_string().as_bytes()).map_err(refused)? else {
                return Ok(day);
            };
            let row = row(&bytes)?;
            (day.requests, day.answers, day.outcomes) = (row.requests, row.answers, row.outcomes);
            for entry in self.pairs.iter() {
                let (key, value) = entry.map_err(refused)?;
                day.pairs.extend(Some(pair(&key, &value)?).filter(|pair| date_of(pair.at) == day.date));
            }
            let over = day.pairs.len().saturating_sub(model::part::RelayPart::PAIRS_KEPT);
            day.pairs.drain(..over);
            Ok(day)
        })
    }

    fn write(&mut self, events: &[Event], day: &Day) -> Result<(), StoreError> {
        unwound(|| {
            self.put_day(events, day)?;
            let passed: Vec<(u64, Passed)> = events.iter().filter_map(of_event).collect();
            self.put_parcels(&passed)?;
            self.flush()
        })
    }

    fn passed(&mut self, number: u64) -> Result<Option<Passed>, StoreError> {
        unwound(|| {
            let found = self.parcels.get(number.to_be_bytes()).map_err(refused)?;
            found.map(|bytes| passed(&bytes)).transpose()
        })
    }

    fn days(&mut self) -> Result<Vec<Row>, StoreError> {
        unwound(|| self.days.iter().map(|entry| row(&entry.map_err(refused)?.1)).collect())
    }

    fn rebuild(&mut self, relay: &Path) -> Result<usize, StoreError> {
        unwound(|| {
            let (mut count, mut wrong) = (0, None);
            remembered(relay, |passed| {
                count += passed.len();
                wrong = wrong.take().or(self.put_parcels(&passed).err());
            });
            wrong.map_or(Ok(()), Err)?;
            self.flush().map(|()| count)
        })
    }
}

fn refused(error: sled::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}

fn patiently(open: impl Fn() -> sled::Result<Db>) -> Result<Db, StoreError> {
    let until = Instant::now() + LOCKED;
    loop {
        match open() {
            Err(sled::Error::Io(error)) if error.to_string().contains(LOCK) && Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Err(sled::Error::Io(error)) if error.to_string().contains(LOCK) => {
                return Err(StoreError::Away(error.to_string()));
            }
            opened => return opened.map_err(refused),
        }
    }
}

fn row(bytes: &[u8]) -> Result<Row, StoreError> {
    serde_json::from_slice(bytes).map_err(|_| StoreError::Entry)
}

/// When the request was published, in nanoseconds, then the answer's number: several are published at once.
fn key_of(number: u64, pair: Pair) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&pair.at.as_nanosecond().to_be_bytes());
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}

fn pair(key: &[u8], value: &[u8]) -> Result<Pair, StoreError> {
    let (at, number) = key.split_first_chunk::<16>().ok_or(StoreError::Entry)?;
    <[u8; 8]>::try_from(number).map_err(|_| StoreError::Entry)?;
    let at = i128::from_be_bytes(*at);
    let took_ms = f64::from_le_bytes(value.try_into().map_err(|_| StoreError::Entry)?);
    let at = Timestamp::from_nanosecond(at).map_err(|_| StoreError::Entry)?;
    Ok(Pair { at, took_ms })
}

fn of_event(event: &Event) -> Option<(u64, Passed)> {
    match event {
        Event::Went { number, kind, direction, at } | Event::Came { number, kind, direction, at, .. } => {
            Some((*number, Passed { at: *at, direction: Some(*direction), kind: Some(kind.clone()) }))
        }
        Event::Said { .. } => None,
    }
}

/// `seconds i64 | direction u8 | kind`.
fn bytes_of(passed: &Passed) -> Vec<u8> {
    let direction = match passed.direction {
        None => b'?',
        Some(Direction::Request) => b'r',
        Some(Direction::Answer) => b'a',
    };
    let kind = passed.kind.as_deref().unwrap_or_default();
    [passed.at.as_second().to_be_bytes().as_slice(), &[direction], kind.as_bytes()].concat()
}

fn passed(bytes: &[u8]) -> Result<Passed, StoreError> {
    let (at, rest) = bytes.split_first_chunk::<8>().ok_or(StoreError::Entry)?;
    let (direction, kind) = rest.split_first().ok_or(StoreError::Entry)?;
    let direction = match direction {
        b'?' => None,
        b'r' => Some(Direction::Request),
        b'a' => Some(Direction::Answer),
        _ => return Err(StoreError::Entry),
    };
    let kind = std::str::from_utf8(kind).map_err(|_| StoreError::Entry)?;
    let at = Timestamp::from_second(i64::from_be_bytes(*at)).map_err(|_| StoreError::Entry)?;
    Ok(Passed { at, direction, kind: (!kind.is_empty()).then(|| kind.to_owned()) })
}
