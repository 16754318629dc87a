//! Rules that write into packets, translate them, or lead them past the others.

use firewall::packet::{Packet, Path};
use serde_json::{Value, json};

use crate::mutate::*;
use crate::{broken, ruleset};

fn port(key: &str, name: &str) -> Value {
    json!({"match": {"op": "==", "left": {"meta": {"key": key}}, "right": name}})
}

fn way(packet: &Packet) -> (&str, &str) {
    (&packet.from_port, &packet.to_port)
}

#[test]
fn a_mark_that_opens_a_way_is_followed() {
    let mut document = ruleset();
    foreign(
        &mut document,
        "inet",
        json!({"name": "pre", "type": "filter", "hook": "prerouting", "prio": -150, "policy": "accept"}),
    );
    last_of(
        &mut document,
        "other",
        "pre",
        json!([port("iifname", "lan0"), {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 7}}]),
    );
    first(
        &mut document,
        "forward",
        json!([{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 7}}, {"accept": null}]),
    );
    assert_eq!(way(&broken("mark", &document, 1).packet), ("lan0", "term0"));
}

#[test]
fn what_continues_stays_in_its_rule() {
    let mut document = ruleset();
    let map = json!({"set": [["lan0", {"continue": null}], ["wan0", {"drop": null}]]});
    first(
        &mut document,
        "forward",
        json!([{"vmap": {"key": {"meta": {"key": "iifname"}}, "data": map}}, {"accept": null}]),
    );
    assert_eq!(way(&broken("continue", &document, 1).packet), ("lan0", "term0"));
    // Who is not in the map goes on to the next rule.
    let mut document = ruleset();
    let map = json!({"set": [["wan0", {"continue": null}]]});
    first(
        &mut document,
        "forward",
        json!([{"vmap": {"key": {"meta": {"key": "iifname"}}, "data": map}}, {"accept": null}]),
    );
    assert_eq!(broken("continue", &document, 2).packet.from_port, "wan0");
    assert!(crate::judged(&document).contains(&(1, firewall::prove::Finding::Proved)));
}

#[test]
fn frames_led_past_every_rule_are_followed() {
    for (statement, family) in
        [(json!({"fwd": {"dev": "term0"}}), "fwd"), (json!({"dup": {"addr": "term0"}}), "dup")]
    {
        let mut document = ruleset();
        foreign(
            &mut document,
            "netdev",
            json!({"name": "i", "type": "filter", "hook": "ingress", "dev": "lan0", "prio": 0, "policy": "accept"}),
        );
        last_of(
            &mut document,
            "other",
            "i",
            json!([{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}},
            "right": 9}}, statement]),
        );
        let example = broken(family, &document, 1);
        assert_eq!((way(&example.packet), example.packet.path), (("lan0", "term0"), Path::Forward));
        assert_eq!((example.packet.protocol, example.packet.destination_service), (17, 9));
    }
}

/// Destinations are checked before they are translated, and not after.
#[test]
fn a_translation_behind_the_check_is_followed() {
    let mut document = ruleset();
    let daddr = || json!({"payload": {"protocol": "ip6", "field": "daddr"}});
    foreign(
        &mut document,
        "inet",
        json!({"name": "pre", "type": "filter", "hook": "prerouting", "prio": -150, "policy": "accept"}),
    );
    last_of(
        &mut document,
        "other",
        "pre",
        json!([port("iifname", "term0"),
        {"match": {"op": "!=", "left": daddr(), "right": "2001:db8:0:cc::10"}}, {"drop": null}]),
    );
    push(
        &mut document,
        json!({"add": {"chain": {"family": "inet", "table": "other", "name": "nat", "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}}}),
    );
    first(
        &mut document,
        "forward_out",
        json!([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip6", "field": "saddr"}}, "right": "2001:db8:0:1::2"}}, {"accept": null}]),
    );
    // What is not translated goes to a listed place only.
    assert!(crate::judged(&document).contains(&(4, firewall::prove::Finding::Proved)));
    last_of(&mut document, "other", "nat", json!([{"dnat": {"addr": "2001:db8:ff::9", "family": "ip6"}}]));
    let example = broken("dnat", &document, 4);
    assert_eq!(example.packet.destination.to_string(), "2001:db8:0:cc::10");
    assert_eq!(example.becomes.unwrap().destination.to_string(), "2001:db8:ff::9");
    assert!(broken("dnat", &document, 4).to_string().contains("which rules make"));
}

/// The same by writing into each packet, without a flow.
#[test]
fn a_destination_that_is_written_is_followed() {
    let mut document = ruleset();
    push(
        &mut document,
        json!({"add": {"chain": {"family": "inet", "table": "sekisho", "name": "late", "type": "filter", "hook": "forward", "prio": 10, "policy": "accept"}}}),
    );
    last(
        &mut document,
        "late",
        json!([{"mangle": {"key": {"payload": {"protocol": "ip6", "field": "daddr"}}, "value": "2001:db8:ff::9"}}]),
    );
    let example = broken("written", &document, 4);
    assert_eq!(example.becomes.unwrap().destination.to_string(), "2001:db8:ff::9");
}

#[test]
fn what_is_kept_out_of_tracking_is_judged_as_untracked() {
    let mut document = ruleset();
    foreign(
        &mut document,
        "inet",
        json!({"name": "raw", "type": "filter", "hook": "prerouting", "prio": -310, "policy": "accept"}),
    );
    last_of(&mut document, "other", "raw", json!([port("iifname", "wan0"), {"notrack": null}]));
    first(
        &mut document,
        "input_wan",
        json!([{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "untracked"}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}}, {"accept": null}]),
    );
    assert_eq!(broken("notrack", &document, 2).packet.state, firewall::packet::State::Untracked);
}

/// A set that changes holds what is listed now, for certain.
#[test]
fn an_element_of_a_changing_set_is_an_example() {
    let mut document = ruleset();
    push(
        &mut document,
        json!({"add": {"set": {"family": "inet", "table": "sekisho", "name": "learnt", "type": "ipv4_addr",
        "flags": ["timeout"], "elem": [{"elem": {"val": "198.51.100.7", "timeout": 60, "expires": 7}}]}}}),
    );
    first(
        &mut document,
        "forward",
        json!([port("oifname", "term0"),
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@learnt"}}, {"accept": null}]),
    );
    let example = broken("listed", &document, 1);
    assert_eq!(example.packet.source.to_string(), "198.51.100.7");
}
