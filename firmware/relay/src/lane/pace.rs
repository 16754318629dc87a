//! How fast a lane may go: kinds have a rate, and the backlog gets at most half of the time.

use std::time::{Duration, Instant};

use crate::name::{KindId, Table};

/// A rate counts in windows of this length.
const WINDOW: Duration = Duration::from_secs(60);

/// The pace of one lane.
#[derive(Debug)]
pub struct Pace {
    kinds: Vec<Option<Window>>,
    now: Instant,
    backlog_from: Instant,
}

/// What a kind was allowed and has used in its window.
#[derive(Clone, Copy, Debug)]
struct Window {
    most: usize,
    used: usize,
    begun: Instant,
}

impl Pace {
    /// Of these kinds.
    pub fn new(table: &Table, now: Instant) -> Self {
        let window = |kind: &model::Kind| {
            let most = kind.per_minute.and_then(|rate| usize::try_from(rate).ok())?;
            Some(Window { most, used: 0, begun: now })
        };
        let ids = 0..KindId::try_from(table.len()).unwrap_or(KindId::MAX);
        let kinds = ids.map(|id| table.kind(id).and_then(window)).collect();
        Self { kinds, now, backlog_from: now }
    }

    /// What time it is, for everything that follows.
    pub fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    /// How many of a kind may go now.
    pub fn free(&mut self, kind: usize) -> usize {
        let Some(Some(window)) = self.kinds.get_mut(kind) else { return usize::MAX };
        if self.now.saturating_duration_since(window.begun) >= WINDOW {
            (window.begun, window.used) = (self.now, 0);
        }
        window.most.saturating_sub(window.used)
    }

    /// One of a kind goes.
    pub fn took(&mut self, kind: KindId) {
        if let Some(Some(window)) = self.kinds.get_mut(usize::from(kind)) {
            window.used += 1;
        }
    }

    /// When a kind that may not go now may go again; none if it may.
    pub fn full_until(&mut self, kind: KindId) -> Option<Instant> {
        if self.free(usize::from(kind)) > 0 {
            return None;
        }
        self.kinds.get(usize::from(kind))?.map(|window| window.begun + WINDOW)
    }

    /// The earliest time at which a rate that is used up begins anew.
    pub fn due(&self) -> Option<Instant> {
        let full = self.kinds.iter().flatten().filter(|window| window.used >= window.most);
        full.map(|window| window.begun + WINDOW).min()
    }

    /// Whether the backlog may have its turn.
    pub fn backlog(&self) -> bool {
        self.now >= self.backlog_from
    }

    /// When the backlog may have its turn.
    pub const fn backlog_from(&self) -> Instant {
        self.backlog_from
    }

    /// The backlog had a turn of this length, which ended now: it rests as long.
    pub fn rest(&mut self, took: Duration, now: Instant) {
        self.backlog_from = now + took;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::kinds;

    #[test]
    fn a_kind_goes_at_its_rate_and_again_in_the_next_minute() {
        let mut limited = kinds();
        limited[0].per_minute = Some(2);
        let begun = Instant::now();
        let mut pace = Pace::new(&Table::new(&limited), begun);
        assert_eq!((pace.free(0), pace.free(1)), (2, usize::MAX));
        pace.took(0);
        pace.took(0);
        pace.took(1);
        assert_eq!((pace.free(0), pace.full_until(0)), (0, Some(begun + WINDOW)));
        assert_eq!(pace.due(), Some(begun + WINDOW));
        pace.tick(begun + WINDOW);
        assert_eq!((pace.free(0), pace.due()), (2, None));
    }

    #[test]
    fn the_backlog_rests_as_long_as_it_worked() {
        let begun = Instant::now();
        let mut pace = Pace::new(&Table::new(&kinds()), begun);
        assert!(pace.backlog());
        pace.rest(Duration::from_millis(40), begun + Duration::from_millis(40));
        pace.tick(begun + Duration::from_millis(79));
        assert!(!pace.backlog());
        pace.tick(begun + Duration::from_millis(80));
        assert!(pace.backlog());
    }
}
