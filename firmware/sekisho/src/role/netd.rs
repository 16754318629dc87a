//! `netd`: the firewall and kernel state. It starts first and is proved before anything else may run.

use axum::routing::post;
use model::part::{FirewallPart, Role, RulesetState};
use tokio::sync::{mpsc, watch};

use super::{Place, Roles};
use crate::failure::Failure;
use crate::socket::part;

/// Starts the firewall and waits until the kernel holds this site's ruleset, proved.
///
/// # Errors
/// [`Failure::Firewall`] with what stands in the way; everything is then dropped.
pub async fn start(place: &Place, roles: &mut Roles) -> Result<(), Failure> {
    let nothing = FirewallPart { state: RulesetState::DropAll, promises: Vec::new(), proved_at: None };
    let (part, mut seen) = watch::channel(nothing);
    let (ask, commands) = mpsc::channel(super::WAITING);
    let routes = part::routes(seen.clone()).route(
        "/prove",
        post(move || async move { super::put(&ask, |reply| firewall::Command::ProveLive { reply }).await }),
    );
    super::serve(place, Role::Netd, routes, roles).await?;
    let site = place.site.clone();
    roles.spawn(
        async move { (Role::Netd, firewall::run(&site, part, commands).await.map_err(Failure::from)) },
    );
    let proved = seen.wait_for(|part| part.state == RulesetState::Proved).await.is_ok();
    if proved {
        tracing::info!("the ruleset in the kernel is this site's, and proved");
        return Ok(());
    }
    // The sender is gone: the room ended, and its own error says why.
    match roles.join_next().await {
        Some(Ok((_, Err(failure)))) => Err(failure),
        _ => Err(Failure::RoleEnded(Role::Netd)),
    }
}
