//! What reads bytes that others choose, by name, for a fuzzer (`scripts/fuzz`) and for the property below: whatever comes is
//! read to an end, without a panic.

use crate::{inspect, whole};

/// Reads, and says nothing.
pub type Read = fn(&[u8]);

/// Names, and what reads.
pub const TARGETS: &[(&str, Read)] = &[("answer", answer), ("end-of-a-file", end)];

fn answer(bytes: &[u8]) {
    let _ = inspect::outcome(bytes);
}

fn end(bytes: &[u8]) {
    for extension in ["xml", "zip", "pdf"] {
        let _ = whole::end(extension, bytes, bytes.len() as u64);
    }
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
