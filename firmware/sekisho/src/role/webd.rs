//! `webd`: the page. It reads one immutable picture and decides nothing; its ports are lent by `netd`.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use model::Timestamp;
use model::part::{LinePart, Role};
use tokio::sync::mpsc;
use web_ui::{Intent, Intents, Listeners};

use super::{Place, Purpose, Ready, Tasks, lent};
use crate::failure::Failure;
use crate::snapshot;
use crate::socket::client;
use crate::socket::lend::Loan;

/// Until when the page's certificates are good: for the verdict on the box.
pub const UNTIL: &str = "/until";

/// Starts the page on the ports that `netd` lends it. They stay open when `netd` goes, and the page says so.
///
/// # Errors
/// [`Failure::NotLent`], for instance for a busy port; [`Failure::Page`] without a certificate; [`Failure::Write`] if
/// the socket cannot be made.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    let mut loan = Loan::of(&place.sockets, Role::Webd).await?;
    let listeners = listeners(place, &mut loan)?;
    let mut routes = Router::new();
    if let Some(listeners) = &listeners {
        let (known, until) = (listeners.fingerprints().clone(), listeners.until());
        routes = routes.route("/fingerprints", get(async move || Json(known.clone())));
        routes = routes.route(UNTIL, get(async move || Json(until)));
    }
    let mut tasks = super::serve(place, Role::Webd, routes).await?;
    let roles = [Role::Netd, Role::Relayd, Role::Reachd, Role::Boardd];
    let pictures = snapshot::follow_with_past(&place.sockets, &roles);
    if let Some(listeners) = listeners {
        let (wanted, intents) = mpsc::channel(1);
        tasks.spawn(carry(place.sockets.clone(), intents));
        tasks.spawn(async move {
            let intents = Intents::new(wanted);
            web_ui::serve(listeners, pictures, intents, Timestamp::now).await.map_err(Failure::from)
        });
    }
    // It has no part, so no pulse: that the runtime turns, which gives the sign of life, is all there is to feel.
    super::serves(ready, None);
    Ok(tasks)
}

/// Carries what visitors want to the role that acts. What comes of it is seen in that role's part, also if it does not
/// answer.
async fn carry(sockets: PathBuf, mut intents: mpsc::Receiver<Intent>) -> Result<(), Failure> {
    while let Some(Intent::Check) = intents.recv().await {
        let asked: Result<LinePart, Failure> = client::intent(&sockets, Role::Reachd, "/sweep/page").await;
        if let Err(error) = asked {
            tracing::debug!(%error, "a visitor's look was not made");
        }
    }
    Ok(())
}

/// The overview of a site on both ports; before a site is in force the setup page, or none if there is no port for it.
fn listeners(place: &Place, loan: &mut Loan) -> Result<Option<Listeners>, Failure> {
    let identity_dir = place.state.join("page");
    let mut take = |name| loan.take(name).map(TcpListener::from);
    Ok(Some(match &place.purpose {
        Purpose::Site(site) => {
            let config = web_ui::Config { site: Arc::clone(site), identity_dir };
            Listeners::new(&config, take(lent::HTTP)?, take(lent::HTTPS)?)?
        }
        Purpose::Setup { setup: Some(_), .. } => Listeners::setup(&identity_dir, take(lent::HTTPS)?)?,
        Purpose::Setup { setup: None, .. } => return Ok(None),
    }))
}
