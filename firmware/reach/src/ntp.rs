//! One question of SNTP (RFC 5905 section 14), as bytes. Pure; reads anything without panic.

use model::{Symptom, Timestamp};

/// Seconds between the epochs of NTP (1900) and Unix (1970).
const EPOCH_OFFSET_S: i64 = 2_208_988_800;
const LENGTH: usize = 48;
/// More than this and the clock is not right, milliseconds.
const TOLERANCE_MS: f64 = 1000.0;

/// A client's question. `cookie` stands where our time would: the server returns it, nobody can guess it, and it
/// tells nobody our clock.
pub fn question(cookie: u64) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[0] = 0b00_100_011; // no leap warning, version 4, client
    bytes[40..].copy_from_slice(&cookie.to_be_bytes());
    bytes
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The server's clock is ahead of ours by so many milliseconds, its stratum beside it.
    Offset {
        /// Milliseconds; negative while we are ahead.
        ms: f64,
        /// Distance from a reference clock, 1..=15.
        stratum: u8,
    },
    /// The server will not say: not synchronised (leap 3, stratum 0 or 16), or it sends us away.
    Unsynchronised,
    /// Not an answer to our question.
    Foreign,
    /// An answer that breaks the protocol.
    Malformed,
}

impl Answer {
    /// The symptom in this answer, if there is one.
    pub fn symptom(&self) -> Option<Symptom> {
        match self {
            Self::Offset { ms, .. } if ms.abs() <= TOLERANCE_MS => None,
            Self::Offset { .. } => Some(Symptom::ClockOff),
            // It says nothing of our clock.
            Self::Unsynchronised | Self::Foreign | Self::Malformed => Some(Symptom::Malformed),
        }
    }
}

/// Reads an answer that came at `arrived` to the question with `cookie`, asked at `asked`.
pub fn answer(bytes: &[u8], cookie: u64, asked: Timestamp, arrived: Timestamp) -> Answer {
    let (Some(header), Some(origin), Some(received), Some(sent)) =
        (bytes.first_chunk::<2>(), stamp(bytes, 24), stamp(bytes, 32), stamp(bytes, 40))
    else {
        return Answer::Foreign;
    };
    let [flags, stratum] = *header;
    let (leap, version, mode) = (flags >> 6, flags >> 3 & 7, flags & 7);
    if origin != cookie || mode != 4 {
        return Answer::Foreign;
    }
    if !matches!(version, 3 | 4) || sent == 0 {
        return Answer::Malformed;
    }
    if leap == 3 || stratum == 0 || stratum > 15 {
        return Answer::Unsynchronised;
    }
    let there = difference_ms(received, ours(asked));
    let back = difference_ms(sent, ours(arrived));
    Answer::Offset { ms: f64::midpoint(there, back), stratum }
}

fn stamp(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|stamp| u64::from_be_bytes(*stamp))
}

/// Our time as NTP writes it: seconds since 1900 modulo 2^32, and a binary fraction.
fn ours(at: Timestamp) -> u64 {
    let seconds = at.as_second().wrapping_add(EPOCH_OFFSET_S).cast_unsigned() << 32;
    let fraction = (i64::from(at.subsec_nanosecond()) << 32) / 1_000_000_000;
    seconds.wrapping_add_signed(fraction)
}

/// Across the end of an era too (RFC 5905 section 6: differences are taken modulo 2^64).
fn difference_ms(one: u64, other: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a fraction of a microsecond does not matter here")]
    let difference = one.wrapping_sub(other).cast_signed() as f64;
    difference / 4_294_967_296.0 * 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COOKIE: u64 = 0x0123_4567_89ab_cdef;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A server's answer whose clock reads `clock` all the while.
    fn from_server(clock: Timestamp) -> Vec<u8> {
        let mut bytes = question(COOKIE).to_vec();
        bytes[0] = 0b00_100_100;
        bytes[1] = 1;
        bytes[24..32].copy_from_slice(&COOKIE.to_be_bytes());
        bytes[32..40].copy_from_slice(&ours(clock).to_be_bytes());
        bytes[40..48].copy_from_slice(&ours(clock).to_be_bytes());
        bytes
    }

    #[test]
    fn the_offset_is_taken_in_the_middle_of_the_journey() {
        let bytes = from_server(at("2026-11-22T01:00:00.750Z"));
        let seen = answer(&bytes, COOKIE, at("2026-11-22T01:00:00Z"), at("2026-11-22T01:00:00.500Z"));
        let Answer::Offset { ms, stratum: 1 } = seen else { panic!("{seen:?}") };
        assert!((ms - 500.0).abs() < 0.001, "{ms}");
        assert_eq!(seen.symptom(), None);
    }

    #[test]
    fn an_offset_across_the_end_of_the_era_is_small() {
        let bytes = from_server(at("2036-02-07T06:28:16.500Z"));
        let asked = at("2036-02-07T06:28:15.500Z");
        let Answer::Offset { ms, .. } = answer(&bytes, COOKIE, asked, asked) else { panic!("no offset") };
        assert!((ms - 1000.0).abs() < 0.001, "{ms}");
    }

    #[test]
    fn a_clock_far_off_or_a_server_without_time_is_a_symptom() {
        let now = at("2026-11-22T01:00:00Z");
        let late = answer(&from_server(at("2026-11-22T01:00:02Z")), COOKIE, now, now);
        assert_eq!(late.symptom(), Some(Symptom::ClockOff));
        for change in [|bytes: &mut Vec<u8>| bytes[0] |= 0b1100_0000, |bytes: &mut Vec<u8>| bytes[1] = 0] {
            let mut bytes = from_server(now);
            change(&mut bytes);
            assert_eq!(answer(&bytes, COOKIE, now, now), Answer::Unsynchronised);
        }
    }

    #[test]
    fn what_does_not_return_our_cookie_is_a_strangers() {
        let now = at("2026-11-22T01:00:00Z");
        assert_eq!(answer(&from_server(now), COOKIE + 1, now, now), Answer::Foreign);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), cookie in any::<u64>()) {
            let now = at("2026-11-22T01:00:00Z");
            let _ = answer(&bytes, cookie, now, now);
            let mut ours = bytes;
            if let Some(origin) = ours.get_mut(24..32) {
                origin.copy_from_slice(&cookie.to_be_bytes());
            }
            let _ = answer(&ours, cookie, now, Timestamp::MIN);
            let _ = answer(&ours, cookie, Timestamp::MAX, now);
        }
    }
}
