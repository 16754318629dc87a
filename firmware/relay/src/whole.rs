//! Wholeness: a file is taken when nobody writes it any more and it ends as its kind ends.

use std::time::{Duration, Instant};

use model::parcel::{HeldReason, WaitReason};

/// Between the two equal looks that stand in for a proof that nobody writes.
pub const BETWEEN_LOOKS: Duration = Duration::from_millis(300);
/// How long a file nobody writes may stay as it is before it is called empty, half-written or unknown: a writer
/// that closes and opens again, or writes under another name and renames, is given this time.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Whether the bytes end as the kind ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// They do.
    Right,
    /// They do not.
    Wrong,
    /// This extension has no end that is known.
    Unknown,
}

/// Whether somebody has the file open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    /// Proved: nobody.
    None,
    /// Somebody.
    Open,
    /// It cannot be told here.
    Unknown,
}

/// One look at a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Size in bytes.
    pub size: u64,
    /// Changes whenever the file does: inode and times, folded.
    pub stamp: u64,
    /// Who writes.
    pub writer: Writer,
    /// How it ends.
    pub end: End,
}

/// What is remembered between looks at one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The newest look.
    pub look: Look,
    /// Since when size and stamp have been the same.
    pub since: Instant,
}

/// What follows from a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ripeness {
    /// Whole: take it.
    Ripe,
    /// Look again no later than then.
    Wait(WaitReason, Instant),
    /// A person has to look at it.
    Held(HeldReason),
}

/// Joins a new look to what is remembered, and says what follows. `largest` is the kind's limit.
pub fn ripen(before: Option<Sight>, look: Look, largest: u64, now: Instant) -> (Sight, Ripeness) {
    let same = before.filter(|sight| sight.look.size == look.size && sight.look.stamp == look.stamp);
    let sight = Sight { look, since: same.map_or(now, |sight| sight.since) };
    let rested = now.saturating_duration_since(sight.since);
    let quiet = match look.writer {
        Writer::None => true,
        Writer::Open => false,
        Writer::Unknown => rested >= BETWEEN_LOOKS,
    };
    let again = |patience| Ripeness::Wait(WaitReason::BeingWritten, sight.since + patience);
    let unfinished = if look.size == 0 { HeldReason::Empty } else { HeldReason::HalfWritten };
    let finding = match look.end {
        _ if look.size > largest => Ripeness::Held(HeldReason::TooLarge),
        _ if look.writer == Writer::Open => Ripeness::Wait(WaitReason::BeingWritten, now + BETWEEN_LOOKS),
        End::Right if quiet => Ripeness::Ripe,
        End::Unknown if look.size > 0 && quiet && rested >= BETWEEN_LOOKS => Ripeness::Ripe,
        End::Right | End::Unknown if look.size > 0 => again(BETWEEN_LOOKS),
        _ if rested >= PATIENCE => Ripeness::Held(unfinished),
        _ => again(PATIENCE),
    };
    (sight, finding)
}

/// As many bytes of a file's end as [`end`] wants to see.
pub const TAIL: usize = RECORD + u16::MAX as usize;

/// Whether a file of `size` bytes that ends in `tail` ends as one with this extension does. Bytes are opaque
/// otherwise.
pub fn end(extension: &str, tail: &[u8], size: u64) -> End {
    let right = match extension {
        "xml" => tail.trim_ascii_end().ends_with(b"</XmlMsg>"),
        "zip" => ends_as_zip(tail, size),
        "pdf" => tail.trim_ascii_end().ends_with(b"%%EOF"),
        _ => return End::Unknown,
    };
    if right { End::Right } else { End::Wrong }
}

/// The size of an end-of-central-directory record without its comment.
const RECORD: usize = 22;

/// The end-of-central-directory record (APPNOTE.TXT 4.3.16) with a comment that ends where the file ends, and a
/// directory that lies before it.
fn ends_as_zip(tail: &[u8], size: u64) -> bool {
    let Some(last) = tail.len().checked_sub(RECORD) else { return false };
    let before = size.saturating_sub(tail.len() as u64);
    (0..=last).rev().any(|at| {
        let record = &tail[at..];
        let word = |from: usize| usize::from(u16::from_le_bytes([record[from], record[from + 1]]));
        let long = |from: usize| (word(from) | word(from + 2) << 16) as u64;
        let place = before + at as u64;
        record.starts_with(b"PK\x05\x06") && word(20) == last - at && long(12) + long(16) <= place
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn look(size: u64, writer: Writer, end: End) -> Look {
        Look { size, stamp: 1, writer, end }
    }

    /// Looks at an unchanging file at once and after each of the pauses.
    fn findings(look: Look, pauses_ms: &[u64]) -> Vec<Ripeness> {
        let start = Instant::now();
        let (mut sight, first) = ripen(None, look, 100, start);
        let mut all = vec![first];
        for pause in pauses_ms {
            let finding;
            (sight, finding) = ripen(Some(sight), look, 100, start + Duration::from_millis(*pause));
            all.push(finding);
        }
        all
    }

    #[test]
    fn a_closed_file_that_ends_right_is_ripe_at_once() {
        assert_eq!(findings(look(9, Writer::None, End::Right), &[]), [Ripeness::Ripe]);
    }

    #[test]
    fn without_a_proof_that_nobody_writes_it_takes_two_equal_looks() {
        let found = findings(look(9, Writer::Unknown, End::Right), &[299, 300]);
        assert!(matches!(found[..2], [Ripeness::Wait(..), Ripeness::Wait(..)]));
        assert_eq!(found[2], Ripeness::Ripe);
    }

    #[test]
    fn a_look_that_differs_starts_the_wait_again() {
        let start = Instant::now();
        let (sight, _) = ripen(None, look(9, Writer::Unknown, End::Right), 100, start);
        let grown = look(10, Writer::Unknown, End::Right);
        let (_, found) = ripen(Some(sight), grown, 100, start + Duration::from_millis(300));
        assert_eq!(found, Ripeness::Wait(WaitReason::BeingWritten, start + Duration::from_millis(600)));
    }

    #[test]
    fn empty_and_half_written_files_are_held_only_after_a_patience() {
        for (size, reason) in [(0, HeldReason::Empty), (9, HeldReason::HalfWritten)] {
            let found = findings(look(size, Writer::None, End::Wrong), &[2999, 3000]);
            assert!(matches!(found[..2], [Ripeness::Wait(..), Ripeness::Wait(..)]));
            assert_eq!(found[2], Ripeness::Held(reason));
        }
        assert_eq!(
            findings(look(0, Writer::None, End::Unknown), &[3000])[1],
            Ripeness::Held(HeldReason::Empty)
        );
    }

    #[test]
    fn while_somebody_writes_nothing_is_taken_and_nothing_is_held() {
        for end in [End::Right, End::Wrong, End::Unknown] {
            let found = findings(look(9, Writer::Open, end), &[300, 60_000]);
            assert!(
                found.iter().all(|finding| matches!(finding, Ripeness::Wait(WaitReason::BeingWritten, _)))
            );
        }
    }

    #[test]
    fn larger_than_its_kind_is_held_also_while_it_is_being_written() {
        let found = findings(look(101, Writer::Open, End::Wrong), &[]);
        assert_eq!(found, [Ripeness::Held(HeldReason::TooLarge)]);
    }

    #[test]
    fn each_kind_ends_its_own_way() {
        let zip = [b"PK\x05\x06".as_slice(), &[0; 16], &[3, 0], b"abc"].concat();
        let torn = &zip[..zip.len() - 1];
        let outside = [b"PK\x05\x06".as_slice(), &[0; 8], &[9, 0, 0, 0], &[0; 4], &[0, 0]].concat();
        for (extension, bytes, expected) in [
            ("xml", b"<XmlMsg></XmlMsg>\r\n ".as_slice(), End::Right),
            ("xml", b"<XmlMsg></XmlMsg", End::Wrong),
            ("xml", b"", End::Wrong),
            ("pdf", b"%PDF-1.4\n%%EOF\n", End::Right),
            ("pdf", b"%PDF-1.4\n", End::Wrong),
            ("zip", &zip, End::Right),
            ("zip", torn, End::Wrong),
            ("zip", &outside, End::Wrong),
            ("txt", b"anything", End::Unknown),
        ] {
            assert_eq!(end(extension, bytes, bytes.len() as u64), expected, "{extension} {bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_their_end_is_looked_at_without_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..80), at in 0_usize..60
        ) {
            let mut bytes = bytes;
            if bytes.len() > at + 4 {
                bytes[at..at + 4].copy_from_slice(b"PK\x05\x06");
            }
            for extension in ["xml", "zip", "pdf"] {
                let _ = end(extension, &bytes, bytes.len() as u64);
            }
        }
    }
}
