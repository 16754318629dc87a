//! The promises as claims: packets of which none may be accepted. What is excepted is written as conditions
//! and cut out of them.

use std::net::Ipv6Addr;

use super::cube::{Conditions, Cube, Field};
use super::intent::Intent;
use super::ports::{NO_PORT, Ports};
use super::span::Span;
use crate::packet::{Path, State};

/// No packet in `cubes` may come through `path`.
pub(super) struct Claim {
    pub(super) path: Path,
    pub(super) cubes: Vec<Cube>,
}

/// The numbers of the promises that are proved.
pub(super) const NUMBERS: [u8; 6] = [1, 2, 3, 4, 5, 6];

/// The claims of one promise.
pub(super) fn claims(number: u8, intent: &Intent, ports: &Ports) -> Vec<Claim> {
    let zones = Zones::new(intent, ports);
    match number {
        1 => vec![
            zones.forward(&zones.clinic, &zones.terminal, Any),
            zones.forward(&zones.terminal, &zones.clinic, Any),
        ],
        2 => {
            let outside =
                zones.every.and(&Span::any_of([zones.clinic.clone(), zones.terminal.clone()]).not());
            vec![
                zones.input(&outside, &from_the_line()),
                zones.forward(&outside, &zones.every, Opening).without(&icmp6(ERRORS6)),
            ]
        }
        3 => vec![zones.forward(&zones.clinic, &zones.wan, Any)],
        4 => {
            let elsewhere = zones.every.and(&zones.wan.not()).and(&zones.terminal.not());
            vec![
                zones.forward(&zones.terminal, &elsewhere, Any),
                zones.forward(&zones.terminal, &zones.wan, Opening).without_all(&listed(intent)),
            ]
        }
        5 => vec![zones.input(&zones.terminal, &of_a_terminal())],
        6 => vec![zones.input(&zones.clinic, &of_the_clinic(intent))],
        _ => Vec::new(),
    }
}

/// Which states a claim is about: those that open something, or those of open flows too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Opening,
    Any,
}
use About::{Any, Opening};

/// The ports of each zone, as numbers.
struct Zones<'i> {
    intent: &'i Intent,
    wan: Span,
    terminal: Span,
    clinic: Span,
    /// Every port but the loopback, which no packet from outside comes in by.
    every: Span,
}

impl<'i> Zones<'i> {
    fn new(intent: &'i Intent, ports: &Ports) -> Self {
        let mut ports = ports.clone();
        let [wan, terminal, clinic] =
            [&intent.wan, &intent.terminal, &intent.clinic].map(|zone| ports.span(zone));
        let loopback = Span::one(ports.number("lo"));
        Self { intent, wan, terminal, clinic, every: ports.every().and(&loopback.not()) }
    }

    fn input(&self, from: &Span, excepted: &[Conditions]) -> Claim {
        let cubes = packets(from, &Span::one(NO_PORT), Opening);
        Claim { path: Path::Input, cubes }.without_all(excepted)
    }

    /// No router passes on what is addressed to itself, or says it comes from itself.
    fn forward(&self, from: &Span, to: &Span, about: About) -> Claim {
        let own = Span::any_of([self.intent.clinic_address, self.intent.terminal_address].map(address4));
        let cubes = packets(from, to, about);
        let own = |field| vec![(Field::Family, Span::one(4_u8)), (field, own.clone())];
        Claim { path: Path::Forward, cubes }.without_all(&[own(Field::Source), own(Field::Destination)])
    }
}

impl Claim {
    fn without(self, excepted: &Conditions) -> Self {
        self.without_all(std::slice::from_ref(excepted))
    }

    fn without_all(self, excepted: &[Conditions]) -> Self {
        Self { path: self.path, cubes: Cube::cut(self.cubes, excepted).1 }
    }
}

/// Every packet of both families between these ports.
pub(super) fn packets_between(from: &Span, to: &Span, states: &Span) -> Vec<Cube> {
    let conditions = [(Field::From, from.clone()), (Field::To, to.clone()), (Field::State, states.clone())];
    [4, 6].into_iter().filter_map(|version| Cube::family(version).with_all(&conditions)).collect()
}

fn packets(from: &Span, to: &Span, about: About) -> Vec<Cube> {
    let opening = states(&[State::New, State::Untracked, State::Invalid]);
    packets_between(from, to, &if about == Any { Span::all() } else { opening })
}

/// A set of states.
pub(super) fn states(list: &[State]) -> Span {
    Span::any_of(list.iter().map(|state| Span::one(*state as u8)))
}

fn address4(address: std::net::Ipv4Addr) -> Span {
    Span::one(u32::from(address))
}

/// Destination unreachable, packet too big, time exceeded, parameter problem.
const ERRORS6: &[u8] = &[1, 2, 3, 4];
/// Queries, reports and leave of multicast listener discovery.
const LISTENER: &[u8] = &[130, 131, 132, 143];
/// Neighbour solicitation and advertisement.
const NEIGHBOUR: &[u8] = &[135, 136];
/// Destination unreachable, time exceeded, parameter problem.
const ERRORS4: &[u8] = &[3, 11, 12];

fn icmp(version: u8, protocol: u8, types: &[u8]) -> Conditions {
    vec![
        (Field::Family, Span::one(version)),
        (Field::Protocol, Span::one(protocol)),
        (Field::Readable, Span::one(1_u8)),
        (Field::IcmpType, Span::any_of(types.iter().map(|number| Span::one(*number)))),
    ]
}

fn icmp6(types: &[u8]) -> Conditions {
    icmp(6, 58, types)
}

fn service(protocol: u8, ports: &[u16]) -> Conditions {
    vec![
        (Field::Protocol, Span::one(protocol)),
        (Field::Readable, Span::one(1_u8)),
        (Field::DestinationService, Span::any_of(ports.iter().map(|port| Span::one(*port)))),
    ]
}

/// RFC 4890 section 4.4: what a node on a link must hear, echo included, redirects not; and DHCPv6 answers.
fn from_the_line() -> Vec<Conditions> {
    let link_local = Span::range(
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0),
        Ipv6Addr::new(0xfebf, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff, 0xffff),
    );
    let mut dhcp6 = service(17, &[546]);
    dhcp6.extend([(Field::Family, Span::one(6_u8)), (Field::Source, link_local)]);
    vec![icmp6(ERRORS6), icmp6(&[128, 129, 134]), icmp6(LISTENER), icmp6(NEIGHBOUR), dhcp6]
}

/// Echo, the ICMP of promise 8, DHCP, DNS, NTP.
fn of_a_terminal() -> Vec<Conditions> {
    vec![
        icmp6(ERRORS6),
        icmp6(&[128, 129, 133]),
        icmp6(LISTENER),
        icmp6(NEIGHBOUR),
        icmp(4, 1, ERRORS4),
        icmp(4, 1, &[0, 8]),
        service(17, &[53, 67, 123, 547]),
        service(6, &[53]),
    ]
}

fn of_the_clinic(intent: &Intent) -> Vec<Conditions> {
    let mut services = service(6, &intent.clinic_services);
    services
        .extend([(Field::Family, Span::one(4_u8)), (Field::Destination, address4(intent.clinic_address))]);
    vec![icmp6(ERRORS6), icmp6(LISTENER), icmp6(NEIGHBOUR), icmp(4, 1, ERRORS4), services]
}

/// The profile's destinations, and errors about flows.
fn listed(intent: &Intent) -> Vec<Conditions> {
    let destinations = intent.destinations.iter().filter_map(|(prefix, protocol, port)| {
        let std::net::IpAddr::V6(network) = prefix.network() else { return None };
        let host = u128::MAX.checked_shr(u32::from(prefix.length)).unwrap_or(0);
        let first = u128::from(network);
        let mut conditions = service(*protocol, &[*port]);
        conditions.extend([
            (Field::Family, Span::one(6_u8)),
            (Field::Destination, Span::range(first, first | host)),
        ]);
        Some(conditions)
    });
    destinations.chain([icmp6(ERRORS6)]).collect()
}
