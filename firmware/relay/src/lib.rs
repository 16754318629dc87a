//! The bastion: carries files, and nothing else, between the consumers' folders, which the box itself exports, and
//! the terminals' shares, which it opens as a client.
//!
//! A reader starts at `lane`, the road between the box and one end: its outbox sees a file whole (`whole`, `lease`),
//! `name` admits it by the table of kinds, `request` and `answer` decide every step without touching a file, `clinic`
//! and `share` carry it out, several files at a time. The folders are the journal; `ledger` keeps what a name cannot
//! say.

mod answer;
pub mod audit;
mod clinic;
mod copy;
mod entry;
mod folder;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod history;
mod inspect;
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
use model::decision::{Actor, Decided, Decision, Verb};
use model::parcel::{Day, Direction, Passed};
use model::part::RelayPart;
use model::selftest::{Ask, SelfTest};
use tokio::sync::{mpsc, oneshot, watch as channel};

pub use history::serve as answer_about_history;
pub use site::{Config, ConsumerConfig, HistoryBy, TerminalConfig};

use crate::audit::Audit;
use crate::clinic::{Clinic, Own, Seat};
use crate::lane::collect::{self, Uncollected};
use crate::lane::{Desk, Lane, Looker, Plan, Way};
use crate::ledger::Ledger;
use crate::name::Table;
use crate::report::Report;
use crate::share::Terminal;
use crate::watch::{Change, Hints, Watched};

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
    /// Connects to every terminal afresh, logs in and looks at its folders. The answer comes within about 1.5 s; a
    /// terminal that is slower is open in it, or what a look before this one saw, and its look goes on.
    Look {
        /// Whether a person asked: a login that was refused is then tried again sooner.
        asked: bool,
        /// One observation a terminal.
        reply: oneshot::Sender<Vec<Observation>>,
    },
    /// Tries on terminals' shares what the promises rest on, beside the running lanes.
    SelfTest {
        /// Which, and whether somebody is there.
        ask: Ask,
        /// One a terminal; none if none is of that name.
        reply: oneshot::Sender<Vec<SelfTest>>,
    },
    /// Says what became of the parcel of this number, if that is remembered.
    Passed {
        /// Its journal number.
        number: u64,
        /// When it went or came, and what it was.
        reply: oneshot::Sender<Option<Passed>>,
    },
    /// Says every day that is remembered, oldest first.
    Days {
        /// The days.
        reply: oneshot::Sender<Vec<Day>>,
    },
    /// Carries out what a person decided about a held parcel, between two steps of its lane.
    Decide {
        /// What.
        verb: Verb,
        /// About which parcel, and why.
        decision: Decision,
        /// Who.
        actor: Actor,
        /// What came of it.
        reply: oneshot::Sender<Decided>,
    },
}

/// Runs the relay until it is dropped, with ends of any sort: one for each terminal, then one for each consumer
/// without a share on the box.
///
/// # Errors
/// Only at the start, if our own folders cannot be opened: see [`Error`].
pub async fn run<T: Terminal>(
    config: &Config,
    ends: Vec<T>,
    part: channel::Sender<RelayPart>,
    commands: mpsc::Receiver<Command>,
) -> Result<(), Error> {
    let relay = Relay::open(config, part)?;
    let plans = lane::lanes(config, &relay.table);
    let (mut lanes, mut lookers, mut watched, mut orders) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let strays: Vec<Desk> = relay.strays(config, &plans)?;
    for (plan, end) in plans.into_iter().zip(ends) {
        let hints = Arc::new(Hints::default());
        watched.extend(relay.watch_outlets(&plan, &hints));
        let looker = Looker::new(&plan, end);
        lookers.push(looker.clone());
        let desk = relay.desk(&plan.name, plan.way)?;
        orders.push(desk.orders.clone());
        lanes.push(Lane::keep(desk, plan, looker, hints));
    }
    orders.extend(strays.iter().map(|desk| desk.orders.clone()));
    let strays = futures_util::future::join_all(strays.into_iter().map(lane::keep_stray));
    let uncollected = relay.uncollected(config)?;
    orders.push(uncollected.desk.orders.clone());
    watched.extend(relay.watch_collected(&uncollected));
    let lanes = futures_util::future::join_all(lanes);
    tokio::join!(
        lanes,
        strays,
        lane::serve(commands, lookers, orders, relay.report.clone()),
        watch::forward(watched),
        uncollected.run()
    );
    Ok(())
}

/// The folders it wants on each of the box's own shares: the share, and paths below it. They must be there and be the
/// relay's when it starts where the exported folder is not its own to make them in.
pub fn shared_folders(config: &Config) -> Vec<(String, Vec<String>)> {
    let table = Table::new(&config.kinds);
    let folders = |(at, consumer): (usize, &ConsumerConfig)| {
        let folders = lane::folders_of_seat(config, &table, at);
        Some((consumer.share.clone()?, [folders.shown, folders.emptied].concat()))
    };
    config.consumers.iter().enumerate().filter_map(folders).collect()
}

/// What all lanes share.
struct Relay {
    state: PathBuf,
    table: Arc<Table>,
    opening: Arc<model::Opening>,
    count_outcomes: bool,
    clinic: Arc<Clinic>,
    ledger: Arc<Ledger>,
    report: Arc<Report>,
    audit: Arc<Audit>,
}

impl Relay {
    fn open(config: &Config, part: channel::Sender<RelayPart>) -> Result<Self, Error> {
        let table = Table::new(&config.kinds);
        let seat = |(at, consumer): (usize, &ConsumerConfig)| {
            let path = match &consumer.share {
                Some(share) => config.state.join("share").join(share),
                None => config.state.join("relay").join("consumer").join(&consumer.name),
            };
            Seat::open(
                &consumer.name,
                consumer.share.is_some(),
                path,
                &lane::folders_of_seat(config, &table, at),
            )
        };
        let seats: Result<Vec<Seat>, Error> = config.consumers.iter().enumerate().map(seat).collect();
        let relay = config.state.join("relay");
        journal::make_folder(&relay)?;
        let (ledger, facts) = Ledger::open(&relay, model::Timestamp::now().as_second())?;
        for fact in facts {
            tracing::warn!(?fact, "the log of seen answers was damaged");
        }
        ledger.part_attempts()?;
        Ok(Self {
            state: config.state.clone(),
            clinic: Arc::new(Clinic::new(seats?)),
            table: Arc::new(table),
            opening: Arc::new(config.opening.clone()),
            count_outcomes: config.count_outcomes,
            ledger: Arc::new(ledger),
            report: Arc::new(Report::new(part, config.count_outcomes).remembering(&relay, &config.history)),
            audit: Arc::new(Audit::open(&config.state, model::Timestamp::now())?),
        })
    }

    fn desk(&self, lane: &str, way: Way) -> Result<Desk, Error> {
        Ok(Desk {
            lane: lane.to_owned(),
            way,
            table: self.table.clone(),
            opening: self.opening.clone(),
            count_outcomes: self.count_outcomes,
            clinic: self.clinic.clone(),
            own: Arc::new(Own::open(&self.state.join("relay"), lane)?),
            ledger: self.ledger.clone(),
            report: self.report.clone(),
            audit: self.audit.clone(),
            orders: Arc::default(),
        })
    }

    /// The desks of ends that are not in the site file any more.
    fn strays(&self, config: &Config, lanes: &[Plan]) -> Result<Vec<Desk>, Error> {
        lane::tell_unowned(config, &self.table)?;
        let strays = lane::strays(&self.state.join("relay"), lanes)?;
        strays.iter().map(|plan| self.desk(&plan.name, plan.way)).collect()
    }

    fn watch_outlets(&self, plan: &Plan, hints: &Arc<Hints>) -> Vec<Watched> {
        let watched = |(place, outlet): (usize, &lane::Outlet)| {
            let path = self.clinic.seat(outlet.seat)?.path(&outlet.path);
            let place = u16::try_from(place).ok()?;
            Some(Watched { path, change: Change::Put, hints: hints.clone(), place })
        };
        plan.outlets.iter().enumerate().filter_map(watched).collect()
    }

    /// What consumers collect from the box's own shares; what goes on to a consumer elsewhere is its lane's.
    fn uncollected(&self, config: &Config) -> Result<Uncollected, Error> {
        let own = config.consumers.iter().enumerate().filter(|(_, consumer)| consumer.share.is_some());
        let answers = self.table.folders(Direction::Answer);
        let wants = |(at, consumer): (usize, &ConsumerConfig)| {
            let wanted = answers.iter().filter(|(folder, _)| consumer.takes(folder));
            wanted.map(|(folder, _)| (at, folder.clone())).collect::<Vec<_>>()
        };
        let way = Way { out: Direction::Answer, into: Direction::Answer };
        let desk = self.desk(collect::NAME, way)?;
        Ok(Uncollected { desk, folders: own.flat_map(wants).collect(), hints: Arc::default() })
    }

    fn watch_collected(&self, uncollected: &Uncollected) -> Vec<Watched> {
        let watched = |(seat, folder): &(usize, String)| {
            let path = self.clinic.seat(*seat)?.path(folder);
            Some(Watched { path, change: Change::Taken, hints: uncollected.hints.clone(), place: 0 })
        };
        uncollected.folders.iter().filter_map(watched).collect()
    }
}
