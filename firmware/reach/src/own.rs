//! What the box knows of itself, as observations. Pure: facts go in, and the patience that makes evidence of them is
//! here.
//!
//! What is not known makes no observation: a part that is absent accuses nobody, and a box that has no such thing is
//! not asked for it.

pub(crate) mod dates;
mod lives;

use model::part::RulesetState;
use model::{Observation, Rung, Symptom, Timestamp};

pub use self::lives::Lives;
use crate::finding::Finding;

/// What was found out about the box; nothing stands for what nobody could say.
#[derive(Debug, Default)]
pub struct Facts<'f> {
    /// What the firewall says of the kernel.
    pub ruleset: Option<RulesetState>,
    /// The disk under state and share.
    pub room: Option<Room>,
    /// The roles' lives.
    pub lives: Option<&'f Lives>,
}

/// A disk's room, bytes.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// What whoever is not the system's own may still take.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// With less than this part of it free,
const FULL: u64 = 100;
/// or less than this, a disk is full, bytes: the next few files would be refused.
const TOO_LITTLE: u64 = 8 * 1024 * 1024;

/// The observations at the box's own rungs.
pub fn observations(facts: &Facts<'_>, now: Timestamp) -> Vec<Observation> {
    let found = [
        (Rung::Ruleset, facts.ruleset.map(ruleset)),
        (Rung::Storage, facts.room.map(storage)),
        (Rung::Roles, facts.lives.map(|lives| lives.finding(now))),
    ];
    found.into_iter().filter_map(|(rung, finding)| Some(at(rung, finding?, now))).collect()
}

fn at(rung: Rung, finding: Finding, now: Timestamp) -> Observation {
    let Finding { outcome, detail } = finding;
    Observation { rung, terminal: None, outcome, at: now, took_ms: 0.0, detail }
}

/// That it was another one stays said until the next start, also when it was put right.
fn ruleset(state: RulesetState) -> Finding {
    match state {
        RulesetState::Proved => Finding::good(""),
        RulesetState::Drifted => Finding::bad(Symptom::Drifted, ""),
        RulesetState::DropAll => Finding::bad(Symptom::Dropping, ""),
    }
}

fn storage(room: Room) -> Finding {
    let detail = format!("{} of {} MiB free", room.free >> 20, room.total >> 20);
    let full = room.free < TOO_LITTLE || room.free < room.total / FULL;
    if full { Finding::bad(Symptom::DiskFull, detail) } else { Finding::good(detail) }
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn outcome(facts: &Facts<'_>, rung: Rung) -> Option<Outcome> {
        observations(facts, NOW).into_iter().find(|seen| seen.rung == rung).map(|seen| seen.outcome)
    }

    #[test]
    fn what_nobody_could_say_is_no_observation() {
        assert_eq!(observations(&Facts::default(), NOW), []);
    }

    #[test]
    fn a_ruleset_is_good_only_while_it_is_the_proved_one() {
        let of = |state| outcome(&Facts { ruleset: Some(state), ..Facts::default() }, Rung::Ruleset).unwrap();
        assert_eq!(of(RulesetState::Proved), Outcome::Good);
        assert_eq!(of(RulesetState::Drifted), Outcome::Bad(Symptom::Drifted));
        assert_eq!(of(RulesetState::DropAll), Outcome::Bad(Symptom::Dropping));
    }

    #[test]
    fn a_disk_is_full_before_its_last_byte() {
        let of = |free, total| {
            let room = Some(Room { free, total });
            outcome(&Facts { room, ..Facts::default() }, Rung::Storage).unwrap()
        };
        let mib = 1024 * 1024;
        assert_eq!(of(8 * mib, 100 * mib), Outcome::Good);
        assert_eq!(of(8 * mib - 1, 100 * mib), Outcome::Bad(Symptom::DiskFull));
        assert_eq!(of(99 * mib, 10_000 * mib), Outcome::Bad(Symptom::DiskFull));
        assert_eq!(of(0, 0), Outcome::Bad(Symptom::DiskFull));
    }
}
