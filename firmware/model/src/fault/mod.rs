//! The fault catalogue: every fault a person can be shown, with its words, written once.
//! Page, lamps, report, docs and tests all read this table; a fault without its words does not compile.
//!
//! Each sentence has at most 60 characters, no English but what is printed on devices, and blames nobody.

mod centre;
mod inside;
mod line;

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
    /// A second router on the line's side.
    #[serde(rename = "WAN-06")]
    Wan06,
    /// Another device has our address.
    #[serde(rename = "WAN-07")]
    Wan07,
    /// The router does not answer neighbour discovery.
    #[serde(rename = "WAN-08")]
    Wan08,
    /// The line comes and goes.
    #[serde(rename = "WAN-10")]
    Wan10,
    /// Loss or delay beyond the threshold.
    #[serde(rename = "WAN-11")]
    Wan11,
    /// A black hole of the path MTU.
    #[serde(rename = "WAN-12")]
    Wan12,
    /// No resolver answers.
    #[serde(rename = "DNS-01")]
    Dns01,
    /// One resolver of two is down.
    #[serde(rename = "DNS-02")]
    Dns02,
    /// The resolvers are the other area's.
    #[serde(rename = "DNS-03")]
    Dns03,
    /// The centre's name does not exist.
    #[serde(rename = "DNS-04")]
    Dns04,
    /// A stranger answers for names.
    #[serde(rename = "DNS-05")]
    Dns05,
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
    /// The centre's certificate is of another name or issuer.
    #[serde(rename = "CTR-04")]
    Ctr04,
    /// The distribution host alone is down.
    #[serde(rename = "CTR-07")]
    Ctr07,
    /// Our own clock is not trustworthy.
    #[serde(rename = "TIME-01")]
    Time01,
    /// The terminal is off, or its cable is out.
    #[serde(rename = "TERM-01")]
    Term01,
    /// File sharing stopped on the terminal.
    #[serde(rename = "TERM-02")]
    Term02,
    /// The terminal refuses the share login.
    #[serde(rename = "TERM-03")]
    Term03,
    /// The share or a folder in it is missing.
    #[serde(rename = "TERM-04")]
    Term04,
    /// The share cannot be written.
    #[serde(rename = "TERM-05")]
    Term05,
    /// The terminal's disk is full.
    #[serde(rename = "TERM-06")]
    Term06,
    /// The link application does not run.
    #[serde(rename = "TERM-07")]
    Term07,
    /// Requests are taken and not answered.
    #[serde(rename = "TERM-08")]
    Term08,
    /// Answers are errors.
    #[serde(rename = "TERM-09")]
    Term09,
    /// The receipt computer does not collect answers.
    #[serde(rename = "CLIN-01")]
    Clin01,
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

/// Where on the way from the receipt computer to the centre a fault is felt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The receipt computer.
    ReceiptComputer,
    /// The qualification terminal.
    Terminal,
    /// This box.
    Box,
    /// The line, up to its resolvers.
    Line,
    /// Line authentication.
    Auth,
    /// The centre.
    Centre,
}

impl FaultCode {
    /// The whole catalogue, in its order.
    pub const ALL: [Self; 31] = [
        Self::Wan01,
        Self::Wan02,
        Self::Wan03,
        Self::Wan06,
        Self::Wan07,
        Self::Wan08,
        Self::Wan10,
        Self::Wan11,
        Self::Wan12,
        Self::Dns01,
        Self::Dns02,
        Self::Dns03,
        Self::Dns04,
        Self::Dns05,
        Self::Auth01,
        Self::Ctr01,
        Self::Ctr02,
        Self::Ctr03,
        Self::Ctr04,
        Self::Ctr07,
        Self::Time01,
        Self::Term01,
        Self::Term02,
        Self::Term03,
        Self::Term04,
        Self::Term05,
        Self::Term06,
        Self::Term07,
        Self::Term08,
        Self::Term09,
        Self::Clin01,
    ];

    /// The code as printed, said and searched for.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Wan01 => "WAN-01",
            Self::Wan02 => "WAN-02",
            Self::Wan03 => "WAN-03",
            Self::Wan06 => "WAN-06",
            Self::Wan07 => "WAN-07",
            Self::Wan08 => "WAN-08",
            Self::Wan10 => "WAN-10",
            Self::Wan11 => "WAN-11",
            Self::Wan12 => "WAN-12",
            Self::Dns01 => "DNS-01",
            Self::Dns02 => "DNS-02",
            Self::Dns03 => "DNS-03",
            Self::Dns04 => "DNS-04",
            Self::Dns05 => "DNS-05",
            Self::Auth01 => "AUTH-01",
            Self::Ctr01 => "CTR-01",
            Self::Ctr02 => "CTR-02",
            Self::Ctr03 => "CTR-03",
            Self::Ctr04 => "CTR-04",
            Self::Ctr07 => "CTR-07",
            Self::Time01 => "TIME-01",
            Self::Term01 => "TERM-01",
            Self::Term02 => "TERM-02",
            Self::Term03 => "TERM-03",
            Self::Term04 => "TERM-04",
            Self::Term05 => "TERM-05",
            Self::Term06 => "TERM-06",
            Self::Term07 => "TERM-07",
            Self::Term08 => "TERM-08",
            Self::Term09 => "TERM-09",
            Self::Clin01 => "CLIN-01",
        }
    }

    /// The code with this key.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.key() == key)
    }

    /// Whether staff can feel it. What they cannot feel is recorded and never an alarm.
    pub const fn is_alarm(self) -> bool {
        !matches!(self, Self::Dns02 | Self::Ctr07)
    }

    /// Where it is felt.
    pub const fn place(self) -> Place {
        match self {
            Self::Wan01
            | Self::Wan02
            | Self::Wan03
            | Self::Wan06
            | Self::Wan07
            | Self::Wan08
            | Self::Wan10
            | Self::Wan11
            | Self::Wan12
            | Self::Dns01
            | Self::Dns02
            | Self::Dns03
            | Self::Dns04
            | Self::Dns05 => Place::Line,
            Self::Auth01 => Place::Auth,
            Self::Ctr01 | Self::Ctr02 | Self::Ctr03 | Self::Ctr04 | Self::Ctr07 => Place::Centre,
            Self::Time01 => Place::Box,
            Self::Term01
            | Self::Term02
            | Self::Term03
            | Self::Term04
            | Self::Term05
            | Self::Term06
            | Self::Term07
            | Self::Term08
            | Self::Term09 => Place::Terminal,
            Self::Clin01 => Place::ReceiptComputer,
        }
    }

    /// The words of this fault.
    pub const fn words(self) -> Words {
        match self {
            Self::Wan01 => line::WAN_01,
            Self::Wan02 => line::WAN_02,
            Self::Wan03 => line::WAN_03,
            Self::Wan06 => line::WAN_06,
            Self::Wan07 => line::WAN_07,
            Self::Wan08 => line::WAN_08,
            Self::Wan10 => line::WAN_10,
            Self::Wan11 => line::WAN_11,
            Self::Wan12 => line::WAN_12,
            Self::Dns01 => line::DNS_01,
            Self::Dns02 => line::DNS_02,
            Self::Dns03 => line::DNS_03,
            Self::Dns04 => line::DNS_04,
            Self::Dns05 => line::DNS_05,
            Self::Auth01 => centre::AUTH_01,
            Self::Ctr01 => centre::CTR_01,
            Self::Ctr02 => centre::CTR_02,
            Self::Ctr03 => centre::CTR_03,
            Self::Ctr04 => centre::CTR_04,
            Self::Ctr07 => centre::CTR_07,
            Self::Time01 => inside::TIME_01,
            Self::Term01 => inside::TERM_01,
            Self::Term02 => inside::TERM_02,
            Self::Term03 => inside::TERM_03,
            Self::Term04 => inside::TERM_04,
            Self::Term05 => inside::TERM_05,
            Self::Term06 => inside::TERM_06,
            Self::Term07 => inside::TERM_07,
            Self::Term08 => inside::TERM_08,
            Self::Term09 => inside::TERM_09,
            Self::Clin01 => inside::CLIN_01,
        }
    }
}

const MEANING_ALL: Text =
    Text::new("オンライン資格確認は使えません。", "Online qualification cannot be used.");
const MEANING_FILES: Text = Text::new(
    "レセコンからの資格確認は使えません。",
    "Qualification from the receipt computer cannot be used.",
);

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
