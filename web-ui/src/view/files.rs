//! What waits and what is held: a journal number, a sentence and an age. Nothing here identifies a patient.

use model::parcel::{Held, ParcelView, Waiting};
use model::part::RelayPart;
use model::{Language, Timestamp};

use super::Seen;
use crate::jst;
use crate::state::State;

/// How many files the overview lists; the rest is a number.
pub(super) const A_FEW: usize = 4;

/// How many files the relay's own view lists: the oldest, which a person decides about first.
pub(super) const MANY: usize = 20;

/// What the relay calls the kind of a file that is of none.
const UNKNOWN: &str = "unknown";

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
    /// Its kind's key, or that it has none.
    pub kind: String,
    /// The keyed short hash of its name.
    pub hash: String,
    /// What it waits for, or why it is held.
    pub sentence: &'static str,
    /// Since when it lies there.
    pub age: String,
    since: Timestamp,
}

pub(super) fn waiting(seen: &Seen<'_>, listed: usize) -> Files {
    let rows = |relay: &RelayPart| {
        let row = |one: &Waiting| row(seen, &one.parcel, seen.say(one.reason.sentence()));
        (relay.waiting.iter().map(row).collect(), relay.waiting_count)
    };
    // Waiting is how a relay works: only the age could say that something is wrong, and judging that is reach's.
    files(seen, seen.relay.fresh().map(rows), State::Normal, listed)
}

pub(super) fn held(seen: &Seen<'_>, listed: usize) -> Files {
    let rows = |relay: &RelayPart| {
        let row = |one: &Held| row(seen, &one.parcel, seen.say(one.reason.sentence()));
        (relay.held.iter().map(row).collect(), relay.held_count)
    };
    files(seen, seen.relay.fresh().map(rows), State::Attention, listed)
}

fn row(seen: &Seen<'_>, parcel: &ParcelView, sentence: &'static str) -> Row {
    Row {
        number: parcel.number,
        kind: kind(seen, &parcel.kind),
        hash: parcel.hash.clone(),
        sentence,
        age: jst::age(parcel.since, seen.now, seen.language),
        since: parcel.since,
    }
}

fn kind(seen: &Seen<'_>, key: &str) -> String {
    if key == UNKNOWN { seen.say(State::Unknown.word()).to_owned() } else { key.to_owned() }
}

/// `filled` is the state of a list that is not empty. The relay names only some of what it counts.
fn files(seen: &Seen<'_>, rows: Option<(Vec<Row>, u64)>, filled: State, listed: usize) -> Files {
    let looked = seen.last_look(seen.relay.at());
    let Some((mut rows, counted)) = rows else {
        return Files { state: State::Unknown, count: None, rows: Vec::new(), more: None, looked };
    };
    let count = usize::try_from(counted).unwrap_or(usize::MAX).max(rows.len());
    rows.sort_by_key(|row| row.since);
    rows.truncate(listed);
    let state = if count == 0 { State::Normal } else { filled };
    Files { state, count: Some(count), more: more(seen, count - rows.len()), rows, looked }
}

fn more(seen: &Seen<'_>, count: usize) -> Option<String> {
    (count > 0).then(|| match seen.language {
        Language::Ja => format!("ほか {count} 件"),
        Language::En => format!("{count} more"),
    })
}
