//! How often each role was started anew of late. Pure: sightings of processes go in.
//!
//! Only that another process now stands behind a role is counted. Who is not there at the moment is no crash: it may be
//! starting.

use std::collections::BTreeMap;

use model::part::Role;
use model::{Symptom, Timestamp};

use crate::finding::Finding;

/// So many new starts
const STARTS: usize = 3;
/// within so many seconds are no accident.
const WITHIN_S: i64 = 600;
/// Whoever has lived for so long since the last one is well again, seconds.
const WELL_AFTER_S: i64 = 60;

/// The lives of all roles.
#[derive(Debug, Default)]
pub struct Lives(BTreeMap<Role, Life>);

#[derive(Debug, Default)]
struct Life {
    process: Option<i32>,
    /// When it was started anew, the newest last.
    again: Vec<Timestamp>,
}

impl Lives {
    /// Nothing is known but when the role that looks was started, since the box came up.
    pub fn of_own(role: Role, starts: &[Timestamp]) -> Self {
        let again = starts.iter().skip(1).copied().collect();
        Self(BTreeMap::from([(role, Life { process: None, again })]))
    }

    /// This process stands behind the role now.
    pub fn see(&mut self, role: Role, process: i32, now: Timestamp) {
        let life = self.0.entry(role).or_default();
        if life.process.is_some_and(|before| before != process) {
            life.again.push(now);
            life.again.drain(..life.again.len().saturating_sub(STARTS));
        }
        life.process = Some(process);
    }

    pub(super) fn finding(&self, now: Timestamp) -> Finding {
        match self.0.iter().find(|(_, life)| life.is_troubled(now)) {
            Some((role, life)) => {
                let newest = life.again.last().map(ToString::to_string).unwrap_or_default();
                Finding::bad(Symptom::Crashing, format!("{}: newest start {newest}", role.key()))
            }
            None => Finding::good(""),
        }
    }
}

impl Life {
    fn is_troubled(&self, now: Timestamp) -> bool {
        let within = |at: Timestamp, s: i64| (0..s).contains(&(now.as_second() - at.as_second()));
        let of_late = self.again.iter().filter(|at| within(**at, WITHIN_S)).count();
        of_late >= STARTS && self.again.last().is_some_and(|at| within(*at, WELL_AFTER_S))
    }
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A new process of the relay at each of these seconds, after a first one.
    fn lives(seconds: &[i64]) -> Lives {
        let mut lives = Lives::default();
        lives.see(Role::Relayd, 1, at(0));
        lives.see(Role::Netd, 9, at(0));
        for (process, second) in (2..).zip(seconds) {
            lives.see(Role::Relayd, process, at(*second));
            lives.see(Role::Relayd, process, at(*second + 1));
            lives.see(Role::Netd, 9, at(*second));
        }
        lives
    }

    const CRASHING: Outcome = Outcome::Bad(Symptom::Crashing);

    #[test]
    fn three_new_starts_in_ten_minutes_are_a_fault_until_it_has_lived_for_a_minute() {
        assert_eq!(lives(&[10, 20]).finding(at(21)).outcome, Outcome::Good);
        let often = lives(&[10, 300, 590]);
        let found = often.finding(at(591));
        assert_eq!(found.outcome, CRASHING);
        assert!(found.detail.starts_with("relayd: "), "{}", found.detail);
        assert_eq!(often.finding(at(650)).outcome, Outcome::Good);
        assert_eq!(lives(&[10, 300, 700]).finding(at(701)).outcome, Outcome::Good, "seldom");
        assert_eq!(lives(&[1, 2, 3, 4, 5, 6]).finding(at(7)).outcome, CRASHING);
    }

    #[test]
    fn a_clock_that_was_set_accuses_nobody() {
        assert_eq!(lives(&[10, 20, 30]).finding(at(5)).outcome, Outcome::Good);
        assert_eq!(lives(&[10, 20, 100_000]).finding(at(100_001)).outcome, Outcome::Good);
    }

    #[test]
    fn the_one_who_looks_remembers_its_own_starts_but_the_first_since_the_box_came_up() {
        let of = |starts: &[i64]| {
            let starts: Vec<Timestamp> = starts.iter().map(|second| at(*second)).collect();
            Lives::of_own(Role::Reachd, &starts).finding(at(41)).outcome
        };
        assert_eq!(of(&[10, 20, 30]), Outcome::Good);
        assert_eq!(of(&[10, 20, 30, 40]), CRASHING);
    }
}
