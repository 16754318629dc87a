//! The store in a process of its own that lives as long as one question to it. sled takes 22 MB for as long as it is
//! open, and keeps seven threads that wake every second for as long as its process runs; both are too much for a role
//! that is at rest most of the day. What brings it down on damaged bytes, even by ending its process, ends nothing else.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use model::Timestamp;
use model::parcel::{Day as Row, Passed};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::day::{Day, Event};
use super::store::{Store, StoreError, open_here};

/// How long one question may take: making the index anew takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// One question.
#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    Today(Timestamp),
    Write(Vec<Event>, Day),
    Passed(u64),
    Days,
    Rebuild,
}

/// The store, by way of a program that is started for each question.
#[derive(Debug)]
pub struct Apart {
    program: PathBuf,
    arguments: Vec<String>,
    relay: PathBuf,
}

impl Apart {
    /// By this program and these arguments; the relay's own folder is put behind them.
    pub fn new(program: &Path, arguments: &[String], relay: &Path) -> Self {
        Self { program: program.to_owned(), arguments: arguments.to_vec(), relay: relay.to_owned() }
    }

    fn ask<V: DeserializeOwned>(&self, ask: &Ask) -> Result<V, StoreError> {
        let away = |error: std::io::Error| StoreError::Away(error.to_string());
        let words = serde_json::to_vec(ask).map_err(|_| StoreError::Entry)?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(&self.relay).env_clear();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(away)?;
        let answered = answer(&mut child, &words);
        // Whatever came, nothing of it goes on.
        let _ = child.kill();
        let ended = child.wait().map_err(away)?;
        let bytes = answered?;
        serde_json::from_slice::<Result<V, StoreError>>(&bytes)
            .map_err(|_| StoreError::CameDown(ended.to_string()))?
    }
}

/// Says the words, and waits for the answer with patience.
fn answer(child: &mut Child, words: &[u8]) -> Result<Vec<u8>, StoreError> {
    let gone = || StoreError::CameDown("it takes no question".into());
    child.stdin.take().ok_or_else(gone)?.write_all(words).map_err(|_| gone())?;
    let mut from = child.stdout.take().ok_or_else(gone)?;
    let (tell, told) = mpsc::channel();
    let reader = std::thread::Builder::new().name("history-reader".into()).spawn(move || {
        let mut bytes = Vec::new();
        let read = from.read_to_end(&mut bytes).map(|_| bytes);
        // Whoever asked may have lost patience.
        let _ = tell.send(read);
    });
    reader.map_err(|error| StoreError::Away(error.to_string()))?;
    let read = told.recv_timeout(PATIENCE).map_err(|_| StoreError::CameDown("it does not answer".into()))?;
    read.map_err(|error| StoreError::CameDown(error.to_string()))
}

impl Store for Apart {
    fn today(&mut self, now: Timestamp) -> Result<Day, StoreError> {
        self.ask(&Ask::Today(now))
    }

    fn write(&mut self, events: &[Event], day: &Day) -> Result<(), StoreError> {
        self.ask(&Ask::Write(events.to_vec(), day.clone()))
    }

    fn passed(&mut self, number: u64) -> Result<Option<Passed>, StoreError> {
        self.ask(&Ask::Passed(number))
    }

    fn days(&mut self) -> Result<Vec<Row>, StoreError> {
        self.ask(&Ask::Days)
    }

    fn rebuild(&mut self, _relay: &Path) -> Result<usize, StoreError> {
        self.ask(&Ask::Rebuild)
    }
}

/// The other end: answers one question about the history in `relay`, which comes by `from`. What keeps it from it is
/// part of the answer; it is the asker's to set the store aside.
///
/// # Errors
/// If the question cannot be read or the answer not be written.
pub fn serve(relay: &Path, mut from: impl Read, mut to: impl Write) -> std::io::Result<()> {
    let mut words = Vec::new();
    from.read_to_end(&mut words)?;
    let answer = serde_json::from_slice(&words).map(|ask| done(relay, ask));
    let answer = answer.unwrap_or(Err(StoreError::Entry));
    to.write_all(&serde_json::to_vec(&answer)?)?;
    to.flush()
}

fn done(relay: &Path, ask: Ask) -> Result<serde_json::Value, StoreError> {
    let mut store = open_here(relay)?;
    let value = match ask {
        Ask::Today(now) => serde_json::to_value(store.today(now)?),
        Ask::Write(events, day) => serde_json::to_value(store.write(&events, &day)?),
        Ask::Passed(number) => serde_json::to_value(store.passed(number)?),
        Ask::Days => serde_json::to_value(store.days()?),
        Ask::Rebuild => serde_json::to_value(store.rebuild(relay)?),
    };
    value.map_err(|_| StoreError::Entry)
}
