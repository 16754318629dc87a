//! How often the receipt computer's cloud is asked: by a clock of its own, so that no look at the line waits for it, and the less
//! often the longer it does not hold, so that no gateway is asked without a pause by every clinic that lost it.

use std::time::Duration;

use tokio::time::Instant;

use crate::chance;

/// While all of it holds, and at most while it does not: as other people's hosts.
const EVERY: Duration = Duration::from_secs(60);
/// After the first time it did not; doubled with each further one.
const FIRST: Duration = Duration::from_secs(10);
/// What came back below it is a reason to ask sooner, but not without a pause.
const BREATH: Duration = Duration::from_secs(2);

/// When it is asked next.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    asked: Option<Instant>,
    due: Instant,
    /// How often in a row it did not hold.
    failed: u32,
}

impl Pace {
    /// At once.
    pub const fn new(now: Instant) -> Self {
        Self { asked: None, due: now, failed: 0 }
    }

    /// It has been asked.
    pub fn asked(&mut self, holds: bool, now: Instant) {
        self.failed = if holds { 0 } else { self.failed.saturating_add(1) };
        self.asked = Some(now);
        self.due = now + pause(self.failed).mul_f64(chance::around_one(0.2));
    }

    /// When it is due; `wanted`: something below it is another than when it was asked.
    pub fn due(&self, wanted: bool) -> Instant {
        match self.asked {
            Some(asked) if wanted => self.due.min(asked + BREATH),
            _ => self.due,
        }
    }
}

fn pause(failed: u32) -> Duration {
    match failed.checked_sub(1) {
        None => EVERY,
        Some(before) => FIRST.saturating_mul(1_u32.checked_shl(before).unwrap_or(u32::MAX)).min(EVERY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_hold_is_asked_less_and_less_often_and_never_seldomer_than_others() {
        assert_eq!([0, 1, 2, 3, 4, 40].map(|failed| pause(failed).as_secs()), [60, 10, 20, 40, 60, 60]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_pauses_are_jittered_and_begin_anew_once_it_held() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        assert_eq!(pace.due(false), now);
        for (holds, wanted) in [(false, 10), (false, 20), (false, 40), (false, 60), (true, 60), (false, 10)] {
            pace.asked(holds, now);
            let waits = pace.due(false).duration_since(now).as_secs_f64();
            assert!(
                (0.8 * f64::from(wanted)..=1.2 * f64::from(wanted)).contains(&waits),
                "{waits} of {wanted}"
            );
            assert_eq!(pace.due(true), now + BREATH);
        }
    }
}
