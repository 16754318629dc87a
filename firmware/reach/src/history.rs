//! What must outlive a restart: which rungs were ever good here (it decides between the clinic and the carrier), and
//! the last time a time server confirmed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use model::observation::Branch;
use model::{Observation, Outcome, Rung, Symptom, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::plan::{Plan, TerminalTarget};

/// No clock of this product can honestly read less: the firmware did not exist then.
const FLOOR: Timestamp = Timestamp::constant(1_793_491_200, 0); // 2026-11-01T00:00:00Z

/// A confirmed time is written this often at most, seconds: flash wears.
const TIME_KEPT_EVERY_S: i64 = 3600;

/// What was good once: a rung, and of what. A terminal that is another one under the same name, or another contract of
/// the line, has a past of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Good {
    rung: Rung,
    /// The terminal's name, for a terminal's rungs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terminal: Option<String>,
    /// What stood there then, by the site file.
    of: String,
}

/// As it is written: before 2026-12 a rung was kept by its name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Good(Good),
    Rung(Rung),
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Kept {
    /// What was good at least once on this site.
    ever_good: BTreeSet<Good>,
    /// The last confirmed time.
    confirmed: Option<Timestamp>,
}

#[derive(Deserialize)]
struct KeptWritten {
    ever_good: Vec<Written>,
    #[serde(default)]
    confirmed: Option<Timestamp>,
}

/// What stands at the places of the ladder, by the site file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects {
    line: String,
    /// The clinic's machines.
    clinic: String,
    /// The internet line.
    internet: String,
    /// The cloud.
    cloud: String,
    terminals: BTreeMap<String, String>,
}

impl Subjects {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        let of = |terminal: &TerminalTarget| format!("{} {}", terminal.address, terminal.share);
        let terminals = plan.terminals.iter().map(|one| (one.name.clone(), of(one))).collect();
        let consumers = plan.clinic.consumers.iter();
        let consumers: Vec<String> = consumers.map(|one| format!("{} {}", one.name, one.address)).collect();
        let internet = plan.internet.as_ref();
        let internet = internet.map_or_else(String::new, |one| format!("{} {:?}", one.port, one.resolvers));
        let cloud = plan.cloud.as_ref();
        let cloud = cloud.map_or_else(String::new, |one| format!("{:?} {:?}", one.gateways, one.endpoints));
        Self { line: plan.contract.clone(), clinic: consumers.join(", "), internet, cloud, terminals }
    }

    fn at(&self, rung: Rung, terminal: Option<&str>) -> String {
        match terminal {
            Some(name) => self.terminals.get(name).cloned().unwrap_or_default(),
            None if rung.branch() == Branch::Clinic => self.clinic.clone(),
            None if rung.branch() == Branch::Internet => self.internet.clone(),
            None if rung.branch() == Branch::Cloud => self.cloud.clone(),
            None => self.line.clone(),
        }
    }
}

/// The ladder's memory.
#[derive(Debug, Default)]
pub struct History {
    subjects: Subjects,
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
                let of = self.subjects.at(observation.rung, observation.terminal.as_deref());
                let terminal = observation.terminal.clone();
                new |= self.kept.ever_good.insert(Good { rung: observation.rung, terminal, of });
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

    /// The rungs that were ever good: of the line, and of this terminal.
    pub fn ever_good(&self, terminal: Option<&str>) -> Vec<Rung> {
        let stands = |good: &&Good| {
            let name = good.terminal.as_deref();
            (name.is_none() || name == terminal) && good.of == self.subjects.at(good.rung, name)
        };
        self.kept.ever_good.iter().filter(stands).map(|good| good.rung).collect()
    }

    /// Whether a time server has confirmed our clock since the start, and none contradicts it now.
    pub fn clock_confirmed(&self) -> bool {
        self.clock_right == Some(true)
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
    pub fn load(folder: &Path, subjects: Subjects) -> Result<Self, Error> {
        let path = file(folder);
        let anew = |kept, subjects| Self { kept, subjects, ..Self::default() };
        let Some(bytes) = journal::read(&path)? else { return Ok(anew(Kept::default(), subjects)) };
        match serde_json::from_slice(&bytes) {
            Ok(written) => Ok(anew(read(written, &subjects), subjects)),
            Err(error) => {
                let aside = path.with_extension("damaged");
                let moved = std::fs::rename(&path, &aside).is_ok();
                tracing::warn!(path = %path.display(), %error, moved, "the ladder's memory is damaged; it starts anew");
                Ok(anew(Kept::default(), subjects))
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

/// What is written, without what stands there no more. A rung by its name alone is the line's as it is now; whose a
/// terminal's was, nobody knows.
fn read(written: KeptWritten, subjects: &Subjects) -> Kept {
    let good = |one| match one {
        Written::Good(good) => Some(good),
        Written::Rung(rung) if rung.branch() == Branch::Terminal => None,
        Written::Rung(rung) => Some(Good { rung, terminal: None, of: subjects.at(rung, None) }),
    };
    let stands = |good: &Good| good.of == subjects.at(good.rung, good.terminal.as_deref());
    let ever_good = written.ever_good.into_iter().filter_map(good).filter(stands).collect();
    Kept { ever_good, confirmed: written.confirmed }
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

    fn load(folder: &Path, subjects: &Subjects) -> History {
        History::load(folder, subjects.clone()).unwrap()
    }

    const NOW: &str = "2026-11-22T01:00:00Z";

    #[test]
    fn what_was_good_once_is_remembered_across_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut history = load(folder.path(), &Subjects::default());
        assert!(history.take(&[looked(Rung::LineAuth, Outcome::Good, NOW)]));
        assert!(!history.take(&[looked(Rung::LineAuth, Outcome::Bad(Symptom::Silent), NOW)]));
        history.save(folder.path()).unwrap();
        assert_eq!(load(folder.path(), &Subjects::default()).ever_good(None), [Rung::LineAuth]);
    }

    fn subjects(line: &str, terminals: &[(&str, &str)]) -> Subjects {
        let own = |(name, of): &(&str, &str)| ((*name).to_owned(), (*of).to_owned());
        let clinic = "receipt 198.51.100.10".to_owned();
        let terminals = terminals.iter().map(own).collect();
        Subjects { line: line.to_owned(), clinic, terminals, ..Subjects::default() }
    }

    #[test]
    fn each_terminal_has_a_past_of_its_own_and_another_one_under_its_name_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let two = subjects("ra", &[("t1", "10.0.0.2"), ("t2", "10.0.0.3")]);
        let mut history = load(folder.path(), &two);
        let share = looked(Rung::TerminalShare, Outcome::Good, NOW);
        let first = Observation { terminal: Some("t1".into()), ..share };
        history.take(&[looked(Rung::Link, Outcome::Good, NOW), first]);
        assert_eq!(history.ever_good(Some("t1")), [Rung::Link, Rung::TerminalShare]);
        assert_eq!(history.ever_good(Some("t2")), [Rung::Link]);
        history.save(folder.path()).unwrap();
        assert_eq!(load(folder.path(), &two).ever_good(Some("t1")), [Rung::Link, Rung::TerminalShare]);
        let moved = subjects("ra", &[("t1", "10.0.0.9")]);
        assert_eq!(load(folder.path(), &moved).ever_good(Some("t1")), [Rung::Link]);
        let contract = subjects("pd", &[("t1", "10.0.0.2")]);
        assert_eq!(load(folder.path(), &contract).ever_good(Some("t1")), [Rung::TerminalShare]);
    }

    #[test]
    fn a_receipt_computer_at_another_address_was_never_seen() {
        let folder = tempfile::tempdir().unwrap();
        let site = subjects("ra", &[]);
        let mut history = load(folder.path(), &site);
        history.take(&[looked(Rung::ReceiptComputer, Outcome::Good, NOW)]);
        history.save(folder.path()).unwrap();
        let line = Subjects { line: "pd".into(), ..site.clone() };
        assert_eq!(load(folder.path(), &line).ever_good(None), [Rung::ReceiptComputer]);
        let moved = Subjects { clinic: "receipt 198.51.100.11".into(), ..site };
        assert_eq!(load(folder.path(), &moved).ever_good(None), []);
    }

    #[test]
    fn a_memory_by_names_alone_is_the_line_s_and_no_terminal_s() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(folder.path()), br#"{"ever_good":["link","terminal-share"]}"#).unwrap();
        let history = load(folder.path(), &subjects("ra", &[("t1", "10.0.0.2")]));
        assert_eq!(history.ever_good(Some("t1")), [Rung::Link]);
    }

    #[test]
    fn a_damaged_memory_is_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(folder.path()), b"{half").unwrap();
        assert_eq!(load(folder.path(), &Subjects::default()).ever_good(None), []);
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
        let restarted = load(folder.path(), &Subjects::default());
        assert!(!restarted.clock_confirmed());
        assert!(!restarted.clock_trusted("2027-04-01T00:00:00Z".parse().unwrap()));
        assert!(restarted.clock_trusted("2027-05-02T00:00:00Z".parse().unwrap()));
    }
}
