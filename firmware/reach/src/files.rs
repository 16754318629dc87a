//! What the relay says of the files, as observations. Pure: facts go in, and the patience that makes evidence of them is
//! here.

use model::parcel::{Outcomes, Unanswered};
use model::part::RelayPart;
use model::{Observation, Rung, Symptom, Timestamp};

use crate::finding::Finding;

/// An answer that stands so long in a consumer's folders is not collected, seconds: programs look every few.
const COLLECTED_WITHIN_S: i64 = 60;
/// So many errors in a row are no one patient's card any more.
const ERRORS: u64 = 5;

/// The observations at the rungs of files: the answers of each terminal, what answers say, and their collection.
pub fn observations(relay: &RelayPart, now: Timestamp) -> Vec<Observation> {
    let terminals = relay.shares.iter().filter_map(|share| share.terminal.clone());
    let mut seen: Vec<Observation> = terminals
        .map(|name| {
            let late: Vec<&Unanswered> =
                relay.unanswered.iter().filter(|late| late.terminal == name).collect();
            at(Rung::TerminalAnswers, Some(name), answers(&late, now), now)
        })
        .collect();
    seen.push(at(Rung::AnswersSay, None, contents(relay.outcomes), now));
    seen.push(at(Rung::Collection, None, collection(relay, now), now));
    seen.push(at(Rung::Kinds, None, kinds(relay.strangers), now));
    seen
}

fn at(rung: Rung, terminal: Option<String>, finding: Finding, now: Timestamp) -> Observation {
    let Finding { outcome, detail } = finding;
    Observation { rung, terminal, outcome, at: now, took_ms: 0.0, detail }
}

/// One that nobody took tells more than one that was taken: the application takes each within seconds.
fn answers(late: &[&Unanswered], now: Timestamp) -> Finding {
    let told = |one: &Unanswered| format!("{} of {} since {}", one.count, one.kind, one.since);
    // An application that answers is at work, also if a heap of requests waits for it.
    let works =
        late.iter().filter_map(|one| one.answered_at).any(|at| age_s(at, now) < RelayPart::NO_ANSWER_S);
    let untaken = |one: &&&Unanswered| !works && one.untaken.is_some_and(|untaken| untaken > 0);
    if let Some(one) = late.iter().find(untaken) {
        return Finding::bad(Symptom::Untaken, told(one));
    }
    let patience = |one: &Unanswered| i64::try_from(one.patience_s).unwrap_or(i64::MAX);
    let overdue =
        |one: &&&Unanswered| one.since_answer.is_some_and(|since| age_s(since, now) >= patience(one));
    match late.iter().find(overdue) {
        // Nobody could look whether it still lies there: nothing can be said of the application.
        Some(one) if one.untaken.is_none() => Finding::open(told(one)),
        Some(one) => Finding::bad(Symptom::Unanswered, told(one)),
        None => Finding::good(""),
    }
}

fn contents(outcomes: Option<Outcomes>) -> Finding {
    let Some(said) = outcomes else { return Finding::good("not counted") };
    let detail = format!("{} errors in a row, {} of them refusals", said.erring, said.erring_refused);
    let symptom = match said.erring_refused {
        _ if said.erring < ERRORS => return Finding::good(detail),
        0 => Symptom::AnswersFailed,
        refused if refused == said.erring => Symptom::AnswersRefused,
        _ => Symptom::AnswersMixed,
    };
    Finding::bad(symptom, detail)
}

fn kinds(strangers: u64) -> Finding {
    match strangers {
        0 => Finding::good(""),
        count => Finding::bad(Symptom::UnknownKinds, format!("{count} files")),
    }
}

fn collection(relay: &RelayPart, now: Timestamp) -> Finding {
    let left =
        |one: &&model::parcel::Uncollected| one.nearing > 0 || age_s(one.since, now) >= COLLECTED_WITHIN_S;
    match relay.uncollected.iter().find(left) {
        Some(one) => Finding::bad(
            Symptom::NotCollected,
            format!("{}: {} since {}", one.consumer, one.count, one.since),
        ),
        None => Finding::good(""),
    }
}

fn age_s(since: Timestamp, now: Timestamp) -> i64 {
    now.as_second() - since.as_second()
}

#[cfg(test)]
mod tests {
    use model::Outcome;
    use model::parcel::Uncollected;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn ago(seconds: i64) -> Timestamp {
        Timestamp::from_second(-seconds).unwrap()
    }

    fn late(age_s: i64, patience_s: u64, untaken: Option<u64>) -> Unanswered {
        let (terminal, kind) = ("t1".to_owned(), "k".to_owned());
        let since = ago(age_s);
        let since_answer = Some(since);
        Unanswered { terminal, kind, count: 2, since, patience_s, untaken, answered_at: None, since_answer }
    }

    fn outcome(part: &RelayPart, rung: Rung) -> Outcome {
        let seen = observations(part, NOW);
        seen.into_iter().find(|seen| seen.rung == rung).unwrap().outcome
    }

    fn part() -> RelayPart {
        let finding = Finding::good("");
        let shares = vec![at(Rung::TerminalShare, Some("t1".into()), finding, NOW)];
        RelayPart { shares, ..RelayPart::default() }
    }

    #[test]
    fn a_relay_with_nothing_to_tell_is_well() {
        for seen in observations(&part(), NOW) {
            assert_eq!(seen.outcome, Outcome::Good, "{seen:?}");
        }
    }

    #[test]
    fn what_nobody_took_is_told_from_what_was_taken_and_not_answered() {
        let of = |late| outcome(&RelayPart { unanswered: vec![late], ..part() }, Rung::TerminalAnswers);
        assert_eq!(of(late(30, 60, Some(1))), Outcome::Bad(Symptom::Untaken));
        assert_eq!(of(late(30, 60, Some(0))), Outcome::Good, "within its patience");
        assert_eq!(of(late(60, 60, Some(0))), Outcome::Bad(Symptom::Unanswered));
        assert_eq!(of(late(600, 43200, Some(0))), Outcome::Good, "worked off in bulk");
        assert_eq!(of(late(60, 60, None)), Outcome::Open, "nobody could look");
        let passed_over =
            Unanswered { answered_at: Some(ago(10)), since_answer: None, ..late(60, 60, Some(0)) };
        assert_eq!(of(passed_over), Outcome::Good, "a later one was answered");
        let at_work = |answered| of(Unanswered { answered_at: Some(ago(answered)), ..late(40, 60, Some(1)) });
        assert_eq!(at_work(5), Outcome::Good, "it works its way through");
        assert_eq!(at_work(30), Outcome::Bad(Symptom::Untaken));
    }

    #[test]
    fn one_answer_or_four_are_no_fault_and_five_errors_in_a_row_are_by_their_sort() {
        let of = |erring, erring_refused| {
            let outcomes = Some(Outcomes { erring, erring_refused, ..Outcomes::default() });
            outcome(&RelayPart { outcomes, ..part() }, Rung::AnswersSay)
        };
        assert_eq!(of(4, 0), Outcome::Good);
        assert_eq!(of(5, 0), Outcome::Bad(Symptom::AnswersFailed));
        assert_eq!(of(5, 5), Outcome::Bad(Symptom::AnswersRefused));
        assert_eq!(of(6, 1), Outcome::Bad(Symptom::AnswersMixed));
    }

    #[test]
    fn a_file_of_no_known_kind_is_told_by_its_number_alone() {
        let stranger = RelayPart { strangers: 2, ..part() };
        let seen = observations(&stranger, NOW).into_iter().find(|seen| seen.rung == Rung::Kinds).unwrap();
        assert_eq!((seen.outcome, seen.detail.as_str()), (Outcome::Bad(Symptom::UnknownKinds), "2 files"));
    }

    #[test]
    fn what_stands_for_a_minute_or_is_nearly_over_is_not_collected() {
        let of = |age_s, nearing| {
            let left = Uncollected { consumer: "receipt".into(), count: 1, since: ago(age_s), nearing };
            outcome(&RelayPart { uncollected: vec![left], ..part() }, Rung::Collection)
        };
        assert_eq!(of(59, 0), Outcome::Good);
        assert_eq!(of(60, 0), Outcome::Bad(Symptom::NotCollected));
        assert_eq!(of(5, 1), Outcome::Bad(Symptom::NotCollected));
    }
}
