//! What the walk does not understand, and what does not end, is said and never passed over.

use serde_json::json;

use super::*;
use crate::compile_json;
use crate::tests::site;

/// From the clinic to a terminal: it is for the ruleset of a site to refuse it.
fn packet(state: State) -> Packet {
    Packet {
        path: Path::Forward,
        from_port: "lan0".into(),
        to_port: "term0".into(),
        source: "198.51.100.10".parse().unwrap(),
        destination: "192.0.2.2".parse().unwrap(),
        protocol: 6,
        readable: true,
        source_service: 50_000,
        destination_service: 9_100,
        icmp_type: 0,
        icmp_code: 0,
        hop_limit: 64,
        state,
    }
}

/// A table `other` with one chain of this body and this rule.
fn other(family: &str, body: Value, rule: &Value) -> Vec<Value> {
    let mut chain = body;
    (chain["family"], chain["table"], chain["name"]) = (json!(family), json!("other"), json!("c"));
    let rule = json!({"family": family, "table": "other", "chain": "c", "expr": rule});
    vec![
        json!({"add": {"table": {"family": family, "name": "other"}}}),
        json!({"add": {"chain": chain}}),
        json!({"add": {"rule": rule}}),
    ]
}

fn asked(items: Vec<Value>, state: State) -> Result<bool, String> {
    explain(&json!({ "nftables": items }), &packet(state)).map(|decision| decision.accepted)
}

fn nat(rule: Value) -> Vec<Value> {
    other("ip", json!({"type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}), &rule)
}

#[test]
fn a_chain_that_translates_is_not_passed_over() {
    let dnat = json!([{"dnat": {"addr": "192.0.2.9"}}]);
    let answer = asked(nat(dnat.clone()), State::New);
    assert!(answer.as_ref().is_err_and(|what| what.contains("dnat")), "{answer:?}");
    let answer = asked(nat(dnat.clone()), State::Established);
    assert!(answer.as_ref().is_err_and(|what| what.contains("translates")), "{answer:?}");
    assert_eq!(asked(nat(dnat), State::Invalid), Ok(true), "what belongs to no flow is not translated");
    assert_eq!(asked(nat(json!([{"drop": null}])), State::New), Ok(false));
    let elsewhere = json!([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "wan0"}}, {"dnat": {"addr": "192.0.2.9"}}]);
    assert_eq!(asked(nat(elsewhere), State::New), Ok(true), "another port's");
    let foreign = asked(nat(json!([{"masquerade": null}])), State::Established);
    assert!(foreign.is_err(), "{foreign:?}");
}

#[test]
fn a_chain_where_frames_come_in_or_leave_is_not_passed_over() {
    let at = |hook: &str, port: Value, policy: &str, rule: Value| {
        let body = json!({"type": "filter", "hook": hook, "dev": port, "prio": 0, "policy": policy});
        asked(other("netdev", body, &rule), State::New)
    };
    let drop = || json!([{"drop": null}]);
    for (hook, port) in [("ingress", "lan0"), ("egress", "term0")] {
        let answer = at(hook, json!(port), "accept", drop());
        assert!(answer.as_ref().is_err_and(|what| what.contains(hook)), "{answer:?}");
        assert!(at(hook, json!(["wan0", port]), "accept", drop()).is_err());
        assert_eq!(at(hook, json!("wan0"), "accept", drop()), Ok(true), "another port's");
    }
    let body = json!({"type": "filter", "hook": "ingress", "dev": "lan0", "prio": 0, "policy": "drop"});
    let mut empty = other("netdev", body, &drop());
    empty.pop();
    assert!(asked(empty.clone(), State::New).is_err());
    empty[1]["add"]["chain"]["policy"] = json!("accept");
    assert_eq!(asked(empty, State::New), Ok(true), "it does nothing");
}

#[test]
fn a_way_that_is_too_long_is_not_walked_to_its_end() {
    let chain = |name: usize, more: Value| {
        let mut body = json!({"family": "inet", "table": "x", "name": name.to_string()});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"add": {"chain": body}})
    };
    let base = json!({"type": "filter", "hook": "forward", "prio": 0, "policy": "accept"});
    let mut items: Vec<Value> =
        (0..15).map(|name| chain(name, if name == 0 { base.clone() } else { json!({}) })).collect();
    for name in 0..14 {
        let jump = json!({"family": "inet", "table": "x", "chain": name.to_string(),
            "expr": [{"jump": {"target": (name + 1).to_string()}}]});
        items.extend(vec![json!({"add": {"rule": jump}}); 4]);
    }
    let answer = asked(items, State::New);
    assert!(answer.as_ref().is_err_and(|what| what.contains("long")), "{answer:?}");
}

#[test]
fn a_command_that_is_not_known_is_said_and_another_familys_table_is_another() {
    let whole = compile_json(&site());
    let with = |more: Value| {
        let mut items = whole["nftables"].as_array().unwrap().clone();
        items.push(more);
        asked(items, State::New)
    };
    assert_eq!(with(json!({"delete": {"table": {"family": "inet", "name": "sekisho"}}})), Ok(true));
    assert_eq!(with(json!({"delete": {"table": {"family": "bridge", "name": "sekisho"}}})), Ok(false));
    assert_eq!(with(json!({"flush": {"ruleset": null}})), Ok(true));
    for more in [
        json!({"flush": {"ruleset": {"family": "arp"}}}),
        json!({"flush": {"table": {"family": "inet", "name": "sekisho"}}}),
        json!({"delete": {"chain": {"family": "inet", "table": "sekisho", "name": "forward"}}}),
        json!({"insert": {"rule": {"family": "inet", "table": "sekisho", "chain": "forward", "expr": []}}}),
    ] {
        assert!(with(more.clone()).is_err(), "{more}");
    }
}

/// A base chain of another table, with this rule.
fn at(hook: &str, priority: i64, rule: &Value) -> Vec<Value> {
    other("inet", json!({"type": "filter", "hook": hook, "prio": priority, "policy": "accept"}), rule)
}

/// Refuses what it fits.
fn refusing(op: &str, left: &Value, right: &str) -> Value {
    json!([{"match": {"op": op, "left": left, "right": right}}, {"drop": null}])
}

#[test]
fn before_tracking_every_packet_is_invalid_and_before_routing_it_goes_nowhere_yet() {
    let state = |word| refusing("==", &json!({"ct": {"key": "state"}}), word);
    assert_eq!(asked(at("prerouting", -300, &state("invalid")), State::New), Ok(false));
    assert_eq!(asked(at("prerouting", -300, &state("new")), State::New), Ok(true));
    assert_eq!(asked(at("prerouting", -150, &state("new")), State::New), Ok(false));
    assert_eq!(asked(at("forward", -300, &state("new")), State::New), Ok(false));
    assert!(asked(at("prerouting", -200, &state("new")), State::New).is_err(), "who is first is not known");
    let out = |op| refusing(op, &json!({"meta": {"key": "oifname"}}), "term0");
    assert_eq!(asked(at("prerouting", 0, &out("==")), State::New), Ok(true));
    assert_eq!(asked(at("prerouting", 0, &out("!=")), State::New), Ok(false));
    assert_eq!(asked(at("forward", 0, &out("==")), State::New), Ok(false));
}

#[test]
fn a_packets_card_is_none_that_is_named() {
    let left = json!({"payload": {"protocol": "ether", "field": "saddr"}});
    let card = |op| refusing(op, &left, "02:00:00:00:00:07");
    assert_eq!(asked(at("forward", 0, &card("==")), State::New), Ok(true));
    assert_eq!(asked(at("forward", 0, &card("!=")), State::New), Ok(false));
    assert!(asked(at("postrouting", 0, &card("!=")), State::New).is_err(), "it is not there any more");
}
