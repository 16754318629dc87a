//! The named sets: everything a site or a profile lists, and what is told while it is in force. A change of a list is a
//! change of a set, not of a rule. nft refuses elements that overlap, so what lies in another element is left out here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::profile::{Destination, Where};
use model::site::prefix::Prefix;
use model::site::uplink::Line;
use model::{Site, Zone};

use crate::nft::{Holds, Operand, Set};
use crate::now::{self, Now};

/// fe80::/10, RFC 4291 section 2.5.6.
pub(super) const LINK_LOCAL: Prefix =
    Prefix { address: IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), length: 10 };

/// A prefix, a protocol, a port.
type Service = (Prefix, &'static str, u16);

const IPV4: &[&str] = &["ipv4_addr"];
const IPV6: &[&str] = &["ipv6_addr"];
const SERVICE4: &[&str] = &["ipv4_addr", "inet_proto", "inet_service"];
const SERVICE6: &[&str] = &["ipv6_addr", "inet_proto", "inet_service"];

/// So many senders are counted at once, and for the others no flow is counted: more than the zones have addresses.
const SENDERS: u32 = 65_535;

/// The names a way out has for its chains and sets.
pub(super) struct Names {
    pub(super) input: &'static str,
    pub(super) output: &'static str,
    pub(super) peers: &'static str,
    pub(super) gateways4: &'static str,
    pub(super) gateways6: &'static str,
}

impl Names {
    pub(super) const fn of(zone: Zone) -> Self {
        let (input, output, peers) = match zone {
            Zone::Isp => ("input_isp", "output_isp", "isp_peers"),
            Zone::Tunnel => ("input_tunnel", "output_tunnel", "tunnel_peers"),
            Zone::Cloud => ("input_cloud", "output_cloud", "cloud_peers"),
            _ => ("input_wan", "output_wan", "peers"),
        };
        let (gateways4, gateways6) = match zone {
            Zone::Isp => ("isp_gateways", "isp_gateways6"),
            _ => ("wan_gateways", "wan_gateways6"),
        };
        Self { input, output, peers, gateways4, gateways6 }
    }
}

pub(super) fn of(site: &Site, now: &Now) -> Vec<Set> {
    let mut all = of_icmp6();
    all.extend([
        // RFC 4862 section 5.4.2: an address is tested from no address.
        prefixes("link_local", IPV6, vec![LINK_LOCAL, whole6(Ipv6Addr::UNSPECIFIED)]),
        hosts("terminals", site.terminals.iter().map(|terminal| terminal.address)),
        prefixes("terminal_addresses6", IPV6, now.terminals6.clone()),
        cards(site),
        services("terminal_services", SERVICE4, served(site.terminal_zone)),
        clinic_services(site),
    ]);
    all.extend(of_destinations(site, now));
    all.extend(of_peers(site, now));
    all.extend(of_other_zones(site, now));
    all.extend([senders("callers", IPV4), senders("senders", IPV4), senders("senders6", IPV6)]);
    all
}

fn of_icmp6() -> Vec<Set> {
    let words = |name, words: &[&'static str]| Set {
        name,
        types: &["icmpv6_type"],
        holds: Holds::Values,
        elements: words.iter().copied().map(Operand::Word).collect(),
    };
    vec![
        words("icmp6_neighbour", &["nd-neighbor-solicit", "nd-neighbor-advert"]),
        words(
            "icmp6_errors",
            &["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"],
        ),
        words(
            "icmp6_listener",
            &["mld-listener-query", "mld-listener-report", "mld-listener-done", "mld2-listener-report"],
        ),
    ]
}

fn of_destinations(site: &Site, now: &Now) -> Vec<Set> {
    let profile = &site.profile;
    let types = if site.line.is_ipv4() { SERVICE4 } else { SERVICE6 };
    let mut all = vec![services("destinations", types, profile.destinations.iter().flat_map(each).collect())];
    let named: Vec<(&str, u16)> = by_name(site).flat_map(now::services).collect();
    if named.is_empty() {
        return all;
    }
    let expected = profile.expected.iter().copied().filter(|one| is_of(site, one)).collect();
    all.push(prefixes("expected", if site.line.is_ipv4() { IPV4 } else { IPV6 }, expected));
    let mut ports: Vec<Operand> = named.into_iter().map(pair).collect();
    ports.sort_unstable();
    ports.dedup();
    let types2: &[&str] = &["inet_proto", "inet_service"];
    all.push(Set { name: "named_services", types: types2, holds: Holds::Values, elements: ports });
    let learned = now.learned.iter().filter(|one| one.address.is_ipv4() == site.line.is_ipv4());
    let elements = learned.map(|one| Operand::Timed(Box::new(one.tuple()), one.seconds)).collect();
    all.push(Set { name: "learned", types, holds: Holds::Timed, elements });
    all
}

/// The destinations that are names.
pub(crate) fn by_name(site: &Site) -> impl Iterator<Item = &Destination> {
    site.profile.destinations.iter().filter(|one| !matches!(one.to, Where::Prefix(_)))
}

fn of_peers(site: &Site, now: &Now) -> Vec<Set> {
    let mut all = Vec::new();
    for zone in [Zone::Wan, Zone::Isp, Zone::Tunnel, Zone::Cloud] {
        let names = Names::of(zone);
        let asked = peers(site, zone);
        if !asked.is_empty() {
            let ipv4 = zone != Zone::Wan || site.line.is_ipv4();
            all.push(services(names.peers, if ipv4 { SERVICE4 } else { SERVICE6 }, asked));
        }
        if zone == Zone::Wan && !site.line.is_ipv4() {
            all.push(prefixes("echo_peers", IPV6, echo_peers(site)));
        }
        let here = gateways(site, now, zone);
        for (name, ipv4) in [(names.gateways4, true), (names.gateways6, false)] {
            let own: Vec<Operand> =
                here.iter().filter(|one| one.is_ipv4() == ipv4).map(|one| Operand::address(*one)).collect();
            let types = if ipv4 { IPV4 } else { IPV6 };
            if !own.is_empty() {
                all.push(Set { name, types, holds: Holds::Values, elements: own });
            }
        }
    }
    all
}

/// Sets of what only some sites have.
fn of_other_zones(site: &Site, now: &Now) -> Vec<Set> {
    let mut all = Vec::new();
    let consumers: Vec<Ipv4Addr> = site.remote_consumers().collect();
    if !consumers.is_empty() {
        all.push(hosts("consumers", consumers.into_iter()));
    }
    if let Some(claims) = &site.claims {
        all.push(hosts("claims", claims.hosts.iter().map(|host| host.address)));
        all.push(prefixes("claims_addresses6", IPV6, now.claims6.clone()));
        all.push(services("claims_services", SERVICE4, served(claims.address)));
    }
    if let Some(printers) = &site.printers {
        all.push(hosts("printers", printers.printers.iter().map(|printer| printer.address)));
        let ports = printers.printers.iter();
        let ports = ports.flat_map(|one| one.tcp.iter().map(|port| (whole4(one.address), "tcp", *port)));
        all.push(services("printing", SERVICE4, ports.collect()));
    }
    if let Some(cloud) = &site.cloud {
        all.push(prefixes("cloud_networks", IPV4, cloud.networks.clone()));
    }
    if site.clinic_dhcp || site.clinic_dns {
        let names = [("tcp", 53), ("udp", 53)].into_iter().filter(|_| site.clinic_dns);
        let addresses = site.clinic_dhcp.then_some(("udp", 67));
        let elements = names.chain(addresses).map(pair).collect();
        let types: &[&str] = &["inet_proto", "inet_service"];
        all.push(Set { name: "clinic_asked", types, holds: Holds::Values, elements });
    }
    if site.line.is_ipv4() || site.line.carries(true) || site.internet.is_some() {
        all.push(prefixes("inside", IPV4, inside(site)));
    }
    all
}

/// The networks behind the box, and behind the tunnels that end on it: none of them lies on a line.
fn inside(site: &Site) -> Vec<Prefix> {
    let maintainers = site.maintainer.as_ref().map(|maintainer| maintainer.address);
    let cloud = site.cloud.iter().flat_map(|cloud| cloud.networks.iter().copied());
    site.networks().into_iter().map(|(_, network)| network).chain(maintainers).chain(cloud).collect()
}

fn pair((protocol, port): (&'static str, u16)) -> Operand {
    Operand::Tuple(vec![Operand::Word(protocol), Operand::Number(port)])
}

const fn whole4(address: Ipv4Addr) -> Prefix {
    Prefix { address: IpAddr::V4(address), length: 32 }
}

const fn whole6(address: Ipv6Addr) -> Prefix {
    Prefix { address: IpAddr::V6(address), length: 128 }
}

/// Whether a prefix is of the family the qualification is reached by.
const fn is_of(site: &Site, prefix: &Prefix) -> bool {
    prefix.address.is_ipv4() == site.line.is_ipv4()
}

fn hosts(name: &'static str, addresses: impl Iterator<Item = Ipv4Addr>) -> Set {
    let mut elements: Vec<Operand> = addresses.map(Operand::address).collect();
    elements.sort_unstable();
    elements.dedup();
    Set { name, types: IPV4, holds: Holds::Values, elements }
}

fn senders(name: &'static str, types: &'static [&'static str]) -> Set {
    Set { name, types, holds: Holds::Senders(SENDERS), elements: Vec::new() }
}

/// The cards of terminals, as the site file names them. One that was only seen may be another machine's tomorrow, and
/// would be locked out.
fn cards(site: &Site) -> Set {
    let mut known: Vec<_> = site.terminals.iter().filter_map(|terminal| terminal.mac).collect();
    known.sort_unstable();
    known.dedup();
    let elements = known.iter().map(|card| Operand::Card(card.to_string())).collect();
    Set { name: "terminal_cards", types: &["ether_addr"], holds: Holds::Values, elements }
}

/// DNS, time and DHCP, at the box's address in a zone.
fn served(zone: Prefix) -> Vec<Service> {
    let own = Prefix { address: zone.address, length: 32 };
    vec![(own, "tcp", 53), (own, "udp", 53), (own, "udp", 67), (own, "udp", 123)]
}

/// The page and the share; the address is another rule's business.
fn clinic_services(site: &Site) -> Set {
    let mut ports = vec![site.page.http, site.page.https, 445];
    ports.sort_unstable();
    ports.dedup();
    let elements = ports.into_iter().map(Operand::Number).collect();
    Set { name: "clinic_services", types: &["inet_service"], holds: Holds::Values, elements }
}

fn each(destination: &Destination) -> Vec<Service> {
    let Where::Prefix(prefix) = destination.to else { return Vec::new() };
    now::services(destination).into_iter().map(|(protocol, port)| (prefix, protocol, port)).collect()
}

/// Whom the box asks by a way out: the resolvers, the profile's hosts inside the prefixes their names may lead to, the servers
/// of updates, and the cloud's services that it looks at.
pub(super) fn peers(site: &Site, zone: Zone) -> Vec<Service> {
    let mut peers = if zone == site.qualification() { of_the_line(site) } else { Vec::new() };
    if zone == Zone::Isp {
        let resolvers = site.internet.iter().flat_map(|internet| &internet.resolvers);
        peers.extend(resolvers.flat_map(|address| ["udp", "tcp"].map(|p| (whole4(*address), p, 53))));
    }
    if zone == Zone::Cloud {
        let endpoints = site.cloud.iter().flat_map(|cloud| &cloud.endpoints);
        peers.extend(endpoints.map(|endpoint| (whole4(endpoint.address), "tcp", endpoint.port)));
    }
    let update = site.update.iter().filter(|update| update.uplink.zone() == zone);
    peers.extend(update.flat_map(|update| &update.servers).map(|server| (*server, "tcp", 443)));
    peers
}

fn of_the_line(site: &Site) -> Vec<Service> {
    let profile = &site.profile;
    let ports = [
        ("tcp", profile.line_auth.port),
        ("tcp", profile.distribution.port),
        ("tcp", profile.centre.port),
        ("udp", 123),
    ];
    let expected = profile.expected.iter().filter(|prefix| is_of(site, prefix));
    let hosts = expected.flat_map(|prefix| ports.map(|(protocol, port)| (*prefix, protocol, port)));
    let resolvers: Vec<Prefix> = match site.line.is_ipv4() {
        true => profile.resolvers4.iter().copied().map(whole4).collect(),
        false => profile.resolvers.iter().copied().map(whole6).collect(),
    };
    let resolvers = resolvers.into_iter().flat_map(|address| ["udp", "tcp"].map(|p| (address, p, 53)));
    hosts.chain(resolvers).collect()
}

fn echo_peers(site: &Site) -> Vec<Prefix> {
    let resolvers = site.profile.resolvers.iter().copied().map(whole6);
    let expected = site.profile.expected.iter().copied().filter(|prefix| prefix.address.is_ipv6());
    expected.chain(resolvers).chain([LINK_LOCAL]).collect()
}

/// With whom the box speaks IKE and ESP by a way out.
pub(super) fn gateways(site: &Site, now: &Now, zone: Zone) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = Vec::new();
    match (&site.line, zone) {
        (Line::Ipsec(ipsec), Zone::Wan) => all.extend(&ipsec.gateways),
        (_, Zone::Isp) => {
            all.extend(site.cloud.iter().flat_map(|cloud| cloud.gateways.iter().copied().map(IpAddr::V4)))
        }
        _ => {}
    }
    let open = site.maintainer.as_ref().filter(|one| now.consent.is_some() && one.uplink.zone() == zone);
    all.extend(open.iter().flat_map(|maintainer| &maintainer.gateways));
    all.sort_unstable();
    all.dedup();
    all
}

fn prefixes(name: &'static str, types: &'static [&'static str], list: Vec<Prefix>) -> Set {
    let list = list.into_iter().map(|prefix| (prefix, "", 0)).collect();
    let elements = without_covered(list).into_iter().map(|(prefix, ..)| Operand::Prefix(prefix)).collect();
    Set { name, types, holds: Holds::Prefixes, elements }
}

/// The tuples of one family: a destination of the other has no way over this line.
fn services(name: &'static str, types: &'static [&'static str], list: Vec<Service>) -> Set {
    let ipv4 = types.first() == Some(&"ipv4_addr");
    let list: Vec<Service> =
        list.into_iter().filter(|(prefix, ..)| prefix.address.is_ipv4() == ipv4).collect();
    let single = ipv4 && list.iter().all(|(prefix, ..)| prefix.length == 32);
    let tuple = |(prefix, protocol, port)| {
        Operand::Tuple(vec![Operand::Prefix(prefix), Operand::Word(protocol), Operand::Number(port)])
    };
    let elements = without_covered(list).into_iter().map(tuple).collect();
    Set { name, types, holds: if single { Holds::Values } else { Holds::Prefixes }, elements }
}

/// Each entry once, and none that lies in another of the same protocol and port. Sorted, a prefix stands before what
/// lies in it, so that one look back is enough.
fn without_covered(list: Vec<Service>) -> Vec<Service> {
    let mut list: Vec<Service> =
        list.into_iter().map(|(prefix, protocol, port)| (prefix.as_network(), protocol, port)).collect();
    list.sort_unstable_by_key(|(prefix, protocol, port)| (*protocol, *port, prefix.address, prefix.length));
    list.dedup_by(|entry, kept| kept.1 == entry.1 && kept.2 == entry.2 && kept.0.contains(entry.0.address));
    list
}
