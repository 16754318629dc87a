//! The room, with doors that remember and that fail.

use std::sync::{Arc, Mutex};

use model::maintenance::{
    Answer, End, Further, MaintenancePart, Opening, Pin, PinChange, Reached, Refusal, Reviewing,
};
use model::site::maintainers::Person;
use tokio::sync::{mpsc, oneshot, watch};

use super::{now, site, user, wanted};
use crate::consent::room::{Ask, Doors, Look, Room, Source};

/// What stands open, and what fails.
#[derive(Debug, Default)]
struct Scene {
    rules: Option<Option<Further>>,
    tunnel: Option<String>,
    up: bool,
    fails_to_call: bool,
    running: u64,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Scene>>);

impl Fake {
    fn with<T>(&self, how: impl FnOnce(&mut Scene) -> T) -> T {
        how(&mut self.0.lock().unwrap())
    }
}

impl Doors for Fake {
    async fn let_in(&mut self, further: Option<Further>) -> Result<(), String> {
        self.with(|scene| scene.rules = Some(further));
        Ok(())
    }

    async fn shut(&mut self) -> Result<(), String> {
        self.with(|scene| scene.rules = None);
        Ok(())
    }

    async fn call(&mut self, person: &Person) -> Result<(), String> {
        self.with(|scene| {
            if scene.fails_to_call {
                return Err("no charon".into());
            }
            scene.tunnel = Some(person.name.clone());
            Ok(())
        })
    }

    async fn hang_up(&mut self) -> Result<(), String> {
        self.with(|scene| scene.tunnel = None);
        Ok(())
    }

    async fn look(&mut self) -> Look {
        let reached = Reached { bytes_in: 10, bytes_out: 20, management: 1, further: 0 };
        self.with(|scene| Look { up: scene.up, reached: Some(reached), trouble: None })
    }
}

struct Box {
    doors: Fake,
    ask: mpsc::Sender<(Ask, oneshot::Sender<Answer>)>,
    clock: watch::Sender<bool>,
    part: watch::Receiver<MaintenancePart>,
}

impl Box {
    async fn new(state: &std::path::Path, boot: &str) -> Self {
        let doors = Fake::default();
        doors.with(|scene| (scene.rules, scene.running) = (Some(None), 100));
        let (clock, trusted) = watch::channel(true);
        let (part, seen) = watch::channel(MaintenancePart::default());
        let time = doors.clone();
        let source = Source {
            now: Arc::new(move || now(time.with(|scene| scene.running))),
            boot: boot.into(),
            clock: trusted,
        };
        let (ask, mut asked) = mpsc::channel(4);
        let room = Room::enter(site("[]"), state.to_owned(), source, doors.clone(), part).await.unwrap();
        assert_eq!(doors.with(|scene| scene.rules), None, "whatever was found is shut");
        tokio::spawn(async move { room.run(&mut asked).await });
        Self { doors, ask, clock, part: seen }
    }

    async fn ask(&self, ask: Ask) -> Answer {
        let (reply, answer) = oneshot::channel();
        self.ask.send((ask, reply)).await.unwrap();
        answer.await.unwrap()
    }

    async fn open(&self) -> Answer {
        let opening = Opening { wanted: wanted("sato", None), pin: pin(), again: false };
        self.ask(Ask::Open(opening, user())).await
    }

    async fn until(&mut self, how: impl FnMut(&MaintenancePart) -> bool) -> MaintenancePart {
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), self.part.wait_for(how));
        waited.await.expect("it comes in time").unwrap().clone()
    }
}

fn pin() -> Pin {
    Pin::typed("385017")
}

async fn with_a_pin(state: &std::path::Path) -> Box {
    let one = Box::new(state, "boot").await;
    assert_eq!(one.open().await, Answer::Refused { why: Refusal::NoPin });
    let change = PinChange { old: None, new: pin() };
    assert_eq!(one.ask(Ask::Pin(change, user())).await, Answer::PinSet);
    one
}

#[tokio::test]
async fn a_session_is_opened_closed_reviewed_and_told() {
    let state = tempfile::tempdir().unwrap();
    let mut one = with_a_pin(state.path()).await;
    let Answer::Opened { session, .. } = one.open().await else { panic!() };
    assert_eq!(
        one.doors.with(|scene| (scene.rules, scene.tunnel.clone())),
        (Some(None), Some("sato".into()))
    );
    one.doors.with(|scene| scene.up = true);
    let part = one.until(|part| matches!(part.open(), Some((_, model::maintenance::Tunnel::Up)))).await;
    assert_eq!(part.open().unwrap().0.number, session);
    assert_eq!(one.ask(Ask::Close).await, Answer::Closed { session });
    assert_eq!(one.doors.with(|scene| (scene.rules, scene.tunnel.clone())), (None, None));
    let part = one.until(|part| part.open.is_none()).await;
    let ended = part.sessions[0].ended.clone().unwrap();
    assert_eq!((ended.why, ended.reached.unwrap().bytes_out), (End::Closed, 20));
    let review = |pin| Ask::Review(Reviewing { session, pin }, user());
    assert_eq!(one.ask(review(Pin::typed("000000"))).await, Answer::Refused { why: Refusal::WrongPin });
    assert_eq!(one.ask(review(pin())).await, Answer::Reviewed);
    assert_eq!(one.ask(review(pin())).await, Answer::Refused { why: Refusal::ReviewedBefore });
}

#[tokio::test]
async fn it_closes_by_itself_at_its_time_and_when_the_clock_is_not_trusted() {
    let state = tempfile::tempdir().unwrap();
    let mut one = with_a_pin(state.path()).await;
    one.doors.with(|scene| scene.up = true);
    assert!(matches!(one.open().await, Answer::Opened { .. }));
    one.doors.with(|scene| scene.running += 3600);
    let part = one.until(|part| part.open.is_none() && !part.sessions.is_empty()).await;
    assert_eq!(part.sessions[0].ended.as_ref().unwrap().why, End::Time);
    assert!(matches!(one.open().await, Answer::Opened { .. }));
    one.clock.send_replace(false);
    let part = one.until(|part| part.open.is_none() && part.sessions.len() == 2).await;
    assert_eq!(part.sessions[0].ended.as_ref().unwrap().why, End::Clock);
    assert_eq!(one.doors.with(|scene| (scene.rules, scene.tunnel.clone())), (None, None));
    assert_eq!(one.open().await, Answer::Refused { why: Refusal::Clock });
}

#[tokio::test]
async fn what_cannot_be_called_is_taken_back_and_recorded() {
    let state = tempfile::tempdir().unwrap();
    let mut one = with_a_pin(state.path()).await;
    one.doors.with(|scene| scene.fails_to_call = true);
    assert_eq!(one.open().await, Answer::Refused { why: Refusal::Failed });
    assert_eq!(one.doors.with(|scene| scene.rules), None);
    let part = one.until(|part| !part.sessions.is_empty()).await;
    assert_eq!(part.sessions[0].ended.as_ref().unwrap().why, End::Failed);
}

#[tokio::test]
async fn what_a_crash_left_open_is_shut_and_said_to_have_ended_by_it() {
    let state = tempfile::tempdir().unwrap();
    let one = with_a_pin(state.path()).await;
    assert!(matches!(one.open().await, Answer::Opened { .. }));
    drop(one);
    let again = Box::new(state.path(), "boot").await;
    let part = again.part.borrow().clone();
    assert_eq!(part.sessions[0].ended.as_ref().unwrap().why, End::Crash);
    assert!(part.open.is_none());
}
