//! Journal numbers over restarts. The file that says up to where they are reserved may be lost or damaged; what the log
//! and the entries' names say is then enough to give none of them a second time.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::Ledger;
use crate::Error;
use crate::entry::{Arrival, Attempt, each};

/// What is larger is no number of ours: a box that counts a million a second gets there in three centuries.
const LARGEST: u64 = 1 << 53;

/// The next number: above what is reserved, what was recorded, and what any entry has.
pub fn next(relay: &Path, recorded: impl Iterator<Item = u64>) -> Result<u64, Error> {
    let mut known = recorded.max().unwrap_or_default();
    each(&relay.join("attempted"), |_, entry| {
        known = known.max(Attempt::parse(entry).map_or(0, |attempt| attempt.number));
    })?;
    each(&relay.join("arriving"), |_, entry| {
        known = known.max(Arrival::parse(entry).map_or(0, |arrival| arrival.number));
    })?;
    let parse =
        |bytes| String::from_utf8(bytes).ok()?.trim().parse().ok().filter(|number| *number <= LARGEST);
    let reserved = super::whole(&relay.join("number"), parse)?;
    if reserved.is_none() && known > 0 {
        tracing::warn!(
            after = known,
            "where the journal numbers stood was lost; they go on after the largest known"
        );
    }
    Ok(reserved.unwrap_or(1).max(known.min(LARGEST) + 1))
}

impl Ledger {
    /// Gives every attempt but the first of one number another number: by it persons decide about one file and no
    /// other. A store that had lost its numbers may have made such.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn part_attempts(&self) -> Result<(), Error> {
        let (mut taken, mut twice) = (HashSet::new(), Vec::<(PathBuf, Attempt)>::new());
        each(&self.folder.join("attempted"), |end, entry| {
            let Some(attempt) = Attempt::parse(entry) else { return };
            if !taken.insert(attempt.number) {
                twice.push((end.to_owned(), attempt));
            }
        })?;
        for (end, attempt) in twice {
            let parted = Attempt { number: self.number()?, ..attempt.clone() };
            tracing::warn!(
                number = attempt.number,
                parted = parted.number,
                "two files had one journal number"
            );
            let (from, to) = (end.join(attempt.entry()), end.join(parted.entry()));
            fs::rename(from, to).map_err(Error::io("rename in", &end))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::names;

    fn put(relay: &Path, path: &str, bytes: &[u8]) {
        let path = relay.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn first(relay: &Path) -> u64 {
        Ledger::open(relay, 0).unwrap().0.number().unwrap()
    }

    #[test]
    fn numbers_go_on_after_the_largest_that_is_known_when_the_file_is_lost_or_damaged() {
        type Put = (&'static str, &'static str);
        let attempted: Put = ("attempted/t1/u.2a.0000000000000001.receipt.req~OQSsiquc01req_1.xml", "x");
        let arriving: Put = ("arriving/@far/2a.receipt.req~OQSsiquc01req_1.xml", "x");
        for known in [attempted, arriving] {
            for number in [None, Some(""), Some("4x"), Some("7"), Some("18446744073709551615")] {
                let relay = tempfile::tempdir().unwrap();
                put(relay.path(), known.0, known.1.as_bytes());
                number.into_iter().for_each(|bytes| put(relay.path(), "number", bytes.as_bytes()));
                assert_eq!(first(relay.path()), 43, "{number:?}");
            }
        }
        let relay = tempfile::tempdir().unwrap();
        Ledger::open(relay.path(), 0).unwrap().0.record(&[(42, [1; 32])], 0).unwrap();
        assert_eq!(first(relay.path()), 43);
    }

    #[test]
    fn a_damaged_file_is_kept_under_another_name() {
        let relay = tempfile::tempdir().unwrap();
        put(relay.path(), "number", b"\xff");
        assert_eq!(first(relay.path()), 1);
        put(relay.path(), "number", b"");
        assert_eq!(first(relay.path()), 1);
        assert_eq!(fs::read(relay.path().join("number.damaged-0")).unwrap(), b"\xff");
        assert_eq!(fs::read(relay.path().join("number.damaged-1")).unwrap(), b"");
    }

    #[test]
    fn two_attempts_of_one_number_are_parted_and_both_are_kept() {
        let relay = tempfile::tempdir().unwrap();
        put(relay.path(), "attempted/t1/u.7.0000000000000001.receipt.req~OQSsiquc01req_1.xml", b"1");
        put(relay.path(), "attempted/t1/u.7.0000000000000002.receipt.req~OQSsiquc01req_2.xml", b"2");
        put(relay.path(), "attempted/t2/u.7.0000000000000003.receipt.req~OQSsiquc01req_3.xml", b"3");
        let ledger = Ledger::open(relay.path(), 0).unwrap().0;
        ledger.part_attempts().unwrap();
        let all = ["t1", "t2"].map(|end| names(&relay.path().join("attempted").join(end))).concat();
        let mut numbers: Vec<u64> =
            all.iter().map(|entry| Attempt::parse(entry.as_ref()).unwrap().number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [7, 8, 9]);
        assert_eq!(ledger.number().unwrap(), 10);
    }
}
