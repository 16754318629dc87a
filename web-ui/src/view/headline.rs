//! The sentence: usable or not, since when, what happened, what it means, what to do, whom to call.

use model::fault::Place;
use model::part::{FirewallPart, LinePart, RulesetState};
use model::verdict::Fault;
use model::{Language, Party, Text, Usability, Verdict};

use super::{Look, Seen};
use crate::jst;
use crate::state::State;
use crate::words;

/// The first thing on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// Its state.
    pub state: State,
    /// 使えます / 一部使えません / 使えません / 確認中です
    pub word: &'static str,
    /// Since when, while that is known.
    pub since: Option<String>,
    /// What happened, what it means at reception, the next step.
    pub sentences: [&'static str; 3],
    /// Who has to act, and how sure that is.
    pub owner: Option<String>,
    /// Whom to call. Empty while nobody has to be called.
    pub calls: Vec<Call>,
    /// Independent faults.
    pub others: Vec<Other>,
}

/// A party to call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The party.
    pub party: &'static str,
    /// Who answers, and the number; none if the site file has neither.
    pub contact: Option<(String, String)>,
}

/// A fault beside the foremost one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// Its short name.
    pub title: &'static str,
    /// Its next step.
    pub next: &'static str,
}

pub(super) fn headline(seen: &Seen<'_>) -> Headline {
    match seen.line {
        Look::Fresh(line, _) => judged(seen, line),
        Look::Stale(_) | Look::Absent => open(seen, State::Unknown, words::NOT_SEEN),
    }
}

/// What reach judged. A line that is well is not called usable while the box itself is known to stand in the way.
fn judged(seen: &Seen<'_>, line: &LinePart) -> Headline {
    let verdict = &line.verdict;
    match (verdict.usability, &verdict.foremost) {
        (Usability::Usable, _) if drops_all(&seen.firewall) => {
            open(seen, State::Checking, words::ALL_DROPPED)
        }
        (Usability::Usable, _) if seen.relay.fresh().is_none() => {
            open(seen, State::Checking, words::NO_RELAY)
        }
        (_, Some(fault)) => broken(seen, verdict, fault),
        (Usability::Usable, None) => well(seen, verdict),
        (_, None) => open(seen, State::Checking, words::CHECKING),
    }
}

fn drops_all(firewall: &Look<'_, FirewallPart>) -> bool {
    firewall.fresh().is_some_and(|part| part.state == RulesetState::DropAll)
}

fn well(seen: &Seen<'_>, verdict: &Verdict) -> Headline {
    Headline {
        state: State::Normal,
        word: seen.say(Usability::Usable.word()),
        since: Some(since(seen, verdict)),
        sentences: words::WELL.map(|text| seen.say(text)),
        owner: None,
        calls: Vec::new(),
        others: Vec::new(),
    }
}

/// Nothing can be said; the box's own contact is the one to ask if that goes on.
fn open(seen: &Seen<'_>, state: State, sentences: [Text; 3]) -> Headline {
    Headline {
        state,
        word: seen.say(Usability::Unknown.word()),
        since: None,
        sentences: sentences.map(|text| seen.say(text)),
        owner: None,
        calls: vec![call(seen, Party::Box)],
        others: Vec::new(),
    }
}

fn broken(seen: &Seen<'_>, verdict: &Verdict, fault: &Fault) -> Headline {
    let words = verdict.words(fault);
    let other = |fault: &Fault| Other {
        title: seen.say(fault.code.title()),
        next: seen.say(verdict.words(fault).next),
    };
    Headline {
        // The service goes on, and somebody should look all the same.
        state: if verdict.usability == Usability::Usable {
            State::Attention
        } else {
            verdict.usability.into()
        },
        word: seen.say(verdict.usability.word()),
        since: Some(since(seen, verdict)),
        sentences: [words.happened, words.meaning, words.next].map(|text| seen.say(text)),
        owner: Some(owner(seen, fault)),
        calls: calls(seen, fault),
        others: verdict.others.iter().map(other).collect(),
    }
}

fn since(seen: &Seen<'_>, verdict: &Verdict) -> String {
    let moment = jst::moment(verdict.since, seen.language);
    match seen.language {
        Language::Ja => format!("{moment}から"),
        Language::En => format!("since {moment}"),
    }
}

fn owner(seen: &Seen<'_>, fault: &Fault) -> String {
    let (party, sure) = (seen.say(fault.owner.name()), seen.say(fault.certainty.word()));
    match seen.language {
        Language::Ja => format!("{party}（{sure}）"),
        Language::En => format!("{party} ({sure})"),
    }
}

/// The owner, and the party the fault's next step may lead to.
fn calls(seen: &Seen<'_>, fault: &Fault) -> Vec<Call> {
    let mut parties = vec![fault.owner];
    let next = on_the_way(fault);
    if next != fault.owner {
        parties.push(next);
    }
    // The clinic does not call itself, and nobody answers for "not decided".
    parties
        .retain(|party| !matches!(party, Party::Clinic | Party::Unknown) || seen.contact(*party).is_some());
    parties.into_iter().map(|party| call(seen, party)).collect()
}

/// Whom the sentence of the next step sends to, where the owner's own check does not help.
const fn on_the_way(fault: &Fault) -> Party {
    match fault.code.place() {
        // Nobody at a distance is asked about what may as well be his neighbour's.
        Place::Line | Place::Auth | Place::Centre if matches!(fault.owner, Party::Unknown) => Party::Box,
        Place::Line | Place::Auth => Party::Line,
        Place::Centre => Party::Centre,
        Place::Box => Party::Box,
        Place::Terminal => Party::Terminal,
        Place::ReceiptComputer => Party::ReceiptComputer,
        // Whose the router in front of it is, the box's contact knows.
        Place::Internet => Party::Box,
    }
}

pub(super) fn call(seen: &Seen<'_>, party: Party) -> Call {
    let contact = seen.contact(party).map(|contact| (contact.name.clone(), contact.phone.clone()));
    Call { party: seen.say(party.name()), contact }
}
