//! What came of a packet: where it came out, as what, and under which prefixes it was logged.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use firewall::packet::{Packet, Path};

/// Where a packet came out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A socket of the box.
    TheBox,
    /// The far end of this port.
    Port(String),
}

/// Where a packet comes out if it is let pass.
pub(super) fn goal(packet: &Packet) -> Place {
    match packet.path {
        Path::Input => Place::TheBox,
        Path::Forward | Path::Output => Place::Port(packet.to_port.clone()),
    }
}

/// What was seen of one packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Came {
    /// Where it came out, and with which ends it did.
    pub(super) places: BTreeMap<Place, Ends>,
    /// Prefixes it was logged under.
    pub(super) logged: BTreeSet<String>,
}

/// What of the ends could be read: of IPv6 a socket of the box is given no addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ends {
    addresses: Option<(IpAddr, IpAddr)>,
    services: Option<(u16, u16)>,
}

impl Came {
    pub(super) fn out_at(&mut self, place: Place, ends: Ends) {
        self.places.insert(place, ends);
    }

    pub(super) fn under(&mut self, prefix: String) {
        self.logged.insert(prefix);
    }

    /// Whether it came out where it should, and nowhere else.
    pub(super) fn is_through(&self, packet: &Packet) -> bool {
        self.places.len() == 1 && self.places.contains_key(&goal(packet))
    }

    /// The packet as it was where it should come out, if it did.
    pub(super) fn at_its_goal(&self, packet: &Packet) -> Option<Packet> {
        let place = goal(packet);
        self.places.get(&place).map(|ends| ends.of(packet, &place))
    }

    /// The packet as a promise speaks of it, wherever it came out: from whom it was sent, and to whom it came. Another source
    /// that it got on its way (RFC 3022) makes it nobody else's.
    pub(super) fn seen(&self, packet: &Packet) -> Vec<Packet> {
        let by_sender =
            |seen: Packet| Packet { source: packet.source, source_service: packet.source_service, ..seen };
        self.places.iter().map(|(place, ends)| by_sender(ends.of(packet, place))).collect()
    }
}

impl Ends {
    /// Of a packet with its network header.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let word = |at: usize| bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
        let long = |at: usize| bytes.get(at..at + 16).and_then(|octets| <[u8; 16]>::try_from(octets).ok());
        match bytes.first().map(|first| first >> 4) {
            Some(4) => Self {
                addresses: word(12)
                    .zip(word(16))
                    .map(|(from, to)| (Ipv4Addr::from(from).into(), Ipv4Addr::from(to).into())),
                ..Self::of_payload(bytes.get(20..).unwrap_or_default())
            },
            Some(6) => Self {
                addresses: long(8)
                    .zip(long(24))
                    .map(|(from, to)| (Ipv6Addr::from(from).into(), Ipv6Addr::from(to).into())),
                ..Self::of_payload(bytes.get(40..).unwrap_or_default())
            },
            _ => Self::default(),
        }
    }

    /// Of what the network header carried.
    pub(super) fn of_payload(bytes: &[u8]) -> Self {
        let pair = |at: usize| bytes.get(at..at + 2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        Self { addresses: None, services: pair(0).zip(pair(2)) }
    }

    fn of(&self, sent: &Packet, place: &Place) -> Packet {
        let mut packet = sent.clone();
        if *place != goal(sent) {
            (packet.path, packet.to_port) = match place {
                Place::TheBox => (Path::Input, String::new()),
                Place::Port(name) if sent.from_port.is_empty() => (Path::Output, name.clone()),
                Place::Port(name) => (Path::Forward, name.clone()),
            };
        }
        if let Some((source, destination)) = self.addresses {
            (packet.source, packet.destination) = (source, destination);
        }
        if let (Some((from, to)), 6 | 17) = (self.services, packet.protocol) {
            (packet.source_service, packet.destination_service) = (from, to);
        }
        packet
    }
}
