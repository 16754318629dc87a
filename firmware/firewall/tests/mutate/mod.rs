//! Changes to a ruleset document.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use serde_json::{Value, json};

fn items(document: &mut Value) -> &mut Vec<Value> {
    document["nftables"].as_array_mut().unwrap()
}

/// Kind and body of everything that is added.
pub fn objects(document: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    items(document).iter_mut().flat_map(|item| {
        let verb = if item.get("add").is_some() { "add" } else { "delete" };
        item[verb].as_object_mut().unwrap().iter_mut().map(|(kind, body)| (kind.clone(), body))
    })
}

fn named<'d>(document: &'d mut Value, kinds: &'static [&str], name: &str) -> &'d mut Value {
    let found = objects(document).find(|(kind, body)| kinds.contains(&kind.as_str()) && body["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {name}")).1
}

pub fn set<'d>(document: &'d mut Value, name: &str) -> &'d mut Value {
    named(document, &["set", "map"], name)
}

pub fn chain<'d>(document: &'d mut Value, name: &str) -> &'d mut Value {
    named(document, &["chain"], name)
}

fn place(document: &mut Value, id: &str) -> usize {
    let begins = format!("{id}: ");
    let is =
        |item: &Value| item["add"]["rule"]["comment"].as_str().is_some_and(|text| text.starts_with(&begins));
    items(document).iter().position(is).unwrap_or_else(|| panic!("there is no rule {id}"))
}

pub fn rule<'d>(document: &'d mut Value, id: &str) -> &'d mut Value {
    let place = place(document, id);
    &mut items(document)[place]["add"]["rule"]
}

pub fn remove(document: &mut Value, id: &str) {
    let place = place(document, id);
    items(document).remove(place);
}

pub fn swap(document: &mut Value, one: &str, other: &str) {
    let (one, other) = (place(document, one), place(document, other));
    items(document).swap(one, other);
}

/// Leaves out the rule's n-th condition.
pub fn drop_match(document: &mut Value, id: &str, n: usize) {
    let gone = rule(document, id)["expr"].as_array_mut().unwrap().remove(n);
    assert!(gone.get("match").is_some());
}

pub fn add_element(document: &mut Value, name: &str, element: Value) {
    set(document, name)["elem"].as_array_mut().unwrap().push(element);
}

/// Leads a port to another chain of a map; `icmp6open` stands for accept.
pub fn lead(document: &mut Value, map: &str, port: &str, chain: &str) {
    let elements = set(document, map)["elem"].as_array_mut().unwrap();
    let element = elements.iter_mut().find(|element| element[0] == port).unwrap();
    element[1] =
        if chain == "icmp6open" { json!({"accept": null}) } else { json!({"jump": {"target": chain}}) };
}

/// Has a rule that lets open flows pass ask for other states.
pub fn states(document: &mut Value, id: &str, states: &[&str]) {
    let steps = rule(document, id)["expr"].as_array_mut().unwrap();
    let asked = steps.iter_mut().find(|step| step["match"]["left"] == json!({"ct": {"key": "state"}}));
    asked.unwrap()["match"]["right"] = json!(states);
}

pub fn push(document: &mut Value, item: Value) {
    items(document).push(item);
}

fn new_rule(document: &mut Value, table: &str, chain: &str, steps: Value) -> Value {
    let own = |(kind, body): &(String, &mut Value)| {
        kind == "chain" && body["table"] == table && body["name"] == chain
    };
    let family =
        objects(document).find(own).unwrap_or_else(|| panic!("there is no chain {chain}")).1["family"]
            .clone();
    json!({"rule": {"family": family, "table": table, "chain": chain, "comment": "added", "expr": steps}})
}

pub fn first(document: &mut Value, chain: &str, steps: Value) {
    let is_rule = |item: &Value| item["add"].get("rule").is_some();
    let place = items(document).iter().position(is_rule).unwrap();
    let rule = new_rule(document, "sekisho", chain, steps);
    items(document).insert(place, json!({ "add": rule }));
}

/// One more way through the box, before all others.
pub fn way(document: &mut Value, from: &str, to: &str, verdict: Value) {
    let is = |key: &str, port: &str| {
        let left = json!({"meta": {"key": key}});
        json!({"match": {"op": "==", "left": left, "right": port}})
    };
    first(document, "forward", json!([is("iifname", from), is("oifname", to), verdict]));
}

pub fn last(document: &mut Value, chain: &str, steps: Value) {
    last_of(document, "sekisho", chain, steps);
}

pub fn last_of(document: &mut Value, table: &str, chain: &str, steps: Value) {
    let rule = new_rule(document, table, chain, steps);
    push(document, json!({ "add": rule }));
}

/// Another table, called `other`, with one chain.
pub fn foreign(document: &mut Value, family: &str, mut chain: Value) {
    push(document, json!({"add": {"table": {"family": family, "name": "other"}}}));
    chain["family"] = json!(family);
    chain["table"] = json!("other");
    push(document, json!({"add": {"chain": chain}}));
}

pub fn without_chain(document: &mut Value, name: &str) {
    let named = |kind: &Value, key: &str| kind.get(key).is_some_and(|text| text == name);
    items(document)
        .retain(|item| !named(&item["add"]["chain"], "name") && !named(&item["add"]["rule"], "chain"));
}

/// In the form of a listing, without commands.
pub fn as_listed(document: &mut Value) {
    let items = items(document);
    items.retain(|item| item.get("delete").is_none());
    items.iter_mut().for_each(|item| *item = item["add"].clone());
}
