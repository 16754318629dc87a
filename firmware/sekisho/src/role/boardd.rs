//! `boardd`: the lamps. It reads the other roles' parts and shows one scene.

use std::path::PathBuf;

use model::part::Role;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::snapshot;
use crate::socket::part;
use crate::start::{Place, Roles};

/// Starts the lamps.
///
/// # Errors
/// [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, roles: &mut Roles) -> Result<(), Failure> {
    let mut simulated = board::Simulated::default();
    let (publish, seen) = watch::channel(simulated.part());
    super::serve(place, Role::Boardd, part::routes(seen), roles).await?;
    let sockets: PathBuf = place.sockets.clone();
    roles.spawn(async move {
        let mut picture = snapshot::follow(&sockets, &[Role::Netd, Role::Relayd, Role::Reachd]);
        while picture.changed().await.is_ok() {
            let scene = board::scene(&picture.borrow_and_update());
            simulated.show(scene);
            publish.send_replace(simulated.part());
        }
        (Role::Boardd, Ok(()))
    });
    Ok(())
}
