//! The views as typed models: each a pure function of snapshot, site, time and language.
//! The templates only lay it out.

mod files;
mod folders;
mod headline;
mod lamps;
mod line;
mod look;
mod maintenance;
mod pairs;
mod path;
mod plot;
mod relay;
mod rules;
mod setup;
mod strip;
mod would;

use model::part::{LINE_PATIENCE_S, PATIENCE_S, Snapshot};
use model::site::Contact;
use model::{Language, Party, Site, Text, Timestamp};

use self::files::Files;
use self::headline::Headline;
use self::lamps::{Firewall, Lamps};
pub use self::line::Line;
use self::look::Look;
pub use self::maintenance::Maintenance;
use self::pairs::Pairs;
use self::path::Path;
pub use self::relay::Relay;
pub use self::rules::{Passing, Rules};
pub use self::setup::Setup;
pub use self::would::{Told, Would};
use crate::jst;
use crate::state::State;
use crate::words;

/// Everything the overview shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The language of every text in it.
    pub language: Language,
    /// The sentence.
    pub headline: Headline,
    /// The path picture.
    pub path: Path,
    /// Today's pairs.
    pub pairs: Pairs,
    /// What waits.
    pub waiting: Files,
    /// What is held.
    pub held: Files,
    /// The lamps.
    pub lamps: Lamps,
    /// The firewall's line.
    pub firewall: Firewall,
    /// When reach last looked, in words.
    pub looked: String,
}

impl Overview {
    /// What reception sees of a snapshot at a time.
    pub fn new(snapshot: &Snapshot, site: &Site, now: Timestamp, language: Language) -> Self {
        let seen = Seen::new(snapshot, Some(site), now, language);
        Self {
            language,
            headline: headline::headline(&seen),
            path: path::path(&seen),
            pairs: pairs::pairs(&seen),
            waiting: files::waiting(&seen, files::A_FEW),
            held: files::held(&seen, files::A_FEW),
            lamps: lamps::lamps(&seen),
            firewall: lamps::firewall(&seen),
            looked: seen.last_look(seen.line.at()),
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
        title(self.language, self.headline.state, self.headline.word, words::TITLE)
    }

    /// What a screen reader is told when it changes: state, word and what to do, in one breath.
    pub fn spoken(&self) -> String {
        let [happened, meaning, next] = self.headline.sentences;
        format!("{} {happened} {meaning} {next}", self.headline.word)
    }
}

/// `【異常】使えません｜資格確認の状態`
fn title(language: Language, state: State, word: &str, subject: Text) -> String {
    let (state, subject) = (state.word().get(language), subject.get(language));
    match language {
        Language::Ja => format!("【{state}】{word}｜{subject}"),
        Language::En => format!("[{state}] {word} | {subject}"),
    }
}

/// A snapshot, sorted into what is fresh and what is not.
struct Seen<'a> {
    line: Look<'a, model::part::LinePart>,
    relay: Look<'a, model::part::RelayPart>,
    firewall: Look<'a, model::part::FirewallPart>,
    board: Look<'a, model::part::BoardPart>,
    maintenance: Look<'a, model::maintenance::MaintenancePart>,
    /// Whom to call; nobody is known before a site is in force.
    site: Option<&'a Site>,
    now: Timestamp,
    language: Language,
}

impl<'a> Seen<'a> {
    fn new(snapshot: &'a Snapshot, site: Option<&'a Site>, now: Timestamp, language: Language) -> Self {
        Self {
            line: Look::new(snapshot.line.as_ref(), LINE_PATIENCE_S, now),
            relay: Look::new(snapshot.relay.as_ref(), PATIENCE_S, now),
            firewall: Look::new(snapshot.firewall.as_ref(), PATIENCE_S, now),
            board: Look::new(snapshot.board.as_ref(), PATIENCE_S, now),
            maintenance: Look::new(snapshot.maintenance.as_ref(), PATIENCE_S, now),
            site,
            now,
            language,
        }
    }

    const fn say(&self, text: Text) -> &'static str {
        text.get(self.language)
    }

    fn contact(&self, party: Party) -> Option<&'a Contact> {
        self.site.and_then(|site| site.contact(party))
    }

    /// `最終確認 11月22日 09時05分`
    fn last_look(&self, at: Option<Timestamp>) -> String {
        let when = at.map_or_else(|| self.say(words::NEVER).to_owned(), |at| jst::moment(at, self.language));
        format!("{} {when}", self.say(words::LOOKED))
    }
}

#[cfg(test)]
mod tests;
