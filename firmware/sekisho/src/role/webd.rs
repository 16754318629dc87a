//! `webd`: the page. It reads one immutable picture and decides nothing; its ports are lent by `netd`.

use std::net::TcpListener;

use axum::routing::get;
use axum::{Json, Router};
use model::Timestamp;
use model::part::Role;

use super::{Place, Ready, Tasks, lent};
use crate::failure::Failure;
use crate::snapshot;
use crate::socket::lend::Loan;

/// Starts the page on the ports that `netd` lends it. They stay open when `netd` goes, and the page says so.
///
/// # Errors
/// [`Failure::NotLent`], for instance for a busy port; [`Failure::Page`] without a certificate; [`Failure::Write`] if
/// the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let mut loan = Loan::of(&place.sockets, Role::Webd).await?;
    let [http, https] = [loan.take(lent::HTTP)?, loan.take(lent::HTTPS)?].map(TcpListener::from);
    let config = web_ui::Config { site: place.site.clone(), identity_dir: place.state.join("page") };
    let listeners = web_ui::Listeners::new(&config, http, https)?;
    let fingerprint = listeners.fingerprint().to_owned();
    let routes = Router::new().route("/fingerprint", get(async move || Json(fingerprint.clone())));
    let mut tasks = super::serve(place, Role::Webd, routes).await?;
    let pictures = snapshot::follow(&place.sockets, &[Role::Netd, Role::Relayd, Role::Reachd, Role::Boardd]);
    tasks.spawn(
        async move { web_ui::serve(listeners, pictures, Timestamp::now).await.map_err(Failure::from) },
    );
    // It has no part, so no pulse: that the runtime turns, which gives the sign of life, is all there is to feel.
    super::serves(ready, None);
    Ok(tasks)
}
