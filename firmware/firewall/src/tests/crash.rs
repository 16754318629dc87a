//! A box that dies at every step of a change, and the next start: the kernel holds the ruleset before, the new one, or
//! drops everything at every moment, and afterwards one of the two, proved.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::decision::Actor;
use model::part::FirewallPart;
use model::ruleset::{Applied, Apply, Candidate, Settled};
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::change::Asker;
use crate::ears::Ears;
use crate::error::Error;
use crate::flows::Foul;
use crate::kernel::{Judging, Kernel};
use crate::memory::Memory;
use crate::ruleset::Ground;
use crate::watch::{Command, Watch};
use crate::{compile_json, drop_all};

/// When the box dies. Only a load changes anything, so that only after one it is another box than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    Never,
    /// Before the call of this number does its work.
    Before(usize),
    /// After the load of this number has done its work.
    AfterLoad(usize),
}

/// A kernel whose box dies in one of its calls.
struct Mortal {
    held: Mutex<Value>,
    calls: AtomicUsize,
    loads: AtomicUsize,
    death: Death,
    has_died: AtomicBool,
    died: Notify,
}

impl Mortal {
    fn new(held: Value, death: Death) -> Self {
        let (calls, loads) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (has_died, died) = (AtomicBool::new(false), Notify::new());
        Self { held: Mutex::new(held), calls, loads, death, has_died, died }
    }

    fn immortal(held: Value) -> Self {
        Self::new(held, Death::Never)
    }

    fn held(&self) -> Value {
        self.held.lock().unwrap().clone()
    }

    async fn die_if(&self, now: Death) {
        if self.death == now {
            self.has_died.store(true, Ordering::Relaxed);
            self.died.notify_one();
            std::future::pending().await
        }
    }

    async fn call(&self) {
        self.die_if(Death::Before(self.calls.fetch_add(1, Ordering::Relaxed))).await;
    }
}

impl Kernel for &Mortal {
    async fn load(&self, document: &Value) -> Result<(), Error> {
        self.call().await;
        *self.held.lock().unwrap() = document.clone();
        self.die_if(Death::AfterLoad(self.loads.fetch_add(1, Ordering::Relaxed))).await;
        Ok(())
    }

    async fn list(&self) -> Result<Value, Error> {
        self.call().await;
        Ok(self.held())
    }

    fn judge_flows(&self, _: &Value) -> Judging {
        tokio::spawn(async { Ok(Foul::default()) })
    }

    async fn end_flows(&self, _: &Foul) -> Result<usize, Error> {
        self.call().await;
        Ok(0)
    }
}

fn candidate(change: impl FnOnce(String) -> String) -> Candidate {
    Candidate {
        file: "site.toml".into(),
        site: change(include_str!("../../tests/data/site.toml").to_owned()),
        profile_name: "profile.toml".into(),
        profile: include_str!("../../tests/data/profile.toml").to_owned(),
    }
}

fn old() -> Candidate {
    candidate(|text| text)
}

fn new() -> Candidate {
    candidate(|text| text.replace("192.0.2.1/24", "192.0.2.3/24"))
}

fn document(candidate: &Candidate) -> Value {
    compile_json(&candidate.site().unwrap())
}

fn root() -> Asker {
    Asker { actor: Actor { name: "root".into(), uid: 0 }, since: Instant::now() }
}

struct Asked {
    commands: mpsc::Sender<Command>,
    seen: watch::Receiver<FirewallPart>,
}

impl Asked {
    async fn ask<A>(&self, command: impl FnOnce(oneshot::Sender<A>) -> Command) -> A {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.unwrap();
        answer.await.unwrap()
    }
}

/// Lives a life of the box until the story has ended or the box has died. Gives the last part.
async fn life(kernel: &Mortal, folder: &Path, story: impl AsyncFnOnce(&Asked)) -> FirewallPart {
    let (part, seen) = watch::channel(FirewallPart::dropping(None));
    let (commands, mut waiting) = mpsc::channel(1);
    let memory = Memory::of(folder.to_owned(), &old());
    let ground = Ground::Site(Arc::new(old().site().unwrap()));
    let room = Watch::new(kernel, Ears::default(), ground, Some(memory), part);
    let mut asked = Asked { commands, seen };
    let told = async {
        asked.seen.wait_for(FirewallPart::is_in_force).await.unwrap();
        story(&asked).await;
    };
    tokio::select! {
        ended = room.run(&mut waiting) => panic!("the room ended: {ended:?}"),
        () = told => {}
        () = kernel.died.notified() => {}
    }
    asked.seen.borrow().clone()
}

/// What a person does, and how that is to end if nothing dies.
#[derive(Clone, Copy, Debug)]
enum Story {
    Apply,
    Confirm,
    Revert,
}

async fn tell(story: Story, asked: &Asked) {
    let ask = Apply { candidate: new(), within_s: Apply::LONGEST_S };
    let applied = asked.ask(|reply| Command::Apply { ask, by: root(), reply }).await;
    let Applied::Armed { word, .. } = applied else { panic!("{applied:?}") };
    let settled = match story {
        Story::Apply => return,
        Story::Confirm => asked.ask(|reply| Command::Confirm { word, by: root(), reply }).await,
        Story::Revert => asked.ask(|reply| Command::Revert { reply }).await,
    };
    assert_eq!(settled, Settled::Done);
}

/// Lives a story to this death, and then what may come next. Whether it died at all.
async fn dies(story: Story, death: Death) -> bool {
    let [old, new, closed] = [document(&old()), document(&new()), drop_all()];
    let (folder, at) = (tempfile::tempdir().unwrap(), format!("{story:?}, {death:?}"));
    let kernel = Mortal::new(closed.clone(), death);
    life(&kernel, folder.path(), async |asked| tell(story, asked).await).await;
    if !kernel.has_died.load(Ordering::Relaxed) {
        return false;
    }
    assert!([&old, &new, &closed].contains(&&kernel.held()), "{at}");
    // The process was killed: the kernel holds what it held.
    let next = Mortal::immortal(kernel.held());
    let part = life(&next, folder.path(), async |_| {}).await;
    assert!([&old, &new].contains(&&next.held()), "{at}");
    assert_eq!(part.pending.is_some(), next.held() == new, "what waits is what is in force: {at}");
    // The power went: the kernel holds what closes the box before any network.
    let next = Mortal::immortal(closed);
    let part = life(&next, folder.path(), async |_| {}).await;
    assert_eq!((next.held(), part.pending), (old, None), "{at}");
    true
}

#[tokio::test]
async fn a_box_that_dies_at_any_step_of_a_change_comes_back_proved_with_one_of_the_two_rulesets() {
    for story in [Story::Confirm, Story::Revert] {
        let (mut calls, mut loads) = (0, 0);
        while dies(story, Death::Before(calls)).await {
            calls += 1;
        }
        while dies(story, Death::AfterLoad(loads)).await {
            loads += 1;
        }
        assert!(calls >= 8 && loads >= 3, "{story:?}: {calls} calls, {loads} loads");
    }
}

#[tokio::test]
async fn what_was_confirmed_is_in_force_after_any_end() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = Mortal::immortal(drop_all());
    life(&kernel, folder.path(), async |asked| tell(Story::Confirm, asked).await).await;
    for held in [kernel.held(), drop_all(), document(&old())] {
        let next = Mortal::immortal(held);
        let part = life(&next, folder.path(), async |_| {}).await;
        assert_eq!((next.held(), part.pending), (document(&new()), None));
    }
}

#[tokio::test]
async fn a_note_of_what_waits_that_is_damaged_is_as_if_nobody_had_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = Mortal::immortal(drop_all());
    life(&kernel, folder.path(), async |asked| tell(Story::Apply, asked).await).await;
    assert_eq!(kernel.held(), document(&new()));
    let note = folder.path().join("waiting");
    let whole = std::fs::read(&note).unwrap();
    // Every cut and every changed byte is no note (memory.rs); here some of them go through a whole start.
    for length in [0, 1, 64, 65, 66, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&note, &whole[..length]).unwrap();
        let next = Mortal::immortal(kernel.held());
        let part = life(&next, folder.path(), async |_| {}).await;
        assert_eq!((next.held(), part.pending), (document(&old()), None), "{length}");
    }
}

#[tokio::test]
async fn a_change_whose_time_is_over_is_taken_back_while_the_box_runs() {
    let folder = tempfile::tempdir().unwrap();
    let kernel = Mortal::immortal(drop_all());
    life(&kernel, folder.path(), async |asked| {
        let ask = Apply { candidate: new(), within_s: Apply::SHORTEST_S };
        let mut seen = asked.seen.clone();
        asked.ask(|reply| Command::Apply { ask, by: root(), reply }).await;
        assert_eq!(kernel.held(), document(&new()));
        let back = seen.wait_for(|part| part.pending.is_none());
        tokio::time::timeout(Duration::from_secs(30), back).await.unwrap().unwrap();
        assert_eq!(kernel.held(), document(&old()));
    })
    .await;
}
