//! A PPPoE session (RFC 2516, RFC 1661), as far as it can be told without asking anybody: while it stands the kernel has its
//! interface with an address; when it does not, pppd's last words say why.
//!
//! Nothing is asked of the line here. pppd itself asks for a concentrator whenever there is no session, so that a question
//! of our own would tell nothing it does not, and some carriers count the questions.

use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::Path;

use model::{Symptom, Timestamp};
use serde::{Deserialize, Serialize};

use crate::finding::Finding;

/// Where the end of the run before is noted, below the folder of the roles' sockets.
pub const SAID: &str = "session/line.json";
/// So long it tells of now, seconds: a run that comes to nothing ends sooner and begins again after the unit's hold-off.
const FRESH_S: i64 = 180;
/// A note is some hundred bytes.
const LARGEST: u64 = 4096;

/// How a run of pppd ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Nobody offered a session (no PADO).
    NoOffer,
    /// Somebody offered one and then gave none, without a reason that says more (no PADS, or an error in it).
    NotGiven,
    /// There is no room for another session.
    Busy,
    /// User or password were refused.
    Refused,
    /// What proves this box to the line is not on it.
    NoLogin,
    /// The session stood, and the other end fell silent.
    Dead,
    /// Anything else: nothing follows from it.
    Other,
}

/// pppd's own numbers (pppd(8), "EXIT STATUS").
const PEER_DEAD: i32 = 15;
const REFUSED: i32 = 19;

/// What a concentrator says for want of room, in its own words; whole sentences are every maker's own.
const NO_ROOM: [&str; 7] = ["limit", "simultaneous", "already", "multiple", "too many", "no free", "slots"];

impl Ended {
    /// From pppd's number and the lines of its log. What was said on the wire comes before the number: that one is the same
    /// for whatever keeps a link from coming up.
    pub fn of(number: Option<i32>, log: &str) -> Self {
        let has = |words: &str| log.lines().any(|line| line.contains(words));
        let no_room = || {
            let said = |line: &&str| {
                ["Generic-Error", "Remote message", "authentication failed", "terminated by peer"]
                    .iter()
                    .any(|sort| line.contains(sort))
            };
            let lines = log.lines().filter(said).map(str::to_lowercase);
            lines.into_iter().any(|line| NO_ROOM.iter().any(|word| line.contains(word)))
        };
        if has("Timeout waiting for PADO") {
            return Self::NoOffer;
        }
        // AC-System-Error is a concentrator that has no room for us (RFC 2516 appendix A).
        if has("PADS: System-Error") || has("PADO: System-Error") || no_room() {
            return Self::Busy;
        }
        if ["Timeout waiting for PADS", "PADS: ", "PADO: "].into_iter().any(has) {
            return Self::NotGiven;
        }
        match number {
            Some(REFUSED) => Self::Refused,
            Some(PEER_DEAD) => Self::Dead,
            _ => Self::Other,
        }
    }

    /// Its word, for logs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::NoOffer => "nobody offers a session",
            Self::NotGiven => "an offered session was not given",
            Self::Busy => "no room for another session",
            Self::Refused => "user or password refused",
            Self::NoLogin => "no user and password on this box",
            Self::Dead => "the other end fell silent",
            Self::Other => "for another reason",
        }
    }
}

/// The end of a run, and when it was. Nothing that the other end wrote is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// How.
    pub ended: Ended,
    /// pppd's number.
    pub number: Option<i32>,
    /// When.
    pub at: Timestamp,
}

impl Said {
    /// What a run says that has just ended.
    pub fn of(number: Option<i32>, log: &str) -> Self {
        Self { ended: Ended::of(number, log), number, at: Timestamp::now() }
    }

    /// There was nothing to begin with.
    pub fn no_login() -> Self {
        Self { ended: Ended::NoLogin, number: None, at: Timestamp::now() }
    }

    /// Whether it tells of now. A login that is not on the box does not come by itself.
    fn tells(&self, now: Timestamp) -> bool {
        let age = now.as_second() - self.at.as_second();
        self.ended == Ended::NoLogin || (-FRESH_S..=FRESH_S).contains(&age)
    }
}

/// Reads the note. None yet, or none that can be read, says nothing.
pub fn read(path: &Path) -> Option<Said> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What is so at discovery and at the session: it stands while its interface has this address.
pub fn findings(own: Option<Ipv4Addr>, said: Option<&Said>, now: Timestamp) -> [Finding; 2] {
    if let Some(own) = own {
        return [Finding::good("the session stands"), Finding::good(own.to_string())];
    }
    let said = said.filter(|said| said.tells(now));
    let Some(Said { ended, number, .. }) = said else {
        return [(); 2].map(|()| Finding::open("no session yet"));
    };
    let detail =
        number.map_or_else(|| ended.key().to_owned(), |number| format!("{} ({number})", ended.key()));
    let (offered, bad) = (|| Finding::good("a session is offered"), |symptom| Finding::bad(symptom, &detail));
    match ended {
        Ended::NoOffer => [bad(Symptom::Silent), Finding::skipped()],
        Ended::NotGiven => [offered(), bad(Symptom::Silent)],
        Ended::Busy => [offered(), bad(Symptom::Busy)],
        Ended::Refused => [offered(), bad(Symptom::IdentityRefused)],
        // Nobody was asked.
        Ended::NoLogin => [bad(Symptom::NoLogin), Finding::skipped()],
        Ended::Dead | Ended::Other => [(); 2].map(|()| Finding::open(&detail)),
    }
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    #[test]
    fn how_a_run_ended_is_what_was_said_on_the_wire_and_else_pppds_number() {
        for (number, log, wanted) in [
            (
                10,
                "Plugin pppoe.so loaded.\nTimeout waiting for PADO packets\nUnable to complete PPPoE Discovery",
                Ended::NoOffer,
            ),
            (10, "Timeout waiting for PADS packets\n", Ended::NotGiven),
            (10, "PADS: Service-Name-Error: no such service\n", Ended::NotGiven),
            (10, "PADS: System-Error: RP-PPPoE: Server: No client slots available\n", Ended::Busy),
            (10, "PADS: Generic-Error: session limit exceeded\n", Ended::Busy),
            (10, "PADS: Generic-Error: out of order\n", Ended::NotGiven),
            (19, "CHAP authentication failed: Access denied\n", Ended::Refused),
            (19, "Remote message: Login incorrect\nPAP authentication failed\n", Ended::Refused),
            (19, "Remote message: Simultaneous use is not allowed\nPAP authentication failed\n", Ended::Busy),
            (19, "", Ended::Refused),
            (15, "No response to 3 echo-requests\n", Ended::Dead),
            (16, "Modem hangup\n", Ended::Other),
            (10, "LCP: timeout sending Config-Requests\n", Ended::Other),
            (16, "LCP terminated by peer (session limit)\n", Ended::Busy),
        ] {
            assert_eq!(Ended::of(Some(number), log), wanted, "{log}");
        }
        assert_eq!(Ended::of(None, ""), Ended::Other, "ended by a signal");
    }

    #[test]
    fn each_end_is_evidence_at_its_own_rung_while_it_is_fresh() {
        let now = Timestamp::from_second(1_000).unwrap();
        let of = |ended, age: i64| {
            let at = Timestamp::from_second(1_000 - age).unwrap();
            let said = Said { ended, number: None, at };
            findings(None, Some(&said), now).map(|finding| finding.outcome)
        };
        let bad = Outcome::Bad;
        assert_eq!(of(Ended::NoOffer, 0), [bad(Symptom::Silent), Outcome::Skipped]);
        assert_eq!(of(Ended::NotGiven, 0), [Outcome::Good, bad(Symptom::Silent)]);
        assert_eq!(of(Ended::Busy, 180), [Outcome::Good, bad(Symptom::Busy)]);
        assert_eq!(of(Ended::Refused, 0), [Outcome::Good, bad(Symptom::IdentityRefused)]);
        assert_eq!(of(Ended::NoLogin, 900), [bad(Symptom::NoLogin), Outcome::Skipped]);
        for nothing in [of(Ended::Refused, 181), of(Ended::Dead, 0), of(Ended::Other, 0)] {
            assert_eq!(nothing, [Outcome::Open; 2]);
        }
        assert_eq!(findings(None, None, now).map(|finding| finding.outcome), [Outcome::Open; 2]);
        let said = Said { ended: Ended::Refused, number: Some(19), at: now };
        let stands = findings(Some([192, 0, 2, 9].into()), Some(&said), now);
        assert_eq!(stands.map(|finding| finding.outcome), [Outcome::Good; 2]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_lies_in_the_log_or_the_note_is_read_without_a_panic(
            number in proptest::option::of(proptest::num::i32::ANY), bytes: Vec<u8>
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("line.json");
            std::fs::write(&path, &bytes).unwrap();
            let _ = read(&path);
            let _ = Ended::of(number, &String::from_utf8_lossy(&bytes));
        }
    }
}
