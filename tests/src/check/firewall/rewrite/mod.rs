//! Other ways to write the same: each leaves every packet where it was, and the prover must see that.

mod rules;
mod sets;
mod values;
mod whole;

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
        ("another name", whole::renamed),
        ("an anonymous set", sets::anonymous),
        ("a set in two halves", sets::halved),
        ("a verdict map as rules", sets::unmapped),
        ("a rule as a verdict map", sets::mapped),
        ("goto for jump", whole::gone),
        ("a chain written out", rules::inlined),
        ("a chain of its own", rules::outlined),
        ("two that accept in the other order", rules::swapped),
        ("a rule twice", rules::doubled),
        ("reject for drop", rules::rejected),
        ("all but, as ranges", values::complemented),
        ("a prefix as a range", values::ranged),
        ("a prefix in two halves", sets::split_prefix),
        ("a set of one", sets::wrapped),
        ("two conditions in the other order", rules::reordered),
        ("the carrier apart", values::carrier_apart),
        ("the family by its ether type", values::by_ether_type),
        ("states as a verdict map", values::states_mapped),
        ("by source ports in two", values::by_source_ports),
        ("a comparison for a number", values::compared),
        ("elements in another order", sets::turned_sets),
        ("another priority", whole::reprioritised),
        ("everywhere at once", whole::everywhere),
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
