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
        let requests = tracked.flat_map(|cube| with_types(&cube, REQUESTS4, REQUESTS6));
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

/// How an error's destination meets an end of a flow.
type End = [(Field, Field); 2];
const TO_SOURCE: End = [(Field::Family, Field::Family), (Field::Destination, Field::Source)];
const TO_DESTINATION: End = [(Field::Family, Field::Family), (Field::Destination, Field::Destination)];

/// Which of an opening's packets belong to a flow: itself, straight, and what answers it, turned.
#[derive(Clone, Copy)]
struct Ways {
    straight: bool,
    turned: bool,
    /// Where an error about the flow goes: to these ends of it.
    errors: &'static [End],
}

/// What comes by `path` of a flow that was opened on another. What goes to the box is not forwarded, and what it says
/// itself does not come in.
const fn ways(path: Path, opened: Path) -> Ways {
    let (straight, turned, errors): (bool, bool, &'static [End]) = match (path, opened) {
        (Path::Forward, Path::Forward) => (true, true, &[TO_SOURCE, TO_DESTINATION]),
        (Path::Forward, Path::Input) | (Path::Output, Path::Input) => (false, true, &[TO_SOURCE]),
        (Path::Forward, Path::Output) | (Path::Output, Path::Output) => (true, false, &[TO_DESTINATION]),
        (Path::Input, Path::Input) => (true, false, &[TO_DESTINATION]),
        (Path::Input, Path::Output) => (false, true, &[TO_SOURCE]),
        // The box says nothing of its own in a flow between others, but errors about it.
        (Path::Input, Path::Forward) => (false, false, &[]),
        (Path::Output, Path::Forward) => (false, false, &[TO_SOURCE, TO_DESTINATION]),
    };
    Ways { straight, turned, errors }
}

/// The packets of `cube` (of an open flow, on `path`) that exist if `opening` was accepted on the path `opened`. A
/// flow with an end on the box has an address of the box in every packet; IPv4 forwards none such (RFC 1812 section
/// 5.3.7 martians), IPv6 does not look at the source.
pub(super) fn follow(cube: &Cube, path: Path, opened: Path, opening: &Cube) -> Vec<Cube> {
    let both = path != Path::Forward || opened == Path::Forward;
    let families = if both { Span::all() } else { Span::one(6_u8) };
    let ways = ways(path, opened);
    let established = cube.with(Field::State, &states(&[State::Established]));
    let established = established.and_then(|cube| cube.with(Field::Family, &families));
    let established = established.into_iter().flat_map(|cube| {
        let straight = with_types(&cube, REQUESTS4, REQUESTS6).into_iter().filter(|_| ways.straight);
        let turned = with_types(&cube, &[0, 14, 16, 18], &[129, 140]).into_iter().filter(|_| ways.turned);
        let straight = straight.filter_map(|cube| cube.meet(opening, &STRAIGHT));
        straight.chain(turned.filter_map(|cube| cube.meet(opening, &TURNED))).collect::<Vec<_>>()
    });
    let related = cube.with(Field::State, &states(&[State::Related])).into_iter().flat_map(|cube| {
        // RFC 4443 section 2.1: below 128 all are errors, the ones that nobody has named yet too.
        let errors = with_types(&cube, &[3, 4, 5, 11, 12], &ERRORS6).into_iter().filter_map(icmp_only);
        errors
            .flat_map(|cube| ways.errors.iter().filter_map(move |ends| cube.meet(opening, ends)))
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
