//! A run-length list of columns, two bytes a run: where a line flaps for three days there are 25,920 of them.
//!
//! A run of up to fifteen cells is one word, `column << 4 | cells`; a longer one has 0 in its low bits and its cells
//! in the word behind.

use std::collections::VecDeque;

/// Runs of a column's number, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    packed: VecDeque<u16>,
    /// The newest run, which may still grow.
    newest: Option<(u16, u16)>,
    total: u32,
}

impl Runs {
    /// The columns that can be told apart.
    pub const COLUMNS: usize = 1 << 12;

    /// How many cells there are.
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// Adds so many cells at the new end.
    pub fn push(&mut self, column: u16, mut cells: u32) {
        self.total = self.total.saturating_add(cells);
        if let Some((same, have)) = self.newest.filter(|(same, _)| *same == column) {
            let more = cells.min(u32::from(u16::MAX - have));
            self.newest = Some((same, narrow(u32::from(have) + more)));
            cells -= more;
        }
        while cells > 0 {
            self.close();
            let now = cells.min(u32::from(u16::MAX));
            self.newest = Some((column, narrow(now)));
            cells -= now;
        }
    }

    /// Forgets so many of the oldest cells.
    pub fn forget(&mut self, mut cells: u32) {
        while cells > 0 {
            let Some((column, have)) = self.pop_front() else { return };
            let gone = cells.min(u32::from(have));
            self.total = self.total.saturating_sub(gone);
            cells -= gone;
            if gone < u32::from(have) {
                self.put_front(column, narrow(u32::from(have) - gone));
            }
        }
    }

    /// Keeps only so many of the oldest cells.
    pub fn truncate(&mut self, cells: u32) {
        if cells >= self.total {
            return;
        }
        let mut kept = Self::default();
        for (column, have) in self.iter() {
            let left = cells - kept.total;
            kept.push(column, u32::from(have).min(left));
            if kept.total == cells {
                break;
            }
        }
        *self = kept;
    }

    /// The runs, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u16)> {
        let mut words = self.packed.iter().copied();
        let packed = std::iter::from_fn(move || {
            let word = words.next()?;
            Some((word >> 4, if word & 15 == 0 { words.next()? } else { word & 15 }))
        });
        packed.chain(self.newest)
    }

    /// The bytes in memory.
    #[cfg(test)]
    pub fn bytes(&self) -> usize {
        self.packed.capacity() * size_of::<u16>()
    }

    fn close(&mut self) {
        let Some((column, cells)) = self.newest.take() else { return };
        if cells <= 15 {
            self.packed.push_back(column << 4 | cells);
        } else {
            self.packed.extend([column << 4, cells]);
        }
    }

    fn pop_front(&mut self) -> Option<(u16, u16)> {
        let Some(word) = self.packed.pop_front() else { return self.newest.take() };
        let cells = if word & 15 == 0 { self.packed.pop_front()? } else { word & 15 };
        Some((word >> 4, cells))
    }

    fn put_front(&mut self, column: u16, cells: u16) {
        if self.packed.is_empty() && self.newest.is_none() {
            self.newest = Some((column, cells));
        } else if cells <= 15 {
            self.packed.push_front(column << 4 | cells);
        } else {
            self.packed.push_front(cells);
            self.packed.push_front(column << 4);
        }
    }
}

/// What is at most `u16::MAX` already.
fn narrow(cells: u32) -> u16 {
    u16::try_from(cells).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Do {
        Push(u16, u32),
        Forget(u32),
        Truncate(u32),
    }

    fn step() -> impl Strategy<Value = Do> {
        let cells = prop_oneof![1_u32..20, 10_u32..3000, 60_000_u32..70_000];
        prop_oneof![
            4 => (0_u16..4096, cells.clone()).prop_map(|(column, cells)| Do::Push(column % 5 * 1000, cells)),
            1 => cells.clone().prop_map(Do::Forget),
            1 => cells.prop_map(Do::Truncate),
        ]
    }

    proptest! {
        #[test]
        fn it_holds_what_a_plain_list_of_cells_holds(steps in proptest::collection::vec(step(), 0..40)) {
            let (mut runs, mut plain) = (Runs::default(), Vec::<u16>::new());
            for step in steps {
                match step {
                    Do::Push(column, cells) => {
                        runs.push(column, cells);
                        plain.extend(std::iter::repeat_n(column, cells as usize));
                    }
                    Do::Forget(cells) => {
                        runs.forget(cells);
                        plain.drain(..plain.len().min(cells as usize));
                    }
                    Do::Truncate(cells) => {
                        runs.truncate(cells);
                        plain.truncate(cells as usize);
                    }
                }
                prop_assert_eq!(runs.total() as usize, plain.len());
            }
            let cells = runs.iter().flat_map(|(column, cells)| std::iter::repeat_n(column, cells.into()));
            prop_assert_eq!(cells.collect::<Vec<_>>(), plain);
        }
    }

    #[test]
    fn three_days_of_a_cell_each_are_two_bytes_a_cell() {
        let mut runs = Runs::default();
        for cell in 0..25_920_u16 {
            runs.push(cell % 2, 1);
        }
        assert!(runs.bytes() <= 64 * 1024, "{}", runs.bytes());
    }
}
