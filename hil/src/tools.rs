//! The programs of the bench: they live in the image builder's tools tree, and run in the clinic's place for the box.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clinic::Clinic;
use clinic::check::Wrong;

/// What the work folder is called in the tools tree.
pub const WORK: &str = "/mnt";

/// Enters the tools tree, with the work folder and the folder of the sockets in it, and becomes the command; it ends
/// with whoever started it.
const ENTER: &str = "set -e; tools=$1 work=$2 run=$3; shift 3
for folder in dev proc; do mount --rbind /$folder $tools/$folder; done
mount --bind \"$work\" \"$tools/mnt\"
mount --bind \"$run\" \"$tools/run\"
exec setpriv --pdeathsig KILL -- chroot \"$tools\" \"$@\"";

/// The tools.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The tree.
    pub tree: PathBuf,
    /// Where disks, sticks and firmware variables of this run lie.
    pub work: PathBuf,
    /// Where logs go.
    pub artifacts: PathBuf,
}

impl Tools {
    /// Finds the tree; the work folder is made empty.
    ///
    /// # Errors
    /// A program is missing in it.
    pub fn find(tree: &Path, work: &Path, artifacts: &Path) -> Result<Self, Wrong> {
        for program in ["qemu-system-x86_64", "qemu-img", "swtpm", "mcopy"] {
            let file = tree.join("usr/bin").join(program);
            if !file.exists() {
                return Err(Wrong(format!("failed to find {}: scripts/image makes it", file.display())));
            }
        }
        if work.exists() {
            fs::remove_dir_all(work)?;
        }
        fs::create_dir_all(work)?;
        fs::create_dir_all(artifacts)?;
        let whole = |path: &Path| path.canonicalize();
        Ok(Self { tree: whole(tree)?, work: whole(work)?, artifacts: whole(artifacts)? })
    }

    /// The folder of the machine's sockets: the clinic's own, which goes with it.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn run(&self, clinic: &Clinic) -> Result<PathBuf, Wrong> {
        let folder = clinic.place("board");
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// A command of the tools tree in the clinic's place for the box, not started yet.
    pub fn command(&self, clinic: &Clinic, argv: &[String]) -> Command {
        self.command_in(clinic, "box", &clinic.place("board"), argv)
    }

    /// The same in another place of the clinic, with another folder of sockets.
    pub fn command_in(&self, clinic: &Clinic, host: &str, run: &Path, argv: &[String]) -> Command {
        let mut command = clinic.command(host, &["unshare", "--mount", "--propagation", "private"]);
        command.args(self.enter(run)).args(argv);
        command
    }

    fn enter(&self, run: &Path) -> Vec<PathBuf> {
        let words = ["sh", "-c", ENTER, "sh"].map(PathBuf::from);
        words.into_iter().chain([self.tree.clone(), self.work.clone(), run.to_owned()]).collect()
    }

    /// Runs a command of the tools tree to its end, outside the clinic; gives what it printed.
    ///
    /// # Errors
    /// It fails.
    pub fn run_here(&self, argv: &[&str]) -> Result<String, Wrong> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]).args(self.enter(&self.work)).args(argv);
        let output = command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim().lines().last().unwrap_or("no word").to_owned();
        Err(Wrong(format!("{}: {last}", argv.join(" "))))
    }

    /// What a file of the work folder is called in the tools tree.
    ///
    /// # Errors
    /// It lies elsewhere.
    pub fn inside(&self, file: &Path) -> Result<String, Wrong> {
        let below = file.strip_prefix(&self.work).map_err(|_elsewhere| {
            Wrong(format!("{} does not lie in {}", file.display(), self.work.display()))
        })?;
        Ok(format!("{WORK}/{}", below.display()))
    }
}
