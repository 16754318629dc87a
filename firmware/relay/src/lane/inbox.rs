//! What comes from an end: files in its folders, and the steps by which they reach the clinic's. At least once and
//! seen once, as `answer` decides; several at a time, so that they share their flushes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::parcel::{Direction, HeldReason, ParcelView, WaitReason};
use model::{Symptom, Timestamp};

use crate::answer::{Effect, Event, State, step};
use crate::copy::CHUNK;
use crate::entry::{Arrival, Attempt};
use crate::lane::Desk;
use crate::lane::fetch::{self, Arrived, Coming};
use crate::lane::order::{Beside, Found, Place};
use crate::lane::outbox::Outbox;
use crate::lane::pace::Pace;
use crate::lane::strangers::Strangers;
use crate::lane::walk;
use crate::name::{KindId, extension};
use crate::report::View;
use crate::share::{Entry, Opened, Share, Trouble};
use crate::whole::{BETWEEN_LOOKS, Look, Ripeness, Sight, Writer, end, ripen};

/// How often a blocked answer is tried again.
pub const AGAIN: Duration = Duration::from_secs(1);
/// How many files one batch carries.
const AT_ONCE: usize = 64;
/// How many bytes of them are kept in memory; what is larger goes alone and in pieces.
const BYTES_AT_ONCE: u64 = 4 * 1024 * 1024;
/// A folder that takes long to list is listed this part of the time.
const LIST_SHARE: u32 = 4;

/// A folder of an end that is emptied, and where its files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlet {
    /// The folder on the end; its parts are divided by `/`.
    pub end: String,
    /// Which folder of the table of kinds that is.
    pub folder: String,
    /// Whose folders get a copy: the consumer's place, and the folder there.
    pub targets: Vec<(usize, String)>,
}

/// A file on the end that could not be taken at once.
#[derive(Clone, Debug)]
struct Lying {
    view: ParcelView,
    entry: Entry,
    sight: Option<Sight>,
    finding: Finding,
}

#[derive(Clone, Copy, Debug)]
enum Finding {
    Wait(WaitReason, Instant),
    Held(HeldReason),
}

/// A recorded copy that could not be shown yet.
#[derive(Clone, Debug)]
struct Blocked {
    arrival: Arrival,
    bytes: u64,
    since: Timestamp,
    tried: Instant,
    /// Another copy of the same was shown, and counted.
    counted: bool,
}

/// What comes in on one lane.
#[derive(Debug)]
pub struct Inbox {
    inlets: Vec<Inlet>,
    lying: HashMap<(usize, String), Lying>,
    blocked: Vec<Blocked>,
    /// What the end does not let us remove. It is tried again now and then, and is so in between too.
    refusals: HashMap<(usize, String), Trouble>,
    pace: Pace,
    listed: Duration,
    strangers: Strangers,
    /// More was there than one look takes.
    more: bool,
}

impl Inbox {
    /// Nothing known yet.
    pub fn new(desk: &Desk, inlets: Vec<Inlet>) -> Self {
        let pace = Pace::new(&desk.table, Instant::now());
        let (lying, blocked, refusals) = (HashMap::new(), Vec::new(), HashMap::new());
        let strangers = Strangers::default();
        Self { inlets, lying, blocked, refusals, pace, listed: Duration::ZERO, strangers, more: false }
    }

    /// Takes up the copies a former run left: recorded ones are shown, the others were nobody's yet.
    pub async fn recover(&mut self, desk: &Desk) {
        let found = desk.on_disk(|desk| {
            let (kept, nobodys): (Vec<_>, Vec<_>) = desk
                .own
                .arrivals()?
                .into_iter()
                .partition(|(arrival, _)| desk.ledger.is_recorded(arrival.number));
            nobodys.iter().try_for_each(|(arrival, _)| desk.own.abandon(arrival))?;
            Ok(kept)
        });
        let begun = Instant::now();
        let tried = begun.checked_sub(AGAIN).unwrap_or(begun);
        match found.await {
            Ok(kept) => self.blocked.extend(kept.into_iter().map(|(arrival, facts)| {
                let since = Timestamp::from_second(facts.changed_s()).unwrap_or_else(|_| Timestamp::now());
                Blocked { arrival, bytes: facts.size, since, tried, counted: false }
            })),
            Err(error) => tracing::error!(%error, "cannot see what was arriving before"),
        }
    }

    /// Looks at the end's folders and carries what is ripe. Returns the trouble with one file that could not be
    /// taken, if there is one: the others must not wait for it.
    pub async fn look<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        outbox: &mut Outbox,
    ) -> Result<Option<Trouble>, Trouble> {
        let (mut refused, mut listed) = (None, Duration::ZERO);
        self.more = false;
        self.pace.tick(Instant::now());
        for at in 0..self.inlets.len() {
            let begun = Instant::now();
            let mut entries = share.list(&self.inlets[at].end).await?;
            entries.sort_by(|one, other| (one.changed, &one.name).cmp(&(other.changed, &other.name)));
            listed += begun.elapsed();
            if desk.way.into == Direction::Answer {
                let folder = &self.inlets[at].folder;
                let strange = |name: &&str| {
                    let admitted = desk.table.admit(name.as_bytes(), folder, desk.way.into);
                    admitted == Err(HeldReason::UnknownKind)
                };
                let strangers = entries.iter().map(|entry| entry.name.as_str()).filter(strange);
                self.strangers.see(at, strangers, Instant::now());
            }
            let names: std::collections::HashSet<&str> =
                entries.iter().map(|entry| entry.name.as_str()).collect();
            self.lying.retain(|(inlet, name), _| *inlet != at || names.contains(name.as_str()));
            self.refusals.retain(|(inlet, name), _| *inlet != at || names.contains(name.as_str()));
            refused = refused.or(self.carry(desk, share, outbox, at, entries).await?);
        }
        self.listed = listed;
        Ok(refused.or_else(|| self.refusals.values().next().cloned()))
    }

    /// How long to wait before the next look, beside what the share asks for.
    pub fn rest(&self) -> Duration {
        self.listed * LIST_SHARE
    }

    /// Whether there is more to carry at once.
    pub const fn has_more(&self) -> bool {
        self.more
    }

    /// Tries to show what was blocked.
    pub async fn unblock(&mut self, desk: &Desk, outbox: &mut Outbox) {
        let now = Instant::now();
        if !self.blocked.iter().any(|blocked| now >= blocked.tried + AGAIN) {
            return;
        }
        let (due, rest) =
            std::mem::take(&mut self.blocked).into_iter().partition(|blocked| now >= blocked.tried + AGAIN);
        self.blocked = rest;
        let due: Vec<Blocked> = due;
        let (_, effect) = step(State::Blocked, Event::Again);
        if effect != Some(Effect::Show) {
            return self.blocked.extend(due);
        }
        let arrivals = due.iter().map(|blocked| blocked.arrival.clone()).collect();
        let shown = fetch::show(desk, arrivals).await;
        let mut over = Vec::new();
        for (blocked, shown) in due.into_iter().zip(shown) {
            if shown {
                let how = if blocked.counted { Arrived::Before } else { Arrived::Shown };
                over.extend(self.arrived(desk, outbox, &blocked.arrival, how));
                let number = blocked.arrival.number;
                self.blocked
                    .iter_mut()
                    .filter(|other| other.arrival.number == number)
                    .for_each(|other| other.counted = true);
            } else {
                self.blocked.push(Blocked { tried: now, ..blocked });
            }
        }
        walk::settle(desk, over).await;
    }

    /// When a file on the end wants the next look; none if no file waits.
    pub fn due(&self) -> Option<Instant> {
        let waits = self.lying.values().filter_map(|lying| match lying.finding {
            Finding::Wait(_, at) => Some(at),
            Finding::Held(_) => None,
        });
        waits.min()
    }

    /// Whether that time has come.
    pub fn is_due(&self) -> bool {
        self.due().is_some_and(|at| Instant::now() >= at)
    }

    /// When a blocked copy is tried again.
    pub fn blocked_due(&self) -> Option<Instant> {
        self.blocked.iter().map(|blocked| blocked.tried + AGAIN).min()
    }

    /// Says what waits and what is held.
    pub fn say(&self, desk: &Desk, view: &mut View) {
        view.strangers = self.strangers.count(Instant::now());
        for lying in self.lying.values() {
            match lying.finding {
                Finding::Wait(reason, _) => view.wait(|| lying.view.clone(), reason),
                Finding::Held(reason) => view.hold(|| lying.view.clone(), reason),
            }
        }
        for blocked in &self.blocked {
            let parcel = || ParcelView {
                number: blocked.arrival.number,
                kind: desk.table.key(self.kind_of(desk, &blocked.arrival)).to_owned(),
                hash: desk.ledger.short(blocked.arrival.name.as_bytes()),
                bytes: blocked.bytes,
                since: blocked.since,
            };
            view.wait(parcel, WaitReason::ClinicBlocked);
        }
    }

    /// Looks at the files of one folder that may be ripe, and carries those that are.
    async fn carry<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        outbox: &mut Outbox,
        at: usize,
        entries: Vec<Entry>,
    ) -> Result<Option<Trouble>, Trouble> {
        let (mut refused, mut coming, mut bytes) = (None, Vec::new(), 0);
        for entry in entries {
            // What is no kind of ours lies there for somebody else.
            let admitted = desk.table.admit(entry.name.as_bytes(), &self.inlets[at].folder, desk.way.into);
            let Ok(kind) = admitted else { continue };
            let key = (at, entry.name.clone());
            if self.lying.get(&key).is_some_and(|lying| lying.entry == entry && lying.rests()) {
                continue;
            }
            if let Some(until) = self.pace.full_until(kind) {
                self.wait(desk, key, kind, &entry, None, Finding::Wait(WaitReason::InTurn, until));
                continue;
            }
            if coming.len() >= AT_ONCE || (bytes + entry.size > BYTES_AT_ONCE && !coming.is_empty()) {
                self.more = true;
                break;
            }
            match self.examine(desk, share, at, kind, &entry).await {
                Ok(Some(one)) => {
                    bytes += entry.size;
                    coming.push(one);
                }
                Ok(None) => {}
                // Were it the whole share, the next list would say so.
                Err(trouble) if matches!(trouble.symptom, Symptom::Denied | Symptom::Malformed) => {
                    refused = Some(trouble)
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if !coming.is_empty() {
            refused = refused.or(self.go(desk, share, outbox, at, coming).await?);
        }
        Ok(refused)
    }

    /// Looks at one file of the end. None if it is not to be carried now.
    async fn examine<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        at: usize,
        kind: KindId,
        entry: &Entry,
    ) -> Result<Option<Coming<S::Handle>>, Trouble> {
        let now = Instant::now();
        let key = (at, entry.name.clone());
        let largest = desk.table.kind(kind).map_or(0, |kind| kind.max_bytes);
        // What is too large is not even opened.
        let too_large = entry.size > largest;
        let opened =
            if too_large { Opened::InUse } else { share.open(&self.inlets[at].end, entry, largest).await? };
        let look = |size, writer, tail: &[u8]| {
            let end = end(&extension(&entry.name), tail, size);
            Look { size, stamp: entry.stamp, writer, end }
        };
        let (look, opened) = match opened {
            Opened::Gone => {
                self.lying.remove(&key);
                return Ok(None);
            }
            Opened::InUse => (look(entry.size, Writer::Open, &[]), None),
            Opened::File { handle, size, tail } => {
                (look(size, Writer::None, &tail), Some((handle, size, tail)))
            }
        };
        let before = self.lying.get(&key).and_then(|lying| lying.sight);
        let (sight, ripeness) = ripen(before, look, largest, now);
        let finding = match (ripeness, opened) {
            (Ripeness::Ripe, Some((handle, size, tail))) => {
                let (handle, bytes) = self.read(share, handle, size, tail).await?;
                let folder = self.inlets[at].folder.clone();
                self.pace.took(kind);
                return Ok(Some(Coming::new(kind, folder, entry.clone(), size, bytes, handle)));
            }
            (ripeness, opened) => {
                if let Some((handle, ..)) = opened {
                    share.release(handle).await;
                }
                match ripeness {
                    Ripeness::Wait(reason, at) => Finding::Wait(reason, at),
                    Ripeness::Held(reason) => Finding::Held(reason),
                    Ripeness::Ripe => Finding::Wait(WaitReason::BeingWritten, now + BETWEEN_LOOKS),
                }
            }
        };
        self.wait(desk, key, kind, entry, Some(sight), finding);
        Ok(None)
    }

    /// The bytes of a file that fits into the memory; nothing of one that does not.
    async fn read<S: Share>(
        &self,
        share: &S,
        handle: S::Handle,
        size: u64,
        tail: Vec<u8>,
    ) -> Result<(S::Handle, Option<Vec<u8>>), Trouble> {
        if size == tail.len() as u64 {
            return Ok((handle, Some(tail)));
        }
        if size > BYTES_AT_ONCE {
            return Ok((handle, None));
        }
        let mut bytes = Vec::new();
        loop {
            match share.read(&handle, bytes.len() as u64, CHUNK).await {
                Ok(more) if more.is_empty() => return Ok((handle, Some(bytes))),
                Ok(more) => bytes.extend(more),
                Err(trouble) => {
                    share.release(handle).await;
                    return Err(trouble);
                }
            }
        }
    }

    fn wait(
        &mut self,
        desk: &Desk,
        key: (usize, String),
        kind: KindId,
        entry: &Entry,
        sight: Option<Sight>,
        finding: Finding,
    ) {
        let view = match self.lying.remove(&key) {
            Some(before) => ParcelView { bytes: entry.size, ..before.view },
            None => {
                let Ok(number) = desk.ledger.number() else { return };
                let (kind, hash) =
                    (desk.table.key(Some(kind)).to_owned(), desk.ledger.short(entry.name.as_bytes()));
                ParcelView { number, kind, hash, bytes: entry.size, since: Timestamp::now() }
            }
        };
        self.lying.insert(key, Lying { view, entry: entry.clone(), sight, finding });
    }

    /// Walks several as far as they go now.
    async fn go<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        outbox: &mut Outbox,
        at: usize,
        coming: Vec<Coming<S::Handle>>,
    ) -> Result<Option<Trouble>, Trouble> {
        let targets = self.inlets[at].targets.clone();
        let (mut known, mut trouble) = (Vec::new(), None);
        for mut one in coming {
            match fetch::recognise(desk, share, &mut one).await {
                Ok(()) => {
                    let blocked = one.seen.is_some_and(|number| self.is_blocked(number));
                    one.begin(blocked);
                    known.push(one);
                }
                // Its handle is gone with it; what is fatal shows itself again.
                Err(found) => trouble = Some(found),
            }
        }
        let mut over: Vec<Attempt> = Vec::new();
        fetch::walk(desk, share, &targets, &mut known, |arrival, how| {
            over.extend(self.arrived(desk, outbox, arrival, how));
        })
        .await;
        // Settled before anything is removed from the end: what is known there settles its request again.
        walk::settle(desk, over).await;
        let removed = fetch::remove(share, &mut known).await;
        let now = Instant::now();
        for one in known {
            let key = (at, one.entry.name.clone());
            match one.refused {
                Some(trouble) => self.refusals.insert(key.clone(), trouble),
                None => self.refusals.remove(&key),
            };
            if one.state == State::Arrived {
                self.lying.remove(&key);
                continue;
            }
            let counted = one.blocked.len() < targets.len();
            for arrival in one.blocked {
                let since = Timestamp::now();
                self.blocked.push(Blocked { arrival, bytes: one.size, since, tried: now, counted });
            }
            let finding = Finding::Wait(WaitReason::ClinicBlocked, now + AGAIN);
            self.wait(desk, key, one.kind, &one.entry, None, finding);
        }
        removed.map(|()| trouble)
    }

    fn is_blocked(&self, number: u64) -> bool {
        self.blocked.iter().any(|blocked| blocked.arrival.number == number)
    }

    /// A copy stands in a consumer's folder: its request is over, and it counts.
    fn arrived(&self, desk: &Desk, outbox: &mut Outbox, arrival: &Arrival, how: Arrived) -> Option<Attempt> {
        let kind = self.kind_of(desk, arrival)?;
        let now = Timestamp::now();
        let over = outbox.answered(desk, kind, &arrival.name, now);
        let (pair, attempt) = over.map_or((None, None), |(pair, attempt)| (Some(pair), Some(attempt)));
        if how == Arrived::Before {
            return attempt;
        }
        let (number, kind) = (arrival.number, desk.table.key(Some(kind)));
        desk.report.came(desk.way.into, (number, kind), pair, now);
        tracing::info!(number, kind, "stands in the clinic's folder");
        attempt
    }

    fn kind_of(&self, desk: &Desk, arrival: &Arrival) -> Option<KindId> {
        let seat = desk.clinic.seats().iter().position(|seat| seat.name == arrival.consumer)?;
        let here =
            |inlet: &&Inlet| inlet.targets.iter().any(|(at, path)| *at == seat && *path == arrival.path);
        let folder = &self.inlets.iter().find(here)?.folder;
        desk.table.admit(arrival.name.as_bytes(), folder, desk.way.into).ok()
    }
}

impl Beside for Inbox {
    fn find(&self, desk: &Desk, number: u64) -> Option<Option<Found>> {
        if self.is_blocked(number) {
            return Some(None);
        }
        let ((inlet, name), lying) = self.lying.iter().find(|(_, lying)| lying.view.number == number)?;
        let Finding::Held(reason) = lying.finding else { return Some(None) };
        let kind = self
            .inlets
            .get(*inlet)
            .and_then(|inlet| desk.table.admit(name.as_bytes(), &inlet.folder, desk.way.into).ok());
        let hash = lying.view.hash.clone();
        Some(Some(Found { reason, kind, hash, place: Place::End, is_over: false }))
    }

    fn look_again(&mut self, number: u64) {
        self.lying.retain(|_, lying| lying.view.number != number);
    }
}

impl Lying {
    fn rests(&self) -> bool {
        match self.finding {
            Finding::Held(_) => true,
            Finding::Wait(_, at) => Instant::now() < at,
        }
    }
}

/// The hash of what came: by folder, name and bytes; for what the clinic sends also by when it was put there, for
/// the same request may rightly come twice.
pub fn mark_of(desk: &Desk, entry: &Entry) -> u64 {
    match desk.way.into {
        model::parcel::Direction::Answer => 0,
        model::parcel::Direction::Request => entry.stamp,
    }
}
