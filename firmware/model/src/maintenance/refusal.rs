//! Why something about remote maintenance was not done, one sentence each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::{Language, Text};

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Refusal {
    /// The site file has no `[maintainer]`.
    NotPlanned,
    /// Nobody has set a number yet.
    NoPin,
    /// The number is wrong.
    WrongPin,
    /// Too many wrong numbers.
    TooSoon {
        /// How long to wait, seconds.
        wait_s: u64,
    },
    /// The number that was to be set is none.
    UnfitPin,
    /// The site file has no maintainer of this name, and so no certificate of his.
    Unknown {
        /// Who was named.
        name: String,
        /// Who is in it.
        known: Vec<String>,
    },
    /// His certificate is not good any more, or not yet.
    Expired {
        /// Whose.
        name: String,
        /// From when it was good.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// Longer than the site allows, or too short.
    Minutes {
        /// The most.
        most: u16,
    },
    /// Claims are sent these days: it is asked a second time.
    ClaimDays,
    /// The box's own time is not trusted, so that no time could end it.
    Clock,
    /// Another consent is open.
    AlreadyOpen,
    /// None is open.
    NotOpen,
    /// The host is none of the clinic's or the terminals' side, or is the box itself.
    NotOfTheSite,
    /// There is no session of this number.
    NoSession,
    /// It is still open.
    StillOpen,
    /// It was reviewed before.
    ReviewedBefore,
    /// The button means nothing on this site.
    NoButton,
    /// It could not be recorded or done; what was done of it was taken back.
    Failed,
}

impl Refusal {
    /// The one sentence a person reads.
    pub fn sentence(&self, language: Language) -> String {
        let ja = language == Language::Ja;
        match self {
            Self::TooSoon { wait_s } if ja => {
                format!("暗証番号の誤りが続きました。{wait_s}秒待ってください。")
            }
            Self::TooSoon { wait_s } => format!("Too many wrong PINs; wait {wait_s} s."),
            Self::Unknown { name, known } => unknown(name, known, ja),
            Self::Expired { name, from, until } if ja => {
                format!("保守員 {name:?} の証明書は期限外です（{from} から {until} まで）。")
            }
            Self::Expired { name, from, until } => {
                format!("The certificate of {name:?} is good from {from} until {until} only.")
            }
            Self::Minutes { most } if ja => format!("同意は5分から{most}分までです。"),
            Self::Minutes { most } => format!("A consent lasts 5 to {most} minutes here."),
            other => other.fixed().get(language).to_owned(),
        }
    }

    const fn fixed(&self) -> Text {
        match self {
            Self::NotPlanned => {
                Text::new("この施設では遠隔保守を使いません。", "This site has no remote maintenance.")
            }
            Self::NoPin => Text::new(
                "暗証番号がまだありません。責任者が先に設定してください。",
                "No PIN is set yet; the clinic's responsible person sets one first.",
            ),
            Self::WrongPin => Text::new("暗証番号が違います。", "The PIN is wrong."),
            Self::UnfitPin => Text::new(
                "暗証番号は6～12桁の数字です。同じ数字や連番は使えません。",
                "A PIN has 6 to 12 digits, not all alike and not in a row.",
            ),
            Self::ClaimDays => Text::new(
                "レセプト請求の期間中です。それでも開くときは、もう一度指示してください。",
                "Claims are sent these days; to open all the same, ask a second time.",
            ),
            Self::Clock => Text::new(
                "本機の時計を確認できないため、開けません。",
                "The box's clock is not trusted, so nothing is opened.",
            ),
            Self::AlreadyOpen => Text::new("遠隔保守は開いています。", "Maintenance is open already."),
            Self::NotOpen => Text::new("遠隔保守は開いていません。", "Maintenance is not open."),
            Self::NotOfTheSite => Text::new(
                "院内側の機器の住所ではありません。",
                "This is no address of a host of the clinic's.",
            ),
            Self::NoSession => {
                Text::new("その番号の記録はありません。", "There is no session of this number.")
            }
            Self::StillOpen => Text::new(
                "まだ開いています。閉じてから確認してください。",
                "It is still open; close it first.",
            ),
            Self::ReviewedBefore => Text::new("すでに確認済みです。", "It was reviewed before."),
            Self::NoButton => Text::new(
                "この施設では、ボタンで遠隔保守を開けません。",
                "On this site the button opens no maintenance.",
            ),
            _ => Text::new(
                "本機が実行または記録できませんでした。閉じたままです。",
                "The box could not do or record it; it stays closed.",
            ),
        }
    }
}

fn unknown(name: &str, known: &[String], ja: bool) -> String {
    let list = known.join(", ");
    match (ja, known.is_empty()) {
        (true, true) => format!("設定ファイルに保守員 {name:?} の証明書がありません。登録者はいません。"),
        (true, false) => format!("設定ファイルに保守員 {name:?} の証明書がありません（登録: {list}）。"),
        (false, true) => format!("The site file has no certificate of {name:?}, nor of anybody else."),
        (false, false) => format!("The site file has no certificate of {name:?} (it has: {list})."),
    }
}
