//! `webd`: the page. It reads one immutable picture and decides nothing.

use std::net::SocketAddr;

use model::part::Role;

use super::{Place, Roles};
use crate::failure::Failure;
use crate::snapshot;

/// Opens the page's ports on the box's address in the clinic's zone.
///
/// # Errors
/// [`Failure::Page`] naming the address, for instance a busy port.
pub fn bind(place: &Place) -> Result<web_ui::Listeners, Failure> {
    Ok(web_ui::bind(&config(place))?)
}

/// Starts the page.
///
/// # Errors
/// [`Failure::Write`] if the socket cannot be made.
pub async fn start(place: &Place, listeners: web_ui::Listeners, roles: &mut Roles) -> Result<(), Failure> {
    // The page has nothing of its own to publish yet; its socket is how a second daemon is noticed.
    super::serve(place, Role::Webd, axum::Router::new(), roles).await?;
    let pictures = snapshot::follow(&place.sockets, &[Role::Netd, Role::Relayd, Role::Reachd, Role::Boardd]);
    roles.spawn(async move {
        let ended = web_ui::serve(listeners, pictures, model::Timestamp::now).await;
        (Role::Webd, ended.map_err(Failure::from))
    });
    Ok(())
}

fn config(place: &Place) -> web_ui::Config {
    let site = place.site.clone();
    let address = site.clinic.address;
    web_ui::Config {
        http: SocketAddr::new(address, site.page.http),
        https: SocketAddr::new(address, site.page.https),
        identity_dir: place.state.join("page"),
        site,
    }
}
