//! One changed ruleset on trial: what the kernel lets through of it against what the prover says of it.

use std::collections::{BTreeMap, BTreeSet};

use firewall::packet::Packet;
use firewall::prove::{Counterexample, Finding, Wrong as Fate};
use serde_json::Value;

use super::bench::{Arrivals, Bench};
use super::came::{Came, goal};
use super::chance::Chance;
use super::compare::{Difference, agrees, told};
use super::ground::{exhausted, unlimited, without_rules};
use super::judge;
use super::mutate::Mutant;
use super::playing::{play, routable};
use super::population::{Case, Measure, chunks, packets, population};
use super::sabotage::Defect;
use super::shoot::shoot;
use super::world::World;
use crate::check::Wrong;

/// Two boxes side by side: one holds the plan, the other what was made of it.
pub(super) struct Court<'w> {
    world: &'w World,
    defect: Defect,
    plan: Bench,
    changed: Bench,
    sweep: Vec<Vec<Case>>,
}

/// A changed ruleset after its trial.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) outcome: Outcome,
    /// Packets whose fate `explain` told, too, and where it was wrong.
    pub(super) explained: u64,
    pub(super) differences: Vec<Difference>,
}

/// What a trial comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// nft does not take it: it is no ruleset.
    NoRuleset(String),
    /// The kernel shows that promises are broken, and the prover says so with packets that the kernel confirms, or, where
    /// the operator left the language, that it does not know.
    Refused {
        /// The numbers of the promises, each with the packet that shows it.
        broken: Vec<(u8, String)>,
        /// Whether the prover said no more than that it does not know.
        unknown: bool,
    },
    /// Nothing is broken as far as was seen, and the prover says that all is kept.
    Harmless,
    /// Nothing is broken as far as was seen; the prover says that it does not know.
    Doubted(String),
    /// The two do not agree.
    Disputed(Vec<String>),
}

impl<'w> Court<'w> {
    /// Builds both boxes.
    pub(super) fn open(
        world: &'w World,
        defect: Defect,
        measure: Measure,
        chance: Chance,
    ) -> Result<Self, Wrong> {
        let made = population(world, measure, Defect::None, chance)?;
        let ground = world.ground(packets(&made));
        let plan = Bench::build(&ground)?;
        let mut changed = Bench::build(&ground)?;
        let (sweep, _) = routable(&mut changed, &world.document, chunks(made, false))?;
        Ok(Self { world, defect, plan, changed, sweep })
    }

    /// What a kernel that holds the plan itself breaks: nothing, or the judge or the plan is wrong.
    pub(super) fn of_the_plan(&mut self) -> Result<Vec<String>, Wrong> {
        let world = self.world;
        let arrivals = self.arrivals(&world.document)?;
        let broken = self.shown(&arrivals, false).into_iter();
        Ok(broken.map(|(number, packet)| format!("promise {number} is broken by {packet}")).collect())
    }

    /// Loads it, and says what came out where.
    fn arrivals(&mut self, document: &Value) -> Result<Vec<Vec<Arrivals>>, Wrong> {
        self.changed.enter()?;
        self.changed.load(&unlimited(&self.defect.loaded(document)))?;
        self.sweep.iter().map(|chunk| play(&mut self.changed, chunk)).collect()
    }

    /// Which promises the kernel's doings break, each with the first packet that shows it.
    fn shown(&self, arrivals: &[Vec<Arrivals>], copies: bool) -> BTreeMap<u8, Packet> {
        let mut broken = BTreeMap::new();
        let came = arrivals.iter().flatten().flatten();
        for (shot, came) in self.sweep.iter().flatten().flat_map(|case| &case.shots).zip(came) {
            for packet in came.seen(&shot.packet) {
                for number in judge::breaks(&self.world.intent, &packet) {
                    broken.entry(number).or_insert_with(|| packet.clone());
                }
                // What is logged is refused (12), but for copies of it that were made before.
                if !came.logged.is_empty() && packet == shot.packet && !copies {
                    broken.entry(12).or_insert_with(|| packet.clone());
                }
            }
            if judge::is_needed(&self.world.intent, &shot.packet)
                && !came.places.contains_key(&goal(&shot.packet))
            {
                broken.entry(8).or_insert_with(|| shot.packet.clone());
            }
        }
        broken
    }

    /// Tries a broken ruleset.
    pub(super) fn tries(&mut self, mutant: &Mutant) -> Result<Tried, Wrong> {
        let arrivals = match self.arrivals(&mutant.document) {
            Ok(arrivals) => arrivals,
            Err(Wrong(refused)) if refused.starts_with("nft ") => {
                return Ok(Tried {
                    outcome: Outcome::NoRuleset(refused),
                    explained: 0,
                    differences: Vec::new(),
                });
            }
            Err(wrong) => return Err(wrong),
        };
        let listing = self.changed.listing()?;
        let (explained, differences) =
            if mutant.beyond { (0, Vec::new()) } else { self.explained(&listing, &arrivals) };
        let outcome = self.outcome(mutant, &listing, &self.shown(&arrivals, mutant.beyond))?;
        Ok(Tried { outcome, explained, differences })
    }

    /// What `explain` says of the packets that stand for themselves: some of them, as it is asked of every ruleset.
    fn explained(&self, listing: &Value, arrivals: &[Vec<Arrivals>]) -> (u64, Vec<Difference>) {
        let (mut told, mut differences) = (0, Vec::new());
        let cases = self.sweep.iter().flatten().zip(arrivals.iter().flatten());
        for (case, came) in cases.filter(|(case, _)| case.shots.len() == 1).step_by(5) {
            // What it does not know it says.
            let Ok(decision) = self.defect.explain(listing, &case.shots[0].packet) else { continue };
            told += 1;
            let unlogged = Came { logged: BTreeSet::new(), ..came[0].clone() };
            if !agrees(&case.shots[0], &decision, &unlogged) {
                differences.push(Difference::new(case, &decision, &came[0]));
            }
        }
        (told, differences)
    }

    fn outcome(
        &mut self,
        mutant: &Mutant,
        listing: &Value,
        shown: &BTreeMap<u8, Packet>,
    ) -> Result<Outcome, Wrong> {
        let findings = self.defect.findings(listing, &self.world.intent);
        let (mut broken, mut unknown, mut disputes) = (Vec::new(), Vec::new(), Vec::new());
        for (number, finding) in findings {
            match (finding, shown.get(&number)) {
                (Finding::Broken(example), _) => match self.confirms(number, &mutant.document, &example)? {
                    None => broken.push((number, example.to_string())),
                    Some(why) => {
                        disputes.push(format!("promise {number} is called broken by {example}; {why}"))
                    }
                },
                (Finding::Proved, Some(packet)) => {
                    disputes.push(format!(
                        "promise {number} is called proved; the kernel let it be broken by {packet}"
                    ));
                }
                (Finding::Unproved(reason), Some(packet)) if !mutant.beyond => {
                    disputes.push(format!(
                        "promise {number} is called unknown ({reason}) and is broken by {packet}"
                    ));
                }
                (Finding::Unproved(reason), seen) => unknown.push((number, reason, seen.is_some())),
                (Finding::Proved, None) => {}
            }
        }
        if !disputes.is_empty() {
            return Ok(Outcome::Disputed(disputes));
        }
        let is_unknown = broken.is_empty();
        let seen = unknown.iter().filter(|(.., seen)| *seen);
        broken.extend(seen.map(|(number, ..)| (*number, shown[number].to_string())));
        if !broken.is_empty() {
            return Ok(Outcome::Refused { broken, unknown: is_unknown });
        }
        Ok(match unknown.into_iter().next() {
            Some((_, reason, _)) => Outcome::Doubted(reason),
            None if mutant.breaks => {
                Outcome::Disputed(vec!["everything is called proved, and is not".into()])
            }
            None => Outcome::Harmless,
        })
    }

    /// Tries a ruleset that should do what the plan does: the prover must call it proved, as it is written and as the kernel
    /// lists it, and the kernel must bring the same packets to the same places.
    pub(super) fn is_another_way(&mut self, document: &Value) -> Result<Vec<String>, Wrong> {
        self.changed.enter()?;
        if let Err(refused) = self.changed.load(&unlimited(&self.defect.loaded(document))) {
            return Ok(vec![refused.to_string()]);
        }
        self.plan.enter()?;
        self.plan.load(&unlimited(&self.world.document))?;
        self.changed.enter()?;
        let mut wrong = Vec::new();
        for document in [document.clone(), self.changed.listing()?] {
            let findings = self.defect.findings(&document, &self.world.intent);
            let open = findings.iter().filter(|(_, finding)| *finding != Finding::Proved);
            wrong.extend(open.map(|(number, finding)| format!("promise {number} is {finding:?}")));
        }
        for chunk in &self.sweep {
            let arrivals = play(&mut self.changed, chunk)?;
            self.plan.enter()?;
            let planned = play(&mut self.plan, chunk)?;
            self.changed.enter()?;
            let both = arrivals.iter().flatten().zip(planned.iter().flatten());
            for (shot, (came, planned)) in chunk.iter().flat_map(|case| &case.shots).zip(both) {
                if came.places != planned.places {
                    let (came, planned) = (told(came), told(planned));
                    wrong.push(format!("{} {came}, and by the plan {planned}", shot.packet));
                }
            }
        }
        wrong.dedup();
        Ok(wrong)
    }

    /// Sends a counterexample through the changed kernel, which must do with it what the prover says, and through the
    /// planned one, which must not. Why it is not right, if it is not.
    fn confirms(
        &mut self,
        number: u8,
        document: &Value,
        example: &Counterexample,
    ) -> Result<Option<String>, Wrong> {
        let as_it_becomes = example.becomes.as_ref().unwrap_or(&example.packet);
        let judged = example.wrong != Fate::Passes
            || judge::breaks(&self.world.intent, as_it_becomes).contains(&number);
        if !judged {
            return Ok(Some("it does not break that promise".into()));
        }
        let mut there = Came::default();
        let mut shown = false;
        for state in [State::Open, State::Exhausted] {
            if shown {
                break;
            }
            there = self.shot(example, document, false, state)?;
            shown = shows(example, &there) && self.decided(&self.changed, example)?;
        }
        if !shown {
            return Ok(Some(format!("the kernel says otherwise: it {}", told(&there))));
        }
        let planned = self.shot(example, &self.world.document, true, State::Open)?;
        let same = shows(example, &planned) && self.decided(&self.plan, example)?;
        Ok(same.then(|| "the plan does the same".into()))
    }

    /// Of what was logged and refused: whether the line that is said to have refused it has counted it. A policy counts
    /// nothing.
    fn decided(&self, bench: &Bench, example: &Counterexample) -> Result<bool, Wrong> {
        let Fate::Logged { really, .. } = &example.wrong else { return Ok(true) };
        let Some(by) = really.strip_prefix("refused by ").filter(|by| !by.starts_with("policy")) else {
            return Ok(true);
        };
        bench.enter()?;
        Ok(bench.counts(firewall::nft::TABLE.1)?.get(by).is_some_and(|count| *count > 0))
    }

    /// What comes of a counterexample under a ruleset; of one about policies under the same without its rules.
    fn shot(
        &mut self,
        example: &Counterexample,
        document: &Value,
        plan: bool,
        state: State,
    ) -> Result<Came, Wrong> {
        let bench = if plan { &mut self.plan } else { &mut self.changed };
        bench.enter()?;
        let document = if plan { document.clone() } else { self.defect.loaded(document) };
        let document = match (&example.wrong, state) {
            (Fate::Unruled, _) => without_rules(&document),
            (_, State::Open) => unlimited(&document),
            (_, State::Exhausted) => exhausted(&document),
        };
        shoot(bench, self.world, example, &document)
    }
}

/// In which state a ruleset with memory is.
#[derive(Clone, Copy)]
enum State {
    /// It remembers nothing.
    Open,
    /// Every sender has as many flows as he may have.
    Exhausted,
}

/// Whether it came to what the prover says, and should not.
fn shows(example: &Counterexample, came: &Came) -> bool {
    let through = came.places.contains_key(&goal(&example.packet))
        || example.becomes.as_ref().is_some_and(|packet| came.places.contains_key(&goal(packet)));
    match &example.wrong {
        Fate::Passes | Fate::Unruled => through,
        Fate::Refused { .. } => !through,
        Fate::Logged { prefix, really } => came.logged.contains(prefix) && through == (really == "let pass"),
    }
}
