//! Sends cases through a kernel, and keeps of them what a kernel brings where it should go that refuses nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use firewall::packet::Path;
use serde_json::{Value, json};

use super::bench::{Arrivals, Bench};
use super::frame::Shot;
use super::ground::{LET_IN, TABLE};
use super::population::Case;
use crate::check::Wrong;

/// Sends all cases, step by step, from a kernel that knows no flow; gives the arrivals by case and step.
pub(super) fn play(bench: &mut Bench, cases: &[Case]) -> Result<Vec<Arrivals>, Wrong> {
    bench.forget_flows()?;
    let mut arrivals: Vec<Arrivals> = vec![Vec::new(); cases.len()];
    let longest = cases.iter().map(|case| case.shots.len()).max().unwrap_or_default();
    for step in 0..longest {
        let there: Vec<(usize, Cow<'_, Shot>)> = cases
            .iter()
            .enumerate()
            .filter(|(_, case)| case.shots.len() > step)
            .map(|(at, case)| (at, known_outside(case, step, &arrivals[at])))
            .collect();
        let shots: Vec<&Shot> = there.iter().map(|(_, shot)| &**shot).collect();
        for ((at, _), came) in there.iter().zip(bench.volley(&shots)?) {
            arrivals[*at].push(came);
        }
    }
    Ok(arrivals)
}

/// A packet of a flow as it is sent: whoever answers knows the flow as its first packet came to him, from the address and
/// the port that it had then.
fn known_outside<'c>(case: &'c Case, step: usize, came: &Arrivals) -> Cow<'c, Shot> {
    let shot = &case.shots[step];
    let opening = &case.shots[0].packet;
    match came.first().and_then(|came| came.at_its_goal(opening)) {
        Some(seen) if step > 0 && seen != *opening => Cow::Owned(shot.to_whom_came(opening, &seen)),
        _ => Cow::Borrowed(shot),
    }
}

/// Keeps what an open kernel brings where it is meant to go, and makes sure that each packet has the state it is said to
/// have. What is refused later is then refused by the rules and by nothing else. What the ruleset translates is translated
/// there, too: the answers to that go elsewhere. Gives them with the number of packets that were left out.
pub(super) fn routable(
    bench: &mut Bench,
    document: &Value,
    chunks: Vec<Vec<Case>>,
) -> Result<(Vec<Vec<Case>>, u64), Wrong> {
    bench.load(&translations(document))?;
    let (mut kept, mut unroutable) = (Vec::new(), 0);
    for chunk in chunks {
        let came = play(bench, &chunk)?;
        let all = |(case, came): &(Case, Arrivals)| {
            case.shots.iter().zip(came).all(|(shot, came)| came.is_through(&shot.packet))
        };
        let (good, bad): (Vec<_>, Vec<_>) = chunk.into_iter().zip(came).partition(all);
        unroutable += bad.iter().map(|(case, _)| case.shots.len() as u64).sum::<u64>();
        let good: Vec<Case> = good.into_iter().map(|(case, _)| case).collect();
        states(bench, &good)?;
        kept.push(good);
    }
    Ok((kept, unroutable))
}

/// The chains of the document that translate, with the sets they ask, and nothing that refuses.
fn translations(document: &Value) -> Value {
    let items = || document["nftables"].as_array().into_iter().flatten();
    let is_kept = |chain: &Value| {
        items().any(|item| item["add"]["chain"]["name"] == *chain && item["add"]["chain"]["type"] == "nat")
    };
    let kept = items().filter(|item| {
        match item.get("add").and_then(Value::as_object).and_then(|add| add.iter().next()) {
            Some((kind, _)) if kind == "map" => false,
            Some((kind, body)) if kind == "chain" => is_kept(&body["name"]),
            Some((kind, body)) if kind == "rule" => is_kept(&body["chain"]),
            _ => true,
        }
    });
    json!({ "nftables": kept.collect::<Vec<_>>() })
}

/// What connection tracking said of them, against what they were made for.
fn states(bench: &mut Bench, cases: &[Case]) -> Result<(), Wrong> {
    let before = bench.counts(TABLE)?;
    play(bench, cases)?;
    let mut after = bench.counts(TABLE)?;
    after.remove(LET_IN);
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
