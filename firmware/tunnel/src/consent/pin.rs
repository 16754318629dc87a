//! The responsible person's number: kept as argon2id (RFC 9106), readable by its owner only, and tried no faster than
//! [`super::tries`] says. It is in no log, no error and no argument.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use model::maintenance::{Pin, Refusal};

use super::tries::Tries;

/// RFC 9106 section 4, the second recommended option halved for a small box: 32 MiB, three passes, one lane.
const MEMORY_KIB: u32 = 32 * 1024;
const PASSES: u32 = 3;

/// Keeps the number.
#[derive(Clone, Debug)]
pub struct Keeper {
    folder: PathBuf,
    boot: String,
}

impl Keeper {
    /// In the state's own folder; `boot` names this start of the machine.
    pub fn of(state: &Path, boot: &str) -> Self {
        Self { folder: state.join("maintenance"), boot: boot.to_owned() }
    }

    fn pin(&self) -> PathBuf {
        self.folder.join("pin")
    }

    fn tries(&self) -> PathBuf {
        self.folder.join("tries")
    }

    /// Whether a number is set. A file that cannot be read is one: nobody sets another over it.
    pub fn is_set(&self) -> bool {
        !matches!(journal::read(&self.pin()), Ok(None))
    }

    /// Sets it.
    ///
    /// # Errors
    /// [`Refusal::UnfitPin`]; [`Refusal::Failed`] if it cannot be kept, and then the old one stays.
    pub fn set(&self, pin: &Pin) -> Result<(), Refusal> {
        if !pin.is_fit() {
            return Err(Refusal::UnfitPin);
        }
        let mut salt = [0_u8; 16];
        getrandom::fill(&mut salt).map_err(|error| failed(&error))?;
        let salt = SaltString::encode_b64(&salt).map_err(|error| failed(&error))?;
        let kept = hasher().hash_password(pin.digits().as_bytes(), &salt).map_err(|error| failed(&error))?;
        journal::make_folder(&self.folder).map_err(|error| failed(&error))?;
        journal::replace(&self.pin(), kept.to_string().as_bytes()).map_err(|error| failed(&error))?;
        self.count(&Tries::default())
    }

    /// Whether it is this one. The try is counted before it is looked at, so that nobody takes it back by ending us.
    ///
    /// # Errors
    /// [`Refusal::NoPin`], [`Refusal::TooSoon`], [`Refusal::WrongPin`]; [`Refusal::Failed`] if it cannot be counted.
    pub fn check(&self, pin: &Pin, running: Duration) -> Result<(), Refusal> {
        let kept = journal::read(&self.pin()).map_err(|error| failed(&error))?.ok_or(Refusal::NoPin)?;
        let tries = self.counted()?;
        let wait = tries.wait(&self.boot, running);
        if !wait.is_zero() {
            return Err(Refusal::TooSoon { wait_s: wait.as_secs() + 1 });
        }
        self.count(&tries.and_one(&self.boot, running))?;
        let kept = String::from_utf8(kept).map_err(|_| damaged())?;
        let kept = PasswordHash::new(&kept).map_err(|_| damaged())?;
        let right = hasher().verify_password(pin.digits().as_bytes(), &kept);
        right.map_err(|_| Refusal::WrongPin)?;
        self.count(&Tries::default())
    }

    /// A count that cannot be read is no count, and nothing is tried.
    fn counted(&self) -> Result<Tries, Refusal> {
        let bytes = journal::read(&self.tries()).map_err(|error| failed(&error))?;
        let Some(bytes) = bytes else { return Ok(Tries::default()) };
        serde_json::from_slice(&bytes).map_err(|error| failed(&error))
    }

    fn count(&self, tries: &Tries) -> Result<(), Refusal> {
        let text = serde_json::to_vec(tries).map_err(|error| failed(&error))?;
        journal::replace(&self.tries(), &text).map_err(|error| failed(&error))
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("invariant: RFC 9106 allows these");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "the PIN could not be kept or looked at");
    Refusal::Failed
}

fn damaged() -> Refusal {
    tracing::error!("what is kept of the PIN is damaged");
    Refusal::Failed
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn it_is_kept_as_argon2id_for_its_owner_alone_and_compared() {
        let state = tempfile::tempdir().unwrap();
        let keeper = Keeper::of(state.path(), "boot");
        let (right, wrong) = (Pin::typed("385017"), Pin::typed("385018"));
        assert!(!keeper.is_set());
        assert_eq!(keeper.check(&right, seconds(1)), Err(Refusal::NoPin));
        assert_eq!(keeper.set(&Pin::typed("111111")), Err(Refusal::UnfitPin));
        keeper.set(&right).unwrap();
        let kept = std::fs::read_to_string(keeper.pin()).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=32768,t=3,p=1$") && !kept.contains("385017"), "{kept}");
        let mode = std::fs::metadata(keeper.pin()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(keeper.check(&right, seconds(2)), Ok(()));
        assert_eq!(keeper.check(&wrong, seconds(3)), Err(Refusal::WrongPin));
    }

    #[test]
    fn wrong_ones_are_counted_over_a_restart_and_a_right_one_begins_anew() {
        let state = tempfile::tempdir().unwrap();
        let keeper = Keeper::of(state.path(), "boot");
        let (right, wrong) = (Pin::typed("385017"), Pin::typed("000001"));
        keeper.set(&right).unwrap();
        for _ in 0..3 {
            assert_eq!(keeper.check(&wrong, seconds(5)), Err(Refusal::WrongPin));
        }
        let again = Keeper::of(state.path(), "boot");
        assert_eq!(again.check(&right, seconds(6)), Err(Refusal::TooSoon { wait_s: 10 }));
        assert_eq!(again.check(&right, seconds(15)), Ok(()));
        assert_eq!(again.check(&wrong, seconds(16)), Err(Refusal::WrongPin), "counted from nought again");
        std::fs::write(again.tries(), "{").unwrap();
        assert_eq!(again.check(&right, seconds(17)), Err(Refusal::Failed), "a damaged count is no count");
    }
}
