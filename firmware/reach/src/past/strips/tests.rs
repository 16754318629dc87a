use std::collections::BTreeMap;

use model::Symptom;
use model::past::{GOOD, OPEN, SKIPPED};
use proptest::prelude::*;

use super::*;

const START: i64 = 1_795_000_000;
const SILENT: Outcome = Outcome::Bad(Symptom::Silent);

fn moment(second: i64) -> Moment {
    let up = Duration::from_secs(u64::try_from(second - START + 1_000_000_000).unwrap());
    Moment { wall: Timestamp::from_second(second).unwrap(), up }
}

fn at(rung: Rung, outcome: Outcome) -> Observation {
    let terminal = (rung >= Rung::TerminalLink).then(|| "t1".to_owned());
    Observation { rung, terminal, outcome, at: Timestamp::UNIX_EPOCH, took_ms: 0.0, detail: String::new() }
}

fn look(strips: &mut Strips, second: i64, outcome: Outcome) {
    strips.take(&[at(Rung::Gateway, outcome)], moment(second));
}

/// The newest cells of the first strip, a letter each.
fn letters(strips: &Strips, of: u32, newest: usize) -> String {
    let (words, told) = strips.tell(of);
    let past = model::past::Past { words, ..Default::default() };
    let marks: Vec<char> = past.marks(&told[0]).map(Mark::letter).collect();
    assert_eq!(marks.len(), (CELLS / of) as usize);
    marks[marks.len() - newest..].iter().collect()
}

#[test]
fn a_cell_shows_the_worst_of_its_looks_and_one_without_shows_the_look_before() {
    let mut strips = Strips::default();
    for (after, outcome) in
        [(0, Outcome::Good), (11, SILENT), (15, Outcome::Good), (41, Outcome::Skipped), (43, Outcome::Open)]
    {
        look(&mut strips, START + after, outcome);
    }
    assert_eq!(letters(&strips, 1, 6), " .#..o");
    assert_eq!(strips.end(), Some(Timestamp::from_second(START + 50).unwrap()));
    assert_eq!(strips.tell(1).0, ["unknown", GOOD, "silent", SKIPPED, OPEN]);
}

#[test]
fn where_nobody_looked_longer_than_a_minute_nothing_is_known() {
    let mut strips = Strips::default();
    for after in [0, 60, 130, 131] {
        look(&mut strips, START + after, Outcome::Good);
    }
    assert_eq!(letters(&strips, 1, 15), " .......      .");
}

#[test]
fn a_wide_cell_shows_the_worst_of_its_parts() {
    let mut strips = Strips::default();
    for cell in 0..12 {
        look(&mut strips, START + cell * 10, if cell == 5 { SILENT } else { Outcome::Good });
    }
    assert_eq!(letters(&strips, 6, 3), " #.");
}

#[test]
fn a_clock_put_back_a_little_writes_nothing_over() {
    let mut strips = Strips::default();
    for after in [0, 10, 20, 30, 5, 15, 40] {
        look(&mut strips, START + after, if after == 5 { SILENT } else { Outcome::Good });
    }
    assert_eq!(letters(&strips, 1, 6), " ...#.");
}

/// Three cells, then the clock jumps by so many seconds and goes on from there.
fn jumped(jump: i64, confirmed: bool, seconds: i64) -> Strips {
    let mut strips = Strips::default();
    let time = if confirmed { Outcome::Good } else { SILENT };
    for after in (0..30).step_by(10) {
        strips.take(&[at(Rung::Gateway, Outcome::Good), at(Rung::Time, SILENT)], moment(START + after));
    }
    for after in (30..30 + seconds).step_by(10) {
        let wall = Timestamp::from_second(START + after + jump).unwrap();
        let moment = Moment { wall, ..moment(START + after) };
        strips.take(&[at(Rung::Gateway, SILENT), at(Rung::Time, time)], moment);
    }
    strips
}

#[test]
fn a_clock_that_jumped_is_believed_by_a_time_server_or_after_ten_minutes() {
    let far = i64::from(CELLS) * 10;
    for jump in [-far * 10, -far * 2, far + 1000, far * 10] {
        assert_eq!(letters(&jumped(jump, false, 600), 1, 4), " ...", "{jump}: nothing was written");
        assert_eq!(letters(&jumped(jump, false, 610), 1, 2), " #", "{jump}: believed");
        assert_eq!(letters(&jumped(jump, true, 20), 1, 3), " ##", "{jump}: confirmed");
    }
    let hour = jumped(3600, false, 10);
    assert_eq!(letters(&hour, 1, 364), format!("...{}#", " ".repeat(360)), "the box was off for an hour");
}

#[test]
fn a_clock_that_was_ahead_for_a_while_leaves_what_was_before_it() {
    let mut strips = Strips::default();
    let both = |outcome, time| [at(Rung::Gateway, outcome), at(Rung::Time, time)];
    for (second, outcome) in [(0, Outcome::Good), (10, Outcome::Good), (5000, SILENT), (5010, SILENT)] {
        strips.take(&both(outcome, SILENT), moment(START + second));
    }
    strips.take(&both(Outcome::Open, Outcome::Good), moment(START + 20));
    assert_eq!(letters(&strips, 1, 4), " ..o");
}

#[test]
fn a_rung_that_comes_later_was_unknown_before_and_one_that_went_is_told_until_it_has_slid_out() {
    let mut strips = Strips::default();
    strips.take(&[at(Rung::TerminalSmb, Outcome::Good)], moment(START));
    let mut names = |cell: u32| {
        strips.take(&[at(Rung::Link, Outcome::Good)], moment(START + i64::from(cell) * 10));
        strips.tell(CELLS).1.into_iter().map(|strip| strip.rung).collect::<Vec<_>>()
    };
    assert!((1..CELLS).all(|cell| names(cell) == ["link", "terminal-smb"]));
    assert_eq!(names(CELLS), ["link"]);
}

/// The rungs before this one hold, it is broken, and those behind it are not looked at.
fn ladder(broken_at: usize) -> Vec<Observation> {
    let outcome = |index: usize| match index.cmp(&broken_at) {
        std::cmp::Ordering::Less => Outcome::Good,
        std::cmp::Ordering::Equal => SILENT,
        std::cmp::Ordering::Greater => Outcome::Skipped,
    };
    Rung::ALL.into_iter().enumerate().map(|(index, rung)| at(rung, outcome(index))).collect()
}

#[test]
fn three_days_in_which_every_cell_differs_are_whole_and_small() {
    let mut strips = Strips::default();
    for cell in 0..i64::from(CELLS) + 100 {
        strips.take(&ladder(if cell % 2 == 0 { 0 } else { 20 }), moment(START + cell * 10));
    }
    assert_eq!(letters(&strips, 1, CELLS as usize), "#.".repeat(CELLS as usize / 2));
    assert!(strips.bytes() < 70 * 1024, "{}", strips.bytes());
}

#[test]
fn where_there_are_too_many_pictures_the_oldest_go_and_the_newest_are_right() {
    let mut strips = Strips::default();
    let outcome = |cell: i64, index: usize| {
        // A different picture for each of 16,384 cells.
        if cell >> index & 1 == 0 { Outcome::Good } else { SILENT }
    };
    for cell in 0..i64::from(CELLS) {
        let looks = Rung::ALL.into_iter().enumerate().map(|(index, rung)| at(rung, outcome(cell, index)));
        strips.take(&looks.collect::<Vec<_>>(), moment(START + cell * 10));
    }
    assert!(strips.bytes() < 130 * 1024, "{}", strips.bytes());
    let wanted: String = (0..i64::from(CELLS)).map(|cell| if cell & 1 == 0 { '.' } else { '#' }).collect();
    let told = letters(&strips, 1, CELLS as usize);
    let known = told.trim_start_matches(' ');
    assert!(known.len() > 800 && wanted.ends_with(known), "{}", known.len());
}

/// A look some seconds after the one before, perhaps by a clock that jumped.
#[derive(Clone, Debug)]
struct Step {
    seconds: i64,
    jump: i64,
    outcomes: [u8; 3],
    write: bool,
}

fn step(jumps: bool) -> impl Strategy<Value = Step> {
    let far = 9_000_000_000_i64;
    let jump = prop_oneof![20 => Just(0_i64), 1 => -400_000_i64..400_000, 1 => -far..far];
    let seconds = prop_oneof![8 => 1_i64..15, 1 => 50_i64..200, 1 => 1000_i64..100_000];
    (seconds, jump, proptest::array::uniform3(0_u8..5), proptest::bool::weighted(0.05)).prop_map(
        move |(seconds, jump, outcomes, write)| Step {
            seconds,
            jump: if jumps { jump } else { 0 },
            outcomes,
            write,
        },
    )
}

fn outcome(number: u8) -> Option<Outcome> {
    [None, Some(Outcome::Good), Some(Outcome::Skipped), Some(Outcome::Open), Some(SILENT)]
        [usize::from(number)]
}

const RUNGS: [Rung; 3] = [Rung::Link, Rung::Time, Rung::TerminalLink];

fn observations(outcomes: [u8; 3]) -> Vec<Observation> {
    RUNGS.into_iter().zip(outcomes).filter_map(|(rung, number)| Some(at(rung, outcome(number)?))).collect()
}

/// What the cells are after these looks, by their numbers; and the number after the last.
fn reference(steps: &[Step]) -> (BTreeMap<i64, [u8; 3]>, i64) {
    let (mut cells, mut second, mut before) = (BTreeMap::new(), START, None::<(i64, [u8; 3])>);
    for step in steps {
        second += step.seconds;
        let cell = second / 10;
        if let Some((last, outcomes)) = before.filter(|(last, _)| cell - last <= 6) {
            cells.extend((last + 1..cell).map(|between| (between, outcomes)));
        }
        let shown: &mut [u8; 3] = cells.entry(cell).or_default();
        *shown = std::array::from_fn(|rung| shown[rung].max(step.outcomes[rung]));
        before = Some((cell, step.outcomes));
    }
    (cells, second / 10 + 1)
}

/// Whether all that one knows is known to the other: what has slid out by a clock that was ahead may still be durable.
fn knows(more: &Strips, less: &Strips) -> bool {
    let words = |strips: &Strips, place: &Place| {
        let (words, told) = strips.tell(1);
        let strip = told.into_iter().find(|strip| strip.rung == place.0 && strip.terminal == place.1);
        let runs = strip.map_or_else(|| vec![(CELLS, 0)], |strip| strip.runs).into_iter();
        let word = move |index: u8| words[usize::from(index)].clone();
        runs.flat_map(|(cells, index)| vec![word(index); cells as usize]).collect::<Vec<_>>()
    };
    let same = |(more, less): (String, String)| less == UNKNOWN || more == less;
    // Where no rung was ever seen there is nothing to be known again.
    less.places().is_empty()
        || more.end() == less.end()
            && less
                .places()
                .iter()
                .all(|place| words(more, place).into_iter().zip(words(less, place)).all(same))
}

fn is_72_hours(strips: &Strips) -> bool {
    strips.tell(1).1.iter().all(|strip| strip.runs.iter().map(|(cells, _)| cells).sum::<u32>() == CELLS)
}

proptest! {
    #[test]
    fn the_cells_are_those_of_a_plain_reference(steps in proptest::collection::vec(step(false), 1..60)) {
        let (mut strips, mut second) = (Strips::default(), START);
        for step in &steps {
            second += step.seconds;
            strips.take(&observations(step.outcomes), moment(second));
        }
        let (plain, end) = reference(&steps);
        let (words, told) = strips.tell(1);
        let past = model::past::Past { words, ..Default::default() };
        for (index, rung) in RUNGS.into_iter().enumerate() {
            let strip = told.iter().find(|strip| strip.rung == model::past::key(&rung));
            let unknown = vec![Mark::Unknown; CELLS as usize];
            let marks = strip.map_or(unknown, |strip| past.marks(strip).collect());
            for (cell, mark) in (end - i64::from(CELLS)..end).zip(marks) {
                let number = plain.get(&cell).map_or(0, |cell| cell[index]);
                let wanted = outcome(number).map_or(Mark::Unknown, |outcome| Mark::of(&word(outcome)));
                prop_assert_eq!(mark, wanted, "{:?} at {}", rung, cell);
            }
        }
    }

    #[test]
    fn whatever_the_clock_does_what_was_written_comes_back(
        steps in proptest::collection::vec(step(true), 1..80)
    ) {
        let (mut strips, mut kept) = (Strips::default(), Strips::default());
        let (mut up, mut wall) = (1_000_i64, START);
        for step in steps {
            up += step.seconds;
            wall = (wall + step.seconds + step.jump).clamp(-300_000_000_000, 200_000_000_000);
            let (up, wall) = (Duration::from_secs(up.unsigned_abs()), Timestamp::from_second(wall).unwrap());
            strips.take(&observations(step.outcomes), Moment { wall, up });
            if step.write {
                prop_assert!(is_72_hours(&strips));
                let records = strips.unwritten(false);
                for record in &records {
                    let bytes = crate::past::record::Record::Cells(record.clone()).bytes();
                    prop_assert!(bytes.len() <= journal::MAX_PAYLOAD);
                    kept.restore(record);
                }
                strips.written(&records);
                prop_assert!(knows(&kept, &strips));
                prop_assert!(!strips.has_news());
            }
        }
    }

    #[test]
    fn a_record_of_any_content_does_no_harm(
        from in any::<i64>(),
        columns in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..5), 0..5),
        runs in proptest::collection::vec((0_u32..7, any::<u32>()), 0..8),
        second in -1_000_000_i64..1_000_000,
    ) {
        let places = vec![("link".into(), None), ("from-next-year".into(), Some("t9".into()))];
        let words = vec!["unknown".into(), "good".into(), "symptom-of-next-year".into()];
        let mut strips = Strips::default();
        look(&mut strips, START, Outcome::Good);
        strips.restore(&Cells { from, places, words, columns, runs });
        look(&mut strips, START + second, SILENT);
        prop_assert!(is_72_hours(&strips));
    }
}
