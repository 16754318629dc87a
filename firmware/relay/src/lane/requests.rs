//! Requests: what lies in the clinic's folder, what was attempted, and the steps between.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Instant;

use model::Timestamp;
use model::parcel::{Held, Pair, ParcelView, WaitReason, Waiting};

use crate::clinic::Attempt;
use crate::folder::Facts;
use crate::lane::Desk;
use crate::lane::intake::{self, Finding, Lying, examine};
use crate::name;
use crate::report::View;
use crate::request::{Effect, Event, Mark, State, step};
use crate::share::{Parcel, Published, Share, Trouble, stage_of};

/// A request younger than this goes before older ones, seconds: somebody stands at the counter.
const COUNTER_S: i64 = 30;
/// How many requests one turn carries before answers have theirs.
const AT_ONCE: usize = 8;

/// A request whose source lies in `attempted`.
#[derive(Debug)]
struct Open {
    attempt: Attempt,
    state: State,
    view: ParcelView,
    /// Time to live, seconds.
    lives_s: i64,
    published: Option<Timestamp>,
}

/// The requests of one lane.
#[derive(Debug, Default)]
pub struct Requests {
    lying: HashMap<OsString, Lying>,
    open: Vec<Open>,
}

impl Requests {
    /// Takes up what a former run left in `attempted`.
    pub async fn recover(&mut self, desk: &Desk) {
        let lane = desk.lane.clone();
        match desk.on_disk(move |desk| desk.clinic.attempts(&lane)).await {
            Ok(found) => {
                self.open.extend(found.into_iter().map(|(attempt, facts)| reopen(desk, attempt, facts)));
                self.open.sort_by_key(|open| open.attempt.number);
            }
            Err(error) => tracing::error!(%error, "cannot see what was attempted before"),
        }
    }

    /// Looks at the clinic's folder. Returns when to look again at the latest.
    pub async fn look(&mut self, desk: &Desk) -> Instant {
        let now = Instant::now();
        let far = now + super::RESCAN;
        let listed = match desk.on_disk(|desk| desk.clinic.list("req")).await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%error, "cannot look at the requests");
                return far;
            }
        };
        let names: HashSet<&OsString> = listed.iter().map(|(name, _)| name).collect();
        self.lying.retain(|name, _| names.contains(name));
        let mut due = far;
        for (file, facts) in listed {
            let before = self.lying.remove(&file);
            if let Some(lying) = examine(desk, &file, facts, before, now).await {
                if let Finding::Wait(_, at) = lying.finding {
                    due = due.min(at);
                }
                self.lying.insert(file, lying);
            }
        }
        due
    }

    /// Whether no request waits to be staged.
    pub fn nothing_to_stage(&self) -> bool {
        !self.lying.values().any(|lying| matches!(lying.finding, Finding::Ripe))
    }

    /// Carries what is ripe to the terminal. Returns how many were published.
    pub async fn carry<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<usize, Trouble> {
        let now_s = Timestamp::now().as_second();
        let mut ripe: Vec<(bool, i64, u64, OsString)> = Vec::new();
        for (name, lying) in &self.lying {
            if matches!(lying.finding, Finding::Ripe) {
                let age = now_s - lying.facts.changed_s;
                ripe.push((age > COUNTER_S, lying.facts.changed_s, lying.view.number, name.clone()));
            }
        }
        ripe.sort();
        let mut published = 0;
        for (.., name) in ripe.into_iter().take(AT_ONCE) {
            let Some(lying) = self.lying.get_mut(&name) else { continue };
            let Some(bytes) = intake::bytes(desk, &name, lying).await else { continue };
            let source = Some((bytes, lying.facts.stamp));
            let Some(open) = begin(desk, &name, lying.view.clone()) else { continue };
            let was_published = self.go(desk, share, open, Event::Ripe, source).await?;
            published += usize::from(was_published);
            // Gone from the folder, or to be looked at again.
            self.lying.remove(&name);
        }
        self.expire(desk, share).await;
        Ok(published)
    }

    /// After a new connection: sees what became of every attempt that is not certain, and sweeps what nobody owns.
    pub async fn settle_doubts<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<(), Trouble> {
        let staged = share.staged().await?;
        let known = desk.terminal_identity().await;
        let other = known.is_some_and(|known| known != staged.identity);
        let there: HashSet<u64> = staged.names.iter().filter_map(|name| stage_of(name)).collect();
        let mut before = std::mem::take(&mut self.open).into_iter();
        while let Some(open) = before.next() {
            let is_there = there.contains(&open.attempt.stage);
            let event = match open.state {
                State::Doubtful if other => Event::OtherFolder,
                State::Doubtful if is_there && open.is_over() => Event::TimeOver,
                State::Doubtful if is_there => Event::StagedIsThere,
                State::Doubtful => Event::StagedIsGone,
                _ if is_there && !other => Event::StagedIsThere,
                _ => {
                    self.open.push(open);
                    continue;
                }
            };
            if let Err(trouble) = self.go(desk, share, open, event, None).await {
                self.open.extend(before);
                return Err(trouble);
            }
        }
        if known != Some(staged.identity) {
            desk.remember_terminal(staged.identity).await;
        }
        let decided = |open: &Open, stage| open.attempt.stage == stage && open.attempt.mark == Mark::Decided;
        let owned = |stage: u64| self.open.iter().any(|open| decided(open, stage));
        for name in &staged.names {
            if stage_of(name).is_some_and(|stage| !owned(stage)) {
                share.discard(name).await?;
            }
        }
        Ok(())
    }

    /// An answer of this kind and free part stands in the clinic's share: settles the oldest request it belongs to.
    pub async fn answered(&mut self, desk: &Desk, kind: &str, free: &str, now: Timestamp) -> Option<Pair> {
        let fits = |open: &Open| {
            let Some(request) = desk.kind_of_request(&open.attempt.name) else { return false };
            open.state == State::Submitted
                && request.answered_by.as_deref() == Some(kind)
                && name::free_part(&open.attempt.name, request).as_deref() == Some(free)
        };
        let at = self.open.iter().position(fits)?;
        let mut open = self.open.remove(at);
        let published = open.published.unwrap_or(open.view.since);
        (open.state, _) = step(open.state, Event::Answered);
        settle(desk, &open).await;
        let took = now.duration_since(published);
        Some(Pair { at: published, took_ms: took.as_secs_f64().max(0.0) * 1000.0 })
    }

    /// Says what waits and what is held.
    pub fn say(&self, away: bool, view: &mut View) {
        for lying in self.lying.values() {
            let parcel = lying.view.clone();
            match lying.finding {
                Finding::Held(reason) => view.held.push(Held { parcel, reason }),
                Finding::Wait(reason, _) => view.waiting.push(Waiting { parcel, reason }),
                Finding::Ripe if away => {
                    view.waiting.push(Waiting { parcel, reason: WaitReason::TerminalAway });
                }
                Finding::Ripe => {}
            }
        }
        for open in &self.open {
            let parcel = open.view.clone();
            match open.state {
                State::Held(reason) => view.held.push(Held { parcel, reason }),
                State::Submitted => view.waiting.push(Waiting { parcel, reason: WaitReason::AwaitingAnswer }),
                _ => view.waiting.push(Waiting { parcel, reason: WaitReason::TerminalAway }),
            }
        }
    }

    /// Walks one request as far as it goes now. Returns whether it was published.
    async fn go<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        mut open: Open,
        first: Event,
        source: Option<(Arc<[u8]>, u64)>,
    ) -> Result<bool, Trouble> {
        let (mut event, mut published, mut trouble) = (first, false, None);
        loop {
            let effect;
            (open.state, effect) = step(open.state, event);
            let Some(effect) = effect else { break };
            event = match perform(desk, share, &mut open, effect, source.as_ref()).await {
                Ok(event) => event,
                Err(error) => {
                    trouble = Some(error);
                    Event::Unclear
                }
            };
            if effect == Effect::Publish && event == Event::Done {
                published = true;
            }
        }
        if !matches!(open.state, State::Lying | State::Settled) {
            self.open.push(open);
        }
        trouble.map_or(Ok(published), Err)
    }

    async fn expire<S: Share>(&mut self, desk: &Desk, share: &S) {
        let over = |open: &Open| open.state == State::Submitted && open.is_over();
        while let Some(at) = self.open.iter().position(over) {
            let open = self.open.remove(at);
            tracing::warn!(kind = %open.view.kind, number = open.view.number, "no answer came within its time");
            // Settling touches our own folder only, so no trouble with the share can come of it.
            let _ = self.go(desk, share, open, Event::TimeOver, None).await;
        }
    }
}

impl Open {
    fn is_over(&self) -> bool {
        Timestamp::now().as_second() - self.view.since.as_second() > self.lives_s
    }
}

fn begin(desk: &Desk, name: &OsString, view: ParcelView) -> Option<Open> {
    let mut stage = [0; 8];
    if let Err(error) = getrandom::fill(&mut stage) {
        tracing::error!(%error, "no random bytes");
        return None;
    }
    let attempt = Attempt {
        mark: Mark::Decided,
        number: view.number,
        stage: u64::from_le_bytes(stage),
        terminal: desk.lane.clone(),
        name: name.to_str()?.to_owned(),
    };
    Some(open(desk, attempt, State::Lying, view))
}

fn reopen(desk: &Desk, attempt: Attempt, facts: Facts) -> Open {
    let kind =
        desk.kind_of_request(&attempt.name).map_or_else(|| "unknown".to_owned(), |kind| kind.key.clone());
    let view = ParcelView {
        number: attempt.number,
        kind,
        hash: desk.ledger.short(attempt.name.as_bytes()),
        bytes: facts.size,
        since: Timestamp::from_second(facts.changed_s).unwrap_or_else(|_| Timestamp::now()),
    };
    let state = attempt.mark.state();
    open(desk, attempt, state, view)
}

fn open(desk: &Desk, attempt: Attempt, state: State, view: ParcelView) -> Open {
    let lives = desk.kind_of_request(&attempt.name).map_or(0, |kind| kind.time_to_live_s);
    Open { attempt, state, view, lives_s: i64::try_from(lives).unwrap_or(i64::MAX), published: None }
}

async fn perform<S: Share>(
    desk: &Desk,
    share: &S,
    open: &mut Open,
    effect: Effect,
    source: Option<&(Arc<[u8]>, u64)>,
) -> Result<Event, Trouble> {
    let parcel = Parcel { stage: open.attempt.stage, folder: "req", name: &open.attempt.name };
    match (effect, source) {
        (Effect::Stage, Some((bytes, _))) => share.stage(parcel, bytes.clone()).await.map(|()| Event::Done),
        (Effect::Decide, Some((_, stamp))) => Ok(decide(desk, open, *stamp).await),
        // Only what was read can be staged.
        (Effect::Stage | Effect::Decide, None) => Ok(Event::Failed),
        (Effect::Publish, _) => publish(desk, share, open).await,
        (Effect::Note(mark), _) => Ok(note(desk, open, mark).await),
        (Effect::Settle, _) => {
            settle(desk, open).await;
            Ok(Event::Done)
        }
    }
}

async fn decide(desk: &Desk, open: &Open, stamp: u64) -> Event {
    let attempt = open.attempt.clone();
    match desk.on_disk(move |desk| desk.clinic.decide(&attempt, stamp)).await {
        Ok(true) => Event::Done,
        Ok(false) => Event::Failed,
        Err(error) => {
            tracing::error!(%error, number = open.view.number, "a request could not be moved durably");
            Event::Failed
        }
    }
}

async fn publish<S: Share>(desk: &Desk, share: &S, open: &mut Open) -> Result<Event, Trouble> {
    let parcel = Parcel { stage: open.attempt.stage, folder: "req", name: &open.attempt.name };
    Ok(match share.publish(parcel).await? {
        Published::Done => {
            let now = Timestamp::now();
            open.published = Some(now);
            open.view.since = now;
            desk.report.request(now);
            tracing::info!(number = open.view.number, kind = %open.view.kind, hash = %open.view.hash, "submitted");
            Event::Done
        }
        Published::NameTaken => Event::NameTaken,
        Published::Gone => Event::StagedIsGone,
    })
}

async fn note(desk: &Desk, open: &mut Open, mark: Mark) -> Event {
    if let Mark::Held(reason) = mark {
        tracing::warn!(number = open.view.number, kind = %open.view.kind, ?reason, "a request is held");
    }
    let attempt = open.attempt.clone();
    match desk.on_disk(move |desk| desk.clinic.note(&attempt, mark)).await {
        Ok(noted) => {
            open.attempt = noted;
            Event::Done
        }
        Err(error) => {
            tracing::error!(%error, number = open.view.number, "what became of a request could not be noted");
            Event::Failed
        }
    }
}

async fn settle(desk: &Desk, open: &Open) {
    let attempt = open.attempt.clone();
    if let Err(error) = desk.on_disk(move |desk| desk.clinic.settle(&attempt)).await {
        tracing::error!(%error, number = open.view.number, "a settled request could not be removed");
    }
}
