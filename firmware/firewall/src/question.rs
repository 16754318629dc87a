//! A question about one packet, read against a site: what was typed becomes a [`Packet`], or every mistake in it.

use std::net::{IpAddr, Ipv4Addr};

use model::policy::{Mistake, Question, Said};
use model::{Site, Zone};

use crate::packet::{Packet, Path, State};

/// The word for the box itself, where a zone is asked for.
pub const BOX: &str = "box";
/// The word for a port in no zone.
pub const OTHER: &str = "other";

/// The port that stands for one in no zone; [`Question::port`] names another.
const UNPLANNED: &str = "unplanned0";

/// Where a packet comes from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Box,
    Zone(Zone),
    Other,
}

/// Makes the packet of a question.
///
/// # Errors
/// Everything that is wrong with it, in the order of its fields.
pub fn read(site: &Site, question: &Question) -> Result<Packet, Vec<Mistake>> {
    let mut reader = Reader { site, question, mistakes: Vec::new() };
    reader.bounds();
    if !reader.mistakes.is_empty() {
        return Err(reader.mistakes);
    }
    let packet = reader.packet();
    match packet {
        Some(packet) if reader.mistakes.is_empty() => Ok(packet),
        _ => Err(reader.mistakes),
    }
}

/// The words that stand for a zone in a question about this site.
pub fn zones(site: &Site) -> Vec<&'static str> {
    interfaces(site).into_iter().map(|(zone, _)| zone.key()).chain([BOX, OTHER]).collect()
}

/// The zones of a site with their interfaces: the ports, and what is made over them.
pub(crate) fn interfaces(site: &Site) -> Vec<(Zone, String)> {
    let interface = |zone: Zone| Some((zone, site.interface(zone)?.to_owned()));
    Zone::ALL.into_iter().filter_map(interface).collect()
}

/// The zone an interface belongs to.
pub(crate) fn zone_of(site: &Site, port: &str) -> Option<Zone> {
    interfaces(site).into_iter().find(|(_, own)| own == port).map(|(zone, _)| zone)
}

struct Reader<'q> {
    site: &'q Site,
    question: &'q Question,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn wrong(&mut self, field: &str, ja: impl Into<String>, en: impl Into<String>) {
        self.mistakes.push(Mistake { field: field.to_owned(), says: Said::new(ja, en) });
    }

    /// Nothing of what is said later repeats what is too long or would move a terminal's cursor.
    fn bounds(&mut self) {
        for (field, said) in self.question.fields() {
            if said.len() > Question::LONGEST || said.chars().any(char::is_control) {
                let most = Question::LONGEST;
                self.wrong(
                    field,
                    format!("{most} バイト以内の文字で書いてください。"),
                    format!("is longer than {most} bytes or has control characters"),
                );
            }
        }
    }

    fn packet(&mut self) -> Option<Packet> {
        let question = self.question;
        let from = self.place("from", &question.from);
        let to = (!question.to.is_empty()).then(|| self.place("to", &question.to));
        let from_port = from.and_then(|from| self.port(from));
        let (source, destination) = self.addresses();
        let protocol = self.protocol(source.or(destination));
        let (source_service, destination_service) = self.services(protocol);
        let icmp_type = self.icmp_type(protocol);
        let state = self.state(protocol, icmp_type);
        let to = match to {
            Some(said) => said,
            None => destination.map(|destination| self.leads_to(from, destination)),
        };
        let (from, to) = (from?, to?);
        let path = self.path(from, to, destination?)?;
        let protocol = protocol?;
        Some(Packet {
            path,
            from_port: from_port?,
            to_port: if to == Place::Box { String::new() } else { self.own_port(to) },
            source: source?,
            destination: destination?,
            protocol,
            readable: true,
            source_service: source_service?,
            destination_service: destination_service?,
            icmp_type: icmp_type?,
            icmp_code: 0,
            hop_limit: hop_limit(protocol, icmp_type?),
            state: state?,
        })
    }

    fn place(&mut self, field: &str, said: &str) -> Option<Place> {
        let known = zones(self.site);
        let place = match said {
            BOX => Some(Place::Box),
            OTHER => Some(Place::Other),
            zone if known.contains(&zone) => Zone::from_key(zone).map(Place::Zone),
            _ => None,
        };
        if place.is_none() {
            let list = known.join(", ");
            let ja = format!("ゾーンを選んでください（{list}）。");
            let en = if said.is_empty() { "is missing".into() } else { format!("there is no zone {said}") };
            self.wrong(field, ja, format!("{en} (allowed: {list})"));
        }
        place
    }

    /// The port it comes in by.
    fn port(&mut self, from: Place) -> Option<String> {
        let said = &self.question.port;
        let zone_of = |name: &str| zone_of(self.site, name);
        let fits = match from {
            Place::Box => said.is_empty(),
            Place::Zone(zone) => said.is_empty() || zone_of(said) == Some(zone),
            Place::Other => said.is_empty() || zone_of(said).is_none(),
        };
        if !fits {
            let (ja, en) = match from {
                Place::Box => (
                    "本機から出るものに入力ポートはありません。".into(),
                    "what the box says comes in by no port".into(),
                ),
                Place::Other => {
                    (format!("{said} はゾーンに属するポートです。"), format!("{said} is a port of a zone"))
                }
                Place::Zone(zone) => {
                    let own = self.own_port(from);
                    (
                        format!("{said} は「{}」のポートではありません（{own}）。", zone.name().ja),
                        format!("{said} is no port of {} (allowed: {own})", zone.key()),
                    )
                }
            };
            self.wrong("in", ja, en);
            return None;
        }
        Some(match from {
            Place::Box => String::new(),
            _ if !said.is_empty() => said.clone(),
            from => self.own_port(from),
        })
    }

    fn own_port(&self, place: Place) -> String {
        match place {
            Place::Zone(zone) => self.site.interface(zone).unwrap_or_default().to_owned(),
            Place::Box | Place::Other => UNPLANNED.to_owned(),
        }
    }

    fn addresses(&mut self) -> (Option<IpAddr>, Option<IpAddr>) {
        let source = self.address("src", &self.question.src);
        let destination = self.address("dst", &self.question.dst);
        if let (Some(source), Some(destination)) = (source, destination)
            && source.is_ipv4() != destination.is_ipv4()
        {
            self.wrong(
                "dst",
                "送信元と宛先で IPv4 と IPv6 が混ざっています。",
                "source and destination are of two families, IPv4 and IPv6",
            );
            return (Some(source), None);
        }
        (source, destination)
    }

    fn address(&mut self, field: &str, said: &str) -> Option<IpAddr> {
        let address = said.parse().ok();
        if address.is_none() {
            let en = if said.is_empty() { "is missing".into() } else { format!("{said} is no address") };
            self.wrong(
                field,
                "IPv4 か IPv6 のアドレスを 1 つ書いてください。",
                format!("{en} (allowed: one IPv4 or IPv6 address)"),
            );
        }
        address
    }

    fn protocol(&mut self, address: Option<IpAddr>) -> Option<u8> {
        let ipv6 = address.is_some_and(|address| address.is_ipv6());
        let protocol = match self.question.proto.as_str() {
            "tcp" => Some(6),
            "udp" => Some(17),
            "icmp" if ipv6 => Some(ICMP6),
            "icmp" => Some(ICMP),
            "icmp6" | "icmpv6" if ipv6 || address.is_none() => Some(ICMP6),
            number => number.parse().ok(),
        };
        if protocol.is_none() {
            let said = &self.question.proto;
            let en = match said.as_str() {
                "" => "is missing".to_owned(),
                "icmp6" | "icmpv6" => format!("{said} does not go over IPv4"),
                _ => format!("{said} is no protocol"),
            };
            self.wrong(
                "proto",
                "tcp, udp, icmp, icmp6（IPv6 のみ）か番号を書いてください。",
                format!("{en} (allowed: tcp, udp, icmp, icmp6 over IPv6, or a number up to 255)"),
            );
        }
        protocol
    }

    /// The two ports; of a protocol without any, two that mean nothing.
    fn services(&mut self, protocol: Option<u8>) -> (Option<u16>, Option<u16>) {
        let Some(protocol) = protocol else { return (None, None) };
        let (sport, dport) = (&self.question.sport, &self.question.dport);
        if !matches!(protocol, 6 | 17) {
            for (field, said) in [("dport", dport), ("sport", sport)] {
                if !said.is_empty() {
                    self.wrong(
                        field,
                        "ポート番号は TCP と UDP にだけあります。",
                        "only TCP and UDP have ports",
                    );
                }
            }
            return (Some(0), Some(0));
        }
        let destination = self.service("dport", dport);
        let source = if sport.is_empty() { Some(EPHEMERAL) } else { self.service("sport", sport) };
        (source, destination)
    }

    fn service(&mut self, field: &str, said: &str) -> Option<u16> {
        let number = said.parse().ok();
        if number.is_none() {
            let en = if said.is_empty() { "is missing".into() } else { format!("{said} is no port number") };
            self.wrong(field, "0 から 65535 の番号を書いてください。", format!("{en} (allowed: 0 to 65535)"));
        }
        number
    }

    fn icmp_type(&mut self, protocol: Option<u8>) -> Option<u8> {
        let said = &self.question.icmp_type;
        if !matches!(protocol?, ICMP | ICMP6) {
            if !said.is_empty() {
                self.wrong("icmp-type", "種類の番号は ICMP にだけあります。", "only ICMP has a type");
            }
            return Some(0);
        }
        let number = said.parse().ok();
        if number.is_none() {
            let en = if said.is_empty() { "is missing".into() } else { format!("{said} is no ICMP type") };
            self.wrong(
                "icmp-type",
                "ICMP の種類を 0 から 255 の番号で書いてください。",
                format!("{en} (allowed: 0 to 255; echo request is 8, over IPv6 128)"),
            );
        }
        number
    }

    fn state(&mut self, protocol: Option<u8>, icmp_type: Option<u8>) -> Option<State> {
        let said = self.question.state.as_str();
        if said.is_empty() {
            return Some(first_state(protocol?, icmp_type?));
        }
        let state = State::ALL.into_iter().find(|state| state.word() == said);
        if state.is_none() {
            let list = State::ALL.map(State::word).join(", ");
            self.wrong(
                "state",
                format!("{list} のいずれかです。"),
                format!("there is no state {said} (allowed: {list})"),
            );
        }
        state
    }

    /// Where a packet to this address goes, as far as the site file says.
    fn leads_to(&self, from: Option<Place>, destination: IpAddr) -> Place {
        // What is meant for one link goes no further: of the box it leaves, of others the box hears it.
        let heard = from != Some(Place::Box) && is_of_the_link(destination);
        if heard || self.is_own(destination) {
            return Place::Box;
        }
        let networks = self.site.networks();
        let inside = networks.iter().find(|(_, network)| network.contains(destination));
        Place::Zone(inside.map_or_else(|| self.outside(from, destination), |(zone, _)| *zone))
    }

    /// The way out for what is at none of the zones inside.
    fn outside(&self, from: Option<Place>, destination: IpAddr) -> Zone {
        let networks = self.site.cloud.iter().flat_map(|cloud| &cloud.networks);
        if networks.into_iter().any(|network| network.contains(destination)) {
            return Zone::Cloud;
        }
        let wanted = match from {
            Some(Place::Zone(Zone::Terminal | Zone::Claims)) => Zone::Tunnel,
            Some(Place::Zone(Zone::Clinic)) => Zone::Isp,
            _ => Zone::Wan,
        };
        self.site.interface(wanted).map_or(Zone::Wan, |_| wanted)
    }

    fn is_own(&self, address: IpAddr) -> bool {
        self.site.networks().iter().any(|(_, network)| network.address == address)
    }

    fn path(&mut self, from: Place, to: Place, destination: IpAddr) -> Option<Path> {
        match (from, to) {
            (Place::Box, Place::Box) => {
                self.wrong(
                    "to",
                    "本機から本機へは、ポートを通りません。",
                    "from the box to itself nothing passes a port",
                );
                None
            }
            (_, Place::Box) => Some(Path::Input),
            _ if self.is_own(destination) || (from != Place::Box && is_of_the_link(destination)) => {
                self.wrong(
                    "to",
                    "この宛先は本機あてです。",
                    format!("what is sent to {destination} is for the box and goes no further"),
                );
                None
            }
            (Place::Box, _) => Some(Path::Output),
            _ => Some(Path::Forward),
        }
    }
}

const ICMP: u8 = 1;
const ICMP6: u8 = 58;

/// A source port a client may have chosen.
const EPHEMERAL: u16 = 50_000;

/// Addresses of one link: RFC 4291 sections 2.5.6 and 2.7, RFC 919, RFC 5771.
fn is_of_the_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address == Ipv4Addr::BROADCAST || address.is_multicast(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address.is_multicast(),
    }
}

/// The state of a packet that belongs to no flow (nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c): of ICMP only
/// requests open one, and the discovery of neighbours and listeners is left alone.
const fn first_state(protocol: u8, icmp_type: u8) -> State {
    match (protocol, icmp_type) {
        (ICMP6, 130..=136 | 143) => State::Untracked,
        (ICMP, 8 | 13 | 15 | 17) | (ICMP6, 128 | 139) => State::New,
        (ICMP | ICMP6, _) => State::Invalid,
        _ => State::New,
    }
}

/// RFC 4861 section 7.1 and RFC 2710 section 3: what is right for these two; else what hosts send.
const fn hop_limit(protocol: u8, icmp_type: u8) -> u8 {
    match (protocol, icmp_type) {
        (ICMP6, 133..=137) => 255,
        (ICMP6, 130..=132 | 143) => 1,
        _ => 64,
    }
}
