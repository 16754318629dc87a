//! What a person decides about held files, and a crash at every step of it.

use std::fs;
use std::path::PathBuf;

use journal::chain;
use model::Timestamp;
use model::decision::{Actor, Decided, Decision, Reason, Refusal, Verb};
use model::parcel::HeldReason;
use model::part::RelayPart;
use tokio::sync::oneshot;

use super::{REQUEST, WHOLE, held};
use crate::Command;
use crate::audit::{self, Audit, Entry, Intent};
use crate::clinic::{Own, RETURNED, Seat, SeatFolders, Source};
use crate::entry::Attempt;
use crate::request::Mark;
use crate::share::local::LocalTerminal;
use crate::testing::{Ends, appears, consumer, names, vanishes};

const FOREIGN: &str = "患者の名前.txt";

pub async fn decide(ends: &Ends, verb: Verb, number: u64) -> Decided {
    let (reply, answer) = oneshot::channel();
    let decision = Decision { number, reason: Reason::new("窓口で確認").unwrap() };
    let actor = Actor { name: "root".into(), uid: 0 };
    ends.commands.send(Command::Decide { verb, decision, actor, reply }).await.unwrap();
    answer.await.unwrap()
}

/// The record, which must be whole: what was intended, and what came of it.
fn record(ends: &Ends) -> Vec<Entry> {
    let found = chain::verify(&audit::folder(&ends.folder.path().join("state"))).unwrap();
    assert_eq!(found.flaws, []);
    found.links.iter().map(|link| audit::entry(link).unwrap()).collect()
}

/// Of each intent: what, about which number, whether it was done.
fn decided(ends: &Ends) -> Vec<(Verb, u64, Option<bool>)> {
    let mut all: Vec<(Verb, u64, Option<bool>)> = Vec::new();
    let mut places = Vec::new();
    for (at, entry) in (1..).zip(record(ends)) {
        match entry {
            Entry::Intent(intent) => {
                all.push((intent.verb, intent.number, None));
                places.push(at);
            }
            Entry::Outcome(outcome) => {
                let intent = places.iter().position(|place| *place == outcome.of).unwrap();
                assert_eq!(all[intent].2.replace(outcome.done), None, "one outcome each");
            }
        }
    }
    all
}

async fn held_number(ends: &mut Ends, reason: HeldReason) -> u64 {
    let part = ends.says(|part| held(part) == [reason]).await;
    part.held[0].parcel.number
}

#[tokio::test]
async fn what_is_returned_lies_under_its_own_name_in_the_returned_folder_and_replaces_nothing() {
    let mut ends = Ends::new().start();
    fs::write(ends.clinic("req").join(FOREIGN), WHOLE).unwrap();
    let number = held_number(&mut ends, HeldReason::UnknownKind).await;
    let before = ends.clinic(RETURNED).join(FOREIGN);
    fs::write(&before, b"before").unwrap();
    assert_eq!(decide(&ends, Verb::Return, number).await, Decided::Refused(Refusal::NameTaken));
    assert_eq!(fs::read(&before).unwrap(), b"before");
    assert!(names(&ends.clinic("req")).is_empty(), "in hand, where nobody changes it");
    assert_eq!(held_number(&mut ends, HeldReason::UnknownKind).await, number);
    fs::remove_file(&before).unwrap();
    assert_eq!(decide(&ends, Verb::Return, number).await, Decided::Done);
    assert_eq!(fs::read(&before).unwrap(), WHOLE);
    assert!(names(&ends.own("attempted/t1")).is_empty());
    ends.says(|part| part.held_count == 0).await;
    assert_eq!(
        decided(&ends),
        [(Verb::Return, number, Some(false)), (Verb::Return, number, Some(true))],
        "a refusal by the folder is an intent that was not done"
    );
    assert_eq!(decide(&ends, Verb::Return, number).await, Decided::Unknown);
}

#[tokio::test]
async fn what_is_discarded_is_gone_and_the_record_holds_no_name() {
    let mut ends = Ends::new().start();
    fs::write(ends.clinic("req").join(FOREIGN), WHOLE).unwrap();
    let number = held_number(&mut ends, HeldReason::UnknownKind).await;
    assert_eq!(decide(&ends, Verb::Retry, number).await, Decided::Refused(Refusal::SameAgain));
    assert_eq!(decide(&ends, Verb::Discard, number).await, Decided::Done);
    assert!(names(&ends.clinic("req")).is_empty() && names(&ends.own("attempted/t1")).is_empty());
    let [Entry::Intent(intent), Entry::Outcome(outcome)] = &record(&ends)[..] else { panic!("two entries") };
    assert_eq!((intent.kind.as_str(), intent.actor.name.as_str()), ("unknown", "root"));
    assert!(outcome.done && !outcome.after_restart);
    for segment in names(&ends.own("audit")) {
        let bytes = fs::read(ends.own("audit").join(segment)).unwrap();
        assert!(!bytes.windows(FOREIGN.len()).any(|bytes| bytes == FOREIGN.as_bytes()));
    }
}

#[tokio::test]
async fn links_and_names_nobody_may_use_go_too_and_a_folder_is_not_emptied() {
    let mut ends = Ends::new().start();
    let odd = "OQSsiquc01req_1.xml:x";
    fs::write(ends.clinic("req").join(odd), WHOLE).unwrap();
    let number = held_number(&mut ends, HeldReason::BadName).await;
    assert_eq!(decide(&ends, Verb::Return, number).await, Decided::Done);
    assert_eq!(names(&ends.clinic(RETURNED)), [odd]);
    std::os::unix::fs::symlink("/etc/passwd", ends.clinic("req").join(REQUEST)).unwrap();
    let number = held_number(&mut ends, HeldReason::NotAFile).await;
    assert_eq!(decide(&ends, Verb::Discard, number).await, Decided::Done);
    assert!(PathBuf::from("/etc/passwd").exists() && names(&ends.clinic("req")).is_empty());
    fs::create_dir(ends.clinic("req").join(REQUEST)).unwrap();
    let number = held_number(&mut ends, HeldReason::NotAFile).await;
    assert_eq!(decide(&ends, Verb::Discard, number).await, Decided::Failed);
    assert_eq!(decide(&ends, Verb::Return, number).await, Decided::Done);
    assert_eq!(names(&ends.clinic(RETURNED)).len(), 2);
}

#[tokio::test]
async fn a_name_the_box_cannot_keep_is_left_to_whoever_sees_the_folder() {
    use std::os::unix::ffi::OsStrExt;
    let mut ends = Ends::new().start();
    let name = std::ffi::OsStr::from_bytes(b"OQSsiquc01req_\x8a\xb3.xml");
    fs::write(ends.clinic("req").join(name), WHOLE).unwrap();
    let number = held_number(&mut ends, HeldReason::BadName).await;
    assert_eq!(decide(&ends, Verb::Discard, number).await, Decided::Refused(Refusal::NameUnfit));
    assert!(ends.clinic("req").join(name).exists());
}

#[tokio::test]
async fn an_uncertain_request_is_sent_again_when_a_person_says_so_and_not_before() {
    let mut ends = Ends::new();
    fs::create_dir_all(ends.own("attempted/t1")).unwrap();
    let entry = format!("u.7.0000000000000001.receipt.req~{REQUEST}");
    fs::write(ends.own("attempted/t1").join(entry), WHOLE).unwrap();
    ends.start_again();
    assert_eq!(held_number(&mut ends, HeldReason::Uncertain).await, 7);
    assert!(names(&ends.terminal("req")).is_empty());
    assert_eq!(decide(&ends, Verb::Retry, 7).await, Decided::Done);
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    ends.says(|part| part.requests_today == 1 && part.held_count == 0).await;
    assert_eq!(decided(&ends), [(Verb::Retry, 7, Some(true))]);
}

#[tokio::test]
async fn what_is_past_its_time_is_not_sent_late_by_a_retry() {
    let mut ends = Ends::new();
    let mut config = ends.config();
    let mut kinds = config.kinds.to_vec();
    kinds.iter_mut().for_each(|kind| kind.time_to_live_s = 0);
    config.kinds = kinds.into();
    fs::create_dir_all(ends.own("attempted/t1")).unwrap();
    let entry = format!("u.7.0000000000000001.receipt.req~{REQUEST}");
    fs::write(ends.own("attempted/t1").join(&entry), WHOLE).unwrap();
    let end = LocalTerminal { root: ends.folder.path().join("terminal") };
    ends.start_site(config, vec![end]);
    let is_over = |part: &RelayPart| {
        part.held.first().is_some_and(|held| held.parcel.since.as_second() < Timestamp::now().as_second())
    };
    ends.says(is_over).await;
    assert_eq!(decide(&ends, Verb::Retry, 7).await, Decided::Refused(Refusal::PastItsTime));
    assert_eq!(names(&ends.own("attempted/t1")), [entry]);
    assert!(decided(&ends).is_empty());
    assert_eq!(decide(&ends, Verb::Return, 7).await, Decided::Done);
}

#[tokio::test]
async fn a_restart_makes_nothing_that_is_held_younger() {
    let mut ends = Ends::new();
    let mut config = ends.config();
    let mut kinds = config.kinds.to_vec();
    kinds.iter_mut().for_each(|kind| kind.time_to_live_s = 1);
    config.kinds = kinds.into();
    fs::create_dir_all(ends.own("attempted/t1")).unwrap();
    let attempted = ends.own("attempted/t1");
    let entry = |mark| attempted.join(format!("{mark}.7.0000000000000001.receipt.req~{REQUEST}"));
    fs::write(entry('d'), WHOLE).unwrap();
    let end = LocalTerminal { root: ends.folder.path().join("terminal") };
    ends.start_site(config.clone(), vec![end.clone()]);
    let age = |part: &RelayPart| part.held.first().map(|held| held.parcel.since.as_second());
    let is_over = |part: &RelayPart| age(part).is_some_and(|since| Timestamp::now().as_second() - since > 1);
    ends.says(is_over).await;
    ends.stop().await;
    // As at every step of the road.
    let before = fs::read_dir(&attempted).unwrap().next().unwrap().unwrap().path();
    fs::rename(before, entry('u')).unwrap();
    ends.start_site(config, vec![end]);
    ends.says(|part| part.held_count == 1).await;
    assert_eq!(decide(&ends, Verb::Retry, 7).await, Decided::Refused(Refusal::PastItsTime));
}

#[tokio::test]
async fn a_request_whose_name_was_taken_goes_when_the_name_is_free_and_a_person_says_so() {
    let mut ends = Ends::new().start();
    fs::write(ends.terminal("req").join(REQUEST), b"another").unwrap();
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    let number = held_number(&mut ends, HeldReason::NameTaken).await;
    fs::remove_file(ends.terminal("req").join(REQUEST)).unwrap();
    assert_eq!(decide(&ends, Verb::Retry, number).await, Decided::Done);
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
}

#[tokio::test]
async fn a_half_written_file_is_looked_at_again_and_what_is_on_its_way_is_nobodys_to_decide() {
    let mut ends = Ends::new().start();
    fs::write(ends.clinic("req").join(REQUEST), b"<XmlMsg>").unwrap();
    let number = held_number(&mut ends, HeldReason::HalfWritten).await;
    assert_eq!(decide(&ends, Verb::Retry, number).await, Decided::Done);
    assert_eq!(held_number(&mut ends, HeldReason::HalfWritten).await, number, "it still is");
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    appears(&ends.terminal("req").join(REQUEST)).await;
    let part = ends.says(|part| part.waiting_count == 1).await;
    assert_eq!(decide(&ends, Verb::Discard, part.waiting[0].parcel.number).await, Decided::NotHeld);
}

#[tokio::test]
async fn a_file_on_the_terminal_is_looked_at_again_and_otherwise_left_alone() {
    let mut ends = Ends::new().start();
    let answer = ends.terminal("res").join(super::ANSWER);
    fs::write(&answer, b"<XmlMsg>").unwrap();
    let number = held_number(&mut ends, HeldReason::HalfWritten).await;
    for verb in [Verb::Return, Verb::Discard] {
        assert_eq!(decide(&ends, verb, number).await, Decided::Refused(Refusal::OnTheEnd));
    }
    assert_eq!(decide(&ends, Verb::Retry, number).await, Decided::Done);
    fs::write(&answer, WHOLE).unwrap();
    appears(&ends.clinic("res").join(super::ANSWER)).await;
    vanishes(&answer).await;
}

#[tokio::test]
async fn nothing_is_returned_to_a_consumer_whose_folders_the_box_does_not_show() {
    let mut ends = Ends::new();
    let mut config = ends.config();
    config.consumers.push(consumer("far", None, &["res"]));
    let far = ends.folder.path().join("far");
    fs::create_dir_all(&far).unwrap();
    fs::create_dir_all(ends.own("attempted/t1")).unwrap();
    let entry = format!("o.7.0000000000000001.far.req~{REQUEST}");
    fs::write(ends.own("attempted/t1").join(entry), WHOLE).unwrap();
    let terminals = [ends.folder.path().join("terminal"), far].map(|root| LocalTerminal { root });
    ends.start_site(config, terminals.into());
    assert_eq!(held_number(&mut ends, HeldReason::TooOld).await, 7);
    assert_eq!(decide(&ends, Verb::Retry, 7).await, Decided::Refused(Refusal::PastItsTime));
    assert_eq!(decide(&ends, Verb::Return, 7).await, Decided::Refused(Refusal::Elsewhere));
    assert_eq!(decide(&ends, Verb::Discard, 7).await, Decided::Done);
}

/// The steps of a decision, as the lane takes them; the run ends after so many.
fn walk(ends: &Ends, verb: Verb, steps: usize) {
    let state = ends.folder.path().join("state");
    let own = Own::open(&state.join("relay"), "t1").unwrap();
    let folders = SeatFolders { emptied: vec!["req".into()], shown: vec![RETURNED.into()] };
    let seat = Seat::open("receipt", true, state.join("share/OQS"), &folders).unwrap();
    let attempt = Attempt {
        mark: Mark::Held(HeldReason::HalfWritten),
        number: 7,
        stage: 0,
        consumer: "receipt".into(),
        folder: "req".into(),
        name: REQUEST.into(),
    };
    let intent = Intent {
        at: Timestamp::now(),
        actor: Actor { name: String::new(), uid: 0 },
        verb,
        end: "t1".into(),
        kind: "k".into(),
        number: 7,
        hash: "h".into(),
        held: HeldReason::HalfWritten,
        reason: Reason::new("r").unwrap(),
    };
    let stamp = seat.facts("req", REQUEST.as_ref()).unwrap().stamp;
    let audit = Audit::open(&state, Timestamp::now()).unwrap();
    let mut of = 0;
    for step in 0..steps {
        match step {
            0 => assert!(
                own.hold(&Source { attempt: &attempt, seat: &seat, path: "req", stamp }, true).unwrap()
            ),
            1 => of = audit.intend(intent.clone()).unwrap(),
            2 => match verb {
                Verb::Return => assert!(own.give_back(&attempt, &seat, RETURNED).unwrap()),
                Verb::Retry => assert!(own.give_back(&attempt, &seat, "req").unwrap()),
                Verb::Discard => own.discard(&attempt).unwrap(),
            },
            _ => audit.end(of, true, false).unwrap(),
        }
    }
}

#[tokio::test]
async fn after_a_crash_at_any_step_a_decision_was_carried_out_once_or_not_at_all_and_the_record_says_which() {
    for verb in Verb::ALL {
        for steps in 0..=4 {
            let mut ends = Ends::new();
            fs::write(ends.clinic("req").join(REQUEST), b"<XmlMsg>").unwrap();
            walk(&ends, verb, steps);
            ends.start_again();
            let done = steps > 2;
            let here = if done && verb != Verb::Retry { 0 } else { 1 };
            ends.says(|part| !part.shares.is_empty() && part.held_count == here).await;
            let place = match (steps, verb) {
                (0, _) | (3.., Verb::Retry) => Some(ends.clinic("req").join(REQUEST)),
                (1..=2, _) => {
                    Some(ends.own("attempted/t1").join(format!("h.7.0000000000000000.receipt.req~{REQUEST}")))
                }
                (_, Verb::Return) => Some(ends.clinic(RETURNED).join(REQUEST)),
                (_, _) => None,
            };
            let everywhere =
                [ends.clinic("req"), ends.clinic(RETURNED), ends.own("attempted/t1"), ends.terminal("req")];
            let found: Vec<PathBuf> = everywhere
                .iter()
                .filter(|folder| folder.exists())
                .flat_map(|folder| names(folder).into_iter().map(|name| folder.join(name)))
                .collect();
            assert_eq!(found, place.into_iter().collect::<Vec<_>>(), "{verb:?} {steps}");
            let wanted = if steps < 2 { vec![] } else { vec![(verb, 7, Some(done))] };
            assert_eq!(decided(&ends), wanted, "{verb:?} {steps}");
            // What was not done can be decided again.
            if (1..=2).contains(&steps) {
                let again = decide(&ends, Verb::Return, 7).await;
                assert_eq!(again, Decided::Done);
                assert_eq!(names(&ends.clinic(RETURNED)), [REQUEST]);
            }
        }
    }
}
