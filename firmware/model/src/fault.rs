//! The fault catalogue: every fault a person can be shown, with its words, written once.
//! Page, lamps, report, docs and tests all read this table; a fault without its words does not compile.
//!
//! Each sentence has at most 60 characters, no English but what is printed on devices, and blames nobody.

use serde::{Deserialize, Serialize};

use crate::words::Text;

/// A stable code. Codes are never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FaultCode {
    /// Cable out, or ONU off.
    #[serde(rename = "WAN-01")]
    Wan01,
    /// No router advertisement.
    #[serde(rename = "WAN-02")]
    Wan02,
    /// The router said goodbye.
    #[serde(rename = "WAN-03")]
    Wan03,
    /// No resolver answers.
    #[serde(rename = "DNS-01")]
    Dns01,
    /// One resolver of two is down.
    #[serde(rename = "DNS-02")]
    Dns02,
    /// Line authentication lost or never registered.
    #[serde(rename = "AUTH-01")]
    Auth01,
    /// The centre refuses.
    #[serde(rename = "CTR-01")]
    Ctr01,
    /// The centre is silent.
    #[serde(rename = "CTR-02")]
    Ctr02,
    /// The centre's certificate has expired.
    #[serde(rename = "CTR-03")]
    Ctr03,
    /// The terminal is off, or its cable is out.
    #[serde(rename = "TERM-01")]
    Term01,
    /// File sharing stopped on the terminal.
    #[serde(rename = "TERM-02")]
    Term02,
    /// The terminal refuses the share login.
    #[serde(rename = "TERM-03")]
    Term03,
}

/// Everything a person is told about a fault, beside the phone number, which comes from the site file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// A short name for lists.
    pub title: Text,
    /// What happened.
    pub happened: Text,
    /// What it means at reception.
    pub meaning: Text,
    /// The next step.
    pub next: Text,
}

impl FaultCode {
    /// The whole catalogue, in its order.
    pub const ALL: [Self; 12] = [
        Self::Wan01,
        Self::Wan02,
        Self::Wan03,
        Self::Dns01,
        Self::Dns02,
        Self::Auth01,
        Self::Ctr01,
        Self::Ctr02,
        Self::Ctr03,
        Self::Term01,
        Self::Term02,
        Self::Term03,
    ];

    /// The code as printed, said and searched for.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Wan01 => "WAN-01",
            Self::Wan02 => "WAN-02",
            Self::Wan03 => "WAN-03",
            Self::Dns01 => "DNS-01",
            Self::Dns02 => "DNS-02",
            Self::Auth01 => "AUTH-01",
            Self::Ctr01 => "CTR-01",
            Self::Ctr02 => "CTR-02",
            Self::Ctr03 => "CTR-03",
            Self::Term01 => "TERM-01",
            Self::Term02 => "TERM-02",
            Self::Term03 => "TERM-03",
        }
    }

    /// The code with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.key() == key)
    }

    /// Whether staff can feel it. What they cannot feel is recorded and never an alarm.
    pub const fn is_alarm(self) -> bool {
        !matches!(self, Self::Dns02)
    }

    /// The words of this fault.
    pub const fn words(self) -> Words {
        match self {
            Self::Wan01 => Words {
                title: Text::new("回線の信号なし", "no signal on the line"),
                happened: Text::new("回線ポートに信号がありません。", "There is no signal on the line port."),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "ONUの電源とLANケーブルを確かめてください。光回線ランプが消灯なら回線事業者へ。",
                    "Check the ONU's power and the cable. If its 光回線 lamp is out, call the carrier.",
                ),
            },
            Self::Wan02 => Words {
                title: Text::new("回線側ルーターの応答なし", "no router on the line"),
                happened: Text::new(
                    "回線から案内（RA）が届いていません。",
                    "No router advertisement arrives from the line.",
                ),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "差し込み口とv6オプションの契約を確かめ、正しければ回線事業者へ連絡してください。",
                    "Check the port and the v6 option; if both are right, call the carrier.",
                ),
            },
            Self::Wan03 => Words {
                title: Text::new("回線側ルーターの停止", "the line's router said goodbye"),
                happened: Text::new(
                    "回線側のルーターが停止を知らせてきました。",
                    "The line's router announced that it stops.",
                ),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "しばらく待ち、戻らなければ回線事業者へ連絡してください。",
                    "Wait a little; if it does not return, call the carrier.",
                ),
            },
            Self::Dns01 => Words {
                title: Text::new("名前の問い合わせ先の応答なし", "no resolver answers"),
                happened: Text::new(
                    "回線内の名前の問い合わせ先が2つとも応答しません。",
                    "Neither resolver of the line answers.",
                ),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "院内での操作は不要です。回線事業者へ連絡してください。",
                    "There is nothing to do in the clinic. Call the carrier.",
                ),
            },
            Self::Dns02 => Words {
                title: Text::new("名前の問い合わせ先の片方が停止", "one resolver of two is down"),
                happened: Text::new(
                    "名前の問い合わせ先の片方が応答しません。",
                    "One of the two resolvers does not answer.",
                ),
                meaning: Text::new("受付への影響はありません。", "Reception is not affected."),
                next: Text::new(
                    "操作は不要です。記録だけしています。",
                    "Nothing to do; it is only recorded.",
                ),
            },
            Self::Auth01 => Words {
                title: Text::new("回線認証が通らない", "line authentication refused"),
                happened: Text::new(
                    "回線は届いていますが、回線認証が受け付けられません。",
                    "The line works, but line authentication is refused.",
                ),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "お客さまID（CAFまたはCOP）とポータル申請の内容を見比べてください。",
                    "Compare the customer ID (CAF or COP) with the one in the portal application.",
                ),
            },
            Self::Ctr01 => Words {
                title: Text::new("センターが接続を断る", "the centre refuses"),
                happened: Text::new(
                    "回線は正常ですが、センターが接続を受け付けません。",
                    "The line works; the centre refuses the connection.",
                ),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "センターのお知らせを確かめ、復旧を待ってください。",
                    "Look at the centre's notices and wait for its recovery.",
                ),
            },
            Self::Ctr02 => Words {
                title: Text::new("センターの応答なし", "the centre is silent"),
                happened: Text::new(
                    "回線は正常ですが、センターから応答がありません。",
                    "The line works; the centre does not answer.",
                ),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "センターのお知らせを確かめ、続くようなら連絡してください。",
                    "Look at the centre's notices; if it goes on, call.",
                ),
            },
            Self::Ctr03 => Words {
                title: Text::new("センターの証明書の期限切れ", "the centre's certificate has expired"),
                happened: Text::new(
                    "センター側の証明書が有効期限を過ぎています。",
                    "The centre's certificate is past its date.",
                ),
                meaning: Text::new(MEANING_ALL_JA, MEANING_ALL_EN),
                next: Text::new(
                    "院内での操作は不要です。センターへ連絡してください。",
                    "There is nothing to do in the clinic. Call the centre.",
                ),
            },
            Self::Term01 => Words {
                title: Text::new("資格確認端末の応答なし", "the terminal does not answer"),
                happened: Text::new(
                    "資格確認端末が応答しません。",
                    "The qualification terminal does not answer.",
                ),
                meaning: Text::new(MEANING_FILES_JA, MEANING_FILES_EN),
                next: Text::new(
                    "端末の電源とLANケーブルを確かめてください。",
                    "Check the terminal's power and cable.",
                ),
            },
            Self::Term02 => Words {
                title: Text::new("端末のファイル共有が停止", "file sharing stopped on the terminal"),
                happened: Text::new(
                    "端末は動いていますが、ファイル共有が止まっています。",
                    "The terminal runs, but its file sharing has stopped.",
                ),
                meaning: Text::new(MEANING_FILES_JA, MEANING_FILES_EN),
                next: Text::new(
                    "端末を再起動し、戻らなければ端末の保守会社へ連絡してください。",
                    "Restart the terminal; if it does not return, call its vendor.",
                ),
            },
            Self::Term03 => Words {
                title: Text::new("端末の共有に入れない", "the terminal refuses the share login"),
                happened: Text::new(
                    "端末の共有フォルダーが本機のログインを断りました。",
                    "The terminal's share refused this box's login.",
                ),
                meaning: Text::new(MEANING_FILES_JA, MEANING_FILES_EN),
                next: Text::new(
                    "共有のパスワードが変わっていないか端末の保守会社へ確かめてください。",
                    "Ask the terminal's vendor whether the share's password has changed.",
                ),
            },
        }
    }
}

const MEANING_ALL_JA: &str = "オンライン資格確認は使えません。";
const MEANING_ALL_EN: &str = "Online qualification cannot be used.";
const MEANING_FILES_JA: &str = "レセコンからの資格確認は使えません。";
const MEANING_FILES_EN: &str = "Qualification from the receipt computer cannot be used.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_key_and_serialises_as_it() {
        for code in FaultCode::ALL {
            assert_eq!(FaultCode::from_key(code.key()), Some(code));
            assert_eq!(serde_json::to_value(code).unwrap(), code.key());
        }
    }

    #[test]
    fn every_sentence_is_short_polite_and_ends() {
        for code in FaultCode::ALL {
            let words = code.words();
            for sentence in [words.happened.ja, words.meaning.ja, words.next.ja] {
                assert!(sentence.chars().count() <= 60, "{}: {sentence}", code.key());
                assert!(sentence.ends_with('。'), "{}: {sentence}", code.key());
                for blame in ["ミス", "怠", "せいで", "エラー", "不正"] {
                    assert!(!sentence.contains(blame), "{}: {sentence}", code.key());
                }
            }
        }
    }

    #[test]
    fn japanese_sentences_use_no_english_but_what_is_printed_on_devices() {
        const PRINTED: [&str; 7] = ["ONU", "LAN", "RA", "CAF", "COP", "ID", "v6"];
        for code in FaultCode::ALL {
            let words = code.words();
            for sentence in [words.title.ja, words.happened.ja, words.meaning.ja, words.next.ja] {
                let rest = PRINTED.iter().fold(sentence.to_owned(), |text, word| text.replace(word, ""));
                assert!(!rest.chars().any(|c| c.is_ascii_alphabetic()), "{}: {sentence}", code.key());
            }
        }
    }
}
