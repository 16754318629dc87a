//! Where everything lies, in the guest that is recorded and here where it is replayed: the same paths.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

/// Both file systems are mounted below it.
pub const HOME: &str = "/run/sekisho-powercut";
/// The site file of both.
pub const SITE: &str = include_str!("site.toml");

/// Which folder of the table of kinds requests go through.
pub const REQUESTS: &str = "req";
/// Which one answers come through.
pub const ANSWERS: &str = "res";

/// How the terminal stands to the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// Another machine: when the box's power goes it loses nothing.
    Far,
    /// A folder of the box itself, on a disk of its own: it loses power with it, and what was uncertain then is held.
    Near,
}

impl Terminal {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Far => "far",
            Self::Near => "near",
        }
    }
}

/// The places. Each is a file system of its own.
#[derive(Clone, Debug)]
pub struct Place {
    /// The box's state, which a cut takes back to what was flushed.
    pub state: PathBuf,
    /// The terminal's disk.
    pub terminal: PathBuf,
    /// What everybody outside remembers, and never forgets.
    pub outside: PathBuf,
}

impl Default for Place {
    fn default() -> Self {
        Self::below(Path::new(HOME))
    }
}

impl Place {
    /// Below a folder.
    pub fn below(home: &Path) -> Self {
        Self { state: home.join("box"), terminal: home.join("terminal"), outside: home.join("outside") }
    }

    /// A folder of the clinic's share on the box.
    pub fn clinic(&self, folder: &str) -> PathBuf {
        self.state.join("share/OQS").join(folder)
    }

    /// A folder of the relay's own; `attempted` and `arriving` have one for each end.
    pub fn own(&self, folder: &str) -> PathBuf {
        self.state.join("relay").join(folder)
    }

    /// A folder of the terminal's share.
    pub fn share(&self, folder: &str) -> PathBuf {
        self.terminal.join("share").join(folder)
    }

    /// Where the terminal's link application has what it took, and makes what it gives.
    pub fn application(&self, folder: &str) -> PathBuf {
        self.terminal.join("application").join(folder)
    }

    /// A folder of what everybody outside remembers.
    pub fn outside(&self, folder: &str) -> PathBuf {
        self.outside.join(folder)
    }

    /// Makes what must be there before anything runs.
    ///
    /// # Errors
    /// What the system says.
    pub fn furnish(&self) -> io::Result<()> {
        for folder in [REQUESTS, ANSWERS, "face"] {
            fs::create_dir_all(self.share(folder))?;
        }
        for folder in ["taken", "making"] {
            fs::create_dir_all(self.application(folder))?;
        }
        for folder in ["put", "answered", "seen", "torn", "collected", "odd"] {
            fs::create_dir_all(self.outside(folder))?;
        }
        Ok(())
    }
}

/// Where the kernel says which start of the machine this is.
pub const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// Says to whoever asks in this mount namespace that the machine was never started anew. The relay takes a folder of
/// its own machine for one that lost its state with the box; a far terminal did not.
///
/// # Errors
/// What the system says.
pub fn same_boot(file: &Path) -> io::Result<()> {
    fs::write(file, "00000000-0000-4000-8000-000000000000\n")?;
    Ok(mount(Some(file), BOOT_ID, None::<&str>, MsFlags::MS_BIND, None::<&str>)?)
}
