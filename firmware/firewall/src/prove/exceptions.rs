//! What the promises except, as conditions on packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::site::prefix::Prefix;

use super::cube::{Conditions, Field};
use super::intent::Intent;
use super::span::Span;

pub(super) fn address4(address: Ipv4Addr) -> Span {
    Span::one(u32::from(address))
}

/// ICMP of the other family: IPv4 hands protocol 58 to nobody, and IPv6 protocol 1, so it reaches nothing.
pub(super) const WITHOUT_RECEIVER: [(u8, u8); 2] = [(4, 58), (6, 1)];

pub(super) fn carried((version, protocol): (u8, u8)) -> Conditions {
    vec![(Field::Family, Span::one(version)), (Field::Protocol, Span::one(protocol))]
}

/// Destination unreachable, packet too big, time exceeded, parameter problem.
pub(super) const ERRORS6: &[u8] = &[1, 2, 3, 4];
/// Queries, reports and leave of multicast listener discovery.
const LISTENER: &[u8] = &[130, 131, 132, 143];
/// Neighbour solicitation and advertisement.
const NEIGHBOUR: &[u8] = &[135, 136];
/// Destination unreachable, time exceeded, parameter problem.
const ERRORS4: &[u8] = &[3, 11, 12];

/// What no router passes on: packets of and to the box itself, and addresses that mean no host beyond the link
/// (RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.3, 2.5.6 and 2.7).
pub(super) fn never_forwarded(own: &Span) -> [Conditions; 3] {
    let ipv4 = |network: [u8; 4], last: [u8; 4]| {
        Span::range(u32::from(Ipv4Addr::from(network)), u32::from(Ipv4Addr::from(last)))
    };
    let [this, loopback] = [ipv4([0; 4], [0, 255, 255, 255]), ipv4([127, 0, 0, 0], [127, 255, 255, 255])];
    let groups = ipv4([224, 0, 0, 0], [255; 4]);
    let everybody = ipv4([255; 4], [255; 4]);
    let no_source = Span::any_of([own.clone(), this.clone(), loopback.clone(), groups]);
    let no_destination = Span::any_of([own.clone(), this, loopback, everybody]);
    let groups6 = u128::from(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0));
    let no_source6 = Span::any_of([Span::range(0_u8, 1_u8), link_local(), Span::range(groups6, u128::MAX)]);
    [
        (4_u8, Field::Source, no_source),
        (4, Field::Destination, no_destination),
        (6, Field::Source, no_source6),
    ]
    .map(|(version, field, span)| vec![(Field::Family, Span::one(version)), (field, span)])
}

/// fe80::/10.
fn link_local() -> Span {
    let first = u128::from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0));
    Span::range(first, first | u128::MAX >> 10)
}

fn icmp(version: u8, protocol: u8, types: &[u8]) -> Conditions {
    vec![
        (Field::Family, Span::one(version)),
        (Field::Protocol, Span::one(protocol)),
        (Field::Readable, Span::one(1_u8)),
        (Field::IcmpType, Span::any_of(types.iter().map(|number| Span::one(*number)))),
    ]
}

pub(super) fn icmp6(types: &[u8]) -> Conditions {
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
pub(super) fn from_the_line() -> Vec<Conditions> {
    let mut dhcp6 = service(17, &[546]);
    dhcp6.extend([(Field::Family, Span::one(6_u8)), (Field::Source, link_local())]);
    vec![icmp6(ERRORS6), icmp6(&[128, 129, 134]), icmp6(LISTENER), icmp6(NEIGHBOUR), dhcp6]
}

/// Echo, the ICMP of promise 8, DHCP, DNS, NTP.
pub(super) fn of_a_terminal() -> Vec<Conditions> {
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

pub(super) fn of_the_clinic(intent: &Intent) -> Vec<Conditions> {
    let mut services = service(6, &intent.clinic_services);
    services
        .extend([(Field::Family, Span::one(4_u8)), (Field::Destination, address4(intent.clinic_address))]);
    vec![icmp6(ERRORS6), icmp6(LISTENER), icmp6(NEIGHBOUR), icmp(4, 1, ERRORS4), services]
}

/// The page at the setup address; requests for an address where the box lends them.
pub(super) fn of_the_setup_port(intent: &Intent) -> Vec<Conditions> {
    let mut page = service(6, &intent.clinic_services);
    page.extend([(Field::Family, Span::one(4_u8)), (Field::Destination, address4(intent.clinic_address))]);
    let lends = intent.before_a_site.is_some_and(|before| before.lends_addresses);
    [page].into_iter().chain(lends.then(|| dhcp(68, 67))).collect()
}

/// Answers to those requests.
pub(super) fn to_the_setup_port(intent: &Intent) -> Vec<Conditions> {
    let lends = intent.before_a_site.is_some_and(|before| before.lends_addresses);
    lends.then(|| dhcp(67, 68)).into_iter().collect()
}

fn dhcp(from: u16, to: u16) -> Conditions {
    let mut dhcp = service(17, &[to]);
    dhcp.extend([(Field::Family, Span::one(4_u8)), (Field::SourceService, Span::one(from))]);
    dhcp
}

/// What a node has to say on a link: errors, neighbour and listener discovery.
pub(super) fn of_the_link() -> Vec<Conditions> {
    vec![icmp6(ERRORS6), icmp6(LISTENER), icmp6(NEIGHBOUR), icmp(4, 1, ERRORS4)]
}

/// The profile's destinations, and errors about flows.
pub(super) fn to_destinations(intent: &Intent) -> Vec<Conditions> {
    intent.destinations.iter().filter_map(listed).chain([icmp6(ERRORS6)]).collect()
}

/// The box's peers, echo, router solicitation, DHCPv6.
pub(super) fn to_the_line(intent: &Intent) -> Vec<Conditions> {
    let mut dhcp6 = service(17, &[547]);
    dhcp6.push((Field::Family, Span::one(6_u8)));
    let peers = intent.peers.iter().filter_map(listed);
    peers.chain(of_the_link()).chain([icmp6(&[128, 129, 133]), dhcp6]).collect()
}

/// The terminals' shares, echo, DHCP answers.
pub(super) fn to_a_terminal(intent: &Intent) -> Vec<Conditions> {
    let terminals = Span::any_of(intent.terminals.iter().map(|address| address4(*address)));
    let mut share = service(6, &[445]);
    share.extend([(Field::Family, Span::one(4_u8)), (Field::Destination, terminals.clone())]);
    let mut echo = icmp(4, 1, &[0, 8]);
    echo.push((Field::Destination, terminals));
    let mut dhcp = service(17, &[68]);
    dhcp.push((Field::Family, Span::one(4_u8)));
    of_the_link().into_iter().chain([share, echo, dhcp]).collect()
}

/// The shares of consumers whose folders are elsewhere.
pub(super) fn to_the_clinic(intent: &Intent) -> Vec<Conditions> {
    let consumers = Span::any_of(intent.consumers.iter().map(|address| address4(*address)));
    let mut share = service(6, &[445]);
    share.extend([(Field::Family, Span::one(4_u8)), (Field::Destination, consumers)]);
    of_the_link().into_iter().chain([share]).collect()
}

/// An IPv6 prefix, a protocol, a port.
fn listed((prefix, protocol, port): &(Prefix, u8, u16)) -> Option<Conditions> {
    let IpAddr::V6(network) = prefix.network() else { return None };
    let host = u128::MAX.checked_shr(u32::from(prefix.length)).unwrap_or(0);
    let first = u128::from(network);
    let mut conditions = service(*protocol, &[*port]);
    conditions
        .extend([(Field::Family, Span::one(6_u8)), (Field::Destination, Span::range(first, first | host))]);
    Some(conditions)
}
