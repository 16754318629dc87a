//! What changes while a site is in force, without its file: what the other rooms tell this one. The ruleset, the
//! intent and the comparing with the kernel are all made from the site and this, and from nothing else.

use std::net::{IpAddr, Ipv4Addr};

use model::site::prefix::Prefix;
use model::{Site, Zone};

use crate::nft::Operand;

/// What was told. Nothing was, at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Remote maintenance is open.
    pub consent: Option<Consent>,
    /// The terminals' addresses on the line: in RA mode the ones the box answers for, with a delegation its part.
    pub terminals6: Vec<Prefix>,
    /// The same of the claims terminals.
    pub claims6: Vec<Prefix>,
    /// Where names lie.
    pub learned: Vec<Learned>,
}

/// A consent to maintenance that is open now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// The second consent: one host and one TCP port of it.
    pub further: Option<(Ipv4Addr, u16)>,
}

impl Consent {
    /// The zone, host and port of the second consent; none if the host is none of the site's.
    pub fn reaches(&self, site: &Site) -> Option<(Zone, Ipv4Addr, u16)> {
        let (host, port) = self.further?;
        Some((site.zone_of(host)?, host, port))
    }
}

/// One address, protocol and port that a name led to, for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Learned {
    /// Where.
    pub address: IpAddr,
    /// nft's word of the protocol.
    pub protocol: &'static str,
    /// The port.
    pub port: u16,
    /// How long it stays admitted, seconds.
    pub seconds: u32,
}

impl Learned {
    /// As an element of the set, without its time.
    pub(crate) fn tuple(&self) -> Operand {
        let address = Operand::address(self.address);
        Operand::Tuple(vec![address, Operand::Word(self.protocol), Operand::Number(self.port)])
    }
}

/// What a resolver told a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name that was asked for.
    pub name: String,
    /// Where it lies.
    pub addresses: Vec<IpAddr>,
    /// For how long, seconds.
    pub ttl: u32,
}

/// A client may begin to connect in the last second of an answer's time, and repeats its first packet.
const GRACE: u32 = 30;

/// No answer admits for longer.
pub(crate) const LONGEST: u32 = 86_400;

impl Answer {
    /// What it admits on this site: nothing outside what the profile expects, and only the ports of the destinations
    /// that this name is one of.
    pub fn admits(&self, site: &Site) -> Vec<Learned> {
        let profile = &site.profile;
        let expected = |address: &&IpAddr| profile.expected.iter().any(|prefix| prefix.contains(**address));
        let seconds = self.ttl.saturating_add(GRACE).min(LONGEST);
        let destinations = profile.destinations.iter().filter(|one| one.to.is_name(&self.name));
        let services: Vec<(&str, u16)> = destinations.flat_map(services).collect();
        let each = |address: &IpAddr| {
            let address = *address;
            let one = move |(protocol, port): &(&'static str, u16)| Learned {
                address,
                protocol,
                port: *port,
                seconds,
            };
            services.iter().map(one).collect::<Vec<_>>()
        };
        let mut admitted: Vec<Learned> = self.addresses.iter().filter(expected).flat_map(each).collect();
        admitted.sort_unstable();
        admitted.dedup();
        admitted
    }
}

/// A destination's protocols and ports.
pub(crate) fn services(destination: &model::profile::Destination) -> Vec<(&'static str, u16)> {
    let tcp = destination.tcp.iter().map(|port| ("tcp", *port));
    tcp.chain(destination.udp.iter().map(|port| ("udp", *port))).collect()
}
