//! When an end that refused our login may be tried again.
//!
//! Windows locks an account after ten refused logins by default, and its count goes on until ten minutes have passed
//! without one. So everything that logs in to an end asks here, one login at a time, and while a refusal stands its word
//! is repeated without a login.

use std::time::{Duration, Instant};

use model::{Symptom, Timestamp};
use tokio::sync::Mutex;

use super::Trouble;

/// How long the other side counts on after a refused login: ten minutes, and a little for its clock.
const COUNTED: Duration = Duration::from_secs(11 * 60);
/// So many may be counted together, whoever asks.
const MOST: u32 = 9;
/// The longest pause after a refusal.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// So many logins without an answer bring a short pause only: a terminal that starts is slow now and then.
const UNANSWERED: u32 = 2;
/// The short pause: what a terminal says while it starts is over by then, and has cost one of the nine.
const STARTS: Duration = Duration::from_secs(20);

/// For what somebody logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The relay's own work, and a look that nobody asked for.
    Routine,
    /// A look that a person asked for, who may have put the password right.
    Asked,
    /// A test that a person began.
    Test,
}

impl Occasion {
    /// The pause after the first refusal; it doubles with each.
    const fn first_pause(self) -> Duration {
        match self {
            Self::Routine => Duration::from_secs(120),
            Self::Asked => Duration::from_secs(10),
            Self::Test => Duration::ZERO,
        }
    }
}

/// What tells a login from another one: a hash of the file it is read from.
pub type Login = blake3::Hash;

/// A login that was not accepted.
#[derive(Debug)]
pub enum NotIn {
    /// The server may have counted it.
    Counted(Trouble),
    /// The server said that it judged no login, so it counted none.
    Unjudged(Trouble),
}

impl NotIn {
    /// What stood in its way.
    pub fn trouble(self) -> Trouble {
        match self {
            Self::Counted(trouble) | Self::Unjudged(trouble) => trouble,
        }
    }
}

/// The logins to one end, and to whatever else has the same account.
#[derive(Default)]
pub struct Logins(Mutex<Memory>);

impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

impl Logins {
    /// Whether a login may be tried now; if not, the word that is repeated instead.
    pub async fn may(&self, occasion: Occasion, login: Login) -> Result<(), Trouble> {
        self.0.lock().await.may(occasion, login, Instant::now())
    }

    /// Tries a login, if it may be tried. One that is not waited for counts as well: the other side may have read it.
    pub async fn log_in<V>(
        &self,
        occasion: Occasion,
        login: Login,
        attempt: impl Future<Output = Result<V, NotIn>> + Send,
    ) -> Result<V, Trouble> {
        let mut memory = self.0.lock().await;
        memory.may(occasion, login, Instant::now())?;
        let before = memory.clone();
        memory.tried(login, Instant::now());
        let answer = attempt.await;
        match &answer {
            Ok(_) => memory.accepted(),
            Err(NotIn::Counted(trouble)) if trouble.symptom == Symptom::LoginRefused => {
                memory.refused(trouble, Timestamp::now());
            }
            Err(NotIn::Counted(trouble)) => memory.unheard(trouble),
            Err(NotIn::Unjudged(_)) => *memory = before,
        }
        answer.map_err(NotIn::trouble)
    }
}

/// What is remembered of the logins that were not accepted.
#[derive(Clone, Default)]
struct Memory {
    /// The newest: what it was, when, and what is said while no other is tried.
    newest: Option<(Login, Instant, Trouble)>,
    /// How many were refused in a row.
    refused: u32,
    /// How many the other side may count together.
    counted: u32,
}

impl Memory {
    fn may(&self, occasion: Occasion, login: Login, now: Instant) -> Result<(), Trouble> {
        let Some((before, at, word)) = &self.newest else { return Ok(()) };
        let since = now.saturating_duration_since(*at);
        let spent = self.counted >= MOST && since < COUNTED;
        let paused = login == *before && since < self.pause(occasion);
        if spent || paused { Err(word.clone()) } else { Ok(()) }
    }

    /// How long to wait after the newest.
    fn pause(&self, occasion: Occasion) -> Duration {
        match self.refused.max(self.counted.saturating_sub(UNANSWERED)) {
            0 => occasion.first_pause().min(STARTS),
            failed => occasion.first_pause().saturating_mul(1 << (failed - 1).min(16)).min(LONGEST),
        }
    }

    /// Takes in that one is tried. Until its answer is known, there is none.
    fn tried(&mut self, login: Login, now: Instant) {
        let silent =
            || Trouble { symptom: Symptom::Silent, action: "log in", detail: "no answer in time".to_owned() };
        let before = self.newest.take();
        let goes_on = before.as_ref().is_some_and(|(_, at, _)| now.saturating_duration_since(*at) < COUNTED);
        let word = before.filter(|(other, ..)| *other == login).map(|(.., word)| word);
        self.counted = if goes_on { self.counted + 1 } else { 1 };
        self.refused = if word.is_some() { self.refused } else { 0 };
        self.newest = Some((login, now, word.unwrap_or_else(silent)));
    }

    fn refused(&mut self, trouble: &Trouble, now: Timestamp) {
        self.refused = self.refused.saturating_add(1);
        let next = now.checked_add(self.pause(Occasion::Routine)).unwrap_or(now).as_second();
        let next = Timestamp::from_second(next).unwrap_or(now);
        if let Some((.., word)) = &mut self.newest {
            *word = Trouble {
                detail: format!("{}; by itself again not before {next}", trouble.detail),
                ..trouble.clone()
            };
        }
    }

    /// The server said neither yes nor no, and may have counted it.
    fn unheard(&mut self, trouble: &Trouble) {
        if let (0, Some((.., word))) = (self.refused, &mut self.newest) {
            *word = trouble.clone();
        }
    }

    fn accepted(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests;
