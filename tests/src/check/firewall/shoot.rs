//! Sends a counterexample as what it is said to be: with the flow it belongs to, and by a way that leads there.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use firewall::packet::{self, Packet, Path};
use firewall::prove::Counterexample;
use serde_json::{Value, json};

use super::bench::{Arrivals, Bench, ip};
use super::came::{Came, Ends, Place};
use super::flow::{answer, back, ends, turned};
use super::frame::{Form, Shot};
use super::ground::{LET_IN, TABLE};
use super::world::{OWN_LINK_LOCAL, World};
use crate::check::Wrong;

/// Sends it as what it is said to be, with the flow it belongs to.
pub(super) fn shoot(
    bench: &mut Bench,
    world: &World,
    example: &Counterexample,
    document: &Value,
) -> Result<Came, Wrong> {
    let packet = &example.packet;
    let related = packet.state == packet::State::Related;
    let before = example.opening.is_none() && related;
    let opening = example.opening.clone().or_else(|| before.then(|| opened_by(packet)));
    let mut shots: Vec<Shot> = opening.iter().map(|opening| Shot::first(opening.clone())).collect();
    let form = match &opening {
        Some(opening) if related && packet.destination == opening.source => {
            Form::About(Box::new(opening.clone()))
        }
        Some(opening) if related => Form::About(Box::new(answer(opening))),
        Some(opening) if ends(packet) == back(ends(opening)) => Form::Answer,
        Some(opening) => {
            shots.push(Shot::of(answer(opening), Form::Answer));
            Form::Follow
        }
        None => Form::First,
    };
    let mut last = Shot { packet: packet.clone(), form, octets: example.cut };
    // The identifier of an echo and of its answer are the same.
    if let (Some(opening), false, 1 | 58) = (&opening, related, packet.protocol) {
        last.packet.source_service = opening.source_service;
    }
    let empty = json!({"nftables": []});
    // What is promised of every open flow: it is opened before the ruleset comes, which leaves it open.
    bench.load(if before { &empty } else { document })?;
    let mut arrivals = each_by_its_way(bench, world, &shots)?;
    if before {
        bench.reload(document)?;
    }
    let before = let_in(bench)?;
    arrivals.extend(each_by_its_way(bench, world, &[last])?);
    let mut came = arrivals.pop().unwrap_or_default();
    // No socket of the box hears what of ICMPv6 it cannot read, but what is let in is counted.
    if packet.path == Path::Input && packet.protocol == 58 && !packet.readable && let_in(bench)? > before {
        came.out_at(Place::TheBox, Ends::default());
    }
    Ok(came)
}

fn let_in(bench: &Bench) -> Result<u64, Wrong> {
    Ok(bench.counts(TABLE)?.get(LET_IN).copied().unwrap_or_default())
}

/// Sends one after the other, each while there is a way where it says it goes: two packets of one flow may go to the same
/// address by different ports.
fn each_by_its_way(bench: &mut Bench, world: &World, shots: &[Shot]) -> Result<Arrivals, Wrong> {
    let mut arrivals = Arrivals::new();
    for shot in shots {
        let way = way(&shot.packet, world);
        if let Some(way) = &way {
            ip(&format!("{way}\n"))?;
            until_there(way, shot.packet.destination)?;
        }
        arrivals.extend(bench.volley(&[shot])?);
        if let Some(way) = &way {
            ip(&format!("{}\n", way.replacen("replace", "delete", 1)))?;
        }
    }
    Ok(arrivals)
}

/// The kernel makes a new IPv6 address ready by and by (addrconf_dad_work): it is there when it has a route to itself.
fn until_there(way: &str, destination: IpAddr) -> Result<(), Wrong> {
    const LOCAL: u32 = 0x8000_0000;
    let IpAddr::V6(address) = destination else { return Ok(()) };
    let octets: String = address.octets().iter().map(|octet| format!("{octet:02x}")).collect();
    let is_own = |line: &str| {
        let flags = line.split_whitespace().nth(8).and_then(|flags| u32::from_str_radix(flags, 16).ok());
        line.starts_with(&octets) && flags.is_some_and(|flags| flags & LOCAL != 0)
    };
    let end = Instant::now() + Duration::from_secs(10);
    while way.starts_with("address") {
        let routes = std::fs::read_to_string("/proc/thread-self/net/ipv6_route")?;
        if routes.lines().any(is_own) {
            break;
        }
        if Instant::now() > end {
            return Err(Wrong(format!("the box does not get the address {address}")));
        }
        std::thread::yield_now();
    }
    Ok(())
}

/// A packet that opens a flow of which this error can be: from whom the error goes to.
fn opened_by(error: &Packet) -> Packet {
    Packet { protocol: 6, state: packet::State::New, hop_limit: 64, ..turned(error) }
}

/// What leads a packet where it says it goes, if that needs something: a line of `ip`.
fn way(packet: &Packet, world: &World) -> Option<String> {
    let destination = packet.destination;
    let own = world.own.iter().any(|(_, own)| own.address == destination) || destination == OWN_LINK_LOCAL;
    let (plain, on_link) = match destination {
        IpAddr::V4(address) => {
            (!address.is_multicast() && !address.is_broadcast() && !address.is_unspecified(), false)
        }
        IpAddr::V6(address) => {
            (!address.is_multicast() && !address.is_unspecified(), address.is_unicast_link_local())
        }
    };
    let length = if destination.is_ipv4() { 32 } else { 128 };
    match packet.path {
        _ if own || !plain => None,
        Path::Input if on_link => {
            Some(format!("address replace {destination}/{length} dev {} nodad", packet.from_port))
        }
        // An address, not a local route: with one of those the kernel is stricter about all sources.
        Path::Input => {
            let nodad = if destination.is_ipv6() { " nodad" } else { "" };
            Some(format!("address replace {destination}/{length} dev lo{nodad}"))
        }
        Path::Forward if !on_link => {
            {
                // Before whatever way the box has there anyway, which comes back when this one goes.
                Some(format!("route replace {destination}/{length} dev {} metric 1", packet.to_port))
            }
        }
        Path::Forward | Path::Output => None,
    }
}
