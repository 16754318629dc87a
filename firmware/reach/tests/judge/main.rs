//! The judge, from observations: every code with and without its deciding evidence, and the property that no
//! loss of evidence ever moves a fault to another party.

use model::observation::{Branch, Evidence};
use model::{
    Certainty, FaultCode, Observation, Outcome, Party, Rung, Symptom, Timestamp, Usability, Verdict,
};
use reach::judge;

mod cloud;
mod flows;
mod inside;
mod internet;
mod line;
mod property;
mod session;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn seen(rung: Rung, outcome: Outcome) -> Observation {
    let terminal = (rung.branch() == Branch::Terminal).then(|| "t1".to_owned());
    Observation { rung, terminal, outcome, at: NOW, took_ms: 1.0, detail: String::new() }
}

/// What only a line by IPsec has.
const OF_A_TUNNEL: [Rung; 3] = [Rung::Ike, Rung::IkeNat, Rung::Tunnel];

/// What only a line by PPPoE has.
const OF_A_SESSION: [Rung; 2] = [Rung::Discovery, Rung::Session];

/// What a line by PPPoE has not.
const LACKED_BY_PPPOE: [Rung; 8] = [
    Rung::Router,
    Rung::Gateway,
    Rung::Prefix,
    Rung::Ike,
    Rung::IkeNat,
    Rung::Tunnel,
    Rung::LineAuth,
    Rung::LargePackets,
];

/// What a line by IPsec has not.
const LACKED_BY_IPSEC: [Rung; 5] =
    [Rung::Prefix, Rung::LineAuth, Rung::LargePackets, Rung::Discovery, Rung::Session];

/// What only a clinic with an internet line has, and a cloud behind it, and one with remote maintenance.
const BESIDE: [Rung; 10] = [
    Rung::InternetLink,
    Rung::InternetAddress,
    Rung::InternetGateway,
    Rung::InternetBeyond,
    Rung::CloudIke,
    Rung::CloudTunnel,
    Rung::CloudTcp,
    Rung::CloudTls,
    Rung::Maintainer,
    Rung::MaintainerByInternet,
];

/// A clinic in which everything holds and always held.
fn clean() -> Evidence {
    let own =
        Rung::ALL.into_iter().filter(|rung| !OF_A_TUNNEL.contains(rung) && !OF_A_SESSION.contains(rung));
    Evidence {
        observations: own.map(|rung| (rung, seen(rung, Outcome::Good))).collect(),
        ever_good: Rung::ALL.to_vec(),
        flapping: Vec::new(),
        outlasted: vec![Rung::CloudTcp],
        lacking: [&OF_A_TUNNEL[..], &OF_A_SESSION].concat(),
        clinic_leaves: true,
        clock_trusted: true,
        clock_confirmed: true,
        announced: false,
        quiet: false,
    }
}

/// The clean clinic with these rungs bad, and what stands on a broken rung skipped, as the ladder reports it.
fn broken(bad: &[(Rung, Symptom)]) -> Evidence {
    let mut evidence = clean();
    for (rung, symptom) in bad {
        evidence.observations.insert(*rung, seen(*rung, Outcome::Bad(*symptom)));
    }
    for rung in Rung::ALL {
        let below = below(&evidence, rung);
        if !below.is_empty() && !below.iter().any(|under| evidence.outcome(*under).is_good()) {
            evidence.observations.insert(rung, seen(rung, Outcome::Skipped));
        }
    }
    evidence
}

/// What a rung stands on here.
fn below(evidence: &Evidence, rung: Rung) -> &'static [Rung] {
    match rung.stands_on() {
        [one]
            if (OF_A_TUNNEL.contains(one) || OF_A_SESSION.contains(one) || *one == Rung::Gateway)
                && evidence.lacks(*one) =>
        {
            below(evidence, *one)
        }
        below => below,
    }
}

/// The clean clinic on a line by IPsec, with these rungs bad.
fn by_ipsec(bad: &[(Rung, Symptom)]) -> Evidence {
    let mut evidence = clean();
    evidence.lacking = LACKED_BY_IPSEC.to_vec();
    evidence.observations.retain(|rung, _| !evidence.lacking.contains(rung));
    evidence.ever_good.retain(|rung| !evidence.lacking.contains(rung));
    for rung in OF_A_TUNNEL {
        evidence.observations.insert(rung, seen(rung, Outcome::Good));
    }
    for (rung, symptom) in bad {
        evidence.observations.insert(*rung, seen(*rung, Outcome::Bad(*symptom)));
    }
    for rung in Rung::ALL {
        let below = below(&evidence, rung);
        if !below.is_empty() && !below.iter().any(|under| evidence.outcome(*under).is_good()) {
            evidence.observations.insert(rung, seen(rung, Outcome::Skipped));
        }
    }
    evidence
}

/// The clean clinic on a line by PPPoE, with these rungs bad.
fn by_pppoe(bad: &[(Rung, Symptom)]) -> Evidence {
    let mut evidence = clean();
    evidence.lacking = LACKED_BY_PPPOE.to_vec();
    evidence.observations.retain(|rung, _| !evidence.lacking.contains(rung));
    evidence.ever_good.retain(|rung| !evidence.lacking.contains(rung));
    for rung in OF_A_SESSION {
        evidence.observations.insert(rung, seen(rung, Outcome::Good));
    }
    for (rung, symptom) in bad {
        evidence.observations.insert(*rung, seen(*rung, Outcome::Bad(*symptom)));
    }
    for rung in Rung::ALL.into_iter().filter(|rung| !LACKED_BY_PPPOE.contains(rung)) {
        let below = below(&evidence, rung);
        if !below.is_empty() && !below.iter().any(|under| evidence.outcome(*under).is_good()) {
            evidence.observations.insert(rung, seen(rung, Outcome::Skipped));
        }
    }
    evidence
}

/// The line by IPsec, lent its address by a home gateway in front, which advertises nothing.
fn behind(bad: &[(Rung, Symptom)]) -> Evidence {
    let mut evidence = by_ipsec(bad);
    evidence.lacking.push(Rung::Router);
    evidence.observations.remove(&Rung::Router);
    evidence.ever_good.retain(|rung| *rung != Rung::Router);
    evidence
}

/// What can go wrong at a rung.
const fn apt(rung: Rung) -> &'static [Symptom] {
    use Symptom::{
        AnswersFailed, AnswersMixed, AnswersRefused, AsksElsewhere, Busy, CertificateExpired,
        CertificateName, ClockOff, Crashing, Damaged, Denied, DiskFull, Drifted, Dropping, Duplicate,
        Elsewhere, Ended, Ends, EndsSoon, FellBack, Hot, IdentityRefused, IdentityRefusedNow, Joined,
        LargeLost, LoginRefused, Lossy, NameMissing, NoAddress, NoCarrier, NoLogin, NoProposal, NoRouter,
        NoService, NotAdvertised, NotCollected, NotDelegated, OtherArea, Refused, Renumbered, RouterGoodbye,
        SecondRouter, ShareMissing, Silent, Slow, Stranger, Unanswered, UnknownKinds, Unreachable, Untaken,
        Worn,
    };
    match rung {
        Rung::Link | Rung::TerminalLink => &[NoCarrier],
        Rung::Discovery => &[Silent, NoLogin],
        Rung::Session => &[Silent, IdentityRefused, NoService, Busy],
        Rung::Router => &[SecondRouter],
        Rung::Address => &[NoRouter, RouterGoodbye, NoAddress, Duplicate],
        Rung::Gateway | Rung::TerminalNeighbour => &[Silent],
        Rung::Prefix => &[NotDelegated, NotAdvertised, Renumbered],
        Rung::ResolverOne | Rung::ResolverTwo => &[Silent, Refused, Stranger],
        Rung::LineAuth | Rung::Distribution | Rung::CentreTcp => &[Silent, Refused, Unreachable, NameMissing],
        Rung::CentreTls | Rung::CloudTls => &[Silent, Refused, CertificateExpired, CertificateName],
        Rung::Ike | Rung::IkeNat | Rung::CloudIke | Rung::CloudTcp => &[Silent, Refused, Unreachable],
        Rung::Tunnel | Rung::CloudTunnel => {
            &[Silent, NoProposal, IdentityRefused, IdentityRefusedNow, NoLogin, CertificateExpired, Ended]
        }
        Rung::Area => &[OtherArea],
        Rung::Quality => &[Lossy, Slow],
        Rung::LargePackets => &[LargeLost],
        Rung::Time => &[Silent, ClockOff],
        Rung::TerminalSmb => &[Silent, Refused],
        Rung::TerminalShare => &[LoginRefused, NoLogin, ShareMissing, Denied, DiskFull],
        Rung::TerminalAnswers => &[Untaken, Unanswered],
        Rung::AnswersSay => &[AnswersFailed, AnswersRefused, AnswersMixed],
        Rung::Collection => &[NotCollected],
        Rung::ClinicLink => &[NoCarrier],
        Rung::ReceiptComputer => &[Silent],
        Rung::ClinicAddress => &[Duplicate],
        Rung::Separation => &[Joined, Elsewhere],
        Rung::TerminalFlows => &[AsksElsewhere, Silent, Refused],
        Rung::InternetLink => &[NoCarrier],
        Rung::InternetAddress => &[NoAddress],
        Rung::InternetGateway => &[Silent, Unreachable],
        Rung::InternetBeyond => &[Silent, Refused, Unreachable],
        Rung::Maintainer | Rung::MaintainerByInternet => &[Silent],
        Rung::Ruleset => &[Drifted, Dropping],
        Rung::Storage => &[DiskFull],
        Rung::Roles => &[Crashing],
        Rung::Memory | Rung::Journal => &[Damaged],
        Rung::Version => &[FellBack],
        Rung::Hardware => &[Worn, Hot],
        Rung::Kinds => &[UnknownKinds],
        Rung::TerminalCertificate | Rung::Secrets => &[EndsSoon, Ends, Ended],
    }
}

fn never(mut evidence: Evidence, rung: Rung) -> Evidence {
    evidence.ever_good.retain(|good| *good != rung);
    evidence
}

fn without(mut evidence: Evidence, rung: Rung) -> Evidence {
    evidence.observations.remove(&rung);
    evidence
}

fn verdict(evidence: &Evidence) -> Verdict {
    judge(evidence, None, NOW)
}

/// Code, owner and certainty of the foremost fault.
fn foremost(evidence: &Evidence) -> Option<(FaultCode, Party, Certainty)> {
    verdict(evidence).foremost.map(|fault| (fault.code, fault.owner, fault.certainty))
}

#[test]
fn a_clean_clinic_is_usable_and_nothing_is_named() {
    let verdict = verdict(&clean());
    assert_eq!(verdict.usability, Usability::Usable);
    assert_eq!((verdict.alarms().count(), verdict.recorded.len()), (0, 0));
}

#[test]
fn each_fault_is_named_with_its_owner() {
    use Certainty::{Likely, Open, Sure};
    use FaultCode::{Auth01, Ctr01, Ctr02, Ctr03, Dns01, Term01, Term02, Term03, Wan01, Wan02, Wan03};
    use Rung::{
        Address, CentreTcp, CentreTls, Distribution, LineAuth, Link, ResolverOne, ResolverTwo, TerminalLink,
        TerminalNeighbour, TerminalShare, TerminalSmb,
    };
    use Symptom::{
        CertificateExpired, LoginRefused, NoCarrier, NoLogin, NoRouter, Refused, RouterGoodbye, Silent,
        Unreachable,
    };
    let refused = broken(&[(LineAuth, Refused), (CentreTcp, Refused)]);
    let muted = broken(&[(LineAuth, Silent), (CentreTcp, Refused)]);
    let table = [
        (broken(&[(Link, NoCarrier)]), Wan01, Party::Clinic, Likely),
        (broken(&[(Address, NoRouter)]), Wan02, Party::Line, Likely),
        (never(broken(&[(Address, NoRouter)]), Address), Wan02, Party::Clinic, Open),
        (broken(&[(Address, RouterGoodbye)]), Wan03, Party::Line, Sure),
        (broken(&[(ResolverOne, Silent), (ResolverTwo, Silent)]), Dns01, Party::Line, Sure),
        (broken(&[(ResolverOne, Refused), (ResolverTwo, Silent)]), Dns01, Party::Line, Sure),
        (refused.clone(), Auth01, Party::Line, Likely),
        (never(refused, LineAuth), Auth01, Party::Clinic, Likely),
        (muted.clone(), Auth01, Party::Line, Open),
        (never(muted, LineAuth), Auth01, Party::Clinic, Open),
        (broken(&[(CentreTcp, Refused)]), Ctr01, Party::Centre, Sure),
        (broken(&[(CentreTls, Refused)]), Ctr01, Party::Centre, Likely),
        (broken(&[(CentreTcp, Silent)]), Ctr02, Party::Centre, Likely),
        (
            broken(&[(CentreTcp, Silent), (LineAuth, Silent), (Distribution, Unreachable)]),
            Ctr02,
            Party::Line,
            Likely,
        ),
        (broken(&[(CentreTls, CertificateExpired)]), Ctr03, Party::Centre, Sure),
        (broken(&[(TerminalLink, NoCarrier)]), Term01, Party::Clinic, Likely),
        (broken(&[(TerminalNeighbour, Silent)]), Term01, Party::Terminal, Likely),
        (broken(&[(TerminalSmb, Refused)]), Term02, Party::Terminal, Sure),
        (broken(&[(TerminalShare, LoginRefused)]), Term03, Party::Terminal, Sure),
        (broken(&[(TerminalShare, NoLogin)]), Term03, Party::Box, Sure),
        (never(broken(&[(TerminalShare, LoginRefused)]), TerminalShare), Term03, Party::Terminal, Likely),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        let terminal = code.key().starts_with("TERM");
        let expected = if terminal { Usability::Partly } else { Usability::Unusable };
        let verdict = verdict(&evidence);
        assert_eq!(verdict.usability, expected, "{code:?}");
        assert_eq!(verdict.alarms().count(), 1, "{code:?}");
        assert_eq!(verdict.foremost.and_then(|fault| fault.terminal).is_some(), terminal, "{code:?}");
    }
}

#[test]
fn faults_on_the_way_are_named_with_their_owner() {
    use Certainty::{Likely, Open};
    use FaultCode::{Ctr04, Dns04, Dns05, Wan06, Wan07, Wan08, Wan11, Wan12};
    use Rung::{
        Address, CentreTcp, CentreTls, Gateway, LargePackets, Quality, ResolverOne, ResolverTwo, Router,
    };
    use Symptom::{
        CertificateIssuer, CertificateName, Duplicate, LargeLost, Lossy, NameMissing, SecondRouter, Silent,
        Stranger,
    };
    let hole = broken(&[(CentreTls, Silent), (LargePackets, LargeLost)]);
    let table = [
        (broken(&[(Address, Duplicate)]), Wan07, Party::Clinic, Likely),
        (broken_with(&[(Router, SecondRouter), (Gateway, Silent)]), Wan06, Party::Clinic, Likely),
        (
            broken(&[(Router, SecondRouter), (ResolverOne, Silent), (ResolverTwo, Silent)]),
            Wan06,
            Party::Clinic,
            Likely,
        ),
        (broken(&[(Gateway, Silent)]), Wan08, Party::Line, Likely),
        (broken(&[(ResolverOne, Stranger), (ResolverTwo, Stranger)]), Dns05, Party::Clinic, Likely),
        (broken(&[(CentreTcp, NameMissing)]), Dns04, Party::Centre, Likely),
        (broken(&[(CentreTls, CertificateName)]), Ctr04, Party::Unknown, Open),
        (broken(&[(CentreTls, CertificateIssuer)]), Ctr04, Party::Unknown, Open),
        (broken(&[(CentreTcp, Silent), (Quality, Lossy)]), Wan11, Party::Line, Likely),
        (hole.clone(), Wan12, Party::Line, Likely),
        (never(hole, LargePackets), Wan12, Party::Unknown, Open),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        assert_eq!(verdict(&evidence).usability, Usability::Unusable, "{code:?}");
    }
}

/// As [`broken`], but for a rung that stands on a broken one and was seen all the same.
fn broken_with(bad: &[(Rung, Symptom)]) -> Evidence {
    let mut evidence = broken(bad);
    for (rung, symptom) in bad {
        evidence.observations.insert(*rung, seen(*rung, Outcome::Bad(*symptom)));
    }
    evidence
}

#[test]
fn where_the_centre_can_be_had_all_the_same_the_service_is_partly_usable() {
    use Certainty::{Likely, Open, Sure};
    use FaultCode::{Clin01, Term04, Term05, Term06, Term07, Term08, Term09, Time01, Wan11, Wan12};
    use Rung::{AnswersSay, Collection, LargePackets, Quality, TerminalAnswers, TerminalShare, Time};
    use Symptom::{
        AnswersFailed, AnswersRefused, ClockOff, Denied, DiskFull, LargeLost, Lossy, NotCollected,
        ShareMissing, Slow, Unanswered, Untaken,
    };
    let mut late = broken(&[(Time, ClockOff)]);
    late.clock_trusted = false;
    let table = [
        (broken(&[(Quality, Lossy)]), Wan11, Party::Line, Likely),
        (broken(&[(Quality, Slow)]), Wan11, Party::Line, Likely),
        (broken(&[(LargePackets, LargeLost)]), Wan12, Party::Line, Likely),
        (broken(&[(TerminalShare, ShareMissing)]), Term04, Party::Terminal, Sure),
        (never(broken(&[(TerminalShare, ShareMissing)]), TerminalShare), Term04, Party::Terminal, Likely),
        (broken(&[(TerminalShare, Denied)]), Term05, Party::Terminal, Likely),
        (broken(&[(TerminalShare, DiskFull)]), Term06, Party::Terminal, Sure),
        (broken(&[(TerminalAnswers, Untaken)]), Term07, Party::Terminal, Likely),
        (broken(&[(TerminalAnswers, Unanswered)]), Term08, Party::Terminal, Open),
        (broken(&[(AnswersSay, AnswersFailed)]), Term09, Party::Centre, Likely),
        (broken(&[(AnswersSay, AnswersRefused)]), Term09, Party::ReceiptComputer, Likely),
        (broken(&[(Collection, NotCollected)]), Clin01, Party::ReceiptComputer, Likely),
        (late, Time01, Party::Box, Likely),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        assert_eq!(verdict(&evidence).usability, Usability::Partly, "{code:?}");
    }
}

#[test]
fn what_is_wrong_in_the_clinic_itself_is_named_with_its_owner() {
    use Certainty::{Likely, Open};
    use FaultCode::{Clin01, Clin02, Clin03, Clin04, Clin05};
    use Rung::{ClinicAddress, ClinicLink, Collection, ReceiptComputer, Separation};
    use Symptom::{Duplicate, Elsewhere, Joined, NoCarrier, NotCollected, Silent};
    let away = broken(&[(ReceiptComputer, Silent)]);
    let uncollected = broken(&[(Collection, NotCollected)]);
    let table = [
        (broken(&[(ClinicLink, NoCarrier)]), Clin02, Party::Clinic, Likely),
        (away.clone(), Clin02, Party::ReceiptComputer, Likely),
        (without(away.clone(), ClinicLink), Clin02, Party::Unknown, Open),
        (never(away.clone(), ReceiptComputer), Clin02, Party::Unknown, Open),
        (broken(&[(ClinicAddress, Duplicate)]), Clin03, Party::Clinic, Likely),
        (broken(&[(Separation, Elsewhere)]), Clin04, Party::Clinic, Open),
        (broken(&[(Separation, Joined), (ClinicAddress, Duplicate)]), Clin05, Party::Clinic, Likely),
        (without(uncollected.clone(), ClinicLink), Clin01, Party::Unknown, Open),
        (without(uncollected.clone(), ReceiptComputer), Clin01, Party::Unknown, Open),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        assert_eq!(verdict(&evidence).alarms().count(), 1, "{code:?}");
        let word = verdict(&evidence).usability;
        assert_eq!(word == Usability::Partly, !code.is_warning(), "{code:?}: {word:?}");
    }
    for rung in [ClinicLink, ReceiptComputer, ClinicAddress] {
        assert_eq!(verdict(&without(clean(), rung)).usability, Usability::Unknown, "{rung:?}");
    }
    let lacking = |evidence| Evidence {
        lacking: [&OF_A_TUNNEL[..], &OF_A_SESSION, &[ReceiptComputer]].concat(),
        ..without(evidence, ReceiptComputer)
    };
    assert_eq!(verdict(&lacking(clean())).usability, Usability::Usable, "no address to ask for");
    assert_eq!(foremost(&lacking(uncollected)), Some((Clin01, Party::ReceiptComputer, Likely)));
}

#[test]
fn a_receipt_computer_that_is_not_there_is_not_blamed_twice_and_a_bypass_stays_in_view() {
    let away = (Rung::ReceiptComputer, Symptom::Silent);
    let codes = |evidence: &Evidence| verdict(evidence).alarms().map(|fault| fault.code).collect::<Vec<_>>();
    let both = broken(&[away, (Rung::Collection, Symptom::NotCollected)]);
    assert_eq!(codes(&both), [FaultCode::Clin02]);
    let bypass = broken(&[away, (Rung::Separation, Symptom::Elsewhere), (Rung::Link, Symptom::NoCarrier)]);
    assert_eq!(codes(&bypass), [FaultCode::Wan01, FaultCode::Clin02, FaultCode::Clin04]);
}

#[test]
fn a_line_that_comes_and_goes_is_one_story_also_while_it_is_there() {
    for evidence in [clean(), broken(&[(Rung::Link, Symptom::NoCarrier)])] {
        let flapping = Evidence { flapping: vec![Rung::Link], ..evidence };
        assert_eq!(foremost(&flapping), Some((FaultCode::Wan10, Party::Clinic, Certainty::Likely)));
        assert_eq!(foremost(&without(flapping, Rung::Link)), None);
    }
}

#[test]
fn large_packets_that_never_passed_here_are_no_measure() {
    let never = never(broken(&[(Rung::LargePackets, Symptom::LargeLost)]), Rung::LargePackets);
    assert_eq!((verdict(&never).usability, foremost(&never)), (Usability::Usable, None));
}

#[test]
fn what_comes_of_a_broken_line_is_not_held_against_the_terminal() {
    let line = (Rung::CentreTcp, Symptom::Silent);
    for late in [Symptom::Untaken, Symptom::Unanswered] {
        let found = verdict(&broken(&[line, (Rung::TerminalAnswers, late)]));
        assert_eq!(found.alarms().map(|fault| fault.code).collect::<Vec<_>>(), [FaultCode::Ctr02]);
    }
    let found = verdict(&broken(&[line, (Rung::AnswersSay, Symptom::AnswersFailed)]));
    assert_eq!(found.alarms().map(|fault| fault.code).collect::<Vec<_>>(), [FaultCode::Ctr02]);
}

#[test]
fn without_the_deciding_evidence_nobody_is_accused() {
    use Rung::{
        AnswersSay, CentreTcp, CentreTls, Distribution, LineAuth, Quality, TerminalAnswers, TerminalLink,
        TerminalNeighbour, TerminalSmb,
    };
    use Symptom::{
        AnswersMixed, AnswersRefused, CertificateExpired, NameMissing, Refused, Silent, Unanswered,
        Unreachable, Untaken,
    };
    let gone = broken(&[(CentreTcp, Silent), (LineAuth, Silent), (Distribution, Silent)]);
    let unowned = [
        (without(broken(&[(CentreTcp, Refused)]), LineAuth), FaultCode::Ctr01),
        (without(broken(&[(CentreTcp, Refused)]), Distribution), FaultCode::Ctr01),
        (without(broken(&[(CentreTcp, Refused), (LineAuth, Refused)]), LineAuth), FaultCode::Ctr01),
        (broken(&[(CentreTcp, Refused), (Distribution, Refused)]), FaultCode::Ctr01),
        (without(broken(&[(CentreTcp, Silent)]), LineAuth), FaultCode::Ctr02),
        (broken(&[(CentreTcp, Silent), (LineAuth, Silent)]), FaultCode::Ctr02),
        (broken(&[(CentreTcp, Silent), (LineAuth, Refused)]), FaultCode::Ctr02),
        (broken(&[(CentreTcp, Unreachable)]), FaultCode::Ctr02),
        (without(gone.clone(), LineAuth), FaultCode::Ctr02),
        (without(gone, Distribution), FaultCode::Ctr02),
        (without(broken(&[(TerminalNeighbour, Silent)]), TerminalLink), FaultCode::Term01),
        (broken(&[(TerminalSmb, Silent)]), FaultCode::Term02),
        (without(broken(&[(CentreTcp, NameMissing)]), LineAuth), FaultCode::Dns04),
        (without(broken(&[(CentreTcp, NameMissing)]), Distribution), FaultCode::Dns04),
        (without(broken(&[(CentreTcp, Silent)]), Quality), FaultCode::Ctr02),
        (without(broken(&[(TerminalAnswers, Untaken)]), CentreTls), FaultCode::Term07),
        (without(broken(&[(TerminalAnswers, Unanswered)]), CentreTls), FaultCode::Term08),
        (without(broken(&[(AnswersSay, AnswersRefused)]), CentreTcp), FaultCode::Term09),
        (broken(&[(AnswersSay, AnswersMixed)]), FaultCode::Term09),
    ];
    for (evidence, code) in unowned {
        assert_eq!(foremost(&evidence), Some((code, Party::Unknown, Certainty::Open)), "{evidence:?}");
    }
    let mut doubted = broken(&[(CentreTls, CertificateExpired)]);
    doubted.clock_confirmed = false;
    assert_eq!(foremost(&doubted), Some((FaultCode::Ctr03, Party::Unknown, Certainty::Open)));
    doubted.clock_trusted = false;
    assert_eq!(foremost(&doubted), None);
    assert_eq!(verdict(&doubted).usability, Usability::Unknown);
}

#[test]
fn what_no_row_names_is_unknown_and_not_a_guess() {
    for (rung, symptom) in [
        (Rung::Link, Symptom::NoPort),
        (Rung::Address, Symptom::NoAddress),
        (Rung::CentreTls, Symptom::Malformed),
        (Rung::TerminalShare, Symptom::Malformed),
        (Rung::TerminalAnswers, Symptom::Silent),
    ] {
        let verdict = verdict(&broken(&[(rung, symptom)]));
        assert_eq!((verdict.usability, verdict.foremost), (Usability::Unknown, None), "{rung:?} {symptom:?}");
    }
    let lies = [(Rung::ResolverOne, Symptom::Malformed), (Rung::ResolverTwo, Symptom::Malformed)];
    assert_eq!(foremost(&broken(&lies)), None);
}

#[test]
fn one_resolver_of_two_is_recorded_and_no_alarm() {
    for rung in [Rung::ResolverOne, Rung::ResolverTwo] {
        let verdict = verdict(&broken(&[(rung, Symptom::Silent)]));
        assert_eq!((verdict.usability, verdict.alarms().count()), (Usability::Usable, 0));
        assert_eq!(verdict.recorded[0].code, FaultCode::Dns02);
        assert_eq!(verdict.recorded[0].owner, Party::Line);
    }
}

#[test]
fn a_want_of_the_distribution_host_alone_leaves_reception_alone() {
    for rung in [Rung::Distribution, Rung::LineAuth, Rung::Time, Rung::Router] {
        assert_eq!(verdict(&broken(&[(rung, Symptom::Silent)])).usability, Usability::Usable, "{rung:?}");
    }
}

#[test]
fn nothing_seen_is_unknown() {
    let verdict = verdict(&Evidence::default());
    assert_eq!((verdict.usability, verdict.foremost), (Usability::Unknown, None));
    let waiting = [(Rung::Address, seen(Rung::Address, Outcome::Open))];
    let mut evidence = clean();
    evidence.observations.extend(waiting);
    assert_eq!(judge(&evidence, None, NOW).usability, Usability::Unknown);
}

#[test]
fn a_share_nobody_looked_at_is_not_called_usable() {
    assert_eq!(verdict(&without(clean(), Rung::TerminalShare)).usability, Usability::Unknown);
}

#[test]
fn two_faults_on_one_branch_name_the_root() {
    let evidence = broken(&[
        (Rung::Link, Symptom::NoCarrier),
        (Rung::ResolverOne, Symptom::Silent),
        (Rung::CentreTcp, Symptom::Refused),
    ]);
    let verdict = verdict(&evidence);
    assert_eq!(verdict.alarms().map(|fault| fault.code).collect::<Vec<_>>(), [FaultCode::Wan01]);
}

#[test]
fn independent_faults_are_kept_in_view_the_line_first() {
    let evidence = broken(&[(Rung::TerminalSmb, Symptom::Refused), (Rung::CentreTcp, Symptom::Silent)]);
    let verdict = verdict(&evidence);
    assert_eq!(verdict.usability, Usability::Unusable);
    let codes: Vec<FaultCode> = verdict.alarms().map(|fault| fault.code).collect();
    assert_eq!(codes, [FaultCode::Ctr02, FaultCode::Term02]);
}

#[test]
fn the_same_finding_keeps_its_time() {
    let later = Timestamp::from_second(60).unwrap();
    let first = judge(&broken(&[(Rung::Link, Symptom::NoCarrier)]), None, NOW);
    let second = judge(&broken(&[(Rung::Link, Symptom::NoCarrier)]), Some(&first), later);
    assert_eq!(second.since, NOW);
    assert_eq!(judge(&clean(), Some(&second), later).since, later);
}
