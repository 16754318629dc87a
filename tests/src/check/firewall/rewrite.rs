//! Other ways to write the same: each leaves every packet where it was, and the prover must see that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::site::prefix::Prefix;
use serde_json::{Value, json};

use super::mutate::{Edit, command, id, is, meta, payload};

/// A ruleset written another way.
#[derive(Clone, Debug)]
pub(super) struct Rewrite {
    pub(super) name: String,
    pub(super) document: Value,
}

/// What it was applied to, and what came of it.
type Operator = fn(&Edit) -> Vec<(String, Edit)>;

/// Every operator wherever it applies; of one that applies often, the first few.
pub(super) fn all(document: &Value) -> Vec<Rewrite> {
    let edit = Edit::of(document);
    let each: [(&str, Operator); 24] = [
        ("another name", renamed),
        ("an anonymous set", anonymous),
        ("a set in two halves", halved),
        ("a verdict map as rules", unmapped),
        ("a rule as a verdict map", mapped),
        ("goto for jump", gone),
        ("a chain written out", inlined),
        ("a chain of its own", outlined),
        ("two that accept in the other order", swapped),
        ("a rule twice", doubled),
        ("reject for drop", rejected),
        ("all but, as ranges", complemented),
        ("a prefix as a range", ranged),
        ("a prefix in two halves", split_prefix),
        ("a set of one", wrapped),
        ("two conditions in the other order", reordered),
        ("the carrier apart", carrier_apart),
        ("the family by its ether type", by_ether_type),
        ("states as two rules", states_apart),
        ("by source ports in two", by_source_ports),
        ("a comparison for a number", compared),
        ("elements in another order", turned_sets),
        ("another priority", reprioritised),
        ("everywhere at once", everywhere),
    ];
    let mut made = Vec::new();
    for (what, operator) in each {
        let few = operator(&edit).into_iter().filter(|(_, changed)| changed.0 != *document).take(MOST);
        made.extend(
            few.map(|(place, changed)| Rewrite { name: format!("{what}: {place}"), document: changed.0 }),
        );
    }
    made
}

const MOST: usize = 4;

/// Changes one rule into some, wherever `change` has a way.
fn each_rule(edit: &Edit, change: impl Fn(&Value) -> Option<Vec<Value>>) -> Vec<(String, Edit)> {
    let one = |place: usize| {
        let rule = edit.read(place, "rule").clone();
        let rules = change(&rule)?;
        let mut edit = edit.clone();
        edit.items().splice(place..=place, rules.into_iter().map(|rule| json!({"add": {"rule": rule}})));
        Some((id(&rule), edit))
    };
    edit.places("rule").into_iter().filter_map(one).collect()
}

fn steps(rule: &Value) -> Vec<Value> {
    rule["expr"].as_array().cloned().unwrap_or_default()
}

fn with_steps(rule: &Value, steps: Vec<Value>) -> Value {
    let mut rule = rule.clone();
    rule["expr"] = Value::Array(steps);
    rule
}

/// Changes one step of a rule into some.
fn each_step(edit: &Edit, change: impl Fn(&Value) -> Option<Vec<Value>>) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let before = steps(rule);
        let (at, new) = before.iter().enumerate().find_map(|(at, step)| Some((at, change(step)?)))?;
        let mut after = before;
        after.splice(at..=at, new);
        Some(vec![with_steps(rule, after)])
    })
}

fn named<'v>(edit: &'v Edit, kind: &'static str, name: &str) -> Option<&'v Value> {
    edit.places(kind).into_iter().map(|place| edit.read(place, kind)).find(|set| set["name"] == name)
}

fn set_of<'v>(edit: &'v Edit, right: &Value) -> Option<&'v Value> {
    named(edit, "set", right.as_str()?.strip_prefix('@')?)
}

fn elements(set: &Value) -> Vec<Value> {
    set["elem"].as_array().cloned().unwrap_or_default()
}

/// Before all rules, where what they name has to be.
fn declare(edit: &mut Edit, kind: &str, body: Value) {
    let place = edit.places("rule").first().copied().unwrap_or_default();
    edit.items().insert(place, command(kind, firewall::nft::TABLE, body));
}

fn renamed(edit: &Edit) -> Vec<(String, Edit)> {
    let mut made = Vec::new();
    for kind in ["set", "map", "chain"] {
        let place = edit.places(kind).into_iter().find(|place| edit.read(*place, kind).get("hook").is_none());
        let Some(name) = place.and_then(|place| edit.read(place, kind)["name"].as_str().map(str::to_owned))
        else {
            continue;
        };
        let text = edit.0.to_string();
        let text = text
            .replace(&format!("\"{name}\""), "\"renamed\"")
            .replace(&format!("\"@{name}\""), "\"@renamed\"");
        made.extend(
            serde_json::from_str(&text).ok().map(|document| (format!("{kind} {name}"), Edit(document))),
        );
    }
    let own = firewall::nft::TABLE.1;
    let text = edit.0.to_string().replace(&format!("\"{own}\""), "\"renamed\"");
    made.extend(serde_json::from_str(&text).ok().map(|document| ("the table".to_owned(), Edit(document))));
    made
}

fn anonymous(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let held = elements(set_of(edit, &step["match"]["right"])?);
        let mut step = step.clone();
        step["match"]["right"] = json!({"set": held});
        (!held.is_empty()).then(|| vec![step])
    })
}

fn halved(edit: &Edit) -> Vec<(String, Edit)> {
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

fn unmapped(edit: &Edit) -> Vec<(String, Edit)> {
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

fn mapped(edit: &Edit) -> Vec<(String, Edit)> {
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

fn gone(edit: &Edit) -> Vec<(String, Edit)> {
    let mut made = Vec::new();
    for place in edit.places("map") {
        let mut other = edit.clone();
        let map = other.body(place, "map");
        let name = map["name"].as_str().unwrap_or_default().to_owned();
        let text = map["elem"].to_string().replace("\"jump\"", "\"goto\"");
        map["elem"] = serde_json::from_str(&text).unwrap_or_default();
        made.push((name, other));
    }
    made
}

/// The rules of the chain in the place of the jump, each behind the jump's own conditions.
fn inlined(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let all = steps(rule);
        let (last, before) = all.split_last()?;
        let target = last["jump"]["target"].as_str()?;
        // What counts or remembers would do so more than once.
        let plain = |step: &Value| step.get("match").is_some();
        if !before.iter().all(plain) {
            return None;
        }
        let of_chain = edit
            .places("rule")
            .into_iter()
            .map(|place| edit.read(place, "rule"))
            .filter(|rule| rule["chain"] == *target);
        let one = |inner: &Value| with_steps(rule, [before, &steps(inner)].concat());
        Some(of_chain.map(one).collect())
    })
}

fn outlined(edit: &Edit) -> Vec<(String, Edit)> {
    let made = each_rule(edit, |rule| {
        let all = steps(rule);
        let split = all.iter().position(|step| step.get("match").is_none()).filter(|at| *at > 0)?;
        let mut inner = with_steps(rule, all[split..].to_vec());
        inner["chain"] = json!("outlined");
        let outer = with_steps(rule, [&all[..split], &[json!({"jump": {"target": "outlined"}})]].concat());
        Some(vec![outer, inner])
    });
    let declared = |(name, mut edit): (String, Edit)| {
        declare(&mut edit, "chain", json!({"name": "outlined"}));
        (name, edit)
    };
    made.into_iter().map(declared).collect()
}

fn swapped(edit: &Edit) -> Vec<(String, Edit)> {
    let accepts = |rule: &Value| steps(rule).last().is_some_and(|last| last.get("accept").is_some());
    let places = edit.places("rule");
    let pairs = places.windows(2).filter(|pair| {
        let [one, other] = [pair[0], pair[1]].map(|place| edit.read(place, "rule"));
        one["chain"] == other["chain"] && accepts(one) && accepts(other)
    });
    pairs
        .map(|pair| {
            let mut edit = edit.clone();
            edit.items().swap(pair[0], pair[1]);
            (id(edit.read(pair[0], "rule")), edit)
        })
        .collect()
}

fn doubled(edit: &Edit) -> Vec<(String, Edit)> {
    let mut all = each_rule(edit, |rule| Some(vec![rule.clone(), rule.clone()]));
    let every_tenth = all.len() / MOST;
    let mut place = 0;
    all.retain(|_| {
        place += 1;
        place % every_tenth.max(1) == 0
    });
    all
}

fn rejected(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let text = rule.to_string();
        let refused = text.contains("{\"drop\":null}").then(|| {
            text.replace("{\"drop\":null}", "{\"reject\":{\"type\":\"icmpx\",\"expr\":\"port-unreachable\"}}")
        });
        refused.and_then(|text| serde_json::from_str(&text).ok()).map(|rule| vec![rule])
    })
}

fn bits(address: &IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u32::from(*address).into(), 32),
        IpAddr::V6(address) => ((*address).into(), 128),
    }
}

fn address(number: u128, bits: u32) -> Value {
    match (bits, u32::try_from(number)) {
        (32, Ok(number)) => json!(Ipv4Addr::from(number)),
        _ => json!(Ipv6Addr::from(number)),
    }
}

/// The first and the last address of what a right side says, and the bits of its family.
fn range_of(right: &Value) -> Option<(u128, u128, u32)> {
    let prefix: Prefix = match right {
        Value::String(text) => {
            let address: IpAddr = text.parse().ok()?;
            Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } }
        }
        _ => {
            let prefix = right.get("prefix")?;
            format!("{}/{}", prefix["addr"].as_str()?, prefix["len"]).parse().ok()?
        }
    };
    let (first, size) = bits(&prefix.network());
    let host = 1_u128.checked_shl(size - u32::from(prefix.length)).map_or(u128::MAX, |host| host - 1);
    Some((first, first | host, size))
}

/// `!= X` as everything below X and everything above it.
fn complemented(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let (first, last, size) =
            range_of(&step["match"]["right"]).filter(|_| step["match"]["op"] == "!=")?;
        let most = 1_u128.checked_shl(size).map_or(u128::MAX, |all| all - 1);
        let below = (first > 0).then(|| json!({"range": [address(0, size), address(first - 1, size)]}));
        let above = (last < most).then(|| json!({"range": [address(last + 1, size), address(most, size)]}));
        let others: Vec<Value> = below.into_iter().chain(above).collect();
        Some(vec![is(step["match"]["left"].clone(), json!({"set": others}))])
    })
}

fn ranged(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        step["match"]["right"].get("prefix")?;
        let (first, last, size) = range_of(&step["match"]["right"])?;
        let mut step = step.clone();
        step["match"]["right"] = json!({"range": [address(first, size), address(last, size)]});
        Some(vec![step])
    })
}

fn split_prefix(edit: &Edit) -> Vec<(String, Edit)> {
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

fn wrapped(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let right = &step["match"]["right"];
        let plain = right.is_number() || right.as_str().is_some_and(|word| !word.starts_with('@'));
        let mut new = step.clone();
        new["match"]["right"] = json!({"set": [right]});
        (plain && step["match"]["op"] == "==").then(|| vec![new])
    })
}

fn reordered(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let mut all = steps(rule);
        let is_match = |at: usize| all.get(at).is_some_and(|step| step.get("match").is_some());
        // `icmpv6 type` says the family to nft only where nothing before it did.
        let first = (is_match(0) && is_match(1)).then_some(0)?;
        all.swap(first, first + 1);
        Some(vec![with_steps(rule, all)])
    })
}

fn carrier_apart(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let body = &step["match"]["left"]["payload"];
        let protocol = body["protocol"].as_str().filter(|protocol| ["tcp", "udp"].contains(protocol))?;
        let mut new = step.clone();
        new["match"]["left"] = payload("th", body["field"].as_str()?);
        Some(vec![is(meta("l4proto"), json!(protocol)), new])
    })
}

fn by_ether_type(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let family =
            (step["match"]["left"] == meta("nfproto")).then(|| step["match"]["right"].as_str())??;
        Some(vec![is(meta("protocol"), json!(if family == "ipv4" { "ip" } else { "ip6" }))])
    })
}

fn states_apart(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let all = steps(rule);
        let at = all.iter().position(|step| step["vmap"]["key"].get("ct").is_some())?;
        let words: Option<Vec<&Value>> =
            all[at]["vmap"]["data"]["set"].as_array()?.iter().map(|pair| pair.get(0)).collect();
        let mut new = all.clone();
        new.splice(
            at..=at,
            [
                json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": words?}}),
                json!({"accept": null}),
            ],
        );
        Some(vec![with_steps(rule, new)])
    })
}

fn by_source_ports(edit: &Edit) -> Vec<(String, Edit)> {
    each_rule(edit, |rule| {
        let all = steps(rule);
        let protocol = all.iter().find_map(|step| {
            let payload = &step["match"]["left"]["payload"];
            payload["protocol"].as_str().filter(|protocol| ["tcp", "udp"].contains(protocol))
        })?;
        let asks = |step: &Value| step["match"]["left"]["payload"]["field"] == "sport";
        let half = |first: u16, last: u16| is(payload(protocol, "sport"), json!({"range": [first, last]}));
        let with = |half: Value| with_steps(rule, [&[half], &all[..]].concat());
        let halves = vec![with(half(0, 32_767)), with(half(32_768, 65_535))];
        (!all.iter().any(asks)).then_some(halves)
    })
}

/// `hoplimit 255` as more than 254.
fn compared(edit: &Edit) -> Vec<(String, Edit)> {
    each_step(edit, |step| {
        let hop_limit = step["match"]["left"]["payload"]["field"] == "hoplimit";
        let mut new = step.clone();
        new["match"]["op"] = json!(">");
        new["match"]["right"] = json!(254);
        (hop_limit && step["match"]["right"] == 255).then(|| vec![new])
    })
}

fn turned_sets(edit: &Edit) -> Vec<(String, Edit)> {
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

fn reprioritised(edit: &Edit) -> Vec<(String, Edit)> {
    let bases =
        edit.places("chain").into_iter().filter(|place| edit.read(*place, "chain").get("hook").is_some());
    bases
        .map(|place| {
            let mut edit = edit.clone();
            edit.body(place, "chain")["prio"] = json!(-10);
            (edit.read(place, "chain")["name"].to_string(), edit)
        })
        .collect()
}

/// What changes nothing, in every rule: no comments, no counters and logs, and other tables that let pass or only refuse
/// what is refused anyway.
fn everywhere(edit: &Edit) -> Vec<(String, Edit)> {
    let mut silent = edit.clone();
    let mut uncounted = edit.clone();
    for place in edit.places("rule") {
        if let Some(rule) = silent.body(place, "rule").as_object_mut() {
            rule.remove("comment");
        }
        uncounted.steps(place).retain(|step| step.get("counter").is_none() && step.get("log").is_none());
    }
    let other = |hook: &str, priority: i32, steps: Value| {
        let table = ("inet", "other");
        let mut edit = edit.clone();
        edit.add("table", table, json!({}));
        edit.add(
            "chain",
            table,
            json!({"name": "c", "type": "filter", "hook": hook, "prio": priority, "policy": "accept"}),
        );
        edit.add("rule", table, json!({"chain": "c", "expr": steps}));
        edit
    };
    vec![
        ("no comments".into(), silent),
        ("no counters, no logs".into(), uncounted),
        ("a table that accepts everything before".into(), other("input", -10, json!([{"accept": null}]))),
        (
            "a table that counts everything".into(),
            other("prerouting", -300, json!([{"counter": {"packets": 0, "bytes": 0}}])),
        ),
    ]
}
