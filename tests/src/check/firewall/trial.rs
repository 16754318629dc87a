//! One changed ruleset on trial: what the kernel lets through of it against what the prover says of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use firewall::packet::{Packet, Path, State};
use firewall::prove::{Counterexample, Finding};
use serde_json::Value;

use super::bench::{Arrivals, Bench, Place, ip, unlimited};
use super::chance::Chance;
use super::compare::{
    Case, Compared, Difference, Measure, agrees, arrives, chunks, goal, play, population, routable,
};
use super::frame::{Form, Shot};
use super::judge;
use super::mutate::Mutant;
use super::packets::{back, ends, turned};
use super::sabotage::Defect;
use super::world::World;
use crate::check::Wrong;

/// Two boxes side by side: one holds the plan, the other what was made of it.
pub(super) struct Court<'w> {
    world: &'w World,
    defect: Defect,
    plan: Bench,
    changed: Bench,
    sweep: Vec<Vec<Case>>,
}

/// A changed ruleset after its trial.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) outcome: Outcome,
    /// Packets whose fate `explain` told, too, and where it was wrong.
    pub(super) explained: u64,
    pub(super) differences: Vec<Difference>,
}

/// What a trial comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// nft does not take it: it is no ruleset.
    NoRuleset(String),
    /// The kernel shows that promises are broken, and the prover says so with packets that the kernel confirms, or, where
    /// the operator left the language, that it does not know.
    Refused {
        /// The numbers of the promises, each with the packet that shows it.
        broken: Vec<(u8, String)>,
        /// Whether the prover said no more than that it does not know.
        unknown: bool,
    },
    /// Nothing is broken as far as was seen, and the prover says that all is kept.
    Harmless,
    /// Nothing is broken as far as was seen; the prover says that it does not know.
    Doubted(String),
    /// The two do not agree.
    Disputed(Vec<String>),
}

impl<'w> Court<'w> {
    /// Builds both boxes, and makes sure that the plan itself breaks nothing.
    pub(super) fn open(
        world: &'w World,
        defect: Defect,
        measure: Measure,
        chance: Chance,
    ) -> Result<Self, Wrong> {
        let ground = world.ground();
        let plan = Bench::build(&ground)?;
        let mut changed = Bench::build(&ground)?;
        let made = population(world, measure, Defect::None, chance)?;
        let sweep = routable(&mut changed, chunks(made), &mut Compared::default())?;
        plan.enter()?;
        plan.load(&unlimited(&world.document))?;
        let mut court = Self { world, defect, plan, changed, sweep };
        let arrivals = court.arrivals(&world.document)?;
        if let Some((number, packet)) = court.shown(&arrivals).into_iter().next() {
            return Err(Wrong(format!("the plan itself breaks promise {number}: {packet}")));
        }
        Ok(court)
    }

    /// Loads it, and says what came out where.
    fn arrivals(&mut self, document: &Value) -> Result<Vec<Vec<Arrivals>>, Wrong> {
        self.changed.enter()?;
        self.changed.load(&unlimited(&self.defect.loaded(document)))?;
        self.sweep.iter().map(|chunk| play(&mut self.changed, chunk)).collect()
    }

    /// Which promises the kernel's doings break, each with the first packet that shows it.
    fn shown(&self, arrivals: &[Vec<Arrivals>]) -> BTreeMap<u8, Packet> {
        let mut broken = BTreeMap::new();
        let came = arrivals.iter().flatten().flatten();
        for (shot, came) in self.sweep.iter().flatten().flat_map(|case| &case.shots).zip(came) {
            for packet in came.iter().map(|place| seen(&shot.packet, place)) {
                for number in judge::breaks(&self.world.intent, &packet) {
                    broken.entry(number).or_insert_with(|| packet.clone());
                }
            }
            if judge::is_needed(&self.world.intent, &shot.packet) && !arrives(shot, came) {
                broken.entry(8).or_insert_with(|| shot.packet.clone());
            }
        }
        broken
    }

    /// Tries a broken ruleset.
    pub(super) fn tries(&mut self, mutant: &Mutant) -> Result<Tried, Wrong> {
        let arrivals = match self.arrivals(&mutant.document) {
            Ok(arrivals) => arrivals,
            Err(Wrong(refused)) if refused.starts_with("nft ") => {
                return Ok(Tried {
                    outcome: Outcome::NoRuleset(refused),
                    explained: 0,
                    differences: Vec::new(),
                });
            }
            Err(wrong) => return Err(wrong),
        };
        let listing = self.changed.listing()?;
        let (explained, differences) =
            if mutant.beyond { (0, Vec::new()) } else { self.explained(&listing, &arrivals) };
        let outcome = self.outcome(mutant, &listing, &self.shown(&arrivals))?;
        Ok(Tried { outcome, explained, differences })
    }

    /// What `explain` says of the packets that stand for themselves: some of them, as it is asked of every ruleset.
    fn explained(&self, listing: &Value, arrivals: &[Vec<Arrivals>]) -> (u64, Vec<Difference>) {
        let (mut told, mut differences) = (0, Vec::new());
        let cases = self.sweep.iter().flatten().zip(arrivals.iter().flatten());
        for (case, came) in cases.filter(|(case, _)| case.shots.len() == 1).step_by(5) {
            // What it does not know it says.
            let Ok(decision) = self.defect.explain(listing, &case.shots[0].packet) else { continue };
            told += 1;
            if !agrees(&case.shots[0], &decision, &came[0]) {
                differences.push(Difference::new(case, &decision, &came[0]));
            }
        }
        (told, differences)
    }

    fn outcome(
        &mut self,
        mutant: &Mutant,
        listing: &Value,
        shown: &BTreeMap<u8, Packet>,
    ) -> Result<Outcome, Wrong> {
        let findings = self.defect.findings(listing, &self.world.intent);
        let (mut broken, mut unknown, mut disputes) = (Vec::new(), Vec::new(), Vec::new());
        for (number, finding) in findings {
            match (finding, shown.get(&number)) {
                (Finding::Broken(example), _) => match self.confirms(number, &example)? {
                    None => broken.push((number, example.to_string())),
                    Some(why) => {
                        disputes.push(format!("promise {number} is called broken by {example}; {why}"))
                    }
                },
                (Finding::Proved, Some(packet)) => {
                    disputes.push(format!(
                        "promise {number} is called proved; the kernel let it be broken by {packet}"
                    ));
                }
                (Finding::Unproved(reason), Some(packet)) if !mutant.beyond => {
                    disputes.push(format!(
                        "promise {number} is called unknown ({reason}) and is broken by {packet}"
                    ));
                }
                (Finding::Unproved(reason), seen) => unknown.push((number, reason, seen.is_some())),
                (Finding::Proved, None) => {}
            }
        }
        if !disputes.is_empty() {
            return Ok(Outcome::Disputed(disputes));
        }
        let is_unknown = broken.is_empty();
        let seen = unknown.iter().filter(|(.., seen)| *seen);
        broken.extend(seen.map(|(number, ..)| (*number, shown[number].to_string())));
        if !broken.is_empty() {
            return Ok(Outcome::Refused { broken, unknown: is_unknown });
        }
        Ok(unknown.into_iter().next().map_or(Outcome::Harmless, |(_, reason, _)| Outcome::Doubted(reason)))
    }

    /// Tries a ruleset that should do what the plan does: the prover must call it proved, as it is written and as the kernel
    /// lists it, and the kernel must bring the same packets to the same places.
    pub(super) fn is_another_way(&mut self, document: &Value) -> Result<Vec<String>, Wrong> {
        self.changed.enter()?;
        self.changed.load(&unlimited(&self.defect.loaded(document)))?;
        let mut wrong = Vec::new();
        for document in [document.clone(), self.changed.listing()?] {
            let findings = self.defect.findings(&document, &self.world.intent);
            let open = findings.iter().filter(|(_, finding)| *finding != Finding::Proved);
            wrong.extend(open.map(|(number, finding)| format!("promise {number} is {finding:?}")));
        }
        for chunk in &self.sweep {
            let arrivals = play(&mut self.changed, chunk)?;
            self.plan.enter()?;
            let planned = play(&mut self.plan, chunk)?;
            self.changed.enter()?;
            let both = arrivals.iter().flatten().zip(planned.iter().flatten());
            for (shot, (came, planned)) in chunk.iter().flat_map(|case| &case.shots).zip(both) {
                if came != planned {
                    wrong.push(format!("{} came out at {came:?} and not at {planned:?}", shot.packet));
                }
            }
        }
        wrong.dedup();
        Ok(wrong)
    }

    /// Sends a counterexample through the changed kernel, which must do with it what the prover says, and through the
    /// planned one, which must not. Why it is not right, if it is not.
    fn confirms(&mut self, number: u8, example: &Counterexample) -> Result<Option<String>, Wrong> {
        if number != 8 && !judge::breaks(&self.world.intent, &example.packet).contains(&number) {
            return Ok(Some("it does not break that promise".into()));
        }
        self.changed.enter()?;
        let there = shoot(&mut self.changed, self.world, example)?;
        self.plan.enter()?;
        let planned = shoot(&mut self.plan, self.world, example)?;
        let passes = number != 8;
        Ok(match (there, planned) {
            (there, _) if there != passes => {
                Some(format!("the kernel says otherwise: it comes through is {there}"))
            }
            (_, planned) if planned == passes => Some("the plan does the same".into()),
            _ => None,
        })
    }
}

/// The packet as it was seen where it came out.
fn seen(packet: &Packet, place: &Place) -> Packet {
    if *place == goal(packet) {
        return packet.clone();
    }
    let (path, to_port) = match place {
        Place::TheBox => (Path::Input, String::new()),
        Place::Port(name) if packet.from_port.is_empty() => (Path::Output, name.clone()),
        Place::Port(name) => (Path::Forward, name.clone()),
    };
    Packet { path, to_port, ..packet.clone() }
}

/// Sends it as what it is said to be, with the flow it belongs to; whether it comes out where it says.
fn shoot(bench: &mut Bench, world: &World, example: &Counterexample) -> Result<bool, Wrong> {
    let packet = &example.packet;
    let mut shots: Vec<Shot> = example.opening.iter().map(|opening| Shot::first(opening.clone())).collect();
    let form = match (&example.opening, packet.state) {
        (Some(opening), State::Related) if packet.destination == opening.source => {
            Form::About(Box::new(opening.clone()))
        }
        (Some(opening), State::Related) => Form::About(Box::new(turned(opening))),
        (Some(opening), _) if ends(packet) == back(ends(opening)) => Form::Answer,
        (Some(opening), _) => {
            shots.push(Shot { packet: turned(opening), form: Form::Answer });
            Form::Follow
        }
        (None, _) => Form::First,
    };
    shots.push(Shot { packet: packet.clone(), form });
    let ways: Vec<String> = shots.iter().filter_map(|shot| way(&shot.packet, world)).collect();
    for way in &ways {
        ip(&format!("route replace {way}\n"))?;
    }
    let case = Case::of(shots);
    let arrivals = play(bench, std::slice::from_ref(&case))?;
    for way in ways.iter().rev() {
        // Two packets of one flow may have had the same way.
        let _ = ip(&format!("route delete {way}\n"));
    }
    let came = arrivals.first().and_then(|came| came.last());
    Ok(came.is_some_and(|came| came.contains(&goal(packet))))
}

/// The route that leads a packet where it says it goes, if it needs one.
fn way(packet: &Packet, world: &World) -> Option<String> {
    let own = world.own.iter().any(|(_, own)| own.address == packet.destination);
    let plain = match packet.destination {
        IpAddr::V4(address) => {
            !address.is_multicast() && !address.is_broadcast() && !address.is_unspecified()
        }
        IpAddr::V6(address) => {
            !address.is_multicast() && !address.is_unspecified() && !address.is_unicast_link_local()
        }
    };
    let length = if packet.destination.is_ipv4() { 32 } else { 128 };
    match packet.path {
        _ if own || !plain => None,
        Path::Input => Some(format!("local {}/{length} dev lo table local", packet.destination)),
        Path::Forward => Some(format!("{}/{length} dev {}", packet.destination, packet.to_port)),
        Path::Output => None,
    }
}
