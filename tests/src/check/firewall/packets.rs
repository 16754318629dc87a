//! Packets worth sending: such as come to each line of a ruleset, such as only just do not, and anything at all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use firewall::packet::{Packet, Path, State};
use model::site::prefix::Prefix;

use super::chance::Chance;
use super::reading::{Asked, Field, Line, Part};
use super::world::World;

/// What is asked of a packet to be made; the rest is filled in as it would be there.
#[derive(Clone, Debug, Default)]
pub(super) struct Wish(Vec<(Field, Value)>);

/// A field's value; a number, or a port's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u128),
    Port(String),
}

impl Wish {
    pub(super) fn with(mut self, field: Field, value: Value) -> Self {
        self.0.retain(|(known, _)| *known != field);
        self.0.push((field, value));
        self
    }

    fn number(&self, field: Field) -> Option<u128> {
        self.0.iter().find_map(|(known, value)| match value {
            Value::Number(number) if *known == field => Some(*number),
            _ => None,
        })
    }

    fn port(&self, field: Field) -> Option<&str> {
        self.0.iter().find_map(|(known, value)| match value {
            Value::Port(name) if *known == field => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A wish that fits a line's conditions, and the values at and just beside their ends.
pub(super) fn wishes(line: &Line, chance: &mut Chance) -> (Wish, Vec<(Field, Value)>) {
    let mut wish = Wish::default();
    let mut borders: Vec<(Field, Value)> = Vec::new();
    for condition in &line.conditions {
        for need in &condition.needs {
            wish = asked(wish, need, chance);
        }
        if condition.elements.is_empty() {
            continue;
        }
        for one in &chance.of(&condition.elements).clone() {
            let ends = beside(one);
            if !condition.negated {
                wish = asked(wish, one, chance);
            } else if !ends.is_empty() && chance.once_in(2) {
                // Just beside it; else wherever it would go anyway.
                wish = wish.with(one.field, chance.of(&ends).1.clone());
            }
            borders.extend(ends);
        }
    }
    (wish, borders)
}

/// The packet with another value in one field.
pub(super) fn changed(packet: &Packet, field: Field, value: &Value) -> Packet {
    let Value::Number(number) = value else { return packet.clone() };
    let (number, ipv4) = (*number, packet.source.is_ipv4());
    let mut packet = packet.clone();
    match field {
        Field::Source => packet.source = of_number(number, ipv4),
        Field::Destination => packet.destination = of_number(number, ipv4),
        Field::Protocol => packet.protocol = byte(number),
        Field::HopLimit => packet.hop_limit = byte(number),
        Field::SourceService => packet.source_service = short(number),
        Field::DestinationService => packet.destination_service = short(number),
        Field::IcmpType => packet.icmp_type = byte(number),
        Field::IcmpCode => packet.icmp_code = byte(number),
        Field::From | Field::To | Field::Family | Field::State => {}
    }
    packet.state = natural(&packet);
    packet
}

/// Fits what is asked: the first, the last, or any value of it.
fn asked(wish: Wish, one: &Asked, chance: &mut Chance) -> Wish {
    let value = match &one.part {
        Part::Port(name) => Value::Port(name.clone()),
        Part::Range(first, last) => Value::Number(match chance.below(4) {
            0 => *first,
            1 => *last,
            _ => chance.between(*first, *last),
        }),
    };
    wish.with(one.field, value)
}

/// The first and the last value, and one outside of each; of what has no order, another one.
fn beside(one: &Asked) -> Vec<(Field, Value)> {
    let all = 1_u128.checked_shl(one.bits).map_or(u128::MAX, |size| size - 1);
    let numbers = match (one.field, &one.part) {
        (Field::From | Field::To | Field::State | Field::Family, _) | (_, Part::Port(_)) => {
            return Vec::new();
        }
        (Field::Protocol, Part::Range(first, _)) => vec![if *first == 6 { 17 } else { 6 }, 50, *first],
        (_, Part::Range(first, last)) => {
            [first.checked_sub(1), Some(*first), Some(*last), last.checked_add(1).filter(|next| *next <= all)]
                .into_iter()
                .flatten()
                .collect()
        }
    };
    numbers.into_iter().map(|number| (one.field, Value::Number(number))).collect()
}

/// Makes packets of wishes.
pub(super) struct Maker<'w> {
    pub(super) world: &'w World,
    pub(super) chance: Chance,
    /// The next free source port: each packet is a flow of its own.
    free: u16,
}

impl<'w> Maker<'w> {
    pub(super) const fn new(world: &'w World, chance: Chance) -> Self {
        Self { world, chance, free: 20_000 }
    }

    /// A packet as wished.
    pub(super) fn make(&mut self, path: Path, wish: &Wish) -> Packet {
        let ipv4 = self.family(wish);
        let from_port = if path == Path::Output { String::new() } else { self.port(wish, Field::From, "") };
        let to_port =
            if path == Path::Input { String::new() } else { self.port(wish, Field::To, &from_port) };
        let protocol = wish.number(Field::Protocol).map_or_else(|| self.protocol(ipv4), byte);
        let address =
            |wanted: Option<u128>, usual: IpAddr| wanted.map_or(usual, |number| of_number(number, ipv4));
        let (here, there) = self.ends(path, &from_port, &to_port, ipv4);
        let icmp_type = wish.number(Field::IcmpType).map_or_else(|| self.icmp_type(protocol, wish), byte);
        let state = wish.number(Field::State).and_then(|place| State::ALL.get(usize::try_from(place).ok()?));
        let mut packet = Packet {
            path,
            source: address(wish.number(Field::Source), here),
            destination: address(wish.number(Field::Destination), there),
            from_port,
            to_port,
            protocol,
            readable: !self.chance.once_in(40) || protocol == 58,
            source_service: wish.number(Field::SourceService).map_or_else(|| self.fresh(), short),
            destination_service: wish.number(Field::DestinationService).map_or_else(|| self.service(), short),
            icmp_type,
            icmp_code: wish.number(Field::IcmpCode).map_or(0, byte),
            hop_limit: 64,
            state: State::New,
        };
        packet.hop_limit = wish.number(Field::HopLimit).map_or_else(|| self.hop_limit(&packet), byte);
        packet.state = natural(&packet);
        // Of what the box itself sends the checksum is not looked at.
        let spoilt = protocol == 6 || protocol == 17 && path != Path::Output;
        if state == Some(&State::Invalid) && spoilt {
            packet.state = State::Invalid;
        }
        packet
    }

    fn family(&mut self, wish: &Wish) -> bool {
        wish.number(Field::Family).map_or_else(|| self.chance.once_in(2), |version| version == 4)
    }

    fn port(&mut self, wish: &Wish, field: Field, but: &str) -> String {
        if let Some(name) = wish.port(field) {
            return name.to_owned();
        }
        let ports: Vec<&String> = self.world.ports.iter().filter(|port| *port != but).collect();
        (*self.chance.of(&ports)).clone()
    }

    fn protocol(&mut self, ipv4: bool) -> u8 {
        let icmp = if ipv4 { 1 } else { 58 };
        *self.chance.of(&[6, 6, 6, 17, 17, icmp, icmp, 50, 99])
    }

    fn icmp_type(&mut self, protocol: u8, wish: &Wish) -> u8 {
        let four: &[u8] = &[0, 3, 5, 8, 8, 11, 12, 13];
        let six: &[u8] = &[1, 2, 3, 4, 128, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143];
        let all = [self.chance.byte()];
        let listed = if protocol == 1 { four } else { six };
        let any = wish.0.is_empty() && self.chance.once_in(4);
        *self.chance.of(if any { &all } else { listed })
    }

    /// The next source port that nobody else has had for a long time.
    fn fresh(&mut self) -> u16 {
        self.free = if self.free >= 60_000 { 20_000 } else { self.free + 1 };
        self.free
    }

    fn service(&mut self) -> u16 {
        let usual = [22, 25, 53, 67, 68, 80, 123, 443, 445, 546, 547, 3389, 8080, 9100];
        if self.chance.once_in(3) { self.chance.port() } else { *self.chance.of(&usual) }
    }

    /// RFC 4861 and RFC 2710: neighbour discovery 255, listener discovery 1.
    fn hop_limit(&mut self, packet: &Packet) -> u8 {
        match (packet.protocol, packet.icmp_type) {
            _ if self.chance.once_in(12) => *self.chance.of(&[2, 64, 254, 255]),
            (58, 133..=137) => 255,
            (58, 130..=132 | 143) if packet.path != Path::Forward => 1,
            _ => 64,
        }
    }

    /// Source and destination that belong where the packet comes from and goes to, mostly.
    fn ends(&mut self, path: Path, from: &str, to: &str, ipv4: bool) -> (IpAddr, IpAddr) {
        let source = match path {
            Path::Output => self.own(to, ipv4),
            Path::Input | Path::Forward => self.host(from, ipv4, path == Path::Input),
        };
        let destination = match path {
            Path::Input => self.own(from, ipv4),
            Path::Forward => self.host(to, ipv4, false),
            Path::Output => self.host(to, ipv4, true),
        };
        (source, destination)
    }

    fn own(&mut self, port: &str, ipv4: bool) -> IpAddr {
        let elsewhere: Vec<String> = self.world.ports.clone();
        let port = if self.chance.once_in(6) { self.chance.of(&elsewhere).clone() } else { port.to_owned() };
        let own = self.world.own_at(&port, ipv4);
        let all: Vec<IpAddr> =
            self.world.own.iter().map(|(_, own)| own.address).filter(|own| own.is_ipv4() == ipv4).collect();
        let known = if own.is_empty() { &all } else { &own };
        if known.is_empty() { nobody(ipv4) } else { *self.chance.of(known) }
    }

    fn host(&mut self, port: &str, ipv4: bool, on_link: bool) -> IpAddr {
        if !ipv4 && on_link && self.chance.once_in(3) {
            return Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x99).into();
        }
        let mut behind: Vec<Prefix> = self.world.behind(port, ipv4);
        if behind.is_empty() || self.chance.once_in(10) {
            behind = self
                .world
                .behind
                .iter()
                .map(|(_, one)| *one)
                .filter(|one| one.address.is_ipv4() == ipv4)
                .collect();
        }
        if behind.is_empty() { nobody(ipv4) } else { within(*self.chance.of(&behind), &mut self.chance) }
    }
}

/// An address of a prefix.
pub(super) fn within(prefix: Prefix, chance: &mut Chance) -> IpAddr {
    let (bits, first) = match prefix.network() {
        IpAddr::V4(address) => (32_u32, u128::from(u32::from(address))),
        IpAddr::V6(address) => (128, u128::from(address)),
    };
    let room = 1_u128.checked_shl(bits - u32::from(prefix.length)).map_or(u128::MAX, |size| size - 1);
    // Of IPv4 neither the network's own address nor everybody's.
    let (least, most) = if bits == 32 && room > 2 { (1, room - 1) } else { (0, room) };
    of_number(first + chance.between(least, most), bits == 32)
}

fn nobody(ipv4: bool) -> IpAddr {
    if ipv4 {
        Ipv4Addr::new(100, 127, 9, 9).into()
    } else {
        Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 9).into()
    }
}

fn of_number(number: u128, ipv4: bool) -> IpAddr {
    if ipv4 {
        Ipv4Addr::from(u32::try_from(number).unwrap_or_default()).into()
    } else {
        Ipv6Addr::from(number).into()
    }
}

fn byte(number: u128) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn short(number: u128) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// What connection tracking says of a packet that belongs to nothing (nf_conntrack_proto_icmp.c and its neighbours): which
/// ICMP asks for an answer, what is left untracked, what cannot be read. The bench's own counters check it.
pub(super) fn natural(packet: &Packet) -> State {
    let tracked = matches!(packet.protocol, 1 | 6 | 17 | 58);
    match (packet.protocol, packet.icmp_type) {
        _ if tracked && !packet.readable => State::Invalid,
        (1, 8 | 13 | 15 | 17) if packet.source.is_ipv4() => State::New,
        (58, 128 | 139) if packet.source.is_ipv6() => State::New,
        (58, 130..=136 | 143 | 151 | 152) if packet.source.is_ipv6() => State::Untracked,
        (1, _) if packet.source.is_ipv4() => State::Invalid,
        (58, _) if packet.source.is_ipv6() => State::Invalid,
        _ => State::New,
    }
}
