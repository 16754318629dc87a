//! A fresh look at a terminal's share, on request: connect, log in, open the folders, write a little outside of them, go.

use std::fs::File;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{Observation, Outcome, Symptom};
use nix::sys::memfd::{MFdFlags, memfd_create};
use tokio::sync::Notify;

use crate::lane::link::observation;
use crate::lane::plan::Plan;
use crate::share::{Occasion, Outgoing, Parcel, Share, Terminal, Trouble, Wanted, is_test, test_name};

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many bytes a write test writes: a whole block of any disk.
const WRITTEN: u64 = 4096;

/// How often a share that takes files is tried.
const WRITTEN_EVERY: Duration = Duration::from_secs(20);

/// How long the end of a connection may take.
pub const GOODBYE: Duration = Duration::from_millis(250);

/// Looks at one terminal.
#[derive(Debug)]
pub struct Looker<T: Terminal> {
    /// The terminal's name.
    pub name: String,
    /// The terminal.
    pub terminal: Arc<T>,
    /// What it must have.
    pub wanted: Arc<Wanted>,
    /// Whether it is a terminal: only these are looked at when somebody asks.
    pub is_terminal: bool,
    /// Told when the terminal was found well.
    pub wake: Arc<Notify>,
    /// What the lane cannot do with a share that opens well: write to it, or take an answer from it.
    pub standing: Standing,
    /// How the newest write test went, and when.
    written: Arc<Mutex<Option<Written>>>,
}

/// When a write test ended, and what stood in its way.
type Written = (Instant, Option<Trouble>);

/// A trouble that a mere look does not see.
pub type Standing = Arc<Mutex<Option<Trouble>>>;

impl<T: Terminal> Clone for Looker<T> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            terminal: self.terminal.clone(),
            wanted: self.wanted.clone(),
            is_terminal: self.is_terminal,
            wake: self.wake.clone(),
            standing: self.standing.clone(),
            written: self.written.clone(),
        }
    }
}

impl<T: Terminal> Looker<T> {
    /// For the end of a plan.
    pub fn new(plan: &Plan, terminal: T) -> Self {
        Self {
            name: plan.name.clone(),
            terminal: Arc::new(terminal),
            wanted: Arc::new(plan.wanted.clone()),
            is_terminal: plan.is_terminal,
            wake: Arc::new(Notify::new()),
            standing: Standing::default(),
            written: Arc::default(),
        }
    }

    /// Looks now.
    pub async fn look(&self, occasion: Occasion) -> Observation {
        let begun = Instant::now();
        // It goes at once: nothing is watched.
        let wanted = Wanted { watched: Vec::new(), ..(*self.wanted).clone() };
        match within(self.terminal.connect(&wanted, occasion)).await {
            Ok(share) => {
                let unwritten = self.write_test(&share).await;
                let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let standing = unwritten.or(standing);
                let outcome =
                    standing.as_ref().map_or(Outcome::Good, |trouble| Outcome::Bad(trouble.symptom));
                let detail = standing.map(|trouble| trouble.to_string()).unwrap_or_default();
                let seen = observation(&self.name, outcome, detail, milliseconds(begun));
                // Never wait for a goodbye.
                let _ = tokio::time::timeout(GOODBYE, share.close()).await;
                self.wake.notify_one();
                seen
            }
            Err(trouble) => {
                let outcome = Outcome::Bad(trouble.symptom);
                observation(&self.name, outcome, trouble.to_string(), milliseconds(begun))
            }
        }
    }
}

impl<T: Terminal> Looker<T> {
    /// Whether the share takes a file: none if it does. It goes into the staging folder and is removed again; a look
    /// soon after one that went well takes its word.
    async fn write_test(&self, share: &T::Share) -> Option<Trouble> {
        let newest = self.written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if newest.is_some_and(|(at, trouble)| trouble.is_none() && at.elapsed() < WRITTEN_EVERY) {
            return None;
        }
        // A scanner may take the file away meanwhile: that tells nothing of the share.
        let tells = |trouble: &Trouble| matches!(trouble.symptom, Symptom::Denied | Symptom::DiskFull);
        let trouble = within(written(share)).await.err().filter(tells);
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), trouble.clone()));
        trouble
    }
}

async fn written(share: &impl Share) -> Result<(), Trouble> {
    let ours = |error: std::io::Error| Trouble {
        symptom: Symptom::Malformed,
        action: "make a file for the write test",
        detail: error.to_string(),
    };
    let (file, mut number) = (blank().map_err(ours)?, [0; 8]);
    getrandom::fill(&mut number).map_err(|error| ours(std::io::Error::other(error)))?;
    let name = test_name(u64::from_le_bytes(number));
    // It makes the folder, if it is not there.
    let names = share.staged().await?.names;
    for old in names.iter().filter(|name| is_test(name)) {
        // Left by a look that was cut off. What cannot be removed now is not what is tried here.
        let _ = share.discard(old).await;
    }
    let parcel = Parcel { staged: name.clone(), folder: String::new(), name: String::new() };
    let staged = share.stage(vec![Outgoing { parcel, file: Arc::new(file), size: WRITTEN }]).await;
    let discarded = share.discard(&name).await;
    staged.into_iter().collect::<Result<(), Trouble>>().and(discarded)
}

/// A file of zeros in memory.
fn blank() -> std::io::Result<File> {
    let file = File::from(memfd_create(c"write-test", MFdFlags::MFD_CLOEXEC)?);
    file.set_len(WRITTEN)?;
    Ok(file)
}

/// Waits for a connection no longer than the patience.
pub async fn within<S>(connecting: impl Future<Output = Result<S, Trouble>>) -> Result<S, Trouble> {
    let silent = || Trouble {
        symptom: Symptom::Silent,
        action: "connect",
        detail: format!("nothing within {} s", PATIENCE.as_secs()),
    };
    tokio::time::timeout(PATIENCE, connecting).await.unwrap_or_else(|_| Err(silent()))
}

/// Milliseconds since an instant.
pub fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
