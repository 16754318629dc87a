//! What the lamps show. A scene is readable without colour: shape of the blink and the lamp's place say it all.

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// A lamp on the front, in its printed order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Lamp {
    /// The box has power and runs.
    Power,
    /// The box itself.
    Status,
    /// The line and the centre behind it.
    Line,
    /// The relay and the terminal behind it.
    Relay,
    /// A maintainer is in.
    Maint,
    /// Somebody has to act.
    Alarm,
}

impl Lamp {
    /// Every lamp, left to right.
    pub const ALL: [Self; 6] = [Self::Power, Self::Status, Self::Line, Self::Relay, Self::Maint, Self::Alarm];

    /// The word printed under the lamp.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Power => "POWER",
            Self::Status => "STATUS",
            Self::Line => "LINE",
            Self::Relay => "RELAY",
            Self::Maint => "MAINT",
            Self::Alarm => "ALARM",
        }
    }
}

/// A blink that differs from the others without colour; at most two flashes a second (WCAG 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blink {
    /// Dark.
    Off,
    /// Steady.
    Steady,
    /// One second on, one second off.
    Slow,
    /// A quarter of a second on, a quarter off.
    Fast,
    /// Two short flashes, then a pause.
    Double,
}

impl Blink {
    /// The word on page and card.
    pub const fn word(self) -> Text {
        match self {
            Self::Off => Text::new("消灯", "off"),
            Self::Steady => Text::new("点灯", "steady"),
            Self::Slow => Text::new("ゆっくり点滅", "slow blink"),
            Self::Fast => Text::new("速い点滅", "fast blink"),
            Self::Double => Text::new("2回点滅", "double blink"),
        }
    }
}

/// The colour that comes on top of the blink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// As it should be.
    Green,
    /// Attention.
    Yellow,
    /// A fault.
    Red,
    /// A person must know (a maintainer is in).
    Blue,
}

/// One lamp's light.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// Which lamp.
    pub lamp: Lamp,
    /// How it blinks.
    pub blink: Blink,
    /// Its colour while lit.
    pub colour: Colour,
}

/// All six lamps at one time, in printed order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene(pub Vec<Light>);

impl Scene {
    /// The light of one lamp.
    pub fn light(&self, lamp: Lamp) -> Option<Light> {
        self.0.iter().copied().find(|light| light.lamp == lamp)
    }
}
