//! What a person is told about how the box came up. A fault is the line's or the terminal's; a notice is the box's
//! own: its data, its site file, its ports, a stick. Console, page, `status` and tests read this one table.
//!
//! The words are fixed; names (ports, files, boards) stand behind them, because they are nobody's language.

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// One thing to be told. The keys are stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Notice {
    /// The data partition cannot be read.
    DataDamaged {
        /// What the tools said, a line.
        reason: String,
    },
    /// The data partition has no room left.
    DataFull,
    /// The data partition was written by a newer firmware.
    DataNewer {
        /// Its format.
        format: u32,
    },
    /// The site file that is installed is not understood (any more).
    SiteUnreadable {
        /// Every mistake in it, as `site check` says them.
        mistakes: Vec<String>,
    },
    /// No board file is this machine's.
    NoBoard {
        /// What the machine calls itself.
        machine: String,
    },
    /// More than one board file is this machine's.
    SeveralBoards {
        /// Their names.
        boards: Vec<String>,
    },
    /// Ports that should be there are not.
    PortsMissing {
        /// Their names.
        ports: Vec<String>,
    },
    /// A stick was not taken.
    StickRefused {
        /// Why.
        why: Stick,
    },
}

/// Why a stick was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Stick {
    /// It holds no site file.
    NoSiteFile,
    /// It holds more than one; the box does not choose.
    SeveralSiteFiles {
        /// How many.
        count: usize,
    },
    /// The site file, or what it names, is not right.
    BadSiteFile {
        /// Every mistake in it, as `site check` says them.
        mistakes: Vec<String>,
    },
    /// It is no FAT file system, or a damaged one.
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
    /// The box has a site file already, or is closed.
    NotInCarton,
    /// The box could not store what the stick holds.
    NotStored {
        /// Why.
        reason: String,
    },
}

/// What is said of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// What is so.
    pub happened: Text,
    /// The next step.
    pub next: Text,
}

const CALL: Text = Text::new("設置会社へ連絡してください。", "Call the company that installed the box.");
const LOOK_AT_THE_STICK: Text = Text::new(
    "パソコンで中身を確かめ、もう一度差し込んでください。",
    "Look at the stick on a computer, then plug it in again.",
);

impl Notice {
    /// The stable name, as in JSON.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::DataDamaged { .. } => "data-damaged",
            Self::DataFull => "data-full",
            Self::DataNewer { .. } => "data-newer",
            Self::SiteUnreadable { .. } => "site-unreadable",
            Self::NoBoard { .. } => "no-board",
            Self::SeveralBoards { .. } => "several-boards",
            Self::PortsMissing { .. } => "ports-missing",
            Self::StickRefused { .. } => "stick-refused",
        }
    }

    /// The words.
    pub const fn words(&self) -> Words {
        let (happened, next) = match self {
            Self::DataDamaged { .. } => {
                (Text::new("保存領域が読めません。", "The data partition cannot be read."), CALL)
            }
            Self::DataFull => {
                (Text::new("保存領域に空きがありません。", "The data partition has no room left."), CALL)
            }
            Self::DataNewer { .. } => (
                Text::new(
                    "保存領域は新しい版の本機が書いたものです。",
                    "The data partition was written by a newer version of the firmware.",
                ),
                Text::new(
                    "新しい版に戻すか、設置会社へ連絡してください。",
                    "Go back to the newer version, or call the company that installed the box.",
                ),
            ),
            Self::SiteUnreadable { .. } => (
                Text::new(
                    "保存されている設定を、この版では読めません。",
                    "This version does not understand the site file that is installed.",
                ),
                CALL,
            ),
            Self::NoBoard { .. } => (
                Text::new(
                    "この機種は登録されていないため、全ての差し込み口を閉じています。",
                    "This machine is no known board, so every port stays closed.",
                ),
                CALL,
            ),
            Self::SeveralBoards { .. } => (
                Text::new(
                    "機種を一つに決められないため、全ての差し込み口を閉じています。",
                    "More than one board file is this machine's, so every port stays closed.",
                ),
                CALL,
            ),
            Self::PortsMissing { .. } => (
                Text::new("あるはずの差し込み口がありません。", "Ports that should be there are missing."),
                CALL,
            ),
            Self::StickRefused { why } => return why.words(),
        };
        Words { happened, next }
    }

    /// Names and numbers behind the words, a line each; the same in every language.
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::DataFull => Vec::new(),
            Self::DataDamaged { reason } => vec![reason.clone()],
            Self::DataNewer { format } => vec![format!("format {format}")],
            Self::SiteUnreadable { mistakes } => mistakes.clone(),
            Self::NoBoard { machine } => vec![machine.clone()],
            Self::SeveralBoards { boards } => vec![boards.join(", ")],
            Self::PortsMissing { ports } => vec![ports.join(", ")],
            Self::StickRefused { why } => why.details(),
        }
    }

    /// Whether the notice is about a stick: it goes away with the next stick, the others stay until the next boot.
    pub const fn is_of_a_stick(&self) -> bool {
        matches!(self, Self::StickRefused { .. })
    }
}

impl Stick {
    /// The words.
    pub const fn words(&self) -> Words {
        let (happened, next) = match self {
            Self::NoSiteFile => (
                Text::new("メモリーに設定ファイルがありません。", "There is no site file on the stick."),
                LOOK_AT_THE_STICK,
            ),
            Self::SeveralSiteFiles { .. } => (
                Text::new(
                    "メモリーに設定ファイルがいくつもあり、選べません。",
                    "There are several site files on the stick, and the box does not choose.",
                ),
                Text::new(
                    "一つだけ残して、もう一度差し込んでください。",
                    "Leave exactly one, then plug it in again.",
                ),
            ),
            Self::BadSiteFile { .. } => (
                Text::new(
                    "メモリーの設定ファイルに直すところがあります。",
                    "The site file on the stick has mistakes.",
                ),
                Text::new(
                    "パソコンで直し、もう一度差し込んでください。",
                    "Correct it on a computer, then plug it in again.",
                ),
            ),
            Self::Unreadable { .. } => (
                Text::new("メモリーを読めません。", "The stick cannot be read."),
                Text::new(
                    "別のメモリーに入れ直してください（FAT形式、32GBまで）。",
                    "Use another stick, formatted as FAT32.",
                ),
            ),
            Self::NotInCarton => (
                Text::new(
                    "設定待ちではないため、メモリーは使いません。",
                    "The box is not waiting for its settings, so it takes no stick.",
                ),
                Text::new("メモリーを抜いてください。", "Take the stick out."),
            ),
            Self::NotStored { .. } => {
                (Text::new("設定を保存できませんでした。", "The settings could not be stored."), CALL)
            }
        };
        Words { happened, next }
    }

    fn details(&self) -> Vec<String> {
        match self {
            Self::NoSiteFile | Self::NotInCarton => Vec::new(),
            Self::SeveralSiteFiles { count } => vec![format!("{count} *.toml")],
            Self::BadSiteFile { mistakes } => mistakes.clone(),
            Self::Unreadable { reason } | Self::NotStored { reason } => vec![reason.clone()],
        }
    }
}

/// One of each kind, for tests and goldens of the faces.
pub fn examples() -> Vec<Notice> {
    let mistakes = || vec!["site.toml:6: line.kind: \"pd\" is not allowed here (allowed: ra)".to_owned()];
    let sticks = [
        Stick::NoSiteFile,
        Stick::SeveralSiteFiles { count: 10 },
        Stick::BadSiteFile { mistakes: mistakes() },
        Stick::Unreadable { reason: "no FAT file system".into() },
        Stick::NotInCarton,
        Stick::NotStored { reason: "No space left on device".into() },
    ];
    let own = [
        Notice::DataDamaged { reason: "e2fsck says 4".into() },
        Notice::DataFull,
        Notice::DataNewer { format: 2 },
        Notice::SiteUnreadable { mistakes: mistakes() },
        Notice::NoBoard { machine: "Nobody / Nothing".into() },
        Notice::SeveralBoards { boards: vec!["virtual".into(), "twin".into()] },
        Notice::PortsMissing { ports: vec!["wan0".into()] },
    ];
    own.into_iter().chain(sticks.map(|why| Notice::StickRefused { why })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same rules as for the faults' words; FAT is printed on sticks.
    #[test]
    fn sentences_are_short_polite_and_without_english_or_blame() {
        for notice in examples() {
            let words = notice.words();
            for sentence in [words.happened.ja, words.next.ja] {
                assert!(sentence.chars().count() <= 60, "{sentence}");
                assert!(sentence.ends_with('。'), "{sentence}");
                let plain = sentence.replace("FAT", "").replace("GB", "");
                assert!(!plain.chars().any(|c| c.is_ascii_alphabetic()), "{sentence}");
                for blame in ["ミス", "怠", "せいで", "エラー", "不正"] {
                    assert!(!sentence.contains(blame), "{sentence}");
                }
            }
            assert!(words.happened.en.ends_with('.') && words.next.en.ends_with('.'));
        }
    }

    #[test]
    fn every_key_is_the_one_in_json() {
        for notice in examples() {
            let json = serde_json::to_value(&notice).unwrap();
            assert_eq!(json["is"], notice.key());
            assert_eq!(serde_json::from_value::<Notice>(json).unwrap(), notice);
        }
    }
}
