//! Is there a router on the line, and if not, why not? A state machine over what was advertised, what routes the
//! kernel holds, and time: pure, so that thirty seconds pass in a test without waiting for them.
//!
//! A router is present while an advertisement of it has not expired (RFC 4861 section 6.3.4) or the kernel holds a
//! default route through it; so a restarted daemon need not wait for the next advertisement. When the last one is
//! gone there are two stories: it said goodbye (lifetime 0), or nobody spoke for [`PATIENCE`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use model::observation::ROUTER_PATIENCE_S;

use crate::icmp6::Advertisement;

/// How long the line may be without a router before that is a fault.
const PATIENCE: Duration = Duration::from_secs(ROUTER_PATIENCE_S);
/// RFC 7559 section 2: after the first solicitation so long until the second, then twice as long each time,
const FIRST_AGAIN: Duration = Duration::from_secs(4);
/// but never longer than this: as long as there is no router, one that comes back without a word is found.
const LONGEST_AGAIN: Duration = Duration::from_secs(3600);
/// A stranger who invents routers must not fill our memory.
const ROUTERS_KEPT: usize = 16;

/// How the line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is a router.
    Present,
    /// There was one, and it said that it stops.
    Goodbye,
    /// There is none, and patience has not run out.
    Waiting,
    /// There is none.
    Absent,
}

/// The watch over the line's routers.
#[derive(Debug)]
pub struct RouterWatch {
    /// Until when each advertised router counts.
    advertised: BTreeMap<Ipv6Addr, Instant>,
    /// Routers of the kernel's default routes, and until when.
    routed: BTreeMap<Ipv6Addr, Option<Instant>>,
    /// When each router that is present was first seen.
    since: BTreeMap<Ipv6Addr, Instant>,
    /// Routers that said goodbye: a route through them that is not yet cleared away brings them not back.
    departed: BTreeSet<Ipv6Addr>,
    present: bool,
    goodbye: bool,
    /// Since when there is no router, while there is none.
    lost_at: Instant,
    solicit_at: Instant,
    /// How long after the next solicitation the one after it is due.
    again: Duration,
}

impl RouterWatch {
    /// A watch that has seen nothing yet; patience begins.
    pub const fn new(now: Instant) -> Self {
        Self {
            advertised: BTreeMap::new(),
            routed: BTreeMap::new(),
            since: BTreeMap::new(),
            departed: BTreeSet::new(),
            present: false,
            goodbye: false,
            lost_at: now,
            solicit_at: now,
            again: FIRST_AGAIN,
        }
    }

    /// An advertisement came.
    pub fn advertised(&mut self, seen: Advertisement, now: Instant) {
        self.settle(now);
        let Advertisement { router, lifetime_s } = seen;
        if lifetime_s == 0 {
            // Lifetime 0 of one that never was a default router is no goodbye.
            let known = self.advertised.remove(&router).is_some() | self.routed.remove(&router).is_some();
            if known {
                if self.departed.len() < ROUTERS_KEPT {
                    self.departed.insert(router);
                }
                self.goodbye = true;
            }
        } else if self.advertised.len() < ROUTERS_KEPT || self.advertised.contains_key(&router) {
            self.departed.remove(&router);
            self.advertised.insert(router, now + Duration::from_secs(u64::from(lifetime_s)));
        }
        self.settle(now);
    }

    /// The kernel's default routes on the line's port: each router, and how long its route still lives.
    pub fn routed(&mut self, routes: &[(Ipv6Addr, Option<Duration>)], now: Instant) {
        let fresh = routes.iter().filter(|(router, _)| !self.departed.contains(router));
        self.routed = fresh.map(|(router, left)| (*router, left.map(|left| now + left))).collect();
        self.settle(now);
    }

    /// Carrier came back: what was known may be another line's. Patience begins again.
    pub fn link_up(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// How the line stands now.
    pub fn standing(&mut self, now: Instant) -> Standing {
        self.settle(now);
        match (self.present, self.goodbye) {
            (true, _) => Standing::Present,
            (false, true) => Standing::Goodbye,
            (false, false) if now < self.lost_at + PATIENCE => Standing::Waiting,
            (false, false) => Standing::Absent,
        }
    }

    /// The routers present, the kernel's first.
    pub fn routers(&self) -> Vec<Ipv6Addr> {
        let advertised = self.advertised.keys().filter(|router| !self.routed.contains_key(router));
        self.routed.keys().chain(advertised).copied().collect()
    }

    /// If more than one router is present: the one that was there first, and the newest.
    pub fn rivals(&self) -> Option<(Ipv6Addr, Ipv6Addr)> {
        let mut routers = self.routers();
        routers.sort_by_key(|router| self.since.get(router));
        match &routers[..] {
            [first, .., newest] => Some((*first, *newest)),
            _ => None,
        }
    }

    /// Whether a solicitation is due; counts it as sent. The time until the next one is taken times `chance`, so that the
    /// boxes of a whole town do not ask in step.
    pub fn solicit(&mut self, now: Instant, chance: f64) -> bool {
        self.settle(now);
        let due = !self.present && now >= self.solicit_at;
        if due {
            self.solicit_at = now + self.again.mul_f64(chance);
            self.again = (self.again * 2).min(LONGEST_AGAIN);
        }
        due
    }

    /// When to look again if nothing comes; none if nothing can change by time alone.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        let expiries = self.advertised.values().copied().chain(self.routed.values().copied().flatten());
        if self.present {
            return expiries.max();
        }
        let solicitation = Some(self.solicit_at);
        let patience = (!self.goodbye).then_some(self.lost_at + PATIENCE).filter(|end| *end > now);
        solicitation.into_iter().chain(patience).min()
    }

    /// Lets what has expired go, and notes when the last router was lost.
    fn settle(&mut self, now: Instant) {
        let expiries = self.advertised.values().copied().chain(self.routed.values().copied().flatten());
        let expired = expiries.filter(|at| *at <= now).max();
        self.advertised.retain(|_, until| *until > now);
        self.routed.retain(|_, until| until.is_none_or(|until| until > now));
        self.since
            .retain(|router, _| self.advertised.contains_key(router) || self.routed.contains_key(router));
        for router in self.routers() {
            self.since.entry(router).or_insert(now);
        }
        let present = !self.advertised.is_empty() || !self.routed.is_empty();
        if present {
            self.goodbye = false;
        } else if self.present {
            self.lost_at = expired.unwrap_or(now);
            self.solicit_at = now;
            self.again = FIRST_AGAIN;
        }
        self.present = present;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    const TWO: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);

    const fn says(router: Ipv6Addr, lifetime_s: u16) -> Advertisement {
        Advertisement { router, lifetime_s }
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_line_without_a_router_is_open_for_thirty_seconds_and_then_not() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        assert_eq!(watch.standing(t + s(29)), Standing::Waiting);
        assert_eq!(watch.standing(t + s(30)), Standing::Absent);
        watch.advertised(says(ONE, 9), t + s(40));
        assert_eq!(watch.standing(t + s(40)), Standing::Present);
    }

    #[test]
    fn patience_counts_from_the_expiry_not_from_the_look() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        watch.advertised(says(ONE, 9), t);
        assert_eq!(watch.standing(t + s(8)), Standing::Present);
        assert_eq!(watch.standing(t + s(38)), Standing::Waiting);
        assert_eq!(watch.standing(t + s(39)), Standing::Absent);
    }

    #[test]
    fn a_goodbye_is_told_from_silence_also_when_the_route_lingers() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        watch.routed(&[(ONE, None)], t);
        watch.advertised(says(ONE, 0), t + s(1));
        assert_eq!(watch.standing(t + s(1)), Standing::Goodbye);
        watch.routed(&[(ONE, None)], t + s(1));
        assert_eq!(watch.standing(t + s(100)), Standing::Goodbye);
        watch.advertised(says(ONE, 9), t + s(101));
        assert_eq!(watch.standing(t + s(101)), Standing::Present);
        assert_eq!(watch.standing(t + s(111)), Standing::Waiting);
    }

    #[test]
    fn the_goodbye_of_one_router_leaves_the_other() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        watch.advertised(says(ONE, 9), t);
        watch.advertised(says(TWO, 9), t);
        watch.advertised(says(ONE, 0), t);
        assert_eq!(watch.standing(t), Standing::Present);
        assert_eq!(watch.standing(t + s(10)), Standing::Waiting, "the other fell silent: no goodbye");
    }

    #[test]
    fn a_host_that_never_was_a_router_says_no_goodbye() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        watch.advertised(says(TWO, 0), t);
        assert_eq!(watch.standing(t), Standing::Waiting);
    }

    #[test]
    fn a_default_route_of_the_kernel_counts_at_once() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        watch.routed(&[(ONE, Some(s(9)))], t);
        assert_eq!(watch.standing(t), Standing::Present);
        assert!(!watch.solicit(t, 1.0));
        assert_eq!(watch.next(t), Some(t + s(9)));
    }

    #[test]
    fn of_two_routers_the_one_that_was_there_first_is_known_and_a_successor_has_no_rival() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        watch.advertised(says(TWO, 100), t);
        assert_eq!(watch.rivals(), None);
        watch.advertised(says(ONE, 100), t + s(1));
        assert_eq!(watch.rivals(), Some((TWO, ONE)));
        watch.advertised(says(TWO, 0), t + s(2));
        assert_eq!(watch.rivals(), None);
        watch.advertised(says(TWO, 100), t + s(3));
        assert_eq!(watch.rivals(), Some((ONE, TWO)), "who comes back comes last");
    }

    #[test]
    fn carrier_back_begins_patience_again() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        assert_eq!(watch.standing(t + s(60)), Standing::Absent);
        watch.link_up(t + s(60));
        assert_eq!(watch.standing(t + s(60)), Standing::Waiting);
    }

    #[test]
    fn solicitations_go_on_ever_farther_apart_until_there_is_a_router() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        let sent: Vec<u64> = (0..200).filter(|second| watch.solicit(t + s(*second), 1.0)).collect();
        assert_eq!(sent, [0, 4, 12, 28, 60, 124]);
        let hours: Vec<u64> = (200..30_000).filter(|second| watch.solicit(t + s(*second), 1.0)).collect();
        let apart = hours.windows(2).map(|two| two[1] - two[0]);
        assert_eq!(
            apart.collect::<Vec<_>>(),
            [256, 512, 1024, 2048, 3600, 3600, 3600, 3600, 3600, 3600, 3600]
        );
        watch.advertised(says(ONE, 9), t + s(30_000));
        assert!(!watch.solicit(t + s(30_008), 1.0));
        let lost: Vec<u64> = (30_009..30_030).filter(|second| watch.solicit(t + s(*second), 1.0)).collect();
        assert_eq!(lost, [30_009, 30_013, 30_021], "when it is lost again they begin anew");
    }

    #[test]
    fn one_that_said_goodbye_is_asked_for_as_long_as_its_route_lingers() {
        let t = Instant::now();
        let mut watch = RouterWatch::new(t);
        watch.routed(&[(ONE, Some(s(1800)))], t);
        watch.advertised(says(ONE, 0), t);
        let asked = (0..1800).filter(|second| {
            watch.routed(&[(ONE, Some(s(1800 - *second)))], t + s(*second));
            watch.solicit(t + s(*second), 1.0)
        });
        assert_eq!(asked.collect::<Vec<_>>(), [0, 4, 12, 28, 60, 124, 252, 508, 1020]);
        assert!(watch.next(t + s(1800)).is_some(), "and it goes on");
        watch.advertised(says(ONE, 1800), t + s(1800));
        assert_eq!(watch.standing(t + s(1800)), Standing::Present);
    }

    #[derive(Clone, Debug)]
    enum Event {
        Advertised(u16, u16),
        Routed(Vec<u16>),
        LinkUp,
        Solicit,
    }

    fn events() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0_u16..4, 0_u16..20).prop_map(|(router, lifetime)| Event::Advertised(router, lifetime)),
            prop::collection::vec(0_u16..4, 0..3).prop_map(Event::Routed),
            Just(Event::LinkUp),
            Just(Event::Solicit),
        ]
    }

    proptest! {
        /// Whatever happens: nobody is present without a live advertisement or route, and a router is never called
        /// absent within thirty seconds of the last advertisement that still counted.
        #[test]
        fn a_router_is_never_called_absent_too_soon(steps in prop::collection::vec((events(), 0_u64..20), 0..40)) {
            let mut now = Instant::now();
            let mut watch = RouterWatch::new(now);
            let mut last_alive = now;
            for (event, pause) in steps {
                match event {
                    Event::Advertised(router, lifetime) => {
                        let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, router);
                        watch.advertised(says(router, lifetime), now);
                    }
                    Event::Routed(routers) => {
                        let routes: Vec<_> = routers
                            .iter()
                            .map(|router| (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, *router), None))
                            .collect();
                        watch.routed(&routes, now);
                    }
                    Event::LinkUp => {
                        watch.link_up(now);
                        last_alive = now;
                    }
                    Event::Solicit => {
                        watch.solicit(now, 1.0);
                    }
                }
                if watch.standing(now) == Standing::Present {
                    prop_assert!(!watch.routers().is_empty());
                    last_alive = now;
                }
                now += s(pause);
                if watch.standing(now) == Standing::Absent {
                    prop_assert!(now >= last_alive + PATIENCE);
                    prop_assert!(watch.routers().is_empty());
                }
            }
        }
    }
}
