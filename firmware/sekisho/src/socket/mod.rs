//! The roles' Unix sockets: HTTP and JSON, so that `curl --unix-socket` works. Each role publishes its own part
//! only; who may speak is decided by the kernel's word on the peer ([`peers`]). What needs a capability to open is lent
//! over a socket too ([`lend`]).

pub mod client;
pub mod lend;
pub mod part;
mod peers;
pub mod server;

use std::path::{Path, PathBuf};

use model::part::Role;

/// A role's own folder in the folder of the sockets: nobody else can put a socket there.
pub fn own_folder(folder: &Path, role: Role) -> PathBuf {
    folder.join(role.key())
}

/// A role's socket, in its own folder.
pub fn path(folder: &Path, role: Role) -> PathBuf {
    own_folder(folder, role).join(format!("{}.sock", role.key()))
}
