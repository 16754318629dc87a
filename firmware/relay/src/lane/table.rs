//! What lies in the clinic's folders for one end, from its first sight until it is carried or held. Made for a
//! hundred thousand files: seeing one costs a few hundred bytes and no look inside; what is carried next is looked
//! into right before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::parcel::{Direction, HeldReason, WaitReason};

use crate::clinic::name_bytes;
use crate::folder::Facts;
use crate::lane::pace::Pace;
use crate::name::{KindId, Table};
use crate::whole::{PATIENCE, Ripeness, Sight};

/// A file younger than this goes before older ones, nanoseconds: somebody stands at the counter.
const COUNTER_NS: i64 = 30_000_000_000;

/// A place files lie in: a folder of one consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Which consumer's.
    pub seat: usize,
    /// The folder there; its parts are divided by `/`.
    pub path: String,
    /// Which folder of the table of kinds that is.
    pub folder: String,
    /// The folder on the end.
    pub end: String,
}

/// One file. Kept small: there may be a hundred thousand.
#[derive(Clone, Debug)]
pub struct Lying {
    /// Its own name.
    pub name: Arc<OsStr>,
    /// What was seen from outside.
    pub facts: Facts,
    /// What was seen inside, if it was looked into.
    pub sight: Option<Box<Sight>>,
    /// What follows.
    pub finding: Finding,
    /// In which outlet.
    pub outlet: u16,
    /// What it is, if it is anything.
    pub kind: Option<KindId>,
    /// When it was first seen, milliseconds since the table was begun.
    first: u64,
    /// The newest listing when it was last seen.
    seen: u32,
}

/// What follows from what was seen of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It may be carried if a look inside finds it whole.
    Queued,
    /// To be looked at again no earlier than then.
    Wait(WaitReason, Instant),
    /// A person has to look at it.
    Held(HeldReason),
}

/// All of them. A file is known by a journal number.
#[derive(Debug)]
pub struct Lyings {
    begun: Instant,
    /// How many listings of whole outlets have begun.
    listings: u32,
    table: Arc<Table>,
    direction: Direction,
    files: BTreeMap<u64, Lying>,
    names: Vec<HashMap<Arc<OsStr>, u64>>,
    /// By kind: when they changed, and their numbers.
    queues: Vec<BTreeSet<(i64, u64)>>,
    due: BTreeSet<(Instant, u64)>,
    held: BTreeSet<u64>,
}

impl Lyings {
    /// None yet, in so many outlets.
    pub fn new(table: Arc<Table>, direction: Direction, outlets: usize) -> Self {
        let queues = vec![BTreeSet::new(); table.len()];
        let (files, names) = (BTreeMap::new(), vec![HashMap::new(); outlets]);
        let (begun, due, held) = (Instant::now(), BTreeSet::new(), BTreeSet::new());
        Self { begun, listings: 0, table, direction, files, names, queues, due, held }
    }

    /// A listing of whole outlets begins; by what it gives, [`Self::forget_unseen`] tells what was seen since.
    pub const fn listing(&mut self) -> u32 {
        self.listings = self.listings.wrapping_add(1);
        self.listings
    }

    /// A file was seen in an outlet. `number` is asked for a new one.
    pub fn see(
        &mut self,
        (at, outlet): (u16, &Outlet),
        name: &OsStr,
        facts: Facts,
        now: Instant,
        number: impl FnOnce() -> Option<u64>,
    ) {
        let known = self.names.get(usize::from(at)).and_then(|names| names.get(name)).copied();
        if let Some(number) = known {
            return self.see_again(number, facts);
        }
        let Some(number) = number() else { return };
        let name: Arc<OsStr> = name.into();
        let admitted = self.table.admit(name_bytes(&name), &outlet.folder, self.direction);
        let finding = match admitted {
            _ if !facts.is_file => Finding::Held(HeldReason::NotAFile),
            Ok(_) => Finding::Queued,
            // A writer may use a name of its own and rename at the end.
            Err(HeldReason::UnknownKind) => Finding::Wait(WaitReason::BeingWritten, now + PATIENCE),
            Err(reason) => Finding::Held(reason),
        };
        if let Some(names) = self.names.get_mut(usize::from(at)) {
            names.insert(name.clone(), number);
        }
        let kind = admitted.ok();
        let first = now.saturating_duration_since(self.begun).as_millis();
        let (first, seen) = (u64::try_from(first).unwrap_or(u64::MAX), self.listings);
        let lying = Lying { name, facts, sight: None, finding, outlet: at, kind, first, seen };
        self.files.insert(number, lying);
        self.index(number);
    }

    fn see_again(&mut self, number: u64, facts: Facts) {
        let listing = self.listings;
        let Some(lying) = self.files.get_mut(&number) else { return };
        lying.seen = listing;
        if lying.facts == facts {
            return;
        }
        self.change(number, |lying| {
            lying.facts = facts;
            lying.finding = match (facts.is_file, lying.kind) {
                (false, _) => Finding::Held(HeldReason::NotAFile),
                (true, Some(_)) => Finding::Queued,
                (true, None) => lying.finding,
            };
        });
    }

    /// A whole outlet was listed: what was not seen since that listing began is gone.
    pub fn forget_unseen(&mut self, at: u16, since: u32) {
        let names = self.names.get(usize::from(at));
        let unseen = |number: &&u64| self.files.get(number).is_none_or(|lying| lying.seen < since);
        let gone: Vec<u64> = names.into_iter().flat_map(HashMap::values).filter(unseen).copied().collect();
        for number in gone {
            self.forget(number);
        }
    }

    /// The number of a name in an outlet.
    pub fn number_of(&self, at: u16, name: &OsStr) -> Option<u64> {
        self.names.get(usize::from(at))?.get(name).copied()
    }

    /// A file is gone or on its way.
    pub fn forget(&mut self, number: u64) {
        self.unindex(number);
        if let Some(lying) = self.files.remove(&number)
            && let Some(names) = self.names.get_mut(usize::from(lying.outlet))
        {
            names.remove(&lying.name);
        }
    }

    /// What a look inside says.
    pub fn ripen(&mut self, number: u64, sight: Sight, ripeness: Ripeness) {
        self.change(number, |lying| {
            lying.sight = Some(Box::new(sight));
            lying.facts.size = sight.look.size;
            lying.finding = match ripeness {
                Ripeness::Ripe => Finding::Queued,
                Ripeness::Wait(reason, at) => Finding::Wait(reason, at),
                Ripeness::Held(reason) => Finding::Held(reason),
            };
        });
    }

    /// Something else is found of a file.
    pub fn find(&mut self, number: u64, finding: Finding) {
        self.change(number, |lying| lying.finding = finding);
    }

    /// A held file of a known kind is queued as if it had not been looked into.
    pub fn look_again(&mut self, number: u64) {
        self.change(number, |lying| {
            lying.sight = None;
            lying.finding = if lying.kind.is_some() { Finding::Queued } else { lying.finding };
        });
    }

    /// Those whose time to be looked at again has come are queued, or held if they still are nothing.
    pub fn wake(&mut self, now: Instant) {
        while let Some(&(at, number)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, number));
            self.change(number, |lying| {
                lying.finding = match lying.kind {
                    Some(_) => Finding::Queued,
                    None => Finding::Held(HeldReason::UnknownKind),
                };
            });
        }
    }

    /// What is to be carried next, oldest first: of the counter, or if there is nothing and it is allowed, of the
    /// backlog. Returns whether it is backlog.
    pub fn pick(&self, most: usize, now_ns: i64, backlog: bool, pace: &mut Pace) -> (Vec<u64>, bool) {
        let young = now_ns.saturating_sub(COUNTER_NS);
        let counter = self.pick_in((young, 0), (i64::MAX, u64::MAX), most, pace);
        if !counter.is_empty() || !backlog {
            return (counter, false);
        }
        (self.pick_in((i64::MIN, 0), (young, 0), most, pace), true)
    }

    fn pick_in(&self, from: (i64, u64), to: (i64, u64), most: usize, pace: &mut Pace) -> Vec<u64> {
        let mut found: Vec<(i64, u64)> = Vec::new();
        for (kind, queue) in self.queues.iter().enumerate().filter(|(_, queue)| !queue.is_empty()) {
            let free = pace.free(kind);
            found.extend(queue.range(from..to).take(most.min(free)));
        }
        found.sort_unstable();
        found.truncate(most);
        found.into_iter().map(|(_, number)| number).collect()
    }

    /// One file.
    pub fn get(&self, number: u64) -> Option<&Lying> {
        self.files.get(&number)
    }

    /// When to look again at the latest; none if nothing waits for a time.
    pub fn due(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// How many there are to be carried.
    pub fn queued(&self) -> usize {
        self.queues.iter().map(BTreeSet::len).sum()
    }

    /// Whether some of them are older than the counter's patience.
    pub fn has_backlog(&self, now_ns: i64) -> bool {
        let young = now_ns.saturating_sub(COUNTER_NS);
        self.queues.iter().any(|queue| queue.first().is_some_and(|(changed, _)| *changed < young))
    }

    /// How many there are in all.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Those that are held.
    pub fn held(&self) -> impl Iterator<Item = (u64, &Lying)> {
        self.held.iter().filter_map(|number| Some((*number, self.files.get(number)?)))
    }

    /// How many are held.
    pub fn held_count(&self) -> usize {
        self.held.len()
    }

    /// Those that wait for a time.
    pub fn waiting(&self) -> impl Iterator<Item = (u64, &Lying)> {
        self.due.iter().filter_map(|(_, number)| Some((*number, self.files.get(number)?)))
    }

    /// How many wait for a time.
    pub fn waiting_count(&self) -> usize {
        self.due.len()
    }

    /// Those that are to be carried, kind by kind, the oldest of each first.
    pub fn in_queue(&self) -> impl Iterator<Item = (u64, &Lying)> {
        let numbers = self.queues.iter().flat_map(|queue| queue.iter().map(|(_, number)| *number));
        numbers.filter_map(|number| Some((number, self.files.get(&number)?)))
    }

    fn change(&mut self, number: u64, change: impl FnOnce(&mut Lying)) {
        self.unindex(number);
        let begun = self.begun;
        if let Some(lying) = self.files.get_mut(&number) {
            change(lying);
            // A name that never was anything is given a writer's time from its first sight on.
            if let (None, Finding::Wait(_, at)) = (lying.kind, &mut lying.finding) {
                *at = begun + Duration::from_millis(lying.first) + PATIENCE;
            }
        }
        self.index(number);
    }

    fn index(&mut self, number: u64) {
        let Some(lying) = self.files.get(&number) else { return };
        match (lying.finding, lying.kind) {
            (Finding::Queued, Some(kind)) => {
                if let Some(queue) = self.queues.get_mut(usize::from(kind)) {
                    queue.insert((lying.facts.changed_ns, number));
                }
            }
            (Finding::Queued, None) => {}
            (Finding::Wait(_, at), _) => {
                self.due.insert((at, number));
            }
            (Finding::Held(_), _) => {
                self.held.insert(number);
            }
        }
    }

    fn unindex(&mut self, number: u64) {
        let Some(lying) = self.files.get(&number) else { return };
        match (lying.finding, lying.kind) {
            (Finding::Queued, Some(kind)) => {
                if let Some(queue) = self.queues.get_mut(usize::from(kind)) {
                    queue.remove(&(lying.facts.changed_ns, number));
                }
            }
            (Finding::Queued, None) => {}
            (Finding::Wait(_, at), _) => {
                self.due.remove(&(at, number));
            }
            (Finding::Held(_), _) => {
                self.held.remove(&number);
            }
        }
    }
}

#[cfg(test)]
mod tests;
