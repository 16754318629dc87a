//! The lamps as they look now, and the firewall's line.

use model::part::RulesetState;
use model::scene::{Blink, Light, Sign};

use super::Seen;
use crate::state::State;
use crate::words;

/// The front of the box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lamps {
    /// The lamps in printed order; none if what they show is not known.
    pub lamps: Vec<LampView>,
    /// When the board last said what it shows.
    pub looked: String,
}

/// One lamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LampView {
    /// The word printed under it.
    pub label: &'static str,
    /// How it blinks, in words.
    pub blink: &'static str,
    /// Two seconds of it as bars: start and length, of 40.
    pub bars: &'static [(u8, u8)],
    /// Its colour's name in the style sheet.
    pub colour: &'static str,
    /// What that means.
    pub meaning: &'static str,
}

/// The firewall in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firewall {
    /// Its state.
    pub state: State,
    /// The sentence.
    pub sentence: &'static str,
    /// When it was last read and proved.
    pub looked: String,
}

pub(super) fn lamps(seen: &Seen<'_>) -> Lamps {
    let scene = seen.board.fresh().map(|board| board.scene.0.as_slice()).unwrap_or_default();
    Lamps {
        lamps: scene.iter().map(|light| lamp(seen, *light)).collect(),
        looked: seen.last_look(seen.board.at()),
    }
}

fn lamp(seen: &Seen<'_>, light: Light) -> LampView {
    let sign = Sign::of(light.lamp, light.blink);
    LampView {
        label: light.lamp.label(),
        blink: seen.say(light.blink.word()),
        bars: bars(light.blink),
        colour: if light.blink == Blink::Off { "off" } else { colour(light) },
        meaning: sign.map_or("", |sign| seen.say(sign.meaning())),
    }
}

const fn bars(blink: Blink) -> &'static [(u8, u8)] {
    match blink {
        Blink::Off => &[],
        Blink::Steady => &[(0, 40)],
        Blink::Slow => &[(0, 20)],
        Blink::Fast => &[(0, 5), (10, 5), (20, 5), (30, 5)],
        Blink::Double => &[(0, 5), (10, 5)],
    }
}

const fn colour(light: Light) -> &'static str {
    use model::scene::Colour;
    match light.colour {
        Colour::Green => "green",
        Colour::Yellow => "yellow",
        Colour::Red => "red",
        Colour::Blue => "blue",
    }
}

pub(super) fn firewall(seen: &Seen<'_>) -> Firewall {
    let part = seen.firewall.fresh();
    let (state, sentence) = match part.map(|part| part.state) {
        Some(RulesetState::Proved) => (State::Normal, words::PROTECTED),
        Some(RulesetState::DropAll) => (State::Fault, words::DROPPED),
        Some(RulesetState::Drifted) => (State::Fault, words::DRIFTED),
        None => (State::Unknown, words::NO_PART),
    };
    let looked = part.and_then(|part| part.proved_at).or(seen.firewall.at());
    Firewall { state, sentence: seen.say(sentence), looked: seen.last_look(looked) }
}
