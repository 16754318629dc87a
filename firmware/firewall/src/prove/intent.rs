//! What a site wants kept: the promises need no more of it than this, and nothing of the plan.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::boot::Setup;
use model::site::prefix::Prefix;
use model::{Profile, Site, Zone};

/// The ports of each zone, and what the promises' exceptions name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Ports of the qualification line.
    pub wan: Vec<String>,
    /// Ports of the qualification terminals.
    pub terminal: Vec<String>,
    /// Ports of the clinic's own network.
    pub clinic: Vec<String>,
    /// The box's address in the clinic.
    pub clinic_address: Ipv4Addr,
    /// The box's address among the terminals.
    pub terminal_address: Ipv4Addr,
    /// The terminals' addresses.
    pub terminals: Vec<Ipv4Addr>,
    /// The machines of the clinic whose own shares the relay opens.
    pub consumers: Vec<Ipv4Addr>,
    /// TCP ports of the page and the shares.
    pub clinic_services: Vec<u16>,
    /// Where terminals may go on the line: prefix, protocol number, port.
    pub destinations: Vec<(Prefix, u8, u16)>,
    /// Whom the box itself may ask on the line: prefix, protocol number, port.
    pub peers: Vec<(Prefix, u8, u16)>,
    /// Set before a site is in force: then the clinic's port is the setup port, and the promises are 13 to 15.
    pub before_a_site: Option<BeforeASite>,
}

/// What the setup port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeforeASite {
    /// Computers on it get their addresses from the box.
    pub lends_addresses: bool,
}

impl Intent {
    /// What this site wants kept.
    pub fn from_site(site: &Site) -> Self {
        let ports = |zone| {
            let ports = site.ports.iter().filter(|port| port.zone == zone);
            ports.map(|port| port.name.clone()).collect()
        };
        let listed = site.profile.destinations.iter().flat_map(|destination| {
            let tcp = destination.tcp.iter().map(|port| (destination.prefix, 6, *port));
            tcp.chain(destination.udp.iter().map(|port| (destination.prefix, 17, *port)))
        });
        Self {
            wan: ports(Zone::Wan),
            terminal: ports(Zone::Terminal),
            clinic: ports(Zone::Clinic),
            clinic_address: v4(site.clinic.address),
            terminal_address: v4(site.terminal_zone.address),
            terminals: site.terminals.iter().map(|terminal| terminal.address).collect(),
            consumers: site.remote_consumers().collect(),
            clinic_services: vec![site.page.http, site.page.https, 445],
            destinations: listed.collect(),
            peers: peers(&site.profile),
            before_a_site: None,
        }
    }

    /// What is wanted before a site is in force: the setup page at this port, or no port at all.
    pub fn before_a_site(setup: Option<&Setup>, lends_addresses: bool) -> Self {
        Self {
            wan: Vec::new(),
            terminal: Vec::new(),
            clinic: setup.iter().map(|setup| setup.port.clone()).collect(),
            clinic_address: setup.map_or(Ipv4Addr::UNSPECIFIED, |setup| v4(setup.address.address)),
            terminal_address: Ipv4Addr::UNSPECIFIED,
            terminals: Vec::new(),
            consumers: Vec::new(),
            clinic_services: vec![Setup::HTTPS],
            destinations: Vec::new(),
            peers: Vec::new(),
            before_a_site: Some(BeforeASite { lends_addresses }),
        }
    }
}

/// The profile's hosts wherever their names may lead, and the resolvers.
fn peers(profile: &Profile) -> Vec<(Prefix, u8, u16)> {
    let hosts = [&profile.line_auth, &profile.distribution, &profile.centre].map(|target| (6, target.port));
    let hosts = hosts.into_iter().chain([(17, 123)]);
    let hosts = hosts
        .flat_map(|(protocol, port)| profile.expected.iter().map(move |prefix| (*prefix, protocol, port)));
    let resolver = |address: &Ipv6Addr| Prefix { address: IpAddr::V6(*address), length: 128 };
    let resolvers = profile
        .resolvers
        .iter()
        .flat_map(|address| [6, 17].map(|protocol| (resolver(address), protocol, 53)));
    hosts.chain(resolvers).collect()
}

/// The checker lets no other family into the two zones' addresses.
const fn v4(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}
