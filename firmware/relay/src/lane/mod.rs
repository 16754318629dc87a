//! The road between the box and one end: connect, carry there, carry back, say what waits; for ever.
//!
//! One task does it step by step, so that no two steps of a parcel can meet. Looking is the truth: events only
//! shorten the wait until the next look. An end is a terminal, which gets requests and gives answers, or a consumer
//! whose folders are elsewhere, which gives requests and gets answers.

mod afar;
mod fetch;
mod inbox;
mod link;
mod look;
mod order;
mod outbox;
mod pace;
mod plan;
mod serve;
mod strangers;
mod stray;
mod table;
mod walk;
mod word;

pub mod collect;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Opening, Timestamp};

pub use look::Looker;
pub use order::Orders;
pub use plan::{Plan, Way, folders_of_seat, lanes};
pub use serve::serve;
pub use stray::{keep as keep_stray, strays, tell_unowned};
pub use table::Outlet;

use crate::audit::Audit;
use crate::clinic::{Clinic, Own};
use crate::lane::afar::Afar;
use crate::lane::inbox::Inbox;
use crate::lane::link::Link;
use crate::lane::outbox::{Open, Outbox};
use crate::ledger::Ledger;
use crate::name::Table;
use crate::report::{Report, View};
use crate::sabotage::{FLUSH_DOUBT, FLUSH_NOTED};
use crate::share::{Share, Terminal, Trouble};
use crate::watch::Hints;

/// How long a lane waits before it begins again after it broke down.
const PAUSE: Duration = Duration::from_secs(1);
/// A lane that knows more than so many files says what it sees less often.
const MANY: usize = 2000;
/// How often it then does.
const SAY: Duration = Duration::from_millis(500);
/// What a lane says is no older than this, also when nothing happens: its readers would not believe it.
const STILL: Duration = Duration::from_secs(5);

/// What every part of a lane works with.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The end's name.
    pub lane: String,
    /// Which way its kinds travel.
    pub way: Way,
    /// The table of kinds.
    pub table: Arc<Table>,
    /// The days a time to live counts.
    pub opening: Arc<Opening>,
    /// Whether answers are looked into and counted by what they say.
    pub count_outcomes: bool,
    /// The consumers' folders on the box.
    pub clinic: Arc<Clinic>,
    /// Our own folders for this end.
    pub own: Arc<Own>,
    /// Numbers, key and seen answers.
    pub ledger: Arc<Ledger>,
    /// Where is said what is seen.
    pub report: Arc<Report>,
    /// The record of what persons decided.
    pub audit: Arc<Audit>,
    /// What persons decided and was not carried out yet.
    pub orders: Arc<Orders>,
}

/// One end's road.
pub struct Lane<T: Terminal> {
    desk: Desk,
    link: Link<T>,
    outbox: Outbox,
    inbox: Inbox,
    afar: Afar,
    hints: Arc<Hints>,
    polled: Option<Instant>,
    said: Option<Instant>,
}

impl<T: Terminal> Lane<T> {
    fn new(desk: Desk, plan: &Plan, looker: &Looker<T>, hints: Arc<Hints>) -> Self {
        Self {
            link: Link::new(looker, plan.is_terminal),
            outbox: Outbox::new(&desk, plan.outlets.clone()),
            inbox: Inbox::new(&desk, plan.inlets.clone()),
            afar: Afar::of(plan),
            desk,
            hints,
            polled: None,
            said: None,
        }
    }

    /// Keeps a lane running. What an end sends may bring the SMB client down; then the lane begins again from what
    /// the folders say.
    pub async fn keep(desk: Desk, plan: Plan, looker: Looker<T>, hints: Arc<Hints>) {
        loop {
            // A set ends its task when it is dropped.
            let mut running = tokio::task::JoinSet::new();
            running.spawn(Self::new(desk.clone(), &plan, &looker, hints.clone()).run());
            running.join_next().await;
            tracing::error!(end = %looker.name, "a lane broke down and begins again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Runs for ever.
    async fn run(mut self) {
        order::settle(&self.desk).await;
        self.outbox.recover(&self.desk).await;
        self.inbox.recover(&self.desk).await;
        loop {
            let due = self.turn().await;
            let due = self.say().map_or(due, |at| due.min(at));
            let share = self.link.share();
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = self.hints.changed() => {}
                () = self.desk.orders.wait() => {}
                () = changed(share.as_deref()) => self.polled = None,
                () = self.link.woken() => self.link.try_now(),
            }
        }
    }

    /// One turn; returns when the next one is due.
    async fn turn(&mut self) -> Instant {
        order::carry_out(&self.desk, &self.desk.orders, &mut self.outbox, &mut self.inbox).await;
        if let Some(share) = self.link.connect().await {
            let recovered = self.outbox.settle_doubts(&self.desk, &*share).await.map(|()| 0);
            self.link.staged(&recovered, false);
            self.note(recovered).await;
            self.polled = None;
        }
        self.outbox.hear(&self.desk, &self.hints).await;
        self.send().await;
        self.fetch().await;
        self.see_untaken().await;
        self.see_uncollected().await;
        self.inbox.unblock(&self.desk, &mut self.outbox).await;
        self.due()
    }

    async fn send(&mut self) {
        let Some(share) = self.link.share() else { return self.outbox.look_only(&self.desk).await };
        let again = self.outbox.try_again(&self.desk, &*share).await;
        let carried = match again {
            Ok(_) => self.outbox.carry(&self.desk, &*share).await,
            Err(trouble) => Err(trouble),
        };
        let carried = carried.map(|carried| carried.published);
        self.link.staged(&carried, self.outbox.is_empty());
        self.link.publishing(self.outbox.refused());
        self.note(carried).await;
    }

    async fn fetch(&mut self) {
        let Some(share) = self.link.share() else { return };
        let poll = share.poll().max(self.inbox.rest());
        let due = self.polled.is_none_or(|at| at.elapsed() >= poll);
        if !due && !self.inbox.is_due() && !self.inbox.has_more() {
            return;
        }
        let carried = self.inbox.look(&self.desk, &*share, &mut self.outbox).await;
        self.polled = carried.is_ok().then(Instant::now);
        match carried {
            Ok(refused) => self.link.looked(refused),
            Err(trouble) => self.link.lose(trouble).await,
        }
    }

    /// Sees which requests without an answer still lie where they were put: nobody took them.
    async fn see_untaken(&mut self) {
        let Some(share) = self.link.share() else { return };
        let seen = self.outbox.see_untaken(&self.desk, &*share, Timestamp::now()).await;
        self.note(seen).await;
    }

    /// Sees what a consumer whose folders are elsewhere has not collected.
    async fn see_uncollected(&mut self) {
        let Some(share) = self.link.share() else { return };
        let seen = self.afar.look(&self.desk, &*share).await;
        self.note(seen).await;
    }

    fn due(&self) -> Instant {
        let (now, share) = (Instant::now(), self.link.share());
        let poll = share
            .as_ref()
            .map(|share| self.polled.map_or(now, |at| at + share.poll().max(self.inbox.rest())));
        let poll = if self.inbox.has_more() { Some(now) } else { poll };
        let lying = share.as_ref().and_then(|_| self.inbox.due());
        let due = self.outbox.due(share.is_some()).min(self.link.due(poll.unwrap_or(now)));
        let afar = share.as_ref().and_then(|_| self.afar.due());
        [lying, afar, self.inbox.blocked_due()].into_iter().flatten().fold(due, Instant::min)
    }

    /// Any trouble ends the connection: the next one begins with a look at what is really there.
    async fn note<V>(&mut self, result: Result<V, Trouble>) {
        if let Err(trouble) = result {
            self.link.lose(trouble).await;
        }
    }

    /// Says what is seen; if there is too much of it to say it at every turn, returns when it is due.
    fn say(&mut self) -> Option<Instant> {
        let pause = if self.outbox.len() > MANY { SAY } else { Duration::ZERO };
        let now = Instant::now();
        if let Some(at) = self.said.map(|at| at + pause).filter(|at| now < *at) {
            return Some(at);
        }
        self.said = Some(now);
        let away = self.link.share().is_none();
        let uncollected = self.afar.say(&self.desk, Timestamp::now()).into_iter().collect();
        let mut view = View { share: self.link.observation(), uncollected, ..View::default() };
        self.outbox.say(&self.desk, away, &mut view);
        self.inbox.say(&self.desk, &mut view);
        self.desk.report.see(&self.desk.lane, view, Timestamp::now());
        Some(now + STILL)
    }
}

async fn changed<S: Share>(share: Option<&S>) {
    match share {
        Some(share) => share.changed().await,
        None => std::future::pending().await,
    }
}

impl Desk {
    /// Runs a step on our own folders where blocking is allowed.
    async fn on_disk<V: Send + 'static>(
        &self,
        step: impl FnOnce(&Self) -> Result<V, crate::Error> + Send + 'static,
    ) -> Result<V, crate::Error> {
        let desk = self.clone();
        let done = tokio::task::spawn_blocking(move || step(&desk)).await;
        done.unwrap_or_else(|error| {
            Err(crate::Error::io("run a step in", std::path::Path::new("relay"))(std::io::Error::other(
                error,
            )))
        })
    }

    /// Runs a step that flushes nothing: at once if it touches a few files only, since handing it over would take
    /// longer than the step.
    async fn quickly<V: Send + 'static>(
        &self,
        files: usize,
        step: impl FnOnce(&Self) -> Result<V, crate::Error> + Send + 'static,
    ) -> Result<V, crate::Error> {
        const FEW: usize = 4;
        if files <= FEW { step(self) } else { self.on_disk(step).await }
    }

    /// Now, as the files' times count.
    fn now_ns() -> i64 {
        i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
    }

    /// Whether the time of something submitted or staged is over.
    fn is_over(&self, open: &Open, now: Timestamp) -> bool {
        let lives = open.kind.and_then(|kind| self.table.kind(kind)).map_or(0, |kind| kind.time_to_live_s);
        self.opening.age_s(open.since, now) > i64::try_from(lives).unwrap_or(i64::MAX)
    }

    /// Makes durable what was noted. False if that failed.
    async fn flush_notes(&self) -> bool {
        let flushed = self.on_disk(|desk| desk.own.flush_attempted(FLUSH_NOTED)).await;
        if let Err(error) = &flushed {
            tracing::error!(%error, "what became of files could not be noted durably");
        }
        flushed.is_ok()
    }

    /// Makes durable what was decided: moved out of these folders. False if that failed.
    async fn flush_decided(&self, outlets: Arc<[Outlet]>) -> bool {
        let flushed = self.on_disk(move |desk| {
            let seat = |outlet: &Outlet| Some((desk.clinic.seat(outlet.seat)?, outlet.path.clone()));
            let mut folders = outlets.iter().filter_map(seat);
            folders.try_for_each(|(seat, path)| seat.flush(&path, FLUSH_DOUBT))
        });
        let flushed = flushed.await;
        if let Err(error) = &flushed {
            tracing::error!(%error, "what was decided could not be made durable");
        }
        flushed.is_ok()
    }
}

/// Which staging folder of the end we know: it tells whether the end lost its state.
impl Desk {
    async fn known_end(&self) -> Result<Option<u64>, crate::Error> {
        let read = self.on_disk(|desk| Ok(journal::read(&desk.own.known_path())?)).await;
        let text =
            read.inspect_err(|error| tracing::error!(%error, "cannot read what is known of an end"))?;
        Ok(text.and_then(|text| String::from_utf8(text).ok()?.parse().ok()))
    }

    /// False if it could not be noted.
    async fn remember_end(&self, identity: u64) -> bool {
        let written = self.on_disk(move |desk| {
            let path = desk.own.known_path();
            if let Some(folder) = path.parent() {
                journal::make_folder(folder)?;
            }
            Ok(journal::replace(&path, identity.to_string().as_bytes())?)
        });
        let written = written.await;
        if let Err(error) = &written {
            tracing::error!(%error, "cannot note what is known of an end");
        }
        written.is_ok()
    }
}
