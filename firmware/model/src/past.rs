//! What is remembered of the line: 72 hours of every rung in cells of ten seconds, and the stories of faults.
//!
//! Rungs, symptoms, codes and parties stand here by their names and not as our own types: what an older or a newer
//! firmware kept must be readable, also where it knew other ones.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::FaultCode;
use crate::observation::{Observation, Outcome, Rung};
use crate::party::Party;
use crate::words::Text;

/// The width of a cell, seconds.
pub const CELL_S: u32 = 10;
/// How many cells are remembered of each rung: 72 hours.
pub const CELLS: u32 = 72 * 3600 / CELL_S;

/// The word of a cell of which nothing is known: the box was off, or its program did not run.
pub const UNKNOWN: &str = "unknown";
/// The word of a rung that held.
pub const GOOD: &str = "good";
/// The word of a rung that was not looked at, because what it stands on was broken.
pub const SKIPPED: &str = "skipped";
/// The word of a rung of which nothing could be said.
pub const OPEN: &str = "open";

/// What kind of word a cell's word is. The order is that of merging: of several in a cell the greatest is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing is known.
    Unknown,
    /// The rung held.
    Good,
    /// Not looked at.
    Skipped,
    /// Looked at, and nothing could be said.
    Open,
    /// The rung was broken; the word is the symptom.
    Bad,
}

impl Mark {
    /// The kind of a word. One we do not know is a symptom we do not know.
    pub fn of(word: &str) -> Self {
        match word {
            UNKNOWN => Self::Unknown,
            GOOD => Self::Good,
            SKIPPED => Self::Skipped,
            OPEN => Self::Open,
            _ => Self::Bad,
        }
    }

    /// One character for a strip of text. ASCII: every terminal shows it one column wide.
    pub const fn letter(self) -> char {
        match self {
            Self::Unknown => ' ',
            Self::Good => '.',
            Self::Skipped => '-',
            Self::Open => 'o',
            Self::Bad => '#',
        }
    }

    /// What the letter means.
    pub const fn name(self) -> Text {
        match self {
            Self::Unknown => Text::new("記録なし", "not known"),
            Self::Good => Text::new("正常", "good"),
            Self::Skipped => Text::new("未確認", "not looked at"),
            Self::Open => Text::new("確認中", "open"),
            Self::Bad => Text::new("異常", "broken"),
        }
    }

    /// Every mark that a strip can show.
    pub const ALL: [Self; 5] = [Self::Good, Self::Bad, Self::Skipped, Self::Open, Self::Unknown];
}

/// The word of an outcome: of a bad one its symptom.
pub fn word(outcome: Outcome) -> String {
    match outcome {
        Outcome::Good => GOOD.to_owned(),
        Outcome::Skipped => SKIPPED.to_owned(),
        Outcome::Open => OPEN.to_owned(),
        Outcome::Bad(symptom) => key(&symptom),
    }
}

/// The name a value of ours has in JSON: of a rung, a symptom, a certainty.
pub fn key<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What a rung is called, for a person; one we do not know by its name in JSON.
pub fn rung_name(key_of_rung: &str) -> Option<Text> {
    Rung::ALL.into_iter().find(|rung| key(rung) == key_of_rung).map(Rung::name)
}

/// What a symptom is called, for a person; one without a name here is told by its name in JSON.
pub fn symptom_name(symptom: &str) -> Option<Text> {
    Some(match symptom {
        "no-carrier" => Text::new("信号なし", "no signal"),
        "no-port" => Text::new("ポートなし", "no such port"),
        "no-router" => Text::new("ルーターの知らせなし", "no router"),
        "router-goodbye" => Text::new("ルーターの終了の知らせ", "the router said goodbye"),
        "no-proposal" => Text::new("暗号の設定の不一致", "no proposal chosen"),
        "identity-refused" => Text::new("認証の不成立", "identity refused"),
        "identity-refused-now" => {
            Text::new("認証の不成立（以前は成立）", "identity refused, as it was not before")
        }
        "no-address" => Text::new("アドレスなし", "no address"),
        "not-delegated" => Text::new("委任なし", "nothing is delegated"),
        "not-advertised" => Text::new("案内にアドレスなし", "no prefix is advertised"),
        "renumbered" => Text::new("アドレスの変更", "another prefix than before"),
        "silent" => Text::new("応答なし", "no answer"),
        "refused" => Text::new("拒否", "refused"),
        "unreachable" => Text::new("到達できず", "unreachable"),
        "name-missing" => Text::new("名前なし", "no such name"),
        "resolver-error" => Text::new("名前の問い合わせの失敗", "the resolver failed"),
        "malformed" => Text::new("形の違う応答", "a malformed answer"),
        "certificate-expired" => Text::new("証明書の期限切れ", "certificate expired"),
        "certificate-name" => Text::new("証明書の名前違い", "certificate of another name"),
        "certificate-issuer" => Text::new("証明書の発行元違い", "certificate of another issuer"),
        "login-refused" => Text::new("ログインの拒否", "login refused"),
        "no-login" => Text::new("本機のログイン設定なし", "no login on this box"),
        "busy" => Text::new("接続数の上限", "no room for another session"),
        "no-service" => Text::new("契約のサービスなし", "no such service"),
        "share-missing" => Text::new("共有フォルダーなし", "no such share"),
        "denied" => Text::new("権限なし", "not permitted"),
        "disk-full" => Text::new("空き容量なし", "disk full"),
        "clock-off" => Text::new("時刻のずれ", "clock off"),
        "duplicate" => Text::new("アドレスの重複", "duplicate address"),
        "second-router" => Text::new("別のルーター", "a second router"),
        "stranger" => Text::new("回線の外の宛先", "an address outside the network"),
        "other-area" => Text::new("別の地域", "the other area"),
        "lossy" => Text::new("欠落", "loss"),
        "slow" => Text::new("遅れ", "delay"),
        "large-lost" => Text::new("大きなデータの欠落", "large packets lost"),
        "untaken" => Text::new("要求の受け取りなし", "requests not taken"),
        "unanswered" => Text::new("回答なし", "no answer to requests"),
        "answers-failed" => Text::new("異常終了の回答", "answers that failed"),
        "answers-refused" => Text::new("断りの回答", "answers that refuse"),
        "answers-mixed" => Text::new("異常な回答", "answers of both sorts"),
        "drifted" => Text::new("規則の食い違い", "not the ruleset that was proved"),
        "dropping" => Text::new("全ての通信を停止", "everything is dropped"),
        "crashing" => Text::new("停止の繰り返し", "dies again and again"),
        "damaged" => Text::new("破損", "damaged"),
        "fell-back" => Text::new("以前の版", "an older version"),
        "worn" => Text::new("寿命間近", "worn"),
        "hot" => Text::new("高温", "too hot"),
        "unknown-kinds" => Text::new("知らない種類", "unknown kinds"),
        "ends-soon" => Text::new("期限間近", "its date is near"),
        "ends" => Text::new("期限が近づく", "its date approaches"),
        "ended" => Text::new("期限切れ", "its date has passed"),
        "not-collected" => Text::new("取り込みなし", "not collected"),
        "elsewhere" => Text::new("別のポートに見える", "seen at another port"),
        "asks-elsewhere" => Text::new("別のところへの問い合わせ", "asks elsewhere"),
        "joined" => Text::new("ポートどうしの接続", "two ports on one wire"),
        _ => return None,
    })
}

/// One look at one rung, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When, to the second.
    pub at: Timestamp,
    /// The word of what was seen.
    pub is: String,
    /// Facts for an engineer, shortened; empty where only the strip remembers the look.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Look {
    /// Longest detail remembered, characters.
    pub const DETAIL: usize = 80;

    /// What is remembered of an observation.
    pub fn of(seen: &Observation) -> Self {
        let at = Timestamp::from_second(seen.at.as_second()).unwrap_or(seen.at);
        let detail = seen.detail.chars().take(Self::DETAIL).collect();
        Self { at, is: word(seen.outcome), detail }
    }
}

/// A rung that carried a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Which rung.
    pub rung: String,
    /// Its last good look before the fault, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_good: Option<Look>,
    /// Its first bad look; none for a rung that held and so excluded somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<Look>,
}

/// The story of one fault. One that comes back within [`Story::SAME_S`] of its end goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Its number; grows with every story of a box.
    pub number: u64,
    /// The fault's code.
    pub code: String,
    /// The terminal concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Who had to act, when that was surest.
    pub owner: String,
    /// How sure that was at the surest.
    pub certainty: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; none while it stands.
    #[serde(default)]
    pub end: Option<Timestamp>,
    /// When it was last seen to stand.
    pub seen: Timestamp,
    /// When it last began: the same as `start` unless it came back.
    pub again: Timestamp,
    /// How often it began.
    pub count: u32,
    /// Its end was not seen, because the box was off or the rung could not be looked at: `end` is when it was last seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_unseen: bool,
    /// The rungs that carried the verdict, at most [`Story::HOPS`].
    #[serde(default)]
    pub evidence: Vec<Hop>,
}

impl Story {
    /// A fault that comes back within so many seconds of its end is the same story.
    pub const SAME_S: i64 = 600;
    /// How many rungs of evidence are remembered.
    pub const HOPS: usize = 8;

    /// The fault, if this firmware has words for it.
    pub fn known(&self) -> Option<FaultCode> {
        FaultCode::from_key(&self.code)
    }

    /// Who had to act; one we do not know is not decided.
    pub fn party(&self) -> Party {
        Party::from_key(&self.owner).unwrap_or(Party::Unknown)
    }
}

/// The 72 hours of one rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strip {
    /// Which rung.
    pub rung: String,
    /// Which terminal, for a terminal's rungs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Its last good look.
    #[serde(default)]
    pub last_good: Option<Look>,
    /// The first bad look of the newest time it was broken.
    #[serde(default)]
    pub first_bad: Option<Look>,
    /// Oldest first: how many cells, and the index of their word in [`Past::words`]. They end at [`Past::to`].
    pub runs: Vec<(u32, u8)>,
}

/// What is remembered of the line. `GET /past` of `reachd` and `sekisho history --json` are this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Where the newest cell ends; none before the first look.
    pub to: Option<Timestamp>,
    /// The width of a cell here, seconds. In one wider than [`CELL_S`] the greatest [`Mark`] of its parts stands.
    pub cell_s: u32,
    /// The words of the cells; the first is [`UNKNOWN`].
    pub words: Vec<String>,
    /// One a rung, in climbing order.
    pub strips: Vec<Strip>,
    /// Newest first.
    pub stories: Vec<Story>,
}

impl Past {
    /// The word of a run.
    pub fn word(&self, index: u8) -> &str {
        self.words.get(usize::from(index)).map_or(UNKNOWN, String::as_str)
    }

    /// The marks of a strip, one a cell.
    pub fn marks<'a>(&'a self, strip: &'a Strip) -> impl Iterator<Item = Mark> + 'a {
        strip.runs.iter().flat_map(|(cells, index)| {
            let mark = Mark::of(self.word(*index));
            (0..(*cells).min(CELLS)).map(move |_| mark)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symptom_has_a_name() {
        for symptom in crate::Symptom::ALL {
            let key = serde_json::to_value(symptom).unwrap();
            assert!(symptom_name(key.as_str().unwrap()).is_some(), "{key}");
        }
    }
    use crate::observation::Symptom;

    #[test]
    fn every_outcome_has_a_word_and_its_mark() {
        let marks = [Outcome::Good, Outcome::Skipped, Outcome::Open, Outcome::Bad(Symptom::Silent)]
            .map(|outcome| Mark::of(&word(outcome)));
        assert_eq!(marks, [Mark::Good, Mark::Skipped, Mark::Open, Mark::Bad]);
        assert_eq!(word(Outcome::Bad(Symptom::NoCarrier)), "no-carrier");
        assert_eq!(Mark::of("a-symptom-of-next-year"), Mark::Bad);
    }

    #[test]
    fn a_rung_and_a_code_of_next_year_are_read_and_have_no_words() {
        let story = serde_json::json!({
            "number": 1, "code": "WAN-99", "owner": "moon", "certainty": "sure", "count": 1,
            "start": "2026-11-22T01:00:00Z", "seen": "2026-11-22T01:00:00Z", "again": "2026-11-22T01:00:00Z",
            "of-next-year": true, "evidence": [{ "rung": "teleporter" }],
        });
        let story: Story = serde_json::from_value(story).unwrap();
        assert_eq!((story.known(), story.party()), (None, Party::Unknown));
        assert_eq!(rung_name("teleporter"), None);
        assert_eq!(rung_name("centre-tls"), Some(Rung::CentreTls.name()));
    }

    #[test]
    fn what_is_remembered_of_a_look_is_short_and_to_the_second() {
        let at = "2026-11-22T01:00:00.123456Z".parse().unwrap();
        let detail = "証".repeat(500);
        let seen = Observation {
            rung: Rung::Link,
            terminal: None,
            outcome: Outcome::Good,
            at,
            took_ms: 0.0,
            detail,
        };
        let look = Look::of(&seen);
        assert_eq!(look.at.to_string(), "2026-11-22T01:00:00Z");
        assert_eq!(look.detail.chars().count(), Look::DETAIL);
    }
}
