//! What the relay counts and remembers beyond a restart: today's counts and pairs, the days before, and by journal
//! number what went and came. Statistics: nothing that is promised depends on it, and no parcel waits for it.
//!
//! A thread of its own keeps it. It is told through a bounded channel; what does not fit is lost and counted. What it was
//! told goes into the store every few seconds. What is wrong with the store is set aside, and what the folders and the
//! log still say is put into a new one.

mod apart;
mod day;
mod sled_store;
mod store;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::parcel::{Day as Row, Passed};
use tokio::sync::oneshot;

pub use apart::serve;
pub use day::{Day, Event};

use day::date_of;
use store::{Memory, Store, StoreError};

use crate::site::HistoryBy;

/// How many events wait; beyond them they are lost.
const WAITING: usize = 2048;
/// So long after an event it is written at the latest.
const PAUSE: Duration = Duration::from_secs(10);

/// What the keeper is told.
#[derive(Debug)]
enum Told {
    // Boxed: the channel's places are all made at once.
    Event(Box<Event>),
    /// Somebody asks what became of a parcel.
    Passed(u64, oneshot::Sender<Option<Passed>>),
    /// Somebody asks for the days.
    Days(oneshot::Sender<Vec<Row>>),
}

/// The end of the channel that never waits.
#[derive(Clone, Debug)]
pub struct History {
    tell: SyncSender<Told>,
    lost: Arc<AtomicU64>,
}

impl History {
    /// Starts the keeper on what lies in `relay`, the relay's own folder. `loaded` is told what today was until now,
    /// when that is known; events may be told before.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        relay: &Path,
        by: &HistoryBy,
        loaded: impl FnOnce(Day) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (tell, told) = sync_channel(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let (relay, by, missed) = (relay.to_owned(), by.clone(), lost.clone());
        std::thread::Builder::new().name("history".into()).spawn(move || {
            let mut keeper = Keeper::open(relay, by, Timestamp::now());
            loaded(keeper.day.clone());
            keeper.run(&told, &missed);
        })?;
        Ok(Self { tell, lost })
    }

    /// Tells an event. Never waits.
    pub fn tell(&self, event: Event) {
        if self.tell.try_send(Told::Event(Box::new(event))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What became of the parcel of this number, if that is remembered.
    pub async fn passed(&self, number: u64) -> Option<Passed> {
        let (reply, answer) = oneshot::channel();
        self.tell.try_send(Told::Passed(number, reply)).ok()?;
        answer.await.ok()?
    }

    /// Every day that is remembered, oldest first.
    pub async fn days(&self) -> Vec<Row> {
        let (reply, answer) = oneshot::channel();
        match self.tell.try_send(Told::Days(reply)) {
            Ok(()) => answer.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }
}

/// The thread that keeps it.
struct Keeper {
    relay: PathBuf,
    by: HistoryBy,
    store: Box<dyn Store>,
    day: Day,
    unwritten: Vec<Event>,
}

impl Keeper {
    fn open(relay: PathBuf, by: HistoryBy, now: Timestamp) -> Self {
        let store = store::open(&relay, &by);
        let mut keeper = Self { relay, by, store, day: Day::of(now), unwritten: Vec::new() };
        keeper.day = keeper.attempt(|store| store.today(now)).unwrap_or_else(|| Day::of(now));
        keeper
    }

    /// Runs until nobody can tell anything any more.
    fn run(&mut self, told: &Receiver<Told>, lost: &AtomicU64) {
        let mut due: Option<Instant> = None;
        loop {
            // Without anything to write it sleeps until it is told something.
            let next = match due {
                Some(at) => told.recv_timeout(at.saturating_duration_since(Instant::now())),
                None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(one) => self.take(one),
                Err(RecvTimeoutError::Timeout) => self.write(),
                Err(RecvTimeoutError::Disconnected) => return self.write(),
            }
            self.say(lost);
            if self.unwritten.len() >= WAITING {
                self.write();
            }
            due = (!self.unwritten.is_empty()).then(|| due.unwrap_or_else(|| Instant::now() + PAUSE));
        }
    }

    /// An event is counted; a question is answered from what was written before it.
    fn take(&mut self, told: Told) {
        match told {
            Told::Event(event) => self.unwritten.push(*event),
            Told::Passed(number, reply) => {
                self.write();
                let _ = reply.send(self.attempt(|store| store.passed(number)).flatten());
            }
            Told::Days(reply) => {
                self.write();
                let _ = reply.send(self.attempt(|store| store.days()).unwrap_or_default());
            }
        }
    }

    fn write(&mut self) {
        let events = std::mem::take(&mut self.unwritten);
        for of_one_day in events.chunk_by(|one, other| date_of(one.at()) == date_of(other.at())) {
            of_one_day.iter().for_each(|event| self.day.apply(event));
            let day = self.day.clone();
            self.attempt(|store| store.write(of_one_day, &day));
        }
    }

    /// Does something with the store. One that fails is set aside and made anew, and what today was goes into it; if
    /// that fails too, there is none.
    fn attempt<V>(&mut self, act: impl Fn(&mut dyn Store) -> Result<V, StoreError>) -> Option<V> {
        match act(&mut *self.store) {
            Ok(value) => return Some(value),
            Err(StoreError::Away(reason)) => {
                tracing::warn!(reason, "the history could not be asked");
                return None;
            }
            Err(error) => tracing::error!(%error, "the history was damaged: it is set aside and made anew"),
        }
        // It must be closed before another one is opened, and may come down at that too.
        let damaged = std::mem::replace(&mut self.store, Box::new(Memory));
        let _ = store::unwound(|| {
            drop(damaged);
            Ok(())
        });
        self.store = store::anew(&self.relay, &self.by);
        let day = self.day.clone();
        let written = self.store.write(&[], &day).and_then(|()| act(&mut *self.store));
        written
            .inspect_err(|error| {
                tracing::error!(%error, "there is no history until the next start");
                self.store = Box::new(Memory);
            })
            .ok()
    }

    fn say(&self, lost: &AtomicU64) {
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            tracing::warn!(count, "statistics were lost: they came faster than they are written");
        }
    }
}

#[cfg(test)]
mod tests;
