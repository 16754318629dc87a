//! The page: one immutable snapshot, rendered by the server, for reception in Japanese and engineers in English.
//!
//! [`Listeners::new`] takes the open ports and makes sure of the certificate, [`serve`] answers from the newest
//! snapshot.
//! A view is made in two steps: snapshot, site, time and language become a typed view model (`view`, pure), which
//! askama templates lay out. One small script fetches the named fragment again when something changed.

mod door;
mod events;
mod identity;
mod intent;
mod jst;
mod language;
mod listen;
mod page;
mod render;
mod room;
mod state;
mod view;
mod words;

use std::path::PathBuf;

pub use identity::Fingerprints;
pub use intent::{Intent, Intents};
pub use listen::{Config, Listeners, serve};

/// Why the page cannot be served. Texts continue "failed to".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate's files cannot be read or written.
    #[error("keep the page's certificate in {}: {source}", path.display())]
    Identity {
        /// The file or its folder.
        path: PathBuf,
        /// What the kernel says.
        source: std::io::Error,
    },
    /// The certificate cannot be made or read.
    #[error("make the page's certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not take the certificate.
    #[error("set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// A listener is none, or the runtime does not take it.
    #[error("serve the page: {0}")]
    Serve(std::io::Error),
}

#[cfg(test)]
mod style;
