//! A store that lost something: nothing stops, nothing is sent or shown twice, and nothing is hidden.

use std::fs;

use model::parcel::HeldReason;

use super::{ANSWER, REQUEST, WHOLE, held};
use crate::testing::{Ends, appears, names, vanishes};

#[tokio::test]
async fn a_lost_number_is_not_given_again_and_two_files_of_one_number_are_both_shown() {
    let mut ends = Ends::new();
    fs::create_dir_all(ends.own("attempted/t1")).unwrap();
    for stage in 1..=2 {
        let entry = format!("u.1.000000000000000{stage}.receipt.req~{stage}{REQUEST}");
        fs::write(ends.own("attempted/t1").join(entry), WHOLE).unwrap();
    }
    fs::write(ends.own("number"), b"\0\0\0\0").unwrap();
    fs::write(ends.clinic("req").join(REQUEST), b"<XmlMsg>").unwrap();
    ends.start_again();
    let part = ends.says(|part| part.held_count == 3).await;
    let mut found = held(&part);
    found.sort();
    assert_eq!(found, [HeldReason::HalfWritten, HeldReason::Uncertain, HeldReason::Uncertain]);
    let mut numbers: Vec<u64> = part.held.iter().map(|held| held.parcel.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(names(&ends.own("attempted/t1")).len(), 2);
}

#[tokio::test]
async fn an_answer_is_seen_once_also_when_the_key_of_the_hashes_is_damaged() {
    let mut ends = Ends::new().start();
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    appears(&ends.clinic("res").join(ANSWER)).await;
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    fs::remove_file(ends.clinic("res").join(ANSWER)).unwrap();
    ends.stop().await;
    fs::write(ends.own("key"), b"cut").unwrap();
    fs::write(ends.terminal("res").join(ANSWER), WHOLE).unwrap();
    ends.start_again();
    vanishes(&ends.terminal("res").join(ANSWER)).await;
    assert!(names(&ends.clinic("res")).is_empty(), "it was shown before");
    assert_eq!(fs::read(ends.own("key.damaged-0")).unwrap(), b"cut");
}
