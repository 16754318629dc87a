//! Broken rulesets by generic operators on nft's JSON: each operator knows the language, none knows our rules. Whether a
//! change breaks anything is for the kernel to say.

mod chains;
mod elsewhere;
mod rules;
mod seeming;
mod sets;

use serde_json::{Value, json};

use super::world::World;

/// A changed ruleset.
#[derive(Clone, Debug)]
pub(super) struct Mutant {
    /// The operator, and what it was applied to.
    pub(super) name: String,
    pub(super) document: Value,
    /// The operator brought in what lies outside the language that the prover claims to understand: it may say so.
    pub(super) beyond: bool,
    /// It is known to break a promise, also where no packet of the sweep shows it: it must not be called proved.
    pub(super) breaks: bool,
}

/// Everything the operators make of a box's ruleset.
pub(super) fn all(world: &World) -> Vec<Mutant> {
    let document = &world.document;
    let within = [rules::all(document), sets::all(world), chains::all(world)].concat();
    let made = [within, elsewhere::all(world), seeming::all(world)].concat();
    made.into_iter().filter(|mutant| mutant.document != *document).collect()
}

/// A document under change.
#[derive(Clone)]
pub(super) struct Edit(pub(super) Value);

impl Edit {
    pub(super) fn of(document: &Value) -> Self {
        Self(document.clone())
    }

    pub(super) fn items(&mut self) -> &mut Vec<Value> {
        if !self.0["nftables"].is_array() {
            self.0["nftables"] = json!([]);
        }
        match &mut self.0["nftables"] {
            Value::Array(items) => items,
            _ => unreachable!("invariant: made a list above"),
        }
    }

    /// The places of the objects of a kind that are added.
    pub(super) fn places(&self, kind: &str) -> Vec<usize> {
        let items = self.0["nftables"].as_array().map_or(&[][..], Vec::as_slice);
        (0..items.len()).filter(|place| items[*place]["add"].get(kind).is_some()).collect()
    }

    pub(super) fn body(&mut self, place: usize, kind: &str) -> &mut Value {
        &mut self.items()[place]["add"][kind]
    }

    pub(super) fn read(&self, place: usize, kind: &str) -> &Value {
        &self.0["nftables"][place]["add"][kind]
    }

    /// The steps of the rule at this place.
    pub(super) fn steps(&mut self, place: usize) -> &mut Vec<Value> {
        match &mut self.body(place, "rule")["expr"] {
            Value::Array(steps) => steps,
            _ => unreachable!("invariant: the compiler gives every rule its steps"),
        }
    }

    /// Adds an object of a table, whose place in it is filled in, at the end.
    pub(super) fn add(&mut self, kind: &str, (family, table): (&str, &str), body: Value) {
        let command = command(kind, (family, table), body);
        self.items().push(command);
    }

    /// Adds a rule of our table before all others of its chain.
    pub(super) fn first(&mut self, chain: &str, steps: Value) {
        let rule = command(
            "rule",
            firewall::nft::TABLE,
            json!({"chain": chain, "expr": steps, "comment": "put in"}),
        );
        let place = self.places("rule").first().copied().unwrap_or(self.items().len());
        self.items().insert(place, rule);
    }

    pub(super) fn named(self, name: String) -> Mutant {
        Mutant { name, document: self.0, beyond: false, breaks: false }
    }

    pub(super) fn beyond(self, name: String) -> Mutant {
        Mutant { name, document: self.0, beyond: true, breaks: false }
    }
}

pub(super) fn command(kind: &str, (family, table): (&str, &str), mut body: Value) -> Value {
    body["family"] = json!(family);
    body[if kind == "table" { "name" } else { "table" }] = json!(table);
    json!({"add": {kind: body}})
}

/// The id in a rule's comment.
pub(super) fn id(rule: &Value) -> String {
    let comment = rule["comment"].as_str().unwrap_or("a rule");
    comment.split(':').next().unwrap_or_default().to_owned()
}

/// A comparison.
pub(super) fn is(left: Value, right: Value) -> Value {
    json!({"match": {"op": "==", "left": left, "right": right}})
}

pub(super) fn meta(key: &str) -> Value {
    json!({"meta": {"key": key}})
}

pub(super) fn payload(protocol: &str, field: &str) -> Value {
    json!({"payload": {"protocol": protocol, "field": field}})
}

/// In one of these states.
pub(super) fn state(words: &[&str]) -> Value {
    let right = if let [one] = words { json!(one) } else { json!(words) };
    json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": right}})
}
