//! `netd`: the firewall and kernel state, and every socket that needs a capability to open. Nothing of ours may leave
//! or move before the firewall is proved.

use std::path::Path;
use std::time::Duration;

use axum::routing::post;
use model::Timestamp;
use model::part::{FirewallPart, PATIENCE_S, Role, RulesetState, Stamped};
use tokio::sync::{mpsc, watch};

use super::{Place, Ready, Tasks, lent};
use crate::failure::Failure;
use crate::socket::lend::Lender;
use crate::socket::{client, part};

/// How long the others wait for the proof before they say so and end; who started them does so again.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to leave `netd` alone while it does not answer, or has nothing new to say.
const AGAIN: Duration = Duration::from_millis(100);

/// Starts the firewall and waits until the kernel holds this site's ruleset, proved.
///
/// # Errors
/// [`Failure::Listen`] if the page of this very process could not be served, and then nothing is loaded; after that
/// [`Failure::Firewall`] with what stands in the way, and everything is dropped.
pub async fn start(place: &Place, ready: Ready) -> Result<Tasks, Failure> {
    if place.roles.contains(&Role::Webd) {
        // Tried out and let go again: what can be refused is asked for before anything is loaded.
        lent::to(Role::Webd, &place.site)?;
    }
    let nothing = FirewallPart { state: RulesetState::DropAll, promises: Vec::new(), proved_at: None };
    let (part, mut seen) = watch::channel(nothing);
    let (ask, commands) = mpsc::channel(super::WAITING);
    let routes = part::routes(seen.clone()).route(
        "/prove",
        post(move || async move { super::put(&ask, |reply| firewall::Command::ProveLive { reply }).await }),
    );
    let mut tasks = super::serve(place, Role::Netd, routes).await?;
    let lender = Lender::open(&place.sockets)?;
    let site = place.site.clone();
    tasks.spawn(lender.serve(move |role| lent::to(role, &site)));
    let site = place.site.clone();
    tasks.spawn(async move { firewall::run(&site, part, commands).await.map_err(Failure::from) });
    // If the sender goes, the room has ended, and its own error says why.
    if seen.wait_for(FirewallPart::is_in_force).await.is_ok() {
        tracing::info!("the ruleset in the kernel is this site's, and proved");
        super::serves(ready);
    }
    Ok(tasks)
}

/// Waits until `netd` says that the kernel holds this site's ruleset, proved.
///
/// # Errors
/// [`Failure::NotProved`] if it does not say so in time.
pub async fn proved(sockets: &Path) -> Result<(), Failure> {
    let said = async {
        while !says_so(sockets).await {
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.map_err(|_| Failure::NotProved(PATIENCE))
}

async fn says_so(sockets: &Path) -> bool {
    let part: Result<Stamped<FirewallPart>, Failure> = client::part(sockets, Role::Netd, 0).await;
    part.is_ok_and(|part| part.is_fresh(PATIENCE_S, Timestamp::now()) && part.part.is_in_force())
}
