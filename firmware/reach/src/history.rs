//! What must outlive a restart: which rungs were ever good here (it decides between the clinic and the carrier), and
//! the last time a time server confirmed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use model::{Observation, Outcome, Rung, Symptom, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// No clock of this product can honestly read less: the firmware did not exist then.
const FLOOR: Timestamp = Timestamp::constant(1_793_491_200, 0); // 2026-11-01T00:00:00Z

/// A confirmed time is written this often at most, seconds: flash wears.
const TIME_KEPT_EVERY_S: i64 = 3600;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Rungs that were good at least once on this site.
    ever_good: BTreeSet<Rung>,
    /// The last confirmed time.
    #[serde(default)]
    confirmed: Option<Timestamp>,
}

/// The ladder's memory.
#[derive(Debug, Default)]
pub struct History {
    kept: Kept,
    /// The newest word of a time server since the start: whether our clock was right.
    clock_right: Option<bool>,
    confirmed: Option<Timestamp>,
}

impl History {
    /// Takes in what was looked at. Says whether something worth keeping is new.
    pub fn take(&mut self, looked: &[Observation]) -> bool {
        let mut new = false;
        for observation in looked {
            if observation.outcome.is_good() {
                new |= self.kept.ever_good.insert(observation.rung);
            }
            match (observation.rung, observation.outcome) {
                (Rung::Time, Outcome::Good) => {
                    self.clock_right = Some(true);
                    self.confirmed = Some(observation.at);
                    let due =
                        |kept: Timestamp| observation.at.as_second() - kept.as_second() >= TIME_KEPT_EVERY_S;
                    if self.kept.confirmed.is_none_or(due) {
                        self.kept.confirmed = Some(observation.at);
                        new = true;
                    }
                }
                (Rung::Time, Outcome::Bad(Symptom::ClockOff)) => self.clock_right = Some(false),
                _ => {}
            }
        }
        new
    }

    /// The rungs that were ever good.
    pub fn ever_good(&self) -> Vec<Rung> {
        self.kept.ever_good.iter().copied().collect()
    }

    /// Whether our clock may accuse a certificate: never while a time server contradicts it; else if one confirmed it
    /// since the start, or if it has not fallen behind the firmware's making and the last confirmed time.
    pub fn clock_trusted(&self, now: Timestamp) -> bool {
        let floor = self.confirmed.max(self.kept.confirmed).unwrap_or(FLOOR).max(FLOOR);
        self.clock_right.unwrap_or(now >= floor)
    }

    /// Reads the memory kept in `folder`, an empty one if there is none. A damaged file is moved aside.
    ///
    /// # Errors
    /// [`Error::State`] if it is there and cannot be read.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let path = file(folder);
        let Some(bytes) = journal::read(&path)? else { return Ok(Self::default()) };
        match serde_json::from_slice(&bytes) {
            Ok(kept) => Ok(Self { kept, ..Self::default() }),
            Err(error) => {
                let aside = path.with_extension("damaged");
                let moved = std::fs::rename(&path, &aside).is_ok();
                tracing::warn!(path = %path.display(), %error, moved, "the ladder's memory is damaged; it starts anew");
                Ok(Self::default())
            }
        }
    }

    /// Keeps the memory in `folder`.
    ///
    /// # Errors
    /// [`Error::State`] if it cannot be written; the old one is still there.
    pub fn save(&self, folder: &Path) -> Result<(), Error> {
        let bytes = serde_json::to_vec(&self.kept).expect("invariant: names of rungs and a time are JSON");
        Ok(journal::replace(&file(folder), &bytes)?)
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("ever-good.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(rung: Rung, outcome: Outcome, at: &str) -> Observation {
        let at = at.parse().unwrap();
        Observation { rung, terminal: None, outcome, at, took_ms: 0.0, detail: String::new() }
    }

    const NOW: &str = "2026-11-22T01:00:00Z";

    #[test]
    fn what_was_good_once_is_remembered_across_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::load(folder.path()).unwrap();
        assert!(history.take(&[looked(Rung::LineAuth, Outcome::Good, NOW)]));
        assert!(!history.take(&[looked(Rung::LineAuth, Outcome::Bad(Symptom::Silent), NOW)]));
        history.save(folder.path()).unwrap();
        assert_eq!(History::load(folder.path()).unwrap().ever_good(), [Rung::LineAuth]);
    }

    #[test]
    fn a_damaged_memory_is_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(folder.path()), b"{half").unwrap();
        assert_eq!(History::load(folder.path()).unwrap().ever_good(), []);
        assert!(folder.path().join("ever-good.damaged").exists());
    }

    #[test]
    fn the_clock_is_trusted_by_a_time_server_or_beyond_the_floor_and_never_against_one() {
        let now: Timestamp = NOW.parse().unwrap();
        let before: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let mut history = History::default();
        assert!(history.clock_trusted(now));
        assert!(!history.clock_trusted(before));
        history.take(&[looked(Rung::Time, Outcome::Good, NOW)]);
        assert!(history.clock_trusted(now));
        history.take(&[looked(Rung::Time, Outcome::Bad(Symptom::Silent), NOW)]);
        assert!(history.clock_trusted(now), "a silent server takes nothing back");
        history.take(&[looked(Rung::Time, Outcome::Bad(Symptom::ClockOff), NOW)]);
        assert!(!history.clock_trusted(now));
    }

    #[test]
    fn a_clock_that_fell_behind_the_last_confirmed_time_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::default();
        history.take(&[looked(Rung::Time, Outcome::Good, "2027-05-01T00:00:00Z")]);
        history.save(folder.path()).unwrap();
        let restarted = History::load(folder.path()).unwrap();
        assert!(!restarted.clock_trusted("2027-04-01T00:00:00Z".parse().unwrap()));
        assert!(restarted.clock_trusted("2027-05-02T00:00:00Z".parse().unwrap()));
    }
}
