//! Sends cubes through a ruleset: all packets of a cube at once, each by the way the kernel would lead it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::cube::{Conditions, Cube, Field};
use super::ports::Ports;
use super::rule::{Reader, Step, Test, Verdict};
use super::ruleset::{Base, Ruleset};
use crate::packet::Path;

/// Family, table, chain.
type Name = (String, String, String);

/// The kernel allows so many jumps within jumps (NFT_JUMP_STACK_SIZE).
const DEEPEST: usize = 16;

/// So many cubes are followed before the ruleset counts as too intricate to prove.
const PATIENCE: usize = 400_000;

/// A ruleset, read.
pub(super) struct Machine {
    chains: BTreeMap<Name, Vec<Vec<Step>>>,
    bases: Vec<(Name, Base)>,
    /// What is not understood anywhere in it.
    pub(super) unknown: Vec<String>,
    pub(super) ports: Ports,
    spent: Cell<usize>,
}

/// Why a run was given up.
pub(super) type Lost = String;

impl Machine {
    /// `ports` are the ones the promises speak of.
    pub(super) fn new(ruleset: &Ruleset, mut ports: Ports) -> Self {
        let mut unknown = ruleset.unknown.clone();
        let (mut chains, mut bases) = (BTreeMap::new(), Vec::new());
        for (key, table) in ruleset.tables.iter().filter(|(_, table)| !table.dormant) {
            for (name, chain) in &table.chains {
                let name = (key.0.clone(), key.1.clone(), name.clone());
                let mut reader = Reader { ruleset, table: key, ports: &mut ports, unknown: &mut unknown };
                let rules: Vec<_> = chain.rules.iter().map(|rule| reader.rule(rule)).collect();
                if let Some(base) = &chain.base {
                    unknown.extend(misplaced(&name, base, rules.is_empty()));
                    bases.push((name.clone(), base.clone()));
                }
                chains.insert(name, rules);
            }
        }
        bases.retain(|(_, base)| base.kind == "filter");
        Self { chains, bases, unknown, ports, spent: Cell::new(0) }
    }

    /// Which of the packets come through all hooks of a path.
    pub(super) fn accepted(&self, path: Path, cubes: Vec<Cube>) -> Result<Vec<Cube>, Lost> {
        // Before routing no way out is known yet, and behind it the way in need not be known any more.
        let way: &[(&str, &[Field])] = match path {
            Path::Input => &[("prerouting", &[]), ("input", &[])],
            Path::Forward => {
                &[("prerouting", &[Field::To]), ("forward", &[]), ("postrouting", &[Field::From])]
            }
            Path::Output => &[("output", &[]), ("postrouting", &[])],
        };
        self.spent.set(0);
        way.iter().try_fold(cubes, |cubes, (hook, blind)| self.hook(hook, cubes, blind))
    }

    /// Every base chain of the hook has to let a packet pass; as no chain changes it, their order is no matter.
    fn hook(&self, hook: &str, mut cubes: Vec<Cube>, blind: &[Field]) -> Result<Vec<Cube>, Lost> {
        for (name, base) in self.bases.iter().filter(|(_, base)| base.hook == hook) {
            let version = match name.0.as_str() {
                "ip" => Some(4),
                "ip6" => Some(6),
                _ => None,
            };
            let meets = |cube: &Cube| version.is_none_or(|version| cube.span(Field::Family).has(version));
            let (here, passing): (Vec<_>, Vec<_>) = cubes.into_iter().partition(meets);
            // Connection tracking works at priority -200 of prerouting and output.
            let early = ["prerouting", "output"].contains(&hook) && base.priority <= -200;
            let mut blind = blind.to_vec();
            blind.extend(early.then_some(Field::State));
            let (mut accepted, left) = self.chain(name, here, &blind, 0)?;
            if !base.drops {
                accepted.extend(left);
            }
            cubes = passing;
            cubes.extend(accepted);
        }
        Ok(cubes)
    }

    /// Those accepted, and those that come out at the end of the chain or by `return`.
    fn chain(
        &self,
        name: &Name,
        cubes: Vec<Cube>,
        blind: &[Field],
        depth: usize,
    ) -> Result<(Vec<Cube>, Vec<Cube>), Lost> {
        if depth > DEEPEST {
            return Err(format!("jumps deeper than {DEEPEST} at chain {}", name.2));
        }
        let rules =
            self.chains.get(name).ok_or_else(|| format!("the chain {}, which is not there", name.2))?;
        let mut walk =
            Walk { machine: self, chain: name, blind, depth, accepted: Vec::new(), left: Vec::new() };
        let mut here = cubes;
        for rule in rules {
            if here.is_empty() {
                break;
            }
            here = walk.rule(rule, here)?;
        }
        walk.left.extend(here);
        Ok((walk.accepted, walk.left))
    }
}

/// Base chains that may do what is not followed here.
fn misplaced(name: &Name, base: &Base, empty: bool) -> Option<String> {
    let place = format!("the chain {} of table {} {}", name.2, name.0, name.1);
    let followed = ["prerouting", "input", "forward", "output", "postrouting"].contains(&base.hook.as_str());
    if !["inet", "ip", "ip6"].contains(&name.0.as_str()) || !followed {
        return Some(format!("{place} at hook {}", base.hook));
    }
    let idle = empty && !base.drops;
    (base.kind != "filter" && !idle).then(|| format!("{place} of type {}", base.kind))
}

/// Cubes on their way through one chain.
struct Walk<'m> {
    machine: &'m Machine,
    chain: &'m Name,
    blind: &'m [Field],
    depth: usize,
    accepted: Vec<Cube>,
    left: Vec<Cube>,
}

impl Walk<'_> {
    /// Those that go on to the next rule.
    fn rule(&mut self, steps: &[Step], cubes: Vec<Cube>) -> Result<Vec<Cube>, Lost> {
        self.pay(cubes.len())?;
        let (mut here, mut next) = (cubes, Vec::new());
        for step in steps {
            here = self.step(step, here, &mut next)?;
        }
        next.extend(here);
        Ok(next)
    }

    fn pay(&self, cubes: usize) -> Result<(), Lost> {
        let spent = self.machine.spent.get() + cubes;
        self.machine.spent.set(spent);
        if spent > PATIENCE { Err("a ruleset too intricate to follow".into()) } else { Ok(()) }
    }

    /// Those that go on to the next step; the others are added to `next`, or have got their verdict.
    fn step(&mut self, step: &Step, here: Vec<Cube>, next: &mut Vec<Cube>) -> Result<Vec<Cube>, Lost> {
        match step {
            Step::Either => {
                next.extend(here.iter().cloned());
                Ok(here)
            }
            Step::Opaque(reason) => Ok(doubt(here, reason, next)),
            Step::Test(test) if self.is_blind(&test.alternatives) => {
                Ok(doubt(here, &"a port where it is not known".into(), next))
            }
            Step::Test(test) => Ok(fitting(test, here, next)),
            Step::Lookup { entries, .. } if self.is_blind(entries.iter().flat_map(|(keys, _)| keys)) => {
                Err("a verdict map asks for a port where it is not known".into())
            }
            Step::Lookup { requires, entries } => {
                let (mut here, others) = Cube::cut(here, std::slice::from_ref(requires));
                next.extend(others);
                for (alternatives, verdict) in entries {
                    let (inside, outside) = Cube::cut(here, alternatives);
                    self.verdict(verdict, inside, next)?;
                    here = outside;
                }
                next.extend(here);
                Ok(Vec::new())
            }
            Step::Verdict(verdict) => {
                self.verdict(verdict, here, next)?;
                Ok(Vec::new())
            }
        }
    }

    fn is_blind<'t>(&self, alternatives: impl IntoIterator<Item = &'t Conditions>) -> bool {
        alternatives.into_iter().flatten().any(|(field, _)| self.blind.contains(field))
    }

    fn verdict(&mut self, verdict: &Verdict, cubes: Vec<Cube>, next: &mut Vec<Cube>) -> Result<(), Lost> {
        if cubes.is_empty() {
            return Ok(());
        }
        match verdict {
            Verdict::Accept => self.accepted.extend(cubes),
            Verdict::Drop => {}
            Verdict::Return => self.left.extend(cubes),
            Verdict::Continue => next.extend(cubes),
            Verdict::Jump(target) => next.extend(self.visit(target, cubes)?),
            Verdict::Goto(target) => {
                let left = self.visit(target, cubes)?;
                self.left.extend(left);
            }
        }
        Ok(())
    }

    fn visit(&mut self, target: &str, cubes: Vec<Cube>) -> Result<Vec<Cube>, Lost> {
        let name = (self.chain.0.clone(), self.chain.1.clone(), target.to_owned());
        let (accepted, left) = self.machine.chain(&name, cubes, self.blind, self.depth + 1)?;
        self.accepted.extend(accepted);
        Ok(left)
    }
}

/// Both ways, each in doubt.
fn doubt(here: Vec<Cube>, reason: &Rc<str>, next: &mut Vec<Cube>) -> Vec<Cube> {
    let here: Vec<Cube> = here.into_iter().map(|cube| cube.doubted(reason)).collect();
    next.extend(here.iter().cloned());
    here
}

/// Those that fit; the others go to `next`.
fn fitting(test: &Test, here: Vec<Cube>, next: &mut Vec<Cube>) -> Vec<Cube> {
    let (twins, here) = Cube::cut(here, test.twins.as_slice());
    let twins = doubt(twins, &"ICMP of the other family, where nft does not list the family".into(), next);
    let (exist, others) = Cube::cut(here, std::slice::from_ref(&test.requires));
    next.extend(others);
    let (inside, outside) = Cube::cut(exist, &test.alternatives);
    let (mut fit, off) = if test.negated { (outside, inside) } else { (inside, outside) };
    next.extend(off);
    fit.extend(twins);
    fit
}
