//! Operators on rules: left out, decided otherwise, moved, and every condition left out, turned round, widened or asked of
//! another field.

use serde_json::{Value, json};

use super::{Edit, Mutant, id};

pub(super) fn all(document: &Value) -> Vec<Mutant> {
    let edit = Edit::of(document);
    let deciding = |place: &usize| !edit.read(*place, "rule")["expr"].to_string().contains("\"log\"");
    let places: Vec<usize> = edit.places("rule").into_iter().filter(deciding).collect();
    let mut made = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let name = id(edit.read(*place, "rule"));
        made.extend(left_out(&edit, *place, &name));
        made.extend(decided(&edit, *place, &name));
        made.extend(moved(&edit, &places, at, &name));
        made.extend(conditions(&edit, *place, &name));
    }
    made
}

fn left_out(edit: &Edit, place: usize, name: &str) -> Option<Mutant> {
    let mut edit = edit.clone();
    edit.items().remove(place);
    Some(edit.named(format!("left out: {name}")))
}

/// Another verdict in the place of the last step.
fn decided(edit: &Edit, place: usize, name: &str) -> Vec<Mutant> {
    let last = edit.read(place, "rule")["expr"]
        .as_array()
        .and_then(|steps| steps.last().cloned())
        .unwrap_or_default();
    let verdicts = match last.as_object().and_then(|last| last.keys().next()).map(String::as_str) {
        Some("accept") => vec![json!({"drop": null}), json!({"continue": null}), json!({"return": null})],
        Some("drop") => vec![json!({"accept": null}), json!({"continue": null}), json!({"return": null})],
        Some("jump") => vec![json!({"goto": last["jump"]}), json!({"accept": null}), json!({"drop": null})],
        _ => vec![json!({"accept": null}), json!({"drop": null}), json!({"return": null})],
    };
    let other = |verdict: Value| {
        let mut edit = edit.clone();
        let mutant = format!("decided otherwise: {name} {verdict}");
        if let Some(last) = edit.steps(place).last_mut() {
            *last = verdict;
        }
        edit.named(mutant)
    };
    verdicts.into_iter().map(other).collect()
}

/// Before all of its chain, behind all, and in the place of the next one.
fn moved(edit: &Edit, places: &[usize], at: usize, name: &str) -> Vec<Mutant> {
    let place = places[at];
    let chain = &edit.read(place, "rule")["chain"];
    let of_chain: Vec<usize> = edit
        .places("rule")
        .into_iter()
        .filter(|other| edit.read(*other, "rule")["chain"] == *chain)
        .collect();
    let ends = [("first", of_chain.first()), ("last", of_chain.last())];
    let next = places.get(at + 1).filter(|next| of_chain.contains(next));
    let mut made = Vec::new();
    for (word, to) in ends.into_iter().chain([("behind the next", next)]) {
        let Some(to) = to.filter(|to| **to != place) else { continue };
        let mut edit = edit.clone();
        let rule = edit.items().remove(place);
        edit.items().insert(*to, rule);
        made.push(edit.named(format!("moved {word}: {name}")));
    }
    made
}

fn conditions(edit: &Edit, place: usize, name: &str) -> Vec<Mutant> {
    let steps = edit.read(place, "rule")["expr"].as_array().cloned().unwrap_or_default();
    let mut made = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        if step.get("match").is_some() {
            made.extend(comparison(edit, place, at, name, &step["match"]));
        }
        for (which, (state, other)) in
            [("established", "new"), ("related", "invalid")].into_iter().enumerate()
        {
            if step["match"]["right"][which] == state {
                let mut edit = edit.clone();
                edit.steps(place)[at]["match"]["right"][which] = json!(other);
                made.push(edit.named(format!("{other} instead of {state}: {name}")));
            }
        }
    }
    made
}

fn comparison(edit: &Edit, place: usize, at: usize, name: &str, body: &Value) -> Vec<Mutant> {
    let mut made = Vec::new();
    let mut gone = edit.clone();
    gone.steps(place).remove(at);
    made.push(gone.named(format!("without its {at}. condition: {name}")));
    let mut turned = edit.clone();
    let op = if body["op"] == "!=" { "==" } else { "!=" };
    turned.steps(place)[at]["match"]["op"] = json!(op);
    made.push(turned.named(format!("its {at}. condition turned round: {name}")));
    for right in widened(&body["right"]) {
        let mut edit = edit.clone();
        let mutant = format!("its {at}. condition is {right}: {name}");
        edit.steps(place)[at]["match"]["right"] = right;
        made.push(edit.named(mutant));
    }
    if let Some(other) = other_field(&body["left"]) {
        let mut edit = edit.clone();
        edit.steps(place)[at]["match"]["left"] = other;
        made.push(edit.named(format!("its {at}. condition asks of another field: {name}")));
    }
    made
}

/// More than it was: a shorter prefix, a neighbouring number, another word.
pub(super) fn widened(right: &Value) -> Vec<Value> {
    if let Some(prefix) = right.get("prefix") {
        let (address, length) = (&prefix["addr"], prefix["len"].as_u64().unwrap_or_default());
        let shorter = [length.saturating_sub(1), length / 2, 0];
        return shorter.iter().map(|length| masked(address, *length)).collect();
    }
    match right {
        Value::Number(number) => {
            let number = number.as_u64().unwrap_or_default();
            let more = |first: u64, last: u64| json!({"range": [first, last]});
            let wider =
                [more(number, number + 1), more(number.saturating_sub(1), number), more(0, number.max(1))];
            wider.into_iter().filter(|_| number != 255).chain([json!(number.saturating_sub(1))]).collect()
        }
        Value::String(word) if word.starts_with('@') => Vec::new(),
        Value::String(word) if word.parse::<std::net::Ipv4Addr>().is_ok() => {
            [31, 24, 0].iter().map(|length| masked(right, *length)).collect()
        }
        Value::String(word) if word.parse::<std::net::Ipv6Addr>().is_ok() => {
            [127, 64, 0].iter().map(|length| masked(right, *length)).collect()
        }
        Value::String(word) => {
            let others =
                [("invalid", "new"), ("ipv4", "ipv6"), ("ipv6", "ipv4"), ("echo-request", "echo-reply")];
            let more = [
                ("nd-router-advert", "nd-redirect"),
                ("nd-router-solicit", "echo-reply"),
                ("tcp", "udp"),
                ("udp", "tcp"),
            ];
            let other = others.iter().chain(&more).filter(|(from, _)| from == word);
            other.map(|(_, to)| json!(to)).collect()
        }
        _ => Vec::new(),
    }
}

fn masked(address: &Value, length: u64) -> Value {
    let text = format!("{}/{length}", address.as_str().unwrap_or_default());
    let prefix: Result<model::site::prefix::Prefix, _> = text.parse();
    prefix.map_or(Value::Null, |prefix| json!({"prefix": {"addr": prefix.network(), "len": length}}))
}

/// The other end of the packet, or the other carrier.
fn other_field(left: &Value) -> Option<Value> {
    if let Some(parts) = left["concat"].as_array() {
        let turned: Vec<Value> =
            parts.iter().map(|part| other_field(part).unwrap_or_else(|| part.clone())).collect();
        return Some(json!({"concat": turned}));
    }
    let payload = left.get("payload")?;
    let other = match (payload["protocol"].as_str()?, payload["field"].as_str()?) {
        (protocol, "saddr") => (protocol, "daddr"),
        (protocol, "daddr") => (protocol, "saddr"),
        (protocol, "sport") => (protocol, "dport"),
        ("tcp", "dport") => ("udp", "dport"),
        ("udp", "dport") => ("tcp", "dport"),
        ("th", "dport") => ("th", "sport"),
        _ => return None,
    };
    Some(super::payload(other.0, other.1))
}
