//! `sekisho relay list`: what the relay has in hand. A parcel is its kind, its number and its age; never its name.

use std::process::ExitCode;

use model::Timestamp;
use model::parcel::ParcelView;
use model::part::{RelayPart, Role, Stamped};

use super::words;
use crate::failure::Failure;
use crate::socket::client;
use crate::{cli, output};

/// Lists what waits and what is held.
///
/// # Errors
/// [`Failure::NoDaemon`] if `relayd` does not answer.
pub async fn run(args: &cli::Relay) -> Result<ExitCode, Failure> {
    let cli::RelayVerb::List { held, json, socket } = &args.verb;
    let Stamped { mut part, .. }: Stamped<RelayPart> = client::part(socket, Role::Relayd, 0).await?;
    if *held {
        part.waiting.clear();
    }
    if *json {
        let list = serde_json::json!({ "waiting": part.waiting, "held": part.held });
        output::print(&output::json(&list));
        return Ok(ExitCode::SUCCESS);
    }
    let (now, language) = (Timestamp::now(), words::language());
    for waiting in &part.waiting {
        output::print(&row("waits", &waiting.parcel, waiting.reason.sentence().get(language), now));
    }
    for held in &part.held {
        output::print(&row("held", &held.parcel, held.reason.sentence().get(language), now));
    }
    if part.waiting.is_empty() && part.held.is_empty() {
        output::print("nothing");
    }
    Ok(ExitCode::SUCCESS)
}

fn row(state: &str, parcel: &ParcelView, sentence: &str, now: Timestamp) -> String {
    let age = output::age(parcel.since, now);
    format!(
        "{state} #{} {} {} {} bytes, {age}: {sentence}",
        parcel.number, parcel.kind, parcel.hash, parcel.bytes
    )
}
