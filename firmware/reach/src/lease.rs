//! Is the line's port lent an address, and if not, for how long? Pure, so that thirty seconds pass in a test without waiting
//! for them. Who asks by DHCP is not ours, and neither is his lease: what the kernel holds is what counts.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use model::observation::ROUTER_PATIENCE_S;

/// How long the line may be without an address before that is a fault: RFC 2131 section 4.1 asks four times in that time.
const PATIENCE: Duration = Duration::from_secs(ROUTER_PATIENCE_S);

/// An address that is lent, and who hands on what goes out by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The box's own address there.
    pub own: Ipv4Addr,
    /// The gateway in front.
    pub router: Ipv4Addr,
}

/// The watch over it.
#[derive(Debug)]
pub struct LeaseWatch {
    present: bool,
    /// Since when there is none, while there is none.
    lost_at: Instant,
}

impl LeaseWatch {
    /// A watch that has seen nothing yet; patience begins.
    pub const fn new(now: Instant) -> Self {
        Self { present: false, lost_at: now }
    }

    /// Carrier came back: patience begins again.
    pub const fn link_up(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// Whether there is an address and a way out now. Says whether the line has been without them for too long.
    pub fn seen(&mut self, present: bool, now: Instant) -> bool {
        if self.present && !present {
            self.lost_at = now;
        }
        self.present = present;
        !present && now >= self.lost_at + PATIENCE
    }

    /// When to look again if nothing comes; none if nothing can change by time alone.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        Some(self.lost_at + PATIENCE).filter(|end| !self.present && *end > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_address_is_open_for_thirty_seconds_and_then_not() {
        let t = Instant::now();
        let s = |seconds| t + Duration::from_secs(seconds);
        let mut watch = LeaseWatch::new(t);
        assert!(!watch.seen(false, s(29)));
        assert_eq!(watch.next(s(29)), Some(s(30)));
        assert!(watch.seen(false, s(30)));
        assert_eq!(watch.next(s(30)), None);
        assert!(!watch.seen(true, s(40)));
        assert_eq!(watch.next(s(40)), None);
        assert!(!watch.seen(false, s(50)), "patience counts from the loss");
        assert!(!watch.seen(false, s(79)));
        assert!(watch.seen(false, s(80)));
        watch.link_up(s(90));
        assert!(!watch.seen(false, s(100)), "a cable that is back may be another line's");
    }
}
