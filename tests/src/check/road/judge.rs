//! What the far ends and the folders say in the end, held against what was put in.

use std::path::PathBuf;
use std::time::Duration;

use super::super::Wrong;
use super::super::event::until;
use super::super::lab::Lab;
use super::load::{Asked, Sent};

/// How long the folders may take to become empty after the last answer came.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many findings are named.
const NAMED: usize = 20;

/// What lies where nothing should lie any more.
#[derive(Debug)]
pub struct Left {
    held: u32,
    elsewhere: Vec<String>,
}

impl Left {
    /// Waits until nothing lies anywhere; gives what stays.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn wait(lab: &Lab) -> Result<Self, Wrong> {
        let _ = until("nothing lies anywhere", PATIENCE, || Ok(Self::look(lab)?.is_none().then_some(())));
        Self::look(lab)
    }

    fn look(lab: &Lab) -> Result<Self, Wrong> {
        let own = |folder: &str| lab.clinic().state().join("relay").join(folder).join("t1");
        let kept = count(&own("attempted"))? + count(&lab.on_box("req"))?;
        let said = lab.snapshot()?.relay.map_or(0, |relay| relay.part.held_count);
        let others = ["req", "res", "face", "sekisho-staging"].map(|folder| lab.on_terminal(folder));
        let others = others.into_iter().chain(["res", "face"].map(|folder| lab.on_box(folder)));
        let mut elsewhere = Vec::new();
        for folder in others.chain([own("arriving")]) {
            let count = count(&folder)?;
            if count > 0 {
                elsewhere.push(format!("{count} files stay in {}", folder.display()));
            }
        }
        Ok(Self { held: kept.max(u32::try_from(said).unwrap_or(u32::MAX)), elsewhere })
    }

    const fn is_none(&self) -> bool {
        self.held == 0 && self.elsewhere.is_empty()
    }
}

fn count(folder: &PathBuf) -> Result<u32, Wrong> {
    Ok(u32::try_from(std::fs::read_dir(folder)?.count()).unwrap_or(u32::MAX))
}

/// The figures, and a sentence for each finding.
#[derive(Debug)]
pub struct Verdict {
    /// Parcels put in, both ways.
    pub parcels: u32,
    /// Never came.
    pub lost: u32,
    /// Came more than once.
    pub doubled: u32,
    /// Came otherwise than it was sent, or was seen half-written.
    pub torn: u32,
    /// Is kept for a person to look at.
    pub held: u32,
    /// The findings in words.
    pub what: Vec<String>,
}

impl Verdict {
    /// Whether there is nothing to be said.
    pub const fn is_clean(&self) -> bool {
        self.what.is_empty()
    }
}

/// Judges.
///
/// # Errors
/// The link application says nothing.
pub fn judge(lab: &Lab, sent: &Sent, left: Left) -> Result<Verdict, Wrong> {
    let mut what = left.elsewhere;
    let (mut lost, mut doubled, mut torn) = (0, 0, 0);
    let mut say = |count: &mut u32, by: u32, sentence: String| {
        *count += by;
        if by > 0 && what.len() < NAMED {
            what.push(sentence);
        }
    };
    for number in (1..=sent.requests).filter(|number| !sent.came.answers.contains_key(number)) {
        let said = lab.oqs(&format!("seen={}", Asked(number).name()))?;
        say(&mut lost, 1, format!("no answer to request {number}: the terminal says {}", said.trim()));
    }
    let faces = u32::try_from(sent.came.faces.len()).unwrap_or(u32::MAX);
    say(&mut lost, sent.faces.saturating_sub(faces), format!("{faces} of {} face results came", sent.faces));
    let often = sent.came.answers.values().chain(sent.came.faces.values()).filter(|times| **times > 1);
    let often = u32::try_from(often.count()).unwrap_or(u32::MAX);
    say(&mut doubled, often, format!("{often} were collected more than once"));
    for figure in ["doubled", "torn", "created"] {
        let by = u32::try_from(lab.count(figure)?).unwrap_or(u32::MAX);
        let count = if figure == "doubled" { &mut doubled } else { &mut torn };
        say(count, by, format!("the terminal says {figure}={by}"));
    }
    for name in &sent.came.torn {
        say(&mut torn, 1, format!("{name} came with other bytes"));
    }
    // What is held did not come, but it is not lost either.
    let held = left.held;
    lost = lost.saturating_sub(held);
    say(&mut 0, held, format!("{held} are held"));
    Ok(Verdict { parcels: 2 * sent.requests + sent.faces, lost, doubled, torn, held, what })
}
