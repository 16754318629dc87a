//! The prover. It reads nft JSON and nothing of the plan, so the compiler is inside the proof.
//!
//! A promise is a set of packets of which none may be accepted. The set is sent through the ruleset as cubes
//! (each field a set of values), by every chain, jump, set and verdict map, exactly; a cube that comes out at
//! the end holds a packet that breaks the promise, and one of them is shown.
//!
//! - **Broken**: a packet of which every step was understood is accepted.
//! - **Unproved**: something in the ruleset is not understood (a statement, an object, a chain type), or only
//!   packets that met such a thing are accepted. It is never rounded up to proved.
//! - **Proved**: neither.
//!
//! Promises 2, 5, 6, 10 and the listed destinations of 4 are about opening: the states `new`, `untracked` and
//! `invalid`. What follows in an open flow, either way, is what opening it meant. Promises 1, 3 and the ways
//! of 4 say *never*, so there packets of open flows count too; which of them can exist is decided in `flows.rs`.
//! A port that belongs to no zone counts as the line does.

mod cube;
mod exceptions;
mod flows;
mod intent;
mod layers;
mod maintenance;
mod matching;
pub mod meaning;
mod needed;
mod ports;
mod possible;
mod promises;
mod prover;
mod rule;
mod ruleset;
mod run;
mod sample;
mod source;
mod span;
#[cfg(test)]
mod tests;
mod tree;
mod walk;
mod writing;

use std::fmt;

use model::part::{Promise, Proof};
use serde_json::Value;

pub use self::intent::{BeforeASite, Families, Intent, Maintenance, Service, Way};
use self::ports::Ports;
use self::prover::Prover;
use self::ruleset::Ruleset;
use self::run::Machine;
use crate::packet::Packet;

/// A packet that breaks a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// Accepted before, rightly or not: it opened the flow, if the packet belongs to one.
    pub opening: Option<Packet>,
    /// The packet as it comes.
    pub packet: Packet,
    /// How many octets of its transport header there are, where it is cut short.
    pub cut: Option<u8>,
    /// The same behind the rules that write into it, if any does.
    pub becomes: Option<Packet>,
    /// What happens to it and must not.
    pub wrong: Wrong,
}

/// What happens to a packet and must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It passes.
    Passes,
    /// It is refused, by this rule or policy.
    Refused {
        /// The rule's comment, or whose policy.
        by: String,
    },
    /// It is logged as refused, and is not, or by another rule than the log says.
    Logged {
        /// The log's prefix.
        prefix: String,
        /// What really becomes of it.
        really: String,
    },
    /// It would pass if every rule was gone: no policy drops it.
    Unruled,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.packet)?;
        if let Some(octets @ 1..) = self.cut {
            write!(f, " of whose header there are {octets} octets")?;
        }
        if let Some(becomes) = &self.becomes {
            write!(f, ", which rules make {becomes}")?;
        }
        if let Some(opening) = &self.opening {
            write!(f, ", of the flow opened by {opening}")?;
        }
        match &self.wrong {
            Wrong::Passes => Ok(()),
            Wrong::Refused { by } => write!(f, ", which is refused by {by}"),
            Wrong::Logged { prefix, really } => write!(f, ", which is logged as {prefix} and is {really}"),
            Wrong::Unruled => write!(f, ", which no policy drops"),
        }
    }
}

/// The outcome for one promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Holds for every packet.
    Proved,
    /// Does not hold for this one.
    Broken(Box<Counterexample>),
    /// Nothing is claimed, for this reason.
    Unproved(String),
}

/// Proves each promise on a ruleset in nft JSON, listed or as commands.
pub fn prove(document: &Value, intent: &Intent) -> Vec<Promise> {
    let promise = |(number, finding)| {
        let proof = match finding {
            Finding::Proved => Proof::Proved,
            Finding::Broken(example) => Proof::Broken {
                counterexample: example.to_string(),
                packet: Some(Box::new(example.packet)),
                opening: example.opening.map(Box::new),
                becomes: example.becomes.map(Box::new),
            },
            Finding::Unproved(reason) => Proof::Unproved { reason },
        };
        Promise { number, proof }
    };
    findings(document, intent).into_iter().map(promise).collect()
}

/// Whether every promise is proved. An empty list proves nothing.
pub fn all_proved(promises: &[Promise]) -> bool {
    !promises.is_empty() && promises.iter().all(|promise| promise.proof == Proof::Proved)
}

/// [`prove`], with counterexamples as packets. Numbers as in docs/security.md.
pub fn findings(document: &Value, intent: &Intent) -> Vec<(u8, Finding)> {
    let mut ports = Ports::default();
    for zone in intent.zones.values() {
        ports.span(zone);
    }
    ports.number("lo");
    let machine = Machine::new(&Ruleset::read(document), ports);
    let prover = Prover::new(&machine, intent);
    promises::numbers(intent).iter().map(|number| (*number, prover.finding(*number))).collect()
}
