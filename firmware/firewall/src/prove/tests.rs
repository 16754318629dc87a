//! The prover's machine against [`crate::explain`], which shares nothing with it: one packet is a cube too.

use model::{Profile, Site};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cube::{Conditions, Cube, Field};
use super::ports::NO_PORT;
use super::ruleset::Ruleset;
use super::run::{Keep, Machine};
use super::span::Span;
use super::*;
use crate::explain::explain;
use crate::packet::{Path, State};

fn site() -> Site {
    let profile = Profile::parse("profile.toml", include_str!("../../tests/data/profile.toml"));
    Site::parse("site.toml", include_str!("../../tests/data/site.toml"), profile).unwrap()
}

fn ruleset() -> Value {
    let mut document = crate::compile_json(&site());
    for item in document["nftables"].as_array_mut().unwrap() {
        if item["add"]["set"]["name"] == "terminal_addresses6" {
            item["add"]["set"]["elem"] = json!(["2001:db8:0:1::2"]);
        }
    }
    document
}

fn cube(packet: &Packet, ports: &Ports) -> Cube {
    let mut ports = ports.clone();
    let mut port = |name: &str| Span::one(if name.is_empty() { NO_PORT } else { ports.number(name) });
    let number = |address| match address {
        std::net::IpAddr::V4(address) => Span::one(u32::from(address)),
        std::net::IpAddr::V6(address) => Span::one(address),
    };
    let conditions: Conditions = vec![
        (Field::From, port(&packet.from_port)),
        (Field::To, port(&packet.to_port)),
        (Field::Source, number(packet.source)),
        (Field::Destination, number(packet.destination)),
        (Field::Protocol, Span::one(packet.protocol)),
        (Field::Readable, Span::one(u8::from(packet.readable))),
        (Field::SourceService, Span::one(packet.source_service)),
        (Field::DestinationService, Span::one(packet.destination_service)),
        (Field::IcmpType, Span::one(packet.icmp_type)),
        (Field::IcmpCode, Span::one(packet.icmp_code)),
        (Field::HopLimit, Span::one(packet.hop_limit)),
        (Field::State, Span::one(packet.state as u8)),
    ];
    Cube::family(if packet.source.is_ipv4() { 4 } else { 6 }).with_all(&conditions).unwrap()
}

fn packet() -> impl Strategy<Value = Packet> {
    let ends = prop_oneof![
        (
            prop::sample::select(vec!["192.0.2.2", "192.0.2.9", "198.51.100.10", "0.0.0.0"]),
            prop::sample::select(vec!["192.0.2.1", "198.51.100.1", "192.0.2.2", "255.255.255.255"]),
        ),
        (
            prop::sample::select(vec!["fe80::1", "2001:db8:0:1::2", "2001:db8:0:cc::10", "::"]),
            prop::sample::select(vec![
                "2001:db8:0:cc::10",
                "2001:db8:0:53::1",
                "2001:db8:0:1::5",
                "ff02::1:2"
            ]),
        ),
    ];
    let port = || prop::sample::select(vec!["wan0", "term0", "lan0", "usb0"]);
    let way = prop_oneof![
        port().prop_map(|from| (Path::Input, from, "")),
        port().prop_map(|to| (Path::Output, "", to)),
        (port(), port()).prop_map(|(from, to)| (Path::Forward, from, to)),
    ];
    let transport = (
        prop::sample::select(vec![6_u8, 17, 1, 58, 50]),
        prop::sample::select(vec![68_u16, 546, 40_000]),
        prop::sample::select(vec![53_u16, 67, 68, 80, 123, 443, 445, 546, 547]),
        prop::sample::select(vec![0_u8, 1, 2, 8, 128, 131, 133, 134, 135, 137]),
        prop::sample::select(vec![1_u8, 64, 255]),
    );
    (ends, way, transport, prop::bool::weighted(0.9), prop::sample::select(State::ALL.to_vec())).prop_map(
        |(
            (source, destination),
            (path, from, to),
            (protocol, sport, dport, icmp_type, hop_limit),
            readable,
            state,
        )| Packet {
            path,
            from_port: from.into(),
            to_port: to.into(),
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            // The other family's ICMP has a test of its own.
            protocol: match (protocol, source.contains(':')) {
                (58, false) => 1,
                (1, true) => 58,
                (other, _) => other,
            },
            readable,
            source_service: sport,
            destination_service: dport,
            icmp_type,
            icmp_code: 0,
            // A router takes one, and what has none left goes nowhere.
            hop_limit: if path == Path::Forward { 64 } else { hop_limit },
            state,
        },
    )
}

/// Takes rules out, so that packets come further than they should, and limits, which are no packet's own.
fn thinned(mut document: Value, out: &[usize]) -> Value {
    let items = document["nftables"].as_array_mut().unwrap();
    let steps = |item| Value::pointer_mut(item, "/add/rule/expr").and_then(Value::as_array_mut);
    for steps in items.iter_mut().filter_map(steps) {
        steps.retain(|step| step.get("limit").is_none());
    }
    for place in out {
        let rules: Vec<usize> = items
            .iter()
            .enumerate()
            .filter(|(_, item)| item["add"].get("rule").is_some())
            .map(|(at, _)| at)
            .collect();
        items.remove(rules[place % rules.len()]);
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn one_packet_fares_alike_in_the_prover_and_in_explain(
        packets in prop::collection::vec(packet(), 40),
        out in prop::collection::vec(0_usize..1000, 0..12),
        policy in any::<bool>(),
    ) {
        let mut document = thinned(ruleset(), &out);
        for item in document["nftables"].as_array_mut().unwrap() {
            if let Some(said) = item.pointer_mut("/add/chain/policy").filter(|_| policy) {
                *said = json!("accept");
            }
        }
        let mut ports = Ports::default();
        for name in ["wan0", "term0", "lan0", "usb0"] {
            ports.number(name);
        }
        let machine = Machine::new(&Ruleset::read(&document), ports);
        prop_assert_eq!(&machine.unknown, &Vec::<String>::new());
        for packet in packets {
            let accepted = machine.run(packet.path, vec![cube(&packet, &machine.ports)], Keep::Nothing).unwrap().accepted;
            prop_assert!(accepted.iter().all(|cube| cube.doubt.is_none()));
            let decision = explain(&document, &packet).unwrap();
            prop_assert_eq!(!accepted.is_empty(), decision.accepted, "{}: {}", packet, decision.by);
        }
    }
}

/// The pointers of every value in a document.
fn pointers(value: &Value, here: &str, list: &mut Vec<String>) {
    list.push(here.to_owned());
    let under: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    under.into_iter().for_each(|(key, value)| pointers(value, &format!("{here}/{key}"), list));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_document_makes_the_prover_panic(
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..6),
        values in prop::collection::vec(prop::sample::select(vec![
            json!(null), json!(-1), json!(129), json!(1e30), json!("@"), json!("@x"), json!("\u{e9}"), json!([]), json!({}),
            json!({"prefix": {"addr": "::", "len": 0}}), json!({"range": [9, 1]}), json!({"concat": []}),
        ]), 6),
        packet in packet(),
    ) {
        let mut document = ruleset();
        for (place, value) in places.iter().zip(values) {
            let mut list = Vec::new();
            pointers(&document, "", &mut list);
            let at: &String = place.get(&list);
            *document.pointer_mut(at).unwrap() = value;
        }
        let intent = Intent::from_site(&site());
        prop_assert_eq!(prove(&document, &intent).len(), promises::numbers(&intent).len());
        // Understood or not: it says so.
        let _ = explain(&document, &packet);
    }
}
