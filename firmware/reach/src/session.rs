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
/// Where the mark of the login lies there: another one with each other login, that tells nothing of it.
pub const MARK: &str = "session/login-mark";
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
    /// The service that was asked for by its name is none of theirs.
    NoService,
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

/// What a concentrator says where the contract has no room for another session, in its own words. Whole sentences are every
/// maker's own, and a single word is in many others: of a password with a limit of tries, of an account locked already.
const NO_ROOM: [&str; 4] = ["simultaneous", "session limit", "too many sessions", "already logged in"];
/// The lines in which such words are the other end's: of a refused discovery, of a refused login, of a goodbye. Its
/// System-Error is not among them: a concentrator that has no room for anybody says nothing of this contract (RFC 2516
/// appendix A).
const SAYS: [&str; 4] = ["Generic-Error", "Remote message", "authentication failed", "terminated by peer"];

impl Ended {
    /// From pppd's number and the lines of its log. What was said on the wire comes before the number: that one is the same
    /// for whatever keeps a link from coming up.
    pub fn of(number: Option<i32>, log: &str) -> Self {
        let has = |words: &str| log.lines().any(|line| line.contains(words));
        let no_room = || {
            let said = |line: &&str| SAYS.iter().any(|sort| line.contains(sort));
            let mut lines = log.lines().filter(said).map(str::to_lowercase);
            lines.any(|line| NO_ROOM.iter().any(|words| line.contains(words)))
        };
        if has("Timeout waiting for PADO") {
            return Self::NoOffer;
        }
        if no_room() {
            return Self::Busy;
        }
        if ["PADS: Service-Name-Error", "PADO: Service-Name-Error"].into_iter().any(has) {
            return Self::NoService;
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
            Self::NoService => "no such service",
            Self::Refused => "user or password refused",
            Self::NoLogin => "no user and password on this box",
            Self::Dead => "the other end fell silent",
            Self::Other => "for another reason",
        }
    }
}

/// The port below a session at some time. While neither number changes, nobody has pulled its cable or put it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wire {
    /// Its index: a port that is there anew counts anew.
    pub index: u32,
    /// How often its carrier has come or gone.
    pub changes: u32,
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
    /// The port below when the run began, if that is known.
    #[serde(default)]
    pub wire: Option<Wire>,
}

impl Said {
    /// What a run says that has just ended, and that began on this wire.
    pub fn of(number: Option<i32>, log: &str, wire: Option<Wire>) -> Self {
        Self { ended: Ended::of(number, log), number, at: Timestamp::now(), wire }
    }

    /// There was nothing to begin with.
    pub fn no_login() -> Self {
        Self { ended: Ended::NoLogin, number: None, at: Timestamp::now(), wire: None }
    }

    /// Whether it tells of now: of a run that had carrier from its beginning, and of the same cable as now. A login that is not
    /// on the box does not come by itself.
    fn tells(&self, wire: Wire, now: Timestamp) -> bool {
        let age = now.as_second() - self.at.as_second();
        self.ended == Ended::NoLogin || self.wire == Some(wire) && (-FRESH_S..=FRESH_S).contains(&age)
    }
}

/// Reads the note. None yet, or none that can be read, says nothing.
pub fn read(path: &Path) -> Option<Said> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What is so at discovery and at the session: it stands while its interface has this address. `wire` has carrier now.
pub fn findings(own: Option<Ipv4Addr>, said: Option<&Said>, wire: Wire, now: Timestamp) -> [Finding; 2] {
    if let Some(own) = own {
        return [Finding::good("the session stands"), Finding::good(own.to_string())];
    }
    let said = said.filter(|said| said.tells(wire, now));
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
        Ended::NoService => [offered(), bad(Symptom::NoService)],
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

    const WIRE: Wire = Wire { index: 2, changes: 1 };

    #[test]
    fn how_a_run_ended_is_what_was_said_on_the_wire_and_else_pppds_number() {
        for (number, log, wanted) in [
            (
                10,
                "Plugin pppoe.so loaded.\nTimeout waiting for PADO packets\nUnable to complete PPPoE Discovery",
                Ended::NoOffer,
            ),
            (10, "Timeout waiting for PADS packets\n", Ended::NotGiven),
            (10, "PADS: Service-Name-Error: no such service\n", Ended::NoService),
            (10, "PADO: Service-Name-Error: \n", Ended::NoService),
            // It is full, or ill: that says nothing of this contract, whatever it says beside.
            (10, "PADS: System-Error: RP-PPPoE: Server: No client slots available\n", Ended::NotGiven),
            (10, "PADS: System-Error: session limit of this server\n", Ended::NotGiven),
            (10, "PADO: System-Error: too many sessions\n", Ended::NotGiven),
            (10, "PADS: Generic-Error: session limit exceeded\n", Ended::Busy),
            (10, "PADS: Generic-Error: rate limit\n", Ended::NotGiven),
            (10, "PADS: Generic-Error: out of order\n", Ended::NotGiven),
            (19, "CHAP authentication failed: Access denied\n", Ended::Refused),
            (19, "Remote message: Login incorrect\nPAP authentication failed\n", Ended::Refused),
            (19, "Remote message: Simultaneous use is not allowed\nPAP authentication failed\n", Ended::Busy),
            (19, "CHAP authentication failed: You are already logged in - access denied\n", Ended::Busy),
            // A word of it alone says nothing of sessions.
            (19, "CHAP authentication failed: limit of tries reached, already locked\n", Ended::Refused),
            (19, "Remote message: multiple bad passwords\nPAP authentication failed\n", Ended::Refused),
            (19, "Remote message: no free slots for guests\nPAP authentication failed\n", Ended::Refused),
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
            let said = Said { ended, number: None, at, wire: Some(WIRE) };
            findings(None, Some(&said), WIRE, now).map(|finding| finding.outcome)
        };
        let bad = Outcome::Bad;
        assert_eq!(of(Ended::NoOffer, 0), [bad(Symptom::Silent), Outcome::Skipped]);
        assert_eq!(of(Ended::NotGiven, 0), [Outcome::Good, bad(Symptom::Silent)]);
        assert_eq!(of(Ended::Busy, 180), [Outcome::Good, bad(Symptom::Busy)]);
        assert_eq!(of(Ended::NoService, 0), [Outcome::Good, bad(Symptom::NoService)]);
        assert_eq!(of(Ended::Refused, 0), [Outcome::Good, bad(Symptom::IdentityRefused)]);
        assert_eq!(of(Ended::NoLogin, 900), [bad(Symptom::NoLogin), Outcome::Skipped]);
        for nothing in [of(Ended::Refused, 181), of(Ended::Dead, 0), of(Ended::Other, 0)] {
            assert_eq!(nothing, [Outcome::Open; 2]);
        }
        assert_eq!(findings(None, None, WIRE, now).map(|finding| finding.outcome), [Outcome::Open; 2]);
        let said = Said { ended: Ended::Refused, number: Some(19), at: now, wire: Some(WIRE) };
        let stands = findings(Some([192, 0, 2, 9].into()), Some(&said), WIRE, now);
        assert_eq!(stands.map(|finding| finding.outcome), [Outcome::Good; 2]);
    }

    #[test]
    fn a_login_that_is_not_on_the_box_is_told_whatever_the_cable_does() {
        let said = Said::no_login();
        let found = findings(None, Some(&said), WIRE, Timestamp::now());
        assert_eq!(found[0].outcome, Outcome::Bad(Symptom::NoLogin));
    }

    /// What may happen while the box looks, in any order.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        CableOut,
        CableIn,
        Begins,
        Ends,
    }

    fn events() -> impl proptest::strategy::Strategy<Value = Vec<Event>> {
        use Event::{Begins, CableIn, CableOut, Ends};
        proptest::collection::vec(proptest::sample::select(vec![CableOut, CableIn, Begins, Ends]), 0..24)
    }

    proptest::proptest! {
        #[test]
        fn only_a_run_that_had_carrier_from_its_beginning_until_now_accuses(events in events()) {
            let now = Timestamp::from_second(1_000).unwrap();
            // A box that is switched on with its cable in.
            let (mut carrier, mut wire) = (true, Wire { index: 2, changes: 1 });
            // Each with whether it tells of the line as it is now.
            let mut running: Option<(Wire, bool)> = None;
            let mut said: Option<(Said, bool)> = None;
            for event in events {
                match event {
                    Event::CableOut | Event::CableIn if carrier == matches!(event, Event::CableIn) => {}
                    Event::CableOut | Event::CableIn => {
                        carrier = !carrier;
                        wire.changes += 1;
                        // Whatever runs or was said has seen the line without carrier.
                        running = running.map(|(wire, _)| (wire, false));
                        said = said.map(|(said, _)| (said, false));
                    }
                    Event::Begins => running = Some((wire, carrier)),
                    Event::Ends => {
                        if let Some((wire, tells)) = running.take() {
                            let wire = Some(wire);
                            said = Some((Said { ended: Ended::NoOffer, number: Some(10), at: now, wire }, tells));
                        }
                    }
                }
                if carrier {
                    let tells = said.as_ref().is_some_and(|(_, tells)| *tells);
                    let found = findings(None, said.as_ref().map(|(said, _)| said), wire, now);
                    let wanted = if tells { Outcome::Bad(Symptom::Silent) } else { Outcome::Open };
                    proptest::prop_assert_eq!(found[0].outcome, wanted);
                }
            }
        }

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
