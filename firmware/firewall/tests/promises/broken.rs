//! Rulesets that break a promise, each by one change of the right one.

use serde_json::json;

use crate::mutate::*;
use crate::{Change, breaks, ruleset};

#[test]
fn every_broken_ruleset_is_refused_with_a_packet_that_shows_it() {
    assert!(BROKEN.len() >= 50, "{} are too few", BROKEN.len());
    for (name, promise, change) in BROKEN {
        let mut document = ruleset();
        change(&mut document);
        assert_ne!(document, ruleset(), "{name} changes nothing");
        breaks(name, &document, *promise);
    }
}

const BROKEN: &[(&str, u8, Change)] = &[
    ("the clinic's confinement is dropped", 6, |d| remove(d, "clinic-input-address")),
    ("the confinement comes after the service", 6, |d| {
        swap(d, "clinic-input-address-case", "clinic-input-service")
    }),
    ("the confinement names another address", 6, |d| {
        rule(d, "clinic-input-address-case")["expr"][0]["match"]["right"] = json!("192.0.2.1");
    }),
    ("another service for the clinic", 6, |d| add_element(d, "clinic_services", json!(22))),
    ("a range of services for the clinic", 6, |d| {
        set(d, "clinic_services")["flags"] = json!(["interval"]);
        set(d, "clinic_services")["elem"] = json!([{"range": [80, 445]}]);
    }),
    ("the clinic's service in IPv6 too", 6, |d| drop_match(d, "clinic-input-service", 0)),
    ("the clinic goes by the terminals' chain", 6, |d| lead(d, "input_by_port", "lan0", "input_terminal")),
    ("the clinic's chain returns and the policy accepts", 6, |d| {
        ["clinic-input-rest", "input-rest"].iter().for_each(|id| remove(d, id));
        chain(d, "input")["policy"] = json!("accept");
    }),
    ("forward by policy", 1, |d| {
        remove(d, "forward-rest");
        chain(d, "forward")["policy"] = json!("accept");
    }),
    ("a way from clinic to terminal", 1, |d| {
        way(d, "lan0", "term0", json!({"accept": null}));
    }),
    ("a way from terminal to clinic", 1, |d| {
        way(d, "term0", "lan0", json!({"accept": null}));
    }),
    ("a way out for the clinic", 3, |d| {
        way(d, "lan0", "wan0", json!({"accept": null}));
    }),
    ("everything first in forward", 1, |d| first(d, "forward", json!([{"accept": null}]))),
    ("open flows by any way", 1, |d| {
        first(
            d,
            "forward",
            json!([{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}},
            {"accept": null}]),
        );
    }),
    ("errors by any way", 1, |d| {
        first(
            d,
            "forward",
            json!([{"vmap": {"key": {"ct": {"key": "state"}},
            "data": {"set": [["related", {"accept": null}], ["established", {"drop": null}]]}}}]),
        );
    }),
    ("both inner zones in one set", 1, |d| {
        let zones = json!({"set": ["lan0", "term0"]});
        first(
            d,
            "forward",
            json!([{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": zones}},
            {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": zones}}, {"accept": null}]),
        );
    }),
    ("everything that is not from the line", 1, |d| {
        first(
            d,
            "forward",
            json!([{"match": {"op": "!=", "left": {"meta": {"key": "iifname"}}, "right": "wan0"}},
            {"accept": null}]),
        );
    }),
    ("one printer's port between the zones", 1, |d| {
        first(
            d,
            "forward",
            json!([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}},
            "right": {"range": [9100, 9102]}}}, {"accept": null}]),
        );
    }),
    ("forward is missing", 1, |d| {
        without_chain(d, "forward");
    }),
    ("forward stands at another hook", 3, |d| chain(d, "forward")["hook"] = json!("input")),
    ("the table filters IPv4 only", 1, |d| {
        objects(d).for_each(|(_, body)| body["family"] = json!("ip"));
    }),
    ("the table filters IPv6 only", 1, |d| {
        objects(d).for_each(|(_, body)| body["family"] = json!("ip6"));
    }),
    ("the table is dormant", 5, |d| {
        as_listed(d);
        let tables =
            d["nftables"].as_array_mut().unwrap().iter_mut().filter_map(|item| item.get_mut("table"));
        tables.last().unwrap()["flags"] = json!("dormant");
    }),
    ("flushed at the end", 2, |d| push(d, json!({"flush": {"ruleset": null}}))),
    ("deleted at the end", 4, |d| {
        push(d, json!({"delete": {"table": {"family": "inet", "name": "sekisho"}}}))
    }),
    ("the line is let in", 2, |d| lead(d, "input_by_port", "wan0", "icmp6open")),
    ("the line goes by the clinic's chain", 2, |d| lead(d, "input_by_port", "wan0", "input_clinic")),
    ("DHCPv6 from anywhere", 2, |d| drop_match(d, "wan-input-dhcp6", 0)),
    ("DHCPv6 to any port", 2, |d| drop_match(d, "wan-input-dhcp6", 1)),
    ("router advertisements of any type", 2, |d| drop_match(d, "wan-input-ra", 2)),
    ("packets without a flow", 2, |d| {
        first(
            d,
            "input_wan",
            json!([{"match": {"op": "in", "left": {"ct": {"key": "state"}},
            "right": ["invalid", "untracked"]}}, {"accept": null}]),
        );
    }),
    ("a few a second from the line", 2, |d| {
        first(d, "input_wan", json!([{"limit": {"rate": 1, "per": "hour"}}, {"accept": null}]));
    }),
    ("a port nobody planned", 2, |d| {
        add_element(d, "input_by_port", json!(["usb0", {"jump": {"target": "input_clinic"}}]));
    }),
    ("the line opens to terminals", 2, |d| {
        drop_match(d, "forward-back-flows", 3);
    }),
    ("whatever is not two states at once", 2, |d| {
        let both = json!({"|": ["established", "related"]});
        let state = json!({"match": {"op": "!=", "left": {"ct": {"key": "state"}}, "right": both}});
        first(d, "input_wan", json!([state, {"accept": null}]));
    }),
    ("new ones count as answers", 2, |d| {
        states(d, "forward-back-flows", &["established", "new"]);
    }),
    ("neighbour discovery of every type", 5, |d| drop_match(d, "icmp6-neighbour", 0)),
    ("errors of every type", 2, |d| drop_match(d, "icmp6-error", 0)),
    ("redirects count as errors", 2, |d| add_element(d, "icmp6_errors", json!("nd-redirect"))),
    ("the share for the terminals", 5, |d| {
        add_element(d, "terminal_services", json!({"concat": ["192.0.2.1", "tcp", 445]}));
    }),
    ("the page for the terminals, at the clinic's address", 5, |d| {
        add_element(d, "terminal_services", json!({"concat": ["198.51.100.1", "tcp", 443]}));
    }),
    ("every service for the terminals", 5, |d| drop_match(d, "terminal-input-service", 0)),
    ("DHCP to every port", 5, |d| drop_match(d, "terminal-input-dhcp", 3)),
    ("the terminals go by the clinic's chain", 5, |d| lead(d, "input_by_port", "term0", "input_clinic")),
    ("a jump to a chain that accepts", 5, |d| {
        push(d, json!({"add": {"chain": {"family": "inet", "table": "sekisho", "name": "open"}}}));
        last(d, "open", json!([{"accept": null}]));
        first(d, "input_terminal", json!([{"jump": {"target": "open"}}]));
    }),
    ("a goto out of the chain's refusal", 5, |d| {
        push(d, json!({"add": {"chain": {"family": "inet", "table": "sekisho", "name": "open"}}}));
        remove(d, "input-rest");
        chain(d, "input")["policy"] = json!("accept");
        first(d, "input_terminal", json!([{"goto": {"target": "open"}}]));
    }),
    ("another destination", 4, |d| {
        add_element(
            d,
            "destinations",
            json!({"concat": [{"prefix": {"addr": "2001:db8:ff::", "len": 48}}, "tcp", 443]}),
        );
    }),
    ("a destination's other port", 4, |d| {
        add_element(d, "destinations", json!({"concat": ["2001:db8:0:cc::20", "tcp", 25]}));
    }),
    ("every destination", 4, |d| drop_match(d, "forward-out-listed", 0)),
    ("the box opens to the clinic", 10, |d| first(d, "output_clinic", json!([{"accept": null}]))),
    ("the box speaks to strangers", 10, |d| drop_match(d, "wan-output-peers", 0)),
    ("another peer of the box", 10, |d| {
        add_element(d, "peers", json!({"concat": ["2001:db8:ff::9", "tcp", 443]}));
    }),
    ("the box's shares with whoever stands among the terminals", 10, |d| {
        drop_match(d, "terminal-output-share", 0)
    }),
    ("the box by a port nobody planned", 10, |d| lead(d, "output_by_port", "lan0", "icmp6open")),
    ("terminals by a port nobody planned", 4, |d| {
        way(d, "term0", "usb0", json!({"accept": null}));
    }),
];
