//! The table against a plain list: whatever is seen, looked into, renamed, forgotten and woken, in any order.

use std::ffi::OsString;

use proptest::prelude::*;

use super::*;
use crate::testing::kinds;

/// Something that happens.
#[derive(Clone, Debug)]
enum Act {
    /// A file is seen: which, since when it is as it is (seconds ago), and whether it is a file at all.
    See(usize, i64, bool),
    /// The folder is listed, and holds these only.
    List(Vec<usize>),
    /// It is looked into.
    Ripen(usize, Ripeness),
    /// It went its way, or vanished.
    Forget(usize),
    /// Time passes, milliseconds.
    Pass(u64),
}

const NAMES: [&str; 6] = [
    "OQSsiquc01req_1.xml",
    "OQSsiquc01req_2.xml",
    "OQSsiquc01req_3.zip",
    "strange.tmp",
    "OQSsiquc01req_a..b.xml",
    "OQSsiquc01req_4.xml",
];

/// What a plain list remembers of a name.
#[derive(Clone, Copy, Debug)]
struct Plain {
    number: u64,
    first: Instant,
    seen: Instant,
    is_file: bool,
}

struct World {
    table: Lyings,
    plain: HashMap<usize, Plain>,
    begun: Instant,
    now: Instant,
    next: u64,
}

fn outlet() -> Outlet {
    Outlet { seat: 0, path: "req".into(), folder: "req".into(), end: "req".into() }
}

impl World {
    fn new() -> Self {
        let table = Lyings::new(Arc::new(Table::new(&kinds())), Direction::Request, 1);
        let begun = table.begun;
        Self { table, plain: HashMap::new(), begun, now: begun, next: 1 }
    }

    /// By the files' own clock it is noon when the table is begun.
    fn now_ns(&self) -> i64 {
        43_200_000_000_000 + i64::try_from((self.now - self.begun).as_nanos()).unwrap()
    }

    fn see(&mut self, name: usize, ago_s: i64, is_file: bool) {
        let changed_ns = self.now_ns() - ago_s * 1_000_000_000;
        let facts = Facts { is_file, size: 9, stamp: changed_ns.unsigned_abs(), changed_ns };
        let (next, now) = (self.next, self.now);
        self.table.see((0, &outlet()), OsStr::new(NAMES[name]), facts, now, || Some(next));
        let known = self.plain.entry(name).or_insert(Plain { number: next, first: now, seen: now, is_file });
        (known.seen, known.is_file) = (now, is_file);
        self.next += 1;
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::See(name, ago_s, is_file) => self.see(name, ago_s, is_file),
            Act::List(names) => {
                self.pass(1);
                let (since, listing) = (self.now, self.table.listing());
                names.into_iter().for_each(|name| self.see(name, 0, true));
                self.table.forget_unseen(0, listing);
                self.plain.retain(|_, plain| plain.seen >= since);
            }
            Act::Ripen(name, ripeness) => {
                let look = crate::whole::Look {
                    size: 9,
                    stamp: 1,
                    writer: crate::whole::Writer::None,
                    end: crate::whole::End::Right,
                };
                let found = self.plain.get(&name).filter(|plain| plain.is_file && kind(name));
                if let Some(plain) = found {
                    self.table.ripen(plain.number, Sight { look, since: self.now }, ripeness);
                }
            }
            Act::Forget(name) => {
                if let Some(plain) = self.plain.remove(&name) {
                    self.table.forget(plain.number);
                }
            }
            Act::Pass(ms) => self.pass(ms),
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now += Duration::from_millis(ms);
        self.table.wake(self.now);
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let table = &self.table;
        prop_assert_eq!(table.len(), self.plain.len());
        prop_assert_eq!(table.queued() + table.waiting_count() + table.held_count(), table.len());
        for (name, plain) in &self.plain {
            prop_assert_eq!(table.number_of(0, &OsString::from(NAMES[*name])), Some(plain.number));
            let lying = table.get(plain.number).expect("it was seen");
            self.check_one(*name, *plain, lying.finding)?;
        }
        self.check_picked()
    }

    fn check_one(&self, name: usize, plain: Plain, finding: Finding) -> Result<(), TestCaseError> {
        let patient = self.now < plain.first + PATIENCE;
        match finding {
            _ if !plain.is_file => prop_assert_eq!(finding, Finding::Held(HeldReason::NotAFile)),
            Finding::Queued => prop_assert!(kind(name)),
            Finding::Wait(_, at) => prop_assert!(at > self.now && (kind(name) || patient)),
            // A writer may rename: what is nothing is given its time first, whatever becomes of it meanwhile.
            Finding::Held(HeldReason::UnknownKind) => prop_assert!(!kind(name) && !patient),
            Finding::Held(_) => {}
        }
        Ok(())
    }

    /// What is picked is queued, the oldest first, and of the counter as long as there is any.
    fn check_picked(&self) -> Result<(), TestCaseError> {
        let mut pace = Pace::new(&self.table.table, self.now);
        let (picked, is_backlog) = self.table.pick(64, self.now_ns(), true, &mut pace);
        let lying: Vec<&Lying> = picked.iter().filter_map(|number| self.table.get(*number)).collect();
        prop_assert!(lying.iter().all(|lying| lying.finding == Finding::Queued));
        prop_assert!(lying.is_sorted_by_key(|lying| lying.facts.changed_ns));
        let young = self.now_ns() - COUNTER_NS;
        prop_assert!(lying.iter().all(|lying| (lying.facts.changed_ns < young) == is_backlog));
        let counter = self.table.in_queue().filter(|(_, lying)| lying.facts.changed_ns >= young).count();
        prop_assert_eq!(picked.len(), if counter > 0 { counter } else { self.table.queued() });
        Ok(())
    }
}

/// Whether a name is of a kind.
fn kind(name: usize) -> bool {
    name != 3 && name != 4
}

fn act() -> impl Strategy<Value = Act> {
    let name = 0..NAMES.len();
    let start = Instant::now();
    let ripeness = prop_oneof![
        Just(Ripeness::Ripe),
        // Long after any time that passes here.
        Just(Ripeness::Wait(WaitReason::BeingWritten, start + Duration::from_secs(86_400))),
        Just(Ripeness::Held(HeldReason::HalfWritten)),
    ];
    prop_oneof![
        4 => (name.clone(), 0_i64..60, prop::bool::weighted(0.9)).prop_map(|(n, ago, file)| Act::See(n, ago, file)),
        1 => prop::sample::subsequence((0..NAMES.len()).collect::<Vec<_>>(), 0..NAMES.len()).prop_map(Act::List),
        2 => (name.clone(), ripeness).prop_map(|(name, ripeness)| Act::Ripen(name, ripeness)),
        1 => name.prop_map(Act::Forget),
        2 => (0_u64..2000).prop_map(Act::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_is_seen_every_file_is_in_one_place_and_the_counter_goes_first(
        acts in prop::collection::vec(act(), 0..40)
    ) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
            world.check()?;
        }
    }
}

#[test]
fn what_is_gone_is_forgotten_and_a_writer_has_his_time_however_long_the_box_has_run() {
    let mut world = World::new();
    world.pass(100 * 24 * 3600 * 1000);
    world.act(Act::See(0, 0, true));
    world.act(Act::See(3, 0, true));
    world.check().unwrap();
    world.act(Act::List(vec![3]));
    assert_eq!(world.table.number_of(0, OsStr::new(NAMES[0])), None);
    world.check().unwrap();
}
