//! Several files on their road at once: each goes step by step as `request` decides, and those that want the same
//! effect get it together, so that one flush serves them all. Order stays: what goes first is published first.

use std::fs::File;
use std::sync::Arc;

use model::Timestamp;

use crate::clinic::{Source, Taken};
use crate::entry::Attempt;
use crate::lane::Desk;
use crate::lane::outbox::Open;
use crate::lane::table::Outlet;
use crate::request::{Effect, Event, Mark, State, step};
use crate::sabotage;
use crate::share::{Outgoing, Parcel, Published, Share, Trouble, staged_name};

/// A file about to go.
#[derive(Debug)]
pub struct Going {
    /// The file.
    pub open: Open,
    /// What happened to it.
    pub event: Event,
    /// Where it lies, if it is not in `attempted` yet: held open, and its outlet.
    pub source: Option<(Taken, u16)>,
}

/// How far it went.
#[derive(Debug)]
pub struct Walked {
    /// The file.
    pub open: Open,
    /// Whether it was published now.
    pub published: bool,
    /// What the end said instead.
    pub trouble: Option<Trouble>,
    /// At which effect.
    pub effect: Option<Effect>,
}

struct One {
    walked: Walked,
    event: Option<Event>,
    effect: Option<Effect>,
    staged: bool,
    source: Option<Lies>,
}

/// Where a file lies that was not decided yet.
struct Lies {
    file: Arc<File>,
    size: u64,
    stamp: u64,
    outlet: u16,
}

/// Walks them as far as they go now.
pub async fn walk<S: Share>(desk: &Desk, share: &S, outlets: &[Outlet], going: Vec<Going>) -> Vec<Walked> {
    let mut all: Vec<One> = going.into_iter().map(One::new).collect();
    loop {
        all.iter_mut().for_each(One::step);
        let Some(next) = all.iter().filter_map(|one| one.effect).map(Effect::rank).min() else { break };
        let wants = |at: &usize| all[*at].effect.is_some_and(|effect| effect.rank() == next);
        let group: Vec<usize> = (0..all.len()).filter(wants).collect();
        perform(desk, share, outlets, &mut all, &group).await;
        sabotage::step(AFTER[usize::from(next)]);
    }
    let orphans = all.iter().filter(|one| one.staged && one.walked.open.state == State::Lying);
    let orphans: Vec<String> = orphans.map(|one| staged_name(one.walked.open.attempt.stage)).collect();
    for name in orphans {
        // Nothing speaks of it; what cannot be removed now is swept at the next connection.
        let _ = share.discard(&name).await;
    }
    all.into_iter().map(|one| one.walked).collect()
}

/// What a check calls the steps after each effect.
const AFTER: [&str; 5] = ["staged", "decided", "published", "noted", "settled"];

impl One {
    fn new(going: Going) -> Self {
        let source = going.source.map(|(taken, outlet)| Lies {
            file: Arc::new(taken.file),
            size: taken.look.size,
            stamp: taken.look.stamp,
            outlet,
        });
        let walked = Walked { open: going.open, published: false, trouble: None, effect: None };
        Self { walked, event: Some(going.event), effect: None, staged: false, source }
    }

    fn step(&mut self) {
        if let Some(event) = self.event.take() {
            (self.walked.open.state, self.effect) = step(self.walked.open.state, event);
        }
    }

    fn done(&mut self, event: Event) {
        (self.event, self.effect) = (Some(event), None);
    }

    fn unclear(&mut self, trouble: Trouble) {
        (self.walked.trouble, self.walked.effect) = (Some(trouble), self.effect);
        self.done(Event::Unclear);
    }

    fn parcel(&self, outlets: &[Outlet]) -> Parcel {
        let attempt = &self.walked.open.attempt;
        let outlet = outlets.iter().find(|outlet| outlet.folder == attempt.folder);
        let folder = outlet.map_or(&attempt.folder, |outlet| &outlet.end).clone();
        Parcel { staged: staged_name(attempt.stage), folder, name: attempt.name.clone() }
    }
}

async fn perform<S: Share>(desk: &Desk, share: &S, outlets: &[Outlet], all: &mut [One], group: &[usize]) {
    match group.first().and_then(|at| all[*at].effect) {
        Some(Effect::Stage) => stage(share, outlets, all, group).await,
        Some(Effect::Decide) => decide(desk, outlets, all, group).await,
        Some(Effect::Publish) => publish(desk, share, outlets, all, group).await,
        Some(Effect::Note(_)) => note(desk, all, group).await,
        Some(Effect::Settle) => {
            settle(desk, group.iter().map(|at| all[*at].walked.open.attempt.clone()).collect()).await;
            group.iter().for_each(|at| all[*at].done(Event::Done));
        }
        None => {}
    }
}

async fn stage<S: Share>(share: &S, outlets: &[Outlet], all: &mut [One], group: &[usize]) {
    let outgoing = |at: &usize| {
        let source = all[*at].source.as_ref()?;
        let file =
            Outgoing { parcel: all[*at].parcel(outlets), file: source.file.clone(), size: source.size };
        Some((*at, file))
    };
    let (places, files): (Vec<usize>, Vec<Outgoing>) = group.iter().filter_map(outgoing).unzip();
    // Only what was read can be staged.
    group.iter().filter(|at| !places.contains(at)).for_each(|at| all[*at].done(Event::Failed));
    for (at, staged) in places.into_iter().zip(share.stage(files).await) {
        all[at].staged = true;
        match staged {
            Ok(()) => all[at].done(Event::Done),
            Err(trouble) => all[at].unclear(trouble),
        }
    }
}

async fn decide(desk: &Desk, outlets: &[Outlet], all: &mut [One], group: &[usize]) {
    let source = |at: &usize| {
        let lies = all[*at].source.as_ref()?;
        let outlet = outlets.get(usize::from(lies.outlet))?;
        Some((*at, all[*at].walked.open.attempt.clone(), outlet.seat, outlet.path.clone(), lies.stamp))
    };
    let sources: Vec<_> = group.iter().filter_map(source).collect();
    let places: Vec<usize> = sources.iter().map(|(at, ..)| *at).collect();
    let decided = desk.on_disk(move |desk| {
        let sources = sources.iter().filter_map(|(_, attempt, seat, path, stamp)| {
            Some(Source { attempt, seat: desk.clinic.seat(*seat)?, path, stamp: *stamp })
        });
        Ok(desk.own.decide(&sources.collect::<Vec<_>>()))
    });
    // Nothing said: nothing was done with it, or it is found in `attempted` after a restart.
    let (moved, flushed) = decided.await.unwrap_or((Vec::new(), Ok(())));
    if let Err(error) = &flushed {
        tracing::error!(%error, "decisions could not be made durable");
    }
    let mut decided = moved.into_iter().map(|moved| match moved {
        Ok(true) if flushed.is_ok() => Event::Done,
        Ok(true) => Event::Unclear,
        Ok(false) => Event::Failed,
        Err(error) => {
            tracing::error!(%error, "a file could not be moved");
            Event::Failed
        }
    });
    for at in places {
        all[at].done(decided.next().unwrap_or(Event::Failed));
    }
    for at in group {
        if all[*at].effect.is_some() {
            all[*at].done(Event::Failed);
        }
    }
}

async fn publish<S: Share>(desk: &Desk, share: &S, outlets: &[Outlet], all: &mut [One], group: &[usize]) {
    let parcels = group.iter().map(|at| all[*at].parcel(outlets)).collect();
    let published = share.publish(parcels).await;
    let now = Timestamp::now();
    let mut went = Vec::new();
    for (at, published) in group.iter().zip(published) {
        let one = &mut all[*at];
        match published {
            Ok(Published::Done) => {
                let open = &mut one.walked.open;
                (open.published, open.since) = (Some(now), now);
                one.walked.published = true;
                let (number, kind) = (open.attempt.number, desk.table.key(open.kind));
                tracing::info!(number, kind, "submitted");
                went.push((number, kind.to_owned()));
                one.done(Event::Done);
            }
            Ok(Published::NameTaken) => one.done(Event::NameTaken),
            Ok(Published::Gone) => one.done(Event::StagedIsGone),
            Err(trouble) => one.unclear(trouble),
        }
    }
    desk.report.went(desk.way.out, went, now);
}

async fn note(desk: &Desk, all: &mut [One], group: &[usize]) {
    let mark = |at: &usize| match all[*at].effect {
        Some(Effect::Note(mark)) => Some((*at, mark)),
        _ => None,
    };
    let marks: Vec<(usize, Mark)> = group.iter().filter_map(mark).collect();
    for (at, mark) in &marks {
        if let Mark::Held(reason) = mark {
            let open = &all[*at].walked.open;
            let (number, kind) = (open.attempt.number, desk.table.key(open.kind));
            tracing::warn!(number, kind, ?reason, "a file is held");
        }
    }
    let asked: Vec<(Attempt, Mark)> =
        marks.iter().map(|(at, mark)| (all[*at].walked.open.attempt.clone(), *mark)).collect();
    let noted = desk.quickly(asked.len(), move |desk| Ok(desk.own.note(&asked))).await;
    let mut noted = noted.unwrap_or_default().into_iter();
    for (at, _) in marks {
        match noted.next().flatten() {
            Some(attempt) => {
                all[at].walked.open.attempt = attempt;
                all[at].done(Event::Done);
            }
            None => {
                tracing::error!("what became of a file could not be noted");
                all[at].done(Event::Failed);
            }
        }
    }
}

/// Removes entries of `attempted`.
pub async fn settle(desk: &Desk, attempts: Vec<Attempt>) {
    let settled = desk.on_disk(move |desk| attempts.iter().try_for_each(|attempt| desk.own.settle(attempt)));
    if let Err(error) = settled.await {
        tracing::error!(%error, "a settled file could not be removed");
    }
    sabotage::step("settled");
}
