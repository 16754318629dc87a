//! What stands in the consumers' folders and has not been collected, each consumer's copies apart.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use model::parcel::{Direction, ParcelView, WaitReason};

use crate::clinic::{Clinic, name_bytes};
use crate::folder::Facts;
use crate::ledger::Ledger;
use crate::name::Table;
use crate::report::{Report, View};
use crate::watch::Hints;

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
    /// The table of kinds.
    pub table: Arc<Table>,
    /// The consumers' folders.
    pub clinic: Arc<Clinic>,
    /// Numbers and hashes.
    pub ledger: Arc<Ledger>,
    /// Where is said what is seen.
    pub report: Arc<Report>,
    /// The folders: the consumer's place, and the folder.
    pub folders: Vec<(usize, String)>,
    /// When something was collected.
    pub hints: Arc<Hints>,
}

fn is_young(facts: &Facts, now: Timestamp) -> bool {
    now.as_second() - facts.changed_s() < YOUNG_S
}

fn any_young(found: &Found) -> bool {
    let now = Timestamp::now();
    found.values().any(|(_, facts)| is_young(facts, now))
}

type Found = HashMap<(usize, OsString), (u64, Facts)>;

impl Uncollected {
    /// Looks for ever.
    pub async fn run(self) {
        let this = Arc::new(self);
        let mut found = Found::new();
        loop {
            let begun = tokio::time::Instant::now();
            let (looker, before) = (this.clone(), std::mem::take(&mut found));
            let looked = tokio::task::spawn_blocking(move || looker.look(before));
            found = looked.await.unwrap_or_default();
            this.say(&found);
            let rest = if any_young(&found) { RESCAN } else { STILL };
            let rest = rest.max(begun.elapsed() * RESCAN_SHARE).min(STILL);
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = this.hints.changed() => {}
            }
            this.hints.take();
            this.hints.take_everywhere();
        }
    }

    fn look(&self, mut before: Found) -> Found {
        let mut found = Found::new();
        for (at, (seat, folder)) in self.folders.iter().enumerate() {
            let Some(seat) = self.clinic.seat(*seat) else { continue };
            let listed = seat.list(folder, |files| {
                for (name, facts) in files.into_iter().filter(|(_, facts)| facts.is_file) {
                    if self.table.admit(name_bytes(&name), folder, Direction::Answer).is_err() {
                        continue;
                    }
                    let known = before.remove(&(at, name.clone())).map(|(number, _)| number);
                    let Some(number) = known.or_else(|| self.ledger.number().ok()) else { continue };
                    found.insert((at, name), (number, facts));
                }
                true
            });
            if let Err(error) = listed {
                tracing::warn!(%error, "cannot see what was collected");
            }
        }
        found
    }

    /// Says what waits to be collected.
    fn say(&self, found: &Found) {
        let (now, mut view) = (Timestamp::now(), View::default());
        let is_old = |facts: &Facts| !is_young(facts, now);
        let mut left: BTreeMap<usize, model::parcel::Uncollected> = BTreeMap::new();
        for ((at, name), (number, facts)) in found.iter().filter(|(_, (_, facts))| is_old(facts)) {
            let since = Timestamp::from_second(facts.changed_s()).unwrap_or(now);
            if let Some((seat, consumer)) = self.consumer(*at) {
                let none = || model::parcel::Uncollected { consumer: consumer.to_owned(), count: 0, since };
                let fact = left.entry(seat).or_insert_with(none);
                (fact.count, fact.since) = (fact.count + 1, fact.since.min(since));
            }
            let parcel = || {
                let folder = self.folders.get(*at).map_or("", |(_, folder)| folder.as_str());
                let kind = self.table.admit(name_bytes(name), folder, Direction::Answer).ok();
                ParcelView {
                    number: *number,
                    kind: self.table.key(kind).to_owned(),
                    hash: self.ledger.short(name_bytes(name)),
                    bytes: facts.size,
                    since,
                }
            };
            view.wait(parcel, WaitReason::AwaitingCollection);
        }
        view.uncollected = left.into_values().collect();
        self.report.see("collection", view, now);
    }

    /// Whose folder this is: the consumer's place, and name.
    fn consumer(&self, folder: usize) -> Option<(usize, &str)> {
        let (seat, _) = self.folders.get(folder)?;
        Some((*seat, self.clinic.seat(*seat)?.name.as_str()))
    }
}
