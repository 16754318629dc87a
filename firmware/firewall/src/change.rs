//! A change of the rules by a person: put in force at once, and taken back unless the same person confirms it from the
//! new path within its time. So nobody locks himself out.
//!
//! The note that it waits is written before the kernel is touched and removed after it was put back, so that whatever
//! ends the box in between, the next start finds what the kernel holds and how long it may stay: the kernel is the
//! truth, and the note only says how long. One change waits at a time.

use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use model::decision::Actor;
use model::part::Promise;
use model::ruleset::{Applied, Apply, Candidate, Settled};
use serde_json::Value;
use tokio::time::Instant;

use crate::apply::{InForce, load_and_prove, may_be_loaded, proved, swap_and_prove};
use crate::error::Error;
use crate::kernel::Kernel;
use crate::memory::Waiting;
use crate::ruleset::{Ground, Ruleset};
use crate::watch::Watch;

/// Who asks: the user, by the kernel's word, and when he connected.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The user.
    pub actor: Actor,
    /// When the connection was made that the question came by.
    pub since: Moment,
}

/// A change that is in force and waits.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    pub(crate) waiting: Waiting,
    /// When it is taken back.
    pub(crate) due: Instant,
    /// Who confirms must have connected after this.
    in_force: Moment,
    /// What was in force before.
    before: Ground,
}

impl Unconfirmed {
    /// Whether this person may confirm it so.
    ///
    /// # Errors
    /// Why not.
    fn may_be_confirmed(&self, word: &str, by: &Asker) -> Result<(), String> {
        if by.actor.uid != self.waiting.pending.by.uid {
            return Err("only who applied it confirms it".into());
        }
        if word != self.waiting.word {
            return Err("it is not confirmed with this word".into());
        }
        // Also what was open before may still pass: only a new connection shows that one can come in.
        if by.since <= self.in_force {
            return Err("it is confirmed by a connection that was made after it came in force".into());
        }
        Ok(())
    }
}

/// The ground of a candidate.
///
/// # Errors
/// Every mistake in it, a line each.
fn ground(candidate: &Candidate) -> Result<Ground, Vec<String>> {
    let site =
        candidate.site().map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok(Ground::Site(Arc::new(site)))
}

fn refused(why: impl ToString) -> Applied {
    Applied::Refused { why: vec![why.to_string()], dropped: false }
}

impl<K: Kernel> Watch<K> {
    /// Stands on what was confirmed last instead of the site file, if there is such.
    pub(crate) fn remember(&mut self) {
        let Some(candidate) = self.memory.as_ref().and_then(|memory| memory.confirmed()) else { return };
        match ground(&candidate) {
            Ok(ground) => (self.ruleset, self.ground) = (ground.ruleset(&self.now()), ground),
            Err(mistakes) => {
                tracing::warn!(?mistakes, "what was confirmed is right no more: the site file rules")
            }
        }
    }

    /// Goes on with a change that waits, if the kernel holds it.
    pub(crate) fn resume(&mut self, listing: &Value) -> Option<Vec<Promise>> {
        let waiting = self.memory.as_ref()?.waiting()?;
        let ground = ground(&waiting.candidate).ok()?;
        let told = ground.told(listing);
        let ruleset = ground.ruleset(&told.at(Instant::now()));
        let promises = proved(listing, &ruleset).ok()?;
        self.told = told;
        self.wait_for(waiting, ground, ruleset);
        Some(promises)
    }

    fn wait_for(&mut self, waiting: Waiting, ground: Ground, ruleset: Ruleset) {
        self.ruleset = ruleset;
        let before = std::mem::replace(&mut self.ground, ground);
        let due = Instant::now() + waiting.remaining();
        self.unconfirmed = Some(Unconfirmed { waiting, due, in_force: Moment::now(), before });
    }

    /// Nothing waits any more, and nobody needs to know that something did.
    pub(crate) fn forget_unconfirmed(&mut self) {
        self.unconfirmed = None;
        if let Some(Err(error)) = self.memory.as_ref().map(|memory| memory.disarm()) {
            tracing::warn!(%error, "a change that was settled is still noted as one that waits");
        }
    }

    /// Puts a candidate's ruleset in force until it is confirmed or its time is over. Whatever fails, the one that was in
    /// force is, or everything is dropped, and nothing waits.
    ///
    /// # Errors
    /// Only what ends the room.
    pub(crate) async fn put_in_force(&mut self, ask: Apply, by: Asker) -> Result<Applied, Error> {
        let Some(memory) = self.memory.clone() else {
            return Ok(refused("no site is in force that could be changed"));
        };
        if let Some(change) = &self.unconfirmed {
            return Ok(Applied::Waits { pending: change.waiting.pending.clone() });
        }
        if !self.is_in_force() {
            return Ok(refused("the ruleset in force is not proved now"));
        }
        let ground = match ground(&ask.candidate) {
            Ok(ground) => ground,
            Err(why) => return Ok(Applied::Refused { why, dropped: false }),
        };
        // Both of the same moment, so that what is the same is written the same.
        let now = self.now();
        let ruleset = ground.ruleset(&now);
        self.refresh(&now);
        if ruleset.document == self.ruleset.document {
            return Ok(Applied::Same);
        }
        self.kernel.prepare();
        if let Err(error) = may_be_loaded(&ruleset) {
            self.kernel.dismiss();
            return Ok(refused(format!("failed to {error}")));
        }
        let within = Duration::from_secs(ask.within_s.clamp(Apply::SHORTEST_S, Apply::LONGEST_S).into());
        let waiting = match memory.arm(ask.candidate, by.actor, within) {
            Ok(waiting) => waiting,
            Err(error) => {
                self.kernel.dismiss();
                return Ok(refused(format!("failed to {error}")));
            }
        };
        match swap_and_prove(&self.kernel, &self.ruleset.document, &ruleset).await {
            Ok(in_force) => Ok(self.armed(waiting, ground, ruleset, in_force).await),
            Err(error) => self.failed(error).await,
        }
    }

    async fn armed(
        &mut self,
        waiting: Waiting,
        ground: Ground,
        ruleset: Ruleset,
        in_force: InForce,
    ) -> Applied {
        let (word, pending) = (waiting.word.clone(), waiting.pending.clone());
        self.wait_for(waiting, ground, ruleset);
        tracing::info!(
            by = pending.by.uid,
            "another ruleset is in force, until it is confirmed or its time is over"
        );
        let ended = self.in_force(in_force).await;
        Applied::Armed { word, pending, ended }
    }

    /// The candidate's ruleset is not in force as it should be: the one before is put back, unless the kernel never
    /// gave it up.
    async fn failed(&mut self, error: Error) -> Result<Applied, Error> {
        let why = vec![format!("failed to {error}")];
        tracing::warn!(%error, "another ruleset was not put in force: the one before is");
        let held = self.kernel.list().await.and_then(|listing| proved(&listing, &self.ruleset));
        if held.is_err() {
            self.put_back().await?;
        }
        self.forget_unconfirmed();
        Ok(Applied::Refused { why, dropped: !self.is_in_force() })
    }

    async fn put_back(&mut self) -> Result<(), Error> {
        match load_and_prove(&self.kernel, &self.ruleset).await {
            Ok(in_force) => drop(self.in_force(in_force).await),
            Err(error) => self.give_up(error).await?,
        }
        Ok(())
    }

    /// Confirms the change that waits.
    pub(crate) fn confirm(&mut self, word: &str, by: &Asker) -> Settled {
        let (Some(memory), Some(change)) = (&self.memory, &self.unconfirmed) else { return Settled::Nothing };
        if let Err(why) = change.may_be_confirmed(word, by) {
            return Settled::Refused { why };
        }
        if let Err(error) = memory.confirm(&change.waiting) {
            return Settled::Failed { why: format!("failed to {error}") };
        }
        tracing::info!(by = by.actor.uid, "the other ruleset was confirmed");
        self.unconfirmed = None;
        self.publish_again();
        Settled::Done
    }

    /// Takes the change that waits back.
    ///
    /// # Errors
    /// Only what ends the room.
    pub(crate) async fn revert(&mut self) -> Result<Settled, Error> {
        let Some(change) = self.unconfirmed.take() else { return Ok(Settled::Nothing) };
        self.kernel.prepare();
        let now = self.now();
        self.refresh(&now);
        let held = std::mem::take(&mut self.ruleset.document);
        (self.ruleset, self.ground) = (change.before.ruleset(&now), change.before);
        match swap_and_prove(&self.kernel, &held, &self.ruleset).await {
            Ok(in_force) => drop(self.in_force(in_force).await),
            Err(error) => self.give_up(error).await?,
        }
        self.forget_unconfirmed();
        if self.is_in_force() {
            return Ok(Settled::Done);
        }
        Ok(Settled::Failed { why: "the ruleset before could not be put back: everything is dropped".into() })
    }

    /// Takes it back if its time is over.
    ///
    /// # Errors
    /// As [`Self::revert`].
    pub(crate) async fn take_back_in_time(&mut self) -> Result<(), Error> {
        if self.unconfirmed.as_ref().is_some_and(|change| change.due <= Instant::now()) {
            tracing::warn!("the other ruleset was not confirmed in time: the one before is put back");
            self.revert().await?;
        }
        Ok(())
    }
}
