//! The stories: what a board must do, told as title, why and steps, and played on the [`Stage`].

mod boot;
mod carton;
mod data;
mod faults;
mod flash;
mod inside;
mod ipsec;
mod line;
mod maintenance;
mod pd;
mod ports;
mod power;
mod pppoe;
mod relay;
mod roles;
mod walk;

use std::fmt;

use clinic::check::Outcome;

use crate::stage::Stage;

/// What plays a story.
pub type Play = Box<dyn Fn(&mut Stage) -> Outcome>;

/// One story.
pub struct Story {
    /// A sentence that must be true, as a name.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What is done, in order.
    pub steps: &'static [&'static str],
    /// Which images it is for.
    pub only: For,
    /// Whether it is short enough for every change.
    pub smoke: bool,
    /// Plays it.
    pub play: Play,
}

impl Story {
    /// A story for the full tier.
    pub fn new(
        title: &'static str,
        why: &'static str,
        steps: &'static [&'static str],
        play: impl Fn(&mut Stage) -> Outcome + 'static,
    ) -> Self {
        Self { title, why, steps, only: For::Every, smoke: false, play: Box::new(play) }
    }

    /// The same, for some images only.
    #[must_use]
    pub fn only(self, only: For) -> Self {
        Self { only, ..self }
    }

    /// The same, for the smoke tier too.
    #[must_use]
    pub fn smoke(self) -> Self {
        Self { smoke: true, ..self }
    }
}

/// Which images a story is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// All of them.
    Every,
    /// One that lets the bench's own unit in.
    Development,
    /// One that does not.
    Release,
}

impl For {
    /// Whether it is for an image that is a release, or is not.
    pub fn is_for(self, release: bool) -> bool {
        match self {
            Self::Every => true,
            Self::Development => !release,
            Self::Release => release,
        }
    }
}

impl fmt::Debug for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n    {}", self.title, self.why)?;
        self.steps.iter().enumerate().try_for_each(|(at, step)| writeln!(f, "    {}. {step}", at + 1))
    }
}

/// All of them, in the order of play: one box is unpacked, set up, and lives through the rest.
pub fn all() -> Vec<Story> {
    let stories = [
        carton::stories(),
        // Before there was any work: at rest.
        inside::stories(),
        walk::stories(),
        line::stories(),
        faults::stories(),
        ports::stories(),
        roles::stories(),
        relay::stories(),
        power::stories(),
        data::stories(),
        boot::stories(),
        inside::timed_stories(),
        flash::stories(),
        // Each in a clinic of its own.
        ipsec::stories(),
        maintenance::stories(),
        pd::stories(),
        pppoe::stories(),
    ];
    stories.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_story_says_why_and_how_and_none_has_anothers_title() {
        let stories = all();
        let titles: BTreeSet<&str> = stories.iter().map(|story| story.title).collect();
        assert_eq!(titles.len(), stories.len());
        for story in &stories {
            assert!(!story.why.is_empty() && !story.steps.is_empty(), "{}", story.title);
        }
        let smoke = stories.iter().filter(|story| story.smoke).count();
        assert!(smoke > 0 && smoke < stories.len(), "{smoke}");
    }
}
