//! The prover against rulesets that are right, wrong, and not understood. A ruleset that breaks a promise must
//! give a packet, and [`firewall::explain`], which shares nothing with the prover, must see it accepted.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod mutate;
mod site;

use firewall::explain::explain;
use firewall::prove::{Finding, Intent, findings};
use serde_json::{Value, json};

use mutate::*;

/// The sample site's ruleset, with an address a terminal has got from the line.
fn ruleset() -> Value {
    let mut document = firewall::compile_json(&site::sample());
    set(&mut document, "terminal_addresses6")["elem"] = json!(["2001:db8:0:1::2"]);
    document
}

fn judged(document: &Value) -> Vec<(u8, Finding)> {
    findings(document, &intent())
}

/// The sample site's, after the box has learnt a terminal's address.
fn intent() -> Intent {
    let terminals6 = vec!["2001:db8:0:1::2/128".parse().unwrap()];
    Intent::of(&site::sample(), &firewall::Now { terminals6, ..firewall::Now::default() })
}

/// The promise is broken by a packet that is really accepted.
fn breaks(name: &str, document: &Value, promise: u8) {
    let finding = judged(document).into_iter().find(|(number, _)| *number == promise).unwrap().1;
    let Finding::Broken(example) = finding else { panic!("{name}: promise {promise} is {finding:?}") };
    let decision = explain(document, &example.packet).unwrap();
    assert!(decision.accepted, "{name}: {} is not accepted, {}", example.packet, decision.by);
    if let Some(opening) = &example.opening {
        assert!(explain(document, opening).unwrap().accepted, "{name}: {opening} is not accepted");
        assert!(opening.opens_flow_of(&example.packet), "{name}: {example}");
    }
}

fn stands(name: &str, document: &Value) {
    for (number, finding) in judged(document) {
        assert_eq!(finding, Finding::Proved, "{name}: promise {number}");
    }
}

#[test]
fn a_site_s_ruleset_keeps_its_promises() {
    stands("as compiled", &firewall::compile_json(&site::sample()));
    stands("with a terminal's address", &ruleset());
    stands("drop-all", &firewall::drop_all());
}

#[test]
fn the_box_opens_the_share_of_a_listed_consumer_and_of_nobody_else() {
    let mut site = site::sample();
    site.consumers.push(model::site::Consumer {
        name: "far".into(),
        folders: model::site::Place::Remote {
            address: "198.51.100.20".parse().unwrap(),
            share: "onshi".into(),
            login: "far".into(),
        },
        takes: Vec::new(),
        address: None,
    });
    let intent = Intent::from_site(&site);
    let right = firewall::compile_json(&site);
    for (number, finding) in findings(&right, &intent) {
        assert_eq!(finding, Finding::Proved, "promise {number}");
    }
    // Any port of it, any machine, and a machine that is not in this site's file.
    let mut wider = [right.clone(), right.clone(), right];
    drop_match(&mut wider[0], "clinic-output-share", 1);
    drop_match(&mut wider[1], "clinic-output-share", 0);
    add_element(&mut wider[2], "consumers", json!("198.51.100.21"));
    for document in &wider {
        let finding = findings(document, &intent).into_iter().find(|(number, _)| *number == 10).unwrap().1;
        let Finding::Broken(example) = finding else { panic!("{finding:?}") };
        assert!(explain(document, &example.packet).unwrap().accepted, "{}", example.packet);
    }
}

/// What stands before a site is in force, and for which intent.
fn before_a_site(setup: bool, lends: bool) -> (Value, Intent) {
    let port = site::setup();
    let port = setup.then_some(&port);
    (firewall::Plan::before_a_site(port, lends).document(), Intent::before_a_site(port, lends))
}

#[test]
fn before_a_site_is_in_force_nothing_passes_but_the_setup_page() {
    for (setup, lends) in [(true, true), (true, false), (false, false)] {
        let (document, intent) = before_a_site(setup, lends);
        let found = findings(&document, &intent);
        let wanted = [13, 14, 15].map(|number| (number, Finding::Proved));
        assert_eq!(found, wanted, "setup {setup}, lends {lends}");
        assert_eq!(findings(&firewall::drop_all(), &intent), wanted);
    }
    // A closed box on a clinic's network is no DHCP server, and a site's ruleset is no setup page.
    let (carton, _) = before_a_site(true, true);
    let (_, closed) = before_a_site(true, false);
    for (document, broken) in [(carton, [14, 15]), (firewall::compile_json(&site::sample()), [14, 15])] {
        let found = findings(&document, &closed);
        let shown =
            |number| matches!(found.iter().find(|(n, _)| *n == number), Some((_, Finding::Broken(_))));
        assert!(broken.into_iter().all(shown), "{found:?}");
    }
}

#[test]
fn a_hole_in_the_ruleset_before_a_site_is_shown_with_a_packet() {
    let accept = |chain: &str| json!({"add": {"rule": {"family": "inet", "table": "sekisho", "chain": chain, "expr": [{"accept": null}]}}});
    for (chain, promise) in [("forward", 13), ("input_setup", 14), ("output_setup", 15)] {
        let (mut document, intent) = before_a_site(true, true);
        // In the first place of its chain: before what refuses.
        let commands = document["nftables"].as_array_mut().unwrap();
        let of_chain = |command: &Value| command["add"]["rule"]["chain"] == chain;
        let first = commands.iter().position(of_chain).unwrap();
        commands.insert(first, accept(chain));
        let found = findings(&document, &intent);
        let Some((_, Finding::Broken(example))) = found.iter().find(|(number, _)| *number == promise) else {
            panic!("{chain}: {found:?}")
        };
        assert!(explain(&document, &example.packet).unwrap().accepted, "{chain}: {example}");
    }
}

#[test]
fn every_broken_ruleset_is_refused_with_a_packet_that_shows_it() {
    let mut count = 0;
    for (name, promise, change) in BROKEN {
        let mut document = ruleset();
        change(&mut document);
        assert_ne!(document, ruleset(), "{name} changes nothing");
        breaks(name, &document, *promise);
        count += 1;
    }
    assert!(count >= 25, "{count} are too few");
}

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

#[test]
fn another_way_to_write_the_same_still_stands() {
    for (name, change) in HARMLESS {
        let mut document = ruleset();
        change(&mut document);
        assert_ne!(document, ruleset(), "{name} changes nothing");
        stands(name, &document);
    }
}

#[test]
fn nothing_is_proved_of_what_is_no_ruleset() {
    for document in
        [json!(null), json!({}), json!({"nftables": 5}), json!({"nftables": [{"add": {"x": {}}}]})]
    {
        assert!(judged(&document).iter().all(|(_, finding)| *finding != Finding::Proved), "{document}");
    }
}

#[test]
fn an_empty_kernel_lets_everything_pass() {
    for promise in [1, 2, 3, 4, 5, 6, 10] {
        breaks("empty", &json!({"nftables": []}), promise);
    }
}

type Change = fn(&mut Value);

const BROKEN: &[(&str, u8, Change)] = &[
    ("the clinic's confinement is dropped", 6, |d| remove(d, "clinic-input-address")),
    ("the confinement comes after the service", 6, |d| {
        swap(d, "clinic-input-address", "clinic-input-service")
    }),
    ("the confinement names another address", 6, |d| {
        rule(d, "clinic-input-address")["expr"][0]["match"]["right"] = json!("192.0.2.1");
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
        add_element(d, "forward_by_way", json!([{"concat": ["lan0", "term0"]}, {"accept": null}]));
    }),
    ("a way from terminal to clinic", 1, |d| {
        add_element(d, "forward_by_way", json!([{"concat": ["term0", "lan0"]}, {"accept": null}]));
    }),
    ("a way out for the clinic", 3, |d| {
        add_element(d, "forward_by_way", json!([{"concat": ["lan0", "wan0"]}, {"accept": null}]));
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
        let last = objects(d).filter(|(kind, _)| kind == "table").last().unwrap().1;
        last["flags"] = json!("dormant");
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
        rule(d, "forward-back-flows")["expr"] = json!([{"accept": null}]);
    }),
    ("new ones count as answers", 2, |d| {
        let map = json!({"set": [["established", {"accept": null}], ["new", {"accept": null}]]});
        rule(d, "forward-back-flows")["expr"][0]["vmap"]["data"] = map;
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
        add_element(d, "forward_by_way", json!([{"concat": ["term0", "usb0"]}, {"accept": null}]));
    }),
];

const UNKNOWN: &[(&str, Change)] = &[
    ("a destination rewritten", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "pre", "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}),
        );
        last_of(d, "other", "pre", json!([{"dnat": {"addr": "192.0.2.2", "family": "ip"}}]));
    }),
    ("untracked on purpose", |d| first(d, "input_wan", json!([{"notrack": null}]))),
    ("given to a program", |d| first(d, "forward", json!([{"queue": {"num": 0}}]))),
    ("marked for another route", |d| {
        first(d, "output", json!([{"mangle": {"key": {"meta": {"key": "mark"}}, "value": 1}}]));
    }),
    ("copied to another port", |d| {
        first(d, "input_wan", json!([{"dup": {"addr": "192.0.2.2", "dev": "term0"}}]))
    }),
    ("a helper that expects more flows", |d| first(d, "forward", json!([{"ct helper": "ftp"}]))),
    ("a marked packet accepted", |d| {
        first(
            d,
            "forward",
            json!([{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 7}}, {"accept": null}]),
        );
    }),
    ("a state that is compared as a number", |d| {
        let states = json!({"|": ["established", "related"]});
        first(
            d,
            "forward",
            json!([{"match": {"op": "!=", "left": {"ct": {"key": "state"}}, "right": states}}, {"accept": null}]),
        );
    }),
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
    ("a flow table", |d| {
        push(
            d,
            json!({"add": {"flowtable": {"family": "inet", "table": "sekisho", "name": "f", "hook": "ingress", "prio": 0}}}),
        );
    }),
    ("a bridge that filters by itself", |d| {
        foreign(
            d,
            "bridge",
            json!({"name": "b", "type": "filter", "hook": "forward", "prio": 0, "policy": "accept"}),
        );
    }),
    ("rules before the protocol stack", |d| {
        foreign(
            d,
            "netdev",
            json!({"name": "i", "type": "filter", "hook": "ingress", "prio": 0, "policy": "accept"}),
        );
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
];

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
    ("a line refuses what the policy would let pass", |d| chain(d, "forward")["policy"] = json!("accept")),
    ("another table that accepts everything before", |d| {
        foreign(
            d,
            "inet",
            json!({"name": "f", "type": "filter", "hook": "forward", "prio": -300, "policy": "accept"}),
        );
        last_of(d, "other", "f", json!([{"accept": null}]));
    }),
    ("refused with an answer", |d| {
        rule(d, "clinic-input-rest")["expr"] = json!([{"reject": {"type": "tcp reset"}}]);
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
    ("as the kernel lists it", |d| {
        let items = d["nftables"].as_array_mut().unwrap();
        items.retain(|item| item.get("delete").is_none());
        items.iter_mut().for_each(|item| *item = item["add"].clone());
    }),
];

#[test]
fn a_counterexample_is_said_in_words() {
    let mut document = ruleset();
    remove(&mut document, "clinic-input-address");
    let promises = firewall::prove(&document, &intent());
    insta::assert_snapshot!(
        "words",
        promises.iter().map(|promise| format!("{promise:?}\n")).collect::<String>()
    );
    let open = json!([{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}}, {"accept": null}]);
    first(&mut document, "forward", open);
    let promises = firewall::prove(&document, &intent());
    insta::assert_snapshot!(
        "words-of-a-flow",
        promises.iter().map(|promise| format!("{promise:?}\n")).collect::<String>()
    );
}
