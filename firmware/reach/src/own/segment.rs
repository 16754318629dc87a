//! What the line gives for the terminals, as who serves them says, made an observation.

use model::segment::SegmentPart;
use model::site::prefix::Prefix;
use model::{Observation, Rung, Symptom, Timestamp};
use tokio::time::Instant;

use crate::finding::Finding;

/// What is said of it now.
pub fn observation(part: &SegmentPart) -> Observation {
    let at = Timestamp::now();
    Observation { at, ..finding(part).at(Rung::Prefix, None, Instant::now()) }
}

fn finding(part: &SegmentPart) -> Finding {
    match (part.missing, part.given.as_slice(), part.before.as_slice()) {
        (true, ..) if part.delegated => Finding::bad(Symptom::NotDelegated, "nothing is delegated"),
        (true, ..) => Finding::bad(Symptom::NotAdvertised, "no prefix is advertised"),
        (false, [], _) => Finding::open("no prefix yet"),
        (false, given, []) => Finding::good(list(given)),
        (false, given, before) => {
            Finding::bad(Symptom::Renumbered, format!("{}, before it {}", list(given), list(before)))
        }
    }
}

fn list(prefixes: &[Prefix]) -> String {
    prefixes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use model::Outcome;

    use super::*;

    #[test]
    fn a_prefix_is_good_until_there_is_another_and_bad_where_it_is_missing_for_long() {
        let [one, two] = ["2001:db8:1::/64", "2001:db8:2::/64"].map(|text| text.parse::<Prefix>().unwrap());
        let outcome = |delegated, given: &[Prefix], before: &[Prefix], missing| {
            let (given, before) = (given.to_vec(), before.to_vec());
            observation(&SegmentPart { delegated, given, before, missing }).outcome
        };
        assert_eq!(outcome(true, &[one], &[], false), Outcome::Good);
        assert_eq!(outcome(true, &[], &[], false), Outcome::Open, "it may still come");
        assert_eq!(outcome(true, &[], &[], true), Outcome::Bad(Symptom::NotDelegated));
        assert_eq!(outcome(false, &[], &[one], true), Outcome::Bad(Symptom::NotAdvertised));
        assert_eq!(outcome(false, &[two], &[one], false), Outcome::Bad(Symptom::Renumbered));
    }
}
