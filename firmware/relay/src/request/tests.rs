//! The request's road in a small world, see [`world`]: what is promised, and that wrong roads are found out.

mod world;

use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;
use world::{Act, Bytes, Fate, Flush, Kind, NAMES, Road, World};

const RIGHT: Road = Road { step, found, without: None, blind: false };

/// What may come between any two operations.
fn fate() -> impl Strategy<Value = Fate> {
    let act = (0..NAMES).prop_flat_map(|name| {
        prop::sample::select(vec![
            Act::Grow(name),
            Act::Lock(name),
            Act::Close(name),
            Act::Vanish(name),
            Act::Rename(name),
            Act::Put(name),
        ])
    });
    prop_oneof![
        30 => Just(Fate::Fine),
        3 => Just(Fate::Refused),
        3 => Just(Fate::ReplyLost),
        2 => Just(Fate::Disconnect),
        4 => Just(Fate::Kill),
        4 => (0_usize..8).prop_map(Fate::Cut),
        2 => Just(Fate::TerminalRestarts),
        2 => Just(Fate::TerminalCut),
        1 => Just(Fate::TerminalReplaced),
        3 => Just(Fate::AppLooks),
        1 => Just(Fate::ClockJumps),
        6 => act.prop_map(Fate::Client),
    ]
}

fn fates() -> impl Strategy<Value = (Kind, Vec<Fate>)> {
    (prop::sample::select(vec![Kind::Smb, Kind::Local]), prop::collection::vec(fate(), 0..60))
}

/// What is promised of every request that was put. An error says what was broken.
fn promises(road: Road, kind: Kind, fates: &[Fate]) -> Result<(), String> {
    let mut world = World::new(road, kind, fates.to_vec());
    world.live();
    (0..world.puts()).try_for_each(|put| promise(&world, put).map_err(|what| format!("{put}: {what}")))
}

fn promise(world: &World, put: usize) -> Result<(), String> {
    let submitted: Vec<_> = world.submitted.iter().filter(|(own, _)| own.number == put).collect();
    let entry = world.attempted(put);
    match &submitted[..] {
        [] => unsubmitted(world, put, entry.map(|entry| entry.mark)),
        [_, _, ..] => Err("submitted more than once".into()),
        [(_, Bytes::Torn | Bytes::Unflushed)] => Err("submitted torn".into()),
        [_] if world.lies(put) => Err("submitted, and still where it was put".into()),
        [_] if world.withdrawn.contains(&put) => Err("submitted, though it was taken away".into()),
        [(own, _)] => match entry {
            Some(entry) if entry.put != *own => Err("submitted before it was finished".into()),
            Some(entry) => match entry.mark {
                Mark::Submitted => Ok(()),
                Mark::Held(HeldReason::Uncertain) if world.loss => Ok(()),
                mark => Err(format!("submitted, and yet {mark:?}")),
            },
            None => Ok(()),
        },
    }
}

fn unsubmitted(world: &World, put: usize, mark: Option<Mark>) -> Result<(), String> {
    match mark {
        Some(Mark::Held(HeldReason::Uncertain)) if world.loss => Ok(()),
        Some(Mark::Held(HeldReason::NameTaken)) if world.twice => Ok(()),
        Some(Mark::Held(HeldReason::TooOld)) if world.old.contains(&put) => Ok(()),
        Some(Mark::Held(reason)) => Err(format!("held for nothing: {reason:?}")),
        Some(mark) => Err(format!("lost: {mark:?}, and never submitted")),
        // What is too old stays where it was put, and is shown there.
        None if world.lies(put) && world.old.contains(&put) => Ok(()),
        None if world.lies(put) => Err("left lying".into()),
        None if world.withdrawn.contains(&put) => Ok(()),
        // Submitted perhaps, for all anybody knew, and settled when its time was over.
        None if world.loss && world.old.contains(&put) => Ok(()),
        None => Err("lost".into()),
    }
}

/// A wrong road, led through many schedules, is seen to break this promise.
fn finds(road: Road, what: &str) {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..20_000 {
        let (kind, fates) = fates().new_tree(&mut runner).unwrap().current();
        seen.extend(promises(road, kind, &fates).err());
        if seen.iter().any(|said| said.contains(what)) {
            return;
        }
    }
    panic!("{what} was not seen, only {seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn whatever_comes_a_request_is_submitted_once_and_whole_or_held_with_a_reason((kind, fates) in fates()) {
        prop_assert_eq!(promises(RIGHT, kind, &fates), Ok(()));
    }
}

/// Everything that may come, with each of its numbers.
fn each() -> Vec<Fate> {
    let cuts = (0..6).map(Fate::Cut);
    let acts = (0..2).flat_map(|name| {
        [Act::Grow(name), Act::Lock(name), Act::Vanish(name), Act::Rename(name), Act::Put(name)]
            .map(Fate::Client)
    });
    let others = [
        Fate::Refused,
        Fate::ReplyLost,
        Fate::Disconnect,
        Fate::Kill,
        Fate::TerminalRestarts,
        Fate::TerminalCut,
        Fate::TerminalReplaced,
        Fate::AppLooks,
        Fate::ClockJumps,
    ];
    others.into_iter().chain(cuts).chain(acts).collect()
}

#[test]
fn at_every_boundary_everything_that_may_come_costs_nothing() {
    for kind in [Kind::Smb, Kind::Local] {
        // Until a schedule is longer than the whole road.
        for at in 0..48 {
            for fate in each() {
                let mut fates = vec![Fate::Fine; at];
                fates.push(fate);
                assert_eq!(promises(RIGHT, kind, &fates), Ok(()), "{kind:?}: {fate:?} at operation {at}");
            }
        }
    }
}

#[test]
fn a_second_crash_while_the_first_one_is_recovered_from_costs_nothing() {
    let crashes = [Fate::Kill, Fate::Cut(0), Fate::Cut(1), Fate::ReplyLost, Fate::Refused];
    for kind in [Kind::Smb, Kind::Local] {
        for (first, second) in (0..28).flat_map(|first| (0..12).map(move |second| (first, second))) {
            for (one, other) in crashes.iter().flat_map(|one| crashes.iter().map(move |other| (*one, *other)))
            {
                let fates =
                    [vec![Fate::Fine; first], vec![one], vec![Fate::Fine; second], vec![other]].concat();
                assert_eq!(
                    promises(RIGHT, kind, &fates),
                    Ok(()),
                    "{kind:?}: {one:?} {first}, {other:?} {second}"
                );
            }
        }
    }
}

#[test]
fn every_flush_of_the_road_is_missed_where_it_is_left_out() {
    for (flush, what) in [
        (Flush::Staged, "submitted torn"),
        (Flush::Decision, "submitted more than once"),
        (Flush::Doubtful, "submitted more than once"),
        (Flush::Noted, "lost"),
        (Flush::There, "lost"),
    ] {
        finds(Road { without: Some(flush), ..RIGHT }, what);
    }
}

#[test]
fn a_road_that_stages_again_after_the_decision_is_found() {
    let step = |state, event| match (state, event) {
        (State::Publishing | State::Republishing, Event::Unclear) => (State::Staging, Some(Effect::Stage)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "submitted more than once");
}

#[test]
fn a_road_that_publishes_before_it_decides_is_found() {
    let step = |state, event| match (state, event) {
        (State::Staging, Event::Done) => (State::Publishing, Some(Effect::Publish)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "submitted, and still where it was put");
}

#[test]
fn a_road_that_publishes_what_it_could_not_stage_is_found() {
    let step = |state, event| match (state, event) {
        (State::Staging, Event::Unclear) => (State::Deciding, Some(Effect::Decide)),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "lost");
}

#[test]
fn a_road_that_settles_what_it_doubts_is_found() {
    let step = |state, event| match (state, event) {
        (State::Doubtful, _) => (State::Submitted, None),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "lost");
}

#[test]
fn a_road_that_begins_again_when_a_decision_could_not_be_flushed_is_found() {
    let step = |state, event| match (state, event) {
        (State::Deciding, Event::Unclear) => (State::Lying, None),
        _ => step(state, event),
    };
    finds(Road { step, ..RIGHT }, "lost");
}

#[test]
fn a_road_that_trusts_another_staging_folder_is_found() {
    let found = |state, what: Found| found(state, Found { other_folder: false, ..what });
    finds(Road { found, ..RIGHT }, "lost");
}

#[test]
fn a_road_that_moves_what_it_did_not_look_at_is_found() {
    finds(Road { blind: true, ..RIGHT }, "before it was finished");
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
        Mark::Held(HeldReason::NoEnd),
    ] {
        assert_eq!(Mark::from_letter(mark.letter()), Some(mark));
    }
    assert_eq!(Mark::from_letter('x'), None);
}
