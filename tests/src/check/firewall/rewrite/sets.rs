//! Sets and maps written another way: in halves, without a name, as rules, in another order.

use serde_json::{Value, json};

use super::values::{address, range_of};
use super::{Edit, declare, each_rule, each_step, elements, id, named, set_of, steps, with_steps};

pub(super) fn anonymous(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let held = elements(set_of(edit, &step["match"]["right"])?);
        let mut step = step.clone();
        step["match"]["right"] = json!({"set": held});
        (!held.is_empty()).then(|| vec![step])
    })
}

pub(super) fn halved(edit: &Edit) -> Vec<(String, Edit)> {
    let mut made = Vec::new();
    for place in edit.places("rule") {
        let rule = edit.read(place, "rule").clone();
        let positive =
            |step: &&Value| step["match"]["op"] == "==" && set_of(edit, &step["match"]["right"]).is_some();
        let accepts = rule["expr"].to_string().contains("accept");
        let Some(set) = steps(&rule)
            .iter()
            .find(positive)
            .filter(|_| accepts)
            .and_then(|step| set_of(edit, &step["match"]["right"]).cloned())
        else {
            continue;
        };
        let held = elements(&set);
        if held.len() < 2 {
            continue;
        }
        let mut edit = edit.clone();
        let (left, right) = held.split_at(held.len() / 2);
        let mut rules = Vec::new();
        for (half, name) in [(left, "half_a"), (right, "half_b")] {
            let mut own = set.clone();
            own["name"] = json!(name);
            own["elem"] = json!(half);
            let text = rule.to_string().replace(
                &format!("\"@{}\"", set["name"].as_str().unwrap_or_default()),
                &format!("\"@{name}\""),
            );
            rules
                .extend(serde_json::from_str::<Value>(&text).ok().map(|rule| json!({"add": {"rule": rule}})));
            rules.push(json!({"declared": own}));
        }
        let (declared, rules): (Vec<_>, Vec<_>) =
            rules.into_iter().partition(|item| item.get("declared").is_some());
        edit.items().splice(place..=place, rules);
        for own in declared {
            declare(&mut edit, "set", own["declared"].clone());
        }
        made.push((id(&rule), edit));
    }
    made
}

pub(super) fn split_prefix(edit: &Edit) -> Vec<(String, Edit)> {
    let mut made = Vec::new();
    for place in edit.places("set") {
        let set = edit.read(place, "set");
        let name = set["name"].as_str().unwrap_or_default().to_owned();
        let mut held = elements(set);
        let is_prefix = |element: &Value| element.get("prefix").is_some();
        let Some(at) = held.iter().position(is_prefix) else { continue };
        let Some((first, last, size)) = range_of(&held[at]) else { continue };
        let length = held[at]["prefix"]["len"].as_u64().unwrap_or_default() + 1;
        let half = |from: u128| json!({"prefix": {"addr": address(from, size), "len": length}});
        held.splice(at..=at, [half(first), half(first + (last - first) / 2 + 1)]);
        let mut edit = edit.clone();
        edit.body(place, "set")["elem"] = Value::Array(held);
        made.push((name, edit));
    }
    made
}

pub(super) fn turned_sets(edit: &Edit) -> Vec<(String, Edit)> {
    let mut all = edit.clone();
    for kind in ["set", "map"] {
        for place in edit.places(kind) {
            if let Some(Value::Array(held)) = all.body(place, kind).get_mut("elem") {
                held.reverse();
            }
        }
    }
    vec![("all".to_owned(), all)]
}

pub(super) fn unmapped(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let all = steps(rule);
        let at = all.iter().position(|step| step.get("vmap").is_some())?;
        let map = &all[at]["vmap"];
        let name = map["data"].as_str().and_then(|name| name.strip_prefix('@'));
        let pairs = match name {
            Some(name) => elements(named(edit, "map", name)?),
            None => map["data"]["set"].as_array()?.clone(),
        };
        let op = if map["key"].get("ct").is_some() { "in" } else { "==" };
        let one = |pair: &Value| {
            let mut new = all.clone();
            let key = json!({"match": {"op": op, "left": map["key"], "right": pair[0]}});
            new.splice(at..=at, [key, pair[1].clone()]);
            with_steps(rule, new)
        };
        // A tuple on the right of a comparison is written as a set.
        let one = |pair: &Value| {
            let mut rule = one(pair);
            if pair[0].get("concat").is_some() {
                rule["expr"][at]["match"]["right"] = json!({"set": [pair[0]]});
            }
            rule
        };
        Some(pairs.iter().map(one).collect())
    })
}

pub(super) fn mapped(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let all = steps(rule);
        let is_last = |step: &Value| step.get("accept").is_some() || step.get("drop").is_some();
        let (last, before) = all.split_last().filter(|(last, _)| is_last(last))?;
        let at = before.iter().position(|step| {
            let right = &step["match"]["right"];
            step["match"]["op"] == "=="
                && (right.is_number() || right.as_str().is_some_and(|word| !word.starts_with('@')))
        })?;
        let asks_icmp = |step: &Value| step["match"]["left"].to_string().contains("icmp");
        let mut new = before.to_vec();
        let key = new.remove(at);
        new.push(
            json!({"vmap": {"key": key["match"]["left"], "data": {"set": [[key["match"]["right"], last]]}}}),
        );
        (!asks_icmp(&key)).then(|| vec![with_steps(rule, new)])
    })
}

pub(super) fn wrapped(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let right = &step["match"]["right"];
        let plain = right.is_number() || right.as_str().is_some_and(|word| !word.starts_with('@'));
        let mut new = step.clone();
        new["match"]["right"] = json!({"set": [right]});
        (plain && step["match"]["op"] == "==").then(|| vec![new])
    })
}
