//! The connection to an end: kept open, made again with growing pauses, and what it says about the share.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use model::{Observation, Outcome, Rung, Symptom, Timestamp};
use tokio::sync::Notify;

use crate::lane::look::{self, Looker, Standing};
use crate::share::{Occasion, Share, Terminal, Trouble, Wanted};

/// The first pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// How old a good observation may become before it is made new.
const FRESH: Duration = Duration::from_secs(5);

/// The connection to a terminal.
pub struct Link<T: Terminal> {
    name: String,
    terminal: Arc<T>,
    share: Option<Arc<T::Share>>,
    pause: Duration,
    next_try: Instant,
    observation: Option<Observation>,
    observed: Instant,
    /// Why the last staging failed: the share looks well and cannot be written.
    sore: Option<Trouble>,
    /// Why a file could not be published, though it was staged.
    publishing: Option<Trouble>,
    /// Whether it is a terminal, whose share is evidence.
    is_terminal: bool,
    wanted: Arc<Wanted>,
    /// Why an answer could not be taken at the last look, though the share can be opened.
    refused: Option<Trouble>,
    wake: Arc<Notify>,
    standing: Standing,
}

impl<T: Terminal> Link<T> {
    /// A connection not yet made.
    pub fn new(looker: &Looker<T>, is_terminal: bool) -> Self {
        let now = Instant::now();
        Self {
            name: looker.name.clone(),
            terminal: looker.terminal.clone(),
            share: None,
            pause: FIRST_PAUSE,
            next_try: now,
            observation: None,
            observed: now,
            sore: None,
            publishing: None,
            is_terminal,
            wanted: looker.wanted.clone(),
            refused: None,
            wake: looker.wake.clone(),
            standing: looker.standing.clone(),
        }
    }

    /// The connection, if there is one.
    pub fn share(&self) -> Option<Arc<T::Share>> {
        self.share.clone()
    }

    /// Connects if it is time to. Returns the connection only if it is new.
    pub async fn connect(&mut self) -> Option<Arc<T::Share>> {
        if self.share.is_some() || Instant::now() < self.next_try {
            if self.share.is_some() && self.observed.elapsed() >= FRESH {
                self.observe_good(0.0);
            }
            return None;
        }
        let begun = Instant::now();
        let connected = look::within(self.terminal.connect(&self.wanted, Occasion::Routine)).await;
        match connected {
            Ok(share) => {
                self.observe_good(look::milliseconds(begun));
                self.share = Some(Arc::new(share));
                self.share.clone()
            }
            Err(trouble) => {
                self.wait();
                self.observe(Outcome::Bad(trouble.symptom), trouble.to_string(), look::milliseconds(begun));
                None
            }
        }
    }

    /// Gives the connection up.
    pub async fn lose(&mut self, trouble: Trouble) {
        if let Some(share) = self.share.take() {
            tracing::info!(end = %self.name, %trouble, "gave a share up");
            // Never wait for a peer that may be gone.
            let _ = tokio::time::timeout(look::GOODBYE, share.close()).await;
        }
        self.wait();
        self.observe(Outcome::Bad(trouble.symptom), trouble.to_string(), 0.0);
    }

    /// Takes in how staging went, or the look into the staging folder before it: a share that cannot be written is
    /// not well, though it can be opened.
    pub fn staged(&mut self, result: &Result<usize, Trouble>, nothing_to_stage: bool) {
        match result {
            Err(trouble) => self.sore = Some(trouble.clone()),
            Ok(staged) if (*staged > 0 || nothing_to_stage) && self.sore.take().is_some() => {
                self.observe_good(0.0)
            }
            Ok(_) => {}
        }
        if matches!(result, Ok(staged) if *staged > 0) {
            self.pause = FIRST_PAUSE;
        }
    }

    /// Takes in whether a file may not be published: a share that refuses a name is not well.
    pub fn publishing(&mut self, refused: Option<Trouble>) {
        let changed = self.publishing != refused;
        self.publishing = refused;
        if changed && self.share.is_some() {
            self.observe_good(0.0);
        }
    }

    /// Takes in whether an answer was refused to us: a share that keeps one back is not well.
    pub fn looked(&mut self, refused: Option<Trouble>) {
        let changed = self.refused != refused;
        self.refused = refused;
        if changed {
            self.observe_good(0.0);
        }
    }

    /// When to turn next: at the next try, or at `poll` while connected.
    pub fn due(&self, poll: Instant) -> Instant {
        if self.share.is_some() { poll } else { self.next_try }
    }

    /// What is known of a terminal's share.
    pub fn observation(&self) -> Option<Observation> {
        self.observation.clone().filter(|_| self.is_terminal)
    }

    /// Returns when a look of its own found the terminal well while there is no connection.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// To be called when woken.
    pub fn try_now(&mut self) {
        if self.share.is_none() {
            (self.next_try, self.pause) = (Instant::now(), FIRST_PAUSE);
        }
    }

    fn wait(&mut self) {
        self.next_try = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn observe_good(&mut self, took_ms: f64) {
        match self.standing_trouble() {
            Some(trouble) => {
                let (symptom, detail) = (trouble.symptom, trouble.to_string());
                self.observe(Outcome::Bad(symptom), detail, took_ms);
            }
            None => {
                self.pause = FIRST_PAUSE;
                self.observe(Outcome::Good, String::new(), took_ms);
            }
        }
    }

    fn standing_trouble(&self) -> Option<&Trouble> {
        self.sore.as_ref().or(self.publishing.as_ref()).or(self.refused.as_ref())
    }

    fn observe(&mut self, outcome: Outcome, detail: String, took_ms: f64) {
        let before = self.observation.as_ref().map(|seen| seen.outcome);
        if before != Some(outcome) {
            tracing::info!(end = %self.name, ?outcome, detail, "a share");
        }
        // What a look sees for itself (refused, silent, a wrong login) is its own to say, and newer.
        let unseen = [Symptom::Denied, Symptom::DiskFull, Symptom::ShareMissing, Symptom::Malformed];
        let standing = self.standing_trouble().cloned();
        let standing = standing.filter(|trouble| unseen.contains(&trouble.symptom));
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        self.observed = Instant::now();
        self.observation = Some(observation(&self.name, outcome, detail, took_ms));
    }
}

/// An observation of a terminal's share.
pub fn observation(terminal: &str, outcome: Outcome, detail: String, took_ms: f64) -> Observation {
    let terminal = Some(terminal.to_owned());
    Observation { rung: Rung::TerminalShare, terminal, outcome, at: Timestamp::now(), took_ms, detail }
}
