//! Operators that put a refusal in front which only seems to be one, and let everything pass behind it: a statement that
//! ends its rule before the refusal, a number that stands for another word, a refusal that most packets never come to.
//! Each is known to break a promise, also where no packet of the sweep shows it.

use serde_json::{Value, json};

use super::{Edit, Mutant, is, meta, payload, state};
use crate::check::firewall::world::World;

const SOMEBODY: &str = "203.0.113.250";

pub(super) fn all(world: &World) -> Vec<Mutant> {
    let edit = Edit::of(&world.document);
    [before_the_end(&edit), numbers(&edit), related(&edit), translated(&edit), at_ingress(&edit, world)]
        .concat()
}

fn accept() -> Value {
    json!({"accept": null})
}

fn drop() -> Value {
    json!({"drop": null})
}

/// What is known to break a promise, outside the language.
fn breaks(edit: Edit, name: String) -> Mutant {
    Mutant { breaks: true, ..edit.beyond(name) }
}

/// Where the packet has no such place, or the map no such key, the kernel goes on with the next rule.
fn before_the_end(edit: &Edit) -> Vec<Mutant> {
    let found =
        |value: Value| json!({"map": {"key": payload("ip", "saddr"), "data": {"set": [[SOMEBODY, value]]}}});
    let write = |key: Value, value: Value| json!({"mangle": {"key": key, "value": value}});
    let segment = json!({"tcp option": {"name": "maxseg", "field": "size"}});
    let statements = [
        ("a counter looked up", json!({"counter": found(json!("one"))})),
        ("a traffic class of IPv4", write(payload("ip", "dscp"), json!("cs1"))),
        ("a TCP window", write(payload("tcp", "window"), json!(100))),
        ("a TCP option", write(segment, json!(1200))),
        ("a mark looked up", write(meta("mark"), found(json!(1)))),
        ("a flow's mark looked up", write(json!({"ct": {"key": "mark"}}), found(json!(1)))),
        ("the flow's mark", write(meta("mark"), json!({"ct": {"key": "mark"}}))),
    ];
    let mut made = Vec::new();
    for chain in ["input", "forward"] {
        for (what, statement) in &statements {
            let mut edit = edit.clone();
            let place = edit.places("rule").first().copied().unwrap_or_default();
            edit.first(chain, json!([accept()]));
            edit.first(chain, json!([statement, drop()]));
            let counter = super::command("counter", firewall::nft::TABLE, json!({"name": "one"}));
            edit.items().insert(place, counter);
            made.push(breaks(edit, format!("{chain} refuses behind {what}, and accepts")));
        }
    }
    made
}

/// 4 and 6 are no numbers of IPv4 and IPv6 there: NFPROTO_IPV6 is 10, and the EtherTypes are 0x0800 and 0x86dd.
fn numbers(edit: &Edit) -> Vec<Mutant> {
    let mut made = Vec::new();
    for key in ["nfproto", "protocol"] {
        let mut edit = edit.clone();
        edit.first("forward", json!([accept()]));
        edit.first("forward", json!([is(meta(key), json!({"set": [4, 6]})), drop()]));
        made.push(breaks(edit, format!("forward refuses {key} 4 and 6, and accepts")));
    }
    made
}

/// RFC 4443 section 2.1: all types below 128 are errors, also those nobody has named.
fn related(edit: &Edit) -> Vec<Mutant> {
    let mut made = Vec::new();
    for chain in ["input", "forward"] {
        for kind in [0, 5, 100, 127] {
            let mut edit = edit.clone();
            let steps = json!([is(payload("icmpv6", "type"), json!(kind)), state(&["related"]), accept()]);
            edit.first(chain, steps);
            made.push(breaks(edit, format!("{chain} accepts ICMPv6 errors of type {kind}")));
        }
    }
    made
}

/// A chain that translates sees only a flow's first packet; of one that was open before, none.
fn translated(edit: &Edit) -> Vec<Mutant> {
    let mut made = Vec::new();
    for (hook, priority) in [("prerouting", -100), ("postrouting", 100)] {
        let mut edit = edit.clone();
        edit.first("forward", json!([is(meta("nfproto"), json!("ipv4")), state(&["new"]), accept()]));
        let table = ("ip", "other");
        edit.add("table", table, json!({}));
        let body = json!({"name": "c", "type": "nat", "hook": hook, "prio": priority, "policy": "accept"});
        edit.add("chain", table, body);
        edit.add("rule", table, json!({"chain": "c", "expr": [drop()]}));
        made.push(breaks(edit, format!("what translates at {hook} refuses, and forward accepts what opens")));
    }
    made
}

/// A frame with two tags of no VLAN passes a chain there, and is read as if it had none.
fn at_ingress(edit: &Edit, world: &World) -> Vec<Mutant> {
    let mut made = Vec::new();
    for port in world.ports.iter().take(3) {
        let mut edit = edit.clone();
        let from = is(meta("iifname"), json!(port));
        edit.first("forward", json!([from, is(meta("nfproto"), json!("ipv4")), accept()]));
        let table = ("netdev", "other");
        edit.add("table", table, json!({}));
        let body = json!({"name": "c", "type": "filter", "hook": "ingress", "dev": port, "prio": 0, "policy": "accept"});
        edit.add("chain", table, body);
        edit.add("rule", table, json!({"chain": "c", "expr": [is(meta("protocol"), json!("ip")), drop()]}));
        made.push(breaks(edit, format!("IPv4 is refused at the ingress of {port} only")));
    }
    made
}
