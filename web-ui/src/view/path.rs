//! The path picture: the stops from the receipt computer to the centre, and where it is broken.

use model::fault::Place;
use model::part::{LinePart, RulesetState};
use model::{Outcome, Party, Rung};

use super::{Look, Seen};
use crate::jst;
use crate::state::State;
use crate::words;

/// One stop on the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its name.
    pub name: &'static str,
    /// Its state; none for a stop the box does not look at.
    pub state: Option<State>,
    /// What more there is to say.
    pub note: String,
}

impl Stop {
    /// The look of the joint that leads to this stop.
    pub const fn joint(&self) -> &'static str {
        match self.state {
            Some(State::Fault) => "broken",
            Some(State::Normal) | None => "whole",
            Some(_) => "open",
        }
    }
}

/// The whole picture; `owner_…` marks the side of the border that has to act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// レセコン
    pub receipt: Stop,
    /// 資格確認端末
    pub terminal: Stop,
    /// 本機
    pub own: Stop,
    /// 回線
    pub line: Stop,
    /// 認証
    pub auth: Stop,
    /// センター
    pub centre: Stop,
    /// インターネット, on a site that has a line to it: a way of its own, no part of the one to the centre.
    pub internet: Option<Stop>,
    /// The clinic's side has to act.
    pub owner_clinic: bool,
    /// The carrier has to act.
    pub owner_line: bool,
    /// The centre has to act.
    pub owner_centre: bool,
}

pub(super) fn path(seen: &Seen<'_>) -> Path {
    let foremost = seen.line.fresh().and_then(|line| line.verdict.foremost.as_ref());
    let owner = foremost.map(|fault| fault.owner);
    let on_the_path = foremost.is_some_and(|fault| fault.code.place() != Place::Internet);
    Path {
        receipt: receipt(seen),
        terminal: Stop { name: seen.say(words::TERMINAL), ..looked_at(seen, TERMINAL) },
        own: own(seen),
        line: Stop { name: seen.say(words::LINE), ..looked_at(seen, LINE) },
        auth: auth(seen),
        centre: Stop { name: seen.say(words::CENTRE), ..looked_at(seen, CENTRE) },
        internet: internet(seen),
        owner_clinic: matches!(
            owner,
            Some(Party::Clinic | Party::Box | Party::Terminal | Party::ReceiptComputer)
        ),
        owner_line: on_the_path && matches!(owner, Some(Party::Line | Party::Isp | Party::IpsecProvider)),
        owner_centre: owner == Some(Party::Centre),
    }
}

/// A line by IPsec has no line authentication: nobody looks at it there.
fn auth(seen: &Seen<'_>) -> Stop {
    let has = |line: &LinePart, rung| line.ladder.iter().any(|one| one.rung == rung);
    let by_ipsec = |line: &LinePart| has(line, Rung::Tunnel) && !has(line, Rung::LineAuth);
    let name = seen.say(words::LINE_AUTH);
    match seen.line.fresh() {
        Some(line) if by_ipsec(line) => Stop { name, state: None, note: String::new() },
        _ => Stop { name, ..looked_at(seen, AUTH) },
    }
}

/// Where nobody looks at such a line there is none.
fn internet(seen: &Seen<'_>) -> Option<Stop> {
    let line = seen.line.fresh()?;
    let looked = line.ladder.iter().any(|one| one.rung == Rung::InternetLink);
    let judged = line.verdict.alarms().any(|fault| fault.code.place() == Place::Internet);
    (looked || judged).then(|| Stop { name: seen.say(words::INTERNET), ..looked_at(seen, INTERNET) })
}

/// What the ladder and the verdict say about one stop: it stands while one rung of each group holds.
struct Marks {
    rungs: &'static [&'static [Rung]],
    place: Place,
}

const LINE: Marks = Marks {
    rungs: &[&[Rung::Link], &[Rung::Address], &[Rung::Gateway], &[Rung::ResolverOne, Rung::ResolverTwo]],
    place: Place::Line,
};
const AUTH: Marks = Marks { rungs: &[&[Rung::LineAuth]], place: Place::Auth };
const INTERNET: Marks = Marks {
    rungs: &[
        &[Rung::InternetLink],
        &[Rung::InternetAddress],
        &[Rung::InternetGateway],
        &[Rung::InternetBeyond],
    ],
    place: Place::Internet,
};
const CENTRE: Marks = Marks { rungs: &[&[Rung::CentreTcp], &[Rung::CentreTls]], place: Place::Centre };
const TERMINAL: Marks = Marks {
    rungs: &[&[Rung::TerminalLink], &[Rung::TerminalNeighbour], &[Rung::TerminalSmb], &[Rung::TerminalShare]],
    place: Place::Terminal,
};

fn looked_at(seen: &Seen<'_>, marks: Marks) -> Stop {
    let (state, note) = match seen.line {
        Look::Fresh(line, _) => state_of(seen, line, &marks),
        Look::Stale(_) | Look::Absent => (State::Unknown, seen.last_look(seen.line.at())),
    };
    Stop { name: "", state: Some(state), note }
}

fn state_of(seen: &Seen<'_>, line: &LinePart, marks: &Marks) -> (State, String) {
    if let Some(found) = fault_at(seen, line, marks.place) {
        return found;
    }
    let outcomes: Vec<Option<Outcome>> = marks.rungs.iter().map(|group| best(line, group)).collect();
    match () {
        () if outcomes.iter().all(|outcome| *outcome == Some(Outcome::Good)) => {
            (State::Normal, String::new())
        }
        () if outcomes.contains(&Some(Outcome::Skipped)) => {
            (State::Unknown, seen.say(words::BEHIND).to_owned())
        }
        () if outcomes.contains(&None) => (State::Unknown, seen.say(words::NEVER_SEEN).to_owned()),
        () => (State::Checking, String::new()),
    }
}

/// The fault that is felt there, if there is one: whether it stands in the way already, and its title.
fn fault_at(seen: &Seen<'_>, line: &LinePart, place: Place) -> Option<(State, String)> {
    let fault = line.verdict.alarms().find(|fault| fault.code.place() == place)?;
    let state = if fault.code.is_warning() { State::Attention } else { State::Fault };
    Some((state, seen.say(fault.code.title()).to_owned()))
}

/// The outcome of a group in which one good rung is enough; with several terminals a rung must hold for each.
fn best(line: &LinePart, group: &[Rung]) -> Option<Outcome> {
    let of_rung = |rung: &Rung| {
        let outcomes: Vec<Outcome> =
            line.ladder.iter().filter(|seen| seen.rung == *rung).map(|seen| seen.outcome).collect();
        outcomes.iter().copied().find(|outcome| !outcome.is_good()).or(outcomes.first().copied())
    };
    let outcomes: Vec<Option<Outcome>> = group.iter().map(of_rung).collect();
    let good = outcomes.iter().flatten().copied().find(|outcome| outcome.is_good());
    good.or(outcomes.into_iter().next().flatten())
}

/// Nothing looks at the receipt computer itself; its newest sign of life is the newest request, and answers that it
/// leaves are a sign that something is wrong there.
fn receipt(seen: &Seen<'_>) -> Stop {
    let fault = seen.line.fresh().and_then(|line| fault_at(seen, line, Place::ReceiptComputer));
    if let Some((state, note)) = fault {
        return Stop { name: seen.say(words::RECEIPT), state: Some(state), note };
    }
    let newest = seen.relay.fresh().and_then(|relay| relay.pairs.last());
    let told = |at| format!("{} {}", seen.say(words::NEWEST), jst::age(at, seen.now, seen.language));
    let note = newest.map_or_else(String::new, |pair| told(pair.at));
    Stop { name: seen.say(words::RECEIPT), state: None, note }
}

fn own(seen: &Seen<'_>) -> Stop {
    let silent = seen.line.fresh().is_none() || seen.relay.fresh().is_none();
    let state = match seen.firewall.fresh().map(|part| part.state) {
        Some(RulesetState::DropAll | RulesetState::Drifted) => State::Fault,
        Some(RulesetState::Proved) if !silent => State::Normal,
        Some(RulesetState::Proved) | None => State::Unknown,
    };
    let fault = seen.line.fresh().and_then(|line| fault_at(seen, line, Place::Box));
    let (state, note) = match fault {
        Some((judged, title)) => (if state == State::Fault { state } else { judged }, title),
        None => (state, String::new()),
    };
    Stop { name: seen.say(words::BOX), state: Some(state), note }
}
