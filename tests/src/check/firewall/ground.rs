//! Rulesets as a bench loads them: its own rules before all others, limits lifted or reached, rules taken away.

use serde_json::{Value, json};

use super::sockets;

/// The bench's table: keeps in what the kernel says of its own accord, and counts the states that packets come with.
pub(super) const TABLE: &str = "bench";

/// Counts what every rule let come to the box.
pub(super) const LET_IN: &str = "let-in";

pub(super) fn own_rules() -> Vec<Value> {
    let add = |kind: &str, body: Value| {
        let mut body = body;
        body["family"] = json!("inet");
        body[if kind == "table" { "name" } else { "table" }] = json!(TABLE);
        json!({"add": {kind: body}})
    };
    let base = |name: &str, hook: &str, priority: i32| {
        add(
            "chain",
            json!({"name": name, "type": "filter", "hook": hook, "prio": priority, "policy": "accept"}),
        )
    };
    let unmarked = json!({"match": {"op": "!=", "left": {"meta": {"key": "mark"}}, "right": sockets::MARK}});
    let mut rules = vec![
        add("table", json!({})),
        base("silence", "output", -500),
        base("states-in", "prerouting", -150),
        base(LET_IN, "input", 1000),
        base("states-out", "output", -150),
        add("rule", json!({"chain": "silence", "expr": [unmarked, {"drop": null}]})),
    ];
    let count = json!({"counter": {"packets": 0, "bytes": 0}});
    rules.push(add("rule", json!({"chain": LET_IN, "comment": LET_IN, "expr": [count]})));
    for chain in ["states-in", "states-out"] {
        for state in firewall::packet::State::ALL {
            let is = json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": state.word()}});
            let count = json!({"counter": {"packets": 0, "bytes": 0}});
            let comment = format!("{chain} {}", state.word());
            rules.push(add("rule", json!({"chain": chain, "comment": comment, "expr": [is, count]})));
        }
    }
    rules
}

/// The document with limits so high that nothing reaches them: thousands of packets come in a second, and both the plan's
/// word and the proof are about what is within a limit.
pub(super) fn unlimited(document: &Value) -> Value {
    replaced(document, "limit", &json!({"rate": 1_000_000, "burst": 1_000_000, "per": "second"}))
}

/// The same, but every sender has had all the flows he may have.
pub(super) fn exhausted(document: &Value) -> Value {
    replaced(&unlimited(document), "ct count", &json!({"val": 0, "inv": true}))
}

fn replaced(document: &Value, what: &str, by: &Value) -> Value {
    match document {
        Value::Object(map) => {
            let one = |key: &String, value| if key == what { by.clone() } else { replaced(value, what, by) };
            map.iter().map(|(key, value)| (key.clone(), one(key, value))).collect()
        }
        Value::Array(list) => list.iter().map(|one| replaced(one, what, by)).collect(),
        other => other.clone(),
    }
}

/// The document with every rule gone.
pub(super) fn without_rules(document: &Value) -> Value {
    let items = document["nftables"].as_array().into_iter().flatten();
    let kept: Vec<&Value> = items.filter(|item| item["add"].get("rule").is_none()).collect();
    json!({ "nftables": kept })
}
