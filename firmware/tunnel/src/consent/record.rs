//! The record on the disk: a chain of the journal's, kept for five years as the relay's is.

use std::path::{Path, PathBuf};

use journal::chain::{Chain, Link, hex};
use model::Timestamp;

use super::entry::Entry;
use super::past::Past;

/// Five years, in seconds.
const KEPT_S: i64 = 1827 * 86_400;

/// Where the record lies.
pub fn folder(state: &Path) -> PathBuf {
    state.join("maintenance").join("audit")
}

/// The record, being written. One process opens it at a time.
#[derive(Debug)]
pub struct Record {
    folder: PathBuf,
    chain: Chain,
}

impl Record {
    /// Opens the record of a state folder, lets go of what is older than five years, and gives the sessions of it.
    ///
    /// # Errors
    /// If the system refuses; damage is said and no error.
    pub fn open(state: &Path, now: Timestamp) -> Result<(Self, Past), journal::Error> {
        let folder = folder(state);
        let (mut chain, links) = open(&folder)?;
        let is_old = |link: &&Link| entry(link).is_some_and(|one| is_old(&one, now));
        if let Some(last) = links.iter().take_while(is_old).last() {
            chain.retire(last)?;
        }
        let mut past = Past::default();
        for (link, entry) in links.iter().filter_map(|link| Some((link, entry(link)?))) {
            past.take(link.seq, &entry);
        }
        Ok((Self { folder, chain }, past))
    }

    /// Writes an entry, durable when this returns. Returns its place.
    ///
    /// # Errors
    /// If it could not be written: then what it says must not be done.
    pub fn write(&mut self, entry: &Entry) -> Result<u64, journal::Error> {
        let bytes = serde_json::to_vec(entry).expect("invariant: our types have only text keys");
        match self.chain.append(&bytes) {
            Ok(head) => {
                // The system's log is another place: a record that was made anew does not go on from here.
                tracing::info!(record = head.seq, hash = hex(&head.hash), "recorded about maintenance");
                Ok(head.seq)
            }
            Err(error) => {
                self.chain = open(&self.folder)?.0;
                Err(error)
            }
        }
    }
}

fn open(folder: &Path) -> Result<(Chain, Vec<Link>), journal::Error> {
    let opened = Chain::open(folder)?;
    for fact in opened.facts {
        tracing::error!(?fact, "the record of maintenance was damaged");
    }
    Ok((opened.chain, opened.links))
}

fn entry(link: &Link) -> Option<Entry> {
    serde_json::from_slice(&link.entry).ok()
}

fn is_old(entry: &Entry, now: Timestamp) -> bool {
    now.as_second() - entry.at().as_second() > KEPT_S
}

#[cfg(test)]
mod tests {
    use model::decision::{Actor, Reason};
    use model::maintenance::{End, Giver};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_sessions_are_the_same_after_a_restart_and_the_record_is_whole() {
        let state = tempfile::tempdir().unwrap();
        let now = at("2026-11-25T03:00:00Z");
        let (mut record, mut past) = Record::open(state.path(), now).unwrap();
        let opened = Entry::Opened {
            at: now,
            boot: "b".into(),
            maintainer: "sato".into(),
            reason: Reason::new("更新").unwrap(),
            until: now,
            by: Giver::Button,
            twice: false,
        };
        let of = record.write(&opened).unwrap();
        past.take(of, &opened);
        assert_eq!(past.unended().collect::<Vec<_>>(), [(of, "b")]);
        let user = Actor { name: "root".into(), uid: 0 };
        for entry in [
            Entry::Ended { at: now, of, why: End::Closed, reached: None, trouble: None, used: Vec::new() },
            Entry::Reviewed { at: now, of, user },
        ] {
            let number = record.write(&entry).unwrap();
            past.take(number, &entry);
        }
        drop(record);
        let (_, again) = Record::open(state.path(), now).unwrap();
        assert_eq!(again, past);
        assert_eq!(again.unended().count(), 0);
        assert!(again.session(of).unwrap().reviewed.is_some());
        let found = journal::chain::verify(&folder(state.path())).unwrap();
        assert_eq!((found.flaws, found.links.len()), (vec![], 3));
    }
}
