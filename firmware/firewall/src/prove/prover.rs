//! From claims to findings: sends what a promise speaks of through the machine, and looks at what came of it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::cube::{Cube, Field};
use super::flows;
use super::intent::Intent;
use super::layers::Carried;
use super::ports::NO_PORT;
use super::possible::Impossible;
use super::promises::{self, Claim, Zones, ragged_between, states};
use super::run::{By, Fate, Keep, Lost, Machine};
use super::sample::{self, When};
use super::span::Span;
use super::tree::Tree;
use super::{Counterexample, Finding, Wrong, needed};
use crate::packet::{Packet, Path, State};

/// So many doubts are said of one promise.
const SAID: usize = 8;

pub(super) struct Prover<'p> {
    machine: &'p Machine,
    intent: &'p Intent,
    /// Worked out when the first packet of an open flow is met where none may be.
    openings: OnceCell<Result<Vec<(Path, Cube)>, Lost>>,
    /// For each path what no packet is.
    impossible: OnceCell<[(Path, Impossible); 3]>,
}

/// What speaks against a promise, if anything does, and what stands in the way of saying so.
#[derive(Default)]
struct Case {
    example: Option<Counterexample>,
    doubts: Vec<String>,
}

impl<'p> Prover<'p> {
    pub(super) const fn new(machine: &'p Machine, intent: &'p Intent) -> Self {
        Self { machine, intent, openings: OnceCell::new(), impossible: OnceCell::new() }
    }

    pub(super) fn finding(&self, number: u8) -> Finding {
        let mut case = Case { doubts: self.machine.unknown.clone(), example: None };
        case.doubts.extend(self.carried());
        let zones = Zones::new(self.intent, &self.machine.ports);
        let tried = match number {
            8 => {
                case.doubts.extend_from_slice(&self.machine.unseen);
                needed::claims(&zones).into_iter().try_for_each(|claim| self.all(claim, &mut case))
            }
            11 => self.policies(&zones, &mut case),
            12 => self.logs(&zones, &mut case),
            _ => promises::claims(number, self.intent, &self.machine.ports)
                .into_iter()
                .try_for_each(|claim| self.none(claim, &mut case)),
        };
        case.doubts.extend(tried.err());
        let through = self.intent.pppoe_through.as_ref().filter(|_| number == 4);
        case.doubts.extend(through.map(|(terminal, line)| {
            format!("what is inside the PPPoE session that passes from {terminal} to {line}")
        }));
        if let Some(example) = case.example {
            return Finding::Broken(Box::new(example));
        }
        let mut doubts: Vec<String> = Vec::new();
        for doubt in case.doubts {
            if !doubts.contains(&doubt) && doubts.len() < SAID {
                doubts.push(doubt);
            }
        }
        if doubts.is_empty() {
            return Finding::Proved;
        }
        Finding::Unproved(format!("not understood: {}", doubts.join("; ")))
    }

    /// A frame that a bridge carries from port to port meets none of the hooks that are followed: none may be carried but
    /// the session the site asks for.
    fn carried(&self) -> Option<String> {
        let planned = |(from, to): &(String, String)| {
            let through = self.intent.pppoe_through.as_ref();
            through.is_some_and(|(one, other)| (from == one && to == other) || (from == other && to == one))
        };
        let known = match &self.machine.carried {
            Carried::Nothing => true,
            Carried::Sessions(pairs) => pairs.iter().all(planned),
            Carried::Anything => false,
        };
        (!known).then(|| "frames that a bridge carries from port to port".into())
    }

    /// None of the claim's packets may pass.
    fn none(&self, claim: Claim, case: &mut Case) -> Result<(), Lost> {
        if case.example.is_some() {
            return Ok(());
        }
        let Fate { accepted, moved, .. } = self.machine.run(claim.path, claim.cubes, Keep::Nothing)?;
        let mut against = Tree::of(&claim.unrouted).cut_all(accepted).1;
        if claim.path == Path::Forward {
            against.extend(moved);
        }
        let against = Tree::of(&claim.excepted).cut_all(against).1;
        self.shown(claim.path, &against, case, |_| Wrong::Passes)
    }

    /// Each of the claim's packets has to pass.
    fn all(&self, claim: Claim, case: &mut Case) -> Result<(), Lost> {
        if case.example.is_some() {
            return Ok(());
        }
        let refused = self.machine.run(claim.path, claim.cubes, Keep::Refused)?.refused;
        // What is needed of a flow is needed of every flow: that one is open is not asked.
        for (cube, by) in refused {
            match &cube.doubt {
                Some(reason) => case.doubts.push(reason.to_string()),
                None => {
                    let wrong = Wrong::Refused { by: by.name.to_string() };
                    let packet = self.packet(claim.path, &cube, When::Claimed);
                    case.example = Some(Counterexample { packet, ..self.example(claim.path, &cube, wrong) });
                    break;
                }
            }
        }
        Ok(())
    }

    /// 11: with every rule gone, nothing passes: a ruleset that was loaded in part, or emptied, is closed.
    fn policies(&self, zones: &Zones<'_>, case: &mut Case) -> Result<(), Lost> {
        let policies = self.machine.policies();
        for (path, cubes) in everything(zones) {
            let new = states(&[State::New]);
            let cubes = cubes.iter().filter_map(|cube| cube.with(Field::State, &new)).collect();
            let accepted = policies.run(path, cubes, Keep::Nothing)?.accepted;
            let real: Vec<Cube> = accepted.iter().flat_map(|cube| self.real(path, cube)).collect();
            let (known, doubted): (Vec<_>, Vec<_>) = real.iter().partition(|cube| cube.doubt.is_none());
            case.doubts.extend(doubted.iter().filter_map(|cube| Some(cube.doubt.as_ref()?.to_string())));
            let first = known.first().map(|cube| self.example(path, cube, Wrong::Unruled));
            case.example = case.example.take().or(first);
        }
        Ok(())
    }

    /// 12: whatever is logged as refused is refused, by the rule the log names. A rule without an id is named if all that
    /// is logged under the prefix is refused by it.
    fn logs(&self, zones: &Zones<'_>, case: &mut Case) -> Result<(), Lost> {
        let mut named: BTreeMap<Rc<str>, Rc<str>> = BTreeMap::new();
        for (path, cubes) in everything(zones) {
            let fate = self.machine.run(path, cubes, Keep::Logs)?;
            let passed = fate.accepted.into_iter().chain(fate.moved);
            let passed: Vec<Cube> = passed.filter(|cube| !cube.logged.is_empty()).collect();
            self.shown(path, &passed, case, |cube| wrong(&cube.logged[0], "let pass"))?;
            let mut astray = Vec::new();
            for (cube, by) in fate.refused {
                let prefix = cube.logged.iter().find(|prefix| !names(&mut named, prefix, &by)).cloned();
                let pieces = prefix.iter().flat_map(|_| self.real(path, &cube));
                astray.extend(pieces.map(|piece| (piece, prefix.clone(), by.clone())));
            }
            astray.sort_by_key(|(cube, ..)| sample::rank(cube));
            for (cube, prefix, by) in astray {
                let really = format!("refused by {}", by.name);
                self.shown(path, &[cube], case, |_| wrong(prefix.as_deref().unwrap_or_default(), &really))?;
            }
        }
        Ok(())
    }

    /// One of these packets, if one of them can exist and is understood.
    fn shown(
        &self,
        path: Path,
        cubes: &[Cube],
        case: &mut Case,
        wrong: impl Fn(&Cube) -> Wrong,
    ) -> Result<(), Lost> {
        let mut cubes: Vec<Cube> = cubes.iter().flat_map(|cube| self.real(path, cube)).collect();
        // A whole packet says more than a piece of one.
        cubes.sort_by_key(sample::rank);
        let opening = states(&[State::New, State::Untracked, State::Invalid]);
        for cube in cubes.iter().filter_map(|cube| cube.with(Field::State, &opening)) {
            match &cube.doubt {
                Some(reason) => case.doubts.push(reason.to_string()),
                None if case.example.is_some() => {}
                None => case.example = Some(self.example(path, &cube, wrong(&cube))),
            }
        }
        for cube in cubes.iter().filter_map(|cube| cube.with(Field::State, &opening.not())) {
            if case.example.is_some() {
                break;
            }
            let found = self.of_a_flow(path, &cube, &mut case.doubts)?;
            case.example = found.map(|(met, opened)| Counterexample {
                opening: opened,
                ..self.example(path, &met, wrong(&cube))
            });
        }
        Ok(())
    }

    /// The packets of the cube that there can be.
    fn real(&self, path: Path, cube: &Cube) -> Vec<Cube> {
        let make = || {
            [Path::Input, Path::Forward, Path::Output].map(|path| (path, Impossible::new(path, self.intent)))
        };
        let all = self.impossible.get_or_init(make);
        let own = all.iter().find(|(own, _)| *own == path);
        own.map_or_else(Vec::new, |(_, impossible)| impossible.without(cube))
    }

    /// Packets of the cube whose flow can have been opened, and by what.
    fn of_a_flow(
        &self,
        path: Path,
        cube: &Cube,
        doubts: &mut Vec<String>,
    ) -> Result<Option<(Cube, Option<Packet>)>, Lost> {
        let opened = || {
            let found = flows::openings(self.machine)?.into_iter();
            let real = |(way, cube)| self.real(way, &cube).into_iter().map(move |cube| (way, cube));
            Ok(found.flat_map(real).collect())
        };
        let openings = self.openings.get_or_init(opened).as_ref().map_err(Clone::clone)?;
        for (way, opening) in openings {
            for (met, kin) in flows::follow(cube, path, *way, opening) {
                if let Some(reason) = &met.doubt {
                    doubts.push(reason.to_string());
                    continue;
                }
                if opening.is_written() || opening.hidden {
                    doubts.push("a packet of a flow whose ends are translated".into());
                    continue;
                }
                let written = self.packet(path, &met, When::Written);
                let opened = sample::opening(opening, &written, kin);
                return Ok(Some((met, opened.map(|cube| self.packet(*way, &cube, When::Coming)))));
            }
        }
        Ok(None)
    }

    fn example(&self, path: Path, cube: &Cube, wrong: Wrong) -> Counterexample {
        let becomes = cube.is_written().then(|| self.packet(path, cube, When::Written));
        let packet = self.packet(path, cube, When::Coming);
        Counterexample { opening: None, packet, cut: sample::cut(cube), becomes, wrong }
    }

    fn packet(&self, path: Path, cube: &Cube, when: When) -> Packet {
        sample::packet(path, cube, when, self.intent, &self.machine.ports)
    }
}

fn wrong(prefix: &str, really: &str) -> Wrong {
    Wrong::Logged { prefix: prefix.to_owned(), really: really.to_owned() }
}

/// Whether the prefix names who refused.
fn names(named: &mut BTreeMap<Rc<str>, Rc<str>>, prefix: &Rc<str>, by: &By) -> bool {
    match &by.id {
        Some(id) => id == prefix,
        None => *named.entry(Rc::clone(prefix)).or_insert_with(|| Rc::clone(&by.name)) == by.name,
    }
}

/// Every packet that crosses a hook and is not the box's own to itself.
fn everything(zones: &Zones<'_>) -> [(Path, Vec<Cube>); 3] {
    let (none, every) = (Span::one(NO_PORT), &zones.every);
    let packets = |from, to| ragged_between(from, to, &Span::all());
    [
        (Path::Input, packets(every, &none)),
        (Path::Forward, packets(every, every)),
        (Path::Output, packets(&none, every)),
    ]
}
