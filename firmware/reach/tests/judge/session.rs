//! The line by PPPoE.

use super::property::loses_only;
use super::*;

use Certainty::{Likely, Open, Sure};
use FaultCode::{Dns01, Ppp01, Ppp02, Ppp03, Wan01};
use Rung::{Discovery, Link, ResolverOne, ResolverTwo, Session};
use Symptom::{Busy, IdentityRefused, NoCarrier, NoLogin, NoService, Silent};

#[test]
fn a_clean_clinic_by_pppoe_is_usable_and_nothing_is_named() {
    let verdict = verdict(&by_pppoe(&[]));
    assert_eq!((verdict.usability, verdict.alarms().count()), (Usability::Usable, 0));
    assert_eq!(verdict.recorded.len(), 0);
}

#[test]
fn each_fault_of_a_session_is_given_to_whom_its_evidence_names() {
    let (unserved, unoffered, refused, busy) = (
        by_pppoe(&[(Session, NoService)]),
        by_pppoe(&[(Discovery, Silent)]),
        by_pppoe(&[(Session, IdentityRefused)]),
        by_pppoe(&[(Session, Busy)]),
    );
    let table = [
        (by_pppoe(&[(Link, NoCarrier)]), Wan01, Party::Clinic, Likely),
        (never(unoffered.clone(), Discovery), Ppp01, Party::Line, Open),
        (unoffered, Ppp01, Party::Line, Likely),
        (never(refused.clone(), Session), Ppp02, Party::Clinic, Likely),
        (refused, Ppp02, Party::Clinic, Open),
        (by_pppoe(&[(Discovery, NoLogin)]), Ppp02, Party::Box, Sure),
        (never(unserved.clone(), Session), Ppp02, Party::Box, Likely),
        (unserved, Ppp02, Party::Unknown, Open),
        (never(busy.clone(), Session), Ppp03, Party::Clinic, Likely),
        (busy, Ppp03, Party::Line, Open),
        (by_pppoe(&[(ResolverOne, Silent), (ResolverTwo, Silent)]), Dns01, Party::Line, Likely),
    ];
    for (evidence, code, owner, certainty) in table {
        assert_eq!(foremost(&evidence), Some((code, owner, certainty)), "{evidence:?}");
        assert_eq!(verdict(&evidence).usability, Usability::Unusable, "{code:?}");
        assert_eq!(verdict(&evidence).alarms().count(), 1, "{code:?}");
        loses_only(&evidence);
    }
}

#[test]
fn without_its_deciding_evidence_no_fault_of_a_session_is_named() {
    for (bad, deciding) in [
        (&[(Discovery, Silent)][..], &[Link, Discovery][..]),
        (&[(Discovery, NoLogin)], &[Link, Discovery]),
        (&[(Session, IdentityRefused)], &[Link, Discovery, Session]),
        (&[(Session, NoService)], &[Link, Discovery, Session]),
        (&[(Session, Busy)], &[Link, Discovery, Session]),
    ] {
        for rung in deciding {
            let found = verdict(&without(by_pppoe(bad), *rung));
            assert_eq!(
                (found.usability, found.alarms().count()),
                (Usability::Unknown, 0),
                "{bad:?} without {rung:?}"
            );
        }
    }
    // It was offered and not given, and nobody said why: nothing is concluded.
    let found = verdict(&by_pppoe(&[(Session, Silent)]));
    assert_eq!((found.usability, found.alarms().count()), (Usability::Unknown, 0));
}

#[test]
fn what_is_behind_a_session_that_stands_is_judged_as_on_every_line() {
    for (bad, code, owner) in [
        (Rung::CentreTcp, FaultCode::Ctr02, Party::Centre),
        (Rung::Distribution, FaultCode::Ctr07, Party::Centre),
    ] {
        let found = verdict(&by_pppoe(&[(bad, Silent)]));
        let fault = found.foremost.into_iter().chain(found.recorded).next().unwrap();
        assert_eq!((fault.code, fault.owner), (code, owner));
    }
    assert_eq!(
        foremost(&by_pppoe(&[(Rung::TerminalNeighbour, Silent)])).map(|found| found.0),
        Some(FaultCode::Term01)
    );
}
