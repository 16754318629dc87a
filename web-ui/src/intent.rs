//! What a visitor may want done. The page carries it on; whoever acts decides.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// Something a visitor wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// To look at every rung now. Changes nothing, so nobody has to sign in.
    Check,
}

/// A full look asks the centre and the terminal something; so it is asked for this often at the most, however many
/// visitors want it.
const CHECKS_APART: Duration = Duration::from_secs(10);

/// Carries intents to whoever acts on them.
#[derive(Clone, Debug)]
pub struct Intents {
    to: mpsc::Sender<Intent>,
    checked: Arc<Mutex<Option<Instant>>>,
}

impl Intents {
    /// Intents that arrive at `to`. One that finds no room there is dropped: the same is under way already.
    pub fn new(to: mpsc::Sender<Intent>) -> Self {
        Self { to, checked: Arc::default() }
    }

    /// Wants a full look, unless somebody did a moment ago: then the page is as fresh as it gets.
    pub fn check(&self, now: Instant) {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.is_none_or(|before| now.saturating_duration_since(before) >= CHECKS_APART)
            && self.to.try_send(Intent::Check).is_ok()
        {
            *checked = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_want_a_look_there_is_one_in_ten_seconds() {
        let (to, mut wanted) = mpsc::channel(4);
        let intents = Intents::new(to);
        let start = Instant::now();
        for second in [0, 0, 3, 9] {
            intents.clone().check(start + Duration::from_secs(second));
        }
        assert_eq!((wanted.try_recv(), wanted.try_recv().is_err()), (Ok(Intent::Check), true));
        intents.check(start + Duration::from_secs(10));
        assert_eq!(wanted.try_recv(), Ok(Intent::Check));
    }

    #[test]
    fn a_look_that_found_no_room_is_not_counted() {
        let (to, mut wanted) = mpsc::channel(1);
        to.try_send(Intent::Check).unwrap();
        let intents = Intents::new(to);
        let start = Instant::now();
        intents.check(start);
        wanted.try_recv().unwrap();
        intents.check(start);
        assert_eq!(wanted.try_recv(), Ok(Intent::Check));
    }
}
