//! `boardd`: the lamps. It reads the other roles' parts and shows one scene.

use std::path::PathBuf;
use std::time::Duration;

use model::Timestamp;
use model::part::{PATIENCE_S, Role};
use tokio::sync::watch;

use super::{Place, Ready, Tasks};
use crate::failure::Failure;
use crate::snapshot;
use crate::socket::part;

/// How often the lamps are shown anew though nothing changed.
const EVERY: Duration = Duration::from_secs(5);

/// Starts the lamps.
///
/// # Errors
/// [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let mut simulated = board::Simulated::of(place.board.clone());
    let (publish, seen) = watch::channel(simulated.part());
    let (routes, pulse) = part::routes(seen, PATIENCE_S);
    let mut tasks = super::serve(place, Role::Boardd, routes).await?;
    let sockets: PathBuf = place.sockets.clone();
    tasks.spawn(async move {
        let mut picture = snapshot::follow(&sockets, &[Role::Netd, Role::Relayd, Role::Reachd]);
        loop {
            let seen = picture.borrow_and_update().as_ref().clone();
            simulated.show(board::scene(&seen.fresh(Timestamp::now())));
            publish.send_replace(simulated.part());
            // Also without a change: a part that grew too old must go dark on the lamps too.
            if let Ok(Err(_)) = tokio::time::timeout(EVERY, picture.changed()).await {
                return Ok(());
            }
        }
    });
    super::serves(ready, Some(pulse));
    Ok(tasks)
}
