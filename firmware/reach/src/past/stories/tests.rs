use model::past::GOOD;
use model::{FaultCode, Party, Rung, Symptom, Usability};
use proptest::prelude::*;

use super::*;

const START: i64 = 1_795_000_000;
const SILENT: Outcome = Outcome::Bad(Symptom::Silent);

/// Stories with the rungs they need.
#[derive(Default)]
struct Told {
    stories: Stories,
    traces: Traces,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn fault(code: FaultCode) -> Fault {
    let (owner, evidence) = (Party::Line, vec![Rung::Link, Rung::Gateway]);
    Fault { code, owner, certainty: Certainty::Likely, evidence, terminal: None }
}

fn verdict(faults: &[Fault]) -> Verdict {
    let mut verdict = Verdict { usability: Usability::Unusable, ..Verdict::unknown(Timestamp::UNIX_EPOCH) };
    verdict.foremost = faults.first().cloned();
    verdict.others = faults.iter().skip(1).cloned().collect();
    verdict
}

fn ladder(second: i64, gateway: Outcome) -> Vec<Observation> {
    [(Rung::Link, Outcome::Good), (Rung::Gateway, gateway)]
        .map(|(rung, outcome)| Observation {
            rung,
            terminal: None,
            outcome,
            at: at(second),
            took_ms: 0.0,
            detail: format!("at {second}"),
        })
        .into()
}

impl Told {
    fn look(&mut self, second: i64, gateway: Outcome, faults: &[Fault]) {
        let ladder = ladder(second, gateway);
        self.traces.take(&ladder);
        let seen = Seen { ladder: &ladder, traces: &self.traces, now: at(second) };
        self.stories.take(&verdict(faults), seen);
    }

    fn calm(&mut self, second: i64) {
        self.look(second, Outcome::Good, &[]);
    }

    fn broken(&mut self, second: i64) {
        self.look(second, SILENT, &[fault(FaultCode::Dns01)]);
    }

    /// Start, end and count of each story, oldest first.
    fn told(&self) -> Vec<(i64, Option<i64>, u32)> {
        let since = |at: Timestamp| at.as_second() - START;
        self.stories
            .told
            .iter()
            .map(|story| (since(story.start), story.end.map(since), story.count))
            .collect()
    }
}

#[test]
fn a_fault_is_a_story_with_its_evidence_last_good_and_first_bad() {
    let mut told = Told::default();
    told.calm(0);
    told.broken(10);
    told.broken(20);
    told.calm(30);
    assert_eq!(told.told(), [(10, Some(30), 1)]);
    let story = &told.stories.told[0];
    assert_eq!(
        (story.code.as_str(), story.owner.as_str(), story.certainty.as_str()),
        ("DNS-01", "line", "likely")
    );
    let look =
        |second, is: &str| Some(Look { at: at(second), is: is.into(), detail: format!("at {second}") });
    let hop = |rung: &str, good, bad| Hop { rung: rung.into(), last_good: look(good, GOOD), first_bad: bad };
    assert_eq!(story.evidence, [hop("link", 10, None), hop("gateway", 0, look(10, "silent"))]);
}

#[test]
fn a_fault_that_comes_back_within_ten_minutes_is_one_story_and_later_another() {
    let mut told = Told::default();
    for second in (0..600).step_by(40) {
        told.broken(second);
        told.calm(second + 20);
    }
    assert_eq!(told.told(), [(0, Some(580), 15)]);
    told.broken(1180);
    told.calm(1190);
    assert_eq!(told.told(), [(0, Some(1190), 16)], "exactly ten minutes");
    told.broken(1791);
    assert_eq!(told.told(), [(0, Some(1190), 16), (1791, None, 1)]);
}

#[test]
fn what_is_only_recorded_and_what_another_terminal_has_are_stories_of_their_own() {
    let mut told = Told::default();
    let of = |name: &str| Fault { terminal: Some(name.into()), ..fault(FaultCode::Term02) };
    told.look(0, Outcome::Good, &[of("t1"), of("t2")]);
    let seen = Seen { ladder: &ladder(10, Outcome::Good), traces: &told.traces, now: at(10) };
    let recorded = Verdict { recorded: vec![fault(FaultCode::Dns02)], ..verdict(&[of("t1")]) };
    told.stories.take(&recorded, seen);
    assert_eq!(told.told(), [(0, None, 1), (0, Some(10), 1), (10, None, 1)]);
}

#[test]
fn the_owner_is_who_it_was_when_that_was_surest() {
    let mut told = Told::default();
    let sure = |certainty, owner| Fault { certainty, owner, ..fault(FaultCode::Ctr02) };
    for (second, certainty, owner) in [
        (0, Certainty::Open, Party::Unknown),
        (10, Certainty::Sure, Party::Centre),
        (20, Certainty::Likely, Party::Line),
    ] {
        told.look(second, SILENT, &[sure(certainty, owner)]);
    }
    let story = &told.stories.told[0];
    assert_eq!((story.owner.as_str(), story.certainty.as_str()), ("centre", "sure"));
}

#[test]
fn a_fault_has_not_gone_because_nobody_could_look_but_after_ten_minutes_its_end_was_not_seen() {
    let mut told = Told::default();
    told.broken(0);
    told.look(10, Outcome::Open, &[]);
    told.broken(20);
    assert_eq!(told.told(), [(0, None, 1)]);
    for second in (30..=620).step_by(10) {
        told.look(second, Outcome::Skipped, &[]);
    }
    assert_eq!(told.told(), [(0, None, 1)]);
    told.look(621, Outcome::Skipped, &[]);
    assert_eq!(told.told(), [(0, Some(20), 1)]);
    assert!(told.stories.told[0].end_unseen);
}

#[test]
fn what_stood_before_the_box_was_off_ends_when_it_was_last_seen() {
    for faults in [&[][..], &[fault(FaultCode::Dns01)]] {
        let mut told = Told::default();
        told.broken(0);
        told.stories.were_seen(at(300));
        told.look(300 + 601, SILENT, faults);
        assert_eq!(told.told()[0], (0, Some(300), 1));
        assert!(told.stories.told[0].end_unseen);
        assert_eq!(told.told().len(), 1 + faults.len(), "and is a new story if it stands");
    }
    let mut told = Told::default();
    told.broken(0);
    told.broken(600);
    assert_eq!(told.told(), [(0, None, 1)], "a short pause is none");
}

#[test]
fn a_new_fault_and_the_end_of_one_that_stood_are_urgent_and_what_flaps_is_not() {
    let mut told = Told::default();
    let mut urgent = |second: i64, broken: bool| {
        if broken {
            told.broken(second)
        } else {
            told.calm(second)
        }
        let urgent = told.stories.is_urgent();
        told.stories.written();
        urgent
    };
    let steps =
        [(0, true), (10, true), (20, false), (30, true), (40, false), (50, true), (640, true), (660, false)];
    let wanted = [true, false, true, false, false, false, false, true];
    assert_eq!(steps.map(|(second, broken)| urgent(second, broken)), wanted);
}

#[test]
fn of_too_many_stories_the_oldest_that_have_ended_go_first_their_facts_before_them() {
    let mut told = Told::default();
    told.look(0, SILENT, &[fault(FaultCode::Wan01)]);
    for number in 1..700 {
        let standing = fault(FaultCode::Wan01);
        told.look(number * 1000 - 500, SILENT, std::slice::from_ref(&standing));
        told.look(number * 1000, SILENT, &[standing.clone(), fault(FaultCode::Dns01)]);
        told.look(number * 1000 + 10, SILENT, &[standing]);
    }
    let stories = &told.stories.told;
    assert!(told.stories.bytes() <= BYTES && stories.len() <= STORIES, "{}", stories.len());
    assert!(stories.len() > 250, "{}", stories.len());
    assert_eq!(stories[0].code, "WAN-01", "it stands");
    assert!(stories[0].end.is_none() && !stories[0].evidence.is_empty());
    assert!(stories[1].evidence.is_empty() && !stories[stories.len() - 1].evidence.is_empty());
}

#[test]
fn a_story_of_next_year_is_kept_and_numbers_go_on_behind_it() {
    let mut told = Told::default();
    told.broken(0);
    let mut other = told.stories.told[0].clone();
    (other.number, other.code) = (70, "WAN-99".into());
    told.stories.restore(other.clone());
    told.stories.restore(Story { number: 71, code: "x".repeat(10_000), ..other.clone() });
    told.look(10, SILENT, &[fault(FaultCode::Dns01), fault(FaultCode::Wan01)]);
    let numbers: Vec<u64> = told.stories.told.iter().map(|story| story.number).collect();
    assert_eq!(numbers, [1, 70, 71]);
    assert_eq!(told.stories.told[1].code, "WAN-99");
    assert_eq!(told.stories.told[2].code, "WAN-01");
}

proptest! {
    #[test]
    fn any_sequence_with_any_clock_leaves_stories_that_begin_before_they_end_and_come_back_from_their_records(
        steps in proptest::collection::vec((0_i64..30, -5000_i64..5000, 0_u8..4, 0_u8..8, any::<bool>()), 1..80)
    ) {
        let (mut told, mut kept, mut second) = (Told::default(), Stories::default(), 0);
        for (seconds, jump, outcome, faults, write) in steps {
            second += seconds + if jump % 10 == 0 { jump } else { 0 };
            let outcome = [Outcome::Good, SILENT, Outcome::Open, Outcome::Skipped][usize::from(outcome)];
            let codes = [FaultCode::Wan01, FaultCode::Dns01, FaultCode::Ctr02];
            let faults: Vec<Fault> =
                codes.iter().enumerate().filter(|(bit, _)| faults >> bit & 1 == 1).map(|(_, code)| fault(*code)).collect();
            told.look(second, outcome, &faults);
            let open = told.stories.told.iter().filter(|story| story.end.is_none());
            let open: Vec<&str> = open.map(|story| story.code.as_str()).collect();
            for fault in &faults {
                prop_assert_eq!(open.iter().filter(|code| **code == fault.code.key()).count(), 1);
            }
            for story in &told.stories.told {
                prop_assert!(story.end.is_none_or(|end| end >= story.again) || story.end_unseen);
            }
            if write {
                for story in told.stories.unwritten(false) {
                    kept.restore(story);
                }
                told.stories.written();
                let unseen = |stories: &Stories| {
                    let mut told = stories.told.clone();
                    told.iter_mut().filter(|story| story.end.is_none()).for_each(|story| story.seen = story.start);
                    told
                };
                prop_assert_eq!(unseen(&kept), unseen(&told.stories));
            }
        }
    }
}
