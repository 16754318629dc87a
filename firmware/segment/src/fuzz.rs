//! What reads bytes that others choose, by name, for a fuzzer (`scripts/fuzz`) and for the property below: whatever comes is
//! read to an end, without a panic.

use crate::answer::message;
use crate::names::frame::Frames;
use crate::names::tap;

/// Reads, and says nothing.
pub type Read = fn(&[u8]);

/// Names, and what reads.
pub const TARGETS: &[(&str, Read)] =
    &[("neighbour", neighbour), ("answers-of-the-resolver", names), ("answer-of-the-resolver", name)];

fn neighbour(bytes: &[u8]) {
    let _ = message::read(bytes);
}

/// As a stream, in two pieces.
fn names(bytes: &[u8]) {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut frames = Frames::default();
    for frame in [first, second].into_iter().filter_map(|piece| frames.take(piece)).flatten() {
        let _ = tap::read(&frame);
    }
}

fn name(bytes: &[u8]) {
    let _ = tap::read(bytes);
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
