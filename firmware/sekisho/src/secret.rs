//! Secrets made on the box. A secret file has two lines, user and password, mode 0600; nothing else holds it.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tunnel::psk;

use crate::failure::Failure;

/// Letters and digits that are not mistaken for each other when read aloud or copied by hand.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 26 of 32 letters: 130 bits.
const LENGTH: usize = 26;

/// The file of a secret.
pub fn path(state: &Path, name: &str) -> PathBuf {
    state.join("secrets").join(name)
}

/// Makes the secret of a share account unless it is there. The password is never returned: who needs it reads it.
///
/// # Errors
/// [`Failure::Write`] with the path.
pub fn make(state: &Path, name: &str, user: &str) -> Result<PathBuf, Failure> {
    let path = path(state, name);
    let write = |source| Failure::Write { path: path.clone(), source };
    let folder = state.join("secrets");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(write)?;
    // What a cut left without a password must not become an account that has none.
    let has_password = |text: String| text.lines().nth(1).is_some_and(|password| !password.is_empty());
    if fs::read_to_string(&path).is_ok_and(has_password) {
        return Ok(path);
    }
    let text = format!("{user}\n{}\n", letters(LENGTH)?);
    journal::replace(&path, text.as_bytes()).map_err(|error| write(std::io::Error::other(error)))?;
    Ok(path)
}

/// User and password of a secret that somebody put on the box. It shows neither.
pub struct Login {
    /// The first line.
    pub user: String,
    /// The second.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Login")
    }
}

/// The longest user and password: what PAP can say (RFC 1334 section 2.2.1).
const LONGEST: usize = 255;

/// Whether pppd would take a password for the name of a file that holds one (pppd(8), "AUTHENTICATION"). It looks at what
/// stands between the quotes, so that nothing takes that meaning away. All else it takes as it is, in quotes: options of its own
/// stand in other files, and `*` is no pattern there for a client.
pub fn is_a_file_s_name(password: &str) -> bool {
    password.starts_with("@/")
}

/// Reads a secret's two lines. None if it is not there, or one of them cannot be said in a session or to pppd.
pub fn login(state: &Path, name: &str) -> Option<Login> {
    let text = fs::read_to_string(path(state, name)).ok()?;
    let mut lines = text.lines();
    let (user, password) = (lines.next()?.to_owned(), lines.next()?.to_owned());
    let sayable = |word: &String| (1..=LONGEST).contains(&word.len()) && !word.chars().any(char::is_control);
    let is_right = sayable(&user) && sayable(&password) && !is_a_file_s_name(&password);
    is_right.then_some(Login { user, password })
}

/// The mark of a login: the same for as long as nobody puts in another one, and drawn by lot then, so that it tells nothing of
/// what it marks. The box knows it again by a fingerprint under a key of its own, which lies beside the secret.
///
/// # Errors
/// [`Failure::Read`] if the kernel gives no random bytes, [`Failure::Write`] with the path.
pub fn mark(state: &Path, name: &str, login: &Login) -> Result<String, Failure> {
    let place = path(state, &format!("{name}.mark"));
    let print =
        |key: &str| psk::fingerprint(&psk::list_key(key), &format!("{}\n{}", login.user, login.password));
    let kept = fs::read_to_string(&place).unwrap_or_default();
    if let [key, known, mark] = kept.lines().collect::<Vec<_>>()[..]
        && print(key) == known
    {
        return Ok(mark.to_owned());
    }
    let (key, mark) = (letters(LENGTH)?, letters(LENGTH)?);
    let text = format!("{key}\n{}\n{mark}\n", print(&key));
    journal::replace(&place, text.as_bytes())
        .map_err(|error| Failure::Write { path: place, source: std::io::Error::other(error) })?;
    Ok(mark)
}

/// So many random letters and digits.
///
/// # Errors
/// [`Failure::Read`] if the kernel gives no random bytes.
pub fn letters(count: usize) -> Result<String, Failure> {
    let mut bytes = vec![0_u8; count];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Read {
        path: "/dev/random".into(),
        source: std::io::Error::other(error.to_string()),
    })?;
    // 32 divides 256: every letter is as likely as the others.
    Ok(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_reads_it() {
        let state = tempfile::tempdir().unwrap();
        let path = make(state.path(), "share-receipt", "receipt").unwrap();
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(first.lines().next(), Some("receipt"));
        assert_eq!(first.lines().nth(1).unwrap().len(), LENGTH);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        make(state.path(), "share-receipt", "receipt").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
    }

    #[test]
    fn a_login_has_two_lines_that_can_be_said_and_is_never_shown() {
        let state = tempfile::tempdir().unwrap();
        let of = |text: &str| {
            fs::create_dir_all(state.path().join("secrets")).unwrap();
            fs::write(path(state.path(), "line"), text).unwrap();
            login(state.path(), "line")
        };
        assert!(login(state.path(), "line").is_none(), "it is not there");
        let read = of("12345678@example\r\np \"#x\n").unwrap();
        assert_eq!((read.user.as_str(), read.password.as_str()), ("12345678@example", "p \"#x"));
        assert_eq!(format!("{read:?}"), "Login");
        assert_eq!(of("user\n@password\n").unwrap().password, "@password", "an @ alone is a letter");
        assert_eq!(of("user\n*\n").unwrap().password, "*");
        for bad in [
            "",
            "user",
            "user\n\n",
            "user\n@/etc/passwd\n",
            "us\ter\npassword\n",
            &format!("user\n{}\n", "x".repeat(256)),
        ] {
            assert!(of(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_login_has_its_mark_until_it_is_another_one_and_the_mark_tells_nothing_of_it() {
        let state = tempfile::tempdir().unwrap();
        let login = |user: &str, password: &str| Login { user: user.into(), password: password.into() };
        fs::create_dir_all(state.path().join("secrets")).unwrap();
        let of = |login: &Login| mark(state.path(), "line", login).unwrap();
        let first = of(&login("user", "password"));
        assert_eq!(of(&login("user", "password")), first);
        let second = of(&login("user", "passwords"));
        assert_ne!(second, first);
        let third = of(&login("users", "passwords"));
        assert_ne!(third, second);
        let back = of(&login("user", "password"));
        assert!(back != first, "nobody can try by it whether a login is that of before");
        let file = path(state.path(), "line.mark");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!fs::read_to_string(&file).unwrap().contains("password"));
        fs::write(&file, "half").unwrap();
        assert_ne!(of(&login("user", "password")), back, "a cut one is drawn anew");
    }

    #[test]
    fn what_a_cut_left_without_a_password_is_made_again() {
        let state = tempfile::tempdir().unwrap();
        let path = make(state.path(), "share-receipt", "receipt").unwrap();
        for cut in ["", "receipt", "receipt\n\n"] {
            fs::write(&path, cut).unwrap();
            make(state.path(), "share-receipt", "receipt").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap().lines().nth(1).unwrap().len(), LENGTH);
        }
    }
}
