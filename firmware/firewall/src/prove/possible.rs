//! Packets no kernel sees as they are said: a state that connection tracking gives to none of the kind, an address that
//! routing takes from nobody. A counterexample must be a packet one can send.
//!
//! Sources: nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c (which types open a flow, which are left alone),
//! nf_conntrack_core.c (a header that cannot be read is invalid; checksums are looked at before routing only),
//! ip_route_input_slow and ip6_rcv_core (addresses).

use std::net::Ipv4Addr;

use super::cube::{Conditions, Cube, Field, NO_PROTOCOL};
use super::exceptions::address4;
use super::flows::{REQUESTS4, REQUESTS6};
use super::intent::Intent;
use super::promises::states;
use super::span::Span;
use super::tree::Tree;
use crate::packet::{Path, State};

/// What cannot be, for one path.
pub(super) struct Impossible {
    path: Path,
    packets: Tree,
    states: Tree,
    addresses: Tree,
}

impl Impossible {
    pub(super) fn new(path: Path, intent: &Intent) -> Self {
        Self {
            path,
            packets: Tree::of(&no_such_packet()),
            states: Tree::of(&no_such_state(path)),
            addresses: Tree::of(&no_such_address(path, intent)),
        }
    }

    /// The packets of the cube that can be. What a rule wrote is not the kernel's doing.
    pub(super) fn without(&self, cube: &Cube) -> Vec<Cube> {
        let mut real = vec![cube.clone()];
        if cube.moved {
            return real;
        }
        real = self.packets.cut_all(real).1;
        if cube.before(Field::State).is_none() {
            real = self.states.cut_all(real).1;
        }
        if !cube.is_written() {
            real = self.addresses.cut_all(real).1;
            match self.path {
                Path::Forward => real = real.iter().flat_map(on_one_link).collect(),
                Path::Input => real = real.iter().flat_map(from_another).collect(),
                Path::Output => {}
            }
        }
        real
    }
}

/// A router looks for an address of the link on the link that the packet came by and on no other (rt6_need_strict in
/// ip6_route_input_lookup; RFC 4291 section 2.5.6): to such an address it passes on by the same port only.
fn on_one_link(cube: &Cube) -> Vec<Cube> {
    let link = Span::range(LINK.0, LINK.1);
    let Some(linked) = cube.with(Field::Destination, &link).filter(|cube| cube.span(Field::Family).has(6))
    else {
        return vec![cube.clone()];
    };
    let beyond = cube.with(Field::Destination, &link.not());
    let both = linked.span(Field::From).and(linked.span(Field::To));
    let ports = both.ranges().iter().flat_map(|(first, last)| *first..=*last).map(Span::one);
    let by = |port: Span| linked.with_all(&[(Field::From, port.clone()), (Field::To, port)]);
    beyond.into_iter().chain(ports.filter_map(by)).collect()
}

/// What comes in to an address of the box's own comes from another: a source that is an address of its own is refused
/// over IPv4 (fib_validate_source). Where more than a few addresses can be both, one finds two that differ.
fn from_another(cube: &Cube) -> Vec<Cube> {
    let [sources, destinations] = [Field::Source, Field::Destination].map(|field| cube.span(field));
    // From none to none is to everybody.
    let both = sources.and(destinations).and(&Span::one(0_u8).not());
    let few = both.ranges().iter().all(|(first, last)| last - first < FEW) && both.ranges().len() < 8;
    let ipv4 = cube.with(Field::Family, &Span::one(4_u8)).filter(|_| few && both.lowest().is_some());
    let Some(ipv4) = ipv4 else { return vec![cube.clone()] };
    let beyond = cube.with(Field::Family, &Span::one(4_u8).not());
    let elsewhere = ipv4.with(Field::Source, &both.not());
    let each = both.ranges().iter().flat_map(|(first, last)| *first..=*last).map(Span::one);
    let to_another =
        |one: Span| ipv4.with_all(&[(Field::Source, one.clone()), (Field::Destination, one.not())]);
    beyond.into_iter().chain(elsewhere).chain(each.filter_map(to_another)).collect()
}

/// So many addresses in a row are looked at one by one.
const FEW: u128 = 8;

/// fe80::/10.
const LINK: (u128, u128) = (0xfe80 << 112, (0xfec0 << 112) - 1);

/// What there is no packet of, whatever a rule writes into it.
fn no_such_packet() -> Vec<Conditions> {
    vec![
        vec![(Field::Protocol, Span::one(NO_PROTOCOL)), (Field::Readable, Span::one(0_u8).not())],
        // Extension headers are passed over.
        vec![(Field::Family, Span::one(6_u8)), (Field::Protocol, protocols(&[0, 43, 44, 51, 60]))],
    ]
}

fn protocols(list: &[u8]) -> Span {
    Span::any_of(list.iter().map(|number| Span::one(*number)))
}

/// ICMPv6 types that connection tracking leaves alone.
fn left_alone() -> Span {
    Span::any_of([Span::range(130_u8, 136_u8), Span::one(143_u8), Span::range(151_u8, 153_u8)])
}

fn no_such_state(path: Path) -> Vec<Conditions> {
    let [new, untracked, invalid] =
        [State::New, State::Untracked, State::Invalid].map(|state| states(&[state]));
    let of = |version: u8, protocol: u8| {
        vec![(Field::Family, Span::one(version)), (Field::Protocol, Span::one(protocol))]
    };
    let of_family = |version: u8| vec![(Field::Family, Span::one(version))];
    let with = |mut conditions: Conditions, more: Conditions| {
        conditions.extend(more);
        conditions
    };
    let opens = |version, protocol, requests: &[u8]| {
        with(
            of(version, protocol),
            vec![(Field::IcmpType, protocols(requests).not()), (Field::State, new.clone())],
        )
    };
    let neither = |version, protocol| with(of(version, protocol), vec![(Field::State, new.clone())]);
    // These can be wrong in themselves: flags, checksums, types.
    let judged = protocols(&[1, 6, 17, 33, 47, 58, 132, 136]);
    // Where IPv6 says that nothing follows (59) there is no transport to be tracked (ipv6_skip_exthdr).
    let judged6 = Span::any_of([judged.clone(), Span::one(59_u8), Span::one(NO_PROTOCOL)]);
    let cut_short = Span::one(1_u8).not();
    let mut impossible = vec![
        opens(4, 1, REQUESTS4),
        opens(6, 58, REQUESTS6),
        neither(4, 58),
        neither(6, 1),
        vec![(Field::State, untracked.clone()), (Field::Family, Span::one(4_u8))],
        vec![(Field::State, untracked.clone()), (Field::Protocol, Span::one(58_u8).not())],
        vec![(Field::State, untracked.clone()), (Field::IcmpType, left_alone().not())],
        vec![(Field::State, untracked), (Field::Readable, cut_short.clone())],
        with(of_family(4), vec![(Field::State, invalid.clone()), (Field::Protocol, judged.not())]),
        with(of_family(6), vec![(Field::State, invalid.clone()), (Field::Protocol, judged6.not())]),
        vec![
            (Field::Readable, cut_short),
            (Field::Protocol, protocols(&[1, 6, 17, 33, 58, 132, 136])),
            (Field::State, invalid.not()),
        ],
        vec![(Field::Protocol, Span::one(NO_PROTOCOL)), (Field::State, invalid.not())],
        with(of(6, 59), vec![(Field::State, invalid.not())]),
    ];
    if path == Path::Output {
        impossible.push(vec![
            (Field::State, invalid),
            (Field::Protocol, protocols(&[17, 47, 136])),
            (Field::Readable, Span::one(1_u8)),
        ]);
    }
    // With a right checksum these are never invalid: on the way out none is looked at, and with a wrong one ICMPv6 finds
    // no receiver on the box.
    let right = |version, protocol, types: Span| {
        let more = vec![
            (Field::IcmpType, types),
            (Field::Readable, Span::one(1_u8)),
            (Field::State, states(&[State::Invalid])),
        ];
        with(of(version, protocol), more)
    };
    if path != Path::Forward {
        impossible.push(right(6, 58, Span::any_of([protocols(REQUESTS6), left_alone()])));
    }
    if path == Path::Output {
        impossible.push(right(4, 1, protocols(REQUESTS4)));
    }
    impossible
}

fn no_such_address(path: Path, intent: &Intent) -> Vec<Conditions> {
    let ipv4 = |first: [u8; 4], last: [u8; 4]| {
        Span::range(u32::from(Ipv4Addr::from(first)), u32::from(Ipv4Addr::from(last)))
    };
    let of = |version: u8, field, span| vec![(Field::Family, Span::one(version)), (field, span)];
    let [this, loopback] = [ipv4([0; 4], [0, 255, 255, 255]), ipv4([127, 0, 0, 0], [127, 255, 255, 255])];
    let [groups, everybody] = [ipv4([224, 0, 0, 0], [239, 255, 255, 255]), address4(Ipv4Addr::BROADCAST)];
    let [nobody6, groups6] = [Span::range(0_u8, 1_u8), Span::range(0xff_u128 << 120, u128::MAX)];
    let mut impossible =
        vec![of(4, Field::Destination, loopback.clone()), of(6, Field::Destination, nobody6)];
    if path == Path::Forward {
        // Groups of the link and of the host itself (RFC 4291 section 2.7, ip6_mc_input), with whatever flags.
        let groups = (0..16_u128).map(|flags| (0xff01 | flags << 4) << 112);
        let groups = groups.map(|first| Span::range(first, first + (2 << 112) - 1));
        impossible.push(of(6, Field::Destination, Span::any_of(groups)));
    }
    if path != Path::Input {
        impossible.push(of(4, Field::Destination, this));
        return impossible;
    }
    let own = intent.own.values().map(|address| address4(*address));
    let nobody = own.chain([loopback, groups.clone(), everybody.clone()]);
    impossible.push(of(4, Field::Source, Span::any_of(nobody)));
    impossible.push(of(6, Field::Source, Span::any_of([groups6, Span::one(1_u8)])));
    // From none to none is taken as to everybody (ip_route_input_slow).
    let none = Span::one(0_u8);
    impossible.push(of(4, Field::Destination, this.and(&none.not())));
    impossible.push([of(4, Field::Destination, none.clone()), of(4, Field::Source, none.not())].concat());
    // Who has no address yet speaks to everybody, to the groups of its link, and by IGMP to every group.
    let link = ipv4([224, 0, 0, 0], [224, 0, 0, 255]);
    let hearing = Span::any_of([everybody, none, groups.clone()]);
    let unspecified = |more: Conditions| [of(4, Field::Source, this.clone()), more].concat();
    impossible.push(unspecified(vec![(Field::Destination, hearing.not())]));
    let beyond = groups.and(&link.not());
    let igmp = Span::one(2_u8);
    impossible.push(unspecified(vec![(Field::Destination, beyond), (Field::Protocol, igmp.not())]));
    impossible
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_one(path: Path, conditions: &[(Field, Span)]) -> bool {
        let intent = Intent::before_a_site(None, false);
        let cube = Cube::family(6).ragged().with_all(conditions).unwrap();
        !Impossible::new(path, &intent).without(&cube).is_empty()
    }

    #[test]
    fn what_ends_with_its_headers_opens_nothing() {
        let nothing = |state| [(Field::Protocol, Span::one(59_u8)), (Field::State, states(&[state]))];
        assert!(!is_one(Path::Output, &nothing(State::New)));
        assert!(is_one(Path::Output, &nothing(State::Invalid)));
    }

    #[test]
    fn to_an_address_of_the_link_nobody_passes_on_by_another_port() {
        let to = |destination: u128, from: u8, to: u8| {
            [
                (Field::Destination, Span::one(destination)),
                (Field::From, Span::one(from)),
                (Field::To, Span::one(to)),
                (Field::State, states(&[State::New])),
            ]
        };
        assert!(!is_one(Path::Forward, &to(LINK.0 | 9, 2, 3)));
        assert!(is_one(Path::Forward, &to(LINK.0 | 9, 2, 2)));
        assert!(!is_one(Path::Forward, &to(0xff02 << 112 | 9, 2, 3)));
        assert!(is_one(Path::Forward, &to(0xff05 << 112 | 9, 2, 3)));
        assert!(is_one(Path::Forward, &to(0x2001 << 112, 2, 3)));
    }

    #[test]
    fn over_ipv4_nobody_speaks_to_the_box_from_the_address_he_speaks_to() {
        let impossible = Impossible::new(Path::Input, &Intent::before_a_site(None, false));
        let real = |version: u8, sources: Span, destinations: Span| {
            let addresses = [(Field::Source, sources), (Field::Destination, destinations)];
            let cube = Cube::family(version).ragged().with_all(&addresses).unwrap();
            !impossible.without(&cube.with(Field::State, &states(&[State::New])).unwrap()).is_empty()
        };
        let [one, two] = [0xc000_0202_u32, 0xc000_0203].map(Span::one);
        assert!(!real(4, one.clone(), one.clone()));
        assert!(real(4, one.clone(), two.clone()) && real(6, one.clone(), one.clone()));
        let both = Span::any_of([one.clone(), two]);
        assert!(real(4, both.clone(), both.clone()) && real(4, one, both));
    }

    #[test]
    fn what_is_not_tracked_is_a_packet_all_the_same() {
        let intent = Intent::before_a_site(None, false);
        let header = Cube::family(6).ragged().with(Field::Protocol, &protocols(&[0, 60])).unwrap();
        let untracked = header.written(Field::State, &states(&[State::Untracked]));
        assert!(Impossible::new(Path::Forward, &intent).without(&untracked).is_empty());
    }
}
