//! What each role publishes about itself over its socket, and the snapshot the faces read.
//! An absent part is 不明 since its last look, never 正常.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::boot::BootPart;
use crate::maintenance::MaintenancePart;
use crate::observation::Observation;
use crate::packet::Packet;
use crate::parcel::{Held, Outcomes, Pair, Unanswered, Uncollected, Waiting};
use crate::past::Past;
use crate::ruleset::{Drift, Pending};
use crate::scene::Scene;
use crate::verdict::Verdict;

/// A role of the one binary; in the image each is its own process, unit and user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Firewall and kernel state.
    Netd,
    /// Probes and the verdict.
    Reachd,
    /// The files.
    Relayd,
    /// The page.
    Webd,
    /// Lamps.
    Boardd,
}

impl Role {
    /// Every role, in the order they start.
    pub const ALL: [Self; 5] = [Self::Netd, Self::Relayd, Self::Reachd, Self::Boardd, Self::Webd];

    /// The role's name: of its socket, its unit and its user.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Netd => "netd",
            Self::Reachd => "reachd",
            Self::Relayd => "relayd",
            Self::Webd => "webd",
            Self::Boardd => "boardd",
        }
    }

    /// The role with this name.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.key() == key)
    }
}

/// A part with the number and the time of its making.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamped<T> {
    /// Grows with every change, from 1; a reader asks for what came after the number it has.
    pub generation: u64,
    /// When the role last looked, also when nothing changed.
    pub at: Timestamp,
    /// The part.
    pub part: T,
}

impl<T> Stamped<T> {
    /// Whether the part may still be believed. One from the future of a clock that was set back may not.
    pub fn is_fresh(&self, patience_s: i64, now: Timestamp) -> bool {
        (now.as_second() - self.at.as_second()).abs() <= patience_s
    }
}

/// How old the line's part may be, seconds: two full sweeps of 60 s, and ten for the sweep itself.
pub const LINE_PATIENCE_S: i64 = 130;

/// How old the other parts may be, seconds: two intervals of 30 s, in which each role looks at least once.
pub const PATIENCE_S: i64 = 60;

/// `reachd`: the line, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinePart {
    /// The verdict on the newest evidence.
    pub verdict: Verdict,
    /// The newest observation of every rung, in climbing order; with several terminals one each.
    pub ladder: Vec<Observation>,
    /// How long the newest full sweep took, milliseconds.
    pub sweep_ms: f64,
    /// When the newest full sweep ended; none since the start if absent.
    #[serde(default)]
    pub swept_at: Option<Timestamp>,
    /// The full sweep that somebody asked for and that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

impl LinePart {
    /// A verdict with no ladder to it.
    pub const fn judged(verdict: Verdict) -> Self {
        Self { verdict, ladder: Vec::new(), sweep_ms: 0.0, swept_at: None, sweep: None }
    }
}

/// A full sweep under way: it is judged when it has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sweep {
    /// What was seen so far, in the order it came.
    pub seen: Vec<Observation>,
    /// How many observations there will be at the most; 0 while nobody has looked yet.
    pub of: usize,
}

/// `relayd`: the files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RelayPart {
    /// What the relay sees of each terminal's share; evidence for `reachd`.
    pub shares: Vec<Observation>,
    /// Parcels on their way that have not arrived.
    pub waiting: Vec<Waiting>,
    /// Parcels a person has to look at.
    pub held: Vec<Held>,
    /// How many wait; only the oldest [`RelayPart::LISTED`] of each lane are listed.
    #[serde(default)]
    pub waiting_count: u64,
    /// How many are held; as above.
    #[serde(default)]
    pub held_count: u64,
    /// Today's request → answer pairs, oldest first, at most [`RelayPart::PAIRS_KEPT`].
    pub pairs: Vec<Pair>,
    /// Requests published today.
    pub requests_today: u64,
    /// Answers delivered today, face results included.
    pub answers_today: u64,
    /// What terminals leave without an answer, by terminal and kind.
    #[serde(default)]
    pub unanswered: Vec<Unanswered>,
    /// How many files of no known kind lie on terminals where answers are.
    #[serde(default)]
    pub strangers: u64,
    /// What consumers leave uncollected.
    #[serde(default)]
    pub uncollected: Vec<Uncollected>,
    /// What today's answers said; none unless the site file wants them looked into.
    #[serde(default)]
    pub outcomes: Option<Outcomes>,
}

impl RelayPart {
    /// How many parcels that wait, and how many that are held, are listed: a hundred thousand would fill every
    /// reader's memory and nobody's eye.
    pub const LISTED: usize = 500;

    /// A request without an answer for so long is said, seconds. An answer takes a few, so that somebody waits by now.
    pub const NO_ANSWER_S: i64 = 30;

    /// How many of today's pairs are kept for the plot.
    pub const PAIRS_KEPT: usize = 500;

    /// The q-quantile (0..=1) of today's pair times, milliseconds; none without a pair.
    pub fn quantile_ms(&self, q: f64) -> Option<f64> {
        let mut times: Vec<f64> = self.pairs.iter().map(|pair| pair.took_ms).collect();
        times.sort_by(f64::total_cmp);
        let last = times.len().checked_sub(1)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index into at most PAIRS_KEPT entries"
        )]
        let index = (q.clamp(0.0, 1.0) * last as f64).round() as usize;
        times.get(index).copied()
    }
}

/// Whether one promise of the firewall holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Proof {
    /// Proved for every packet.
    Proved,
    /// A packet that breaks the promise.
    Broken {
        /// The counterexample in words: the packet, what becomes of it, and what must not.
        counterexample: String,
        /// The packet as it comes; boxed, because a part is mostly promises that hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        packet: Option<Box<Packet>>,
        /// What opened its flow, if it belongs to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opening: Option<Box<Packet>>,
        /// The same packet behind the rules that write into it, if any does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        becomes: Option<Box<Packet>>,
    },
    /// Something in the ruleset is not understood, so nothing is claimed.
    Unproved {
        /// What is not understood.
        reason: String,
    },
}

impl Proof {
    /// Broken by a packet of which only the words are known.
    pub fn broken(words: impl Into<String>) -> Self {
        Self::Broken { counterexample: words.into(), packet: None, opening: None, becomes: None }
    }
}

/// One promise and its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Promise {
    /// Its number in docs/security.md.
    pub number: u8,
    /// The outcome.
    pub proof: Proof,
}

/// What the kernel is made to do with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RulesetState {
    /// Everything is dropped: before the first proof and after any failure.
    DropAll,
    /// The site's ruleset, proved on what the kernel holds.
    Proved,
    /// What the kernel holds is not what was proved.
    Drifted,
}

/// `netd`: the firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirewallPart {
    /// What the kernel is made to do.
    pub state: RulesetState,
    /// The newest proof of each promise, on what the kernel holds.
    pub promises: Vec<Promise>,
    /// When the kernel was last read and proved.
    #[serde(default)]
    pub proved_at: Option<Timestamp>,
    /// Why the site's ruleset cannot be brought up, for an engineer; it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindrance: Option<String>,
    /// What somebody changed behind our back, until a person has seen it, or for [`Drift::TOLD_S`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// A change that waits to be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
}

impl FirewallPart {
    /// Everything is dropped, and nothing is proved.
    pub const fn dropping(hindrance: Option<String>) -> Self {
        let (drift, pending) = (None, None);
        Self {
            state: RulesetState::DropAll,
            promises: Vec::new(),
            proved_at: None,
            hindrance,
            drift,
            pending,
        }
    }

    /// Whether the kernel holds the site's ruleset and every promise is proved on it; also after it was put right.
    pub fn is_in_force(&self) -> bool {
        let proved = self.promises.iter().all(|promise| promise.proof == Proof::Proved);
        self.state != RulesetState::DropAll && !self.promises.is_empty() && proved
    }
}

/// `boardd`: the lamps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardPart {
    /// The board's name.
    pub board: String,
    /// What the lamps show.
    pub scene: Scene,
}

/// One immutable picture of the box, made of the roles' parts. `GET /api/status` and `status --json` are this.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `reachd`'s part.
    #[serde(default)]
    pub line: Option<Stamped<LinePart>>,
    /// `relayd`'s part.
    #[serde(default)]
    pub relay: Option<Stamped<RelayPart>>,
    /// `netd`'s part.
    #[serde(default)]
    pub firewall: Option<Stamped<FirewallPart>>,
    /// Remote maintenance, which `netd` holds as well.
    #[serde(default)]
    pub maintenance: Option<Stamped<MaintenancePart>>,
    /// `boardd`'s part.
    #[serde(default)]
    pub board: Option<Stamped<BoardPart>>,
    /// How the box came up; absent in development, where nothing boots. It does not grow old.
    #[serde(default)]
    pub boot: Option<BootPart>,
    /// What `reachd` remembers, for the page's line view; it says itself until when. No part of the JSON: it is large,
    /// and has an address of its own.
    #[serde(skip)]
    pub past: Option<Arc<Past>>,
}

impl Snapshot {
    /// Only what may still be believed: a part that is too old is absent, so that nobody shows it as well.
    pub fn fresh(mut self, now: Timestamp) -> Self {
        self.line = self.line.filter(|part| part.is_fresh(LINE_PATIENCE_S, now));
        self.relay = self.relay.filter(|part| part.is_fresh(PATIENCE_S, now));
        self.firewall = self.firewall.filter(|part| part.is_fresh(PATIENCE_S, now));
        self.maintenance = self.maintenance.filter(|part| part.is_fresh(PATIENCE_S, now));
        self.board = self.board.filter(|part| part.is_fresh(PATIENCE_S, now));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// To write it anew: `SEKISHO_WRITE_DOCS=1 cargo test -p model`.
    #[test]
    fn the_schema_of_what_check_prints_is_the_committed_one() {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(LinePart)).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/check.schema.json");
        if std::env::var_os("SEKISHO_WRITE_DOCS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap_or_default() == schema, "docs/check.schema.json is old");
    }

    /// To write it anew: `SEKISHO_WRITE_DOCS=1 cargo test -p model`.
    #[test]
    fn the_schema_of_what_prove_prints_is_the_committed_one() {
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Vec<Promise>)).unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/prove.schema.json");
        if std::env::var_os("SEKISHO_WRITE_DOCS").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        assert!(std::fs::read_to_string(path).unwrap_or_default() == schema, "docs/prove.schema.json is old");
    }

    #[test]
    fn a_part_is_believed_for_its_patience_and_not_a_second_longer() {
        let part = Stamped { generation: 1, at: at(1000), part: () };
        let fresh = [0, 60, 61, -60, -61].map(|age| part.is_fresh(PATIENCE_S, at(1000 + age)));
        assert_eq!(fresh, [true, true, false, true, false]);
    }

    #[test]
    fn a_ruleset_is_in_force_when_every_promise_is_proved_also_after_it_was_put_right() {
        let promise = |proof| Promise { number: 1, proof };
        let broken = Proof::broken("a packet");
        let in_force =
            |state, promises| FirewallPart { state, promises, ..FirewallPart::dropping(None) }.is_in_force();
        assert!(in_force(RulesetState::Proved, vec![promise(Proof::Proved)]));
        assert!(in_force(RulesetState::Drifted, vec![promise(Proof::Proved)]));
        assert!(!in_force(RulesetState::Drifted, vec![promise(Proof::Proved), promise(broken)]));
        assert!(!in_force(RulesetState::DropAll, vec![promise(Proof::Proved)]));
        assert!(!in_force(RulesetState::Proved, Vec::new()), "nothing was proved");
    }

    #[test]
    fn an_old_part_is_absent_and_its_neighbours_stay() {
        let relay = Stamped { generation: 1, at: at(1000), part: RelayPart::default() };
        let board = BoardPart { board: String::new(), scene: Scene(Vec::new()) };
        let board = Stamped { generation: 1, at: at(1030), part: board };
        let snapshot = Snapshot { relay: Some(relay), board: Some(board), ..Snapshot::default() };
        assert_eq!(snapshot.clone().fresh(at(1060)), snapshot);
        let later = snapshot.fresh(at(1061));
        assert!(later.relay.is_none() && later.board.is_some());
    }
}
