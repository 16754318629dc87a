//! What the terminals' own requests meet, as who lets them pass says, made an observation.

use model::flows::FlowsPart;
use model::{Observation, Rung, Symptom, Timestamp};
use tokio::time::Instant;

use crate::finding::Finding;

/// What is said of it now; `alone`: whether the site has one terminal only.
pub fn observation(part: &FlowsPart, alone: bool) -> Observation {
    let at = Timestamp::now();
    Observation { at, ..finding(part, alone).at(Rung::TerminalFlows, None, Instant::now()) }
}

/// A terminal that asks elsewhere reaches nothing by name, so that comes first. Of several it is not known whose questions
/// those are: over IPv6 a terminal has addresses that nobody knows by its name (RFC 8981).
fn finding(part: &FlowsPart, alone: bool) -> Finding {
    match &part.fails {
        _ if part.asks_elsewhere && alone => Finding::bad(Symptom::AsksElsewhere, ""),
        _ if part.asks_elsewhere => Finding::open("one of the terminals asks another resolver"),
        Some(fails) if fails.refused => Finding::bad(Symptom::Refused, fails.to_string()),
        Some(fails) => Finding::bad(Symptom::Silent, fails.to_string()),
        None => Finding::good(""),
    }
}

#[cfg(test)]
mod tests {
    use model::Outcome;
    use model::flows::Failing;

    use super::*;

    #[test]
    fn a_question_elsewhere_comes_first_and_of_several_terminals_it_is_nobody_s() {
        let outcome = |asks_elsewhere, fails: Option<bool>, alone| {
            let fails = fails.map(|refused| Failing { refused, ports: vec![443] });
            observation(&FlowsPart { asks_elsewhere, fails }, alone).outcome
        };
        assert_eq!(outcome(false, None, true), Outcome::Good);
        assert_eq!(outcome(true, Some(true), true), Outcome::Bad(Symptom::AsksElsewhere));
        assert_eq!(outcome(true, Some(true), false), Outcome::Open);
        assert_eq!(outcome(false, Some(true), false), Outcome::Bad(Symptom::Refused));
        assert_eq!(outcome(false, Some(false), true), Outcome::Bad(Symptom::Silent));
    }
}
