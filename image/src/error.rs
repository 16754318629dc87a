//! What can keep an image from being made or written, each with its exit code.

use std::path::{Path, PathBuf};

/// Facts, as fragments that follow "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is not root.
    #[error("{0}: that needs root, so call it with sudo")]
    NotRoot(&'static str),
    /// A word or a wish that cannot be followed.
    #[error("{0}")]
    Usage(String),
    /// A program that is not on this machine.
    #[error("find {program}: {remedy}")]
    Missing {
        /// The program.
        program: String,
        /// What brings it.
        remedy: String,
    },
    /// This machine's apt names no Debian archive.
    #[error("find a Debian archive in this machine's apt configuration (`apt-get indextargets`): {0}")]
    NoArchive(String),
    /// Packages of a list that the archive does not have.
    #[error("install {packages} of {list}: the archive no longer has {that}; put what replaced {that} into the list",
        packages = packages.join(", "), that = if packages.len() == 1 { "it" } else { "them" })]
    Vanished {
        /// Which.
        packages: Vec<String>,
        /// The list that names them.
        list: &'static str,
    },
    /// A file, folder or system call.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A tool that refused.
    #[error("{what}: {program} ended with {status}; {said}")]
    Tool {
        /// What it was to do.
        what: String,
        /// The program.
        program: String,
        /// How it ended.
        status: String,
        /// The last it said, or where all of it is.
        said: String,
    },
    /// A file that is not what it should be.
    #[error("use {path}: {reason}", path = path.display())]
    Data {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A made image that breaks a promise of ours.
    #[error("make an image as promised: {0}")]
    Promise(String),
    /// A disk that must not be written.
    #[error("write to {disk}: {reason}", disk = disk.display())]
    Refused {
        /// Which.
        disk: PathBuf,
        /// Why.
        reason: String,
    },
    /// A disk that is only partly written now.
    #[error("write {disk}: {reason}; it is now PARTLY WRITTEN and will not boot, so write it again", disk = disk.display())]
    Torn {
        /// Which.
        disk: PathBuf,
        /// What happened.
        reason: String,
    },
    /// A disk that is written, but not known to hold what was written.
    #[error("read {disk} back: {reason}; do not use it, write it again", disk = disk.display())]
    Doubtful {
        /// Which.
        disk: PathBuf,
        /// What happened.
        reason: String,
    },
}

impl Error {
    /// The exit code, from sysexits.h.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Refused { .. } => 64,
            Self::Data { .. } => 65,
            Self::Missing { .. } | Self::NoArchive(_) | Self::Vanished { .. } => 69,
            Self::System { .. } | Self::Tool { .. } | Self::Promise(_) => 70,
            Self::Torn { .. } | Self::Doubtful { .. } => 74,
            Self::NotRoot(_) => 77,
        }
    }
}

/// For `map_err`: what was tried.
pub fn doing(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    let what = what.into();
    move |source| Error::System { what, source }
}

/// For `map_err`: what was tried, and on which file.
pub fn at(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    doing(format!("{what} {}", path.display()))
}

/// For `map_err` of a system call through `nix`.
pub fn calling(what: impl Into<String>) -> impl FnOnce(nix::errno::Errno) -> Error {
    let what = what.into();
    move |errno| Error::System { what, source: errno.into() }
}
