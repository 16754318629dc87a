//! Who is asked on the line asks on the terminals' side first, and answers when somebody has answered there and the box lets his
//! packets pass. Pure: events in, effects out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

/// How long between two questions for one address: a part of RETRANS_TIMER (RFC 4861 section 10), since who asked us waits as
/// long,
pub const AGAIN: Duration = Duration::from_millis(250);
/// and how often. A terminal that has just taken an address answers a second later only (RFC 4862 section 5.4.3).
const TRIES: u8 = 12;
/// So often an address that answered is asked whether it is still there.
const EVERY: Duration = Duration::from_secs(60);
/// An address that has not answered for so long is no terminal's any more.
const PATIENCE: Duration = Duration::from_secs(300);
/// Strangers may ask for any address: no more than so many are looked for at a time,
const MOST_ASKED: usize = 64;
/// each for no more than so many who asked,
const MOST_WAITING: usize = 8;
/// and a terminal may invent no more than so many.
const MOST_KNOWN: usize = 128;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The line's prefixes (each the first 64 bits) and the box's own addresses are these.
    Ground {
        /// The prefixes.
        prefixes: BTreeSet<u64>,
        /// What is the box's own.
        own: BTreeSet<Ipv6Addr>,
    },
    /// Somebody on the line asks for an address; from `::` if he tests one of his own.
    Asked {
        /// Which.
        target: Ipv6Addr,
        /// Who.
        from: Ipv6Addr,
    },
    /// An address was used on the terminals' side: that it is there must still be seen.
    Used(Ipv6Addr),
    /// An address has answered on the terminals' side.
    Answered(Ipv6Addr),
    /// The box lets the packets of these addresses pass.
    Passes(Vec<Ipv6Addr>),
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask on the terminals' side.
    Ask(Ipv6Addr),
    /// Answer on the line for the first address; to the second, or to everybody if he asked from `::`.
    Answer(Ipv6Addr, Ipv6Addr),
    /// These addresses are on the terminals' side, and no others.
    Tell(Vec<Ipv6Addr>),
}

#[derive(Clone, Debug)]
struct Question {
    asked_at: Instant,
    tries: u8,
    waiting: Vec<Ipv6Addr>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    answered_at: Instant,
    passes: bool,
}

/// What is known and what is being asked.
#[derive(Clone, Debug, Default)]
pub struct Answerer {
    prefixes: BTreeSet<u64>,
    own: BTreeSet<Ipv6Addr>,
    questions: BTreeMap<Ipv6Addr, Question>,
    known: BTreeMap<Ipv6Addr, Known>,
}

impl Answerer {
    /// Takes an event.
    pub fn take(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        match event {
            Event::Ground { prefixes, own } => self.ground(prefixes, own),
            Event::Asked { target, from } => self.question(target, Some(from), now),
            Event::Used(source) if self.known.contains_key(&source) => Vec::new(),
            Event::Used(source) => self.question(source, None, now),
            Event::Answered(target) => self.answered(target, now),
            Event::Passes(list) => self.passes(&list),
            Event::Tick => self.tick(now),
        }
    }

    /// Whether something is being asked.
    pub fn is_asking(&self) -> bool {
        !self.questions.is_empty()
    }

    /// All addresses known to be on the terminals' side.
    pub fn known(&self) -> Vec<Ipv6Addr> {
        self.known.keys().copied().collect()
    }

    fn is_candidate(&self, address: Ipv6Addr) -> bool {
        self.prefixes.contains(&prefix(address)) && !self.own.contains(&address)
    }

    fn ground(&mut self, prefixes: BTreeSet<u64>, own: BTreeSet<Ipv6Addr>) -> Vec<Effect> {
        (self.prefixes, self.own) = (prefixes, own);
        let before = self.known.len();
        let (prefixes, own) = (&self.prefixes, &self.own);
        let stays = |address: &Ipv6Addr| prefixes.contains(&prefix(*address)) && !own.contains(address);
        self.questions.retain(|address, _| stays(address));
        self.known.retain(|address, _| stays(address));
        if self.known.len() == before { Vec::new() } else { vec![Effect::Tell(self.known())] }
    }

    fn question(&mut self, target: Ipv6Addr, from: Option<Ipv6Addr>, now: Instant) -> Vec<Effect> {
        if !self.is_candidate(target) {
            return Vec::new();
        }
        if let Some(question) = self.questions.get_mut(&target) {
            wait(&mut question.waiting, from);
            return Vec::new();
        }
        // A stranger who asks for every address must not keep those from being asked for that are there.
        if self.questions.len() >= MOST_ASKED && !self.known.contains_key(&target) {
            return Vec::new();
        }
        let waiting = from.into_iter().collect();
        self.questions.insert(target, Question { asked_at: now, tries: 1, waiting });
        vec![Effect::Ask(target)]
    }

    fn answered(&mut self, target: Ipv6Addr, now: Instant) -> Vec<Effect> {
        if !self.is_candidate(target) {
            return Vec::new();
        }
        if let Some(known) = self.known.get_mut(&target) {
            known.answered_at = now;
            return if known.passes { self.answer(target) } else { Vec::new() };
        }
        // Only what was asked for: an advertisement nobody asked for is no proof, but worth a question.
        if !self.questions.contains_key(&target) {
            return self.question(target, None, now);
        }
        if self.known.len() >= MOST_KNOWN {
            let oldest =
                self.known.iter().min_by_key(|(_, known)| known.answered_at).map(|(address, _)| *address);
            oldest.and_then(|address| self.known.remove(&address));
        }
        self.known.insert(target, Known { answered_at: now, passes: false });
        vec![Effect::Tell(self.known())]
    }

    fn passes(&mut self, list: &[Ipv6Addr]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for address in list {
            if let Some(known) = self.known.get_mut(address) {
                known.passes = true;
                effects.extend(self.answer(*address));
            }
        }
        effects
    }

    /// Everybody who waits for it is answered.
    fn answer(&mut self, target: Ipv6Addr) -> Vec<Effect> {
        let waiting = self.questions.remove(&target).map(|question| question.waiting).unwrap_or_default();
        waiting.into_iter().map(|from| Effect::Answer(target, from)).collect()
    }

    fn tick(&mut self, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        let before = self.known.len();
        self.known.retain(|_, known| known.answered_at + PATIENCE > now);
        if self.known.len() != before {
            effects.push(Effect::Tell(self.known()));
        }
        let known = &self.known;
        self.questions.retain(|target, question| {
            if question.asked_at + AGAIN > now {
                return true;
            }
            // It has answered and waits to be let pass: asked no more, but not forgotten.
            if known.get(target).is_some_and(|known| !known.passes) {
                return true;
            }
            if question.tries >= TRIES {
                return false;
            }
            question.tries += 1;
            question.asked_at = now;
            effects.push(Effect::Ask(*target));
            true
        });
        let due: Vec<Ipv6Addr> = self
            .known
            .iter()
            .filter(|(_, known)| known.answered_at + EVERY <= now)
            .map(|(one, _)| *one)
            .collect();
        effects.extend(due.into_iter().flat_map(|address| self.question(address, None, now)));
        if self.known.values().any(|known| !known.passes) {
            // It was told and could not be taken: it is told again.
            effects.push(Effect::Tell(self.known()));
        }
        effects
    }
}

fn wait(waiting: &mut Vec<Ipv6Addr>, from: Option<Ipv6Addr>) {
    let Some(from) = from.filter(|from| !waiting.contains(from)) else { return };
    if waiting.len() < MOST_WAITING {
        waiting.push(from);
    }
}

/// The first 64 bits of an address.
pub const fn prefix(address: Ipv6Addr) -> u64 {
    (address.to_bits() >> 64) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    const BOX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0xb0);

    fn host(nth: u16) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, nth)
    }

    fn ready(now: Instant) -> Answerer {
        let mut answerer = Answerer::default();
        let ground = Event::Ground { prefixes: BTreeSet::from([prefix(BOX)]), own: BTreeSet::from([BOX]) };
        assert_eq!(answerer.take(ground, now), []);
        answerer
    }

    #[test]
    fn it_asks_first_tells_and_answers_when_the_packets_pass() {
        let now = Instant::now();
        let mut answerer = ready(now);
        let asked = Event::Asked { target: host(7), from: ROUTER };
        assert_eq!(answerer.take(asked.clone(), now), [Effect::Ask(host(7))]);
        assert_eq!(answerer.take(asked.clone(), now), [], "a question that is under way is not asked again");
        assert_eq!(answerer.take(Event::Answered(host(7)), now), [Effect::Tell(vec![host(7)])]);
        let passes = answerer.take(Event::Passes(vec![host(7)]), now);
        assert_eq!(passes, [Effect::Answer(host(7), ROUTER)]);
        assert_eq!(answerer.take(asked, now), [Effect::Ask(host(7))], "also what is known is asked again");
        assert_eq!(answerer.take(Event::Answered(host(7)), now), [Effect::Answer(host(7), ROUTER)]);
    }

    #[test]
    fn the_box_itself_and_other_prefixes_are_no_terminals() {
        let now = Instant::now();
        let mut answerer = ready(now);
        for target in [BOX, "2001:db8:0:2::7".parse().unwrap(), ROUTER] {
            assert_eq!(answerer.take(Event::Asked { target, from: ROUTER }, now), []);
            assert_eq!(answerer.take(Event::Used(target), now), []);
            assert_eq!(answerer.take(Event::Answered(target), now), []);
        }
    }

    #[test]
    fn nobody_answers_for_an_address_that_is_not_there_and_it_is_forgotten() {
        let now = Instant::now();
        let mut answerer = ready(now);
        let _ = answerer.take(Event::Asked { target: host(9), from: ROUTER }, now);
        let ticks =
            (1..20).map(|nth| answerer.take(Event::Tick, now + AGAIN * nth)).collect::<Vec<_>>().concat();
        assert_eq!(ticks, vec![Effect::Ask(host(9)); usize::from(TRIES) - 1]);
        assert!(answerer.questions.is_empty());
    }

    #[test]
    fn an_address_that_is_silent_for_long_is_no_terminals_any_more() {
        let now = Instant::now();
        let mut answerer = ready(now);
        let _ = answerer.take(Event::Used(host(7)), now);
        let _ = answerer.take(Event::Answered(host(7)), now);
        let _ = answerer.take(Event::Passes(vec![host(7)]), now);
        assert_eq!(answerer.take(Event::Tick, now + EVERY), [Effect::Ask(host(7))]);
        assert!(answerer.take(Event::Tick, now + PATIENCE).contains(&Effect::Tell(vec![])));
    }

    #[test]
    fn a_renumbering_forgets_what_lay_in_the_prefix_that_is_gone() {
        let now = Instant::now();
        let mut answerer = ready(now);
        let _ = answerer.take(Event::Used(host(7)), now);
        let _ = answerer.take(Event::Answered(host(7)), now);
        let ground = Event::Ground { prefixes: BTreeSet::new(), own: BTreeSet::new() };
        assert_eq!(answerer.take(ground, now), [Effect::Tell(vec![])]);
    }

    proptest! {
        #[test]
        fn whatever_strangers_do_memory_is_bounded_and_nothing_is_answered_that_did_not_answer_and_pass(
            steps in prop::collection::vec((0_u8..6, 0_u16..400, 0_u64..90_000), 1..300)
        ) {
            let mut now = Instant::now();
            let mut answerer = ready(now);
            let (mut answered, mut passed) = (BTreeSet::new(), BTreeSet::new());
            for (what, nth, millis) in steps {
                now += Duration::from_millis(millis);
                let address = host(nth);
                let event = match what {
                    0 => Event::Asked { target: address, from: ROUTER },
                    1 => Event::Asked { target: address, from: host(nth / 2) },
                    2 => Event::Used(address),
                    3 => { answered.insert(address); Event::Answered(address) }
                    4 => { passed.insert(address); Event::Passes(vec![address]) }
                    _ => Event::Tick,
                };
                for effect in answerer.take(event, now) {
                    if let Effect::Answer(target, _) = effect {
                        prop_assert!(answered.contains(&target) && passed.contains(&target));
                        prop_assert!(target != BOX);
                    }
                }
                prop_assert!(answerer.questions.len() <= MOST_ASKED + MOST_KNOWN);
                prop_assert!(answerer.known.len() <= MOST_KNOWN);
            }
        }
    }
}
