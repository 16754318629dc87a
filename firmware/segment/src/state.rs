//! What the terminals' segment must have, out of what the line gives and which addresses were found there. Pure.
//!
//! A prefix that the line no longer gives, or gives as deprecated, is told the terminals with a lifetime of 0 at once (RFC 9096
//! section 3.5), for as long as one that was told last could still believe in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use model::segment::SegmentPart;
use model::site::prefix::Prefix;
use model::site::uplink::Line;
use model::{Site, Zone};

/// How the line gives its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By advertisement: line and terminals share one /64, and each address of a terminal is a route of its own.
    Shared,
    /// By delegation: the terminals' port has a /64 of its own.
    Delegated,
}

/// What is known beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How the line gives its prefix.
    pub kind: Kind,
    /// The line's port.
    pub line: String,
    /// The terminals' port.
    pub terminals: String,
}

impl Plan {
    /// The plan for a site; none where the terminals have no IPv6 from the line.
    pub fn of(site: &Site) -> Option<Self> {
        let kind = match site.line {
            Line::Ra => Kind::Shared,
            Line::Pd => Kind::Delegated,
            Line::Ipsec(_) | Line::Pppoe(_) => return None,
        };
        let port = |zone| site.port(zone).to_owned();
        Some(Self { kind, line: port(Zone::Wan), terminals: port(Zone::Terminal) })
    }
}

/// How long the terminals may believe in a prefix after its last advertisement, seconds: preferred, and valid at all
/// (RFC 9096 section 3.3 asks for as little).
pub const LIFETIMES_S: [u32; 2] = [2_700, 5_400];

/// How long a terminal may keep a prefix that it was once told (RFC 4862 section 5.5.3 e).
const REMEMBERED: Duration = Duration::from_secs(7_200);

/// How long the line may give nothing, with its cable in, before that is said: a router is waited for as long.
const PATIENCE: Duration = Duration::from_secs(model::observation::ROUTER_PATIENCE_S);

/// No more prefixes than this are remembered: a line that changes without a pause must not fill an advertisement.
const MOST_GONE: usize = 8;

/// The segment.
#[derive(Clone, Debug)]
pub struct Segment {
    kind: Kind,
    given: BTreeSet<Prefix>,
    gone: BTreeMap<Prefix, Instant>,
    found: BTreeSet<Ipv6Addr>,
    /// What the line gives as a rule: another one becomes that when nobody can believe in this one any more.
    usual: BTreeSet<Prefix>,
    /// Since when it gives another.
    moved: Option<Instant>,
    /// Since when it gives nothing, with its cable in.
    empty: Option<Instant>,
}

/// What the segment must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The terminals' addresses on the line: with a shared prefix one by one, with a delegation its part.
    pub terminals: Vec<Prefix>,
    /// Addresses with a route of their own to the terminals' port.
    pub routes: BTreeSet<Ipv6Addr>,
    /// Prefixes that the terminals are told.
    pub told: Vec<Prefix>,
    /// Prefixes that they are told to leave.
    pub left: Vec<Prefix>,
}

impl Segment {
    /// A segment that has seen nothing yet.
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            given: BTreeSet::new(),
            gone: BTreeMap::new(),
            found: BTreeSet::new(),
            usual: BTreeSet::new(),
            moved: None,
            empty: None,
        }
    }

    /// What the line gives now: the prefixes of the addresses that the kernel holds as good, on the line's port where they
    /// are shared, on the terminals' where they are delegated. What is no /64 beyond the link is nothing.
    pub fn given(&mut self, now: impl IntoIterator<Item = Prefix>, at: Instant) {
        let mut new: BTreeSet<Prefix> =
            now.into_iter().filter(is_whole).map(|prefix| prefix.as_network()).collect();
        if self.kind == Kind::Shared {
            // Whoever is on the line may advertise a prefix there, and the kernel takes it: the one that was first stays for
            // as long as it is good.
            let stays = new.iter().find(|prefix| self.given.contains(prefix)).or_else(|| new.first());
            new = stays.copied().into_iter().collect();
        }
        for lost in self.given.difference(&new) {
            self.gone.insert(*lost, at + REMEMBERED);
        }
        self.gone.retain(|prefix, until| *until > at && !new.contains(prefix));
        while self.gone.len() > MOST_GONE {
            let oldest = self.gone.iter().min_by_key(|(_, until)| **until).map(|(prefix, _)| *prefix);
            oldest.and_then(|prefix| self.gone.remove(&prefix));
        }
        self.given = new;
        self.compare(at);
    }

    /// A renumbering is told until the line gives what it gave before, or nobody can believe in that any more.
    fn compare(&mut self, at: Instant) {
        if self.given.is_empty() {
            self.empty = self.empty.or(Some(at));
            return;
        }
        self.empty = None;
        if !self.usual.is_disjoint(&self.given) {
            self.moved = None;
            return;
        }
        let moved = *self.moved.get_or_insert(at);
        if self.usual.is_empty() || at >= moved + REMEMBERED {
            (self.usual, self.moved) = (self.given.clone(), None);
        }
    }

    /// The line's cable is out: what it does not give then is no word of the line's.
    pub const fn unplugged(&mut self) {
        self.empty = None;
    }

    /// What is said of it.
    pub fn part(&self, at: Instant) -> SegmentPart {
        let before = self.moved.map(|_| self.usual.iter().copied().collect());
        SegmentPart {
            delegated: self.kind == Kind::Delegated,
            given: self.given.iter().copied().collect(),
            before: before.unwrap_or_default(),
            missing: self.empty.is_some_and(|since| at >= since + PATIENCE),
        }
    }

    /// Prefixes that the kernel still holds and that are no longer good: terminals may still believe in them, also after a
    /// restart of ours.
    pub fn deprecated(&mut self, list: impl IntoIterator<Item = Prefix>, at: Instant) {
        for prefix in list.into_iter().filter(is_whole).map(|prefix| prefix.as_network()) {
            if !self.given.contains(&prefix) && self.gone.len() < MOST_GONE {
                self.gone.entry(prefix).or_insert(at + REMEMBERED);
            }
        }
    }

    /// These addresses answer on the terminals' side, and no others.
    pub fn found(&mut self, addresses: impl IntoIterator<Item = Ipv6Addr>) {
        self.found = addresses.into_iter().collect();
    }

    /// What the segment must have now.
    pub fn wanted(&self) -> Wanted {
        let (told, left) =
            (self.given.iter().copied().collect::<Vec<_>>(), self.gone.keys().copied().collect());
        let (terminals, routes) = match self.kind {
            Kind::Delegated => (told.clone(), BTreeSet::new()),
            Kind::Shared => {
                let ours = |address: &&Ipv6Addr| told.iter().any(|one| one.contains(IpAddr::V6(**address)));
                let routes: BTreeSet<Ipv6Addr> = self.found.iter().filter(ours).copied().collect();
                (routes.iter().map(|address| alone(*address)).collect(), routes)
            }
        };
        Wanted { terminals, routes, told, left }
    }
}

const fn alone(address: Ipv6Addr) -> Prefix {
    Prefix { address: IpAddr::V6(address), length: 128 }
}

/// RFC 4862 wants 64 bits of an Ethernet's prefix; RFC 4291 section 2.4 and RFC 4193 say what lies beyond the link.
fn is_whole(prefix: &Prefix) -> bool {
    let IpAddr::V6(address) = prefix.address else { return false };
    prefix.length == 64 && is_wide(address)
}

/// Whether an address has a meaning beyond the link.
pub const fn is_wide(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    first & 0xe000 == 0x2000 || first & 0xfe00 == 0xfc00
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn net(nth: u8) -> Prefix {
        format!("2001:db8:0:{nth:x}::/64").parse().unwrap()
    }

    fn address(net: u8, host: u8) -> Ipv6Addr {
        format!("2001:db8:0:{net:x}::{host:x}").parse().unwrap()
    }

    #[test]
    fn a_prefix_that_is_lost_is_left_at_once_and_forgotten_when_nobody_can_believe_in_it() {
        let (mut segment, now) = (Segment::new(Kind::Delegated), Instant::now());
        segment.given([net(1)], now);
        assert_eq!(segment.wanted().terminals, [net(1)]);
        segment.given([net(2)], now);
        let wanted = segment.wanted();
        assert_eq!((wanted.told, wanted.left, wanted.terminals), (vec![net(2)], vec![net(1)], vec![net(2)]));
        segment.given([net(2)], now + REMEMBERED);
        assert!(segment.wanted().left.is_empty());
    }

    #[test]
    fn a_renumbering_is_told_until_it_is_undone_or_the_old_prefix_is_forgotten() {
        let (mut segment, now) = (Segment::new(Kind::Delegated), Instant::now());
        let mut before = |nets: &[u8], at| {
            segment.given(nets.iter().copied().map(net), at);
            segment.part(at).before
        };
        assert!(before(&[1], now).is_empty());
        assert!(before(&[1, 2], now).is_empty(), "both are good for a moment");
        assert_eq!(before(&[2], now), [net(1)]);
        assert_eq!(before(&[], now), [net(1)], "a pause is no end");
        assert!(before(&[1], now).is_empty(), "it came back");
        assert_eq!(before(&[2], now), [net(1)]);
        assert_eq!(before(&[3], now + REMEMBERED / 2), [net(1)]);
        assert!(before(&[3], now + REMEMBERED).is_empty(), "from now on this one is the line's");
        assert_eq!(before(&[1], now + REMEMBERED), [net(3)]);
    }

    #[test]
    fn a_line_that_gives_nothing_is_missed_after_its_time_and_not_while_its_cable_is_out() {
        let (mut segment, now) = (Segment::new(Kind::Delegated), Instant::now());
        segment.given([], now);
        assert!(!segment.part(now).missing);
        assert!(segment.part(now + PATIENCE).missing);
        segment.unplugged();
        segment.given([], now + PATIENCE);
        assert!(!segment.part(now + PATIENCE).missing, "its time begins again");
        segment.given([net(1)], now + PATIENCE);
        assert!(!segment.part(now + 3 * PATIENCE).missing);
    }

    #[test]
    fn a_strangers_prefix_beside_the_lines_is_not_told_until_the_lines_own_is_no_longer_good() {
        let (mut segment, now) = (Segment::new(Kind::Shared), Instant::now());
        for (nets, told) in [(vec![5], 5), (vec![2, 5], 5), (vec![2], 2)] {
            segment.given(nets.into_iter().map(net), now);
            assert_eq!(segment.wanted().told, [net(told)]);
        }
    }

    #[test]
    fn a_prefix_that_comes_back_is_told_again() {
        let (mut segment, now) = (Segment::new(Kind::Shared), Instant::now());
        for nets in [vec![net(1)], vec![], vec![net(1)]] {
            segment.given(nets, now);
        }
        let wanted = segment.wanted();
        assert_eq!((wanted.told, wanted.left), (vec![net(1)], vec![]));
    }

    #[test]
    fn with_a_shared_prefix_only_what_answers_and_lies_in_it_is_a_terminals() {
        let (mut segment, now) = (Segment::new(Kind::Shared), Instant::now());
        segment.given([net(1)], now);
        segment.found([address(1, 7), address(2, 7)]);
        let wanted = segment.wanted();
        assert_eq!(wanted.terminals, [alone(address(1, 7))]);
        assert_eq!(wanted.routes, BTreeSet::from([address(1, 7)]));
        segment.given([net(2)], now);
        assert_eq!(
            segment.wanted().terminals,
            [alone(address(2, 7))],
            "the sets follow a renumbering at once"
        );
    }

    #[test]
    fn what_is_no_prefix_of_a_line_is_nothing() {
        let mut segment = Segment::new(Kind::Delegated);
        let strange = ["fe80::/64", "2001:db8::/56", "192.0.2.0/24", "ff02::/64"];
        segment.given(strange.map(|one| one.parse().unwrap()), Instant::now());
        assert_eq!(segment.wanted(), Wanted::default());
    }

    proptest! {
        #[test]
        fn in_any_order_no_prefix_is_told_and_left_and_every_terminal_lies_in_one_that_is_told(
            steps in prop::collection::vec((prop::collection::vec(0_u8..12, 0..3), prop::collection::vec((0_u8..12, 1_u8..5), 0..6), 0_u64..4_000), 1..40),
            shared in any::<bool>(),
        ) {
            let kind = if shared { Kind::Shared } else { Kind::Delegated };
            let (mut segment, mut now) = (Segment::new(kind), Instant::now());
            let mut before: Vec<Prefix> = Vec::new();
            for (nets, found, seconds) in steps {
                now += Duration::from_secs(seconds);
                segment.given(nets.into_iter().map(net), now);
                segment.found(found.into_iter().map(|(net, host)| address(net, host)));
                let wanted = segment.wanted();
                prop_assert!(wanted.told.iter().all(|one| !wanted.left.contains(one)));
                prop_assert!(wanted.left.len() <= MOST_GONE);
                for lost in before.iter().filter(|one| !wanted.told.contains(one)) {
                    prop_assert!(wanted.left.contains(lost), "what was told last is left at once");
                }
                prop_assert!(wanted.terminals.iter().all(|one| wanted.told.iter().any(|told| told.contains(one.address))));
                before = wanted.told;
            }
        }
    }
}
