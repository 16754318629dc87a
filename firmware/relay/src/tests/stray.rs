//! Ends that were renamed or removed in the site file while something lay for them.

use std::fs;

use model::decision::{Decided, Refusal, Verb};
use model::parcel::{HeldReason, WaitReason};

use super::person::decide;
use super::{ANSWER, REQUEST, WHOLE, held};
use crate::clinic::RETURNED;
use crate::ledger::Ledger;
use crate::share::local::LocalTerminal;
use crate::testing::{Ends, appears, names, terminal};

fn lies(ends: &Ends, end: &str, mark: char, number: u64, name: &str) -> String {
    fs::create_dir_all(ends.own("attempted").join(end)).unwrap();
    let entry = format!("{mark}.{number:x}.000000000000000{number:x}.receipt.req~{name}");
    fs::write(ends.own("attempted").join(end).join(&entry), WHOLE).unwrap();
    entry
}

#[tokio::test]
async fn what_lies_for_a_terminal_that_was_renamed_is_held_and_can_be_returned_or_discarded() {
    let mut ends = Ends::new();
    lies(&ends, "old", 'd', 7, REQUEST);
    lies(&ends, "old", 'u', 8, "OQSsiquc01req_8.xml");
    lies(&ends, "old", 's', 9, "OQSsiquc01req_9.xml");
    fs::create_dir_all(ends.own("attempted/empty")).unwrap();
    ends.start_again();
    let part = ends.says(|part| part.held_count == 2 && part.waiting_count == 1).await;
    let mut found = held(&part);
    found.sort();
    assert_eq!(found, [HeldReason::Uncertain, HeldReason::NoEnd]);
    assert_eq!(part.waiting[0].reason, WaitReason::AwaitingAnswer);
    assert!(names(&ends.terminal("req")).is_empty(), "another terminal gets nothing of it");
    for number in [7, 8] {
        assert_eq!(decide(&ends, Verb::Retry, number).await, Decided::Refused(Refusal::NoEnd));
    }
    assert_eq!(decide(&ends, Verb::Discard, 9).await, Decided::NotHeld);
    assert_eq!(decide(&ends, Verb::Return, 7).await, Decided::Done);
    assert_eq!(fs::read(ends.clinic(RETURNED).join(REQUEST)).unwrap(), WHOLE);
    assert_eq!(decide(&ends, Verb::Discard, 8).await, Decided::Done);
    ends.says(|part| part.held_count == 0 && part.waiting_count == 1).await;
    assert_eq!(decide(&ends, Verb::Discard, 70).await, Decided::Unknown);
}

#[tokio::test]
async fn what_was_recorded_of_a_terminal_that_was_removed_still_reaches_its_consumer() {
    let mut ends = Ends::new();
    fs::create_dir_all(ends.own("arriving/old")).unwrap();
    Ledger::open(&ends.own(""), 0).unwrap().0.record(&[(9, [1; 32])], 0).unwrap();
    fs::write(ends.own("arriving/old").join(format!("9.receipt.res~{ANSWER}")), WHOLE).unwrap();
    fs::write(ends.own("arriving/old").join("a.receipt.res~OQSsiquc01res_a.xml"), b"a copy that was cut off")
        .unwrap();
    ends.start_again();
    assert_eq!(appears(&ends.clinic("res").join(ANSWER)).await, WHOLE);
    assert_eq!(names(&ends.clinic("res")), [ANSWER]);
    assert!(names(&ends.own("arriving/old")).is_empty());
}

#[tokio::test]
async fn a_terminal_that_is_back_in_the_site_file_gets_what_was_decided_for_it_once() {
    let mut ends = Ends::new().start();
    ends.says(|part| part.shares.first().is_some_and(|share| share.outcome.is_good())).await;
    ends.stop().await;
    lies(&ends, "t1", 'd', 7, REQUEST);
    let staged = ends.terminal("sekisho-staging/0000000000000007.part");
    fs::write(&staged, WHOLE).unwrap();
    let mut config = ends.config();
    config.terminals = vec![terminal("renamed", None)];
    let other = ends.folder.path().join("other");
    ["req", "res", "face"].iter().for_each(|name| fs::create_dir_all(other.join(name)).unwrap());
    ends.start_site(config, vec![LocalTerminal { root: other }]);
    ends.says(|part| held(part) == [HeldReason::NoEnd]).await;
    ends.stop().await;
    ends.start_again();
    assert_eq!(appears(&ends.terminal("req").join(REQUEST)).await, WHOLE);
    ends.says(|part| part.held_count == 0 && part.waiting_count == 1).await;
    assert!(!staged.exists());
}
