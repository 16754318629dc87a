//! The stories of faults: when, how often, whose, and on what evidence. Pure: verdicts go in, stories come out.

use std::collections::BTreeSet;

use model::past::{Hop, Look, Story, key};
use model::{Certainty, Fault, Observation, Outcome, Timestamp, Verdict};

use super::trace::Traces;

/// The most stories, and the most bytes of them, about: of the oldest that have ended first their facts go, then they.
const STORIES: usize = 500;
const BYTES: usize = 80 * 1024;
/// Longest name taken from a file.
const NAME: usize = 60;

/// What was seen with a verdict.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The newest observation of every rung.
    pub ladder: &'a [Observation],
    /// Last good and first bad of every rung.
    pub traces: &'a Traces,
    /// When.
    pub now: Timestamp,
}

/// The stories, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Stories {
    told: Vec<Story>,
    newest: u64,
    fresh: BTreeSet<u64>,
    urgent: bool,
}

impl Stories {
    /// Takes in a verdict.
    pub fn take(&mut self, verdict: &Verdict, seen: Seen<'_>) {
        let faults: Vec<&Fault> = verdict.alarms().chain(&verdict.recorded).collect();
        for at in 0..self.told.len() {
            self.miss(at, &faults, seen);
        }
        for fault in faults {
            self.stand(fault, seen);
        }
        self.bound();
    }

    /// Whether something happened that should be durable at once: a fault is new, or one that stood has ended. What
    /// flaps is counted, and waits.
    pub const fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether something is not durable.
    pub fn has_news(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Ends a story whose fault is not in the verdict any more, or was not seen for too long.
    fn miss(&mut self, at: usize, faults: &[&Fault], Seen { ladder, now, .. }: Seen<'_>) {
        let Some(story) = self.told.get_mut(at).filter(|story| story.end.is_none()) else { return };
        let lost = away(now, story.seen) > Story::SAME_S;
        let stands = faults.iter().any(|fault| is_of(story, fault));
        if !lost && (stands || is_undecided(story, ladder)) {
            return;
        }
        story.end = Some(if lost { story.seen } else { now.max(story.again) });
        story.end_unseen = lost;
        self.urgent |= story.count == 1 || away(now, story.again) >= Story::SAME_S;
        self.fresh.insert(story.number);
    }

    fn stand(&mut self, fault: &Fault, seen: Seen<'_>) {
        let now = seen.now;
        let stands = |story: &Story| is_of(story, fault) && story.end.is_none();
        let returns = |story: &Story| {
            is_of(story, fault) && story.end.is_some_and(|end| away(now, end) <= Story::SAME_S)
        };
        let at = self.told.iter().rposition(stands).or_else(|| self.told.iter().rposition(returns));
        let Some(story) = at.and_then(|at| self.told.get_mut(at)) else {
            return self.begin(fault, seen);
        };
        if story.end.take().is_some() {
            story.count = story.count.saturating_add(1);
            (story.again, story.end_unseen) = (now, false);
            self.fresh.insert(story.number);
        }
        story.seen = now;
        if learn(story, fault, seen) {
            self.fresh.insert(story.number);
        }
    }

    fn begin(&mut self, fault: &Fault, seen: Seen<'_>) {
        self.newest = self.newest.saturating_add(1);
        let now = Timestamp::from_second(seen.now.as_second()).unwrap_or(seen.now);
        let mut story = Story {
            number: self.newest,
            code: fault.code.key().to_owned(),
            terminal: fault.terminal.clone(),
            owner: fault.owner.key().to_owned(),
            certainty: key(&fault.certainty),
            start: now,
            end: None,
            seen: now,
            again: now,
            count: 1,
            end_unseen: false,
            evidence: Vec::new(),
        };
        learn(&mut story, fault, seen);
        self.fresh.insert(story.number);
        self.told.push(story);
        self.urgent = true;
    }

    /// The stories, newest first.
    pub fn newest_first(&self) -> Vec<Story> {
        self.told.iter().rev().cloned().collect()
    }

    /// What is not durable yet, or everything.
    pub fn unwritten(&self, everything: bool) -> Vec<Story> {
        let wanted = |story: &&Story| everything || self.fresh.contains(&story.number);
        self.told.iter().filter(wanted).cloned().collect()
    }

    /// Everything is durable now.
    pub fn written(&mut self) {
        self.fresh.clear();
        self.urgent = false;
    }

    /// Puts back what was durable.
    pub fn restore(&mut self, mut story: Story) {
        let names = [&story.code, &story.owner, &story.certainty];
        let terminal = story.terminal.as_ref().map_or(0, String::len);
        if names.iter().any(|name| name.len() > NAME) || terminal > NAME {
            return;
        }
        story.evidence.truncate(Story::HOPS);
        for look in
            story.evidence.iter_mut().flat_map(|hop| [&mut hop.last_good, &mut hop.first_bad]).flatten()
        {
            look.detail = look.detail.chars().take(Look::DETAIL).collect();
        }
        self.newest = self.newest.max(story.number);
        match self.told.binary_search_by_key(&story.number, |told| told.number) {
            Ok(at) => {
                if let Some(told) = self.told.get_mut(at) {
                    *told = story;
                }
            }
            Err(at) => self.told.insert(at, story),
        }
        self.bound();
    }

    /// Those that stand were seen until then: the strips are written more often than they.
    pub fn were_seen(&mut self, until: Timestamp) {
        for story in self.told.iter_mut().filter(|story| story.end.is_none()) {
            story.seen = story.seen.max(until);
        }
    }

    fn bound(&mut self) {
        while self.told.len() > STORIES {
            self.forget_one();
        }
        let mut surplus = self.bytes().saturating_sub(BYTES);
        while surplus > 0 && !self.told.is_empty() {
            let with_facts = |story: &&mut Story| story.end.is_some() && !story.evidence.is_empty();
            let gone = match self.told.iter_mut().find(with_facts) {
                Some(story) => {
                    let before = weight(story);
                    story.evidence = Vec::new();
                    before - weight(story)
                }
                None => self.forget_one(),
            };
            surplus = surplus.saturating_sub(gone);
        }
    }

    /// Forgets the oldest that has ended; where none has, the oldest. Says how many bytes that was.
    fn forget_one(&mut self) -> usize {
        let at = self.told.iter().position(|story| story.end.is_some()).unwrap_or(0);
        if at >= self.told.len() {
            return 0;
        }
        let gone = self.told.remove(at);
        self.fresh.remove(&gone.number);
        weight(&gone)
    }

    /// The bytes in memory, about.
    pub fn bytes(&self) -> usize {
        self.told.iter().map(weight).sum()
    }
}

fn weight(story: &Story) -> usize {
    let look = |look: &Option<Look>| look.as_ref().map_or(0, |look| look.is.len() + look.detail.len());
    let hop = |hop: &Hop| size_of::<Hop>() + hop.rung.len() + look(&hop.last_good) + look(&hop.first_bad);
    let names = story.code.len() + story.owner.len() + story.certainty.len();
    size_of::<Story>() + names + story.evidence.iter().map(hop).sum::<usize>()
}

fn away(one: Timestamp, other: Timestamp) -> i64 {
    (one.as_second() - other.as_second()).abs()
}

fn is_of(story: &Story, fault: &Fault) -> bool {
    story.code == fault.code.key() && story.terminal == fault.terminal
}

/// Whether nothing can be said now of the rungs that were broken: a fault has not gone because nobody could look.
fn is_undecided(story: &Story, ladder: &[Observation]) -> bool {
    let mut broken = story.evidence.iter().filter(|hop| hop.first_bad.is_some()).peekable();
    broken.peek().is_some()
        && broken.all(|hop| {
            let of = |seen: &&Observation| {
                key(&seen.rung) == hop.rung && (seen.terminal.is_none() || seen.terminal == story.terminal)
            };
            ladder.iter().find(of).is_none_or(|seen| matches!(seen.outcome, Outcome::Open | Outcome::Skipped))
        })
}

/// Takes over what a fault says that the story does not say yet.
fn learn(story: &mut Story, fault: &Fault, seen: Seen<'_>) -> bool {
    let mut news = false;
    if rank(&key(&fault.certainty)) > rank(&story.certainty) {
        story.certainty = key(&fault.certainty);
        story.owner = fault.owner.key().to_owned();
        news = true;
    }
    for rung in fault.evidence.iter().map(key) {
        if story.evidence.iter().any(|known| known.rung == rung && known.first_bad.is_some()) {
            continue;
        }
        let hop = hop(rung, story.terminal.as_deref(), seen);
        let full = story.evidence.len() >= Story::HOPS;
        match story.evidence.iter_mut().find(|known| known.rung == hop.rung) {
            Some(old) if old.first_bad.is_none() && hop.first_bad.is_some() => (*old, news) = (hop, true),
            None if !full => {
                story.evidence.push(hop);
                news = true;
            }
            Some(_) | None => {}
        }
    }
    news
}

fn rank(certainty: &str) -> u8 {
    let rank = |known: &Certainty| match known {
        Certainty::Open => 1,
        Certainty::Likely => 2,
        Certainty::Sure => 3,
    };
    let all = [Certainty::Open, Certainty::Likely, Certainty::Sure];
    all.iter().find(|known| key(*known) == certainty).map_or(0, rank)
}

fn hop(rung: String, terminal: Option<&str>, seen: Seen<'_>) -> Hop {
    let of_line = seen.traces.get(&(rung.clone(), None));
    let of_terminal = terminal.and_then(|name| seen.traces.get(&(rung.clone(), Some(name.to_owned()))));
    let trace = of_terminal.or(of_line);
    let first_bad = trace.filter(|trace| trace.stands).and_then(|trace| trace.bad.clone());
    Hop { rung, last_good: trace.and_then(|trace| trace.good.clone()), first_bad }
}

#[cfg(test)]
mod tests;
