//! The answer's road against a small world: a box whose folders forget what was not flushed, and a receipt
//! computer that collects what it sees. A crash or a cut of the power may come between any two operations.
//!
//! One window is known and left: collected between the rename and its flush, and the power cut in that very
//! moment. The receipt computer here therefore looks between effects, not inside one.

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Fate {
    Fine,
    Refused,
    Kill,
    /// The power is cut; the number chooses how much of what was not flushed survived.
    Cut(usize),
    /// The receipt computer collects first.
    Collected,
}

struct Over;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bytes {
    Whole,
    Unflushed,
}

/// The box's folders and log. Both lie on one file system, which keeps a prefix of what was done.
#[derive(Clone, Debug, Default)]
struct Disk {
    arriving: Option<Bytes>,
    shown: Option<Bytes>,
    recorded: bool,
}

type Step = fn(State, Event) -> (State, Option<Effect>);

struct World {
    step: Step,
    fates: std::vec::IntoIter<Fate>,
    /// The newest state last, the durable one first.
    disk: Vec<Disk>,
    on_terminal: bool,
    seen: Vec<Bytes>,
}

impl World {
    fn new(step: Step, fates: Vec<Fate>) -> Self {
        Self {
            step,
            fates: fates.into_iter(),
            disk: vec![Disk::default()],
            on_terminal: true,
            seen: Vec::new(),
        }
    }

    fn live(&mut self) {
        for _ in 0..200 {
            let left = self.fates.len();
            let lived = self.run().is_ok();
            // Nothing is done any more: no schedule can change that.
            if lived && self.fates.len() == left {
                self.collect();
                if !self.on_terminal {
                    return;
                }
            }
        }
    }

    /// One life of the process, as the lane lives it.
    fn run(&mut self) -> Result<(), Over> {
        let now = self.now();
        if now.arriving.is_some() && now.recorded {
            self.go(State::Blocked, Event::Again)?;
        } else if now.arriving.is_some() {
            self.change(|disk| disk.arriving = None);
        }
        if self.on_terminal {
            let blocked = self.now().arriving.is_some() && self.now().recorded;
            let event = if self.now().recorded { Event::Known } else { Event::New };
            if !blocked {
                self.go(State::Lying, event)?;
            }
        }
        Ok(())
    }

    fn go(&mut self, mut state: State, mut event: Event) -> Result<(), Over> {
        loop {
            let effect;
            (state, effect) = (self.step)(state, event);
            let Some(effect) = effect else { return Ok(()) };
            event = self.perform(effect)?;
        }
    }

    fn perform(&mut self, effect: Effect) -> Result<Event, Over> {
        match effect {
            Effect::Copy => self.op(|disk| disk.arriving = Some(Bytes::Unflushed)).and_then(|event| {
                self.then(event, |disk| {
                    disk.arriving = Some(Bytes::Whole);
                })
            }),
            Effect::Record => self.op(|disk| disk.recorded = true).and_then(|event| self.then(event, |_| ())),
            Effect::Show if self.now().shown.is_some() => Ok(Event::Failed),
            Effect::Show => self
                .op(|disk| {
                    if let Some(bytes) = disk.arriving.take() {
                        disk.shown = Some(bytes);
                    }
                })
                .and_then(|event| self.then(event, |_| ())),
            Effect::Remove => {
                let fate = self.fate()?;
                self.on_terminal &= fate != Event::Done;
                Ok(fate)
            }
        }
    }

    /// An operation that is not flushed.
    fn op(&mut self, change: impl FnOnce(&mut Disk)) -> Result<Event, Over> {
        let fate = self.fate()?;
        if fate == Event::Done {
            self.change(change);
        }
        Ok(fate)
    }

    /// The flush that follows; a flush that fails ends this life, as its outcome is not known.
    fn then(&mut self, event: Event, change: impl FnOnce(&mut Disk)) -> Result<Event, Over> {
        if event != Event::Done {
            return Ok(event);
        }
        if self.cut()? != Event::Done {
            return Err(Over);
        }
        self.change(change);
        self.disk = vec![self.now()];
        Ok(Event::Done)
    }

    fn fate(&mut self) -> Result<Event, Over> {
        if matches!(self.fates.as_slice().first(), Some(Fate::Collected)) {
            self.collect();
        }
        self.cut()
    }

    fn cut(&mut self) -> Result<Event, Over> {
        match self.fates.next().unwrap_or(Fate::Fine) {
            Fate::Fine | Fate::Collected => Ok(Event::Done),
            Fate::Refused => Ok(Event::Failed),
            Fate::Kill => Err(Over),
            Fate::Cut(kept) => {
                let survived = self.disk[kept % self.disk.len()].clone();
                self.disk = vec![survived];
                Err(Over)
            }
        }
    }

    /// What is collected was shown and flushed; its removal may be forgotten by a cut, never what it was.
    fn collect(&mut self) {
        if let Some(bytes) = self.now().shown {
            self.seen.push(bytes);
            self.change(|disk| disk.shown = None);
            self.disk = vec![self.now()];
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Disk)) {
        let mut changed = self.now();
        change(&mut changed);
        self.disk.push(changed);
    }

    fn now(&self) -> Disk {
        self.disk.last().cloned().unwrap_or_default()
    }
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Fine),
        1 => Just(Fate::Refused),
        2 => Just(Fate::Kill),
        2 => (0_usize..5).prop_map(Fate::Cut),
        1 => Just(Fate::Collected),
    ];
    prop::collection::vec(fate, 0..24)
}

fn promises(step: Step, fates: &[Fate]) -> Result<(), String> {
    let mut world = World::new(step, fates.to_vec());
    world.live();
    if world.on_terminal {
        return Err("it stays on the terminal".into());
    }
    match world.seen[..] {
        [Bytes::Whole] => Ok(()),
        [] => Err("lost: removed on the terminal and never seen".into()),
        [Bytes::Unflushed] => Err("seen before it was flushed".into()),
        _ => Err("seen more than once".into()),
    }
}

fn broken(step: Step) -> Vec<String> {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = Vec::new();
    for _ in 0..4000 {
        let tree = fates().new_tree(&mut runner).unwrap();
        seen.extend(promises(step, &tree.current()).err());
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn whatever_is_killed_or_cut_an_answer_is_seen_once_and_whole_and_leaves_the_terminal(fates in fates()) {
        prop_assert_eq!(promises(step, &fates), Ok(()));
    }
}

#[test]
fn the_model_sees_a_road_that_shows_before_it_records() {
    let found = broken(|state, event| match (state, event) {
        (State::Copying, Event::Done) => (State::Showing, Some(Effect::Show)),
        (State::Showing, Event::Done) => (State::Recording, Some(Effect::Record)),
        (State::Recording, Event::Done) => (State::Removing, Some(Effect::Remove)),
        _ => step(state, event),
    });
    assert!(found.iter().any(|what| what.contains("more than once")), "{found:?}");
}

#[test]
fn the_model_sees_a_road_that_removes_before_it_shows() {
    let found = broken(|state, event| match (state, event) {
        (State::Lying, Event::New) => (State::Removing, Some(Effect::Remove)),
        _ => step(state, event),
    });
    assert!(found.iter().any(|what| what.contains("lost")), "{found:?}");
}

#[test]
fn the_model_sees_a_road_that_forgets_what_it_recorded() {
    let found = broken(|state, event| match (state, event) {
        (State::Lying, Event::Known) => (State::Copying, Some(Effect::Copy)),
        _ => step(state, event),
    });
    assert!(found.iter().any(|what| what.contains("more than once")), "{found:?}");
}
