//! What a file's name cannot say and what must outlive the process: journal numbers, the key of the hashes, and
//! which answers have been seen.

mod key;
mod number;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use journal::{Fact, Log, Record};

use crate::{Error, sabotage};

/// How long an answer is remembered as seen, seconds: well beyond any kind's time to live.
const REMEMBERED_S: i64 = 30 * 86400;
/// So many of the newest are remembered whatever the clock says. It may have jumped, and an answer that was shown may
/// still lie on the terminal.
const KEPT: usize = 4096;
/// Numbers are reserved in blocks, so that counting costs no flush but one in a thousand parcels; a crash skips the
/// rest of a block.
const BLOCK: u64 = 4096;

/// The full keyed hash of an answer's folder, name and bytes.
pub type Hash = [u8; 32];

/// The key of this box's hashes.
type Key = [u8; 32];

/// Numbers, key and seen answers of this box.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    key: Key,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    next: u64,
    reserved: u64,
    log: Log,
    seen: HashMap<Hash, u64>,
    recorded: HashSet<u64>,
}

impl Ledger {
    /// Opens the ledger in `folder`; what is missing is made.
    ///
    /// # Errors
    /// If the system refuses; damage in the log is a fact and no error.
    pub fn open(folder: &Path, now_s: i64) -> Result<(Self, Vec<Fact>), Error> {
        let opened = Log::open(&folder.join("log"))?;
        let recorded = opened.records.iter().filter_map(|record| Some(parse(&record.payload)?.0));
        let next = number::next(folder, recorded)?;
        let mut inner =
            Inner { next, reserved: next, log: opened.log, seen: HashMap::new(), recorded: HashSet::new() };
        inner.remember(&opened.records, now_s)?;
        let (key, is_new) = key::open(folder)?;
        if is_new && !opened.records.is_empty() {
            tracing::error!(
                forgotten = opened.records.len(),
                "the key of seen answers is lost: an answer that was shown and still lies on a terminal is shown again"
            );
        }
        let ledger = Self { folder: folder.to_owned(), key, inner: Mutex::new(inner) };
        Ok((ledger, opened.facts))
    }

    /// A journal number nothing had before.
    ///
    /// # Errors
    /// If it cannot be made durable.
    pub fn number(&self) -> Result<u64, Error> {
        let mut inner = self.inner();
        if inner.next == inner.reserved {
            let reserved = inner.next + BLOCK;
            journal::replace(&self.folder.join("number"), reserved.to_string().as_bytes())?;
            inner.reserved = reserved;
        }
        let number = inner.next;
        inner.next += 1;
        Ok(number)
    }

    /// The short keyed hash a parcel is known by outside: eight hex digits.
    pub fn short(&self, name: &[u8]) -> String {
        let hash = blake3::keyed_hash(&self.key, name).to_hex();
        hash.as_str()[..8].to_owned()
    }

    /// Begins the hash a file of `size` bytes is recognised by; its bytes follow. `mark` is nought for what is the
    /// same whenever it comes again, and otherwise what tells one putting of it from another.
    pub fn hasher(&self, folder: &str, name: &str, mark: u64, size: u64) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in [folder.as_bytes(), name.as_bytes(), &mark.to_le_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        hasher.update(&size.to_le_bytes());
        hasher
    }

    /// The number under which an answer was recorded.
    pub fn seen(&self, hash: &Hash) -> Option<u64> {
        self.inner().seen.get(hash).copied()
    }

    /// Whether the copy with this number was recorded.
    pub fn is_recorded(&self, number: u64) -> bool {
        self.inner().recorded.contains(&number)
    }

    /// Records answers, durably: one write and one flush for all of them.
    ///
    /// # Errors
    /// If the log failed. It has been opened again then, and [`Self::is_recorded`] tells what it holds.
    pub fn record(&self, answers: &[(u64, Hash)], now_s: i64) -> Result<(), Error> {
        let mut inner = self.inner();
        let entries: Vec<Vec<u8>> =
            answers.iter().map(|(number, hash)| entry(*number, *hash, now_s)).collect();
        let payloads: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        let appended =
            if sabotage::is(sabotage::NO_RECORD) { Ok(()) } else { inner.log.append(&payloads).map(drop) };
        match appended {
            Ok(()) => {
                inner.seen.extend(answers.iter().map(|(number, hash)| (*hash, *number)));
                inner.recorded.extend(answers.iter().map(|(number, _)| *number));
                Ok(())
            }
            Err(error) => {
                let opened = Log::open(&self.folder.join("log"))?;
                inner.log = opened.log;
                inner.remember(&opened.records, now_s)?;
                Err(error.into())
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // No code under this lock leaves the maps half-changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remember(&mut self, records: &[Record], now_s: i64) -> Result<(), Error> {
        let mut oldest = None;
        let kept = records.len().saturating_sub(KEPT);
        for (at, record) in records.iter().enumerate() {
            let Some((number, hash, at_s)) = parse(&record.payload) else { continue };
            if at >= kept || now_s.saturating_sub(at_s) <= REMEMBERED_S {
                oldest.get_or_insert(record.seq);
                self.seen.insert(hash, number);
                self.recorded.insert(number);
            }
        }
        Ok(self.log.retire(oldest.unwrap_or_default())?)
    }
}

fn entry(number: u64, hash: Hash, at_s: i64) -> Vec<u8> {
    [number.to_le_bytes().as_slice(), &at_s.to_le_bytes(), &hash].concat()
}

/// A record's number, hash and time, seconds.
pub fn parse(payload: &[u8]) -> Option<(u64, Hash, i64)> {
    let (number, rest) = payload.split_first_chunk::<8>()?;
    let (at, hash) = rest.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*number), hash.try_into().ok()?, i64::from_le_bytes(*at)))
}

/// What is at `path`; none if nothing is there, or if it is nothing of ours: then it is kept under another name.
fn whole<V>(path: &Path, parse: impl FnOnce(Vec<u8>) -> Option<V>) -> Result<Option<V>, Error> {
    let found = match journal::read(path) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => parse(bytes),
        Err(error) => {
            tracing::warn!(%error, "a file of the relay's own cannot be read");
            None
        }
    };
    if found.is_none() {
        let aside = free_name(path);
        std::fs::rename(path, &aside).map_err(Error::io("set aside", path))?;
        tracing::warn!(aside = %aside.display(), "a damaged file of the relay's own was set aside");
    }
    Ok(found)
}

fn free_name(path: &Path) -> PathBuf {
    let names = (0_u32..).map(|n| path.with_extension(format!("damaged-{n}")));
    names.into_iter().find(|aside| !aside.exists()).unwrap_or_else(|| path.with_extension("damaged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_never_given_twice_also_over_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let mut last = 0;
        for _ in 0..3 {
            let ledger = Ledger::open(folder.path(), 0).unwrap().0;
            for _ in 0..BLOCK + 2 {
                let number = ledger.number().unwrap();
                assert!(number > last);
                last = number;
            }
        }
    }

    fn hash(ledger: &Ledger, folder: &str, name: &str, bytes: &[u8]) -> Hash {
        *ledger.hasher(folder, name, 0, bytes.len() as u64).update(bytes).finalize().as_bytes()
    }

    #[test]
    fn a_recorded_answer_is_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path(), 0).unwrap().0;
        let known = hash(&ledger, "res", "a.xml", b"1");
        assert_ne!(known, hash(&ledger, "face", "a.xml", b"1"));
        assert_ne!(known, hash(&ledger, "res", "a.xm", b"l1"));
        ledger.record(&[(7, known)], 0).unwrap();
        drop(ledger);
        let ledger = Ledger::open(folder.path(), 100).unwrap().0;
        assert_eq!(ledger.seen(&hash(&ledger, "res", "a.xml", b"1")), Some(7));
        assert!(ledger.is_recorded(7));
    }

    #[test]
    fn what_is_old_and_not_among_the_newest_is_forgotten_and_a_clock_that_jumps_takes_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path(), 0).unwrap().0;
        let record = |n: u64| (n, hash(&ledger, "res", &n.to_string(), b"1"));
        let all: Vec<(u64, Hash)> = (0..=KEPT as u64).map(record).collect();
        ledger.record(&all, 0).unwrap();
        let seen = |ledger: &Ledger| (ledger.seen(&all[0].1), ledger.seen(&all[1].1));
        let young = Ledger::open(folder.path(), REMEMBERED_S).unwrap().0;
        assert_eq!(seen(&young), (Some(0), Some(1)));
        let jumped = Ledger::open(folder.path(), REMEMBERED_S + 1).unwrap().0;
        assert_eq!(seen(&jumped), (None, Some(1)));
    }

    #[test]
    fn hashes_differ_from_box_to_box() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let short = |folder: &Path| Ledger::open(folder, 0).unwrap().0.short(b"OQSsiquc01req_1.xml");
        assert_eq!(short(one.path()), short(one.path()));
        assert_ne!(short(one.path()), short(other.path()));
        assert_eq!(short(one.path()).len(), 8);
    }
}
