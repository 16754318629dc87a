//! The kernel as the oracle: in a network namespace of its own the site's ruleset is loaded by the room itself,
//! frames are sent from outside, and the counter of every rule must be what [`firewall::explain`] says.
//! Needs root and nftables; the namespaces end with the threads that made them.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod lab;
mod site;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use firewall::explain::explain;
use firewall::packet::{Packet, Path, State};
use model::part::{FirewallPart, Promise, Proof, RulesetState};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use lab::{Lab, run};

/// What a room is started with.
type Ends = Result<(), firewall::Error>;
type Parts = watch::Sender<FirewallPart>;
type Commands = mpsc::Receiver<firewall::Command>;

/// Brings the room of the sample site up in the namespace of this thread, asks it to prove what the kernel holds
/// after `between`, and ends it.
fn room(between: impl FnOnce()) -> (Vec<Promise>, FirewallPart) {
    room_of(async |part, mut commands| firewall::run(&site::sample(), part, &mut commands).await, between)
}

fn room_of(
    started: impl AsyncFnOnce(Parts, Commands) -> Ends,
    between: impl FnOnce(),
) -> (Vec<Promise>, FirewallPart) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (part, mut seen) = watch::channel(FirewallPart::dropping(None));
        let (commands, waiting) = mpsc::channel(1);
        let ask = async {
            seen.wait_for(|part| part.state == RulesetState::Proved).await.unwrap();
            between();
            let (reply, answer) = oneshot::channel();
            commands.send(firewall::Command::ProveLive { reply }).await.unwrap();
            (answer.await.unwrap(), seen.borrow().clone())
        };
        tokio::select! {
            outcome = started(part, waiting) => panic!("the room ended: {outcome:?}"),
            answer = ask => answer,
        }
    })
}

fn listing() -> Value {
    serde_json::from_slice(&run("nft", &["-j", "list", "ruleset"])).unwrap()
}

fn handles() -> Vec<Value> {
    let listing = listing();
    listing["nftables"].as_array().unwrap().iter().map(|object| object["rule"]["handle"].clone()).collect()
}

#[test]
fn the_kernel_holds_what_was_planned_and_a_restart_leaves_it_alone() {
    lab::alone(|| {
        let (proofs, part) = room(|| {});
        assert!(proofs.iter().all(|promise| promise.proof == Proof::Proved), "{proofs:?}");
        assert_eq!(part.state, RulesetState::Proved);
        let before = handles();
        room(|| {});
        assert_eq!(handles(), before, "a restart loaded the ruleset again");
    });
}

#[test]
fn a_rule_added_by_hand_is_told_and_taken_away() {
    lab::alone(|| {
        let (proofs, part) = room(|| {
            run("nft", &["insert", "rule", "inet", "sekisho", "forward", "accept"]);
        });
        let broken = proofs.iter().filter(|promise| matches!(promise.proof, Proof::Broken { .. })).count();
        assert!(broken >= 2, "{proofs:?}");
        assert_eq!(part.state, RulesetState::Drifted);
        room(|| {});
        assert!(!listing().to_string().contains(r#""expr":[{"accept":null}]"#));
    });
}

#[test]
fn a_table_put_to_sleep_by_hand_is_told_and_woken() {
    lab::alone(|| {
        let (proofs, part) = room(|| {
            run("nft", &["add", "table", "inet", "sekisho", "{ flags dormant; }"]);
        });
        // nft 1.0.6 lists the flag as a word that means nothing, so nothing is proved.
        assert!(proofs.iter().all(|promise| promise.proof != Proof::Proved), "{proofs:?}");
        assert_eq!(part.state, RulesetState::Drifted);
        assert!(listing()["nftables"][1]["table"].get("flags").is_none());
    });
}

/// Counted packets by the comment of their rule.
fn counts() -> BTreeMap<String, u64> {
    let listing = listing();
    let rules = listing["nftables"].as_array().unwrap().iter().filter_map(|object| object.get("rule"));
    rules
        .filter_map(|rule| {
            let count =
                rule["expr"].as_array()?.iter().find_map(|step| step["counter"]["packets"].as_u64())?;
            Some((rule["comment"].as_str()?.to_owned(), count))
        })
        .collect()
}

const TERMINAL: &str = "192.0.2.2";
const STATION: &str = "198.51.100.10";
const AMONG_TERMINALS: &str = "192.0.2.1";
const IN_CLINIC: &str = "198.51.100.1";
const ON_LINE: &str = "2001:db8:0:1::5";
const TERMINAL6: &str = "2001:db8:0:1::2";
const ROUTER: &str = "fe80::1";
const CENTRE: &str = "2001:db8:0:cc::10";

fn to_box(port: &str, source: &str, destination: &str) -> Packet {
    Packet {
        path: Path::Input,
        from_port: port.into(),
        to_port: String::new(),
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
        protocol: 6,
        readable: true,
        source_service: 0,
        destination_service: 0,
        icmp_type: 0,
        icmp_code: 0,
        hop_limit: 64,
        state: State::New,
    }
}

fn through(from: &str, to: &str, source: &str, destination: &str) -> Packet {
    Packet { path: Path::Forward, to_port: to.into(), ..to_box(from, source, destination) }
}

/// With these transport services: protocol and destination port.
fn services(packet: &Packet, list: &[(u8, u16)]) -> Vec<Packet> {
    let with = |(protocol, port): &(u8, u16)| Packet {
        protocol: *protocol,
        destination_service: *port,
        ..packet.clone()
    };
    list.iter().map(with).collect()
}

fn icmp(packet: &Packet, kind: u8, hop_limit: u8) -> Packet {
    let protocol = if packet.source.is_ipv4() { 1 } else { 58 };
    // Connection tracking leaves neighbour and listener discovery alone, and knows no flow these could be about.
    let untracked = protocol == 58 && ((130..=136).contains(&kind) || kind == 143);
    let error = protocol == 58 && ((1..=4).contains(&kind) || kind == 137);
    let state = match (untracked, error) {
        (true, _) => State::Untracked,
        (_, true) => State::Invalid,
        _ => State::New,
    };
    Packet { protocol, icmp_type: kind, hop_limit, state, ..packet.clone() }
}

const ASKED: &[(u8, u16)] =
    &[(6, 22), (6, 53), (6, 80), (6, 443), (6, 445), (17, 53), (17, 67), (17, 123), (17, 546)];

fn cases() -> Vec<Packet> {
    let mut cases = Vec::new();
    let mut ask = |packet: Packet| cases.extend(services(&packet, ASKED));
    for own in [AMONG_TERMINALS, IN_CLINIC] {
        ask(to_box("term0", TERMINAL, own));
        ask(to_box("term0", "192.0.2.77", own));
        ask(to_box("lan0", STATION, own));
        ask(to_box("lan0", TERMINAL, own));
        ask(to_box("wan0", "203.0.113.9", own));
    }
    ask(to_box("term0", STATION, AMONG_TERMINALS));
    ask(to_box("wan0", CENTRE, ON_LINE));
    ask(to_box("wan0", ROUTER, ON_LINE));
    ask(to_box("wan0", TERMINAL6, ON_LINE));
    ask(to_box("lan0", "fe80::99", ON_LINE));
    ask(to_box("term0", "fe80::99", ON_LINE));
    ask(to_box("term0", TERMINAL6, ON_LINE));
    ask(through("lan0", "term0", STATION, TERMINAL));
    ask(through("term0", "lan0", TERMINAL, STATION));
    ask(through("lan0", "wan0", "2001:db8:5::1", CENTRE));
    ask(through("term0", "wan0", TERMINAL6, CENTRE));
    ask(through("term0", "wan0", "2001:db8:0:1::3", CENTRE));
    ask(through("term0", "wan0", TERMINAL6, "2001:db8:0:ff::1"));
    ask(through("wan0", "term0", CENTRE, TERMINAL6));
    for (port, source) in [("wan0", ROUTER), ("term0", "fe80::99"), ("lan0", "fe80::99")] {
        for kind in [1, 2, 3, 4, 133, 134, 135, 136, 137] {
            cases.push(icmp(&to_box(port, source, ON_LINE), kind, 255));
            cases.push(icmp(&to_box(port, source, ON_LINE), kind, 64));
        }
        cases.push(icmp(&to_box(port, source, ON_LINE), 128, 64));
        cases.push(icmp(&to_box(port, source, ON_LINE), 131, 1));
    }
    for (port, source, own) in
        [("term0", TERMINAL, AMONG_TERMINALS), ("term0", TERMINAL, IN_CLINIC), ("lan0", STATION, IN_CLINIC)]
    {
        cases.push(icmp(&to_box(port, source, own), 8, 64));
    }
    for port in ["term0", "lan0"] {
        let discover = Packet { source_service: 68, ..to_box(port, "0.0.0.0", "255.255.255.255") };
        cases.extend(services(&discover, &[(17, 67), (17, 68)]));
    }
    // Every flow its own, so that none is answered into being established.
    for (place, packet) in cases.iter_mut().enumerate() {
        let free = 20_000 + u16::try_from(place).unwrap();
        packet.source_service = if packet.source_service == 0 { free } else { packet.source_service };
    }
    cases
}

/// Rules that also count what the box sends or hears on its own account: at least what was sent, no equality.
fn shared(rule: &str) -> bool {
    rule.starts_with("icmp6-") || rule.contains("-output-") || rule.starts_with("output-")
}

/// Whether the kernel counted what was expected, and nothing else.
fn agree(wanted: &BTreeMap<String, u64>, seen: &BTreeMap<String, u64>) -> bool {
    let of = |counts: &BTreeMap<String, u64>, rule: &String| counts.get(rule).copied().unwrap_or(0);
    let rules = seen.keys().chain(wanted.keys());
    rules.into_iter().all(|rule| match (of(wanted, rule), of(seen, rule)) {
        (wanted, seen) if shared(rule) => seen >= wanted,
        (wanted, seen) => seen == wanted,
    })
}

#[test]
fn every_rule_counts_in_the_kernel_what_explain_says() {
    lab::alone(|| {
        let lab = Lab::build();
        room(|| {});
        let elements = format!("{{ {TERMINAL6} }}");
        run("nft", &["add", "element", "inet", "sekisho", "terminal_addresses6", &elements]);
        the_kernel_agrees(&lab, 20);
    });
}

#[test]
fn before_a_site_is_in_force_the_kernel_holds_what_was_proved_and_counts_what_explain_says() {
    for lends in [true, false] {
        lab::alone(|| {
            let lab = Lab::build();
            let setup = site::setup();
            let room = || {
                let started = async |part, mut commands| {
                    firewall::run_before_a_site(Some(&setup), lends, part, &mut commands).await
                };
                room_of(started, || {})
            };
            let (proofs, part) = room();
            assert!(proofs.iter().all(|promise| promise.proof == Proof::Proved), "{proofs:?}");
            assert_eq!(proofs.iter().map(|promise| promise.number).collect::<Vec<_>>(), [13, 14, 15]);
            assert_eq!(part.state, RulesetState::Proved);
            let before = handles();
            room();
            assert_eq!(handles(), before, "a restart loaded the ruleset again");
            the_kernel_agrees(&lab, 4);
        });
    }
}

/// Sends every case, and compares the kernel's counts with what `explain` says of each; at least so many rules meet
/// a packet.
fn the_kernel_agrees(lab: &Lab, rules: usize) {
    let ruleset = listing();
    let before = counts();
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    let cases = cases();
    for packet in &cases {
        let decision = explain(&ruleset, packet).unwrap();
        *wanted.entry(decision.by).or_default() += 1;
        lab.send(packet);
    }
    assert!(
        cases.len() > 200 && wanted.len() > rules,
        "{} cases at {} rules are too few",
        cases.len(),
        wanted.len()
    );
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let seen = counts().into_iter().map(|(rule, count)| (rule.clone(), count - before[&rule])).collect();
        if agree(&wanted, &seen) {
            return;
        }
        assert!(Instant::now() < deadline, "explain said {wanted:#?}\nthe kernel counted {seen:#?}");
    }
}

/// Waits until a rule has counted so many.
fn counted(rule: &str, times: u64) {
    let deadline = Instant::now() + Duration::from_secs(5);
    let count = || counts().into_iter().find(|(comment, _)| comment.starts_with(rule)).unwrap().1;
    while count() != times {
        assert!(Instant::now() < deadline, "{rule} counted {} and not {times}", count());
    }
}

/// Why promises 1 and 3 look at open flows too: to connection tracking a packet is of a flow wherever it comes in.
#[test]
fn a_forged_packet_of_an_open_flow_stops_at_the_way_it_came_and_not_before() {
    lab::alone(|| {
        let lab = Lab::build();
        room(|| {});
        let elements = format!("{{ {TERMINAL6} }}");
        run("nft", &["add", "element", "inet", "sekisho", "terminal_addresses6", &elements]);
        let time =
            Packet { protocol: 17, destination_service: 123, ..through("term0", "wan0", TERMINAL6, CENTRE) };
        let question = Packet { source_service: 5000, ..time };
        let answer = Packet {
            source_service: 123,
            destination_service: 5000,
            protocol: 17,
            state: State::Established,
            ..through("wan0", "term0", CENTRE, TERMINAL6)
        };
        let forged = Packet { from_port: "lan0".into(), ..answer.clone() };
        lab.send(&question);
        counted("forward-out-listed:", 1);
        lab.send(&answer);
        lab.send(&forged);
        counted("forward-rest:", 1);
        let hasty = [
            "insert",
            "rule",
            "inet",
            "sekisho",
            "forward",
            "ct",
            "state",
            "established",
            "counter",
            "accept",
        ];
        run("nft", &[&hasty[..], &["comment", "\"hasty: open flows first\""]].concat());
        let proofs = firewall::prove(&listing(), &firewall::Intent::from_site(&site::sample()));
        assert!(matches!(proofs[0].proof, Proof::Broken { .. }), "{proofs:?}");
        lab.send(&forged);
        counted("hasty:", 1);
    });
}

#[test]
fn a_ruleset_from_elsewhere_is_proved_or_refused_as_the_kernel_lists_it() {
    lab::alone(|| {
        let now = firewall::Now {
            terminals6: vec!["2001:db8:0:1::2/128".parse().unwrap()],
            ..firewall::Now::default()
        };
        let intent = firewall::Intent::of(&site::sample(), &now);
        let proofs = || firewall::prove(&listing(), &intent);
        run("nft", &["-f", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/elsewhere.nft")]);
        assert_eq!(unproved(&proofs()), [0_u8; 0], "{:?}", proofs());
        run("nft", &["insert", "rule", "inet", "filter", "forward", "tcp", "dport", "9100-9102", "accept"]);
        assert_eq!(unproved(&proofs()), [1, 2, 3, 4, 7, 9], "{:?}", proofs());
        // Without a rule nothing passes, not even an error about an open flow.
        run("nft", &["flush", "chain", "inet", "filter", "forward"]);
        assert_eq!(unproved(&proofs()), [8]);
        run("nft", &["add", "table", "ip", "nat"]);
        run("nft", &["add", "chain", "ip", "nat", "out", "{ type nat hook postrouting priority 100; }"]);
        assert_eq!(unproved(&proofs()), [8]);
        // Another source opens nothing; where a packet is handed to a program nobody knows what it does.
        run("nft", &["add", "rule", "ip", "nat", "out", "oifname", "term0", "masquerade"]);
        assert_eq!(unproved(&proofs()), [8]);
        run("nft", &["insert", "rule", "inet", "filter", "input", "ct", "zone", "set", "4"]);
        assert_eq!(unproved(&proofs()), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    });
}

fn unproved(promises: &[Promise]) -> Vec<u8> {
    promises.iter().filter(|promise| promise.proof != Proof::Proved).map(|promise| promise.number).collect()
}

/// The unit that closes the box before any network loads a text file: it must be the drop-all of this room.
#[test]
fn the_text_that_closes_the_box_at_boot_is_the_drop_all_of_the_room() {
    lab::alone(|| {
        let text = concat!(env!("CARGO_MANIFEST_DIR"), "/../../image/system/usr/lib/sekisho/drop-all.nft");
        run("nft", &["-f", text]);
        let loaded = without_handles(listing());
        let folder = std::env::temp_dir().join(format!("drop-all-{}.json", std::process::id()));
        std::fs::write(&folder, firewall::drop_all().to_string()).unwrap();
        run("nft", &["-j", "-f", folder.to_str().unwrap()]);
        std::fs::remove_file(&folder).unwrap();
        assert_eq!(loaded, without_handles(listing()));
    });
}

/// Numbers the kernel gives, and comments, which a text for people says otherwise.
fn without_handles(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(key, _)| key != "handle" && key != "comment");
            kept.map(|(key, value)| (key, without_handles(value))).collect()
        }
        Value::Array(list) => list.into_iter().map(without_handles).collect(),
        other => other,
    }
}
