//! Lives of a box: everything that may happen, in any order, with the process cut at every boundary of its effects and
//! with every effect failing. Whatever happens, nothing is open without a consent that is valid now.

use std::net::Ipv4Addr;
use std::sync::LazyLock;
use std::time::Duration;

use model::decision::Reason;
use model::maintenance::{End, Further, Refusal};
use proptest::prelude::*;

use super::{giver, now, site, user, wanted};
use crate::consent::entry::Entry;
use crate::consent::past::Past;
use crate::consent::state::{Consent, Effect, Event, Now};
use model::Site;

/// What may happen.
#[derive(Clone, Debug)]
enum Happens {
    Open { minutes: Option<u16>, who: &'static str, again: bool },
    Button,
    Further(Ipv4Addr),
    Close,
    Review(u64),
    Pass(u64),
    Tunnel(bool),
    Clock(bool),
    Crash,
    Reboot,
}

/// How carrying out an event's effects goes.
#[derive(Clone, Copy, Debug)]
enum Goes {
    Well,
    /// The process ends before this effect.
    Cut(usize),
    /// This effect fails.
    Fails(usize),
}

/// The box: its disk, the kernel's rules, charon, and the process.
struct World {
    site: std::sync::Arc<Site>,
    disk: Vec<Entry>,
    rules: Option<Option<Further>>,
    tunnel: bool,
    boot: u64,
    now: Now,
    consent: Consent,
    clock: bool,
}

impl World {
    fn new(site: std::sync::Arc<Site>) -> Self {
        let now = now(100);
        let (consent, _) = Consent::found(site.clone(), Past::default(), "0", now);
        Self { site, disk: Vec::new(), rules: None, tunnel: false, boot: 0, now, consent, clock: false }
    }

    /// The machine's own process begins anew; charon died with the one before, the kernel's rules did not.
    fn restart(&mut self) {
        self.tunnel = false;
        let mut past = Past::default();
        self.disk.iter().zip(1..).for_each(|(entry, number)| past.take(number, entry));
        let (consent, effects) = Consent::found(self.site.clone(), past, &self.boot.to_string(), self.now);
        self.consent = consent;
        self.clock = false;
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Record(entry) => {
                self.disk.push(entry.clone());
                self.consent.recorded(self.disk.len() as u64, &entry);
            }
            Effect::LetIn(further) => self.rules = Some(further),
            Effect::Call(name) => {
                assert_eq!(name, "sato", "nobody else is ever called");
                self.tunnel = true;
            }
            Effect::HangUp => self.tunnel = false,
            Effect::Shut => self.rules = None,
        }
        // What is open at any moment is in the record as open.
        assert!(self.unended() > 0 || (self.rules.is_none() && !self.tunnel), "open and not recorded");
    }

    fn unended(&self) -> usize {
        let count = |is: fn(&Entry) -> bool| self.disk.iter().filter(|entry| is(entry)).count();
        let opened = count(|entry| matches!(entry, Entry::Opened { .. }));
        opened - count(|entry| matches!(entry, Entry::Ended { .. }))
    }

    fn step(&mut self, event: Event, goes: Goes) -> Result<(), Refusal> {
        let effects = self.consent.step(event, self.now)?;
        let mut failed = false;
        for (place, effect) in effects.into_iter().enumerate() {
            match goes {
                Goes::Cut(at) if at == place => {
                    self.restart();
                    return Err(Refusal::Failed);
                }
                // What closes is tried again by the room until it is done.
                Goes::Fails(at) if at == place && !matches!(effect, Effect::HangUp | Effect::Shut) => {
                    failed = true;
                    continue;
                }
                _ if failed && !matches!(effect, Effect::HangUp | Effect::Shut) => continue,
                _ => self.carry_out(effect),
            }
        }
        if failed {
            for effect in self.consent.step(Event::Failed, self.now)? {
                self.carry_out(effect);
            }
            return Err(Refusal::Failed);
        }
        Ok(())
    }
}

/// All that matters of it: until when a consent is valid, and since when there is no tunnel.
#[derive(Clone, Copy, Debug)]
struct Valid {
    due: u64,
    silent: Option<u64>,
}

/// The reference.
struct Reference {
    claims: bool,
    clock: bool,
    open: Option<Valid>,
    asked: Option<(Option<u16>, u64)>,
}

impl Reference {
    fn happens(&mut self, what: &Happens, at: u64) {
        match *what {
            Happens::Open { minutes, who, again } => self.asks(minutes, who, again, at),
            Happens::Button if self.open.is_some() => self.open = None,
            Happens::Button => self.asks(Some(30), "sato", true, at),
            Happens::Close | Happens::Crash | Happens::Reboot => self.open = None,
            Happens::Clock(trusted) => {
                self.clock = trusted;
                self.open = self.open.filter(|_| trusted);
            }
            Happens::Tunnel(up) => {
                if let Some(open) = &mut self.open {
                    open.silent = if up { None } else { open.silent.or(Some(at)) };
                }
                self.passes(at);
            }
            Happens::Pass(_) => self.passes(at),
            Happens::Further(_) | Happens::Review(_) => {}
        }
        if matches!(what, Happens::Crash | Happens::Reboot) {
            (self.clock, self.asked) = (false, None);
        }
    }

    fn asks(&mut self, minutes: Option<u16>, who: &str, again: bool, at: u64) {
        let lasts = minutes.unwrap_or(60);
        let may = self.open.is_none() && self.clock && who == "sato" && (5..=60).contains(&lasts);
        if !may {
            return;
        }
        let first = self.asked.is_some_and(|(first, then)| first == minutes && at - then <= 120);
        if self.claims && !(again && first) {
            self.asked = Some((minutes, at));
            return;
        }
        self.asked = None;
        self.open = Some(Valid { due: at + u64::from(lasts) * 60, silent: Some(at) });
    }

    fn passes(&mut self, at: u64) {
        self.open =
            self.open.filter(|open| at < open.due && open.silent.is_none_or(|since| at < since + 300));
    }
}

fn happens() -> impl Strategy<Value = Happens> {
    let minutes = prop_oneof![Just(None), Just(Some(5)), Just(Some(60)), Just(Some(61)), Just(Some(0))];
    let who = prop_oneof![6 => Just("sato"), 1 => Just("old"), 1 => Just("nobody")];
    let hosts = ["198.51.100.20", "198.51.100.1", "203.0.113.9", "192.0.2.2"];
    let host = prop::sample::select(hosts.map(|host| host.parse().unwrap()).to_vec());
    let time = prop::sample::select(vec![0, 1, 119, 121, 299, 300, 301, 1800, 3600]);
    prop_oneof![
        6 => (minutes, who, any::<bool>()).prop_map(|(minutes, who, again)| Happens::Open { minutes, who, again }),
        2 => Just(Happens::Button),
        2 => host.prop_map(Happens::Further),
        1 => Just(Happens::Close),
        2 => (1..6_u64).prop_map(Happens::Review),
        5 => time.prop_map(Happens::Pass),
        4 => any::<bool>().prop_map(Happens::Tunnel),
        5 => prop_oneof![5 => Just(true), 1 => Just(false)].prop_map(Happens::Clock),
        1 => Just(Happens::Crash),
        1 => Just(Happens::Reboot),
    ]
}

fn goes() -> impl Strategy<Value = Goes> {
    prop_oneof![
        6 => Just(Goes::Well),
        1 => (0..4_usize).prop_map(Goes::Cut),
        1 => (0..3_usize).prop_map(Goes::Fails),
    ]
}

fn event(what: &Happens) -> Option<Event> {
    Some(match *what {
        Happens::Open { minutes, who, again } => {
            Event::Open { wanted: wanted(who, minutes), by: giver(), again }
        }
        Happens::Button => Event::Button,
        Happens::Further(host) => Event::Further {
            further: Further { host, port: 5432 },
            reason: Reason::new("更新").unwrap(),
            by: giver(),
        },
        Happens::Close => Event::Close,
        Happens::Review(session) => Event::Review { session, user: user() },
        Happens::Pass(_) => Event::Pass,
        Happens::Tunnel(up) => Event::Tunnel(up),
        Happens::Clock(trusted) => Event::Clock(trusted),
        Happens::Crash | Happens::Reboot => return None,
    })
}

static SITES: LazyLock<[std::sync::Arc<Site>; 2]> =
    LazyLock::new(|| [site("[]"), site(&format!("{:?}", (1..=31).collect::<Vec<u8>>()))]);

fn live(claims: bool, story: &[(Happens, Goes)]) {
    let mut world = World::new(SITES[usize::from(claims)].clone());
    let mut reference = Reference { claims, clock: false, open: None, asked: None };
    for (what, goes) in story {
        if let Happens::Pass(seconds) = what {
            let running = world.now.running.as_secs() + seconds;
            world.now = now(running);
        }
        let at = world.now.running.as_secs();
        let before = world.rules;
        let Some(event) = event(what) else {
            if matches!(what, Happens::Reboot) {
                world.boot += 1;
                world.rules = None;
            }
            world.restart();
            reference.happens(what, at);
            check(&world, &reference, what);
            continue;
        };
        let ended_in_record = |world: &World| world.disk.last().cloned();
        let last = ended_in_record(&world);
        let boot_before = world.clock;
        world.clock = true;
        let done = world.step(event, *goes);
        let restarted = !world.clock;
        world.clock |= boot_before;
        reference.happens(what, at);
        if restarted {
            // The process was cut: whatever it was about, nothing of it is open.
            reference.happens(&Happens::Crash, at);
        } else if done == Err(Refusal::Failed) {
            reference.open = None;
        }
        if let (Happens::Further(host), Ok(())) = (what, &done) {
            let inside = ["198.51.100.20", "192.0.2.2"].contains(&host.to_string().as_str());
            assert!(inside && reference.open.is_some(), "{host}");
            assert_eq!(world.rules, Some(Some(Further { host: *host, port: 5432 })));
        } else if !restarted
            && done.is_err()
            && matches!(what, Happens::Further(_))
            && done != Err(Refusal::Failed)
        {
            assert_eq!((world.rules, ended_in_record(&world)), (before, last), "a refusal changes nothing");
        }
        check(&world, &reference, what);
    }
}

fn check(world: &World, reference: &Reference, what: &Happens) {
    let open = reference.open.is_some();
    assert_eq!((world.rules.is_some(), world.tunnel), (open, open), "after {what:?}: {:?}", reference.open);
    assert_eq!(world.consent.session().is_some(), open);
    if open {
        assert_eq!(world.unended(), 1, "one, and every earlier one has its end");
        let due = world.consent.due().expect("what is open ends by itself");
        assert!(due > world.now.running && due <= world.now.running + Duration::from_secs(3600));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_ever_open_without_a_consent_that_is_valid(
        claims in any::<bool>(),
        story in prop::collection::vec((happens(), goes()), 1..40),
    ) {
        live(claims, &story);
    }
}

/// Opened, widened, used, closed and reviewed, with the process cut before every single effect in turn.
#[test]
fn wherever_a_whole_session_is_cut_the_rest_of_it_stays_closed() {
    let open = Happens::Open { minutes: Some(60), who: "sato", again: false };
    let further = Happens::Further("198.51.100.20".parse().unwrap());
    let story = [
        Happens::Clock(true),
        open,
        Happens::Tunnel(true),
        further,
        Happens::Tunnel(false),
        Happens::Pass(299),
        Happens::Pass(1),
        Happens::Review(1),
    ];
    for cut in 0..story.len() {
        for place in 0..4 {
            let goes = |at| if at == cut { Goes::Cut(place) } else { Goes::Well };
            let story: Vec<_> =
                story.iter().cloned().enumerate().map(|(at, what)| (what, goes(at))).collect();
            live(false, &story);
        }
    }
    let well: Vec<_> = story.into_iter().map(|what| (what, Goes::Well)).collect();
    live(false, &well);
}

#[test]
fn each_end_is_recorded_with_its_reason() {
    let ends: [(&[Happens], End); 6] = [
        (&[Happens::Close], End::Closed),
        (&[Happens::Clock(false)], End::Clock),
        (&[Happens::Pass(300)], End::NoTunnel),
        (&[Happens::Tunnel(true), Happens::Pass(3600)], End::Time),
        (&[Happens::Crash], End::Crash),
        (&[Happens::Reboot], End::Reboot),
    ];
    for (story, wanted_end) in ends {
        let mut world = World::new(SITES[0].clone());
        world.step(Event::Clock(true), Goes::Well).unwrap();
        let opening = Event::Open { wanted: wanted("sato", None), by: giver(), again: false };
        world.step(opening, Goes::Well).unwrap();
        for what in story {
            if let Happens::Pass(seconds) = what {
                world.now = now(world.now.running.as_secs() + seconds);
            }
            match event(what) {
                Some(event) => world.step(event, Goes::Well).unwrap(),
                None => {
                    world.boot += u64::from(matches!(what, Happens::Reboot));
                    world.restart();
                }
            }
        }
        let Some(Entry::Ended { why, .. }) = world.disk.last() else { panic!("{:?}", world.disk) };
        assert_eq!(*why, wanted_end);
    }
}

#[test]
fn who_may_not_be_let_in_is_refused_with_the_reason() {
    let mut world = World::new(SITES[0].clone());
    let ask = |world: &mut World, who: &str, minutes| {
        let event = Event::Open { wanted: wanted(who, minutes), by: giver(), again: false };
        world.step(event, Goes::Well).unwrap_err()
    };
    assert_eq!(ask(&mut world, "sato", None), Refusal::Clock);
    world.step(Event::Clock(true), Goes::Well).unwrap();
    let known = vec!["sato".to_owned(), "old".to_owned()];
    assert_eq!(ask(&mut world, "mallory", None), Refusal::Unknown { name: "mallory".into(), known });
    assert!(matches!(ask(&mut world, "old", None), Refusal::Expired { name, .. } if name == "old"));
    assert_eq!(ask(&mut world, "sato", Some(61)), Refusal::Minutes { most: 60 });
    assert_eq!(world.disk, []);
}

#[test]
fn on_days_of_claims_it_is_asked_twice_within_two_minutes() {
    let mut world = World::new(SITES[1].clone());
    world.step(Event::Clock(true), Goes::Well).unwrap();
    let ask = |again| Event::Open { wanted: wanted("sato", None), by: giver(), again };
    assert_eq!(world.step(ask(true), Goes::Well), Err(Refusal::ClaimDays), "the first time is the first");
    world.now = now(world.now.running.as_secs() + 121);
    assert_eq!(
        world.step(ask(true), Goes::Well),
        Err(Refusal::ClaimDays),
        "too late: it is a first time again"
    );
    assert_eq!(world.step(ask(false), Goes::Well), Err(Refusal::ClaimDays));
    let other = Event::Open { wanted: wanted("sato", Some(10)), by: giver(), again: true };
    assert_eq!(world.step(other, Goes::Well), Err(Refusal::ClaimDays), "another consent");
    assert_eq!(world.step(Event::Button, Goes::Well), Err(Refusal::ClaimDays));
    world.step(Event::Button, Goes::Well).unwrap();
    assert!(matches!(world.disk.as_slice(), [Entry::Opened { twice: true, .. }]));
}
