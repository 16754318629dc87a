//! A counterexample is a packet that somebody can send, said as what it is.

use firewall::packet::State;
use firewall::prove::Finding;
use serde_json::json;

use crate::mutate::*;
use crate::{breaks, broken, judged, ruleset};

#[test]
fn an_error_that_is_not_tracked_is_shown_as_the_error_it_is() {
    let mut document = ruleset();
    let base =
        json!({"name": "raw", "type": "filter", "hook": "prerouting", "prio": -300, "policy": "accept"});
    foreign(&mut document, "inet", base);
    last_of(&mut document, "other", "raw", json!([{"notrack": null}]));
    let example = broken("no tracking", &document, 8);
    assert_eq!(example.packet.state, State::Related, "{example}");
}

#[test]
fn a_whole_packet_of_a_known_protocol_comes_first() {
    for id in ["wan-output-rest", "terminal-output-rest", "forward-back-rest", "bypass-address6"] {
        let mut document = ruleset();
        remove(&mut document, id);
        let example = broken(id, &document, 12);
        assert!(example.packet.readable && example.cut.is_none(), "{id}: {example}");
        assert!([6, 17, 58].contains(&example.packet.protocol), "{id}: {example}");
        breaks(id, &document, 12);
    }
}

#[test]
fn the_flow_of_an_answer_was_opened_the_other_way() {
    let mut document = ruleset();
    // By another port too: what goes to the terminals is an answer.
    rule(&mut document, "forward-back-flows")["expr"][0]["match"]["right"] = json!({"set": ["wan0", "lan0"]});
    let example = broken("the clinic among the answers", &document, 9);
    let opening = example.opening.as_ref().unwrap();
    assert!(opening.opens_flow_of(&example.packet), "{example}");
    let ends = (opening.destination, opening.source);
    assert_eq!(ends, (example.packet.source, example.packet.destination), "{example}");
}

#[test]
fn icmp_of_the_other_family_is_not_shown_where_nft_does_not_list_the_family() {
    // nft lists `meta nfproto ipv6 meta l4proto ipv6-icmp` without its first half.
    let mut document = ruleset();
    let icmp6 = json!({"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "ipv6-icmp"}});
    first(&mut document, "forward_out", json!([icmp6, {"accept": null}]));
    let shown = judged(&document).into_iter().filter_map(|(_, finding)| match finding {
        Finding::Broken(example) => Some(example),
        _ => None,
    });
    let shown: Vec<_> = shown.collect();
    assert!(!shown.is_empty() && shown.iter().all(|example| example.packet.source.is_ipv6()), "{shown:?}");
}

#[test]
fn a_packet_cut_short_says_how_much_of_it_there_is() {
    // A router's advertisement of which only the type is there is invalid, logged as that, and let pass.
    let mut document = ruleset();
    swap(&mut document, "wan-input-invalid-case", "wan-input-ra");
    let invalid = rule(&mut document, "wan-input-invalid-case")["expr"][0].clone();
    let log = rule(&mut document, "wan-input-invalid-log")["expr"][1].clone();
    let steps = rule(&mut document, "wan-input-ra")["expr"].as_array_mut().unwrap();
    steps.splice(steps.len() - 1.., [invalid, log, json!({"accept": null})]);
    let example = broken("an advertisement before what is invalid", &document, 12);
    assert!(example.cut.is_some_and(|octets| octets > 0), "{example}");
    assert!(example.to_string().contains("octets"), "{example}");
}
