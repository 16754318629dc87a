//! The setup page as a typed view model: how the box came up, what a person is told about it, and what to do next.

use model::boot::{BootPart, Situation};
use model::part::Snapshot;
use model::{Language, Notice, Text, Timestamp};

use super::Seen;
use super::lamps::{self, Firewall, Lamps};
use crate::identity::Fingerprints;
use crate::state::State;
use crate::words;

/// Everything the setup page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The language of every text in it.
    pub language: Language,
    /// The situation, in a word and three sentences.
    pub headline: Headline,
    /// What a person is told, the foremost first.
    pub notices: Vec<NoticeView>,
    /// What this box is.
    pub facts: Vec<Fact>,
    /// The lamps.
    pub lamps: Lamps,
    /// The firewall's line.
    pub firewall: Firewall,
}

/// The situation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headline {
    /// Its state.
    pub state: State,
    /// The word.
    pub word: &'static str,
    /// What is so, what it means, what to do next.
    pub sentences: [&'static str; 3],
}

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeView {
    /// What is so.
    pub happened: &'static str,
    /// The next step.
    pub next: &'static str,
    /// Names behind the words.
    pub details: Vec<String>,
}

/// One fact of the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// Its value.
    pub value: String,
}

impl Setup {
    /// What an installer sees of a snapshot at a time.
    pub fn new(snapshot: &Snapshot, fingerprints: &Fingerprints, now: Timestamp, language: Language) -> Self {
        let seen = Seen::new(snapshot, None, now, language);
        let boot = snapshot.boot.as_ref();
        Self {
            language,
            headline: headline(&seen, boot),
            notices: boot.map_or_else(Vec::new, |boot| {
                boot.notices.iter().map(|notice| told(&seen, notice)).collect()
            }),
            facts: facts(&seen, boot, fingerprints),
            lamps: lamps::lamps(&seen),
            firewall: lamps::firewall(&seen),
        }
    }

    /// A fixed text in the page's language.
    pub const fn say(&self, text: Text) -> &'static str {
        text.get(self.language)
    }

    /// The state that the tab's icon shows.
    pub const fn state(&self) -> State {
        self.headline.state
    }

    /// The window's title: the state comes first, because a tab shows little more.
    pub fn title(&self) -> String {
        super::title(self.language, self.headline.state, self.headline.word, words::SETUP_SUBJECT)
    }

    /// What a screen reader is told when it changes.
    pub fn spoken(&self) -> String {
        let [happened, meaning, next] = self.headline.sentences;
        format!("{} {happened} {meaning} {next}", self.headline.word)
    }
}

fn headline(seen: &Seen<'_>, boot: Option<&BootPart>) -> Headline {
    let reason = boot.and_then(|boot| boot.notices.iter().find(|notice| !notice.is_of_a_stick()));
    let (state, word, sentences) = match (boot.map(|boot| boot.situation), reason) {
        (Some(Situation::Carton), _) => (State::Attention, words::CARTON_WORD, words::CARTON),
        (_, Some(reason)) => {
            let said = reason.words();
            (State::Fault, words::CLOSED_WORD, [said.happened, words::CLOSED_MEANING, said.next])
        }
        (_, None) => {
            let [happened, next] = words::CLOSED_OPEN;
            (State::Unknown, words::CLOSED_WORD, [happened, words::CLOSED_MEANING, next])
        }
    };
    Headline { state, word: seen.say(word), sentences: sentences.map(|text| seen.say(text)) }
}

fn told(seen: &Seen<'_>, notice: &Notice) -> NoticeView {
    let words = notice.words();
    NoticeView { happened: seen.say(words.happened), next: seen.say(words.next), details: notice.details() }
}

fn facts(seen: &Seen<'_>, boot: Option<&BootPart>, fingerprints: &Fingerprints) -> Vec<Fact> {
    let fact = |label: Text, value: &str| {
        (!value.is_empty()).then(|| Fact { label: seen.say(label), value: value.to_owned() })
    };
    let url = boot.and_then(|boot| boot.setup.as_ref()).map(model::boot::Setup::url).unwrap_or_default();
    let of = |read: fn(&BootPart) -> &str| boot.map(read).unwrap_or_default();
    [
        fact(words::SITUATION, boot.map_or("", |boot| seen.say(boot.situation.name()))),
        fact(words::VERSION, of(|boot| &boot.version)),
        fact(words::BOARD, of(|boot| &boot.board)),
        fact(words::SERIAL, of(|boot| &boot.serial)),
        fact(words::ADDRESS, &url),
        fact(words::FINGERPRINT, &fingerprints.page),
        fact(words::AUTHORITY, &fingerprints.authority),
    ]
    .into_iter()
    .flatten()
    .collect()
}
