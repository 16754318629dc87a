//! Promise 9: a source address that does not belong to its zone is never accepted. What a zone owns is the site's word
//! (`belongs`, `belongs6`); a zone that owns nothing may send from whatever is no other zone's. An ICMPv6 error about an
//! open flow comes from wherever on the way it arose, so it passes.

use std::net::{IpAddr, Ipv4Addr};

use model::Zone;
use model::site::prefix::Prefix;

use super::cube::{Conditions, Field};
use super::exceptions::{ERRORS6, address4, icmp6, link_local};
use super::matching::has_ports;
use super::promises::{Any, Claim, INSIDE, Zones, states};
use super::span::Span;
use crate::packet::State;

pub(super) fn claims(zones: &Zones<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for zone in Zone::ALL {
        claims.extend(of(zones, &zones.of(zone), &own(zones, zone)));
    }
    // A port nobody planned owns nothing, as the line does.
    claims.extend(of(zones, &zones.but(&Zone::ALL), &free(zones, Zone::Wan)));
    claims
}

/// None from these ports but from these sources.
fn of(zones: &Zones<'_>, ports: &Span, sources: &[Conditions]) -> [Claim; 2] {
    let claim = |claim: Claim| claim.without_all(sources).without(&errors());
    [claim(zones.input_in(ports, Any)), claim(zones.forward(ports, &zones.every, Any))]
}

/// Errors about an open flow.
pub(super) fn errors() -> Conditions {
    let mut errors = icmp6(ERRORS6);
    errors.push((Field::State, states(&[State::Related])));
    errors
}

/// What may come from a zone.
pub(super) fn own(zones: &Zones<'_>, zone: Zone) -> Vec<Conditions> {
    let listed = listed4(zones, zone);
    if !INSIDE.contains(&zone) {
        let [free4, free6] = free(zones, zone);
        return vec![listed.map_or(free4, |span| source(4, span)), free6];
    }
    // Addresses of the link are every zone's (RFC 4291 section 2.5.6), and so is none (RFC 4862 section 5.4.2).
    let own6 = Span::any_of([link_local(), Span::one(0_u8), listed6(zones, zone)]);
    vec![unspecified(), source(4, listed.unwrap_or_else(Span::none)), source(6, own6)]
}

/// Whatever belongs to no other zone and is not the box's own.
fn free(zones: &Zones<'_>, zone: Zone) -> [Conditions; 2] {
    let others = || Zone::ALL.into_iter().filter(|other| *other != zone);
    let own = zones.intent.own.values().map(|address| address4(*address));
    let taken = Span::any_of(others().filter_map(|other| listed4(zones, other)).chain(own));
    let taken6 = Span::any_of(others().map(|other| listed6(zones, other)));
    [source(4, taken.not()), source(6, taken6.not())]
}

fn source(version: u8, span: Span) -> Conditions {
    vec![(Field::Family, Span::one(version)), (Field::Source, span)]
}

/// RFC 2131 section 4.1: who has no address yet asks from none, to everybody.
fn unspecified() -> Conditions {
    let mut asking = source(4, Span::one(0_u8));
    asking.extend([
        (Field::Destination, address4(Ipv4Addr::BROADCAST)),
        (Field::Protocol, Span::one(17_u8)),
        (Field::Readable, has_ports()),
        (Field::SourceService, Span::one(68_u8)),
        (Field::DestinationService, Span::one(67_u8)),
    ]);
    asking
}

/// The IPv4 addresses of a zone, if it has its own.
fn listed4(zones: &Zones<'_>, zone: Zone) -> Option<Span> {
    zones.intent.belongs.get(&zone).map(|list| addresses(list))
}

/// The IPv6 addresses beyond the link of a zone.
pub(super) fn listed6(zones: &Zones<'_>, zone: Zone) -> Span {
    addresses(zones.intent.belongs6.get(&zone).map_or(&[], Vec::as_slice))
}

fn addresses(list: &[Prefix]) -> Span {
    Span::any_of(list.iter().map(|prefix| {
        let (first, bits) = match prefix.network() {
            IpAddr::V4(network) => (u128::from(u32::from(network)), 32),
            IpAddr::V6(network) => (u128::from(network), 128),
        };
        let host = bits - u32::from(prefix.length).min(bits);
        Span::range(first, first | 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1))
    }))
}
