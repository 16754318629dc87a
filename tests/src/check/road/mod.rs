//! `relay`: parcels go both ways, thousands of them, while the relay is killed again and again, at named steps and at
//! any moment. What was put in and what comes out at the far ends is compared by a judge that shares no code with it.

mod death;
mod judge;
mod load;

use std::io::Write;
use std::time::{Duration, Instant};

use self::death::Deaths;
use self::judge::{Left, Verdict};
use self::load::Load;
use super::lab::{Lab, Wish};
use super::{Row, Wrong};

/// So many kills every step must have had in a run that has enough of them.
const EACH: u32 = 5;
/// What comes unasked from the terminal, for so many requests one.
const FACE_EVERY: u32 = 8;
/// While so many requests have no answer no more are put: a relay that only catches up never comes to some steps.
const MOST: u32 = 200;
/// How long nothing may come any more before it counts as lost: longer than a step may take that the relay then gives up.
const PATIENCE: Duration = Duration::from_secs(150);

/// How much is wished for.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Parcels, both ways together; a few more are put if a step is not reached otherwise.
    pub parcels: u32,
    /// Kills.
    pub kills: u32,
}

/// Plays it. The row is right if nothing was lost, doubled, torn or held, and every step had its kills.
///
/// # Errors
/// It cannot be played.
pub fn play(lab: &mut Lab, measure: Measure, out: &mut dyn Write) -> Result<Row, Wrong> {
    let begun = Instant::now();
    lab.settle()?;
    lab.oqs("answer=echo")?;
    let mut load = Load::begin(lab)?;
    let mut deaths = Deaths::new(measure.kills)?;
    while let Some(death) = deaths.next() {
        if load.unanswered() < MOST {
            feed(lab, &mut load, measure.parcels, deaths.left() + 2)?;
        }
        let died = death::live(lab, &death, || load.put(1))?;
        load.still_well()?;
        deaths.died(&death, died);
    }
    death::start(lab, "")?;
    feed(lab, &mut load, measure.parcels, 1)?;
    load.settle(PATIENCE)?;
    let left = Left::wait(lab)?;
    let verdict = judge::judge(lab, &load.end()?, left)?;
    deaths.print(out)?;
    if !verdict.is_clean() {
        writeln!(out, "{}", verdict.what.join("\n"))?;
    }
    let enough = deaths.least() >= EACH.min(measure.kills / Deaths::most_sorts());
    if !enough {
        writeln!(out, "a step had fewer kills than {EACH}")?;
    }
    let Verdict { lost, doubled, torn, held, .. } = verdict;
    let (parcels, kills) = (verdict.parcels, deaths.count());
    let made = format!("parcels={parcels} kills={kills}");
    let said = format!("{made} lost={lost} doubled={doubled} torn={torn} held={held}");
    writeln!(out, "{said}")?;
    let right = verdict.is_clean() && enough && kills >= measure.kills;
    let name = "nothing_is_lost_doubled_torn_or_held_while_the_relay_is_killed".into();
    Ok(Row { name, made, wrong: (!right).then_some(said), took: begun.elapsed() })
}

/// The defects it has to find, each of which breaks another promise.
const DEFECTS: [&str; 3] = ["no-rename", "no-record", "no-doubt"];

/// Plays it once without a defect and once with each. Gives a row for each; the first is the run without one.
///
/// # Errors
/// It cannot be played.
pub fn sabotaged(wish: &Wish, measure: Measure, out: &mut dyn Write) -> Result<Vec<Row>, Wrong> {
    writeln!(out, "-- no defect")?;
    let mut rows = vec![play(&mut Lab::up(wish.clone())?, measure, out)?];
    for defect in DEFECTS {
        writeln!(out, "-- {defect}")?;
        let wish = Wish { sabotage: Some(defect), ..wish.clone() };
        rows.push(caught(defect, play(&mut Lab::up(wish)?, measure, out)?));
    }
    let caught = rows.iter().skip(1).filter(|row| row.wrong.is_none()).count();
    writeln!(out, "defects={} caught={caught}", DEFECTS.len())?;
    Ok(rows)
}

/// With a defect a run has to be wrong.
fn caught(defect: &str, played: Row) -> Row {
    let missed = played.wrong.is_none().then(|| "it was not seen".to_owned());
    let made = played.wrong.unwrap_or(played.made);
    Row { name: format!("{defect}_is_caught"), made, wrong: missed, took: played.took }
}

/// Puts this life's part of what is left to be put.
fn feed(lab: &Lab, load: &mut Load, parcels: u32, lives: u32) -> Result<(), Wrong> {
    let part = parcels.saturating_sub(load.parcels()) / lives;
    // A request comes back as an answer: two parcels.
    let requests = part * FACE_EVERY / (2 * FACE_EVERY + 1);
    let faces = part - 2 * requests;
    if faces > 0 {
        lab.oqs(&format!("push-face={faces}"))?;
    }
    load.faces += faces;
    load.put(requests)
}
