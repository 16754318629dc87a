//! The roles' Unix sockets: HTTP and JSON, so that `curl --unix-socket` works. Each role publishes its own part
//! only; who may speak is decided by the kernel's word on the peer.

pub mod client;
pub mod part;
pub mod server;

use std::path::{Path, PathBuf};

use model::part::Role;

/// A role's socket in the folder of the sockets.
pub fn path(folder: &Path, role: Role) -> PathBuf {
    folder.join(format!("{}.sock", role.key()))
}
