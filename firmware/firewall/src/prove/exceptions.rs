//! What the promises except, as conditions on packets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Zone;

use super::cube::{Conditions, Field};
use super::intent::{Families, Intent, Service};
use super::matching::{has_ports, has_type};
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
pub(super) const LISTENER: &[u8] = &[130, 131, 132, 143];
/// Neighbour solicitation and advertisement.
pub(super) const NEIGHBOUR: &[u8] = &[135, 136];
/// Destination unreachable, time exceeded, parameter problem.
const ERRORS4: &[u8] = &[3, 11, 12];

/// What no router passes on: packets of and to the box itself, and addresses that mean no host beyond the link
/// (RFC 1122 section 3.2.1.3, RFC 4291 sections 2.5.2, 2.5.3, 2.5.6 and 2.7).
pub(super) fn never_forwarded(own: &Span) -> [Conditions; 3] {
    let ipv4 = |network: [u8; 4], last: [u8; 4]| {
        Span::range(u32::from(Ipv4Addr::from(network)), u32::from(Ipv4Addr::from(last)))
    };
    let [this, loopback] = [ipv4([0; 4], [0, 255, 255, 255]), ipv4([127, 0, 0, 0], [127, 255, 255, 255])];
    let groups = ipv4([224, 0, 0, 0], [239, 255, 255, 255]);
    let everybody = ipv4([255; 4], [255; 4]);
    let no_source = Span::any_of([own.clone(), this.clone(), loopback.clone(), groups, everybody.clone()]);
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
pub(super) fn link_local() -> Span {
    let first = u128::from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0));
    Span::range(first, first | u128::MAX >> 10)
}

fn icmp(version: u8, protocol: u8, types: &[u8]) -> Conditions {
    vec![
        (Field::Family, Span::one(version)),
        (Field::Protocol, Span::one(protocol)),
        (Field::Readable, has_type()),
        (Field::IcmpType, Span::any_of(types.iter().map(|number| Span::one(*number)))),
    ]
}

pub(super) fn icmp6(types: &[u8]) -> Conditions {
    icmp(6, 58, types)
}

fn service(protocol: u8, ports: &[u16]) -> Conditions {
    vec![
        (Field::Protocol, Span::one(protocol)),
        (Field::Readable, has_ports()),
        (Field::DestinationService, Span::any_of(ports.iter().map(|port| Span::one(*port)))),
    ]
}

/// What may begin from a way out: on IPv6 what it needs there, DHCPv4 answers on the internet line, IKE and ESP from the
/// configured gateways.
pub(super) fn from_outside(intent: &Intent, zone: Zone) -> Vec<Conditions> {
    let ipv6 = carries(intent, zone).ipv6;
    let mut excepted = if ipv6 { from_the_line() } else { Vec::new() };
    if zone == Zone::Isp {
        excepted.push(dhcp(67, 68));
    }
    excepted.extend(gateways(intent, zone, Field::Source));
    excepted
}

fn carries(intent: &Intent, zone: Zone) -> Families {
    intent.carries.get(&zone).copied().unwrap_or(Families { ipv4: false, ipv6: false })
}

/// IKE (RFC 7296 section 2: ports 500 and 4500) and ESP with the gateways at this end.
fn gateways(intent: &Intent, zone: Zone, end: Field) -> Vec<Conditions> {
    let here = intent.gateways.iter().filter(|(by, _)| *by == zone).map(|(_, gateway)| *gateway);
    here.flat_map(|gateway| {
        let at = |mut conditions: Conditions| {
            conditions.extend(place(end, Service { prefix: whole(gateway), protocol: None, port: None }));
            conditions
        };
        [at(service(17, &[500, 4500])), at(vec![(Field::Protocol, Span::one(50_u8))])]
    })
    .collect()
}

const fn whole(address: IpAddr) -> model::site::prefix::Prefix {
    let length = if address.is_ipv4() { 32 } else { 128 };
    model::site::prefix::Prefix { address, length }
}

/// RFC 4890 section 4.4: what a node on a link must hear, echo included, redirects not; and DHCPv6 answers.
fn from_the_line() -> Vec<Conditions> {
    let mut dhcp6 = service(17, &[546]);
    dhcp6.extend([(Field::Family, Span::one(6_u8)), (Field::Source, link_local())]);
    vec![icmp6(ERRORS6), icmp6(&[128, 129, 134]), icmp6(LISTENER), icmp6(NEIGHBOUR), dhcp6]
}

/// Echo, the ICMP of promise 8, DHCP, DNS, NTP, at the box's address in the zone.
pub(super) fn of_a_terminal(intent: &Intent, zone: Zone) -> Vec<Conditions> {
    let here = |conditions| at_own(intent, zone, conditions);
    // RFC 2131 section 4.1: to everybody, while it does not know whom to ask.
    let mut asking = dhcp(68, 67);
    asking.push((Field::Destination, address4(Ipv4Addr::BROADCAST)));
    vec![
        icmp6(ERRORS6),
        icmp6(&[128, 129, 133]),
        icmp6(LISTENER),
        icmp6(NEIGHBOUR),
        icmp(4, 1, ERRORS4),
        here(icmp(4, 1, &[0, 8])),
        here(service(17, &[53, 67, 123])),
        here(service(6, &[53])),
        asking,
        dhcp6(),
    ]
}

/// RFC 8415 sections 7.1 and 7.2: a client asks all relay agents and servers of its link.
fn dhcp6() -> Conditions {
    let mut dhcp6 = service(17, &[547]);
    let servers = Span::one(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2));
    dhcp6.extend([
        (Field::Family, Span::one(6_u8)),
        (Field::SourceService, Span::one(546_u16)),
        (Field::Destination, servers),
    ]);
    dhcp6
}

/// As a terminal, and the shares at the box's address there.
pub(super) fn of_a_claims_host(intent: &Intent) -> Vec<Conditions> {
    let share = at_own(intent, Zone::Claims, service(6, &[445]));
    of_a_terminal(intent, Zone::Claims).into_iter().chain([share]).collect()
}

/// The page and the shares, and names and addresses where the site asks for them, at the box's clinic address.
pub(super) fn of_the_clinic(intent: &Intent) -> Vec<Conditions> {
    let mut excepted = of_the_link();
    excepted.push(at_own(intent, Zone::Clinic, service(6, &intent.clinic_services)));
    if intent.clinic_datagrams.contains(&53) {
        excepted.extend([6, 17].map(|protocol| at_own(intent, Zone::Clinic, service(protocol, &[53]))));
    }
    if intent.clinic_datagrams.contains(&67) {
        excepted.extend([dhcp(68, 67), at_own(intent, Zone::Clinic, service(17, &[67]))]);
    }
    excepted
}

/// At the box's own address in a zone.
fn at_own(intent: &Intent, zone: Zone, mut conditions: Conditions) -> Conditions {
    let own = intent.own.get(&zone).map_or_else(Span::none, |address| address4(*address));
    conditions.extend([(Field::Family, Span::one(4_u8)), (Field::Destination, own)]);
    conditions
}

/// The page at the setup address; requests for an address where the box lends them.
pub(super) fn of_the_setup_port(intent: &Intent) -> Vec<Conditions> {
    let page = at_own(intent, Zone::Clinic, service(6, &intent.clinic_services));
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

/// What may be opened from one zone to another.
pub(super) fn over_the_way(intent: &Intent, from: Zone, to: Zone) -> Vec<Conditions> {
    intent.way(from, to).map(listed).collect()
}

/// The box's peers by a zone, and echo.
fn peers(intent: &Intent, zone: Zone) -> Vec<Conditions> {
    let peers = intent.peers.iter().filter(|(by, _)| *by == zone);
    let mut all: Vec<Conditions> = peers.clone().map(|(_, service)| listed(service)).collect();
    all.extend(peers.map(|(_, service)| echo(Field::Destination, *service)));
    all
}

/// Echo with whoever is there.
fn echo(end: Field, asked: Service) -> Conditions {
    let kinds = if asked.prefix.address.is_ipv4() { icmp(4, 1, &[0, 8]) } else { icmp6(&[128, 129]) };
    [kinds, place(end, asked)].concat()
}

/// The box's peers, IKE and ESP; where the line carries IPv6 echo, router solicitation and DHCPv6, and DHCP where it
/// carries IPv4.
pub(super) fn to_the_line(intent: &Intent) -> Vec<Conditions> {
    let families = carries(intent, Zone::Wan);
    let mut excepted =
        [of_the_link(), peers(intent, Zone::Wan), gateways(intent, Zone::Wan, Field::Destination)].concat();
    if families.ipv6 {
        // The line's router is known by an address of the link.
        let router = [icmp6(&[128, 129]), vec![(Field::Destination, link_local())]].concat();
        excepted.extend([icmp6(&[133]), router, dhcp6()]);
    }
    if families.ipv4 {
        excepted.push(dhcp(68, 67));
    }
    excepted
}

/// DHCP, the box's peers there, IKE and ESP to the gateways.
pub(super) fn to_the_internet(intent: &Intent) -> Vec<Conditions> {
    let gateways = gateways(intent, Zone::Isp, Field::Destination);
    [of_the_link(), peers(intent, Zone::Isp), gateways, vec![dhcp(68, 67)]].concat()
}

/// The box's peers behind it.
pub(super) fn to_the_tunnel(intent: &Intent) -> Vec<Conditions> {
    [of_the_link(), peers(intent, Zone::Tunnel)].concat()
}

/// The cloud's services that the ladder looks at.
pub(super) fn to_the_cloud(intent: &Intent) -> Vec<Conditions> {
    [of_the_link(), peers(intent, Zone::Cloud)].concat()
}

/// Answers by DHCP, the line's prefix.
pub(super) fn to_a_claims_host() -> Vec<Conditions> {
    of_the_link().into_iter().chain([dhcp(67, 68), icmp6(&[134])]).collect()
}

/// The terminals' shares, echo, DHCP answers, the line's prefix.
pub(super) fn to_a_terminal(intent: &Intent) -> Vec<Conditions> {
    let terminals = Span::any_of(intent.terminals.iter().map(|address| address4(*address)));
    let mut share = service(6, &[445]);
    share.extend([(Field::Family, Span::one(4_u8)), (Field::Destination, terminals.clone())]);
    let mut echo = icmp(4, 1, &[0, 8]);
    echo.push((Field::Destination, terminals));
    to_a_claims_host().into_iter().chain([share, echo]).collect()
}

/// The shares of consumers whose folders are elsewhere.
pub(super) fn to_the_clinic(intent: &Intent) -> Vec<Conditions> {
    let consumers = Span::any_of(intent.consumers.iter().map(|address| address4(*address)));
    let mut share = service(6, &[445]);
    share.extend([(Field::Family, Span::one(4_u8)), (Field::Destination, consumers)]);
    let lends = intent.clinic_datagrams.contains(&67).then(|| dhcp(67, 68));
    of_the_link().into_iter().chain([share]).chain(lends).collect()
}

/// A place, and what may be asked of it.
fn listed(asked: &Service) -> Conditions {
    let mut conditions = match (asked.protocol, asked.port) {
        (Some(protocol), Some(port)) => service(protocol, &[port]),
        (Some(protocol), None) => vec![(Field::Protocol, Span::one(protocol))],
        (None, _) => Vec::new(),
    };
    conditions.extend(place(Field::Destination, *asked));
    conditions
}

/// The place of a service at this end of a packet.
fn place(end: Field, asked: Service) -> Conditions {
    let (version, first, bits) = match asked.prefix.network() {
        IpAddr::V4(network) => (4_u8, u128::from(u32::from(network)), 32),
        IpAddr::V6(network) => (6, u128::from(network), 128),
    };
    let host = 1_u128.checked_shl(bits - u32::from(asked.prefix.length)).map_or(u128::MAX, |size| size - 1);
    vec![(Field::Family, Span::one(version)), (end, Span::range(first, first | host))]
}
