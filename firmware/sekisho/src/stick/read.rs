//! `sekisho stick read`: reads the stick on standard input, and writes down what it found, whole, by one rename.

use std::fs::{self, File};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;

use super::find::find;
use super::{REFUSED, fat};
use crate::failure::{Failure, code};
use crate::{files, output};

/// Reads and writes. A finding that nobody has taken yet stays: one stick at a time.
///
/// # Errors
/// [`Failure::Write`] with the place.
pub fn run(to: &Path) -> Result<ExitCode, Failure> {
    let write = |source| Failure::Write { path: to.to_owned(), source };
    // Held until this process ends: two sticks at once would write the same draft.
    let lock = File::create(to.with_extension("lock")).map_err(write)?;
    if lock.try_lock().is_err() || to.exists() {
        output::error("another stick is being looked at");
        return Ok(ExitCode::from(code::TEMPFAIL));
    }
    let stdin = std::io::stdin().as_fd().try_clone_to_owned();
    let mut stick = File::from(stdin.map_err(|source| Failure::Read { path: "the stick".into(), source })?);
    let found = fat::open(&mut stick, |fat| Ok(find(fat)));
    let found = found.unwrap_or_else(|reason| Err(model::notice::Stick::Unreadable { reason }));
    let draft = to.with_extension("draft");
    let _ = fs::remove_dir_all(&draft);
    fs::create_dir_all(&draft).map_err(write)?;
    match &found {
        Ok(list) => {
            list.iter().try_for_each(|(name, text)| files::replace(&draft.join(name), text, 0o600))?;
            output::print(&format!("a site file, and {} files with it", list.len().saturating_sub(1)));
        }
        Err(why) => {
            files::replace(&draft.join(REFUSED), output::json(why), 0o600)?;
            output::print(why.words().happened.en);
        }
    }
    fs::rename(&draft, to).map_err(write)?;
    Ok(ExitCode::SUCCESS)
}
