//! The judge, from observations: every code with and without its deciding evidence, and the property that no
//! loss of evidence ever moves a fault to another party.

use model::observation::{Branch, Evidence};
use model::{
    Certainty, FaultCode, Observation, Outcome, Party, Rung, Symptom, Timestamp, Usability, Verdict,
};
use proptest::prelude::*;
use reach::judge;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn seen(rung: Rung, outcome: Outcome) -> Observation {
    let terminal = (rung.branch() == Branch::Terminal).then(|| "t1".to_owned());
    Observation { rung, terminal, outcome, at: NOW, took_ms: 1.0, detail: String::new() }
}

/// What only a line by IPsec has.
const OF_A_TUNNEL: [Rung; 3] = [Rung::Ike, Rung::IkeNat, Rung::Tunnel];

/// What a line by IPsec has not.
const LACKED_BY_IPSEC: [Rung; 3] = [Rung::Prefix, Rung::LineAuth, Rung::LargePackets];

/// A clinic in which everything holds and always held.
fn clean() -> Evidence {
    let own = Rung::ALL.into_iter().filter(|rung| !OF_A_TUNNEL.contains(rung));
    Evidence {
        observations: own.map(|rung| (rung, seen(rung, Outcome::Good))).collect(),
        ever_good: Rung::ALL.to_vec(),
        flapping: Vec::new(),
        lacking: OF_A_TUNNEL.to_vec(),
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
        [Rung::Tunnel] if evidence.lacks(Rung::Tunnel) => Rung::Tunnel.stands_on(),
        below => below,
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
        lacking: [&OF_A_TUNNEL[..], &[ReceiptComputer]].concat(),
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

fn outcomes() -> impl Strategy<Value = Option<Outcome>> {
    prop_oneof![
        4 => Just(Some(Outcome::Good)),
        3 => prop::sample::select(Symptom::ALL.to_vec()).prop_map(|symptom| Some(Outcome::Bad(symptom))),
        1 => prop_oneof![Just(Symptom::Silent), Just(Symptom::Refused), Just(Symptom::Unreachable)]
            .prop_map(|symptom| Some(Outcome::Bad(symptom))),
        1 => Just(Some(Outcome::Skipped)),
        1 => Just(Some(Outcome::Open)),
        1 => Just(None),
    ]
}

prop_compose! {
    fn evidences()(
        outcomes in prop::collection::vec(outcomes(), Rung::ALL.len()),
        ever in prop::collection::vec(any::<bool>(), Rung::ALL.len()),
        clock_trusted in any::<bool>(),
        clock_confirmed in any::<bool>(),
        without_addresses in any::<bool>(),
        (by_ipsec, flapping, announced, quiet) in any::<(bool, bool, bool, bool)>(),
    ) -> Evidence {
        let observations =
            Rung::ALL.iter().zip(outcomes).filter_map(|(rung, is)| Some((*rung, seen(*rung, is?)))).collect();
        let ever_good = Rung::ALL.iter().zip(ever).filter_map(|(rung, good)| good.then_some(*rung)).collect();
        let flapping = flapping.then_some(Rung::Link).into_iter().collect();
        let lacking: &[Rung] = if by_ipsec { &LACKED_BY_IPSEC } else { &OF_A_TUNNEL };
        let lacking = without_addresses.then_some(Rung::ReceiptComputer).into_iter().chain(lacking.iter().copied()).collect();
        Evidence { observations, ever_good, flapping, lacking, clock_trusted, clock_confirmed, announced, quiet }
    }
}

/// The accusations of each branch: of the line, what it gives the terminals, the terminal, what answers say, their consumers, the box's clock, the
/// clinic's machines, its wiring, the box, dates.
fn accused(verdict: &Verdict) -> [Option<Party>; 10] {
    let branch = |code: FaultCode| match (code, code.key().split('-').next()) {
        (FaultCode::Wan04 | FaultCode::Wan09, _) => 9,
        (FaultCode::Term09, _) => 2,
        (FaultCode::Clin02, _) => 5,
        (FaultCode::Clin03 | FaultCode::Clin04 | FaultCode::Clin05, _) => 6,
        (_, Some("TERM")) => 1,
        (_, Some("CLIN")) => 3,
        (_, Some("TIME")) => 4,
        (_, Some("BOX")) => 7,
        (_, Some("CAL")) => 8,
        _ => 0,
    };
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(|wanted| {
        let mut found = verdict.alarms().filter(|fault| branch(fault.code) == wanted);
        found.next().map(|fault| fault.owner).filter(|owner| *owner != Party::Unknown)
    })
}

/// Removing any one observation may take an accusation away and never makes or moves one; nor does it make the
/// service usable.
fn loses_only(evidence: &Evidence) {
    let whole = verdict(evidence);
    for rung in evidence.observations.keys() {
        let part = verdict(&without(evidence.clone(), *rung));
        for (before, after) in accused(&whole).into_iter().zip(accused(&part)) {
            assert!(after.is_none() || after == before, "without {rung:?}: {before:?} became {after:?}");
        }
        assert!(part.usability != Usability::Usable || whole.usability == Usability::Usable, "{rung:?}");
    }
}

#[test]
fn on_a_clinic_with_two_faults_the_loss_of_an_observation_never_moves_the_blame() {
    for first in Rung::ALL {
        for second in Rung::ALL {
            for (one, two) in
                apt(first).iter().flat_map(|one| apt(second).iter().map(move |two| (*one, *two)))
            {
                let evidence = broken(&[(first, one), (second, two)]);
                loses_only(&evidence);
                loses_only(&by_ipsec(&[(first, one), (second, two)]));
                loses_only(&Evidence { announced: true, quiet: true, ..evidence });
            }
        }
    }
}

/// What can go wrong at a rung.
const fn apt(rung: Rung) -> &'static [Symptom] {
    use Symptom::{
        AnswersFailed, AnswersMixed, AnswersRefused, CertificateExpired, CertificateName, ClockOff, Crashing,
        Damaged, Denied, DiskFull, Drifted, Dropping, Duplicate, Elsewhere, Ended, Ends, EndsSoon, FellBack,
        Hot, IdentityRefused, IdentityRefusedNow, Joined, LargeLost, LoginRefused, Lossy, NameMissing,
        NoAddress, NoCarrier, NoLogin, NoProposal, NoRouter, NotAdvertised, NotCollected, NotDelegated,
        OtherArea, Refused, Renumbered, RouterGoodbye, SecondRouter, ShareMissing, Silent, Slow, Stranger,
        Unanswered, UnknownKinds, Unreachable, Untaken, Worn,
    };
    match rung {
        Rung::Link | Rung::TerminalLink => &[NoCarrier],
        Rung::Router => &[SecondRouter],
        Rung::Address => &[NoRouter, RouterGoodbye, NoAddress, Duplicate],
        Rung::Gateway | Rung::TerminalNeighbour => &[Silent],
        Rung::Prefix => &[NotDelegated, NotAdvertised, Renumbered],
        Rung::ResolverOne | Rung::ResolverTwo => &[Silent, Refused, Stranger],
        Rung::LineAuth | Rung::Distribution | Rung::CentreTcp => &[Silent, Refused, Unreachable, NameMissing],
        Rung::CentreTls => &[Silent, Refused, CertificateExpired, CertificateName],
        Rung::Ike | Rung::IkeNat => &[Silent, Refused, Unreachable],
        Rung::Tunnel => {
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_loss_of_an_observation_never_moves_the_blame(evidence in evidences()) {
        loses_only(&evidence);
    }

    #[test]
    fn every_alarm_can_be_shown(evidence in evidences()) {
        let verdict = verdict(&evidence);
        prop_assert!(verdict.alarms().all(|fault| fault.code.is_alarm() && !fault.evidence.is_empty()));
        let alarmed_too = |fault: &model::Fault| verdict.alarms().any(|alarm| alarm.code == fault.code);
        prop_assert!(!verdict.recorded.iter().any(alarmed_too));
        let alarmed = matches!(verdict.usability, Usability::Unusable | Usability::Partly);
        let felt = verdict.alarms().any(|fault| !fault.code.is_warning());
        prop_assert!(alarmed || !felt, "{:?}", verdict);
        prop_assert!(!alarmed || verdict.foremost.is_some(), "{:?}", verdict);
    }
}

/// Ruleset and disk, room and roles: what is wrong with the box, and how much of the service is left.
#[test]
fn each_fault_of_the_box_is_the_box_s_and_stands_on_its_own_rung_alone() {
    use FaultCode::{Box01, Box02, Box03, Box05, Box06, Box07, Box08};
    use Usability::{Partly, Unusable, Usable};
    let table = [
        (Rung::Ruleset, Symptom::Drifted, Box02, Usable),
        (Rung::Ruleset, Symptom::Dropping, Box02, Unusable),
        (Rung::Storage, Symptom::DiskFull, Box01, Partly),
        (Rung::Roles, Symptom::Crashing, Box05, Partly),
        (Rung::Memory, Symptom::Damaged, Box03, Usable),
        (Rung::Journal, Symptom::Damaged, Box03, Usable),
        (Rung::Secrets, Symptom::EndsSoon, Box06, Usable),
        (Rung::Secrets, Symptom::Ended, Box06, Usable),
        (Rung::Version, Symptom::FellBack, Box07, Usable),
        (Rung::Hardware, Symptom::Worn, Box08, Usable),
        (Rung::Hardware, Symptom::Hot, Box08, Usable),
    ];
    for (rung, symptom, code, usability) in table {
        let evidence = broken(&[(rung, symptom)]);
        assert_eq!(foremost(&evidence), Some((code, Party::Box, Certainty::Sure)), "{code:?}");
        assert_eq!(verdict(&evidence).usability, usability, "{code:?}");
        assert_eq!(foremost(&without(evidence, rung)), None, "{code:?}");
    }
    let all = verdict(&broken(&[
        (Rung::Ruleset, Symptom::Drifted),
        (Rung::Storage, Symptom::DiskFull),
        (Rung::Roles, Symptom::Crashing),
        (Rung::TerminalSmb, Symptom::Refused),
    ]));
    let codes: Vec<FaultCode> = all.alarms().map(|fault| fault.code).collect();
    assert_eq!(codes, [FaultCode::Term02, Box01, Box05, Box02], "every one is said");
}

#[test]
fn a_box_that_cannot_say_how_it_is_is_not_called_usable() {
    for rung in [Rung::Ruleset, Rung::Storage, Rung::Roles] {
        let verdict = verdict(&without(clean(), rung));
        assert_eq!((verdict.usability, verdict.foremost), (Usability::Unknown, None), "{rung:?}");
    }
}

#[test]
fn a_terminal_s_date_is_told_on_its_days_and_noted_in_between() {
    use FaultCode::Cal01;
    let dated = |symptom| broken(&[(Rung::TerminalCertificate, symptom)]);
    for (symptom, certainty) in [(Symptom::EndsSoon, Certainty::Sure), (Symptom::Ended, Certainty::Likely)] {
        let told = dated(symptom);
        assert_eq!(foremost(&told), Some((Cal01, Party::Terminal, certainty)));
        assert_eq!(verdict(&told).usability, Usability::Usable, "the service goes on");
        assert_eq!(verdict(&told).foremost.unwrap().terminal.as_deref(), Some("t1"));
    }
    let noted = verdict(&dated(Symptom::Ends));
    assert_eq!((noted.usability, noted.alarms().count()), (Usability::Usable, 0));
    assert_eq!(noted.recorded[0].code, Cal01);
    let unsaid = verdict(&without(clean(), Rung::TerminalCertificate));
    assert_eq!(unsaid.usability, Usability::Usable, "nobody typed a date in");
}

#[test]
fn no_answers_and_a_date_that_has_passed_are_an_expired_certificate_and_either_alone_is_not() {
    let unanswered = (Rung::TerminalAnswers, Symptom::Unanswered);
    let both = broken(&[unanswered, (Rung::TerminalCertificate, Symptom::Ended)]);
    assert_eq!(foremost(&both), Some((FaultCode::Term11, Party::Terminal, Certainty::Likely)));
    assert_eq!(verdict(&both).alarms().count(), 1, "it is said once");
    let undated = without(both.clone(), Rung::TerminalCertificate);
    assert_eq!(foremost(&undated), Some((FaultCode::Term08, Party::Terminal, Certainty::Open)));
    let soon = broken(&[unanswered, (Rung::TerminalCertificate, Symptom::EndsSoon)]);
    assert_eq!(foremost(&soon).unwrap().0, FaultCode::Term08);
    let without_the_centre = without(both, Rung::CentreTls);
    assert_eq!(foremost(&without_the_centre), Some((FaultCode::Term08, Party::Unknown, Certainty::Open)));
}

#[test]
fn an_announced_maintenance_is_planned_and_only_where_the_line_is_seen_to_carry() {
    let (tcp, tls) = (Rung::CentreTcp, Rung::CentreTls);
    for closed in [(tcp, Symptom::Refused), (tcp, Symptom::Silent), (tls, Symptom::Refused)] {
        let announced = Evidence { announced: true, ..broken(&[closed]) };
        assert_eq!(foremost(&announced), Some((FaultCode::Ctr06, Party::Centre, Certainty::Sure)));
        assert_eq!(verdict(&announced).usability, Usability::Unusable);
        let (code, owner, _) = foremost(&Evidence { announced: false, ..announced.clone() }).unwrap();
        assert!(
            code != FaultCode::Ctr06 && owner == Party::Centre,
            "without the calendar it is the same party"
        );
        let unproved = foremost(&without(announced, Rung::LineAuth)).unwrap();
        assert_eq!(unproved.1, Party::Unknown, "{closed:?}");
    }
    let open = Evidence { announced: true, ..clean() };
    assert_eq!(
        (verdict(&open).usability, foremost(&open)),
        (Usability::Usable, None),
        "it is open all the same"
    );
    let line = broken(&[
        (tcp, Symptom::Silent),
        (Rung::LineAuth, Symptom::Silent),
        (Rung::Distribution, Symptom::Silent),
    ]);
    let line = Evidence { announced: true, ..line };
    assert_eq!(foremost(&line).unwrap().1, Party::Line, "a dead line is no maintenance");
}

#[test]
fn a_nightly_restart_is_recorded_and_no_alarm() {
    for (rung, symptom) in [
        (Rung::TerminalLink, Symptom::NoCarrier),
        (Rung::TerminalNeighbour, Symptom::Silent),
        (Rung::TerminalSmb, Symptom::Refused),
        (Rung::TerminalSmb, Symptom::Silent),
    ] {
        let quiet = Evidence { quiet: true, ..broken(&[(rung, symptom)]) };
        let found = verdict(&quiet);
        assert_eq!((found.usability, found.alarms().count()), (Usability::Unknown, 0), "{rung:?}");
        assert_eq!(found.recorded[0].code, FaultCode::Term10);
        let alarmed = foremost(&Evidence { quiet: false, ..quiet }).unwrap().0;
        assert!([FaultCode::Term01, FaultCode::Term02].contains(&alarmed));
    }
    let changed = Evidence { quiet: true, ..broken(&[(Rung::TerminalShare, Symptom::LoginRefused)]) };
    assert_eq!(foremost(&changed).unwrap().0, FaultCode::Term03, "that is no restart");
    assert_eq!(foremost(&Evidence { quiet: true, ..clean() }), None);
}

#[test]
fn the_warnings_of_the_table_are_the_catalogue_s() {
    for rung in Rung::ALL {
        for symptom in apt(rung) {
            let found = verdict(&broken(&[(rung, *symptom)]));
            let spared = found.usability == Usability::Usable;
            assert!(!spared || found.alarms().all(|fault| fault.code.is_warning()), "{rung:?} {symptom:?}");
        }
    }
}

#[test]
fn unknown_kinds_on_the_terminal_are_recorded_and_no_alarm() {
    let found = verdict(&broken(&[(Rung::Kinds, Symptom::UnknownKinds)]));
    assert_eq!((found.usability, found.alarms().count()), (Usability::Usable, 0));
    assert_eq!((found.recorded[0].code, found.recorded[0].owner), (FaultCode::Rly01, Party::Box));
    assert_eq!(verdict(&without(clean(), Rung::Kinds)).usability, Usability::Usable);
}

#[test]
fn a_date_of_the_box_is_noted_between_the_days_on_which_it_is_told() {
    let found = verdict(&broken(&[(Rung::Secrets, Symptom::Ends)]));
    assert_eq!((found.usability, found.alarms().count()), (Usability::Usable, 0));
    assert_eq!(found.recorded[0].code, FaultCode::Box06);
}

#[test]
fn what_is_damaged_twice_is_said_once() {
    let found = verdict(&broken(&[(Rung::Memory, Symptom::Damaged), (Rung::Journal, Symptom::Damaged)]));
    assert_eq!(found.alarms().map(|fault| fault.code).collect::<Vec<_>>(), [FaultCode::Box03]);
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

#[test]
fn each_fault_of_a_tunnel_is_given_to_whom_its_evidence_names() {
    use FaultCode::{Ike01, Ike02, Ike03, Ike04, Ike05, Ike06, Ike07};
    use Rung::{Ike, IkeNat, ResolverOne, ResolverTwo, Tunnel};
    use Symptom::{
        CertificateExpired, Ended, IdentityRefused, IdentityRefusedNow, NoLogin, NoProposal, Refused, Silent,
    };
    assert_eq!(verdict(&by_ipsec(&[])).usability, Usability::Usable);
    type Case<'c> = (&'c [(Rung, Symptom)], FaultCode, Party);
    let table: [Case<'_>; 11] = [
        (&[(Ike, Silent), (Tunnel, Silent)], Ike01, Party::Isp),
        (&[(IkeNat, Silent), (Tunnel, Silent)], Ike02, Party::Isp),
        (&[(Ike, Refused), (IkeNat, Refused), (Tunnel, Silent)], Ike03, Party::IpsecProvider),
        (&[(Ike, Silent), (IkeNat, Silent), (Tunnel, Silent)], Ike03, Party::Unknown),
        (&[(Tunnel, NoProposal)], Ike04, Party::Box),
        (&[(Tunnel, IdentityRefused)], Ike05, Party::Box),
        (&[(Tunnel, IdentityRefusedNow)], Ike05, Party::IpsecProvider),
        (&[(Tunnel, NoLogin)], Ike05, Party::Box),
        (&[(Tunnel, Ended)], Ike06, Party::Box),
        (&[(Tunnel, CertificateExpired)], Ike06, Party::IpsecProvider),
        (&[(ResolverOne, Silent), (ResolverTwo, Silent)], Ike07, Party::IpsecProvider),
    ];
    for (bad, code, owner) in table {
        let evidence = by_ipsec(bad);
        let found = verdict(&evidence).foremost.unwrap_or_else(|| panic!("{bad:?}: nothing"));
        assert_eq!((found.code, found.owner), (code, owner), "{bad:?}");
        loses_only(&evidence);
    }
    // A tunnel that stands carries, whatever its gateway says to new callers.
    let stands = by_ipsec(&[(Ike, Silent), (IkeNat, Silent)]);
    assert_eq!(verdict(&stands).usability, Usability::Usable);
    // What never answered here is not the internet provider's: a router in front may be set so.
    let blocked = never(by_ipsec(&[(Ike, Silent), (Tunnel, Silent)]), Ike);
    assert_eq!(verdict(&blocked).foremost.unwrap().owner, Party::Unknown);
}

#[test]
fn a_prefix_that_comes_no_more_is_the_line_s_and_one_that_never_came_the_clinic_s() {
    use Certainty::{Likely, Open};
    use FaultCode::{Wan04, Wan09};
    use Rung::{Address, Link, Prefix};
    use Symptom::{NoAddress, NoRouter, NotAdvertised, NotDelegated};
    for bad in [vec![(Prefix, NotDelegated)], vec![(Prefix, NotDelegated), (Address, NoAddress)]] {
        let lost = broken(&bad);
        assert_eq!(foremost(&lost), Some((Wan04, Party::Line, Likely)));
        assert_eq!(verdict(&lost).usability, Usability::Unusable, "the terminals have no address");
        assert_eq!(foremost(&never(lost.clone(), Prefix)), Some((Wan09, Party::Clinic, Likely)));
        for rung in [Link, Address, Prefix] {
            let found = verdict(&without(lost.clone(), rung));
            assert!(found.alarms().all(|fault| fault.code != Wan04), "without {rung:?}");
        }
        loses_only(&lost);
    }
    let never = never(broken(&[(Prefix, NotAdvertised)]), Prefix);
    assert_eq!(foremost(&never), Some((Wan04, Party::Unknown, Open)));
    let dead = broken_with(&[(Address, NoRouter), (Prefix, NotDelegated)]);
    assert_eq!(verdict(&dead).alarms().map(|fault| fault.code).collect::<Vec<_>>(), [FaultCode::Wan02]);
}

#[test]
fn a_renumbering_is_recorded_and_no_alarm() {
    let renumbered = broken(&[(Rung::Prefix, Symptom::Renumbered)]);
    let found = verdict(&renumbered);
    assert_eq!((found.usability, found.alarms().count()), (Usability::Usable, 0));
    assert_eq!(found.recorded[0].code, FaultCode::Wan05);
    assert!(verdict(&without(renumbered, Rung::Prefix)).recorded.is_empty());
}
