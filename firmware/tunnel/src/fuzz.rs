//! What reads bytes that others choose, by name, for a fuzzer (`scripts/fuzz`) and for the property below: whatever comes is
//! read to an end, without a panic.

use model::Timestamp;

use crate::{Provider, certificate, strength};

/// Reads, and says nothing.
pub type Read = fn(&[u8]);

/// Names, and what reads.
pub const TARGETS: &[(&str, Read)] =
    &[("identity", identity), ("provider", provider), ("proposal", proposal)];

fn identity(bytes: &[u8]) {
    let _ = certificate::read(&String::from_utf8_lossy(bytes), Timestamp::UNIX_EPOCH);
}

fn provider(bytes: &[u8]) {
    let _ = Provider::parse("provider.toml", &String::from_utf8_lossy(bytes), false);
}

fn proposal(bytes: &[u8]) {
    let _ = strength::read(&String::from_utf8_lossy(bytes), true);
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
