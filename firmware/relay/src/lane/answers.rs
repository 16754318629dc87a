//! Answers: what lies in the terminal's folders, and the steps by which it reaches the clinic's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::parcel::{Direction, Held, HeldReason, Pair, ParcelView, WaitReason, Waiting};
use model::profile::Kind;
use model::{Symptom, Timestamp};

use crate::answer::{Effect, Event, State, step};
use crate::clinic::Arrival;
use crate::lane::Desk;
use crate::lane::requests::Requests;
use crate::ledger::Hash;
use crate::name;
use crate::report::View;
use crate::share::{Entry, Opened, Share, Trouble};
use crate::whole::{BETWEEN_LOOKS, Look, Ripeness, Sight, Writer, end, ripen};

/// The folders answers lie in, the counter's own first.
const FOLDERS: [&str; 2] = ["face", "res"];
/// How often a blocked answer is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A file on the terminal that could not be taken at once.
#[derive(Debug)]
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
#[derive(Debug)]
struct Blocked {
    arrival: Arrival,
    view: ParcelView,
    tried: Instant,
}

/// The answers of one lane.
#[derive(Debug, Default)]
pub struct Answers {
    lying: HashMap<(&'static str, String), Lying>,
    blocked: Vec<Blocked>,
}

/// What one look at the terminal works with.
struct Trip<'a, S> {
    desk: &'a Desk,
    share: &'a S,
    requests: &'a mut Requests,
}

/// One answer on its road.
struct Going<'a, H> {
    arrival: Arrival,
    kind: &'a Kind,
    hash: Hash,
    bytes: Vec<u8>,
    handle: Option<H>,
}

impl Answers {
    /// Takes up the copies a former run left: recorded ones are shown, the others were nobody's yet.
    pub async fn recover(&mut self, desk: &Desk) {
        let found = desk.on_disk(|desk| {
            let (kept, nobodys): (Vec<_>, Vec<_>) = desk
                .clinic
                .arrivals()?
                .into_iter()
                .partition(|arrival| desk.ledger.is_recorded(arrival.number));
            nobodys.iter().try_for_each(|arrival| desk.clinic.abandon(arrival))?;
            Ok(kept)
        });
        match found.await {
            Ok(kept) => {
                let begun = Instant::now();
                let blocked =
                    |arrival: Arrival| Blocked { view: blocked_view(desk, &arrival), arrival, tried: begun };
                self.blocked.extend(kept.into_iter().map(blocked));
                self.blocked
                    .iter_mut()
                    .for_each(|blocked| blocked.tried = begun.checked_sub(AGAIN).unwrap_or(begun));
            }
            Err(error) => tracing::error!(%error, "cannot see what was arriving before"),
        }
    }

    /// Looks at the terminal's folders and carries what is ripe. Returns the trouble with one file that could not
    /// be taken, if there is one: the others must not wait for it.
    pub async fn look<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        requests: &mut Requests,
    ) -> Result<Option<Trouble>, Trouble> {
        let mut trip = Trip { desk, share, requests };
        let mut refused = None;
        for folder in FOLDERS {
            let entries = share.list(folder).await?;
            self.lying
                .retain(|(at, name), _| *at != folder || entries.iter().any(|entry| entry.name == *name));
            for entry in entries {
                let kind = name::admit(entry.name.as_bytes(), folder, Direction::Answer, &desk.kinds);
                // What is no kind of ours lies there for somebody else.
                let Ok(kind) = kind else { continue };
                let key = (folder, entry.name.clone());
                let before = self.lying.remove(&key);
                match self.examine(&mut trip, kind, (folder, entry), before).await {
                    Ok(Some(lying)) => drop(self.lying.insert(key, lying)),
                    Ok(None) => {}
                    // Were it the whole share, the next list would say so.
                    Err(trouble) if matches!(trouble.symptom, Symptom::Denied | Symptom::Malformed) => {
                        refused = Some(trouble);
                    }
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        Ok(refused)
    }

    /// Tries to show what was blocked.
    pub async fn unblock(&mut self, desk: &Desk, requests: &mut Requests) {
        let now = Instant::now();
        let (due, rest) =
            std::mem::take(&mut self.blocked).into_iter().partition(|blocked| now >= blocked.tried + AGAIN);
        self.blocked = rest;
        let due: Vec<Blocked> = due;
        for Blocked { arrival, view, .. } in due {
            let Some(kind) = kind_of(desk, &arrival) else { continue };
            let (_, effect) = step(State::Blocked, Event::Again);
            if effect == Some(Effect::Show) && show(desk, &arrival, kind, requests).await == Event::Done {
                continue;
            }
            self.blocked.push(Blocked { arrival, view, tried: now });
        }
    }

    /// When a file on the terminal wants the next look; none if no file waits.
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

    /// Says what waits and what is held.
    pub fn say(&self, view: &mut View) {
        for lying in self.lying.values() {
            let parcel = lying.view.clone();
            match lying.finding {
                Finding::Wait(reason, _) => view.waiting.push(Waiting { parcel, reason }),
                Finding::Held(reason) => view.held.push(Held { parcel, reason }),
            }
        }
        let blocked =
            |blocked: &Blocked| Waiting { parcel: blocked.view.clone(), reason: WaitReason::ClinicBlocked };
        view.waiting.extend(self.blocked.iter().map(blocked));
    }

    /// Looks at one file of the terminal. None if nothing of it is left to remember.
    async fn examine<S: Share>(
        &mut self,
        trip: &mut Trip<'_, S>,
        kind: &Kind,
        (folder, entry): (&'static str, Entry),
        before: Option<Lying>,
    ) -> Result<Option<Lying>, Trouble> {
        let now = Instant::now();
        let before = match before {
            Some(lying) if lying.entry == entry && lying.rests(now) => return Ok(Some(lying)),
            other => other,
        };
        let largest = kind.max_bytes;
        // What is too large is not even opened.
        let opened = if entry.size > largest {
            Opened::InUse
        } else {
            trip.share.open(folder, &entry, largest).await?
        };
        let (look, taken) = match opened {
            Opened::Gone => return Ok(None),
            Opened::InUse => (sight_of(&entry, Writer::Open, &[]), None),
            Opened::Bytes { bytes, handle } => {
                (sight_of(&entry, Writer::None, &bytes), Some((bytes, handle)))
            }
        };
        let (sight, ripeness) = ripen(before.as_ref().and_then(|lying| lying.sight), look, largest, now);
        let arrival = Arrival { number: 0, folder: folder.to_owned(), name: entry.name.clone() };
        let Some(finding) = self.follow(trip, kind, arrival, ripeness, taken).await? else { return Ok(None) };
        let view = match before {
            Some(lying) => Some(ParcelView { bytes: entry.size, ..lying.view }),
            None => view(trip.desk, kind, &entry),
        };
        Ok(view.map(|view| Lying { view, entry, sight: Some(sight), finding }))
    }

    /// Carries what is ripe and lets go of what is not. None if it arrived.
    async fn follow<S: Share>(
        &mut self,
        trip: &mut Trip<'_, S>,
        kind: &Kind,
        arrival: Arrival,
        ripeness: Ripeness,
        taken: Option<(Vec<u8>, S::Handle)>,
    ) -> Result<Option<Finding>, Trouble> {
        let now = Instant::now();
        match (ripeness, taken) {
            (Ripeness::Ripe, Some((bytes, handle))) => {
                let hash = trip.desk.ledger.hash(&arrival.folder, &arrival.name, &bytes);
                let going = Going { arrival, kind, hash, bytes, handle: Some(handle) };
                Ok(self.go(trip, going).await?.map(|reason| Finding::Wait(reason, now + AGAIN)))
            }
            (ripeness, taken) => {
                if let Some((_, handle)) = taken {
                    trip.share.release(handle).await;
                }
                Ok(Some(match ripeness {
                    Ripeness::Wait(reason, at) => Finding::Wait(reason, at),
                    Ripeness::Held(reason) => Finding::Held(reason),
                    Ripeness::Ripe => Finding::Wait(WaitReason::BeingWritten, now + BETWEEN_LOOKS),
                }))
            }
        }
    }

    /// Walks one answer as far as it goes now. Returns what it waits for, if it does.
    async fn go<S: Share>(
        &mut self,
        trip: &mut Trip<'_, S>,
        mut going: Going<'_, S::Handle>,
    ) -> Result<Option<WaitReason>, Trouble> {
        let (desk, share) = (trip.desk, trip.share);
        let (mut state, mut event) = match desk.ledger.seen(&going.hash) {
            Some(number) if self.blocked.iter().any(|blocked| blocked.arrival.number == number) => {
                (State::Blocked, Event::Failed)
            }
            Some(_) => {
                // Shown before, perhaps by a run that was cut off right then: its request is over too.
                answered(desk, &going.arrival, going.kind, trip.requests).await;
                (State::Lying, Event::Known)
            }
            None => (State::Lying, Event::New),
        };
        loop {
            let effect;
            (state, effect) = step(state, event);
            let Some(effect) = effect else { break };
            event = match effect {
                Effect::Copy => copy(desk, &mut going).await,
                Effect::Record => record(desk, &going).await,
                Effect::Show => show(desk, &going.arrival, going.kind, trip.requests).await,
                Effect::Remove => remove(share, going.handle.take()).await?,
            };
        }
        if let Some(handle) = going.handle.take() {
            share.release(handle).await;
        }
        Ok(match state {
            State::Arrived => None,
            State::Blocked => {
                if going.arrival.number != 0 {
                    let view = blocked_view(desk, &going.arrival);
                    self.blocked.push(Blocked { arrival: going.arrival, view, tried: Instant::now() });
                }
                Some(WaitReason::ClinicBlocked)
            }
            _ => Some(WaitReason::ClinicBlocked),
        })
    }
}

impl Lying {
    fn rests(&self, now: Instant) -> bool {
        match self.finding {
            Finding::Held(_) => true,
            Finding::Wait(_, at) => now < at,
        }
    }
}

/// An open that asks for deletion is refused while a writer does not share it; that is the proof here.
fn sight_of(entry: &Entry, writer: Writer, bytes: &[u8]) -> Look {
    let size = if writer == Writer::None { bytes.len() as u64 } else { entry.size };
    Look { size, stamp: entry.stamp, writer, end: end(&name::extension(&entry.name), bytes) }
}

fn kind_of<'a>(desk: &'a Desk, arrival: &Arrival) -> Option<&'a Kind> {
    name::admit(arrival.name.as_bytes(), &arrival.folder, Direction::Answer, &desk.kinds).ok()
}

fn view(desk: &Desk, kind: &Kind, entry: &Entry) -> Option<ParcelView> {
    let number =
        desk.ledger.number().inspect_err(|error| tracing::error!(%error, "no journal number")).ok()?;
    let (kind, hash) = (kind.key.clone(), desk.ledger.short(entry.name.as_bytes()));
    Some(ParcelView { number, kind, hash, bytes: entry.size, since: Timestamp::now() })
}

fn blocked_view(desk: &Desk, arrival: &Arrival) -> ParcelView {
    let kind = kind_of(desk, arrival).map_or_else(|| "unknown".to_owned(), |kind| kind.key.clone());
    let hash = desk.ledger.short(arrival.name.as_bytes());
    ParcelView { number: arrival.number, kind, hash, bytes: 0, since: Timestamp::now() }
}

async fn copy<H>(desk: &Desk, going: &mut Going<'_, H>) -> Event {
    let (arrival, bytes) = (going.arrival.clone(), std::mem::take(&mut going.bytes));
    let copied = desk.on_disk(move |desk| {
        let arrival = Arrival { number: desk.ledger.number()?, ..arrival };
        desk.clinic.copy(&arrival, &bytes).map(|()| arrival.number)
    });
    match copied.await {
        Ok(number) => {
            going.arrival.number = number;
            Event::Done
        }
        Err(error) => {
            tracing::error!(%error, kind = %going.kind.key, "an answer could not be copied");
            Event::Failed
        }
    }
}

async fn record<H>(desk: &Desk, going: &Going<'_, H>) -> Event {
    let (arrival, hash) = (going.arrival.clone(), going.hash);
    let recorded = desk.on_disk(move |desk| {
        let recorded = desk.ledger.record(arrival.number, hash, Timestamp::now().as_second());
        if recorded.is_err() && !desk.ledger.is_recorded(arrival.number) {
            desk.clinic.abandon(&arrival)?;
        }
        recorded
    });
    match recorded.await {
        Ok(()) => Event::Done,
        Err(error) => {
            tracing::error!(%error, kind = %going.kind.key, "an answer could not be recorded");
            Event::Failed
        }
    }
}

/// Without a handle there is nothing to remove now: the next look finds the file and knows it.
async fn remove<S: Share>(share: &S, handle: Option<S::Handle>) -> Result<Event, Trouble> {
    let Some(handle) = handle else { return Ok(Event::Failed) };
    Ok(if share.remove(handle).await? { Event::Done } else { Event::Failed })
}

async fn show(desk: &Desk, arrival: &Arrival, kind: &Kind, requests: &mut Requests) -> Event {
    let shown = {
        let arrival = arrival.clone();
        desk.on_disk(move |desk| desk.clinic.show(&arrival)).await
    };
    match shown {
        Ok(true) => {
            let pair = answered(desk, arrival, kind, requests).await;
            desk.report.answer(pair, Timestamp::now());
            tracing::info!(number = arrival.number, kind = %kind.key, "an answer stands in the clinic's share");
            Event::Done
        }
        Ok(false) => Event::Failed,
        Err(error) => {
            tracing::error!(%error, number = arrival.number, "an answer could not be shown");
            Event::Failed
        }
    }
}

/// Settles the request this answer belongs to.
async fn answered(desk: &Desk, arrival: &Arrival, kind: &Kind, requests: &mut Requests) -> Option<Pair> {
    let free = name::free_part(&arrival.name, kind).unwrap_or_default();
    requests.answered(desk, &kind.key, &free, Timestamp::now()).await
}
