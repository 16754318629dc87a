//! Site to plan to nft, and the proof of what it promises.
//!
//! site file → [`plan::Plan`] → nft JSON → [`prove()`] → kernel → read back → [`prove()`] again. [`explain`] says
//! what a ruleset does with one packet.

mod apply;
mod beside;
mod error;
pub mod explain;
mod follow;
mod held;
mod kernel;
pub mod nft;
pub mod now;
pub mod plan;
pub mod prove;
#[cfg(feature = "sabotage")]
mod sabotage;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;

use model::Site;
use model::boot::Setup;
use model::part::FirewallPart;
use serde_json::Value;
use tokio::sync::mpsc;

pub use error::{Error, Shortfall};
pub use follow::{News, Refused};
pub use model::packet;
pub use now::Now;
pub use plan::{Plan, compile_json, drop_all};
pub use prove::{Intent, prove};
pub use watch::Command;

/// Brings a site's ruleset up in the network namespace of the caller, watches it, and publishes what holds.
/// Needs CAP_NET_ADMIN. Ends only with an error. Whatever fails after the start, it stays, drops everything and
/// tries again.
///
/// # Errors
/// What stood in the way at the start, and then everything is dropped; but after an error that
/// [leaves it open](Error::leaves_open), of which [`Error::Open`] may end it later too, the kernel holds what it held.
pub async fn run(
    site: &Site,
    part: tokio::sync::watch::Sender<FirewallPart>,
    commands: &mut mpsc::Receiver<Command>,
) -> Result<(), Error> {
    let site = Arc::new(site.clone());
    keep(compile_json(&site), Intent::from_site(&site), Some(site), part, commands).await
}

/// As [`run`], before a site is in force: the setup port alone, or no port at all, and the promises 13 to 15. It lends
/// addresses in the carton only.
///
/// # Errors
/// As [`run`].
pub async fn run_before_a_site(
    setup: Option<&Setup>,
    lends_addresses: bool,
    part: tokio::sync::watch::Sender<FirewallPart>,
    commands: &mut mpsc::Receiver<Command>,
) -> Result<(), Error> {
    let document = Plan::before_a_site(setup, lends_addresses).document();
    keep(document, Intent::before_a_site(setup, lends_addresses), None, part, commands).await
}

async fn keep(
    document: Value,
    intent: Intent,
    site: Option<Arc<Site>>,
    part: tokio::sync::watch::Sender<FirewallPart>,
    commands: &mut mpsc::Receiver<Command>,
) -> Result<(), Error> {
    let kernel = kernel::Nft::find()?;
    #[cfg(feature = "sabotage")]
    let kernel = sabotage::Forgetful::around(kernel);
    let told = follow::Told::default();
    watch::Watch { kernel, site, told, document, intent, part, drifted: false }.run(commands).await
}
