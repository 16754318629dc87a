//! What the line gives for the terminals, as `netd` publishes it.

use serde::{Deserialize, Serialize};

use crate::site::prefix::Prefix;

/// `netd`: what the line gives for the terminals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentPart {
    /// By delegation; else by advertisement.
    pub delegated: bool,
    /// The prefixes that it gives now.
    pub given: Vec<Prefix>,
    /// What it gave before a renumbering, for as long as that is told.
    pub before: Vec<Prefix>,
    /// It gives nothing, and did not for longer than it takes.
    pub missing: bool,
}
