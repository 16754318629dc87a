//! Where the power goes, and what of the writes nobody flushed the disk has kept then.

use super::log::Entry;

/// What a disk may keep or lose by itself, bytes.
pub const PIECE: u64 = 4096;

/// A cut of the power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Before this entry of the log.
    pub at: usize,
    /// What was kept.
    pub kept: Kept,
}

/// What is kept of the writes after the last flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Every one.
    All,
    /// None.
    None,
    /// Some pieces of some of them, by this seed.
    Some(u64),
}

/// Where a disk's part begins and ends, bytes.
pub type Part = std::ops::Range<u64>;

/// Chooses cuts, in the order of the log. Every other one lies right before a flush takes effect: then the most is at
/// stake.
pub fn choose(entries: &[Entry], from: usize, count: usize, seed: u64) -> Vec<Cut> {
    let mut chance = Chance(seed);
    let stakes: Vec<usize> =
        (from.max(1)..entries.len()).filter(|at| entries[*at].flush && !entries[at - 1].flush).collect();
    let mut cuts: Vec<Cut> = (0..count)
        .map(|n| {
            let at = match stakes.get(chance.below(stakes.len())) {
                Some(at) if n % 2 == 1 => *at,
                _ => from + chance.below((entries.len() + 1).saturating_sub(from)),
            };
            let kept = match (n / 2) % 3 {
                0 => Kept::All,
                1 => Kept::None,
                _ => Kept::Some(chance.number()),
            };
            Cut { at, kept }
        })
        .collect();
    cuts.sort_by_key(|cut| cut.at);
    cuts
}

/// Where the last flush before a cut is: what stands before it is kept, whatever comes.
pub fn flushed(entries: &[Entry], at: usize) -> usize {
    let before = entries.get(..at).unwrap_or(entries);
    before.iter().rposition(|entry| entry.flush).unwrap_or_default()
}

/// The pieces of an entry that lie in this part of the disk and are kept.
pub fn pieces(entry: &Entry, nth: usize, part: &Part, kept: Kept) -> Vec<Part> {
    let (start, end) = (entry.at.max(part.start), (entry.at + entry.length).min(part.end));
    let mut pieces = Vec::new();
    let mut at = start;
    while at < end {
        let next = ((at / PIECE + 1) * PIECE).min(end);
        let keep = match kept {
            _ if entry.durable => true,
            Kept::All => true,
            Kept::None => false,
            Kept::Some(seed) => keeps(seed, nth, at / PIECE),
        };
        if keep {
            pieces.push(at - entry.at..next - entry.at);
        }
        at = next;
    }
    pieces
}

/// Three writes in four go or stay as a whole; of the others each piece by itself.
fn keeps(seed: u64, nth: usize, piece: u64) -> bool {
    let mut write = Chance(seed ^ (nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (whole, kept) = (write.below(4) > 0, write.below(2) == 0);
    if whole { kept } else { Chance(write.number() ^ piece).below(2) == 0 }
}

/// Numbers by chance, the same for the same seed (splitmix64).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance(pub u64);

impl Chance {
    /// The next one.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next one, below this.
    pub fn below(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.number() % most).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: u64, length: u64) -> Entry {
        Entry { flush: false, durable: false, at, length, bytes: Some(0) }
    }

    fn flush() -> Entry {
        Entry { flush: true, ..write(0, 0) }
    }

    #[test]
    fn cuts_are_in_order_the_same_for_the_same_seed_and_every_other_one_before_a_flush() {
        let entries: Vec<Entry> =
            (0..200).map(|n| if n % 10 == 9 { flush() } else { write(0, 512) }).collect();
        let cuts = choose(&entries, 20, 120, 1);
        assert_eq!(cuts, choose(&entries, 20, 120, 1));
        assert_ne!(cuts, choose(&entries, 20, 120, 2));
        assert!(cuts.iter().all(|cut| (20..=200).contains(&cut.at)));
        assert!(cuts.is_sorted_by_key(|cut| cut.at));
        assert!(cuts.iter().filter(|cut| cut.at % 10 == 9).count() >= 60);
        let of = |like: fn(&Kept) -> bool| cuts.iter().filter(|cut| like(&cut.kept)).count();
        assert_eq!((of(|kept| *kept == Kept::All), of(|kept| *kept == Kept::None)), (40, 40));
    }

    #[test]
    fn what_stands_before_the_last_flush_is_kept_and_no_more() {
        let entries = [write(0, 512), flush(), write(0, 512), flush(), write(0, 512)];
        assert_eq!((0..=5).map(|at| flushed(&entries, at)).collect::<Vec<_>>(), [0, 0, 1, 1, 3, 3]);
    }

    #[test]
    fn of_a_write_only_what_lies_in_the_part_is_taken_and_a_durable_one_always() {
        let part = 4096..16384;
        let entry = write(0, 3 * 4096);
        assert_eq!(pieces(&entry, 0, &part, Kept::All), [4096..8192, 8192..12288]);
        assert!(pieces(&entry, 0, &part, Kept::None).is_empty());
        let durable = Entry { durable: true, ..entry };
        assert_eq!(pieces(&durable, 0, &part, Kept::None).len(), 2);
        assert!(pieces(&write(16384, 512), 0, &part, Kept::All).is_empty());
        assert_eq!(pieces(&write(15872, 1024), 0, &part, Kept::All).first(), Some(&(0..512)));
    }

    #[test]
    fn some_writes_are_kept_some_are_not_and_some_are_kept_in_part() {
        let of = |nth| pieces(&write(0, 8 * PIECE), nth, &(0..u64::MAX), Kept::Some(5)).len();
        let kept: Vec<usize> = (0..100).map(of).collect();
        assert!(kept.contains(&8) && kept.contains(&0) && kept.iter().any(|count| (1..8).contains(count)));
        assert_eq!(kept, (0..100).map(of).collect::<Vec<_>>());
    }
}
