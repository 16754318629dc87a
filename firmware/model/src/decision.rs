//! What a person may decide about a held parcel, and what came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// It is tried again; of an uncertain request this is where a person decides that it is sent a second time.
    Retry,
    /// It goes back to the clinic under its own name, into the `returned` folder.
    Return,
    /// It is removed for good.
    Discard,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 3] = [Self::Retry, Self::Return, Self::Discard];

    /// Its name on the command line and in a route.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Return => "return",
            Self::Discard => "discard",
        }
    }
}

/// Why a person decided so, in that person's words. They are kept for years, so a run of digits as long as a number
/// of a patient's is refused; a name cannot be told from other words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

/// Why some words are no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonError {
    /// Nothing was said.
    Empty,
    /// More than [`Reason::LONGEST`] characters.
    TooLong,
    /// A line end, a character nobody sees, or one that turns the reading direction.
    Control,
    /// [`Reason::DIGITS`] digits or more in one run.
    Number,
}

impl Reason {
    /// How many characters it may have.
    pub const LONGEST: usize = 200;
    /// So many digits in a row may be a patient's number or date of birth.
    pub const DIGITS: usize = 6;

    /// Checks the words.
    ///
    /// # Errors
    /// See [`ReasonError`].
    pub fn new(words: &str) -> Result<Self, ReasonError> {
        let words = words.trim();
        let unseen = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        if words.is_empty() {
            return Err(ReasonError::Empty);
        }
        if words.chars().count() > Self::LONGEST {
            return Err(ReasonError::TooLong);
        }
        if words.contains(unseen) {
            return Err(ReasonError::Control);
        }
        if longest_run(words) >= Self::DIGITS {
            return Err(ReasonError::Number);
        }
        Ok(Self(words.to_owned()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The longest run of digits of any script; what people put between the digits of a number does not end it.
fn longest_run(words: &str) -> usize {
    let mut runs = (0, 0);
    for c in words.chars() {
        match c {
            _ if c.is_numeric() => runs.0 += 1,
            '-' | '‐' | '−' | 'ー' | '－' | '/' | '／' | '.' | '．' | ' ' | '　' => {}
            _ => runs.0 = 0,
        }
        runs.1 = runs.1.max(runs.0);
    }
    runs.1
}

impl TryFrom<String> for Reason {
    type Error = ReasonError;

    fn try_from(words: String) -> Result<Self, ReasonError> {
        Self::new(&words)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for ReasonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a reason has words"),
            Self::TooLong => write!(f, "a reason has at most {} characters", Reason::LONGEST),
            Self::Control => f.write_str("a reason is one line of characters that can be seen"),
            Self::Number => write!(
                f,
                "a reason is kept for years and holds no patient's number or date of birth: at most {} digits in a row",
                Reason::DIGITS - 1
            ),
        }
    }
}

impl std::error::Error for ReasonError {}

/// A person's decision about one parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The parcel's journal number.
    pub number: u64,
    /// Why.
    pub reason: Reason,
}

/// Who decided, by the kernel's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The user's name; empty if the system knows none.
    pub name: String,
    /// The user's number.
    pub uid: u32,
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum Decided {
    /// It was done.
    Done,
    /// There is no parcel of this number.
    Unknown,
    /// It is on its way, and nobody has to decide anything.
    NotHeld,
    /// This cannot be done with it.
    Refused(Refusal),
    /// Somebody writes it, it changed, or the relay had no time: to be tried again.
    Busy,
    /// The box could not do it or could not record it; its log says why.
    Failed,
}

/// Why something cannot be done with a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// It lies on the terminal, whose files are not the box's.
    OnTheEnd,
    /// It is past its time, and is never sent late.
    PastItsTime,
    /// Another look would find the same.
    SameAgain,
    /// Where it would go there is a file of its name.
    NameTaken,
    /// Its consumer's folders are not on the box.
    Elsewhere,
    /// Its name is longer than the box can keep, or no text.
    NameUnfit,
    /// Its consumer is not in the site file any more.
    NoConsumer,
    /// Where it was to go is not in the site file any more.
    NoEnd,
}

impl Decided {
    /// The one sentence a person reads.
    pub const fn sentence(self) -> Text {
        match self {
            Self::Done => Text::new("実行しました。", "Done."),
            Self::Unknown => {
                Text::new("その番号のファイルはありません。", "There is no parcel of this number.")
            }
            Self::NotHeld => Text::new("保留中のファイルではありません。", "It is not held."),
            Self::Refused(why) => why.sentence(),
            Self::Busy => Text::new(
                "書き込み中か、処理中です。少し待ってやり直してください。",
                "It is being written, or the relay is busy; try again in a moment.",
            ),
            Self::Failed => Text::new(
                "本機が実行または記録できませんでした。",
                "The box could not do or record it; its log says why.",
            ),
        }
    }
}

impl Refusal {
    /// The one sentence a person reads.
    pub const fn sentence(self) -> Text {
        match self {
            Self::OnTheEnd => Text::new(
                "端末側にあるファイルです。端末で処理してください。",
                "The file lies on the terminal and is not the box's; see to it there.",
            ),
            Self::PastItsTime => Text::new(
                "期限を過ぎたファイルは送りません。返却して、レセコンから送り直してください。",
                "It is past its time and is never sent late; return it and have it made anew.",
            ),
            Self::SameAgain => Text::new(
                "やり直しても結果は同じです。返却または破棄してください。",
                "Another look would find the same; return or discard it.",
            ),
            Self::NameTaken => Text::new(
                "移す先に同じ名前のファイルがあります。上書きしません。",
                "Where it would go there is a file of its name; nothing is overwritten.",
            ),
            Self::Elsewhere => Text::new(
                "共有フォルダーが本機にないため、返却できません。",
                "The folders of its consumer are not on the box; it cannot be returned there.",
            ),
            Self::NameUnfit => Text::new(
                "扱えないファイル名です。共有フォルダーで名前を変えるか、削除してください。",
                "The box cannot keep this name; rename or remove the file in the shared folder.",
            ),
            Self::NoConsumer => Text::new(
                "送り元が設定ファイルにありません。",
                "The consumer it comes from is not in the site file any more.",
            ),
            Self::NoEnd => Text::new(
                "送り先が設定ファイルにありません。返却または破棄してください。",
                "Where it was to go is not in the site file any more; return or discard it.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line_of_words() {
        let fit = |words: &str| Reason::new(words).map(String::from);
        assert_eq!(fit("  重複のため返却 "), Ok("重複のため返却".into()));
        assert_eq!(fit(" \t"), Err(ReasonError::Empty));
        assert_eq!(fit("a\nb"), Err(ReasonError::Control));
        assert_eq!(fit("a\u{202e}b"), Err(ReasonError::Control));
        assert_eq!(fit(&"あ".repeat(200)).map(|words| words.chars().count()), Ok(200));
        assert_eq!(fit(&"あ".repeat(201)), Err(ReasonError::TooLong));
    }

    #[test]
    fn what_may_be_a_patients_number_is_no_reason() {
        for words in ["no 12345678", "被保険者１２３４５６", "1950-01-01 生", "06/39 0123", "12 34 56"]
        {
            assert_eq!(Reason::new(words), Err(ReasonError::Number), "{words}");
        }
        assert!(Reason::new("2 枚目、窓口 3、11:30 頃").is_ok());
    }

    #[test]
    fn a_decision_from_outside_is_checked_as_it_is_read() {
        let read = |text: &str| serde_json::from_str::<Decision>(text);
        assert!(read(r#"{"number":1,"reason":"twice"}"#).is_ok());
        assert!(read(r#"{"number":1,"reason":""}"#).is_err());
        assert!(read(r#"{"number":1}"#).is_err());
    }
}
