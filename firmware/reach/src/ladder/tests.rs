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
        certificate_until: None,
    };
    Plan {
        contract: "ra".to_owned(),
        line_port: "wan0".to_owned(),
        terminal_port: "term0".to_owned(),
        own: Ipv4Addr::LOCALHOST,
        resolvers: [Ipv6Addr::LOCALHOST.into(); 2],
        one_resolver: false,
        gateways: Vec::new(),
        ipv4: false,
        lent: false,
        session: None,
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
        internet: None,
        cloud: None,
        maintainer: None,
        authorities_pem: None,
        calendar: Calendar::default(),
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
    for rung in FAR.into_iter().filter(|rung| !ladder.lacking.contains(rung)) {
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
    let own = (Rung::Secrets, None, Outcome::Bad(Symptom::Ended));
    ladder.take(looked(&[], &[expired, off, own]), NOW);
    assert_eq!(outcome(&ladder, Rung::CentreTls), Outcome::Open);
    assert_eq!(outcome(&ladder, Rung::Secrets), Outcome::Open);
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

#[test]
fn what_our_own_firewall_keeps_back_is_held_against_nobody() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    ladder.take(looked(&["t1"], &[(Rung::CentreTcp, None, Outcome::Bad(Symptom::Silent))]), NOW);
    let own = |symptom| vec![seen(Rung::Ruleset, None, Outcome::Bad(symptom))];
    ladder.take_own(own(Symptom::Drifted), NOW);
    assert_eq!(outcome(&ladder, Rung::CentreTcp), Outcome::Bad(Symptom::Silent));
    ladder.take_own(own(Symptom::Dropping), NOW);
    let rungs: Vec<Rung> = ladder.evidence(NOW).observations.into_keys().collect();
    assert!(
        rungs.contains(&Rung::Ruleset) && rungs.iter().all(|rung| rung.branch() == Branch::Box),
        "{rungs:?}"
    );
    ladder.take_own(Vec::new(), NOW);
    assert_eq!(outcome(&ladder, Rung::CentreTcp), Outcome::Bad(Symptom::Silent), "no word is no evidence");
}

#[test]
fn nobody_but_the_box_speaks_for_the_box() {
    let mut ladder = Ladder::new(&plan(&[]), History::default());
    ladder.take_shares(vec![seen(Rung::Storage, None, Outcome::Bad(Symptom::DiskFull))], NOW);
    ladder.take_own(vec![seen(Rung::Link, None, Outcome::Bad(Symptom::NoCarrier))], NOW);
    assert!(ladder.evidence(NOW).observations.values().all(|seen| seen.outcome.symptom().is_none()));
}

#[test]
fn a_fault_of_the_box_makes_nobody_be_asked_more_often() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    ladder.take(looked(&["t1"], &[]), NOW);
    ladder.take_shares(
        [Rung::TerminalShare, Rung::TerminalAnswers].map(|rung| seen(rung, Some("t1"), Outcome::Good)).into(),
        NOW,
    );
    ladder.take_own(vec![seen(Rung::Storage, None, Outcome::Bad(Symptom::DiskFull))], NOW);
    assert!(!ladder.is_troubled());
}

/// A terminal whose certificate has this last day, and who may restart between three and four.
fn dated(until: &str) -> Ladder {
    let mut plan = plan(&["t1", "t2"]);
    plan.terminals[1].certificate_until = Some(until.parse().unwrap());
    plan.calendar = calendar();
    Ladder::new(&plan, History::default())
}

fn calendar() -> Calendar {
    const SITE: &str = include_str!("../../../model/tests/data/site.toml");
    const PROFILE: &str = include_str!("../../../model/tests/data/profile.toml");
    let text = SITE.replace("[terminals]", "[terminals]\nquiet = [\"03:00-04:00\"]");
    let more = "[[maintenance]]\nfrom = \"2026-12-05T22:00\"\nuntil = \"2026-12-06T06:00\"\n";
    let profile = model::Profile::parse("profile.toml", PROFILE);
    model::Site::parse("site.toml", &format!("{text}\n{more}"), profile).unwrap().calendar
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_date_that_was_typed_in_is_a_rung_of_its_terminal_and_hides_nobody_who_is_broken() {
    let now = at("2026-12-01T12:00:00+09:00");
    let mut ladder = dated("2026-12-08");
    let certificate = |ladder: &Ladder| ladder.evidence(now).outcome(Rung::TerminalCertificate);
    ladder.take(looked(&["t1", "t2"], &[]), now);
    assert_eq!(
        certificate(&ladder),
        Outcome::Bad(Symptom::EndsSoon),
        "the terminal of which there is something to say"
    );
    assert!(ladder.evidence(now).observations[&Rung::TerminalCertificate].terminal.as_deref() == Some("t2"));
    ladder
        .take(looked(&["t1", "t2"], &[(Rung::TerminalSmb, Some("t1"), Outcome::Bad(Symptom::Refused))]), now);
    assert_eq!(certificate(&ladder), Outcome::Skipped, "the first one is in want of help");
    let mut doubted = dated("2026-12-08");
    doubted.take(looked(&["t1", "t2"], &[(Rung::Time, None, Outcome::Bad(Symptom::ClockOff))]), now);
    assert!(
        doubted
            .list()
            .iter()
            .any(|seen| seen.rung == Rung::TerminalCertificate && seen.outcome == Outcome::Open)
    );
}

#[test]
fn a_receipt_computer_that_is_off_for_the_night_hurries_nobody() {
    let mut ladder = Ladder::new(&plan(&["t1"]), History::default());
    let off = (Rung::ClinicLink, None, Outcome::Bad(Symptom::NoCarrier));
    ladder.take(looked(&["t1"], &[off]), NOW);
    assert!(!ladder.is_line_troubled());
    ladder.take(looked(&["t1"], &[(Rung::TerminalSmb, Some("t1"), Outcome::Bad(Symptom::Refused))]), NOW);
    assert!(ladder.is_troubled() && !ladder.is_line_troubled(), "the centre has no part in it");
    ladder.take(looked(&["t1"], &[(Rung::CentreTcp, None, Outcome::Bad(Symptom::Silent))]), NOW);
    assert!(ladder.is_line_troubled());
}

#[test]
fn a_terminal_of_which_something_is_not_known_comes_before_one_that_is_well() {
    let mut ladder = Ladder::new(&plan(&["t1", "t2"]), History::default());
    ladder.take(looked(&["t1", "t2"], &[]), NOW);
    let answers = |name| seen(Rung::TerminalAnswers, Some(name), Outcome::Good);
    let share = |name| seen(Rung::TerminalShare, Some(name), Outcome::Good);
    ladder.take_shares(vec![share("t1"), answers("t1")], NOW);
    let named = |ladder: &Ladder| ladder.evidence(NOW).observations[&Rung::TerminalSmb].terminal.clone();
    assert_eq!(named(&ladder).as_deref(), Some("t2"), "nobody has looked at its share");
    assert_eq!(outcome(&ladder, Rung::TerminalAnswers), Outcome::Skipped);
}

#[test]
fn a_terminal_that_restarts_has_ten_minutes_in_its_hour_and_none_beside_it() {
    let away = |since: &str, now: &str, trusted: bool| {
        let mut ladder = dated("2030-01-01");
        let gone = (Rung::TerminalNeighbour, Some("t1"), Outcome::Bad(Symptom::Silent));
        ladder.take(looked(&["t1", "t2"], &[]), at(since));
        ladder.take(looked(&["t1", "t2"], &[gone]), at(since));
        let off = (Rung::Time, None, Outcome::Bad(Symptom::ClockOff));
        let bad = if trusted { vec![gone] } else { vec![gone, off] };
        ladder.take(looked(&["t1", "t2"], &bad), at(now));
        ladder.evidence(at(now)).quiet
    };
    assert!(away("2026-12-01T03:10:00+09:00", "2026-12-01T03:19:59+09:00", true));
    assert!(!away("2026-12-01T03:10:00+09:00", "2026-12-01T03:20:00+09:00", true), "it does not come back");
    assert!(!away("2026-12-01T02:10:00+09:00", "2026-12-01T02:11:00+09:00", true), "it is not the hour");
    assert!(!away("2026-12-01T03:10:00+09:00", "2026-12-01T03:11:00+09:00", false), "nobody knows the hour");
    let mut back = dated("2030-01-01");
    let gone = (Rung::TerminalNeighbour, Some("t1"), Outcome::Bad(Symptom::Silent));
    back.take(looked(&["t1", "t2"], &[gone]), at("2026-12-01T02:00:00+09:00"));
    back.take(looked(&["t1", "t2"], &[]), at("2026-12-01T03:00:00+09:00"));
    back.take(looked(&["t1", "t2"], &[gone]), at("2026-12-01T03:01:00+09:00"));
    assert!(back.evidence(at("2026-12-01T03:02:00+09:00")).quiet, "it was back in between");
}

#[test]
fn a_maintenance_counts_by_a_clock_that_was_confirmed() {
    let mut ladder = dated("2030-01-01");
    let during = at("2026-12-05T23:00:00+09:00");
    assert!(!ladder.evidence(during).announced, "nobody has said yet that it is so late");
    ladder.take(looked(&["t1", "t2"], &[]), during);
    assert!(ladder.evidence(during).announced);
    assert!(!ladder.evidence(at("2026-12-06T07:00:00+09:00")).announced);
    ladder.take(looked(&["t1", "t2"], &[(Rung::Time, None, Outcome::Bad(Symptom::ClockOff))]), during);
    assert!(!ladder.evidence(during).announced);
}

#[test]
fn an_internet_line_and_a_maintainer_are_there_where_the_site_has_them_and_the_line_is_not_asked_more_for_them()
 {
    let internet = crate::InternetTarget {
        port: "isp0".to_owned(),
        resolvers: vec![Ipv4Addr::LOCALHOST.into()],
        serves: true,
    };
    let with = Plan { internet: Some(internet), maintainer: Some(Rung::Maintainer), ..plan(&["t1"]) };
    let mut ladder = Ladder::new(&with, History::default());
    ladder.take(looked(&["t1"], &[(Rung::InternetGateway, None, Outcome::Bad(Symptom::Silent))]), NOW);
    let evidence = ladder.evidence(NOW);
    assert!(evidence.clinic_leaves && evidence.lacks(Rung::MaintainerByInternet));
    assert_eq!(evidence.outcome(Rung::InternetBeyond), Outcome::Skipped);
    assert!(evidence.outcome(Rung::Gateway).is_good() && evidence.outcome(Rung::Maintainer).is_good());
    assert!(!ladder.is_line_troubled() && !ladder.wants_far());
    ladder.take(vec![seen(Rung::Link, None, Outcome::Bad(Symptom::NoCarrier))], NOW);
    let evidence = ladder.evidence(NOW);
    assert_eq!(evidence.outcome(Rung::Maintainer), Outcome::Skipped);
    assert!(evidence.outcome(Rung::InternetAddress).is_good(), "the other line holds");
    let without = Ladder::new(&plan(&["t1"]), History::default()).evidence(NOW);
    assert!(!without.clinic_leaves);
    for rung in [Rung::InternetLink, Rung::InternetBeyond, Rung::Maintainer, Rung::MaintainerByInternet] {
        assert!(without.lacks(rung), "{rung:?}");
    }
}

/// A plan with a cloud, whose tunnel notices within half a minute that it is gone.
fn with_a_cloud() -> Plan {
    let cloud = crate::plan::CloudTarget {
        port: "isp0".to_owned(),
        gateways: vec![Ipv4Addr::LOCALHOST.into()],
        endpoints: vec![model::site::uplink::Endpoint {
            address: Ipv4Addr::LOCALHOST,
            port: 443,
            name: None,
        }],
        authorities_pem: None,
        notices_s: 30,
    };
    let internet =
        crate::plan::InternetTarget { port: "isp0".to_owned(), resolvers: Vec::new(), serves: true };
    Plan { cloud: Some(cloud), internet: Some(internet), ..plan(&[]) }
}

#[test]
fn silence_behind_the_cloud_s_tunnel_counts_once_that_one_would_have_been_noticed_if_it_had_gone() {
    let mut ladder = Ladder::new(&with_a_cloud(), History::default());
    let at = |second: i64| Timestamp::from_second(second).unwrap();
    let way = [Rung::InternetLink, Rung::InternetAddress, Rung::InternetGateway, Rung::CloudIke];
    let look = |ladder: &mut Ladder, second: i64, tcp: Outcome, tunnel: Outcome| {
        let looked = way.map(|rung| seen(rung, None, Outcome::Good)).to_vec();
        ladder.take([looked, vec![seen(Rung::CloudTcp, None, tcp)]].concat(), at(second));
        ladder.take_own(vec![seen(Rung::CloudTunnel, None, tunnel)], at(second));
        ladder.evidence(at(second)).outlasted
    };
    let silent = Outcome::Bad(Symptom::Silent);
    look(&mut ladder, 0, Outcome::Good, Outcome::Good);
    assert_eq!(look(&mut ladder, 10, silent, Outcome::Good), []);
    assert_eq!(look(&mut ladder, 40, silent, Outcome::Good), [], "it may just have been missed");
    assert_eq!(look(&mut ladder, 41, silent, Outcome::Good), [Rung::CloudTcp]);
    // It had gone: what was silent meanwhile says nothing of those behind it, nor once it is back.
    assert_eq!(look(&mut ladder, 42, silent, Outcome::Bad(Symptom::Silent)), []);
    assert_eq!(look(&mut ladder, 80, silent, Outcome::Good), []);
    assert_eq!(look(&mut ladder, 90, Outcome::Good, Outcome::Good), []);
    assert_eq!(look(&mut ladder, 111, silent, Outcome::Good), [], "it is another silence");
}
