//! What the relay says about itself: one part, made of what each lane sees.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::tz::{self, TimeZone};
use model::parcel::{Held, Pair, Waiting};
use model::part::RelayPart;
use model::{Observation, Timestamp};
use tokio::sync::watch::Sender;

/// What one lane sees now.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The share of its terminal.
    pub share: Option<Observation>,
    /// What waits.
    pub waiting: Vec<Waiting>,
    /// What is held.
    pub held: Vec<Held>,
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
}

impl Report {
    /// A report that is published through `part`.
    pub fn new(part: Sender<RelayPart>) -> Self {
        Self { part, inner: Mutex::default() }
    }

    /// A lane's view, now.
    pub fn see(&self, lane: &str, view: View, now: Timestamp) {
        self.change(now, |inner| {
            inner.views.insert(lane.to_owned(), view);
        });
    }

    /// A request was published.
    pub fn request(&self, now: Timestamp) {
        self.change(now, |inner| inner.requests += 1);
    }

    /// An answer stands in the clinic's share; `pair` if its request is known.
    pub fn answer(&self, pair: Option<Pair>, now: Timestamp) {
        self.change(now, |inner| {
            inner.answers += 1;
            inner.pairs.extend(pair);
            let over = inner.pairs.len().saturating_sub(RelayPart::PAIRS_KEPT);
            inner.pairs.drain(..over);
        });
    }

    fn change(&self, now: Timestamp, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.turn_day(now);
        change(&mut inner);
        // Also when nothing changed: its readers stamp what they get, and a relay that says nothing is soon unknown.
        self.part.send_replace(inner.part());
    }
}

impl Inner {
    fn turn_day(&mut self, now: Timestamp) {
        let today = now.to_zoned(clinic_time()).date();
        if self.day != Some(today) {
            (self.day, self.requests, self.answers) = (Some(today), 0, 0);
            self.pairs.clear();
        }
    }

    fn part(&self) -> RelayPart {
        let mut part = RelayPart {
            pairs: self.pairs.clone(),
            requests_today: self.requests,
            answers_today: self.answers,
            ..RelayPart::default()
        };
        for view in self.views.values() {
            part.shares.extend(view.share.clone());
            part.waiting.extend(view.waiting.iter().cloned());
            part.held.extend(view.held.iter().cloned());
        }
        part.waiting.sort_by_key(|waiting| waiting.parcel.since);
        part.held.sort_by_key(|held| held.parcel.since);
        part
    }
}

/// The clinic's day is Japan's, which has one offset all year.
fn clinic_time() -> TimeZone {
    TimeZone::fixed(tz::offset(9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_begin_again_at_midnight_in_japan() {
        let (sender, receiver) = tokio::sync::watch::channel(RelayPart::default());
        let report = Report::new(sender);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        report.request(at("2026-11-22T14:59:58Z"));
        let pair = Pair { at: at("2026-11-22T14:59:58Z"), took_ms: 900.0 };
        report.answer(Some(pair), at("2026-11-22T14:59:59Z"));
        assert_eq!((receiver.borrow().requests_today, receiver.borrow().pairs.len()), (1, 1));
        report.request(at("2026-11-22T15:00:00Z"));
        assert_eq!((receiver.borrow().requests_today, receiver.borrow().answers_today), (1, 0));
        assert!(receiver.borrow().pairs.is_empty());
    }

    #[test]
    fn only_the_newest_pairs_are_kept() {
        let (sender, receiver) = tokio::sync::watch::channel(RelayPart::default());
        let report = Report::new(sender);
        let now = "2026-11-22T03:00:00Z".parse().unwrap();
        for n in 0..RelayPart::PAIRS_KEPT + 2 {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            report.answer(Some(Pair { at: now, took_ms: n as f64 }), now);
        }
        assert_eq!(receiver.borrow().pairs.len(), RelayPart::PAIRS_KEPT);
        assert!((receiver.borrow().pairs[0].took_ms - 2.0).abs() < 0.1);
    }
}
