//! Operators on chains and tables: rules put in before all others, policies, hooks, priorities, families, names of ports.

use serde_json::{Value, json};

use super::{Edit, Mutant, id, is, meta, payload, state};
use crate::check::firewall::world::World;

pub(super) fn all(world: &World) -> Vec<Mutant> {
    let edit = Edit::of(&world.document);
    let mut made = Vec::new();
    for place in edit.places("chain") {
        let chain = edit.read(place, "chain").clone();
        let name = chain["name"].as_str().unwrap_or_default();
        made.extend(put_in(&edit, name));
        if chain.get("hook").is_some() {
            made.extend(of_a_base(&edit, place, name));
        }
        made.push(without_rules(&edit, name));
    }
    made.extend(of_the_table(&edit));
    made.extend(renamed(&edit, world));
    made
}

fn put_in(edit: &Edit, chain: &str) -> Vec<Mutant> {
    let accept = || json!({"accept": null});
    let limit = json!({"limit": {"rate": 1, "per": "hour"}});
    let rules = [
        ("everything", json!([accept()])),
        ("open flows", json!([state(&["established", "related"]), accept()])),
        ("what opens", json!([state(&["new"]), accept()])),
        ("what belongs to nothing", json!([state(&["invalid", "untracked"]), accept()])),
        ("errors about flows", json!([state(&["related"]), accept()])),
        ("a few", json!([limit, accept()])),
        ("SMB", json!([is(payload("tcp", "dport"), json!(445)), accept()])),
        ("a range of services", json!([is(payload("th", "dport"), json!({"range": [50, 60]})), accept()])),
        ("one family", json!([is(meta("nfproto"), json!("ipv4")), accept()])),
        ("one protocol", json!([is(meta("l4proto"), json!({"set": ["esp", "udp"]})), accept()])),
        (
            "every ICMPv6",
            json!([is(meta("nfproto"), json!("ipv6")), is(meta("l4proto"), json!("ipv6-icmp")), accept()]),
        ),
        (
            "high hop limits",
            json!([{"match": {"op": ">", "left": payload("ip6", "hoplimit"), "right": 63}}, accept()]),
        ),
        ("nothing of IPv6", json!([is(meta("nfproto"), json!("ipv6")), {"drop": null}])),
    ];
    let mut made: Vec<Mutant> = Vec::new();
    for (what, steps) in rules {
        let mut edit = edit.clone();
        edit.first(chain, steps);
        made.push(edit.named(format!("first in {chain}: {what}")));
    }
    for (word, verdict) in
        [("jump", json!({"jump": {"target": "open"}})), ("goto", json!({"goto": {"target": "open"}}))]
    {
        let mut edit = edit.clone();
        edit.first("open", json!([accept()]));
        edit.first(chain, json!([verdict]));
        let place = edit.places("rule").first().copied().unwrap_or_default();
        let new = super::command("chain", firewall::nft::TABLE, json!({"name": "open"}));
        edit.items().insert(place, new);
        made.push(edit.named(format!("{word} from {chain} to what accepts")));
    }
    made
}

fn of_a_base(edit: &Edit, place: usize, name: &str) -> Vec<Mutant> {
    let mut made = Vec::new();
    let mut open = edit.clone();
    open.body(place, "chain")["policy"] = json!("accept");
    made.push(open.clone().named(format!("policy accept: {name}")));
    // Whatever the last line refused is then left to the policy.
    let is_last = |rule: &Value| rule["chain"] == *name && id(rule).ends_with("-rest");
    open.items().retain(|item| !is_last(&item["add"]["rule"]));
    made.push(open.named(format!("policy accept without the last line: {name}")));
    for hook in ["input", "forward", "output", "prerouting", "postrouting"] {
        let mut edit = edit.clone();
        edit.body(place, "chain")["hook"] = json!(hook);
        made.push(edit.named(format!("{name} at hook {hook}")));
    }
    for priority in [-300, 300] {
        let mut edit = edit.clone();
        edit.body(place, "chain")["prio"] = json!(priority);
        made.push(edit.named(format!("{name} at priority {priority}")));
    }
    made
}

fn without_rules(edit: &Edit, name: &str) -> Mutant {
    let mut edit = edit.clone();
    edit.items().retain(|item| item["add"]["rule"]["chain"] != *name);
    edit.named(format!("no rule in {name}"))
}

fn of_the_table(edit: &Edit) -> Vec<Mutant> {
    let own = firewall::nft::TABLE;
    let mut made = Vec::new();
    for family in ["ip", "ip6"] {
        let mut edit = edit.clone();
        for item in edit.items() {
            let verb = if item.get("add").is_some() { "add" } else { "delete" };
            if let Some(body) = item[verb].as_object_mut().and_then(|item| item.values_mut().next()) {
                body["family"] = json!(family);
            }
        }
        made.push(edit.named(format!("the table filters {family} only")));
    }
    let mut asleep = edit.clone();
    if let Some(table) = asleep.places("table").last().copied() {
        asleep.body(table, "table")["flags"] = json!("dormant");
        made.push(asleep.named("the table is dormant".into()));
    }
    let mut gone = edit.clone();
    gone.items().push(json!({"delete": {"table": {"family": own.0, "name": own.1}}}));
    made.push(gone.named("deleted at the end".into()));
    for (hook, priority) in [("input", -10), ("forward", 10), ("output", -300), ("prerouting", -300)] {
        let mut edit = edit.clone();
        edit.add("table", (own.0, "other"), json!({}));
        edit.add(
            "chain",
            (own.0, "other"),
            json!({"name": "c", "type": "filter", "hook": hook, "prio": priority, "policy": "accept"}),
        );
        edit.add("rule", (own.0, "other"), json!({"chain": "c", "expr": [{"accept": null}]}));
        made.push(edit.named(format!("another table accepts everything at {hook}, priority {priority}")));
    }
    made
}

/// Ports under each other's names.
fn renamed(edit: &Edit, world: &World) -> Vec<Mutant> {
    let mut made = Vec::new();
    for (at, one) in world.ports.iter().enumerate() {
        for other in &world.ports[at + 1..] {
            let text = edit.0.to_string().replace(&format!("\"{one}\""), "\"\u{1}\"");
            let text = text.replace(&format!("\"{other}\""), &format!("\"{one}\"")).replace('\u{1}', other);
            if let Ok(document) = serde_json::from_str(&text) {
                made.push(Edit(document).named(format!("{one} and {other} under each other's names")));
            }
        }
    }
    made
}
