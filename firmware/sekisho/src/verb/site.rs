//! `sekisho site check FILE`: the very code that starting runs.

use std::process::ExitCode;

use crate::cli::{Site, SiteVerb};
use crate::failure::Failure;
use crate::{output, site_file};

/// Checks a site file.
///
/// # Errors
/// Every mistake at once; of a right file, what this build does not bring up yet.
pub fn run(args: &Site) -> Result<ExitCode, Failure> {
    let SiteVerb::Check { file } = &args.verb;
    let loaded = site_file::load(file)?;
    output::print(&format!(
        "{}: right; profile {}, {} terminal(s), {} kinds of files",
        file.display(),
        loaded.site.profile.name,
        loaded.site.terminals.len(),
        loaded.site.kinds.len()
    ));
    if let Some(sentence) = loaded.site.names_wait() {
        output::print(&sentence);
    }
    loaded.startable().map(|_| ExitCode::SUCCESS)
}
