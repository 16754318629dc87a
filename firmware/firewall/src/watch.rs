//! The room at work: brings the ruleset up, keeps looking at what the kernel really holds, and says so.

use std::collections::BTreeSet;
use std::time::Duration;

use model::Timestamp;
use model::drops::{Drops, Line, Refusal};
use model::part::{FirewallPart, Promise, RulesetState};
use model::ruleset::{Applied, Apply, Drift, Settled};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::apply::{InForce, apply, drop_everything, proved};
use crate::change::{Asker, Unconfirmed};
use crate::drift::{self, Pace, Table};
use crate::drops::{Record, lines};
use crate::ears::{Ears, Heard};
use crate::error::Error;
use crate::follow::{News, Refused, Told};
use crate::kernel::{Judging, Kernel};
use crate::log::Logged;
use crate::memory::Memory;
use crate::now::Now;
use crate::prove::all_proved;
use crate::ruleset::{Ground, Ruleset};

/// How often the kernel is read without being asked: twice within the time a part is believed.
const ROUND: Duration = Duration::from_secs(25);

/// Word of changes leads to no more looks than this: somebody who changes the rules without a pause must not make the
/// box do nothing but look.
const BREATH: Duration = Duration::from_millis(200);

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
    /// Tells what was refused, and what the lines have counted until now.
    Drops {
        /// All of it.
        reply: oneshot::Sender<Drops>,
    },
    /// Tells the newest refusals, as [`Command::Drops`] does; the kernel is not asked for it.
    Refused {
        /// Newest first.
        reply: oneshot::Sender<Vec<Refusal>>,
    },
    /// A person has seen that the rules were changed behind our back.
    Seen {
        /// Whether there was such a change.
        reply: oneshot::Sender<bool>,
    },
    /// Puts another site's ruleset in force, until it is confirmed or its time is over.
    Apply {
        /// Whose, and for how long.
        ask: Apply,
        /// Who wants it.
        by: Asker,
        /// What came of it.
        reply: oneshot::Sender<Applied>,
    },
    /// Confirms the change that waits.
    Confirm {
        /// The word that the change was answered with.
        word: String,
        /// Who confirms.
        by: Asker,
        /// What came of it.
        reply: oneshot::Sender<Settled>,
    },
    /// Takes the change that waits back at once.
    Revert {
        /// What came of it.
        reply: oneshot::Sender<Settled>,
    },
}

/// The room. How it looks and puts right is in [`crate::mend`], a person's change in [`crate::change`].
pub(crate) struct Watch<K> {
    pub(crate) kernel: K,
    /// What the ruleset in force is made of.
    pub(crate) ground: Ground,
    /// What was told since the start.
    pub(crate) told: Told,
    pub(crate) ruleset: Ruleset,
    pub(crate) memory: Option<Memory>,
    pub(crate) unconfirmed: Option<Unconfirmed>,
    pub(crate) ears: Ears,
    pub(crate) part: watch::Sender<FirewallPart>,
    /// What somebody changed, and when that is told no more.
    pub(crate) drift: Option<(Drift, Instant)>,
    pub(crate) pace: Pace,
    /// Who changed the rules last.
    pub(crate) author: Option<String>,
    /// The number of the last change of which it is known that it left the rules as they should be.
    seen: Option<u32>,
    /// Other people's tables that are left alone: they were there at the start, or cannot be removed.
    pub(crate) guests: BTreeSet<Table>,
    /// Everything is dropped, since the ruleset could not be brought up.
    pub(crate) dropped: bool,
    /// How often in a row the kernel could not be read.
    pub(crate) unread: u32,
    pub(crate) record: Record,
    pub(crate) counted_since: Option<Timestamp>,
    /// When the kernel was last found to hold what it should.
    pub(crate) clean_at: Timestamp,
    pub(crate) looked_at: Instant,
    /// When there is a look before the next round.
    pub(crate) look_at: Option<Instant>,
}

impl<K: Kernel> Watch<K> {
    pub(crate) fn new(
        kernel: K,
        ears: Ears,
        ground: Ground,
        memory: Option<Memory>,
        part: watch::Sender<FirewallPart>,
    ) -> Self {
        Self {
            kernel,
            ruleset: ground.ruleset(&Now::default()),
            ground,
            told: Told::default(),
            memory,
            unconfirmed: None,
            ears,
            part,
            drift: None,
            pace: Pace::default(),
            author: None,
            seen: None,
            guests: BTreeSet::new(),
            dropped: false,
            unread: 0,
            record: Record::default(),
            counted_since: None,
            clean_at: Timestamp::now(),
            looked_at: Instant::now(),
            look_at: None,
        }
    }

    /// Runs until the ruleset cannot be brought up at all, or not even be dropped ([`Error::leaves_open`]).
    pub(crate) async fn run(mut self, commands: &mut mpsc::Receiver<Command>) -> Result<(), Error> {
        // Before it is looked at, so that no change falls in between.
        self.ears.open_notices();
        self.start().await?;
        let mut rounds = interval_at(Instant::now() + ROUND, ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = [self.look_at, self.unconfirmed.as_ref().map(|change| change.due)];
            let due = due.into_iter().flatten().min();
            tokio::select! {
                Some(command) = commands.recv() => self.answer(command).await?,
                heard = self.ears.next() => self.notice(heard),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.be_due().await?,
                _ = rounds.tick() => {
                    self.ears.open_notices();
                    self.look().await?;
                }
            }
        }
    }

    async fn answer(&mut self, command: Command) -> Result<(), Error> {
        // Who asked may have gone.
        match command {
            Command::ProveLive { reply } => drop(reply.send(self.look().await?)),
            Command::Held { reply } => match self.kernel.list().await {
                Ok(held) => drop(reply.send(held)),
                Err(error) => tracing::warn!(%error, "the kernel's ruleset could not be read"),
            },
            Command::Tell { news, reply } => drop(reply.send(self.hear(news).await?)),
            Command::Drops { reply } => drop(reply.send(self.tell_drops().await)),
            Command::Refused { reply } => drop(reply.send(self.record.tell(Vec::new(), None).newest)),
            Command::Seen { reply } => drop(reply.send(self.forget_drift())),
            Command::Apply { ask, by, reply } => drop(reply.send(self.put_in_force(ask, by).await?)),
            Command::Confirm { word, by, reply } => drop(reply.send(self.confirm(&word, &by))),
            Command::Revert { reply } => drop(reply.send(self.revert().await?)),
        }
        Ok(())
    }

    pub(crate) fn notice(&mut self, heard: Heard) {
        match heard {
            Heard::Change(change) if change.number.is_some_and(|number| self.has_seen(number)) => {}
            Heard::Change(change) => {
                self.author = change.author.or_else(|| self.author.take());
                let soon = Instant::now().max(self.looked_at + BREATH);
                self.look_at.get_or_insert(soon);
            }
            Heard::Refusals(logged) => self.take_refusals(logged),
            Heard::Lost => {}
        }
    }

    /// Whether the change with this number was made before the rules were last found right. The numbers go round.
    fn has_seen(&self, number: u32) -> bool {
        self.seen.is_some_and(|seen| seen.wrapping_sub(number) < u32::MAX / 2)
    }

    async fn be_due(&mut self) -> Result<(), Error> {
        if self.look_at.is_some_and(|at| at <= Instant::now()) {
            self.look().await?;
        }
        self.take_back_in_time().await
    }

    /// A restart cuts no flow: the site's own ruleset stays, and so does one that waits to be confirmed. Anything else
    /// gives way to drop-all before the new one is even proved.
    async fn start(&mut self) -> Result<(), Error> {
        self.remember();
        let listing = self.kernel.list().await;
        if let Ok(listing) = &listing {
            self.guests = drift::strangers(listing, &BTreeSet::new());
            if let Some(promises) = self.resume(listing) {
                self.is_ours_again().await;
                self.publish(promises);
                return Ok(());
            }
            let told = self.ground.told(listing);
            let ruleset = self.ground.ruleset(&told.at(Instant::now()));
            if let Ok(promises) = proved(listing, &ruleset) {
                (self.told, self.ruleset) = (told, ruleset);
                self.is_ours_again().await;
                self.publish(promises);
                self.forget_unconfirmed();
                return Ok(());
            }
        }
        drop_everything(&self.kernel).await.map_err(|error| Error::Unclosed(Box::new(error)))?;
        self.dropped = true;
        self.publish(Vec::new());
        let loaded = apply(&self.kernel, &self.ruleset).await?;
        self.in_force(loaded).await;
        self.forget_unconfirmed();
        Ok(())
    }

    pub(crate) fn forget_drift(&mut self) -> bool {
        let was = self.drift.take().is_some();
        self.publish_again();
        was
    }

    /// The kernel holds our rules, proved. What they refuse is heard from now on, if it was not: nothing that other rules
    /// logged is still on its way by a log that is opened anew.
    pub(crate) async fn is_ours_again(&mut self) {
        self.dropped = false;
        self.clean_at = Timestamp::now();
        self.seen = self.kernel.listed();
        if let Some(heard) = self.ears.open_log().await {
            self.record.begins(heard);
        }
    }

    /// The ruleset was loaded and proved: what it refuses is ended, and it is said.
    pub(crate) async fn in_force(&mut self, loaded: InForce) -> Option<usize> {
        self.counts_from(loaded.counted);
        self.is_ours_again().await;
        self.publish(loaded.promises);
        self.end_flows(loaded.flows).await
    }

    /// What is told as counted begins now; so much was counted before.
    pub(crate) fn counts_from(&mut self, counted: Vec<Line>) {
        self.counted_since = Some(Timestamp::now());
        self.record.counts_from(counted);
    }

    pub(crate) async fn settled(&mut self, promises: Vec<Promise>) -> Option<usize> {
        self.is_ours_again().await;
        self.publish(promises);
        self.end_refused().await
    }

    pub(crate) async fn end_refused(&self) -> Option<usize> {
        self.end_flows(self.kernel.judge_flows(&self.ruleset.document)).await
    }

    async fn end_flows(&self, judging: Judging) -> Option<usize> {
        let ended = async {
            let foul = judging.await.map_err(|error| Error::Flows(error.into()))??;
            self.kernel.end_flows(&foul).await
        };
        let warn = |error: &Error| tracing::warn!(%error, "flows that were open go on, allowed or not");
        ended.await.inspect_err(warn).ok()
    }

    fn take_refusals(&mut self, logged: Vec<Logged>) {
        let now = Timestamp::now();
        for one in logged {
            self.record.take(one, &self.ruleset.words, &self.ruleset.ports, now);
        }
    }

    async fn tell_drops(&self) -> Drops {
        let listing = self.kernel.list().await;
        let listing = listing.inspect_err(|error| tracing::warn!(%error, "what was counted is not known"));
        self.record.tell(listing.as_ref().map(lines).unwrap_or_default(), self.counted_since)
    }

    /// What holds now of what was told.
    pub(crate) fn now(&self) -> Now {
        self.told.at(Instant::now())
    }

    pub(crate) fn is_in_force(&self) -> bool {
        self.part.borrow().is_in_force()
    }

    /// Nothing new was found, but something else is said.
    pub(crate) fn publish_again(&self) {
        let (promises, proved_at) = {
            let part = self.part.borrow();
            (part.promises.clone(), part.proved_at)
        };
        self.publish_of(promises, proved_at);
    }

    pub(crate) fn publish(&self, promises: Vec<Promise>) {
        let proved_at = (!promises.is_empty()).then(Timestamp::now);
        self.publish_of(promises, proved_at);
    }

    /// Publishes what was found at a time.
    pub(crate) fn publish_of(&self, promises: Vec<Promise>, proved_at: Option<Timestamp>) {
        let state = match &self.drift {
            _ if self.dropped => RulesetState::DropAll,
            Some(_) => RulesetState::Drifted,
            None if all_proved(&promises) => RulesetState::Proved,
            None => RulesetState::Drifted,
        };
        let drift = self.drift.as_ref().map(|(drift, _)| drift.clone());
        let pending = self.unconfirmed.as_ref().map(|change| change.waiting.pending.clone());
        self.part.send_replace(FirewallPart { state, promises, proved_at, hindrance: None, drift, pending });
    }
}
