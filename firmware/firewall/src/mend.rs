//! What the kernel holds is looked at, and what somebody changed is named and put right.

use std::time::Duration;

use model::Timestamp;
use model::part::{Promise, Proof};
use model::ruleset::{Drift, Repair};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::apply::{apply, close, proved};
use crate::drift;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::prove::{all_proved, prove};
use crate::watch::Watch;

impl<K: Kernel> Watch<K> {
    /// Reads, proves, and puts right what somebody changed. The promises are those of what was found.
    pub(crate) async fn look(&mut self) -> Result<Vec<Promise>, Error> {
        (self.looked_at, self.look_at) = (Instant::now(), None);
        let listing = match self.kernel.list().await {
            Ok(listing) => listing,
            Err(error) => return Ok(self.unread(&error)),
        };
        let found = prove(&listing, &self.ruleset.intent);
        let changes = drift::changes(&self.ruleset.document, &listing, &self.guests);
        if changes.is_empty() && all_proved(&found) {
            self.is_clean(&found).await;
            return Ok(found);
        }
        if !self.dropped {
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
            Ok(promises) => {
                self.repaired(Repair::Done);
                self.in_force(promises).await;
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

    /// Nothing can be said of a kernel that is not read; what it holds goes on filtering.
    fn unread(&self, error: &Error) -> Vec<Promise> {
        tracing::warn!(%error, "the kernel's ruleset could not be read");
        let reason = format!("the kernel was not read: failed to {error}");
        let mut promises = self.part.borrow().promises.clone();
        promises.iter_mut().for_each(|promise| promise.proof = Proof::Unproved { reason: reason.clone() });
        self.part.send_modify(|part| part.promises.clone_from(&promises));
        promises
    }
}
