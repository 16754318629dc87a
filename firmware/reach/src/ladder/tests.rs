use super::*;
use crate::history::History;
use crate::plan::{ClinicSide, TerminalTarget};
use model::profile::Target;
use std::net::{Ipv4Addr, Ipv6Addr};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn plan(terminals: &[&str]) -> Plan {
    let target = Target { name: "host.test".to_owned(), port: 443 };
    let terminal = |name: &&str| TerminalTarget {
        name: (*name).to_owned(),
        address: Ipv4Addr::LOCALHOST,
        share: String::new(),
    };
    Plan {
        contract: "ra".to_owned(),
        line_port: "wan0".to_owned(),
        terminal_port: "term0".to_owned(),
        own: Ipv4Addr::LOCALHOST,
        resolvers: [Ipv6Addr::LOCALHOST; 2],
        expected: Vec::new(),
        line_auth: target.clone(),
        distribution: target.clone(),
        other_area: Some("other.test".to_owned()),
        centre: target,
        time: "time.test".to_owned(),
        terminals: terminals.iter().map(terminal).collect(),
        clinic: ClinicSide {
            port: "lan0".to_owned(),
            own: Ipv4Addr::LOCALHOST,
            consumers: Vec::new(),
            nobody: None,
            nobody_terminal: None,
        },
        authorities_pem: None,
    }
}

fn seen(rung: Rung, terminal: Option<&str>, outcome: Outcome) -> Observation {
    let terminal = terminal.map(str::to_owned);
    Observation { rung, terminal, outcome, at: NOW, took_ms: 1.0, detail: String::new() }
}

/// Everything of one look, good but for these.
fn looked(terminals: &[&str], bad: &[(Rung, Option<&str>, Outcome)]) -> Vec<Observation> {
    let line = Rung::ALL.into_iter().filter(|rung| !of_terminal(*rung)).map(|rung| (rung, None));
    let own = terminals.iter().flat_map(|name| {
        let rungs = [Rung::TerminalLink, Rung::TerminalNeighbour, Rung::TerminalSmb];
        rungs.map(|rung| (rung, Some(*name)))
    });
    line.chain(own)
        .map(|(rung, terminal)| {
            let found = bad.iter().find(|(place, name, _)| *place == rung && *name == terminal);
            seen(rung, terminal, found.map_or(Outcome::Good, |(.., outcome)| *outcome))
        })
        .collect()
}

fn outcome(ladder: &Ladder, rung: Rung) -> Outcome {
    ladder.evidence(NOW).outcome(rung)
}

#[test]
fn a_rung_this_site_does_not_have_is_missed_by_nobody_also_after_its_ground_was_lost() {
    let mut ladder = Ladder::new(&Plan { other_area: None, ..plan(&["t1"]) }, History::default());
    let lost = [
        (Rung::Gateway, None, Outcome::Bad(Symptom::Silent)),
        (Rung::ClinicLink, None, Outcome::Bad(Symptom::NoCarrier)),
    ];
    let has = |seen: &Observation| ![Rung::Area, Rung::ReceiptComputer].contains(&seen.rung);
    let of_site = |looked: Vec<Observation>| looked.into_iter().filter(has).collect();
    ladder.take(of_site(looked(&["t1"], &lost)), NOW);
    assert!(ladder.is_troubled());
    let word = |rung: &Rung| seen(*rung, of_terminal(*rung).then_some("t1"), Outcome::Good);
    ladder.take_shares(Rung::ALL.iter().filter(|rung| rung.is_relays()).map(word).collect(), NOW);
    ladder.take(of_site(looked(&["t1"], &[])), NOW);
    assert!(!ladder.is_troubled(), "{:?}", ladder.list());
}

#[test]
fn a_broken_rung_silences_only_what_stands_on_it() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    ladder.take(looked(&["t1"], &[(Rung::Gateway, None, Outcome::Bad(Symptom::Silent))]), NOW);
    for rung in FAR {
        assert_eq!(outcome(&ladder, rung), Outcome::Skipped, "{rung:?}");
    }
    assert_eq!(outcome(&ladder, Rung::Address), Outcome::Good);
    assert_eq!(outcome(&ladder, Rung::TerminalSmb), Outcome::Good);
}

#[test]
fn one_resolver_is_enough_for_what_needs_names() {
    let mut ladder = Ladder::new(&plan(&[]), History::default());
    ladder.take(looked(&[], &[(Rung::ResolverOne, None, Outcome::Bad(Symptom::Silent))]), NOW);
    assert_eq!(outcome(&ladder, Rung::CentreTls), Outcome::Good);
}

#[test]
fn far_rungs_are_wanted_when_the_ground_comes_back() {
    let mut ladder = Ladder::new(&plan(&[]), History::default());
    assert!(!ladder.wants_far(), "nothing to stand on yet");
    ladder.take(vec![seen(Rung::Link, None, Outcome::Bad(Symptom::NoCarrier))], NOW);
    assert!(!ladder.wants_far());
    let near = [Rung::Link, Rung::Address, Rung::Gateway].map(|rung| seen(rung, None, Outcome::Good));
    ladder.take(near.to_vec(), NOW);
    assert!(ladder.wants_far());
    ladder.take(looked(&[], &[(Rung::CentreTcp, None, Outcome::Bad(Symptom::Refused))]), NOW);
    assert!(!ladder.wants_far());
}

#[test]
fn dates_accuse_only_against_a_trusted_clock() {
    let mut ladder = Ladder::new(&plan(&[]), History::default());
    let expired = (Rung::CentreTls, None, Outcome::Bad(Symptom::CertificateExpired));
    let off = (Rung::Time, None, Outcome::Bad(Symptom::ClockOff));
    ladder.take(looked(&[], &[expired, off]), NOW);
    assert_eq!(outcome(&ladder, Rung::CentreTls), Outcome::Open);
    ladder.take(looked(&[], &[expired]), NOW);
    assert_eq!(outcome(&ladder, Rung::CentreTls), Outcome::Bad(Symptom::CertificateExpired));
}

#[test]
fn the_relay_s_word_on_a_share_does_not_outlive_its_silence() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    ladder.take(looked(&["t1"], &[]), NOW);
    ladder.take_shares(vec![seen(Rung::TerminalShare, Some("t1"), Outcome::Good)], NOW);
    assert_eq!(outcome(&ladder, Rung::TerminalShare), Outcome::Good);
    ladder.take_shares(Vec::new(), NOW);
    assert!(!ladder.evidence(NOW).observations.contains_key(&Rung::TerminalShare));
}

#[test]
fn the_relay_is_asked_again_when_file_sharing_comes_back() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    ladder.take(looked(&["t1"], &[(Rung::TerminalSmb, Some("t1"), Outcome::Bad(Symptom::Refused))]), NOW);
    assert!(!ladder.wants_shares(), "nothing to stand on yet");
    ladder.take(looked(&["t1"], &[]), NOW);
    assert!(ladder.wants_shares());
    ladder.take_shares(Vec::new(), NOW);
    assert!(!ladder.wants_shares(), "it was asked, and had nothing to say");
}

#[test]
fn the_relay_may_speak_of_the_site_s_shares_only() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    ladder.take(looked(&["t1"], &[]), NOW);
    let forged = [
        seen(Rung::TerminalShare, Some("t9"), Outcome::Good),
        seen(Rung::TerminalShare, None, Outcome::Good),
        seen(Rung::CentreTcp, None, Outcome::Bad(Symptom::Refused)),
    ];
    ladder.take_shares(forged.to_vec(), NOW);
    assert_eq!(outcome(&ladder, Rung::CentreTcp), Outcome::Good);
    assert_eq!(outcome(&ladder, Rung::TerminalShare), Outcome::Skipped);
}

#[test]
fn of_two_terminals_the_broken_one_is_judged_with_its_own_rungs() {
    let names = ["a", "b"];
    let mut ladder = Ladder::new(&plan(&names), History::default());
    ladder.take(looked(&names, &[(Rung::TerminalSmb, Some("b"), Outcome::Bad(Symptom::Refused))]), NOW);
    let evidence = ladder.evidence(NOW);
    assert_eq!(evidence.observations[&Rung::TerminalSmb].terminal.as_deref(), Some("b"));
    assert_eq!(evidence.observations[&Rung::TerminalLink].terminal.as_deref(), Some("b"));
    assert_eq!(ladder.list().iter().filter(|seen| seen.rung == Rung::TerminalSmb).count(), 2);
}

#[test]
fn a_carrier_that_is_lost_three_times_in_a_minute_flaps_and_not_for_ever() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut look = |second, outcome| {
        let link = Observation { at: at(second), ..seen(Rung::Link, None, outcome) };
        ladder.take(vec![link], at(second));
        ladder.evidence(at(second)).flapping
    };
    let lost = Outcome::Bad(Symptom::NoCarrier);
    for (second, outcome) in [(0, Outcome::Good), (5, lost), (7, lost), (10, Outcome::Good), (15, lost)] {
        assert_eq!(look(second, outcome), [], "{second}");
    }
    assert_eq!(look(20, Outcome::Good), []);
    assert_eq!(look(25, lost), [Rung::Link]);
    assert_eq!(look(65, Outcome::Good), [Rung::Link]);
    assert_eq!(look(66, Outcome::Good), []);
}
