//! What the terminals' own requests meet: TERM-12, and what it does to the faults that it explains or clears.

use super::*;

use Certainty::{Likely, Open, Sure};
use FaultCode::{Ctr01, Ctr02, Term07, Term08, Term11, Term12};
use Rung::{CentreTcp, CentreTls, ResolverOne, ResolverTwo, TerminalAnswers, TerminalFlows, TerminalShare};
use Symptom::{AsksElsewhere, Denied, Ended, Refused, Silent, Unanswered, Untaken};

const ELSEWHERE: (Rung, Symptom) = (TerminalFlows, AsksElsewhere);
const NO_ANSWERS: (Rung, Symptom) = (TerminalAnswers, Unanswered);

fn codes(evidence: &Evidence) -> Vec<FaultCode> {
    verdict(evidence).alarms().map(|fault| fault.code).collect()
}

#[test]
fn a_terminal_that_asks_elsewhere_is_sure_where_nothing_comes_of_requests_and_likely_before() {
    let both = broken(&[ELSEWHERE, NO_ANSWERS]);
    assert_eq!(foremost(&both), Some((Term12, Party::Terminal, Sure)));
    assert_eq!(codes(&both), [Term12], "the other is explained by it");
    assert_eq!(verdict(&both).usability, Usability::Partly);
    assert_eq!(foremost(&without(both.clone(), TerminalAnswers)), None, "nobody says what comes of requests");
    let unseen = without(both.clone(), TerminalFlows);
    assert_eq!(foremost(&unseen), Some((Term08, Party::Unknown, Open)), "nobody hears what it asks");
    let alone = broken(&[ELSEWHERE]);
    assert_eq!(foremost(&alone), Some((Term12, Party::Terminal, Likely)));
    assert_eq!(verdict(&alone).usability, Usability::Usable, "nobody feels it yet");
    assert_eq!(foremost(&without(alone, TerminalFlows)), None);
    let dated = broken(&[ELSEWHERE, NO_ANSWERS, (Rung::TerminalCertificate, Ended)]);
    assert_eq!(foremost(&dated).unwrap().0, Term12, "an old certificate is not even asked for");
    assert_ne!(foremost(&without(dated, TerminalFlows)).unwrap().0, Term12);
}

#[test]
fn it_is_said_of_a_terminal_that_is_well_otherwise_while_names_resolve() {
    for other in [(TerminalShare, Denied), (Rung::TerminalSmb, Refused), (Rung::TerminalNeighbour, Silent)] {
        assert!(!codes(&broken(&[ELSEWHERE, other])).contains(&Term12), "{other:?}");
    }
    let dead = broken(&[ELSEWHERE, (ResolverOne, Silent), (ResolverTwo, Silent)]);
    assert_eq!(codes(&dead), [FaultCode::Dns01]);
    let untaken = broken(&[ELSEWHERE, (TerminalAnswers, Untaken)]);
    assert_eq!(codes(&untaken), [Term07], "its application does not even run");
    let centre = broken(&[ELSEWHERE, NO_ANSWERS, (CentreTcp, Silent)]);
    assert_eq!(codes(&centre), [Ctr02], "that explains it as well");
}

#[test]
fn no_answers_are_the_terminal_s_only_where_its_own_connections_are_not_seen_to_fail() {
    assert_eq!(foremost(&broken(&[NO_ANSWERS])), Some((Term08, Party::Terminal, Open)));
    for symptom in [Silent, Refused] {
        let fails = broken(&[NO_ANSWERS, (TerminalFlows, symptom)]);
        assert_eq!(foremost(&fails), Some((Term08, Party::Unknown, Open)), "{symptom:?}");
        assert!(verdict(&fails).foremost.unwrap().evidence.contains(&TerminalFlows), "it is in the evidence");
    }
    assert_eq!(
        foremost(&without(broken(&[NO_ANSWERS]), TerminalFlows)),
        Some((Term08, Party::Unknown, Open))
    );
    let dated = broken(&[NO_ANSWERS, (Rung::TerminalCertificate, Ended)]);
    assert_eq!(foremost(&dated), Some((Term11, Party::Terminal, Likely)));
}

#[test]
fn connections_that_fail_alone_accuse_nobody_and_stand_beside_what_our_own_look_finds() {
    for symptom in [Silent, Refused] {
        let alone = verdict(&broken(&[(TerminalFlows, symptom)]));
        assert_eq!((alone.usability, alone.alarms().count()), (Usability::Usable, 0), "{symptom:?}");
    }
    for (symptom, code, certainty) in [(Silent, Ctr02, Likely), (Refused, Ctr01, Sure)] {
        let confirmed = broken(&[(CentreTcp, symptom), (TerminalFlows, symptom)]);
        assert_eq!(foremost(&confirmed), Some((code, Party::Centre, certainty)));
        assert!(verdict(&confirmed).foremost.unwrap().evidence.contains(&TerminalFlows));
        let ours = without(confirmed.clone(), TerminalFlows);
        assert_eq!(foremost(&ours), Some((code, Party::Centre, certainty)), "our own look is enough");
        let theirs = without(without(confirmed, CentreTcp), CentreTls);
        assert_eq!(foremost(&theirs), None, "and theirs alone is not");
    }
}
