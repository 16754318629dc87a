//! What the relay says about itself: one part, made of what each lane sees.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use model::opening::clinic_time;
use model::parcel::{
    Direction, Held, HeldReason, Outcome, Outcomes, Pair, ParcelView, Unanswered, Uncollected, WaitReason,
    Waiting,
};
use model::part::RelayPart;
use model::{Observation, Timestamp};
use tokio::sync::watch::Sender;

/// What one lane sees now.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The share of its terminal.
    pub share: Option<Observation>,
    /// What waits, as much of it as is listed.
    pub waiting: Vec<Waiting>,
    /// What is held, as much of it as is listed.
    pub held: Vec<Held>,
    /// How many wait.
    pub waiting_count: u64,
    /// How many are held.
    pub held_count: u64,
    /// What its terminal leaves without an answer.
    pub unanswered: Vec<Unanswered>,
    /// What consumers leave uncollected.
    pub uncollected: Vec<Uncollected>,
}

impl View {
    /// One more that waits; only so many are listed.
    pub fn wait(&mut self, parcel: impl FnOnce() -> ParcelView, reason: WaitReason) {
        self.waiting_count += 1;
        if self.waiting.len() < RelayPart::LISTED {
            self.waiting.push(Waiting { parcel: parcel(), reason });
        }
    }

    /// One more that is held; only so many are listed.
    pub fn hold(&mut self, parcel: impl FnOnce() -> ParcelView, reason: HeldReason) {
        self.held_count += 1;
        if self.held.len() < RelayPart::LISTED {
            self.held.push(Held { parcel: parcel(), reason });
        }
    }
}

/// Joins the lanes' views and counts the day.
#[derive(Debug)]
pub struct Report {
    part: Sender<RelayPart>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    views: BTreeMap<String, View>,
    day: Option<jiff::civil::Date>,
    pairs: Vec<Pair>,
    requests: u64,
    answers: u64,
    /// None unless they are counted.
    outcomes: Option<Outcomes>,
}

impl Report {
    /// A report that is published through `part`, with what answers say or without.
    pub fn new(part: Sender<RelayPart>, count_outcomes: bool) -> Self {
        let inner = Inner { outcomes: count_outcomes.then(Outcomes::default), ..Inner::default() };
        Self { part, inner: Mutex::new(inner) }
    }

    /// A lane's view, now.
    pub fn see(&self, lane: &str, view: View, now: Timestamp) {
        let mut inner = self.inner(now);
        inner.views.insert(lane.to_owned(), view);
        // Also when nothing changed: its readers stamp what they get, and a relay that says nothing is soon unknown.
        self.part.send_replace(inner.part());
    }

    /// So many were published on an end. Said with the lane's next view.
    pub fn went(&self, direction: Direction, count: u64, now: Timestamp) {
        if direction == Direction::Request {
            self.inner(now).requests += count;
        }
    }

    /// One stands in the clinic's folders; `pair` if its request is known. Said with the lane's next view.
    pub fn came(&self, direction: Direction, pair: Option<Pair>, now: Timestamp) {
        if direction == Direction::Request {
            return;
        }
        let mut inner = self.inner(now);
        inner.answers += 1;
        inner.pairs.extend(pair);
        let over = inner.pairs.len().saturating_sub(RelayPart::PAIRS_KEPT);
        inner.pairs.drain(..over);
    }

    /// An answer that was looked into said this. Said with the lane's next view.
    pub fn said(&self, outcome: Outcome, now: Timestamp) {
        if let Some(outcomes) = &mut self.inner(now).outcomes {
            outcomes.count(outcome, now);
        }
    }

    fn inner(&self, now: Timestamp) -> std::sync::MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.turn_day(now);
        inner
    }
}

impl Inner {
    fn turn_day(&mut self, now: Timestamp) {
        let today = now.to_zoned(clinic_time()).date();
        if self.day != Some(today) {
            (self.day, self.requests, self.answers) = (Some(today), 0, 0);
            self.pairs.clear();
            self.outcomes = self.outcomes.map(|_| Outcomes::default());
        }
    }

    fn part(&self) -> RelayPart {
        let mut part = RelayPart {
            pairs: self.pairs.clone(),
            requests_today: self.requests,
            answers_today: self.answers,
            outcomes: self.outcomes,
            ..RelayPart::default()
        };
        for view in self.views.values() {
            part.shares.extend(view.share.clone());
            part.waiting.extend(view.waiting.iter().cloned());
            part.held.extend(view.held.iter().cloned());
            part.unanswered.extend(view.unanswered.iter().cloned());
            part.uncollected.extend(view.uncollected.iter().cloned());
            part.waiting_count += view.waiting_count;
            part.held_count += view.held_count;
        }
        part.waiting.sort_by_key(|waiting| waiting.parcel.since);
        part.held.sort_by_key(|held| held.parcel.since);
        part.waiting.truncate(RelayPart::LISTED);
        part.held.truncate(RelayPart::LISTED);
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> (Report, tokio::sync::watch::Receiver<RelayPart>) {
        let (sender, receiver) = tokio::sync::watch::channel(RelayPart::default());
        (Report::new(sender, false), receiver)
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_counts_begin_again_at_midnight_in_japan() {
        let (report, receiver) = report();
        let said = |now| {
            report.see("t1", View::default(), at(now));
            let part = receiver.borrow();
            (part.requests_today, part.answers_today, part.pairs.len())
        };
        let pair = Pair { at: at("2026-11-22T14:59:58Z"), took_ms: 900.0 };
        report.went(Direction::Request, 1, at("2026-11-22T14:59:58Z"));
        report.came(Direction::Answer, Some(pair), at("2026-11-22T14:59:59Z"));
        assert_eq!(said("2026-11-22T14:59:59Z"), (1, 1, 1));
        report.went(Direction::Request, 1, at("2026-11-22T15:00:00Z"));
        assert_eq!(said("2026-11-22T15:00:00Z"), (1, 0, 0));
    }

    #[test]
    fn only_the_newest_pairs_are_kept() {
        let (report, receiver) = report();
        let now = at("2026-11-22T03:00:00Z");
        for n in 0..RelayPart::PAIRS_KEPT + 2 {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            report.came(Direction::Answer, Some(Pair { at: now, took_ms: n as f64 }), now);
        }
        report.see("t1", View::default(), now);
        assert_eq!(receiver.borrow().pairs.len(), RelayPart::PAIRS_KEPT);
        assert!((receiver.borrow().pairs[0].took_ms - 2.0).abs() < 0.1);
    }

    #[test]
    fn however_many_wait_only_so_many_are_listed_and_all_are_counted() {
        let (report, receiver) = report();
        let now = at("2026-11-22T03:00:00Z");
        let parcel = || ParcelView { number: 1, kind: "k".into(), hash: "h".into(), bytes: 1, since: now };
        for lane in ["t1", "t2"] {
            let mut view = View::default();
            for _ in 0..RelayPart::LISTED + 1 {
                view.wait(parcel, WaitReason::InTurn);
                view.hold(parcel, HeldReason::Empty);
            }
            report.see(lane, view, now);
        }
        let part = receiver.borrow();
        assert_eq!((part.waiting.len(), part.held.len()), (RelayPart::LISTED, RelayPart::LISTED));
        assert_eq!(part.waiting_count, 2 * (RelayPart::LISTED as u64 + 1));
    }
}
