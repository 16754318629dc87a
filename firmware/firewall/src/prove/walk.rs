//! One chain: cubes go from rule to rule and from step to step, are cut, and get their verdicts.

use std::rc::Rc;

use super::cube::{Cube, Field};
use super::rule::{Rule, Step, Test, Verdict};
use super::run::{By, Fate, Hooked, Keep, Lost, Machine, Name};
use super::span::Span;
use crate::packet::State;

/// The kernel allows so many jumps within jumps (NFT_JUMP_STACK_SIZE).
const DEEPEST: usize = 16;

/// Cubes on their way through one base chain and what it leads to.
pub(super) struct Walk<'m> {
    pub(super) machine: &'m Machine,
    pub(super) hooked: &'m Hooked,
    pub(super) blind: &'m [Field],
    pub(super) fate: &'m mut Fate,
}

/// Where the packets of one chain are.
#[derive(Default)]
struct Out {
    accepted: Vec<Cube>,
    /// Came out at the end, or by `return`.
    left: Vec<Cube>,
    /// Go on to the next rule.
    next: Vec<Cube>,
}

impl Walk<'_> {
    /// Those accepted, and those that come out at the end of the chain or by `return`.
    pub(super) fn chain(
        &mut self,
        name: &Name,
        cubes: Vec<Cube>,
        depth: usize,
    ) -> Result<(Vec<Cube>, Vec<Cube>), Lost> {
        if depth > DEEPEST {
            return Err(format!("jumps deeper than {DEEPEST} at chain {}", name.2));
        }
        let machine = self.machine;
        let rules =
            machine.chains.get(name).ok_or_else(|| format!("the chain {}, which is not there", name.2))?;
        let mut out = Out { next: cubes, ..Out::default() };
        for rule in rules {
            if out.next.is_empty() {
                break;
            }
            self.rule(rule, &mut out, depth)?;
        }
        out.left.append(&mut out.next);
        Ok((out.accepted, out.left))
    }

    fn rule(&mut self, rule: &Rule, out: &mut Out, depth: usize) -> Result<(), Lost> {
        let logs = rule.only_logs();
        if logs && self.fate.keep != Keep::Logs {
            return Ok(());
        }
        let mut here = std::mem::take(&mut out.next);
        self.machine.pay(here.len())?;
        for step in &rule.steps {
            // A packet that is logged shows what one that is not logged would: only what may be said of it grows.
            if !(logs && matches!(step, Step::Either)) {
                here = self.step(step, here, out, rule, depth)?;
            }
        }
        out.next.append(&mut here);
        Ok(())
    }

    /// Those that go on to the next step; the others go on to the next rule, or have got their verdict.
    fn step(
        &mut self,
        step: &Step,
        here: Vec<Cube>,
        out: &mut Out,
        rule: &Rule,
        depth: usize,
    ) -> Result<Vec<Cube>, Lost> {
        match step {
            Step::Either => {
                out.next.extend(here.iter().cloned());
                Ok(here)
            }
            Step::Opaque(reason) => Ok(doubt(here, reason, &mut out.next)),
            Step::Unless(conditions, reason) => {
                let mut others = Vec::new();
                let mut fit = required(here, conditions, &mut others);
                fit.extend(doubt(others, reason, &mut out.next));
                Ok(fit)
            }
            Step::Test(test) if self.is_blind(&test.asks) => Ok(doubt(here, &hidden(), &mut out.next)),
            Step::Test(test) => self.test(test, here, &mut out.next),
            Step::Require(conditions) => Ok(required(here, conditions, &mut out.next)),
            Step::Lookup { asks, .. } if self.is_blind(asks) => {
                Err("a verdict map asks for what is not known there".into())
            }
            Step::Lookup { requires, leads, .. } => {
                let mut here = required(here, requires, &mut out.next);
                let mut stay = Vec::new();
                for (keys, verdict) in leads {
                    let (inside, outside) = self.cut(keys, here)?;
                    stay.extend(self.verdict(verdict, inside, out, rule, depth)?);
                    here = outside;
                }
                out.next.extend(here);
                Ok(stay)
            }
            Step::Verdict(verdict) => self.verdict(verdict, here, out, rule, depth),
            Step::Log(prefix) => Ok(self.logged(here, prefix)),
            _ => Ok(self.changed(step, here, out, rule)),
        }
    }

    fn is_blind(&self, asks: &[Field]) -> bool {
        asks.iter().any(|field| self.blind.contains(field))
    }

    fn cut(&self, tree: &super::tree::Tree, cubes: Vec<Cube>) -> Result<(Vec<Cube>, Vec<Cube>), Lost> {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for cube in cubes {
            let before = inside.len() + outside.len();
            tree.cut(cube, &mut inside, &mut outside);
            self.machine.pay((inside.len() + outside.len()).saturating_sub(before + 1))?;
        }
        Ok((inside, outside))
    }

    /// Those that fit; the others go to `next`.
    fn test(&self, test: &Test, here: Vec<Cube>, next: &mut Vec<Cube>) -> Result<Vec<Cube>, Lost> {
        let (mut twins, mut single) = (Vec::new(), Vec::new());
        for cube in here {
            match &test.twins {
                Some(twin) => twins.extend(cube.split(twin, &mut single)),
                None => single.push(cube),
            }
        }
        let other = "ICMP of the other family, where nft does not list the family".into();
        let mut fit = doubt(twins, &other, next);
        let exist = required(single, &test.requires, next);
        let (mut inside, mut outside) = self.cut(&test.holds, exist)?;
        if let Some(changing) = &test.changing {
            let doubted =
                |cubes: &[Cube]| cubes.iter().map(|cube| cube.clone().in_doubt(changing)).collect::<Vec<_>>();
            let (leaving, coming) = (doubted(&inside), doubted(&outside));
            outside = [leaving, coming.clone()].concat();
            inside.extend(coming);
        }
        let (here, off) = if test.negated { (outside, inside) } else { (inside, outside) };
        next.extend(off);
        fit.extend(here);
        Ok(fit)
    }

    /// Those the verdict leaves in their rule.
    fn verdict(
        &mut self,
        verdict: &Verdict,
        cubes: Vec<Cube>,
        out: &mut Out,
        rule: &Rule,
        depth: usize,
    ) -> Result<Vec<Cube>, Lost> {
        if cubes.is_empty() {
            return Ok(cubes);
        }
        match verdict {
            // NFT_CONTINUE: the next expression of the same rule.
            Verdict::Continue => return Ok(cubes),
            Verdict::Accept => out.accepted.extend(cubes),
            Verdict::Drop => {
                out.accepted.extend(self.hooked.passed_by(&cubes));
                self.fate.refuse(cubes, &rule.by());
            }
            Verdict::Return => out.left.extend(cubes),
            Verdict::Jump(target) => {
                let (accepted, left) = self.visit(target, cubes, depth)?;
                out.accepted.extend(accepted);
                out.next.extend(left);
            }
            Verdict::Goto(target) => {
                let (accepted, left) = self.visit(target, cubes, depth)?;
                out.accepted.extend(accepted);
                out.left.extend(left);
            }
        }
        Ok(Vec::new())
    }

    fn visit(
        &mut self,
        target: &str,
        cubes: Vec<Cube>,
        depth: usize,
    ) -> Result<(Vec<Cube>, Vec<Cube>), Lost> {
        let (family, table, _) = &self.hooked.name;
        self.chain(&(family.clone(), table.clone(), target.to_owned()), cubes, depth + 1)
    }

    fn logged(&self, mut here: Vec<Cube>, prefix: &Rc<str>) -> Vec<Cube> {
        if self.fate.keep == Keep::Logs {
            let fresh = here.iter_mut().filter(|cube| !cube.logged.contains(prefix));
            fresh.for_each(|cube| cube.logged.push(Rc::clone(prefix)));
        }
        here
    }

    /// What a rule does to a packet beside judging it.
    fn changed(&mut self, step: &Step, here: Vec<Cube>, out: &mut Out, rule: &Rule) -> Vec<Cube> {
        match step {
            Step::Write(written, reason) => {
                here.into_iter().map(|cube| write(cube, written, reason.as_ref())).collect()
            }
            Step::Untrack => self.untracked(here),
            Step::Translate { families, written, doubt } => {
                let (bound, others) = self.bound(here, families, out);
                out.accepted.extend(bound.into_iter().map(|cube| write(cube, written, doubt.as_ref())));
                others
            }
            Step::Hide(families) => {
                let (mut bound, others) = self.bound(here, families, out);
                bound.iter_mut().for_each(|cube| cube.hidden = true);
                out.accepted.extend(bound);
                others
            }
            Step::Move(to) => {
                self.fate.lead(&here, to);
                self.fate.refuse(here, &rule.by());
                Vec::new()
            }
            Step::Copy(to) => {
                self.fate.lead(&here, to);
                here
            }
            _ => here,
        }
    }

    /// Those that are translated here, and those of the other family. Outside a chain of translations nothing is.
    fn bound(&self, here: Vec<Cube>, families: &Span, out: &mut Out) -> (Vec<Cube>, Vec<Cube>) {
        if self.hooked.base.kind != "nat" {
            let reason = "a translation outside a chain of translations".into();
            return (Vec::new(), doubt(here, &reason, &mut out.next));
        }
        let others = here.iter().filter_map(|cube| cube.with(Field::Family, &families.not())).collect();
        let mut bound: Vec<Cube> =
            here.iter().filter_map(|cube| cube.with(Field::Family, families)).collect();
        bound.iter_mut().for_each(|cube| cube.bound = true);
        (bound, others)
    }

    /// Before connection tracking it keeps a packet out of it; behind it, only what belongs to no flow changes.
    fn untracked(&self, here: Vec<Cube>) -> Vec<Cube> {
        let [invalid, untracked] = [State::Invalid, State::Untracked].map(|state| Span::one(state as u8));
        let mut after = Vec::new();
        for cube in here {
            if self.hooked.is_early() {
                after.push(cube.written(Field::State, &untracked));
                continue;
            }
            let outside = cube.with(Field::State, &invalid);
            after.extend(outside.map(|cube| cube.written(Field::State, &untracked)));
            after.extend(cube.with(Field::State, &invalid.not()));
        }
        after
    }
}

impl Rule {
    fn by(&self) -> By {
        By { id: self.id.clone(), name: Rc::clone(&self.name) }
    }
}

fn hidden() -> Rc<str> {
    "a field where it is not known".into()
}

fn write(mut cube: Cube, written: &[(Field, Span)], reason: Option<&Rc<str>>) -> Cube {
    for (field, span) in written {
        cube = cube.written(*field, span);
    }
    match reason {
        Some(reason) => cube.doubted(reason),
        None => cube,
    }
}

/// Those that are so; the others go to `next`.
fn required(here: Vec<Cube>, conditions: &[(Field, Span)], next: &mut Vec<Cube>) -> Vec<Cube> {
    here.into_iter().filter_map(|cube| cube.split(conditions, next)).collect()
}

/// Both ways, each in doubt.
fn doubt(here: Vec<Cube>, reason: &Rc<str>, next: &mut Vec<Cube>) -> Vec<Cube> {
    let here: Vec<Cube> = here.into_iter().map(|cube| cube.doubted(reason)).collect();
    next.extend(here.iter().cloned());
    here
}
