//! What a visitor may want done. The page carries it on; whoever acts decides.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::policy::{Answer, Policy, Question};
use tokio::sync::{mpsc, oneshot};

/// Something a visitor wants. None of it changes anything, so nobody has to sign in.
#[derive(Debug)]
pub enum Intent {
    /// To look at every rung now.
    Check,
    /// To see what the firewall lets pass, and what it refused.
    Policy(oneshot::Sender<Policy>),
    /// To know whether one packet would pass.
    Explain(Box<Question>, oneshot::Sender<Answer>),
}

/// A full look asks the centre and the terminal something; so it is asked for this often at the most, however many
/// visitors want it.
const CHECKS_APART: Duration = Duration::from_secs(10);

/// The kernel is listed for it; so it is asked for this often at the most.
const POLICIES_APART: Duration = Duration::from_secs(5);

/// How long a visitor waits for an answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// When the firewall was asked last, and what it said.
type Heard = (Instant, Option<Arc<Policy>>);

/// Carries intents to whoever acts on them.
#[derive(Clone, Debug)]
pub struct Intents {
    to: mpsc::Sender<Intent>,
    checked: Arc<Mutex<Option<Instant>>>,
    policy: Arc<tokio::sync::Mutex<Option<Heard>>>,
}

impl Intents {
    /// Intents that arrive at `to`. One that finds no room there is dropped: the same is under way already.
    pub fn new(to: mpsc::Sender<Intent>) -> Self {
        Self { to, checked: Arc::default(), policy: Arc::default() }
    }

    /// Wants a full look, unless somebody did a moment ago: then the page is as fresh as it gets.
    pub fn check(&self, now: Instant) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.is_none_or(|before| now.saturating_duration_since(before) >= CHECKS_APART)
            && self.to.try_send(Intent::Check).is_ok()
        {
            *checked = Some(now);
        }
    }

    /// What the firewall says of itself, at most a few seconds old; none if it does not answer.
    pub async fn policy(&self) -> Option<Arc<Policy>> {
        let mut last = self.policy.lock().await;
        if let Some((_, told)) = last.as_ref().filter(|(at, _)| at.elapsed() < POLICIES_APART) {
            return told.clone();
        }
        let told = self.ask(Intent::Policy).await.map(Arc::new);
        *last = Some((Instant::now(), told.clone()));
        told
    }

    /// Whether a packet would pass; none if nobody answers, or too many ask.
    pub async fn explain(&self, question: Question) -> Option<Answer> {
        self.ask(|reply| Intent::Explain(Box::new(question), reply)).await
    }

    async fn ask<T>(&self, intent: impl FnOnce(oneshot::Sender<T>) -> Intent) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.to.try_send(intent(reply)).ok()?;
        tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use model::policy::Matrix;

    use super::*;

    #[test]
    fn however_many_want_a_look_there_is_one_in_ten_seconds() {
        let (to, mut wanted) = mpsc::channel(4);
        let intents = Intents::new(to);
        let start = Instant::now();
        for second in [0, 0, 3, 9] {
            intents.clone().check(start + Duration::from_secs(second));
        }
        assert!(matches!(wanted.try_recv(), Ok(Intent::Check)) && wanted.try_recv().is_err());
        intents.check(start + Duration::from_secs(10));
        assert!(matches!(wanted.try_recv(), Ok(Intent::Check)));
    }

    #[test]
    fn a_look_that_found_no_room_is_not_counted() {
        let (to, mut wanted) = mpsc::channel(1);
        to.try_send(Intent::Check).unwrap();
        let intents = Intents::new(to);
        let start = Instant::now();
        intents.check(start);
        wanted.try_recv().unwrap();
        intents.check(start);
        assert!(matches!(wanted.try_recv(), Ok(Intent::Check)));
    }

    #[tokio::test]
    async fn what_the_firewall_says_is_asked_for_once_however_many_look() {
        let (to, mut wanted) = mpsc::channel(4);
        let intents = Intents::new(to);
        let told = Policy { matrix: Matrix::default(), drops: None };
        let role = async {
            let Some(Intent::Policy(reply)) = wanted.recv().await else { panic!("nobody asked") };
            reply.send(told.clone()).unwrap();
            wanted.recv().await
        };
        let visitors = async {
            for _ in 0..3 {
                assert_eq!(intents.policy().await.as_deref(), Some(&told));
            }
        };
        tokio::select! {
            again = role => panic!("asked again: {again:?}"),
            () = visitors => {}
        }
    }

    #[tokio::test]
    async fn a_role_that_is_gone_or_overrun_gives_no_answer_and_nobody_waits() {
        let (to, wanted) = mpsc::channel(1);
        to.try_send(Intent::Check).unwrap();
        let intents = Intents::new(to);
        assert_eq!(intents.explain(Question::default()).await, None);
        drop(wanted);
        assert_eq!(intents.policy().await, None);
    }
}
