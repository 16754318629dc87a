//! Promise 9: a source that is not its zone's.

use serde_json::json;

use crate::mutate::*;
use crate::{each_breaks, each_stands};

#[test]
fn a_foreign_source_that_passes_is_shown() {
    each_breaks(
        9,
        &[
            ("the clinic's check in IPv4", |d| remove(d, "clinic-input-source4")),
            ("the clinic's check in IPv6", |d| remove(d, "clinic-input-source6")),
            ("the terminals' check in IPv4", |d| remove(d, "terminal-input-source4")),
            ("the terminals' check in IPv6", |d| remove(d, "terminal-input-source6")),
            ("the line's check", |d| remove(d, "wan-input-source")),
            ("the check on the way out", |d| remove(d, "forward-out-source")),
            ("the check of an open flow on the way out", |d| drop_match(d, "forward-out-flows", 2)),
            ("the check on the way back", |d| drop_match(d, "forward-back-flows", 2)),
            ("open flows are let pass before the check", |d| {
                swap(d, "clinic-input-source4-case", "clinic-input-flows")
            }),
            ("a wider clinic", |d| {
                rule(d, "clinic-input-source4-case")["expr"][0]["match"]["right"] =
                    json!({"prefix": {"addr": "198.51.100.0", "len": 23}});
            }),
            ("another machine among the terminals", |d| add_element(d, "terminals", json!("192.0.2.77"))),
            ("another address on the line", |d| {
                add_element(d, "terminal_addresses6", json!("2001:db8:0:1::3"))
            }),
            ("who has no address may ask for more than one", |d| drop_match(d, "terminal-input-dhcp", 3)),
        ],
    );
}

#[test]
fn errors_about_open_flows_pass_whoever_sends_them() {
    each_stands(&[("before the check", |d| {
        let state = json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "related"}});
        let kind = json!({"match": {"op": "==", "left": {"payload": {"protocol": "icmpv6", "field": "type"}}, "right": "@icmp6_errors"}});
        let family = json!({"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv6"}});
        first(d, "forward_back", json!([family.clone(), state.clone(), kind.clone(), {"accept": null}]));
        first(d, "input_wan", json!([family, state, kind, {"accept": null}]));
    })]);
}
