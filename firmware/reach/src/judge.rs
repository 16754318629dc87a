//! Evidence in, verdict out: the one table that says what is broken and who has to act (責任分界点).
//!
//! Read it as a person climbs: in each branch the first row whose needs all hold is the finding. Every need asks
//! for something that *was seen*; nothing is concluded from a rung nobody looked at. So the loss of an observation
//! can only make rows fall away, and the rows are laid out so that what remains then is nothing or
//! [`Party::Unknown`], never another party (a wrong accusation is a bug, see the property in `tests/judge.rs`).
//!
//! The line and the terminal are judged apart: neither says anything about the other. A fault of the line makes
//! the service [`Usability::Unusable`]; a fault of the terminal's file sharing only [`Usability::Partly`], because
//! the terminal's own screen and card reader go on working. A rung that is bad in a way no row names leaves
//! [`Usability::Unknown`]: better "being checked" than a guess.

use model::observation::Evidence;
use model::{Certainty, Fault, FaultCode, Outcome, Party, Rung, Symptom, Timestamp, Usability, Verdict};

use crate::sabotage;

/// Something a row asks of the evidence.
#[derive(Clone, Copy, Debug)]
enum Need {
    /// The rung was seen to hold.
    Good(Rung),
    /// The rung was seen to fail in one of these ways.
    Seen(Rung, &'static [Symptom]),
    /// Link, address and gateway were seen to hold, and a resolver answers: hosts can be asked for by name.
    Names,
    /// The rung was good at least once on this site.
    Ever(Rung),
    /// The rung was never good on this site.
    Never(Rung),
    /// Our own clock may accuse a certificate.
    Clock,
}

/// One line of the table: if every need holds, this is what is broken and whose it is.
struct Row {
    code: FaultCode,
    needs: &'static [Need],
    owner: Party,
    certainty: Certainty,
}

const fn row(code: FaultCode, needs: &'static [Need], owner: Party, certainty: Certainty) -> Row {
    Row { code, needs, owner, certainty }
}

use Certainty::{Likely, Open, Sure};
use Need::{Clock, Ever, Good, Names, Never, Seen};
use Rung::{
    Address, CentreTcp, CentreTls, Distribution, Gateway, LineAuth, Link, ResolverOne, ResolverTwo,
    TerminalLink, TerminalNeighbour, TerminalShare, TerminalSmb,
};
use Symptom::{
    CertificateExpired, LoginRefused, NoCarrier, NoRouter, Refused, RouterGoodbye, Silent, Unreachable,
};

/// The host gave no answer at all, or the net in between said that it cannot be had.
const GONE: &[Symptom] = &[Silent, Unreachable];
/// A resolver gives no answer: also when its host lives and nobody listens on port 53.
const NO_ANSWER: &[Symptom] = &[Silent, Unreachable, Refused];

/// The line, from the wall to the centre.
const LINE: &[Row] = &[
    row(FaultCode::Wan01, &[Seen(Link, &[NoCarrier])], Party::Clinic, Likely),
    // Never an address here: the port or the contract's v6 option is checked first. Once good: the line changed.
    row(FaultCode::Wan02, &[Good(Link), Seen(Address, &[NoRouter]), Never(Address)], Party::Clinic, Open),
    row(FaultCode::Wan02, &[Good(Link), Seen(Address, &[NoRouter]), Ever(Address)], Party::Line, Likely),
    row(FaultCode::Wan03, &[Good(Link), Seen(Address, &[RouterGoodbye])], Party::Line, Sure),
    row(
        FaultCode::Dns01,
        &[
            Good(Link),
            Good(Address),
            Good(Gateway),
            Seen(ResolverOne, NO_ANSWER),
            Seen(ResolverTwo, NO_ANSWER),
        ],
        Party::Line,
        Sure,
    ),
    // Both doors refuse us while names resolve: we are not let in. Never sure: maintenance of both looks alike.
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Refused]), Seen(CentreTcp, &[Refused]), Never(LineAuth)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Refused]), Seen(CentreTcp, &[Refused]), Ever(LineAuth)],
        Party::Line,
        Likely,
    ),
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Silent]), Seen(CentreTcp, &[Refused]), Never(LineAuth)],
        Party::Clinic,
        Open,
    ),
    row(
        FaultCode::Auth01,
        &[Names, Seen(LineAuth, &[Silent]), Seen(CentreTcp, &[Refused]), Ever(LineAuth)],
        Party::Line,
        Open,
    ),
    // The neighbours on the closed network decide: both fine, it is the centre's own door.
    row(
        FaultCode::Ctr01,
        &[Names, Good(LineAuth), Good(Distribution), Seen(CentreTcp, &[Refused])],
        Party::Centre,
        Sure,
    ),
    row(FaultCode::Ctr01, &[Names, Seen(CentreTcp, &[Refused])], Party::Unknown, Open),
    row(
        FaultCode::Ctr02,
        &[Names, Good(LineAuth), Good(Distribution), Seen(CentreTcp, &[Silent])],
        Party::Centre,
        Likely,
    ),
    row(
        FaultCode::Ctr02,
        &[Names, Seen(LineAuth, GONE), Seen(Distribution, GONE), Seen(CentreTcp, GONE)],
        Party::Line,
        Likely,
    ),
    row(FaultCode::Ctr02, &[Names, Seen(CentreTcp, GONE)], Party::Unknown, Open),
    // The door opens and is slammed during the handshake, without an alert.
    row(
        FaultCode::Ctr01,
        &[Names, Good(LineAuth), Good(Distribution), Good(CentreTcp), Seen(CentreTls, &[Refused])],
        Party::Centre,
        Likely,
    ),
    row(FaultCode::Ctr01, &[Names, Good(CentreTcp), Seen(CentreTls, &[Refused])], Party::Unknown, Open),
    // Only the certificate itself accuses, and only against a clock we trust.
    row(
        FaultCode::Ctr03,
        &[Names, Good(CentreTcp), Seen(CentreTls, &[CertificateExpired]), Clock],
        Party::Centre,
        Sure,
    ),
];

/// The terminal, from the box's port to its share.
const TERMINAL: &[Row] = &[
    row(FaultCode::Term01, &[Seen(TerminalLink, &[NoCarrier])], Party::Clinic, Likely),
    row(FaultCode::Term01, &[Good(TerminalLink), Seen(TerminalNeighbour, GONE)], Party::Terminal, Likely),
    // Carrier tells the terminal from its cable; without that it is neither's.
    row(FaultCode::Term01, &[Seen(TerminalNeighbour, GONE)], Party::Unknown, Open),
    row(
        FaultCode::Term02,
        &[Good(TerminalLink), Good(TerminalNeighbour), Seen(TerminalSmb, &[Refused])],
        Party::Terminal,
        Sure,
    ),
    // A firewall that drops 445 without a word: the terminal's, set to the wrong profile, or ours.
    row(
        FaultCode::Term02,
        &[Good(TerminalLink), Good(TerminalNeighbour), Seen(TerminalSmb, &[Silent])],
        Party::Unknown,
        Open,
    ),
    // A login that worked here before was changed over there; one that never did may be a slip on our side.
    row(
        FaultCode::Term03,
        &[
            Good(TerminalLink),
            Good(TerminalNeighbour),
            Good(TerminalSmb),
            Seen(TerminalShare, &[LoginRefused]),
            Ever(TerminalShare),
        ],
        Party::Terminal,
        Sure,
    ),
    row(
        FaultCode::Term03,
        &[
            Good(TerminalLink),
            Good(TerminalNeighbour),
            Good(TerminalSmb),
            Seen(TerminalShare, &[LoginRefused]),
            Never(TerminalShare),
        ],
        Party::Terminal,
        Likely,
    ),
];

/// What staff cannot feel: kept for the engineer, never an alarm.
const RECORDED: &[Row] = &[
    row(
        FaultCode::Dns02,
        &[Good(Link), Good(Address), Good(Gateway), Seen(ResolverOne, NO_ANSWER), Good(ResolverTwo)],
        Party::Line,
        Sure,
    ),
    row(
        FaultCode::Dns02,
        &[Good(Link), Good(Address), Good(Gateway), Good(ResolverOne), Seen(ResolverTwo, NO_ANSWER)],
        Party::Line,
        Sure,
    ),
];

/// The service can be used when each branch holds to its end.
const LINE_HOLDS: &[Need] = &[Names, Good(CentreTcp), Good(CentreTls)];
const TERMINAL_HOLDS: &[Need] =
    &[Good(TerminalLink), Good(TerminalNeighbour), Good(TerminalSmb), Good(TerminalShare)];

/// Judges the evidence. The line's fault comes first: while it stands the terminal's files have nowhere to go.
/// `previous` is the verdict until now: its `since` is kept while the finding is the same, else it becomes `now`.
pub fn judge(evidence: &Evidence, previous: Option<&Verdict>, now: Timestamp) -> Verdict {
    let mut verdict = finding(evidence, now);
    if sabotage::constant_judge() {
        verdict = Verdict { usability: Usability::Usable, ..Verdict::unknown(now) };
    }
    if let Some(previous) = previous.filter(|previous| previous.same_finding(&verdict)) {
        verdict.since = previous.since;
    }
    verdict
}

fn finding(evidence: &Evidence, since: Timestamp) -> Verdict {
    let line = first(LINE, evidence);
    let terminal = first(TERMINAL, evidence);
    let usability = match (&line, &terminal) {
        (Some(_), _) => Usability::Unusable,
        (None, Some(_)) => Usability::Partly,
        (None, None) if holds(LINE_HOLDS, evidence) && holds(TERMINAL_HOLDS, evidence) => Usability::Usable,
        (None, None) => Usability::Unknown,
    };
    let mut alarms = line.into_iter().chain(terminal);
    let foremost = alarms.next();
    let others = alarms.collect();
    let recorded = first(RECORDED, evidence).into_iter().collect();
    Verdict { usability, since, foremost, others, recorded }
}

/// The first row of a branch whose needs all hold.
fn first(rows: &[Row], evidence: &Evidence) -> Option<Fault> {
    let row = rows.iter().find(|row| holds(row.needs, evidence))?;
    let rungs: Vec<Rung> = row.needs.iter().flat_map(|need| need.rungs(evidence)).collect();
    let terminal = rungs.iter().find_map(|rung| evidence.observations.get(rung)?.terminal.clone());
    Some(Fault { code: row.code, owner: row.owner, certainty: row.certainty, evidence: rungs, terminal })
}

fn holds(needs: &[Need], evidence: &Evidence) -> bool {
    needs.iter().all(|need| need.holds(evidence))
}

impl Need {
    fn holds(&self, evidence: &Evidence) -> bool {
        let good = |rung| evidence.outcome(rung).is_good();
        match *self {
            Self::Good(rung) => good(rung),
            Self::Seen(rung, symptoms) => {
                matches!(evidence.outcome(rung), Outcome::Bad(symptom) if symptoms.contains(&symptom))
            }
            Self::Names => {
                good(Link) && good(Address) && good(Gateway) && (good(ResolverOne) || good(ResolverTwo))
            }
            Self::Ever(rung) => evidence.was_good(rung),
            Self::Never(rung) => !evidence.was_good(rung),
            Self::Clock => evidence.clock_trusted,
        }
    }

    /// The rungs this need looked at.
    fn rungs(&self, evidence: &Evidence) -> Vec<Rung> {
        match *self {
            Self::Good(rung) | Self::Seen(rung, _) => vec![rung],
            Self::Names => {
                let mut rungs = vec![Link, Address, Gateway, ResolverOne, ResolverTwo];
                rungs.retain(|rung| evidence.outcome(*rung).is_good());
                rungs
            }
            Self::Ever(_) | Self::Never(_) | Self::Clock => Vec::new(),
        }
    }
}
