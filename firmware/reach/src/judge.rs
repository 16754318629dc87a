//! Evidence in, verdict out, by the one table that says what is broken and who has to act (責任分界点): `table`.
//!
//! Read it as a person climbs: in each branch the first row whose needs all hold is the finding. Every need asks
//! for something that *was seen*; nothing is concluded from a rung nobody looked at. So the loss of an observation
//! can only make rows fall away, and the rows are laid out so that what remains then is nothing or
//! [`Party::Unknown`], never another party (a wrong accusation is a bug, see `tests/judge/property.rs`).
//!
//! The line, what it gives the terminals, the terminal, the clinic's wiring and its machines, answers, their consumers, the
//! internet line, the receipt computer's cloud and the box are judged apart. A fault of the line makes the service [`Usability::Unusable`], or [`Usability::Partly`] if the
//! centre can be had nevertheless; terminals without a prefix make it unusable; a fault of the terminal's file sharing only
//! [`Usability::Partly`], because the terminal's own screen and card reader go on working. A warning leaves the service what
//! it is: it is usable, and somebody has to act all the same.
//! A rung that is bad in a way no row names leaves [`Usability::Unknown`]: better "being checked" than a guess.

mod table;

use Rung::{Address, Discovery, Gateway, Link, Prefix, ResolverOne, ResolverTwo, Ruleset, Session, Tunnel};
use model::observation::Evidence;
use model::{Certainty, Fault, FaultCode, Outcome, Party, Rung, Symptom, Timestamp, Usability, Verdict};

use self::table::{
    ALL_HOLDS, ANSWERS, BOX, CLINIC, CLOUD, CONSUMERS, CONTENTS, DROPPING, INTERNET, LINE, LINE_HOLDS, Need,
    RECORDED, Row, SEGMENT, TERMINAL, WARNINGS, WIRING,
};
use crate::sabotage;

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
    let segment = first(SEGMENT, evidence);
    // What is expected of a terminal at this hour is no alarm.
    let (terminal, expected) = match first(TERMINAL, evidence) {
        Some(fault) if !fault.code.is_alarm() => (None, Some(fault)),
        found => (found, None),
    };
    // What comes of a fault that is named already and may come of nothing else is not named beside it.
    let clinic = first(CLINIC, evidence);
    let named = line.is_some() || terminal.is_some() || clinic.is_some();
    let follows = |fault: &Fault| named && fault.owner == Party::Unknown;
    let later = [ANSWERS, CONTENTS, CONSUMERS].map(|rows| first(rows, evidence));
    let later = later.into_iter().flatten().filter(|fault| !follows(fault));
    let mut later: Vec<Fault> = first(WIRING, evidence).into_iter().chain(clinic).chain(later).collect();
    later.extend(each(BOX, evidence));
    // Nobody feels an internet line by which no computer of the clinic leaves.
    let (internet, unfelt) = match first(INTERNET, evidence) {
        fault if evidence.clinic_leaves => (fault, None),
        fault => (None, fault),
    };
    // Nor does qualification feel the cloud, which is the clinic's own way.
    let cloud = first(CLOUD, evidence).filter(|fault| internet.is_none() || fault.owner != Party::Unknown);
    let usability = match (&line, &terminal) {
        _ if holds(DROPPING, evidence) || segment.is_some() => Usability::Unusable,
        (Some(_), _) if !holds(LINE_HOLDS, evidence) => Usability::Unusable,
        (None, None) if later.is_empty() && holds(ALL_HOLDS, evidence) => Usability::Usable,
        (None, None) if later.is_empty() => Usability::Unknown,
        _ => Usability::Partly,
    };
    let mut alarms = line
        .into_iter()
        .chain(segment)
        .chain(terminal)
        .chain(later)
        .chain(internet)
        .chain(cloud)
        .chain(each(WARNINGS, evidence));
    let foremost = alarms.next();
    let others: Vec<Fault> = alarms.collect();
    let alarmed = |code| foremost.iter().chain(&others).any(|fault| fault.code == code);
    let recorded = expected.into_iter().chain(unfelt).chain(each(RECORDED, evidence));
    let recorded = recorded.filter(|fault| !alarmed(fault.code)).collect();
    Verdict { usability, since, foremost, others, recorded }
}

/// Whom a fault may be given to, each with how sure that is; whoever the first rows name comes first.
pub fn owners(code: FaultCode) -> Vec<(Party, Certainty)> {
    let mut found: Vec<(Party, Certainty)> = Vec::new();
    let tables = [
        LINE, SEGMENT, TERMINAL, WIRING, CLINIC, ANSWERS, CONTENTS, CONSUMERS, INTERNET, CLOUD, BOX,
        WARNINGS, RECORDED,
    ];
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

/// Every row whose needs all hold, the first of each fault.
fn each(rows: &[Row], evidence: &Evidence) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    for fault in rows.iter().filter_map(|row| row.fault(evidence)) {
        if found.iter().all(|other| other.code != fault.code) {
            found.push(fault);
        }
    }
    found
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
            // What this line has not is not seen on it either.
            Self::Good(rung) => !evidence.lacks(rung) && good(rung),
            Self::Seen(rung, symptoms) => {
                !evidence.lacks(rung)
                    && matches!(evidence.outcome(rung), Outcome::Bad(symptom) if symptoms.contains(&symptom))
            }
            Self::Names => {
                let tunnel = good(Tunnel) || evidence.lacks(Tunnel);
                let or_lacks = |rung| good(rung) || evidence.lacks(rung);
                let session = or_lacks(Discovery) && or_lacks(Session);
                let way = good(Link) && session && good(Address) && or_lacks(Gateway) && tunnel;
                way && (good(ResolverOne) || good(ResolverTwo))
            }
            Self::Given => {
                let seen =
                    matches!(evidence.outcome(Prefix), Outcome::Good | Outcome::Bad(Symptom::Renumbered));
                seen || evidence.lacks(Prefix)
            }
            Self::Routed => {
                matches!(evidence.outcome(Address), Outcome::Good | Outcome::Bad(Symptom::NoAddress))
            }
            Self::Ever(rung) => evidence.was_good(rung),
            Self::Never(rung) => !evidence.was_good(rung),
            Self::GoodOrNever(rung) => good(rung) || !evidence.was_good(rung),
            Self::GoodOrLacking(rung) => good(rung) || evidence.lacks(rung),
            Self::Lacks(rung) => evidence.lacks(rung),
            Self::Outlasts(rung) => evidence.outlasted.contains(&rung),
            Self::Flaps(rung) => {
                evidence.flapping.contains(&rung)
                    && matches!(evidence.outcome(rung), Outcome::Good | Outcome::Bad(_))
            }
            Self::All(rungs) => {
                rungs.iter().all(|rung| good(*rung) || *rung == Gateway && evidence.lacks(*rung))
            }
            Self::Passes => {
                matches!(evidence.outcome(Ruleset), Outcome::Good | Outcome::Bad(Symptom::Drifted))
            }
            Self::Announced => evidence.announced,
            Self::Quiet => evidence.quiet,
            Self::Clock => evidence.clock_trusted,
            Self::ClockConfirmed => evidence.clock_trusted && evidence.clock_confirmed,
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
                let mut rungs =
                    vec![Link, Discovery, Session, Address, Gateway, Tunnel, ResolverOne, ResolverTwo];
                rungs.retain(|rung| evidence.outcome(*rung).is_good());
                rungs
            }
            Self::GoodOrLacking(rung) if evidence.lacks(rung) => Vec::new(),
            Self::GoodOrLacking(rung) => vec![rung],
            Self::All(rungs) => rungs.iter().copied().filter(|rung| !evidence.lacks(*rung)).collect(),
            Self::Given => vec![Prefix],
            Self::Routed => vec![Address],
            Self::Passes => vec![Ruleset],
            Self::Ever(_)
            | Self::Lacks(_)
            | Self::Never(_)
            | Self::Outlasts(_)
            | Self::Announced
            | Self::Quiet
            | Self::Clock
            | Self::ClockConfirmed
            | Self::ClockDoubted => Vec::new(),
        }
    }
}
