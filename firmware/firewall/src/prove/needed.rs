//! Promise 8: what IPv6 needs passes, whatever else a ruleset says. The claims are the other way round than all others:
//! of these packets none may be refused, by any chain of any table.
//!
//! What is claimed is what RFC 4890 (sections 4.3 and 4.4) has a node and a router never drop, from whom it can come:
//! errors about an open flow, neighbour discovery and listener discovery on every port of a zone, and on the line its
//! router's advertisements. Promise 9 comes first: a source that is another zone's is not among them.

use model::Zone;

use super::cube::{Conditions, Cube, Field};
use super::exceptions::{ERRORS6, LISTENER, NEIGHBOUR, icmp6, link_local};
use super::ports::NO_PORT;
use super::promises::{Claim, INSIDE, Zones, packets_between, states};
use super::source::listed6;
use super::span::Span;
use crate::packet::{Path, State};

const ROUTER_SOLICITATION: &[u8] = &[133];
const ROUTER_ADVERTISEMENT: &[u8] = &[134];
/// Reports and leave.
const REPORTS: &[u8] = &[131, 132, 143];

/// None of these may be refused.
pub(super) fn claims(zones: &Zones<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for zone in Zone::ALL.into_iter().filter(|zone| carries(zones, *zone)) {
        claims.push(to_the_box(zones, zone));
        claims.push(from_the_box(zones, zone));
    }
    let by = zones.intent.qualification();
    for zone in [Zone::Terminal, Zone::Claims].into_iter().filter(|_| carries(zones, by)) {
        claims.push(through(zones, by, zone));
        claims.push(through(zones, zone, by));
    }
    claims
}

/// Zones inside have IPv6 on their links; a way out has what it carries.
fn carries(zones: &Zones<'_>, zone: Zone) -> bool {
    let families = zones.intent.carries.get(&zone);
    families.map_or(INSIDE.contains(&zone) && zone != Zone::Maint, |families| families.ipv6)
}

fn to_the_box(zones: &Zones<'_>, zone: Zone) -> Claim {
    let own = Span::any_of([link_local(), beyond(zones, zone)]);
    let mut needed = vec![
        errors(own.clone()),
        discovery(NEIGHBOUR, 255, own),
        // RFC 4862 section 5.4.2: an address is tried out from none.
        discovery(&[135], 255, Span::one(0_u8)),
        discovery(LISTENER, 1, link_local()),
    ];
    if zone == Zone::Wan {
        needed.push(discovery(ROUTER_ADVERTISEMENT, 255, link_local()));
    }
    all(Path::Input, &zones.of(zone), &Span::one(NO_PORT), &needed)
}

fn from_the_box(zones: &Zones<'_>, zone: Zone) -> Claim {
    let own = Span::any_of([link_local(), unicast()]);
    let mut needed = vec![
        errors(own.clone()),
        discovery(NEIGHBOUR, 255, own),
        discovery(&[135], 255, Span::one(0_u8)),
        discovery(REPORTS, 1, link_local()),
    ];
    if zone == Zone::Wan {
        needed.push(discovery(ROUTER_SOLICITATION, 255, link_local()));
    }
    all(Path::Output, &Span::one(NO_PORT), &zones.of(zone), &needed)
}

/// Errors about what passes between the line and those who use it.
fn through(zones: &Zones<'_>, from: Zone, to: Zone) -> Claim {
    let mut errors = errors(beyond(zones, from));
    errors.push((Field::Destination, unicast()));
    all(Path::Forward, &zones.of(from), &zones.of(to), &[errors])
}

/// What a zone sends from beyond the link.
fn beyond(zones: &Zones<'_>, zone: Zone) -> Span {
    if INSIDE.contains(&zone) {
        return listed6(zones, zone);
    }
    let others = Span::any_of(INSIDE.iter().map(|other| listed6(zones, *other)));
    unicast().and(&others.not())
}

/// 2000::/3 and fc00::/7: global and unique local addresses (RFC 4291 section 2.4, RFC 4193).
fn unicast() -> Span {
    Span::any_of([
        Span::range(0x2_u128 << 124, (0x4_u128 << 124) - 1),
        Span::range(0xfc_u128 << 120, (0xfe_u128 << 120) - 1),
    ])
}

fn errors(source: Span) -> Conditions {
    let mut errors = icmp6(ERRORS6);
    errors.extend([
        (Field::Readable, Span::one(1_u8)),
        (Field::Source, source),
        (Field::State, states(&[State::Related])),
    ]);
    errors
}

/// What connection tracking leaves alone: with the hop limit that proves it comes from the link.
fn discovery(types: &[u8], hops: u8, source: Span) -> Conditions {
    let mut discovery = icmp6(types);
    discovery.extend([
        (Field::Readable, Span::one(1_u8)),
        (Field::IcmpCode, Span::one(0_u8)),
        (Field::HopLimit, Span::one(hops)),
        (Field::Source, source),
        (Field::State, states(&[State::Untracked])),
    ]);
    discovery
}

fn all(path: Path, from: &Span, to: &Span, needed: &[Conditions]) -> Claim {
    let every: Vec<Cube> = packets_between(from, to, &Span::all());
    let cubes = needed.iter().flat_map(|needed| every.iter().filter_map(|cube| cube.with_all(needed)));
    Claim::none_of(path, cubes.collect())
}
