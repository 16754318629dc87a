//! One file a role: what it is made of, what it publishes, what it may be asked.

pub mod boardd;
pub mod netd;
pub mod reachd;
pub mod relayd;
pub mod webd;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use model::part::Role;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::socket::server;

/// What every role is told: the site and the places.
pub struct Place {
    /// The checked site.
    pub site: Arc<model::Site>,
    /// PEM text of the authorities the centre's certificate must come from.
    pub authorities: Option<Vec<u8>>,
    /// Folder of what must survive a restart.
    pub state: PathBuf,
    /// Folder of the roles' sockets.
    pub sockets: PathBuf,
}

/// The roles while they run: each ends only by a failure.
pub type Roles = JoinSet<(Role, Result<(), Failure>)>;

/// How many intents may wait for a role before the next asker is told to come again.
const WAITING: usize = 16;

/// Opens the role's socket and serves its routes on it.
async fn serve(place: &Place, role: Role, routes: axum::Router, roles: &mut Roles) -> Result<(), Failure> {
    let door = server::open(&place.sockets, role).await?;
    roles.spawn(async move { (role, server::serve(door, routes).await) });
    Ok(())
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
