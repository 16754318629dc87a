//! The record of what persons decided: who, when, what, about which parcel, why. Never content, names or patients'
//! numbers: a parcel is its kind, its journal number and its keyed short hash.
//!
//! A decision is recorded as intended before anything is done, and as done or undone after it. An intent without an
//! outcome is what a crash leaves; where the parcel lies then says which it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use journal::chain::{Anchor, Chain, Link, hex};
use model::Timestamp;
use model::decision::{Actor, Reason, Verb};
use model::parcel::HeldReason;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Five years, in seconds.
const KEPT_S: i64 = 1827 * 86_400;

/// Where the record lies.
pub fn folder(state: &Path) -> PathBuf {
    state.join("relay").join("audit")
}

/// One entry, as it is written: compact JSON, its keys in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "entry")]
pub enum Entry {
    /// Somebody decided something.
    Intent(Intent),
    /// What came of it.
    Outcome(Outcome),
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub verb: Verb,
    /// About a parcel on the road to which end.
    pub end: String,
    /// Its kind's key.
    pub kind: String,
    /// Its journal number.
    pub number: u64,
    /// The keyed short hash of its name.
    pub hash: String,
    /// Why it was held.
    pub held: HeldReason,
    /// Why it was decided so, in that person's words.
    pub reason: Reason,
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// When.
    pub at: Timestamp,
    /// Of which intent: its place in the record.
    pub of: u64,
    /// Whether it was done.
    pub done: bool,
    /// Whether that was found out after a restart.
    pub after_restart: bool,
}

/// An intent whose outcome is not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Its place in the record.
    pub of: u64,
    /// On the road to which end.
    pub end: String,
    /// The parcel's journal number.
    pub number: u64,
}

/// The record, being written.
#[derive(Debug)]
pub struct Audit {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    chain: Chain,
    pending: BTreeMap<u64, Pending>,
}

impl Audit {
    /// Opens the record of this state folder, and lets go of what is older than five years.
    ///
    /// # Errors
    /// If the system refuses; damage is said and no error.
    pub fn open(state: &Path, now: Timestamp) -> Result<Self, Error> {
        let folder = folder(state);
        let mut inner = Inner::open(&folder)?;
        inner.retire(&folder, now)?;
        Ok(Self { folder, inner: Mutex::new(inner) })
    }

    /// Records a decision, durably. Returns its place.
    ///
    /// # Errors
    /// If it could not be recorded: then it must not be carried out.
    pub fn intend(&self, intent: Intent) -> Result<u64, Error> {
        let pending = |of| Pending { of, end: intent.end.clone(), number: intent.number };
        let mut inner = self.inner();
        let of = self.append(&mut inner, &Entry::Intent(intent.clone()))?.seq;
        inner.pending.insert(of, pending(of));
        Ok(of)
    }

    /// Records what came of a decision, durably.
    ///
    /// # Errors
    /// If it could not be recorded; a restart does it then.
    pub fn end(&self, of: u64, done: bool, after_restart: bool) -> Result<(), Error> {
        let outcome = Outcome { at: Timestamp::now(), of, done, after_restart };
        let mut inner = self.inner();
        self.append(&mut inner, &Entry::Outcome(outcome))?;
        inner.pending.remove(&of);
        Ok(())
    }

    /// What has no outcome, on the road to this end.
    pub fn pending(&self, end: &str) -> Vec<Pending> {
        self.inner().pending.values().filter(|pending| pending.end == end).cloned().collect()
    }

    fn append(&self, inner: &mut Inner, entry: &Entry) -> Result<Anchor, Error> {
        let bytes = serde_json::to_vec(entry).map_err(|error| {
            Error::io("write down a decision for", &self.folder)(std::io::Error::other(error))
        })?;
        match inner.chain.append(&bytes) {
            Ok(head) => {
                // The system's log is another place: a record that was made anew does not go on from here.
                tracing::info!(record = head.seq, hash = hex(&head.hash), "recorded a decision");
                Ok(head)
            }
            Err(error) => {
                *inner = Inner::open(&self.folder)?;
                Err(error.into())
            }
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // No code under this lock leaves the map half-changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn open(folder: &Path) -> Result<Self, Error> {
        let opened = Chain::open(folder)?;
        for fact in opened.facts {
            tracing::error!(?fact, "the audit record was damaged");
        }
        let mut pending = BTreeMap::new();
        for link in &opened.links {
            match entry(link) {
                Some(Entry::Intent(intent)) => {
                    let one = Pending { of: link.seq, end: intent.end, number: intent.number };
                    pending.insert(link.seq, one);
                }
                Some(Entry::Outcome(outcome)) => drop(pending.remove(&outcome.of)),
                None => {}
            }
        }
        Ok(Self { chain: opened.chain, pending })
    }

    fn retire(&mut self, folder: &Path, now: Timestamp) -> Result<(), Error> {
        let is_old = |link: &&Link| at(link).is_some_and(|at| now.as_second() - at.as_second() > KEPT_S);
        let links = journal::chain::verify(folder)?.links;
        match links.iter().take_while(is_old).last() {
            Some(last) => Ok(self.chain.retire(last)?),
            None => Ok(()),
        }
    }
}

/// The entry a record holds; none if it holds no entry of ours.
pub fn entry(link: &Link) -> Option<Entry> {
    serde_json::from_slice(&link.entry).ok()
}

fn at(link: &Link) -> Option<Timestamp> {
    entry(link).map(|entry| match entry {
        Entry::Intent(intent) => intent.at,
        Entry::Outcome(outcome) => outcome.at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(end: &str, number: u64, at: &str) -> Intent {
        Intent {
            at: at.parse().unwrap(),
            actor: Actor { name: "root".into(), uid: 0 },
            verb: Verb::Return,
            end: end.into(),
            kind: "OQSsiquc01req".into(),
            number,
            hash: "0123abcd".into(),
            held: HeldReason::Uncertain,
            reason: Reason::new("窓口で確認済み").unwrap(),
        }
    }

    #[test]
    fn an_intent_is_pending_until_its_outcome_also_over_a_restart() {
        let state = tempfile::tempdir().unwrap();
        let (now, early) = ("2026-11-25T03:00:00Z", "2026-11-25T02:00:00Z");
        let audit = Audit::open(state.path(), now.parse().unwrap()).unwrap();
        let first = audit.intend(intent("t1", 7, early)).unwrap();
        let second = audit.intend(intent("t2", 8, early)).unwrap();
        audit.end(first, true, false).unwrap();
        drop(audit);
        let audit = Audit::open(state.path(), now.parse().unwrap()).unwrap();
        assert_eq!(audit.pending("t1"), []);
        assert_eq!(audit.pending("t2"), [Pending { of: second, end: "t2".into(), number: 8 }]);
        audit.end(second, false, true).unwrap();
        assert_eq!(audit.pending("t2"), []);
        let found = journal::chain::verify(&folder(state.path())).unwrap();
        assert_eq!((found.flaws, found.links.len()), (vec![], 4));
    }

    #[test]
    fn the_form_of_an_entry_is_fixed() {
        let written = serde_json::to_string(&Entry::Intent(intent("t1", 7, "2026-11-25T02:00:00Z"))).unwrap();
        let parcel = r#""end":"t1","kind":"OQSsiquc01req","number":7,"hash":"0123abcd","held":"uncertain""#;
        let actor = r#""actor":{"name":"root","uid":0},"verb":"return""#;
        let wanted = format!(
            r#"{{"entry":"intent","at":"2026-11-25T02:00:00Z",{actor},{parcel},"reason":"窓口で確認済み"}}"#
        );
        assert_eq!(written, wanted);
        let at = "2026-11-25T02:00:01Z".parse().unwrap();
        let outcome = Entry::Outcome(Outcome { at, of: 1, done: true, after_restart: false });
        let wanted =
            r#"{"entry":"outcome","at":"2026-11-25T02:00:01Z","of":1,"done":true,"after_restart":false}"#;
        assert_eq!(serde_json::to_string(&outcome).unwrap(), wanted);
    }

    #[test]
    fn five_years_are_kept_and_what_is_older_goes_with_its_segment() {
        let state = tempfile::tempdir().unwrap();
        let open = |now: &str| Audit::open(state.path(), now.parse().unwrap()).unwrap();
        let mut long = intent("t1", 7, "2020-01-01T00:00:00Z");
        long.end = "e".repeat(60_000);
        let audit = open("2020-01-01T00:00:00Z");
        for _ in 0..40 {
            audit.intend(long.clone()).unwrap();
        }
        let count = || {
            let found = journal::chain::verify(&folder(state.path())).unwrap();
            assert_eq!(found.flaws, []);
            found.links.len()
        };
        open("2024-12-31T00:00:00Z");
        assert_eq!(count(), 40);
        open("2025-01-03T00:00:00Z");
        assert!(count() < 20, "only what shares its segment with the newest stays");
    }
}
