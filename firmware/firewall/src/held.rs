//! Whether the kernel holds exactly what was planned: our table, object by object, without what the kernel adds
//! (handles, counts) and without an order that means nothing (of objects, of a set's elements).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use serde_json::{Map, Value, json};

use crate::nft::OURS;

/// What of the plan is not held, and what is held beside it; nothing if they are the same.
pub(crate) fn difference(plan: &Value, listing: &Value) -> Option<String> {
    let of_time = timed(plan, listing);
    let (plan, held) = (canonical(plan), canonical(listing));
    let missing = plan.difference(&held).next().map(|object| format!("missing: {object}"));
    let missing =
        missing.or_else(|| held.difference(&plan).next().map(|object| format!("not planned: {object}")));
    missing.or_else(|| of_time.into_iter().next())
}

/// The objects of our table in one writing. A rule carries its place in its chain.
fn canonical(document: &Value) -> BTreeSet<String> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut objects = BTreeSet::new();
    for (kind, mut body) in own(document) {
        if kind == "rule" {
            let chain = format!("{} {} {}", body["family"], body["table"], body["chain"]);
            let place = places.entry(chain).or_default();
            *place += 1;
            body["place"] = json!(place);
        }
        objects.insert(format!("{kind} {body}"));
    }
    objects
}

/// Whether a table is ours.
pub(crate) fn is_ours(family: &str, name: &str) -> bool {
    OURS.contains(&(family, name))
}

/// The objects of our tables, in their order, without what the kernel adds and with one spelling of everything. A table
/// that is deleted has none.
pub(crate) fn own(document: &Value) -> Vec<(&str, Value)> {
    let mut objects: Vec<(&str, Value)> = Vec::new();
    for item in document["nftables"].as_array().map_or(&[][..], Vec::as_slice) {
        if let Some(gone) = item.get("delete").and_then(|item| item.get("table")) {
            objects.retain(|(kind, body)| table_of(kind, body) != (&gone["family"], &gone["name"]));
            continue;
        }
        let Some(objects_here) = item.get("add").unwrap_or(item).as_object() else { continue };
        let here = objects_here.iter().take(1).filter(|(kind, body)| {
            let (family, name) = table_of(kind, body);
            family.as_str().zip(name.as_str()).is_some_and(|(family, name)| is_ours(family, name))
        });
        objects.extend(here.map(|(kind, body)| (kind.as_str(), plain(still(body)))));
    }
    objects
}

fn table_of<'v>(kind: &str, body: &'v Value) -> (&'v Value, &'v Value) {
    (&body["family"], if kind == "table" { &body["name"] } else { &body["table"] })
}

/// Without what packets and time put into a set and take away: of a set that packets fill (it has a size) everything,
/// and of one with times the elements, which [`timed`] compares.
fn still(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(set) = body.as_object_mut().filter(|set| set.contains_key("size") || is_timed(set)) {
        set.remove("elem");
        // A set that packets fill is listed with its flag by nft 1.1, and without by 1.0, which does not take it either.
        if set.get("flags") == Some(&json!(["dynamic"])) {
            set.remove("flags");
        }
    }
    body
}

fn is_timed(set: &Map<String, Value>) -> bool {
    set.get("flags").and_then(Value::as_array).is_some_and(|flags| flags.iter().any(|flag| flag == "timeout"))
}

/// An element that ends within so many seconds may be gone already.
const ENDING: u64 = 2;

/// Of sets with times: what is there and was never told, and what was told, still has time and is not there.
pub(crate) fn timed(plan: &Value, listing: &Value) -> Vec<String> {
    let (plan, held) = (elements(plan), elements(listing));
    let unknown =
        held.keys().filter(|one| !plan.contains_key(*one)).map(|one| format!("not planned: element {one}"));
    let gone = plan.iter().filter(|(one, seconds)| **seconds > ENDING && !held.contains_key(*one));
    unknown.chain(gone.map(|(one, _)| format!("missing: element {one}"))).collect()
}

/// The elements of our sets with times, and how long each may stay.
fn elements(document: &Value) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for item in document["nftables"].as_array().map_or(&[][..], Vec::as_slice) {
        let set = &item.get("add").unwrap_or(item)["set"];
        let own = set["family"]
            .as_str()
            .zip(set["table"].as_str())
            .is_some_and(|(family, name)| is_ours(family, name));
        if !own || !set.as_object().is_some_and(is_timed) {
            continue;
        }
        for element in set["elem"].as_array().map_or(&[][..], Vec::as_slice) {
            // Without a time an element stays for ever, and is no element of ours.
            let inner = element.get("elem").unwrap_or(element);
            let value = plain(inner.get("val").unwrap_or(inner).clone());
            all.insert(format!("{value} of {}", set["name"]), inner["timeout"].as_u64().unwrap_or(u64::MAX));
        }
    }
    all
}

/// Without handles and counts, keys and elements sorted, addresses in one spelling.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept =
                map.into_iter().filter(|(key, _)| !["handle", "packets", "bytes"].contains(&key.as_str()));
            let by_key: BTreeMap<String, Value> = kept
                .map(|(key, value)| {
                    let value = plain(value);
                    let value = if ["elem", "set"].contains(&key.as_str()) { sorted(value) } else { value };
                    (key, value)
                })
                .collect();
            by_key.into_iter().collect()
        }
        Value::Array(list) => list.into_iter().map(plain).collect(),
        Value::String(text) => text.parse::<Ipv6Addr>().map_or(Value::String(text), |address| json!(address)),
        other => other,
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Array(mut list) => {
            list.sort_by_cached_key(Value::to_string);
            Value::Array(list)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_packets_fill_is_the_same_with_its_flag_and_what_fell_into_it() {
        let of = |set: Value| json!({"nftables": [{ "set": set }]});
        let plan =
            json!({"family": "inet", "table": "sekisho", "name": "callers", "type": "ipv4_addr", "size": 9});
        let mut held = plan.clone();
        held["flags"] = json!(["dynamic"]);
        held["elem"] = json!(["192.0.2.7"]);
        assert_eq!(difference(&of(plan.clone()), &of(held.clone())), None);
        held["flags"] = json!(["interval"]);
        assert!(difference(&of(plan), &of(held)).is_some());
    }
}
