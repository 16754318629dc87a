//! `sekisho stick check`: what `adopt` lets a child without any right say about a copy of the stick's files. A mistake
//! a line, on standard output.

use std::path::Path;
use std::process::ExitCode;

use tunnel::charon::Purpose;

use super::{LOGINS, SITE};
use crate::failure::{Failure, code};
use crate::output;
use crate::site_file::{self, Loaded};

/// Checks with the very code of `site check`; and that every login the site file names is there.
///
/// # Errors
/// None; what is wrong is said, and the exit code is 65.
pub fn run(folder: &Path) -> Result<ExitCode, Failure> {
    let mistakes = match site_file::load(&folder.join(SITE)).and_then(Loaded::startable) {
        Ok(loaded) => missing_logins(folder, &loaded),
        Err(Failure::Site(mistakes)) => mistakes.iter().map(ToString::to_string).collect(),
        Err(Failure::NotYet(sentences)) => sentences,
        Err(failure) => vec![failure.to_string()],
    };
    let inside = format!("{}/", folder.display());
    for mistake in &mistakes {
        output::print(&mistake.replace(&inside, ""));
    }
    Ok(if mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(code::DATA) })
}

/// The logins themselves are not for this child to read; that there are files is.
fn missing_logins(folder: &Path, loaded: &Loaded) -> Vec<String> {
    let is_missing = |login: &str| !folder.join(LOGINS).join(login).exists();
    let missing = loaded.site.logins().filter(|(login, _)| is_missing(login));
    let say = |(login, end): (&str, &str)| {
        format!("{LOGINS}/{login}: this file is missing (user and password of the share of {end})")
    };
    let secrets = loaded.contracts().into_iter().flatten();
    let secrets = secrets.map(|(purpose, one)| (purpose, one.provider.authentication.secret()));
    let unproved = secrets.filter(|(_, login)| is_missing(login)).map(|(purpose, login)| {
        let whom = if purpose == Purpose::Cloud { "the cloud" } else { "the provider of the line" };
        format!("{LOGINS}/{login}: this file is missing (what proves the box to {whom})")
    });
    missing.map(say).chain(unproved).collect()
}
