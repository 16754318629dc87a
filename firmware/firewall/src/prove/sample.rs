//! One packet out of a cube, with values a reader knows where the cube has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Zone;

use super::cube::{Conditions, Cube, Field, NO_PROTOCOL};
use super::flows::{Kin, WITH_PORTS, request_of};
use super::intent::Intent;
use super::ports::Ports;
use super::span::Span;
use crate::packet::{Packet, Path, State};

/// Addresses one expects at a port, best first; the box's own at none.
fn expected_at(port: &str, intent: &Intent) -> Vec<IpAddr> {
    let own = intent.own.values().copied().map(IpAddr::V4);
    let clinic = intent.own.get(&Zone::Clinic).copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
    let station = IpAddr::V4(Ipv4Addr::from(u32::from(clinic).wrapping_add(9)));
    let terminals = intent.terminals.iter().copied().map(IpAddr::V4);
    let consumers = intent.consumers.iter().copied().map(IpAddr::V4);
    let host6 = |last| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
    if port.is_empty() {
        // Of the groups the box is in those of all hosts.
        let groups =
            [IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1)), IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1))];
        return [IpAddr::V4(clinic)].into_iter().chain(own).chain([host6(1)]).chain(groups).collect();
    }
    match intent.zone(port) {
        Some(Zone::Clinic) => consumers.chain([station, host6(0x10)]).collect(),
        Some(Zone::Terminal) => terminals.chain([host6(0x20)]).collect(),
        Some(zone @ (Zone::Claims | Zone::Printer | Zone::Maint | Zone::Cloud)) => {
            let belongs = intent.belongs.get(&zone).into_iter().flatten();
            belongs.map(|prefix| prefix.address).chain([host6(0x40)]).collect()
        }
        _ => vec![IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)), host6(0x30)],
    }
}

/// The address as the prover's number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// Other values that make a good example, best first.
const fn preferred(field: Field) -> &'static [u128] {
    match field {
        Field::Protocol => &[6, 17, 58, 1, 50, 47, 99, 2],
        Field::Readable => &[1],
        Field::DestinationService => &[445, 443, 80, 53],
        Field::SourceService => &[50_000, 445],
        Field::HopLimit => &[64, 63, 255, 254],
        Field::IcmpType => &[8, 128],
        Field::State => &[State::New as u128, State::Established as u128],
        _ => &[],
    }
}

/// An address of the span: one that is expected, else one behind the first, which may be a network's own.
fn pick_address(span: &Span, expected: impl IntoIterator<Item = u128>) -> u128 {
    let known = expected.into_iter().find(|value| span.has(*value));
    let behind = || span.ranges().iter().find(|(first, last)| last - first >= 9).map(|(first, _)| first + 9);
    known.or_else(behind).or_else(|| span.lowest()).unwrap_or_default()
}

fn pick(span: &Span, preferred: impl IntoIterator<Item = u128>) -> u128 {
    let known = preferred.into_iter().find(|value| span.has(*value));
    known.or_else(|| span.lowest()).unwrap_or_default()
}

/// Destination options of IPv6: where not even those are whole, no transport is found behind them.
const CUT_SHORT: u8 = 60;

/// When a packet of a cube is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// As it came, but for the state that rules gave it.
    Coming,
    /// As it came, with the state it would have without them.
    Claimed,
    /// After what rules wrote into it.
    Written,
}

/// A packet of the cube.
pub(super) fn packet(path: Path, cube: &Cube, when: When, intent: &Intent, ports: &Ports) -> Packet {
    let before = |field| {
        cube.before(field).filter(|_| match when {
            When::Coming => field != Field::State,
            When::Claimed => true,
            When::Written => false,
        })
    };
    let span = |field| before(field).unwrap_or_else(|| cube.span(field));
    let value = |field| pick(span(field), preferred(field).iter().copied());
    let byte = |field| match (field, value(field)) {
        (Field::Protocol, NO_PROTOCOL) => CUT_SHORT,
        (_, value) => u8::try_from(value).unwrap_or_default(),
    };
    let service = |field| u16::try_from(value(field)).unwrap_or_default();
    let address = |field, port| {
        let expected = expected_at(port, intent).into_iter();
        match value(Field::Family) {
            4 => {
                let known = expected.filter(IpAddr::is_ipv4).map(number);
                IpAddr::V4(Ipv4Addr::from(
                    u32::try_from(pick_address(span(field), known)).unwrap_or_default(),
                ))
            }
            _ => {
                let known = expected.filter(IpAddr::is_ipv6).map(number);
                IpAddr::V6(Ipv6Addr::from(pick_address(span(field), known)))
            }
        }
    };
    // On its way through it has lost one.
    let hop = u8::from(path == Path::Forward && when != When::Written);
    let [from_port, to_port] = [Field::From, Field::To].map(|field| ports.name(value(field)));
    let [icmp_type, icmp_code, source_service] = type_and_code(&span, byte(Field::Protocol))
        .unwrap_or_else(|| [Field::IcmpType, Field::IcmpCode, Field::SourceService].map(service));
    Packet {
        path,
        source: address(Field::Source, &from_port),
        destination: address(Field::Destination, &to_port),
        from_port,
        to_port,
        protocol: byte(Field::Protocol),
        readable: value(Field::Readable) == 1,
        source_service,
        destination_service: service(Field::DestinationService),
        icmp_type: u8::try_from(icmp_type).unwrap_or_default(),
        icmp_code: u8::try_from(icmp_code).unwrap_or_default(),
        hop_limit: byte(Field::HopLimit).saturating_add(hop),
        state: State::ALL.get(usize::from(byte(Field::State))).copied().unwrap_or(State::Invalid),
    }
}

/// Where ICMP has its type and code, other protocols have the port they come from: a rule that asks for a port whatever
/// is carried reads both as one number.
fn type_and_code<'s>(span: &impl Fn(Field) -> &'s Span, protocol: u8) -> Option<[u16; 3]> {
    if !matches!(protocol, 1 | 58) {
        return None;
    }
    let codes = span(Field::IcmpCode);
    let types = preferred(Field::IcmpType).iter().copied().chain(0..=255);
    let pairs = types.filter(|kind| span(Field::IcmpType).has(*kind)).flat_map(|kind| {
        (0..=255_u128).filter(|code| codes.has(*code)).map(move |code| (kind, code, kind << 8 | code))
    });
    let mut real = pairs.filter(|(.., both)| span(Field::SourceService).has(*both));
    let (kind, code, both) = real.next()?;
    Some([kind, code, both].map(|value| u16::try_from(value).unwrap_or_default()))
}

/// Of what opened flows, what opened the flow of this packet.
pub(super) fn opening(cube: &Cube, packet: &Packet, kin: Kin) -> Option<Cube> {
    let family = Span::one(if packet.source.is_ipv4() { 4_u8 } else { 6 });
    let value = |field| match field {
        Field::Family => family.clone(),
        Field::Protocol => Span::one(packet.protocol),
        Field::Source => Span::one(number(packet.source)),
        Field::Destination => Span::one(number(packet.destination)),
        Field::SourceService => Span::one(packet.source_service),
        Field::DestinationService => Span::one(packet.destination_service),
        _ => Span::all(),
    };
    let same = kin.same(WITH_PORTS.contains(&packet.protocol));
    let mut asked: Conditions = same.into_iter().map(|(mine, theirs)| (theirs, value(mine))).collect();
    let asks = match kin {
        Kin::Straight => Some(packet.icmp_type),
        Kin::Turned => request_of(packet.protocol, packet.icmp_type),
        Kin::ToSource | Kin::ToDestination => None,
    };
    let asks = asks.filter(|_| matches!(packet.protocol, 1 | 58));
    asked.extend(asks.map(|kind| (Field::IcmpType, Span::one(kind))));
    cube.with_all(&asked)
}

/// How much of its transport header a packet of the cube has, octets; all of it if none is said. See [`Cube::ragged`].
pub(super) fn cut(cube: &Cube) -> Option<u8> {
    match pick(cube.span(Field::Readable), preferred(Field::Readable).iter().copied()) {
        1 => None,
        2 => Some(4),
        3 => Some(2),
        4 => Some(1),
        _ => Some(0),
    }
}

/// How good an example a packet of the cube makes: what has a whole header and what everybody knows comes first.
pub(super) fn rank(cube: &Cube) -> (bool, usize) {
    let known = preferred(Field::Protocol);
    let place = known.iter().position(|protocol| cube.span(Field::Protocol).has(*protocol));
    (!cube.span(Field::Readable).has(1), place.unwrap_or(known.len()))
}
