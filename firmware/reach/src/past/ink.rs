//! How much may be written: flash wears. Pure.
//!
//! A write costs more than its bytes. On ext4 an append of 700 bytes, its flush, and the system's writing back of what
//! belongs to it were measured to bring 24 KB to the disk: parts of blocks, inode, journal, each a whole block. One of
//! 3000 bytes brings 40 KB, because the file needs a new block more often, and one of 10,000 bytes 55 KB. It is counted
//! as never less than that, up to the next whole block.

use std::time::Duration;

/// Seconds of a day. The ink is counted in parts of a byte of this size, so that no second's share is lost.
const DAY_S: i64 = 86_400;

/// Ink flows in steadily and is gathered up to an end, so that a few changes in a row can be written at once.
#[derive(Clone, Copy, Debug)]
pub struct Ink {
    left: i64,
    at: Duration,
}

impl Ink {
    /// The most that is written in any 24 hours, bytes.
    pub const DAY: i64 = 1024 * 1024;
    /// The most that is gathered.
    pub const FULL: i64 = 224 * 1024;
    /// What a write costs beside its bytes: parts of blocks, inode, journal.
    const OVERHEAD: i64 = 28 * 1024;
    /// What a new block of the file costs beside itself: bitmap and group, in the journal and in their places.
    const NEW_BLOCK: i64 = 4 * Self::BLOCK;
    /// What only a change of the verdict and the hourly write may use.
    pub const RESERVE: i64 = Self::FULL / 2;

    const FLOW: i64 = Self::DAY - Self::FULL;
    const BLOCK: i64 = 4096;

    /// A full pot.
    pub const fn full() -> Self {
        Self { left: Self::FULL * DAY_S, at: Duration::ZERO }
    }

    /// What was left so many seconds ago, by a clock that may have jumped meanwhile.
    pub fn restored(left: i64, ago_s: i64) -> Self {
        let left = left.clamp(-Self::DAY, Self::FULL) * DAY_S + ago_s.clamp(0, DAY_S) * Self::FLOW;
        Self { left: left.min(Self::FULL * DAY_S), at: Duration::ZERO }
    }

    /// Lets flow in what has come until now.
    pub fn flow(&mut self, up: Duration) {
        let seconds = up.saturating_sub(self.at).as_secs();
        self.at += Duration::from_secs(seconds);
        let come = i64::try_from(seconds).unwrap_or(DAY_S).min(DAY_S) * Self::FLOW;
        self.left = (self.left + come).min(Self::FULL * DAY_S);
    }

    /// The bytes left.
    pub const fn left(&self) -> i64 {
        self.left.div_euclid(DAY_S)
    }

    /// What a write of so many bytes costs.
    pub fn cost(bytes: usize) -> i64 {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX / 2);
        let grown = bytes.min(Self::BLOCK) * Self::NEW_BLOCK / Self::BLOCK;
        (bytes + Self::OVERHEAD + grown).div_euclid(Self::BLOCK).saturating_add(1).saturating_mul(Self::BLOCK)
    }

    /// Takes the price of a write.
    pub fn spend(&mut self, cost: i64) {
        self.left = self.left.saturating_sub(cost.saturating_mul(DAY_S));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_writes_all_day_whenever_there_is_ink_stays_within_the_day() {
        let mut ink = Ink::full();
        let mut spent = 0;
        for second in 0..86_400 {
            ink.flow(Duration::from_secs(second));
            while ink.left() >= Ink::cost(100) {
                ink.spend(Ink::cost(100));
                spent += Ink::cost(100);
            }
        }
        assert!((Ink::DAY - 2 * Ink::cost(100)..=Ink::DAY).contains(&spent), "{spent}");
    }

    #[test]
    fn a_restart_gives_no_ink_and_a_day_fills_the_pot() {
        assert_eq!(Ink::restored(5000, 0).left(), 5000);
        assert_eq!(Ink::restored(5000, -70_000).left(), 5000);
        assert_eq!(Ink::restored(-5000, i64::MAX).left(), Ink::FULL);
        assert_eq!(Ink::restored(i64::MAX, 0).left(), Ink::FULL);
    }

    #[test]
    fn a_write_is_counted_in_whole_blocks_and_never_below_what_was_measured() {
        for (bytes, measured) in [(700, 23_962), (3000, 40_244), (10_000, 54_989)] {
            let cost = Ink::cost(bytes);
            assert!(cost % 4096 == 0 && cost >= measured, "{bytes}: {cost}");
        }
    }
}
