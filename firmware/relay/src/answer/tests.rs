//! The answer's road in a small world, see [`world`]: what is promised, and that wrong roads are found out.

mod world;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;
use world::{Answer, CONSUMERS, Consumer, Fate, Flush, Road, World, each};

const RIGHT: Road = Road { step, begin, without: None, forgets: false, blind: false };

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        3 => Just(Fate::Fine),
        1 => prop::sample::select(vec![Fate::Kill, Fate::Cut(0), Fate::Cut(1), Fate::Cut(3), Fate::Refused]),
        2 => prop::sample::select(each()),
    ];
    prop::collection::vec(fate, 0..60)
}

/// What is promised. An error says what was broken.
fn promises(road: Road, fates: &[Fate]) -> Result<(), String> {
    let mut world = World::new(road, fates.to_vec());
    world.live();
    if world.left() > 0 {
        return Err("left on the terminal".into());
    }
    let everybody =
        (0..CONSUMERS).flat_map(|consumer| world.finished.iter().map(move |answer| (consumer, *answer)));
    everybody.clone().try_for_each(|(consumer, answer)| promise(&world, consumer, answer))?;
    match world.seen.iter().find(|(_, answer, _)| !world.finished.contains(answer)) {
        Some((_, answer, _)) => Err(format!("{answer:?}: seen before it was finished")),
        None => Ok(()),
    }
}

fn promise(world: &World, consumer: Consumer, answer: Answer) -> Result<(), String> {
    let seen: Vec<_> = world.seen.iter().filter(|(who, own, _)| *who == consumer && *own == answer).collect();
    match seen[..] {
        [] if world.withdrawn.contains(&answer) => Ok(()),
        [] => Err(format!("{answer:?}: lost: never seen by {consumer}")),
        [(_, _, true)] => Ok(()),
        [_] => Err(format!("{answer:?}: seen torn")),
        _ => Err(format!("{answer:?}: seen more than once by {consumer}")),
    }
}

/// A wrong road, led through many schedules, is seen to break this promise.
fn finds(road: Road, what: &str) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20_000 {
        let fates = fates().new_tree(&mut runner).unwrap().current();
        seen.extend(promises(road, &fates).err());
        if seen.iter().any(|said| said.contains(what)) {
            return;
        }
    }
    panic!("{what} was not seen, only {seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn whatever_comes_an_answer_is_seen_once_and_whole_and_leaves_the_terminal(fates in fates()) {
        prop_assert_eq!(promises(RIGHT, &fates), Ok(()));
    }
}

#[test]
fn at_every_boundary_everything_that_may_come_costs_nothing() {
    for at in 0..40 {
        for fate in each() {
            let mut fates = vec![Fate::Fine; at];
            fates.push(fate);
            assert_eq!(promises(RIGHT, &fates), Ok(()), "{fate:?} at operation {at}");
        }
    }
}

#[test]
fn a_second_crash_while_the_first_one_is_recovered_from_costs_nothing() {
    let crashes = [Fate::Kill, Fate::Cut(0), Fate::Cut(1), Fate::ReplyLost, Fate::Refused];
    for (first, second) in (0..28).flat_map(|first| (0..14).map(move |second| (first, second))) {
        for (one, other) in crashes.iter().flat_map(|one| crashes.iter().map(move |other| (*one, *other))) {
            let fates = [vec![Fate::Fine; first], vec![one], vec![Fate::Fine; second], vec![other]].concat();
            assert_eq!(promises(RIGHT, &fates), Ok(()), "{one:?} {first}, {other:?} {second}");
        }
    }
}

#[test]
fn every_flush_of_the_road_is_missed_where_it_is_left_out() {
    for (flush, what) in [
        (Flush::Copies, "seen torn"),
        (Flush::Record, "seen more than once"),
        (Flush::Log, "seen more than once"),
        (Flush::Shown, "seen more than once"),
        (Flush::Found, "seen more than once"),
    ] {
        finds(Road { without: Some(flush), ..RIGHT }, what);
    }
}

#[test]
fn a_road_that_shows_before_it_records_is_found() {
    let step = |state, event| match (state, event) {
        (State::Copying, Event::Done) => (State::Showing, Some(Effect::Show)),
        (State::Showing, Event::Done) => (State::Recording, Some(Effect::Record)),
        (State::Recording, Event::Done) => (State::Removing, Some(Effect::Remove)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "seen more than once");
}

#[test]
fn a_road_that_removes_before_it_shows_is_found() {
    let step = |state, event| match (state, event) {
        (State::Lying, Event::New) => (State::Removing, Some(Effect::Remove)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "lost");
}

#[test]
fn a_road_that_records_before_it_copies_is_found() {
    let step = |state, event| match (state, event) {
        (State::Lying, Event::New) => (State::Recording, Some(Effect::Record)),
        (State::Recording, Event::Done) => (State::Copying, Some(Effect::Copy)),
        (State::Copying, Event::Done) => (State::Showing, Some(Effect::Show)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "lost");
}

#[test]
fn a_road_that_forgets_what_it_recorded_is_found() {
    let step = |state, event| match (state, event) {
        (State::Lying, Event::Known) => (State::Copying, Some(Effect::Copy)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "seen more than once");
}

#[test]
fn a_road_that_believes_the_clock_is_found() {
    finds(Road { forgets: true, ..RIGHT }, "seen more than once");
}

#[test]
fn a_road_that_removes_what_waits_to_be_shown_and_was_never_copied_again_is_found() {
    // What is blocked and removed is not lost: its copy waits. Removed without any copy it is.
    let step = |state, event| match (state, event) {
        (State::Copying, Event::Failed) => (State::Removing, Some(Effect::Remove)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "lost");
}

#[test]
fn a_road_that_removes_what_it_did_not_read_is_found() {
    finds(Road { blind: true, ..RIGHT }, "lost");
}
