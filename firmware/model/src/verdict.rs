//! What follows from the evidence, and whose it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::{FaultCode, Words};
use crate::observation::Rung;
use crate::party::Party;
use crate::words::Text;

/// The first word on the first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Usability {
    /// 使えます
    Usable,
    /// 一部使えません
    Partly,
    /// 使えません
    Unusable,
    /// 確認中です: nothing can be said yet, or what is known is too old.
    Unknown,
}

impl Usability {
    /// The word staff read.
    pub const fn word(self) -> Text {
        match self {
            Self::Usable => Text::new("使えます", "Usable"),
            Self::Partly => Text::new("一部使えません", "Partly unusable"),
            Self::Unusable => Text::new("使えません", "Not usable"),
            Self::Unknown => Text::new("確認中です", "Being checked"),
        }
    }
}

/// How sure the verdict is of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The evidence excludes the neighbours.
    Sure,
    /// The evidence favours this owner.
    Likely,
    /// The next step decides.
    Open,
}

impl Certainty {
    /// The word beside the owner.
    pub const fn word(self) -> Text {
        match self {
            Self::Sure => Text::new("確定", "certain"),
            Self::Likely => Text::new("見込み", "likely"),
            Self::Open => Text::new("次の確認で決まります", "the next step decides"),
        }
    }
}

/// One fault, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fault {
    /// Its stable code; the words are in the table of [`crate::fault`].
    pub code: FaultCode,
    /// Who has to act.
    pub owner: Party,
    /// How sure that is.
    pub certainty: Certainty,
    /// The rungs that carry the verdict.
    pub evidence: Vec<Rung>,
    /// The terminal concerned, by its name in the site file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
}

/// The verdict on one site at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Whether reception can use the qualification service.
    pub usability: Usability,
    /// Since when it is so.
    pub since: Timestamp,
    /// What reception must act on first.
    #[serde(default)]
    pub foremost: Option<Fault>,
    /// Independent faults kept in view.
    #[serde(default)]
    pub others: Vec<Fault>,
    /// Recorded only: staff cannot feel these, so they are never an alarm (DNS-02).
    #[serde(default)]
    pub recorded: Vec<Fault>,
}

impl Verdict {
    /// Nothing is known yet.
    pub const fn unknown(since: Timestamp) -> Self {
        Self {
            usability: Usability::Unknown,
            since,
            foremost: None,
            others: Vec::new(),
            recorded: Vec::new(),
        }
    }

    /// Every fault that is an alarm, the foremost first.
    pub fn alarms(&self) -> impl Iterator<Item = &Fault> {
        self.foremost.iter().chain(&self.others)
    }

    /// The words of one of its faults.
    pub fn words(&self, fault: &Fault) -> Words {
        fault.code.words(fault.owner, self.usability)
    }

    /// Same finding, whatever the time it has stood.
    pub fn same_finding(&self, other: &Self) -> bool {
        self.usability == other.usability
            && self.foremost == other.foremost
            && self.others == other.others
            && self.recorded == other.recorded
    }
}
