//! The relay's own view: folders and ages, what is held and why, what waits, today's pairs. It only reads.

use model::parcel::{Outcomes, Unanswered, Uncollected, WaitReason};
use model::part::{RelayPart, Snapshot};
use model::scene::Sign;
use model::{Language, Observation, Outcome, Party, Site, Text, Timestamp};

use super::files::{self, Files};
use super::folders::{self, Folder};
use super::headline::{self, Call};
use super::pairs::{self, Pairs};
use super::{Look, Seen};
use crate::state::State;
use crate::{jst, words};

/// Everything the relay's view shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Relay {
    /// The language of every text in it.
    pub language: Language,
    /// Its state.
    pub state: State,
    /// What is so, and what is to be done.
    pub sentence: String,
    /// Whom to ask about what is held; none if nothing is.
    pub call: Option<Call>,
    /// The terminals' shares.
    pub shares: Vec<Share>,
    /// The folders; empty if nothing is known of them.
    pub folders: Vec<Folder>,
    /// What the other sides have had for long.
    pub late: Vec<Late>,
    /// What is held.
    pub held: Files,
    /// What waits.
    pub waiting: Files,
    /// Today's pairs.
    pub pairs: Pairs,
    /// Today's numbers.
    pub today: Vec<Figure>,
    /// When the relay last looked, in words.
    pub looked: String,
}

/// A terminal's share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The terminal's name in the site file.
    pub terminal: String,
    /// Whether the relay can work with it.
    pub state: State,
}

/// What one other side has had for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The terminal or the consumer, by its name in the site file.
    pub who: String,
    /// The kind's key, where it is one kind.
    pub kind: Option<String>,
    /// How many.
    pub count: u64,
    /// What is waited for.
    pub sentence: &'static str,
    /// Since when.
    pub age: String,
}

/// A number with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its name.
    pub label: &'static str,
    /// How many.
    pub count: u64,
}

impl Relay {
    /// What the relay said last, at a time.
    pub fn new(snapshot: &Snapshot, site: &Site, now: Timestamp, language: Language) -> Self {
        let seen = Seen::new(snapshot, Some(site), now, language);
        let state = state(&seen);
        let held = files::held(&seen, files::MANY);
        let holds = held.count.is_some_and(|count| count > 0);
        Self {
            language,
            state,
            sentence: sentence(&seen, state, holds),
            call: holds.then(|| headline::call(&seen, Party::Box)),
            shares: seen.relay.fresh().map(shares).unwrap_or_default(),
            folders: folders::folders(&seen, site),
            late: seen.relay.fresh().map(|relay| late(&seen, relay)).unwrap_or_default(),
            held,
            waiting: files::waiting(&seen, files::MANY),
            pairs: pairs::pairs(&seen),
            today: seen.relay.fresh().map(|relay| today(&seen, relay)).unwrap_or_default(),
            looked: seen.last_look(seen.relay.at()),
        }
    }

    /// A fixed text in the page's language.
    pub const fn say(&self, text: Text) -> &'static str {
        text.get(self.language)
    }

    /// The state that the tab's icon shows.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The window's title: the state comes first, because a tab shows little more.
    pub fn title(&self) -> String {
        super::title(self.language, self.state, self.say(words::RELAY), words::TITLE)
    }

    /// What a screen reader is told when it changes.
    pub fn spoken(&self) -> String {
        format!("{} {}", self.say(words::RELAY), self.sentence)
    }
}

/// What the relay itself sees. Whose fault it is the overview says.
fn state(seen: &Seen<'_>) -> State {
    let Look::Fresh(relay, _) = seen.relay else { return State::Unknown };
    let outcomes = || relay.shares.iter().map(|share| share.outcome);
    match () {
        () if outcomes().any(|outcome| matches!(outcome, Outcome::Bad(_))) => State::Fault,
        () if relay.held_count > 0 || !relay.held.is_empty() => State::Attention,
        () if relay.shares.is_empty() || outcomes().any(|outcome| !outcome.is_good()) => State::Checking,
        () => State::Normal,
    }
}

/// The words of the RELAY lamp; what is held is for later, as the ALARM lamp says.
fn sentence(seen: &Seen<'_>, state: State, holds: bool) -> String {
    let foremost = match state {
        State::Normal => Some(Sign::RelayWell.meaning()),
        State::Fault => Some(Sign::TerminalDead.meaning()),
        State::Unknown => Some(words::NO_PART),
        State::Checking => Some(Sign::RelayOpen.meaning()),
        State::Attention | State::Stopped | State::Maintenance => None,
    };
    let held = holds.then(|| [Sign::Held.meaning(), Sign::Look.meaning()]).into_iter().flatten();
    let bare = |text| seen.say(text).trim_end_matches(['。', '.']);
    let said: Vec<&str> = foremost.into_iter().chain(held).map(bare).collect();
    match seen.language {
        Language::Ja => format!("{}。", said.join("。")),
        Language::En => said.join(", "),
    }
}

fn shares(relay: &RelayPart) -> Vec<Share> {
    let share = |seen: &Observation| Share {
        terminal: seen.terminal.clone().unwrap_or_default(),
        state: match seen.outcome {
            Outcome::Good => State::Normal,
            Outcome::Bad(_) => State::Fault,
            Outcome::Open => State::Checking,
            Outcome::Skipped => State::Unknown,
        },
    };
    relay.shares.iter().map(share).collect()
}

/// The oldest first. There are no more than the site has consumers, and terminals with kinds.
fn late(seen: &Seen<'_>, relay: &RelayPart) -> Vec<Late> {
    let mut late: Vec<(Timestamp, Late)> = Vec::new();
    late.extend(relay.unanswered.iter().map(|one| (one.since, unanswered(seen, one))));
    late.extend(relay.uncollected.iter().map(|one| (one.since, uncollected(seen, one))));
    late.sort_by_key(|(since, _)| *since);
    late.into_iter().map(|(_, late)| late).collect()
}

fn unanswered(seen: &Seen<'_>, one: &Unanswered) -> Late {
    Late {
        who: one.terminal.clone(),
        kind: Some(one.kind.clone()),
        count: one.count,
        sentence: seen.say(WaitReason::AwaitingAnswer.sentence()),
        age: jst::age(one.since, seen.now, seen.language),
    }
}

fn uncollected(seen: &Seen<'_>, one: &Uncollected) -> Late {
    Late {
        who: one.consumer.clone(),
        kind: None,
        count: one.count,
        sentence: seen.say(one.sentence()),
        age: jst::age(one.since, seen.now, seen.language),
    }
}

fn today(seen: &Seen<'_>, relay: &RelayPart) -> Vec<Figure> {
    let mut figures = vec![(words::REQUESTS, relay.requests_today), (words::ANSWERS, relay.answers_today)];
    figures.extend(relay.outcomes.as_ref().map(said).into_iter().flatten());
    figures.into_iter().map(|(label, count)| Figure { label: seen.say(label), count }).collect()
}

const fn said(outcomes: &Outcomes) -> [(Text, u64); 5] {
    [
        (words::SAID_NORMAL, outcomes.normal),
        (words::SAID_PENDING, outcomes.pending),
        (words::SAID_FAILED, outcomes.failed),
        (words::SAID_REFUSED, outcomes.refused),
        (words::SAID_NOTHING, outcomes.unread),
    ]
}
