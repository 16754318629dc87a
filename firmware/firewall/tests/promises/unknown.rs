//! What is not understood.

use firewall::prove::Finding;
use serde_json::json;

use crate::mutate::*;
use crate::{Change, judged, ruleset};

#[test]
fn what_is_not_understood_is_never_called_proved() {
    for (name, change) in UNKNOWN {
        let mut document = ruleset();
        change(&mut document);
        let findings = judged(&document);
        let broken = findings.iter().any(|(_, finding)| matches!(finding, Finding::Broken(_)));
        assert!(!broken, "{name} is called broken");
        assert!(findings.iter().any(|(_, finding)| *finding != Finding::Proved), "{name} is called proved");
    }
}

const UNKNOWN: &[(&str, Change)] = &[
    ("given to a program", |d| first(d, "forward", json!([{"queue": {"num": 0}}]))),
    ("copied to another port", |d| {
        first(d, "input_wan", json!([{"dup": {"addr": "192.0.2.2", "dev": "term0"}}]))
    }),
    ("a helper that expects more flows", |d| first(d, "forward", json!([{"ct helper": "ftp"}]))),
    ("ICMPv6 without a family, between the zones", |d| {
        first(
            d,
            "forward",
            json!([
            {"match": {"op": "==", "left": {"payload": {"protocol": "icmpv6", "field": "type"}}, "right": "echo-request"}},
            {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "198.51.100.10"}},
            {"accept": null}]),
        );
    }),
    ("a pattern of ports accepted", |d| {
        first(
            d,
            "forward",
            json!([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lan*"}},
            {"accept": null}]),
        );
    }),
    ("a set that packets fill", |d| {
        set(d, "clinic_services")["flags"] = json!(["dynamic"]);
    }),
    ("a set whose elements time out", |d| {
        set(d, "terminal_services")["flags"] = json!(["timeout"]);
    }),
    ("a jump to nowhere", |d| first(d, "forward", json!([{"jump": {"target": "nowhere"}}]))),
    ("a circle", |d| first(d, "icmp6", json!([{"jump": {"target": "icmp6"}}]))),
    ("an object of another day", |d| {
        push(d, json!({"add": {"tunnel": {"family": "inet", "table": "sekisho"}}}))
    }),
    ("a rule placed by its handle", |d| {
        push(
            d,
            json!({"add": {"rule": {"family": "inet", "table": "sekisho", "chain": "icmp6", "handle": 3, "expr": []}}}),
        );
    }),
    ("a flow put past the rules", |d| {
        push(
            d,
            json!({"add": {"flowtable": {"family": "inet", "table": "sekisho", "name": "f", "hook": "ingress", "prio": 0}}}),
        );
        first(d, "forward", json!([{"flow": {"op": "add", "flowtable": "@f"}}]));
    }),
    ("another route after a mark", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "r", "type": "route", "hook": "output", "prio": 5, "policy": "accept"}),
        );
        last_of(d, "other", "r", json!([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}]));
    }),
    ("a mark that is kept with the flow", |d| {
        first(
            d,
            "forward",
            json!([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"ct": {"key": "mark"}}}}]),
        );
        last(d, "forward", json!([{"counter": {"packets": 0, "bytes": 0}}]));
        let steps =
            json!([{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 7}}, {"accept": null}]);
        let place = rule(d, "forward-rest-log").clone();
        rule(d, "forward-rest-log")["expr"] = steps;
        push(d, json!({"add": {"rule": place}}));
    }),
    ("a sender that is written", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "pre", "type": "filter", "hook": "prerouting", "prio": -150, "policy": "accept"}),
        );
        last_of(
            d,
            "other",
            "pre",
            json!([{"mangle": {"key": {"payload": {"protocol": "ip", "field": "saddr"}}, "value": "198.51.100.10"}}]),
        );
    }),
    ("taken by a program on the way", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "pre", "type": "filter", "hook": "prerouting", "prio": -150, "policy": "accept"}),
        );
        last_of(d, "other", "pre", json!([{"tproxy": {"addr": "127.0.0.1", "port": 80, "family": "ip"}}]));
    }),
    ("answered in another's name", |d| {
        first(d, "forward", json!([{"synproxy": {"mss": 1460, "wscale": 7}}]))
    }),
    ("another table of flows", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "pre", "type": "filter", "hook": "prerouting", "prio": -310, "policy": "accept"}),
        );
        last_of(d, "other", "pre", json!([{"mangle": {"key": {"ct": {"key": "zone"}}, "value": 4}}]));
    }),
    ("the box's own flows led elsewhere", |d| {
        let chain = json!({"name": "o", "type": "nat", "hook": "output", "prio": -100, "policy": "accept"});
        foreign(d, "ip6", chain);
        last_of(d, "other", "o", json!([{"dnat": {"addr": "2001:db8:0:cc::10"}}]));
    }),
    ("chains of one place, of which one writes", |d| {
        for name in ["one", "two"] {
            let table = format!("other-{name}");
            push(d, json!({"add": {"table": {"family": "inet", "name": table}}}));
            push(
                d,
                json!({"add": {"chain": {"family": "inet", "table": table, "name": name, "type": "filter",
                "hook": "prerouting", "prio": -150, "policy": "accept"}}}),
            );
            push(
                d,
                json!({"add": {"rule": {"family": "inet", "table": table, "chain": name,
                "expr": [{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}]}}}),
            );
        }
    }),
    ("a bridge's frames led elsewhere", |d| {
        foreign(
            d,
            "bridge",
            json!({"name": "b", "type": "filter", "hook": "prerouting", "prio": 0, "policy": "accept"}),
        );
        last_of(d, "other", "b", json!([{"mangle": {"key": {"meta": {"key": "pkttype"}}, "value": "host"}}]));
    }),
    ("frames led elsewhere from a port that is not listed", |d| {
        foreign(
            d,
            "netdev",
            json!({"name": "i", "type": "filter", "hook": "ingress", "prio": 0, "policy": "accept"}),
        );
        last_of(d, "other", "i", json!([{"fwd": {"dev": "term0"}}]));
    }),
    ("a set that rules fill, listed without a flag", |d| {
        first(
            d,
            "forward",
            json!([{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@seen"}},
            {"accept": null}]),
        );
        first(
            d,
            "input_clinic",
            json!([{"set": {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "set": "@seen"}}]),
        );
        push(
            d,
            json!({"add": {"set": {"family": "inet", "table": "sekisho", "name": "seen", "type": "ipv4_addr", "size": 100}}}),
        );
    }),
    ("a bridge's table that lets frames be carried", |d| {
        let chain = json!({"name": "b", "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"});
        foreign(d, "bridge", chain);
    }),
    ("a bridge's table that carries one kind of frame between the zones", |d| {
        let chain = json!({"name": "b", "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"});
        foreign(d, "bridge", chain);
        let of_kind = json!({"match": {"op": "==", "left": {"payload": {"protocol": "ether", "field": "type"}}, "right": 34915}});
        last_of(d, "other", "b", json!([of_kind, {"accept": null}]));
    }),
    ("something that nft does not list", |d| push(d, json!({"beside": "a program at the port lan0 (XDP)"}))),
];

/// What is led elsewhere does not arrive, and where it goes is not followed on the way out.
#[test]
fn frames_led_elsewhere_on_their_way_out_do_not_arrive() {
    let mut document = ruleset();
    let chain = json!({"name": "e", "type": "filter", "hook": "egress", "dev": "term0", "prio": 0, "policy": "accept"});
    foreign(&mut document, "netdev", chain);
    last_of(&mut document, "other", "e", json!([{"fwd": {"dev": "lan0"}}]));
    for (number, finding) in judged(&document) {
        let shown = matches!(finding, Finding::Broken(_));
        assert!(finding != Finding::Proved && shown == (number == 8), "promise {number} is {finding:?}");
    }
}

/// Only what IPv6 needs is in doubt where a bridge may refuse frames: the others are about what passes.
#[test]
fn a_bridge_that_may_refuse_frames_leaves_promise_8_open() {
    let mut document = ruleset();
    foreign(
        &mut document,
        "bridge",
        json!({"name": "b", "type": "filter", "hook": "prerouting", "prio": 0, "policy": "drop"}),
    );
    let open: Vec<u8> = judged(&document)
        .iter()
        .filter(|(_, finding)| *finding != Finding::Proved)
        .map(|(number, _)| *number)
        .collect();
    assert_eq!(open, [8]);
}
