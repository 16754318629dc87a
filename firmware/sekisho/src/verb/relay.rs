//! `sekisho relay`: what the relay has in hand, and what a person decides about it. A parcel is its kind, its number and
//! its age; never its name.

use std::path::Path;
use std::process::ExitCode;

use model::Timestamp;
use model::decision::{Decided, Decision, Verb};
use model::parcel::{Day, Direction, ParcelView, Passed};
use model::part::{RelayPart, Role, Stamped};
use serde_json::json;

use super::{selftest, words};
use crate::cli::{Decide, RelayVerb};
use crate::failure::{Failure, code};
use crate::socket::client;
use crate::{cli, output};

/// Lists, shows or decides.
///
/// # Errors
/// [`Failure::NoDaemon`] if `relayd` does not answer.
pub async fn run(args: &cli::Relay) -> Result<ExitCode, Failure> {
    match &args.verb {
        RelayVerb::List { held, json, socket } => list(socket, *held, *json).await,
        RelayVerb::Show { number, json, socket } => show(socket, *number, *json).await,
        RelayVerb::Days { json, socket } => days(socket, *json).await,
        RelayVerb::Retry(decide) => decided(Verb::Retry, decide).await,
        RelayVerb::Return(decide) => decided(Verb::Return, decide).await,
        RelayVerb::Discard(decide) => decided(Verb::Discard, decide).await,
        RelayVerb::Selftest(args) => selftest::run(args).await,
    }
}

async fn part(socket: &Path) -> Result<RelayPart, Failure> {
    let Stamped { part, .. } = client::part(socket, Role::Relayd, 0).await?;
    Ok(part)
}

async fn list(socket: &Path, held: bool, json: bool) -> Result<ExitCode, Failure> {
    let mut part = part(socket).await?;
    if held {
        part.waiting.clear();
    }
    if json {
        output::print(&output::json(&json!({ "waiting": part.waiting, "held": part.held })));
        return Ok(ExitCode::SUCCESS);
    }
    let rows = rows(&part);
    rows.iter().for_each(|row| output::print(row));
    if rows.is_empty() {
        output::print("nothing");
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(socket: &Path, number: u64, json: bool) -> Result<ExitCode, Failure> {
    let mut part = part(socket).await?;
    part.waiting.retain(|waiting| waiting.parcel.number == number);
    part.held.retain(|held| held.parcel.number == number);
    let found = match (part.waiting.first(), part.held.first()) {
        (Some(waiting), _) => json!({ "waiting": waiting }),
        (_, Some(held)) => json!({ "held": held }),
        (None, None) => return passed(socket, number, json).await,
    };
    if json {
        output::print(&output::json(&found));
    } else {
        rows(&part).iter().for_each(|row| output::print(row));
    }
    Ok(ExitCode::SUCCESS)
}

/// A parcel that is not in hand any more.
async fn passed(socket: &Path, number: u64, json: bool) -> Result<ExitCode, Failure> {
    let passed: Option<Passed> = client::ask(socket, Role::Relayd, &format!("/passed/{number}")).await?;
    let Some(passed) = passed else {
        output::error(Decided::Unknown.sentence().get(words::language()));
        return Ok(ExitCode::from(code::NO));
    };
    if json {
        output::print(&output::json(&json!({ "passed": passed })));
        return Ok(ExitCode::SUCCESS);
    }
    let how = match passed.direction {
        Some(Direction::Request) => "went",
        Some(Direction::Answer) => "came",
        None => "passed",
    };
    let (kind, age) = (passed.kind.as_deref().unwrap_or("unknown"), output::age(passed.at, Timestamp::now()));
    output::print(&format!("{how} #{number} {kind} at {}, {age} ago", passed.at));
    Ok(ExitCode::SUCCESS)
}

async fn days(socket: &Path, json: bool) -> Result<ExitCode, Failure> {
    let days: Vec<Day> = client::ask(socket, Role::Relayd, "/days").await?;
    if json {
        output::print(&output::json(&days));
        return Ok(ExitCode::SUCCESS);
    }
    let seconds = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.1} s", ms / 1000.0));
    for day in days {
        let Day { date, requests, answers, median_ms, p95_ms, .. } = day;
        let (median, p95) = (seconds(median_ms), seconds(p95_ms));
        output::print(&format!("{date} {requests} requests {answers} answers median {median} p95 {p95}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn decided(verb: Verb, decide: &Decide) -> Result<ExitCode, Failure> {
    let decision = Decision { number: decide.number, reason: decide.reason.clone() };
    let path = format!("/{}", verb.key());
    let decided: Decided = client::order(&decide.socket, Role::Relayd, &path, &decision).await?;
    let sentence = decided.sentence().get(words::language());
    let code = match decided {
        Decided::Done => {
            output::print(sentence);
            return Ok(ExitCode::SUCCESS);
        }
        Decided::Unknown | Decided::NotHeld | Decided::Refused(_) => code::NO,
        Decided::Busy => code::TEMPFAIL,
        Decided::Failed => code::CANTCREAT,
    };
    output::error(sentence);
    Ok(ExitCode::from(code))
}

fn rows(part: &RelayPart) -> Vec<String> {
    let (now, language) = (Timestamp::now(), words::language());
    let waiting = part
        .waiting
        .iter()
        .map(|waiting| row("waits", &waiting.parcel, waiting.reason.sentence().get(language), now));
    let held =
        part.held.iter().map(|held| row("held", &held.parcel, held.reason.sentence().get(language), now));
    waiting.chain(held).collect()
}

fn row(state: &str, parcel: &ParcelView, sentence: &str, now: Timestamp) -> String {
    let age = output::age(parcel.since, now);
    format!(
        "{state} #{} {} {} {} bytes, {age}: {sentence}",
        parcel.number, parcel.kind, parcel.hash, parcel.bytes
    )
}
