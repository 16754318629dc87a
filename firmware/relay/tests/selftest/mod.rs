//! What a share does of what the relay rests on, tried on a real server while the relay works with it.

use std::collections::BTreeSet;
use std::fs;

use model::selftest::{Ask, Check, Seen, What};

use crate::server::{Lab, appears, in_namespace, vanishes};

const WHOLE: &[u8] = b"<XmlMsg></XmlMsg>";
const NAME: &str = "OQSsiquc01req_202502030001.xml";
const HELD: &str = "sekisho-staging\\selftest\\held";

async fn checks(lab: &Lab, attended_s: u16) -> Vec<Check> {
    let mut tested = lab.selftest(Ask { terminal: Some("t1".into()), attended_s }).await;
    assert_eq!(tested.len(), 1);
    tested.remove(0).checks
}

/// What was not so.
fn not(checks: &[Check]) -> Vec<What> {
    checks.iter().filter(|check| check.seen == Seen::Not).map(|check| check.what).collect()
}

fn names(lab: &Lab, folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(lab.terminal(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_good_share_passes_nothing_is_left_and_the_relay_goes_on() {
    in_namespace(async {
        let lab = Lab::start().await;
        let sent = async {
            fs::write(lab.clinic("req").join(NAME), WHOLE).unwrap();
            appears(&lab.terminal("req").join(NAME)).await
        };
        let (checks, sent) = tokio::join!(checks(&lab, 0), sent);
        assert_eq!(not(&checks), [], "{checks:#?}");
        let untried = |check: &&Check| check.seen == Seen::Untried;
        assert_eq!(checks.iter().filter(untried).map(|one| one.what).collect::<Vec<_>>(), [What::InUse]);
        assert_eq!((checks.len(), sent.as_slice()), (12, WHOLE));
        assert!(names(&lab, "sekisho-staging").is_empty(), "{:?}", names(&lab, "sekisho-staging"));
        assert_eq!(names(&lab, "req"), BTreeSet::from([NAME.to_owned()]), "nothing of the test was there");
    });
}

#[test]
fn a_file_that_somebody_keeps_to_himself_is_seen_to_be_refused() {
    in_namespace(async {
        let lab = Lab::start().await;
        let keep = async {
            let holder = lab.hold_at(HELD).await;
            // The test has seen it when it begins to remove its files.
            vanishes(&lab.terminal("sekisho-staging/selftest/taken")).await;
            holder.let_go().await;
        };
        let (checks, ()) = tokio::join!(checks(&lab, 15), keep);
        assert_eq!(not(&checks), [], "{checks:#?}");
        assert!(checks.iter().any(|check| check.what == What::InUse && check.seen == Seen::Ok));
    });
}

#[test]
fn a_file_that_nobody_keeps_to_himself_proves_nothing() {
    in_namespace(async {
        let lab = Lab::start().await;
        assert_eq!(not(&checks(&lab, 1).await), [What::InUse]);
    });
}

#[test]
fn a_share_that_tells_of_no_changes_is_said_to_tell_of_none() {
    in_namespace(async {
        let mut lab = Lab::start().await;
        lab.serve_with("change notify = no", "").await;
        assert_eq!(not(&checks(&lab, 0).await), [What::Hint]);
    });
}

#[test]
fn a_share_that_keeps_what_was_removed_is_said_to_keep_it() {
    in_namespace(async {
        let mut lab = Lab::start().await;
        lab.serve_with("", "force create mode = 0444\ncreate mask = 0444").await;
        let checks = checks(&lab, 0).await;
        assert!(not(&checks).contains(&What::Removal), "{checks:#?}");
        assert!(not(&checks).contains(&What::Tidy), "and what is left is said: {checks:#?}");
    });
}

#[test]
fn a_share_that_may_only_be_read_and_a_wrong_login_end_it_early() {
    in_namespace(async {
        let mut lab = Lab::start().await;
        lab.serve_with("", "read only = yes").await;
        let seen = checks(&lab, 0).await;
        assert_eq!((not(&seen), seen.len()), (vec![What::Folder], 2), "{seen:#?}");
        lab.password("wrong-password");
        let seen = checks(&lab, 0).await;
        assert_eq!((not(&seen), seen.len()), (vec![What::LogIn], 1), "{seen:#?}");
    });
}

#[test]
fn a_name_that_no_terminal_has_is_not_tested() {
    in_namespace(async {
        let lab = Lab::start().await;
        assert_eq!(lab.selftest(Ask { terminal: Some("t9".into()), attended_s: 0 }).await, []);
        assert_eq!(lab.selftest(Ask::default()).await.len(), 1, "without a name every one is");
    });
}
