//! `relayd`: the files. It alone holds the terminals' passwords, so it also looks at their shares for `reachd`.

use axum::routing::post;
use model::part::{RelayPart, Role};
use tokio::sync::{mpsc, watch};

use crate::failure::Failure;
use crate::socket::part;
use crate::start::{Place, Roles};

/// Starts the relay.
///
/// # Errors
/// [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, roles: &mut Roles) -> Result<(), Failure> {
    let (part, seen) = watch::channel(RelayPart::default());
    let (ask, commands) = mpsc::channel(super::WAITING);
    let routes = part::routes(seen).route(
        "/look",
        post(move || async move { super::put(&ask, |reply| relay::Command::Look { reply }).await }),
    );
    super::serve(place, Role::Relayd, routes, roles).await?;
    let config = relay::Config::from_site(&place.site, &place.state);
    roles.spawn(
        async move { (Role::Relayd, relay::run(config, part, commands).await.map_err(Failure::from)) },
    );
    Ok(())
}
