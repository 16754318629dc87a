//! Whether the kernel holds exactly what was planned: our table, object by object, without what the kernel adds
//! (handles, counts) and without an order that means nothing (of objects, of a set's elements).

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

use serde_json::{Value, json};

use crate::nft::TABLE;

/// What of the plan is not held, and what is held beside it; nothing if they are the same.
pub(crate) fn difference(plan: &Value, listing: &Value) -> Option<String> {
    let (plan, held) = (canonical(plan), canonical(listing));
    let missing = plan.difference(&held).next().map(|object| format!("missing: {object}"));
    missing.or_else(|| held.difference(&plan).next().map(|object| format!("not planned: {object}")))
}

/// The objects of our table in one writing. A rule carries its place in its chain.
fn canonical(document: &Value) -> BTreeSet<String> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut objects = BTreeSet::new();
    for (kind, mut body) in own(document) {
        if kind == "rule" {
            let place = places.entry(body["chain"].to_string()).or_default();
            *place += 1;
            body["place"] = json!(place);
        }
        objects.insert(format!("{kind} {body}"));
    }
    objects
}

/// Whether a table is ours.
pub(crate) fn is_ours(family: &str, name: &str) -> bool {
    (family, name) == TABLE
}

/// The objects of our table, in their order, without what the kernel adds and with one spelling of everything.
pub(crate) fn own(document: &Value) -> impl Iterator<Item = (&str, Value)> {
    let items = document["nftables"].as_array().map_or(&[][..], Vec::as_slice).iter();
    items.filter_map(|item| {
        let (kind, body) = item.get("add").unwrap_or(item).as_object()?.iter().next()?;
        let name = if kind == "table" { &body["name"] } else { &body["table"] };
        let is_own = is_ours(body["family"].as_str()?, name.as_str()?);
        (is_own && kind != "delete").then(|| (kind.as_str(), plain(body.clone())))
    })
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
                    let value = if key == "elem" { sorted(value) } else { value };
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
