//! What is remembered of the terminals' own requests, and what follows from it. Pure: what was heard goes in with its
//! time, a part comes out. Bounded, whatever is heard.
//!
//! One packet accuses nobody. A question for a name is sent again for some fifteen seconds before it is given up, to each
//! server; a browser opens several connections within a second. So what is told must go on for longer than either.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use model::flows::{Failing, FlowsPart};
use tokio::time::Instant;

use super::notice::Notice;

/// What is older counts no more.
pub(super) const OF_LATE: Duration = Duration::from_secs(60);
/// So many questions elsewhere,
const QUESTIONS: usize = 4;
/// and so long from the first to the last.
const ASKED_FOR: Duration = Duration::from_secs(20);
/// So many connections that fail,
const CONNECTIONS: usize = 3;
/// begun in no shorter time.
const TRIED_FOR: Duration = Duration::from_secs(10);
/// A connection without an answer for so long has none: the opening was sent three times by then (RFC 6298 section 2).
const NO_ANSWER: Duration = Duration::from_secs(5);
/// So much of each is kept.
const KEPT: usize = 256;

const TCP: u8 = 6;

/// What a flow is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A question to a resolver that is right: the box, or one of the closed network.
    Question,
    /// A connection to the closed network.
    Connection,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    Silent,
    Refused,
}

#[derive(Debug)]
struct Open {
    purpose: Purpose,
    port: u16,
    begun: Instant,
    /// Its fate is known.
    told: bool,
}

#[derive(Debug)]
struct Tried {
    port: u16,
    begun: Instant,
    fate: Fate,
}

/// The terminals' own requests of late.
#[derive(Debug, Default)]
pub(super) struct Memory {
    open: BTreeMap<u32, Open>,
    tried: VecDeque<Tried>,
    /// When the last question to a right resolver began or ended.
    asked_rightly: Option<Instant>,
    asked_elsewhere: VecDeque<Instant>,
}

impl Memory {
    /// A question to a resolver that is none of ours was refused.
    pub(super) fn asked_elsewhere(&mut self, now: Instant) {
        self.asked_elsewhere.push_back(now);
        if self.asked_elsewhere.len() > KEPT {
            self.asked_elsewhere.pop_front();
        }
    }

    /// A flow of the terminals'.
    pub(super) fn take(&mut self, notice: &Notice, purpose: Purpose, now: Instant) {
        if purpose == Purpose::Question {
            self.asked_rightly = Some(now);
        }
        let [_, port] = notice.opening.services;
        match (notice.ended, notice.opening.protocol == TCP) {
            (true, _) => self.end(notice.id, now),
            (false, is_tcp) if purpose == Purpose::Question || is_tcp => {
                self.go_on(notice, purpose, port, now);
            }
            _ => {}
        }
    }

    fn go_on(&mut self, notice: &Notice, purpose: Purpose, port: u16, now: Instant) {
        // Of too many the oldest are not watched any more.
        if self.open.len() >= KEPT && !self.open.contains_key(&notice.id) {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.begun).map(|(id, _)| *id);
            oldest.map(|id| self.open.remove(&id));
        }
        let open = self.open.entry(notice.id);
        let open = open.or_insert(Open { purpose, port, begun: now, told: false });
        if notice.answered && !open.told {
            open.told = true;
            let begun = open.begun;
            self.note(port, begun, Fate::Answered, purpose);
        }
    }

    /// The kernel forgets a connection at once whose only answer is a reset; any other that is not answered it keeps for
    /// two minutes.
    fn end(&mut self, id: u32, now: Instant) {
        let Some(open) = self.open.remove(&id) else { return };
        if open.purpose == Purpose::Question {
            self.asked_rightly = Some(now);
        } else if !open.told {
            self.note(open.port, open.begun, Fate::Refused, open.purpose);
        }
    }

    fn note(&mut self, port: u16, begun: Instant, fate: Fate, purpose: Purpose) {
        if purpose == Purpose::Connection {
            self.tried.push_back(Tried { port, begun, fate });
            if self.tried.len() > KEPT {
                self.tried.pop_front();
            }
        }
    }

    /// What follows now.
    pub(super) fn conclude(&mut self, now: Instant) -> FlowsPart {
        let silent = |open: &&mut Open| {
            let waits = now.saturating_duration_since(open.begun) >= NO_ANSWER;
            open.purpose == Purpose::Connection && !open.told && waits
        };
        for open in self.open.values_mut().filter(silent) {
            open.told = true;
            self.tried.push_back(Tried { port: open.port, begun: open.begun, fate: Fate::Silent });
        }
        let of_late = |at: Instant| now.saturating_duration_since(at) <= OF_LATE;
        self.tried.retain(|tried| of_late(tried.begun));
        self.asked_elsewhere.retain(|at| of_late(*at));
        FlowsPart { asks_elsewhere: self.asks_elsewhere(now), fails: self.fails() }
    }

    fn asks_elsewhere(&self, now: Instant) -> bool {
        let open = self.open.values().any(|open| open.purpose == Purpose::Question);
        let rightly = |at: Instant| now.saturating_duration_since(at) <= OF_LATE;
        let long = goes_on(self.asked_elsewhere.iter().copied()) >= ASKED_FOR;
        let often = self.asked_elsewhere.len() >= QUESTIONS;
        often && long && !open && !self.asked_rightly.is_some_and(rightly)
    }

    fn fails(&self) -> Option<Failing> {
        let all = || self.tried.iter();
        let often = self.tried.len() >= CONNECTIONS && all().all(|tried| tried.fate != Fate::Answered);
        if !often || goes_on(all().map(|tried| tried.begun)) < TRIED_FOR {
            return None;
        }
        let mut ports: Vec<u16> = all().map(|tried| tried.port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports.truncate(Failing::PORTS);
        Some(Failing { refused: all().all(|tried| tried.fate == Fate::Refused), ports })
    }
}

/// From the first to the last.
fn goes_on(times: impl Iterator<Item = Instant> + Clone) -> Duration {
    let (first, last) = (times.clone().min(), times.max());
    first.zip(last).map_or(Duration::ZERO, |(first, last)| last.saturating_duration_since(first))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
