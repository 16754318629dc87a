//! What of a change of the rules must survive a restart: the one that was confirmed last, and the one that waits.
//!
//! Two small files, each replaced as a whole. A file that is not what was written is set aside and counts for nothing:
//! of what waits, that is as if nobody had confirmed it; of what was confirmed, the site file itself is in force.
//! Time is what passes since the machine started, so that a clock that is put right makes nothing sooner or later.

use std::path::{Path, PathBuf};
use std::time::Duration;

use model::Timestamp;
use model::decision::Actor;
use model::ruleset::{Candidate, Pending};
use nix::time::{ClockId, clock_gettime};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Where a room keeps what must survive it, for the site that is in force.
#[derive(Clone, Debug)]
pub struct Memory {
    folder: PathBuf,
    /// The site file in force: what was confirmed over another one is of no use.
    over: String,
}

/// A change that was put in force and waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// The site file in force when it was applied.
    over: String,
    /// Whose ruleset.
    pub(crate) candidate: Candidate,
    /// What it is confirmed with.
    pub(crate) word: String,
    /// What is told of it.
    pub(crate) pending: Pending,
    /// When it was applied and when it is taken back, since the machine started.
    from: Duration,
    due: Duration,
}

/// What was confirmed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Confirmed {
    over: String,
    candidate: Candidate,
}

impl Memory {
    /// In this folder, which is ours alone; `in_force` is the site file the box was started with.
    pub fn of(folder: PathBuf, in_force: &Candidate) -> Self {
        let text = [&in_force.site, &in_force.profile].map(|text| blake3::hash(text.as_bytes()).to_hex());
        Self { folder, over: text.join(" ") }
    }

    fn waiting_path(&self) -> PathBuf {
        self.folder.join("waiting")
    }

    fn confirmed_path(&self) -> PathBuf {
        self.folder.join("confirmed")
    }

    /// Remembers a change before it is made, to be taken back after `within`.
    ///
    /// # Errors
    /// What the system says; then nothing is changed.
    pub(crate) fn arm(
        &self,
        candidate: Candidate,
        by: Actor,
        within: Duration,
    ) -> Result<Waiting, journal::Error> {
        let (at, from) = (Timestamp::now(), since_start());
        let until = at.checked_add(within).unwrap_or(at);
        let pending = Pending { at, until, by };
        let (over, due) = (self.over.clone(), from + within);
        let waiting = Waiting { over, candidate, word: word(), pending, from, due };
        journal::make_folder(&self.folder)?;
        write(&self.waiting_path(), &waiting)?;
        Ok(waiting)
    }

    /// Nothing waits any more.
    ///
    /// # Errors
    /// What the system says; a restart may then find it again, but only goes on with it if the kernel holds it.
    pub(crate) fn disarm(&self) -> Result<(), journal::Error> {
        match journal::remove(&self.waiting_path()) {
            // Before the first change there is not even a folder.
            Err(journal::Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// What waits is confirmed: first that is kept, and then it waits no more.
    ///
    /// # Errors
    /// What the system says; then it waits on.
    pub(crate) fn confirm(&self, waiting: &Waiting) -> Result<(), journal::Error> {
        let confirmed = Confirmed { over: self.over.clone(), candidate: waiting.candidate.clone() };
        write(&self.confirmed_path(), &confirmed)?;
        // What was confirmed wins over what waits, so that this may fail.
        if let Err(error) = self.disarm() {
            tracing::warn!(%error, "a confirmed change is still noted as one that waits");
        }
        Ok(())
    }

    /// What was confirmed last, over the site file that is in force.
    pub(crate) fn confirmed(&self) -> Option<Candidate> {
        let confirmed: Confirmed = read(&self.confirmed_path())?;
        if confirmed.over != self.over {
            tracing::info!(
                "another site file is in force than the one a change was confirmed over: it rules"
            );
            return None;
        }
        Some(confirmed.candidate)
    }

    /// What waits, unless its time is over or it was confirmed.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let waiting: Waiting = read(&self.waiting_path())?;
        let confirmed = self.confirmed();
        let open = waiting.over == self.over && confirmed.as_ref() != Some(&waiting.candidate);
        (open && waiting.left(since_start()).is_some()).then_some(waiting)
    }
}

impl Waiting {
    /// How long it waits yet; none: not any more. A machine that has not run so long was started anew since.
    fn left(&self, now: Duration) -> Option<Duration> {
        self.due.checked_sub(now).filter(|left| !left.is_zero() && now >= self.from)
    }

    /// How long it waits yet.
    pub(crate) fn remaining(&self) -> Duration {
        self.left(since_start()).unwrap_or_default()
    }
}

/// How long the machine has been running, also while it slept.
fn since_start() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}

/// Eight letters and digits that are read without mistakes, from the kernel's random numbers.
fn word() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
    let mut random = [0; 8];
    // Without random numbers the word is known to whoever reads this; who confirms is looked at as well.
    if let Err(error) = getrandom::fill(&mut random) {
        tracing::warn!(%error, "the kernel gives no random numbers");
    }
    random.map(|octet| char::from(LETTERS[usize::from(octet) % LETTERS.len()])).into_iter().collect()
}

/// A line with the hash of what follows, and what follows.
fn write(path: &Path, what: &impl Serialize) -> Result<(), journal::Error> {
    let text = serde_json::to_string(what).expect("invariant: our types have only text keys");
    let hash = blake3::hash(text.as_bytes()).to_hex();
    journal::replace(path, format!("{hash}\n{text}").as_bytes())
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = match journal::read(path) {
        Ok(bytes) => bytes?,
        Err(error) => {
            tracing::warn!(%error, "what was kept of a change of the rules counts for nothing");
            return None;
        }
    };
    let read = parse(&bytes);
    if read.is_none() {
        let aside = path.with_extension("damaged");
        let moved = std::fs::rename(path, &aside).map_err(|error| error.to_string());
        tracing::warn!(path = %path.display(), ?moved, "damaged, set aside, and counts for nothing");
    }
    read
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = str::from_utf8(bytes).ok()?;
    let (hash, text) = text.split_once('\n')?;
    (blake3::hash(text.as_bytes()).to_hex().as_str() == hash).then(|| serde_json::from_str(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(site: &str) -> Candidate {
        let text = |name: &str| name.to_owned();
        Candidate { file: text("site.toml"), site: text(site), profile_name: text("p"), profile: text("x") }
    }

    fn memory(folder: &tempfile::TempDir) -> Memory {
        Memory::of(folder.path().join("firewall"), &candidate("old"))
    }

    fn armed(memory: &Memory) -> Waiting {
        let by = Actor { name: "root".into(), uid: 0 };
        memory.arm(candidate("new"), by, Duration::from_secs(100)).unwrap()
    }

    #[test]
    fn what_waits_is_found_again_until_it_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(&folder);
        assert_eq!(memory.waiting(), None);
        memory.disarm().expect("nothing waits, and nothing ever did");
        let waiting = armed(&memory);
        assert_eq!(memory.waiting(), Some(waiting.clone()));
        assert!(waiting.remaining() <= Duration::from_secs(100) && !waiting.remaining().is_zero());
        memory.disarm().unwrap();
        assert_eq!((memory.waiting(), memory.confirmed()), (None, None));
        memory.confirm(&armed(&memory)).unwrap();
        assert_eq!((memory.waiting(), memory.confirmed()), (None, Some(candidate("new"))));
    }

    #[test]
    fn what_was_confirmed_waits_no_more_also_if_the_power_goes_between_the_two() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(&folder);
        let waiting = armed(&memory);
        let note = std::fs::read(memory.waiting_path()).unwrap();
        memory.confirm(&waiting).unwrap();
        std::fs::write(memory.waiting_path(), note).unwrap();
        assert_eq!((memory.waiting(), memory.confirmed()), (None, Some(candidate("new"))));
    }

    #[test]
    fn time_is_over_when_it_has_passed_or_the_machine_was_started_anew() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = armed(&memory(&folder));
        let left = |at: Duration| waiting.left(at).map(|left| left.as_secs());
        assert_eq!(left(waiting.from), Some(100));
        assert_eq!(left(waiting.from + Duration::from_secs(99)), Some(1));
        assert_eq!(left(waiting.from + Duration::from_secs(100)), None);
        assert_eq!(left(Duration::ZERO), None, "a machine that has not run so long yet");
    }

    #[test]
    fn another_site_file_in_force_knows_nothing_of_either() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(&folder);
        memory.confirm(&armed(&memory)).unwrap();
        armed(&memory);
        let other = Memory::of(memory.folder.clone(), &candidate("another"));
        assert_eq!((other.waiting(), other.confirmed()), (None, None));
    }

    /// A file cut at every byte, and with every byte changed, is none; what was confirmed is untouched by it.
    #[test]
    fn a_file_that_is_not_what_was_written_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(&folder);
        memory.confirm(&armed(&memory)).unwrap();
        let by = Actor { name: "root".into(), uid: 0 };
        memory.arm(candidate("newer"), by, Duration::from_secs(100)).unwrap();
        let whole = std::fs::read(memory.waiting_path()).unwrap();
        let cut = (0..whole.len()).map(|length| whole[..length].to_vec());
        let changed = (0..whole.len()).map(|place| {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x20;
            bytes
        });
        for bytes in cut.chain(changed) {
            std::fs::write(memory.waiting_path(), &bytes).unwrap();
            assert_eq!(memory.waiting(), None, "{}", String::from_utf8_lossy(&bytes));
            assert_eq!(memory.confirmed(), Some(candidate("new")));
        }
        let whole = std::fs::read(memory.confirmed_path()).unwrap();
        std::fs::write(memory.confirmed_path(), &whole[..whole.len() - 1]).unwrap();
        assert_eq!(memory.confirmed(), None);
        assert!(memory.folder.join("confirmed.damaged").is_file());
    }
}
