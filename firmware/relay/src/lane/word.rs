//! A terminal's word within a time. Whoever asks is not kept waiting by a share that is slow: the look goes on, its result
//! is there for the next answer, and no second look is begun beside it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::{Observation, Outcome};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::lane::link::observation;

/// How long an answer may take; whoever asks for it has patience for two seconds.
const SOON: Duration = Duration::from_millis(1500);
/// How old a result may be that came too late for its own answer.
const FRESH: Duration = Duration::from_secs(30);

/// A result, and when it came.
type Seen = (Instant, Observation);

/// The looks at one terminal.
#[derive(Debug, Default)]
pub struct Word {
    newest: Mutex<Option<Look>>,
}

/// A look.
#[derive(Debug)]
struct Look {
    seen: watch::Receiver<Option<Seen>>,
    /// Whether somebody was answered without it.
    late: bool,
    /// What the look before it saw, if that came too late for its own answer.
    before: Option<Seen>,
    /// A set ends its task when it is dropped.
    _task: JoinSet<()>,
}

impl Look {
    fn begin(look: impl Future<Output = Observation> + Send + 'static, before: Option<Seen>) -> Self {
        let (tell, seen) = watch::channel(None);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let observation = look.await;
            tell.send_replace(Some((Instant::now(), observation)));
        });
        Self { seen, late: false, before, _task: task }
    }

    fn is_under_way(&self) -> bool {
        self.seen.has_changed().is_ok() && self.seen.borrow().is_none()
    }

    /// What it saw, if it was too late to be told.
    fn untold(self) -> Option<Seen> {
        self.late.then(|| self.seen.borrow().clone()).flatten()
    }
}

impl Word {
    /// What is seen of this terminal: by the look under way or by a new one, if it ends in time.
    pub async fn get<F>(&self, terminal: &str, look: impl FnOnce() -> F) -> Observation
    where
        F: Future<Output = Observation> + Send + 'static,
    {
        self.before(tokio::time::sleep(SOON), terminal, look).await
    }

    /// As [`get`](Self::get), before this ends.
    async fn before<F>(
        &self,
        soon: impl Future<Output = ()>,
        terminal: &str,
        look: impl FnOnce() -> F,
    ) -> Observation
    where
        F: Future<Output = Observation> + Send + 'static,
    {
        let mut seen = self.look(look);
        let open = |detail: &str| observation(terminal, Outcome::Open, detail.to_owned(), 0.0);
        tokio::select! {
            biased;
            ended = seen.wait_for(Option::is_some) => {
                let seen = ended.ok().and_then(|seen| seen.clone());
                seen.map_or_else(|| open("the look broke down"), |(_, observation)| observation)
            }
            () = soon => {
                let before = self.late(Instant::now());
                before.unwrap_or_else(|| open("no answer within 1.5 s; the look goes on"))
            }
        }
    }

    fn newest(&self) -> MutexGuard<'_, Option<Look>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look<F>(&self, look: impl FnOnce() -> F) -> watch::Receiver<Option<Seen>>
    where
        F: Future<Output = Observation> + Send + 'static,
    {
        let mut newest = self.newest();
        let going = match newest.take() {
            Some(under_way) if under_way.is_under_way() => under_way,
            before => Look::begin(look(), before.and_then(Look::untold)),
        };
        newest.insert(going).seen.clone()
    }

    /// The look was too late. What the one before it saw, if that is still worth telling.
    fn late(&self, now: Instant) -> Option<Observation> {
        let mut newest = self.newest();
        let look = newest.as_mut()?;
        look.late = true;
        let (at, observation) = look.before.as_ref()?;
        (now.saturating_duration_since(*at) < FRESH).then(|| observation.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, pending, ready};

    use model::Symptom;
    use tokio::sync::oneshot;

    use super::*;

    const SILENT: Outcome = Outcome::Bad(Symptom::Silent);

    /// A look that ends when it is told to, with this outcome.
    async fn told(ends: oneshot::Receiver<Outcome>) -> Observation {
        observation("t1", ends.await.unwrap(), String::new(), 0.0)
    }

    /// A look that is waited for.
    async fn in_time(word: &Word, outcome: Outcome) -> Outcome {
        word.before(pending(), "t1", || async move { observation("t1", outcome, String::new(), 0.0) })
            .await
            .outcome
    }

    /// A look that is too slow for its own answer; gives that, and ends the look afterwards.
    async fn too_late(word: &Word, outcome: Outcome) -> Outcome {
        let (end, ends) = oneshot::channel();
        let said = word.before(ready(()), "t1", || told(ends)).await.outcome;
        end.send(outcome).unwrap();
        let mut seen = word.newest().as_ref().unwrap().seen.clone();
        seen.wait_for(Option::is_some).await.unwrap();
        said
    }

    /// Another one would be begun.
    fn no_second() -> Ready<Observation> {
        panic!("a second look beside one under way")
    }

    #[tokio::test]
    async fn a_look_in_time_is_the_word() {
        let word = Word::default();
        for outcome in [Outcome::Good, SILENT, Outcome::Good] {
            assert_eq!(in_time(&word, outcome).await, outcome);
        }
    }

    #[tokio::test]
    async fn whoever_asks_while_a_look_is_under_way_gets_that_ones_word() {
        let word = Word::default();
        let (end, ends) = oneshot::channel();
        assert_eq!(word.before(ready(()), "t1", || told(ends)).await.outcome, Outcome::Open);
        assert_eq!(word.before(ready(()), "t1", no_second).await.outcome, Outcome::Open);
        let asked = word.before(pending(), "t1", no_second);
        let ended = async { end.send(SILENT).unwrap() };
        assert_eq!(tokio::join!(asked, ended).0.outcome, SILENT);
    }

    #[tokio::test]
    async fn what_came_too_late_is_said_when_the_next_look_is_too_late_as_well() {
        let word = Word::default();
        assert_eq!(too_late(&word, SILENT).await, Outcome::Open);
        assert_eq!(too_late(&word, Outcome::Good).await, SILENT);
        assert_eq!(too_late(&word, SILENT).await, Outcome::Good);
        let said = |later| word.late(Instant::now() + later).map(|seen| seen.outcome);
        assert_eq!((said(Duration::ZERO), said(FRESH)), (Some(Outcome::Good), None), "too old to say");
    }

    #[tokio::test]
    async fn a_terminal_that_begins_to_hang_is_not_said_to_be_well() {
        let word = Word::default();
        assert_eq!(in_time(&word, Outcome::Good).await, Outcome::Good);
        assert_eq!(too_late(&word, SILENT).await, Outcome::Open);
        assert_eq!(in_time(&word, Outcome::Good).await, Outcome::Good);
        assert_eq!(too_late(&word, SILENT).await, Outcome::Open, "what was untold is old news by now");
    }

    #[tokio::test]
    async fn a_look_that_breaks_down_is_not_waited_for_and_the_next_begins() {
        let word = Word::default();
        let (end, ends) = oneshot::channel();
        drop(end);
        assert_eq!(word.before(pending(), "t1", || told(ends)).await.outcome, Outcome::Open);
        assert_eq!(in_time(&word, Outcome::Good).await, Outcome::Good);
    }
}
