//! What reads bytes that others choose, by name, for a fuzzer (`scripts/fuzz`) and for the property below: whatever comes is
//! read to an end, without a panic.

use crate::site::maintainers::Certificate;
use crate::{Profile, Site};

/// Reads, and says nothing.
pub type Read = fn(&[u8]);

/// Names, and what reads.
pub const TARGETS: &[(&str, Read)] = &[("site", site), ("profile", profile), ("maintainer", maintainer)];

/// With the profile of the tests.
fn site(bytes: &[u8]) {
    let profile = Profile::parse("profile.toml", include_str!("../tests/data/profile.toml"));
    let _ = Site::parse("site.toml", &String::from_utf8_lossy(bytes), profile);
}

fn profile(bytes: &[u8]) {
    let _ = Profile::parse("profile.toml", &String::from_utf8_lossy(bytes));
}

fn maintainer(bytes: &[u8]) {
    let _ = Certificate::parse(&String::from_utf8_lossy(bytes));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_comes_is_read_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            super::TARGETS.iter().for_each(|(_, read)| read(&bytes));
        }
    }
}
