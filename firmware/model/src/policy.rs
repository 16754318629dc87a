//! What the firewall says of itself: the answer to a question about one packet, what may pass between two zones, and
//! which lines decide it. In both languages, because installers and engineers read the same page.

use serde::{Deserialize, Serialize};

use crate::drops::Drops;
use crate::words::{Language, Text};

/// One text in both languages, made of what a site names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Said {
    /// 日本語
    pub ja: String,
    /// English
    pub en: String,
}

impl Said {
    /// Both languages at once.
    pub fn new(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into() }
    }

    /// The text in one language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Ja => &self.ja,
            Language::En => &self.en,
        }
    }
}

impl From<Text> for Said {
    fn from(text: Text) -> Self {
        Self::new(text.ja, text.en)
    }
}

/// "Would this pass?": one packet, as a person types it. What is left empty was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Question {
    /// The zone it comes from, `box`, or `other` for a port in no zone.
    pub from: String,
    /// The port it comes in by; the zone's own if empty.
    #[serde(rename = "in")]
    pub port: String,
    /// The zone it goes to, `box`, or `other`; by the destination if empty.
    pub to: String,
    /// Source address.
    pub src: String,
    /// Destination address.
    pub dst: String,
    /// `tcp`, `udp`, `icmp`, `icmp6`, or a protocol's number.
    pub proto: String,
    /// Destination port.
    pub dport: String,
    /// Source port.
    pub sport: String,
    /// ICMP type: a number.
    pub icmp_type: String,
    /// What connection tracking says of it; what it says of a packet without a flow if empty.
    pub state: String,
}

impl Question {
    /// The longest answer to any of its fields, bytes: more than an IPv6 address has.
    pub const LONGEST: usize = 64;

    /// Every field with its name.
    pub fn fields(&self) -> [(&'static str, &str); 10] {
        [
            ("from", &self.from),
            ("in", &self.port),
            ("to", &self.to),
            ("src", &self.src),
            ("dst", &self.dst),
            ("proto", &self.proto),
            ("dport", &self.dport),
            ("sport", &self.sport),
            ("icmp-type", &self.icmp_type),
            ("state", &self.state),
        ]
    }
}

/// What is wrong with one field of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The field's name, as in [`Question::fields`].
    pub field: String,
    /// What is wrong, and what would be right.
    pub says: Said,
}

/// What a line of the policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Does {
    /// Lets pass.
    Passes,
    /// Refuses.
    Refuses,
    /// Leads to other lines.
    Leads,
}

/// One line of the policy: a rule of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id: what the kernel's rule is called, and what a refusal is logged under.
    pub id: String,
    /// What it stands for.
    pub says: Said,
    /// What it does.
    pub does: Does,
}

/// A chain on a packet's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// The chain.
    pub chain: String,
    /// The line that led there; none for a base chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What becomes of one packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The packet, in words.
    pub packet: Said,
    /// Whether it passes.
    pub passes: bool,
    /// The line that decides it; none where a chain's own policy does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
    /// The rule in nft's own words, or the chain whose policy decides.
    pub rule: String,
    /// The chains it went through.
    pub way: Vec<Stop>,
    /// Whether this is what the kernel holds, and not only what is planned.
    #[serde(default)]
    pub live: bool,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    /// What becomes of it.
    Told(Box<Explanation>),
    /// The question is no packet: everything that is wrong with it.
    Wrong {
        /// The mistakes.
        mistakes: Vec<Mistake>,
    },
    /// Something on the packet's way is not understood, so nothing is claimed.
    Unclear {
        /// What.
        reason: String,
    },
}

/// What may pass from one zone to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// The zone it comes from, by its key; or `box`, `other`.
    pub from: String,
    /// The zone it goes to.
    pub to: String,
    /// What may be opened; nothing: never.
    pub may: Vec<Said>,
    /// Whether packets of flows that are open already may pass.
    pub answers: bool,
    /// The lines that decide, in the order a packet meets them.
    pub lines: Vec<Line>,
}

/// A zone's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneName {
    /// Its key.
    pub key: String,
    /// What an installer calls it.
    pub name: Said,
}

/// From every zone to every zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// The zones, the box and every other port.
    pub zones: Vec<ZoneName>,
    /// A cell for each pair that packets can have.
    pub cells: Vec<Cell>,
    /// What in the ruleset is not understood: then the cells say no more than what is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unclear: Vec<String>,
}

impl Matrix {
    /// The cell of a pair.
    pub fn cell(&self, from: &str, to: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.from == from && cell.to == to)
    }
}

/// What the firewall says of itself when it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From every zone to every zone.
    pub matrix: Matrix,
    /// What was refused and counted; none if that is not told.
    pub drops: Option<Drops>,
}

/// The box itself, among the zones.
pub const BOX: Text = Text::new("本機", "the box");
/// Every port that is in no zone.
pub const OTHER: Text = Text::new("その他のポート", "any other port");

/// What a promise says, by its number in docs/security.md.
pub fn promise(number: u8) -> Option<Text> {
    let place = usize::from(number).checked_sub(1)?;
    PROMISES.get(place).copied()
}

const PROMISES: [Text; 15] = [
    Text::new(
        "院内と資格確認端末のあいだは、どちら向きにも何も通しません。",
        "Nothing is ever forwarded between clinic and terminal.",
    ),
    Text::new(
        "回線の側から、本機にも院内にも接続を始めることはできません。",
        "Nothing from outside opens a connection to the box or through it.",
    ),
    Text::new("院内から資格確認の回線へは何も出しません。", "The clinic never leaves by the line."),
    Text::new(
        "資格確認端末は、決められた宛先へ、決められた回線だけで出ます。",
        "A terminal leaves only to the listed destinations, only by the line.",
    ),
    Text::new(
        "資格確認端末は、本機の共有フォルダーにも画面にも届きません。",
        "A terminal reaches neither share nor page of the box.",
    ),
    Text::new(
        "院内からは、本機の院内アドレスの画面と共有フォルダーにだけ届きます。",
        "The clinic reaches page and shares only, at the box's clinic address only.",
    ),
    Text::new("遠隔保守は、同意があるあいだだけです。", "Maintenance exists only while consent is open."),
    Text::new("IPv6 に必要な通信は、設定で止められません。", "What IPv6 needs cannot be switched off."),
    Text::new(
        "そのゾーンのものでない送信元は止めます。",
        "A source address that is not its zone's is dropped.",
    ),
    Text::new("本機は、登録された相手とだけ通信します。", "The box speaks to its listed peers only."),
    Text::new(
        "証明の前と失敗のあとは、すべて止めます。",
        "Before the first proof and after any failure everything is dropped.",
    ),
    Text::new(
        "止めたと記録したものは本当に止め、どの規則かも記録します。",
        "What is logged as dropped was dropped, and the log names the line.",
    ),
    Text::new("設置の前は、何も中継しません。", "Before a site is in force nothing is forwarded."),
    Text::new(
        "設置の前は、設置用ポートの設置画面にだけ届きます。",
        "Before a site is in force only the setup page is reached.",
    ),
    Text::new(
        "設置の前は、本機から通信を始めません。",
        "Before a site is in force the box speaks to nobody of its own accord.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_has_its_words_and_no_other_number_has() {
        assert!(promise(0).is_none() && promise(16).is_none());
        for number in 1..=15 {
            let text = promise(number).unwrap();
            assert!(text.ja.chars().count() <= 60 && text.ja.ends_with('。') && text.en.ends_with('.'));
        }
    }

    #[test]
    fn a_question_is_read_from_what_was_typed_and_may_lack_everything() {
        let question: Question =
            serde_json::from_str(r#"{"from":"clinic","in":"lan0","icmp-type":"8"}"#).unwrap();
        assert_eq!((question.port.as_str(), question.icmp_type.as_str()), ("lan0", "8"));
        assert_eq!(question.fields().iter().filter(|(_, said)| !said.is_empty()).count(), 3);
        let text = serde_json::to_value(&question).unwrap();
        assert!(question.fields().iter().all(|(name, said)| text[name] == *said));
    }
}
