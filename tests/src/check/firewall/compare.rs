//! The plan's word against the kernel's: the same packets, read by `firewall::explain` and sent through a kernel that holds
//! the plan.

use std::collections::{BTreeMap, HashSet, VecDeque};

use firewall::explain::Decision;
use firewall::packet::{Packet, Path, State};
use serde_json::{Value, json};

use super::bench::{Arrivals, Bench, TABLE, VOLLEY, unlimited};
use super::came::{Came, Place};
use super::chance::Chance;
use super::frame::Shot;
use super::packets::{Ends, Maker, Wish, back, changed, ends, flow, natural, wishes};
use super::reading::{Line, lines};
use super::sabotage::Defect;
use super::world::World;
use crate::check::Wrong;

/// Packets that belong together, and the line and the side of its border they are about.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// Each may be an answer to those before it.
    pub(super) shots: Vec<Shot>,
    /// The comment of the line, where it was made for one's border.
    border_of: Option<String>,
}

impl Case {
    pub(super) fn of(shots: Vec<Shot>) -> Self {
        Self { shots, border_of: None }
    }

    fn one(packet: Packet) -> Self {
        Self { shots: vec![Shot::first(packet)], border_of: None }
    }
}

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

/// How many packets for each line, and how many at random.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measure {
    pub(super) each: usize,
    pub(super) borders: usize,
    pub(super) flows: usize,
    pub(super) random: usize,
}

/// Compares on one box, in the namespace of this thread.
pub(super) fn compare(
    world: &World,
    measure: Measure,
    defect: Defect,
    chance: Chance,
) -> Result<Compared, Wrong> {
    let mut bench = Bench::build(&world.ground())?;
    let mut compared = Compared::default();
    let translates = translates(world);
    // The answers to what was translated are not sent, see below.
    let met =
        |line: &&Line| line.accepts && !(translates && line.is_of_flows() && line.path == Path::Forward);
    for line in lines(&world.document).iter().filter(met) {
        compared.lines.entry(line.comment.clone()).or_default();
    }
    let made = population(world, measure, defect, chance)?;
    let chunks = routable(&mut bench, chunks(made), &mut compared)?;
    bench.load(&unlimited(&defect.loaded(&world.document)))?;
    for chunk in &chunks {
        one_chunk(&mut bench, world, defect, chunk, &mut compared)?;
    }
    Ok(compared)
}

/// The packets that are tried on a box.
pub(super) fn population(
    world: &World,
    measure: Measure,
    defect: Defect,
    chance: Chance,
) -> Result<Vec<Case>, Wrong> {
    let mut maker = Maker::new(world, chance);
    let translates = translates(world);
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
        // The answer to what was translated goes to another address than the one it was sent from.
        if opening.path == Path::Forward && opening.source.is_ipv4() && translates {
            continue;
        }
        let shots = flow(&opening, world, &mut maker.chance);
        cases.extend(shots.map(|shots| Case { shots, border_of: None }));
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

fn translates(world: &World) -> bool {
    world.document.to_string().contains("masquerade")
}

fn word(world: &World, defect: Defect, packet: &Packet) -> Result<Decision, Wrong> {
    defect
        .explain(&world.document, packet)
        .map_err(|reason| Wrong(format!("explain does not know {reason}: {packet}")))
}

/// Cases side by side of which none is an answer to another.
pub(super) fn chunks(cases: Vec<Case>) -> Vec<Vec<Case>> {
    let mut waiting: VecDeque<Case> = cases.into();
    let mut chunks = Vec::new();
    while !waiting.is_empty() {
        let (mut chunk, mut left) = (Vec::new(), VecDeque::new());
        let (mut asked, mut answered): (HashSet<Ends>, HashSet<Ends>) = (HashSet::new(), HashSet::new());
        for case in waiting {
            let own = ends(&case.shots[0].packet);
            let twice = case.shots.len() > 1 && asked.contains(&own);
            if chunk.len() == VOLLEY || twice || asked.contains(&back(own)) || answered.contains(&own) {
                left.push_back(case);
                continue;
            }
            asked.insert(own);
            if case.shots.len() > 1 {
                answered.extend([own, back(own)]);
            }
            chunk.push(case);
        }
        chunks.push(chunk);
        waiting = left;
    }
    chunks
}

/// Sends all cases, step by step, from a kernel that knows no flow; gives the arrivals by case and step.
pub(super) fn play(bench: &mut Bench, cases: &[Case]) -> Result<Vec<Arrivals>, Wrong> {
    bench.forget_flows()?;
    let mut arrivals: Vec<Arrivals> = vec![Vec::new(); cases.len()];
    let longest = cases.iter().map(|case| case.shots.len()).max().unwrap_or_default();
    for step in 0..longest {
        let there: Vec<(usize, &Shot)> =
            cases.iter().enumerate().filter_map(|(at, case)| Some((at, case.shots.get(step)?))).collect();
        let shots: Vec<&Shot> = there.iter().map(|(_, shot)| *shot).collect();
        for ((at, _), came) in there.iter().zip(bench.volley(&shots)?) {
            arrivals[*at].push(came);
        }
    }
    Ok(arrivals)
}

/// Keeps what an open kernel brings where it is meant to go, and makes sure that each packet has the state it is said to
/// have. What is refused later is then refused by the rules and by nothing else.
pub(super) fn routable(
    bench: &mut Bench,
    chunks: Vec<Vec<Case>>,
    compared: &mut Compared,
) -> Result<Vec<Vec<Case>>, Wrong> {
    bench.load(&json!({"nftables": []}))?;
    let mut kept = Vec::new();
    for chunk in chunks {
        let came = play(bench, &chunk)?;
        let all = |(case, came): &(Case, Arrivals)| {
            case.shots.iter().zip(came).all(|(shot, came)| came.is_through(&shot.packet))
        };
        let (good, bad): (Vec<_>, Vec<_>) = chunk.into_iter().zip(came).partition(all);
        compared.unroutable += bad.iter().map(|(case, _)| case.shots.len() as u64).sum::<u64>();
        let good: Vec<Case> = good.into_iter().map(|(case, _)| case).collect();
        states(bench, &good)?;
        kept.push(good);
    }
    Ok(kept)
}

/// What connection tracking said of them, against what they were made for.
fn states(bench: &mut Bench, cases: &[Case]) -> Result<(), Wrong> {
    let before = bench.counts(TABLE)?;
    play(bench, cases)?;
    let after = bench.counts(TABLE)?;
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for packet in cases.iter().flat_map(|case| &case.shots).map(|shot| &shot.packet) {
        let chain = if packet.path == Path::Output { "states-out" } else { "states-in" };
        *wanted.entry(format!("{chain} {}", packet.state.word())).or_default() += 1;
    }
    let of = |counts: &BTreeMap<String, u64>, key: &String| counts.get(key).copied().unwrap_or_default();
    if after.keys().all(|key| of(&after, key) - of(&before, key) == of(&wanted, key)) {
        return Ok(());
    }
    if let [case] = cases {
        let seen: Vec<_> = after.keys().filter(|key| of(&after, key) > of(&before, key)).collect();
        let meant: Vec<String> = case.shots.iter().map(|shot| shot.packet.to_string()).collect();
        return Err(Wrong(format!(
            "connection tracking saw {seen:?} where the bench meant {}",
            meant.join("; then ")
        )));
    }
    let (left, right) = cases.split_at(cases.len() / 2);
    states(bench, left)?;
    states(bench, right)?;
    Err(Wrong::new("connection tracking takes packets of the bench for one another's"))
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
