//! Promise 8: what IPv6 needs is refused by nothing, wherever the refusal stands.

use serde_json::{Value, json};

use crate::mutate::*;
use crate::{each_breaks, each_stands};

fn icmp6(kinds: Value) -> Value {
    json!({"match": {"op": "==", "left": {"payload": {"protocol": "icmpv6", "field": "type"}}, "right": kinds}})
}

#[test]
fn what_ipv6_needs_cannot_be_refused_without_being_shown() {
    each_breaks(
        8,
        &[
            ("listener discovery has no rule", |d| remove(d, "icmp6-listener")),
            ("neighbour discovery has no rule", |d| remove(d, "icmp6-neighbour")),
            ("the line's router is not heard", |d| remove(d, "wan-input-ra")),
            ("nobody asks for the line's router", |d| remove(d, "wan-output-rs")),
            ("one kind is taken out of a set", |d| {
                set(d, "icmp6_listener")["elem"] = json!(["mld-listener-query"]);
            }),
            ("packet-too-big is refused at the line", |d| {
                first(d, "input_wan", json!([icmp6(json!("packet-too-big")), {"drop": null}]));
            }),
            ("errors about open flows do not come through", |d| {
                states(d, "forward-back-flows", &["established"]);
            }),
            ("a terminal's errors do not come through", |d| {
                states(d, "forward-out-flows", &["established"]);
            }),
            ("another table refuses time-exceeded before routing", |d| {
                foreign(
                    d,
                    "ip6",
                    json!({"name": "pre", "type": "filter", "hook": "prerouting", "prio": 0, "policy": "accept"}),
                );
                last_of(
                    d,
                    "other",
                    "pre",
                    json!([icmp6(json!({"set": ["time-exceeded", "parameter-problem"]})), {"reject": null}]),
                );
            }),
            ("another table closes the way out", |d| {
                foreign(
                    d,
                    "inet",
                    json!({"name": "o", "type": "filter", "hook": "output", "prio": 9, "policy": "drop"}),
                );
                last_of(
                    d,
                    "other",
                    "o",
                    json!([{"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv4"}}, {"accept": null}]),
                );
            }),
        ],
    );
}

#[test]
fn what_it_does_not_need_may_be_refused() {
    each_stands(&[
        ("redirects", |d| first(d, "input_wan", json!([icmp6(json!("nd-redirect")), {"drop": null}]))),
        ("echo", |d| remove(d, "wan-input-echo")),
        ("neighbour discovery from beyond the link", |d| {
            let far = json!({"match": {"op": "!=", "left": {"payload": {"protocol": "ip6", "field": "hoplimit"}}, "right": 255}});
            first(d, "input_wan", json!([icmp6(json!("nd-neighbor-advert")), far, {"drop": null}]));
        }),
        // They pass as what belongs to an open flow.
        ("errors by a rule of their own", |d| remove(d, "icmp6-error")),
    ]);
}

/// What a rate lets pass is not enough: more is refused, and which packets these are nobody can say.
#[test]
fn a_rate_refuses_what_comes_faster() {
    let mut document = crate::ruleset();
    let rate = json!({"limit": {"rate": 1000, "per": "second"}});
    rule(&mut document, "icmp6-neighbour")["expr"].as_array_mut().unwrap().insert(0, rate);
    assert_eq!(crate::broken("a rate", &document, 8).packet.icmp_type, 135);
}
