//! What the terminals' own requests meet: `netd` hears it of the kernel, and says it at `GET /flows/part`.

use axum::Router;
use firewall::Command;
use model::flows::FlowsPart;
use model::part::{FirewallPart, PATIENCE_S};
use tokio::sync::{mpsc, watch};

use super::{Purpose, Tasks};
use crate::socket::part;

/// Where it is said; `null` while it cannot be heard.
pub const PART: &str = "/flows/part";

/// What the terminals' requests meet, for who hears it, and the route by which others read it.
pub fn part() -> (watch::Sender<Option<FlowsPart>>, Router) {
    let (part, seen) = watch::channel(None);
    let (told, _) = part::routes(seen, PATIENCE_S);
    (part, Router::new().nest("/flows", told))
}

/// Listens once the rules are in force; a box before its site has no terminals.
pub fn hear(
    purpose: &Purpose,
    rules: mpsc::Sender<Command>,
    part: watch::Sender<Option<FlowsPart>>,
    mut seen: watch::Receiver<FirewallPart>,
    tasks: &mut Tasks,
) {
    let Purpose::Site(site) = purpose else { return };
    let site = site.clone();
    tasks.spawn(async move {
        // If the sender goes, the firewall's room has ended, and its own error says why.
        if seen.wait_for(FirewallPart::is_in_force).await.is_ok() {
            firewall::feel(&site, rules, part).await;
        }
        std::future::pending().await
    });
}
