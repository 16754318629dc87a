//! A packet as bytes. Each carries its number where no rule looks: IPv4's identification, IPv6's flow label.

use std::net::IpAddr;

use firewall::packet::{Packet, State};

use super::packets::natural;

/// Who answers whom, where one packet alone does not say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Stands for itself.
    First,
    /// The answer that a flow's first packet gets.
    Answer,
    /// What follows in the direction of a flow's first packet.
    Follow,
    /// An ICMP error about this packet.
    About(Box<Packet>),
}

/// A packet to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    pub(super) packet: Packet,
    pub(super) form: Form,
    /// How much of its transport header there is, where it cannot be read; nothing if none is said.
    pub(super) octets: Option<u8>,
}

impl Shot {
    pub(super) const fn first(packet: Packet) -> Self {
        Self::of(packet, Form::First)
    }

    pub(super) const fn of(packet: Packet, form: Form) -> Self {
        Self { packet, form, octets: None }
    }

    /// The same from somebody to whom the flow's first packet came with other ends than it was sent with. What the one who
    /// sent it says later has the ends he knows.
    pub(super) fn to_whom_came(&self, opening: &Packet, seen: &Packet) -> Self {
        let mut shot = self.clone();
        let (packet, answers) = (&mut shot.packet, self.form == Form::Answer);
        if packet.destination != opening.source || !answers && !matches!(self.form, Form::About(_)) {
            return shot;
        }
        packet.destination = seen.source;
        if packet.source == opening.destination {
            packet.source = seen.destination;
        }
        match &mut shot.form {
            Form::About(about) if **about == *opening => **about = seen.clone(),
            Form::Answer if matches!(packet.protocol, 6 | 17) => {
                packet.source_service = seen.destination_service;
                packet.destination_service = seen.source_service;
            }
            _ => {}
        }
        shot
    }
}

/// The box's ends all have this address: frames from outside are for it.
pub(super) const OF_BOX: [u8; 6] = [2, 0, 0, 0, 0, 1];
const OUTSIDE: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// For experiments on one's own network (IEEE 802.1 local experimental): says that everything before it has come.
const MARKER: u16 = 0x88b5;

/// A frame for the box.
pub(super) fn frame(shot: &Shot, number: u16) -> Vec<u8> {
    let kind: u16 = if shot.packet.source.is_ipv4() { 0x0800 } else { 0x86dd };
    [&OF_BOX[..], &OUTSIDE, &kind.to_be_bytes(), &bytes(shot, number)].concat()
}

/// A frame that carries a number and nothing else.
pub(super) fn marker(number: u32) -> Vec<u8> {
    [&OF_BOX[..], &OUTSIDE, &MARKER.to_be_bytes(), &number.to_be_bytes(), &[0; 46]].concat()
}

/// What a received frame is: a packet with its network header, or a marker and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<'f> {
    Packet(&'f [u8]),
    Marker(u32),
    Other,
}

fn word(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]))
}

pub(super) fn read(frame: &[u8]) -> Read<'_> {
    match word(frame, 12) {
        0x0800 | 0x86dd => Read::Packet(&frame[14..]),
        MARKER => Read::Marker(u32::from(word(frame, 14)) << 16 | u32::from(word(frame, 16))),
        _ => Read::Other,
    }
}

/// The number a packet carries.
pub(super) fn number(packet: &[u8]) -> u16 {
    match packet.first().map(|first| first >> 4) {
        Some(4) => word(packet, 4),
        Some(6) => word(packet, 2),
        _ => 0,
    }
}

/// The packet with its network header.
pub(super) fn bytes(shot: &Shot, number: u16) -> Vec<u8> {
    let (packet, payload) = (&shot.packet, transport(shot));
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let header = match (packet.source, packet.destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header =
                [&[0x45, 0][..], &(length + 20).to_be_bytes(), &number.to_be_bytes(), &[0, 0]].concat();
            header.extend([packet.hop_limit, packet.protocol, 0, 0]);
            header.extend(source.octets().into_iter().chain(destination.octets()));
            let sum = checksum(&header);
            header[10..12].copy_from_slice(&sum);
            header
        }
        (source, destination) => {
            let mut header = [&[0x60, 0][..], &number.to_be_bytes(), &length.to_be_bytes()].concat();
            header.extend([packet.protocol, packet.hop_limit]);
            header.extend(octets(source).into_iter().chain(octets(destination)));
            header
        }
    };
    [header, payload].concat()
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

const SEQUENCE: u32 = 1000;
const OTHER_SEQUENCE: u32 = 5000;

/// The transport header with its checksum, which connection tracking looks at.
fn transport(shot: &Shot) -> Vec<u8> {
    let packet = &shot.packet;
    if !packet.readable {
        let packet = Packet { readable: true, ..packet.clone() };
        let mut whole = transport(&Shot { packet, ..shot.clone() });
        whole.truncate(shot.octets.unwrap_or_default().into());
        return whole;
    }
    let [from, to] = [packet.source_service, packet.destination_service].map(u16::to_be_bytes);
    let ports = [from, to].concat();
    let (mut payload, at) = match packet.protocol {
        6 => ([&ports[..], &tcp(shot), &[0x20, 0, 0, 0, 0, 0]].concat(), 16),
        17 => ([&ports[..], &[0, 8, 0, 0]].concat(), 6),
        1 | 58 => return icmp(shot),
        47 if packet.state == State::Invalid => return odd_gre(packet),
        _ => return [&ports[..], &[0; 12]].concat(),
    };
    let sum = checksum(&[pseudo_header(packet, payload.len()), payload.clone()].concat());
    payload[at..at + 2].copy_from_slice(&sum);
    if packet.protocol == 17 && packet.state == State::Invalid {
        payload[at] ^= 0x55;
    }
    payload
}

/// GRE that calls itself PPTP's (version 1 in the last bits of its flags) and carries no PPP, which tracking takes for
/// invalid (gre_pkt_to_tuple). Flags and protocol are where others have their ports.
fn odd_gre(packet: &Packet) -> Vec<u8> {
    let flags = packet.source_service & !7 | 1;
    [&flags.to_be_bytes()[..], &packet.destination_service.to_be_bytes(), &[0; 12]].concat()
}

/// Sequence, acknowledgement, offset and flags.
fn tcp(shot: &Shot) -> Vec<u8> {
    const SYN: u8 = 2;
    const ACK: u8 = 16;
    let (sequence, acknowledged, flags) = match &shot.form {
        Form::Answer => (OTHER_SEQUENCE, SEQUENCE + 1, SYN | ACK),
        Form::Follow => (SEQUENCE + 1, OTHER_SEQUENCE + 1, ACK),
        // Without any flag it belongs to nothing (RFC 9293 section 3.10.7).
        _ if shot.packet.state == State::Invalid => (SEQUENCE, 0, 0),
        _ => (SEQUENCE, 0, SYN),
    };
    [&sequence.to_be_bytes()[..], &acknowledged.to_be_bytes(), &[0x50, flags]].concat()
}

/// Type, code, identifier and sequence, and enough zeros for every type that is sent; or what an error is about. Where a rule
/// looks for ports (`th dport`) ICMP has its checksum: one word of the filling makes it what the packet says.
fn icmp(shot: &Shot) -> Vec<u8> {
    let packet = &shot.packet;
    let head = [packet.icmp_type, packet.icmp_code];
    let sum = packet.destination_service.to_be_bytes();
    let (mut payload, filling) = match &shot.form {
        Form::About(packet) => {
            let about = bytes(&Shot::first((**packet).clone()), 1);
            ([&head[..], &sum, &[0, 0, 5, 0], &about, &[0; 2]].concat(), 8 + about.len())
        }
        _ => ([&head[..], &sum, &packet.source_service.to_be_bytes(), &[0, 1], &[0; 48]].concat(), 54),
    };
    let filled = checksum(&[pseudo_header(packet, payload.len()), payload.clone()].concat());
    payload[filling..filling + 2].copy_from_slice(&filled);
    if packet.state == State::Invalid && natural(packet) != State::Invalid {
        payload[filling] ^= 0x55;
    }
    payload
}

fn pseudo_header(packet: &Packet, length: usize) -> Vec<u8> {
    if packet.protocol == 1 {
        return Vec::new();
    }
    let length = u32::try_from(length).unwrap_or_default().to_be_bytes();
    [octets(packet.source), octets(packet.destination), length.to_vec(), vec![0, 0, 0, packet.protocol]]
        .concat()
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!u16::try_from(sum).unwrap_or_default()).to_be_bytes()
}
