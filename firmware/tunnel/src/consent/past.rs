//! The sessions, made of the record's entries: at a start of all of them, then of each as it is written.

use std::collections::BTreeMap;

use model::maintenance::{Ended, MaintenancePart, Reviewed, Session};

use super::entry::Entry;

/// Every session of the record, by its number, and the start of the machine it was opened in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    sessions: BTreeMap<u64, (Session, String)>,
}

impl Past {
    /// Takes an entry in that stands at this place of the record. One about a session that is not there (it may be
    /// older than what is kept) changes nothing.
    pub fn take(&mut self, number: u64, entry: &Entry) {
        match entry.clone() {
            Entry::Opened { at, boot, maintainer, reason, until, by, .. } => {
                let (further, ended, reviewed) = (Vec::new(), None, None);
                let session = Session { number, maintainer, reason, by, at, until, further, ended, reviewed };
                self.sessions.insert(number, (session, boot));
            }
            Entry::Widened { of, further, .. } => self.change(of, |session| session.further.push(further)),
            Entry::Ended { at, of, why, reached, trouble, used } => {
                self.change(of, |session| session.ended = Some(Ended { at, why, reached, trouble, used }));
            }
            Entry::Reviewed { at, of, user } => {
                self.change(of, |session| session.reviewed = Some(Reviewed { at, user }));
            }
            Entry::PinSet { .. } | Entry::WrongPin { .. } => {}
        }
    }

    fn change(&mut self, number: u64, how: impl FnOnce(&mut Session)) {
        if let Some((session, _)) = self.sessions.get_mut(&number) {
            how(session);
        }
    }

    /// The session of this number.
    pub fn session(&self, number: u64) -> Option<&Session> {
        self.sessions.get(&number).map(|(session, _)| session)
    }

    /// The sessions without an end, and the start of the machine each was opened in.
    pub fn unended(&self) -> impl Iterator<Item = (u64, &str)> {
        let unended = self.sessions.iter().filter(|(_, (session, _))| session.ended.is_none());
        unended.map(|(number, (_, boot))| (*number, boot.as_str()))
    }

    /// What is told of them: the newest, and all that are open or await their review.
    pub fn told(&self) -> Vec<Session> {
        let newest = self.sessions.values().rev().enumerate();
        let told = newest.filter(|(place, (session, _))| {
            *place < MaintenancePart::LISTED || session.ended.is_none() || session.awaits_review()
        });
        told.map(|(_, (session, _))| session.clone()).collect()
    }
}
