//! The prover against rulesets that are right, wrong, and not understood. A ruleset that breaks a promise must
//! give a packet, and [`firewall::explain`], which shares nothing with the prover, must see it accepted.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod before;
mod broken;
mod closed;
mod closed_in_looks;
mod example;
mod harmless;
mod logs;
mod maintenance;
mod moved;
#[path = "../mutate/mod.rs"]
mod mutate;
mod needed;
#[path = "../site/mod.rs"]
mod site;
mod source;
mod unknown;

use firewall::explain::explain;
use firewall::prove::{Counterexample, Finding, Intent, Wrong, findings};
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

/// The promise is broken by this.
fn broken(name: &str, document: &Value, promise: u8) -> Counterexample {
    let finding = judged(document).into_iter().find(|(number, _)| *number == promise).unwrap().1;
    let Finding::Broken(example) = finding else { panic!("{name}: promise {promise} is {finding:?}") };
    *example
}

/// The promise is broken by a packet to which that really happens.
fn breaks(name: &str, document: &Value, promise: u8) {
    let example = broken(name, document, promise);
    let decision = explain(document, &example.packet).unwrap();
    let (passes, by) = match &example.wrong {
        Wrong::Passes => (true, None),
        Wrong::Refused { by } => (false, Some(by.clone())),
        Wrong::Logged { really, .. } => {
            (really == "let pass", really.strip_prefix("refused by ").map(str::to_owned))
        }
        Wrong::Unruled => return,
    };
    assert_eq!(decision.accepted, passes, "{name}: {example}, by {}", decision.by);
    let policy = |by: &String| by.starts_with("the policy");
    if let Some(by) = by.filter(|by| !policy(by)) {
        assert_eq!(decision.by, by, "{name}: {example}");
    }
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
    let untold = findings(&firewall::compile_json(&site::sample()), &Intent::from_site(&site::sample()));
    assert_eq!(untold, (1..=12).map(|number| (number, Finding::Proved)).collect::<Vec<_>>());
    stands("with a terminal's address", &ruleset());
}

#[test]
fn everything_dropped_keeps_every_promise_but_what_ipv6_needs() {
    for (number, finding) in judged(&firewall::drop_all()) {
        assert_eq!(finding == Finding::Proved, number != 8, "promise {number} is {finding:?}");
    }
    breaks("drop-all", &firewall::drop_all(), 8);
}

/// Each change of the ruleset breaks this promise, with a packet that shows it.
fn each_breaks(promise: u8, changes: &[(&str, Change)]) {
    for (name, change) in changes {
        let mut document = ruleset();
        change(&mut document);
        assert_ne!(document, ruleset(), "{name} changes nothing");
        breaks(name, &document, promise);
    }
}

/// None of the changes breaks anything.
fn each_stands(changes: &[(&str, Change)]) {
    for (name, change) in changes {
        let mut document = ruleset();
        change(&mut document);
        assert_ne!(document, ruleset(), "{name} changes nothing");
        stands(name, &document);
    }
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
    for promise in [1, 2, 3, 4, 5, 6, 7, 9, 10, 11] {
        breaks("empty", &json!({"nftables": []}), promise);
    }
}

type Change = fn(&mut Value);

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
