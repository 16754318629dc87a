//! Chance with a seed, so that a run can be played again (splitmix64, public domain, Vigna 2015).

/// A source of numbers.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `last`, both included.
    pub(super) fn upto(&mut self, last: u128) -> u128 {
        let number = (u128::from(self.next()) << 64) | u128::from(self.next());
        last.checked_add(1).map_or(number, |size| number % size)
    }

    pub(super) fn between(&mut self, first: u128, last: u128) -> u128 {
        first + self.upto(last.saturating_sub(first))
    }

    pub(super) fn below(&mut self, size: usize) -> usize {
        usize::try_from(self.upto(size.max(1) as u128 - 1)).unwrap_or_default()
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    pub(super) fn port(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()]).max(1)
    }

    /// One of them; there must be one.
    pub(super) fn of<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    /// True once in so many.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// Fisher and Yates.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for place in (1..list.len()).rev() {
            list.swap(place, self.below(place + 1));
        }
    }
}
