//! What can keep a clinic from being made, each with its exit code.

use std::path::{Path, PathBuf};

/// Facts, as fragments that follow "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is not root.
    #[error("make namespaces: that needs root, so call it with sudo")]
    NotRoot,
    /// A word of the command line that means nothing here.
    #[error("{0}")]
    Usage(String),
    /// A program that is not there.
    #[error("find {program}: {remedy}")]
    Missing {
        /// The program.
        program: String,
        /// What brings it.
        remedy: String,
    },
    /// A port of the host's loopback that somebody else has.
    #[error("listen on 127.0.0.1:{port} for the page: {source}")]
    Port {
        /// Which port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The name is in use.
    #[error("bring {0} up: a clinic of that name is up already (`clinic down --name {0}` ends it)")]
    NameTaken(String),
    /// Another `clinic` is at it.
    #[error("bring {0} up: another clinic command is working on that name")]
    Busy(String),
    /// A namespace that a clinic did not make.
    #[error("make the namespace {0}: one of that name exists and no clinic made it")]
    Foreign(String),
    /// No such clinic.
    #[error("find a clinic named {0}: `clinic up --name {0}` makes one")]
    NotUp(String),
    /// A file, folder or system call.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A command that refused.
    #[error("run {command}: {said}")]
    Command {
        /// The command.
        command: String,
        /// The last it said.
        said: String,
    },
    /// A daemon that ended before it was ready.
    #[error("start {name}: {said}")]
    Daemon {
        /// Which one.
        name: String,
        /// The last line of its log.
        said: String,
    },
    /// An event that did not come in its time.
    #[error("see {what} within {seconds} s")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
}

impl Error {
    /// The exit code, by sysexits(3).
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::Missing { .. } | Self::Port { .. } | Self::NotUp(_) => 69,
            Self::NameTaken(_) | Self::Busy(_) | Self::Foreign(_) => 75,
            Self::NotRoot => 77,
            Self::System { .. } | Self::Command { .. } | Self::Daemon { .. } | Self::Late { .. } => 70,
        }
    }
}

/// Gives a system error what was tried.
pub(crate) fn doing<E: Into<std::io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
    move |source| Error::System { what: what.into(), source: source.into() }
}

/// Gives any other error its place.
pub(crate) fn other<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Error {
    move |source| Error::System { what: what.into(), source: std::io::Error::other(source.to_string()) }
}

/// Gives an I/O error the file it is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    move |source| Error::System { what: format!("use {}", path.display()), source }
}
