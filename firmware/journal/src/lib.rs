//! The only code that writes our state: small files replaced as a whole ([`replace`], [`read`]), an append log
//! ([`Log`]) for what a file's name alone cannot say, and a log whose records hold on to each other ([`chain`]).
//!
//! Both survive a cut of the power at any moment: what was acknowledged is there, what was not is there as a
//! whole or not at all. After a failed fsync the kernel has marked the pages clean and a second fsync would lie,
//! so nothing here tries one twice: a replacement is abandoned, a log is poisoned until it is opened again.

pub mod chain;
mod log;
mod record;
mod replace;
pub mod sabotage;

pub use log::{Fact, Log, Opened, each};
pub use record::{MAX_PAYLOAD, Record};
pub use replace::{read, replace};

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

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    let opened = std::fs::File::open(folder).map_err(Error::io("open", folder))?;
    opened.sync_all().map_err(Error::io("fsync", folder))
}
