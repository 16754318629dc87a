//! `sekisho policy apply|confirm|revert|pending|seen`: another ruleset, for as long as nobody confirms it.

use std::path::Path;
use std::process::ExitCode;

use model::part::{FirewallPart, Role, Stamped};
use model::ruleset::{Applied, Apply, Pending, Settled};

use crate::cli::Ask;
use crate::failure::{Failure, code};
use crate::socket::client;
use crate::{output, site_file};

/// Puts the ruleset of this site file in force.
///
/// # Errors
/// Every mistake in the site file; [`Failure::NoDaemon`].
pub async fn apply(site: &Path, within_s: u32, socket: &Path) -> Result<ExitCode, Failure> {
    let ask = Apply { candidate: site_file::load(site)?.startable()?.texts, within_s };
    let applied: Applied = client::order(socket, Role::Netd, "/apply", &ask).await?;
    lines(&applied).iter().for_each(|line| output::print(line));
    Ok(match applied {
        Applied::Armed { .. } | Applied::Same => ExitCode::SUCCESS,
        Applied::Waits { .. } => ExitCode::from(code::TEMPFAIL),
        Applied::Refused { .. } => ExitCode::from(code::NO),
    })
}

fn lines(applied: &Applied) -> Vec<String> {
    match applied {
        Applied::Armed { word, pending, ended } => {
            let ended = match ended {
                Some(0) => "No open flow had to be ended.".to_owned(),
                Some(count) => format!("{count} open flows were ended that it does not allow."),
                None => {
                    "Open flows go on, allowed or not: the kernel did not say which there are.".to_owned()
                }
            };
            vec![
                format!("In force and proved. {ended}"),
                format!("It is taken back at {} unless you say, by a new connection:", pending.until),
                format!("  sekisho policy confirm {word}"),
            ]
        }
        Applied::Same => vec!["This ruleset is in force already; nothing was done.".to_owned()],
        Applied::Waits { pending } => vec![format!("Another change waits: {}", waits(pending))],
        Applied::Refused { why, dropped } => {
            let now = if *dropped { "Everything is dropped." } else { "What was in force still is." };
            why.iter().cloned().chain([now.to_owned()]).collect()
        }
    }
}

fn waits(pending: &Pending) -> String {
    let Pending { at, until, by } = pending;
    format!("put in force by {} (user {}) at {at}, taken back at {until}", by.name, by.uid)
}

/// Keeps the ruleset that waits.
///
/// # Errors
/// [`Failure::NoDaemon`].
pub async fn confirm(word: &str, socket: &Path) -> Result<ExitCode, Failure> {
    settled(&client::order(socket, Role::Netd, "/confirm", &word).await?, "Confirmed.")
}

/// Takes it back.
///
/// # Errors
/// As [`confirm`].
pub async fn revert(ask: &Ask) -> Result<ExitCode, Failure> {
    let said: Settled = client::intent(&ask.socket, Role::Netd, "/revert").await?;
    if ask.json {
        output::print(&output::json(&said));
        return Ok(exit(&said));
    }
    settled(&said, "Taken back.")
}

fn settled(said: &Settled, done: &str) -> Result<ExitCode, Failure> {
    output::print(match said {
        Settled::Done => done,
        Settled::Nothing => "Nothing waits to be confirmed.",
        Settled::Refused { why } | Settled::Failed { why } => why,
    });
    Ok(exit(said))
}

fn exit(said: &Settled) -> ExitCode {
    match said {
        Settled::Done => ExitCode::SUCCESS,
        Settled::Nothing | Settled::Refused { .. } => ExitCode::from(code::NO),
        Settled::Failed { .. } => ExitCode::from(code::CANTCREAT),
    }
}

/// Says what waits.
///
/// # Errors
/// As [`confirm`].
pub async fn pending(ask: &Ask) -> Result<ExitCode, Failure> {
    let part: Stamped<FirewallPart> = client::part(&ask.socket, Role::Netd, 0).await?;
    let pending = part.part.pending;
    let words = pending.as_ref().map_or_else(|| "Nothing waits to be confirmed.".to_owned(), waits);
    output::print(&if ask.json { output::json(&pending) } else { words });
    Ok(if pending.is_some() { ExitCode::SUCCESS } else { ExitCode::from(code::NO) })
}

/// A person has seen that the rules were changed behind the box's back.
///
/// # Errors
/// As [`confirm`].
pub async fn seen(ask: &Ask) -> Result<ExitCode, Failure> {
    let was: bool = client::intent(&ask.socket, Role::Netd, "/seen").await?;
    let words = if was { "It is told no more." } else { "Nothing was changed that is not seen yet." };
    output::print(&if ask.json { output::json(&was) } else { words.to_owned() });
    Ok(if was { ExitCode::SUCCESS } else { ExitCode::from(code::NO) })
}
