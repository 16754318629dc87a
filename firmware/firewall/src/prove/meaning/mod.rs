//! What a ruleset means: which packets it lets pass, as sets. Two rulesets whose sets are equal mean the same, however
//! their lines are written; where they differ, the difference is said in sentences, each true of all its packets.
//!
//! The sets are the prover's own: what the prover does not understand is not said here either, but named.

mod set;
#[cfg(test)]
mod tests;
mod words;

use model::Site;
use model::policy::{BOX, Cell, Matrix, OTHER, Said, ZoneName};
use serde::Serialize;
use serde_json::Value;

use self::set::{arrived, disjoint, merged, minus};
use super::cube::{Cube, Doubt, Field};
use super::exceptions::{WITHOUT_RECEIVER, carried};
use super::ports::{NO_PORT, Ports};
use super::promises::{packets_between, states};
use super::ruleset::Ruleset;
use super::run::{Keep, Lost, Machine};
use super::span::Span;
use super::tree::Tree;
use crate::lines::{self, Way};
use crate::packet::{Path, State};
use crate::question;

/// What ports are called: by their zones, where a site says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    zones: Vec<Zone>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Zone {
    key: String,
    name: Said,
    ports: Vec<String>,
}

impl Names {
    /// The zones of a site.
    pub fn of_site(site: &Site) -> Self {
        let zone = |(zone, port): (model::Zone, String)| Zone {
            key: zone.key().into(),
            name: zone.name().into(),
            ports: vec![port],
        };
        Self { zones: question::interfaces(site).into_iter().map(zone).collect() }
    }

    /// The names two sites agree on: a zone whose ports are others in the new one is no name for either.
    pub fn common(old: &Self, new: &Self) -> Self {
        let same = |zone: &&Zone| {
            let other = |theirs: &Zone| theirs.key == zone.key && theirs.ports != zone.ports;
            let taken = |theirs: &Zone| {
                theirs.key != zone.key && theirs.ports.iter().any(|port| zone.ports.contains(port))
            };
            !new.zones.iter().any(|theirs| other(theirs) || taken(theirs))
        };
        let mut zones: Vec<Zone> = old.zones.iter().filter(same).cloned().collect();
        let known = |ports: &[String], zones: &[Zone]| {
            zones.iter().chain(&old.zones).any(|zone| zone.ports.iter().any(|port| ports.contains(port)))
        };
        for zone in &new.zones {
            let fresh = old.zones.iter().all(|theirs| theirs.key != zone.key);
            if fresh && !known(&zone.ports, &zones) {
                zones.push(zone.clone());
            }
        }
        Self { zones }
    }

    fn numbered(&self) -> Ports {
        let mut ports = Ports::default();
        self.zones.iter().for_each(|zone| drop(ports.span(&zone.ports)));
        ports.number("lo");
        ports
    }
}

/// One sentence: packets that may now pass, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Where they come from: a zone's key, a port, `box` or `other`.
    pub from: String,
    /// Where they go.
    pub to: String,
    /// Which packets.
    pub what: Said,
    /// The whole sentence, in English.
    pub sentence: String,
}

/// What changes between two rulesets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What may pass now and could not.
    pub gained: Vec<Change>,
    /// What could pass and may no longer.
    pub lost: Vec<Change>,
    /// What is not understood in either: nothing is said of packets that meet it, and nothing at all where it may do
    /// anything to any packet.
    pub unclear: Vec<String>,
}

impl Difference {
    /// Whether the two mean the same, and all of both is understood.
    pub const fn is_nothing(&self) -> bool {
        self.gained.is_empty() && self.lost.is_empty() && self.unclear.is_empty()
    }
}

/// The packets of one path that may pass.
type Passing = (Path, Vec<Cube>);

/// What changes, in terms of packets and not of lines, if the new ruleset takes the place of the old one.
pub fn diff(old: &Value, new: &Value, names: &Names) -> Difference {
    let [gained, lost, unclear] = sets(old, new, names.numbered());
    let said = |sets: &Passings, verb: &str| {
        let each = sets
            .by_path
            .iter()
            .flat_map(|(path, cubes)| cubes.iter().map(|cube| change(*path, cube, names, &sets.ports, verb)));
        let mut list: Vec<Change> = each.collect();
        list.sort();
        list
    };
    Difference {
        gained: said(&gained, "may now reach"),
        lost: said(&lost, "may no longer reach"),
        unclear: unclear.unclear,
    }
}

/// Sets by path, with the numbers of their ports.
struct Passings {
    by_path: Vec<Passing>,
    ports: Ports,
    unclear: Vec<String>,
}

/// What only the new one lets pass, what only the old one does, and the packets that meet what is not understood.
fn sets(old: &Value, new: &Value, ports: Ports) -> [Passings; 3] {
    let (old, new) = (Ruleset::read(old), Ruleset::read(new));
    // Each names ports; both have to number them alike.
    let ports = Machine::new(&old, ports).ports;
    let ports = Machine::new(&new, ports).ports;
    let machines = [Machine::new(&old, ports.clone()), Machine::new(&new, ports.clone())];
    let mut unclear: Vec<String> = machines.iter().flat_map(|machine| machine.unknown.clone()).collect();
    let [mut gained, mut lost, mut doubtful] = [Vec::new(), Vec::new(), Vec::new()];
    for path in [Path::Input, Path::Forward, Path::Output] {
        let all = all_of(path, &ports);
        let [before, after] =
            [&machines[0], &machines[1]].map(|machine| passing(machine, path, &all, &mut unclear));
        // A packet that meets something unknown in either is in no sentence.
        let doubt = [before.doubtful, after.doubtful].concat();
        let only = |one: &[Cube], other: &[Cube]| merged(minus(minus(one.to_vec(), other), &doubt));
        gained.push((path, only(&after.sure, &before.sure)));
        lost.push((path, only(&before.sure, &after.sure)));
        doubtful.push((path, doubt));
    }
    if machines.iter().any(|machine| !machine.unknown.is_empty()) {
        [&mut gained, &mut lost].into_iter().for_each(Vec::clear);
    }
    unclear.sort();
    unclear.dedup();
    let of = |by_path, unclear| Passings { by_path, ports: ports.clone(), unclear };
    [of(gained, Vec::new()), of(lost, Vec::new()), of(doubtful, unclear)]
}

/// Every packet of a path, in any state, but for what the box says to itself over its loopback. ICMP of the other family
/// reaches nobody on the box, and nobody there sends it.
fn all_of(path: Path, ports: &Ports) -> Vec<Cube> {
    let loopback = Span::one(ports.clone().number("lo"));
    let (none, every) = (Span::one(NO_PORT), ports.every().and(&loopback.not()));
    let (from, to) = match path {
        Path::Input => (&every, &none),
        Path::Forward => (&every, &every),
        Path::Output => (&none, &every),
    };
    received(path, packets_between(from, to, &Span::all()))
}

fn received(path: Path, cubes: Vec<Cube>) -> Vec<Cube> {
    let nobody = if path == Path::Forward { Vec::new() } else { WITHOUT_RECEIVER.map(carried).into() };
    Tree::of(&nobody).cut_all(cubes).1
}

/// What may pass.
#[derive(Default)]
struct May {
    /// Packets of which every step is understood, each in one cube.
    sure: Vec<Cube>,
    /// Those that met something that is not.
    doubtful: Vec<Cube>,
}

/// Whether it is known that these may pass. What a set holds that packets and time fill decides *when* they do, as a
/// limit does; the rule around it says which they are.
fn is_sure(cube: &Cube) -> bool {
    matches!(cube.doubt, None | Some(Doubt::Changing(_)))
}

/// Which of the packets may pass; why some are in doubt is noted.
fn passing(machine: &Machine, path: Path, cubes: &[Cube], unclear: &mut Vec<String>) -> May {
    let run = machine.run(path, cubes.to_vec(), Keep::Nothing);
    let accepted = run.map_or_else(
        |lost: Lost| {
            unclear.push(lost.clone());
            cubes.iter().map(|cube| cube.clone().doubted(&lost.as_str().into())).collect()
        },
        |fate| fate.accepted.into_iter().chain(fate.moved).collect::<Vec<Cube>>(),
    );
    let accepted = accepted.iter().filter_map(|cube| arrived(path, cube));
    let (sure, doubtful): (Vec<Cube>, Vec<Cube>) = accepted.partition(is_sure);
    unclear.extend(doubtful.iter().filter_map(|cube| cube.doubt.as_ref()).map(ToString::to_string));
    May { sure: merged(disjoint(sure)), doubtful }
}

fn change(path: Path, cube: &Cube, names: &Names, ports: &Ports, verb: &str) -> Change {
    let from = label(path != Path::Output, cube.span(Field::From), names, ports);
    let to = label(path != Path::Input, cube.span(Field::To), names, ports);
    let what = words::what(cube);
    let (subject, object) = (from.1.en, to.1.en);
    let sentence = format!("{subject} {verb} {object}'s {}", what.en);
    Change { from: from.0, to: to.0, what, sentence }
}

/// The key and the name of a set of ports.
fn label(has_port: bool, span: &Span, names: &Names, ports: &Ports) -> (String, Said) {
    if !has_port {
        return (question::BOX.into(), BOX.into());
    }
    let mut ports = ports.clone();
    for zone in &names.zones {
        if ports.span(&zone.ports) == *span {
            return (zone.key.clone(), zone.name.clone());
        }
    }
    let loopback = Span::one(ports.number("lo"));
    if *span == ports.every().and(&loopback.not()) {
        return ("any".into(), Said::new("すべてのポート", "any port"));
    }
    if *span == Span::one(super::ports::STRANGER) {
        return (question::OTHER.into(), OTHER.into());
    }
    let each = span.ranges().iter().flat_map(|(first, last)| *first..=*last);
    let name = |number| match number {
        super::ports::STRANGER => "any other port".to_owned(),
        number => ports.name(number),
    };
    let list = each.map(name).collect::<Vec<_>>().join(", ");
    (list.clone(), Said::new(format!("ポート {list}"), format!("port {list}")))
}

/// What may pass from each zone to each, and the lines that decide it.
pub fn matrix(document: &Value, site: &Site) -> Matrix {
    let names = Names::of_site(site);
    let machine = Machine::new(&Ruleset::read(document), names.numbered());
    let mut matrix = Matrix { zones: Vec::new(), cells: Vec::new(), unclear: machine.unknown.clone() };
    let sides = sides(&names, &machine.ports);
    for from in &sides {
        for to in &sides {
            matrix.cells.extend(cell(document, &machine, (from, to), &mut matrix.unclear));
        }
    }
    matrix.zones = sides.into_iter().map(|side| side.name).collect();
    matrix.unclear.sort();
    matrix.unclear.dedup();
    matrix
}

/// A zone, the box, or the ports in no zone.
struct Side {
    name: ZoneName,
    span: Span,
    /// One port of it.
    port: String,
}

fn sides(names: &Names, ports: &Ports) -> Vec<Side> {
    let side = |key: &str, name: Said, span, port: &str| Side {
        name: ZoneName { key: key.to_owned(), name },
        span,
        port: port.to_owned(),
    };
    let mut known = ports.clone();
    let zones = names.zones.iter().map(|zone| {
        let port = zone.ports.first().map_or("", String::as_str);
        side(&zone.key, zone.name.clone(), known.span(&zone.ports), port)
    });
    let mut sides: Vec<Side> = zones.collect();
    let own = Span::any_of(sides.iter().map(|side| side.span.clone()).chain([Span::one(known.number("lo"))]));
    sides.push(side(question::BOX, BOX.into(), Span::one(NO_PORT), ""));
    let stranger = ports.name(super::ports::STRANGER);
    sides.push(side(question::OTHER, OTHER.into(), ports.every().and(&own.not()), &stranger));
    sides
}

fn cell(
    document: &Value,
    machine: &Machine,
    (from, to): (&Side, &Side),
    unclear: &mut Vec<String>,
) -> Option<Cell> {
    let none = Span::one(NO_PORT);
    let path = match (from.span == none, to.span == none) {
        (true, true) => return None,
        (true, false) => Path::Output,
        (false, true) => Path::Input,
        (false, false) => Path::Forward,
    };
    let mut of = |list: &[State]| {
        let packets = received(path, packets_between(&from.span, &to.span, &states(list)));
        passing(machine, path, &packets, unclear).sure
    };
    let answers = !of(&[State::Established, State::Related]).is_empty();
    let mut opening = of(&[State::New, State::Untracked]);
    if opening.is_empty() {
        // What fits no flow opens none; but *never* is said of it only if it does not pass either.
        opening = of(&[State::Invalid]);
    }
    let way = Way { path, from: &from.port, to: &to.port };
    Some(Cell {
        from: from.name.key.clone(),
        to: to.name.key.clone(),
        may: opening.iter().map(words::what).collect(),
        answers,
        lines: lines::between(document, way),
    })
}
