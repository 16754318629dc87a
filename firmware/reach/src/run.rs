//! The ladder, climbed for as long as the box runs.
//!
//! Near rungs are looked at every ten seconds and at once when a link, a route or a router changes; other people's
//! hosts once a minute with jitter, so that no two clinics fall into step; both faster while something is wrong. A
//! sweep that somebody asks for looks at everything at once, and drops a look under way that is not a full one.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use model::part::LinePart;
use model::{Observation, Timestamp, Verdict};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use crate::climb::Climber;
use crate::error::Error;
use crate::history::History;
use crate::judge::judge;
use crate::ladder::Ladder;
use crate::past::Past;
use crate::plan::Plan;
use crate::sockets::Sockets;

/// Who says what the probes do not see. Each is cut off after two seconds.
pub trait Witness {
    /// What whoever holds the terminals' passwords sees of the shares now; nothing if nothing can be said.
    fn shares(&self) -> impl Future<Output = Vec<Observation>> + Send;
    /// What the box knows of itself; nothing of what it cannot know.
    fn own(&self) -> impl Future<Output = Vec<Observation>> + Send;
}

const WORD_PATIENCE: Duration = Duration::from_secs(2);
const NEAR_EVERY: Duration = Duration::from_secs(10);
const NEAR_EVERY_IN_TROUBLE: Duration = Duration::from_secs(2);
const FAR_EVERY: Duration = Duration::from_secs(60);
const FAR_EVERY_IN_TROUBLE: Duration = Duration::from_secs(15);
/// A flapping link must not make us look without pause.
const BREATH: Duration = Duration::from_millis(200);

/// Climbs until the sender of `sweeps` is gone. Every look is published to `part`; a sweep asked for is answered with
/// the part it led to, and those who ask while none has begun share one. What must outlive a restart is kept in
/// `state_dir`, which exists; `past` remembers what was seen.
///
/// # Errors
/// What keeps the ladder from starting, and the loss of the kernel's word: see [`Error`]. What a probe meets is no
/// error.
pub async fn run(
    plan: Plan,
    sockets: Sockets,
    state_dir: &Path,
    part: watch::Sender<LinePart>,
    past: Past,
    witness: impl Witness,
    mut sweeps: mpsc::Receiver<oneshot::Sender<LinePart>>,
) -> Result<(), Error> {
    let ladder = Ladder::new(&plan, History::load(state_dir)?);
    let climber = Climber::new(plan, sockets)?;
    let mut walk = Walk::new(climber, ladder, state_dir, part, past);
    let mut asked = Vec::new();
    loop {
        while let Ok(answer) = sweeps.try_recv() {
            asked.push(answer);
        }
        let far = !asked.is_empty() || walk.far_is_due();
        tokio::select! {
            biased;
            answer = sweeps.recv(), if asked.is_empty() => match answer {
                Some(answer) => {
                    asked.push(answer);
                    continue;
                }
                None => return Ok(()),
            },
            looked = walk.look(far, &witness) => walk.conclude(looked),
        }
        if walk.climber.is_deaf() {
            return Err(Error::Kernel("the netlink socket has closed".to_owned()));
        }
        walk.answer(&mut asked);
        tokio::select! {
            answer = sweeps.recv() => match answer {
                Some(answer) => asked.push(answer),
                None => return Ok(()),
            },
            () = walk.rest() => {}
        }
    }
}

/// What one look brought.
struct Looked {
    far: bool,
    probed: Vec<Observation>,
    /// What the box knows of itself.
    own: Vec<Observation>,
    /// What the relay said, if it was asked.
    shares: Option<Vec<Observation>>,
    took: Duration,
}

/// The walk up and down the ladder.
struct Walk<'d> {
    climber: Climber,
    ladder: Ladder,
    state_dir: &'d Path,
    part: watch::Sender<LinePart>,
    past: Past,
    verdict: Option<Verdict>,
    sweep_ms: f64,
    swept_at: Option<Timestamp>,
    looked_at: Instant,
    far_at: Instant,
    shares_at: Instant,
}

impl<'d> Walk<'d> {
    fn new(
        climber: Climber,
        ladder: Ladder,
        state_dir: &'d Path,
        part: watch::Sender<LinePart>,
        past: Past,
    ) -> Self {
        let now = Instant::now();
        let (looked_at, far_at, shares_at) = (now, now, now);
        Self {
            climber,
            ladder,
            state_dir,
            part,
            past,
            verdict: None,
            sweep_ms: 0.0,
            swept_at: None,
            looked_at,
            far_at,
            shares_at,
        }
    }

    fn far_is_due(&self) -> bool {
        Instant::now() >= self.far_at || self.ladder.wants_far()
    }

    async fn look(&mut self, far: bool, witness: &impl Witness) -> Looked {
        let began = Instant::now();
        // A look at a share is a login on the terminal: in trouble too not more often than in calm times.
        let due = far || began >= self.shares_at || self.ladder.wants_shares();
        let shares = async {
            if !due {
                return None;
            }
            Some(timeout(WORD_PATIENCE, witness.shares()).await.unwrap_or_default())
        };
        let own = async { timeout(WORD_PATIENCE, witness.own()).await.unwrap_or_default() };
        let (probed, own, shares) = tokio::join!(self.climber.look(far), own, shares);
        Looked { far, probed, own, shares, took: began.elapsed() }
    }

    /// Judges what was seen, publishes it and keeps what must be kept.
    fn conclude(&mut self, looked: Looked) {
        let now = Timestamp::now();
        let mut news = self.ladder.take(looked.probed, now);
        news |= self.ladder.take_own(looked.own, now);
        self.looked_at = Instant::now();
        if let Some(shares) = looked.shares {
            news |= self.ladder.take_shares(shares, now);
            self.shares_at = self.looked_at + NEAR_EVERY;
        }
        if looked.far {
            self.sweep_ms = looked.took.as_secs_f64() * 1000.0;
            self.swept_at = Some(now);
            self.far_at = self.looked_at + jittered(self.pace(FAR_EVERY, FAR_EVERY_IN_TROUBLE));
        }
        let verdict = judge(&self.ladder.evidence(now), self.verdict.as_ref(), now);
        self.tell(&verdict);
        let (sweep_ms, swept_at) = (self.sweep_ms, self.swept_at);
        let ladder = self.ladder.list();
        self.part.send_replace(LinePart {
            verdict: verdict.clone(),
            ladder: ladder.clone(),
            sweep_ms,
            swept_at,
        });
        self.past.take(&ladder, &verdict, now);
        self.verdict = Some(verdict);
        if news && let Err(error) = self.ladder.history().save(self.state_dir) {
            tracing::warn!(%error, "the ladder's memory was not kept");
        }
    }

    /// Answers those who asked for the sweep that has just ended. One who has gone away meanwhile is no matter.
    fn answer(&self, asked: &mut Vec<oneshot::Sender<LinePart>>) {
        for answer in asked.drain(..) {
            let _ = answer.send(self.part.borrow().clone());
        }
    }

    /// Ends when the next look is due.
    async fn rest(&mut self) {
        if !self.ladder.wants_far() && !self.ladder.wants_shares() {
            let near_at = self.looked_at + jittered(self.pace(NEAR_EVERY, NEAR_EVERY_IN_TROUBLE));
            tokio::select! {
                () = self.climber.stirred() => {}
                () = tokio::time::sleep_until(near_at.min(self.far_at)) => {}
            }
        }
        tokio::time::sleep_until(self.looked_at + BREATH).await;
    }

    fn pace(&self, calm: Duration, troubled: Duration) -> Duration {
        if self.ladder.is_troubled() { troubled } else { calm }
    }

    fn tell(&self, verdict: &Verdict) {
        if self.verdict.as_ref().is_some_and(|before| before.same_finding(verdict)) {
            return;
        }
        let usability = verdict.usability;
        match &verdict.foremost {
            Some(fault) => {
                let (code, owner, certainty) = (fault.code.key(), fault.owner.key(), fault.certainty);
                tracing::info!(?usability, code, owner, ?certainty, "the verdict has changed");
            }
            None => tracing::info!(?usability, "the verdict has changed"),
        }
    }
}

/// The time, more or less a fifth of it.
fn jittered(every: Duration) -> Duration {
    let mut byte = [128];
    // Without a random number the looks fall due on the stroke, and are still made.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    let [byte] = byte;
    every.mul_f64(0.8 + 0.4 * f64::from(byte) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_fifth_and_is_not_always_the_same() {
        let times: Vec<Duration> = (0..200).map(|_| jittered(FAR_EVERY)).collect();
        assert!(times.iter().all(|time| (48.0..=72.0).contains(&time.as_secs_f64())));
        assert!(times.iter().any(|time| *time != times[0]));
    }
}
