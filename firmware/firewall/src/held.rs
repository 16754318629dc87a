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
    for item in document["nftables"].as_array().map_or(&[][..], Vec::as_slice) {
        let Some((kind, body)) =
            item.get("add").unwrap_or(item).as_object().and_then(|map| map.iter().next())
        else {
            continue;
        };
        let name = if kind == "table" { &body["name"] } else { &body["table"] };
        if kind == "delete" || body["family"] != TABLE.0 || *name != TABLE.1 {
            continue;
        }
        let mut body = body.clone();
        if kind == "rule" {
            let place = places.entry(body["chain"].to_string()).or_default();
            *place += 1;
            body["place"] = json!(place);
        }
        objects.insert(format!("{kind} {}", plain(body)));
    }
    objects
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
