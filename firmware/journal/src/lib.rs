//! The only code that writes our state: small files replaced as a whole ([`replace`], [`read`], [`remove`]), an append log
//! ([`Log`]) for what a file's name alone cannot say, and a log whose records hold on to each other ([`chain`]).
//!
//! Both survive a cut of the power at any moment: what was acknowledged is there, what was not is there as a
//! whole or not at all. After a failed fsync the kernel has marked the pages clean and a second fsync would lie,
//! so nothing here tries one twice: a replacement is abandoned, a log is poisoned until it is opened again.

pub mod chain;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod log;
mod record;
mod replace;
pub mod sabotage;

pub use log::{Fact, Log, Opened, each};
pub use record::{MAX_PAYLOAD, Record};
pub use replace::{read, remove, replace};

use replace::folder_of;
use sabotage::{FLUSH_FOLDER, unless};

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with our own state.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused an operation.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A payload is larger than [`MAX_PAYLOAD`].
    #[error("append {bytes} bytes to {}: larger than a record may be", path.display())]
    TooLarge {
        /// The log's folder.
        path: PathBuf,
        /// The payload's size.
        bytes: usize,
    },
    /// An earlier write or fsync failed: what the file holds is not known until it is opened again.
    #[error("append to {}: an earlier write failed, open the log again", .0.display())]
    Poisoned(PathBuf),
}

impl Error {
    /// For `map_err`: names the action and the path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// Makes the folder at `path` and those above it, if they are absent. Its name is durable when this returns, also if a
/// run that was killed has made it.
///
/// # Errors
/// [`Error::Io`] if the system refuses.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    let above = folder_of(path);
    if !path.is_dir() {
        if !above.is_dir() {
            make_folder(above)?;
        }
        match std::fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(Error::io("create", path))?,
        }
    }
    unless(FLUSH_FOLDER, || sync_folder(above))
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    let opened = std::fs::File::open(folder).map_err(Error::io("open", folder))?;
    opened.sync_all().map_err(Error::io("fsync", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_with_those_above_it_and_a_file_in_its_place_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b/c");
        make_folder(&path).unwrap();
        make_folder(&path).unwrap();
        assert!(path.is_dir());
        std::fs::write(path.join("file"), b"x").unwrap();
        let refused = make_folder(&path.join("file/d")).unwrap_err().to_string();
        assert!(refused.starts_with("create ") && refused.ends_with("(os error 20)"), "{refused}");
    }
}
