//! A share that answers slowly, half, or not at all: it is said, nothing is lost or doubled, and when it answers again
//! the newest request passes.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::part::RelayPart;
use model::{Outcome, Symptom};

use super::{ANSWER, REQUEST, WHOLE};
use crate::share::local::{LocalHandle, LocalShare, LocalTerminal};
use crate::share::patient::Patient;
use crate::share::{
    Entry, Occasion, Opened, Outgoing, Parcel, Published, STAGING, Share, Staged, Terminal, Trouble, Wanted,
    stage_of,
};
use crate::testing::{Ends, appears, names, vanishes};

/// It does what it is asked to, at once.
const WELL: u8 = 0;
/// It takes a while for everything.
const SLOW: u8 = 1;
/// It begins what it is asked to, and the connection ends before the reply.
const HALF: u8 = 2;
/// It never answers.
const MUTE: u8 = 3;
/// Its disk is full.
const FULL: u8 = 4;
/// It lets nothing be published.
const STUBBORN: u8 = 5;

/// A terminal in a mood.
#[derive(Clone)]
struct Moody {
    folder: LocalTerminal,
    mood: Arc<AtomicU8>,
    /// How often it was asked for anything in its mood.
    asked: Arc<AtomicU32>,
    /// What files were called while they were staged.
    staged: Arc<Mutex<Vec<String>>>,
}

impl Moody {
    /// The terminal whose folder this is.
    fn new(root: PathBuf, mood: u8) -> Self {
        let mood = Arc::new(AtomicU8::new(mood));
        Self { folder: LocalTerminal { root }, mood, asked: Arc::default(), staged: Arc::default() }
    }

    fn feels(&self, mood: u8) {
        self.mood.store(mood, Ordering::Relaxed);
    }
}

struct MoodyShare {
    share: LocalShare,
    terminal: Moody,
}

impl Terminal for Moody {
    type Share = Patient<MoodyShare>;

    async fn connect(&self, wanted: &Wanted, occasion: Occasion) -> Result<Self::Share, Trouble> {
        let share = self.folder.connect(wanted, occasion).await?;
        let share = MoodyShare { share, terminal: self.clone() };
        share.answer(async { Ok(()) }).await?;
        Ok(Patient::new(share, Duration::from_millis(100)))
    }
}

fn ended() -> Trouble {
    Trouble { symptom: Symptom::Silent, action: "do it", detail: "the connection ended".into() }
}

impl MoodyShare {
    fn mood(&self) -> u8 {
        self.terminal.mood.load(Ordering::Relaxed)
    }

    async fn answer<V>(&self, step: impl Future<Output = Result<V, Trouble>> + Send) -> Result<V, Trouble> {
        let mood = self.mood();
        if mood != WELL {
            self.terminal.asked.fetch_add(1, Ordering::Relaxed);
        }
        match mood {
            SLOW => {
                tokio::time::sleep(Duration::from_millis(30)).await;
                step.await
            }
            HALF => step.await.and(Err(ended())),
            MUTE => std::future::pending().await,
            _ => step.await,
        }
    }

    async fn each<V: Send>(
        &self,
        count: usize,
        step: impl Future<Output = Vec<Result<V, Trouble>>> + Send,
    ) -> Vec<Result<V, Trouble>> {
        let answered = self.answer(async { Ok(step.await) }).await;
        answered.unwrap_or_else(|trouble| (0..count).map(|_| Err(trouble.clone())).collect())
    }
}

impl Share for MoodyShare {
    type Handle = LocalHandle;

    fn poll(&self) -> Duration {
        self.share.poll()
    }

    async fn lacks(&self, folder: &str) -> Result<bool, Trouble> {
        self.answer(self.share.lacks(folder)).await
    }

    async fn list(&self, folder: &str) -> Result<Vec<Entry>, Trouble> {
        self.answer(self.share.list(folder)).await
    }

    async fn stage(&self, files: Vec<Outgoing>) -> Vec<Result<(), Trouble>> {
        if self.mood() == FULL {
            let (symptom, action, detail) = (Symptom::DiskFull, "stage", String::new());
            return files.iter().map(|_| Err(Trouble { symptom, action, detail: detail.clone() })).collect();
        }
        let names = files.iter().map(|one| one.parcel.staged.clone());
        self.terminal.staged.lock().unwrap().extend(names);
        self.each(files.len(), self.share.stage(files)).await
    }

    async fn publish(&self, parcels: Vec<Parcel>) -> Vec<Result<Published, Trouble>> {
        if self.mood() == STUBBORN {
            let (symptom, action, detail) = (Symptom::Denied, "publish", String::new());
            return parcels
                .iter()
                .map(|_| Err(Trouble { symptom, action, detail: detail.clone() }))
                .collect();
        }
        self.each(parcels.len(), self.share.publish(parcels)).await
    }

    async fn staged(&self) -> Result<Staged, Trouble> {
        self.answer(self.share.staged()).await
    }

    async fn discard(&self, name: &str) -> Result<(), Trouble> {
        self.answer(self.share.discard(name)).await
    }

    async fn open(&self, folder: &str, entry: &Entry, largest: u64) -> Result<Opened<LocalHandle>, Trouble> {
        self.answer(self.share.open(folder, entry, largest)).await
    }

    async fn read(&self, handle: &LocalHandle, offset: u64, length: usize) -> Result<Vec<u8>, Trouble> {
        self.answer(self.share.read(handle, offset, length)).await
    }

    async fn remove(&self, handle: LocalHandle) -> Result<bool, Trouble> {
        self.answer(self.share.remove(handle)).await
    }

    async fn release(&self, handle: LocalHandle) {
        self.share.release(handle).await;
    }

    async fn changed(&self) {
        self.share.changed().await;
    }

    async fn close(&self) {
        self.share.close().await;
    }
}

fn symptom(part: &RelayPart) -> Option<Symptom> {
    part.shares.first()?.outcome.symptom()
}

/// Puts a request and an answer while the share is in this mood, and sees it well again after it was asked for
/// something `often`.
async fn through(mood: u8, often: u32) {
    let mut ends = Ends::new();
    let terminal = Moody::new(ends.folder.path().join("terminal"), WELL);
    ends.start_with(terminal.clone());
    ends.says(|part| part.shares.first().is_some_and(|seen| seen.outcome.is_good())).await;
    terminal.feels(mood);
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    if mood != SLOW {
        let part = ends.says(|part| symptom(part) == Some(Symptom::Silent)).await;
        assert_eq!(part.held_count, 0, "what may still pass is not held");
    }
    ends.says(|_| terminal.asked.load(Ordering::Relaxed) >= often).await;
    terminal.feels(WELL);
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    assert_eq!(appears(&ends.clinic("res").join(ANSWER)).await, WHOLE);
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    let newest = "OQSsiquc01req_newest.xml";
    fs::write(ends.clinic("req").join(newest), WHOLE).unwrap();
    assert_eq!(appears(&ends.terminal("req").join(newest)).await, WHOLE);
    let part = ends.says(|part| part.answers_today == 1).await;
    assert_eq!((part.held_count, names(&ends.terminal("req")).len()), (0, 2));
    assert!(names(&ends.terminal(STAGING)).is_empty(), "swept");
}

#[tokio::test]
async fn a_share_that_answers_slowly_only_takes_longer() {
    through(SLOW, 8).await;
}

#[tokio::test]
async fn a_share_that_does_what_it_is_asked_and_does_not_say_so_gets_nothing_twice() {
    through(HALF, 4).await;
}

#[tokio::test]
async fn a_share_that_never_answers_is_given_up_and_tried_again() {
    through(MUTE, 3).await;
}

#[tokio::test]
async fn a_look_at_a_share_tells_a_full_disk_while_nothing_waits_to_be_sent() {
    let mut ends = Ends::new();
    let terminal = Moody::new(ends.folder.path().join("terminal"), FULL);
    ends.start_with(terminal.clone());
    let look = async || {
        let (reply, seen) = tokio::sync::oneshot::channel();
        ends.commands.send(crate::Command::Look { asked: true, reply }).await.unwrap();
        seen.await.unwrap().remove(0).outcome
    };
    assert_eq!(look().await, Outcome::Bad(Symptom::DiskFull));
    terminal.feels(WELL);
    assert_eq!(look().await, Outcome::Good);
    assert!(names(&ends.terminal(STAGING)).is_empty(), "nothing of it stays");
}

#[tokio::test]
async fn a_terminal_that_hangs_takes_no_other_ones_word_and_is_said_to_once_it_is_known() {
    let mut ends = Ends::new();
    for folder in ["req", "res", "face"] {
        fs::create_dir_all(ends.folder.path().join("second").join(folder)).unwrap();
    }
    let (well, hangs) = (
        Moody::new(ends.folder.path().join("terminal"), WELL),
        Moody::new(ends.folder.path().join("second"), MUTE),
    );
    let mut config = ends.config();
    config.terminals.push(crate::testing::terminal("t2", Some("second")));
    ends.start_site(config, vec![well, hangs.clone()]);
    let look = async || {
        let (reply, seen) = tokio::sync::oneshot::channel();
        ends.commands.send(crate::Command::Look { asked: false, reply }).await.unwrap();
        <[_; 2]>::try_from(seen.await.unwrap()).unwrap().map(|seen| seen.outcome)
    };
    assert_eq!(look().await, [Outcome::Good, Outcome::Open]);
    let mut seen = Outcome::Open;
    for _ in 0..6 {
        let [first, second] = look().await;
        assert_eq!(first, Outcome::Good);
        seen = second;
        if seen != Outcome::Open {
            break;
        }
    }
    assert_eq!(seen, Outcome::Bad(Symptom::Silent));
}

#[tokio::test]
async fn the_file_of_a_look_is_never_taken_for_a_staged_parcel_and_an_old_one_is_removed() {
    let mut ends = Ends::new();
    let terminal = Moody::new(ends.folder.path().join("terminal"), WELL);
    let old = ends.terminal(STAGING).join("00000000000000aa.test");
    fs::create_dir(ends.terminal(STAGING)).unwrap();
    fs::write(&old, "a look that was cut off").unwrap();
    ends.start_with(terminal.clone());
    let (reply, seen) = tokio::sync::oneshot::channel();
    ends.commands.send(crate::Command::Look { asked: false, reply }).await.unwrap();
    assert_eq!(seen.await.unwrap()[0].outcome, Outcome::Good);
    let staged = terminal.staged.lock().unwrap().clone();
    assert_eq!(staged.len(), 1);
    assert_eq!(stage_of(&staged[0]), None, "{staged:?}");
    assert!(!old.exists());
}

#[tokio::test]
async fn what_was_refused_and_whose_staging_folder_was_removed_is_held_and_not_called_submitted() {
    let mut ends = Ends::new();
    let terminal = Moody::new(ends.folder.path().join("terminal"), STUBBORN);
    ends.start_with(terminal.clone());
    fs::write(ends.clinic("req").join(REQUEST), WHOLE).unwrap();
    ends.says(|part| symptom(part) == Some(Symptom::Denied)).await;
    fs::remove_dir_all(ends.terminal(STAGING)).unwrap();
    terminal.feels(WELL);
    // The next try comes after ten seconds.
    let held = ends.part.wait_for(|part| part.held_count == 1);
    let part = tokio::time::timeout(Duration::from_secs(30), held).await.unwrap().unwrap().clone();
    assert_eq!(super::held(&part), [model::parcel::HeldReason::Uncertain]);
    assert!(names(&ends.terminal("req")).is_empty());
}
