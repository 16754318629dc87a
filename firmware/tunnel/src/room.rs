//! The tunnel at work: charon and the kernel on one side, the pure machine of `keep.rs` on the other.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::tunnel::{TunnelPart, TunnelState};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::charon::Purpose;
use crate::connection::Connection;
use crate::error::Error;
use crate::keep::{Effect, Event, Keep, State};
use crate::kernel;
use crate::vici::{Heard, Secret, Vici};
use crate::way::Way;

/// What the room needs to know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What for.
    pub purpose: Purpose,
    /// charon's socket.
    pub socket: PathBuf,
    /// The port of the line, which an XFRM interface belongs to.
    pub port: String,
    /// The gateways, and a connection to each, in the same order.
    pub gateways: Vec<IpAddr>,
    /// As said.
    pub connections: Vec<Connection>,
    /// What proves who we are.
    pub secret: Secret,
    /// The routes.
    pub way: Way,
    /// Whether it stood before with this same secret.
    pub ever_stood: bool,
}

/// How long charon is left alone before it is looked for again.
const AGAIN: Duration = Duration::from_millis(200);

/// Keeps the tunnel up and says how it stands, until something of ours fails. `stood` is called when a tunnel stands
/// that never did before with this secret.
///
/// # Errors
/// [`Error::Way`] if the kernel does not take routes: then nothing of the traffic has a way, which is the safe side.
pub async fn run(plan: Plan, part: &watch::Sender<TunnelPart>, stood: impl Fn() + Send) -> Result<(), Error> {
    kernel::lay(&plan.way).await?;
    let (tell, mut heard) = mpsc::channel(64);
    let vici = Vici::at(plan.socket.clone());
    let _ear = Ending(tokio::spawn(listen(vici.clone(), tell.clone())));
    let _eye = Ending(tokio::spawn(kernel::watch(tell.clone())));
    let mut work = Work { keep: Keep::new(plan.gateways.len()), plan, vici, tell, call: None };
    loop {
        work.publish(part, &stood);
        let due = work.keep.due();
        let event = tokio::select! {
            Some(event) = heard.recv() => event,
            () = sleep_until(due) => Event::Due,
        };
        let event = match event {
            Event::Moved { .. } => Event::Moved { lost: work.lost() },
            event => event,
        };
        work.take(event).await?;
    }
}

/// A task that ends with who started it.
struct Ending(JoinHandle<()>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Listens to charon for as long as we live, also to the one that follows it.
async fn listen(vici: Vici, tell: mpsc::Sender<Event>) {
    let (raw, mut heard) = mpsc::channel(16);
    let told = tell.clone();
    let _translator = Ending(tokio::spawn(async move {
        while let Some(heard) = heard.recv().await {
            let event = match heard {
                Heard::Came => Event::Came,
                Heard::Changed => Event::Changed,
            };
            let _ = told.send(event).await;
        }
    }));
    loop {
        let ended = vici.hear(&raw).await;
        if let Err(error @ Error::Charon { .. }) = ended {
            tracing::warn!(%error, "charon went");
            let _ = tell.send(Event::Gone).await;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

struct Work {
    keep: Keep,
    plan: Plan,
    vici: Vici,
    tell: mpsc::Sender<Event>,
    call: Option<Ending>,
}

impl Work {
    /// Whether our end of the tunnel is no address of ours any more.
    fn lost(&self) -> bool {
        match self.keep.state() {
            State::Up { standing, .. } => !kernel::has(standing.own),
            _ => false,
        }
    }

    /// Takes an event and all that follows from it at once.
    async fn take(&mut self, event: Event) -> Result<(), Error> {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            tracing::debug!(?event, "tunnel");
            for effect in self.keep.step(event, Instant::now()) {
                tracing::debug!(?effect, "tunnel");
                events.extend(self.carry_out(effect).await?);
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, effect: Effect) -> Result<Option<Event>, Error> {
        let purpose = self.plan.purpose;
        Ok(match effect {
            Effect::Load => Some(self.load().await),
            Effect::Look => match self.vici.look(purpose).await {
                Ok(standing) => Some(Event::Seen(standing)),
                // It went, which is heard too.
                Err(error) => {
                    tracing::debug!(%error, "charon was not asked");
                    None
                }
            },
            Effect::Call(nth) => {
                self.call = Some(self.call(nth));
                None
            }
            Effect::End => {
                self.call = None;
                self.vici.end(purpose, self.plan.gateways.len()).await;
                None
            }
            Effect::Open(standing) => {
                let inner = standing.inner;
                tracing::info!(gateway = %standing.gateway, ?inner, "the tunnel stands");
                kernel::open(&self.plan.way, inner).await?;
                None
            }
            Effect::Close => {
                kernel::close(&self.plan.way).await;
                None
            }
        })
    }

    async fn load(&self) -> Event {
        let made = kernel::interface(&self.plan.way, &self.plan.port).await;
        let told = match made {
            Ok(()) => self.vici.load(self.plan.purpose, &self.plan.secret, &self.plan.connections).await,
            Err(error) => Err(error),
        };
        match told {
            Ok(()) => Event::Loaded,
            Err(error) => {
                tracing::error!(%error, "charon did not take the connection");
                Event::NotLoaded
            }
        }
    }

    /// Calls a gateway beside everything else.
    fn call(&self, nth: usize) -> Ending {
        let (vici, tell, purpose) = (self.vici.clone(), self.tell.clone(), self.plan.purpose);
        Ending(tokio::spawn(async move {
            let event = match vici.call(purpose, nth).await {
                Ok(()) => Event::Changed,
                Err(trouble) => Event::Failed(trouble),
            };
            let _ = tell.send(event).await;
        }))
    }

    /// Says how it stands; `since` moves only with the state.
    fn publish(&mut self, part: &watch::Sender<TunnelPart>, stood: &(impl Fn() + Send)) {
        let (state, gateway, inner) = match self.keep.state() {
            State::Away | State::Loading => (TunnelState::Away, None, None),
            State::Looking | State::Calling => (TunnelState::Calling, None, None),
            State::Waiting { .. } => (TunnelState::Waiting, None, None),
            State::Up { standing, .. } => (TunnelState::Up, Some(standing.gateway), standing.inner),
        };
        if state == TunnelState::Up && !self.plan.ever_stood {
            self.plan.ever_stood = true;
            stood();
        }
        let (trouble, failed) = (self.keep.trouble(), self.keep.failed());
        let ever_stood = self.plan.ever_stood;
        part.send_if_modified(|part| {
            let since = if part.state == state { part.since } else { Timestamp::now() };
            let new = TunnelPart { state, since, gateway, inner, trouble, failed, ever_stood };
            let changed = *part != new;
            *part = new;
            changed
        });
    }
}
