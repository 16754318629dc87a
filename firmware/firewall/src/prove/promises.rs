//! The promises as claims: packets of which none may be accepted. What is excepted is written as conditions
//! and cut out of them.

use model::Zone;

use super::cube::{Conditions, Cube, Field};
use super::exceptions::{
    ERRORS6, WITHOUT_RECEIVER, address4, carried, from_outside, icmp6, never_forwarded, of_a_claims_host,
    of_a_terminal, of_the_clinic, of_the_link, of_the_setup_port, over_the_way, to_a_claims_host,
    to_a_terminal, to_the_clinic, to_the_cloud, to_the_internet, to_the_line, to_the_setup_port,
    to_the_tunnel,
};
use super::intent::Intent;
use super::ports::{NO_PORT, Ports};
use super::span::Span;
use super::{maintenance, source};
use crate::packet::{Path, State};

/// No packet in `cubes` that is not excepted may come through `path`. What is excepted is cut out of what came
/// through, so that a packet counts with what rules have made of it.
pub(super) struct Claim {
    pub(super) path: Path,
    pub(super) cubes: Vec<Cube>,
    pub(super) excepted: Vec<Conditions>,
    /// What no router passes on, and no frame that is led past the routes is asked about.
    pub(super) unrouted: Vec<Conditions>,
}

/// The numbers of the promises that are proved: a site's, or those before one is in force.
pub(super) fn numbers(intent: &Intent) -> &'static [u8] {
    if intent.before_a_site.is_some() { &[13, 14, 15] } else { &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] }
}

/// The claims of one promise.
pub(super) fn claims(number: u8, intent: &Intent, ports: &Ports) -> Vec<Claim> {
    let zones = Zones::new(intent, ports);
    match number {
        1 => zones.apart(),
        2 => zones.opened_outside(),
        3 => zones.of_the_clinic(),
        4 => zones.leaving(Zone::Terminal).into_iter().chain(zones.leaving(Zone::Claims)).collect(),
        5 => vec![
            zones.input(&zones.of(Zone::Terminal), &of_a_terminal(intent, Zone::Terminal)),
            zones.input(&zones.of(Zone::Claims), &of_a_claims_host(intent)),
        ],
        6 => vec![zones.input(&zones.of(Zone::Clinic), &of_the_clinic(intent))],
        7 => maintenance::claims(&zones),
        9 => source::claims(&zones),
        10 => zones.opened_by_the_box(),
        13 => vec![zones.forward(&zones.every, &zones.every, Any)],
        14 => vec![
            zones.input(&zones.of(Zone::Clinic), &of_the_setup_port(intent)),
            zones.input(&zones.but(&[Zone::Clinic]), &[]),
        ],
        15 => vec![
            zones.output(&zones.of(Zone::Clinic), &to_the_setup_port(intent)),
            zones.output(&zones.but(&[Zone::Clinic]), &[]),
        ],
        _ => Vec::new(),
    }
}

/// Which states a claim is about: those that open something, or those of open flows too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Opening,
    Any,
}
pub(super) use About::{Any, Opening};

/// The zones inside: what they may reach is another promise than 2.
pub(super) const INSIDE: [Zone; 5] = [Zone::Terminal, Zone::Clinic, Zone::Claims, Zone::Printer, Zone::Maint];

/// The ports of each zone, as numbers.
pub(super) struct Zones<'i> {
    pub(super) intent: &'i Intent,
    ports: Ports,
    /// Every port but the loopback, which no packet from outside comes in by.
    pub(super) every: Span,
}

impl<'i> Zones<'i> {
    pub(super) fn new(intent: &'i Intent, ports: &Ports) -> Self {
        let mut ports = ports.clone();
        let loopback = Span::one(ports.number("lo"));
        Self { intent, every: ports.every().and(&loopback.not()), ports }
    }

    /// The ports of a zone; none if the site has no such zone.
    pub(super) fn of(&self, zone: Zone) -> Span {
        self.ports.clone().span(self.intent.ports(zone))
    }

    /// Every port that is in none of these zones, the unplanned ones with it.
    pub(super) fn but(&self, zones: &[Zone]) -> Span {
        self.every.and(&Span::any_of(zones.iter().map(|zone| self.of(*zone))).not())
    }

    /// 1: clinic and terminals never meet; a printer opens nothing, and is asked to print only.
    fn apart(&self) -> Vec<Claim> {
        let [clinic, terminal, printer] =
            [Zone::Clinic, Zone::Terminal, Zone::Printer].map(|zone| self.of(zone));
        let print = |from| {
            let asked = over_the_way(self.intent, from, Zone::Printer);
            self.forward(&self.of(from), &printer, Opening).without_all(&asked)
        };
        vec![
            self.forward(&clinic, &terminal, Any),
            self.forward(&terminal, &clinic, Any),
            print(Zone::Terminal),
            print(Zone::Clinic),
            self.forward(&printer, &self.every, Opening),
            self.input(&printer, &of_the_link()),
        ]
    }

    /// 2. A port nobody planned counts as the line does.
    fn opened_outside(&self) -> Vec<Claim> {
        let strangers = self.but(&Zone::ALL);
        let outside = self.but(&INSIDE);
        let input = |zone, ports: &Span| self.input(ports, &from_outside(self.intent, zone));
        vec![
            input(Zone::Wan, &self.of(Zone::Wan)),
            input(Zone::Isp, &self.of(Zone::Isp)),
            input(Zone::Tunnel, &self.of(Zone::Tunnel)),
            input(Zone::Cloud, &self.of(Zone::Cloud)),
            input(Zone::Wan, &strangers),
            self.forward(&outside, &self.every, Opening).without(&icmp6(ERRORS6)),
        ]
    }

    /// 3: never by the qualification's ways, and by others only where the site says so.
    fn of_the_clinic(&self) -> Vec<Claim> {
        let clinic = self.of(Zone::Clinic);
        let line = Span::any_of([Zone::Wan, Zone::Tunnel].map(|zone| self.of(zone)));
        let known = [Zone::Isp, Zone::Cloud];
        let by = |zone| {
            let asked = over_the_way(self.intent, Zone::Clinic, zone);
            self.forward(&clinic, &self.of(zone), Opening).without_all(&asked)
        };
        let elsewhere = [Zone::Isp, Zone::Cloud, Zone::Printer, Zone::Clinic, Zone::Terminal];
        let mut claims = vec![
            self.forward(&clinic, &line, Any),
            self.forward(&clinic, &self.but(&elsewhere).and(&line.not()), Opening),
        ];
        claims.extend(known.map(by));
        claims
    }

    /// 4: only to what is listed, only by the qualification's way.
    fn leaving(&self, from: Zone) -> Vec<Claim> {
        let (own, by) = (self.of(from), self.intent.qualification());
        // Answers to a printer's or a maintainer's question are no way out; what is opened there is said apart.
        let met = [Zone::Printer, Zone::Maint];
        let met = met.into_iter().filter(|zone| {
            let ways = [(from, *zone), (*zone, from)];
            ways.iter().any(|(from, to)| self.intent.way(*from, *to).next().is_some())
        });
        let met: Vec<Zone> = met.collect();
        let elsewhere = self.but(&[&[by, from][..], &met].concat());
        let open = |zone| {
            let asked = over_the_way(self.intent, from, zone);
            self.forward(&own, &self.of(zone), Opening).without_all(&asked)
        };
        let mut claims = vec![self.forward(&own, &elsewhere, Any), open(by).without(&icmp6(ERRORS6))];
        claims.extend(met.into_iter().map(open));
        claims
    }

    /// 10.
    fn opened_by_the_box(&self) -> Vec<Claim> {
        let to = |zone, excepted: &[Conditions]| self.output(&self.of(zone), excepted);
        let listed =
            [Zone::Wan, Zone::Isp, Zone::Tunnel, Zone::Cloud, Zone::Terminal, Zone::Claims, Zone::Clinic];
        vec![
            to(Zone::Wan, &to_the_line(self.intent)),
            to(Zone::Isp, &to_the_internet(self.intent)),
            to(Zone::Tunnel, &to_the_tunnel(self.intent)),
            to(Zone::Cloud, &to_the_cloud(self.intent)),
            to(Zone::Terminal, &to_a_terminal(self.intent)),
            to(Zone::Claims, &to_a_claims_host()),
            to(Zone::Clinic, &to_the_clinic(self.intent)),
            self.output(&self.but(&listed), &of_the_link()),
        ]
    }

    pub(super) fn input(&self, from: &Span, excepted: &[Conditions]) -> Claim {
        self.input_in(from, Opening).without_all(excepted)
    }

    #[expect(clippy::unused_self, reason = "reads as its sisters do")]
    pub(super) fn input_in(&self, from: &Span, about: About) -> Claim {
        let cubes = packets(from, &Span::one(NO_PORT), about);
        Claim::none_of(Path::Input, cubes).without_all(&WITHOUT_RECEIVER.map(carried))
    }

    pub(super) fn output(&self, to: &Span, excepted: &[Conditions]) -> Claim {
        let cubes = packets(&Span::one(NO_PORT), to, Opening);
        Claim::none_of(Path::Output, cubes).without_all(excepted).without_all(&WITHOUT_RECEIVER.map(carried))
    }

    pub(super) fn forward(&self, from: &Span, to: &Span, about: About) -> Claim {
        let own = Span::any_of(self.intent.own.values().map(|address| address4(*address)));
        let claim = Claim::none_of(Path::Forward, packets(from, to, about));
        Claim { unrouted: never_forwarded(&own).to_vec(), ..claim }
    }
}

impl Claim {
    pub(super) const fn none_of(path: Path, cubes: Vec<Cube>) -> Self {
        Self { path, cubes, excepted: Vec::new(), unrouted: Vec::new() }
    }

    pub(super) fn without(self, excepted: &Conditions) -> Self {
        self.without_all(std::slice::from_ref(excepted))
    }

    pub(super) fn without_all(mut self, excepted: &[Conditions]) -> Self {
        self.excepted.extend_from_slice(excepted);
        self
    }
}

/// Every packet of both families between these ports.
pub(super) fn packets_between(from: &Span, to: &Span, states: &Span) -> Vec<Cube> {
    let conditions = [(Field::From, from.clone()), (Field::To, to.clone()), (Field::State, states.clone())];
    [4, 6].into_iter().filter_map(|version| Cube::family(version).with_all(&conditions)).collect()
}

/// As [`packets_between`], with those that lack something.
pub(super) fn ragged_between(from: &Span, to: &Span, states: &Span) -> Vec<Cube> {
    packets_between(from, to, states).into_iter().map(Cube::ragged).collect()
}

pub(super) fn packets(from: &Span, to: &Span, about: About) -> Vec<Cube> {
    let opening = states(&[State::New, State::Untracked, State::Invalid]);
    ragged_between(from, to, &if about == Any { Span::all() } else { opening })
}

/// A set of states.
pub(super) fn states(list: &[State]) -> Span {
    Span::any_of(list.iter().map(|state| Span::one(*state as u8)))
}
