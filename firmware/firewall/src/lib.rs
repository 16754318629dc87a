//! Site to plan to nft, and the proof of what it promises.
//!
//! site file → [`plan::Plan`] → nft JSON → [`prove()`] → kernel → read back → [`prove()`] again. [`explain`] says
//! what a ruleset does with one packet, [`answer`] says it to who asked in words; [`matrix`] says what may pass between
//! zones, and [`diff`] what may and what no longer may pass with another ruleset.

mod answer;
mod apply;
mod beside;
mod change;
mod drift;
mod drops;
mod ears;
mod error;
pub mod explain;
mod felt;
mod flows;
mod follow;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod held;
mod kernel;
mod lines;
mod log;
mod memory;
mod mend;
mod netlink;
pub mod nft;
mod notices;
pub mod now;
pub mod plan;
pub mod prove;
pub mod question;
mod ruleset;
#[cfg(feature = "sabotage")]
mod sabotage;
mod spelling;
mod swap;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod watch;

use std::sync::Arc;

use model::Site;
use model::boot::Setup;
use model::part::FirewallPart;
use tokio::sync::mpsc;

pub use answer::answer;
pub use change::Asker;
pub use error::{Error, Shortfall};
pub use felt::feel;
pub use follow::{News, Refused};
pub use memory::Memory;
pub use model::packet;
pub use now::Now;
pub use plan::{Plan, compile_json, drop_all};
pub use prove::meaning::{Names, diff, matrix};
pub use prove::{Intent, prove};
pub use watch::Command;

use ears::Ears;
use ruleset::Ground;
use watch::Watch;

/// Brings a site's ruleset up in the network namespace of the caller, watches it, and publishes what holds.
/// Needs CAP_NET_ADMIN. Ends only with an error. Whatever fails after the start, it stays, drops everything and
/// tries again. Without a memory it takes no change that would have to be confirmed.
///
/// # Errors
/// What stood in the way at the start, and then everything is dropped; but after an error that
/// [leaves it open](Error::leaves_open), of which [`Error::Open`] may end it later too, the kernel holds what it held.
pub async fn run(
    site: &Site,
    part: tokio::sync::watch::Sender<FirewallPart>,
    commands: &mut mpsc::Receiver<Command>,
) -> Result<(), Error> {
    keep(Ground::Site(Arc::new(site.clone())), None, part, commands).await
}

/// As [`run`], and takes changes, which are remembered and taken back unless somebody confirms them.
///
/// # Errors
/// As [`run`].
pub async fn run_with_changes(
    site: &Site,
    memory: Memory,
    part: tokio::sync::watch::Sender<FirewallPart>,
    commands: &mut mpsc::Receiver<Command>,
) -> Result<(), Error> {
    keep(Ground::Site(Arc::new(site.clone())), Some(memory), part, commands).await
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
    keep(Ground::Setup { setup: setup.cloned(), lends_addresses }, None, part, commands).await
}

async fn keep(
    ground: Ground,
    memory: Option<Memory>,
    part: tokio::sync::watch::Sender<FirewallPart>,
    commands: &mut mpsc::Receiver<Command>,
) -> Result<(), Error> {
    let kernel = kernel::Nft::find()?;
    #[cfg(feature = "sabotage")]
    let kernel = sabotage::Forgetful::around(kernel);
    Watch::new(kernel, Ears::here(), ground, memory, part).run(commands).await
}
