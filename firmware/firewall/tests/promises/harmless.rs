//! Other ways to write the same.

use serde_json::json;

use crate::mutate::*;
use crate::{Change, each_stands};

#[test]
fn another_way_to_write_the_same_still_stands() {
    each_stands(HARMLESS);
}

const HARMLESS: &[(&str, Change)] = &[
    ("without comments", |d| {
        objects(d).for_each(|(_, body)| drop(body.as_object_mut().unwrap().remove("comment")));
    }),
    ("without counters and logs", |d| {
        for (_, body) in objects(d).filter(|(kind, _)| kind == "rule") {
            let steps = body["expr"].as_array_mut().unwrap();
            steps.retain(|step| step.get("counter").is_none() && step.get("log").is_none());
        }
    }),
    ("the policy drops what no line refuses", |d| {
        ["input-rest", "forward-rest", "clinic-input-rest", "wan-input-rest"]
            .iter()
            .for_each(|id| remove(d, id));
    }),
    ("another table that accepts everything before", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "f", "type": "filter", "hook": "forward", "prio": -300, "policy": "accept"}),
        );
        last_of(d, "other", "f", json!([{"accept": null}]));
    }),
    ("refused with an answer", |d| {
        rule(d, "clinic-input-rest")["expr"] =
            json!([{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}]);
    }),
    ("an anonymous set for a named one", |d| {
        let elements = set(d, "clinic_services")["elem"].clone();
        rule(d, "clinic-input-service")["expr"][1]["match"]["right"] = json!({"set": elements});
    }),
    ("rules of one chain the other way round", |d| swap(d, "terminal-input-echo", "terminal-input-service")),
    ("goto at a chain's end", |d| {
        let steps = json!([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lan0"}},
            {"goto": {"target": "input_clinic"}}]);
        first(d, "input", steps);
    }),
    ("a priority of its own", |d| chain(d, "input")["prio"] = json!(-10)),
    ("a table without chains", |d| push(d, json!({"add": {"table": {"family": "bridge", "name": "idle"}}}))),
    ("as the kernel lists it", as_listed),
    ("a rule of another translation", |d| {
        foreign(
            d,
            "ip",
            json!({"name": "t", "type": "nat", "hook": "postrouting", "prio": 100, "policy": "accept"}),
        );
        last_of(d, "other", "t", json!([{"masquerade": null}]));
    }),
    ("a translated destination where no IPv4 passes", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "pre", "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}),
        );
        last_of(d, "other", "pre", json!([{"dnat": {"addr": "192.0.2.2", "family": "ip"}}]));
    }),
    ("packets without tracking, which open nothing more", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "raw", "type": "filter", "hook": "prerouting", "prio": -310, "policy": "accept"}),
        );
        last_of(
            d,
            "other",
            "raw",
            json!([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lan0"}},
            {"notrack": null}]),
        );
    }),
    ("marks, and a rule for another mark", |d| {
        first(d, "input", json!([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}]));
        first(
            d,
            "forward",
            json!([{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 7}}, {"accept": null}]),
        );
    }),
    ("a segment size that fits", |d| {
        first(
            d,
            "forward",
            json!([{"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}},
            "value": {"rt": {"key": "mtu"}}}}]),
        );
    }),
    ("flows that end later", |d| {
        push(
            d,
            json!({"add": {"ct timeout": {"family": "inet", "table": "sekisho", "name": "idle", "protocol": "tcp"}}}),
        );
        first(d, "forward", json!([{"ct timeout": "idle"}]));
    }),
    ("a flow table nothing is put into", |d| {
        push(
            d,
            json!({"add": {"flowtable": {"family": "inet", "table": "sekisho", "name": "f", "hook": "ingress", "prio": 0}}}),
        );
    }),
    ("a bridge's table that lets nothing be carried", |d| {
        let chain = json!({"name": "b", "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"});
        foreign(d, "bridge", chain);
        last_of(d, "other", "b", json!([{"counter": {"packets": 0, "bytes": 0}}, {"drop": null}]));
    }),
    ("rules before the protocol stack that only look", |d| {
        foreign(
            d,
            "netdev",
            json!({"name": "i", "type": "filter", "hook": "ingress", "prio": 0, "policy": "accept"}),
        );
        last_of(d, "other", "i", json!([{"counter": {"packets": 0, "bytes": 0}}]));
    }),
    ("a changing set inside what is allowed anyway", |d| {
        push(
            d,
            json!({"add": {"set": {"family": "inet", "table": "sekisho", "name": "learnt", "type": "ipv6_addr",
            "flags": ["timeout"], "elem": [{"elem": {"val": "2001:db8:0:cc::7", "timeout": 60, "expires": 7}}]}}}),
        );
        let daddr = json!({"payload": {"protocol": "ip6", "field": "daddr"}});
        let expected = json!({"prefix": {"addr": "2001:db8:0:cc::", "len": 64}});
        let before = rule(d, "forward-out-listed").clone();
        let steps = json!([{"match": {"op": "==", "left": daddr.clone(), "right": "@learnt"}},
            {"match": {"op": "==", "left": daddr, "right": expected}},
            {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}}, {"accept": null}]);
        rule(d, "forward-out-listed")["expr"] = steps;
        push(d, json!({"add": {"rule": before}}));
    }),
    ("senders that are counted", |d| {
        push(
            d,
            json!({"add": {"set": {"family": "inet", "table": "sekisho", "name": "senders", "type": "ipv4_addr", "size": 100}}}),
        );
        first(
            d,
            "input_clinic",
            json!([{"set": {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}},
            "set": "@senders", "stmt": [{"ct count": {"val": 9, "inv": true}}]}}, {"drop": null}]),
        );
    }),
    ("a card that is not let in", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "raw", "type": "filter", "hook": "prerouting", "prio": -310, "policy": "accept"}),
        );
        last_of(
            d,
            "other",
            "raw",
            json!([{"match": {"op": "==", "left": {"payload": {"protocol": "ether", "field": "saddr"}},
            "right": "02:00:00:00:00:07"}}, {"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv4"}}, {"drop": null}]),
        );
    }),
];
