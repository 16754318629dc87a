//! Remote maintenance, as verbs, page and record speak of it: what the clinic is asked for, what it consented to, how
//! that ended, and what was reached meanwhile.

use std::fmt;
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::decision::{Actor, Reason};
use crate::tunnel::Trouble;
use crate::words::{Language, Text};

mod refusal;

pub use refusal::Refusal;

/// What opens maintenance: said by the clinic's responsible person, never by a maintainer or an installer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Who is let in, by the name in the site file.
    pub maintainer: String,
    /// What for.
    pub reason: Reason,
    /// For how many minutes; the site file's most if absent.
    #[serde(default)]
    pub minutes: Option<u16>,
}

/// The one host and port of a second consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Further {
    /// The host.
    pub host: Ipv4Addr,
    /// Its TCP port.
    pub port: u16,
}

/// The responsible person's number. It is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(String);

impl Pin {
    /// The fewest digits.
    pub const SHORTEST: usize = 6;
    /// The most.
    pub const LONGEST: usize = 12;

    /// What somebody typed, right or wrong.
    pub fn typed(text: &str) -> Self {
        Self(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The digits, for who compares them.
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Whether it may become the clinic's: digits only, so many, and neither all alike nor in a row.
    pub fn is_fit(&self) -> bool {
        let digits = self.0.as_bytes();
        let right = (Self::SHORTEST..=Self::LONGEST).contains(&digits.len());
        let step = |by: i16| digits.windows(2).all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by);
        right && digits.iter().all(u8::is_ascii_digit) && ![-1, 0, 1].into_iter().any(step)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin")
    }
}

/// `POST /maintenance/open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// What is consented to.
    pub wanted: Wanted,
    /// The person's number.
    pub pin: Pin,
    /// It is the second time it is asked, on a day on which claims are sent.
    #[serde(default)]
    pub again: bool,
}

/// `POST /maintenance/further`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Widening {
    /// What is reached as well.
    pub further: Further,
    /// What for.
    pub reason: Reason,
    /// The person's number.
    pub pin: Pin,
}

/// `POST /maintenance/review`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewing {
    /// Which session.
    pub session: u64,
    /// The person's number.
    pub pin: Pin,
}

/// `POST /maintenance/pin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinChange {
    /// The number until now; none if there was none.
    pub old: Option<Pin>,
    /// The number from now on.
    pub new: Pin,
}

/// Who consented.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Giver {
    /// The responsible person, whose number was right; the user it was typed as.
    Pin {
        /// By the kernel's word.
        user: Actor,
    },
    /// Somebody who stood before the box and held the button.
    Button,
}

/// Why a consent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Its time was over.
    Time,
    /// Somebody in the clinic closed it.
    Closed,
    /// The process that held it ended.
    Crash,
    /// The box was started anew.
    Reboot,
    /// The box's clock is not trusted any more.
    Clock,
    /// The tunnel was not there for five minutes.
    NoTunnel,
    /// It could not be opened, and what was done of it was taken back.
    Failed,
}

impl End {
    /// Every end.
    pub const ALL: [Self; 7] =
        [Self::Time, Self::Closed, Self::Crash, Self::Reboot, Self::Clock, Self::NoTunnel, Self::Failed];

    /// In words.
    pub const fn word(self) -> Text {
        match self {
            Self::Time => Text::new("時間が来て閉じました", "its time was over"),
            Self::Closed => Text::new("院内で閉じました", "closed in the clinic"),
            Self::Crash => Text::new("本機の処理が止まり閉じました", "the process that held it ended"),
            Self::Reboot => Text::new("本機の再起動で閉じました", "the box was started anew"),
            Self::Clock => Text::new("時計を信頼できず閉じました", "the clock was not trusted any more"),
            Self::NoTunnel => Text::new("5分つながらず閉じました", "no tunnel for five minutes"),
            Self::Failed => Text::new("開けませんでした", "it could not be opened"),
        }
    }
}

/// What was reached while a consent was open, by the counters of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Bytes that came out of the tunnel.
    pub bytes_in: u64,
    /// Bytes that went into it.
    pub bytes_out: u64,
    /// Connections to the box's management.
    pub management: u64,
    /// Connections to the host of the second consent.
    pub further: u64,
}

/// The tunnel of an open consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Tunnel {
    /// It stands.
    Up,
    /// It does not, since then; the box calls the gateway again and again.
    Down {
        /// Since when.
        since: Timestamp,
    },
}

/// A verb that was used on the box while a consent was open, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Its route.
    pub verb: String,
    /// How often.
    pub times: u64,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: End,
    /// What was reached; none where nobody could count it any more.
    pub reached: Option<Reached>,
    /// Why there was no tunnel at the end (MNT-01): recorded, and never an alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// What was done on the box by verbs.
    pub used: Vec<Used>,
}

/// A person's review of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewed {
    /// When.
    pub at: Timestamp,
    /// The user it was typed as.
    pub user: Actor,
}

/// One consent, from its beginning to its review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its number: its place in the record.
    pub number: u64,
    /// Who was let in.
    pub maintainer: String,
    /// What for.
    pub reason: Reason,
    /// Who consented.
    pub by: Giver,
    /// When.
    pub at: Timestamp,
    /// Until when at the most.
    pub until: Timestamp,
    /// The second consents, in their order.
    pub further: Vec<Further>,
    /// How it ended; none while it is open.
    pub ended: Option<Ended>,
    /// Who reviewed it; none while nobody did.
    pub reviewed: Option<Reviewed>,
}

/// A session that nobody reviewed for so long is told, seconds: three days.
pub const REVIEW_WITHIN_S: i64 = 3 * 86_400;

impl Ended {
    /// Why there was no tunnel at the end, in words.
    pub fn why_not(&self) -> Option<Text> {
        self.trouble.map(without)
    }
}

impl Session {
    /// Whether it has ended and nobody has reviewed it.
    pub const fn awaits_review(&self) -> bool {
        self.ended.is_some() && self.reviewed.is_none()
    }

    /// Whether it has awaited its review for too long.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let ended = self.ended.as_ref().filter(|_| self.reviewed.is_none());
        ended.is_some_and(|ended| now.as_second() - ended.at.as_second() > REVIEW_WITHIN_S)
    }
}

/// What is open now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Its session's number.
    pub session: u64,
    /// Its tunnel.
    pub tunnel: Tunnel,
}

/// `netd`: remote maintenance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaintenancePart {
    /// Whether the site has maintenance at all.
    pub planned: bool,
    /// What is open now; closed is the normal state.
    pub open: Option<Open>,
    /// The newest sessions, the newest first, at most [`MaintenancePart::LISTED`], and all that await their review.
    pub sessions: Vec<Session>,
    /// Whether the responsible person has set a number.
    pub pin_set: bool,
    /// Why the newest session has or had no tunnel (MNT-01).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

impl MaintenancePart {
    /// How many sessions are listed, beside those that await their review.
    pub const LISTED: usize = 50;

    /// The session that is open, with its tunnel.
    pub fn open(&self) -> Option<(&Session, Tunnel)> {
        let open = self.open.as_ref()?;
        let session = self.sessions.iter().find(|session| session.number == open.session)?;
        Some((session, open.tunnel))
    }

    /// Why an open session has no tunnel, in words.
    pub fn why_not(&self) -> Option<Text> {
        self.trouble.filter(|_| self.open.is_some()).map(without)
    }

    /// Whether a session awaits its review for too long.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.sessions.iter().any(|session| session.is_overdue(now))
    }
}

/// Why a maintainer's gateway and the box have no tunnel.
const fn without(trouble: Trouble) -> Text {
    match trouble {
        Trouble::Silent | Trouble::SilentNat => {
            Text::new("保守会社の装置から応答がありません", "the maintainer's gateway does not answer")
        }
        Trouble::GatewayNotBelieved | Trouble::GatewayExpired => Text::new(
            "相手の証明書が設定ファイルのものと違います",
            "the gateway shows another certificate than the site file's",
        ),
        Trouble::AuthenticationRefused | Trouble::OwnSecret | Trouble::OwnExpired => {
            Text::new("相手が本機の証明書を受け付けません", "the gateway does not take the box's certificate")
        }
        Trouble::NoProposal | Trouble::NotAgreed => {
            Text::new("相手と方式が合いません", "the gateway agrees to nothing the box offers")
        }
        Trouble::Ended | Trouble::Other => Text::new("接続が続きません", "the tunnel does not last"),
    }
}

/// What came of what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Answer {
    /// It is open.
    Opened {
        /// Its session's number.
        session: u64,
        /// Until when at the most.
        until: Timestamp,
    },
    /// It is closed.
    Closed {
        /// Its session's number.
        session: u64,
    },
    /// The host and port are reached as well.
    Widened,
    /// It was reviewed.
    Reviewed,
    /// The number was set.
    PinSet,
    /// Nothing was done.
    Refused {
        /// Why.
        why: Refusal,
    },
}

impl Answer {
    /// The one sentence a person reads.
    pub fn sentence(&self, language: Language) -> String {
        let ja = language == Language::Ja;
        match self {
            Self::Opened { session, .. } if ja => format!("遠隔保守を開きました（記録 {session}）。"),
            Self::Opened { session, .. } => format!("Maintenance is open (session {session})."),
            Self::Closed { session } if ja => format!("遠隔保守を閉じました（記録 {session}）。"),
            Self::Closed { session } => format!("Maintenance is closed (session {session})."),
            Self::Widened => Text::new("指定の機器にも届くようにしました。", "The host is reached as well.")
                .get(language)
                .into(),
            Self::Reviewed => {
                Text::new("確認済みとして記録しました。", "Recorded as reviewed.").get(language).into()
            }
            Self::PinSet => Text::new("暗証番号を設定しました。", "The PIN is set.").get(language).into(),
            Self::Refused { why } => why.sentence(language),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_digits_that_are_neither_alike_nor_in_a_row_and_is_never_shown() {
        for fit in ["385017", "112233", "908172635401"] {
            assert!(Pin::typed(fit).is_fit(), "{fit}");
        }
        for unfit in ["", "38501", "9081726354012", "38501a", "111111", "123456", "987654", "３８５０１７"]
        {
            assert!(!Pin::typed(unfit).is_fit(), "{unfit}");
        }
        assert_eq!(format!("{:?}", Pin::typed("385017\n")), "Pin");
    }

    #[test]
    fn a_review_is_late_after_three_days_and_never_before_the_end() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let mut session = Session {
            number: 1,
            maintainer: "sato".into(),
            reason: Reason::new("update").unwrap(),
            by: Giver::Button,
            at: at(0),
            until: at(600),
            further: Vec::new(),
            ended: None,
            reviewed: None,
        };
        assert!(!session.is_overdue(at(1_000_000)) && !session.awaits_review(), "it is open");
        let ended = Ended { at: at(100), why: End::Time, reached: None, trouble: None, used: Vec::new() };
        session.ended = Some(ended);
        assert!(!session.is_overdue(at(100 + REVIEW_WITHIN_S)));
        assert!(session.is_overdue(at(101 + REVIEW_WITHIN_S)));
        session.reviewed = Some(Reviewed { at: at(101), user: Actor { name: "root".into(), uid: 0 } });
        assert!(!session.is_overdue(at(1_000_000)));
    }
}
