//! What the ladder looks at, taken from the site file and its profile.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::profile::Target;
use model::site::prefix::Prefix;
use model::{Calendar, Date, Site, Zone};

/// A terminal the ladder looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalTarget {
    /// Its name in the site file.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The last day of its certificate, as somebody typed it in.
    pub certificate_until: Option<Date>,
}

/// Everything the probes need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The line's port.
    pub line_port: String,
    /// The terminals' port.
    pub terminal_port: String,
    /// The box's own address in the terminals' zone.
    pub own: Ipv4Addr,
    /// The line's resolvers; the system's are never asked.
    pub resolvers: [Ipv6Addr; 2],
    /// Where answers of the closed network lie.
    pub expected: Vec<Prefix>,
    /// The line-authentication host.
    pub line_auth: Target,
    /// The distribution host.
    pub distribution: Target,
    /// What the distribution host is called in the other area, if the profile knows it.
    pub other_area: Option<String>,
    /// The centre's service.
    pub centre: Target,
    /// The time server's name.
    pub time: String,
    /// The terminals.
    pub terminals: Vec<TerminalTarget>,
    /// What is known beforehand.
    pub calendar: Calendar,
    /// The authorities the centre's certificate must come from, PEM. Without them the certificate is not judged.
    pub authorities_pem: Option<Vec<u8>>,
}

impl Plan {
    /// The plan for a site. `authorities_pem` are the bytes of the profile's file of authorities, or of the box's own
    /// store where the profile names none.
    pub fn from_site(site: &Site, authorities_pem: Option<Vec<u8>>) -> Self {
        let profile = &site.profile;
        let own = match site.terminal_zone.address {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
        };
        let terminals = site.terminals.iter();
        Self {
            line_port: site.port(Zone::Wan).to_owned(),
            terminal_port: site.port(Zone::Terminal).to_owned(),
            own,
            resolvers: profile.resolvers,
            expected: profile.expected.clone(),
            line_auth: profile.line_auth.clone(),
            distribution: profile.distribution.clone(),
            other_area: profile.distribution_other_area.clone(),
            centre: profile.centre.clone(),
            time: profile.time.clone(),
            terminals: terminals
                .map(|terminal| TerminalTarget {
                    name: terminal.name.clone(),
                    address: terminal.address,
                    certificate_until: terminal.certificate_until,
                })
                .collect(),
            calendar: site.calendar.clone(),
            authorities_pem,
        }
    }

    /// Whether an answer with this address can be the closed network's.
    pub fn expects(&self, address: Ipv6Addr) -> bool {
        self.expected.iter().any(|prefix| prefix.contains(IpAddr::V6(address)))
    }
}
