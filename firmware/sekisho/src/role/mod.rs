//! One file a role: what it is made of, what it waits for, what it publishes, what it may be asked.

pub mod boardd;
mod flows;
mod lent;
mod maintenance;
pub mod names;
pub mod netd;
pub mod own;
pub mod reachd;
pub mod relayd;
mod segment;
mod told;
mod tunnel;
pub mod webd;

pub use maintenance::certificate;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use model::boot::Setup;
use model::part::Role;
use model::ruleset::Candidate;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::contract::Contract;
use crate::failure::Failure;
use crate::socket::part::Pulse;
use crate::socket::server;

/// What every role is told: what the box is for, and the places.
pub struct Place {
    /// What the box is for since it came up.
    pub purpose: Purpose,
    /// The board's name.
    pub board: String,
    /// The texts of the site file in force and its profile; none before a site is.
    pub texts: Option<Candidate>,
    /// PEM text of the authorities the centre's certificate must come from.
    pub authorities: Option<Vec<u8>>,
    /// The provider of a line by IPsec.
    pub provider: Option<Contract>,
    /// Who runs the gateways of the receipt computer's cloud.
    pub cloud: Option<Contract>,
    /// PEM text of the authorities of the cloud's services.
    pub cloud_authorities: Option<Vec<u8>>,
    /// Folder of what must survive a restart.
    pub state: PathBuf,
    /// Folder of the roles' sockets.
    pub sockets: PathBuf,
    /// The roles of this process: all, or one.
    pub roles: Vec<Role>,
}

/// What the box is for.
#[derive(Clone)]
pub enum Purpose {
    /// The work of this site, which was checked.
    Site(Arc<model::Site>),
    /// No site is in force: the setup page, where there is a port for it, and nothing else.
    Setup {
        /// The port.
        setup: Option<Setup>,
        /// Whether computers on it get their addresses from the box.
        lends_addresses: bool,
    },
}

impl Place {
    /// A place of which no more is known than where it is and what for.
    pub const fn without_a_site(
        purpose: Purpose,
        board: String,
        state: PathBuf,
        sockets: PathBuf,
        roles: Vec<Role>,
    ) -> Self {
        let (texts, authorities, provider, cloud, cloud_authorities) = (None, None, None, None, None);
        Self { purpose, board, texts, authorities, provider, cloud, cloud_authorities, state, sockets, roles }
    }

    /// The site in force, for a role that has nothing to do without one.
    ///
    /// # Errors
    /// [`Failure::NoSite`].
    fn site(&self, role: Role) -> Result<&Arc<model::Site>, Failure> {
        match &self.purpose {
            Purpose::Site(site) => Ok(site),
            Purpose::Setup { .. } => Err(Failure::NoSite(role)),
        }
    }
}

/// Where a role says that it serves, and by what it can be felt that its room is alive.
pub type Ready = oneshot::Sender<Option<Pulse>>;

/// Runs a role until it ends, which it does only by a failure.
///
/// # Errors
/// What keeps it from starting, or ended it.
pub async fn run(role: Role, place: &Place, ready: Ready) -> Result<(), Failure> {
    let tasks = match role {
        Role::Netd => netd::start(place, ready).await,
        Role::Relayd => relayd::start(place, ready).await,
        Role::Reachd => reachd::start(place, ready).await,
        Role::Boardd => boardd::start(place, ready).await,
        Role::Webd => webd::start(place, ready).await,
    };
    match tasks?.join_next().await {
        Some(Ok(ended)) => ended,
        Some(Err(panic)) => Err(Failure::Panicked(panic.to_string())),
        None => Ok(()),
    }
}

/// What a role is made of while it runs; the first that ends ends the role.
type Tasks = JoinSet<Result<(), Failure>>;

/// How many intents may wait for a role before the next asker is told to come again.
const WAITING: usize = 16;

/// Opens the role's socket and serves its routes on it.
async fn serve(place: &Place, role: Role, routes: axum::Router) -> Result<Tasks, Failure> {
    let door = server::open(&place.sockets, role).await?;
    let mut tasks = Tasks::new();
    tasks.spawn(server::serve(door, routes));
    Ok(tasks)
}

/// Says that the role serves. The daemon may be ending and not listen any more.
fn serves(ready: Ready, pulse: Option<Pulse>) {
    let _ = ready.send(pulse);
}

/// Waits for the room's first word before saying so. If it never comes the room has ended, and its own error says why.
async fn serves_once_it_sends<T>(room: &mut watch::Receiver<T>, ready: Ready, pulse: Pulse) {
    if room.changed().await.is_ok() {
        serves(ready, Some(pulse));
    }
}

/// Puts a question to a room and waits for its answer; a room that is gone or overrun is 503.
async fn put<Q, A>(
    room: &mpsc::Sender<Q>,
    question: impl FnOnce(oneshot::Sender<A>) -> Q,
) -> Result<Json<A>, StatusCode> {
    let (reply, answer) = oneshot::channel();
    room.try_send(question(reply)).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    answer.await.map(Json).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}
