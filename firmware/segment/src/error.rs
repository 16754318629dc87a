//! What can keep the segment from being served.

/// Facts, as fragments that follow "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel does not tell, or does not take.
    #[error("speak to the kernel about the terminals' segment: {0}")]
    Kernel(String),
    /// A raw socket that cannot be opened, mostly for want of CAP_NET_RAW.
    #[error("open a raw socket for {purpose}: {source}")]
    Socket {
        /// What for.
        purpose: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}
