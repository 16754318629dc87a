//! The ways out of the box: the qualification line, and an internet line or session beside it.

use std::net::{IpAddr, Ipv4Addr};

use super::maintainers::Terms;
use super::prefix::Prefix;
use super::walk::Node;
use super::{Site, addresses4, read};
use crate::zone::Zone;

/// The interface of the IPsec tunnel to the qualification's provider.
pub const TUNNEL: &str = "ipsec0";
/// The interface of the tunnel to the receipt computer's cloud.
pub const CLOUD: &str = "cloud0";
/// The interface of the maintainer's tunnel; it is there while consent is open.
pub const MAINTENANCE: &str = "maint0";
/// The interface of the box's own PPPoE session for the qualification.
pub const SESSION_LINE: &str = "ppp-line";
/// The interface of the box's own PPPoE session to the internet.
pub const SESSION_INTERNET: &str = "ppp-isp";

/// Interfaces that are made: no port may have one of these names.
pub const MADE: [&str; 5] = [TUNNEL, CLOUD, MAINTENANCE, SESSION_LINE, SESSION_INTERNET];

/// How the qualification is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A /64 by router advertisement, no delegation (no ひかり電話): line and terminals share it.
    Ra,
    /// A delegated prefix by DHCPv6; the terminals have a part of it.
    Pd,
    /// IPsec over an internet line; terminals leave by the tunnel only, over IPv4.
    Ipsec(Ipsec),
    /// A PPPoE session of the box's, over IPv4.
    Pppoe(Session),
}

/// The connection type IPsec+IKE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipsec {
    /// The provider's profile: a file beside the site file. Without one the line is described and not brought up.
    pub provider: Option<String>,
    /// By what the port has its address, and with it the family of everything outside the tunnel.
    pub outer: Outer,
    /// The provider's gateways: with nobody else the box speaks in the clear.
    pub gateways: Vec<IpAddr>,
    /// Terminals keep their own addresses in the tunnel; otherwise they have its inner address.
    pub routed: bool,
}

/// What the contract of a PPPoE session says (RFC 2516).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The name of the secret that holds user and password.
    pub login: String,
    /// The service that is asked for; whichever is offered, if the contract names none.
    pub service: Option<String>,
    /// The largest packet in it, both ways.
    pub mtu: u16,
}

impl Session {
    /// What フレッツ lines carry; others say theirs in the contract.
    pub const USUAL_MTU: u16 = 1454;
    /// What every IPv6 link carries (RFC 8200 section 5), and an Ethernet frame less PPPoE's 8 bytes (RFC 2516 section 7).
    pub const MTUS: [i64; 2] = [1280, 1492];

    fn read(node: &Node) -> Option<Self> {
        let mtu = node.integer("mtu").and_then(|mtu| u16::try_from(mtu).ok()).unwrap_or(Self::USUAL_MTU);
        let login = node.text("login")?.strip_prefix("secret:")?.to_owned();
        Some(Self { login, service: node.text("service"), mtu })
    }
}

/// By what the port of a line by IPsec has its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outer {
    /// By router advertisement, over IPv6.
    Ra,
    /// By DHCP, over IPv4: from the home gateway in front, which does NAT. How that one reaches the internet (PPPoE, MAP-E,
    /// DS-Lite) is its own matter.
    Dhcp,
}

impl Outer {
    /// The ones in the site file.
    pub const KEYS: &'static [&'static str] = &["ra", "dhcp"];

    /// What the site file says; where it says nothing, the way that carries the gateways' family.
    fn read(ipsec: &Node, gateways: &[IpAddr]) -> Self {
        match ipsec.text("outer").as_deref() {
            Some("ra") => Self::Ra,
            Some(_) => Self::Dhcp,
            None if gateways.iter().any(IpAddr::is_ipv6) => Self::Ra,
            None => Self::Dhcp,
        }
    }

    /// Whether it carries IPv4; else IPv6.
    pub const fn is_ipv4(self) -> bool {
        matches!(self, Self::Dhcp)
    }
}

impl Line {
    /// The kinds in the site file.
    pub const KINDS: &'static [&'static str] = &["ra", "pd", "ipsec", "pppoe"];

    /// Its name in the site file.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Ra => "ra",
            Self::Pd => "pd",
            Self::Ipsec(_) => "ipsec",
            Self::Pppoe(_) => "pppoe",
        }
    }

    /// Whether the terminals' packets leave over IPv4.
    pub const fn is_ipv4(&self) -> bool {
        matches!(self, Self::Ipsec(_) | Self::Pppoe(_))
    }

    /// Whether the port of the line itself carries this family.
    pub const fn carries(&self, ipv4: bool) -> bool {
        match self {
            Self::Ra | Self::Pd => !ipv4,
            Self::Ipsec(ipsec) => ipsec.outer.is_ipv4() == ipv4,
            Self::Pppoe(_) => ipv4,
        }
    }

    /// Whether the port has its address by DHCP, from a home gateway in front of the box.
    pub const fn is_lent(&self) -> bool {
        matches!(self, Self::Ipsec(Ipsec { outer: Outer::Dhcp, .. }))
    }
}

/// A separate line or session to the internet; it carries IPv4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Internet {
    /// A PPPoE session of the box's, over a port of its own or the line's; otherwise an address by DHCP.
    pub pppoe: bool,
    /// The resolvers asked there.
    pub resolvers: Vec<Ipv4Addr>,
}

/// The receipt computer's cloud, behind IPsec over the internet line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// The profile of who runs its gateways: a file beside the site file. Without one the cloud is described and not brought up.
    pub provider: Option<String>,
    /// Its gateways.
    pub gateways: Vec<Ipv4Addr>,
    /// The networks behind it that the clinic may reach.
    pub networks: Vec<Prefix>,
    /// Whom the box asks there, to see whether he is reached.
    pub endpoints: Vec<Endpoint>,
    /// A PEM file beside the site file with the authorities of their certificates; without one the box's own store counts.
    pub authorities: Option<String>,
}

/// A service of the cloud. The box opens a connection and hangs up: it never logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub address: Ipv4Addr,
    /// Its TCP port.
    pub port: u16,
    /// The name in its certificate; without one it is asked by TCP only.
    pub name: Option<String>,
}

/// Which way out the box takes for a purpose of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uplink {
    /// The qualification line.
    Line,
    /// The internet line.
    Internet,
}

impl Uplink {
    /// The ones in the site file.
    pub const KEYS: &'static [&'static str] = &["line", "internet"];

    /// Its zone.
    pub const fn zone(self) -> Zone {
        match self {
            Self::Line => Zone::Wan,
            Self::Internet => Zone::Isp,
        }
    }

    fn read(node: &Node) -> Option<Self> {
        Some(if node.text("uplink")? == "line" { Self::Line } else { Self::Internet })
    }
}

/// What stands about remote maintenance, open or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintainer {
    /// The box's management address in the tunnel, and the network of the maintainers' addresses in it.
    pub address: Prefix,
    /// The maintainers' gateways, which the box itself calls.
    pub gateways: Vec<IpAddr>,
    /// By which way.
    pub uplink: Uplink,
    /// Who may be let in, and for how long.
    pub terms: Terms,
}

/// Where updates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The servers, spoken to over HTTPS.
    pub servers: Vec<Prefix>,
    /// By which way.
    pub uplink: Uplink,
}

impl Site {
    /// The interface by which the packets of a zone come and go, if the site has that zone.
    pub fn interface(&self, zone: Zone) -> Option<&str> {
        let port = self.ports.iter().find(|port| port.zone == zone).map(|port| port.name.as_str());
        match zone {
            Zone::Wan if matches!(self.line, Line::Pppoe(_)) => Some(SESSION_LINE),
            Zone::Isp => self.internet.as_ref().and_then(|internet| match internet.pppoe {
                true => Some(SESSION_INTERNET),
                false => port,
            }),
            Zone::Tunnel => matches!(self.line, Line::Ipsec(_)).then_some(TUNNEL),
            Zone::Cloud => self.cloud.as_ref().map(|_| CLOUD),
            Zone::Maint => self.maintainer.as_ref().map(|_| MAINTENANCE),
            Zone::Wan | Zone::Terminal | Zone::Clinic | Zone::Claims | Zone::Printer => port,
        }
    }

    /// Every zone the site has, with its interface.
    pub fn interfaces(&self) -> impl Iterator<Item = (Zone, &str)> {
        Zone::ALL.into_iter().filter_map(|zone| Some((zone, self.interface(zone)?)))
    }

    /// The zone by which the qualification is reached.
    pub const fn qualification(&self) -> Zone {
        if matches!(self.line, Line::Ipsec(_)) { Zone::Tunnel } else { Zone::Wan }
    }
}

pub(super) fn line(node: &Node) -> Option<Line> {
    Some(match node.text("kind")?.as_str() {
        "pd" => Line::Pd,
        "ipsec" => {
            let ipsec = node.table("ipsec")?;
            let routed = ipsec.boolean("routed").unwrap_or(false);
            let (provider, gateways) = (ipsec.text("provider"), ipsec.addresses("gateways"));
            let outer = Outer::read(ipsec, &gateways);
            Line::Ipsec(Ipsec { provider, outer, gateways, routed })
        }
        "pppoe" => Line::Pppoe(Session::read(node.table("pppoe")?)?),
        _ => Line::Ra,
    })
}

pub(super) fn internet(node: &Node) -> Option<Internet> {
    Some(Internet { pppoe: node.text("kind")? == "pppoe", resolvers: addresses4(node, "resolvers") })
}

pub(super) fn cloud(node: &Node) -> Cloud {
    Cloud {
        provider: node.text("provider"),
        gateways: addresses4(node, "gateways"),
        networks: node.prefixes("networks"),
        endpoints: node.tables("endpoint").into_iter().filter_map(endpoint).collect(),
        authorities: node.text("authorities"),
    }
}

/// A service of the cloud, as far as it can be read.
pub(super) fn endpoint(node: &Node) -> Option<Endpoint> {
    let address = read::address(node)?;
    let port = node.integer("port").and_then(|port| u16::try_from(port).ok())?;
    Some(Endpoint { address, port, name: node.text("name") })
}

pub(super) fn maintainer(node: &Node) -> Option<Maintainer> {
    let (address, uplink) = (node.prefix("address")?, Uplink::read(node)?);
    Some(Maintainer { address, gateways: node.addresses("gateways"), uplink, terms: Terms::read(node) })
}

pub(super) fn update(node: &Node) -> Option<Update> {
    Some(Update { servers: node.prefixes("servers"), uplink: Uplink::read(node)? })
}
