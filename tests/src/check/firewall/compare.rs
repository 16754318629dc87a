//! The plan's word against the kernel's: the same packets, read by `firewall::explain` and sent through a kernel that holds
//! the plan.

use std::collections::{BTreeMap, HashSet};

use firewall::explain::Decision;
use firewall::packet::Packet;
use serde_json::Value;

use super::bench::{Arrivals, Bench};
use super::came::{Came, Place};
use super::chance::Chance;
use super::frame::Shot;
use super::ground::unlimited;
use super::packets::natural;
use super::playing::{play, routable};
use super::population::{Case, Measure, chunks, packets, population, translates, word};
use super::reading::lines;
use super::sabotage::Defect;
use super::world::World;
use crate::check::Wrong;

/// How often a line was met.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Packets it let pass.
    pub(super) hits: u64,
    /// Of the packets at its border values: those it let pass, and the others.
    pub(super) inside: u64,
    pub(super) outside: u64,
}

/// What was compared on one box.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) packets: u64,
    /// Made, but not such as this kernel would bring where they should go.
    pub(super) unroutable: u64,
    /// The lines that accept, by comment.
    pub(super) lines: BTreeMap<String, Tally>,
    pub(super) differences: Vec<Difference>,
}

/// Where the two do not agree.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) case: Vec<Shot>,
    pub(super) plan: String,
    pub(super) kernel: String,
}

/// Compares on one box, in the namespace of this thread.
pub(super) fn compare(
    world: &World,
    measure: Measure,
    defect: Defect,
    chance: Chance,
) -> Result<Compared, Wrong> {
    let made = population(world, measure, defect, chance)?;
    let mut bench = Bench::build(&world.ground(packets(&made)))?;
    let mut compared = Compared::default();
    for line in lines(&world.document).iter().filter(|line| line.accepts) {
        compared.lines.entry(line.comment.clone()).or_default();
    }
    let chunks = chunks(made, translates(&world.document));
    let (chunks, unroutable) = routable(&mut bench, &world.document, chunks)?;
    compared.unroutable = unroutable;
    bench.load(&unlimited(&defect.loaded(&world.document)))?;
    for chunk in &chunks {
        one_chunk(&mut bench, world, defect, chunk, &mut compared)?;
    }
    Ok(compared)
}

fn one_chunk(
    bench: &mut Bench,
    world: &World,
    defect: Defect,
    cases: &[Case],
    compared: &mut Compared,
) -> Result<(), Wrong> {
    let (arrivals, counted) = counted(bench, cases)?;
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    let found = compared.differences.len();
    for (case, came) in cases.iter().zip(&arrivals) {
        for (shot, came) in case.shots.iter().zip(came) {
            let decision = word(world, defect, &shot.packet)?;
            compared.packets += 1;
            *wanted.entry(decision.by.clone()).or_default() += 1;
            if agrees(shot, &decision, came) {
                tally(compared, case, &decision);
            } else {
                let shrunk = shrunk(bench, world, defect, case)?;
                compared.differences.push(shrunk);
                break;
            }
        }
    }
    if compared.differences.len() == found {
        compared.differences.extend(miscounted(bench, world, defect, cases, &wanted, &counted)?);
    }
    Ok(())
}

/// Whether it did what the plan says. What was logged was refused, by the line the log names (12).
pub(super) fn agrees(shot: &Shot, decision: &Decision, came: &Came) -> bool {
    let named = |prefix: &String| decision.by.starts_with(&format!("{prefix}: "));
    match decision.accepted {
        true => came.is_through(&shot.packet) && came.logged.is_empty(),
        false => came.places.is_empty() && came.logged.iter().all(named),
    }
}

fn tally(compared: &mut Compared, case: &Case, decision: &Decision) {
    if let Some(line) = compared.lines.get_mut(&decision.by).filter(|_| decision.accepted) {
        line.hits += 1;
    }
    if let Some(line) = case.border_of.as_ref().and_then(|line| compared.lines.get_mut(line)) {
        let inside = decision.accepted && case.border_of.as_ref() == Some(&decision.by);
        line.inside += u64::from(inside);
        line.outside += u64::from(!inside);
    }
}

/// Plays them, and says what came out and what each rule counted.
fn counted(bench: &mut Bench, cases: &[Case]) -> Result<(Vec<Arrivals>, BTreeMap<String, u64>), Wrong> {
    let own = firewall::nft::TABLE.1;
    let before = bench.counts(own)?;
    let arrivals = play(bench, cases)?;
    let mut counts = bench.counts(own)?;
    counts.iter_mut().for_each(|(key, count)| *count -= before.get(key).copied().unwrap_or_default());
    Ok((arrivals, counts))
}

/// Every packet came out as it should, but by another line: looks for the case.
fn miscounted(
    bench: &mut Bench,
    world: &World,
    defect: Defect,
    cases: &[Case],
    wanted: &BTreeMap<String, u64>,
    counts: &BTreeMap<String, u64>,
) -> Result<Option<Difference>, Wrong> {
    // What is counted by the way, as by a translation, decides nothing.
    let decides: HashSet<String> = lines(&world.document).into_iter().map(|line| line.comment).collect();
    let off = counts.iter().filter(|(key, count)| {
        decides.contains(*key) && wanted.get(*key).copied().unwrap_or_default() != **count
    });
    let off: Vec<String> = off.map(|(key, count)| format!("{count} times {key}")).collect();
    if off.is_empty() {
        return Ok(None);
    }
    let words = |case: &Case| {
        case.shots.iter().map(|shot| word(world, defect, &shot.packet)).collect::<Result<Vec<_>, _>>()
    };
    if let [case] = cases {
        let plan = words(case)?.into_iter().map(|decision| decision.by).collect::<Vec<_>>().join("; then ");
        return Ok(Some(Difference {
            case: case.shots.clone(),
            plan,
            kernel: format!("counted {}", off.join(", ")),
        }));
    }
    let (left, right) = cases.split_at(cases.len() / 2);
    for half in [left, right] {
        let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
        for decision in half.iter().map(words).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            *wanted.entry(decision.by).or_default() += 1;
        }
        let (_, counts) = counted(bench, half)?;
        if let Some(found) = miscounted(bench, world, defect, half, &wanted, &counts)? {
            return Ok(Some(found));
        }
    }
    Ok(Some(Difference {
        case: Vec::new(),
        plan: format!("{wanted:?}"),
        kernel: format!("counted {off:?}, and not again"),
    }))
}

/// The first packet of the case that differs, as plain as it can be and still differ.
fn shrunk(bench: &mut Bench, world: &World, defect: Defect, case: &Case) -> Result<Difference, Wrong> {
    let mut least = differs(bench, world, defect, &case.shots)?;
    let Some(mut best) = least.take() else {
        let case = case.shots.clone();
        return Ok(Difference {
            case,
            plan: "as the kernel".into(),
            kernel: "as the plan, when it was sent alone".into(),
        });
    };
    let plainer: [fn(&mut Packet); 5] = [
        |packet| packet.hop_limit = 64,
        |packet| packet.icmp_code = 0,
        |packet| packet.source_service = 20_001,
        |packet| packet.destination_service = 9,
        |packet| packet.readable = true,
    ];
    for change in plainer {
        let mut shots = best.case.clone();
        if let [shot] = shots.as_mut_slice() {
            change(&mut shot.packet);
            if shot.packet.state == natural(&shot.packet) {
                best = differs(bench, world, defect, &shots)?.unwrap_or(best);
            }
        }
    }
    Ok(best)
}

/// Sends the packets one after the other; the case up to the first that differs.
fn differs(
    bench: &mut Bench,
    world: &World,
    defect: Defect,
    shots: &[Shot],
) -> Result<Option<Difference>, Wrong> {
    let case = Case { shots: shots.to_vec(), border_of: None };
    let (arrivals, counts) = counted(bench, std::slice::from_ref(&case))?;
    for (at, (shot, came)) in shots.iter().zip(&arrivals[0]).enumerate() {
        let decision = word(world, defect, &shot.packet)?;
        if !agrees(shot, &decision, came) {
            let rules: Vec<&String> =
                counts.iter().filter(|(_, count)| **count > 0).map(|(key, _)| key).collect();
            return Ok(Some(Difference {
                case: shots[..=at].to_vec(),
                plan: format!("{} by {}", if decision.accepted { "passes" } else { "refused" }, decision.by),
                kernel: format!("{}; counted by {rules:?}", told(came)),
            }));
        }
    }
    Ok(None)
}

/// The kernel's word.
pub(super) fn told(came: &Came) -> String {
    let places: Vec<&Place> = came.places.keys().collect();
    format!("came out at {places:?}, logged as {:?}", came.logged)
}

impl Difference {
    /// One packet came out otherwise than it was said to.
    pub(super) fn new(case: &Case, decision: &Decision, came: &Came) -> Self {
        let word = if decision.accepted { "passes" } else { "refused" };
        let (plan, kernel) = (format!("{word} by {}", decision.by), told(came));
        Self { case: case.shots.clone(), plan, kernel }
    }

    /// What is kept of it.
    pub(super) fn text(&self, files: &[(&'static str, String)], document: &Value) -> String {
        let mut text = String::new();
        for shot in &self.case {
            text += &format!("packet: {}\n        {:?}\n", shot.packet, shot);
        }
        text += &format!("plan:   {}\nkernel: {}\n\n", self.plan, self.kernel);
        for (name, content) in files {
            text += &format!("--- {name}\n{content}\n");
        }
        text + &format!("--- ruleset\n{}\n", serde_json::to_string(document).unwrap_or_default())
    }
}
