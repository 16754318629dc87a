//! Evidence in, verdict out: the one table that says what is broken and who has to act (責任分界点).
//!
//! Read it as a person climbs: in each branch the first row whose needs all hold is the finding. Every need asks
//! for something that *was seen*; nothing is concluded from a rung nobody looked at. So the loss of an observation
//! can only make rows fall away, and the rows are laid out so that what remains then is nothing or
//! [`Party::Unknown`], never another party (a wrong accusation is a bug, see the property in `tests/judge.rs`).
//!
//! The line, the terminal, its answers, their consumers and the box are judged apart. A fault of the line makes the
//! service [`Usability::Unusable`], or [`Usability::Partly`] if the centre can be had nevertheless; a fault of the
//! terminal's file sharing only [`Usability::Partly`], because the terminal's own screen and card reader go on working. A rung that is bad in a way no row names leaves
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
    /// The rung was seen to hold, or never did on this site: there it is no measure.
    GoodOrNever(Rung),
    /// The rung was seen, and lost again and again of late.
    Flaps(Rung),
    /// All of them were seen to hold.
    All(&'static [Rung]),
    /// Our own clock may accuse a certificate.
    Clock,
    /// Our own clock cannot be trusted.
    ClockDoubted,
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
use Need::{Clock, ClockDoubted, Ever, Flaps, Good, GoodOrNever, Names, Never, Seen};
use Rung::{
    Address, AnswersSay, Area, CentreTcp, CentreTls, Collection, Distribution, Gateway, LargePackets,
    LineAuth, Link, Quality, ResolverOne, ResolverTwo, Router, TerminalAnswers, TerminalLink,
    TerminalNeighbour, TerminalShare, TerminalSmb, Time,
};
use Symptom::{
    AnswersFailed, AnswersMixed, AnswersRefused, CertificateExpired, CertificateIssuer, CertificateName,
    ClockOff, Denied, DiskFull, Duplicate, LargeLost, LoginRefused, Lossy, Malformed, NameMissing, NoCarrier,
    NoRouter, NotCollected, OtherArea, Refused, RouterGoodbye, SecondRouter, ShareMissing, Silent, Slow,
    Stranger, Unanswered, Unreachable, Untaken,
};

/// The host gave no answer at all, or the net in between said that it cannot be had.
const GONE: &[Symptom] = &[Silent, Unreachable];
/// A resolver gives no answer: also when its host lives and nobody listens on port 53.
const NO_ANSWER: &[Symptom] = &[Silent, Unreachable, Refused];
/// Too much is lost or late.
const POOR: &[Symptom] = &[Lossy, Slow];

/// The line, from the wall to the centre. Rows that name different parties ask for what cannot be seen together.
const LINE: &[Row] = &[
    // One story, also in the moments in between: the cable, or the ONU's power.
    row(FaultCode::Wan10, &[Flaps(Link)], Party::Clinic, Likely),
    row(FaultCode::Wan01, &[Seen(Link, &[NoCarrier])], Party::Clinic, Likely),
    // Never an address here: the port or the contract's v6 option is checked first. Once good: the line changed.
    row(FaultCode::Wan02, &[Good(Link), Seen(Address, &[NoRouter]), Never(Address)], Party::Clinic, Open),
    row(FaultCode::Wan02, &[Good(Link), Seen(Address, &[NoRouter]), Ever(Address)], Party::Line, Likely),
    row(FaultCode::Wan03, &[Good(Link), Seen(Address, &[RouterGoodbye])], Party::Line, Sure),
    row(FaultCode::Wan07, &[Good(Link), Seen(Address, &[Duplicate])], Party::Clinic, Likely),
    // A second router that takes the traffic away; one that does no harm is recorded only.
    row(
        FaultCode::Wan06,
        &[Good(Link), Good(Address), Seen(Router, &[SecondRouter]), Seen(Gateway, GONE)],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Wan06,
        &[
            Good(Link),
            Good(Address),
            Seen(Router, &[SecondRouter]),
            Good(Gateway),
            Seen(ResolverOne, NO_ANSWER),
            Seen(ResolverTwo, NO_ANSWER),
        ],
        Party::Clinic,
        Likely,
    ),
    row(
        FaultCode::Wan08,
        &[Good(Link), Good(Address), Good(Router), Seen(Gateway, GONE)],
        Party::Line,
        Likely,
    ),
    row(
        FaultCode::Dns01,
        &[
            Good(Link),
            Good(Address),
            Good(Router),
            Good(Gateway),
            Seen(ResolverOne, NO_ANSWER),
            Seen(ResolverTwo, NO_ANSWER),
        ],
        Party::Line,
        Sure,
    ),
    // Both tell of hosts that are not the closed network's: somebody else answers, a router or a public resolver.
    row(
        FaultCode::Dns05,
        &[
            Good(Link),
            Good(Address),
            Good(Gateway),
            Seen(ResolverOne, &[Stranger]),
            Seen(ResolverTwo, &[Stranger]),
        ],
        Party::Clinic,
        Likely,
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
    // On a line that loses much a host that does not answer proves nothing against it.
    row(FaultCode::Wan11, &[Names, Seen(Quality, POOR), Seen(CentreTcp, GONE)], Party::Line, Likely),
    row(
        FaultCode::Ctr02,
        &[Names, Good(Quality), Good(LineAuth), Good(Distribution), Seen(CentreTcp, &[Silent])],
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
    // The name: unknown to everybody, or only to the resolvers of the other area.
    row(
        FaultCode::Dns03,
        &[
            Names,
            Seen(CentreTcp, &[NameMissing]),
            Seen(Distribution, &[NameMissing]),
            Seen(Area, &[OtherArea]),
        ],
        Party::Box,
        Likely,
    ),
    row(
        FaultCode::Dns04,
        &[Names, Seen(CentreTcp, &[NameMissing]), Good(LineAuth), Good(Distribution)],
        Party::Centre,
        Likely,
    ),
    row(FaultCode::Dns04, &[Names, Seen(CentreTcp, &[NameMissing])], Party::Unknown, Open),
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
    // Somebody stands in between, or the centre has changed: not for us to say, but nobody should go on.
    row(
        FaultCode::Ctr04,
        &[Names, Good(CentreTcp), Seen(CentreTls, &[CertificateName, CertificateIssuer])],
        Party::Unknown,
        Open,
    ),
    // The door opens by small packets; the handshake's large ones never come, nor do answers to ours.
    row(
        FaultCode::Wan12,
        &[
            Names,
            Good(CentreTcp),
            Seen(CentreTls, &[Silent]),
            Seen(LargePackets, &[LargeLost]),
            Ever(LargePackets),
        ],
        Party::Line,
        Likely,
    ),
    row(
        FaultCode::Wan12,
        &[Names, Good(CentreTcp), Seen(CentreTls, &[Silent]), Seen(LargePackets, &[LargeLost])],
        Party::Unknown,
        Open,
    ),
    row(FaultCode::Ctr02, &[Names, Good(CentreTcp), Seen(CentreTls, &[Silent])], Party::Unknown, Open),
    // All is there, and suffers.
    row(
        FaultCode::Wan11,
        &[Names, Good(CentreTcp), Good(CentreTls), Seen(Quality, POOR)],
        Party::Line,
        Likely,
    ),
    // The handshake fits into small packets; what is sent through it may not.
    row(
        FaultCode::Wan12,
        &[
            Names,
            Good(CentreTcp),
            Good(CentreTls),
            Good(Quality),
            Seen(LargePackets, &[LargeLost]),
            Ever(LargePackets),
        ],
        Party::Line,
        Likely,
    ),
];

/// The box itself.
const BOX: &[Row] = &[row(
    FaultCode::Time01,
    &[ClockDoubted, Seen(Time, &[ClockOff, Silent, Unreachable, Refused, NameMissing, Malformed])],
    Party::Box,
    Likely,
)];

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
    // What worked here before was changed over there; what never did may be a slip on our side.
    row(
        FaultCode::Term03,
        &[TO_SHARE, Seen(TerminalShare, &[LoginRefused]), Ever(TerminalShare)],
        Party::Terminal,
        Sure,
    ),
    row(
        FaultCode::Term03,
        &[TO_SHARE, Seen(TerminalShare, &[LoginRefused]), Never(TerminalShare)],
        Party::Terminal,
        Likely,
    ),
    row(
        FaultCode::Term04,
        &[TO_SHARE, Seen(TerminalShare, &[ShareMissing]), Ever(TerminalShare)],
        Party::Terminal,
        Sure,
    ),
    row(
        FaultCode::Term04,
        &[TO_SHARE, Seen(TerminalShare, &[ShareMissing]), Never(TerminalShare)],
        Party::Terminal,
        Likely,
    ),
    row(FaultCode::Term05, &[TO_SHARE, Seen(TerminalShare, &[Denied])], Party::Terminal, Likely),
    row(FaultCode::Term06, &[TO_SHARE, Seen(TerminalShare, &[DiskFull])], Party::Terminal, Sure),
];

/// What comes of requests. The terminal is accused only while line and centre are seen to hold: an application that
/// waits for the centre takes nothing and answers nothing either.
const ANSWERS: &[Row] = &[
    row(
        FaultCode::Term07,
        &[TO_SHARE, Good(TerminalShare), LINE_GOOD, Seen(TerminalAnswers, &[Untaken])],
        Party::Terminal,
        Likely,
    ),
    row(FaultCode::Term07, &[Seen(TerminalAnswers, &[Untaken])], Party::Unknown, Open),
    row(
        FaultCode::Term08,
        &[TO_SHARE, Good(TerminalShare), LINE_GOOD, Seen(TerminalAnswers, &[Unanswered])],
        Party::Terminal,
        Likely,
    ),
    row(FaultCode::Term08, &[Seen(TerminalAnswers, &[Unanswered])], Party::Unknown, Open),
];

/// What answers say: the centre ended them badly as a whole, or it refused what was asked.
const CONTENTS: &[Row] = &[
    row(FaultCode::Term09, &[LINE_GOOD, Seen(AnswersSay, &[AnswersFailed])], Party::Centre, Likely),
    row(FaultCode::Term09, &[LINE_GOOD, Seen(AnswersSay, &[AnswersRefused])], Party::ReceiptComputer, Likely),
    row(
        FaultCode::Term09,
        &[Seen(AnswersSay, &[AnswersFailed, AnswersRefused, AnswersMixed])],
        Party::Unknown,
        Open,
    ),
];

/// The consumers of answers.
const CONSUMERS: &[Row] =
    &[row(FaultCode::Clin01, &[Seen(Collection, &[NotCollected])], Party::ReceiptComputer, Likely)];

/// What staff cannot feel: kept for the engineer, never an alarm. One row a fault.
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
    row(
        FaultCode::Ctr07,
        &[Names, Good(CentreTcp), Good(LineAuth), Seen(Distribution, NO_ANSWER)],
        Party::Centre,
        Likely,
    ),
    // The centre is found all the same; what is distributed is not.
    row(
        FaultCode::Dns03,
        &[Names, Good(CentreTcp), Seen(Distribution, &[NameMissing]), Seen(Area, &[OtherArea])],
        Party::Box,
        Likely,
    ),
    // It does no harm: everything behind it answers.
    row(
        FaultCode::Wan06,
        &[Good(Link), Seen(Router, &[SecondRouter]), Names, Good(CentreTcp)],
        Party::Clinic,
        Likely,
    ),
];

/// The way to the terminal's share, for rows about the share.
const TO_SHARE: Need = Need::All(&[TerminalLink, TerminalNeighbour, TerminalSmb]);
/// The line and the centre, for rows about answers.
const LINE_GOOD: Need = Need::All(&[Link, Address, Gateway, CentreTcp, CentreTls, Quality]);

/// The service can be used when each branch holds to its end.
const LINE_HOLDS: &[Need] = &[Names, Good(CentreTcp), Good(CentreTls)];
/// And nobody is seen to suffer.
const ALL_HOLDS: &[Need] = &[
    Names,
    Good(CentreTcp),
    Good(CentreTls),
    Good(Quality),
    GoodOrNever(LargePackets),
    Clock,
    TO_SHARE,
    Good(TerminalShare),
    Good(TerminalAnswers),
    Good(AnswersSay),
    Good(Collection),
];

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
    // What comes of a fault that is named already and may come of nothing else is not named beside it.
    let named = line.is_some() || terminal.is_some();
    let follows = |fault: &Fault| named && fault.owner == Party::Unknown;
    let later = [ANSWERS, CONTENTS, CONSUMERS, BOX].map(|rows| first(rows, evidence));
    let later: Vec<Fault> = later.into_iter().flatten().filter(|fault| !follows(fault)).collect();
    let usability = match (&line, &terminal) {
        (Some(_), _) if !holds(LINE_HOLDS, evidence) => Usability::Unusable,
        (None, None) if later.is_empty() && holds(ALL_HOLDS, evidence) => Usability::Usable,
        (None, None) if later.is_empty() => Usability::Unknown,
        _ => Usability::Partly,
    };
    let mut alarms = line.into_iter().chain(terminal).chain(later);
    let foremost = alarms.next();
    let others: Vec<Fault> = alarms.collect();
    let alarmed = |code| foremost.iter().chain(&others).any(|fault| fault.code == code);
    let mut recorded: Vec<Fault> = Vec::new();
    for fault in RECORDED.iter().filter_map(|row| row.fault(evidence)) {
        if !alarmed(fault.code) && recorded.iter().all(|other| other.code != fault.code) {
            recorded.push(fault);
        }
    }
    Verdict { usability, since, foremost, others, recorded }
}

/// Whom a fault may be given to, each with how sure that is; whoever the first rows name comes first.
pub fn owners(code: FaultCode) -> Vec<(Party, Certainty)> {
    let mut found: Vec<(Party, Certainty)> = Vec::new();
    let tables = [LINE, TERMINAL, ANSWERS, CONTENTS, CONSUMERS, BOX, RECORDED];
    for row in tables.into_iter().flatten().filter(|row| row.code == code) {
        if found.iter().all(|(owner, _)| *owner != row.owner) {
            found.push((row.owner, row.certainty));
        }
    }
    found
}

/// The first row of a branch whose needs all hold.
fn first(rows: &[Row], evidence: &Evidence) -> Option<Fault> {
    rows.iter().find_map(|row| row.fault(evidence))
}

impl Row {
    /// The fault, if all its needs hold.
    fn fault(&self, evidence: &Evidence) -> Option<Fault> {
        if !holds(self.needs, evidence) {
            return None;
        }
        let mut rungs: Vec<Rung> = Vec::new();
        for rung in self.needs.iter().flat_map(|need| need.rungs(evidence)) {
            if !rungs.contains(&rung) {
                rungs.push(rung);
            }
        }
        let terminal = rungs.iter().find_map(|rung| evidence.observations.get(rung)?.terminal.clone());
        Some(Fault {
            code: self.code,
            owner: self.owner,
            certainty: self.certainty,
            evidence: rungs,
            terminal,
        })
    }
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
            Self::GoodOrNever(rung) => good(rung) || !evidence.was_good(rung),
            Self::Flaps(rung) => {
                evidence.flapping.contains(&rung)
                    && matches!(evidence.outcome(rung), Outcome::Good | Outcome::Bad(_))
            }
            Self::All(rungs) => rungs.iter().all(|rung| good(*rung)),
            Self::Clock => evidence.clock_trusted,
            Self::ClockDoubted => !evidence.clock_trusted,
        }
    }

    /// The rungs this need looked at.
    fn rungs(&self, evidence: &Evidence) -> Vec<Rung> {
        match *self {
            Self::Good(rung) | Self::GoodOrNever(rung) | Self::Seen(rung, _) | Self::Flaps(rung) => {
                vec![rung]
            }
            Self::Names => {
                let mut rungs = vec![Link, Address, Gateway, ResolverOne, ResolverTwo];
                rungs.retain(|rung| evidence.outcome(*rung).is_good());
                rungs
            }
            Self::All(rungs) => rungs.to_vec(),
            Self::Ever(_) | Self::Never(_) | Self::Clock | Self::ClockDoubted => Vec::new(),
        }
    }
}
