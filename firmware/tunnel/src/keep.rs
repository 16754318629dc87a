//! Keeps one tunnel up: a pure machine of (state, event, now) to effects. charon finds out that a gateway is dead, has
//! new keys made and follows a changed address by MOBIKE; whatever ends is begun again here and nowhere else.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use model::tunnel::Trouble;

/// A tunnel that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The gateway it leads to.
    pub gateway: IpAddr,
    /// Our end of it on the line.
    pub own: IpAddr,
    /// The inner address, if the gateway gave one.
    pub inner: Option<std::net::Ipv4Addr>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// charon answers at its socket.
    Came,
    /// It does not any more.
    Gone,
    /// It was told connections and secrets.
    Loaded,
    /// It did not take them.
    NotLoaded,
    /// Something of a tunnel began or ended.
    Changed,
    /// What stands, after [`Effect::Look`].
    Seen(Option<Standing>),
    /// A call ended without a tunnel.
    Failed(Trouble),
    /// Addresses or routes of the line changed. `lost`: our end of the tunnel is no address of ours any more.
    Moved {
        /// As said.
        lost: bool,
    },
    /// The time of [`Keep::due`] has come.
    Due,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell charon connections and secrets.
    Load,
    /// See what stands.
    Look,
    /// Call the n-th gateway.
    Call(usize),
    /// End whatever stands or is under way, without waiting for the peer.
    End,
    /// Lead the traffic into the tunnel.
    Open(Standing),
    /// Lead it nowhere.
    Close,
}

/// Where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// charon does not answer.
    Away,
    /// charon is being told.
    Loading,
    /// charon is asked what stands since before.
    Looking,
    /// A gateway is being called.
    Calling,
    /// Nothing stands; it is tried again at this time.
    Waiting {
        /// Then.
        until: Instant,
        /// charon has to be told first.
        load: bool,
    },
    /// The tunnel stands.
    Up {
        /// What stands.
        standing: Standing,
        /// Since then.
        since: Instant,
    },
}

/// A tunnel that ended so soon did not work: it is not begun again at once.
const SOON: Duration = Duration::from_secs(5);
/// The longest pause before a gateway that does not answer is called again.
const LONGEST: Duration = Duration::from_secs(15);
/// The shortest and the longest pause where the gateway refused us: it will say the same again, and may count.
const REFUSED: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(120)];

/// The machine.
#[derive(Clone, Debug)]
pub struct Keep {
    state: State,
    /// Calls since the last tunnel that worked.
    failed: u32,
    /// The gateway whose turn it is, and how many there are.
    turn: usize,
    gateways: usize,
    trouble: Option<Trouble>,
}

impl Keep {
    /// Nothing is known yet; there are so many gateways.
    pub const fn new(gateways: usize) -> Self {
        Self { state: State::Away, failed: 0, turn: 0, gateways, trouble: None }
    }

    /// Where it stands.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Why the last call ended without a tunnel; none since one stood.
    pub const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// How many calls in a row ended without a tunnel.
    pub const fn failed(&self) -> u32 {
        self.failed
    }

    /// When [`Event::Due`] is wanted.
    pub const fn due(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Takes an event and says what is to be done, in this order.
    pub fn step(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        match event {
            Event::Came => self.turn_to(State::Loading, vec![Effect::Load]),
            Event::Gone => self.turn_to(State::Away, vec![Effect::Close]),
            Event::Loaded => self.loaded(),
            Event::NotLoaded if self.state == State::Loading => {
                self.turn_to(State::Waiting { until: now + SOON, load: true }, vec![Effect::Close])
            }
            Event::NotLoaded => vec![],
            Event::Changed if self.is_told() => vec![Effect::Look],
            Event::Changed => vec![],
            Event::Seen(standing) => self.seen(standing, now),
            Event::Failed(trouble) => self.failed_to(trouble, now),
            Event::Moved { lost } => self.moved(lost),
            Event::Due => self.due_now(now),
        }
    }

    fn turn_to(&mut self, state: State, effects: Vec<Effect>) -> Vec<Effect> {
        self.state = state;
        effects
    }

    /// Whether charon knows its connections.
    const fn is_told(&self) -> bool {
        !matches!(self.state, State::Away | State::Loading | State::Waiting { load: true, .. })
    }

    fn loaded(&mut self) -> Vec<Effect> {
        if self.state != State::Loading {
            return vec![];
        }
        self.turn_to(State::Looking, vec![Effect::Look])
    }

    fn seen(&mut self, standing: Option<Standing>, now: Instant) -> Vec<Effect> {
        match (standing, self.state.clone()) {
            (_, State::Away | State::Loading | State::Waiting { load: true, .. }) => vec![],
            (Some(new), State::Up { standing, .. }) if new == standing => vec![],
            (Some(new), State::Up { since, .. }) => {
                self.turn_to(State::Up { standing: new.clone(), since }, vec![Effect::Open(new)])
            }
            (Some(new), _) => {
                self.trouble = None;
                self.turn_to(State::Up { standing: new.clone(), since: now }, vec![Effect::Open(new)])
            }
            (None, State::Up { since, .. }) => self.ended(since, now),
            // What stood before us may have ended meanwhile, with its way still open.
            (None, State::Looking) => {
                let call = self.call();
                [vec![Effect::Close], call].concat()
            }
            (None, State::Calling | State::Waiting { .. }) => vec![],
        }
    }

    /// It stood, and does not any more.
    fn ended(&mut self, since: Instant, now: Instant) -> Vec<Effect> {
        let mut effects = vec![Effect::Close];
        if now.saturating_duration_since(since) >= SOON {
            self.failed = 0;
            effects.extend(self.call());
        } else {
            effects.extend(self.wait(Trouble::Ended, now));
        }
        effects
    }

    fn call(&mut self) -> Vec<Effect> {
        self.turn_to(State::Calling, vec![Effect::Call(self.turn)])
    }

    fn failed_to(&mut self, trouble: Trouble, now: Instant) -> Vec<Effect> {
        if self.state != State::Calling {
            return vec![];
        }
        let mut effects = self.wait(trouble, now);
        if !trouble.is_refusal() {
            // Another gateway may answer; of this one nothing must stay that answers late.
            self.turn = (self.turn + 1) % self.gateways.max(1);
            effects.push(Effect::End);
        }
        effects
    }

    fn wait(&mut self, trouble: Trouble, now: Instant) -> Vec<Effect> {
        let pause = pause(self.failed, trouble);
        self.failed = self.failed.saturating_add(1);
        self.trouble = Some(trouble);
        self.turn_to(State::Waiting { until: now + pause, load: false }, vec![])
    }

    fn moved(&mut self, lost: bool) -> Vec<Effect> {
        match self.state {
            // A line that came back is reason enough to try at once.
            State::Waiting { load: false, .. } => {
                self.failed = 0;
                self.call()
            }
            State::Up { .. } if lost => {
                let mut effects = vec![Effect::Close, Effect::End];
                effects.extend(self.call());
                effects
            }
            _ => vec![],
        }
    }

    fn due_now(&mut self, now: Instant) -> Vec<Effect> {
        match self.state {
            State::Waiting { until, load } if until <= now => match load {
                true => self.turn_to(State::Loading, vec![Effect::Load]),
                false => self.call(),
            },
            _ => vec![],
        }
    }
}

/// The pause after so many failures before this one: doubled each time, up to the longest.
fn pause(failed: u32, trouble: Trouble) -> Duration {
    let [first, longest] = if trouble.is_refusal() { REFUSED } else { [Duration::from_secs(1), LONGEST] };
    first.saturating_mul(1_u32.checked_shl(failed.min(16)).unwrap_or(u32::MAX)).min(longest)
}

#[cfg(test)]
mod tests;
