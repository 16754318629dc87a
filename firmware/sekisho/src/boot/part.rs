//! `boot.json`: how the box came up, for every role and verb that shows it.

use std::path::{Path, PathBuf};

use model::part::BootPart;

use crate::failure::Failure;
use crate::output;

/// Where it lies in the folder of the sockets.
pub fn path(sockets: &Path) -> PathBuf {
    sockets.join("boot.json")
}

/// What it says, for who was told to look there.
///
/// # Errors
/// [`Failure::Read`] if it is not there, [`Failure::Data`] if it is not whole.
pub fn expect(file: &Path) -> Result<BootPart, Failure> {
    let text = std::fs::read(file).map_err(|source| Failure::Read { path: file.to_owned(), source })?;
    let wrong = |error: serde_json::Error| Failure::Data { path: file.to_owned(), reason: error.to_string() };
    serde_json::from_slice(&text).map_err(wrong)
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
