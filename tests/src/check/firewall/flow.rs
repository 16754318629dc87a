//! What belongs to a flow: its answer, what follows, errors about it, and all of them by other ports.

use std::net::{IpAddr, Ipv4Addr};

use firewall::packet::{Packet, Path, State};

use super::chance::Chance;
use super::frame::{Form, Shot};
use super::packets::within;
use super::world::World;

/// What belongs together: sent one after the other.
pub(super) type Case = Vec<Shot>;

/// A flow that this packet opens: the answer, what follows, an error about it, and the answer again from another port.
/// Nothing of a packet that no answer fits.
pub(super) fn flow(opening: &Packet, world: &World, chance: &mut Chance) -> Option<Case> {
    match (opening.protocol, opening.icmp_type, opening.source.is_ipv4()) {
        (6 | 17, ..) | (1, 8, true) | (58, 128, false) => {}
        _ => return None,
    }
    let fits = |address: IpAddr| {
        !address.is_multicast() && !address.is_unspecified() && address != Ipv4Addr::BROADCAST
    };
    if opening.state != State::New || !fits(opening.source) || !fits(opening.destination) {
        return None;
    }
    let answer = answer(opening);
    let follow = Packet { state: State::Established, ..opening.clone() };
    let error = Packet {
        protocol: if opening.source.is_ipv4() { 1 } else { 58 },
        icmp_type: if opening.source.is_ipv4() { 3 } else { *chance.of(&[1, 2, 3]) },
        state: State::Related,
        ..turned(opening)
    };
    let about = |packet: Packet| Shot::of(packet, Form::About(Box::new(opening.clone())));
    let as_answer = |packet: Packet| Shot::of(packet, Form::Answer);
    let mut case = vec![Shot::first(opening.clone()), as_answer(answer.clone())];
    case.push(Shot::of(follow.clone(), Form::Follow));
    case.push(about(error.clone()));
    case.extend(elsewhere([&answer, &follow, &error], &about, world, chance));
    case.retain(|shot| shot.packet.path != Path::Forward || shot.packet.from_port != shot.packet.to_port);
    Some(case)
}

/// The same of a flow by other ports: connection tracking knows it wherever its packets come in and leave. An error comes
/// from wherever on the way it arose.
fn elsewhere(
    [answer, follow, error]: [&Packet; 3],
    about: &impl Fn(Packet) -> Shot,
    world: &World,
    chance: &mut Chance,
) -> Vec<Shot> {
    let [port, other] = [(), ()].map(|()| chance.of(&world.ports).clone());
    let mut shots = Vec::new();
    if answer.path == Path::Output {
        let by = |packet: &Packet| Packet { to_port: port.clone(), ..packet.clone() };
        return vec![Shot::of(by(answer), Form::Answer), about(by(error))];
    }
    let from = |packet: &Packet, port: &String| Packet { from_port: port.clone(), ..packet.clone() };
    shots.extend([Shot::of(from(answer, &port), Form::Answer), about(from(error, &port))]);
    let behind = world.behind(&other, error.source.is_ipv4());
    if !behind.is_empty() {
        let source = within(*chance.of(&behind), chance);
        shots.push(about(Packet { source, ..from(error, &other) }));
    }
    // What the box itself says is led out by where it goes; a translated flow is bound to its port.
    if follow.path != Path::Output {
        shots.push(Shot::of(from(follow, &port), Form::Follow));
    }
    shots
}

/// The answer that a packet gets which asks for one: an echo's has its identifier (RFC 792, RFC 4443 section 4.2).
pub(super) fn answer(opening: &Packet) -> Packet {
    let answer = turned(opening);
    match (opening.protocol, opening.icmp_type) {
        (1, 8) => Packet { icmp_type: 0, source_service: opening.source_service, ..answer },
        (1 | 58, kind) => {
            Packet { icmp_type: kind.saturating_add(1), source_service: opening.source_service, ..answer }
        }
        _ => answer,
    }
}

/// The other way: of an open flow.
pub(super) fn turned(packet: &Packet) -> Packet {
    let path = match packet.path {
        Path::Input => Path::Output,
        Path::Output => Path::Input,
        Path::Forward => Path::Forward,
    };
    Packet {
        path,
        from_port: packet.to_port.clone(),
        to_port: packet.from_port.clone(),
        source: packet.destination,
        destination: packet.source,
        source_service: packet.destination_service,
        destination_service: packet.source_service,
        state: State::Established,
        ..packet.clone()
    }
}

/// The two ends of a packet's flow, in its direction, where two could be taken for one.
pub(super) type Ends = (IpAddr, IpAddr, u8, u16, u16);

pub(super) fn ends(packet: &Packet) -> Ends {
    let (from, to) = match packet.protocol {
        6 | 17 => (packet.source_service, packet.destination_service),
        1 | 58 => (packet.source_service, packet.source_service),
        _ => (0, 0),
    };
    (packet.source, packet.destination, packet.protocol, from, to)
}

pub(super) const fn back((source, destination, protocol, from, to): Ends) -> Ends {
    (destination, source, protocol, to, from)
}
