//! The request's road against a small world: a box whose folders forget what was not flushed, and a terminal whose
//! link application takes what it sees. A crash, a cut of the power or of the connection may come between any two
//! operations; afterwards everything starts anew, as the lane does it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;

/// What happens at one operation.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It is carried out.
    Fine,
    /// It is refused, without a consequence.
    Refused,
    /// It is carried out, and the reply is lost with the connection.
    ReplyLost,
    /// The process is killed before it.
    Kill,
    /// The box's power is cut before it; the number chooses how much of what was not flushed survived.
    BoxCut(usize),
    /// The terminal's power is cut before it: bytes that were not flushed are torn.
    TerminalCut,
    /// The link application looks into its folder first.
    AppLooks,
}

/// The process is over; everything in memory is gone.
struct Over;

#[derive(Clone, Debug, Default, PartialEq)]
struct Folders {
    in_req: bool,
    attempted: Option<(Mark, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bytes {
    Whole,
    Unflushed,
    Torn,
}

type Step = fn(State, Event) -> (State, Option<Effect>);

/// The world, and the schedule of what happens in it.
struct World {
    step: Step,
    fates: std::vec::IntoIter<Fate>,
    /// The box's folders: the newest state last, the durable one first.
    folders: Vec<Folders>,
    staged: BTreeMap<u64, Bytes>,
    published: Option<Bytes>,
    submitted: Vec<Bytes>,
    next_stage: u64,
}

impl World {
    fn new(step: Step, fates: Vec<Fate>) -> Self {
        let folders = vec![Folders { in_req: true, attempted: None }];
        let fates = fates.into_iter();
        let (staged, published, submitted) = (BTreeMap::new(), None, Vec::new());
        Self { step, fates, folders, staged, published, submitted, next_stage: 0 }
    }

    /// Lives through the schedule and then long enough in peace. Returns where the request stands.
    fn live(&mut self) -> State {
        let mut state = State::Lying;
        for _ in 0..200 {
            let left = self.fates.len();
            let lived = self.run();
            // Nothing is done any more: no schedule can change that.
            let peace = self.fates.len() == left;
            if let (Ok(stands), true) = (lived, peace) {
                self.app_looks();
                state = stands;
                break;
            }
        }
        state
    }

    /// One life of the process, with one connection.
    fn run(&mut self) -> Result<State, Over> {
        // What the last life left may not be flushed yet, and nothing may be built on that.
        self.flush()?;
        let found = self.now().attempted;
        let mut state = found.map_or(State::Lying, |(mark, _)| mark.state());
        let mut stage = found.map_or(0, |(_, stage)| stage);
        if let Some((_, own)) = found {
            let event =
                if self.staged.contains_key(&own) { Event::StagedIsThere } else { Event::StagedIsGone };
            state = self.go(state, event, &mut stage)?;
        }
        let owned = if state == State::Doubtful { Some(stage) } else { None };
        self.staged.retain(|stage, _| Some(*stage) == owned);
        if state == State::Lying && self.now().in_req {
            self.next_stage += 1;
            stage = self.next_stage;
            state = self.go(state, Event::Ripe, &mut stage)?;
        }
        Ok(state)
    }

    fn go(&mut self, mut state: State, mut event: Event, stage: &mut u64) -> Result<State, Over> {
        loop {
            let effect;
            (state, effect) = (self.step)(state, event);
            let Some(effect) = effect else { return Ok(state) };
            event = self.perform(effect, *stage)?;
        }
    }

    fn perform(&mut self, effect: Effect, stage: u64) -> Result<Event, Over> {
        match effect {
            Effect::Stage => self
                .remote(|world| world.staged.insert(stage, Bytes::Unflushed).map_or((), |_| ()))
                .and_then(|event| then(event, || self.remote(|world| world.flush_staged(stage)))),
            Effect::Decide => {
                let decided = Folders { in_req: false, attempted: Some((Mark::Decided, stage)) };
                let moved = self.local(|folders| *folders = decided)?;
                then(moved, || self.flush())
            }
            Effect::Publish => self.publish(stage),
            Effect::Note(mark) => {
                let noted = self.local(|folders| folders.attempted = Some((mark, stage)))?;
                then(noted, || self.flush())
            }
            Effect::Settle => self.local(|folders| folders.attempted = None),
        }
    }

    fn publish(&mut self, stage: u64) -> Result<Event, Over> {
        if !self.staged.contains_key(&stage) {
            return self.fate(|_| ()).map(|_| Event::StagedIsGone);
        }
        self.remote(|world| {
            if let Some(bytes) = world.staged.remove(&stage) {
                // A second one of this name means that the first was not the only one: it counts as taken.
                world.app_looks();
                world.published = Some(bytes);
            }
        })
    }

    fn remote(&mut self, change: impl FnOnce(&mut Self)) -> Result<Event, Over> {
        self.fate(change)
    }

    fn local(&mut self, change: impl FnOnce(&mut Folders)) -> Result<Event, Over> {
        self.fate(|world| {
            let mut changed = world.now();
            change(&mut changed);
            world.folders.push(changed);
        })
    }

    fn flush(&mut self) -> Result<Event, Over> {
        let flushed = self.fate(|world| world.folders = vec![world.now()])?;
        // A flush that fails leaves the file where it is: nothing is taken back in this small world.
        if flushed == Event::Done { Ok(Event::Done) } else { Err(Over) }
    }

    fn fate(&mut self, change: impl FnOnce(&mut Self)) -> Result<Event, Over> {
        match self.fates.next().unwrap_or(Fate::Fine) {
            Fate::Fine => change(self),
            Fate::Refused => return Ok(Event::Failed),
            Fate::ReplyLost => {
                change(self);
                return Ok(Event::Unclear);
            }
            Fate::Kill => return Err(Over),
            Fate::BoxCut(kept) => {
                let survived = self.folders[kept % self.folders.len()].clone();
                self.folders = vec![survived];
                return Err(Over);
            }
            Fate::TerminalCut => {
                let unflushed = |bytes: &mut Bytes| {
                    if *bytes == Bytes::Unflushed {
                        *bytes = Bytes::Torn;
                    }
                };
                self.staged.values_mut().for_each(unflushed);
                self.published.iter_mut().for_each(unflushed);
                return Ok(Event::Unclear);
            }
            Fate::AppLooks => {
                self.app_looks();
                change(self);
            }
        }
        Ok(Event::Done)
    }

    fn flush_staged(&mut self, stage: u64) {
        if let Some(bytes) = self.staged.get_mut(&stage)
            && *bytes == Bytes::Unflushed
        {
            *bytes = Bytes::Whole;
        }
    }

    fn app_looks(&mut self) {
        self.submitted.extend(self.published.take());
    }

    fn now(&self) -> Folders {
        self.folders.last().cloned().unwrap_or_default()
    }
}

fn then(event: Event, next: impl FnOnce() -> Result<Event, Over>) -> Result<Event, Over> {
    if event == Event::Done { next() } else { Ok(event) }
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        4 => Just(Fate::Fine),
        1 => Just(Fate::Refused),
        2 => Just(Fate::ReplyLost),
        2 => Just(Fate::Kill),
        2 => (0_usize..4).prop_map(Fate::BoxCut),
        1 => Just(Fate::TerminalCut),
        1 => Just(Fate::AppLooks),
    ];
    prop::collection::vec(fate, 0..24)
}

/// What is promised. An error says what was broken.
fn promises(step: Step, fates: &[Fate]) -> Result<(), String> {
    let mut world = World::new(step, fates.to_vec());
    let state = world.live();
    if world.submitted.len() > 1 {
        return Err("submitted more than once".into());
    }
    if world.submitted.iter().any(|bytes| *bytes != Bytes::Whole) {
        return Err("submitted torn".into());
    }
    if world.submitted.is_empty() {
        return Err(format!("lost: it stands at {state:?} and was never submitted"));
    }
    if state != State::Submitted || world.now().in_req {
        return Err(format!("submitted, and yet it stands at {state:?}"));
    }
    Ok(())
}

/// Runs a wrong road through many schedules; returns the promises that were seen broken.
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
    fn whatever_is_killed_cut_or_lost_a_request_is_submitted_once_and_whole(fates in fates()) {
        prop_assert_eq!(promises(step, &fates), Ok(()));
    }
}

#[test]
fn a_crash_at_every_single_operation_costs_nothing() {
    for at in 0..12 {
        for fate in
            [Fate::Kill, Fate::BoxCut(0), Fate::BoxCut(1), Fate::ReplyLost, Fate::Refused, Fate::AppLooks]
        {
            let mut fates = vec![Fate::Fine; at];
            fates.push(fate);
            assert_eq!(promises(step, &fates), Ok(()), "{fate:?} at operation {at}");
        }
    }
}

#[test]
fn the_model_sees_a_road_that_stages_again_after_the_decision() {
    let found = broken(|state, event| match (state, event) {
        (State::Publishing | State::Republishing, Event::Unclear) => (State::Staging, Some(Effect::Stage)),
        _ => step(state, event),
    });
    assert!(found.iter().any(|what| what.contains("more than once")), "{found:?}");
}

#[test]
fn the_model_sees_a_road_that_publishes_before_it_decides() {
    let found = broken(|state, event| match (state, event) {
        (State::Staging, Event::Done) => (State::Publishing, Some(Effect::Publish)),
        _ => step(state, event),
    });
    assert!(found.iter().any(|what| what.contains("more than once")), "{found:?}");
}

#[test]
fn the_model_sees_a_road_that_settles_what_it_doubts() {
    let found = broken(|state, event| match (state, event) {
        (State::Doubtful, _) => (State::Submitted, None),
        _ => step(state, event),
    });
    assert!(found.iter().any(|what| what.contains("lost")), "{found:?}");
}

#[test]
fn what_the_terminal_lost_is_held_and_never_sent_again() {
    for (state, event) in [
        (State::Doubtful, Event::OtherFolder),
        (State::Publishing, Event::StagedIsGone),
        (State::Submitted, Event::StagedIsThere),
    ] {
        let (state, effect) = step(state, event);
        assert_eq!(state, State::Held(HeldReason::Uncertain));
        assert_eq!(effect, Some(Effect::Note(Mark::Held(HeldReason::Uncertain))));
    }
    assert_eq!(step(State::Doubtful, Event::TimeOver).0, State::Held(HeldReason::TooOld));
}

#[test]
fn what_is_held_stays_held_whatever_happens() {
    const EVENTS: [Event; 10] = [
        Event::Ripe,
        Event::Done,
        Event::Failed,
        Event::Unclear,
        Event::NameTaken,
        Event::StagedIsThere,
        Event::StagedIsGone,
        Event::OtherFolder,
        Event::Answered,
        Event::TimeOver,
    ];
    for reason in HeldReason::ALL {
        for event in EVENTS {
            assert_eq!(step(State::Held(reason), event), (State::Held(reason), None));
        }
    }
}

#[test]
fn a_mark_is_read_back_as_what_it_was_written() {
    for mark in [
        Mark::Decided,
        Mark::Submitted,
        Mark::Held(HeldReason::NameTaken),
        Mark::Held(HeldReason::TooOld),
        Mark::Held(HeldReason::Uncertain),
    ] {
        assert_eq!(Mark::from_letter(mark.letter()), Some(mark));
    }
    assert_eq!(Mark::from_letter('x'), None);
}
