//! What keeps the ladder from standing at all. What a probe meets is no error but an observation.

use std::io;

/// Why the ladder cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A raw socket could not be opened; CAP_NET_RAW is needed until then.
    #[error("open a raw socket for {purpose}: {source}")]
    Socket {
        /// What it is for.
        purpose: &'static str,
        /// The kernel's reason.
        source: io::Error,
    },
    /// The kernel's network state cannot be read.
    #[error("read the kernel's network state: {0}")]
    Kernel(String),
    /// The authorities of the centre's certificate cannot be used.
    #[error("read the centre's authorities: {0}")]
    Authorities(String),
    /// The ladder's memory cannot be read or written.
    #[error("keep what was ever good: {0}")]
    State(#[from] journal::Error),
}
