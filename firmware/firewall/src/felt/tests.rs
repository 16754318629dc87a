//! What is concluded from what was heard, and what is not.

use proptest::prelude::*;

use super::*;
use crate::flows::Opening;

fn notice(id: u32, port: u16, answered: bool, ended: bool) -> Notice {
    let opening = Opening {
        source: [192, 0, 2, 2].into(),
        destination: [203, 0, 113, 10].into(),
        protocol: TCP,
        services: [40_000, port],
        icmp: [0, 0],
    };
    Notice { id, opening, answered, ended }
}

/// A memory, and the time in it.
struct Story(Memory, Instant);

impl Story {
    fn new() -> Self {
        Self(Memory::default(), Instant::now())
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.1 += Duration::from_secs(seconds);
        self
    }

    fn hear(&mut self, notice: &Notice, purpose: Purpose) {
        self.0.take(notice, purpose, self.1);
    }

    fn begins(&mut self, id: u32, port: u16) {
        self.hear(&notice(id, port, false, false), Purpose::Connection);
    }

    fn is_answered(&mut self, id: u32) {
        self.hear(&notice(id, 443, true, false), Purpose::Connection);
    }

    fn is_reset(&mut self, id: u32, port: u16) {
        self.begins(id, port);
        self.hear(&notice(id, port, false, true), Purpose::Connection);
    }

    fn asks_elsewhere(&mut self) {
        self.0.asked_elsewhere(self.1);
    }

    fn now(&mut self) -> FlowsPart {
        self.0.conclude(self.1)
    }
}

#[test]
fn connections_without_an_answer_are_told_when_there_are_three_over_ten_seconds() {
    let mut story = Story::new();
    for id in 0..3 {
        story.begins(id, 443);
        story.after(5);
        assert_eq!(story.now().fails.is_some(), id == 2, "{id}");
        story.after(1);
    }
    let fails = story.now().fails.unwrap();
    assert_eq!((fails.refused, fails.ports.as_slice()), (false, [443].as_slice()));
    story.after(60);
    assert_eq!(story.now(), FlowsPart::default(), "that is long ago");
}

#[test]
fn one_answer_clears_them_all_and_several_at_once_are_one() {
    let mut story = Story::new();
    for id in 0..4 {
        story.begins(id, 443);
        story.after(4);
    }
    story.is_answered(3);
    story.after(3);
    assert_eq!(story.now(), FlowsPart::default());
    let mut story = Story::new();
    (0..20).for_each(|id| story.begins(id, 443));
    story.after(6);
    assert_eq!(story.now(), FlowsPart::default(), "a browser tries several addresses at once");
}

#[test]
fn a_reset_is_told_as_that_unless_some_stay_silent() {
    let mut story = Story::new();
    for (id, port) in [(0, 443), (1, 80), (2, 443)] {
        story.is_reset(id, port);
        story.after(5);
    }
    let fails = story.now().fails.unwrap();
    assert_eq!((fails.refused, fails.to_string().as_str()), (true, "TCP 80, 443"));
    story.begins(3, 443);
    story.after(5);
    assert!(!story.now().fails.unwrap().refused);
}

#[test]
fn what_ends_after_an_answer_or_after_its_silence_was_told_is_told_once() {
    let mut story = Story::new();
    for id in 0..3 {
        story.begins(id, 443);
        story.is_answered(id);
        story.hear(&notice(id, 443, true, true), Purpose::Connection);
        story.after(6);
    }
    assert_eq!(story.now(), FlowsPart::default());
    let mut story = Story::new();
    story.begins(0, 443);
    story.after(6).now();
    story.is_reset(0, 443);
    story.after(6);
    assert_eq!(story.now(), FlowsPart::default(), "one connection is one");
}

#[test]
fn questions_elsewhere_are_told_when_they_outlast_one_question_s_tries() {
    let mut story = Story::new();
    for pause in [1, 2, 4, 8, 0] {
        story.asks_elsewhere();
        story.asks_elsewhere();
        assert!(!story.now().asks_elsewhere, "one name, asked for again");
        story.after(pause);
    }
    story.after(5);
    story.asks_elsewhere();
    assert!(story.now().asks_elsewhere);
    story.after(61);
    assert!(!story.now().asks_elsewhere, "it does so no more");
}

#[test]
fn who_asks_a_right_resolver_as_well_is_not_told_also_while_the_question_s_flow_lasts() {
    let mut story = Story::new();
    let question = |ended| notice(7, 53, false, ended);
    story.hear(&question(false), Purpose::Question);
    for _ in 0..20 {
        story.after(10).asks_elsewhere();
        assert!(!story.now().asks_elsewhere);
    }
    story.hear(&question(true), Purpose::Question);
    for _ in 0..6 {
        story.after(10).asks_elsewhere();
        assert!(!story.now().asks_elsewhere);
    }
    story.after(10).asks_elsewhere();
    assert!(story.now().asks_elsewhere);
}

#[test]
fn a_flood_keeps_no_more_than_so_much() {
    let mut story = Story::new();
    for id in 0..5000 {
        story.begins(id, 443);
        story.asks_elsewhere();
        story.is_reset(100_000 + id, 443);
    }
    story.after(5).now();
    let Memory { open, tried, asked_elsewhere, .. } = &story.0;
    assert!(open.len() <= KEPT && tried.len() <= 2 * KEPT && asked_elsewhere.len() <= KEPT);
}

proptest! {
    /// Without a failure nothing is told, in whatever order flows are heard of.
    #[test]
    fn what_is_answered_is_never_told(heard in proptest::collection::vec((0_u32..9, any::<bool>(), 0_u64..20), 0..60)) {
        let mut story = Story::new();
        for (id, ended, pause) in heard {
            story.hear(&notice(id, 443, true, ended), Purpose::Connection);
            story.after(pause);
            prop_assert_eq!(story.now(), FlowsPart::default());
        }
    }
}
