//! One day's counts, as the report and the history both keep them.

use jiff::civil::Date;
use model::Timestamp;
use model::opening::clinic_time;
use model::parcel::{Day as Row, Direction, Outcome, Outcomes, Pair};
use model::part::RelayPart;
use serde::{Deserialize, Serialize};

/// Something that is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A parcel was published on an end.
    Went {
        /// Its journal number.
        number: u64,
        /// Its kind's key.
        kind: String,
        /// Which way it travels.
        direction: Direction,
        /// When.
        at: Timestamp,
    },
    /// A parcel stands in the clinic's folders.
    Came {
        /// Its journal number.
        number: u64,
        /// Its kind's key.
        kind: String,
        /// Which way it travels.
        direction: Direction,
        /// When.
        at: Timestamp,
        /// Its request, if that is known.
        pair: Option<Pair>,
    },
    /// An answer said this.
    Said {
        /// What.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
}

impl Event {
    /// When it happened.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Went { at, .. } | Self::Came { at, .. } | Self::Said { at, .. } => *at,
        }
    }
}

/// The counts of one day in Japan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Which day.
    pub date: Date,
    /// Requests published.
    pub requests: u64,
    /// Answers delivered.
    pub answers: u64,
    /// Request and answer, oldest first, at most [`RelayPart::PAIRS_KEPT`].
    pub pairs: Vec<Pair>,
    /// What answers said.
    pub outcomes: Outcomes,
}

impl Day {
    /// A day without anything yet.
    pub fn of(now: Timestamp) -> Self {
        let date = date_of(now);
        Self { date, requests: 0, answers: 0, pairs: Vec::new(), outcomes: Outcomes::default() }
    }

    /// The day it is now: another one begins from nought.
    pub fn turn(&mut self, now: Timestamp) {
        if self.date != date_of(now) {
            *self = Self::of(now);
        }
    }

    /// One more.
    pub fn apply(&mut self, event: &Event) {
        self.turn(event.at());
        match event {
            Event::Went { direction: Direction::Request, .. } => self.requests += 1,
            Event::Came { direction: Direction::Answer, pair, .. } => {
                self.answers += 1;
                self.pairs.extend(*pair);
                self.bound();
            }
            Event::Said { outcome, at } => self.outcomes.count(*outcome, *at),
            Event::Went { .. } | Event::Came { .. } => {}
        }
    }

    /// What this day was before a restart comes to what it has been since.
    pub fn follow(&mut self, before: Self) {
        if before.date != self.date {
            return;
        }
        self.requests += before.requests;
        self.answers += before.answers;
        self.pairs.splice(0..0, before.pairs);
        self.bound();
        self.outcomes = before.outcomes.and_then(self.outcomes);
    }

    /// As it is remembered.
    pub fn row(&self) -> Row {
        let timed = RelayPart { pairs: self.pairs.clone(), ..RelayPart::default() };
        Row {
            date: self.date.to_string(),
            requests: self.requests,
            answers: self.answers,
            median_ms: timed.quantile_ms(0.5),
            p95_ms: timed.quantile_ms(0.95),
            outcomes: self.outcomes,
        }
    }

    fn bound(&mut self) {
        let over = self.pairs.len().saturating_sub(RelayPart::PAIRS_KEPT);
        self.pairs.drain(..over);
    }
}

/// The day it is in Japan.
pub fn date_of(now: Timestamp) -> Date {
    now.to_zoned(clinic_time()).date()
}
