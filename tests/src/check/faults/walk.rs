//! One case on one clinic: make, look until it is judged, undo, look until the clinic is clean.

use std::time::{Duration, Instant};

use model::part::LinePart;
use model::{Timestamp, Verdict};

use super::super::lab::Lab;
use super::super::{Outcome, Wrong};
use super::case::{Case, is_clean, said};
use super::ear::Ear;
use super::traffic;

/// From the making of a fault until it is judged, and from its undoing until the clinic is clean: the router's patience
/// of 30 s, the sweeps themselves, and a machine with more to do.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long to wait for the box's own next word before it is asked for another sweep.
const BETWEEN: Duration = Duration::from_secs(1);
/// What is waited for while the fault stands.
const JUDGED: &str = "judged";
/// So many sweeps in a row must say the right thing; more where nothing is to be said, which a box that sleeps says too.
const HOLDS: u32 = 2;
const HOLDS_QUIET: u32 = 4;

/// What was judged, and how soon.
#[derive(Debug)]
pub struct Judged {
    /// The verdict in words.
    pub said: String,
    /// From the making of the fault to the first sweep that said so.
    pub after: Duration,
    /// From its undoing to the first clean sweep.
    pub clean: Duration,
}

/// Plays a case. The clinic is clean, or born with the case's faults.
///
/// # Errors
/// What was wrong. The faults are undone all the same.
pub fn play(lab: &mut Lab, case: &Case) -> Result<Judged, Wrong> {
    traffic::before(lab, case)?;
    if !case.born {
        case.makes.iter().try_for_each(|fault| lab.fault(fault, true))?;
    }
    let judged = traffic::meanwhile(lab, case)
        .and_then(|()| look(lab, case, JUDGED, |line| case.is_right(&line.verdict)));
    let undone = case.makes.iter().rev().try_for_each(|fault| lab.fault(fault, false));
    let (said, after) = judged?;
    undone?;
    traffic::after(lab, case)?;
    let (_, clean) = look(lab, case, "clean again", is_clean)?;
    Ok(Judged { said, after, clean })
}

/// Waits until a clinic that has just come up is clean; nobody may be accused meanwhile.
///
/// # Errors
/// Somebody is, or it does not become clean.
pub fn settle(lab: &mut Lab, nothing: &Case) -> Outcome {
    look(lab, nothing, "clean", is_clean).map(drop)
}

/// A clean clinic that must stay silent.
#[derive(Debug)]
pub struct Quiet(Ear);

impl Quiet {
    /// Listens to one.
    ///
    /// # Errors
    /// It is not clean to begin with.
    pub fn on(lab: &Lab) -> Result<Self, Wrong> {
        let quiet = Self(Ear::on(&lab.clinic().socket_dir()));
        quiet.sweep(lab)?;
        Ok(quiet)
    }

    /// One more sweep, and all that was published until it ended.
    ///
    /// # Errors
    /// There was a word.
    pub fn sweep(&self, lab: &Lab) -> Outcome {
        let line = lab.check()?;
        self.0.heard().into_iter().chain([line]).try_for_each(|line| {
            let worse = || Wrong(format!("a clean clinic says {}", explained(&line)));
            if is_clean(&line) { Ok(()) } else { Err(worse()) }
        })
    }
}

/// Sweeps until so many in a row are right. Every verdict that is published after the first sweep is looked at too: by
/// then nothing that was seen before the fault stood is left in it.
fn look(
    lab: &mut Lab,
    case: &Case,
    what: &str,
    is_right: impl Fn(&LinePart) -> bool,
) -> Result<(String, Duration), Wrong> {
    let begun = Instant::now();
    // A board's socket is its own: of it there is what its page says.
    let ear = (!lab.is_board()).then(|| Ear::on(&lab.clinic().socket_dir()));
    let passive = ear.as_ref().filter(|_| case.passive && what == JUDGED);
    let newest = |lab: &Lab| passive.map_or_else(|| lab.check(), unasked);
    let mut line = newest(lab)?;
    let first = line.swept_at;
    let (mut right, mut since) = (0, begun.elapsed());
    loop {
        accuse_nobody_else(case, &line.verdict)?;
        if passive.is_none() {
            let parts = ear.iter().flat_map(Ear::heard);
            parts.into_iter().try_for_each(|part| heard(case, &part, first))?;
        }
        if is_right(&line) {
            since = if right == 0 { begun.elapsed() } else { since };
            right += 1;
        } else {
            right = 0;
        }
        let enough = right >= (if case.alarms.is_empty() { HOLDS_QUIET } else { HOLDS });
        if enough && (what != JUDGED || begun.elapsed() >= since + case.lasts) {
            return Ok((said(&line.verdict), since));
        }
        if begun.elapsed() > lab.patience(PATIENCE) + case.lasts {
            return Err(late(what, &line));
        }
        if passive.is_none()
            && (right == 0 || enough)
            && let Some(part) = ear.as_ref().and_then(|ear| ear.next(BETWEEN))
        {
            heard(case, &part, first)?;
        }
        traffic::collect(lab, case)?;
        line = newest(lab)?;
    }
}

/// What the box says next by itself.
fn unasked(ear: &Ear) -> Result<LinePart, Wrong> {
    ear.next(PATIENCE).ok_or_else(|| Wrong(format!("the box said nothing for {PATIENCE:?}")))
}

fn heard(case: &Case, part: &LinePart, first: Option<Timestamp>) -> Outcome {
    if part.swept_at < first { Ok(()) } else { accuse_nobody_else(case, &part.verdict) }
}

fn accuse_nobody_else(case: &Case, verdict: &Verdict) -> Outcome {
    match case.wronged(verdict) {
        Some(fault) => Err(Wrong(format!("{} is accused of {}", fault.owner.key(), fault.code.key()))),
        None => Ok(()),
    }
}

fn late(what: &str, line: &LinePart) -> Wrong {
    Wrong(format!("not {what} within {PATIENCE:?}: {}", explained(line)))
}

/// The verdict, and the rungs that are bad.
fn explained(line: &LinePart) -> String {
    let bad = line.ladder.iter().filter_map(|seen| Some((seen.rung, seen.outcome.symptom()?)));
    let bad: Vec<String> = bad.map(|(rung, symptom)| format!("{rung:?} {symptom:?}")).collect();
    let bad = if bad.is_empty() { String::new() } else { format!("; {}", bad.join(", ")) };
    said(&line.verdict) + &bad
}
