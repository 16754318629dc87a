//! What goes to an end: files in the clinic's folders, those that were attempted, and the steps between. At most
//! once, as `request` decides; several at a time, so that they share their flushes.

mod late;
mod person;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use model::parcel::{HeldReason, Pair, ParcelView, WaitReason};
use model::part::RelayPart;
use model::{Symptom, Timestamp};

use crate::clinic::{Taken, name_bytes};
use crate::entry::Attempt;
use crate::folder::Facts;
use crate::lane::Desk;
use crate::lane::outbox::late::Late;
use crate::lane::pace::Pace;
use crate::lane::table::{Finding, Lying, Lyings, Outlet};
use crate::lane::walk::{self, Going};
use crate::name::{KindId, extension};
use crate::report::View;
use crate::request::{Effect, Event, Found, Mark, State, found, step};
use crate::sabotage;
use crate::share::{Share, Trouble, stage_of};
use crate::watch::Hints;
use crate::whole::{BETWEEN_LOOKS, PATIENCE, Ripeness, ripen};

/// How many files one batch carries.
const AT_ONCE: usize = 64;
/// How many bytes, unless one alone is larger.
const BYTES_AT_ONCE: u64 = 8 * 1024 * 1024;
/// How many pieces of a listing are taken in at a turn.
const PIECES: usize = 2;
/// How often the folders are looked at as a whole without any event.
const RESCAN: Duration = Duration::from_secs(5);
/// A look at a whole folder may take this part of the time: a hundred thousand files take a while to list.
const RESCAN_SHARE: u32 = 20;
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
    /// Notes that are not durable yet.
    unflushed: bool,
    late: Late,
    /// When to try again to see how everything stands, if the last try did not succeed.
    unsettled: Option<Instant>,
}

/// A piece of a listing: what lies in an outlet, or that this was all of it.
enum Piece {
    Files(u16, Vec<(OsString, Facts)>),
    All(u16),
}

/// Looking at whole folders, beside everything else.
#[derive(Debug)]
struct Scan {
    running: Option<Receiver<Piece>>,
    begun: Instant,
    next: Instant,
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
            scan: Scan { running: None, begun: now, next: now },
            expired: now,
            refused: None,
            unflushed: false,
            late: Late::default(),
            unsettled: None,
        }
    }

    /// Takes up what a former run left in `attempted`.
    pub async fn recover(&mut self, desk: &Desk) {
        match desk.on_disk(|desk| desk.own.attempts()).await {
            Ok(found) => {
                for (attempt, facts) in found {
                    self.keep(desk, reopen(desk, attempt, facts));
                }
            }
            Err(error) => tracing::error!(%error, "cannot see what was attempted before"),
        }
    }

    /// Takes in what may have come: hints at single files at once, whole folders when their turn comes. The looks at
    /// whole folders run beside everything else.
    pub async fn hear(&mut self, desk: &Desk, hints: &Arc<Hints>) {
        let now = Instant::now();
        self.pace.tick(now);
        if hints.take_everywhere() {
            self.scan.next = now;
        }
        let named = hints.take();
        if !named.is_empty() {
            let outlets = self.outlets.clone();
            let seen = desk.quickly(named.len(), move |desk| Ok(facts_of(desk, &outlets, named)));
            let seen = seen.await.unwrap_or_default();
            for (at, name, facts) in seen {
                match facts {
                    Some(facts) => self.see(desk, at, &name, facts, now),
                    None => {
                        if let Some(number) = self.lying.number_of(at, &name) {
                            self.lying.forget(number);
                        }
                    }
                }
            }
        }
        self.take_scan(desk);
        if self.scan.running.is_none() && now >= self.scan.next {
            let (outlets, desk, hints) = (self.outlets.clone(), desk.clone(), hints.clone());
            self.scan.begun = now;
            // The lister waits for us: what it found must not pile up.
            let (tell, told) = sync_channel(PIECES);
            self.scan.running = Some(told);
            tokio::task::spawn_blocking(move || {
                list_all(&desk, &outlets, &tell, &hints);
                drop(tell);
                hints.wake();
            });
        }
        self.lying.wake(now);
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

    /// After a new connection: sees what became of every attempt that is not certain, and sweeps what nobody owns.
    /// Nothing is begun before that has succeeded; what stands in its way here is tried again.
    pub async fn settle_doubts<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<(), Trouble> {
        self.unsettled = Some(Instant::now() + REFUSED_PAUSE);
        let staged = share.staged().await?;
        let Ok(known) = desk.known_end().await else { return Ok(()) };
        let other = known != Some(staged.identity);
        let judged = self.decide_doubts(desk, share, &staged.names, other, |_| true).await?;
        sabotage::step("judged");
        let decided = self.open.values().filter(|open| open.attempt.mark == Mark::Decided);
        let owned: HashSet<u64> = decided.map(|open| open.attempt.stage).collect();
        // Another folder is not known before everything it puts in doubt is noted.
        if !judged || (other && !owned.is_empty()) {
            return Ok(());
        }
        let is_nobodys = |name: &&String| stage_of(name).is_some_and(|stage| !owned.contains(&stage));
        let nobodys: Vec<&String> = staged.names.iter().filter(is_nobodys).collect();
        // What was noted comes first: the next run would judge by what it finds there.
        if (other || !nobodys.is_empty()) && !desk.flush_notes().await {
            return Ok(());
        }
        if other && !desk.remember_end(staged.identity).await {
            return Ok(());
        }
        self.unsettled = None;
        for name in nobodys {
            share.discard(name).await?;
        }
        Ok(())
    }

    /// Tries again what could not be settled or published, if it is time to.
    pub async fn try_again<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<Carried, Trouble> {
        let now = Instant::now();
        if self.unsettled.is_some_and(|at| now >= at) {
            self.settle_doubts(desk, share).await?;
        }
        let due = |open: &Open| open.again.is_some_and(|at| now >= at);
        if self.open.values().any(due) {
            let staged = share.staged().await?;
            self.decide_doubts(desk, share, &staged.names, false, due).await?;
            return Ok(Carried { published: 0, refused: self.refused.clone() });
        }
        Ok(Carried::default())
    }

    /// Judges attempts by what the staging folder holds. False if it has to be tried again.
    async fn decide_doubts<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        names: &[String],
        other_folder: bool,
        which: impl Fn(&Open) -> bool,
    ) -> Result<bool, Trouble> {
        let there: HashSet<u64> = names.iter().filter_map(|name| stage_of(name)).collect();
        let now = Timestamp::now();
        let judged = |open: &Open| {
            let staged = there.contains(&open.attempt.stage);
            let found = found(open.state, Found { staged, other_folder, over: desk.is_over(open, now) });
            found.map(|event| Going { open: open.clone(), event, source: None })
        };
        let going: Vec<Going> = self.open.values().filter(|open| which(open)).filter_map(judged).collect();
        // A decision that a cut may still take back, a former run's or one whose flush failed, is none yet.
        if !going.is_empty() && !desk.flush_notes().await {
            let later = Some(Instant::now() + REFUSED_PAUSE);
            self.open.values_mut().filter(|open| open.again.is_some()).for_each(|open| open.again = later);
            return Ok(false);
        }
        for chunk in batches(going) {
            self.go(desk, share, chunk).await?;
        }
        Ok(true)
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

    /// Whether there are notes to be made durable now: not while more is to be carried, for a decision does it too.
    pub fn take_unflushed(&mut self) -> bool {
        self.lying.queued() == 0 && std::mem::take(&mut self.unflushed)
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

    fn see(&mut self, desk: &Desk, at: u16, name: &OsStr, facts: Facts, now: Instant) {
        let Some(outlet) = self.outlets.get(usize::from(at)) else { return };
        let number = || {
            let number = desk.ledger.number();
            number.inspect_err(|error| tracing::error!(%error, "no journal number")).ok()
        };
        self.lying.see((at, outlet), name, facts, now, number);
    }

    fn take_scan(&mut self, desk: &Desk) {
        let Some(running) = self.scan.running.take() else { return };
        let now = Instant::now();
        for _ in 0..PIECES {
            match running.try_recv() {
                Ok(Piece::Files(at, files)) => {
                    for (name, facts) in files {
                        self.see(desk, at, &name, facts, now);
                    }
                }
                Ok(Piece::All(at)) => self.lying.forget_unseen(at, self.scan.begun),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    let took = now.saturating_duration_since(self.scan.begun);
                    self.scan.next = now + RESCAN.max(took * RESCAN_SHARE);
                    return;
                }
            }
        }
        self.scan.running = Some(running);
    }

    async fn pick<S: Share>(&mut self, share: &S) -> Result<(Vec<u64>, bool), Trouble> {
        let backlog = self.pace.backlog();
        let (picked, is_backlog) = self.lying.pick(AT_ONCE, Desk::now_ns(), backlog, &mut self.pace);
        let (mut bytes, mut kept, mut lacking) = (0, Vec::new(), HashMap::new());
        for number in picked {
            let Some(lying) = self.lying.get(number) else { continue };
            let Some(outlet) = self.outlets.get(usize::from(lying.outlet)) else { continue };
            let lacks = match lacking.get(&outlet.end) {
                Some(lacks) => *lacks,
                None => {
                    let lacks = share.lacks(&outlet.end).await?;
                    lacking.insert(outlet.end.clone(), lacks);
                    lacks
                }
            };
            if lacks {
                let finding = Finding::Wait(WaitReason::FolderLacks, Instant::now() + PATIENCE);
                self.lying.find(number, finding);
                continue;
            }
            bytes += lying.facts.size;
            if bytes > BYTES_AT_ONCE && !kept.is_empty() {
                break;
            }
            kept.push(number);
        }
        Ok((kept, is_backlog))
    }

    /// Looks into files; returns those that are whole, held open.
    async fn look(&mut self, desk: &Desk, numbers: Vec<u64>) -> Vec<(u64, Taken)> {
        if numbers.is_empty() {
            return Vec::new();
        }
        let now = Instant::now();
        let asked: Vec<(u64, Ask)> =
            numbers.into_iter().filter_map(|number| Some((number, self.ask(desk, number)?))).collect();
        let looked = desk.quickly(asked.len(), move |desk| {
            Ok(asked.into_iter().map(|(number, ask)| (number, ask.look(desk))).collect::<Vec<_>>())
        });
        let mut whole = Vec::new();
        for (number, taken) in looked.await.unwrap_or_default() {
            match taken {
                Ok(None) => self.lying.forget(number),
                Ok(Some(taken)) => {
                    let Some(taken) = self.judge(desk, number, taken, now) else { continue };
                    whole.push((number, taken));
                }
                Err(error) => {
                    tracing::warn!(%error, number, "cannot read a file of the clinic's");
                    self.lying.find(number, Finding::Wait(WaitReason::BeingWritten, now + PATIENCE));
                }
            }
        }
        whole
    }

    fn ask(&self, desk: &Desk, number: u64) -> Option<Ask> {
        let lying = self.lying.get(number)?;
        let outlet = self.outlets.get(usize::from(lying.outlet))?;
        let name = lying.name.to_str()?.to_owned();
        let largest = lying.kind.and_then(|kind| desk.table.kind(kind)).map_or(0, |kind| kind.max_bytes);
        Some(Ask { seat: outlet.seat, path: outlet.path.clone(), name, largest })
    }

    fn judge(&mut self, desk: &Desk, number: u64, taken: Taken, now: Instant) -> Option<Taken> {
        let lying = self.lying.get(number)?;
        let kind = lying.kind.and_then(|kind| desk.table.kind(kind))?;
        let since = timestamp(lying.facts.changed_ns);
        let lives = i64::try_from(kind.time_to_live_s).unwrap_or(i64::MAX);
        if desk.opening.age_s(since, Timestamp::now()) > lives {
            self.lying.find(number, Finding::Held(HeldReason::TooOld));
            return None;
        }
        let (sight, ripeness) = ripen(lying.sight.as_deref().copied(), taken.look, kind.max_bytes, now);
        let ripe = ripeness == Ripeness::Ripe;
        self.lying.ripen(number, sight, ripeness);
        ripe.then_some(taken)
    }

    fn begin(&mut self, desk: &Desk, number: u64, taken: Taken) -> Option<Going> {
        let lying = self.lying.get(number)?;
        let outlet = self.outlets.get(usize::from(lying.outlet))?;
        let mut stage = [0; 8];
        if let Err(error) = getrandom::fill(&mut stage) {
            tracing::error!(%error, "no random bytes");
            return None;
        }
        let attempt = Attempt {
            mark: Mark::Decided,
            number,
            stage: u64::from_le_bytes(stage),
            consumer: desk.clinic.seat(outlet.seat)?.name.clone(),
            folder: outlet.folder.clone(),
            name: lying.name.to_str()?.to_owned(),
        };
        let open = Open {
            attempt,
            state: State::Lying,
            kind: lying.kind,
            bytes: taken.look.size,
            since: timestamp(lying.facts.changed_ns),
            published: None,
            again: None,
        };
        if let Some(kind) = lying.kind {
            self.pace.took(kind);
        }
        Some(Going { open, event: Event::Ripe, source: Some((taken, lying.outlet)) })
    }

    /// Walks several as far as they go now, step by step together.
    async fn go<S: Share>(&mut self, desk: &Desk, share: &S, going: Vec<Going>) -> Result<Carried, Trouble> {
        let walked = walk::walk(desk, share, &self.outlets, going).await;
        self.unflushed = true;
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
        self.open.insert(open.attempt.number, open);
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

/// A file to be looked into.
struct Ask {
    seat: usize,
    path: String,
    name: String,
    largest: u64,
}

impl Ask {
    fn look(self, desk: &Desk) -> Result<Option<Taken>, crate::Error> {
        let Some(seat) = desk.clinic.seat(self.seat) else { return Ok(None) };
        seat.take(&self.path, &self.name, &extension(&self.name), self.largest)
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

fn batches(mut going: Vec<Going>) -> Vec<Vec<Going>> {
    let mut all = Vec::new();
    while !going.is_empty() {
        let rest = going.split_off(going.len().min(AT_ONCE));
        all.push(std::mem::replace(&mut going, rest));
    }
    all
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

fn facts_of(
    desk: &Desk,
    outlets: &[Outlet],
    named: Vec<(u16, OsString)>,
) -> Vec<(u16, OsString, Option<Facts>)> {
    let fact = |(at, name): (u16, OsString)| {
        let facts = outlets
            .get(usize::from(at))
            .and_then(|outlet| desk.clinic.seat(outlet.seat)?.facts(&outlet.path, &name));
        (at, name, facts)
    };
    named.into_iter().map(fact).collect()
}

/// Lists every outlet, piece by piece. Ends early if the lane has ended.
fn list_all(desk: &Desk, outlets: &[Outlet], tell: &SyncSender<Piece>, hints: &Hints) {
    for (place, outlet) in outlets.iter().enumerate() {
        let (Ok(at), Some(seat)) = (u16::try_from(place), desk.clinic.seat(outlet.seat)) else { continue };
        let say = |piece| {
            let heard = tell.send(piece).is_ok();
            hints.wake();
            heard
        };
        match seat.list(&outlet.path, |files| say(Piece::Files(at, files))) {
            Ok(()) => drop(say(Piece::All(at))),
            Err(error) => tracing::warn!(%error, "cannot look at a folder"),
        }
    }
}

fn reopen(desk: &Desk, attempt: Attempt, facts: Facts) -> Open {
    let kind = desk.table.admit(attempt.name.as_bytes(), &attempt.folder, desk.way.out).ok();
    let state = match attempt.mark {
        Mark::Decided if sabotage::is(sabotage::NO_DOUBT) => State::Submitted,
        mark => mark.state(),
    };
    let since = timestamp(facts.changed_ns);
    Open { attempt, state, kind, bytes: facts.size, since, published: None, again: None }
}
