//! The bastion: carries files, and nothing else, between the clinic's share, which the box itself exports, and
//! the terminals' shares, which it opens as a client.
//!
//! A reader starts at `lane`, the road of one terminal: intake sees a file whole (`whole`, `lease`), `name`
//! admits it by the table of kinds, `request` and `answer` decide every step without touching a file,
//! `clinic` and `share` carry it out. The folders are the journal; `ledger` keeps what a name cannot say.

mod answer;
mod clinic;
mod folder;
mod lane;
mod lease;
mod ledger;
mod name;
mod report;
mod request;
pub mod sabotage;
pub mod samba;
pub mod share;
mod site;
mod watch;
mod whole;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Observation;
use model::part::RelayPart;
use tokio::sync::{mpsc, oneshot, watch as channel};

pub use site::{Config, TerminalConfig};

use crate::clinic::Clinic;
use crate::lane::{Desk, Lane, Looker};
use crate::ledger::Ledger;
use crate::report::Report;
use crate::share::Terminal;
use crate::share::remote::RemoteTerminal;

/// What keeps the relay from running at all. A terminal that is away is none of this.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused something on our own folders. No file's name is in it.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// In which folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Our own state could not be written or read.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The kernel gave no random bytes.
    #[error("draw random bytes: {0}")]
    Random(String),
}

impl Error {
    /// For `map_err`: names the action and the folder.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// What others may ask of the relay.
#[derive(Debug)]
pub enum Command {
    /// Connects to every terminal afresh, logs in and looks at its folders; at most three seconds.
    Look {
        /// One observation a terminal.
        reply: oneshot::Sender<Vec<Observation>>,
    },
}

/// Runs the relay until it is dropped.
///
/// # Errors
/// Only at the start, if our own folders cannot be opened: see [`Error`].
pub async fn run(
    config: Config,
    part: channel::Sender<RelayPart>,
    commands: mpsc::Receiver<Command>,
) -> Result<(), Error> {
    let terminals = config.terminals.iter().map(|one| (one.name.clone(), RemoteTerminal::new(one.clone())));
    run_with(&config, terminals.collect(), part, commands).await
}

/// Runs the relay with terminals of any sort. The first one gets the requests.
///
/// # Errors
/// As [`run`].
pub async fn run_with<T: Terminal>(
    config: &Config,
    terminals: Vec<(String, T)>,
    part: channel::Sender<RelayPart>,
    commands: mpsc::Receiver<Command>,
) -> Result<(), Error> {
    let clinic = Arc::new(Clinic::open(&config.state)?);
    clinic.flush()?;
    let now_s = model::Timestamp::now().as_second();
    let (ledger, facts) = Ledger::open(&config.state.join("relay"), now_s)?;
    for fact in facts {
        tracing::warn!(?fact, "the log of seen answers was damaged");
    }
    let (ledger, report) = (Arc::new(ledger), Arc::new(Report::new(part)));
    let hint = watch::start(&clinic);
    let lookers: Vec<Looker<T>> = terminals.into_iter().map(|(name, one)| Looker::new(name, one)).collect();
    let lanes = lookers.iter().enumerate().map(|(index, looker)| {
        let desk = Desk {
            lane: looker.name.clone(),
            kinds: config.kinds.clone(),
            clinic: clinic.clone(),
            ledger: ledger.clone(),
            report: report.clone(),
        };
        Lane::keep(desk, looker.clone(), index == 0, hint.clone())
    });
    let lanes = futures_util::future::join_all(lanes);
    tokio::join!(lanes, lane::serve(commands, lookers.clone()), hint.forward());
    Ok(())
}
