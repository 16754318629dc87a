//! The doubles: what stands around the box and is not ours, played in the open.
//!
//! - [`centre`]: the qualification centre and its neighbours, really checking client certificates ([`pki`]);
//! - [`oqs`]: the link application on the terminal, which takes requests and leaves answers;
//! - [`receipt`]: the receipt computer, a real SMB client of the box's share;
//! - [`forms`]: the bytes that travel between them. Every person in them is invented.

pub mod centre;
pub mod forms;
pub mod oqs;
pub mod pki;
pub mod receipt;

use std::path::{Path, PathBuf};

/// Why a double cannot play its part; fragments that follow "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of the double.
    #[error("use {}: {source}", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An address of the double.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Which one.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A certificate that cannot be made.
    #[error("make the certificate for {name}: {source}")]
    Certificate {
        /// For whom.
        name: String,
        /// What the library said.
        source: rcgen::Error,
    },
    /// A certificate, key or authority that TLS does not take.
    #[error("use the certificates in {}: {reason}", path.display())]
    Tls {
        /// Where they lie.
        path: PathBuf,
        /// What is wrong with them.
        reason: String,
    },
    /// The SMB client cannot be run, or ended.
    #[error("talk to the share {unc}: {reason}")]
    Share {
        /// Which share.
        unc: String,
        /// What it said last.
        reason: String,
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

/// Gives an I/O error the path it is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
    move |source| Error::File { path: path.to_owned(), source }
}
