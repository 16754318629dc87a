//! `sekisho status`: how the box is, from the parts the roles published. It asks nobody to look again.

use std::process::ExitCode;

use model::Timestamp;
use model::part::{Role, Snapshot};

use super::words;
use crate::failure::Failure;
use crate::{cli, output, snapshot, socket};

/// Says the status; `--json` prints the snapshot with the verdict and what is only recorded.
///
/// # Errors
/// [`Failure::NoDaemon`] if no role answers.
pub async fn run(args: &cli::Status) -> Result<ExitCode, Failure> {
    let seen = snapshot::once(&args.socket).await;
    if (Snapshot { boot: None, ..seen.clone() }) == Snapshot::default() {
        let path = socket::path(&args.socket, Role::Reachd);
        return Err(Failure::NoDaemon { path, reason: "no role has published its part".into() });
    }
    if args.json {
        output::print(&output::json(&seen));
    } else {
        output::print(&words::snapshot(&seen, Timestamp::now(), words::language()));
    }
    Ok(ExitCode::SUCCESS)
}
