//! What a person's decision needs of the outbox: finding a held file, taking it in hand, letting it go.

use model::Timestamp;
use model::decision::{Decided, Refusal};
use model::parcel::HeldReason;

use super::{Open, Outbox, Retried, timestamp};
use crate::clinic::{Source, name_bytes};
use crate::entry::Attempt;
use crate::folder::Facts;
use crate::lane::Desk;
use crate::lane::order::{Found, Place, Shown};
use crate::lane::table::Finding;
use crate::name::{KindId, LONGEST};
use crate::request::{Mark, State};

/// Of so many retried files it is remembered since when they count.
const RETRIED: usize = 1000;

impl Outbox {
    /// The file of this number: none if there is none here, and inside it none if it is not held.
    pub fn find(&self, desk: &Desk, number: u64) -> Option<Option<Found>> {
        if let Some(open) = self.open.get(&number) {
            let State::Held(reason) = open.state else { return Some(None) };
            let hash = desk.ledger.short(open.attempt.name.as_bytes());
            let place = Place::Attempted(open.attempt.clone());
            // What is no kind any more has no time; the folder it goes back to says so.
            let is_over = open.kind.is_some() && desk.is_over(open, Timestamp::now());
            return Some(Some(Found { reason, kind: open.kind, hash, place, is_over }));
        }
        let lying = self.lying.get(number)?;
        let Finding::Held(reason) = lying.finding else { return Some(None) };
        let hash = desk.ledger.short(name_bytes(&lying.name));
        // It stays where it is and keeps its age: another look finds it over.
        Some(Some(Found { reason, kind: lying.kind, hash, place: Place::Clinic, is_over: false }))
    }

    /// Lets a file that is held in the clinic's folder be looked at as if it were new.
    pub fn look_again(&mut self, number: u64) {
        self.lying.look_again(number);
    }

    /// Takes a file that is held in the clinic's folder in hand.
    ///
    /// # Errors
    /// What is said to whoever decided.
    pub async fn hold(&mut self, desk: &Desk, number: u64, reason: HeldReason) -> Result<Attempt, Decided> {
        let lying = self.lying.get(number).ok_or(Decided::Unknown)?;
        let outlet = self.outlets.get(usize::from(lying.outlet)).ok_or(Decided::Unknown)?;
        let name = lying.name.to_str().filter(|name| name.len() <= LONGEST);
        let (seat, path, facts) = (outlet.seat, outlet.path.clone(), lying.facts);
        let attempt = Attempt {
            mark: Mark::Held(reason),
            number,
            // It was never staged.
            stage: 0,
            consumer: desk.clinic.seat(seat).ok_or(Decided::Unknown)?.name.clone(),
            folder: outlet.folder.clone(),
            name: name.ok_or(Decided::Refused(Refusal::NameUnfit))?.to_owned(),
        };
        let kind = lying.kind;
        self.take_in_hand(desk, attempt.clone(), kind, (seat, path, facts)).await?;
        self.lying.forget(number);
        Ok(attempt)
    }

    /// Takes a file in hand that its consumer has not collected.
    ///
    /// # Errors
    /// What is said to whoever decided.
    pub async fn hold_shown(
        &mut self,
        desk: &Desk,
        number: u64,
        reason: HeldReason,
        shown: Shown,
    ) -> Result<Attempt, Decided> {
        let Shown { seat, folder, name, facts } = shown;
        let text = name.to_str().filter(|name| name.len() <= LONGEST);
        let attempt = Attempt {
            mark: Mark::Held(reason),
            number,
            stage: 0,
            consumer: desk.clinic.seat(seat).ok_or(Decided::Unknown)?.name.clone(),
            folder: folder.clone(),
            name: text.ok_or(Decided::Refused(Refusal::NameUnfit))?.to_owned(),
        };
        let kind = desk.table.admit(name_bytes(&name), &folder, desk.way.out).ok();
        self.take_in_hand(desk, attempt.clone(), kind, (seat, folder, facts)).await?;
        Ok(attempt)
    }

    async fn take_in_hand(
        &mut self,
        desk: &Desk,
        attempt: Attempt,
        kind: Option<KindId>,
        (seat, path, facts): (usize, String, Facts),
    ) -> Result<(), Decided> {
        let (number, state, taken) = (attempt.number, attempt.mark.state(), attempt.clone());
        let held = desk.on_disk(move |desk| {
            let Some(seat) = desk.clinic.seat(seat) else { return Ok(false) };
            desk.own.hold(&Source { attempt: &taken, seat, path: &path, stamp: facts.stamp }, facts.is_file)
        });
        match held.await {
            Ok(true) => {}
            Ok(false) => return Err(Decided::Busy),
            Err(error) => {
                tracing::error!(%error, number, "a held file could not be taken in hand");
                return Err(Decided::Failed);
            }
        }
        let (bytes, since) = (facts.size, timestamp(facts.changed_ns));
        self.keep(desk, Open { attempt, state, kind, bytes, since, published: None, again: None });
        Ok(())
    }

    /// The folder on its consumer's share a file of `attempted` came from; none if there is none any more.
    pub fn path_of(&self, desk: &Desk, attempt: &Attempt) -> Option<String> {
        let from = |seat| desk.clinic.seat(seat).is_some_and(|seat| seat.name == attempt.consumer);
        let outlet = self.outlets.iter().find(|one| one.folder == attempt.folder && from(one.seat))?;
        Some(outlet.path.clone())
    }

    /// A held file is not here any more; `moved_ns` if it was moved back for another try.
    pub fn let_go(&mut self, desk: &Desk, number: u64, moved_ns: Option<i64>) {
        let Some(open) = self.forget(desk, number) else { return };
        if let Some(moved_ns) = moved_ns {
            self.retried.push(Retried { attempt: open.attempt, since: open.since, moved_ns });
            self.retried.drain(..self.retried.len().saturating_sub(RETRIED));
        }
    }
}
