//! The thinking: (state, event, now) -> effects. No socket, no file, no clock.
//!
//! What opens is recorded before anything is open, and what closes is closed before it is recorded, so that wherever the
//! process ends, nothing is open that the record does not know of. Time is what passes since the machine's start: a
//! clock that is put right makes nothing longer.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use model::decision::{Actor, Reason};
use model::maintenance::{
    End, Further, Giver, MaintenancePart, Open, Reached, Refusal, Tunnel, Used, Wanted,
};
use model::site::maintainers::Terms;
use model::tunnel::Trouble;
use model::{Site, Timestamp};

use super::entry::Entry;
use super::past::Past;

/// A consent whose tunnel is not there for so long ends.
const SILENCE: Duration = Duration::from_secs(300);

/// How long the first of two times is remembered.
const BETWEEN: Duration = Duration::from_secs(120);

/// A shorter consent is none.
const SHORTEST: u16 = 5;

/// The time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// How long the machine has been running.
    pub running: Duration,
    /// By the box's clock, for the record.
    pub wall: Timestamp,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody consents; `again` the second time on days on which claims are sent.
    Open {
        /// To what.
        wanted: Wanted,
        /// Who.
        by: Giver,
        /// Whether he says that it is the second time.
        again: bool,
    },
    /// The front button was held: it closes what is open, and opens what the site file says.
    Button,
    /// A second consent.
    Further {
        /// What is reached as well.
        further: Further,
        /// What for.
        reason: Reason,
        /// Who.
        by: Giver,
    },
    /// Somebody closes it: anybody in the clinic may.
    Close,
    /// A person reviewed a session.
    Review {
        /// Which.
        session: u64,
        /// Who.
        user: Actor,
    },
    /// Time has passed.
    Pass,
    /// The tunnel stands, or does not.
    Tunnel(bool),
    /// Why it does not stand; none: it does.
    Trouble(Option<Trouble>),
    /// The box's clock is trusted, or is not any more.
    Clock(bool),
    /// What was reached until now.
    Reached(Reached),
    /// A verb was used on the box.
    Used(String),
    /// What was to be done could not be.
    Failed,
}

/// What is to be done, in this order. If one fails, what was opened is closed and [`Event::Failed`] happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write it down, durably; then [`Consent::recorded`].
    Record(Entry),
    /// Rules: the maintainer may come in, and to this one as well.
    LetIn(Option<Further>),
    /// The tunnel to this maintainer.
    Call(String),
    /// No tunnel, no interface, no route.
    HangUp,
    /// No rules.
    Shut,
}

/// A consent that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    /// Its session; none until it is recorded.
    session: Option<u64>,
    due: Duration,
    until: Timestamp,
    /// Since when there is no tunnel.
    silent: Option<(Duration, Timestamp)>,
    reached: Option<Reached>,
    trouble: Option<Trouble>,
    used: BTreeMap<String, u64>,
}

/// The state.
#[derive(Clone, Debug)]
pub struct Consent {
    site: Arc<Site>,
    boot: String,
    past: Past,
    open: Option<Held>,
    clock: bool,
    /// What was asked for once on days on which claims are sent, and when.
    asked: Option<(Wanted, Duration)>,
    /// Ends that are not recorded yet. Nothing is opened before they are.
    owed: Vec<Entry>,
}

impl Consent {
    /// The state after a start: everything is shut, whatever was found, and a session without an end gets one.
    pub fn found(site: Arc<Site>, past: Past, boot: &str, now: Now) -> (Self, Vec<Effect>) {
        let end = |of: u64, since: &str| {
            let why = if since == boot { End::Crash } else { End::Reboot };
            let (reached, trouble, used) = (None, None, Vec::new());
            Entry::Ended { at: now.wall, of, why, reached, trouble, used }
        };
        let owed: Vec<Entry> = past.unended().map(|(of, since)| end(of, since)).collect();
        let (boot, open, clock, asked) = (boot.to_owned(), None, false, None);
        let consent = Self { site, boot, past, open, clock, asked, owed };
        let effects = [Effect::HangUp, Effect::Shut].into_iter().chain(consent.records()).collect();
        (consent, effects)
    }

    /// What an event leads to.
    ///
    /// # Errors
    /// Why it leads to nothing.
    pub fn step(&mut self, event: Event, now: Now) -> Result<Vec<Effect>, Refusal> {
        match event {
            Event::Open { wanted, by, again } => self.open(wanted, by, again, now),
            Event::Button => self.button(now),
            Event::Further { further, reason, by } => self.further(further, reason, by, now),
            Event::Close => self.end(End::Closed, now).ok_or(Refusal::NotOpen),
            Event::Review { session, user } => self.review(session, user, now),
            Event::Pass => Ok(self.pass(now)),
            Event::Tunnel(up) => Ok(self.tunnel(up, now)),
            Event::Clock(trusted) => {
                self.clock = trusted;
                Ok(if trusted { Vec::new() } else { self.end(End::Clock, now).unwrap_or_default() })
            }
            Event::Reached(reached) => {
                self.held(|held| held.reached = Some(reached));
                Ok(Vec::new())
            }
            Event::Trouble(trouble) => {
                self.held(|held| held.trouble = trouble);
                Ok(Vec::new())
            }
            Event::Used(verb) => {
                self.held(|held| *held.used.entry(verb).or_default() += 1);
                Ok(Vec::new())
            }
            Event::Failed => Ok(self.end(End::Failed, now).unwrap_or_default()),
        }
    }

    /// An entry stands in the record, at this place.
    pub fn recorded(&mut self, number: u64, entry: &Entry) {
        self.past.take(number, entry);
        self.owed.retain(|owed| owed != entry);
        if matches!(entry, Entry::Opened { .. }) {
            self.held(|held| held.session = Some(number));
        }
    }

    /// When time alone changes something next.
    pub fn due(&self) -> Option<Duration> {
        let held = self.open.as_ref()?;
        let silent = held.silent.map(|(since, _)| since + SILENCE);
        Some(silent.map_or(held.due, |silent| silent.min(held.due)))
    }

    /// Whether an end is not recorded yet, which [`Event::Pass`] tries again.
    pub const fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    fn records(&self) -> Vec<Effect> {
        self.owed.iter().cloned().map(Effect::Record).collect()
    }

    /// The session that is open, and until when at the most.
    pub fn session(&self) -> Option<(u64, Timestamp)> {
        let held = self.open.as_ref()?;
        Some((held.session?, held.until))
    }

    /// What is told of it.
    pub fn part(&self, pin_set: bool, trouble: Option<Trouble>) -> MaintenancePart {
        let open = self.open.as_ref().and_then(|held| {
            let tunnel = held.silent.map_or(Tunnel::Up, |(_, since)| Tunnel::Down { since });
            Some(Open { session: held.session?, tunnel })
        });
        let planned = self.site.maintainer.is_some();
        MaintenancePart { planned, open, sessions: self.past.told(), pin_set, trouble }
    }

    fn held(&mut self, how: impl FnOnce(&mut Held)) {
        if let Some(held) = &mut self.open {
            how(held);
        }
    }

    fn terms(&self) -> Result<&Terms, Refusal> {
        self.site.maintainer.as_ref().map(|maintainer| &maintainer.terms).ok_or(Refusal::NotPlanned)
    }

    fn open(&mut self, wanted: Wanted, by: Giver, again: bool, now: Now) -> Result<Vec<Effect>, Refusal> {
        let minutes = self.may_be_opened(&wanted, now)?;
        let twice = self.terms()?.is_claim_day(now.wall);
        if twice && !self.is_second(&wanted, again, now) {
            self.asked = Some((wanted, now.running));
            return Err(Refusal::ClaimDays);
        }
        self.asked = None;
        let lasts = self.lasts(&wanted.maintainer, minutes, now)?;
        let until = now.wall.checked_add(lasts).map_err(|_| Refusal::Clock)?;
        self.open = Some(Held {
            session: None,
            due: now.running + lasts,
            until,
            silent: Some((now.running, now.wall)),
            reached: None,
            trouble: None,
            used: BTreeMap::new(),
        });
        let Wanted { maintainer, reason, .. } = wanted;
        let (at, boot, name) = (now.wall, self.boot.clone(), maintainer.clone());
        let opened = Entry::Opened { at, boot, maintainer, reason, until, by, twice };
        let mut effects = self.records();
        effects.extend([Effect::Record(opened), Effect::LetIn(None), Effect::Call(name)]);
        Ok(effects)
    }

    /// For how many minutes it may be opened.
    fn may_be_opened(&self, wanted: &Wanted, now: Now) -> Result<u16, Refusal> {
        let terms = self.terms()?;
        if self.open.is_some() {
            return Err(Refusal::AlreadyOpen);
        }
        if !self.clock {
            return Err(Refusal::Clock);
        }
        let Some(person) = terms.person(&wanted.maintainer) else {
            let known = terms.people.iter().map(|person| person.name.clone()).collect();
            return Err(Refusal::Unknown { name: wanted.maintainer.clone(), known });
        };
        if !person.certificate.is_good(now.wall) {
            let (from, until) = (person.certificate.from, person.certificate.until);
            return Err(Refusal::Expired { name: person.name.clone(), from, until });
        }
        let most = terms.minutes_at_most;
        let minutes = wanted.minutes.unwrap_or(most);
        if (SHORTEST..=most).contains(&minutes) { Ok(minutes) } else { Err(Refusal::Minutes { most }) }
    }

    /// A consent does not outlast the maintainer's certificate.
    fn lasts(&self, name: &str, minutes: u16, now: Now) -> Result<Duration, Refusal> {
        let until = self.terms()?.person(name).map_or(now.wall, |person| person.certificate.until);
        let left = u64::try_from(until.as_second() - now.wall.as_second()).unwrap_or_default();
        Ok(Duration::from_secs((u64::from(minutes) * 60).min(left)))
    }

    fn is_second(&self, wanted: &Wanted, again: bool, now: Now) -> bool {
        let first = self
            .asked
            .as_ref()
            .is_some_and(|(first, at)| first == wanted && now.running.saturating_sub(*at) <= BETWEEN);
        again && first
    }

    fn button(&mut self, now: Now) -> Result<Vec<Effect>, Refusal> {
        if let Some(effects) = self.end(End::Closed, now) {
            return Ok(effects);
        }
        let button = self.terms()?.button.clone().ok_or(Refusal::NoButton)?;
        let (maintainer, reason, minutes) = (button.maintainer, button.reason, Some(button.minutes));
        self.open(Wanted { maintainer, reason, minutes }, Giver::Button, true, now)
    }

    fn further(
        &mut self,
        further: Further,
        reason: Reason,
        by: Giver,
        now: Now,
    ) -> Result<Vec<Effect>, Refusal> {
        let of = self.session().ok_or(Refusal::NotOpen)?.0;
        if further.port == 0 || !self.is_host(further.host) {
            return Err(Refusal::NotOfTheSite);
        }
        let widened = Entry::Widened { at: now.wall, of, further, reason, by };
        Ok(vec![Effect::Record(widened), Effect::LetIn(Some(further))])
    }

    /// A machine of one of the site's networks, and not the box.
    fn is_host(&self, host: Ipv4Addr) -> bool {
        let networks = self.site.networks();
        let mut inside = networks.iter().filter(|(_, network)| network.contains(IpAddr::V4(host)));
        inside.any(|(_, network)| network.is_machine(host) && network.address != IpAddr::V4(host))
    }

    fn review(&self, session: u64, user: Actor, now: Now) -> Result<Vec<Effect>, Refusal> {
        let found = self.past.session(session).ok_or(Refusal::NoSession)?;
        if found.ended.is_none() {
            return Err(Refusal::StillOpen);
        }
        if found.reviewed.is_some() {
            return Err(Refusal::ReviewedBefore);
        }
        Ok(vec![Effect::Record(Entry::Reviewed { at: now.wall, of: session, user })])
    }

    fn pass(&mut self, now: Now) -> Vec<Effect> {
        let Some(held) = &self.open else { return self.records() };
        let silent = held.silent.is_some_and(|(since, _)| now.running >= since + SILENCE);
        let why = match (now.running >= held.due, silent) {
            (true, _) => End::Time,
            (false, true) => End::NoTunnel,
            (false, false) => return Vec::new(),
        };
        self.end(why, now).unwrap_or_default()
    }

    /// That the tunnel is gone does not end it at once: it may come back.
    fn tunnel(&mut self, up: bool, now: Now) -> Vec<Effect> {
        self.held(|held| match (up, held.silent) {
            (true, _) => held.silent = None,
            (false, None) => held.silent = Some((now.running, now.wall)),
            (false, Some(_)) => {}
        });
        self.pass(now)
    }

    /// Closed first, and then recorded. One that never came into the record has nothing to be ended there.
    fn end(&mut self, why: End, now: Now) -> Option<Vec<Effect>> {
        let held = self.open.take()?;
        if let Some(of) = held.session {
            let used = held.used.into_iter().map(|(verb, times)| Used { verb, times }).collect();
            let (at, reached, trouble) = (now.wall, held.reached, held.trouble);
            self.owed.push(Entry::Ended { at, of, why, reached, trouble, used });
        }
        Some([Effect::HangUp, Effect::Shut].into_iter().chain(self.records()).collect())
    }
}
