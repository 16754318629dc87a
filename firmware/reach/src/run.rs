//! The ladder, climbed for as long as the box runs.
//!
//! Near rungs are looked at every ten seconds and at once when a link, a route or a router changes, or when somebody near
//! does not answer a glance; other people's hosts once a minute with jitter, so that no two clinics fall into step; both
//! faster while something is wrong. The receipt computer's cloud is asked beside the looks, by a clock of its own (`pace.rs`):
//! no word of the line waits for it. A sweep that somebody asks for looks at everything at once, and drops a look under way
//! that is not a full one.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use model::part::{LinePart, Sweep};
use model::{Observation, Outcome, Rung, Timestamp, Verdict};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::chance;
use crate::climb::Climber;
use crate::climb::cloud::{self, Answer, Known};
use crate::error::Error;
use crate::history::{History, Subjects};
use crate::judge::judge;
use crate::ladder::Ladder;
use crate::pace::Pace;
use crate::past::Past;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::sockets::Sockets;

/// A sweep that somebody asks for.
#[derive(Debug)]
pub struct Ask {
    /// Where the part goes that it leads to.
    pub reply: oneshot::Sender<LinePart>,
    /// Whether it is known who asks: somebody who may have put a password right, and not anybody at all.
    pub known: bool,
}

/// Who says what the probes do not see. Each is cut off after two seconds.
pub trait Witness {
    /// What whoever holds the terminals' passwords sees of the shares now; nothing if nothing can be said. `asked`:
    /// somebody waits for it of whom it is known who it is.
    fn shares(&self, asked: bool) -> impl Future<Output = Vec<Observation>> + Send;
    /// What the box knows of itself; nothing of what it cannot know.
    fn own(&self) -> impl Future<Output = Vec<Observation>> + Send;
    /// Ends when what the box knows of itself is another thing than at the last look, and must not wait for the next.
    fn stirred(&self) -> impl Future<Output = ()> + Send;
}

const WORD_PATIENCE: Duration = Duration::from_secs(2);
const NEAR_EVERY: Duration = Duration::from_secs(10);
const NEAR_EVERY_IN_TROUBLE: Duration = Duration::from_secs(2);
/// In calm times everybody near is glanced at in between.
const GLANCE_EVERY: Duration = Duration::from_millis(2500);
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
    mut sweeps: mpsc::Receiver<Ask>,
) -> Result<(), Error> {
    let ladder = Ladder::new(&plan, History::load(state_dir, Subjects::of(&plan))?);
    let climber = Climber::new(plan, sockets)?;
    let mut walk = Walk::new(climber, ladder, state_dir, part, past);
    let mut asked = Vec::new();
    let mut why = Why::Time;
    loop {
        while let Ok(answer) = sweeps.try_recv() {
            asked.push(answer);
        }
        let how = walk.how(why, &asked);
        tokio::select! {
            biased;
            answer = sweeps.recv(), if asked.is_empty() => match answer {
                Some(answer) => {
                    asked.push(answer);
                    continue;
                }
                None => return Ok(()),
            },
            looked = walk.look(how, &witness) => walk.conclude(looked),
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
            because = walk.rest(&witness) => why = because,
        }
    }
}

/// Why there is a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It was time.
    Time,
    /// Something nearby stirred, or did not answer.
    Stirred,
}

/// How far a look goes.
#[derive(Clone, Copy, Debug)]
struct How {
    far: bool,
    shares: bool,
    /// Somebody waits for it.
    asked: bool,
    /// And it is somebody who may be trusted with logins.
    known: bool,
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
    cloud: Cloud,
}

/// What is asked of the cloud beside the looks: one question at a time.
struct Cloud {
    /// Ended with it.
    asking: JoinSet<Answer>,
    pace: Pace,
    /// Whether its tunnel stood when it was asked last.
    stood: bool,
}

impl Cloud {
    /// It has been asked, within a look or beside them.
    fn asked(&mut self, holds: bool, stood: bool) {
        self.stood = stood;
        self.pace.asked(holds, Instant::now());
    }
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
            cloud: Cloud { asking: JoinSet::new(), pace: Pace::new(now), stood: false },
        }
    }

    fn far_is_due(&self) -> bool {
        Instant::now() >= self.far_at || self.ladder.wants_far()
    }

    /// What stirred nearby is looked at at once: nobody who is far away, and no login, holds its word up.
    fn how(&self, why: Why, asks: &[Ask]) -> How {
        let (asked, known) = (!asks.is_empty(), asks.iter().any(|ask| ask.known));
        let in_time = why == Why::Time;
        let far = asked || (in_time && self.far_is_due());
        // A look at a share is a login on the terminal: in trouble too not more often than in calm times.
        let due = in_time && Instant::now() >= self.shares_at;
        How { far, shares: far || due || self.ladder.wants_shares(), asked, known }
    }

    /// Looks, and tells what comes of it meanwhile if somebody waits for it.
    async fn look(&mut self, how: How, witness: &impl Witness) -> Looked {
        let (progress, mut heard) = Progress::heard();
        let mut sweep = Sweep { seen: Vec::new(), of: self.ladder.list().len() };
        let cloud = how.asked.then(|| self.ladder.of_the_cloud());
        if cloud.is_some() {
            // The look asks it itself.
            self.cloud.asking = JoinSet::new();
        }
        let Self { climber, part, .. } = self;
        let looking =
            look(climber, how, cloud, if how.asked { progress } else { Progress::default() }, witness);
        tokio::pin!(looking);
        loop {
            tokio::select! {
                looked = &mut looking => return looked,
                Some(seen) = heard.recv() => {
                    sweep.seen.push(seen);
                    part.send_modify(|part| part.sweep = Some(sweep.clone()));
                }
            }
        }
    }

    /// Takes in what was seen, and publishes it.
    fn conclude(&mut self, looked: Looked) {
        let now = Timestamp::now();
        let of_the_cloud =
            |seen: &&Observation| matches!(seen.rung, Rung::CloudIke | Rung::CloudTcp | Rung::CloudTls);
        let of_the_cloud: Vec<Observation> = looked.probed.iter().filter(of_the_cloud).cloned().collect();
        if !of_the_cloud.is_empty() {
            self.cloud.asked(cloud::holds(&of_the_cloud), self.ladder.of_the_cloud().stands);
        }
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
            let far_every = if self.ladder.is_line_troubled() { FAR_EVERY_IN_TROUBLE } else { FAR_EVERY };
            self.far_at = self.looked_at + jittered(far_every);
        }
        self.publish(news, now);
    }

    /// Judges what is known now, publishes it, and keeps what must be kept.
    fn publish(&mut self, news: bool, now: Timestamp) {
        let verdict = judge(&self.ladder.evidence(now), self.verdict.as_ref(), now);
        self.tell(&verdict);
        let (sweep_ms, swept_at) = (self.sweep_ms, self.swept_at);
        let ladder = self.ladder.list();
        self.part.send_replace(LinePart {
            verdict: verdict.clone(),
            ladder: ladder.clone(),
            sweep_ms,
            swept_at,
            sweep: None,
        });
        self.past.take(&ladder, &verdict, now);
        self.verdict = Some(verdict);
        if news && let Err(error) = self.ladder.history().save(self.state_dir) {
            tracing::warn!(%error, "the ladder's memory was not kept");
        }
    }

    /// Answers those who asked for the sweep that has just ended. One who has gone away meanwhile is no matter.
    fn answer(&self, asked: &mut Vec<Ask>) {
        for ask in asked.drain(..) {
            let _ = ask.reply.send(self.part.borrow().clone());
        }
    }

    /// Ends when the next look is due.
    async fn rest(&mut self, witness: &impl Witness) -> Why {
        if self.cloud_at().is_some_and(|due| due <= Instant::now()) {
            self.ask_the_cloud();
        }
        let mut why = Why::Time;
        if !self.ladder.wants_far() && !self.ladder.wants_shares() {
            let near_at = self.looked_at + jittered(self.pace(NEAR_EVERY, NEAR_EVERY_IN_TROUBLE));
            why = self.stirs_before(near_at.min(self.far_at).min(self.shares_at), witness).await;
        }
        tokio::time::sleep_until(self.looked_at + BREATH).await;
        why
    }

    /// Listens until then, and glances at those nearby meanwhile. In trouble the looks themselves come as often.
    async fn stirs_before(&mut self, due: Instant, witness: &impl Witness) -> Why {
        loop {
            let glance_at = Instant::now() + jittered(GLANCE_EVERY);
            let cloud_at = self.cloud_at();
            tokio::select! {
                Some(answer) = self.cloud.asking.join_next() => {
                    self.take_the_cloud_s(answer.ok()).await;
                    continue;
                }
                () = tokio::time::sleep_until(cloud_at.unwrap_or(due)), if cloud_at.is_some() => {
                    self.ask_the_cloud();
                    continue;
                }
                () = self.climber.stirred() => return Why::Stirred,
                () = witness.stirred() => return Why::Stirred,
                () = tokio::time::sleep_until(due) => return Why::Time,
                () = tokio::time::sleep_until(glance_at), if !self.ladder.is_troubled() => {}
            }
            if self.climber.is_uneasy().await {
                return Why::Stirred;
            }
        }
    }

    /// When the cloud is to be asked; none while it is, or where there is none.
    fn cloud_at(&self) -> Option<Instant> {
        let known = self.ladder.of_the_cloud();
        let wanted = self.ladder.wants_cloud() || known.stands != self.cloud.stood;
        let idle = self.cloud.asking.is_empty() && self.climber.has_a_cloud();
        idle.then(|| self.cloud.pace.due(wanted))
    }

    /// Without an address on the internet line nobody is asked, until that is another one.
    fn ask_the_cloud(&mut self) {
        let known = self.ladder.of_the_cloud();
        match self.climber.cloud_question(known) {
            Some(question) => {
                self.cloud.stood = known.stands;
                self.cloud.asking.spawn(question.beside());
            }
            None => self.cloud.asked(false, known.stands),
        }
    }

    /// Takes in what the cloud said; nothing of a question that was given up.
    async fn take_the_cloud_s(&mut self, answer: Option<Answer>) {
        let Some(answer) = answer else { return };
        self.cloud.asked(answer.holds(), self.cloud.stood);
        let seen = self.climber.cloud_answered(answer).await;
        if !seen.is_empty() {
            let now = Timestamp::now();
            let news = self.ladder.take(seen, now);
            self.publish(news, now);
        }
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

/// Looks with the instruments, and asks for the relay's word beside it.
async fn look(
    climber: &mut Climber,
    how: How,
    cloud: Option<Known>,
    progress: Progress,
    witness: &impl Witness,
) -> Looked {
    let began = Instant::now();
    let told = progress.clone();
    let shares = async {
        if !how.shares {
            return None;
        }
        let said = timeout(WORD_PATIENCE, witness.shares(how.known)).await.unwrap_or_default();
        Some(said.into_iter().map(|seen| told.told(seen)).collect())
    };
    let own = async {
        let said = own_word(witness, how.asked).await;
        said.into_iter().map(|seen| told.told(seen)).collect()
    };
    let (probed, own, shares) = tokio::join!(climber.look(how.far, cloud, progress.clone()), own, shares);
    Looked { far: how.far, probed, own, shares, took: began.elapsed() }
}

/// What the box knows of itself. Somebody who asks right after a start is not told that the prefix is not there yet when it
/// is on its way from one role to another.
async fn own_word(witness: &impl Witness, asked: bool) -> Vec<Observation> {
    let is_coming = |seen: &Observation| seen.rung == Rung::Prefix && seen.outcome == Outcome::Open;
    let said = timeout(WORD_PATIENCE, witness.own()).await.unwrap_or_default();
    if !asked || !said.iter().any(is_coming) {
        return said;
    }
    let again = async {
        witness.stirred().await;
        witness.own().await
    };
    timeout(WORD_PATIENCE, again).await.unwrap_or(said)
}

/// The time, more or less a fifth of it.
fn jittered(every: Duration) -> Duration {
    every.mul_f64(chance::around_one(0.2))
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    /// `netd` has not told its prefix yet, and does when it is let.
    struct Late(Notify, watch::Sender<bool>);

    impl Witness for Late {
        async fn shares(&self, _: bool) -> Vec<Observation> {
            Vec::new()
        }

        async fn own(&self) -> Vec<Observation> {
            let outcome = if *self.1.borrow() { Outcome::Good } else { Outcome::Open };
            let (at, detail) = (Timestamp::UNIX_EPOCH, String::new());
            vec![Observation { rung: Rung::Prefix, terminal: None, outcome, at, took_ms: 0.0, detail }]
        }

        async fn stirred(&self) {
            self.0.notified().await;
            self.1.send_replace(true);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_right_after_a_start_waits_for_a_prefix_that_is_on_its_way_and_not_for_long() {
        let netd = Late(Notify::new(), watch::channel(false).0);
        let outcome = |said: Vec<Observation>| said[0].outcome;
        assert_eq!(outcome(own_word(&netd, false).await), Outcome::Open, "nobody waits");
        assert_eq!(outcome(own_word(&netd, true).await), Outcome::Open, "it does not come");
        netd.0.notify_one();
        assert_eq!(outcome(own_word(&netd, true).await), Outcome::Good);
    }
}
