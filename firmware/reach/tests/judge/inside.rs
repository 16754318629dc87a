//! The box itself, the terminal's dates and hours, and what is planned.

use super::*;

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
