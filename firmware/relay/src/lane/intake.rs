//! Intake: one file in the clinic's folder, from its first sight until it is ripe or held.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Instant;

use model::Timestamp;
use model::parcel::{Direction, HeldReason, ParcelView, WaitReason};

use crate::clinic::{Taken, name_bytes};
use crate::folder::Facts;
use crate::lane::Desk;
use crate::name;
use crate::whole::{PATIENCE, Ripeness, Sight, ripen};

/// A file in the clinic's folder.
#[derive(Debug)]
pub struct Lying {
    /// How it is spoken of.
    pub view: ParcelView,
    /// When it was first seen.
    pub first: Instant,
    /// What was seen from outside.
    pub facts: Facts,
    /// What was seen inside.
    pub sight: Option<Sight>,
    /// What follows.
    pub finding: Finding,
}

/// What follows from the looks at a file.
#[derive(Debug)]
pub enum Finding {
    /// Whole. Its bytes are read again when it is carried: what waits for a terminal must not fill the memory.
    Ripe,
    /// To be looked at again no later than then.
    Wait(WaitReason, Instant),
    /// A person has to look at it.
    Held(HeldReason),
}

/// Looks at one file. None if it vanished.
pub async fn examine(
    desk: &Desk,
    file: &OsString,
    facts: Facts,
    before: Option<Lying>,
    now: Instant,
) -> Option<Lying> {
    let same = before.as_ref().is_some_and(|lying| lying.facts == facts);
    let rests = |finding: &Finding| match finding {
        Finding::Held(_) => true,
        Finding::Wait(_, at) => now < *at,
        // Its time may be over.
        Finding::Ripe => false,
    };
    let still_ripe = same && before.as_ref().is_some_and(|lying| matches!(lying.finding, Finding::Ripe));
    match before {
        Some(lying) if same && rests(&lying.finding) => return Some(lying),
        _ => {}
    }
    let bytes = name_bytes(file);
    let admitted = name::admit(bytes, "req", Direction::Request, &desk.kinds);
    let key = admitted.map_or_else(|_| "unknown".to_owned(), |kind| kind.key.clone());
    let (view, first, sight) = match before {
        Some(lying) => (ParcelView { bytes: facts.size, kind: key, ..lying.view }, lying.first, lying.sight),
        None => (new_view(desk, bytes, key, facts)?, now, None),
    };
    let mut lying = Lying { view, first, facts, sight, finding: Finding::Held(HeldReason::NotAFile) };
    lying.finding = match admitted {
        _ if !facts.is_file => Finding::Held(HeldReason::NotAFile),
        // A writer may use a name of its own and rename at the end.
        Err(HeldReason::UnknownKind) if now < lying.first + PATIENCE => {
            Finding::Wait(WaitReason::BeingWritten, lying.first + PATIENCE)
        }
        Err(reason) => Finding::Held(reason),
        Ok(kind) if is_older(facts, kind.time_to_live_s) => Finding::Held(HeldReason::TooOld),
        // Who has opened it since? That is asked when it is carried.
        Ok(_) if still_ripe => Finding::Ripe,
        Ok(kind) => return read(desk, file, lying, kind.max_bytes, now).await,
    };
    Some(lying)
}

/// The bytes of a ripe file. None unless it still is what was seen; then it is to be looked at anew.
pub async fn bytes(desk: &Desk, file: &OsString, lying: &mut Lying) -> Option<Arc<[u8]>> {
    let largest = desk.kind_of_request(file.to_str()?)?.max_bytes;
    let taken = take(desk, file, largest, lying.view.number).await;
    match taken {
        Ok(Some(taken)) if lying.sight.is_some_and(|sight| sight.look == taken.look) => {
            Some(taken.bytes.into())
        }
        _ => {
            lying.finding = Finding::Wait(WaitReason::BeingWritten, Instant::now());
            None
        }
    }
}

async fn take(
    desk: &Desk,
    file: &OsString,
    largest: u64,
    number: u64,
) -> Result<Option<Taken>, crate::Error> {
    let Some(file) = file.to_str().map(str::to_owned) else { return Ok(None) };
    let extension = name::extension(&file);
    let taken = desk.on_disk(move |desk| desk.clinic.take(&file, &extension, largest)).await;
    taken.inspect_err(|error| tracing::warn!(%error, number, "cannot read a request"))
}

async fn read(desk: &Desk, file: &OsString, mut lying: Lying, largest: u64, now: Instant) -> Option<Lying> {
    let taken = match take(desk, file, largest, lying.view.number).await {
        Ok(taken) => taken?,
        Err(_said) => {
            lying.finding = Finding::Wait(WaitReason::BeingWritten, now + PATIENCE);
            return Some(lying);
        }
    };
    let (sight, ripeness) = ripen(lying.sight, taken.look, largest, now);
    lying.sight = Some(sight);
    lying.facts.stamp = taken.look.stamp;
    lying.view.bytes = taken.look.size;
    lying.finding = match ripeness {
        Ripeness::Ripe => Finding::Ripe,
        Ripeness::Wait(reason, at) => Finding::Wait(reason, at),
        Ripeness::Held(reason) => Finding::Held(reason),
    };
    Some(lying)
}

fn new_view(desk: &Desk, name: &[u8], kind: String, facts: Facts) -> Option<ParcelView> {
    let number =
        desk.ledger.number().inspect_err(|error| tracing::error!(%error, "no journal number")).ok()?;
    let view = ParcelView {
        number,
        kind,
        hash: desk.ledger.short(name),
        bytes: facts.size,
        since: Timestamp::now(),
    };
    tracing::debug!(number, kind = %view.kind, hash = %view.hash, "a file in the clinic's share");
    Some(view)
}

fn is_older(facts: Facts, lives_s: u64) -> bool {
    let age = Timestamp::now().as_second().saturating_sub(facts.changed_s);
    u64::try_from(age).is_ok_and(|age| age > lives_s)
}
