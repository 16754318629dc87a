//! What keeps a tunnel from being driven. What the gateway answers is no error but a [`crate::keep::Event`].

use std::path::PathBuf;

/// Why charon cannot be driven, or the kernel not be told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing answers at charon's socket.
    #[error("reach charon at {path}: {source}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// The kernel's reason.
        source: std::io::Error,
    },
    /// charon did not do what it was told.
    #[error("have charon do {what}: {reason}")]
    Charon {
        /// What it was told.
        what: &'static str,
        /// Its reason.
        reason: String,
    },
    /// The kernel's routes were not changed.
    #[error("lay the way into the tunnel: {0}")]
    Way(String),
    /// A secret cannot be used.
    #[error("use the secret {name:?}: {reason}")]
    Secret {
        /// The secret's name.
        name: String,
        /// Why not; never what stands in it.
        reason: String,
    },
}
