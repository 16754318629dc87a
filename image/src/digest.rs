//! SHA-256 of files and folders, in hex: what a step was made from, and what an image is.

use std::fmt::Write as _;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use crate::error::{Error, at};

/// A digest under way.
pub struct Digest(Context);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest")
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Digest {
    /// Bytes, as they come.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// One thing of several: its length goes in too, so that two lists never look alike.
    pub fn part(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The result in hex.
    pub fn hex(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The digest of a text.
pub fn text(text: &str) -> String {
    let mut digest = Digest::default();
    digest.update(text.as_bytes());
    digest.hex()
}

/// The digest of a file.
pub fn file(path: &Path) -> Result<String, Error> {
    let mut open = std::fs::File::open(path).map_err(at("read", path))?;
    let (mut digest, mut buffer) = (Digest::default(), vec![0; 1 << 20]);
    loop {
        match open.read(&mut buffer).map_err(at("read", path))? {
            0 => return Ok(digest.hex()),
            count => digest.update(&buffer[..count]),
        }
    }
}

/// The digest of a folder: names, modes, links and contents, in a fixed order.
pub fn folder(path: &Path) -> Result<String, Error> {
    let mut digest = Digest::default();
    for entry in walk(path)? {
        let full = path.join(&entry);
        let meta = full.symlink_metadata().map_err(at("read", &full))?;
        digest.part(entry.as_os_str().as_bytes());
        digest.part(&meta.permissions().mode().to_le_bytes());
        if meta.is_symlink() {
            digest.part(std::fs::read_link(&full).map_err(at("read", &full))?.as_os_str().as_bytes());
        } else if meta.is_file() {
            digest.part(file(&full)?.as_bytes());
        }
    }
    Ok(digest.hex())
}

/// Everything below a folder, relative to it, sorted, folders before what is in them. Links are not followed.
pub fn walk(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut found, mut open) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = open.pop() {
        let full = root.join(&folder);
        for entry in std::fs::read_dir(&full).map_err(at("read", &full))? {
            let entry = entry.map_err(at("read", &full))?;
            let name = folder.join(entry.file_name());
            if entry.file_type().map_err(at("read", &full))?.is_dir() {
                open.push(name.clone());
            }
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_differs_by_name_mode_and_content() {
        let folder_of = |name: &str, mode: u32, text: &str| {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            folder(place.path()).unwrap()
        };
        let one = folder_of("a", 0o644, "x");
        assert_eq!(one, folder_of("a", 0o644, "x"));
        assert_ne!(one, folder_of("b", 0o644, "x"));
        assert_ne!(one, folder_of("a", 0o755, "x"));
        assert_ne!(one, folder_of("a", 0o644, "y"));
    }

    #[test]
    fn a_known_text_has_its_known_digest() {
        assert_eq!(text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
