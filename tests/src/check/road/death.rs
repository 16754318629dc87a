//! How the relay dies: killed by itself at a named step (a build with the listed defects only), or by us at any moment.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::super::event::until;
use super::super::lab::Lab;
use super::super::{Wrong, must};

/// A step at which the product may be asked to die, and how many of them may pass before it does.
struct Step {
    name: &'static str,
    most: u32,
}

/// The steps of both roads, in their order. What is done for each file of a batch may be left half-way.
const STEPS: [Step; 15] = [
    Step { name: "judged", most: 1 },
    Step { name: "staging", most: 8 },
    Step { name: "staged", most: 2 },
    Step { name: "deciding", most: 2 },
    Step { name: "decided", most: 2 },
    Step { name: "publishing", most: 8 },
    Step { name: "published", most: 2 },
    Step { name: "noted", most: 2 },
    Step { name: "copying", most: 2 },
    Step { name: "copied", most: 2 },
    Step { name: "recorded", most: 2 },
    Step { name: "showing", most: 2 },
    Step { name: "shown", most: 2 },
    Step { name: "settled", most: 2 },
    Step { name: "removed", most: 8 },
];
/// Of three deaths one comes at any moment.
const ANY_EVERY: u32 = 3;
/// The latest such moment after the start.
const LATEST: Duration = Duration::from_millis(1500);
/// How long a step may be in coming; meanwhile something is put now and then.
const PATIENCE: Duration = Duration::from_secs(20);
/// After so long without a death something more is put.
const LULL: Duration = Duration::from_millis(250);

/// One death.
#[derive(Clone, Debug)]
pub enum Death {
    /// By itself at the nth step of this place in the list.
    At(usize, u32),
    /// By our hand, so long after it was ready.
    Any(Duration),
}

/// All deaths of a run.
#[derive(Debug)]
pub struct Deaths {
    wanted: u32,
    planned: u32,
    random: u64,
    at: [u32; STEPS.len()],
    any: u32,
}

impl Deaths {
    /// So many.
    ///
    /// # Errors
    /// The kernel gives no random bytes.
    pub fn new(wanted: u32) -> Result<Self, Wrong> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(|error| Wrong(error.to_string()))?;
        let random = u64::from_le_bytes(seed) | 1;
        Ok(Self { wanted, planned: 0, random, at: [0; STEPS.len()], any: 0 })
    }

    /// How many sorts of kills there are, with those at any moment in their part.
    pub const fn most_sorts() -> u32 {
        STEPS.len() as u32 * ANY_EVERY / (ANY_EVERY - 1) + 1
    }

    /// The next one to be died.
    pub fn next(&mut self) -> Option<Death> {
        if self.planned >= self.wanted {
            return None;
        }
        self.planned += 1;
        if self.planned.is_multiple_of(ANY_EVERY) {
            let latest = u32::try_from(LATEST.as_millis()).unwrap_or(u32::MAX);
            return Some(Death::Any(Duration::from_millis(self.below(latest).into())));
        }
        let at = (self.planned - self.planned / ANY_EVERY - 1) as usize % STEPS.len();
        Some(Death::At(at, 1 + self.below(STEPS[at].most)))
    }

    /// How many are still to come.
    pub const fn left(&self) -> u32 {
        self.wanted - self.planned
    }

    /// One was died: as it was planned, or after its step did not come by our hand.
    pub fn died(&mut self, death: &Death, as_planned: bool) {
        match death {
            Death::At(at, _) if as_planned => self.at[*at] += 1,
            _ => self.any += 1,
        }
    }

    /// How many there were.
    pub fn count(&self) -> u32 {
        self.at.iter().sum::<u32>() + self.any
    }

    /// How many the step had that had the fewest.
    pub fn least(&self) -> u32 {
        self.at.iter().copied().min().unwrap_or(0)
    }

    /// Prints how many each step had.
    ///
    /// # Errors
    /// Nobody can be told any more.
    pub fn print(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "{:<16} {:>5}", "killed", "times")?;
        for (step, times) in STEPS.iter().zip(self.at) {
            writeln!(out, "{:<16} {times:>5}", step.name)?;
        }
        writeln!(out, "{:<16} {:>5}", "at any moment", self.any)
    }

    /// A number below `end` (xorshift64).
    fn below(&mut self, end: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        u32::try_from(self.random % u64::from(end.max(1))).unwrap_or(0)
    }
}

/// Starts the relay and sees it die; `more` puts something more. Says whether it died as it was planned.
///
/// # Errors
/// It cannot be started, or dies of something else.
pub fn live(lab: &Lab, death: &Death, mut more: impl FnMut() -> Result<(), Wrong>) -> Result<bool, Wrong> {
    let before = fell(lab)?;
    let plan = match death {
        Death::At(at, nth) => format!("die-at={}:{nth}", STEPS[*at].name),
        Death::Any(_) => String::new(),
    };
    let started = start(lab, &plan);
    let hold = lab.hold("relayd");
    match (death, hold) {
        // It may fall before it says that it is ready.
        (Death::At(..), Err(_)) => {}
        (Death::At(..), Ok(hold)) => {
            let end = Instant::now() + PATIENCE;
            while !hold.ended(Instant::now() + LULL) && Instant::now() < end {
                more()?;
            }
            hold.signal(Signal::SIGKILL);
            must(hold.ended(Instant::now() + PATIENCE), || "the relay does not die".into())?;
        }
        (Death::Any(after), hold) => {
            started?;
            let hold = hold?;
            must(!hold.ended(Instant::now() + *after), || "the relay died by itself".into())?;
            hold.signal(Signal::SIGKILL);
            must(hold.ended(Instant::now() + PATIENCE), || "the relay does not die".into())?;
        }
    }
    Ok(fell(lab)? > before)
}

/// Starts it, with the defect that is wished for. What has just died may still be letting go of its ports, so one that does not come up is started again,
/// unless it fell as it was asked to.
///
/// # Errors
/// It does not become ready.
pub fn start(lab: &Lab, death: &str) -> Result<(), Wrong> {
    let sabotage = [death, lab.wish()?.sabotage.unwrap_or_default()].join(",");
    let before = fell(lab)?;
    let mut last = None;
    let started = until("the relay starts", PATIENCE, || {
        let started = lab.clinic().start_daemon(&[("SEKISHO_SABOTAGE", &sabotage)]);
        let over = started.is_ok() || fell(lab)? > before;
        last = started.err();
        Ok(over.then_some(()))
    });
    started.map_err(|late| last.map_or(late, Wrong::from))
}

/// How often the relay has said that it dies as it was asked to.
fn fell(lab: &Lab) -> Result<usize, Wrong> {
    let log = fs::read_to_string(lab.clinic().log("sekisho"))?;
    Ok(log.lines().filter(|line| line.contains("dies here, as it was asked to")).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_hundred_kills_give_every_step_its_five() {
        let mut deaths = Deaths::new(300).unwrap();
        while let Some(death) = deaths.next() {
            deaths.died(&death, true);
        }
        assert_eq!((deaths.count(), deaths.any), (300, 100));
        assert!(deaths.least() >= 5, "{:?}", deaths.at);
    }
}
