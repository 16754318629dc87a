//! The tools chroot as a place to work in. The mounts it needs live in a mount namespace of this process and end with
//! it, however that comes, so there is nothing to clean up.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::error::{Error, at, calling, doing};
use crate::tool::Tool;

/// Folders of this machine that the tools see where they are. `/tmp` and `/run` carry sockets between the two.
const SEEN: [&str; 5] = ["/dev", "/proc", "/sys", "/run", "/tmp"];

/// The tools chroot, entered by this process.
#[derive(Debug, Clone)]
pub struct Room {
    root: PathBuf,
}

/// Gives this process mounts of its own. Call it once, before anything else.
pub fn own_mounts() -> Result<(), Error> {
    if !nix::unistd::geteuid().is_root() {
        return Err(Error::NotRoot("make the image"));
    }
    unshare(CloneFlags::CLONE_NEWNS).map_err(calling("make a mount namespace"))?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(calling("make the mounts private"))
}

/// Shows a folder of this machine at another place too, with what is mounted below it.
pub fn show(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(to).map_err(at("make", to))?;
    let with_all = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, with_all, None::<&str>).map_err(calling(format!(
        "show {} at {}",
        from.display(),
        to.display()
    )))
}

impl Room {
    /// Furnishes the tools tree: this machine's devices, and the folders named.
    pub fn open(root: &Path, folders: &[&Path]) -> Result<Self, Error> {
        for folder in SEEN.iter().map(Path::new).chain(folders.iter().copied()) {
            let below = folder.strip_prefix("/").unwrap_or(folder);
            show(folder, &root.join(below))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// One of the tools.
    pub fn tool(&self, program: &str, log: &Path) -> Tool {
        Tool::within(&self.root, program, log)
    }

    /// Becomes a program of the tools; comes back only if that fails.
    pub fn become_tool(&self, command: &[OsString]) -> Result<std::convert::Infallible, Error> {
        let [program, words @ ..] = command else {
            return Err(Error::Usage("run a tool: `image tools -- COMMAND…`".into()));
        };
        let here = std::env::current_dir().map_err(doing("find the current folder"))?;
        nix::unistd::chroot(&self.root).map_err(calling(format!("enter {}", self.root.display())))?;
        std::env::set_current_dir(&here)
            .or_else(|_| std::env::set_current_dir("/"))
            .map_err(doing("enter the current folder"))?;
        let failed = Command::new(program).args(words).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").exec();
        Err(Error::System { what: format!("run {} of the tools", program.display()), source: failed })
    }
}
