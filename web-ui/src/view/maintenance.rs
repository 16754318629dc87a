//! The maintenance view: what is open now and for how long, and past sessions to review and print. It only reads.

use model::maintenance::{Ended, Giver, MaintenancePart, Session, Tunnel};
use model::part::Snapshot;
use model::{Language, Site, Text, Timestamp};

use super::{Look, Seen};
use crate::state::State;
use crate::{jst, words};

/// Everything the maintenance view shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// The language of every text in it.
    pub language: Language,
    /// Its state.
    pub state: State,
    /// What is so.
    pub sentence: &'static str,
    /// What is to be done, if anything.
    pub next: Option<&'static str>,
    /// What is open now.
    pub open: Option<Open>,
    /// The sessions that ended, the newest first; none if nothing is known of them.
    pub past: Option<Vec<Past>>,
    /// When that was last known, in words.
    pub looked: String,
}

/// What is open now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Who, what for, by whom.
    pub head: Head,
    /// How long it lasts yet, in words.
    pub left: String,
    /// Until when.
    pub until: String,
    /// Its tunnel's state.
    pub state: State,
    /// How its tunnel stands.
    pub tunnel: &'static str,
}

/// One session's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub number: u64,
    /// Who was let in.
    pub maintainer: String,
    /// What for.
    pub reason: String,
    /// Who consented.
    pub by: &'static str,
    /// Since when.
    pub since: String,
    /// The hosts and ports of second consents.
    pub further: Vec<String>,
}

/// A session that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Who, what for, by whom.
    pub head: Head,
    /// How long it lasted.
    pub lasted: String,
    /// Why it ended.
    pub why: &'static str,
    /// Why there was no tunnel at the end, if there was none (MNT-01).
    pub trouble: Option<&'static str>,
    /// What was reached, in words.
    pub reached: String,
    /// What was done on the box by verbs.
    pub used: Vec<String>,
    /// Whether it was reviewed, waits for it, or has waited for too long.
    pub state: State,
    /// The same in words.
    pub review: String,
}

impl Maintenance {
    /// What `netd` said last, at a time.
    pub fn new(snapshot: &Snapshot, site: &Site, now: Timestamp, language: Language) -> Self {
        let seen = Seen::new(snapshot, Some(site), now, language);
        let part = seen.maintenance.fresh();
        let open = part.and_then(MaintenancePart::open);
        let (state, sentence, next) = so(&seen);
        Self {
            language,
            state,
            sentence: seen.say(sentence),
            next: next.map(|next| seen.say(next)),
            open: part.zip(open).map(|(part, (session, tunnel))| opened(&seen, part, session, tunnel)),
            past: part.map(|part| part.sessions.iter().filter_map(|one| past(&seen, one)).collect()),
            looked: seen.last_look(seen.maintenance.at()),
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
        super::title(self.language, self.state, self.say(words::MAINTENANCE), words::TITLE)
    }

    /// What a screen reader is told when it changes; the countdown is no change.
    pub fn spoken(&self) -> String {
        format!("{} {}", self.say(words::MAINTENANCE), self.sentence)
    }
}

/// State, sentence, and what is to be done.
fn so(seen: &Seen<'_>) -> (State, Text, Option<Text>) {
    let Look::Fresh(part, _) = seen.maintenance else { return (State::Unknown, words::NO_PART, None) };
    let late = part.is_overdue(seen.now).then_some(words::REVIEW_LATE);
    let waits = part.sessions.iter().any(Session::awaits_review).then_some(words::REVIEW_WAITS);
    match part.open {
        _ if !part.planned => (State::Stopped, words::MAINT_NONE, None),
        Some(_) => (State::Maintenance, words::MAINT_OPEN, Some(words::MAINT_CLOSE)),
        None if late.is_some() => (State::Attention, words::MAINT_CLOSED, late),
        None if !part.pin_set => (State::Normal, words::MAINT_CLOSED, Some(words::MAINT_NO_PIN)),
        None => (State::Normal, words::MAINT_CLOSED, waits),
    }
}

fn opened(seen: &Seen<'_>, part: &MaintenancePart, session: &Session, tunnel: Tunnel) -> Open {
    let (state, tunnel) = match (tunnel, part.why_not()) {
        (Tunnel::Up, _) => (State::Normal, words::TUNNEL_UP),
        (Tunnel::Down { .. }, None) => (State::Checking, words::TUNNEL_CALLING),
        (Tunnel::Down { .. }, Some(why)) => (State::Attention, why),
    };
    Open {
        head: head(seen, session),
        left: left(seen, session),
        until: jst::moment(session.until, seen.language),
        state,
        tunnel: seen.say(tunnel),
    }
}

/// Whole minutes, rounded up: a page is renewed every few seconds, and nought would be wrong while it is open.
fn left(seen: &Seen<'_>, session: &Session) -> String {
    let seconds = (session.until.as_second() - seen.now.as_second()).max(0);
    let minutes = (seconds + 59) / 60;
    match seen.language {
        Language::Ja => format!("あと{minutes}分"),
        Language::En => format!("{minutes} min left"),
    }
}

fn head(seen: &Seen<'_>, session: &Session) -> Head {
    let by = match session.by {
        Giver::Pin { .. } => words::BY_PIN,
        Giver::Button => words::BY_BUTTON,
    };
    Head {
        number: session.number,
        maintainer: session.maintainer.clone(),
        reason: session.reason.as_str().to_owned(),
        by: seen.say(by),
        since: jst::moment(session.at, seen.language),
        further: session.further.iter().map(|one| format!("{}:{}", one.host, one.port)).collect(),
    }
}

fn past(seen: &Seen<'_>, session: &Session) -> Option<Past> {
    let ended = session.ended.as_ref()?;
    let (state, review) = match &session.reviewed {
        Some(reviewed) => {
            let at = jst::moment(reviewed.at, seen.language);
            (State::Normal, format!("{} {at}", seen.say(words::REVIEWED)))
        }
        None if session.is_overdue(seen.now) => {
            (State::Attention, seen.say(words::REVIEW_OVERDUE).to_owned())
        }
        None => (State::Checking, seen.say(words::REVIEW_OPEN).to_owned()),
    };
    Some(Past {
        head: head(seen, session),
        lasted: lasted(seen, session, ended),
        why: seen.say(ended.why.word()),
        trouble: ended.why_not().map(|text| seen.say(text)),
        reached: reached(seen, ended),
        used: ended.used.iter().map(|used| format!("{} ×{}", used.verb, used.times)).collect(),
        state,
        review,
    })
}

fn lasted(seen: &Seen<'_>, session: &Session, ended: &Ended) -> String {
    let minutes = (ended.at.as_second() - session.at.as_second()).max(0) / 60;
    match seen.language {
        Language::Ja => format!("{minutes}分"),
        Language::En => format!("{minutes} min"),
    }
}

fn reached(seen: &Seen<'_>, ended: &Ended) -> String {
    let Some(reached) = ended.reached else { return seen.say(words::NOT_COUNTED).to_owned() };
    let kilobytes = (reached.bytes_in + reached.bytes_out).div_ceil(1024);
    let connections = reached.management + reached.further;
    match seen.language {
        Language::Ja => format!("接続{connections}回、{kilobytes} KB"),
        Language::En => format!("{connections} connections, {kilobytes} KB"),
    }
}
