//! A change of the firewall's rules: by a person who has to confirm it, or behind our back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::Actor;
use crate::site::SiteError;

/// What somebody changed in the kernel behind our back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// When it was first found.
    pub since: Timestamp,
    /// When it was last found.
    pub at: Timestamp,
    /// How often it was found.
    pub times: u64,
    /// What was changed the last time, in words, a few at the most: which rule, set or chain of which table.
    pub changes: Vec<String>,
    /// What it would have let pass, or what of the promises was not proved any more; none if it broke none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broke: Option<String>,
    /// The program that made the change, as the kernel names it; none if it was not heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What was done about it.
    pub repair: Repair,
}

impl Drift {
    /// How long it is told after it was last found, unless a person has seen it before, seconds: three days, so that
    /// what was found on a Friday evening is there on Monday.
    pub const TOLD_S: i64 = 3 * 86_400;
    /// So many changes are said in words.
    pub const LISTED: usize = 8;
}

impl std::fmt::Display for Drift {
    /// "the rule x of the chain forward was added, by nft (process 1234); promise 1 was broken by …; put right".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.changes.join(", "))?;
        if let Some(by) = &self.by {
            write!(f, ", by {by}")?;
        }
        if let Some(broke) = &self.broke {
            write!(f, "; {broke}")?;
        }
        if self.times > 1 {
            write!(f, "; {} times since {}", self.times, self.since)?;
        }
        f.write_str(match self.repair {
            Repair::UnderWay => "; it is being put right",
            Repair::Waits => "; it is changed again and again, and put right ever more seldom",
            Repair::Done => "; it was put right",
            Repair::Failed => "; it could not be put right: everything is dropped",
        })
    }
}

/// What was done about a drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repair {
    /// It is being put right.
    UnderWay,
    /// It was put right.
    Done,
    /// It will be, in a moment: it is changed again and again, and each repair waits longer than the last.
    Waits,
    /// It could not be: everything is dropped.
    Failed,
}

/// A change that waits to be confirmed. Without that it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// When it was put in force.
    pub at: Timestamp,
    /// When it is taken back, by the clock as it was then: what counts is the time that passes.
    pub until: Timestamp,
    /// Who put it in force and has to confirm it.
    pub by: Actor,
}

/// A site file whose ruleset is to be tried, as `POST /apply` wants it: its texts, since who applies it sees no files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// What the site file is called, for messages.
    pub file: String,
    /// The text of the site file.
    pub site: String,
    /// What the profile is called, for messages.
    pub profile_name: String,
    /// The text of the profile the site file names.
    pub profile: String,
}

impl Candidate {
    /// Reads and checks both texts.
    ///
    /// # Errors
    /// Every mistake in them.
    pub fn site(&self) -> Result<crate::Site, Vec<SiteError>> {
        crate::Site::parse(&self.file, &self.site, crate::Profile::parse(&self.profile_name, &self.profile))
    }
}

/// What `POST /apply` carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apply {
    /// Whose ruleset.
    pub candidate: Candidate,
    /// How long to wait for the confirmation, seconds: [`Apply::SHORTEST_S`] to [`Apply::LONGEST_S`].
    pub within_s: u32,
}

impl Apply {
    /// As long as one is waited for unless somebody says otherwise.
    pub const WITHIN_S: u32 = 120;
    /// A person has to read a line and type the next.
    pub const SHORTEST_S: u32 = 5;
    /// Whoever locked himself out waits no longer.
    pub const LONGEST_S: u32 = 3600;
}

/// What came of `POST /apply`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Applied {
    /// It is in force and proved, and waits to be confirmed with this word.
    Armed {
        /// The word.
        word: String,
        /// The change that waits.
        pending: Pending,
        /// How many open flows were ended that the new ruleset would not have let begin; none if that could not be
        /// found out, and then they go on.
        ended: Option<usize>,
    },
    /// The ruleset is the one that is in force; nothing was done.
    Same,
    /// Another change waits to be confirmed.
    Waits {
        /// That one.
        pending: Pending,
    },
    /// It was not put in force; what was in force is, or everything is dropped.
    Refused {
        /// Why, each reason a line.
        why: Vec<String>,
        /// Whether everything is dropped.
        dropped: bool,
    },
}

/// What came of `POST /confirm` and `POST /revert`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Settled {
    /// It is so now.
    Done,
    /// Nothing waits to be confirmed.
    Nothing,
    /// It was not confirmed.
    Refused {
        /// Why.
        why: String,
    },
    /// The box could not do or keep it.
    Failed {
        /// Why.
        why: String,
    },
}
