//! Rulesets that look closed and let something pass: none of them may be called proved.

use firewall::prove::Finding;
use serde_json::{Value, json};

use crate::mutate::*;
use crate::{Change, judged, ruleset};

fn port(key: &str, name: &str) -> Value {
    json!({"match": {"op": "==", "left": {"meta": {"key": key}}, "right": name}})
}

/// A rule of the forward chain from the clinic to the terminals, before all others.
fn between(document: &mut Value, steps: Vec<Value>) {
    let ways = [port("iifname", "lan0"), port("oifname", "term0")];
    first(document, "forward", ways.into_iter().chain(steps).collect());
}

/// Refuses behind these steps, and accepts what is left.
fn refused_then_accepted(document: &mut Value, steps: Vec<Value>) {
    between(document, vec![json!({"accept": null})]);
    between(document, steps.into_iter().chain([json!({"drop": null})]).collect());
}

fn write(key: Value, value: Value) -> Value {
    json!({"mangle": {"key": key, "value": value}})
}

fn payload(protocol: &str, field: &str) -> Value {
    json!({"payload": {"protocol": protocol, "field": field}})
}

/// What a packet's sender is mapped to, of one sender only.
fn mapped(to: Value) -> Value {
    json!({"map": {"key": payload("ip", "saddr"), "data": {"set": [["203.0.113.250", to]]}}})
}

fn ingress(document: &mut Value, port: &str, policy: &str) {
    let chain =
        json!({"name": "i", "type": "filter", "hook": "ingress", "dev": port, "prio": 0, "policy": policy});
    foreign(document, "netdev", chain);
}

fn finding(document: &Value, promise: u8) -> Finding {
    judged(document).into_iter().find(|(number, _)| *number == promise).unwrap().1
}

fn never_proved(promise: u8, changes: &[(&str, Change)]) {
    for (name, change) in changes {
        let mut document = ruleset();
        change(&mut document);
        assert_ne!(finding(&document, promise), Finding::Proved, "{name}: promise {promise}");
    }
}

#[test]
fn a_statement_that_can_end_its_rule_does_not_count_as_passed() {
    never_proved(
        1,
        &[
            ("a counter out of a map", |d| {
                refused_then_accepted(d, vec![json!({"counter": mapped(json!("c1"))})]);
            }),
            ("a service class of IPv4", |d| {
                refused_then_accepted(d, vec![write(payload("ip", "dscp"), json!("cs1"))]);
            }),
            ("a label of IPv6", |d| {
                refused_then_accepted(d, vec![write(payload("ip6", "flowlabel"), json!(0))]);
            }),
            ("a window of TCP", |d| {
                refused_then_accepted(d, vec![write(payload("tcp", "window"), json!(100))]);
            }),
            ("a mark out of a map", |d| {
                refused_then_accepted(d, vec![write(json!({"meta": {"key": "mark"}}), mapped(json!(1)))]);
            }),
            ("a flow's mark out of a map", |d| {
                refused_then_accepted(d, vec![write(json!({"ct": {"key": "mark"}}), mapped(json!(1)))]);
            }),
            ("a class out of a map", |d| {
                refused_then_accepted(
                    d,
                    vec![write(json!({"meta": {"key": "priority"}}), mapped(json!("1:1")))],
                );
            }),
            ("a mark out of a flow", |d| {
                let flow = json!({"ct": {"key": "mark"}});
                refused_then_accepted(d, vec![write(json!({"meta": {"key": "mark"}}), flow)]);
            }),
            ("a segment size", |d| {
                let option = json!({"tcp option": {"name": "maxseg", "field": "size"}});
                refused_then_accepted(d, vec![write(option, json!(1200))]);
            }),
            ("a destination out of a map", |d| {
                let to = mapped(json!("203.0.113.251"));
                refused_then_accepted(d, vec![write(payload("ip", "daddr"), to)]);
            }),
            ("an answer of one family", |d| {
                between(d, vec![json!({"accept": null})]);
                between(d, vec![json!({"reject": {"type": "icmp", "expr": "host-unreachable"}})]);
            }),
            ("an answer of one protocol", |d| {
                between(d, vec![json!({"accept": null})]);
                between(d, vec![json!({"reject": {"type": "tcp reset"}})]);
            }),
        ],
    );
}

#[test]
fn a_frame_led_to_the_loopback_reaches_the_box() {
    let udp = || json!({"match": {"op": "==", "left": payload("udp", "dport"), "right": 53}});
    for statement in [json!({"fwd": {"dev": "lo"}}), json!({"dup": {"addr": "lo"}})] {
        let mut document = ruleset();
        ingress(&mut document, "wan0", "accept");
        last_of(&mut document, "other", "i", json!([udp(), statement]));
        assert_ne!(finding(&document, 2), Finding::Proved, "{statement}");
    }
}

#[test]
fn a_frame_led_elsewhere_by_its_neighbour_s_address_is_not_followed() {
    let mut document = ruleset();
    between(&mut document, vec![json!({"accept": null})]);
    ingress(&mut document, "lan0", "accept");
    last_of(
        &mut document,
        "other",
        "i",
        json!([{"fwd": {"dev": "idle0", "addr": "203.0.113.9", "family": "ip"}}]),
    );
    assert_ne!(finding(&document, 1), Finding::Proved);
}

#[test]
fn a_frame_led_past_the_routes_may_have_any_address() {
    let with =
        |field, address: &str| json!({"match": {"op": "==", "left": payload("ip", field), "right": address}});
    for (asked, statement) in [
        (with("saddr", "198.51.100.1"), json!({"fwd": {"dev": "term0"}})),
        (with("daddr", "255.255.255.255"), json!({"dup": {"addr": "term0"}})),
        (with("daddr", "127.0.0.1"), json!({"dup": {"addr": "term0"}})),
    ] {
        let mut document = ruleset();
        ingress(&mut document, "lan0", "accept");
        last_of(&mut document, "other", "i", json!([asked, statement]));
        let found = finding(&document, 1);
        assert!(matches!(found, Finding::Broken(_)), "{asked}: {found:?}");
    }
}

#[test]
fn the_last_sixteenth_of_the_addresses_is_forwarded_too() {
    let mut document = ruleset();
    let network = json!({"prefix": {"addr": "240.0.0.0", "len": 4}});
    let source = json!({"match": {"op": "==", "left": payload("ip", "saddr"), "right": network}});
    between(&mut document, vec![source, json!({"accept": null})]);
    crate::breaks("class E", &document, 1);
}

#[test]
fn numbers_are_read_as_nft_counts_and_not_as_the_prover_does() {
    never_proved(
        1,
        &[
            ("EtherTypes", |d| {
                let kinds = json!({"set": [4, 6]});
                refused_then_accepted(
                    d,
                    vec![
                        json!({"match": {"op": "==", "left": {"meta": {"key": "protocol"}}, "right": kinds}}),
                    ],
                );
            }),
            ("families", |d| {
                let kinds = json!({"set": [4, 6]});
                refused_then_accepted(
                    d,
                    vec![
                        json!({"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": kinds}}),
                    ],
                );
            }),
            ("states", |d| {
                // The bits of `new` and `established` are 8 and 2.
                for state in 0..5 {
                    let state =
                        json!({"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": state}});
                    if state["match"]["right"] == 0 {
                        between(d, vec![json!({"accept": null})]);
                    }
                    between(d, vec![state, json!({"drop": null})]);
                }
            }),
        ],
    );
    // And what they do mean is known.
    let states = json!({"set": [1, 2, 4, 8, 64]});
    for (key, numbers) in [
        (json!({"meta": {"key": "protocol"}}), json!({"set": [0x0800, 0x86dd]})),
        (json!({"meta": {"key": "nfproto"}}), json!({"set": [2, 10]})),
        (json!({"ct": {"key": "state"}}), states),
    ] {
        let mut document = ruleset();
        let asked = json!({"match": {"op": "==", "left": key, "right": numbers}});
        refused_then_accepted(&mut document, vec![asked]);
        assert_eq!(finding(&document, 1), Finding::Proved, "{numbers}");
    }
}

#[test]
fn an_error_about_a_flow_is_of_any_type_below_128() {
    let kind = json!({"match": {"op": "==", "left": payload("icmpv6", "type"), "right": 100}});
    let family = json!({"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv6"}});
    let related = json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "related"}});
    let mut document = ruleset();
    between(&mut document, vec![family, kind, related, json!({"accept": null})]);
    crate::breaks("type 100", &document, 1);
}

/// The second packet of a flow is still a new one, and passes the chain by.
#[test]
fn a_chain_of_translations_refuses_a_flow_s_first_packet_only() {
    let new = || json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}});
    let chain =
        |policy| json!({"name": "n", "type": "nat", "hook": "prerouting", "prio": -100, "policy": policy});
    let mut document = ruleset();
    between(&mut document, vec![new(), json!({"accept": null})]);
    let mut by_policy = document.clone();
    foreign(&mut document, "inet", chain("accept"));
    last_of(&mut document, "other", "n", json!([port("iifname", "lan0"), {"drop": null}]));
    foreign(&mut by_policy, "inet", chain("drop"));
    for document in [document, by_policy] {
        assert_ne!(finding(&document, 1), Finding::Proved);
    }
}

/// A frame with two empty tags passes the hook before they are taken off.
#[test]
fn a_refusal_before_the_protocol_stack_is_not_counted_on() {
    let mut document = ruleset();
    between(&mut document, vec![json!({"accept": null})]);
    let mut by_rule = document.clone();
    ingress(&mut document, "lan0", "drop");
    ingress(&mut by_rule, "lan0", "accept");
    last_of(&mut by_rule, "other", "i", json!([{"drop": null}]));
    for document in [document, by_rule] {
        assert_ne!(finding(&document, 1), Finding::Proved);
    }
}

/// What was marked at a port below (a bridge's, a tunnel's way in) comes in by the port above with its mark.
#[test]
fn a_mark_comes_up_from_a_port_below() {
    let marked = || json!({"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 7}});
    let mark = json!({"mangle": {"key": {"meta": {"key": "mark"}}, "value": 7}});
    let mut document = ruleset();
    between(&mut document, vec![marked(), json!({"accept": null})]);
    assert_eq!(finding(&document, 1), Finding::Proved);
    ingress(&mut document, "eth9", "accept");
    last_of(&mut document, "other", "i", json!([mark]));
    assert_ne!(finding(&document, 1), Finding::Proved);
}
