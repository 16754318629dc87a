//! The room at work: carries out what [`Consent`] decides, through doors that are the kernel and charon, or a test's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::decision::Actor;
use model::maintenance::{
    Answer, Giver, MaintenancePart, Opening, Pin, PinChange, Reached, Refusal, Reviewing, Widening,
};
use model::site::maintainers::Person;
use model::tunnel::Trouble;
use model::{Site, Timestamp};
use tokio::sync::{mpsc, oneshot, watch};

use super::entry::Entry;
use super::pin::Keeper;
use super::record::Record;
use super::state::{Consent, Effect, Event, Now};

/// How often is looked whether the tunnel stands, and time passes.
const EVERY: Duration = Duration::from_millis(500);

/// How often the part is published though nothing changed.
const AGAIN: Duration = Duration::from_secs(20);

/// What is seen of an open tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether it stands.
    pub up: bool,
    /// What was reached until now; none if it could not be counted.
    pub reached: Option<Reached>,
    /// Why it does not stand.
    pub trouble: Option<Trouble>,
}

/// What opens and closes: the kernel and charon, or a test's.
pub trait Doors: Send {
    /// Rules: the maintainer's side may come in, and to this one as well. It returns when they are in force.
    fn let_in(
        &mut self,
        further: Option<model::maintenance::Further>,
    ) -> impl Future<Output = Result<(), String>> + Send;
    /// Rules: nobody may. It returns when that is in force.
    fn shut(&mut self) -> impl Future<Output = Result<(), String>> + Send;
    /// Begins to call the gateways, as this maintainer's.
    fn call(&mut self, person: &Person) -> impl Future<Output = Result<(), String>> + Send;
    /// No tunnel, no interface, no route, when it returns.
    fn hang_up(&mut self) -> impl Future<Output = Result<(), String>> + Send;
    /// Looks.
    fn look(&mut self) -> impl Future<Output = Look> + Send;
}

/// What the room is asked.
#[derive(Debug)]
pub enum Ask {
    /// To open, by the responsible person.
    Open(Opening, Actor),
    /// To let one further host and port be reached.
    Further(Widening, Actor),
    /// To close.
    Close,
    /// To record a review.
    Review(Reviewing, Actor),
    /// To set the responsible person's number.
    Pin(PinChange, Actor),
    /// The front button was held.
    Button,
    /// A verb was used on the box; nothing is answered.
    Used(String),
}

/// Where time and trust come from.
#[derive(Clone)]
pub struct Source {
    /// The time.
    pub now: Arc<dyn Fn() -> Now + Send + Sync>,
    /// This start of the machine.
    pub boot: String,
    /// Whether the box's clock is trusted.
    pub clock: watch::Receiver<bool>,
}

/// The room.
pub struct Room<D> {
    doors: D,
    source: Source,
    site: Arc<Site>,
    consent: Consent,
    record: Record,
    pins: Keeper,
    part: watch::Sender<MaintenancePart>,
    trouble: Option<Trouble>,
    /// What is to be closed could not be yet: it is tried again and again.
    ajar: bool,
}

impl<D: Doors> Room<D> {
    /// Opens the record and closes whatever was found open. Nothing may be asked before.
    ///
    /// # Errors
    /// If the record cannot be opened.
    pub async fn enter(
        site: Arc<Site>,
        state: PathBuf,
        source: Source,
        doors: D,
        part: watch::Sender<MaintenancePart>,
    ) -> Result<Self, journal::Error> {
        let now = (source.now)();
        let (record, past) = Record::open(&state, now.wall)?;
        let (consent, effects) = Consent::found(Arc::clone(&site), past, &source.boot, now);
        let pins = Keeper::of(&state, &source.boot);
        let (trouble, ajar) = (None, false);
        let mut room = Self { doors, source, site, consent, record, pins, part, trouble, ajar };
        // What cannot be closed or recorded now is tried again.
        let _ = room.carry_out(effects).await;
        let trusted = *room.source.clock.borrow_and_update();
        let _ = room.happens(Event::Clock(trusted)).await;
        room.publish();
        Ok(room)
    }

    /// Runs until nobody can ask any more.
    pub async fn run(mut self, asked: &mut mpsc::Receiver<(Ask, oneshot::Sender<Answer>)>) {
        let mut told = tokio::time::Instant::now();
        loop {
            let quiet = self.consent.session().is_none() && !self.ajar && !self.consent.owes();
            let pause = if quiet { AGAIN } else { EVERY }.min(self.until_due());
            tokio::select! {
                ask = asked.recv() => {
                    let Some((ask, reply)) = ask else { return };
                    let answer = self.answer(ask).await;
                    // Who asks and then looks finds it so.
                    self.publish();
                    // Who asked may have gone.
                    let _ = reply.send(answer);
                }
                changed = self.source.clock.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let trusted = *self.source.clock.borrow_and_update();
                    let _ = self.happens(Event::Clock(trusted)).await;
                }
                () = tokio::time::sleep(pause) => self.look().await,
            }
            if self.publish() || told.elapsed() >= AGAIN {
                self.part.send_modify(|_| {});
                told = tokio::time::Instant::now();
            }
        }
    }

    fn now(&self) -> Now {
        (self.source.now)()
    }

    async fn look(&mut self) {
        if self.ajar {
            let _ = self.carry_out(vec![Effect::HangUp, Effect::Shut]).await;
        }
        if self.consent.session().is_some() {
            self.see().await;
        }
        let _ = self.happens(Event::Pass).await;
    }

    /// How long until time alone changes something; long, if nothing is open.
    fn until_due(&self) -> Duration {
        let now = self.now().running;
        self.consent.due().map_or(AGAIN, |due| due.saturating_sub(now))
    }

    /// Looks at the tunnel, and what was reached until now.
    async fn see(&mut self) {
        // What is due does not wait for a look that takes long.
        let limit = self.until_due();
        let Ok(look) = tokio::time::timeout(limit, self.doors.look()).await else { return };
        if let Some(reached) = look.reached {
            let _ = self.happens(Event::Reached(reached)).await;
        }
        self.trouble = look.trouble.or(self.trouble).filter(|_| !look.up);
        let _ = self.happens(Event::Trouble(self.trouble)).await;
        let _ = self.happens(Event::Tunnel(look.up)).await;
    }

    /// # Errors
    /// Why nothing was done, or that it was taken back.
    async fn happens(&mut self, event: Event) -> Result<(), Refusal> {
        let effects = self.consent.step(event, self.now())?;
        if effects.is_empty() || self.carry_out(effects).await.is_ok() {
            return Ok(());
        }
        let back = self.consent.step(Event::Failed, self.now())?;
        let _ = self.carry_out(back).await;
        Err(Refusal::Failed)
    }

    /// Carries effects out in their order, up to the first that fails. What closes is never left out.
    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), ()> {
        let mut done = Ok(());
        for effect in effects {
            let closes = matches!(effect, Effect::HangUp | Effect::Shut);
            if done.is_err() && !closes {
                continue;
            }
            if let Err(why) = self.carry_out_one(effect).await {
                tracing::error!(%why, "what was decided about maintenance was not done");
                done = Err(());
            }
        }
        done
    }

    async fn carry_out_one(&mut self, effect: Effect) -> Result<(), String> {
        match effect {
            Effect::Record(entry) => self.write(&entry),
            Effect::LetIn(further) => self.doors.let_in(further).await,
            Effect::Call(name) => {
                self.trouble = None;
                let maintainer = self.site.maintainer.as_ref();
                let person = maintainer.and_then(|one| one.person(&name)).ok_or("nobody of this name")?;
                self.doors.call(person).await
            }
            Effect::HangUp => {
                let done = self.doors.hang_up().await;
                self.ajar = done.is_err();
                done
            }
            Effect::Shut => {
                let done = self.doors.shut().await;
                self.ajar |= done.is_err();
                done
            }
        }
    }

    fn write(&mut self, entry: &Entry) -> Result<(), String> {
        let number = self.record.write(entry).map_err(|error| error.to_string())?;
        self.consent.recorded(number, entry);
        Ok(())
    }

    async fn answer(&mut self, ask: Ask) -> Answer {
        match self.answered(ask).await {
            Ok(answer) => answer,
            Err(why) => Answer::Refused { why },
        }
    }

    async fn answered(&mut self, ask: Ask) -> Result<Answer, Refusal> {
        match ask {
            Ask::Open(opening, user) => {
                let by = self.person(&opening.pin, user).await?;
                let event = Event::Open { wanted: opening.wanted, by, again: opening.again };
                self.happens(event).await?;
                self.opened()
            }
            Ask::Further(widening, user) => {
                let by = self.person(&widening.pin, user).await?;
                let Widening { further, reason, .. } = widening;
                self.happens(Event::Further { further, reason, by }).await?;
                Ok(Answer::Widened)
            }
            Ask::Close => self.close(Event::Close).await,
            Ask::Button if self.consent.session().is_some() => self.close(Event::Button).await,
            Ask::Button => {
                self.happens(Event::Button).await?;
                self.opened()
            }
            Ask::Review(Reviewing { session, pin }, user) => {
                self.person(&pin, user.clone()).await?;
                self.happens(Event::Review { session, user }).await?;
                Ok(Answer::Reviewed)
            }
            Ask::Pin(change, user) => self.set_pin(change, user).await,
            Ask::Used(verb) => {
                let _ = self.happens(Event::Used(verb)).await;
                Err(Refusal::NotOpen)
            }
        }
    }

    fn opened(&self) -> Result<Answer, Refusal> {
        let (session, until) = self.consent.session().ok_or(Refusal::Failed)?;
        Ok(Answer::Opened { session, until })
    }

    /// It is counted once more before there is nothing to be counted.
    async fn close(&mut self, event: Event) -> Result<Answer, Refusal> {
        let session = self.consent.session().map(|(session, _)| session).ok_or(Refusal::NotOpen)?;
        self.see().await;
        self.happens(event).await?;
        Ok(Answer::Closed { session })
    }

    /// Makes sure that it is the responsible person.
    async fn person(&mut self, pin: &Pin, user: Actor) -> Result<Giver, Refusal> {
        match self.is_right(pin).await {
            Ok(()) => Ok(Giver::Pin { user }),
            Err(Refusal::WrongPin) => {
                let wrong = Entry::WrongPin { at: self.now().wall, user };
                self.write(&wrong).map_err(|_| Refusal::Failed)?;
                Err(Refusal::WrongPin)
            }
            Err(why) => Err(why),
        }
    }

    async fn is_right(&self, pin: &Pin) -> Result<(), Refusal> {
        let (pins, pin, running) = (self.pins.clone(), pin.clone(), self.now().running);
        let looked = tokio::task::spawn_blocking(move || pins.check(&pin, running)).await;
        looked.unwrap_or(Err(Refusal::Failed))
    }

    /// Whoever stands at the box sets the first; another one sets who knows it.
    async fn set_pin(&mut self, change: PinChange, user: Actor) -> Result<Answer, Refusal> {
        if self.pins.is_set() {
            let old = change.old.ok_or(Refusal::WrongPin)?;
            self.person(&old, user.clone()).await?;
        }
        let (pins, new) = (self.pins.clone(), change.new);
        let set = tokio::task::spawn_blocking(move || pins.set(&new)).await;
        set.unwrap_or(Err(Refusal::Failed))?;
        self.write(&Entry::PinSet { at: self.now().wall, user }).map_err(|_| Refusal::Failed)?;
        Ok(Answer::PinSet)
    }

    /// Whether something new was published.
    fn publish(&mut self) -> bool {
        let part = self.consent.part(self.pins.is_set(), self.trouble);
        self.part.send_if_modified(|told| {
            let differs = *told != part;
            *told = part;
            differs
        })
    }
}

/// The time by the kernel's clocks, and this start of the machine by its word.
#[must_use]
pub fn kernel(clock: watch::Receiver<bool>) -> Source {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Source { now: Arc::new(now), boot: boot.trim().to_owned(), clock }
}

fn now() -> Now {
    let running = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME);
    Now { running: running.map(Duration::from).unwrap_or_default(), wall: Timestamp::now() }
}
