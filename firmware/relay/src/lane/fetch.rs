//! Several files on their way in at once: each goes step by step as `answer` decides, and those that want the same
//! effect get it together, so that one flush serves them all.

use std::io;

use model::parcel::{Direction, Outcome};
use model::{Symptom, Timestamp};

use crate::answer::{Effect, Event, State, begin, step};
use crate::copy::{self, CHUNK, Copy};
use crate::entry::Arrival;
use crate::inspect;
use crate::lane::Desk;
use crate::lane::inbox::mark_of;
use crate::ledger::Hash;
use crate::name::{KindId, extension};
use crate::sabotage;
use crate::share::{Entry, Share, Trouble};

/// A file about to come in.
#[derive(Debug)]
pub struct Coming<H> {
    /// What it is.
    pub kind: KindId,
    /// Which folder of the table it lies in.
    pub folder: String,
    /// As it was listed.
    pub entry: Entry,
    /// Its size.
    pub size: u64,
    /// Where it is on its road.
    pub state: State,
    /// The number it was recorded under before, if it was.
    pub seen: Option<u64>,
    /// The copies that were recorded and could not be shown.
    pub blocked: Vec<Arrival>,
    /// Why the end did not let it be removed.
    pub refused: Option<Trouble>,
    /// What it says about itself, if that is counted.
    outcome: Option<Outcome>,
    bytes: Option<Vec<u8>>,
    handle: Option<H>,
    hash: Hash,
    arrivals: Vec<Arrival>,
    event: Option<Event>,
    effect: Option<Effect>,
}

impl<H> Coming<H> {
    /// Whole, and opened. `bytes` are none if they do not fit into the memory.
    pub fn new(
        kind: KindId,
        folder: String,
        entry: Entry,
        size: u64,
        bytes: Option<Vec<u8>>,
        handle: H,
    ) -> Self {
        Self {
            kind,
            folder,
            entry,
            size,
            state: State::Lying,
            seen: None,
            blocked: Vec::new(),
            refused: None,
            outcome: None,
            bytes,
            handle: Some(handle),
            hash: [0; 32],
            arrivals: Vec::new(),
            event: None,
            effect: None,
        }
    }

    /// Begins its road, after it was recognised. `blocked`: copies of it are still waiting to be shown.
    pub fn begin(&mut self, blocked: bool) {
        (self.state, self.event) = begin(self.seen.is_some(), blocked);
    }

    fn step(&mut self) {
        if let Some(event) = self.event.take() {
            (self.state, self.effect) = step(self.state, event);
        }
    }

    fn done(&mut self, event: Event) {
        (self.event, self.effect) = (Some(event), None);
    }
}

/// What became known on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// A first copy of it was shown now.
    Shown,
    /// It was shown before, perhaps by a run that was cut off right then.
    Before,
}

/// Recognises a file by its hash.
///
/// # Errors
/// The end's trouble.
pub async fn recognise<S: Share>(desk: &Desk, share: &S, one: &mut Coming<S::Handle>) -> Result<(), Trouble> {
    let mut hasher = hasher(desk, one);
    match (&one.bytes, &one.handle) {
        (Some(bytes), _) => {
            hasher.update(bytes);
        }
        (None, Some(handle)) => {
            let mut at = 0;
            while at < one.size {
                let bytes = share.read(handle, at, CHUNK).await?;
                if bytes.is_empty() {
                    return Err(changed());
                }
                at += bytes.len() as u64;
                hasher.update(&bytes);
            }
        }
        (None, None) => return Err(changed()),
    }
    one.hash = *hasher.finalize().as_bytes();
    one.seen = desk.ledger.seen(&one.hash);
    one.outcome = outcome(desk, one);
    Ok(())
}

/// What an answer says that was not seen before; what does not fit into the memory is not looked into.
fn outcome<H>(desk: &Desk, one: &Coming<H>) -> Option<Outcome> {
    let is_asked = desk.count_outcomes && desk.way.into == Direction::Answer && one.seen.is_none();
    (is_asked && extension(&one.entry.name) == "xml")
        .then(|| one.bytes.as_deref().map_or(Outcome::Unread, inspect::outcome))
}

fn hasher<H>(desk: &Desk, one: &Coming<H>) -> blake3::Hasher {
    desk.ledger.hasher(&one.folder, &one.entry.name, mark_of(desk, &one.entry), one.size)
}

fn changed() -> Trouble {
    let detail = "it changed while it was read".to_owned();
    Trouble { symptom: Symptom::Malformed, action: "read a file", detail }
}

/// Walks them until each is to be removed or waits. `arrived` is told once a file.
pub async fn walk<S: Share>(
    desk: &Desk,
    share: &S,
    targets: &[(usize, String)],
    coming: &mut [Coming<S::Handle>],
    mut arrived: impl FnMut(&Arrival, Arrived),
) {
    for one in coming.iter().filter(|one| one.event == Some(Event::Known)) {
        if let Some(first) = arrivals(desk, targets, one, 0).first() {
            arrived(first, Arrived::Before);
        }
    }
    loop {
        coming.iter_mut().for_each(Coming::step);
        let next = coming.iter().filter_map(|one| one.effect).filter(|effect| *effect != Effect::Remove);
        let Some(next) = next.min_by_key(|effect| effect.rank()) else { break };
        let group: Vec<usize> = (0..coming.len()).filter(|at| coming[*at].effect == Some(next)).collect();
        match next {
            Effect::Copy => copy(desk, share, targets, coming, &group).await,
            Effect::Record => record(desk, coming, &group).await,
            Effect::Show => show_all(desk, coming, &group, &mut arrived).await,
            Effect::Remove => {}
        }
        sabotage::step(AFTER[usize::from(next.rank())]);
    }
}

/// What a check calls the steps after each effect; a removal is one file's own.
const AFTER: [&str; 4] = ["copied", "recorded", "shown", "removed"];

/// Removes from the end what has arrived, if it still is what was read, and lets the others be.
///
/// # Errors
/// What ended the connection. What the end refused of a file is noted there.
pub async fn remove<S: Share>(share: &S, coming: &mut [Coming<S::Handle>]) -> Result<(), Trouble> {
    let mut fatal = None;
    for one in coming {
        let Some(handle) = one.handle.take() else { continue };
        if one.effect != Some(Effect::Remove) || fatal.is_some() {
            share.release(handle).await;
            continue;
        }
        match share.remove(handle).await {
            Ok(true) => one.done(Event::Done),
            Ok(false) => one.done(Event::Failed),
            Err(trouble) => {
                one.done(Event::Failed);
                match trouble.symptom {
                    Symptom::Denied | Symptom::Malformed => one.refused = Some(trouble),
                    _ => fatal = Some(trouble),
                }
            }
        }
        one.step();
        sabotage::step(AFTER[usize::from(Effect::Remove.rank())]);
    }
    fatal.map_or(Ok(()), Err)
}

/// Shows copies; tells of each whether it stands in its folder now.
pub async fn show(desk: &Desk, arrivals: Vec<Arrival>) -> Vec<bool> {
    let count = arrivals.len();
    let shown = desk.on_disk(move |desk| {
        let seats = arrivals.iter().map(|arrival| desk.clinic.of(&arrival.consumer));
        let known: Vec<_> =
            arrivals.iter().zip(seats).filter_map(|(one, seat)| Some((one.clone(), seat?))).collect();
        let mut shown = desk.own.show(&known).into_iter();
        let each = arrivals.iter().map(|arrival| match desk.clinic.of(&arrival.consumer) {
            Some(_) => shown.next().unwrap_or(Ok(false)),
            // The consumer is in the site file no more.
            None => Ok(false),
        });
        Ok(each.collect::<Vec<_>>())
    });
    let shown = shown.await.unwrap_or_default().into_iter().map(|shown| {
        shown.unwrap_or_else(|error| {
            tracing::error!(%error, "a copy could not be shown");
            false
        })
    });
    shown.chain(std::iter::repeat(false)).take(count).collect()
}

fn arrivals<H>(desk: &Desk, targets: &[(usize, String)], one: &Coming<H>, number: u64) -> Vec<Arrival> {
    let arrival = |(seat, path): &(usize, String)| {
        let consumer = desk.clinic.seat(*seat)?.name.clone();
        Some(Arrival { number, consumer, path: path.clone(), name: one.entry.name.clone() })
    };
    targets.iter().filter_map(arrival).collect()
}

/// Copies each for everybody who wants it.
async fn copy<S: Share>(
    desk: &Desk,
    share: &S,
    targets: &[(usize, String)],
    coming: &mut [Coming<S::Handle>],
    group: &[usize],
) {
    let mut small = Vec::new();
    for at in group {
        let number = match desk.ledger.number() {
            Ok(number) => number,
            Err(error) => {
                tracing::error!(%error, "no journal number");
                coming[*at].done(Event::Failed);
                continue;
            }
        };
        coming[*at].arrivals = arrivals(desk, targets, &coming[*at], number);
        match coming[*at].bytes.take() {
            Some(bytes) => small.push((*at, coming[*at].arrivals.clone(), bytes)),
            None => {
                let event = if large(desk, share, &coming[*at]).await { Event::Done } else { Event::Failed };
                coming[*at].done(event);
            }
        }
    }
    if small.is_empty() {
        return;
    }
    let places: Vec<usize> = small.iter().map(|(at, ..)| *at).collect();
    let copied = desk.on_disk(move |desk| Ok(copy_small(desk, &small))).await.unwrap_or_default();
    for (at, copied) in places.into_iter().zip(copied.into_iter().chain(std::iter::repeat(false))) {
        coming[at].done(if copied { Event::Done } else { Event::Failed });
    }
}

/// Of each file all copies or none.
fn copy_small(desk: &Desk, files: &[(usize, Vec<Arrival>, Vec<u8>)]) -> Vec<bool> {
    let (arriving, _) = desk.own.arriving();
    let copy = |(_, arrivals, bytes): &(usize, Vec<Arrival>, Vec<u8>)| {
        let make = |arrival: &Arrival| Copy::make(arriving, &arrival.entry(), |copy| copy.write(bytes));
        arrivals.iter().map(make).collect::<Vec<_>>()
    };
    let copies = files.iter().flat_map(copy).collect();
    sabotage::step("copying");
    let mut finished = copy::finish(arriving, copies).into_iter();
    let whole = |(_, arrivals, _): &(usize, Vec<Arrival>, Vec<u8>)| {
        let outcomes: Vec<io::Result<()>> = finished.by_ref().take(arrivals.len()).collect();
        all_or_none(desk, arrivals, outcomes)
    };
    files.iter().map(whole).collect()
}

fn all_or_none(desk: &Desk, arrivals: &[Arrival], outcomes: Vec<io::Result<()>>) -> bool {
    let failed = outcomes.into_iter().filter_map(Result::err).next();
    let Some(error) = failed else { return true };
    tracing::error!(%error, "a file could not be copied");
    for arrival in arrivals {
        let _ = desk.own.abandon(arrival);
    }
    false
}

/// Copies one that does not fit into the memory, in pieces.
async fn large<S: Share>(desk: &Desk, share: &S, one: &Coming<S::Handle>) -> bool {
    let Some(handle) = &one.handle else { return false };
    let arrivals = one.arrivals.clone();
    let begin = desk.on_disk(move |desk| {
        let (arriving, _) = desk.own.arriving();
        Ok(arrivals.iter().map(|arrival| Copy::begin(arriving, &arrival.entry())).collect::<Vec<_>>())
    });
    let mut copies = begin.await.unwrap_or_default();
    let (mut hasher, mut at) = (hasher(desk, one), 0);
    while at < one.size {
        let Ok(bytes) = share.read(handle, at, CHUNK).await else { break };
        if bytes.is_empty() {
            break;
        }
        at += bytes.len() as u64;
        hasher.update(&bytes);
        let written = desk.on_disk(move |_| {
            let write = |copy: io::Result<Copy>| copy.and_then(|mut copy| copy.write(&bytes).map(|()| copy));
            Ok(copies.into_iter().map(write).collect::<Vec<_>>())
        });
        copies = written.await.unwrap_or_default();
    }
    let same = at == one.size && *hasher.finalize().as_bytes() == one.hash;
    let arrivals = one.arrivals.clone();
    let finished = desk.on_disk(move |desk| {
        let (arriving, _) = desk.own.arriving();
        let mut outcomes = copy::finish(arriving, copies);
        if !same || outcomes.len() < arrivals.len() {
            outcomes.push(Err(io::Error::other("it changed while it was read")));
        }
        Ok(all_or_none(desk, &arrivals, outcomes))
    });
    finished.await.unwrap_or(false)
}

async fn record<H>(desk: &Desk, coming: &mut [Coming<H>], group: &[usize]) {
    let number = |one: &Coming<H>| one.arrivals.first().map_or(0, |arrival| arrival.number);
    let records: Vec<(u64, Hash)> = group.iter().map(|at| (number(&coming[*at]), coming[*at].hash)).collect();
    let all: Vec<Vec<Arrival>> = group.iter().map(|at| coming[*at].arrivals.clone()).collect();
    let recorded = desk.on_disk(move |desk| {
        let done = desk.ledger.record(&records, Timestamp::now().as_second());
        if let Err(error) = done {
            tracing::error!(%error, "answers could not be recorded");
        }
        let held = |(number, arrivals): (&(u64, Hash), &Vec<Arrival>)| {
            let recorded = desk.ledger.is_recorded(number.0);
            if !recorded {
                arrivals.iter().for_each(|arrival| drop(desk.own.abandon(arrival)));
            }
            recorded
        };
        Ok(records.iter().zip(&all).map(held).collect::<Vec<_>>())
    });
    let recorded = recorded.await.unwrap_or_default();
    for (at, recorded) in group.iter().zip(recorded.into_iter().chain(std::iter::repeat(false))) {
        coming[*at].done(if recorded { Event::Done } else { Event::Failed });
        // Recorded once, counted once.
        if let Some(outcome) = coming[*at].outcome.take().filter(|_| recorded) {
            desk.report.said(outcome, Timestamp::now());
        }
    }
}

async fn show_all<H>(
    desk: &Desk,
    coming: &mut [Coming<H>],
    group: &[usize],
    arrived: &mut impl FnMut(&Arrival, Arrived),
) {
    let arrivals: Vec<Arrival> = group.iter().flat_map(|at| coming[*at].arrivals.clone()).collect();
    let mut shown = show(desk, arrivals).await.into_iter();
    for at in group {
        let one = &mut coming[*at];
        let outcomes: Vec<bool> = shown.by_ref().take(one.arrivals.len()).collect();
        let each = || one.arrivals.iter().zip(&outcomes);
        if let Some((first, _)) = each().find(|(_, shown)| **shown) {
            arrived(first, Arrived::Shown);
        }
        one.blocked = each().filter(|(_, shown)| !**shown).map(|(arrival, _)| arrival.clone()).collect();
        one.done(if one.blocked.is_empty() { Event::Done } else { Event::Failed });
    }
}
