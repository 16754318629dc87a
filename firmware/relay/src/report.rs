//! What the relay says about itself: one part, made of what each lane sees.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::parcel::{
    Direction, Held, HeldReason, Outcome, Pair, ParcelView, Unanswered, Uncollected, WaitReason, Waiting,
};
use model::part::RelayPart;
use model::{Observation, Timestamp};
use tokio::sync::watch::Sender;

use crate::history::{Day, Event, History};
use crate::site::HistoryBy;

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
    /// How many files of no known kind lie on the terminal where answers are.
    pub strangers: u64,
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
    inner: Arc<Mutex<Inner>>,
    history: Option<History>,
}

#[derive(Debug)]
struct Inner {
    views: BTreeMap<String, View>,
    day: Day,
    count_outcomes: bool,
}

impl Report {
    /// A report that is published through `part`, with what answers say or without. It remembers nothing.
    pub fn new(part: Sender<RelayPart>, count_outcomes: bool) -> Self {
        let inner = Inner { views: BTreeMap::new(), day: Day::of(Timestamp::now()), count_outcomes };
        Self { part, inner: Arc::new(Mutex::new(inner)), history: None }
    }

    /// The same, with the history that lies in the relay's own folder. What the day was before a restart comes to it
    /// when it is known; nobody waits for it.
    pub fn remembering(mut self, relay: &Path, by: &HistoryBy) -> Self {
        let inner = self.inner.clone();
        let loaded = move |before| lock(&inner, Timestamp::now()).day.follow(before);
        match History::start(relay, by, loaded) {
            Ok(history) => self.history = Some(history),
            Err(error) => tracing::error!(%error, "there is no history until the next start"),
        }
        self
    }

    /// The history, if there is one.
    pub const fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }

    /// A lane's view, now.
    pub fn see(&self, lane: &str, view: View, now: Timestamp) {
        let mut inner = self.inner(now);
        inner.views.insert(lane.to_owned(), view);
        // Also when nothing changed: its readers stamp what they get, and a relay that says nothing is soon unknown.
        self.part.send_replace(inner.part());
    }

    /// These were published on an end. Said with the lane's next view.
    pub fn went(&self, direction: Direction, parcels: Vec<(u64, String)>, now: Timestamp) {
        for (number, kind) in parcels {
            self.count(Event::Went { number, kind, direction, at: now });
        }
    }

    /// One stands in the clinic's folders; `pair` if its request is known. Said with the lane's next view.
    pub fn came(
        &self,
        direction: Direction,
        (number, kind): (u64, &str),
        pair: Option<Pair>,
        now: Timestamp,
    ) {
        self.count(Event::Came { number, kind: kind.to_owned(), direction, at: now, pair });
    }

    /// An answer that was looked into said this. Said with the lane's next view.
    pub fn said(&self, outcome: Outcome, now: Timestamp) {
        self.count(Event::Said { outcome, at: now });
    }

    fn count(&self, event: Event) {
        self.inner(event.at()).day.apply(&event);
        if let Some(history) = &self.history {
            history.tell(event);
        }
    }

    fn inner(&self, now: Timestamp) -> MutexGuard<'_, Inner> {
        lock(&self.inner, now)
    }
}

fn lock(inner: &Mutex<Inner>, now: Timestamp) -> MutexGuard<'_, Inner> {
    let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
    inner.day.turn(now);
    inner
}

impl Inner {
    fn part(&self) -> RelayPart {
        let mut part = RelayPart {
            pairs: self.day.pairs.clone(),
            requests_today: self.day.requests,
            answers_today: self.day.answers,
            outcomes: self.count_outcomes.then_some(self.day.outcomes),
            ..RelayPart::default()
        };
        for view in self.views.values() {
            part.shares.extend(view.share.clone());
            part.waiting.extend(view.waiting.iter().cloned());
            part.held.extend(view.held.iter().cloned());
            part.unanswered.extend(view.unanswered.iter().cloned());
            part.uncollected.extend(view.uncollected.iter().cloned());
            part.strangers += view.strangers;
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
        report.went(Direction::Request, vec![(1, "k".into())], at("2026-11-22T14:59:58Z"));
        report.came(Direction::Answer, (3, "k"), Some(pair), at("2026-11-22T14:59:59Z"));
        assert_eq!(said("2026-11-22T14:59:59Z"), (1, 1, 1));
        report.went(Direction::Request, vec![(2, "k".into())], at("2026-11-22T15:00:00Z"));
        assert_eq!(said("2026-11-22T15:00:00Z"), (1, 0, 0));
    }

    #[test]
    fn only_the_newest_pairs_are_kept() {
        let (report, receiver) = report();
        let now = at("2026-11-22T03:00:00Z");
        for n in 0..RelayPart::PAIRS_KEPT + 2 {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            report.came(Direction::Answer, (3, "k"), Some(Pair { at: now, took_ms: n as f64 }), now);
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
