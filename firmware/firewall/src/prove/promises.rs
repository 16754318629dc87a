//! The promises as claims: packets of which none may be accepted. What is excepted is written as conditions
//! and cut out of them.

use super::cube::{Conditions, Cube, Field};
use super::exceptions::{
    ERRORS6, WITHOUT_RECEIVER, address4, carried, from_the_line, icmp6, never_forwarded, of_a_terminal,
    of_the_clinic, of_the_link, of_the_setup_port, to_a_terminal, to_destinations, to_the_clinic,
    to_the_line, to_the_setup_port,
};
use super::intent::Intent;
use super::ports::{NO_PORT, Ports};
use super::span::Span;
use crate::packet::{Path, State};

/// No packet in `cubes` may come through `path`.
pub(super) struct Claim {
    pub(super) path: Path,
    pub(super) cubes: Vec<Cube>,
}

/// The numbers of the promises that are proved: a site's, or those before one is in force.
pub(super) fn numbers(intent: &Intent) -> &'static [u8] {
    if intent.before_a_site.is_some() { &[13, 14, 15] } else { &[1, 2, 3, 4, 5, 6, 10] }
}

/// The claims of one promise.
pub(super) fn claims(number: u8, intent: &Intent, ports: &Ports) -> Vec<Claim> {
    let zones = Zones::new(intent, ports);
    match number {
        1 => vec![
            zones.forward(&zones.clinic, &zones.terminal, Any),
            zones.forward(&zones.terminal, &zones.clinic, Any),
        ],
        2 => {
            let outside =
                zones.every.and(&Span::any_of([zones.clinic.clone(), zones.terminal.clone()]).not());
            vec![
                zones.input(&outside, &from_the_line()),
                zones.forward(&outside, &zones.every, Opening).without(&icmp6(ERRORS6)),
            ]
        }
        3 => vec![zones.forward(&zones.clinic, &zones.wan, Any)],
        4 => {
            let elsewhere = zones.every.and(&zones.wan.not()).and(&zones.terminal.not());
            vec![
                zones.forward(&zones.terminal, &elsewhere, Any),
                zones.forward(&zones.terminal, &zones.wan, Opening).without_all(&to_destinations(intent)),
            ]
        }
        5 => vec![zones.input(&zones.terminal, &of_a_terminal())],
        6 => vec![zones.input(&zones.clinic, &of_the_clinic(intent))],
        10 => vec![
            zones.output(&zones.wan, &to_the_line(intent)),
            zones.output(&zones.terminal, &to_a_terminal(intent)),
            zones.output(&zones.clinic, &to_the_clinic(intent)),
            zones.output(
                &zones.every.and(&zones.wan.not()).and(&zones.terminal.not()).and(&zones.clinic.not()),
                &of_the_link(),
            ),
        ],
        13 => vec![zones.forward(&zones.every, &zones.every, Any)],
        14 => vec![
            zones.input(&zones.clinic, &of_the_setup_port(intent)),
            zones.input(&zones.every.and(&zones.clinic.not()), &[]),
        ],
        15 => vec![
            zones.output(&zones.clinic, &to_the_setup_port(intent)),
            zones.output(&zones.every.and(&zones.clinic.not()), &[]),
        ],
        _ => Vec::new(),
    }
}

/// Which states a claim is about: those that open something, or those of open flows too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Opening,
    Any,
}
use About::{Any, Opening};

/// The ports of each zone, as numbers.
struct Zones<'i> {
    intent: &'i Intent,
    wan: Span,
    terminal: Span,
    clinic: Span,
    /// Every port but the loopback, which no packet from outside comes in by.
    every: Span,
}

impl<'i> Zones<'i> {
    fn new(intent: &'i Intent, ports: &Ports) -> Self {
        let mut ports = ports.clone();
        let [wan, terminal, clinic] =
            [&intent.wan, &intent.terminal, &intent.clinic].map(|zone| ports.span(zone));
        let loopback = Span::one(ports.number("lo"));
        Self { intent, wan, terminal, clinic, every: ports.every().and(&loopback.not()) }
    }

    fn input(&self, from: &Span, excepted: &[Conditions]) -> Claim {
        let cubes = packets(from, &Span::one(NO_PORT), Opening);
        Claim { path: Path::Input, cubes }.without_all(excepted).without_all(&WITHOUT_RECEIVER.map(carried))
    }

    fn output(&self, to: &Span, excepted: &[Conditions]) -> Claim {
        let cubes = packets(&Span::one(NO_PORT), to, Opening);
        Claim { path: Path::Output, cubes }.without_all(excepted).without_all(&WITHOUT_RECEIVER.map(carried))
    }

    fn forward(&self, from: &Span, to: &Span, about: About) -> Claim {
        let own = Span::any_of([self.intent.clinic_address, self.intent.terminal_address].map(address4));
        Claim { path: Path::Forward, cubes: packets(from, to, about) }.without_all(&never_forwarded(&own))
    }
}

impl Claim {
    fn without(self, excepted: &Conditions) -> Self {
        self.without_all(std::slice::from_ref(excepted))
    }

    fn without_all(self, excepted: &[Conditions]) -> Self {
        Self { path: self.path, cubes: Cube::cut(self.cubes, excepted).1 }
    }
}

/// Every packet of both families between these ports.
pub(super) fn packets_between(from: &Span, to: &Span, states: &Span) -> Vec<Cube> {
    let conditions = [(Field::From, from.clone()), (Field::To, to.clone()), (Field::State, states.clone())];
    [4, 6].into_iter().filter_map(|version| Cube::family(version).with_all(&conditions)).collect()
}

fn packets(from: &Span, to: &Span, about: About) -> Vec<Cube> {
    let opening = states(&[State::New, State::Untracked, State::Invalid]);
    packets_between(from, to, &if about == Any { Span::all() } else { opening })
}

/// A set of states.
pub(super) fn states(list: &[State]) -> Span {
    Span::any_of(list.iter().map(|state| Span::one(*state as u8)))
}
