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
mod matching;
mod ports;
mod promises;
mod rule;
mod ruleset;
mod run;
mod sample;
mod span;
#[cfg(test)]
mod tests;

use std::fmt;

use model::part::{Promise, Proof};
use serde_json::Value;

use self::cube::{Cube, Field};
pub use self::intent::{BeforeASite, Families, Intent, Maintenance, Service, Way};
use self::ports::Ports;
use self::promises::{Claim, states};
use self::ruleset::Ruleset;
use self::run::{Lost, Machine};
use crate::packet::{Packet, Path, State};

/// A packet that breaks a promise, and the one that opened its flow if it belongs to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// Accepted before, rightly or not: it opened the flow.
    pub opening: Option<Packet>,
    /// Accepted, and must not be.
    pub packet: Packet,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.packet)?;
        self.opening.as_ref().map_or(Ok(()), |opening| write!(f, ", of the flow opened by {opening}"))
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
            Finding::Broken(example) => Proof::Broken { counterexample: example.to_string() },
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
    let openings = std::cell::OnceCell::new();
    let prover = Prover { machine: &machine, intent, openings: &openings };
    promises::numbers(intent).iter().map(|number| (*number, prover.finding(*number))).collect()
}

struct Prover<'p> {
    machine: &'p Machine,
    intent: &'p Intent,
    /// Worked out when the first packet of an open flow is accepted where none may be.
    openings: &'p std::cell::OnceCell<Result<Vec<(Path, Cube)>, Lost>>,
}

impl Prover<'_> {
    fn finding(&self, number: u8) -> Finding {
        let mut doubts = self.machine.unknown.clone();
        for claim in promises::claims(number, self.intent, &self.machine.ports) {
            match self.broken(claim, &mut doubts) {
                Ok(Some(example)) => return Finding::Broken(Box::new(example)),
                Ok(None) => {}
                Err(lost) => doubts.push(lost),
            }
        }
        doubts
            .into_iter()
            .next()
            .map_or(Finding::Proved, |reason| Finding::Unproved(format!("not understood: {reason}")))
    }

    fn broken(&self, claim: Claim, doubts: &mut Vec<String>) -> Result<Option<Counterexample>, Lost> {
        let accepted = self.machine.accepted(claim.path, claim.cubes)?;
        let opening = states(&[State::New, State::Untracked, State::Invalid]);
        for cube in accepted.iter().filter_map(|cube| cube.with(Field::State, &opening)) {
            match &cube.doubt {
                None => {
                    return Ok(Some(Counterexample {
                        opening: None,
                        packet: self.sample(claim.path, &cube),
                    }));
                }
                Some(reason) => doubts.push(reason.to_string()),
            }
        }
        for cube in accepted.iter().filter_map(|cube| cube.with(Field::State, &opening.not())) {
            if let Some(example) = self.of_a_flow(claim.path, &cube, doubts)? {
                return Ok(Some(example));
            }
        }
        Ok(None)
    }

    /// A packet of the cube whose flow can have been opened.
    fn of_a_flow(
        &self,
        path: Path,
        cube: &Cube,
        doubts: &mut Vec<String>,
    ) -> Result<Option<Counterexample>, Lost> {
        let openings =
            self.openings.get_or_init(|| flows::openings(self.machine)).as_ref().map_err(Clone::clone)?;
        for (way, opening) in openings {
            for met in flows::follow(cube, *way, opening) {
                if let Some(reason) = &met.doubt {
                    doubts.push(reason.to_string());
                    continue;
                }
                let packet = self.sample(path, &met);
                let opened = sample::opening(opening, &packet).map(|cube| self.sample(*way, &cube));
                return Ok(Some(Counterexample { opening: opened, packet }));
            }
        }
        Ok(None)
    }

    fn sample(&self, path: Path, cube: &Cube) -> Packet {
        sample::packet(path, cube, self.intent, &self.machine.ports)
    }
}
