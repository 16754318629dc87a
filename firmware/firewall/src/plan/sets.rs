//! The named sets: everything a site or a profile lists. A change of the list is a change of a set, not of a
//! rule. nft refuses elements that overlap, so what lies in another element is left out here.

use std::net::{IpAddr, Ipv6Addr};

use model::Site;
use model::profile::{Destination, Where};
use model::site::prefix::Prefix;

use crate::nft::{Operand, Set};

/// fe80::/10, RFC 4291 section 2.5.6.
pub(super) const LINK_LOCAL: Prefix =
    Prefix { address: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), length: 10 };

/// A prefix, a protocol, a port.
type Service = (Prefix, &'static str, u16);

pub(super) fn of(site: &Site) -> Vec<Set> {
    let words = |name, words: &[&'static str]| Set {
        name,
        types: &["icmpv6_type"],
        interval: false,
        elements: words.iter().copied().map(Operand::Word).collect(),
    };
    let mut all = vec![
        words("icmp6_neighbour", &["nd-neighbor-solicit", "nd-neighbor-advert"]),
        words(
            "icmp6_errors",
            &["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"],
        ),
        words(
            "icmp6_listener",
            &["mld-listener-query", "mld-listener-report", "mld-listener-done", "mld2-listener-report"],
        ),
        // RFC 4862 section 5.4.2: an address is tested from no address.
        prefixes("link_local", vec![LINK_LOCAL, whole(Ipv6Addr::UNSPECIFIED)]),
        terminals(site),
        // The terminals' IPv6 addresses are learnt on the line; until somebody puts them here there are none.
        Set { name: "terminal_addresses6", types: &["ipv6_addr"], interval: false, elements: Vec::new() },
        services("terminal_services", SERVICE4, terminal_services(site)),
        clinic_services(site),
        services("destinations", SERVICE6, site.profile.destinations.iter().flat_map(each).collect()),
        services("peers", SERVICE6, peers(site)),
        prefixes("echo_peers", echo_peers(site)),
    ];
    all.extend(consumers(site));
    all
}

/// The machines of the clinic whose own shares the relay opens; a site without any has no such set.
fn consumers(site: &Site) -> Option<Set> {
    let elements: Vec<Operand> = site.remote_consumers().map(Operand::address).collect();
    let set = Set { name: "consumers", types: &["ipv4_addr"], interval: false, elements };
    (!set.elements.is_empty()).then_some(set)
}

const SERVICE4: &[&str] = &["ipv4_addr", "inet_proto", "inet_service"];
const SERVICE6: &[&str] = &["ipv6_addr", "inet_proto", "inet_service"];

const fn whole(address: Ipv6Addr) -> Prefix {
    Prefix { address: IpAddr::V6(address), length: 128 }
}

fn terminals(site: &Site) -> Set {
    let elements = site.terminals.iter().map(|terminal| Operand::address(terminal.address)).collect();
    Set { name: "terminals", types: &["ipv4_addr"], interval: false, elements }
}

/// DNS, time and DHCP, at the box's address in the terminals' zone.
fn terminal_services(site: &Site) -> Vec<Service> {
    let own = Prefix { address: site.terminal_zone.address, length: 32 };
    vec![(own, "tcp", 53), (own, "udp", 53), (own, "udp", 67), (own, "udp", 123)]
}

/// The page and the share; the address is another rule's business.
fn clinic_services(site: &Site) -> Set {
    let mut ports = vec![site.page.http, site.page.https, 445];
    ports.sort_unstable();
    ports.dedup();
    let elements = ports.into_iter().map(Operand::Number).collect();
    Set { name: "clinic_services", types: &["inet_service"], interval: false, elements }
}

fn each(destination: &Destination) -> Vec<Service> {
    let Where::Prefix(prefix) = destination.to else { return Vec::new() };
    let of = |protocol, ports: &[u16]| -> Vec<Service> {
        ports.iter().map(|port| (prefix, protocol, *port)).collect()
    };
    [of("tcp", &destination.tcp), of("udp", &destination.udp)].concat()
}

/// Whom the box asks: the resolvers, and the profile's hosts inside the prefixes their names may lead to.
fn peers(site: &Site) -> Vec<Service> {
    let profile = &site.profile;
    let ports = [
        ("tcp", profile.line_auth.port),
        ("tcp", profile.distribution.port),
        ("tcp", profile.centre.port),
        ("udp", 123),
    ];
    let hosts =
        profile.expected.iter().flat_map(|prefix| ports.map(|(protocol, port)| (*prefix, protocol, port)));
    let resolvers =
        profile.resolvers.iter().flat_map(|address| ["udp", "tcp"].map(|p| (whole(*address), p, 53)));
    hosts.chain(resolvers).collect()
}

fn echo_peers(site: &Site) -> Vec<Prefix> {
    let resolvers = site.profile.resolvers.iter().copied().map(whole);
    site.profile.expected.iter().copied().chain(resolvers).chain([LINK_LOCAL]).collect()
}

fn prefixes(name: &'static str, list: Vec<Prefix>) -> Set {
    let list =
        list.into_iter().filter(|prefix| prefix.address.is_ipv6()).map(|prefix| (prefix, "", 0)).collect();
    let elements = without_covered(list).into_iter().map(|(prefix, ..)| Operand::Prefix(prefix)).collect();
    Set { name, types: &["ipv6_addr"], interval: true, elements }
}

/// The tuples of one family: an IPv4 destination has no way over an IPv6 line.
fn services(name: &'static str, types: &'static [&'static str], list: Vec<Service>) -> Set {
    let ipv4 = types.first() == Some(&"ipv4_addr");
    let list = list.into_iter().filter(|(prefix, ..)| prefix.address.is_ipv4() == ipv4).collect();
    let tuple = |(prefix, protocol, port)| {
        Operand::Tuple(vec![Operand::Prefix(prefix), Operand::Word(protocol), Operand::Number(port)])
    };
    let elements = without_covered(list).into_iter().map(tuple).collect();
    Set { name, types, interval: !ipv4, elements }
}

/// Each entry once, and none that lies in another of the same protocol and port.
fn without_covered(list: Vec<Service>) -> Vec<Service> {
    let list: Vec<Service> =
        list.into_iter().map(|(prefix, p, port)| (prefix.as_network(), p, port)).collect();
    let covers = |a: &Service, b: &Service| {
        a.1 == b.1 && a.2 == b.2 && a.0.length < b.0.length && a.0.contains(b.0.address)
    };
    let mut kept: Vec<Service> = Vec::new();
    for entry in &list {
        if !kept.contains(entry) && !list.iter().any(|other| covers(other, entry)) {
            kept.push(*entry);
        }
    }
    kept
}
