//! The room at work: brings the ruleset up, keeps looking at what the kernel really holds, and says so.

use std::sync::Arc;
use std::time::Duration;

use model::part::{FirewallPart, Promise, Proof, RulesetState};
use model::{Site, Timestamp};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::apply::{apply, close};
use crate::error::{Error, Shortfall};
use crate::follow::{News, Refused, Told};
use crate::held;
use crate::kernel::Kernel;
use crate::plan::drop_all;
use crate::prove::{Intent, all_proved, prove};

/// How often the kernel is read without being asked: twice within the time a part is believed.
const ROUND: Duration = Duration::from_secs(25);

/// What the room may be asked.
#[derive(Debug)]
pub enum Command {
    /// Reads what the kernel holds now, and proves it.
    ProveLive {
        /// Each promise, on what was found.
        reply: oneshot::Sender<Vec<Promise>>,
    },
    /// Gives what the kernel holds now, as it lists it; no answer if it cannot be read.
    Held {
        /// All of it.
        reply: oneshot::Sender<Value>,
    },
    /// Tells the room what changes while a site is in force. It answers when the kernel has followed.
    Tell {
        /// What.
        news: News,
        /// Whether it was taken.
        reply: oneshot::Sender<Result<(), Refused>>,
    },
}

pub(crate) struct Watch<K> {
    pub(crate) kernel: K,
    /// What the document is made of, with what was told; none before a site is in force.
    pub(crate) site: Option<Arc<Site>>,
    pub(crate) told: Told,
    pub(crate) document: Value,
    pub(crate) intent: Intent,
    pub(crate) part: watch::Sender<FirewallPart>,
    /// Somebody changed the ruleset since the start; said until the next one, also after it was put right.
    pub(crate) drifted: bool,
}

impl<K: Kernel> Watch<K> {
    /// Runs until the ruleset cannot be brought up at all, or not even be dropped ([`Error::leaves_open`]).
    pub(crate) async fn run(mut self, commands: &mut mpsc::Receiver<Command>) -> Result<(), Error> {
        self.start().await?;
        let mut rounds = interval_at(Instant::now() + ROUND, ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(command) = commands.recv() => self.obey(command).await?,
                _ = rounds.tick() => drop(self.look().await?),
            }
        }
    }

    /// Who asked may have gone.
    async fn obey(&mut self, command: Command) -> Result<(), Error> {
        match command {
            Command::ProveLive { reply } => {
                let found = self.look().await?;
                let _ = reply.send(found);
            }
            Command::Held { reply } => match self.kernel.list().await {
                Ok(held) => drop(reply.send(held)),
                Err(error) => tracing::warn!(%error, "the kernel's ruleset could not be read"),
            },
            Command::Tell { news, reply } => drop(reply.send(self.hear(news).await?)),
        }
        Ok(())
    }

    /// A restart cuts no flow: the site's own ruleset stays. Anything else gives way to drop-all before the
    /// new one is even proved.
    async fn start(&mut self) -> Result<(), Error> {
        let listing = self.kernel.list().await;
        if let Ok(promises) = listing.as_ref().map(|listing| prove(listing, &self.intent)) {
            let same = listing.is_ok_and(|listing| held::difference(&self.document, &listing).is_none());
            if same && all_proved(&promises) {
                self.publish(RulesetState::Proved, promises);
                return Ok(());
            }
        }
        self.kernel.load(&drop_all()).await.map_err(|error| Error::Unclosed(Box::new(error)))?;
        self.publish(RulesetState::DropAll, Vec::new());
        let promises = apply(&self.kernel, &self.document, &self.intent).await?;
        self.publish(RulesetState::Proved, promises);
        Ok(())
    }

    /// Reads, proves, and puts right what somebody changed. The promises are those of what was found.
    async fn look(&mut self) -> Result<Vec<Promise>, Error> {
        let listing = match self.kernel.list().await {
            Ok(listing) => listing,
            Err(error) => return Ok(self.unread(&error)),
        };
        self.refresh();
        let found = prove(&listing, &self.intent);
        let difference = held::difference(&self.document, &listing);
        if difference.is_none() && all_proved(&found) {
            let state = if self.drifted { RulesetState::Drifted } else { RulesetState::Proved };
            self.publish(state, found.clone());
            return Ok(found);
        }
        self.drifted = true;
        let what = difference.unwrap_or_else(|| Shortfall(found.clone()).to_string());
        tracing::warn!(%what, "the ruleset in the kernel is not the one that was proved");
        self.publish(RulesetState::Drifted, found.clone());
        self.repair().await?;
        Ok(found)
    }

    /// Loads the site's ruleset over what was found. If that does not bring the promises back, somebody else's
    /// table is in the way: everything is dropped, and the next round tries again.
    pub(crate) async fn repair(&mut self) -> Result<(), Error> {
        let error = match apply(&self.kernel, &self.document, &self.intent).await {
            Ok(promises) => {
                self.publish(RulesetState::Drifted, promises);
                return Ok(());
            }
            Err(error) => close(&self.kernel, error).await,
        };
        if matches!(error, Error::Open { .. }) {
            return Err(error);
        }
        tracing::error!(%error, "everything is dropped: the ruleset could not be put right");
        self.publish(RulesetState::DropAll, Vec::new());
        Ok(())
    }

    /// Nothing can be said of a kernel that is not read; what it holds goes on filtering.
    fn unread(&self, error: &Error) -> Vec<Promise> {
        tracing::warn!(%error, "the kernel's ruleset could not be read");
        let reason = format!("the kernel was not read: failed to {error}");
        let mut promises = self.part.borrow().promises.clone();
        promises.iter_mut().for_each(|promise| promise.proof = Proof::Unproved { reason: reason.clone() });
        self.part.send_modify(|part| part.promises.clone_from(&promises));
        promises
    }

    fn publish(&self, state: RulesetState, promises: Vec<Promise>) {
        let proved_at = (!promises.is_empty()).then(Timestamp::now);
        self.part.send_replace(FirewallPart { state, promises, proved_at, ..FirewallPart::dropping(None) });
    }
}
