//! What a former run or a lost connection left in doubt, and what the end refused: settled before anything new.

use std::collections::HashSet;
use std::time::Instant;

use model::Timestamp;
use model::parcel::HeldReason;

use super::{AT_ONCE, Carried, Open, Outbox, REFUSED_PAUSE, timestamp};
use crate::entry::Attempt;
use crate::folder::Facts;
use crate::lane::Desk;
use crate::lane::walk::Going;
use crate::request::{Found, Mark, State, found};
use crate::sabotage;
use crate::share::{Share, Trouble, stage_of};

impl Outbox {
    /// Takes up what a former run left in `attempted`.
    pub async fn recover(&mut self, desk: &Desk) {
        match desk.on_disk(|desk| desk.own.attempts()).await {
            Ok(found) => {
                for (attempt, facts, since) in found {
                    self.keep(desk, reopen(desk, attempt, facts, since));
                }
            }
            Err(error) => tracing::error!(%error, "cannot see what was attempted before"),
        }
    }

    /// There is no end any more that could say what became of what was decided.
    pub fn strand(&mut self) {
        let doubtful = self.open.values_mut().filter(|open| open.state == State::Doubtful);
        doubtful.for_each(|open| open.state = State::Held(HeldReason::NoEnd));
    }

    /// After a new connection: sees what became of every attempt that is not certain, and sweeps what nobody owns.
    /// Nothing is begun before that has succeeded; what stands in its way here is tried again.
    pub async fn settle_doubts<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<(), Trouble> {
        self.unsettled = Some(Instant::now() + REFUSED_PAUSE);
        let staged = share.staged().await?;
        let Ok(known) = desk.known_end().await else { return Ok(()) };
        let other = known != Some(staged.identity);
        let judged = self.decide_doubts(desk, share, &staged.names, other, |_| true).await?;
        sabotage::step("judged");
        let decided = self.open.values().filter(|open| open.attempt.mark == Mark::Decided);
        let owned: HashSet<u64> = decided.map(|open| open.attempt.stage).collect();
        // Another folder is not known before everything it puts in doubt is noted.
        if !judged || (other && !owned.is_empty()) {
            return Ok(());
        }
        let is_nobodys = |name: &&String| stage_of(name).is_some_and(|stage| !owned.contains(&stage));
        let nobodys: Vec<&String> = staged.names.iter().filter(is_nobodys).collect();
        // What was noted comes first: the next run would judge by what it finds there.
        if (other || !nobodys.is_empty()) && !desk.flush_notes().await {
            return Ok(());
        }
        if other && !desk.remember_end(staged.identity).await {
            return Ok(());
        }
        self.unsettled = None;
        for name in nobodys {
            share.discard(name).await?;
        }
        Ok(())
    }

    /// Tries again what could not be settled or published, if it is time to.
    pub async fn try_again<S: Share>(&mut self, desk: &Desk, share: &S) -> Result<Carried, Trouble> {
        let now = Instant::now();
        if self.unsettled.is_some_and(|at| now >= at) {
            self.settle_doubts(desk, share).await?;
        }
        let due = |open: &Open| open.again.is_some_and(|at| now >= at);
        if self.open.values().any(due) {
            let staged = share.staged().await?;
            if desk.known_end().await.is_ok_and(|known| known != Some(staged.identity)) {
                // Somebody removed the folder meanwhile, and what was staged with it: that it is gone proves nothing.
                self.settle_doubts(desk, share).await?;
                return Ok(Carried::default());
            }
            self.decide_doubts(desk, share, &staged.names, false, due).await?;
            return Ok(Carried { published: 0, refused: self.refused.clone() });
        }
        Ok(Carried::default())
    }

    /// Judges attempts by what the staging folder holds. False if it has to be tried again.
    async fn decide_doubts<S: Share>(
        &mut self,
        desk: &Desk,
        share: &S,
        names: &[String],
        other_folder: bool,
        which: impl Fn(&Open) -> bool,
    ) -> Result<bool, Trouble> {
        let there: HashSet<u64> = names.iter().filter_map(|name| stage_of(name)).collect();
        let now = Timestamp::now();
        let judged = |open: &Open| {
            let staged = there.contains(&open.attempt.stage);
            let found = found(open.state, Found { staged, other_folder, over: desk.is_over(open, now) });
            found.map(|event| Going { open: open.clone(), event, source: None })
        };
        let going: Vec<Going> = self.open.values().filter(|open| which(open)).filter_map(judged).collect();
        // A decision that a cut may still take back, a former run's or one whose flush failed, is none yet.
        if !going.is_empty() && !desk.flush_decided(self.outlets.clone()).await {
            let later = Some(Instant::now() + REFUSED_PAUSE);
            self.open.values_mut().filter(|open| open.again.is_some()).for_each(|open| open.again = later);
            return Ok(false);
        }
        for chunk in batches(going) {
            self.go(desk, share, chunk).await?;
        }
        Ok(true)
    }
}

fn batches(mut going: Vec<Going>) -> Vec<Vec<Going>> {
    let mut all = Vec::new();
    while !going.is_empty() {
        let rest = going.split_off(going.len().min(AT_ONCE));
        all.push(std::mem::replace(&mut going, rest));
    }
    all
}

fn reopen(desk: &Desk, attempt: Attempt, facts: Facts, since_ns: i64) -> Open {
    let kind = desk.table.admit(attempt.name.as_bytes(), &attempt.folder, desk.way.out).ok();
    let state = match attempt.mark {
        Mark::Decided if sabotage::is(sabotage::NO_DOUBT) => State::Submitted,
        mark => mark.state(),
    };
    let since = timestamp(since_ns);
    Open { attempt, state, kind, bytes: facts.size, since, published: None, again: None }
}
