//! What stands in the consumers' folders and has not been collected, each consumer's copies apart. It is never taken
//! away unseen: when its time is nearly over that is said, and when it is over a person decides.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Timestamp;
use model::parcel::{Direction, HeldReason, ParcelView, WaitReason};

use super::order::{self, Beside, Found, Place, Shown};
use super::{Desk, Outbox};
use crate::clinic::name_bytes;
use crate::folder::Facts;
use crate::name::KindId;
use crate::report::View;
use crate::watch::Hints;

/// What our own folders for it are called; no end of a site file can have this name.
pub const NAME: &str = "=collection";

/// A file younger than this is on its way out, seconds.
const YOUNG_S: i64 = 2;
/// How soon the folders are looked at again while a file is too young to tell.
const RESCAN: Duration = Duration::from_secs(1);
/// A look may take this part of the time.
const RESCAN_SHARE: u32 = 20;
/// What is said is no older than this, also when nothing happens.
const STILL: Duration = Duration::from_secs(5);

/// Answers that stand in the consumers' folders.
#[derive(Debug)]
pub struct Uncollected {
    /// What it works with.
    pub desk: Desk,
    /// The folders: the consumer's place, and the folder.
    pub folders: Vec<(usize, String)>,
    /// When something was collected.
    pub hints: Arc<Hints>,
}

/// What is left of an answer's time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// It may be on its way out.
    Young,
    /// More than a quarter.
    Enough,
    /// A quarter or less.
    Nearing,
    /// Nothing.
    Over,
}

/// What stands there, by folder and name.
#[derive(Debug, Default)]
struct Standing {
    folders: Arc<[(usize, String)]>,
    found: HashMap<(usize, OsString), (u64, Facts)>,
    /// Whether it was said that a time is nearly over.
    told: bool,
}

impl Uncollected {
    /// Looks for ever, and carries out what persons decide about what is over.
    pub async fn run(self) {
        let Self { desk, folders, hints } = self;
        order::settle(&desk).await;
        // What a person took in hand lies in our own folders, until it is returned or discarded.
        let mut in_hand = Outbox::new(&desk, Vec::new());
        in_hand.recover(&desk).await;
        let mut standing = Standing { folders: folders.into(), ..Standing::default() };
        loop {
            order::carry_out(&desk, &desk.orders, &mut in_hand, &mut standing).await;
            let begun = Instant::now();
            standing = standing.look(&desk).await;
            let mut view = View::default();
            standing.say(&desk, &mut view);
            in_hand.say(&desk, true, &mut view);
            desk.report.see("collection", view, Timestamp::now());
            let rest = if standing.any_young() { RESCAN } else { STILL };
            let rest = rest.max(begun.elapsed() * RESCAN_SHARE).min(STILL);
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = hints.changed() => {}
                () = desk.orders.wait() => {}
            }
            hints.take();
            hints.take_everywhere();
        }
    }
}

impl Standing {
    async fn look(self, desk: &Desk) -> Self {
        let (folders, told) = (self.folders.clone(), self.told);
        let looked = desk.on_disk(move |desk| {
            let Self { folders, found: before, told } = self;
            let mut now = Self { folders, found: HashMap::new(), told };
            now.see(desk, before);
            Ok(now)
        });
        looked.await.unwrap_or_else(|_| Self { folders, found: HashMap::new(), told })
    }

    fn see(&mut self, desk: &Desk, mut before: HashMap<(usize, OsString), (u64, Facts)>) {
        for (at, (seat, folder)) in self.folders.iter().enumerate() {
            let Some(seat) = desk.clinic.seat(*seat) else { continue };
            let listed = seat.list(folder, |files| {
                for (name, facts) in files.into_iter().filter(|(_, facts)| facts.is_file) {
                    if admitted(desk, folder, &name).is_none() {
                        continue;
                    }
                    let known = before.remove(&(at, name.clone())).map(|(number, _)| number);
                    let Some(number) = known.or_else(|| desk.ledger.number().ok()) else { continue };
                    self.found.insert((at, name), (number, facts));
                }
                true
            });
            if let Err(error) = listed {
                tracing::warn!(%error, "cannot see what was collected");
            }
        }
    }

    fn any_young(&self) -> bool {
        let now = Timestamp::now();
        self.found.values().any(|(_, facts)| is_young(since(facts, now), now))
    }

    /// Says what waits to be collected, and what was not within its time.
    fn say(&mut self, desk: &Desk, view: &mut View) {
        let now = Timestamp::now();
        let mut left: BTreeMap<usize, model::parcel::Uncollected> = BTreeMap::new();
        for ((at, name), (number, facts)) in &self.found {
            let Some((seat, folder)) = self.folders.get(*at) else { continue };
            let kind = admitted(desk, folder, name);
            let since = since(facts, now);
            let time = time(desk, kind, since, now);
            if time == Time::Young {
                continue;
            }
            if let Some(consumer) = desk.clinic.seat(*seat).map(|seat| seat.name.clone()) {
                let none = || model::parcel::Uncollected { consumer, count: 0, since, nearing: 0 };
                let fact = left.entry(*seat).or_insert_with(none);
                (fact.count, fact.since) = (fact.count + 1, fact.since.min(since));
                fact.nearing += u64::from(time != Time::Enough);
            }
            let parcel = || ParcelView {
                number: *number,
                kind: desk.table.key(kind).to_owned(),
                hash: desk.ledger.short(name_bytes(name)),
                bytes: facts.size,
                since,
            };
            match time {
                Time::Over => view.hold(parcel, HeldReason::NotCollected),
                _ => view.wait(parcel, WaitReason::AwaitingCollection),
            }
        }
        self.tell(left.values().map(|fact| fact.nearing).sum());
        view.uncollected = left.into_values().collect();
    }

    /// Said once when it begins, and once when it is over.
    fn tell(&mut self, nearing: u64) {
        match (self.told, nearing) {
            (false, 1..) => {
                tracing::warn!(nearing, "answers are not collected and their time is nearly over")
            }
            (true, 0) => tracing::info!("no uncollected answer's time is nearly over any more"),
            _ => {}
        }
        self.told = nearing > 0;
    }
}

impl Beside for Standing {
    fn find(&self, desk: &Desk, number: u64) -> Option<Option<Found>> {
        let ((at, name), (_, facts)) = self.found.iter().find(|(_, (known, _))| *known == number)?;
        let (seat, folder) = self.folders.get(*at)?;
        let kind = admitted(desk, folder, name);
        let now = Timestamp::now();
        if time(desk, kind, since(facts, now), now) != Time::Over {
            return Some(None);
        }
        let shown = Shown { seat: *seat, folder: folder.clone(), name: name.clone(), facts: *facts };
        let (hash, place) = (desk.ledger.short(name_bytes(name)), Place::Shown(shown));
        Some(Some(Found { reason: HeldReason::NotCollected, kind, hash, place, is_over: true }))
    }

    fn look_again(&mut self, _number: u64) {}
}

fn admitted(desk: &Desk, folder: &str, name: &OsStr) -> Option<KindId> {
    desk.table.admit(name_bytes(name), folder, Direction::Answer).ok()
}

fn since(facts: &Facts, now: Timestamp) -> Timestamp {
    Timestamp::from_second(facts.changed_s()).unwrap_or(now)
}

fn is_young(since: Timestamp, now: Timestamp) -> bool {
    now.as_second() - since.as_second() < YOUNG_S
}

/// What is left of the time of an answer that stands there since then.
pub(super) fn time(desk: &Desk, kind: Option<KindId>, since: Timestamp, now: Timestamp) -> Time {
    if is_young(since, now) {
        return Time::Young;
    }
    let lives = kind.and_then(|kind| desk.table.kind(kind)).map_or(0, |kind| kind.time_to_live_s);
    left(desk.opening.age_s(since, now), i64::try_from(lives).unwrap_or(i64::MAX))
}

const fn left(age_s: i64, lives: i64) -> Time {
    match age_s {
        age if age > lives => Time::Over,
        age if age > lives / 4 * 3 => Time::Nearing,
        _ => Time::Enough,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_before_the_time_is_over() {
        let at = [0, 1350, 1351, 1800, 1801].map(|age_s| left(age_s, 1800));
        assert_eq!(at, [Time::Enough, Time::Enough, Time::Nearing, Time::Nearing, Time::Over]);
    }
}
