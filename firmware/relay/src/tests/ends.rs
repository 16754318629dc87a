//! Several terminals, several consumers, and consumers whose folders are elsewhere.

use std::fs;

use model::kind::Kind;
use model::parcel::{Direction, WaitReason};

use super::{ANSWER, REQUEST, WHOLE};
use crate::Config;
use crate::share::local::LocalTerminal;
use crate::testing::{Ends, appears, consumer, kinds, names, terminal, vanishes};

const FACE: &str = "OQSsiquc01res_face_1312345678_20250203101530.xml";

/// Two terminals, and three consumers of which the last one's folders are elsewhere.
fn clinic(ends: &Ends) -> (Config, Vec<LocalTerminal>) {
    let mut config = ends.config();
    config.terminals.push(terminal("t2", Some("second")));
    config.consumers.push(consumer("karte", Some("KARTE"), &["face"]));
    config.consumers.push(consumer("far", None, &["res"]));
    let end = |name: &str| {
        let root = ends.folder.path().join(name);
        fs::create_dir_all(&root).unwrap();
        LocalTerminal { root }
    };
    for folder in ["req", "res", "face"] {
        fs::create_dir_all(ends.folder.path().join("second").join(folder)).unwrap();
    }
    (config, vec![end("terminal"), end("second"), end("far")])
}

fn started() -> Ends {
    let mut ends = Ends::new();
    let (config, terminals) = clinic(&ends);
    ends.start_site(config, terminals);
    ends
}

#[tokio::test]
async fn a_request_goes_to_the_terminal_of_its_folder_whoever_put_it_there() {
    let mut ends = started();
    ends.says(|part| part.shares.len() == 2).await;
    let at = ends.at();
    for (from, to) in [
        ("state/share/OQS/req", "terminal/req"),
        ("state/share/OQS/second/req", "second/req"),
        ("state/share/KARTE/req", "terminal/req"),
        ("state/share/KARTE/second/req", "second/req"),
    ] {
        fs::write(at(from).join(REQUEST), WHOLE).unwrap();
        assert_eq!(appears(&at(to).join(REQUEST)).await, WHOLE, "{from}");
        fs::remove_file(at(to).join(REQUEST)).unwrap();
        assert!(names(&at(from)).is_empty());
    }
}

#[tokio::test]
async fn every_consumer_gets_a_copy_of_what_it_takes_and_collects_it_apart() {
    let mut ends = started();
    let at = ends.at();
    fs::write(at("second/face").join(FACE), WHOLE).unwrap();
    for share in ["OQS", "KARTE"] {
        assert_eq!(appears(&at(&format!("state/share/{share}/face")).join(FACE)).await, WHOLE);
    }
    vanishes(&at("second/face").join(FACE)).await;
    // The one collects; the other's copy is another file and stays.
    fs::remove_file(at("state/share/OQS/face").join(FACE)).unwrap();
    assert_eq!(fs::read(at("state/share/KARTE/face").join(FACE)).unwrap(), WHOLE);
    // Karte takes no results, and has no folder for them.
    fs::write(at("terminal/res").join(ANSWER), WHOLE).unwrap();
    assert_eq!(appears(&at("state/share/OQS/res").join(ANSWER)).await, WHOLE);
    assert!(!at("state/share/KARTE/res").exists());
    let part = ends.says(|part| part.answers_today == 2).await;
    assert_eq!(part.held_count, 0);
}

#[tokio::test]
async fn a_consumer_that_does_not_collect_keeps_no_other_back() {
    let mut ends = started();
    let at = ends.at();
    ends.says(|part| part.shares.len() == 2).await;
    fs::write(at("state/share/KARTE/face").join(FACE), b"older").unwrap();
    fs::write(at("terminal/face").join(FACE), WHOLE).unwrap();
    assert_eq!(appears(&at("state/share/OQS/face").join(FACE)).await, WHOLE);
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::ClinicBlocked)).await;
    fs::remove_file(at("state/share/OQS/face").join(FACE)).unwrap();
    ends.stop().await;
    let (config, terminals) = clinic(&ends);
    ends.start_site(config, terminals);
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::ClinicBlocked)).await;
    fs::remove_file(at("state/share/KARTE/face").join(FACE)).unwrap();
    assert_eq!(appears(&at("state/share/KARTE/face").join(FACE)).await, WHOLE);
    vanishes(&at("terminal/face").join(FACE)).await;
    assert!(names(&at("state/share/OQS/face")).is_empty(), "seen once");
}

#[tokio::test]
async fn a_consumer_elsewhere_sends_its_requests_and_gets_its_answers_there() {
    let mut ends = started();
    let at = ends.at();
    // Its folders are the box's to make.
    appears_folder(&mut ends).await;
    for round in 0..2 {
        fs::write(at("far/req").join(REQUEST), WHOLE).unwrap();
        assert_eq!(appears(&at("terminal/req").join(REQUEST)).await, WHOLE, "round {round}");
        vanishes(&at("far/req").join(REQUEST)).await;
        // The link application takes it; the very same request may rightly come again.
        fs::remove_file(at("terminal/req").join(REQUEST)).unwrap();
    }
    fs::write(at("far/second/req").join(REQUEST), WHOLE).unwrap();
    assert_eq!(appears(&at("second/req").join(REQUEST)).await, WHOLE);
    fs::write(at("terminal/res").join(ANSWER), WHOLE).unwrap();
    assert_eq!(appears(&at("far/res").join(ANSWER)).await, WHOLE);
    assert_eq!(appears(&at("state/share/OQS/res").join(ANSWER)).await, WHOLE);
    vanishes(&at("terminal/res").join(ANSWER)).await;
    assert!(names(&at("far/sekisho-staging")).is_empty());
}

#[tokio::test]
async fn what_a_consumer_elsewhere_does_not_collect_is_said_and_left_where_it_lies() {
    let mut ends = Ends::new();
    let (mut config, terminals) = clinic(&ends);
    let mut kinds = config.kinds.to_vec();
    kinds.iter_mut().for_each(|kind| kind.time_to_live_s = 2);
    config.kinds = kinds.into();
    ends.start_site(config, terminals);
    appears_folder(&mut ends).await;
    let at = ends.at();
    // Somebody else's file in the same folder is none of ours.
    fs::write(at("far/res/notes.txt"), b"a").unwrap();
    fs::write(at("terminal/res").join(ANSWER), WHOLE).unwrap();
    assert_eq!(appears(&at("far/res").join(ANSWER)).await, WHOLE);
    let far = |part: &model::part::RelayPart| {
        part.uncollected.iter().find(|one| one.consumer == "far").map(|one| (one.count, one.nearing))
    };
    ends.says(|part| far(part) == Some((1, 1))).await;
    assert_eq!(names(&at("far/res")), [ANSWER, "notes.txt"]);
    fs::remove_file(at("far/res").join(ANSWER)).unwrap();
    ends.says(|part| far(part).is_none()).await;
}

/// Waits until the lane of the consumer elsewhere has made its folders.
async fn appears_folder(ends: &mut Ends) {
    let folder = ends.folder.path().join("far/second/req");
    ends.says(|_| folder.is_dir()).await;
}

fn eps() -> Vec<Kind> {
    let mut all = kinds();
    let mut ask = all[0].clone();
    (ask.key, ask.folder, ask.prefix) = ("EPSreq".into(), "req_presc".into(), "EPSsi?????req_".into());
    (ask.answered_by, ask.folder_may_lack) = (vec!["EPSres".into()], true);
    let mut answer = all[1].clone();
    (answer.key, answer.folder, answer.prefix) = ("EPSres".into(), "presc".into(), "EPSsi?????res_".into());
    answer.folder_may_lack = true;
    all.extend([ask, answer]);
    all
}

#[tokio::test]
async fn prescriptions_have_folders_of_their_own_and_a_terminal_without_them_is_well() {
    let mut ends = Ends::new();
    let mut config = ends.config();
    config.kinds = eps().into();
    let root = ends.folder.path().join("terminal");
    ends.start_site(config, vec![LocalTerminal { root }]);
    let part = ends.says(|part| part.shares.len() == 1).await;
    assert!(part.shares[0].outcome.is_good());
    let request = "EPSsiPIR01req_1.zip";
    let zip = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    fs::write(ends.clinic("req_presc").join(request), &zip).unwrap();
    ends.says(|part| part.waiting.iter().any(|one| one.reason == WaitReason::FolderLacks)).await;
    for folder in ["req_presc", "presc"] {
        fs::create_dir(ends.terminal(folder)).unwrap();
    }
    assert_eq!(appears(&ends.terminal("req_presc").join(request)).await, zip, "an encrypted file passes");
    fs::write(ends.terminal("presc/EPSsiPIR01res_1.xml"), WHOLE).unwrap();
    assert_eq!(appears(&ends.clinic("presc/EPSsiPIR01res_1.xml")).await, WHOLE);
    ends.says(|part| part.pairs.len() == 1).await;
}

#[tokio::test]
async fn a_kind_goes_no_faster_than_its_rate_and_keeps_no_other_kind_back() {
    let mut ends = Ends::new();
    let mut config = ends.config();
    let mut all = eps();
    all[0].per_minute = Some(2);
    all.iter_mut()
        .filter(|kind| kind.direction == Direction::Request)
        .for_each(|kind| kind.folder = "req".into());
    config.kinds = all.into();
    for n in 0..3 {
        fs::write(ends.clinic("req").join(format!("OQSsiquc01req_{n}.xml")), WHOLE).unwrap();
    }
    let root = ends.folder.path().join("terminal");
    ends.start_site(config, vec![LocalTerminal { root }]);
    ends.says(|part| part.requests_today == 2).await;
    fs::write(ends.clinic("req/EPSsiPIR01req_1.xml"), WHOLE).unwrap();
    appears(&ends.terminal("req/EPSsiPIR01req_1.xml")).await;
    let part = ends.says(|part| part.requests_today == 3).await;
    assert!(part.waiting.iter().any(|one| one.reason == WaitReason::InTurn), "{part:?}");
}

#[tokio::test]
async fn what_does_not_fit_into_the_memory_goes_in_pieces_both_ways() {
    let mut ends = Ends::new();
    let mut config = ends.config();
    let mut all = kinds();
    all.iter_mut().for_each(|kind| kind.max_bytes = 64 * 1024 * 1024);
    config.kinds = all.into();
    let root = ends.folder.path().join("terminal");
    ends.start_site(config, vec![LocalTerminal { root }]);
    let large: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).chain(WHOLE.iter().copied()).collect();
    fs::write(ends.clinic("req").join(REQUEST), &large).unwrap();
    assert!(appears(&ends.terminal("req").join(REQUEST)).await == large);
    fs::write(ends.terminal("res").join(ANSWER), &large).unwrap();
    assert!(appears(&ends.clinic("res").join(ANSWER)).await == large);
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    ends.says(|part| part.pairs.len() == 1).await;
}
