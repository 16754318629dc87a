//! What is tried on a terminal's share before anybody relies on it, and what was seen.

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Which terminal; none: every one.
    pub terminal: Option<String>,
    /// How many seconds somebody at the terminal has to keep a file to himself; 0: nobody is there.
    pub attended_s: u16,
}

/// What was seen of one terminal. No checks: its folders are not a share by SMB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Its name in the site file.
    pub terminal: String,
    /// One each, in the order they were tried.
    pub checks: Vec<Check>,
}

/// One thing that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub what: What,
    /// How it went.
    pub seen: Seen,
    /// What the share did. Names no file of anybody's.
    pub evidence: String,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    /// As the relay needs it.
    Ok,
    /// Not so.
    Not,
    /// It was not tried.
    Untried,
}

impl Seen {
    /// The word in a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Not => "not",
            Self::Untried => "untried",
        }
    }
}

/// A property the relay's promises rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// Two logins with encryption.
    LogIn,
    /// A folder can be made below the staging folder.
    Folder,
    /// A flush is answered.
    Flush,
    /// Another login reads the bytes that were written.
    ReadBack,
    /// A rename gives a file its name, whole.
    Rename,
    /// A rename onto a taken name is refused, and both files are whole.
    NoReplace,
    /// A file that somebody removes while we hold it stays readable to us and is opened by nobody any more.
    Pending,
    /// A removed file is gone.
    Removal,
    /// The staging folder has the same file id after a new login.
    Identity,
    /// A change is told.
    Hint,
    /// A file that another keeps to himself is not opened for taking.
    InUse,
    /// Nothing of the test is left.
    Tidy,
}

impl What {
    /// Its name in a table and in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::LogIn => "log-in",
            Self::Folder => "folder",
            Self::Flush => "flush",
            Self::ReadBack => "read-back",
            Self::Rename => "rename",
            Self::NoReplace => "no-replace",
            Self::Pending => "pending",
            Self::Removal => "removal",
            Self::Identity => "identity",
            Self::Hint => "hint",
            Self::InUse => "in-use",
            Self::Tidy => "tidy",
        }
    }

    /// What it means for the relay when it is not so.
    pub const fn means(self) -> Text {
        match self {
            Self::LogIn => Text::new(
                "共有に入れません。住所、アカウント、暗号化（SMB 3）を確認してください。",
                "The share cannot be opened: see to the address, the account and encryption (SMB 3).",
            ),
            Self::Folder => Text::new(
                "共有のアカウントにフォルダーの作成を許可してください。許可がないと依頼を送れません。",
                "The share's account must be allowed to make folders; without that no request is sent.",
            ),
            Self::Flush => Text::new(
                "書き込みの確定（フラッシュ）に応答しません。依頼は送られません。",
                "The share does not answer a flush; no request is sent.",
            ),
            Self::ReadBack => Text::new(
                "書いた内容を読み戻せません。依頼は送られません。",
                "What was written is not read back; no request is sent.",
            ),
            Self::Rename => Text::new(
                "名前を変更できません。依頼は送られません。",
                "A file cannot be renamed; no request is sent.",
            ),
            Self::NoReplace => Text::new(
                "同名のファイルが上書きされるおそれがあります。この端末では使わないでください。",
                "A file of the same name may be overwritten: do not use the relay with this share.",
            ),
            Self::Pending => Text::new(
                "読んでいる途中のファイルを他者が削除したとき、内容を保てません。",
                "A file somebody removes while it is read may be lost to the reader.",
            ),
            Self::Removal => Text::new(
                "結果を削除できません。受け取った結果が端末に残ります。",
                "An answer cannot be removed: what was taken stays on the terminal.",
            ),
            Self::Identity => Text::new(
                "再接続のたびに別のフォルダーと見なされ、送信中の依頼が保留になります。",
                "Each new connection would look like another folder: requests on their way would be held.",
            ),
            Self::Hint => Text::new(
                "変化が通知されません。毎秒4回の確認だけになり、結果は最大0.25秒遅れます。",
                "Changes are not told: four looks a second are left, and an answer may come 0.25 s later.",
            ),
            Self::InUse => Text::new(
                "書き込み中のファイルを見分けられません。末尾と、間を置いた2回の確認だけで判断します。",
                "A file being written is not told by its open: only its end and two equal looks are left.",
            ),
            Self::Tidy => Text::new(
                "テストのファイルが残りました。sekisho-staging の selftest を削除してください。",
                "Files of the test are left: remove selftest in sekisho-staging.",
            ),
        }
    }
}
