//! What the kernel holds is looked at, and what somebody changed is named and put right.

use std::time::Duration;

use model::Timestamp;
use model::part::{Promise, Proof};
use model::ruleset::{Drift, Repair};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::apply::{apply, close, proved};
use crate::drift;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::prove::{all_proved, prove};
use crate::watch::Watch;

/// How soon a kernel that was not read is read again.
const AGAIN: Duration = Duration::from_secs(1);

/// So many words of changes are taken at once.
const MOST_WORDS: u32 = 16;

/// So many of these are the longest pause.
const MOST_PAUSES: u32 = 10;

impl<K: Kernel> Watch<K> {
    /// Reads, proves, and puts right what somebody changed. The promises are those of what was found.
    pub(crate) async fn look(&mut self) -> Result<Vec<Promise>, Error> {
        (self.looked_at, self.look_at) = (Instant::now(), None);
        let listing = match self.kernel.list().await {
            Ok(listing) => listing,
            Err(error) => return self.not_read(error).await,
        };
        let was_unread = std::mem::take(&mut self.unread) > 0;
        let found = prove(&listing, &self.ruleset.intent);
        let changes = drift::changes(&self.ruleset.document, &listing, &self.guests);
        if changes.is_empty() && all_proved(&found) {
            self.is_clean(&found).await;
            if was_unread {
                self.end_refused().await;
            }
            return Ok(found);
        }
        if !self.dropped {
            self.listen().await;
            self.note(changes, &found);
        }
        if let Some(due) = self.pace.wait(Instant::now()) {
            self.look_at = Some(due);
            self.repaired(Repair::Waits);
            self.publish(found.clone());
            return Ok(found);
        }
        self.publish(found.clone());
        self.repair(&listing).await?;
        Ok(found)
    }

    /// Word of who did it may have come while it was read.
    async fn listen(&mut self) {
        for _ in 0..MOST_WORDS {
            let Ok(heard) = timeout(Duration::ZERO, self.ears.next()).await else { return };
            self.notice(heard);
        }
    }

    async fn is_clean(&mut self, found: &[Promise]) {
        self.author = None;
        self.is_ours_again().await;
        if self.drift.as_ref().is_some_and(|(_, until)| Instant::now() >= *until) {
            self.drift = None;
        }
        self.publish(found.to_vec());
    }

    /// Notes what somebody changed. What was logged meanwhile may have met other rules than ours.
    fn note(&mut self, changes: Vec<String>, found: &[Promise]) {
        let (now, broke) = (Timestamp::now(), drift::broke(found));
        let by = self.author.clone();
        tracing::warn!(?changes, ?broke, ?by, "the ruleset in the kernel is not the one that was proved");
        let before = self.drift.take().map(|(drift, _)| drift);
        let (since, times) = before.map_or((now, 0), |before| (before.since, before.times));
        let times = times + 1;
        let drift = Drift { since, at: now, times, changes, broke, by, repair: Repair::UnderWay };
        self.drift = Some((drift, Instant::now() + Duration::from_secs(Drift::TOLD_S.unsigned_abs())));
        self.record.doubt(self.clean_at);
        self.ears.close_log();
    }

    fn repaired(&mut self, repair: Repair) {
        if let Some((drift, _)) = &mut self.drift {
            drift.repair = repair;
        }
    }

    /// Takes away other people's tables, and loads our ruleset over what was found. If that does not bring the promises
    /// back, somebody else is still in the way: everything is dropped, and it is tried again later.
    async fn repair(&mut self, listing: &Value) -> Result<(), Error> {
        let strangers = drift::strangers(listing, &self.guests);
        for (family, name) in strangers.clone() {
            let table = json!({"family": family, "name": name});
            let gone = json!({"nftables": [{"add": {"table": table}}, {"delete": {"table": table}}]});
            if let Err(error) = self.kernel.load(&gone).await {
                tracing::warn!(family, name, %error, "another table cannot be removed: it is left alone");
                self.guests.insert((family, name));
            }
        }
        // Perhaps only the other table was in the way: then ours goes on as it is, with its counts.
        if !strangers.is_empty()
            && let Ok(promises) = self.held().await
        {
            self.repaired(Repair::Done);
            self.settled(promises).await;
            return Ok(());
        }
        self.reload().await
    }

    /// Loads our ruleset over whatever there is; if that fails, everything is dropped and it is tried again later.
    ///
    /// # Errors
    /// Only what ends the room.
    pub(crate) async fn reload(&mut self) -> Result<(), Error> {
        match apply(&self.kernel, &self.ruleset).await {
            Ok(in_force) => {
                self.repaired(Repair::Done);
                self.in_force(in_force).await;
                Ok(())
            }
            Err(error) => self.give_up(error).await,
        }
    }

    async fn held(&self) -> Result<Vec<Promise>, Error> {
        proved(&self.kernel.list().await?, &self.ruleset)
    }

    /// Everything is dropped, and it is tried again; only what cannot even be dropped ends the room.
    pub(crate) async fn give_up(&mut self, first: Error) -> Result<(), Error> {
        let error = close(&self.kernel, first).await;
        if matches!(error, Error::Open { .. }) {
            return Err(error);
        }
        tracing::error!(%error, "everything is dropped: the ruleset could not be put right");
        self.dropped = true;
        self.repaired(Repair::Failed);
        self.publish(Vec::new());
        Ok(())
    }

    /// Nothing can be said of a kernel that is not read: somebody may have opened it and hidden that behind more than
    /// can be listed. So our ruleset is loaded over whatever it holds, and if it is not read after that either,
    /// everything is dropped, again and again for as long as it is not read.
    async fn not_read(&mut self, error: Error) -> Result<Vec<Promise>, Error> {
        tracing::warn!(%error, "the kernel's ruleset could not be read");
        self.unread = self.unread.saturating_add(1);
        self.record.doubt(self.clean_at);
        self.ears.close_log();
        let promises = self.nothing_is_proved(&error);
        if self.unread == 1 && !self.dropped {
            self.load_unseen().await?;
        } else {
            self.give_up(error).await?;
        }
        self.look_at = Some(Instant::now() + AGAIN * self.unread.min(MOST_PAUSES));
        Ok(promises)
    }

    async fn load_unseen(&mut self) -> Result<(), Error> {
        let now = self.now();
        self.refresh(&now);
        match self.kernel.load(&self.ruleset.document).await {
            Ok(()) => self.counts_from(Vec::new()),
            Err(error) => self.give_up(error).await?,
        }
        Ok(())
    }

    fn nothing_is_proved(&self, error: &Error) -> Vec<Promise> {
        let reason = format!("the kernel was not read: failed to {error}");
        let mut promises = self.part.borrow().promises.clone();
        promises.iter_mut().for_each(|promise| promise.proof = Proof::Unproved { reason: reason.clone() });
        let proved_at = self.part.borrow().proved_at;
        self.publish_of(promises.clone(), proved_at);
        promises
    }
}
