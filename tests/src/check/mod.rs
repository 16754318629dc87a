//! Named, longer verifications and the measurements: the frame they share.
//!
//! A verification is a committed list of [`Case`]s, each a short story played on a [`lab::Lab`], a virtual clinic driven
//! from outside. [`run`] plays them and gives a row for each; [`sabotage`] shows that the list can fail; [`junit`] writes
//! what a machine reads. [`mod@bench`] measures, always as ratios taken in one run.

pub mod afar;
pub mod bench;
pub mod event;
pub mod faults;
pub mod firewall;
pub mod junit;
pub mod lab;
pub mod lines;
pub mod machine;
pub mod network;
pub mod road;
pub mod sabotage;
pub mod scan;
pub mod walk;

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use self::lab::Lab;

/// What was seen and should not have been, or the reverse; one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

impl Wrong {
    /// A sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl From<crate::faux::Error> for Wrong {
    fn from(error: crate::faux::Error) -> Self {
        Self(format!("failed to {error}"))
    }
}

impl From<crate::Error> for Wrong {
    fn from(error: crate::Error) -> Self {
        Self(format!("failed to {error}"))
    }
}

impl From<std::io::Error> for Wrong {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a case comes to.
pub type Outcome = Result<(), Wrong>;

/// Says what is wrong unless `good`.
///
/// # Errors
/// The sentence, if it is not.
pub fn must(good: bool, sentence: impl FnOnce() -> String) -> Outcome {
    if good { Ok(()) } else { Err(Wrong(sentence())) }
}

/// What of a list is asked for by name, or all of it. `all_names` says where the names are found.
///
/// # Errors
/// A name is nobody's: a run of nothing would look like a good one.
pub fn chosen<T>(
    mut all: Vec<T>,
    only: &[String],
    name: impl Fn(&T) -> &str,
    all_names: &str,
) -> Result<Vec<T>, Wrong> {
    if let Some(unknown) = only.iter().find(|only| !all.iter().any(|one| name(one) == **only)) {
        return Err(Wrong(format!("there is no {unknown}; {all_names}")));
    }
    all.retain(|one| only.is_empty() || only.iter().any(|only| only == name(one)));
    Ok(all)
}

/// What plays a case.
pub type Play = Box<dyn Fn(&mut Lab) -> Outcome>;

/// One case: a sentence that must be true, and how it is tried.
pub struct Case {
    /// The sentence, as a name.
    pub name: &'static str,
    /// What the case makes or does.
    pub made: &'static str,
    /// Whether it judges from outside only, so that a board can be played too.
    pub outside: bool,
    /// Whether it opens the clinic's share, whose password lies in the box.
    pub share: bool,
    /// Plays it. It leaves the clinic as clean as it found it.
    pub play: Play,
}

impl Case {
    /// A case for the lab only: it looks or reaches into the box.
    pub fn new(name: &'static str, made: &'static str, play: impl Fn(&mut Lab) -> Outcome + 'static) -> Self {
        Self { name, made, outside: false, share: false, play: Box::new(play) }
    }

    /// A case that judges from outside, for the lab and for a board.
    pub fn outside(
        name: &'static str,
        made: &'static str,
        play: impl Fn(&mut Lab) -> Outcome + 'static,
    ) -> Self {
        Self { outside: true, ..Self::new(name, made, play) }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.made)
    }
}

/// A played case.
#[derive(Debug)]
pub struct Row {
    /// The case's name.
    pub name: String,
    /// What it made.
    pub made: String,
    /// What was wrong, if anything.
    pub wrong: Option<String>,
    /// How long it took.
    pub took: Duration,
}

impl Row {
    /// A row that has nothing in it yet.
    pub const fn of(name: String) -> Self {
        Self { name, made: String::new(), wrong: None, took: Duration::ZERO }
    }

    /// The row without what was made: where that is many steps, the report keeps them.
    pub fn brief(&self) -> String {
        let wrong = self.wrong.as_ref().map_or_else(String::new, |wrong| format!("\n      {wrong}"));
        self.head() + &wrong
    }

    fn head(&self) -> String {
        let word = if self.wrong.is_none() { "right" } else { "WRONG" };
        format!("{word} {:6.1} s  {}", self.took.as_secs_f64(), self.name)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ({})", self.head(), self.made)?;
        self.wrong.as_ref().map_or(Ok(()), |wrong| write!(f, "\n      {wrong}"))
    }
}

/// Plays the cases in order and writes a row for each as it ends.
///
/// # Errors
/// Nobody can be told any more.
pub fn run(lab: &mut Lab, cases: &[Case], out: &mut dyn Write) -> std::io::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in cases {
        let begun = Instant::now();
        let outcome = (case.play)(lab);
        let row = Row {
            name: case.name.to_owned(),
            made: case.made.to_owned(),
            wrong: outcome.err().map(|wrong| wrong.to_string()),
            took: begun.elapsed(),
        };
        writeln!(out, "{row}")?;
        out.flush()?;
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_chosen_and_a_name_that_is_nobodys_is_refused() {
        let chosen = |only: &[&str]| {
            let only: Vec<String> = only.iter().map(|only| (*only).to_owned()).collect();
            chosen(vec!["a", "b"], &only, |name| name, "they are a and b").map_err(|wrong| wrong.to_string())
        };
        assert_eq!(chosen(&[]), Ok(vec!["a", "b"]));
        assert_eq!(chosen(&["b"]), Ok(vec!["b"]));
        assert_eq!(chosen(&["b", "typo"]), Err("there is no typo; they are a and b".into()));
    }
}
