//! What goes to an end: files in the clinic's folders, those that were attempted, and the steps between. At most
//! once, as `request` decides; several at a time, so that they share their flushes.

mod doubt;
mod late;
mod person;
mod ripe;
mod scan;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::parcel::{Pair, ParcelView, WaitReason};
use model::part::RelayPart;
use model::{Symptom, Timestamp};

use crate::clinic::name_bytes;
use crate::entry::Attempt;
use crate::lane::Desk;
use crate::lane::outbox::late::Late;
use crate::lane::outbox::scan::{RESCAN, Scan};
use crate::lane::pace::Pace;
use crate::lane::table::{Finding, Lying, Lyings, Outlet};
use crate::lane::walk::{self, Going};
use crate::name::KindId;
use crate::report::View;
use crate::request::{Effect, Event, State, step};
use crate::share::{Share, Trouble};
use crate::whole::{BETWEEN_LOOKS, PATIENCE};

/// How many files one batch carries.
const AT_ONCE: usize = 64;
/// How many bytes, unless one alone is larger.
const BYTES_AT_ONCE: u64 = 8 * 1024 * 1024;
/// How long what the end refuses rests before it is tried again.
const REFUSED_PAUSE: Duration = Duration::from_secs(10);
/// How often it is looked whose time is over.
const EXPIRE: Duration = Duration::from_secs(10);

/// A file whose source lies in `attempted`.
#[derive(Clone, Debug)]
pub struct Open {
    /// The entry.
    pub attempt: Attempt,
    /// Where it is on its road.
    pub state: State,
    /// What it is.
    pub kind: Option<KindId>,
    /// Size in bytes.
    pub bytes: u64,
    /// Since when it is there; after its publication since then.
    pub since: Timestamp,
    /// When it was published, if this run did it.
    pub published: Option<Timestamp>,
    /// When to try again what the end refused.
    pub again: Option<Instant>,
}

/// A file that a person had moved back for another try.
#[derive(Debug)]
pub struct Retried {
    /// What it was.
    pub attempt: Attempt,
    /// Since when it counts.
    pub since: Timestamp,
    /// When it was moved back: one that was put there later is another one.
    pub moved_ns: i64,
}

/// What one carrying came to.
#[derive(Debug, Default)]
pub struct Carried {
    /// How many were published.
    pub published: usize,
    /// Why one of them was refused, though the share is there.
    pub refused: Option<Trouble>,
}

/// What goes out on one lane.
#[derive(Debug)]
pub struct Outbox {
    outlets: Arc<[Outlet]>,
    lying: Lyings,
    pace: Pace,
    open: BTreeMap<u64, Open>,
    /// By stem: what was submitted and is not answered.
    awaiting: HashMap<String, Vec<u64>>,
    scan: Scan,
    expired: Instant,
    refused: Option<Trouble>,
    late: Late,
    /// What a person retried: the move back must not make it younger.
    retried: Vec<Retried>,
    /// When to try again to see how everything stands, if the last try did not succeed.
    unsettled: Option<Instant>,
}

impl Outbox {
    /// Nothing known yet.
    pub fn new(desk: &Desk, outlets: Vec<Outlet>) -> Self {
        let now = Instant::now();
        Self {
            lying: Lyings::new(desk.table.clone(), desk.way.out, outlets.len()),
            outlets: outlets.into(),
            pace: Pace::new(&desk.table, now),
            open: BTreeMap::new(),
            awaiting: HashMap::new(),
            scan: Scan { running: None, begun: now, next: now, listing: 0 },
            expired: now,
            refused: None,
            late: Late::default(),
            retried: Vec::new(),
            unsettled: None,
        }
    }

    /// Carries what is ripe to the end: one batch.
    pub async fn carry<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<Carried, Trouble> {
        if self.unsettled.is_some() {
            return Ok(Carried::default());
        }
        let begun = Instant::now();
        let (picked, is_backlog) = self.pick(share).await?;
        let looked = self.look(desk, picked).await;
        let mut going = Vec::new();
        for (number, taken) in looked {
            going.extend(self.begin(desk, number, taken));
        }
        let carried =
            if going.is_empty() { Ok(Carried::default()) } else { self.go(desk, share, going).await };
        if is_backlog {
            self.pace.rest(begun.elapsed(), Instant::now());
        }
        self.expire(desk).await;
        carried
    }

    /// Looks into some of what waits for an end that is away: what is not whole is said, and what is too old is held.
    pub async fn look_only(&mut self, desk: &Desk) {
        let unseen = |(_, lying): &(u64, &Lying)| {
            lying.sight.as_ref().is_none_or(|sight| sight.look.stamp != lying.facts.stamp)
        };
        let picked = self.lying.in_queue().filter(unseen).take(AT_ONCE).map(|(number, _)| number).collect();
        self.look(desk, picked).await;
        self.expire(desk).await;
    }

    /// An answer of this kind and name stands in the clinic's folders: what it answers is over. Returns how long it
    /// took, and what is to be settled.
    pub fn answered(
        &mut self,
        desk: &Desk,
        kind: KindId,
        name: &str,
        now: Timestamp,
    ) -> Option<(Pair, Attempt)> {
        let stem = desk.table.stem(kind, name)?;
        let fits = |number: &&u64| {
            let asked = self.open.get(number).and_then(|open| open.kind);
            asked.is_some_and(|asked| desk.table.answers(kind, asked))
        };
        let number = self.awaiting.get(&stem)?.iter().find(fits).copied()?;
        let mut open = self.forget(desk, number)?;
        let published = open.published.unwrap_or(open.since);
        (open.state, _) = step(open.state, Event::Answered);
        self.late.answered(open.kind, now);
        let took = now.duration_since(published).as_secs_f64().max(0.0);
        Some((Pair { at: published, took_ms: took * 1000.0 }, open.attempt))
    }

    /// Whether nothing waits to be staged.
    pub fn is_empty(&self) -> bool {
        self.lying.queued() == 0
    }

    /// Why something was refused and is tried again.
    pub fn refused(&self) -> Option<Trouble> {
        self.refused.clone()
    }

    /// How much is known, for deciding how often to speak of it.
    pub fn len(&self) -> usize {
        self.lying.len() + self.open.len()
    }

    /// When to turn again at the latest.
    pub fn due(&self, connected: bool) -> Instant {
        let now = Instant::now();
        let far = if self.scan.running.is_some() { now + RESCAN } else { self.scan.next };
        let again = self.open.values().filter_map(|open| open.again).min();
        let mut due = far.min(self.lying.due().unwrap_or(far)).min(again.unwrap_or(far));
        if connected && self.unsettled.is_none() && self.lying.queued() > 0 {
            let ready = if self.lying.has_backlog(Desk::now_ns()) { self.pace.backlog_from() } else { now };
            due = due.min(self.pace.due().unwrap_or(ready).max(ready));
        }
        due
    }

    /// Says what waits and what is held.
    pub fn say(&self, desk: &Desk, away: bool, view: &mut View) {
        for (number, lying) in self.lying.held().take(RelayPart::LISTED) {
            let Finding::Held(reason) = lying.finding else { continue };
            view.hold(|| view_of(desk, number, lying), reason);
        }
        for (number, lying) in self.lying.waiting().take(RelayPart::LISTED) {
            let Finding::Wait(reason, _) = lying.finding else { continue };
            view.wait(|| view_of(desk, number, lying), reason);
        }
        let reason = if away { WaitReason::TerminalAway } else { WaitReason::InTurn };
        for (number, lying) in self.lying.in_queue().take(RelayPart::LISTED) {
            view.wait(|| view_of(desk, number, lying), reason);
        }
        view.unanswered = self.unanswered(desk, Timestamp::now());
        // What is not listed is counted.
        let more = |count: usize| count.saturating_sub(RelayPart::LISTED) as u64;
        view.held_count += more(self.lying.held_count());
        view.waiting_count += more(self.lying.waiting_count()) + more(self.lying.queued());
        for (number, open) in &self.open {
            let parcel = || ParcelView {
                number: *number,
                kind: desk.table.key(open.kind).to_owned(),
                hash: desk.ledger.short(open.attempt.name.as_bytes()),
                bytes: open.bytes,
                since: open.since,
            };
            match open.state {
                State::Held(reason) => view.hold(parcel, reason),
                State::Submitted => view.wait(parcel, WaitReason::AwaitingAnswer),
                _ => view.wait(parcel, WaitReason::TerminalAway),
            }
        }
    }

    /// Walks several as far as they go now, step by step together.
    async fn go<S: Share>(&mut self, desk: &Desk, share: &S, going: Vec<Going>) -> Result<Carried, Trouble> {
        let walked = walk::walk(desk, share, &self.outlets, going).await;
        let (mut carried, mut fatal) = (Carried::default(), None);
        let now = Instant::now();
        for one in walked {
            let number = one.open.attempt.number;
            carried.published += usize::from(one.published);
            self.forget(desk, number);
            let mut open = one.open;
            match open.state {
                State::Lying => {
                    let finding = match &one.trouble {
                        // Whole still: it waits for the end.
                        Some(trouble) if ends_connection(trouble, one.effect) => Finding::Queued,
                        Some(_) => Finding::Wait(WaitReason::BeingWritten, now + PATIENCE),
                        None => Finding::Wait(WaitReason::BeingWritten, now + BETWEEN_LOOKS),
                    };
                    self.lying.find(number, finding);
                }
                State::Settled => self.lying.forget(number),
                _ => {
                    self.lying.forget(number);
                    self.retried.retain(|retried| !retried.attempt.is_of_same_file(&open.attempt));
                    let trouble = one.trouble.as_ref();
                    let lost = trouble.is_some_and(|trouble| ends_connection(trouble, one.effect));
                    open.again = (open.state == State::Doubtful && !lost).then(|| now + REFUSED_PAUSE);
                    self.keep(desk, open);
                }
            }
            match one.trouble {
                Some(trouble) if ends_connection(&trouble, one.effect) => fatal = fatal.or(Some(trouble)),
                Some(trouble) => carried.refused = Some(trouble),
                None => {}
            }
        }
        if !self.open.values().any(|open| open.again.is_some()) {
            self.refused = None;
        } else if carried.refused.is_some() {
            self.refused.clone_from(&carried.refused);
        }
        fatal.map_or(Ok(carried), Err)
    }

    async fn expire(&mut self, desk: &Desk) {
        if self.expired.elapsed() < EXPIRE {
            return;
        }
        self.expired = Instant::now();
        let now = Timestamp::now();
        let over = |open: &&Open| open.state == State::Submitted && desk.is_over(open, now);
        let over: Vec<u64> = self.open.values().filter(over).map(|open| open.attempt.number).collect();
        for number in over {
            let Some(mut open) = self.forget(desk, number) else { continue };
            tracing::warn!(kind = desk.table.key(open.kind), number, "no answer came within its time");
            (open.state, _) = step(open.state, Event::TimeOver);
            walk::settle(desk, vec![open.attempt]).await;
        }
    }

    fn keep(&mut self, desk: &Desk, open: Open) {
        if open.state == State::Submitted
            && let Some(stem) = open.kind.and_then(|kind| desk.table.stem(kind, &open.attempt.name))
        {
            self.awaiting.entry(stem).or_default().push(open.attempt.number);
        }
        let number = open.attempt.number;
        if self.open.insert(number, open).is_some() {
            // They were parted at the start, and the ledger gives none twice; both are on disk still.
            tracing::error!(
                number,
                "two files have one journal number; one is not seen until the next start"
            );
        }
    }

    fn forget(&mut self, desk: &Desk, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        if let Some(stem) = open.kind.and_then(|kind| desk.table.stem(kind, &open.attempt.name))
            && let Some(numbers) = self.awaiting.get_mut(&stem)
        {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.awaiting.remove(&stem);
            }
        }
        Some(open)
    }
}

/// Whether the connection has to be made anew after this: what the end refuses of one file is no reason, but a
/// share that takes no file at all is.
fn ends_connection(trouble: &Trouble, effect: Option<Effect>) -> bool {
    match trouble.symptom {
        Symptom::Malformed => false,
        Symptom::Denied => effect == Some(Effect::Stage),
        _ => true,
    }
}

fn view_of(desk: &Desk, number: u64, lying: &Lying) -> ParcelView {
    ParcelView {
        number,
        kind: desk.table.key(lying.kind).to_owned(),
        hash: desk.ledger.short(name_bytes(&lying.name)),
        bytes: lying.facts.size,
        since: timestamp(lying.facts.changed_ns),
    }
}

fn timestamp(ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or_else(|_| Timestamp::now())
}
