//! What the ladder looks at, taken from the site file and its profile.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use model::profile::Target;
use model::site::Place;
use model::site::prefix::Prefix;
use model::site::uplink::{Endpoint, Line, SESSION_LINE, Uplink};
use model::{Calendar, Date, Rung, Site, Zone};

/// A terminal the ladder looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalTarget {
    /// Its name in the site file.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its share, as the site file names it: whoever changes it has another terminal before him.
    pub share: String,
    /// The last day of its certificate, as somebody typed it in.
    pub certificate_until: Option<Date>,
}

/// A consumer of answers whose machine's address is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerTarget {
    /// Its name in the site file.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
}

/// The clinic's side, as far as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClinicSide {
    /// The clinic's port.
    pub port: String,
    /// The box's own address in the clinic's zone.
    pub own: Ipv4Addr,
    /// The consumers with an address.
    pub consumers: Vec<ConsumerTarget>,
    /// An address of the clinic's zone that nobody there has as far as we know: who answers for it in the terminals' zone
    /// answers for everybody (RFC 1027) and proves nothing.
    pub nobody: Option<Ipv4Addr>,
    /// The same the other way round: one of the terminals' zone, asked for in the clinic's.
    pub nobody_terminal: Option<Ipv4Addr>,
}

/// The internet line beside the line, where the box has one with an address by DHCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternetTarget {
    /// Its port.
    pub port: String,
    /// The resolvers that are asked there.
    pub resolvers: Vec<IpAddr>,
    /// Whether the clinic's computers leave by it: otherwise nobody feels that it is away.
    pub serves: bool,
}

/// The session of a line by PPPoE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTarget {
    /// Its interface, which is there while it stands.
    pub interface: String,
    /// Where is noted why it does not.
    pub said: PathBuf,
}

/// The receipt computer's cloud, behind its own tunnel over the internet line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudTarget {
    /// The port of the internet line.
    pub port: String,
    /// The gateways of its tunnel.
    pub gateways: Vec<IpAddr>,
    /// Whom the box asks behind it.
    pub endpoints: Vec<Endpoint>,
    /// The authorities their certificates must come from, PEM. Without them the certificates are not judged.
    pub authorities_pem: Option<Vec<u8>>,
    /// So long a tunnel that has gone may be taken for one that stands, seconds (dead peer detection, RFC 3706).
    pub notices_s: u32,
}

/// Everything the probes need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the line is, by the site file: another one has a past of its own.
    pub contract: String,
    /// The line's port.
    pub line_port: String,
    /// The terminals' port.
    pub terminal_port: String,
    /// The box's own address in the terminals' zone.
    pub own: Ipv4Addr,
    /// The line's resolvers; the system's are never asked.
    pub resolvers: [IpAddr; 2],
    /// There is only one of them.
    pub one_resolver: bool,
    /// The provider's gateways, on a line by IPsec: then names and hosts are reached by the tunnel, over IPv4.
    pub gateways: Vec<IpAddr>,
    /// Hosts are reached over IPv4.
    pub ipv4: bool,
    /// The line's port has its address by DHCP, from a home gateway in front of the box.
    pub lent: bool,
    /// The session, on a line by PPPoE.
    pub session: Option<SessionTarget>,
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
    /// The clinic's side.
    pub clinic: ClinicSide,
    /// The internet line.
    pub internet: Option<InternetTarget>,
    /// The cloud.
    pub cloud: Option<CloudTarget>,
    /// The rung of the maintainer's gateway, by which way it is called; none on a site without maintenance.
    pub maintainer: Option<Rung>,
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
        let own = v4(&site.terminal_zone);
        let terminals = site.terminals.iter();
        let resolvers = resolvers(site);
        Self {
            contract: contract(site),
            line_port: site.port(Zone::Wan).to_owned(),
            terminal_port: site.port(Zone::Terminal).to_owned(),
            own,
            one_resolver: resolvers[0] == resolvers[1],
            resolvers,
            gateways: match &site.line {
                Line::Ipsec(ipsec) => ipsec.gateways.clone(),
                Line::Ra | Line::Pd | Line::Pppoe(_) => Vec::new(),
            },
            ipv4: site.line.is_ipv4(),
            lent: site.line.is_lent(),
            session: session(site),
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
                    share: share(&terminal.folders),
                    certificate_until: terminal.certificate_until,
                })
                .collect(),
            clinic: ClinicSide::of(site),
            internet: internet(site),
            cloud: cloud(site),
            maintainer: site.maintainer.as_ref().map(|maintainer| match maintainer.uplink {
                Uplink::Line => Rung::Maintainer,
                Uplink::Internet => Rung::MaintainerByInternet,
            }),
            calendar: site.calendar.clone(),
            authorities_pem,
        }
    }

    /// The same, where the notes of other programs lie below this folder. Another login has a past of its own, and so has one
    /// that nobody has marked.
    pub fn told_in(mut self, folder: &Path) -> Self {
        if let Some(session) = &mut self.session {
            session.said = folder.join(&session.said);
            let mark = std::fs::read_to_string(folder.join(crate::session::MARK)).unwrap_or_default();
            self.contract.push_str(&format!(" login {}", crate::finding::harmless(mark.trim())));
        }
        self
    }

    /// The same with the authorities of the cloud's services.
    #[must_use]
    pub fn with_cloud_authorities(mut self, pem: Option<Vec<u8>>) -> Self {
        if let Some(cloud) = &mut self.cloud {
            cloud.authorities_pem = pem;
        }
        self
    }

    /// The same with how long a tunnel to the cloud that has gone may be taken for one that stands, where its form says so.
    #[must_use]
    pub fn with_cloud_noticed(mut self, within_s: Option<u32>) -> Self {
        if let (Some(cloud), Some(within_s)) = (&mut self.cloud, within_s) {
            cloud.notices_s = within_s;
        }
        self
    }

    /// Whether the line's router advertises itself.
    pub(crate) const fn is_advertised(&self) -> bool {
        !self.lent && self.session.is_none()
    }

    /// Whether an answer with this address can be the closed network's.
    pub fn expects(&self, address: IpAddr) -> bool {
        self.expected.iter().any(|prefix| prefix.contains(address))
    }
}

/// What was good behind a home gateway says nothing of a line without one, nor one service of another by PPPoE.
fn contract(site: &Site) -> String {
    let lent = if site.line.is_lent() { " dhcp" } else { "" };
    let service = match &site.line {
        Line::Pppoe(session) => {
            session.service.as_ref().map_or_else(String::new, |name| format!(" {name:?}"))
        }
        Line::Ra | Line::Pd | Line::Ipsec(_) => String::new(),
    };
    format!("{}{lent}{service} {}", site.line.key(), site.profile.name)
}

fn session(site: &Site) -> Option<SessionTarget> {
    let interface = matches!(site.line, Line::Pppoe(_)).then(|| SESSION_LINE.to_owned())?;
    Some(SessionTarget { interface, said: crate::session::SAID.into() })
}

/// A session by PPPoE is no port with carrier and DHCP, and this build brings none up.
fn internet(site: &Site) -> Option<InternetTarget> {
    let internet = site.internet.as_ref().filter(|internet| !internet.pppoe)?;
    Some(InternetTarget {
        port: site.interface(Zone::Isp)?.to_owned(),
        resolvers: internet.resolvers.iter().copied().map(IpAddr::V4).collect(),
        serves: site.clinic_internet || site.cloud.is_some(),
    })
}

fn cloud(site: &Site) -> Option<CloudTarget> {
    let (cloud, internet) = (site.cloud.as_ref()?, internet(site)?);
    Some(CloudTarget {
        port: internet.port,
        gateways: cloud.gateways.iter().copied().map(IpAddr::V4).collect(),
        endpoints: cloud.endpoints.clone(),
        authorities_pem: None,
        notices_s: 60,
    })
}

/// Those of the family the line carries; one that is alone stands in both places.
fn resolvers(site: &Site) -> [IpAddr; 2] {
    let profile = &site.profile;
    let [one, two] = profile.resolvers;
    match profile.resolvers4.as_slice() {
        [first, rest @ ..] if site.line.is_ipv4() => {
            [IpAddr::V4(*first), IpAddr::V4(*rest.first().unwrap_or(first))]
        }
        _ => [IpAddr::V6(one), IpAddr::V6(two)],
    }
}

/// What tells one share from another.
fn share(folders: &Place) -> String {
    match folders {
        Place::Own { share } => share.clone(),
        Place::Remote { address, share, login } => format!(r"\\{address}\{share} {login}"),
        Place::Local { path } => path.display().to_string(),
    }
}

impl ClinicSide {
    fn of(site: &Site) -> Self {
        let consumers = site.consumers.iter().filter_map(|consumer| {
            Some(ConsumerTarget { name: consumer.name.clone(), address: consumer.address? })
        });
        let consumers: Vec<ConsumerTarget> = consumers.collect();
        let known: Vec<Ipv4Addr> = consumers.iter().map(|consumer| consumer.address).collect();
        let terminals: Vec<Ipv4Addr> = site.terminals.iter().map(|terminal| terminal.address).collect();
        Self {
            port: site.port(Zone::Clinic).to_owned(),
            own: v4(&site.clinic),
            nobody: nobody(&site.clinic, &known),
            nobody_terminal: nobody(&site.terminal_zone, &terminals),
            consumers,
        }
    }
}

fn v4(zone: &Prefix) -> Ipv4Addr {
    match zone.address {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}

/// The zone's highest address that is neither ours nor of somebody we know.
fn nobody(zone: &Prefix, known: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    let last = v4(zone).to_bits() | u32::MAX.checked_shr(u32::from(zone.length)).unwrap_or(0);
    let below = (0..=last).rev().map(Ipv4Addr::from_bits).take(64);
    below
        .filter(|address| zone.is_machine(*address) && *address != v4(zone))
        .find(|address| !known.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_a_machine_s_address_of_the_zone_that_is_not_taken() {
        let zone = |last: u8, length| Prefix { address: IpAddr::from([192, 0, 2, last]), length };
        let at = |last: u8| Ipv4Addr::new(192, 0, 2, last);
        assert_eq!(nobody(&zone(1, 24), &[at(2), at(254)]), Some(at(253)));
        assert_eq!(nobody(&zone(254, 24), &[at(2)]), Some(at(253)));
        assert_eq!(nobody(&zone(1, 30), &[at(2)]), None, "a zone of two machines has no third");
    }
}
