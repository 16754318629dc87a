//! What the relay says for a verdict: what answers say, what is not collected.

use std::fs;

use model::parcel::Outcomes;

use super::WHOLE;
use crate::share::local::LocalTerminal;
use crate::testing::{Ends, appears};

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
