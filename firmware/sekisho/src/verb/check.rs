//! `sekisho check`: looks at every rung now, together, and says the verdict. The exit code is the verdict.

use std::process::ExitCode;

use model::part::{LinePart, Role};
use model::{Timestamp, Usability};

use super::words;
use crate::failure::{Failure, code};
use crate::socket::client;
use crate::{cli, output};

/// Runs a full check.
///
/// # Errors
/// [`Failure::NoDaemon`] if `reachd` does not answer.
pub async fn run(args: &cli::Status) -> Result<ExitCode, Failure> {
    let line: LinePart = client::intent(&args.socket, Role::Reachd, "/sweep").await?;
    if args.json {
        output::print(&output::json(&line));
    } else {
        let language = words::language();
        output::print(&words::ladder(&line, language));
        output::print(&words::verdict(&line.verdict, Timestamp::now(), language));
    }
    Ok(ExitCode::from(match line.verdict.usability {
        Usability::Usable => 0,
        Usability::Partly | Usability::Unusable => code::NO,
        Usability::Unknown => code::TEMPFAIL,
    }))
}
