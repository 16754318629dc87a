//! The product at work: the relay of the site file, with both its ends as folders.

use std::convert::Infallible;
use std::path::Path;

use clinic::check::Wrong;
use model::part::RelayPart;
use model::{Profile, Site};
use relay::{Config, HistoryBy};

use super::place::{Place, SITE};

const PROFILE: &str = include_str!("../../../firmware/sekisho/profiles/ntt-east.toml");

/// Runs the relay until it is killed.
///
/// # Errors
/// It does not start.
pub fn run() -> Result<Infallible, Wrong> {
    let profile = Profile::parse("ntt-east", PROFILE);
    let site = Site::parse("site.toml", SITE, profile).map_err(|wrong| Wrong(format!("{wrong:?}")))?;
    let (mut config, ends) = Config::from_site(&site, &Place::default().state);
    // As relayd has it: a runtime of its own, and the history in a process of its own.
    config.history = HistoryBy::Program(std::env::current_exe()?, vec![super::HISTORY.into()]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (part, _seen) = tokio::sync::watch::channel(RelayPart::default());
    let (_commands, asked) = tokio::sync::mpsc::channel(1);
    let ended = runtime.block_on(relay::run(&config, ends, part, asked));
    Err(Wrong(format!("the relay ended: {ended:?}")))
}

/// Answers one question about the history.
///
/// # Errors
/// There is none, or nobody hears the answer.
pub fn history(folder: &Path) -> Result<(), Wrong> {
    Ok(relay::answer_about_history(folder, std::io::stdin().lock(), std::io::stdout().lock())?)
}
