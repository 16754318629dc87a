//! How the box comes up: one file a step, in the order of the units.
//!
//! 1. [`board`]: which board this is, so that ports have their names;
//! 2. [`data`]: the data partition, made at the first boot, checked at every other;
//! 3. [`site`]: in which [`situation`] the box is, and everything the daemons need for it.
//!
//! `accounts` comes later, in smbd's own unit. Each step decides in a pure function and acts through a thin adapter.

mod accounts;
pub mod board;
pub mod claim;
pub mod data;
mod disk;
mod key;
pub mod machine;
pub mod part;
pub mod site;
pub mod situation;
mod tool;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::Failure;
use crate::{cli, files};

/// Where things are: on the box at their fixed places, in a test somewhere else.
#[derive(Clone, Debug)]
pub struct Places {
    /// `/sys`.
    pub sys: PathBuf,
    /// `/run`.
    pub run: PathBuf,
    /// `/var/lib/sekisho`.
    pub state: PathBuf,
}

impl Places {
    /// The folder of everything that is ours and does not survive: sockets, generated files, `boot.json`.
    pub fn own(&self) -> PathBuf {
        self.run.join("sekisho")
    }

    /// Where udev and networkd read.
    pub fn network(&self) -> PathBuf {
        self.run.join("systemd/network")
    }

    /// The folder of the site file in force.
    pub fn installed(&self) -> PathBuf {
        self.state.join("site")
    }
}

/// The site file in its folder.
pub fn site_file(folder: &Path) -> PathBuf {
    folder.join("site.toml")
}

/// The mark that a site was adopted once: from then on a box without its site is closed, and never the carton.
///
/// It is made after the site's folder is in place, never before: a cut between the two leaves the whole site, and the
/// next boot makes the mark; the other way round it would leave a carton that no stick opens any more.
fn adopted(state: &Path) -> PathBuf {
    state.join("adopted")
}

/// Makes that mark, durably, unless it is there.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn mark_adopted(state: &Path) -> Result<(), Failure> {
    let mark = adopted(state);
    if mark.exists() { Ok(()) } else { files::replace(&mark, "", 0o644) }
}

/// `sekisho boot …`
///
/// # Errors
/// What kept a step from ending; whatever it is, the next step finds the box closed.
pub fn run(args: &cli::Boot) -> Result<ExitCode, Failure> {
    let places = Places { sys: args.sys.clone(), run: args.run.clone(), state: args.state.clone() };
    match args.verb {
        cli::BootVerb::Board => board::run(&places)?,
        cli::BootVerb::Data => data::run(&places)?,
        cli::BootVerb::Lost => data::lost(&places)?,
        cli::BootVerb::Site => site::run(&places)?,
        cli::BootVerb::Accounts => accounts::run(&places)?,
    }
    Ok(ExitCode::SUCCESS)
}
