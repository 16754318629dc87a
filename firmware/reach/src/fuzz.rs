//! What reads bytes that others choose, by name, for a fuzzer (`scripts/fuzz`) and for the property below: whatever comes is
//! read to an end, without a panic.

use std::net::{Ipv4Addr, Ipv6Addr};

use model::Timestamp;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::certificate::Authorities;
use crate::icmp6::{self, Received};
use crate::past::record::Record;
use crate::{arp, dns, ike, ntp};

/// Reads, and says nothing.
pub type Read = fn(&[u8]);

/// Names, and what reads.
pub const TARGETS: &[(&str, Read)] = &[
    ("router-and-neighbour", icmp6),
    ("arp", arp),
    ("dns", dns),
    ("ntp", ntp),
    ("ike", ike),
    ("certificate", certificate),
    ("history", history),
];

const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

fn icmp6(bytes: &[u8]) {
    let message = Received { bytes: bytes.to_vec(), from: ROUTER, port: 1, hop_limit: 255 };
    let _ = icmp6::advertisement(&message);
    let _ = icmp6::is_answer_of(&message, ROUTER);
}

fn arp(bytes: &[u8]) {
    let _ = arp::holder(bytes, Ipv4Addr::new(192, 0, 2, 1));
}

/// Behind the number of a question, so that it is not passed over as another's.
fn dns(bytes: &[u8]) {
    if let Ok(question) = dns::Question::new("hweb.onshikaku.test", false) {
        let number = question.bytes.get(..2).unwrap_or_default();
        let _ = question.answer(&[number, bytes].concat());
    }
}

fn ntp(bytes: &[u8]) {
    let cookie =
        bytes.get(24..32).and_then(|field| field.first_chunk()).map_or(0, |it| u64::from_be_bytes(*it));
    let _ = ntp::answer(bytes, cookie, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
}

fn ike(bytes: &[u8]) {
    let spi = bytes.first_chunk().copied().unwrap_or_default();
    let _ = ike::answer(bytes, spi);
}

/// A chain of one, and the authorities of nobody.
fn certificate(bytes: &[u8]) {
    let _ = Authorities::read(Some(bytes));
    if let (Ok(authorities), Ok(name)) = (Authorities::read(None), ServerName::try_from("centre.test")) {
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000));
        let _ = authorities.judge(&[CertificateDer::from(bytes)], &name, &[], now);
    }
    let _ = crate::certificate::dates(&CertificateDer::from(bytes));
}

fn history(bytes: &[u8]) {
    let _ = Record::read(bytes);
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
