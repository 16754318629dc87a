//! Samba in a host: its accounts, and smbd.

use std::io::Write as _;
use std::path::Path;

use crate::daemon::{Daemon, Ready, Starting};
use crate::error::{Error, at};
use crate::ground::{Ground, args};
use crate::keeper::accounts;
use crate::plan::{Host, Place};
use crate::tools::in_a_host;

/// The first number of the accounts made here; they exist in their own host only.
const FIRST: u32 = 60_100;

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Login {
    /// A login with a password nobody knows yet.
    pub fn fresh(user: &str) -> Result<Self, Error> {
        let mut bytes = [0_u8; 16];
        getrandom::fill(&mut bytes).map_err(|error| Error::System {
            what: "make a password".into(),
            source: std::io::Error::other(error.to_string()),
        })?;
        let password = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { user: user.into(), password })
    }

    /// The login in a file of two lines, user and password.
    pub fn read(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(at(file))?;
        let mut lines = text.lines();
        let missing = || at(file)(std::io::Error::from(std::io::ErrorKind::InvalidData));
        match (lines.next(), lines.next()) {
            (Some(user), Some(password)) => Ok(Self { user: user.into(), password: password.into() }),
            _ => Err(missing()),
        }
    }

    /// Writes it to a file that only root reads.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut options = std::fs::OpenOptions::new();
        let mut out =
            options.write(true).create(true).truncate(true).mode(0o600).open(file).map_err(at(file))?;
        writeln!(out, "{}\n{}", self.user, self.password).map_err(at(file))
    }
}

/// Makes a Unix account in the host's own accounts, and gives its number.
pub fn account(ground: &Ground, host: Host, user: &str, nth: u32) -> Result<u32, Error> {
    let number = FIRST + nth;
    add_account(&ground.place, host, user, number)?;
    Ok(number)
}

/// Makes a Unix account with this number in the host's own accounts.
pub fn add_account(place: &Place, host: Host, user: &str, number: u32) -> Result<(), Error> {
    append(&accounts(place, host, "group"), &format!("{user}:x:{number}:"))?;
    let home = "/nonexistent:/usr/sbin/nologin";
    append(&accounts(place, host, "passwd"), &format!("{user}:x:{number}:{number}::{home}"))
}

/// Appended in place, because the file is mounted over the host's /etc/passwd.
fn append(file: &Path, line: &str) -> Result<(), Error> {
    let mut out = std::fs::OpenOptions::new().append(true).open(file).map_err(at(file))?;
    writeln!(out, "{line}").map_err(at(file))
}

/// Sets an account's password in Samba's own store, and makes it there when it is new.
pub fn set_password(ground: &Ground, host: Host, config: &str, login: &Login) -> Result<(), Error> {
    let twice = format!("{0}\n{0}\n", login.password);
    let program = ground.tools.smbpasswd.to_string_lossy();
    ground.door(host).run(&[&program, "-c", config, "-s", "-a", &login.user], &twice).map(drop)
}

/// Starts smbd in a host.
pub fn start(ground: &Ground, host: Host, name: &'static str, config: &str) -> Result<Starting, Error> {
    let program = in_a_host(&ground.tools.smbd);
    let list = args(["--foreground", "--no-process-group", "-s", config]);
    Daemon { name, program, args: list, ready: Ready::Notified, environment: Vec::new() }
        .start(&ground.place, ground.door(host))
}
