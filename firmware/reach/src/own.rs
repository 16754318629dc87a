//! What the box knows of itself, as observations. Pure: facts go in, and the patience that makes evidence of them is
//! here.
//!
//! What is not known makes no observation: a part that is absent accuses nobody, and a box that has no such thing is
//! not asked for it.

pub(crate) mod dates;
mod flows;
mod lives;
mod maintainer;
mod segment;
mod tunnel;

use model::opening::clinic_time;
use model::part::RulesetState;
use model::{Observation, Rung, Symptom, Timestamp};

pub use self::flows::observation as flows;
pub use self::lives::Lives;
pub use self::maintainer::observation as maintainer;
pub use self::segment::observation as segment;
pub use self::tunnel::observation as tunnel;
use crate::finding::Finding;

/// What was found out about the box; nothing stands for what nobody could say.
#[derive(Debug, Default)]
pub struct Facts<'f> {
    /// What the firewall says of the kernel.
    pub ruleset: Option<RulesetState>,
    /// What it says of a change that somebody made behind its back.
    pub drift: Option<String>,
    /// The disk under state and share.
    pub room: Option<Room>,
    /// The roles' lives.
    pub lives: Option<&'f Lives>,
    /// How much of the line's memory was damaged and set aside of late.
    pub set_aside: Option<u64>,
    /// Which version runs.
    pub version: Option<Version<'f>>,
    /// What its sensors say.
    pub hardware: Hardware,
    /// Until when its own certificates and secrets are good.
    pub secrets_until: Option<Timestamp>,
}

/// The version that runs.
#[derive(Clone, Copy, Debug)]
pub struct Version<'f> {
    /// It.
    pub own: &'f str,
    /// A newer one that ran here before.
    pub left: Option<&'f str>,
}

/// What the board's sensors say; a machine without any says nothing.
#[derive(Debug, Default)]
pub struct Hardware {
    /// The temperatures.
    pub heat: Vec<Heat>,
    /// The flash.
    pub wear: Vec<Wear>,
}

/// A temperature, degrees Celsius.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heat {
    /// It.
    pub degrees: i64,
    /// At which the board switches itself off.
    pub critical: Option<i64>,
}

/// How worn an eMMC is, by its own estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wear {
    /// Tenths of its life that are used: 10 is between nine and ten of them, 11 is more than all.
    pub used: u8,
    /// How much of its spare blocks is used: 2 is most, 3 is nearly all.
    pub spare: u8,
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
        (
            Rung::Ruleset,
            facts.ruleset.map(|state| ruleset(state, facts.drift.as_deref().unwrap_or_default())),
        ),
        (Rung::Storage, facts.room.map(storage)),
        (Rung::Roles, facts.lives.map(|lives| lives.finding(now))),
        (Rung::Memory, facts.set_aside.map(whole)),
        (Rung::Version, facts.version.map(version)),
        (Rung::Hardware, hardware(&facts.hardware)),
        (Rung::Secrets, facts.secrets_until.map(|until| secrets(until, now))),
    ];
    found.into_iter().filter_map(|(rung, finding)| Some(at(rung, finding?, now))).collect()
}

/// The observation at a rung of records, of which so much was set aside of late.
pub fn books(rung: Rung, set_aside: u64, now: Timestamp) -> Observation {
    at(rung, whole(set_aside), now)
}

fn at(rung: Rung, finding: Finding, now: Timestamp) -> Observation {
    let Finding { outcome, detail } = finding;
    Observation { rung, terminal: None, outcome, at: now, took_ms: 0.0, detail }
}

/// That it was another one stays said until somebody has seen it, also when it was put right.
fn ruleset(state: RulesetState, drift: &str) -> Finding {
    match state {
        RulesetState::Proved => Finding::good(""),
        RulesetState::Drifted => Finding::bad(Symptom::Drifted, drift),
        RulesetState::DropAll => Finding::bad(Symptom::Dropping, drift),
    }
}

fn storage(room: Room) -> Finding {
    let detail = format!("{} of {} MiB free", room.free >> 20, room.total >> 20);
    let full = room.free < TOO_LITTLE || room.free < room.total / FULL;
    if full { Finding::bad(Symptom::DiskFull, detail) } else { Finding::good(detail) }
}

/// The days before the end of a secret of the box at which it is told.
const SECRET_STEPS: [i32; 4] = [60, 30, 15, 7];

fn secrets(until: Timestamp, now: Timestamp) -> Finding {
    dates::finding(until.to_zoned(clinic_time()).date(), &SECRET_STEPS, now)
}

fn whole(set_aside: u64) -> Finding {
    match set_aside {
        0 => Finding::good(""),
        count => Finding::bad(Symptom::Damaged, format!("{count} set aside within a week")),
    }
}

fn version(Version { own, left }: Version<'_>) -> Finding {
    match left {
        None => Finding::good(own),
        Some(newer) => Finding::bad(Symptom::FellBack, format!("{own} runs, {newer} ran before")),
    }
}

/// So near to switching itself off a board is too hot, degrees,
const NEAR_CRITICAL: i64 = 10;
/// and at so much where it does not say when it does.
const TOO_HOT: i64 = 90;
/// The last tenth of its life.
const WORN: u8 = 10;
/// Most of the spare blocks are used.
const SPARE_USED: u8 = 2;

fn hardware(Hardware { heat, wear }: &Hardware) -> Option<Finding> {
    let is_hot = |heat: &&Heat| {
        heat.degrees
            >= heat.critical.filter(|limit| *limit > 0).map_or(TOO_HOT, |limit| limit - NEAR_CRITICAL)
    };
    let is_worn = |wear: &&Wear| wear.used >= WORN || wear.spare >= SPARE_USED;
    if let Some(worn) = wear.iter().find(is_worn) {
        let detail = format!("eMMC: {} tenths of its life used, spare {}", worn.used, worn.spare);
        return Some(Finding::bad(Symptom::Worn, detail));
    }
    let hottest = heat.iter().find(is_hot).or_else(|| heat.iter().max_by_key(|heat| heat.degrees));
    match hottest {
        Some(heat) if is_hot(&heat) => Some(Finding::bad(Symptom::Hot, format!("{} °C", heat.degrees))),
        Some(heat) => Some(Finding::good(format!("{} °C", heat.degrees))),
        None => (!wear.is_empty()).then(|| Finding::good("")),
    }
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
    fn what_was_set_aside_and_a_newer_version_that_ran_are_told() {
        let aside = |count| outcome(&Facts { set_aside: Some(count), ..Facts::default() }, Rung::Memory);
        assert_eq!((aside(0), aside(2)), (Some(Outcome::Good), Some(Outcome::Bad(Symptom::Damaged))));
        assert_eq!(books(Rung::Journal, 1, NOW).outcome, Outcome::Bad(Symptom::Damaged));
        let version = |left| {
            let version = Some(Version { own: "0.1.0", left });
            outcome(&Facts { version, ..Facts::default() }, Rung::Version)
        };
        assert_eq!(version(None), Some(Outcome::Good));
        assert_eq!(version(Some("0.2.0")), Some(Outcome::Bad(Symptom::FellBack)));
    }

    #[test]
    fn a_secret_of_the_box_is_told_before_it_ends() {
        let of = |days: i64| {
            let secrets_until = Some(Timestamp::from_second(days * 86_400).unwrap());
            outcome(&Facts { secrets_until, ..Facts::default() }, Rung::Secrets)
        };
        assert_eq!(of(90), Some(Outcome::Good));
        assert_eq!(of(60), Some(Outcome::Bad(Symptom::EndsSoon)));
        assert_eq!(of(45), Some(Outcome::Bad(Symptom::Ends)));
        assert_eq!(of(5), Some(Outcome::Bad(Symptom::EndsSoon)));
        assert_eq!(of(-1), Some(Outcome::Bad(Symptom::Ended)));
    }

    #[test]
    fn a_board_is_hot_near_its_own_limit_and_flash_is_worn_in_its_last_tenth() {
        let of = |heat: &[(i64, Option<i64>)], wear: &[(u8, u8)]| {
            let heat = heat.iter().map(|(degrees, critical)| Heat { degrees: *degrees, critical: *critical });
            let wear = wear.iter().map(|(used, spare)| Wear { used: *used, spare: *spare });
            let hardware = Hardware { heat: heat.collect(), wear: wear.collect() };
            outcome(&Facts { hardware, ..Facts::default() }, Rung::Hardware)
        };
        let (hot, worn) = (Some(Outcome::Bad(Symptom::Hot)), Some(Outcome::Bad(Symptom::Worn)));
        assert_eq!(of(&[], &[]), None, "no sensor");
        assert_eq!(of(&[(60, Some(105)), (89, None)], &[(9, 1)]), Some(Outcome::Good));
        assert_eq!(of(&[(95, Some(105))], &[]), hot);
        assert_eq!(of(&[(94, Some(105))], &[]), Some(Outcome::Good), "it bears that");
        assert_eq!(of(&[(40, None), (90, None)], &[(1, 1)]), hot);
        assert_eq!(of(&[(40, Some(0))], &[]), Some(Outcome::Good), "a limit of nothing is none");
        assert_eq!(of(&[(40, None)], &[(10, 1)]), worn);
        assert_eq!(of(&[], &[(1, 2)]), worn);
        assert_eq!(of(&[], &[(1, 1)]), Some(Outcome::Good));
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
