//! What is durable, and what it costs. Each case plays days in moments: the clock is a number here.

use std::fs;
use std::path::PathBuf;

use model::past::{Mark, Story};
use model::{Certainty, Fault, FaultCode, Outcome, Party, Rung, Symptom, Usability};
use proptest::prelude::*;

use super::ink::Ink;
use super::*;

const START: i64 = 1_795_000_000;
const DAY: i64 = 86_400;

/// A box: its folder, and its memory while it runs.
struct Board {
    state: tempfile::TempDir,
    memory: Memory,
    started: i64,
    /// What was written, as the folder shows it: how much in one day, how often, and when last.
    bytes: i64,
    writes: u32,
    last: i64,
}

fn wall(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

impl Board {
    fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let memory = Memory::load(&state.path().join("past"), wall(0));
        Self { state, memory, started: 0, bytes: 0, writes: 0, last: 0 }
    }

    fn folder(&self) -> PathBuf {
        self.state.path().join("past")
    }

    /// The power goes, and comes back later.
    fn restart(&mut self, second: i64) {
        self.memory = Memory::load(&self.folder(), wall(second));
        self.started = second;
    }

    fn look(&mut self, second: i64, ladder: &[Observation], verdict: &Verdict) {
        let before = size(&self.folder());
        let up = Duration::from_secs((second - self.started).unsigned_abs());
        self.memory.take(ladder, verdict, Moment { wall: wall(second), up });
        let after = size(&self.folder());
        if after != before {
            // Counted here once more, from what is seen from outside: the file's blocks that were touched, inode and
            // journal, and what new blocks need.
            let new = after.div_euclid(4096) - before.div_euclid(4096);
            self.bytes += (new + 1) * 4096 + 5 * 4096 + new.min(1) * 4 * 4096;
            self.writes += 1;
            self.last = second;
        }
    }

    fn at(&mut self, second: i64, broken: bool) {
        self.look(second, &ladder(second, broken), &verdict(broken));
    }

    /// The newest cells of a rung, a letter each.
    fn letters(&self, rung: &str, newest: usize) -> String {
        let past = self.memory.tell(10);
        let strip = past.strips.iter().find(|strip| strip.rung == rung).expect("it is known");
        let letters: Vec<char> = past.marks(strip).map(Mark::letter).collect();
        letters[letters.len() - newest..].iter().collect()
    }
}

fn size(folder: &Path) -> i64 {
    let sizes = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    i64::try_from(sizes.sum::<u64>()).unwrap()
}

fn ladder(second: i64, broken: bool) -> Vec<Observation> {
    let outcome = |rung| match rung {
        Rung::TerminalLink | Rung::TerminalNeighbour | Rung::TerminalSmb | Rung::TerminalShare => {
            Outcome::Good
        }
        Rung::Link if broken => Outcome::Bad(Symptom::NoCarrier),
        _ if broken => Outcome::Skipped,
        _ => Outcome::Good,
    };
    let seen = |rung: Rung| Observation {
        rung,
        terminal: (rung >= Rung::TerminalLink).then(|| "t1".to_owned()),
        outcome: outcome(rung),
        at: wall(second),
        took_ms: 1.5,
        detail: "fe80::1%wan0, 2001:db8::7 from 2001:db8::/64".to_owned(),
    };
    of_one_site().map(seen).collect()
}

/// All rungs that one site can have: line authentication, a tunnel or a session, and one way to a maintainer.
fn of_one_site() -> impl Iterator<Item = Rung> {
    let others =
        |rung: &Rung| matches!(rung, Rung::Ike | Rung::IkeNat | Rung::Tunnel | Rung::MaintainerByInternet);
    let others = move |rung: &Rung| others(rung) || matches!(rung, Rung::Discovery | Rung::Session);
    Rung::ALL.into_iter().filter(move |rung| !others(rung))
}

fn fault(code: FaultCode) -> Fault {
    let (owner, evidence) = (Party::Clinic, vec![Rung::Link]);
    Fault { code, owner, certainty: Certainty::Likely, evidence, terminal: None }
}

fn verdict(broken: bool) -> Verdict {
    let foremost = broken.then(|| fault(FaultCode::Wan01));
    let usability = if broken { Usability::Unusable } else { Usability::Usable };
    Verdict { usability, foremost, ..Verdict::unknown(wall(0)) }
}

#[test]
fn a_fault_is_durable_at_once_and_so_is_its_end_and_the_cells_before_them() {
    let mut board = Board::new();
    for second in (0..60).step_by(10) {
        board.at(second, false);
    }
    board.at(60, true);
    board.restart(65);
    assert_eq!(board.letters("link", 8), " ......#");
    let [story] = board.memory.stories.newest_first().try_into().unwrap();
    assert_eq!((story.start, story.end, story.code.as_str()), (wall(60), None, "WAN-01"));
    board.at(70, true);
    board.at(80, false);
    board.restart(90);
    let [story] = board.memory.stories.newest_first().try_into().unwrap();
    assert_eq!((story.start, story.end, story.count), (wall(60), Some(wall(80)), 1));
    let hop = &story.evidence[0];
    let good = hop.last_good.as_ref().expect("it was good before");
    assert_eq!((good.at, good.detail.as_str()), (wall(50), "fe80::1%wan0, 2001:db8::7 from 2001:db8::/64"));
    assert_eq!(hop.first_bad.as_ref().map(|bad| bad.is.as_str()), Some("no-carrier"));
}

#[test]
fn a_change_that_is_no_fault_is_durable_ten_minutes_after_the_write_before() {
    let mut board = Board::new();
    for second in (0..610).step_by(10) {
        let ladder = ladder(second, second >= 300);
        board.look(second, &ladder, &verdict(false));
    }
    board.restart(620);
    assert_eq!(board.letters("link", 62), format!(" {}{}", ".".repeat(30), "#".repeat(31)));
}

#[test]
fn the_box_was_off_is_not_known_and_a_fault_that_stood_goes_on_or_ends_when_it_was_last_seen() {
    let mut board = Board::new();
    board.at(0, true);
    board.restart(300);
    board.at(300, true);
    assert_eq!(board.memory.stories.newest_first().len(), 1, "goes on");
    assert_eq!(board.letters("link", 31), format!("#{}#", " ".repeat(29)));
    board.restart(5000);
    board.at(5000, false);
    let [story] = board.memory.stories.newest_first().try_into().unwrap();
    assert!(story.end_unseen);
    assert_eq!(story.end, Some(wall(10)), "the end of the newest durable cell");
}

#[test]
fn a_calm_day_costs_an_hourly_write_and_a_cut_at_most_an_hour() {
    let mut board = Board::new();
    for second in (0..3 * DAY + 1000).step_by(10) {
        board.at(second, false);
        if second == 2 * DAY {
            (board.bytes, board.writes) = (0, 0);
        }
        assert!(second - board.last <= 3600, "{second}: nothing is older than an hour");
        if second == 3 * DAY {
            println!("a calm day: {} writes, {} bytes", board.writes, board.bytes);
            assert_eq!(board.writes, 24);
            assert!(board.bytes <= 700 * 1024, "{}", board.bytes);
        }
    }
    board.restart(3 * DAY + 1000);
    let unknown = board.letters("link", CELLS as usize);
    assert!(unknown.trim_start_matches(' ').chars().all(|letter| letter == '.'));
    assert!(unknown.matches('.').count() >= CELLS as usize - 360);
    assert!(board.memory.bytes() < 16 * 1024, "{}", board.memory.bytes());
}

#[test]
fn a_day_that_flaps_every_twenty_seconds_stays_within_its_mebibyte_and_is_one_story() {
    let mut board = Board::new();
    for second in (0..4 * DAY).step_by(4) {
        board.at(second, second / 20 % 2 == 1);
        if second % DAY == 0 {
            println!("until day {}: {} writes, {} bytes", second / DAY, board.writes, board.bytes);
            assert!(board.bytes <= Ink::DAY, "{} bytes on one day", board.bytes);
            (board.bytes, board.writes) = (0, 0);
        }
        assert!(second - board.last <= 5400, "{second}: nothing is older than an hour and a half");
    }
    assert!(board.memory.bytes() < 200 * 1024, "{}", board.memory.bytes());
    board.restart(4 * DAY);
    let end = board.memory.strips.end().unwrap().as_second() - START;
    let broken = |cell: i64| (end - 10 * (i64::from(CELLS) - cell)) / 20 % 2 == 1;
    let wanted: String = (0..i64::from(CELLS)).map(|cell| if broken(cell) { '#' } else { '.' }).collect();
    assert_eq!(board.letters("link", CELLS as usize), wanted);
    let [story] = board.memory.stories.newest_first().try_into().unwrap();
    assert!(story.count > 4 * 2160 - 140, "{}", story.count);
}

/// Every look brings another picture of the ladder and other faults: as bad as it can be.
fn worst(second: i64) -> (Vec<Observation>, Verdict) {
    let mut random = second.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = |of: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % of
    };
    let mut ladder = ladder(second, false);
    for seen in &mut ladder {
        let bad = [Outcome::Bad(Symptom::Silent), Outcome::Bad(Symptom::Refused), Outcome::Open];
        seen.outcome = bad.get(usize::try_from(next(6)).unwrap()).copied().unwrap_or(Outcome::Good);
        seen.detail = "証".repeat(500);
    }
    let mut some = |code| {
        let terminal = Some(format!("t{}", next(9)));
        (next(2) == 0).then(|| Fault { terminal, evidence: Rung::ALL.into(), ..fault(code) })
    };
    let others = FaultCode::ALL.into_iter().filter_map(&mut some).collect();
    let verdict = Verdict { others, ..verdict(true) };
    (ladder, verdict)
}

#[test]
fn whatever_happens_no_day_costs_more_than_a_mebibyte_nor_all_of_it_more_than_200_kib_of_memory() {
    let mut board = Board::new();
    let mut days = Vec::new();
    let mut spent = Vec::new();
    for second in (0..DAY * 3 / 2).step_by(20) {
        let before = (board.bytes, board.writes);
        let (ladder, verdict) = worst(second);
        board.look(second, &ladder, &verdict);
        if board.writes > before.1 {
            spent.push((second, board.bytes - before.0));
        }
        if second % DAY == 0 {
            days.push((board.writes, board.bytes));
            (board.bytes, board.writes) = (0, 0);
        }
        if second % 3600 == 0 {
            assert!(board.memory.bytes() < 200 * 1024, "{}", board.memory.bytes());
        }
    }
    println!("writes and bytes of each day: {days:?}, {} bytes of memory", board.memory.bytes());
    for (from, _) in &spent {
        let day = spent.iter().filter(|(at, _)| (*from..from + DAY).contains(at));
        let day: i64 = day.map(|(_, bytes)| bytes).sum();
        assert!(day <= Ink::DAY, "{day} bytes in the 24 hours from {from}");
    }
}

#[test]
fn who_restarts_all_day_has_no_more_ink_than_who_does_not() {
    let mut board = Board::new();
    let mut second = 0;
    while second < DAY {
        // A new fault each time, which is durable at once while there is ink.
        let code = FaultCode::ALL[usize::try_from(second / 700 % 9).unwrap()];
        let verdict = Verdict { foremost: Some(fault(code)), ..verdict(true) };
        board.look(second, &ladder(second, true), &verdict);
        second += 70;
        board.restart(second);
    }
    println!("a day of restarts: {} writes, {} bytes", board.writes, board.bytes);
    assert!(board.writes > 20 && board.bytes <= Ink::DAY, "{}", board.bytes);
}

#[test]
fn the_folder_does_not_grow_without_end_and_old_stories_outlive_what_is_let_go() {
    let mut board = Board::new();
    board.at(0, true);
    board.at(10, false);
    let (mut largest, mut before, mut written) = (0, 0, 0);
    for second in (1000..100 * DAY).step_by(180) {
        board.at(second, second / 180 % 2 == 0);
        let now = size(&board.folder());
        written += (now - before).max(0);
        (largest, before) = (largest.max(now), now);
    }
    println!("of {written} bytes there were never more than {largest}");
    assert!(largest <= 3 * 1024 * 1024 && written > largest, "{largest} of {written}");
    board.restart(100 * DAY);
    let oldest = board.memory.stories.newest_first().pop().unwrap();
    assert_eq!((oldest.number, oldest.start), (1, wall(0)));
}

#[test]
fn a_folder_that_cannot_be_opened_is_set_aside_and_the_memory_goes_on() {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join("past"), b"not a folder").unwrap();
    let past = Past::load(state.path());
    past.take(&ladder(0, true), &verdict(true), wall(0));
    assert_eq!(fs::read(state.path().join("past.damaged")).unwrap(), b"not a folder");
    assert_eq!(Past::load(state.path()).tell(600).stories.len(), 1);
}

#[test]
fn a_state_folder_that_is_not_there_keeps_nobody_from_anything() {
    let past = Past::load(Path::new("/proc/nowhere"));
    past.take(&ladder(0, true), &verdict(true), wall(0));
    let told = past.tell(7);
    assert_eq!((told.stories.len(), told.cell_s, told.strips.len()), (1, 10, of_one_site().count()));
    assert_eq!(past.tell(u32::MAX).cell_s, 72 * 3600);
    assert_eq!(past.tell(700).cell_s, 640, "a part of 72 hours");
}

/// A lively day, and what was told after each write, by the size of the log then.
fn lively() -> (Board, Vec<(usize, model::past::Past)>) {
    let mut board = Board::new();
    let mut told = Vec::new();
    for second in (0..DAY).step_by(30) {
        let writes = board.writes;
        board.at(second, second / 3000 % 3 == 1);
        if board.writes > writes {
            told.push((usize::try_from(size(&board.folder())).unwrap(), board.memory.tell(10)));
        }
    }
    assert!(told.len() > 20);
    (board, told)
}

/// Whether what is told now has all that was told at a write.
fn has(now: &model::past::Past, then: &model::past::Past) -> bool {
    let story =
        |then: &Story| now.stories.iter().any(|now| now.number == then.number && now.count >= then.count);
    let strip = |then_strip: &model::past::Strip| {
        let Some(now_strip) = now.strips.iter().find(|strip| strip.rung == then_strip.rung) else {
            return false;
        };
        let later = (now.to.unwrap().as_second() - then.to.unwrap().as_second()) / 10;
        let now_marks: Vec<Mark> = now.marks(now_strip).collect();
        let then_marks = then.marks(then_strip).skip(usize::try_from(later).unwrap());
        // Of the cell that was just being looked at a later write knows more.
        now_marks.iter().zip(then_marks).all(|(now, then)| *now >= then)
    };
    now.to >= then.to && then.stories.iter().all(story) && then.strips.iter().all(strip)
}

fn load(bytes: &[u8]) -> model::past::Past {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("past");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(format!("{:020}.log", 1)), bytes).unwrap();
    let mut memory = Memory::load(&folder, wall(2 * DAY));
    let told = memory.tell(10);
    // And it goes on.
    memory.take(&ladder(2 * DAY, true), &verdict(true), Moment { wall: wall(2 * DAY), up: Duration::ZERO });
    assert!(memory.stories.newest_first()[0].start == wall(2 * DAY));
    drop(memory);
    assert!(!Memory::load(&folder, wall(2 * DAY)).tell(10).stories.is_empty());
    told
}

#[test]
fn a_log_cut_off_anywhere_has_all_that_was_durable_by_then_and_one_with_a_wrong_byte_all_before_it() {
    let (board, told) = lively();
    let bytes = fs::read(board.folder().join(format!("{:020}.log", 1))).unwrap();
    let run = |cut: usize, with: Option<u8>| {
        let mut bytes = bytes.clone();
        match with {
            Some(xor) => bytes[cut] ^= xor,
            None => bytes.truncate(cut),
        }
        let now = load(&bytes);
        let durable = told.iter().rev().find(|(size, _)| *size <= cut);
        assert!(durable.is_none_or(|(_, then)| has(&now, then)), "at {cut} of {}", bytes.len());
    };
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) };
    proptest!(config, |(cut in 0..bytes.len(), with in proptest::option::of(1_u8..))| run(cut, with));
    run(bytes.len(), None);
}

proptest! {
    #[test]
    fn any_bytes_in_the_log_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        load(&bytes);
    }
}
