//! What waits and what is held: a journal number, a sentence and an age. Nothing here identifies a patient.

use model::parcel::ParcelView;
use model::part::RelayPart;
use model::{Language, Timestamp};

use super::Seen;
use crate::jst;
use crate::state::State;

/// How many files are listed; the rest is a number.
const LISTED: usize = 4;

/// A list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Its state.
    pub state: State,
    /// How many there are; none if that is not known.
    pub count: Option<usize>,
    /// The oldest ones.
    pub rows: Vec<Row>,
    /// How many are not listed, in words; none if all are.
    pub more: Option<String>,
    /// When the relay last looked.
    pub looked: String,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its journal number.
    pub number: u64,
    /// What it waits for, or why it is held.
    pub sentence: &'static str,
    /// Since when it lies there.
    pub age: String,
    since: Timestamp,
}

pub(super) fn waiting(seen: &Seen<'_>) -> Files {
    let rows = |relay: &RelayPart| {
        relay.waiting.iter().map(|one| row(seen, &one.parcel, seen.say(one.reason.sentence()))).collect()
    };
    // Waiting is how a relay works: only the age could say that something is wrong, and judging that is reach's.
    files(seen, seen.relay.fresh().map(rows), State::Normal)
}

pub(super) fn held(seen: &Seen<'_>) -> Files {
    let rows = |relay: &RelayPart| {
        relay.held.iter().map(|one| row(seen, &one.parcel, seen.say(one.reason.sentence()))).collect()
    };
    files(seen, seen.relay.fresh().map(rows), State::Attention)
}

fn row(seen: &Seen<'_>, parcel: &ParcelView, sentence: &'static str) -> Row {
    let age = jst::age(parcel.since, seen.now, seen.language);
    Row { number: parcel.number, sentence, age, since: parcel.since }
}

/// `filled` is the state of a list that is not empty.
fn files(seen: &Seen<'_>, rows: Option<Vec<Row>>, filled: State) -> Files {
    let looked = seen.last_look(seen.relay.at());
    let Some(mut rows) = rows else {
        return Files { state: State::Unknown, count: None, rows: Vec::new(), more: None, looked };
    };
    let count = rows.len();
    rows.sort_by_key(|row| row.since);
    rows.truncate(LISTED);
    let state = if count == 0 { State::Normal } else { filled };
    Files { state, count: Some(count), more: more(seen, count - rows.len()), rows, looked }
}

fn more(seen: &Seen<'_>, count: usize) -> Option<String> {
    (count > 0).then(|| match seen.language {
        Language::Ja => format!("ほか {count} 件"),
        Language::En => format!("{count} more"),
    })
}
