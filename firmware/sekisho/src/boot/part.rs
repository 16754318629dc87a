//! `boot.json`: how the box came up, for every role and verb that shows it.

use std::path::{Path, PathBuf};

use model::part::BootPart;

/// Where it lies in the folder of the sockets.
pub fn path(sockets: &Path) -> PathBuf {
    sockets.join("boot.json")
}

/// What it says; nothing in development, where nothing boots, and nothing while it is not whole.
pub fn read(file: &Path) -> Option<BootPart> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
