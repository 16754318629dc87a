//! A parcel is one relayed file, as the outside may know it: its kind, a journal number, a keyed short hash.
//! Never its name, never its content: names carry patients' numbers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::words::Text;

/// Which way a kind travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the clinic to the terminal: delivered at most once.
    Request,
    /// From the terminal to the clinic: delivered at least once, seen once.
    Answer,
}

/// Why a parcel is not on its way. Each has one sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldReason {
    /// The name matches no kind of the site's table.
    UnknownKind,
    /// The name is one no side may use (path separators, `..`, `:`, reserved DOS names, trailing dot or space).
    BadName,
    /// Zero bytes, for longer than a writer needs.
    Empty,
    /// Larger than its kind allows.
    TooLarge,
    /// Its end is not its kind's end, and nobody is writing any more.
    HalfWritten,
    /// A link, a folder, a device or a pipe.
    NotAFile,
    /// The terminal already has a file of this name: never overwritten.
    NameTaken,
    /// Whether it was submitted cannot be known: never sent again by itself.
    Uncertain,
    /// Past its kind's time to live: never sent late.
    TooOld,
    /// The end it was decided for is not in the site file any more.
    NoEnd,
    /// An answer that its consumer has not collected within its kind's time to live; it stays where it was shown.
    NotCollected,
}

impl HeldReason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::UnknownKind,
        Self::BadName,
        Self::Empty,
        Self::TooLarge,
        Self::HalfWritten,
        Self::NotAFile,
        Self::NameTaken,
        Self::Uncertain,
        Self::TooOld,
        Self::NoEnd,
        Self::NotCollected,
    ];

    /// The one sentence a person reads.
    pub const fn sentence(self) -> Text {
        match self {
            Self::UnknownKind => Text::new(
                "登録されていない種類のファイルです。送らずに残しています。",
                "The kind of this file is not listed; it was kept and not sent.",
            ),
            Self::BadName => Text::new(
                "使えない文字を含むファイル名です。送らずに残しています。",
                "The name has characters no side may use; it was kept and not sent.",
            ),
            Self::Empty => Text::new(
                "中身のないファイルです。送らずに残しています。",
                "The file is empty; it was kept and not sent.",
            ),
            Self::TooLarge => Text::new(
                "大きすぎるファイルです。送らずに残しています。",
                "The file is larger than its kind allows; it was kept and not sent.",
            ),
            Self::HalfWritten => Text::new(
                "書きかけのファイルです。送らずに残しています。",
                "The file is half-written; it was kept and not sent.",
            ),
            Self::NotAFile => Text::new(
                "ふつうのファイルではありません。送らずに残しています。",
                "This is not an ordinary file; it was kept and not sent.",
            ),
            Self::NameTaken => Text::new(
                "端末に同じ名前のファイルがあります。上書きせずに残しています。",
                "The terminal has a file of this name; nothing was overwritten and this one was kept.",
            ),
            Self::Uncertain => Text::new(
                "送信できたか確認できません。再送せずに残しています。",
                "Whether it was submitted cannot be known; it was kept and not sent again.",
            ),
            Self::TooOld => Text::new(
                "送信の期限を過ぎています。送らずに残しています。",
                "It is past its time; it was kept and not sent.",
            ),
            Self::NoEnd => Text::new(
                "送り先が設定ファイルにありません。送信できたか確認できないため、残しています。",
                "Where it was to go is not in the site file any more; whether it was submitted cannot be known, and it was kept.",
            ),
            Self::NotCollected => Text::new(
                "期限までに取り込まれていません。共有フォルダーに残しています。",
                "It was not collected within its time; it was kept in the shared folder.",
            ),
        }
    }
}

/// What a parcel that is not at rest waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitReason {
    /// Somebody is still writing it.
    BeingWritten,
    /// The terminal's share cannot be reached.
    TerminalAway,
    /// Others of its kind go first.
    InTurn,
    /// The other end does not have its folder.
    FolderLacks,
    /// Submitted; the answer has not come.
    AwaitingAnswer,
    /// Delivered to the clinic's share; not collected yet.
    AwaitingCollection,
    /// The clinic's share cannot take it (disk full, name taken).
    ClinicBlocked,
}

impl WaitReason {
    /// The one sentence a person reads.
    pub const fn sentence(self) -> Text {
        match self {
            Self::BeingWritten => Text::new("書き込み中です。", "It is still being written."),
            Self::TerminalAway => {
                Text::new("端末につながるのを待っています。", "Waiting for the terminal to be reachable.")
            }
            Self::InTurn => Text::new("順番を待っています。", "Waiting for its turn."),
            Self::FolderLacks => Text::new(
                "相手側にこの種類のフォルダーがありません。",
                "The other side does not have the folder of this kind.",
            ),
            Self::AwaitingAnswer => {
                Text::new("端末からの回答を待っています。", "Waiting for the terminal's answer.")
            }
            Self::AwaitingCollection => Text::new(
                "レセコンの取り込みを待っています。",
                "Waiting for the receipt computer to collect it.",
            ),
            Self::ClinicBlocked => {
                Text::new("院内の共有フォルダーに書けません。", "The clinic's share cannot take it.")
            }
        }
    }
}

/// A parcel as the outside may know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelView {
    /// Journal number: unique on this box, grows.
    pub number: u64,
    /// The kind's key in the table, or `unknown`.
    pub kind: String,
    /// First eight hex digits of the keyed hash of the name: enough to find it again, useless to others.
    pub hash: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When it was first seen.
    pub since: Timestamp,
}

/// A parcel that waits, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The parcel.
    pub parcel: ParcelView,
    /// What it waits for.
    pub reason: WaitReason,
}

/// A parcel that is held, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The parcel.
    pub parcel: ParcelView,
    /// Why it is held.
    pub reason: HeldReason,
}

/// How many answers said what today, where the site file wants them looked into. Counts only: no value is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Ended well.
    pub normal: u64,
    /// Not ready yet: the receipt computer asks again.
    pub pending: u64,
    /// Ended badly as a whole (`SegmentOfResult` 9).
    pub failed: u64,
    /// Ended, and what was asked for was refused (`ProcessingResultStatus` 2).
    pub refused: u64,
    /// Not understood: too large, damaged, with a DTD, or without the two elements.
    pub unread: u64,
    /// How many answers in a row were failed or refused until now, pending ones and unread ones left out.
    pub erring: u64,
    /// How many of those were refused.
    #[serde(default)]
    pub erring_refused: u64,
    /// Since when they are.
    pub erring_since: Option<Timestamp>,
}

/// What an answer says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Ended well.
    Normal,
    /// Not ready yet.
    Pending,
    /// Ended badly as a whole.
    Failed,
    /// Ended, and what was asked for was refused.
    Refused,
    /// Not understood.
    Unread,
}

impl Outcomes {
    /// These, and what came after them.
    #[must_use]
    pub const fn and_then(self, after: Self) -> Self {
        // A normal answer ends a row of errors.
        let (erring, erring_refused, erring_since) = match (after.normal, self.erring_since) {
            (0, Some(since)) => {
                (self.erring + after.erring, self.erring_refused + after.erring_refused, Some(since))
            }
            _ => (after.erring, after.erring_refused, after.erring_since),
        };
        Self {
            normal: self.normal + after.normal,
            pending: self.pending + after.pending,
            failed: self.failed + after.failed,
            refused: self.refused + after.refused,
            unread: self.unread + after.unread,
            erring,
            erring_refused,
            erring_since,
        }
    }

    /// One more answer.
    pub fn count(&mut self, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Normal => self.normal += 1,
            Outcome::Pending => self.pending += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Unread => self.unread += 1,
        }
        match outcome {
            Outcome::Normal => (self.erring, self.erring_refused, self.erring_since) = (0, 0, None),
            Outcome::Failed | Outcome::Refused => {
                self.erring += 1;
                self.erring_refused += u64::from(outcome == Outcome::Refused);
                self.erring_since.get_or_insert(now);
            }
            Outcome::Pending | Outcome::Unread => {}
        }
    }
}

/// One day in Japan, as it is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Which, like `2026-11-25`.
    pub date: String,
    /// Requests published.
    pub requests: u64,
    /// Answers delivered.
    pub answers: u64,
    /// Half of the timed pairs took at most so long, milliseconds.
    pub median_ms: Option<f64>,
    /// Nineteen of twenty did.
    pub p95_ms: Option<f64>,
    /// What answers said, if they were looked into.
    pub outcomes: Outcomes,
}

/// A parcel that went or came, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// When.
    pub at: Timestamp,
    /// Which way; none if only the number is known.
    pub direction: Option<Direction>,
    /// Its kind's key; none if only the number is known.
    pub kind: Option<String>,
}

/// Requests of one kind that a terminal has had for longer than `RelayPart::NO_ANSWER_S` without an answer. Kinds that
/// are worked off in bulk take minutes: how long is too long is for whoever judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// The terminal.
    pub terminal: String,
    /// The kind's key.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// When the oldest of them was published.
    pub since: Timestamp,
    /// How long one that was taken may be without its answer, seconds: by its kind.
    #[serde(default)]
    pub patience_s: u64,
    /// How many of them still lie where they were put: nobody took them. None if nobody could look.
    pub untaken: Option<u64>,
    /// When a request of this kind was last answered; none since the relay started.
    pub answered_at: Option<Timestamp>,
    /// When the oldest of those was published that came after that answer; none if a later one was answered. Who passes
    /// one over and answers the next is at work.
    #[serde(default)]
    pub since_answer: Option<Timestamp>,
}

/// Answers that stand in a consumer's folders, on the box or elsewhere, and were not collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uncollected {
    /// The consumer.
    pub consumer: String,
    /// How many.
    pub count: u64,
    /// Since when the oldest of them stands there.
    pub since: Timestamp,
    /// How many of them have used three quarters of their time to live or more: somebody has to see to them before
    /// they are over.
    #[serde(default)]
    pub nearing: u64,
}

impl Uncollected {
    /// The one sentence a person reads.
    pub const fn sentence(&self) -> Text {
        match self.nearing {
            0 => WaitReason::AwaitingCollection.sentence(),
            _ => Text::new(
                "取り込まれないまま期限が近づいています。",
                "They have not been collected, and their time is nearly over.",
            ),
        }
    }
}

/// A request and its answer, timed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// When the request was published on the terminal's share.
    pub at: Timestamp,
    /// Until the answer stood in the clinic's share, milliseconds.
    pub took_ms: f64,
}
