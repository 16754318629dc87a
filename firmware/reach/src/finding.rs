//! What one look came to: an outcome and a line of facts for an engineer.

use std::io::{self, ErrorKind};

use model::{Observation, Outcome, Rung, Symptom, Timestamp};
use tokio::time::Instant;

use crate::sabotage;

/// The outcome of one look, before it has a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The outcome.
    pub outcome: Outcome,
    /// Facts for an engineer, already made harmless.
    pub detail: String,
}

impl Finding {
    /// As it should be.
    pub fn good(detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Good, detail: harmless(detail.as_ref()) }
    }

    /// Not as it should be.
    pub fn bad(symptom: Symptom, detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Bad(symptom), detail: harmless(detail.as_ref()) }
    }

    /// Nothing can be said: also for our own troubles, which are no evidence against anybody.
    pub fn open(detail: impl AsRef<str>) -> Self {
        Self { outcome: Outcome::Open, detail: harmless(detail.as_ref()) }
    }

    /// Not looked at, because what it stands on is broken.
    pub const fn skipped() -> Self {
        Self { outcome: Outcome::Skipped, detail: String::new() }
    }

    /// What a socket's error says about `peer`. ICMP's "administratively prohibited" arrives as EACCES; EPERM is our
    /// own firewall, and whatever else is local, nobody's fault out there.
    pub fn of_error(error: &io::Error, peer: impl std::fmt::Display) -> Self {
        let detail = format!("{peer}: {error}");
        match (error.kind(), error.raw_os_error()) {
            (ErrorKind::TimedOut, _) => Self::bad(Symptom::Silent, detail),
            (ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset, _) | (_, Some(libc::EACCES)) => {
                Self::bad(Symptom::Refused, detail)
            }
            (ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable, _) => {
                Self::bad(Symptom::Unreachable, detail)
            }
            _ => Self::open(detail),
        }
    }

    /// The observation at `rung`, of a look that began at `began` and ends now.
    pub fn at(self, rung: Rung, terminal: Option<&str>, began: Instant) -> Observation {
        let outcome = if sabotage::probe_always_ok() { Outcome::Good } else { self.outcome };
        Observation {
            rung,
            terminal: terminal.map(str::to_owned),
            outcome,
            at: Timestamp::now(),
            took_ms: began.elapsed().as_secs_f64() * 1000.0,
            detail: self.detail,
        }
    }
}

/// Longest detail kept, characters.
const DETAIL_LENGTH: usize = 160;

/// Text from the network, shortened, and nothing in it that moves a terminal's cursor or turns the reading direction.
pub fn harmless(text: &str) -> String {
    let mut kept = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == DETAIL_LENGTH {
            kept.push('…');
            break;
        }
        match character {
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                kept.extend(character.escape_unicode());
            }
            character if character.is_control() => kept.extend(character.escape_default()),
            character => kept.push(character),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_network_is_short_and_moves_nothing() {
        assert_eq!(harmless("a\u{1b}[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\n\\u{202e}c");
        assert_eq!(harmless("証明書"), "証明書");
        assert_eq!(harmless(&"x".repeat(1000)).chars().count(), DETAIL_LENGTH + 1);
    }

    #[test]
    fn our_own_firewall_is_no_evidence_against_the_line() {
        let outcome = |code| Finding::of_error(&io::Error::from_raw_os_error(code), "peer").outcome;
        assert_eq!(outcome(libc::EPERM), Outcome::Open);
        assert_eq!(outcome(libc::EADDRNOTAVAIL), Outcome::Open);
        assert_eq!(outcome(libc::EACCES), Outcome::Bad(Symptom::Refused));
        assert_eq!(outcome(libc::ECONNREFUSED), Outcome::Bad(Symptom::Refused));
        assert_eq!(outcome(libc::EHOSTUNREACH), Outcome::Bad(Symptom::Unreachable));
        assert_eq!(outcome(libc::ENETUNREACH), Outcome::Bad(Symptom::Unreachable));
        assert_eq!(outcome(libc::ETIMEDOUT), Outcome::Bad(Symptom::Silent));
    }
}
