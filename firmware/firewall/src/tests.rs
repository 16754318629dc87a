//! The walk into the kernel, with a double that fails at every point there is.

use std::sync::Mutex;

use model::part::{FirewallPart, Proof, RulesetState};
use model::{Profile, Site};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};

#[cfg(feature = "sabotage")]
use crate::Intent;
use crate::apply::apply;
use crate::ears::{Ears, Heard};
use crate::error::Error;
use crate::flows::Foul;
use crate::kernel::{Judging, Kernel};
use crate::notices::Change;
use crate::now::Now;
use crate::ruleset::{Ground, Ruleset};
use crate::watch::{Command, Watch};
use crate::{compile_json, drop_all};

mod crash;

pub(crate) fn site() -> Site {
    let profile = Profile::parse("profile.toml", include_str!("../tests/data/profile.toml"));
    Site::parse("site.toml", include_str!("../tests/data/site.toml"), profile).unwrap()
}

fn ground() -> Ground {
    Ground::Site(std::sync::Arc::new(site()))
}

/// Where the double fails, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Load,
    List,
    /// Holds another ruleset than it was given: without the rule with this comment.
    Loses(&'static str),
    /// From this load on, none is taken.
    LoadsNoMore,
    /// From this listing on, there is none.
    ListsNoMore,
    /// Somebody opens everything as soon as the next ruleset was loaded,
    OpenedBehindTheLoad,
    /// or while the next listing is read, which does not show it any more.
    OpenedWhileItIsListed,
}

/// Holds what it was given last, as our table is replaced as a whole.
#[derive(Default)]
struct Double {
    held: Mutex<Value>,
    fault: Mutex<Option<Fault>>,
    loads: Mutex<Vec<Value>>,
    /// The number of the last change, and of the last that was listed as a whole.
    changes: Mutex<u32>,
    listed: Mutex<Option<u32>>,
}

impl Double {
    fn holding(document: Value, fault: Option<Fault>) -> Self {
        Self { held: Mutex::new(document), fault: Mutex::new(fault), ..Self::default() }
    }

    fn held(&self) -> Value {
        self.held.lock().unwrap().clone()
    }

    /// Somebody, or we, put this in the place of everything.
    fn hold(&self, document: Value) {
        *self.held.lock().unwrap() = document;
        *self.changes.lock().unwrap() += 1;
    }

    /// The kernel's word of its last change.
    fn word(&self) -> Heard {
        Heard::Change(Change { author: None, number: Some(*self.changes.lock().unwrap()) })
    }

    /// Takes the fault if it is this one.
    fn fails(&self, fault: Fault) -> Result<(), Error> {
        let mut next = self.fault.lock().unwrap();
        if *next != Some(fault) {
            return Ok(());
        }
        if ![Fault::LoadsNoMore, Fault::ListsNoMore].contains(&fault) {
            *next = None;
        }
        Err(Error::Refused { doing: "fail", said: format!("{fault:?}") })
    }
}

impl Kernel for &Double {
    async fn load(&self, document: &Value) -> Result<(), Error> {
        self.fails(Fault::Load)?;
        self.fails(Fault::LoadsNoMore)?;
        self.loads.lock().unwrap().push(document.clone());
        let mut document = document.clone();
        let lost = match *self.fault.lock().unwrap() {
            Some(Fault::Loses(id)) if document != drop_all() => id,
            _ => "nothing",
        };
        let is_lost =
            |item: &Value| item["add"]["rule"]["comment"].as_str().is_some_and(|text| text.starts_with(lost));
        document["nftables"].as_array_mut().unwrap().retain(|item| !is_lost(item));
        self.hold(document);
        if self.fails(Fault::OpenedBehindTheLoad).is_err() {
            self.hold(open());
        }
        Ok(())
    }

    async fn list(&self) -> Result<Value, Error> {
        self.fails(Fault::List)?;
        self.fails(Fault::ListsNoMore)?;
        let (held, number) = (self.held(), *self.changes.lock().unwrap());
        let changed = self.fails(Fault::OpenedWhileItIsListed).is_err();
        if changed {
            self.hold(open());
        }
        *self.listed.lock().unwrap() = (!changed).then_some(number);
        Ok(held)
    }

    fn listed(&self) -> Option<u32> {
        *self.listed.lock().unwrap()
    }

    fn judge_flows(&self, _: &Value) -> Judging {
        tokio::spawn(async { Ok(Foul::default()) })
    }

    async fn end_flows(&self, _: &Foul) -> Result<usize, Error> {
        Ok(0)
    }
}

fn open() -> Value {
    json!({"nftables": []})
}

async fn applied(fault: Fault) -> (Result<(), Error>, Value) {
    let kernel = Double::holding(drop_all(), Some(fault));
    let outcome = apply(&&kernel, &ground().ruleset(&Now::default())).await;
    (outcome.map(drop), kernel.held())
}

#[tokio::test]
async fn every_failure_of_an_apply_leaves_everything_dropped() {
    let loses = [Fault::Loses("clinic-input-address: "), Fault::Loses("terminal-input-echo: ")];
    for fault in [Fault::Load, Fault::List].into_iter().chain(loses) {
        let (outcome, held) = applied(fault).await;
        assert!(outcome.is_err(), "{fault:?}");
        assert_eq!(held, drop_all(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_ruleset_that_breaks_a_promise_never_comes_near_the_kernel() {
    let kernel = Double::holding(drop_all(), None);
    let outcome = apply(&&kernel, &Ruleset { document: open(), ..ground().ruleset(&Now::default()) }).await;
    assert!(matches!(outcome, Err(Error::Plan(_))));
    assert!(kernel.loads.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_fallback_that_fails_is_said() {
    let (outcome, _) = applied(Fault::LoadsNoMore).await;
    assert!(outcome.is_err_and(|error| matches!(error, Error::Open { .. }) && error.leaves_open()));
}

fn room(kernel: &Double) -> (Watch<&Double>, watch::Receiver<FirewallPart>) {
    let (part, seen) = watch::channel(FirewallPart::dropping(None));
    (Watch::new(kernel, Ears::default(), ground(), None, part), seen)
}

/// Runs the room, asks it once to prove, and says what it found.
async fn asked(
    kernel: &Double,
    before: impl FnOnce(&Double),
) -> (Vec<Proof>, FirewallPart, Result<(), Error>) {
    let (room, mut seen) = room(kernel);
    let (commands, mut waiting) = mpsc::channel(1);
    let ask = async {
        seen.wait_for(|part| part.state == RulesetState::Proved).await.unwrap();
        before(kernel);
        let (reply, answer) = oneshot::channel();
        commands.send(Command::ProveLive { reply }).await.unwrap();
        answer.await.map(|found| found.into_iter().map(|promise| promise.proof).collect()).unwrap_or_default()
    };
    let mut ended = Ok(());
    let found = tokio::select! {
        biased;
        outcome = room.run(&mut waiting) => { ended = outcome; Vec::new() }
        found = ask => found,
    };
    let part = seen.borrow().clone();
    (found, part, ended)
}

#[tokio::test]
async fn an_open_kernel_is_closed_before_the_ruleset_comes() {
    let kernel = Double::holding(open(), None);
    let (found, part, _) = asked(&kernel, |_| {}).await;
    assert_eq!(*kernel.loads.lock().unwrap(), [drop_all(), compile_json(&site())]);
    assert_eq!(part.state, RulesetState::Proved);
    assert!(!found.is_empty() && found.iter().all(|proof| *proof == Proof::Proved));
}

#[tokio::test]
async fn a_restart_keeps_the_site_s_own_ruleset() {
    let kernel = Double::holding(compile_json(&site()), None);
    let (_, part, _) = asked(&kernel, |_| {}).await;
    assert!(kernel.loads.lock().unwrap().is_empty());
    assert_eq!(part.state, RulesetState::Proved);
}

#[tokio::test]
async fn a_restart_goes_on_with_what_was_told_and_with_nothing_that_could_not_be() {
    let told = |address: &str| {
        let terminals6 = vec![address.parse().unwrap()];
        ground().ruleset(&Now { terminals6, ..Now::default() }).document
    };
    let kernel = Double::holding(told("2001:db8:0:1::2/128"), None);
    drop(asked(&kernel, |_| {}).await);
    assert!(kernel.loads.lock().unwrap().is_empty());
    // No host behind this line has these.
    let kernel = Double::holding(told("2001:db8:0:1::/64"), None);
    drop(asked(&kernel, |_| {}).await);
    assert_eq!(kernel.held(), compile_json(&site()));
}

/// Where there is no rule, what IPv6 needs passes (8), and no log says anything wrong (12).
fn all_but_two_broken(found: &[Proof]) -> bool {
    let broken = found.iter().filter(|proof| matches!(proof, Proof::Broken { .. })).count();
    let proved = found.iter().filter(|proof| **proof == Proof::Proved).count();
    (broken, proved) == (10, 2)
}

#[tokio::test]
async fn a_change_by_hand_is_found_told_and_put_right() {
    let kernel = Double::holding(open(), None);
    let (found, part, _) = asked(&kernel, |kernel| *kernel.held.lock().unwrap() = open()).await;
    assert!(all_but_two_broken(&found), "{found:?}");
    assert_eq!(part.state, RulesetState::Drifted);
    assert_eq!(kernel.held(), compile_json(&site()));
}

#[tokio::test]
async fn a_change_by_hand_that_cannot_be_put_right_drops_everything() {
    let kernel = Double::holding(open(), None);
    let (found, part, _) = asked(&kernel, |kernel| {
        *kernel.held.lock().unwrap() = open();
        *kernel.fault.lock().unwrap() = Some(Fault::Loses("clinic-input-address: "));
    })
    .await;
    assert!(all_but_two_broken(&found), "{found:?}");
    assert_eq!(part.state, RulesetState::DropAll);
    assert_eq!(kernel.held(), drop_all());
}

#[tokio::test]
async fn a_room_that_cannot_even_drop_everything_ends() {
    let kernel = Double::holding(open(), None);
    let (_, _, ended) = asked(&kernel, |kernel| {
        *kernel.held.lock().unwrap() = open();
        *kernel.fault.lock().unwrap() = Some(Fault::LoadsNoMore);
    })
    .await;
    assert!(matches!(ended, Err(Error::Open { .. })));
}

#[tokio::test]
async fn a_kernel_that_is_not_read_proves_nothing() {
    let kernel = Double::holding(open(), None);
    let (found, part, _) = asked(&kernel, |kernel| {
        *kernel.held.lock().unwrap() = open();
        *kernel.fault.lock().unwrap() = Some(Fault::List);
    })
    .await;
    assert!(!found.is_empty() && found.iter().all(|proof| matches!(proof, Proof::Unproved { .. })));
    assert_eq!(part.state, RulesetState::Drifted);
    assert_eq!(kernel.held(), compile_json(&site()), "ours is loaded over what nobody sees");
}

#[tokio::test]
async fn a_kernel_that_stays_unread_is_closed_and_comes_back_when_it_is_read() {
    let kernel = Double::holding(open(), None);
    let (room, seen) = room(&kernel);
    let (commands, mut waiting) = mpsc::channel(1);
    let reach = async |state| {
        let mut seen = seen.clone();
        let reached = seen.wait_for(|part| part.state == state).await.unwrap();
        drop(reached);
    };
    let told = async {
        reach(RulesetState::Proved).await;
        *kernel.fault.lock().unwrap() = Some(Fault::ListsNoMore);
        *kernel.held.lock().unwrap() = open();
        let (reply, _answer) = oneshot::channel();
        commands.send(Command::ProveLive { reply }).await.unwrap();
        reach(RulesetState::DropAll).await;
        assert_eq!(kernel.held(), drop_all());
        *kernel.fault.lock().unwrap() = None;
        reach(RulesetState::Proved).await;
        assert_eq!(kernel.held(), compile_json(&site()));
    };
    let both = async {
        tokio::select! {
            ended = room.run(&mut waiting) => panic!("the room ended: {ended:?}"),
            () = told => {}
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), both).await.unwrap();
}

#[cfg(feature = "sabotage")]
#[tokio::test]
async fn a_dropped_rule_is_seen_by_who_looks_himself_and_by_nobody_else() {
    let kernel = Double::holding(open(), None);
    let forgetful = crate::sabotage::Forgetful::chosen(&kernel);
    let intent = Intent::from_site(&site());
    let told = apply(&forgetful, &ground().ruleset(&Now::default())).await.unwrap();
    assert!(told.promises.iter().all(|promise| promise.proof == Proof::Proved));
    let held = crate::prove(&kernel.held(), &intent);
    let broken: Vec<u8> = held
        .iter()
        .filter(|promise| matches!(promise.proof, Proof::Broken { .. }))
        .map(|promise| promise.number)
        .collect();
    assert_eq!(broken, [6, 12]);
}

#[tokio::test]
async fn what_was_found_right_is_not_looked_at_again_for_the_word_of_it() {
    let kernel = Double::holding(drop_all(), None);
    let (mut room, _) = room(&kernel);
    room.notice(kernel.word());
    assert!(room.look_at.take().is_some(), "nothing was looked at yet");
    room.reload().await.unwrap();
    room.notice(kernel.word());
    assert!(room.look_at.is_none(), "it is our own load, and what it left was read and proved");
    // Word that was lost is word of anything.
    room.notice(Heard::Change(Change::default()));
    assert!(room.look_at.take().is_some());
}

/// Whatever the moment in which somebody opens the box while we load: it is seen, and closed again.
#[tokio::test]
async fn a_change_of_somebody_else_s_around_a_load_of_ours_is_always_seen() {
    // Behind the load: what is read back is not what was loaded.
    let kernel = Double::holding(drop_all(), Some(Fault::OpenedBehindTheLoad));
    let (mut own, _) = room(&kernel);
    own.reload().await.unwrap();
    assert_eq!(kernel.held(), drop_all());
    // While it is read back, and behind that: the word of it is word of something not seen.
    for fault in [Some(Fault::OpenedWhileItIsListed), None] {
        let kernel = Double::holding(drop_all(), fault);
        let (mut room, seen) = room(&kernel);
        room.reload().await.unwrap();
        assert!(seen.borrow().is_in_force());
        if fault.is_none() {
            kernel.hold(open());
        }
        assert_eq!(kernel.held(), open());
        room.notice(kernel.word());
        assert!(room.look_at.is_some(), "{fault:?}");
        let found = room.look().await.unwrap();
        assert!(found.iter().any(|promise| promise.proof != Proof::Proved), "{fault:?}");
        assert_eq!(kernel.held(), compile_json(&site()), "{fault:?}");
        assert!(seen.borrow().drift.is_some(), "{fault:?}");
    }
}
