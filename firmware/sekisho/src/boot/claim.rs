//! The one-time claim code: who reads the console stands at the box. The code is shown there and nowhere else; for
//! the page, which will ask for it, only its hash is kept. Both are gone with the next boot.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use nix::unistd::User;

use crate::failure::Failure;
use crate::{files, secret};

/// Three groups of four letters and digits: 60 bits, for a code that is guessed at over a page.
const GROUPS: [usize; 3] = [4, 4, 4];

/// Where the code lies for the console.
pub fn code(own: &Path) -> PathBuf {
    own.join("claim/code")
}

/// Where its hash lies for the page.
pub fn hash(own: &Path) -> PathBuf {
    own.join("claim/hash")
}

/// Makes a new code. Only the console's user reads it, only the page's user reads the hash.
///
/// # Errors
/// [`Failure::Write`] with the path; [`Failure::Read`] if the kernel gives no random bytes.
pub fn make(own: &Path) -> Result<(), Failure> {
    let text = GROUPS.map(secret::letters).into_iter().collect::<Result<Vec<_>, _>>()?.join("-");
    let folder = own.join("claim");
    let write = |source| Failure::Write { path: folder.clone(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o711).create(&folder).map_err(write)?;
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).map_err(write)?;
    lend(&code(own), &text, "boardd")?;
    lend(&hash(own), &blake3::hash(text.as_bytes()).to_hex(), "webd")
}

/// Writes a file that one user reads. A system without that user (development) keeps it root's.
fn lend(path: &Path, text: &str, user: &str) -> Result<(), Failure> {
    files::replace(path, format!("{text}\n"), 0o400)?;
    let Some(user) = User::from_name(user).ok().flatten() else { return Ok(()) };
    chown(path, Some(user.uid.as_raw()), None)
        .map_err(|source| Failure::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_keeps_only_a_hash_of_what_the_console_shows() {
        let own = tempfile::tempdir().unwrap();
        make(own.path()).unwrap();
        let shown = std::fs::read_to_string(code(own.path())).unwrap();
        let kept = std::fs::read_to_string(hash(own.path())).unwrap();
        assert_eq!(shown.trim().len(), 14);
        assert_eq!(kept.trim(), blake3::hash(shown.trim().as_bytes()).to_hex().as_str());
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(code(own.path())), mode(hash(own.path()))), (0o400, 0o400));
        make(own.path()).unwrap();
        assert_ne!(std::fs::read_to_string(code(own.path())).unwrap(), shown, "one time means one boot");
    }
}
