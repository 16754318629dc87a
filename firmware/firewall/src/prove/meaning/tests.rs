//! Every sentence is held against [`crate::explain`], which shares nothing with the sets: it is true of every packet that
//! is taken out of it, and every packet that fares otherwise is in one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Profile;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::explain::explain;
use crate::packet::Packet;

fn site_of(profile: &str, site: &str) -> Site {
    Site::parse("site.toml", site, Profile::parse("profile.toml", profile)).unwrap()
}

const PROFILE: &str = include_str!("../../../tests/data/profile.toml");
const SITE: &str = include_str!("../../../tests/data/site.toml");

fn sample() -> Site {
    site_of(PROFILE, SITE)
}

fn with_a_terminal(mut document: Value) -> Value {
    for item in document["nftables"].as_array_mut().unwrap() {
        if item["add"]["set"]["name"] == "terminal_addresses6" {
            item["add"]["set"]["elem"] = json!(["2001:db8:0:1::2"]);
        }
    }
    document
}

fn ruleset() -> Value {
    with_a_terminal(crate::compile_json(&sample()))
}

fn sentences(old: &Value, new: &Value) -> (Vec<String>, Vec<String>) {
    let difference = diff(old, new, &Names::of_site(&sample()));
    assert_eq!(difference.unclear, Vec::<String>::new());
    let said = |list: Vec<Change>| list.into_iter().map(|change| change.sentence).collect();
    (said(difference.gained), said(difference.lost))
}

/// The packet of a cube with, for each field, the value the chooser picks of its ranges.
fn packet_of(path: Path, cube: &Cube, ports: &Ports, choose: impl Fn(&[(u128, u128)]) -> u128) -> Packet {
    let value = |field| choose(cube.span(field).ranges());
    let byte = |field| u8::try_from(value(field)).unwrap();
    let service = |field| u16::try_from(value(field)).unwrap();
    let address = |field| match value(Field::Family) {
        4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(value(field)).unwrap())),
        _ => IpAddr::V6(Ipv6Addr::from(value(field))),
    };
    Packet {
        path,
        from_port: ports.name(value(Field::From)),
        to_port: ports.name(value(Field::To)),
        source: address(Field::Source),
        destination: address(Field::Destination),
        protocol: byte(Field::Protocol),
        readable: value(Field::Readable) == 1,
        source_service: service(Field::SourceService),
        destination_service: service(Field::DestinationService),
        icmp_type: byte(Field::IcmpType),
        icmp_code: byte(Field::IcmpCode),
        hop_limit: byte(Field::HopLimit),
        state: State::ALL[usize::from(byte(Field::State))],
    }
}

/// The lowest, the highest, and one in the middle of the ranges.
fn corners(path: Path, cube: &Cube, ports: &Ports) -> Vec<Packet> {
    let lowest = |ranges: &[(u128, u128)]| ranges[0].0;
    let highest = |ranges: &[(u128, u128)]| ranges[ranges.len() - 1].1;
    let middle = |ranges: &[(u128, u128)]| {
        let (first, last) = ranges[ranges.len() / 2];
        first + (last - first) / 2
    };
    vec![
        packet_of(path, cube, ports, lowest),
        packet_of(path, cube, ports, highest),
        packet_of(path, cube, ports, middle),
    ]
}

fn has(cube: &Cube, packet: &Packet, ports: &Ports) -> bool {
    let mut ports = ports.clone();
    let stranger = ports.name(super::super::ports::STRANGER);
    let mut port = |name: &str| match name {
        "" => NO_PORT,
        name if name == stranger => super::super::ports::STRANGER,
        name => ports.number(name),
    };
    let number = |address| match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    };
    [
        (Field::From, port(&packet.from_port)),
        (Field::To, port(&packet.to_port)),
        (Field::Family, if packet.source.is_ipv4() { 4 } else { 6 }),
        (Field::Source, number(packet.source)),
        (Field::Destination, number(packet.destination)),
        (Field::Protocol, packet.protocol.into()),
        (Field::Readable, u128::from(packet.readable)),
        (Field::SourceService, packet.source_service.into()),
        (Field::DestinationService, packet.destination_service.into()),
        (Field::IcmpType, packet.icmp_type.into()),
        (Field::IcmpCode, packet.icmp_code.into()),
        (Field::HopLimit, packet.hop_limit.into()),
        (Field::State, packet.state as u128),
    ]
    .into_iter()
    .all(|(field, value)| cube.span(field).has(value))
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
    let port = || prop::sample::select(vec!["wan0", "term0", "lan0", "unplanned0"]);
    let way = prop_oneof![
        port().prop_map(|from| (Path::Input, from, "")),
        port().prop_map(|to| (Path::Output, "", to)),
        (port(), port()).prop_map(|(from, to)| (Path::Forward, from, to)),
    ];
    let transport = (
        prop::sample::select(vec![6_u8, 17, 1, 58, 50]),
        prop::sample::select(vec![67_u16, 68, 546, 40_000]),
        prop::sample::select(vec![53_u16, 67, 68, 80, 123, 443, 445, 546, 547]),
        prop::sample::select(vec![0_u8, 1, 2, 8, 128, 131, 133, 134, 135, 137]),
        prop::sample::select(vec![1_u8, 64, 255]),
    );
    (ends, way, transport, prop::bool::weighted(0.9), prop::sample::select(State::ALL.to_vec())).prop_map(
        |(
            (source, destination),
            (path, from, to),
            (protocol, sport, dport, icmp_type, hops),
            readable,
            state,
        )| {
            let source: IpAddr = source.parse().unwrap();
            let protocol = match (protocol, source.is_ipv6()) {
                (58, false) => 1,
                (1, true) => 58,
                (other, _) => other,
            };
            Packet {
                path,
                from_port: from.into(),
                to_port: to.into(),
                source,
                destination: destination.parse().unwrap(),
                protocol,
                readable,
                source_service: sport,
                destination_service: dport,
                icmp_type,
                icmp_code: 0,
                // What is at its last hop is passed on by nobody, whatever the rules say.
                hop_limit: if path == Path::Forward { 64 } else { hops },
                state,
            }
        },
    )
}

/// Takes rules out and turns verdicts round, so that much passes that should not, and the other way.
fn changed(mut document: Value, out: &[usize], turned: &[usize]) -> Value {
    let items = document["nftables"].as_array_mut().unwrap();
    let rules = |items: &Vec<Value>| -> Vec<usize> {
        let all = items.iter().enumerate().filter(|(_, item)| item["add"].get("rule").is_some());
        all.map(|(at, _)| at).collect()
    };
    for place in turned {
        let places = rules(items);
        let steps = items[places[place % places.len()]]["add"]["rule"]["expr"].as_array_mut().unwrap();
        if let Some(last) = steps.last_mut().filter(|last| last.get("drop").is_some()) {
            *last = json!({"accept": null});
        }
    }
    for place in out {
        let places = rules(items);
        items.remove(places[place % places.len()]);
    }
    // What a limit lets pass, of packets or of a sender's flows, is no packet's own.
    let steps = |item| Value::pointer_mut(item, "/add/rule/expr").and_then(Value::as_array_mut);
    let counts = |item: &Value| item["add"]["rule"]["expr"].to_string().contains("ct count");
    items.retain(|item| !counts(item));
    for steps in items.iter_mut().filter_map(steps) {
        steps.retain(|step| step.get("limit").is_none());
    }
    document
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn every_sentence_is_true_of_its_packets_and_every_packet_that_fares_otherwise_is_in_one(
        packets in prop::collection::vec(packet(), 60),
        out in prop::collection::vec(0_usize..1000, 0..6),
        turned in prop::collection::vec(0_usize..1000, 0..6),
        back in any::<bool>(),
    ) {
        let (mut old, mut new) = (changed(ruleset(), &[], &[]), changed(ruleset(), &out, &turned));
        if back {
            std::mem::swap(&mut old, &mut new);
        }
        let [gained, lost, doubtful] = sets(&old, &new, Names::of_site(&sample()).numbered());
        let of = |sets: &Passings, packet: &Packet| {
            let own = sets.by_path.iter().filter(|(path, _)| *path == packet.path);
            own.flat_map(|(_, cubes)| cubes).filter(|cube| has(cube, packet, &sets.ports)).count()
        };
        for (sets, now) in [(&gained, true), (&lost, false)] {
            for (path, cube) in sets.by_path.iter().flat_map(|(path, cubes)| cubes.iter().map(move |cube| (*path, cube))) {
                for packet in corners(path, cube, &sets.ports) {
                    let [before, after] = [&old, &new].map(|document| explain(document, &packet).unwrap());
                    prop_assert_eq!((before.accepted, after.accepted), (!now, now), "{}", packet);
                }
            }
        }
        for packet in packets {
            let [before, after] = [&old, &new].map(|document| explain(document, &packet).unwrap().accepted);
            for (sets, differs) in [(&gained, !before && after), (&lost, before && !after)] {
                let held = of(sets, &packet);
                prop_assert_eq!(held, usize::from(differs && of(&doubtful, &packet) == 0), "{}", packet);
            }
        }
    }
}

#[test]
fn a_wider_page_and_a_destination_less_are_two_sentences() {
    let mut wider = sample();
    wider.page.https = 8443;
    let fewer = site_of(
        &PROFILE.replace(
            "prefix = \"2001:db8:0:53::/64\"\ntcp = [53]\nudp = [53]",
            "prefix = \"2001:db8:0:53::/64\"\ntcp = [53]",
        ),
        SITE,
    );
    let [wider, fewer] = [wider, fewer].map(|site| with_a_terminal(crate::compile_json(&site)));
    let (gained, lost) = sentences(&ruleset(), &wider);
    assert_eq!(gained, ["clinic may now reach the box's 8443/TCP at 198.51.100.1 from 198.51.100.0/24"]);
    assert_eq!(lost, ["clinic may no longer reach the box's 443/TCP at 198.51.100.1 from 198.51.100.0/24"]);
    let (gained, lost) = sentences(&ruleset(), &fewer);
    assert_eq!(gained, Vec::<String>::new());
    assert_eq!(
        lost,
        ["terminal may no longer reach line's 53/UDP at 2001:db8:0:53::/64 from 2001:db8:0:1::2"]
    );
}

#[test]
fn the_same_meaning_in_other_lines_is_nothing() {
    let old = ruleset();
    // No logs, a set under another name, a port on a line of its own, a port twice.
    let mut new = old.clone();
    let items = new["nftables"].as_array_mut().unwrap();
    items.retain(|item| !item["add"]["rule"]["comment"].as_str().is_some_and(|text| text.contains("-log: ")));
    let text = serde_json::to_string(items).unwrap().replace("clinic_services", "whatever");
    *items = serde_json::from_str(&text).unwrap();
    let at = items
        .iter()
        .position(|item| {
            item["add"]["rule"]["comment"]
                .as_str()
                .is_some_and(|text| text.starts_with("clinic-input-service"))
        })
        .unwrap();
    let mut twice = items[at].clone();
    twice["add"]["rule"]["expr"][1]["match"]["right"] = json!(443);
    items.insert(at, twice);
    let difference = diff(&old, &new, &Names::of_site(&sample()));
    assert!(difference.is_nothing(), "{difference:?}");
}

#[test]
fn what_is_not_understood_is_named_and_nothing_is_claimed() {
    let mut strange = ruleset();
    let rule = json!({"add": {"rule": {"family": "inet", "table": "sekisho", "chain": "input", "expr": [{"queue": {"num": 1}}]}}});
    strange["nftables"].as_array_mut().unwrap().push(rule);
    let difference = diff(&ruleset(), &strange, &Names::default());
    assert!(!difference.is_nothing() && difference.gained.is_empty() && difference.lost.is_empty());
    assert!(difference.unclear[0].contains("queue"), "{:?}", difference.unclear);
    assert!(matrix(&strange, &sample()).unclear[0].contains("queue"));
}

#[test]
fn everything_is_lost_to_a_ruleset_that_drops_everything() {
    let (gained, lost) = sentences(&ruleset(), &crate::drop_all());
    assert_eq!(gained, Vec::<String>::new());
    assert!(!lost.is_empty());
    let (gained, lost) = sentences(&crate::drop_all(), &ruleset());
    assert!(!gained.is_empty() && lost.is_empty());
}

#[test]
fn the_matrix_of_a_site_in_both_languages() {
    let matrix = matrix(&ruleset(), &sample());
    assert_eq!(matrix.unclear, Vec::<String>::new());
    let mut told = String::new();
    for cell in &matrix.cells {
        told.push_str(&format!(
            "{} → {}{}\n",
            cell.from,
            cell.to,
            if cell.answers { ", answers" } else { "" }
        ));
        cell.may.iter().for_each(|may| told.push_str(&format!("    {}\n    {}\n", may.en, may.ja)));
        let lines: Vec<&str> = cell.lines.iter().map(|line| line.id.as_str()).collect();
        told.push_str(&format!("    lines: {}\n", lines.join(" ")));
    }
    insta::assert_snapshot!("matrix", told);
    for (from, to) in [
        ("clinic", "terminal"),
        ("terminal", "clinic"),
        ("clinic", "wan"),
        ("other", "box"),
        ("box", "other"),
    ] {
        let cell = matrix.cell(from, to).unwrap();
        assert!(cell.may.is_empty() && !cell.answers, "{from} → {to}");
    }
}

#[test]
fn two_sites_share_the_names_of_the_zones_they_agree_on() {
    let swapped = site_of(PROFILE, &SITE.replace("term0", "lan9"));
    let [old, new] = [sample(), swapped].map(|site| Names::of_site(&site));
    let common = Names::common(&old, &new);
    assert_eq!(common.zones.iter().map(|zone| zone.key.as_str()).collect::<Vec<_>>(), ["wan", "clinic"]);
    assert_eq!(Names::common(&old, &old), old);
}
