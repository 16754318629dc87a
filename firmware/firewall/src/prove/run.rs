//! Sends cubes through a ruleset: all packets of a cube at once, hook by hook, each by the way the kernel would lead it.
//! What happens in one chain is [`super::walk`].

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::cube::{Cube, Field};
use super::layers::{self, Carried};
use super::ports::Ports;
use super::rule::{Reader, Rule, Step};
use super::ruleset::{Base, Ruleset};
use super::span::Span;
use super::walk::Walk;
use crate::packet::{Path, State};

/// Family, table, chain.
pub(super) type Name = (String, String, String);

/// So many cubes are followed before the ruleset counts as too intricate to prove.
const PATIENCE: usize = 1_000_000;

/// So many things that are not understood are kept.
pub(super) const MOST_UNKNOWN: usize = 64;

/// A ruleset, read.
pub(super) struct Machine {
    pub(super) chains: BTreeMap<Name, Vec<Rule>>,
    /// Where packets meet it, in the order in which they do.
    bases: Vec<Hooked>,
    /// What is not understood anywhere in it.
    pub(super) unknown: Vec<String>,
    /// What may refuse packets and is not followed.
    pub(super) unseen: Vec<String>,
    /// What bridges carry.
    pub(super) carried: Carried,
    pub(super) ports: Ports,
    /// Marks that rules give.
    marks: Span,
    spent: Cell<usize>,
}

/// A base chain at its place.
pub(super) struct Hooked {
    pub(super) name: Name,
    pub(super) base: Base,
    /// Priority; translations have one of their own, whatever is written (nf_nat_register_fn).
    place: i64,
    /// The ports it belongs to: [`None`] if it belongs to none, or to ports that are not listed.
    ports: Option<Span>,
    /// It gives packets another source, which chains behind it see.
    hides: bool,
}

/// Why a run was given up.
pub(super) type Lost = String;

/// What became of the packets of a run.
#[derive(Default)]
pub(super) struct Fate {
    /// Came through every hook.
    pub(super) accepted: Vec<Cube>,
    /// Left by another port, past the hooks.
    pub(super) moved: Vec<Cube>,
    /// With what refused them; kept if asked for.
    pub(super) refused: Vec<(Cube, By)>,
    pub(super) keep: Keep,
}

/// Who refused.
#[derive(Clone, Debug)]
pub(super) struct By {
    pub(super) id: Option<Rc<str>>,
    pub(super) name: Rc<str>,
}

/// What is to be known of a run beside what it accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Keep {
    #[default]
    Nothing,
    Refused,
    /// And under which prefixes packets were logged.
    Logs,
}

/// A hook, and what is not known there yet, or not any more.
type Stage = (&'static str, &'static [Field]);

const INPUT: &[Stage] = &[("ingress", &[Field::To, Field::State]), ("prerouting", &[]), ("input", &[])];
const FORWARD: &[Stage] = &[
    ("ingress", &[Field::To, Field::State]),
    ("prerouting", &[Field::To]),
    ("forward", &[]),
    ("postrouting", &[Field::From, Field::Mac]),
    ("egress", &[Field::From, Field::Mac]),
];
const OUTPUT: &[Stage] =
    &[("output", &[Field::Mac]), ("postrouting", &[Field::Mac]), ("egress", &[Field::Mac])];

impl Machine {
    /// `ports` are the ones the promises speak of.
    pub(super) fn new(ruleset: &Ruleset, mut ports: Ports) -> Self {
        let (mut unknown, mut unseen) = (ruleset.unknown.clone(), Vec::new());
        let (mut chains, mut bases) = (BTreeMap::new(), Vec::new());
        let mut carried: Option<Carried> = None;
        for (key, table) in ruleset.tables.iter().filter(|(_, table)| !table.dormant) {
            if layers::is_beside(&key.0) {
                layers::look(key, table, &mut unknown, &mut unseen);
                let here = layers::carried(table).filter(|_| key.0 == "bridge");
                carried = carried.into_iter().chain(here).reduce(Carried::and);
                continue;
            }
            for (name, chain) in &table.chains {
                let name = (key.0.clone(), key.1.clone(), name.clone());
                let mut reader = Reader { ruleset, table: key, ports: &mut ports, unknown: &mut unknown };
                let read = |(place, rule)| reader.rule(rule, &name.2, place);
                let rules: Vec<Rule> = chain.rules.iter().enumerate().filter_map(read).collect();
                bases.extend(chain.base.clone().map(|base| (name.clone(), base)));
                chains.insert(name, rules);
            }
        }
        let carried = carried.unwrap_or(Carried::Nothing);
        let marks = marks(chains.values().flatten());
        let mut machine =
            Self { chains, bases: Vec::new(), unknown, unseen, carried, ports, marks, spent: Cell::new(0) };
        machine.hook_up(bases);
        // Each promise says some of them; nobody reads a million.
        machine.unknown.truncate(MOST_UNKNOWN);
        machine
    }

    /// The same ruleset after every rule of it has gone: what its policies do.
    pub(super) fn policies(&self) -> Self {
        let chains = self.chains.keys().map(|name| (name.clone(), Vec::new())).collect();
        let base = |hooked: &Hooked| (hooked.name.clone(), hooked.base.clone());
        let bases = self.bases.iter().map(base).collect();
        let (unknown, unseen, carried) = (Vec::new(), Vec::new(), Carried::Nothing);
        let (ports, marks) = (self.ports.clone(), Span::none());
        let mut machine =
            Self { chains, bases: Vec::new(), unknown, unseen, carried, ports, marks, spent: Cell::new(0) };
        machine.hook_up(bases);
        machine
    }

    fn hook_up(&mut self, bases: Vec<(Name, Base)>) {
        for (name, base) in bases {
            let steps = self.reach(&name);
            let writes = steps.iter().any(|step| step.changes_packets());
            let hides = steps.iter().any(|step| matches!(step, Step::Hide(_)));
            if steps.is_empty() && !base.drops {
                continue;
            }
            self.unknown.extend(misplaced(&name, &base, writes));
            let place = match (base.kind.as_str(), base.hook.as_str()) {
                ("nat", "prerouting" | "output") => -100,
                ("nat", _) => 100,
                _ => base.priority,
            };
            let ports = base.ports.as_ref().map(|names| self.ports.span(names));
            self.bases.push(Hooked { name, base, place, ports, hides });
        }
        self.bases.sort_by_key(|hooked| (hooked.place, hooked.base.priority));
        let tied = self.tied();
        self.unknown.extend(tied);
    }

    /// Every step a packet of this chain may meet.
    fn reach(&self, name: &Name) -> Vec<&Step> {
        let (mut names, mut steps) = (vec![name.clone()], Vec::new());
        let mut next = 0;
        while let Some(name) = names.get(next).cloned() {
            let here = self.chains.get(&name).into_iter().flatten().flat_map(|rule| &rule.steps);
            steps.extend(here.clone());
            for target in here.flat_map(Step::targets) {
                let target = (name.0.clone(), name.1.clone(), target.to_owned());
                if !names.contains(&target) {
                    names.push(target);
                }
            }
            next += 1;
        }
        steps
    }

    /// Chains of one priority meet packets in an order nobody lists, which matters if one of them changes packets.
    fn tied(&self) -> Option<String> {
        let changes = |hooked: &Hooked| self.reach(&hooked.name).iter().any(|step| step.changes_packets());
        self.bases.iter().enumerate().find_map(|(at, one)| {
            let mut others = self.bases[at + 1..].iter().filter(|other| one.is_beside(other));
            let other = others.find(|other| changes(one) || changes(other))?;
            Some(format!("the order of the chains {} and {}", one.name.2, other.name.2))
        })
    }

    /// What becomes of the packets on their way through all hooks of a path.
    pub(super) fn run(&self, path: Path, cubes: Vec<Cube>, keep: Keep) -> Result<Fate, Lost> {
        let way = match path {
            Path::Input => INPUT,
            Path::Forward => FORWARD,
            Path::Output => OUTPUT,
        };
        if self.spent.get() <= PATIENCE {
            self.spent.set(0);
        }
        let mut fate = Fate { keep, ..Fate::default() };
        let cubes = if path == Path::Output { cubes } else { self.marked(&cubes) };
        let through = way.iter().try_fold(cubes, |cubes: Vec<Cube>, stage| {
            // ip_forward and ip6_forward take the hop before they ask.
            let hops = stage.0 == "forward";
            let cubes = if hops { cubes.into_iter().filter_map(Cube::a_hop_on).collect() } else { cubes };
            self.hook(*stage, cubes, &mut fate)
        })?;
        fate.accepted = through;
        Ok(fate)
    }

    /// A mark is the box's own: what comes from outside has none yet, unless it has come through another port before (a
    /// bridge's, a tunnel's), where rules have met it.
    fn marked(&self, cubes: &[Cube]) -> Vec<Cube> {
        let none = Span::one(0_u8);
        let reason = "a mark given at a port below".into();
        let below = self.marks.and(&none.not());
        let below = |cube: &Cube| cube.with(Field::Mark, &below).map(|cube| cube.doubted(&reason));
        cubes.iter().flat_map(|cube| [cube.with(Field::Mark, &none), below(cube)]).flatten().collect()
    }

    /// Every base chain of the hook has to let a packet pass.
    fn hook(&self, (hook, blind): Stage, mut cubes: Vec<Cube>, fate: &mut Fate) -> Result<Vec<Cube>, Lost> {
        let mut blind = blind.to_vec();
        for hooked in self.bases.iter().filter(|hooked| hooked.base.hook == hook) {
            let (here, mut passing) = hooked.meeting(cubes);
            if hook == "ingress" {
                let reason = "frames with empty tags, which no rule before the protocol stack sees".into();
                passing.extend(here.iter().map(|cube| cube.clone().doubted(&reason)));
            }
            let mut blind_here = blind.clone();
            blind_here.extend(hooked.is_early().then_some(Field::State));
            let mut walk = Walk { machine: self, hooked, blind: &blind_here, fate };
            let (accepted, left) = walk.chain(&hooked.name, here, 0)?;
            cubes = passing;
            cubes.extend(accepted);
            if hooked.base.drops {
                cubes.extend(hooked.passed_by(&left));
                let by = By { id: None, name: format!("the policy of {}", hooked.name.2).into() };
                fate.refuse(left, &by);
            } else {
                cubes.extend(left);
            }
            if hooked.hides {
                blind.extend([Field::Source, Field::SourceService]);
            }
        }
        cubes.iter_mut().for_each(|cube| cube.bound = false);
        Ok(cubes)
    }

    pub(super) fn pay(&self, cubes: usize) -> Result<(), Lost> {
        let spent = self.spent.get() + cubes;
        self.spent.set(spent);
        if spent > PATIENCE { Err("a ruleset too intricate to follow".into()) } else { Ok(()) }
    }
}

impl Fate {
    /// These leave by the ports.
    pub(super) fn lead(&mut self, cubes: &[Cube], to: &Span) {
        let from = self.moved.len();
        self.moved.extend(cubes.iter().filter_map(|cube| cube.with(Field::To, to)));
        self.moved[from..].iter_mut().for_each(|cube| cube.moved = true);
    }

    pub(super) fn refuse(&mut self, cubes: Vec<Cube>, by: &By) {
        if self.keep != Keep::Nothing {
            self.refused.extend(cubes.into_iter().map(|cube| (cube, by.clone())));
        }
    }
}

impl Hooked {
    /// Whether packets may meet both, in either order.
    fn is_beside(&self, other: &Self) -> bool {
        let families = [self.name.0.as_str(), other.name.0.as_str()];
        let apart = [["ip", "ip6"], ["ip6", "ip"]].contains(&families);
        let translate = self.base.kind == "nat" && other.base.kind == "nat";
        self.base.hook == other.base.hook && self.place == other.place && !apart && !translate
    }

    /// Connection tracking works at priority -200 of prerouting and output.
    pub(super) fn is_early(&self) -> bool {
        let before = ["prerouting", "output"].contains(&self.base.hook.as_str()) && self.place <= -200;
        before || self.base.hook == "ingress"
    }

    /// What passes although the chain refuses it: chains of translations meet a flow's first packet only, and the next
    /// one may be new as well. So a refusal takes a packet away, but does not prove that none of its kind passes.
    pub(super) fn passed_by(&self, refused: &[Cube]) -> Vec<Cube> {
        if self.base.kind != "nat" {
            return Vec::new();
        }
        let reason = format!("which packets pass the chain {} by", self.name.2).into();
        refused.iter().map(|cube| cube.clone().doubted(&reason)).collect()
    }

    /// The packets that meet this chain, and those that pass it by.
    fn meeting(&self, cubes: Vec<Cube>) -> (Vec<Cube>, Vec<Cube>) {
        let version = match self.name.0.as_str() {
            "ip" => Some(4),
            "ip6" => Some(6),
            _ => None,
        };
        let meets = |cube: &Cube| version.is_none_or(|version| cube.span(Field::Family).has(version));
        let (here, mut passing): (Vec<_>, Vec<_>) = cubes.into_iter().partition(meets);
        let here = self.at_its_ports(here, &mut passing);
        if self.base.kind != "nat" {
            return (here, passing);
        }
        // Only what opens a flow is translated by rules, and once; what follows is translated as it was.
        let new = Span::one(State::New as u8);
        let mut opening = Vec::new();
        for cube in here {
            if cube.bound {
                passing.push(cube);
                continue;
            }
            passing.extend(cube.with(Field::State, &new.not()));
            opening.extend(cube.with(Field::State, &new));
        }
        (opening, passing)
    }

    fn at_its_ports(&self, cubes: Vec<Cube>, passing: &mut Vec<Cube>) -> Vec<Cube> {
        let field = match self.base.hook.as_str() {
            "ingress" => Field::From,
            "egress" => Field::To,
            _ => return cubes,
        };
        let Some(ports) = &self.ports else {
            let reason = Rc::from(format!("which ports the chain {} belongs to", self.name.2));
            let doubted: Vec<Cube> = cubes.into_iter().map(|cube| cube.doubted(&reason)).collect();
            passing.extend(doubted.iter().cloned());
            return doubted;
        };
        passing.extend(cubes.iter().filter_map(|cube| cube.with(field, &ports.not())));
        cubes.iter().filter_map(|cube| cube.with(field, ports)).collect()
    }
}

/// The marks these rules give.
fn marks<'r>(rules: impl Iterator<Item = &'r Rule>) -> Span {
    let written = rules.flat_map(|rule| &rule.steps).filter_map(|step| match step {
        Step::Write(written, _) => Some(written),
        _ => None,
    });
    let marks = written.flatten().filter(|(field, _)| *field == Field::Mark);
    Span::any_of(marks.map(|(_, span)| span.clone()))
}

/// Base chains that may do what is not followed here.
fn misplaced(name: &Name, base: &Base, writes: bool) -> Option<String> {
    let place = format!("the chain {} of table {} {}", name.2, name.0, name.1);
    let hooks: &[&str] = match name.0.as_str() {
        "netdev" => &["ingress", "egress"],
        _ => &["ingress", "prerouting", "input", "forward", "output", "postrouting"],
    };
    let kinds: &[&str] = match base.hook.as_str() {
        "forward" | "ingress" | "egress" => &["filter"],
        "output" => &["filter", "nat", "route"],
        _ => &["filter", "nat"],
    };
    if !["inet", "ip", "ip6", "netdev"].contains(&name.0.as_str()) || !hooks.contains(&base.hook.as_str()) {
        return Some(format!("{place} at hook {}", base.hook));
    }
    // Another way out is chosen after them, which the rules before have not seen.
    let rerouted = base.kind == "route" || (base.kind == "nat" && base.hook == "output");
    let leads_on = writes && (rerouted || base.hook == "egress");
    (leads_on || !kinds.contains(&base.kind.as_str())).then(|| format!("{place} of type {}", base.kind))
}
