//! Operators that bring in other machinery: address translation, marks, tracking switched off, packets moved or copied
//! before the protocol stack, sets that packets fill. The prover may say that it does not understand one; never that all
//! is well where the kernel lets something through.

use serde_json::{Value, json};

use super::{Edit, Mutant, is, meta, payload, state};
use crate::check::firewall::world::World;

pub(super) fn all(world: &World) -> Vec<Mutant> {
    let edit = Edit::of(&world.document);
    [translated(&edit), marked(&edit), untracked(&edit), moved(&edit, world), strange(&edit)].concat()
}

const OTHER: (&str, &str) = ("inet", "other");

fn accept() -> Value {
    json!({"accept": null})
}

/// A chain of another table with these rules.
fn chain(edit: &mut Edit, table: (&str, &str), body: Value, rules: &[Value]) {
    edit.add("table", table, json!({}));
    let mut body = body;
    body["name"] = json!("c");
    body["policy"] = json!("accept");
    edit.add("chain", table, body);
    for steps in rules {
        edit.add("rule", table, json!({"chain": "c", "expr": steps}));
    }
}

fn base(kind: &str, hook: &str, priority: i32) -> Value {
    json!({"type": kind, "hook": hook, "prio": priority})
}

fn translated(edit: &Edit) -> Vec<Mutant> {
    let tcp = |port: u16| is(payload("tcp", "dport"), json!(port));
    let redirect = |to: u16| json!({"redirect": {"port": to}});
    let cases = [
        ("redirect of SSH to SMB", "prerouting", -100, json!([tcp(22), redirect(445)])),
        ("redirect of everything to the page", "prerouting", -100, json!([tcp(9100), redirect(443)])),
        (
            "dnat of SMB to a terminal",
            "prerouting",
            -100,
            json!([tcp(445), {"dnat": {"addr": "192.0.2.2", "family": "ip"}}]),
        ),
        (
            "dnat of what the box asks",
            "output",
            -100,
            json!([tcp(25), {"dnat": {"addr": "198.51.100.10", "port": 445, "family": "ip"}}]),
        ),
        ("masquerade", "postrouting", 100, json!([{"masquerade": null}])),
        (
            "snat",
            "postrouting",
            100,
            json!([is(meta("nfproto"), json!("ipv4")), {"snat": {"addr": "192.0.2.1", "family": "ip"}}]),
        ),
    ];
    let mut made = Vec::new();
    for (what, hook, priority, steps) in cases {
        let mut plain = edit.clone();
        chain(&mut plain, OTHER, base("nat", hook, priority), &[steps]);
        made.push(plain.clone().beyond(what.to_owned()));
        // The same where our own chain has looked before.
        for place in plain.places("chain") {
            let body = plain.body(place, "chain");
            if body["hook"] == hook && body["type"] == "filter" {
                body["prio"] = json!(-150);
                made.push(plain.clone().beyond(format!("{what}, behind our chain")));
                break;
            }
        }
        for name in ["input", "forward"] {
            let mut open = plain.clone();
            open.first(
                name,
                json!([
                    json!({"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}),
                    accept()
                ]),
            );
            made.push(open.beyond(format!("{what}, and {name} accepts what was translated")));
        }
    }
    made
}

fn marked(edit: &Edit) -> Vec<Mutant> {
    let mut made = Vec::new();
    for (mark, key) in [("meta", meta("mark")), ("ct", json!({"ct": {"key": "mark"}}))] {
        for chain_name in ["input", "forward"] {
            let mut edit = edit.clone();
            let set = json!({"mangle": {"key": key, "value": 7}});
            chain(
                &mut edit,
                OTHER,
                base("filter", "prerouting", -150),
                &[json!([is(meta("l4proto"), json!("tcp")), set])],
            );
            edit.first(chain_name, json!([is(key.clone(), json!(7)), accept()]));
            made.push(edit.beyond(format!("{chain_name} accepts by {mark} mark")));
        }
    }
    for chain_name in ["input", "forward", "output"] {
        let mut edit = edit.clone();
        edit.first(chain_name, json!([{"match": {"op": "!=", "left": meta("mark"), "right": 9}}, accept()]));
        made.push(edit.beyond(format!("{chain_name} accepts what has no mark")));
    }
    // One place in the packet is written over before it is looked at.
    let writes = [
        (
            "the source",
            is(payload("ip", "saddr"), json!("192.0.2.2")),
            payload("ip", "saddr"),
            json!("198.51.100.10"),
        ),
        ("the service", is(payload("tcp", "dport"), json!(22)), payload("tcp", "dport"), json!(445)),
        ("the hop limit", is(meta("nfproto"), json!("ipv6")), payload("ip6", "hoplimit"), json!(255)),
    ];
    for (what, when, key, value) in writes {
        let mut edit = edit.clone();
        let set = json!({"mangle": {"key": key, "value": value}});
        chain(&mut edit, OTHER, base("filter", "prerouting", -300), &[json!([when, set])]);
        made.push(edit.beyond(format!("{what} is written over")));
    }
    made
}

fn untracked(edit: &Edit) -> Vec<Mutant> {
    let mut made = Vec::new();
    for hook in ["prerouting", "output"] {
        let mut plain = edit.clone();
        chain(&mut plain, OTHER, base("filter", hook, -300), &[json!([{"notrack": null}])]);
        made.push(plain.clone().beyond(format!("no tracking at {hook}")));
        for name in ["input", "forward", "output"] {
            let mut open = plain.clone();
            open.first(name, json!([state(&["untracked"]), accept()]));
            made.push(open.beyond(format!("no tracking at {hook}, and {name} accepts what is untracked")));
        }
    }
    made
}

/// Before the protocol stack sees it.
fn moved(edit: &Edit, world: &World) -> Vec<Mutant> {
    let mut made = Vec::new();
    let netdev = ("netdev", "other");
    for from in world.ports.iter().take(3) {
        for to in world.ports.iter().take(3).filter(|to| *to != from) {
            for (verb, key) in [("fwd", "dev"), ("dup", "addr")] {
                let mut edit = edit.clone();
                let mut body = base("filter", "ingress", 0);
                body["dev"] = json!(from);
                chain(&mut edit, netdev, body, &[json!([{ verb: { key: to } }])]);
                made.push(edit.beyond(format!("{verb} from {from} to {to} at ingress")));
            }
        }
    }
    for (protocol, family) in [("ip", "ip"), ("ip6", "ip6")] {
        for (address, port) in [("192.0.2.2", &world.ports[1]), ("2001:db8:0:1::2", &world.ports[1])] {
            let mut edit = edit.clone();
            if (family == "ip") == address.contains('.') {
                chain(
                    &mut edit,
                    (family, "other"),
                    base("filter", "prerouting", -300),
                    &[json!([{"dup": {"addr": address, "dev": port}}])],
                );
                made.push(edit.beyond(format!("copies of {protocol} to {address}")));
            }
        }
    }
    made
}

fn strange(edit: &Edit) -> Vec<Mutant> {
    let mut made = Vec::new();
    for name in ["input", "forward", "output"] {
        let rules = [
            (
                "a pattern of ports",
                is(meta(if name == "output" { "oifname" } else { "iifname" }), json!("l*")),
            ),
            ("every other packet", is(json!({"numgen": {"mode": "inc", "mod": 2, "offset": 0}}), json!(0))),
            ("a quota", json!({"quota": {"val": 1, "val_unit": "mbytes", "inv": false}})),
            ("raw bytes", is(json!({"payload": {"base": "th", "offset": 16, "len": 16}}), json!(445))),
            ("the size", json!({"match": {"op": "<", "left": meta("length"), "right": 1400}})),
            (
                "its direction",
                json!({"match": {"op": "==", "left": {"ct": {"key": "direction"}}, "right": "original"}}),
            ),
            (
                "no helper",
                json!({"match": {"op": "!=", "left": {"ct": {"key": "status"}}, "right": "dying"}}),
            ),
            ("the traffic class", is(payload("ip", "dscp"), json!(0))),
            ("the priority", is(meta("priority"), json!(0))),
            (
                "the flow's first packets",
                json!({"match": {"op": "<", "left": {"ct": {"key": "packets", "dir": "original"}}, "right": 10}}),
            ),
            ("unicast", json!({"match": {"op": "==", "left": meta("pkttype"), "right": "host"}})),
            (
                "a hash",
                is(json!({"jhash": {"mod": 1, "offset": 0, "expr": payload("ip", "saddr")}}), json!(0)),
            ),
        ];
        for (what, when) in rules {
            let mut edit = edit.clone();
            edit.first(name, json!([when, accept()]));
            made.push(edit.beyond(format!("{name} accepts by {what}")));
        }
        let mut edit = edit.clone();
        let set = json!({"name": "seen", "type": "ipv4_addr", "size": 1000, "flags": ["dynamic"]});
        let place = edit.places("rule").first().copied().unwrap_or_default();
        edit.first(name, json!([is(payload("ip", "saddr"), json!("@seen")), accept()]));
        edit.first(name, json!([{"set": {"op": "add", "elem": payload("ip", "saddr"), "set": "@seen"}}]));
        let new = super::command("set", firewall::nft::TABLE, set);
        edit.items().insert(place, new);
        made.push(edit.beyond(format!("{name} accepts who has been seen")));
    }
    made
}
