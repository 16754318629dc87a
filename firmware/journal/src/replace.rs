//! A small file replaced as a whole: a reader sees the old bytes or the new ones, also after a cut.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::sabotage::{FLUSH_REPLACE, FLUSH_REPLACE_NAME, unless};
use crate::{Error, sync_folder};

/// Replaces the file at `path` by `bytes`, readable by its owner only. When this returns `Ok` the new bytes are
/// durable; otherwise the old ones are still there. One writer a path.
///
/// # Errors
/// [`Error::Io`] with the step that failed; the copy beside the file is abandoned.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let beside = beside(path);
    write_new(&beside, bytes).inspect_err(|_| {
        // A leftover is harmless: the next replacement starts it again.
        let _ = fs::remove_file(&beside);
    })?;
    fs::rename(&beside, path).map_err(Error::io("rename", path))?;
    keep_name(path)
}

/// The bytes of the file at `path`; none if there is no such file.
///
/// # Errors
/// [`Error::Io`] if it is there and cannot be read.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

/// Removes the file at `path`, if there is one. When this returns `Ok` it does not come back.
///
/// # Errors
/// [`Error::Io`] with the step that failed.
pub fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        removed => removed.map_err(Error::io("remove", path))?,
    }
    keep_name(path)
}

/// Makes durable which file has this name, or that none has.
fn keep_name(path: &Path) -> Result<(), Error> {
    unless(FLUSH_REPLACE_NAME, || sync_folder(folder_of(path)))
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::io("create", path))?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    unless(FLUSH_REPLACE, || file.sync_all()).map_err(Error::io("fsync", path))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_replaced_is_read_back_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        assert_eq!(read(&path).unwrap(), None);
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_was_removed_is_gone_and_may_be_removed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        replace(&path, b"one").unwrap();
        remove(&path).unwrap();
        assert_eq!(read(&path).unwrap(), None);
        remove(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(remove(&path).unwrap_err().to_string().starts_with("remove "));
    }

    #[test]
    fn a_leftover_of_an_earlier_cut_does_not_reach_the_next_replacement() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        fs::write(folder.path().join("number.new"), b"a longer half-written leftover").unwrap();
        replace(&path, b"7").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some(&b"7"[..]));
    }

    #[test]
    fn a_refused_replacement_leaves_the_old_bytes_and_names_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        replace(&path, b"old").unwrap();
        fs::create_dir(folder.path().join("number.new")).unwrap();
        let error = replace(&path, b"new").unwrap_err().to_string();
        assert!(error.starts_with("create ") && error.contains("number.new"), "{error}");
        assert_eq!(read(&path).unwrap().as_deref(), Some(&b"old"[..]));
    }
}
