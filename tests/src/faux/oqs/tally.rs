//! What an outside judge may ask the link application: how often each request came, and in what state.

use std::collections::{HashMap, HashSet};
use std::fmt;

use aws_lc_rs::digest;

/// The tally of one run. It knows names by a hash only.
#[derive(Debug, Default)]
pub struct Tally {
    taken: HashMap<u64, u32>,
    torn: HashSet<u64>,
    /// Requests that came into being under their final name, in full view while they were written.
    created: u64,
    /// Answers written.
    answered: u64,
    /// Face results written.
    faces: u64,
}

impl Tally {
    /// A request was taken out of `req`.
    pub fn take(&mut self, name: &str) {
        *self.taken.entry(hash(name)).or_default() += 1;
    }

    /// A request was seen that does not end as its kind ends.
    pub fn tear(&mut self, name: &str) {
        self.torn.insert(hash(name));
    }

    /// A request was created under its final name.
    pub const fn create(&mut self) {
        self.created += 1;
    }

    /// An answer was written.
    pub const fn answer(&mut self) {
        self.answered += 1;
    }

    /// A face result was written.
    pub const fn face(&mut self) {
        self.faces += 1;
    }

    /// How often the request with this hash of its name was taken.
    pub fn seen(&self, name: u64) -> u32 {
        self.taken.get(&name).copied().unwrap_or(0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doubled = self.taken.values().filter(|times| **times > 1).count();
        let taken: u32 = self.taken.values().sum();
        let Self { torn, created, answered, faces, .. } = self;
        let torn = torn.len();
        write!(
            f,
            "taken={taken} doubled={doubled} torn={torn} created={created} answered={answered} faces={faces}"
        )
    }
}

/// The hash under which a name is remembered; without case, as Windows compares.
pub fn hash(name: &str) -> u64 {
    let hash = digest::digest(&digest::SHA256, name.to_ascii_lowercase().as_bytes());
    hash.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
