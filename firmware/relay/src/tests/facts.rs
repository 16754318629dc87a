//! What the relay says for a verdict: what answers say, what is not collected.

use std::fs;

use model::decision::{Decided, Refusal, Verb};
use model::parcel::{HeldReason, Outcomes};

use super::person::decide;
use super::{WHOLE, held};
use crate::clinic::RETURNED;
use crate::share::local::LocalTerminal;
use crate::testing::{Ends, appears, names};

fn put(ends: &Ends, n: usize, element: &str) -> String {
    let name = format!("OQSsiquc01res_{n}.xml");
    let bytes = format!("<XmlMsg><SegmentOfResult>{element}</SegmentOfResult></XmlMsg>");
    fs::write(ends.terminal("res").join(&name), bytes).unwrap();
    name
}

#[tokio::test]
async fn answers_are_counted_by_what_they_say_only_where_the_site_file_wants_it() {
    let mut ends = Ends::new();
    let config = crate::Config { count_outcomes: true, ..ends.config() };
    let terminal = LocalTerminal { root: ends.folder.path().join("terminal") };
    ends.start_site(config, vec![terminal.clone()]);
    for (n, element) in ["1", "9", "2", "9"].into_iter().enumerate() {
        let name = put(&ends, n, element);
        appears(&ends.clinic("res").join(name)).await;
    }
    let outcomes = |part: &model::part::RelayPart| part.outcomes.unwrap_or_default();
    let part = ends.says(|part| outcomes(part).failed == 2).await;
    let counted = outcomes(&part);
    assert!(counted.erring_since.is_some());
    let wanted = Outcomes { normal: 1, pending: 1, failed: 2, erring: 2, ..Outcomes::default() };
    assert_eq!(Outcomes { erring_since: None, ..counted }, wanted);
    put(&ends, 4, "1");
    ends.says(|part| outcomes(part).normal == 2 && outcomes(part).erring == 0).await;
    ends.stop().await;
    ends.start_again();
    put(&ends, 5, "1");
    let part = ends.says(|part| part.answers_today == 6).await;
    assert_eq!(part.outcomes, None, "the day goes on, and what answers say is not wanted any more");
}

#[tokio::test]
async fn what_a_consumer_does_not_collect_is_said_with_its_count_and_age() {
    let mut ends = Ends::new().start();
    for name in ["OQSsiquc01res_1.xml", "OQSsiquc01res_2.xml"] {
        fs::write(ends.terminal("res").join(name), WHOLE).unwrap();
    }
    let part = ends.says(|part| part.uncollected.iter().any(|one| one.count == 2)).await;
    assert_eq!(part.uncollected[0].consumer, "receipt");
    assert!(part.uncollected[0].since <= part.waiting[0].parcel.since);
    for name in ["OQSsiquc01res_1.xml", "OQSsiquc01res_2.xml"] {
        fs::remove_file(ends.clinic("res").join(name)).unwrap();
    }
    ends.says(|part| part.uncollected.is_empty()).await;
}

/// Answers of which a time to live is over after so many seconds, in the folder of a consumer that collects nothing.
async fn uncollected(time_to_live_s: u64, answers: [&str; 2]) -> Ends {
    let mut ends = Ends::new();
    let mut config = ends.config();
    let mut kinds = config.kinds.to_vec();
    kinds.iter_mut().for_each(|kind| kind.time_to_live_s = time_to_live_s);
    config.kinds = kinds.into();
    let terminal = LocalTerminal { root: ends.folder.path().join("terminal") };
    ends.start_site(config, vec![terminal]);
    for name in answers {
        fs::write(ends.terminal("res").join(name), WHOLE).unwrap();
        appears(&ends.clinic("res").join(name)).await;
    }
    ends
}

#[tokio::test]
async fn an_answer_whose_time_is_over_is_told_and_held_where_it_lies_until_a_person_decides() {
    let mut ends = uncollected(2, ["OQSsiquc01res_1.xml", "OQSsiquc01res_2.xml"]).await;
    let part = ends.says(|part| part.held_count == 2).await;
    assert_eq!(held(&part), [HeldReason::NotCollected; 2]);
    assert_eq!((part.uncollected[0].count, part.uncollected[0].nearing), (2, 2));
    assert_eq!(names(&ends.clinic("res")).len(), 2, "nothing is taken away unseen");
    let one = part.held[0].parcel.number;
    assert_eq!(decide(&ends, Verb::Retry, one).await, Decided::Refused(Refusal::SameAgain));
    let returned =
        names(&ends.clinic("res")).iter().map(|name| ends.clinic(RETURNED).join(name)).collect::<Vec<_>>();
    returned.iter().for_each(|path| fs::write(path, b"before").unwrap());
    assert_eq!(decide(&ends, Verb::Return, one).await, Decided::Refused(Refusal::NameTaken));
    assert_eq!(names(&ends.clinic("res")).len(), 2, "it can still be collected");
    returned.iter().for_each(|path| fs::remove_file(path).unwrap());
    let other = part.held[1].parcel.number;
    assert_eq!(decide(&ends, Verb::Return, one).await, Decided::Done);
    assert_eq!(decide(&ends, Verb::Discard, other).await, Decided::Done);
    assert_eq!(names(&ends.clinic("res")), Vec::<String>::new());
    assert_eq!(names(&ends.clinic(RETURNED)).len(), 1);
    ends.says(|part| part.held_count == 0 && part.uncollected.is_empty()).await;
}

#[tokio::test]
async fn what_a_person_took_in_hand_when_the_box_was_cut_off_is_held_until_it_is_decided() {
    let mut ends = Ends::new();
    fs::create_dir_all(ends.own("attempted/=collection")).unwrap();
    let entry = "c.7.0000000000000000.receipt.res~OQSsiquc01res_1.xml";
    fs::write(ends.own("attempted/=collection").join(entry), WHOLE).unwrap();
    ends.start_again();
    let part = ends.says(|part| part.held_count == 1).await;
    assert_eq!((held(&part), part.held[0].parcel.number), (vec![HeldReason::NotCollected], 7));
    assert_eq!(decide(&ends, Verb::Return, 7).await, Decided::Done);
    assert_eq!(names(&ends.clinic(RETURNED)), ["OQSsiquc01res_1.xml"]);
}

#[tokio::test]
async fn nobody_decides_about_an_answer_that_may_still_be_collected() {
    let mut ends = uncollected(1800, ["OQSsiquc01res_1.xml", "OQSsiquc01res_2.xml"]).await;
    let part = ends.says(|part| part.uncollected.iter().any(|one| one.count == 2)).await;
    assert_eq!((part.uncollected[0].nearing, part.held_count), (0, 0));
    let number = part.waiting[0].parcel.number;
    assert_eq!(decide(&ends, Verb::Discard, number).await, Decided::NotHeld);
    assert_eq!(names(&ends.clinic("res")).len(), 2);
}
