//! The line's own view: the ladder with its evidence, the last good and the first bad look, 72 hours of every rung, and
//! the faults so far. It only reads.

use model::part::{LinePart, Snapshot, Sweep};
use model::past::{self, Mark, Past, Story, Strip};
use model::{Language, Observation, Outcome, Rung, Site, Text, Timestamp};

use super::strip::{self, Drawn};
use super::{Seen, headline};
use crate::state::State;
use crate::{jst, words};

/// Everything the line's view shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The language of every text in it.
    pub language: Language,
    /// Its state.
    pub state: State,
    /// Whether it can be used, and what happened.
    pub sentence: String,
    /// How far a look that somebody asked for has come, if one is under way.
    pub under_way: Option<String>,
    /// The rungs, in climbing order.
    pub rungs: Vec<Step>,
    /// The midnights below the strips: from the left of 432, and the day.
    pub days: Vec<(u32, String)>,
    /// Whether anything is remembered.
    pub remembers: bool,
    /// The newest faults.
    pub stories: Vec<Told>,
    /// How many more there are.
    pub more: Option<String>,
    /// When reach last looked, in words.
    pub looked: String,
}

/// A rung.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it is called.
    pub name: String,
    /// The terminal, for a terminal's rung.
    pub terminal: Option<String>,
    /// How it is.
    pub state: State,
    /// How it is, in words.
    pub word: String,
    /// Facts for an engineer.
    pub detail: String,
    /// The last good look, where that is not now.
    pub last_good: Option<String>,
    /// The first bad look of the newest time it was broken.
    pub first_bad: Option<String>,
    /// Its 72 hours, if they are known.
    pub strip: Option<Drawn>,
}

/// A fault that was or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Whether it is over.
    pub state: State,
    /// The code.
    pub code: String,
    /// Its title, if there is one.
    pub title: &'static str,
    /// The terminal.
    pub terminal: Option<String>,
    /// From when to when.
    pub when: String,
    /// How often, if it came back.
    pub times: Option<String>,
    /// Who had to act.
    pub owner: &'static str,
}

/// So many faults are shown.
const STORIES: usize = 20;

impl Line {
    /// What is so and what was, at a time.
    pub fn new(snapshot: &Snapshot, site: &Site, now: Timestamp, language: Language) -> Self {
        let seen = Seen::new(snapshot, Some(site), now, language);
        let headline = headline::headline(&seen);
        let empty = Past::default();
        let past = snapshot.past.as_deref().unwrap_or(&empty);
        let rungs = rungs(&seen, past);
        let more = past.stories.len().saturating_sub(STORIES);
        Self {
            language,
            state: headline.state,
            sentence: format!("{} {}", headline.word, headline.sentences[0]),
            days: strip::days(
                past,
                rungs.iter().filter_map(|step| Some(step.strip.as_ref()?.width)).max().unwrap_or(0),
                language,
            ),
            under_way: seen
                .line
                .fresh()
                .and_then(|line| line.sweep.as_ref())
                .map(|sweep| progress(&seen, sweep)),
            rungs,
            remembers: past.to.is_some(),
            stories: past.stories.iter().take(STORIES).map(|story| told(&seen, story)).collect(),
            more: (more > 0).then(|| format!("+{more}")),
            looked: seen.last_look(seen.line.at()),
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
        super::title(self.language, self.state, self.say(words::LINE_VIEW), words::TITLE)
    }

    /// What a screen reader is told when it changes.
    pub fn spoken(&self) -> String {
        format!("{} {}", self.say(words::LINE_VIEW), self.sentence)
    }
}

/// Every rung that is looked at now; while nobody looks, those that are remembered.
fn rungs(seen: &Seen<'_>, past: &Past) -> Vec<Step> {
    let Some(line) = seen.line.fresh() else {
        return past.strips.iter().map(|strip| remembered(seen, past, strip)).collect();
    };
    line.ladder.iter().map(|look| looked_at(seen, past, &newest(line, look))).collect()
}

/// The rung as the look under way has it: what was not come to yet is being looked at.
fn newest(line: &LinePart, before: &Observation) -> Observation {
    let Some(sweep) = &line.sweep else { return before.clone() };
    let place = |seen: &&Observation| (seen.rung, &seen.terminal) == (before.rung, &before.terminal);
    let waited = || Observation { outcome: Outcome::Open, detail: String::new(), ..before.clone() };
    sweep.seen.iter().find(place).cloned().unwrap_or_else(waited)
}

fn progress(seen: &Seen<'_>, sweep: &Sweep) -> String {
    format!("{} {}/{}", seen.say(words::LOOKING), sweep.seen.len(), sweep.of)
}

fn looked_at(seen: &Seen<'_>, past: &Past, look: &Observation) -> Step {
    let rung = past::key(&look.rung);
    let strip = past.strips.iter().find(|strip| strip.rung == rung && strip.terminal == look.terminal);
    let (state, word) = match look.outcome {
        Outcome::Good => (State::Normal, State::Normal.word().get(seen.language).to_owned()),
        Outcome::Bad(symptom) => (State::Fault, symptom_of(seen, &past::key(&symptom))),
        Outcome::Open => (State::Checking, State::Checking.word().get(seen.language).to_owned()),
        Outcome::Skipped => (State::Unknown, seen.say(words::BEHIND).to_owned()),
    };
    let blank = Step { state, word, detail: look.detail.clone(), ..step(seen, &rung, look.terminal.clone()) };
    let Some(strip) = strip else { return blank };
    let last_good = strip.last_good.as_ref().filter(|_| !look.outcome.is_good());
    Step { last_good: last_good.map(|good| when(seen, good)), ..with_strip(seen, past, strip, blank) }
}

fn remembered(seen: &Seen<'_>, past: &Past, strip: &Strip) -> Step {
    let blank = step(seen, &strip.rung, strip.terminal.clone());
    let last_good = strip.last_good.as_ref().map(|good| when(seen, good));
    Step { last_good, ..with_strip(seen, past, strip, blank) }
}

/// A rung of which nothing is known; one without a name by its own.
fn step(seen: &Seen<'_>, rung: &str, terminal: Option<String>) -> Step {
    let known = Rung::ALL.into_iter().find(|known| past::key(known) == rung);
    Step {
        name: known.map_or_else(|| rung.to_owned(), |known| seen.say(known.name()).to_owned()),
        terminal,
        state: State::Unknown,
        word: State::Unknown.word().get(seen.language).to_owned(),
        detail: String::new(),
        last_good: None,
        first_bad: None,
        strip: None,
    }
}

fn with_strip(seen: &Seen<'_>, past: &Past, strip: &Strip, step: Step) -> Step {
    let first_bad = strip.first_bad.as_ref().map(|bad| when(seen, bad));
    Step { first_bad, strip: Some(strip::drawn(past, strip, seen.language)), ..step }
}

/// `11月24日 17時40分 応答なし`
fn when(seen: &Seen<'_>, look: &past::Look) -> String {
    let moment = jst::moment(look.at, seen.language);
    if Mark::of(&look.is) == Mark::Bad { format!("{moment} {}", symptom_of(seen, &look.is)) } else { moment }
}

fn symptom_of(seen: &Seen<'_>, symptom: &str) -> String {
    past::symptom_name(symptom).map_or_else(|| symptom.to_owned(), |name| seen.say(name).to_owned())
}

fn told(seen: &Seen<'_>, story: &Story) -> Told {
    let moment = |at| jst::moment(at, seen.language);
    let end = match story.end {
        None => seen.say(words::STANDS).to_owned(),
        Some(end) if story.end_unseen => format!("{} ({})", moment(end), seen.say(words::END_UNSEEN)),
        Some(end) => moment(end),
    };
    Told {
        state: if story.end.is_some() { State::Stopped } else { State::Fault },
        code: story.code.clone(),
        title: story.known().map_or("", |code| seen.say(code.title())),
        terminal: story.terminal.clone(),
        when: format!("{} – {end}", moment(story.start)),
        times: (story.count > 1).then(|| format!("{} {}", story.count, seen.say(words::TIMES))),
        owner: seen.say(story.party().name()),
    }
}
