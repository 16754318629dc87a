//! Operators on sets and verdict maps: elements left out, put in, widened, led elsewhere.

use serde_json::{Value, json};

use super::rules::widened;
use super::{Edit, Mutant};
use crate::check::firewall::world::{STRANGERS, World};

pub(super) fn all(world: &World) -> Vec<Mutant> {
    let edit = Edit::of(&world.document);
    let sets = edit.places("set").into_iter().flat_map(|place| of_a_set(&edit, place));
    let maps = edit.places("map").into_iter().flat_map(|place| of_a_map(&edit, place, world));
    sets.chain(maps).collect()
}

fn elements(edit: &Edit, place: usize, kind: &str) -> Vec<Value> {
    edit.read(place, kind)["elem"].as_array().cloned().unwrap_or_default()
}

/// So many elements of one set are changed, each in every way.
const ENOUGH: usize = 3;

fn of_a_set(edit: &Edit, place: usize) -> Vec<Mutant> {
    let name = edit.read(place, "set")["name"].as_str().unwrap_or_default().to_owned();
    let held = elements(edit, place, "set");
    let with = |elements: Vec<Value>, what: String| {
        let mut edit = edit.clone();
        let body = edit.body(place, "set");
        let wide = elements
            .iter()
            .any(|element| element.to_string().contains("prefix") || element.to_string().contains("range"));
        if wide && body.get("flags").is_none() {
            body["flags"] = json!(["interval"]);
        }
        match (elements.is_empty(), body.as_object_mut()) {
            (true, Some(body)) => drop(body.remove("elem")),
            _ => body["elem"] = Value::Array(elements),
        }
        edit.named(format!("set {name}: {what}"))
    };
    let mut made = vec![with(Vec::new(), "emptied".into())];
    for at in 0..held.len().min(ENOUGH) {
        let mut fewer = held.clone();
        let gone = fewer.remove(at);
        made.push(with(fewer.clone(), format!("without {gone}")));
        for other in others(&gone) {
            made.push(with(
                [&fewer[..], std::slice::from_ref(&other)].concat(),
                format!("{other} instead of {gone}"),
            ));
        }
    }
    made.extend(
        strange(&held)
            .map(|more| with([&held[..], std::slice::from_ref(&more)].concat(), format!("and {more}"))),
    );
    made
}

/// What one element may be widened or moved to.
fn others(element: &Value) -> Vec<Value> {
    let Some(parts) = element["concat"].as_array() else { return widened(element) };
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        for wider in widened(part) {
            let mut parts = parts.clone();
            parts[at] = wider;
            all.push(json!({"concat": parts}));
        }
    }
    all
}

/// One more element, of the kind of those that are there.
fn strange(held: &[Value]) -> Option<Value> {
    let first = held.first()?;
    let other = |part: &Value| match part {
        Value::String(word) if word.parse::<std::net::Ipv4Addr>().is_ok() => json!("100.64.7.7"),
        Value::String(word) if word.parse::<std::net::Ipv6Addr>().is_ok() => json!("2001:db8:ff::77"),
        Value::String(word) if ["tcp", "udp"].contains(&word.as_str()) => json!(word),
        Value::String(_) => json!("nd-redirect"),
        Value::Number(_) => json!(22),
        _ => json!("2001:db8:ff::77"),
    };
    Some(match first["concat"].as_array() {
        Some(parts) => json!({"concat": parts.iter().map(other).collect::<Vec<_>>()}),
        None => other(first),
    })
}

fn of_a_map(edit: &Edit, place: usize, world: &World) -> Vec<Mutant> {
    let name = edit.read(place, "map")["name"].as_str().unwrap_or_default().to_owned();
    let held = elements(edit, place, "map");
    let with = |elements: Vec<Value>, what: String| {
        let mut edit = edit.clone();
        edit.body(place, "map")["elem"] = Value::Array(elements);
        edit.named(format!("map {name}: {what}"))
    };
    let verdicts: Vec<Value> = held
        .iter()
        .map(|pair| pair[1].clone())
        .chain([json!({"accept": null}), json!({"drop": null})])
        .collect();
    let mut made = Vec::new();
    for (at, pair) in held.iter().enumerate() {
        let mut fewer = held.clone();
        fewer.remove(at);
        made.push(with(fewer.clone(), format!("without {}", pair[0])));
        for verdict in verdicts.iter().filter(|verdict| **verdict != pair[1]) {
            let pair = json!([pair[0], verdict]);
            made.push(with([&fewer[..], std::slice::from_ref(&pair)].concat(), format!("{pair}")));
        }
        for key in keys(&pair[0], world).into_iter().filter(|key| held.iter().all(|pair| pair[0] != *key)) {
            let more = json!([key, pair[1]]);
            made.push(with([&held[..], std::slice::from_ref(&more)].concat(), format!("and {more}")));
        }
    }
    made
}

/// Keys of the same form: other ports, one nobody planned among them.
fn keys(key: &Value, world: &World) -> Vec<Value> {
    let ports = world.ports.iter().filter(|port| **port != STRANGERS[1]);
    match key["concat"].as_array().map(Vec::as_slice) {
        Some([from, to]) => {
            let turned = [json!({"concat": [to, from]})];
            let others =
                ports.flat_map(|port| [json!({"concat": [port, to]}), json!({"concat": [from, port]})]);
            others.chain(turned).collect()
        }
        _ => ports.map(|port| json!(port)).collect(),
    }
}
