//! What persons decide about held files: handed to a lane, which carries it out between two of its turns, so that it
//! never meets another step of the same file.
//!
//! The order of effects: the file is taken in hand, where it is safe from its writers and still held; the intent is
//! recorded; then comes the one act, a rename or a removal; then the outcome is recorded. A crash before the act leaves
//! a file that is held under the same number, and one after it leaves none: that is the outcome a restart records.

use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::Timestamp;
use model::decision::{Actor, Decided, Decision, Refusal, Verb};
use model::parcel::HeldReason;
use tokio::sync::{Notify, oneshot};

use crate::audit::Intent;
use crate::clinic::RETURNED;
use crate::entry::Attempt;
use crate::folder::Facts;
use crate::lane::Desk;
use crate::lane::outbox::Outbox;
use crate::name::KindId;
use crate::sabotage::FLUSH_SETTLE;

/// How long a decision may wait for its lane's turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// A decision on its way to the lane that has the file.
#[derive(Debug)]
pub struct Order {
    /// What is decided.
    pub verb: Verb,
    /// About which parcel, and why.
    pub decision: Decision,
    /// By whom.
    pub actor: Actor,
    /// After this it is not carried out any more: whoever asked has been told to ask again.
    pub until: Instant,
    /// What came of it.
    pub reply: oneshot::Sender<Decided>,
}

/// The decisions that wait for a lane.
#[derive(Debug, Default)]
pub struct Orders {
    queue: Mutex<Vec<Order>>,
    notify: Notify,
}

impl Orders {
    /// One more.
    pub fn put(&self, order: Order) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push(order);
        self.notify.notify_one();
    }

    /// Returns when there may be one.
    pub async fn wait(&self) {
        self.notify.notified().await;
    }

    fn take(&self) -> Vec<Order> {
        std::mem::take(&mut *self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A held file, as far as a decision has to know it.
#[derive(Clone, Debug)]
pub struct Found {
    /// Why it is held.
    pub reason: HeldReason,
    /// What it is.
    pub kind: Option<KindId>,
    /// The keyed short hash of its name.
    pub hash: String,
    /// Where it lies.
    pub place: Place,
    /// Whether its time is over.
    pub is_over: bool,
}

/// Where a held file lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// In `attempted`.
    Attempted(Attempt),
    /// In the clinic's folder still.
    Clinic,
    /// On the end.
    End,
    /// In the folder of a consumer that does not collect it.
    Shown(Shown),
}

/// A file in a consumer's folder.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The consumer's place.
    pub seat: usize,
    /// The folder, and what the table of kinds calls it.
    pub folder: String,
    /// Its name.
    pub name: OsString,
    /// As it was seen.
    pub facts: Facts,
}

/// What else a lane has beside its outbox that a person may decide about.
pub trait Beside {
    /// The file of this number: none if there is none, and inside it none if it is not held.
    fn find(&self, desk: &Desk, number: u64) -> Option<Option<Found>>;
    /// Lets a held file be looked at as if it were new.
    fn look_again(&mut self, number: u64);
}

/// Hands a decision to one lane after the other, until one has the file.
pub async fn put(lanes: &[Arc<Orders>], verb: Verb, decision: Decision, actor: Actor) -> Decided {
    let until = Instant::now() + PATIENCE;
    for orders in lanes {
        let (reply, answer) = oneshot::channel();
        orders.put(Order { verb, decision: decision.clone(), actor: actor.clone(), until, reply });
        match answer.await {
            Ok(Decided::Unknown) => {}
            Ok(decided) => return decided,
            // The lane broke down with it; what is done is in the record.
            Err(_) => return Decided::Failed,
        }
    }
    Decided::Unknown
}

/// Carries out what was decided since the last turn.
pub async fn carry_out(desk: &Desk, orders: &Orders, outbox: &mut Outbox, beside: &mut impl Beside) {
    for order in orders.take() {
        let decided = if Instant::now() > order.until {
            Decided::Busy
        } else {
            decide(desk, outbox, beside, &order).await
        };
        // Whoever asked may have gone.
        let _ = order.reply.send(decided);
    }
}

/// Records what became of decisions that a crash cut off.
pub async fn settle(desk: &Desk) {
    let settled = desk.on_disk(|desk| {
        let pending = desk.audit.pending(&desk.lane);
        if !pending.is_empty() {
            // Nothing is recorded of a move that a cut could still take back.
            desk.own.flush_attempted(FLUSH_SETTLE)?;
        }
        for pending in pending {
            let done = !desk.own.has(pending.number)?;
            desk.audit.end(pending.of, done, true)?;
        }
        Ok(())
    });
    if let Err(error) = settled.await {
        tracing::error!(%error, "what became of a decision could not be recorded");
    }
}

async fn decide(desk: &Desk, outbox: &mut Outbox, beside: &mut impl Beside, order: &Order) -> Decided {
    let number = order.decision.number;
    let found = match outbox.find(desk, number).or_else(|| beside.find(desk, number)) {
        None => return Decided::Unknown,
        Some(None) => return Decided::NotHeld,
        Some(Some(found)) => found,
    };
    if let Err(refusal) = may(order.verb, &found) {
        return Decided::Refused(refusal);
    }
    let intent = Intent {
        at: Timestamp::now(),
        actor: order.actor.clone(),
        verb: order.verb,
        end: desk.lane.clone(),
        kind: desk.table.key(found.kind).to_owned(),
        number,
        hash: found.hash,
        held: found.reason,
        reason: order.decision.reason.clone(),
    };
    match (order.verb, found.place) {
        (Verb::Retry, Place::Clinic | Place::End | Place::Shown(_)) => {
            let recorded = record(desk, intent).await;
            if recorded == Decided::Done {
                outbox.look_again(number);
                beside.look_again(number);
            }
            recorded
        }
        (_, Place::End) => Decided::Refused(Refusal::OnTheEnd),
        (verb, Place::Clinic) => match outbox.hold(desk, number, found.reason).await {
            Ok(attempt) => finish(desk, outbox, verb, attempt, intent).await,
            Err(decided) => decided,
        },
        // Where it would go is asked first: what is refused stays where its consumer can still collect it.
        (Verb::Return, Place::Shown(shown)) if is_taken(desk, &shown) => Decided::Refused(Refusal::NameTaken),
        (verb, Place::Shown(shown)) => match outbox.hold_shown(desk, number, found.reason, shown).await {
            Ok(attempt) => finish(desk, outbox, verb, attempt, intent).await,
            Err(decided) => decided,
        },
        (verb, Place::Attempted(attempt)) => finish(desk, outbox, verb, attempt, intent).await,
    }
}

/// What may be done with a held file.
fn may(verb: Verb, found: &Found) -> Result<(), Refusal> {
    match (verb, &found.place, found.reason) {
        (
            Verb::Retry,
            _,
            HeldReason::UnknownKind | HeldReason::BadName | HeldReason::NotAFile | HeldReason::NotCollected,
        ) => Err(Refusal::SameAgain),
        (Verb::Retry, _, HeldReason::TooOld) => Err(Refusal::PastItsTime),
        // The move back would make it young again.
        (Verb::Retry, ..) if found.is_over => Err(Refusal::PastItsTime),
        (Verb::Return | Verb::Discard, Place::End, _) => Err(Refusal::OnTheEnd),
        _ => Ok(()),
    }
}

/// Another look is no act that could be half done: a restart looks at everything again.
async fn record(desk: &Desk, intent: Intent) -> Decided {
    let recorded = desk.on_disk(move |desk| {
        let of = desk.audit.intend(intent)?;
        desk.audit.end(of, true, false)
    });
    said(recorded.await.map(|()| Decided::Done))
}

/// Intent, act, outcome.
async fn finish(desk: &Desk, outbox: &mut Outbox, verb: Verb, attempt: Attempt, intent: Intent) -> Decided {
    let (number, retry_to) = (attempt.number, outbox.path_of(desk, &attempt));
    let back = (attempt.clone(), retry_to.clone());
    let done = desk.on_disk(move |desk| {
        let Some(seat) = desk.clinic.of(&attempt.consumer) else {
            return if verb == Verb::Discard { discard(desk, &attempt, intent) } else { Ok(NO_CONSUMER) };
        };
        match (verb, retry_to) {
            (Verb::Discard, _) => discard(desk, &attempt, intent),
            (Verb::Return, _) if !seat.exported => Ok(Decided::Refused(Refusal::Elsewhere)),
            (Verb::Return, _) => act(desk, intent, || desk.own.give_back(&attempt, seat, RETURNED)),
            (Verb::Retry, Some(path)) => act(desk, intent, || desk.own.give_back(&attempt, seat, &path)),
            (Verb::Retry, None) => Ok(NO_END),
        }
    });
    let decided = said(done.await);
    if decided == Decided::Done {
        let moved_ns = if verb == Verb::Retry { moved(desk, &back.0, back.1.as_deref()) } else { None };
        outbox.let_go(desk, number, moved_ns);
    }
    decided
}

/// When a file was moved back into its consumer's folder, as that folder says.
fn moved(desk: &Desk, attempt: &Attempt, path: Option<&str>) -> Option<i64> {
    let seat = desk.clinic.of(&attempt.consumer)?;
    Some(seat.facts(path?, attempt.name.as_ref())?.changed_ns)
}

fn is_taken(desk: &Desk, shown: &Shown) -> bool {
    desk.clinic.seat(shown.seat).is_some_and(|seat| seat.facts(RETURNED, &shown.name).is_some())
}

const NO_CONSUMER: Decided = Decided::Refused(Refusal::NoConsumer);
const NO_END: Decided = Decided::Refused(Refusal::NoEnd);

fn discard(desk: &Desk, attempt: &Attempt, intent: Intent) -> Result<Decided, crate::Error> {
    act(desk, intent, || desk.own.discard(attempt).map(|()| true))
}

/// Records the intent, acts, records the outcome. Without the first record nothing is done; without the second the act
/// stands, and a restart records it.
fn act(
    desk: &Desk,
    intent: Intent,
    act: impl FnOnce() -> Result<bool, crate::Error>,
) -> Result<Decided, crate::Error> {
    let number = intent.number;
    let of = desk.audit.intend(intent)?;
    let acted = act();
    // What failed may have been done nevertheless: the entry tells, now as after a restart.
    let done = acted.as_ref().map_or_else(|_| desk.own.has(number).map(|there| !there), |done| Ok(*done));
    if let Err(error) = done.and_then(|done| desk.audit.end(of, done, false)) {
        tracing::error!(%error, "what became of a decision could not be recorded");
    }
    Ok(if acted? { Decided::Done } else { Decided::Refused(Refusal::NameTaken) })
}

fn said(done: Result<Decided, crate::Error>) -> Decided {
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "what was decided could not be done");
        Decided::Failed
    })
}

#[cfg(test)]
mod tests {
    use model::decision::Reason;
    use model::part::RelayPart;

    use super::*;
    use crate::Relay;
    use crate::audit::{Entry, entry, folder};
    use crate::testing::Ends;

    fn desk(ends: &Ends) -> Desk {
        let config = ends.config();
        let (part, _) = tokio::sync::watch::channel(RelayPart::default());
        let relay = Relay::open(&config, part).unwrap();
        let plan = crate::lane::lanes(&config, &relay.table).remove(0);
        relay.desk(&plan.name, plan.way).unwrap()
    }

    fn intent() -> Intent {
        Intent {
            at: Timestamp::now(),
            actor: Actor { name: "root".into(), uid: 0 },
            verb: Verb::Discard,
            end: "t1".into(),
            kind: "k".into(),
            number: 7,
            hash: "h".into(),
            held: HeldReason::Uncertain,
            reason: Reason::new("r").unwrap(),
        }
    }

    /// What the record's files say now: of each entry whether it is an outcome, and of what.
    fn record(ends: &Ends) -> Vec<Option<bool>> {
        let found = journal::chain::verify(&folder(&ends.folder.path().join("state"))).unwrap();
        assert_eq!(found.flaws, []);
        let outcome = |link| match entry(link).unwrap() {
            Entry::Intent(_) => None,
            Entry::Outcome(outcome) => Some(outcome.done),
        };
        found.links.iter().map(outcome).collect()
    }

    #[test]
    fn nothing_that_is_over_is_tried_again_whatever_it_is_held_for() {
        let entry = "u.7.0000000000000001.receipt.req~OQSsiquc01req_1.xml";
        let attempt = Attempt::parse(entry.as_ref()).unwrap();
        for reason in HeldReason::ALL {
            let place = Place::Attempted(attempt.clone());
            let over = Found { reason, kind: None, hash: "h".into(), place, is_over: true };
            may(Verb::Retry, &over).unwrap_err();
            may(Verb::Discard, &over).unwrap();
            may(Verb::Return, &over).unwrap();
        }
    }

    #[test]
    fn the_intent_is_in_the_record_before_the_act_and_the_outcome_after_it() {
        let ends = Ends::new();
        let desk = desk(&ends);
        let acted = act(&desk, intent(), || {
            assert_eq!(record(&ends), [None]);
            Ok(true)
        });
        assert_eq!(acted.unwrap(), Decided::Done);
        assert_eq!(record(&ends), [None, Some(true)]);
    }

    #[test]
    fn an_act_that_failed_is_recorded_by_what_became_of_the_file() {
        let ends = Ends::new();
        let desk = desk(&ends);
        let failed = || Err(crate::Error::Random("it failed".into()));
        act(&desk, intent(), failed).unwrap_err();
        assert_eq!(record(&ends), [None, Some(true)], "there is no entry of this number any more");
        let entry = ends.own("attempted/t1/u.7.0000000000000001.receipt.req~OQSsiquc01req_1.xml");
        std::fs::write(entry, b"x").unwrap();
        act(&desk, intent(), failed).unwrap_err();
        assert_eq!(record(&ends)[2..], [None, Some(false)]);
    }

    #[test]
    fn what_cannot_be_recorded_is_not_done() {
        let ends = Ends::new();
        let desk = desk(&ends);
        let audit = ends.own("audit");
        std::fs::remove_dir_all(&audit).unwrap();
        std::fs::write(&audit, b"a file where the record belongs").unwrap();
        act(&desk, intent(), || panic!("nothing is done")).unwrap_err();
    }
}
