//! `boot.json`: how the box came up, for every role and verb that shows it.

use std::path::{Path, PathBuf};

use model::part::BootPart;

use crate::failure::Failure;
use crate::output;

/// Where it lies in the folder of the sockets.
pub fn path(sockets: &Path) -> PathBuf {
    sockets.join("boot.json")
}

/// What it says; nothing in development, where nothing boots, and nothing while it is not whole.
pub fn read(file: &Path) -> Option<BootPart> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Writes it whole: a reader sees the old one or the new one.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn write(file: &Path, part: &BootPart) -> Result<(), Failure> {
    crate::files::replace(file, output::json(part), 0o644)
}
