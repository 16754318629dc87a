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
use super::run::{Lost, Machine};
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
        let accepted = machine.accepted(path, packets)?;
        let requests = accepted.iter().flat_map(|cube| with_types(cube, REQUESTS4, REQUESTS6));
        openings.extend(requests.map(|cube| (path, cube)));
    }
    Ok(openings)
}

/// RFC 792 and RFC 4443, RFC 4620: only a request opens a flow, and only itself or its answer follows.
const REQUESTS4: &[u8] = &[8, 13, 15, 17];
const REQUESTS6: &[u8] = &[128, 139];

const STRAIGHT: [(Field, Field); 6] = [
    (Field::Family, Field::Family),
    (Field::Protocol, Field::Protocol),
    (Field::Source, Field::Source),
    (Field::Destination, Field::Destination),
    (Field::SourceService, Field::SourceService),
    (Field::DestinationService, Field::DestinationService),
];

const TURNED: [(Field, Field); 6] = [
    (Field::Family, Field::Family),
    (Field::Protocol, Field::Protocol),
    (Field::Source, Field::Destination),
    (Field::Destination, Field::Source),
    (Field::SourceService, Field::DestinationService),
    (Field::DestinationService, Field::SourceService),
];

/// How an error's destination meets a flow's ends.
const TO_AN_END: [[(Field, Field); 2]; 2] = [
    [(Field::Family, Field::Family), (Field::Destination, Field::Source)],
    [(Field::Family, Field::Family), (Field::Destination, Field::Destination)],
];

/// The packets of `cube` (of an open flow, forwarded) that exist if `opening` was accepted on this path. A flow
/// with an end on the box has an address of the box in every packet; IPv4 forwards none such (RFC 1812 section
/// 5.3.7 martians), IPv6 does not look at the source.
pub(super) fn follow(cube: &Cube, path: Path, opening: &Cube) -> Vec<Cube> {
    let families = if path == Path::Forward { Span::all() } else { Span::one(6_u8) };
    let established = cube.with(Field::State, &states(&[State::Established]));
    let established = established.and_then(|cube| cube.with(Field::Family, &families));
    let established = established.into_iter().flat_map(|cube| {
        let requests = with_types(&cube, REQUESTS4, REQUESTS6);
        let answers = with_types(&cube, &[0, 14, 16, 18], &[129, 140]);
        // What goes to the box is not forwarded: to it goes what opened a flow with it, and the answer to its own.
        let straight = requests.into_iter().filter(|_| path != Path::Input);
        let straight = straight.filter_map(|cube| cube.meet(opening, &STRAIGHT));
        let turned = answers.into_iter().filter(|_| path != Path::Output);
        let turned = turned.filter_map(|cube| cube.meet(opening, &TURNED));
        straight.chain(turned).collect::<Vec<_>>()
    });
    let related = cube.with(Field::State, &states(&[State::Related])).into_iter().flat_map(|cube| {
        let errors = with_types(&cube, &[3, 4, 5, 11, 12], &[1, 2, 3, 4]).into_iter().filter_map(icmp_only);
        errors
            .flat_map(|cube| TO_AN_END.iter().filter_map(move |ends| cube.meet(opening, ends)))
            .collect::<Vec<_>>()
    });
    established.chain(related).collect()
}

/// The cube with these ICMP types only, and everything in it that is not ICMP.
fn with_types(cube: &Cube, types4: &[u8], types6: &[u8]) -> Vec<Cube> {
    let types = |list: &[u8]| Span::any_of(list.iter().map(|number| Span::one(*number)));
    let icmp = |version: u8, protocol: u8, list: &[u8]| {
        cube.with_all(&[
            (Field::Family, Span::one(version)),
            (Field::Protocol, Span::one(protocol)),
            (Field::IcmpType, types(list)),
        ])
    };
    let other = Span::any_of([Span::one(1_u8), Span::one(58_u8)]).not();
    [icmp(4, 1, types4), icmp(6, 58, types6), cube.with(Field::Protocol, &other)]
        .into_iter()
        .flatten()
        .collect()
}

fn icmp_only(cube: Cube) -> Option<Cube> {
    cube.with(Field::Protocol, &Span::any_of([Span::one(1_u8), Span::one(58_u8)]))
}
