//! `sekisho policy`: the plan, what is proved of it, of a file, or of what the kernel holds, and what it lets pass; a
//! change of it, and what it refused.

mod change;
mod drops;
mod explain;
mod meaning;

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use model::Site;
use model::part::{Promise, Proof, Role};
use serde_json::Value;

use crate::cli::{Policy, PolicyVerb};
use crate::failure::{Failure, code};
use crate::socket::client;
use crate::{output, site_file};

/// The largest ruleset that is read. One with 10,000 destinations is listed in under three million bytes, and what is
/// read may take thirty times its size in memory.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Compiles or proves.
///
/// # Errors
/// A site file or ruleset that is not right; no daemon with `--live`.
pub async fn run(args: Policy) -> Result<ExitCode, Failure> {
    match args.verb {
        PolicyVerb::Compile { site } => {
            let loaded = site_file::load(&site)?;
            output::print(&output::json(&firewall::compile_json(&loaded.site)));
            Ok(ExitCode::SUCCESS)
        }
        PolicyVerb::Prove { site: Some(site), ruleset, json, .. } => {
            Ok(say(&on_paper(&site, ruleset.as_deref())?, json))
        }
        PolicyVerb::Prove { socket, json, .. } => live(&socket, json).await,
        PolicyVerb::Apply { site, within, socket } => change::apply(&site, within, &socket).await,
        PolicyVerb::Confirm { word, socket } => change::confirm(&word, &socket).await,
        PolicyVerb::Revert(ask) => change::revert(&ask).await,
        PolicyVerb::Pending(ask) => change::pending(&ask).await,
        PolicyVerb::Seen(ask) => change::seen(&ask).await,
        PolicyVerb::Drops(ask) => drops::run(&ask).await,
        PolicyVerb::Explain(args) => explain::run(args).await,
        PolicyVerb::Diff { old, new, ruleset, json } => meaning::diff(&old, &new, ruleset, json),
        PolicyVerb::Matrix { site, ruleset, json } => meaning::matrix(&site, ruleset.as_deref(), json),
    }
}

fn on_paper(site: &Path, ruleset: Option<&Path>) -> Result<Vec<Promise>, Failure> {
    let (site, document) = planned(site, ruleset)?;
    Ok(firewall::prove(&document, &firewall::Intent::from_site(&site)))
}

/// A site, and its ruleset or the one of a file.
fn planned(site: &Path, ruleset: Option<&Path>) -> Result<(Site, Value), Failure> {
    let site = site_file::load(site)?.site;
    let document = match ruleset {
        Some(path) => read(path)?,
        None => firewall::compile_json(&site),
    };
    Ok((site, document))
}

/// Reads at most [`LARGEST`], whatever the file says of its size: it may be a pipe.
fn read(path: &Path) -> Result<Value, Failure> {
    let fail = |source| Failure::Read { path: path.to_owned(), source };
    let wrong = |reason| Failure::Data { path: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(fail)?;
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(fail)?;
    if text.len() as u64 > LARGEST {
        return Err(wrong(format!("more than a ruleset has (at most {LARGEST} bytes)")));
    }
    serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))
}

async fn live(socket: &Path, json: bool) -> Result<ExitCode, Failure> {
    let promises: Vec<Promise> = client::intent(socket, Role::Netd, "/prove").await?;
    Ok(say(&promises, json))
}

fn say(promises: &[Promise], json: bool) -> ExitCode {
    if json {
        output::print(&output::json(&promises));
    } else {
        for promise in promises {
            output::print(&line(promise));
        }
    }
    let all = !promises.is_empty() && promises.iter().all(|promise| promise.proof == Proof::Proved);
    if all { ExitCode::SUCCESS } else { ExitCode::from(code::NO) }
}

fn line(promise: &Promise) -> String {
    match &promise.proof {
        Proof::Proved => format!("{}: proved", promise.number),
        Proof::Broken { counterexample, .. } => format!("{}: BROKEN by {counterexample}", promise.number),
        Proof::Unproved { reason } => format!("{}: not proved: {reason}", promise.number),
    }
}
