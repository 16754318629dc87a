//! Packets of open flows. A rule that accepts `established` says nothing about ports: connection tracking knows
//! a flow by its addresses, its protocol and its services, not by where its packets come in. So such a packet
//! exists exactly if some opening packet with these ends, in either direction, is accepted on any path.
//!
//! That is the whole argument, and it is decided, not assumed: accepted cubes of state `established` are met
//! with the accepted cubes of state `new`, ends with ends, straight and turned round. What is left is a real
//! packet: one host opens a flow, another forges its address (tests/kernel.rs shows it on the kernel). `related` is an ICMP error about a flow, from
//! anywhere, to one of its ends; expectations need a helper, and a ruleset with helpers is not proved at all.

use super::cube::{Cube, Field};
use super::ports::NO_PORT;
use super::promises::{packets_between, states};
use super::run::{Keep, Lost, Machine};
use super::span::Span;
use crate::packet::{Path, State};

/// Every packet that may open a flow, of all three paths, as far as it is accepted. What the box says to itself
/// over the loopback has both ends on the box, and nothing with such an end is ever forwarded.
pub(super) fn openings(machine: &Machine) -> Result<Vec<(Path, Cube)>, Lost> {
    let loopback = Span::one(machine.ports.clone().number("lo"));
    let (none, every) = (Span::one(NO_PORT), machine.ports.every().and(&loopback.not()));
    let ways = [(Path::Forward, &every, &every), (Path::Input, &every, &none), (Path::Output, &none, &every)];
    let mut openings = Vec::new();
    for (path, from, to) in ways {
        let packets = packets_between(from, to, &states(&[State::New]));
        let accepted = machine.run(path, packets, Keep::Nothing)?.accepted;
        // What connection tracking was kept from opens no flow.
        let tracked = accepted.iter().filter_map(|cube| cube.with(Field::State, &states(&[State::New])));
        let requests = tracked.flat_map(|cube| asking(&cube));
        openings.extend(requests.map(|cube| (path, cube)));
    }
    Ok(openings)
}

/// RFC 792 and RFC 4443, RFC 4620: only a request opens a flow, and only itself or its answer follows.
pub(super) const REQUESTS4: &[u8] = &[8, 13, 15, 17];
pub(super) const REQUESTS6: &[u8] = &[128, 139];

/// What is `related` to a flow (icmpv6_error).
const ERRORS6: [u8; 128] = {
    let mut types = [0; 128];
    let mut kind = 0;
    while kind < 128 {
        types[kind as usize] = kind;
        kind += 1;
    }
    types
};

/// How a packet belongs to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kin {
    /// As the packet that opened it.
    Straight,
    /// An answer to that.
    Turned,
    /// An error about it, to whom the flow was opened by.
    ToSource,
    /// An error about it, to whom it was opened with.
    ToDestination,
}

impl Kin {
    /// Which fields of the packet are the same as which of the one that opened the flow. What has no ports is known by its
    /// two ends alone (nf_conntrack_proto_generic.c; of ICMP also by a number that no rule looks at).
    pub(super) fn same(self, ports: bool) -> Vec<(Field, Field)> {
        use Field::{Destination, DestinationService, Family, Protocol, Source, SourceService};
        let (ends, services) = match self {
            Self::ToSource => return vec![(Family, Family), (Destination, Source)],
            Self::ToDestination => return vec![(Family, Family), (Destination, Destination)],
            Self::Straight => (
                [(Source, Source), (Destination, Destination)],
                [(SourceService, SourceService), (DestinationService, DestinationService)],
            ),
            Self::Turned => (
                [(Source, Destination), (Destination, Source)],
                [(SourceService, DestinationService), (DestinationService, SourceService)],
            ),
        };
        let carried = [(Family, Family), (Protocol, Protocol)];
        carried.into_iter().chain(ends).chain(services.into_iter().filter(|_| ports)).collect()
    }
}

/// The protocols that connection tracking knows the ports of: TCP, UDP, DCCP, SCTP, UDP-Lite.
pub(super) const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// Which of an opening's packets belong to a flow: itself, straight, and what answers it, turned.
#[derive(Clone, Copy)]
struct Ways {
    straight: bool,
    turned: bool,
    /// Where an error about the flow goes: to these ends of it.
    errors: &'static [Kin],
}

/// What comes by `path` of a flow that was opened on another. What goes to the box is not forwarded, and what it says
/// itself does not come in.
const fn ways(path: Path, opened: Path) -> Ways {
    use Kin::{ToDestination, ToSource};
    let (straight, turned, errors): (bool, bool, &'static [Kin]) = match (path, opened) {
        (Path::Forward, Path::Forward) => (true, true, &[ToSource, ToDestination]),
        (Path::Forward, Path::Input) | (Path::Output, Path::Input) => (false, true, &[ToSource]),
        (Path::Forward, Path::Output) | (Path::Output, Path::Output) => (true, false, &[ToDestination]),
        (Path::Input, Path::Input) => (true, false, &[ToDestination]),
        (Path::Input, Path::Output) => (false, true, &[ToSource]),
        // The box says nothing of its own in a flow between others, but errors about it.
        (Path::Input, Path::Forward) => (false, false, &[]),
        (Path::Output, Path::Forward) => (false, false, &[ToSource, ToDestination]),
    };
    Ways { straight, turned, errors }
}

/// The packets of `cube` (of an open flow, on `path`) that exist if `opening` was accepted on the path `opened`. A
/// flow with an end on the box has an address of the box in every packet; IPv4 forwards none such (RFC 1812 section
/// 5.3.7 martians), IPv6 does not look at the source.
pub(super) fn follow(cube: &Cube, path: Path, opened: Path, opening: &Cube) -> Vec<(Cube, Kin)> {
    let both = path != Path::Forward || opened == Path::Forward;
    let families = if both { Span::all() } else { Span::one(6_u8) };
    let ways = ways(path, opened);
    let established = cube.with(Field::State, &states(&[State::Established]));
    let established = established.and_then(|cube| cube.with(Field::Family, &families));
    let mut found = Vec::new();
    if let Some(cube) = established {
        let kin = [(ways.straight, Kin::Straight), (ways.turned, Kin::Turned)];
        for (_, kin) in kin.into_iter().filter(|(there, _)| *there) {
            found.extend(belonging(&cube, opening, kin).into_iter().map(|cube| (cube, kin)));
        }
    }
    // RFC 4443 section 2.1: below 128 all are errors, the ones that nobody has named yet too.
    let related = cube.with(Field::State, &states(&[State::Related]));
    for error in related.iter().flat_map(|cube| with_types(cube, &[3, 4, 5, 11, 12], &ERRORS6)) {
        let met = |kin: &Kin| Some((error.meet(opening, &kin.same(false))?, *kin));
        found.extend(ways.errors.iter().filter_map(met));
    }
    found
}

/// What of the cube belongs to the flow.
fn belonging(cube: &Cube, opening: &Cube, kin: Kin) -> Vec<Cube> {
    let ports = Span::any_of(WITH_PORTS.map(Span::one));
    let icmp = Span::any_of([1_u8, 58].map(Span::one));
    let apart = |protocols: Span, ports: bool| {
        cube.with(Field::Protocol, &protocols)?.meet(opening, &kin.same(ports))
    };
    let mut all: Vec<Cube> = [apart(ports.clone(), true), apart(Span::any_of([ports, icmp]).not(), false)]
        .into_iter()
        .flatten()
        .collect();
    for (version, protocol, pairs) in [(4_u8, 1_u8, &PAIRS4[..]), (6, 58, &PAIRS6)] {
        for (request, answer) in pairs {
            let own = if kin == Kin::Turned { answer } else { request };
            let opened = of_type(opening, version, protocol, *request);
            let here = of_type(cube, version, protocol, *own);
            all.extend(here.zip(opened).and_then(|(here, opened)| here.meet(&opened, &kin.same(false))));
        }
    }
    all
}

/// RFC 792, RFC 950, RFC 4443 and RFC 4620: what asks, and its answer.
const PAIRS4: [(u8, u8); 4] = [(8, 0), (13, 14), (15, 16), (17, 18)];
const PAIRS6: [(u8, u8); 2] = [(128, 129), (139, 140)];

/// The request that an answer is to.
pub(super) fn request_of(protocol: u8, answer: u8) -> Option<u8> {
    let pairs = if protocol == 1 { &PAIRS4[..] } else { &PAIRS6 };
    pairs.iter().find(|(_, own)| *own == answer).map(|(request, _)| *request)
}

fn of_type(cube: &Cube, version: u8, protocol: u8, kind: u8) -> Option<Cube> {
    cube.with_all(&[
        (Field::Family, Span::one(version)),
        (Field::Protocol, Span::one(protocol)),
        (Field::IcmpType, Span::one(kind)),
    ])
}

/// The cube with the ICMP types that ask, and everything in it that is not ICMP.
fn asking(cube: &Cube) -> Vec<Cube> {
    let other = Span::any_of([Span::one(1_u8), Span::one(58_u8)]).not();
    with_types(cube, REQUESTS4, REQUESTS6).into_iter().chain(cube.with(Field::Protocol, &other)).collect()
}

/// The ICMP of the cube, with these types.
fn with_types(cube: &Cube, types4: &[u8], types6: &[u8]) -> Vec<Cube> {
    let types = |list: &[u8]| Span::any_of(list.iter().map(|number| Span::one(*number)));
    let icmp = |version: u8, protocol: u8, list: &[u8]| {
        cube.with_all(&[
            (Field::Family, Span::one(version)),
            (Field::Protocol, Span::one(protocol)),
            (Field::IcmpType, types(list)),
        ])
    };
    [icmp(4, 1, types4), icmp(6, 58, types6)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    /// IPv4 from one host to another, with this more.
    fn packet(source: u8, destination: u8, state: State, more: &[(Field, Span)]) -> Cube {
        let ends = [(Field::Source, Span::one(source)), (Field::Destination, Span::one(destination))];
        let state = (Field::State, states(slice::from_ref(&state)));
        Cube::family(4).with_all(&ends).unwrap().with_all(more).unwrap().with_all(&[state]).unwrap()
    }

    fn belongs(opening: &[(Field, Span)], turned: bool, more: &[(Field, Span)]) -> bool {
        let opening = packet(1, 2, State::New, opening);
        let (source, destination) = if turned { (2, 1) } else { (1, 2) };
        let cube = packet(source, destination, State::Established, more);
        !follow(&cube, Path::Forward, Path::Forward, &opening).is_empty()
    }

    fn carried(protocol: u8, field: Field, value: u16) -> [(Field, Span); 2] {
        [(Field::Protocol, Span::one(protocol)), (field, Span::one(value))]
    }

    #[test]
    fn what_has_no_ports_is_known_by_its_ends_alone() {
        // Where TCP has its ports ESP has numbers, and ICMP its type and a checksum.
        for protocol in [50, 99, 47] {
            let number = |value| carried(protocol, Field::DestinationService, value);
            assert!(belongs(&number(55), false, &number(9)) && belongs(&number(55), true, &number(9)));
        }
        let asked = carried(1, Field::DestinationService, 55);
        assert!(belongs(&asked, false, &carried(1, Field::DestinationService, 9)));
        assert!(belongs(&asked, true, &carried(1, Field::SourceService, 0)));
        let port = |value| carried(6, Field::DestinationService, value);
        assert!(belongs(&port(55), false, &port(55)) && !belongs(&port(55), false, &port(9)));
    }

    #[test]
    fn an_answer_is_one_to_what_was_asked() {
        let kind = |value| carried(1, Field::IcmpType, value);
        assert!(belongs(&kind(8), true, &kind(0)) && belongs(&kind(13), true, &kind(14)));
        assert!(!belongs(&kind(8), true, &kind(14)) && !belongs(&kind(8), false, &kind(0)));
    }
}
