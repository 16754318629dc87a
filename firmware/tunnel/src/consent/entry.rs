//! The entries of the record: who let whom in, for what and how long, what was reached, and who reviewed it.

use model::Timestamp;
use model::decision::{Actor, Reason};
use model::maintenance::{End, Further, Giver, Reached, Used};
use model::tunnel::Trouble;
use serde::{Deserialize, Serialize};

/// One entry, as it is written: compact JSON, its keys in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "entry")]
pub enum Entry {
    /// Somebody consented. It is written before anything is open; its place in the record is the session's number.
    Opened {
        /// When.
        at: Timestamp,
        /// Since which start of the machine, by the kernel's word.
        boot: String,
        /// Who is let in.
        maintainer: String,
        /// What for.
        reason: Reason,
        /// Until when at the most.
        until: Timestamp,
        /// Who consented.
        by: Giver,
        /// It was asked twice, because claims were sent those days.
        twice: bool,
    },
    /// A second consent, for one further host and port.
    Widened {
        /// When.
        at: Timestamp,
        /// Of which session.
        of: u64,
        /// What is reached as well.
        further: Further,
        /// What for.
        reason: Reason,
        /// Who consented.
        by: Giver,
    },
    /// It ended.
    Ended {
        /// When; after a crash or a reboot, when that was found out.
        at: Timestamp,
        /// Of which session.
        of: u64,
        /// Why.
        why: End,
        /// What was reached; none where nobody could count it any more.
        reached: Option<Reached>,
        /// Why there was no tunnel at the end (MNT-01).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trouble: Option<Trouble>,
        /// What was done on the box by verbs.
        used: Vec<Used>,
    },
    /// A person has reviewed it.
    Reviewed {
        /// When.
        at: Timestamp,
        /// Of which session.
        of: u64,
        /// The user it was typed as.
        user: Actor,
    },
    /// The responsible person's number was set or changed.
    PinSet {
        /// When.
        at: Timestamp,
        /// The user it was typed as.
        user: Actor,
    },
    /// Somebody typed a wrong number.
    WrongPin {
        /// When.
        at: Timestamp,
        /// The user it was typed as.
        user: Actor,
    },
}

impl Entry {
    /// When it was written.
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Opened { at, .. }
            | Self::Widened { at, .. }
            | Self::Ended { at, .. }
            | Self::Reviewed { at, .. }
            | Self::PinSet { at, .. }
            | Self::WrongPin { at, .. } => *at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_an_entry_is_fixed() {
        let at: Timestamp = "2026-11-25T02:00:00Z".parse().unwrap();
        let opened = Entry::Opened {
            at,
            boot: "b".into(),
            maintainer: "sato".into(),
            reason: Reason::new("更新").unwrap(),
            until: "2026-11-25T03:00:00Z".parse().unwrap(),
            by: Giver::Button,
            twice: false,
        };
        let wanted = concat!(
            r#"{"entry":"opened","at":"2026-11-25T02:00:00Z","boot":"b","maintainer":"sato","reason":"更新","#,
            r#""until":"2026-11-25T03:00:00Z","by":{"is":"button"},"twice":false}"#
        );
        assert_eq!(serde_json::to_string(&opened).unwrap(), wanted);
        let reached = Reached { bytes_in: 1, bytes_out: 2, management: 3, further: 0 };
        let ended = Entry::Ended {
            at,
            of: 7,
            why: End::NoTunnel,
            reached: Some(reached),
            trouble: Some(Trouble::Silent),
            used: Vec::new(),
        };
        let wanted = concat!(
            r#"{"entry":"ended","at":"2026-11-25T02:00:00Z","of":7,"why":"no-tunnel","#,
            r#""reached":{"bytes_in":1,"bytes_out":2,"management":3,"further":0},"trouble":"silent","used":[]}"#
        );
        assert_eq!(serde_json::to_string(&ended).unwrap(), wanted);
    }
}
