//! What is sent on a box: for each line of its ruleset packets that come to it, the same at its border values, flows with
//! all that belongs to them, and packets of any kind.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

use firewall::explain::Decision;
use firewall::packet::{Packet, Path, State};
use serde_json::Value;

use super::bench::VOLLEY;
use super::chance::Chance;
use super::flow::{Ends, back, ends, flow};
use super::frame::Shot;
use super::packets::{Maker, Wish, changed, wishes};
use super::reading::lines;
use super::sabotage::Defect;
use super::world::World;
use crate::check::Wrong;

/// Packets that belong together, and the line and the side of its border they are about.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Each may be an answer to those before it.
    pub(super) shots: Vec<Shot>,
    /// The comment of the line, where it was made for one's border.
    pub(super) border_of: Option<String>,
}

impl Case {
    pub(super) fn of(shots: Vec<Shot>) -> Self {
        Self { shots, border_of: None }
    }

    fn one(packet: Packet) -> Self {
        Self { shots: vec![Shot::first(packet)], border_of: None }
    }
}

/// How many packets for each line, and how many at random.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) each: usize,
    pub(super) borders: usize,
    pub(super) flows: usize,
    pub(super) random: usize,
}

/// The packets that are tried on a box.
pub(super) fn population(
    world: &World,
    measure: Measure,
    defect: Defect,
    chance: Chance,
) -> Result<Vec<Case>, Wrong> {
    let mut maker = Maker::new(world, chance);
    let mut cases = Vec::new();
    let mut openings: BTreeMap<String, Vec<Packet>> = BTreeMap::new();
    for line in lines(&world.document) {
        if line.is_of_flows() {
            continue;
        }
        let (mut met, mut borders) = (0, 0);
        for _ in 0..measure.each * 30 {
            if met >= measure.each {
                break;
            }
            let (wish, beside) = wishes(&line, &mut maker.chance);
            let packet = maker.make(line.path, &wish);
            let decision = word(world, defect, &packet)?;
            if decision.by != line.comment {
                continue;
            }
            met += 1;
            for (field, value) in beside.iter().take(measure.borders.saturating_sub(borders)) {
                borders += 1;
                let border_of = line.accepts.then(|| line.comment.clone());
                cases.push(Case { border_of, ..Case::one(changed(&packet, *field, value)) });
            }
            if decision.accepted && packet.state == State::New {
                openings.entry(line.comment.clone()).or_default().push(packet.clone());
            }
            cases.push(Case::one(packet));
        }
    }
    for opening in openings.values().flat_map(|list| list.iter().take(measure.flows)) {
        let fresh = maker.make(opening.path, &Wish::default());
        let opening = match opening.protocol {
            // Those above are unanswered; an answered one has to be a flow of its own.
            6 | 17 if opening.source_service >= 20_000 => {
                Packet { source_service: fresh.source_service, ..opening.clone() }
            }
            _ => opening.clone(),
        };
        let Some(mut shots) = flow(&opening, world, &mut maker.chance) else { continue };
        // An answer that is refused before tracking sees it answers nothing: what follows is as the first packet was.
        if is_before_tracking(&world.document, &word(world, defect, &shots[1].packet)?) {
            shots.truncate(2);
        }
        cases.push(Case::of(shots));
    }
    for _ in 0..measure.random {
        let path = *maker.chance.of(&[
            Path::Input,
            Path::Input,
            Path::Forward,
            Path::Forward,
            Path::Forward,
            Path::Output,
        ]);
        cases.push(Case::one(maker.make(path, &Wish::default())));
    }
    // No socket of the box hears what of ICMPv6 it cannot read.
    cases.retain(|case| case.shots.iter().all(|shot| shot.packet.readable || shot.packet.protocol != 58));
    maker.chance.shuffle(&mut cases);
    Ok(cases)
}

/// All packets of some cases.
pub(super) fn packets(cases: &[Case]) -> impl Iterator<Item = &Packet> {
    cases.iter().flat_map(|case| &case.shots).map(|shot| &shot.packet)
}

/// Whether a base chain decided it that packets meet before connection tracking does (priority -200).
fn is_before_tracking(document: &Value, decision: &Decision) -> bool {
    let items = document["nftables"].as_array().into_iter().flatten();
    let mut chains = items.filter_map(|item| item["add"].get("chain"));
    let early = |chain: &Value| {
        chain["hook"] == "prerouting" && chain["prio"].as_i64().is_some_and(|place| place < -200)
    };
    let rule = decision.rule.as_ref();
    rule.is_some_and(|rule| chains.any(|chain| chain["name"] == rule["chain"] && early(chain)))
}

/// Whether packets leave with another source than they came with.
pub(super) fn translates(document: &Value) -> bool {
    document.to_string().contains("masquerade")
}

pub(super) fn word(world: &World, defect: Defect, packet: &Packet) -> Result<Decision, Wrong> {
    defect
        .explain(&world.document, packet)
        .map_err(|reason| Wrong(format!("explain does not know {reason}: {packet}")))
}

/// Cases side by side of which none is an answer to another, and, where sources are translated, none may come to be another's
/// double outside.
pub(super) fn chunks(cases: Vec<Case>, translates: bool) -> Vec<Vec<Case>> {
    let mut waiting: VecDeque<Case> = cases.into();
    let mut chunks = Vec::new();
    while !waiting.is_empty() {
        let (mut chunk, mut left) = (Vec::new(), VecDeque::new());
        let (mut asked, mut answered): (HashMap<Ends, IpAddr>, HashSet<Ends>) = Default::default();
        for case in waiting {
            let opening = &case.shots[0].packet;
            let [own, back] = [ends(opening), back(ends(opening))].map(|ends| outside(ends, translates));
            let twice = case.shots.len() > 1 && asked.contains_key(&own);
            let double = asked.get(&own).is_some_and(|source| *source != opening.source);
            let full = chunk.len() == VOLLEY;
            if full || twice || double || asked.contains_key(&back) || answered.contains(&own) {
                left.push_back(case);
                continue;
            }
            asked.insert(own, opening.source);
            if case.shots.len() > 1 {
                answered.extend([own, back]);
            }
            chunk.push(case);
        }
        chunks.push(chunk);
        waiting = left;
    }
    chunks
}

/// The ends as they may be known outside, where whoever sends over IPv4 may have any address.
fn outside(ends: Ends, translates: bool) -> Ends {
    let (source, destination, protocol, from, to) = ends;
    let source = if translates && source.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { source };
    (source, destination, protocol, from, to)
}
