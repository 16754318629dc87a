//! One direction of the wire: what is on its way, and when it is due. Pure: its clock is its caller's, its dice are seeded.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

/// What the wire does to frames. Shares are in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct Habits {
    /// Every frame is so late, milliseconds
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub delay_ms: u64,
    /// And up to so much later, milliseconds; none overtakes another by that
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pub jitter_ms: u64,
    /// This share is lost
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    pub loss: u8,
    /// This share is held back, so that others overtake it
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    pub reorder: u8,
    /// This share arrives twice
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    pub duplicate: u8,
}

/// How long a frame is held back that others are to overtake.
const HELD_BACK: Duration = Duration::from_millis(20);
/// What is on its way at most: a sender that never stops would fill the memory.
const MOST: usize = 10_000;

/// One direction.
#[derive(Debug)]
pub struct Queue {
    habits: Habits,
    dice: Dice,
    /// When which frame is due; of two at one time the one that came first.
    due: BinaryHeap<Reverse<(Instant, u64)>>,
    frames: BTreeMap<u64, Vec<u8>>,
    next: u64,
    /// No frame that is not held back is due before this.
    last: Option<Instant>,
}

impl Queue {
    /// A direction with these habits.
    pub const fn new(habits: Habits, seed: u64) -> Self {
        let dice = Dice(seed);
        Self { habits, dice, due: BinaryHeap::new(), frames: BTreeMap::new(), next: 0, last: None }
    }

    /// A frame goes in.
    pub fn put(&mut self, frame: Vec<u8>, now: Instant) {
        if self.dice.says(self.habits.loss) {
            return;
        }
        if self.dice.says(self.habits.duplicate) {
            self.send(frame.clone(), now);
        }
        self.send(frame, now);
    }

    fn send(&mut self, frame: Vec<u8>, now: Instant) {
        if self.frames.len() >= MOST {
            return;
        }
        let late = self.habits.delay_ms + self.dice.below(self.habits.jitter_ms.saturating_add(1));
        let mut due = now + Duration::from_millis(late);
        if self.dice.says(self.habits.reorder) {
            due += HELD_BACK;
        } else {
            due = self.last.map_or(due, |last| last.max(due));
            self.last = Some(due);
        }
        self.due.push(Reverse((due, self.next)));
        self.frames.insert(self.next, frame);
        self.next += 1;
    }

    /// A frame that comes out by now.
    pub fn take(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.due().filter(|due| *due <= now)?;
        let Reverse((_, number)) = self.due.pop()?;
        self.frames.remove(&number)
    }

    /// When the next frame comes out.
    pub fn due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// All that is on its way is lost.
    pub fn clear(&mut self) {
        self.due.clear();
        self.frames.clear();
    }
}

/// Numbers that look like chance and can be had again: splitmix64.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0 and less than `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    fn says(&mut self, percent: u8) -> bool {
        percent > 0 && self.below(100) < u64::from(percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of a thousand numbered frames that go in a millisecond apart.
    fn thousand(habits: Habits) -> Vec<(u16, Duration)> {
        let (mut queue, start) = (Queue::new(habits, 7), Instant::now());
        let mut out = Vec::new();
        for step in 0..3000_u16 {
            let now = start + Duration::from_millis(step.into());
            if step < 1000 {
                queue.put(step.to_be_bytes().to_vec(), now);
            }
            while let Some(frame) = queue.take(now) {
                let number = u16::from_be_bytes(frame.try_into().unwrap());
                out.push((number, Duration::from_millis(u64::from(step - number))));
            }
        }
        out
    }

    fn numbers(habits: Habits) -> Vec<u16> {
        thousand(habits).into_iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn a_wire_without_habits_is_a_wire() {
        assert!(thousand(Habits::default()).iter().all(|(_, late)| late.is_zero()));
        assert_eq!(numbers(Habits::default()), (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn delay_and_jitter_make_frames_late_and_leave_their_order() {
        let habits = Habits { delay_ms: 50, jitter_ms: 30, ..Habits::default() };
        let out = thousand(habits);
        let late: Vec<u128> = out.iter().map(|(_, late)| late.as_millis()).collect();
        assert!(late.iter().all(|late| (50..=80).contains(late)), "{late:?}");
        assert!(late.iter().max() > late.iter().min(), "{late:?}");
        assert!(numbers(habits).is_sorted() && out.len() == 1000);
    }

    #[test]
    fn the_share_that_is_lost_is_lost_and_the_rest_is_in_order() {
        let out = numbers(Habits { loss: 30, ..Habits::default() });
        assert!((640..760).contains(&out.len()), "{}", out.len());
        assert!(out.is_sorted());
        assert_eq!(numbers(Habits { loss: 100, ..Habits::default() }), [0; 0]);
    }

    #[test]
    fn what_is_held_back_is_overtaken_and_nothing_is_lost() {
        let out = numbers(Habits { reorder: 10, ..Habits::default() });
        let overtaken = out.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!((50..150).contains(&overtaken), "{overtaken}");
        let mut sorted = out;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_share_arrives_twice_and_the_copies_are_together() {
        let out = numbers(Habits { duplicate: 20, ..Habits::default() });
        assert!((1140..1260).contains(&out.len()), "{}", out.len());
        assert!(out.is_sorted());
    }

    #[test]
    fn a_sender_that_never_stops_fills_no_memory() {
        let (mut queue, now) =
            (Queue::new(Habits { delay_ms: 1000, ..Habits::default() }, 1), Instant::now());
        (0..MOST + 5).for_each(|_| queue.put(vec![0], now));
        assert_eq!(queue.frames.len(), MOST);
        queue.clear();
        assert_eq!((queue.due(), queue.frames.len()), (None, 0));
    }
}
