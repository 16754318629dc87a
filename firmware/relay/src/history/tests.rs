//! The history over restarts, and garbled at every step: it is made anew, and nothing but statistics is lost.

use std::fs;
use std::time::Duration;

use jiff::ToSpan;
use model::parcel::{Direction, Outcome, Pair};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use super::*;
use crate::ledger::Ledger;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NOW: &str = "2026-11-25T03:00:00Z";

/// Requests and answers; three are published in the same moment.
fn events(count: u64) -> Vec<Event> {
    (0..count)
        .flat_map(|n| {
            let at = at(NOW) + i64::try_from(n / 3).unwrap().milliseconds();
            let went = Event::Went { number: 2 * n, kind: "req".into(), direction: Direction::Request, at };
            let pair = Some(Pair { at, took_ms: 900.0 });
            let (number, kind, direction) = (2 * n + 1, "res".into(), Direction::Answer);
            let came = Event::Came { number, kind, direction, at, pair };
            [went, came, Event::Said { outcome: Outcome::Normal, at }]
        })
        .collect()
}

fn open(relay: &Path) -> Keeper {
    opened_at(relay, at(NOW))
}

fn opened_at(relay: &Path, now: Timestamp) -> Keeper {
    Keeper::open(relay.to_owned(), HistoryBy::Itself, now)
}

fn put(keeper: &mut Keeper, events: Vec<Event>) {
    keeper.unwritten.extend(events);
    keeper.write();
}

fn written(relay: &Path, count: u64) -> Day {
    let mut keeper = open(relay);
    put(&mut keeper, events(count));
    keeper.day
}

#[test]
fn the_day_goes_on_after_a_restart_and_the_days_before_are_remembered() {
    let relay = tempfile::tempdir().unwrap();
    let day = written(relay.path(), 3);
    assert_eq!((day.requests, day.answers, day.pairs.len(), day.outcomes.normal), (3, 3, 3, 3));
    let mut again = open(relay.path());
    assert_eq!(again.day, day);
    put(&mut again, events(1));
    assert_eq!(again.day.requests, 4);
    let found = again.attempt(|store| store.passed(5)).flatten().unwrap();
    assert_eq!((found.direction, found.kind.as_deref()), (Some(Direction::Answer), Some("res")));
    drop(again);
    let mut tomorrow = opened_at(relay.path(), at(NOW) + 24.hours());
    assert_eq!(tomorrow.day.requests, 0);
    let days = tomorrow.attempt(|store| store.days()).unwrap();
    assert_eq!((days.len(), days[0].requests, days[0].median_ms), (1, 4, Some(900.0)));
    put(&mut tomorrow, vec![Event::Said { outcome: Outcome::Failed, at: at(NOW) + 24.hours() }]);
    assert_eq!(tomorrow.attempt(|store| store.days()).unwrap().len(), 2);
}

#[test]
fn what_came_before_it_was_loaded_is_counted_beside_it() {
    let relay = tempfile::tempdir().unwrap();
    let before = written(relay.path(), 2);
    let mut since = Day::of(at(NOW));
    events(1).iter().for_each(|event| since.apply(event));
    since.follow(before);
    assert_eq!((since.requests, since.pairs.len(), since.outcomes.normal), (3, 3, 3));
}

#[test]
fn a_row_of_errors_goes_on_over_a_restart_until_an_answer_is_normal() {
    let day = |outcomes: &[Outcome]| {
        let mut day = Day::of(at(NOW));
        outcomes.iter().for_each(|outcome| day.apply(&Event::Said { outcome: *outcome, at: at(NOW) }));
        day
    };
    let mut since = day(&[Outcome::Failed]);
    since.follow(day(&[Outcome::Normal, Outcome::Refused]));
    assert_eq!((since.outcomes.erring, since.outcomes.erring_since), (2, Some(at(NOW))));
    let mut since = day(&[Outcome::Normal]);
    since.follow(day(&[Outcome::Refused]));
    assert_eq!((since.outcomes.erring, since.outcomes.erring_since), (0, None));
}

/// Every file of the store.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Opens what was garbled: it may be as it was, or begin anew; it must work, and say nothing that was never written.
/// What sled cannot read from its `beginning` is set aside; anything behind that is the end of its log to it, as after a
/// cut, and what lay before is kept.
fn works(relay: &Path, before: &Day, beginning: bool) {
    let mut keeper = open(relay);
    assert!(keeper.day.requests <= before.requests && keeper.day.pairs.len() <= before.pairs.len());
    let kept = relay.join("history.damaged").exists();
    assert!(kept || keeper.day == *before || !beginning, "less than before, and it was not set aside");
    put(&mut keeper, events(1));
    assert!(keeper.attempt(|store| store.passed(1)).flatten().is_some());
    assert!(!relay.join("history.opening").exists());
}

#[test]
fn a_missing_a_truncated_and_a_garbled_file_is_set_aside_and_the_history_begins_anew() {
    const STEPS: usize = 12;
    let whole = tempfile::tempdir().unwrap();
    let before = written(whole.path(), 40);
    let all = files(&whole.path().join("history"));
    assert!(!all.is_empty());
    for file in &all {
        let name = file.strip_prefix(whole.path()).unwrap();
        let bytes = fs::read(file).unwrap();
        let mut garbled = vec![(true, None), (true, Some(Vec::new())), (true, Some(vec![0xff; bytes.len()]))];
        for place in (0..STEPS).map(|step| step * bytes.len() / STEPS) {
            garbled.push((place == 0, Some(bytes[..place].to_vec())));
            let mut one = bytes.clone();
            one.iter_mut().skip(place).take(64).for_each(|byte| *byte ^= 0x5a);
            garbled.push((place == 0, Some(one)));
        }
        for (beginning, bytes) in garbled {
            let relay = tempfile::tempdir().unwrap();
            copy(whole.path(), relay.path());
            match bytes {
                None => fs::remove_file(relay.path().join(name)).unwrap(),
                Some(bytes) => fs::write(relay.path().join(name), bytes).unwrap(),
            }
            works(relay.path(), &before, beginning);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for file in files(&from.join("history")) {
        let to = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(file, to).unwrap();
    }
}

#[test]
fn what_brought_the_relay_down_while_it_was_opened_is_not_opened_again() {
    let relay = tempfile::tempdir().unwrap();
    written(relay.path(), 2);
    fs::write(relay.path().join("history.opening"), b"").unwrap();
    assert_eq!(open(relay.path()).day.requests, 0);
    assert!(relay.path().join("history.unfinished").exists());
    assert!(!relay.path().join("history.damaged").exists(), "the power may have gone in that moment");
}

#[test]
fn what_cannot_be_written_at_all_ends_nothing() {
    let relay = tempfile::tempdir().unwrap();
    fs::create_dir(relay.path().join("history.opening")).unwrap();
    let mut keeper = open(relay.path());
    put(&mut keeper, events(1));
    assert_eq!(keeper.day.requests, 1);
}

/// So long may a new index of 100,000 entries take: what the relay promises. Without any optimisation it takes a quarter.
const REBUILD: Duration = Duration::from_secs(10);

/// What this thread has worked until now: a machine that does other things meanwhile says nothing about us.
fn worked() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    [usage.user_time(), usage.system_time()]
        .map(|time| Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap()))
        .iter()
        .sum()
}

#[test]
fn a_hundred_thousand_recorded_parcels_are_in_a_new_index() {
    let relay = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(relay.path(), 0).unwrap().0;
    for chunk in (1..=100_000_u64).collect::<Vec<_>>().chunks(1000) {
        let hash = |number: &u64| *blake3::hash(&number.to_le_bytes()).as_bytes();
        let answers: Vec<_> = chunk.iter().map(|number| (*number, hash(number))).collect();
        ledger.record(&answers, at(NOW).as_second()).unwrap();
    }
    let begun = worked();
    let mut keeper = open(relay.path());
    let took = worked() - begun;
    assert!(took < REBUILD, "100,000 entries in {took:?}");
    for number in [1, 50_000, 100_000] {
        let found = keeper.attempt(|store| store.passed(number)).flatten().unwrap();
        assert_eq!((found.at, found.kind), (at(NOW), None));
    }
}
