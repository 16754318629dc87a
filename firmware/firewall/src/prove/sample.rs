//! One packet out of a cube, with values a reader knows where the cube has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cube::{Cube, Field};
use super::intent::Intent;
use super::ports::Ports;
use super::span::Span;
use crate::packet::{Packet, Path, State};

/// Values that make a good example, best first.
fn preferred(field: Field, intent: &Intent) -> Vec<u128> {
    let v4 = |address: &Ipv4Addr| u128::from(u32::from(*address));
    match field {
        Field::Source | Field::Destination => {
            let mut list: Vec<u128> = intent.terminals.iter().map(v4).collect();
            let station = u32::from(intent.clinic_address) + 9;
            list.extend([u128::from(station), v4(&intent.clinic_address), v4(&intent.terminal_address)]);
            list.push(u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 10)));
            list
        }
        Field::Protocol => vec![6, 17, 58, 1],
        Field::Readable => vec![1],
        Field::DestinationService => vec![445, 443, 80, 53],
        Field::SourceService => vec![50_000, 445],
        Field::HopLimit => vec![64, 255],
        Field::IcmpType => vec![8, 128],
        Field::State => vec![State::New as u128, State::Established as u128],
        _ => Vec::new(),
    }
}

fn pick(cube: &Cube, field: Field, intent: &Intent) -> u128 {
    let span = cube.span(field);
    let known = preferred(field, intent).into_iter().find(|value| span.has(*value));
    known.or_else(|| span.lowest()).unwrap_or_default()
}

/// A packet of the cube.
pub(super) fn packet(path: Path, cube: &Cube, intent: &Intent, ports: &Ports) -> Packet {
    let value = |field| pick(cube, field, intent);
    let byte = |field| u8::try_from(value(field)).unwrap_or_default();
    let service = |field| u16::try_from(value(field)).unwrap_or_default();
    let address = |field| match value(Field::Family) {
        4 => IpAddr::V4(Ipv4Addr::from(u32::try_from(value(field)).unwrap_or_default())),
        _ => IpAddr::V6(Ipv6Addr::from(value(field))),
    };
    Packet {
        path,
        from_port: ports.name(value(Field::From)),
        to_port: ports.name(value(Field::To)),
        source: address(Field::Source),
        destination: address(Field::Destination),
        protocol: byte(Field::Protocol),
        readable: value(Field::Readable) == 1,
        source_service: service(Field::SourceService),
        destination_service: service(Field::DestinationService),
        icmp_type: byte(Field::IcmpType),
        icmp_code: byte(Field::IcmpCode),
        hop_limit: byte(Field::HopLimit),
        state: State::ALL.get(usize::from(byte(Field::State))).copied().unwrap_or(State::Invalid),
    }
}

/// Of what opened flows, what opened the flow of this packet.
pub(super) fn opening(cube: &Cube, packet: &Packet) -> Option<Cube> {
    let number = |address: IpAddr| match address {
        IpAddr::V4(address) => Span::one(u32::from(address)),
        IpAddr::V6(address) => Span::one(address),
    };
    let (source, destination) = (number(packet.source), number(packet.destination));
    let cube = cube.with(Field::Family, &Span::one(if packet.source.is_ipv4() { 4_u8 } else { 6 }))?;
    if packet.state == State::Related {
        let ends = [Field::Source, Field::Destination];
        return ends.into_iter().find_map(|end| cube.with(end, &destination));
    }
    let services = [packet.source_service, packet.destination_service].map(Span::one);
    let [from, to] = services;
    let ends = |source: &Span, destination: &Span, from: &Span, to: &Span| {
        cube.with_all(&[
            (Field::Protocol, Span::one(packet.protocol)),
            (Field::Source, source.clone()),
            (Field::Destination, destination.clone()),
            (Field::SourceService, from.clone()),
            (Field::DestinationService, to.clone()),
        ])
    };
    ends(&source, &destination, &from, &to).or_else(|| ends(&destination, &source, &to, &from))
}
