//! What a site wants kept: the promises need no more of it than this, and nothing of the plan.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use model::boot::Setup;
use model::profile::Where;
use model::site::prefix::Prefix;
use model::site::uplink::Line;
use model::{Site, Zone};

use crate::now::Now;

/// The zones, what belongs to each, and every exception the promises name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The ports of each zone that the site has.
    pub zones: BTreeMap<Zone, Vec<String>>,
    /// The box's own address in each zone inside, and in the maintainer's while consent is open.
    pub own: BTreeMap<Zone, Ipv4Addr>,
    /// The IPv4 addresses that belong to a zone. A zone that is not here may send from every address that is no other
    /// zone's.
    pub belongs: BTreeMap<Zone, Vec<Prefix>>,
    /// The IPv6 addresses beyond the link that belong to a zone inside, as they were told; no other zone has any.
    pub belongs6: BTreeMap<Zone, Vec<Prefix>>,
    /// The terminals' IPv4 addresses.
    pub terminals: Vec<Ipv4Addr>,
    /// The machines of the clinic whose own shares the relay opens.
    pub consumers: Vec<Ipv4Addr>,
    /// TCP ports of the page and the shares.
    pub clinic_services: Vec<u16>,
    /// UDP ports of the box that the clinic may use too: DHCP, DNS.
    pub clinic_datagrams: Vec<u16>,
    /// The ways by which a flow may be opened through the box. There is no other.
    pub ways: Vec<Way>,
    /// Whom the box itself may ask, by which zone.
    pub peers: Vec<(Zone, Service)>,
    /// With whom the box speaks IKE and ESP, by which zone; they may also begin.
    pub gateways: Vec<(Zone, IpAddr)>,
    /// The families the line and the other ways out carry.
    pub carries: BTreeMap<Zone, Families>,
    /// Whether the qualification leaves by the tunnel only.
    pub only_by_tunnel: bool,
    /// The two ports between which PPPoE passes unseen: promise 4 is not proved inside it.
    pub pppoe_through: Option<(String, String)>,
    /// The maintainer's side of an open consent.
    pub maintenance: Option<Maintenance>,
    /// Set before a site is in force: then the clinic's port is the setup port, and the promises are 13 to 15.
    pub before_a_site: Option<BeforeASite>,
}

/// Which families a way out carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// IPv4.
    pub ipv4: bool,
    /// IPv6.
    pub ipv6: bool,
}

/// A way through the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Who opens.
    pub from: Zone,
    /// By which zone it leaves.
    pub to: Zone,
    /// What may be opened there.
    pub services: Vec<Service>,
}

/// A place, and what may be asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    /// Where.
    pub prefix: Prefix,
    /// The transport protocol's number; none: everything.
    pub protocol: Option<u8>,
    /// The port; none: everything of the protocol.
    pub port: Option<u16>,
}

/// An open consent, as the promises need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// The TCP port of the box's management.
    pub management: u16,
    /// The second consent: one host and one TCP port of it.
    pub further: Option<(Zone, Ipv4Addr, u16)>,
}

/// What the setup port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeforeASite {
    /// Computers on it get their addresses from the box.
    pub lends_addresses: bool,
}

/// Everything of a family.
pub(super) const EVERY4: Prefix = Prefix { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), length: 0 };

impl Service {
    const fn tcp(prefix: Prefix, port: u16) -> Self {
        Self { prefix, protocol: Some(6), port: Some(port) }
    }

    const fn udp(prefix: Prefix, port: u16) -> Self {
        Self { prefix, protocol: Some(17), port: Some(port) }
    }

    const fn everything(prefix: Prefix) -> Self {
        Self { prefix, protocol: None, port: None }
    }
}

impl Intent {
    /// What this site wants kept while nothing was told: no consent, no addresses on the line.
    pub fn from_site(site: &Site) -> Self {
        Self::of(site, &Now::default())
    }

    /// What this site wants kept now.
    pub fn of(site: &Site, now: &Now) -> Self {
        let consent = now.consent.as_ref();
        let maintenance = consent
            .filter(|_| site.maintainer.is_some())
            .map(|consent| Maintenance { management: site.page.https, further: consent.reaches(site) });
        let ports = |zone: Zone| {
            let there = zone != Zone::Maint || maintenance.is_some();
            site.interface(zone).filter(|_| there).map(|port| (zone, vec![port.to_owned()]))
        };
        let through = |port: &String| (port.clone(), site.port(Zone::Wan).to_owned());
        Self {
            zones: Zone::ALL.into_iter().filter_map(ports).collect(),
            own: own(site, maintenance.is_some()),
            belongs: belongs(site, maintenance.is_some()),
            belongs6: belongs6(site, now),
            terminals: site.terminals.iter().map(|terminal| terminal.address).collect(),
            consumers: site.remote_consumers().collect(),
            clinic_services: vec![site.page.http, site.page.https, 445],
            clinic_datagrams: datagrams(site),
            ways: ways(site, maintenance.as_ref()),
            peers: peers(site),
            gateways: gateways(site, maintenance.is_some()),
            carries: carries(site),
            only_by_tunnel: matches!(site.line, Line::Ipsec(_)),
            pppoe_through: site.pppoe_through.as_ref().map(through),
            maintenance,
            before_a_site: None,
        }
    }

    /// What is wanted before a site is in force: the setup page at this port, or no port at all.
    pub fn before_a_site(setup: Option<&Setup>, lends_addresses: bool) -> Self {
        let at = |setup: &Setup| (Zone::Clinic, v4(setup.address.address));
        Self {
            zones: setup.iter().map(|setup| (Zone::Clinic, vec![setup.port.clone()])).collect(),
            own: setup.into_iter().map(at).collect(),
            belongs: setup.iter().map(|setup| (Zone::Clinic, vec![setup.address.as_network()])).collect(),
            belongs6: BTreeMap::new(),
            terminals: Vec::new(),
            consumers: Vec::new(),
            clinic_services: vec![Setup::HTTPS],
            clinic_datagrams: Vec::new(),
            ways: Vec::new(),
            peers: Vec::new(),
            gateways: Vec::new(),
            carries: BTreeMap::new(),
            only_by_tunnel: false,
            pppoe_through: None,
            maintenance: None,
            before_a_site: Some(BeforeASite { lends_addresses }),
        }
    }

    /// The ports of a zone; none if the site has no such zone.
    pub fn ports(&self, zone: Zone) -> &[String] {
        self.zones.get(&zone).map_or(&[], Vec::as_slice)
    }

    /// The zone of a port.
    pub fn zone(&self, port: &str) -> Option<Zone> {
        self.zones.iter().find(|(_, ports)| ports.iter().any(|own| own == port)).map(|(zone, _)| *zone)
    }

    /// The zone by which the qualification is reached.
    pub const fn qualification(&self) -> Zone {
        if self.only_by_tunnel { Zone::Tunnel } else { Zone::Wan }
    }

    /// What may be opened from one zone to another.
    pub fn way(&self, from: Zone, to: Zone) -> impl Iterator<Item = &Service> {
        self.ways.iter().filter(move |way| way.from == from && way.to == to).flat_map(|way| &way.services)
    }
}

fn own(site: &Site, maintenance: bool) -> BTreeMap<Zone, Ipv4Addr> {
    let mut own: BTreeMap<Zone, Ipv4Addr> =
        site.networks().into_iter().map(|(zone, network)| (zone, v4(network.address))).collect();
    if let Some(maintainer) = site.maintainer.as_ref().filter(|_| maintenance) {
        own.insert(Zone::Maint, v4(maintainer.address.address));
    }
    own
}

/// Terminals, claims hosts and printers are listed one by one; in the clinic every address of its network is.
fn belongs(site: &Site, maintenance: bool) -> BTreeMap<Zone, Vec<Prefix>> {
    let terminals = site.terminals.iter().map(|terminal| host(terminal.address)).collect();
    let mut belongs: BTreeMap<Zone, Vec<Prefix>> =
        [(Zone::Clinic, vec![site.clinic.as_network()]), (Zone::Terminal, terminals)].into();
    if site.claims.is_some() {
        let hosts = site.claims_hosts().iter().map(|one| host(one.address)).collect();
        belongs.insert(Zone::Claims, hosts);
    }
    if site.printers.is_some() {
        belongs.insert(Zone::Printer, site.printers().iter().map(|one| host(one.address)).collect());
    }
    if let Some(cloud) = &site.cloud {
        belongs.insert(Zone::Cloud, cloud.networks.iter().map(Prefix::as_network).collect());
    }
    if let Some(maintainer) = site.maintainer.as_ref().filter(|_| maintenance) {
        belongs.insert(Zone::Maint, vec![maintainer.address.as_network()]);
    }
    belongs
}

fn belongs6(site: &Site, now: &Now) -> BTreeMap<Zone, Vec<Prefix>> {
    let claims = site.claims.as_ref().map(|_| (Zone::Claims, now.claims6.clone()));
    [(Zone::Terminal, now.terminals6.clone())].into_iter().chain(claims).collect()
}

fn datagrams(site: &Site) -> Vec<u16> {
    let asked = [(site.clinic_dns, 53), (site.clinic_dhcp, 67)];
    asked.into_iter().filter(|(asked, _)| *asked).map(|(_, port)| port).collect()
}

fn ways(site: &Site, maintenance: Option<&Maintenance>) -> Vec<Way> {
    let print: Vec<Service> = site
        .printers()
        .iter()
        .flat_map(|printer| printer.tcp.iter().map(|port| Service::tcp(host(printer.address), *port)))
        .collect();
    let way = |from, to, services| Way { from, to, services };
    let mut ways = vec![way(Zone::Terminal, site.qualification(), destinations(site))];
    if site.claims.is_some() {
        ways.push(way(Zone::Claims, site.qualification(), destinations(site)));
    }
    if site.printers.is_some() {
        ways.extend([Zone::Terminal, Zone::Clinic].map(|from| way(from, Zone::Printer, print.clone())));
    }
    if site.clinic_internet {
        ways.push(way(Zone::Clinic, Zone::Isp, vec![Service::everything(EVERY4)]));
    }
    if let Some(cloud) = &site.cloud {
        let networks = cloud.networks.iter().map(|network| Service::everything(network.as_network()));
        ways.push(way(Zone::Clinic, Zone::Cloud, networks.collect()));
    }
    if let Some((zone, address, port)) = maintenance.and_then(|open| open.further) {
        ways.push(way(Zone::Maint, zone, vec![Service::tcp(host(address), port)]));
    }
    ways
}

/// Where terminals may go: the listed prefixes, and for names whatever is expected, at their ports.
fn destinations(site: &Site) -> Vec<Service> {
    let profile = &site.profile;
    let mut all = Vec::new();
    for destination in &profile.destinations {
        let places: &[Prefix] = match &destination.to {
            Where::Prefix(prefix) => std::slice::from_ref(prefix),
            Where::Name(_) | Where::Suffix(_) => &profile.expected,
        };
        for prefix in places.iter().filter(|prefix| prefix.address.is_ipv4() == site.line.is_ipv4()) {
            all.extend(destination.tcp.iter().map(|port| Service::tcp(*prefix, *port)));
            all.extend(destination.udp.iter().map(|port| Service::udp(*prefix, *port)));
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The profile's hosts wherever their names may lead, and the resolvers; on the internet line the resolvers and the
/// servers of updates; of the cloud the services that are looked at.
fn peers(site: &Site) -> Vec<(Zone, Service)> {
    let profile = &site.profile;
    let ports = [profile.line_auth.port, profile.distribution.port, profile.centre.port];
    let here = |prefix: &&Prefix| prefix.address.is_ipv4() == site.line.is_ipv4();
    let mut asked = Vec::new();
    for prefix in profile.expected.iter().filter(here) {
        asked.extend(ports.map(|port| Service::tcp(*prefix, port)));
        asked.push(Service::udp(*prefix, 123));
    }
    for resolver in resolvers(site) {
        asked.extend([Service::udp(resolver, 53), Service::tcp(resolver, 53)]);
    }
    let mut peers: Vec<(Zone, Service)> =
        asked.into_iter().map(|service| (site.qualification(), service)).collect();
    for resolver in site.internet.iter().flat_map(|internet| &internet.resolvers) {
        let resolver = host(*resolver);
        peers.extend([Service::udp(resolver, 53), Service::tcp(resolver, 53)].map(|one| (Zone::Isp, one)));
    }
    for endpoint in site.cloud.iter().flat_map(|cloud| &cloud.endpoints) {
        peers.push((Zone::Cloud, Service::tcp(host(endpoint.address), endpoint.port)));
    }
    if let Some(update) = &site.update {
        peers.extend(update.servers.iter().map(|server| (update.uplink.zone(), Service::tcp(*server, 443))));
    }
    peers
}

/// The closed network's resolvers, of the family the line carries.
fn resolvers(site: &Site) -> Vec<Prefix> {
    if site.line.is_ipv4() {
        return site.profile.resolvers4.iter().map(|address| host(*address)).collect();
    }
    let whole = |address| Prefix { address: IpAddr::V6(address), length: 128 };
    site.profile.resolvers.iter().copied().map(whole).collect()
}

fn gateways(site: &Site, maintenance: bool) -> Vec<(Zone, IpAddr)> {
    let mut gateways = Vec::new();
    if let Line::Ipsec(ipsec) = &site.line {
        gateways.extend(ipsec.gateways.iter().map(|gateway| (Zone::Wan, *gateway)));
    }
    if let Some(cloud) = &site.cloud {
        gateways.extend(cloud.gateways.iter().map(|gateway| (Zone::Isp, IpAddr::V4(*gateway))));
    }
    for maintainer in site.maintainer.iter().filter(|_| maintenance) {
        gateways.extend(maintainer.gateways.iter().map(|gateway| (maintainer.uplink.zone(), *gateway)));
    }
    gateways
}

fn carries(site: &Site) -> BTreeMap<Zone, Families> {
    let only4 = Families { ipv4: true, ipv6: false };
    let line = Families { ipv4: site.line.carries(true), ipv6: site.line.carries(false) };
    let all = [(Zone::Wan, line), (Zone::Isp, only4), (Zone::Tunnel, only4), (Zone::Cloud, only4)];
    all.into_iter()
        .chain([(Zone::Maint, only4)])
        .filter(|(zone, _)| site.interface(*zone).is_some())
        .collect()
}

const fn host(address: Ipv4Addr) -> Prefix {
    Prefix { address: IpAddr::V4(address), length: 32 }
}

/// The checker lets no other family into the zones' addresses.
const fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}
