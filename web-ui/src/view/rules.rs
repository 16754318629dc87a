//! The firewall's own view: what may pass from zone to zone, each pair with its lines, counts and newest refusals, and what
//! is promised with its proof. It only reads.

use model::drops::{Drops, Place, Refusal, Seen as Header};
use model::part::{Promise, Proof, Snapshot};
use model::policy::{self, Cell, Does, Line, Policy};
use model::ruleset::{Drift, Repair};
use model::{Language, Site, Text, Timestamp};

use super::{Seen, lamps};
use crate::state::State;
use crate::{jst, words};

/// Everything the firewall's view shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The language of every text in it.
    pub language: Language,
    /// Its state.
    pub state: State,
    /// What is so.
    pub sentence: &'static str,
    /// When it was last proved, in words.
    pub looked: String,
    /// What was changed behind the box's back, if that is so.
    pub drift: Option<Changed>,
    /// Until when a change waits, if one does.
    pub pending: Option<String>,
    /// Why the rules could not be loaded, for an engineer.
    pub hindrance: Option<String>,
    /// What in them is not understood, for an engineer.
    pub unclear: Vec<String>,
    /// The names of the zones, as columns; none if nothing is known.
    pub columns: Vec<String>,
    /// A row for each zone.
    pub rows: Vec<Row>,
    /// The pairs through which something passes, each to be opened.
    pub pairs: Vec<Pair>,
    /// Those through which nothing does.
    pub never: Vec<Pair>,
    /// The newest refusals of all; none if that is not known.
    pub refusals: Option<Vec<Refused>>,
    /// Refusals are not heard.
    pub deaf: bool,
    /// The promises.
    pub promises: Vec<Promised>,
}

/// What was changed behind the box's back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What was done about it.
    pub repair: &'static str,
    /// When it was found first and last.
    pub when: String,
    /// How often.
    pub times: u64,
    /// What was changed, for an engineer.
    pub changes: Vec<String>,
}

/// A zone's row of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What may pass from it to each zone; none where packets have no way.
    pub cells: Vec<Option<Field>>,
}

/// A field of the matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name of its pair.
    pub id: String,
    /// What may pass.
    pub passing: Passing,
}

/// How much may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Nothing.
    Never,
    /// Answers.
    Answers,
    /// What is listed, and answers.
    Listed,
}

impl Passing {
    const fn of(cell: &Cell) -> Self {
        match (cell.may.is_empty(), cell.answers) {
            (true, false) => Self::Never,
            (true, true) => Self::Answers,
            (false, _) => Self::Listed,
        }
    }

    /// Its word.
    pub const fn word(self) -> Text {
        match self {
            Self::Never => words::CELL_NEVER,
            Self::Answers => words::CELL_ANSWERS,
            Self::Listed => words::CELL_LISTED,
        }
    }

    /// Its shape, so that it is not told by colour alone.
    pub const fn shape(self) -> &'static str {
        match self {
            Self::Never => "✕",
            Self::Answers => "↩",
            Self::Listed => "✓",
        }
    }

    /// Its class.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Answers => "answers",
            Self::Listed => "listed",
        }
    }
}

/// A pair of zones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its name.
    pub id: String,
    /// `院内 → 本機`
    pub title: String,
    /// How much may pass.
    pub passing: Passing,
    /// Whether it is opened.
    pub open: bool,
    /// What may be opened, exactly.
    pub may: Vec<String>,
    /// Its lines.
    pub lines: Vec<Counted>,
    /// Its newest refusals; none if that is not known.
    pub refused: Option<Vec<Refused>>,
}

/// A line with what it has counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Its id.
    pub id: String,
    /// What it stands for.
    pub says: String,
    /// What it does.
    pub does: &'static str,
    /// That as a class.
    pub class: &'static str,
    /// Packets; none if it does not count, or that is not known.
    pub packets: Option<String>,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When.
    pub when: String,
    /// How often, if more than once.
    pub times: Option<String>,
    /// From where to where.
    pub way: String,
    /// What it was.
    pub packet: String,
    /// The line that refused it.
    pub says: String,
    /// Its id.
    pub id: String,
}

/// A promise and its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// Its number.
    pub number: u8,
    /// What it says.
    pub says: &'static str,
    /// How it stands.
    pub state: State,
    /// That in a word.
    pub word: &'static str,
    /// The packet that breaks it, or why nothing is claimed; for an engineer.
    pub detail: Option<String>,
}

/// So many refusals of one pair are shown, and of all.
const OF_A_PAIR: usize = 8;
const OF_ALL: usize = 12;

impl Rules {
    /// What is so at a time; `cell` is opened.
    pub fn new(
        snapshot: &Snapshot,
        policy: Option<&Policy>,
        cell: &str,
        site: &Site,
        now: Timestamp,
        language: Language,
    ) -> Self {
        let seen = Seen::new(snapshot, Some(site), now, language);
        let line = lamps::firewall(&seen);
        let part = seen.firewall.fresh();
        // Who is silent is asked nothing: what may pass is told only while it is known how the firewall is.
        let told = part.and(policy).map(|policy| Told { seen: &seen, policy });
        let pairs = told.as_ref().map(|told| told.pairs(cell)).unwrap_or_default();
        let (never, pairs) = pairs.into_iter().partition(|pair: &Pair| pair.passing == Passing::Never);
        Self {
            language,
            state: line.state,
            sentence: line.sentence,
            looked: line.looked,
            drift: part.and_then(|part| part.drift.as_ref()).map(|drift| changed(&seen, drift)),
            pending: part.and_then(|part| part.pending.as_ref()).map(|one| jst::moment(one.until, language)),
            hindrance: part.and_then(|part| part.hindrance.clone()),
            unclear: told.as_ref().map(|told| told.policy.matrix.unclear.clone()).unwrap_or_default(),
            columns: told.as_ref().map(Told::columns).unwrap_or_default(),
            rows: told.as_ref().map(Told::rows).unwrap_or_default(),
            pairs,
            never,
            refusals: told.as_ref().and_then(Told::refusals),
            deaf: told.and_then(|told| told.policy.drops.as_ref()).is_some_and(|drops| drops.deaf.is_some()),
            promises: part.iter().flat_map(|part| &part.promises).map(|one| promised(&seen, one)).collect(),
        }
    }

    /// A fixed text in the page's language.
    pub const fn say(&self, text: Text) -> &'static str {
        text.get(self.language)
    }

    /// Whether a pair through which nothing passes is opened.
    pub fn opens_never(&self) -> bool {
        self.never.iter().any(|pair| pair.open)
    }

    /// The state that the tab's icon shows.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The window's title: the state comes first, because a tab shows little more.
    pub fn title(&self) -> String {
        super::title(self.language, self.state, self.say(words::RULES), words::TITLE)
    }

    /// What a screen reader is told when it changes.
    pub fn spoken(&self) -> String {
        format!("{} {}", self.say(words::RULES), self.sentence)
    }
}

fn changed(seen: &Seen<'_>, drift: &Drift) -> Changed {
    let repair = match drift.repair {
        Repair::Done => words::DRIFT_DONE,
        Repair::UnderWay | Repair::Waits => words::DRIFT_WAITS,
        Repair::Failed => words::DRIFT_FAILED,
    };
    let moment = |at| jst::moment(at, seen.language);
    let by = drift.by.iter().map(|by| format!("by {by}"));
    let broke = drift.broke.iter().map(|broke| format!("broke: {broke}"));
    Changed {
        repair: seen.say(repair),
        when: format!("{} – {}", moment(drift.since), moment(drift.at)),
        times: drift.times,
        changes: drift.changes.iter().cloned().chain(by).chain(broke).collect(),
    }
}

fn promised(seen: &Seen<'_>, promise: &Promise) -> Promised {
    let (state, word, detail) = match &promise.proof {
        Proof::Proved => (State::Normal, words::PROVED, None),
        Proof::Broken { counterexample, .. } => (State::Fault, words::BROKEN, Some(counterexample.clone())),
        Proof::Unproved { reason } => (State::Unknown, words::UNPROVED, Some(reason.clone())),
    };
    Promised {
        number: promise.number,
        says: policy::promise(promise.number).map_or("", |says| seen.say(says)),
        state,
        word: seen.say(word),
        detail,
    }
}

/// What the firewall said when it was asked.
struct Told<'t> {
    seen: &'t Seen<'t>,
    policy: &'t Policy,
}

impl Told<'_> {
    fn columns(&self) -> Vec<String> {
        self.policy.matrix.zones.iter().map(|zone| self.name(&zone.key)).collect()
    }

    fn rows(&self) -> Vec<Row> {
        let zones = &self.policy.matrix.zones;
        let field = |from: &str, to: &str| {
            let cell = self.policy.matrix.cell(from, to)?;
            Some(Field { id: id(cell), passing: Passing::of(cell) })
        };
        let row = |from: &str| Row {
            name: self.name(from),
            cells: zones.iter().map(|to| field(from, &to.key)).collect(),
        };
        zones.iter().map(|zone| row(&zone.key)).collect()
    }

    fn pairs(&self, open: &str) -> Vec<Pair> {
        let pair = |cell: &Cell| {
            let id = id(cell);
            Pair {
                open: id == open,
                title: format!("{} → {}", self.name(&cell.from), self.name(&cell.to)),
                passing: Passing::of(cell),
                may: cell.may.iter().map(|may| may.get(self.seen.language).to_owned()).collect(),
                lines: cell.lines.iter().map(|line| self.counted(line)).collect(),
                refused: self.policy.drops.as_ref().map(|drops| self.refused(drops, cell)),
                id,
            }
        };
        self.policy.matrix.cells.iter().map(pair).collect()
    }

    fn name(&self, key: &str) -> String {
        let zone = self.policy.matrix.zones.iter().find(|zone| zone.key == key);
        zone.map_or_else(|| key.to_owned(), |zone| zone.name.get(self.seen.language).to_owned())
    }

    fn counted(&self, line: &Line) -> Counted {
        let (does, class) = match line.does {
            Does::Passes => (words::LINE_PASSES, "passes"),
            Does::Refuses => (words::LINE_REFUSES, "refuses"),
            Does::Leads => (words::LINE_LEADS, "leads"),
        };
        let counts = self.policy.drops.iter().flat_map(|drops| &drops.lines);
        let packets = counts.into_iter().find(|count| count.rule == line.id).map(|count| count.packets);
        Counted {
            id: line.id.clone(),
            says: line.says.get(self.seen.language).to_owned(),
            does: self.seen.say(does),
            class,
            packets: packets.map(|packets| packets.to_string()),
        }
    }

    fn refused(&self, drops: &Drops, cell: &Cell) -> Vec<Refused> {
        let own = |refusal: &&Refusal| key(&refusal.from) == cell.from && key(&refusal.to) == cell.to;
        drops.newest.iter().filter(own).take(OF_A_PAIR).map(|refusal| self.refusal(refusal)).collect()
    }

    fn refusals(&self) -> Option<Vec<Refused>> {
        let drops = self.policy.drops.as_ref()?;
        Some(drops.newest.iter().take(OF_ALL).map(|refusal| self.refusal(refusal)).collect())
    }

    fn refusal(&self, refusal: &Refusal) -> Refused {
        let lines = self.policy.matrix.cells.iter().flat_map(|cell| &cell.lines);
        let line = lines.into_iter().find(|line| line.id == refusal.rule);
        let says = line.map_or(refusal.says.as_str(), |line| line.says.get(self.seen.language));
        Refused {
            when: jst::moment(refusal.at, self.seen.language),
            times: (refusal.times > 1).then(|| format!("{} {}", refusal.times, self.seen.say(words::TIMES))),
            way: format!("{} → {}", self.place(&refusal.from), self.place(&refusal.to)),
            packet: header(&refusal.packet),
            says: says.to_owned(),
            id: refusal.rule.clone(),
        }
    }

    fn place(&self, place: &Place) -> String {
        let name = self.name(key(place));
        if place.port.is_empty() || place.zone.is_some() { name } else { format!("{name} {}", place.port) }
    }
}

/// The key of an end's zone, as the matrix has it.
fn key(place: &Place) -> &'static str {
    match place.zone {
        _ if place.port.is_empty() => "box",
        Some(zone) => zone.key(),
        None => "other",
    }
}

/// `TCP 192.0.2.77 → 192.0.2.1 445`: what is the same in every language.
fn header(packet: &Header) -> String {
    let (source, destination) = (packet.source, packet.destination);
    let protocol = match packet.protocol {
        1 => "ICMP".to_owned(),
        6 => "TCP".to_owned(),
        17 => "UDP".to_owned(),
        58 => "ICMPv6".to_owned(),
        other => format!("IP {other}"),
    };
    match (packet.services, packet.icmp) {
        (Some([_, to]), _) => format!("{protocol} {to}, {source} → {destination}"),
        (_, Some([kind, _])) => format!("{protocol} {kind}, {source} → {destination}"),
        _ => format!("{protocol}, {source} → {destination}"),
    }
}

/// The name of a cell, in addresses.
fn id(cell: &Cell) -> String {
    format!("{}-{}", cell.from, cell.to)
}
