//! The promises of the zones that only some sites have can be broken, and then a packet shows it which
//! [`firewall::explain`], that shares nothing with the prover, sees accepted.
#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

#[expect(dead_code, reason = "not every test needs every change")]
mod mutate;
mod site;

use firewall::explain::explain;
use firewall::now::Now;
use firewall::prove::{Finding, Intent, findings};
use firewall::{Plan, compile_json};
use model::Site;
use serde_json::{Value, json};

use mutate::*;

fn of(name: &str) -> (Site, Now) {
    let found = site::every().into_iter().find(|(other, ..)| *other == name);
    found.map(|(_, site, now)| (site, now)).unwrap_or_else(|| panic!("there is no site {name}"))
}

/// A name, the promise that breaks, and the change.
type Defect = (&'static str, u8, fn(&mut Value));

fn refused(name: &str, defects: &[Defect]) {
    let (site, now) = of(name);
    let (right, intent) = (Plan::compile(&site, &now).document(), Intent::of(&site, &now));
    for (what, promise, change) in defects {
        let mut document = right.clone();
        change(&mut document);
        let found = findings(&document, &intent);
        let finding = found.iter().find(|(number, _)| number == promise).map(|(_, finding)| finding);
        let Some(Finding::Broken(example)) = finding else {
            panic!("{name}, {what}: {promise} is {finding:?}")
        };
        // Translated packets are shown as they come and as they leave; explain is asked of the first.
        let decision = explain(&document, &example.packet).unwrap();
        assert!(decision.accepted, "{name}, {what}: {} is refused by {}", example.packet, decision.by);
    }
}

const ACCEPT: fn() -> Value = || json!([{"accept": null}]);

#[test]
fn an_internet_a_cloud_claims_hosts_printers_and_a_maintainer_keep_to_what_they_may() {
    refused(
        "pd-internet-maintained",
        &[
            ("the clinic to the line", 3, |d| {
                way(d, "lan0", "wan0", json!({"accept": null}));
            }),
            ("the clinic to claims hosts", 3, |d| {
                way(d, "lan0", "claim0", json!({"accept": null}));
            }),
            ("the clinic to everything behind the cloud's tunnel", 3, |d| drop_match(d, "cloud-out", 0)),
            ("terminals to the internet", 4, |d| {
                way(d, "term0", "isp0", json!({"jump": {"target": "forward_out"}}));
                first(d, "forward_out", ACCEPT());
            }),
            ("claims hosts to the clinic", 4, |d| {
                way(d, "claim0", "lan0", json!({"accept": null}));
            }),
            ("claims hosts to a port that is not listed", 4, |d| {
                last(d, "forward_claims_out", ACCEPT());
                remove(d, "forward-claims-out-rest");
            }),
            ("claims hosts to the page", 5, |d| {
                first(
                    d,
                    "input_claims",
                    json!([{"match": {"op": "==", "right": 443,
                    "left": {"payload": {"protocol": "tcp", "field": "dport"}}}}, {"accept": null}]),
                );
            }),
            ("terminals to the shares", 5, |d| drop_match(d, "terminal-input-service", 0)),
            ("a printer to the clinic", 1, |d| first(d, "forward_print_back", ACCEPT())),
            ("a printer to the box", 1, |d| first(d, "input_printer", ACCEPT())),
            ("terminals to a printer's page", 1, |d| {
                add_element(d, "printing", json!({"concat": ["10.2.0.9", "tcp", 80]}));
            }),
            ("the internet to the clinic", 2, |d| first(d, "forward_internet_back", ACCEPT())),
            ("the internet to the box", 2, |d| {
                last(d, "input_isp", ACCEPT());
                remove(d, "isp-input-rest");
            }),
            ("the cloud to the box", 2, |d| {
                last(d, "input_cloud", ACCEPT());
                remove(d, "cloud-input-rest");
            }),
            ("everybody by IKE", 2, |d| drop_match(d, "isp-input-ike", 0)),
            ("the box to everybody by IKE", 10, |d| drop_match(d, "isp-output-ike", 0)),
            ("the box to a printer", 10, |d| first(d, "output_printer", ACCEPT())),
            ("the box to the cloud", 10, |d| {
                last(d, "output_cloud", ACCEPT());
                remove(d, "cloud-output-rest");
            }),
            ("the box to another service of the cloud", 10, |d| {
                add_element(d, "cloud_peers", json!({"concat": ["10.20.0.11", "tcp", 443]}));
            }),
            ("the box to another server", 10, |d| {
                add_element(d, "isp_peers", json!({"concat": ["203.0.113.99", "tcp", 443]}));
            }),
            ("a maintainer to another port", 7, |d| drop_match(d, "forward-maint-host", 1)),
            ("a maintainer to the shares", 7, |d| drop_match(d, "maint-input-management", 1)),
            ("a source of the clinic's at the internet line", 9, |d| {
                remove(d, "isp-input-source4");
                first(d, "input_isp", ACCEPT());
            }),
        ],
    );
}

#[test]
fn on_a_line_by_ipsec_nothing_of_the_terminals_leaves_in_the_clear() {
    refused(
        "ipsec",
        &[
            ("terminals to the line", 4, |d| {
                way(d, "term0", "wan0", json!({"jump": {"target": "forward_out"}}));
            }),
            ("everything through the tunnel", 4, |d| {
                last(d, "forward_out", ACCEPT());
                remove(d, "forward-out-rest");
            }),
            ("the tunnel to the terminals", 2, |d| {
                last(d, "forward_back", ACCEPT());
                remove(d, "forward-back-rest");
            }),
            ("the box asks a resolver in the clear", 10, |d| {
                first(
                    d,
                    "output_wan",
                    json!([{"match": {"op": "==", "right": 53,
                    "left": {"payload": {"protocol": "udp", "field": "dport"}}}}, {"accept": null}]),
                );
            }),
            ("ESP from everybody", 2, |d| drop_match(d, "wan-input-esp", 0)),
            // The port carries IPv4 only, with an address by DHCP, of which the answers need no line.
            ("a router of IPv6 on it", 2, |d| {
                first(d, "input_wan", json!([icmp6("nd-router-advert"), {"accept": null}]));
            }),
            ("the box asks for one", 10, |d| {
                first(d, "output_wan", json!([icmp6("nd-router-solicit"), {"accept": null}]));
            }),
            ("DHCP answers that nobody asked for", 2, |d| {
                first(d, "input_wan", json!([datagrams_to(68), {"accept": null}]));
            }),
            ("the box lends addresses there", 10, |d| {
                first(d, "output_wan", json!([datagrams_to(68), {"accept": null}]));
            }),
        ],
    );
}

fn icmp6(kind: &str) -> Value {
    json!({"match": {"op": "==", "right": kind, "left": {"payload": {"protocol": "icmpv6", "field": "type"}}}})
}

fn datagrams_to(port: u16) -> Value {
    json!({"match": {"op": "==", "right": port, "left": {"payload": {"protocol": "udp", "field": "dport"}}}})
}

#[test]
fn names_admit_no_more_than_the_rule_does_whatever_the_set_holds() {
    let without = |n: usize| {
        let (site, now) = of("ra");
        let mut document = Plan::compile(&site, &now).document();
        drop_match(&mut document, "forward-out-named", n);
        findings(&document, &Intent::of(&site, &now)).into_iter().find(|(number, _)| *number == 4).unwrap().1
    };
    // Without what is expected, or without the ports, the proof would rest on who fills the set.
    assert!(!matches!(without(0), Finding::Proved), "{:?}", without(0));
    assert!(!matches!(without(1), Finding::Proved), "{:?}", without(1));
    assert_eq!(without(2), Finding::Proved);
    // And what the set holds is no matter.
    let (site, mut now) = of("ra");
    now.learned.iter_mut().for_each(|one| one.address = "2001:db8:ffff::1".parse().unwrap());
    for (number, finding) in findings(&Plan::compile(&site, &now).document(), &Intent::of(&site, &now)) {
        assert_eq!(finding, Finding::Proved, "promise {number}");
    }
}

/// The sites differ in what they ask for, so none is proved for the intent of one that asks for less.
#[test]
fn a_ruleset_of_a_site_that_asks_for_more_is_refused_by_one_that_asks_for_less() {
    let plain = Intent::from_site(&site::sample());
    for name in ["pd-internet", "pd-session", "ra-claims-printers", "ipsec", "pppoe"] {
        let (site, now) = of(name);
        let found = findings(&Plan::compile(&site, &now).document(), &plain);
        assert!(found.iter().any(|(_, finding)| *finding != Finding::Proved), "{name}");
    }
    let (site, _) = of("pd-internet-maintained");
    let (quiet, open) = (compile_json(&site), Intent::of(&site, &Now::default()));
    assert!(findings(&quiet, &open).iter().all(|(_, finding)| *finding == Finding::Proved));
}

/// The lines of a ruleset that count a sender's flows: the chain, and the set they count in.
fn counts(document: &Value) -> Vec<(String, String)> {
    let rules = document["nftables"].as_array().unwrap().iter().map(|item| &item["add"]["rule"]);
    let one = |rule: &Value| {
        let steps = rule["expr"].as_array()?;
        let step = steps.iter().find(|step| step["set"]["stmt"][0].get("ct count").is_some())?;
        Some((rule["chain"].as_str()?.to_owned(), step["set"]["set"].as_str()?.to_owned()))
    };
    rules.filter_map(one).collect()
}

#[test]
fn what_a_sender_has_open_through_the_box_never_keeps_it_from_the_box_itself() {
    for (name, site, now) in site::every() {
        let counts = counts(&Plan::compile(&site, &now).document());
        let (here, through): (Vec<_>, Vec<_>) =
            counts.iter().partition(|(chain, _)| chain.starts_with("input_"));
        assert!(!here.is_empty() && !through.is_empty(), "{name}: {counts:?}");
        for (chain, set) in here {
            assert!(through.iter().all(|(_, other)| other != set), "{name}: {chain} counts in {set}, too");
        }
    }
}

#[test]
fn only_a_card_that_the_site_file_names_is_refused() {
    let (mut site, now) = of("ra");
    let cards = |site: &Site| {
        let document = Plan::compile(site, &now).document();
        let sets = document["nftables"].as_array().unwrap().iter().map(|item| &item["add"]["set"]);
        sets.filter(|set| set["name"] == "terminal_cards").map(|set| set["elem"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(cards(&site), [Value::Null]);
    site.terminals[0].mac = Some("00:00:5e:00:53:09".parse().unwrap());
    assert_eq!(cards(&site), [json!(["00:00:5e:00:53:09"])]);
}
