//! How soon a number may be typed again after wrong ones: pure. Nobody is locked out for good, and nobody tries many:
//! after the third each waits twice as long as the one before, an hour at the most.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many wrong numbers cost nothing but the next try.
const FREE: u32 = 3;
/// The first wait.
const FIRST: Duration = Duration::from_secs(10);
/// The longest.
const LONGEST: Duration = Duration::from_secs(3600);

/// The wrong numbers since the last right one. It is kept on the disk: a restart takes nothing back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tries {
    failed: u32,
    /// The start of the machine of the last one, and how long it had been running.
    last: Option<(String, Duration)>,
}

impl Tries {
    /// How long somebody has to wait yet. A machine that was started anew waits from its start.
    pub(super) fn wait(&self, boot: &str, running: Duration) -> Duration {
        let Some(doublings) = self.failed.checked_sub(FREE) else { return Duration::ZERO };
        let whole = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST);
        let from = self.last.as_ref().filter(|(of, _)| of == boot).map_or(Duration::ZERO, |(_, at)| *at);
        (from + whole).saturating_sub(running)
    }

    /// With one more, which may turn out right.
    pub(super) fn and_one(&self, boot: &str, running: Duration) -> Self {
        Self { failed: self.failed.saturating_add(1), last: Some((boot.to_owned(), running)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever tries as soon as he may, also by starting the box anew, tries fewer than 200 an hour (EN 303 645, 5.1-5).
    #[test]
    fn a_guesser_gets_few_tries_and_a_person_a_new_one_within_the_hour() {
        let (mut tries, mut running, mut count) = (Tries::default(), Duration::ZERO, 0);
        while running < Duration::from_secs(3600) {
            tries = tries.and_one("a", running);
            count += 1;
            running += tries.wait("a", running) + Duration::from_millis(1);
        }
        assert!(count < 20, "{count}");
        assert!(tries.wait("a", running) <= LONGEST);
        let booted = tries.wait("b", Duration::from_secs(1));
        assert!(booted > Duration::from_secs(1000), "a reboot shortens nothing: {booted:?}");
        assert_eq!(Tries::default().wait("a", running), Duration::ZERO);
        let many = Tries { failed: u32::MAX, last: Some(("a".into(), running)) };
        assert_eq!(many.and_one("a", running).wait("a", running), LONGEST);
    }
}
