//! What lies on a terminal where answers are, and is of no known kind: kinds are added every year, and a table of kinds
//! that is too old leaves them there. Only counted; a name may be a patient's.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What lies there for less may be a file on its way to its name.
const LIES: Duration = Duration::from_secs(60);
/// So many are told apart in a folder; beyond that it makes no difference.
const MOST: usize = 1000;

/// The strangers of each inlet, and since when each lies there.
#[derive(Debug, Default)]
pub struct Strangers(HashMap<usize, HashMap<String, Instant>>);

impl Strangers {
    /// These lie in this inlet now.
    pub fn see<'n>(&mut self, inlet: usize, names: impl Iterator<Item = &'n str>, now: Instant) {
        let before = self.0.remove(&inlet).unwrap_or_default();
        let since = |name: &str| before.get(name).copied().unwrap_or(now);
        self.0.insert(inlet, names.take(MOST).map(|name| (name.to_owned(), since(name))).collect());
    }

    /// How many have lain there long enough to be no passing thing.
    pub fn count(&self, now: Instant) -> u64 {
        let lies = |since: &&Instant| now.saturating_duration_since(**since) >= LIES;
        self.0.values().map(|names| names.values().filter(lies).count() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_for_a_minute_is_a_stranger_and_what_went_is_forgotten() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut strangers = Strangers::default();
        strangers.see(0, ["new_1.xml", "new_2.xml"].into_iter(), begin);
        strangers.see(1, ["other.xml"].into_iter(), after(30));
        assert_eq!(strangers.count(after(59)), 0);
        assert_eq!(strangers.count(after(60)), 2);
        strangers.see(0, ["new_2.xml"].into_iter(), after(61));
        assert_eq!(strangers.count(after(61)), 1);
        assert_eq!(strangers.count(after(90)), 2);
        let many: Vec<String> = (0..MOST + 5).map(|number| number.to_string()).collect();
        strangers.see(1, many.iter().map(String::as_str), after(91));
        strangers.see(1, many.iter().map(String::as_str), after(200));
        assert_eq!(strangers.count(after(200)), 1 + MOST as u64);
    }
}
