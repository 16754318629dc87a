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

/// What one lamp can say: the one table behind lamps, page, printed card and tests.
/// No two signs of a lamp share a blink, so all of it is readable without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// The box runs.
    PowerOn,
    /// The box is well.
    BoxWell,
    /// The firewall is not the proved one, or a part of the box is silent.
    BoxFault,
    /// In the carton: it waits for its settings.
    Carton,
    /// Closed: something keeps it from its work.
    Closed,
    /// Line and centre are well.
    LineWell,
    /// No signal on the line's port.
    CableOut,
    /// The line is dead.
    LineDead,
    /// The line is well, the centre behind it is not.
    CentreDead,
    /// Nothing can be said about the line yet, or any more.
    LineOpen,
    /// Relay and terminal are well.
    RelayWell,
    /// The terminal or its share is dead.
    TerminalDead,
    /// Files are held until a person looks at them.
    Held,
    /// Nothing can be said about the relay or the terminal.
    RelayOpen,
    /// No maintainer is in.
    NoMaintainer,
    /// Somebody consented; the maintainer's tunnel is not there.
    MaintainerAwaited,
    /// A maintainer may be in.
    MaintainerIn,
    /// The same, and it ends within [`Sign::ENDING_S`].
    MaintainerLeaves,
    /// Nothing can be said about maintenance.
    MaintainerUnknown,
    /// Nobody has to act.
    Calm,
    /// Held files, or something with a date, wait for a person; reception goes on.
    Look,
    /// A stick was not taken.
    StickRefused,
    /// Somebody has to act now.
    Act,
}

impl Sign {
    /// An end so near is shown, seconds.
    pub const ENDING_S: i64 = 300;

    /// Every sign, by lamp in printed order.
    pub const ALL: [Self; 23] = [
        Self::PowerOn,
        Self::BoxWell,
        Self::BoxFault,
        Self::Carton,
        Self::Closed,
        Self::LineWell,
        Self::CableOut,
        Self::LineDead,
        Self::CentreDead,
        Self::LineOpen,
        Self::RelayWell,
        Self::TerminalDead,
        Self::Held,
        Self::RelayOpen,
        Self::NoMaintainer,
        Self::MaintainerAwaited,
        Self::MaintainerIn,
        Self::MaintainerLeaves,
        Self::MaintainerUnknown,
        Self::Calm,
        Self::Look,
        Self::StickRefused,
        Self::Act,
    ];

    /// The light that says it.
    pub const fn light(self) -> Light {
        let (lamp, blink, colour) = match self {
            Self::PowerOn => (Lamp::Power, Blink::Steady, Colour::Green),
            Self::BoxWell => (Lamp::Status, Blink::Steady, Colour::Green),
            Self::BoxFault => (Lamp::Status, Blink::Fast, Colour::Red),
            Self::Carton => (Lamp::Status, Blink::Slow, Colour::Yellow),
            Self::Closed => (Lamp::Status, Blink::Double, Colour::Red),
            Self::LineWell => (Lamp::Line, Blink::Steady, Colour::Green),
            Self::CableOut => (Lamp::Line, Blink::Off, Colour::Red),
            Self::LineDead => (Lamp::Line, Blink::Fast, Colour::Red),
            Self::CentreDead => (Lamp::Line, Blink::Double, Colour::Red),
            Self::LineOpen => (Lamp::Line, Blink::Slow, Colour::Yellow),
            Self::RelayWell => (Lamp::Relay, Blink::Steady, Colour::Green),
            Self::TerminalDead => (Lamp::Relay, Blink::Fast, Colour::Red),
            Self::Held => (Lamp::Relay, Blink::Double, Colour::Yellow),
            Self::RelayOpen => (Lamp::Relay, Blink::Slow, Colour::Yellow),
            Self::NoMaintainer => (Lamp::Maint, Blink::Off, Colour::Blue),
            Self::MaintainerAwaited => (Lamp::Maint, Blink::Slow, Colour::Blue),
            Self::MaintainerIn => (Lamp::Maint, Blink::Steady, Colour::Blue),
            Self::MaintainerLeaves => (Lamp::Maint, Blink::Fast, Colour::Blue),
            Self::MaintainerUnknown => (Lamp::Maint, Blink::Double, Colour::Yellow),
            Self::Calm => (Lamp::Alarm, Blink::Off, Colour::Red),
            Self::Look => (Lamp::Alarm, Blink::Slow, Colour::Yellow),
            Self::StickRefused => (Lamp::Alarm, Blink::Double, Colour::Yellow),
            Self::Act => (Lamp::Alarm, Blink::Fast, Colour::Red),
        };
        Light { lamp, blink, colour }
    }

    /// What it means, for page and card.
    pub const fn meaning(self) -> Text {
        match self {
            Self::PowerOn => Text::new("動作しています", "running"),
            Self::BoxWell => Text::new("本機は正常です", "the box is well"),
            Self::BoxFault => Text::new("本機に異常があります", "the box has a fault"),
            Self::Carton => Text::new("設定を待っています", "waits for its settings"),
            Self::Closed => Text::new("止まっています", "closed"),
            Self::LineWell => Text::new("センターまで届いています", "reaches the centre"),
            Self::CableOut => Text::new("回線の信号がありません", "no signal on the line"),
            Self::LineDead => Text::new("回線が使えません", "the line is dead"),
            Self::CentreDead => Text::new("センターにつながりません", "the centre is not reached"),
            Self::LineOpen => Text::new("回線はまだ分かりません", "nothing is known about the line yet"),
            Self::RelayWell => Text::new("端末とやり取りできます", "the terminal is reached"),
            Self::TerminalDead => Text::new("端末とやり取りできません", "the terminal is not reached"),
            Self::Held => Text::new("送らずに残したファイルがあります", "files are held"),
            Self::RelayOpen => Text::new("端末はまだ分かりません", "nothing is known about the terminal yet"),
            Self::NoMaintainer => Text::new("保守作業はありません", "no maintainer is in"),
            Self::MaintainerAwaited => Text::new("遠隔保守を許可中です", "maintenance is allowed"),
            Self::MaintainerIn => Text::new("遠隔保守の作業中です", "a maintainer is in"),
            Self::MaintainerLeaves => {
                Text::new("遠隔保守は5分以内に終わります", "maintenance ends within 5 minutes")
            }
            Self::MaintainerUnknown => {
                Text::new("遠隔保守の状態が分かりません", "nothing is known about maintenance")
            }
            Self::Calm => Text::new("対応は不要です", "nothing to do"),
            Self::Look => Text::new("あとで確認が必要です", "somebody has to look"),
            Self::StickRefused => Text::new("メモリーを使えません", "the stick was not taken"),
            Self::Act => Text::new("対応が必要です", "somebody has to act"),
        }
    }

    /// The sign a light gives, read without its colour; none for a blink the table does not have.
    pub fn of(lamp: Lamp, blink: Blink) -> Option<Self> {
        let same = |sign: &Self| sign.light().lamp == lamp && sign.light().blink == blink;
        Self::ALL.into_iter().find(same)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_read_back_without_its_colour() {
        for sign in Sign::ALL {
            assert_eq!(Sign::of(sign.light().lamp, sign.light().blink), Some(sign));
        }
    }
}
