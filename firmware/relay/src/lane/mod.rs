//! The road of one terminal: connect, carry requests there, carry answers back, say what waits; for ever.
//!
//! One task does it step by step, so that no two steps of a parcel can meet. Looking is the truth: events only
//! shorten the wait until the next look.

mod answers;
mod collect;
mod intake;
mod link;
mod look;
mod requests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::profile::Kind;

pub use look::{Looker, serve};

use crate::clinic::Clinic;
use crate::lane::answers::Answers;
use crate::lane::collect::Uncollected;
use crate::lane::link::Link;
use crate::lane::requests::Requests;
use crate::ledger::Ledger;
use crate::report::{Report, View};
use crate::share::{Share, Terminal, Trouble};
use crate::watch::Hint;

/// How often the clinic's folders are looked at without any event.
const RESCAN: Duration = Duration::from_secs(1);
/// How often the terminal's folders are looked at: its events may lie or be missing.
const POLL: Duration = Duration::from_millis(250);

/// What every part of a lane works with.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The terminal's name.
    pub lane: String,
    /// The table of kinds.
    pub kinds: Arc<[Kind]>,
    /// The clinic's end.
    pub clinic: Arc<Clinic>,
    /// Numbers, key and seen answers.
    pub ledger: Arc<Ledger>,
    /// Where is said what is seen.
    pub report: Arc<Report>,
}

/// One terminal's road.
pub struct Lane<T: Terminal> {
    desk: Desk,
    link: Link<T>,
    carries_requests: bool,
    requests: Requests,
    answers: Answers,
    uncollected: Uncollected,
}

impl<T: Terminal> Lane<T> {
    /// The road of the terminal of `looker`. One lane carries the clinic's requests.
    pub fn new(desk: Desk, looker: &Looker<T>, carries_requests: bool) -> Self {
        Self {
            desk,
            link: Link::new(looker),
            carries_requests,
            requests: Requests::default(),
            answers: Answers::default(),
            uncollected: Uncollected::default(),
        }
    }

    /// Keeps a lane running. What a terminal sends may bring the SMB client down; then the lane begins again from
    /// what the folders say.
    pub async fn keep(desk: Desk, looker: Looker<T>, carries_requests: bool, hint: Hint) {
        loop {
            // A set ends its task when it is dropped.
            let mut running = tokio::task::JoinSet::new();
            running.spawn(Self::new(desk.clone(), &looker, carries_requests).run(hint.clone()));
            running.join_next().await;
            tracing::error!(terminal = %looker.name, "a lane broke down and begins again");
            tokio::time::sleep(RESCAN).await;
        }
    }

    /// Runs for ever.
    async fn run(mut self, hint: Hint) {
        self.requests.recover(&self.desk).await;
        if self.carries_requests {
            self.answers.recover(&self.desk).await;
        }
        let mut polled = None;
        loop {
            let due = self.turn(&mut polled).await;
            self.say();
            let share = self.link.share();
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = hint.changed(), if self.carries_requests => {}
                () = changed(share.as_deref()) => polled = None,
                () = self.link.woken() => self.link.try_now(),
            }
        }
    }

    /// One turn; returns when the next one is due.
    async fn turn(&mut self, polled: &mut Option<Instant>) -> Instant {
        if let Some(share) = self.link.connect().await {
            let recovered = self.requests.settle_doubts(&self.desk, &*share).await.map(|()| 0);
            self.link.staged(&recovered, false);
            self.note(recovered).await;
            *polled = None;
        }
        let mut due = Instant::now() + RESCAN;
        if self.carries_requests {
            due = due.min(self.requests.look(&self.desk).await);
            if let Some(share) = self.link.share() {
                let carried = self.requests.carry(&self.desk, &*share).await;
                self.link.staged(&carried, self.requests.nothing_to_stage());
                self.note(carried).await;
            }
        }
        if let Some(share) = self.link.share()
            && (polled.is_none_or(|at| at.elapsed() >= POLL) || self.answers.is_due())
        {
            let carried = self.answers.look(&self.desk, &*share, &mut self.requests).await;
            *polled = carried.is_ok().then(Instant::now);
            match carried {
                Ok(refused) => self.link.looked(refused),
                Err(trouble) => self.link.lose(trouble).await,
            }
        }
        self.answers.unblock(&self.desk, &mut self.requests).await;
        if self.carries_requests {
            self.uncollected.look(&self.desk).await;
        }
        let answers = if self.link.share().is_some() { self.answers.due() } else { None };
        due.min(self.link.due(Instant::now() + POLL)).min(answers.unwrap_or(due))
    }

    /// Any trouble ends the connection: the next one begins with a look at what is really there.
    async fn note<V>(&mut self, result: Result<V, Trouble>) {
        if let Err(trouble) = result {
            self.link.lose(trouble).await;
        }
    }

    fn say(&self) {
        let away = self.link.share().is_none();
        let mut view = View { share: self.link.observation(), ..View::default() };
        self.requests.say(away, &mut view);
        self.answers.say(&mut view);
        self.uncollected.say(&mut view);
        self.desk.report.see(&self.desk.lane, view, Timestamp::now());
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

    fn kind_of_request(&self, name: &str) -> Option<&Kind> {
        let requests = self.kinds.iter().filter(|kind| kind.direction == model::parcel::Direction::Request);
        requests
            .filter(|kind| crate::name::free_part(name, kind).is_some())
            .max_by_key(|kind| kind.prefix.len())
    }
}

/// Which staging folder of the terminal we know: it tells whether the terminal lost its state.
impl Desk {
    async fn terminal_identity(&self) -> Option<u64> {
        let read = self.on_disk(|desk| Ok(journal::read(&desk.clinic.terminal_path(&desk.lane))?)).await;
        let text =
            read.inspect_err(|error| tracing::error!(%error, "cannot read what is known of the terminal"));
        String::from_utf8(text.ok()??).ok()?.parse().ok()
    }

    async fn remember_terminal(&self, identity: u64) {
        let written = self.on_disk(move |desk| {
            Ok(journal::replace(&desk.clinic.terminal_path(&desk.lane), identity.to_string().as_bytes())?)
        });
        if let Err(error) = written.await {
            tracing::error!(%error, "cannot note what is known of the terminal");
        }
    }
}
