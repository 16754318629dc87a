//! What the kernel says of its own accord: that the rules were changed, and what they refused. A room that cannot hear
//! goes on by looking.

use crate::log::{Log, Logged};
use crate::notices::{Change, Notices};

/// What is heard.
#[derive(Default)]
pub(crate) struct Ears {
    /// Whether there is a kernel to hear, and no double of it.
    real: bool,
    notices: Option<Notices>,
    log: Option<Log>,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Somebody changed the rules, perhaps ourselves.
    Change(Change),
    /// Packets were refused.
    Refusals(Vec<Logged>),
    /// One ear is deaf from now on.
    Lost,
}

impl Ears {
    /// Those of the network namespace of the caller, not open yet.
    pub(crate) fn here() -> Self {
        Self { real: true, ..Self::default() }
    }

    /// Hears of changes from now on.
    pub(crate) fn open_notices(&mut self) {
        if self.real && self.notices.is_none() {
            let opened = Notices::open();
            let opened =
                opened.inspect_err(|error| tracing::warn!(%error, "changes of the rules are not heard"));
            self.notices = opened.ok();
        }
    }

    /// Hears of refusals from now on. Gives why it does not, or that it begins; nothing if it did already.
    pub(crate) async fn open_log(&mut self) -> Option<std::io::Result<()>> {
        if !self.real || self.log.is_some() {
            return None;
        }
        let opened = Log::open().await.map(|log| self.log = Some(log));
        Some(opened)
    }

    /// Hears of refusals no more: they may be those of other rules than ours.
    pub(crate) fn close_log(&mut self) {
        self.log = None;
    }

    /// Waits for the next thing; for ever with two deaf ears.
    pub(crate) async fn next(&mut self) -> Heard {
        let Self { notices, log, .. } = self;
        let (heard, which) = tokio::select! {
            heard = next_change(notices) => (heard.map(Heard::Change), "changes of the rules"),
            heard = next_refusals(log) => (heard.map(Heard::Refusals), "refused packets"),
        };
        heard.unwrap_or_else(|error| {
            tracing::warn!(%error, "the kernel's word on {which} cannot be read");
            if which == "refused packets" {
                self.log = None
            } else {
                self.notices = None
            }
            Heard::Lost
        })
    }
}

async fn next_change(notices: &mut Option<Notices>) -> std::io::Result<Change> {
    match notices {
        Some(notices) => notices.next().await,
        None => std::future::pending().await,
    }
}

async fn next_refusals(log: &mut Option<Log>) -> std::io::Result<Vec<Logged>> {
    match log {
        Some(log) => log.next().await,
        None => std::future::pending().await,
    }
}
