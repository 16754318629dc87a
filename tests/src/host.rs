//! Going into a host: its network namespace and its mounts, by its keeper.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, setns, unshare};

use crate::error::{Error, at, doing};
use crate::plan::Host;
use crate::process::Process;
use crate::tools;

/// The door of a host.
#[derive(Debug)]
pub struct Door {
    /// Which host.
    pub host: Host,
    net: File,
    mounts: File,
}

impl Door {
    /// The door a keeper holds open.
    pub fn open(host: Host, keeper: Process) -> Result<Self, Error> {
        let namespace = |kind| {
            let path = format!("/proc/{}/ns/{kind}", keeper.pid);
            File::open(&path).map_err(at(Path::new(&path)))
        };
        let door = Self { host, net: namespace("net")?, mounts: namespace("mnt")? };
        // Opened first, asked afterwards: if the keeper lives now, the files above are its own.
        let gone = || doing(format!("enter {host}"))(std::io::Error::from_raw_os_error(libc::ESRCH));
        keeper.is_alive().then_some(door).ok_or_else(gone)
    }

    /// Runs `work` in the host, on a thread of its own; a command spawned there starts in the host.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
        std::thread::scope(|scope| {
            let visit = scope.spawn(|| {
                self.enter()?;
                work()
            });
            visit.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Moves this thread into the host, for good.
    fn enter(&self) -> Result<(), Error> {
        let failed = || format!("enter {}", self.host);
        // A thread that shares its root with others may not change its mounts.
        unshare(CloneFlags::CLONE_FS).map_err(doing(failed()))?;
        setns(&self.net, CloneFlags::CLONE_NEWNET).map_err(doing(failed()))?;
        setns(&self.mounts, CloneFlags::CLONE_NEWNS).map_err(doing(failed()))
    }

    /// Becomes a command in the host; comes back only if that fails.
    pub fn become_command(&self, argv: &[String]) -> Error {
        let Some((program, rest)) = argv.split_first() else {
            return Error::Usage("run a command in a host: none was given".into());
        };
        let folder = std::env::current_dir();
        if let Err(error) = self.enter() {
            return error;
        }
        if let Ok(folder) = folder {
            // The folder may not exist in there; then it is the root.
            let _ = std::env::set_current_dir(folder);
        }
        let source = Command::new(program).args(rest).exec();
        Error::System { what: format!("run {program} in {}", self.host), source }
    }

    /// Runs a command in the host with this text on its standard input, and gives what it printed.
    pub fn run(&self, argv: &[&str], input: &str) -> Result<String, Error> {
        self.inside(|| run(argv, input))
    }

    /// Tells the host's kernel.
    pub fn set(&self, settings: &[(&str, &str)]) -> Result<(), Error> {
        self.inside(|| set(settings))
    }
}

/// Writes settings below `/proc/sys/net` of this thread's namespace.
pub fn set(settings: &[(&str, &str)]) -> Result<(), Error> {
    settings.iter().try_for_each(|(name, value)| {
        let path = Path::new("/proc/sys/net").join(name);
        std::fs::write(&path, value).map_err(at(&path))
    })
}

/// Runs a command with this text on its standard input, and gives what it printed.
///
/// # Errors
/// [`Error::Command`] with the last line it said if it refuses. The input is never in it: it may be a password.
pub fn run(argv: &[&str], input: &str) -> Result<String, Error> {
    let what = || doing(format!("run {}", argv.join(" ")));
    let (program, rest) = argv.split_first().expect("invariant: a command has a name");
    let mut child = Command::new(tools::on_path(program).unwrap_or_else(|| program.into()))
        .args(rest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(what())?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input to the end says why by its exit code.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(what())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said =
        String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    Err(Error::Command { command: argv.join(" "), said: said.trim().lines().last().unwrap_or("").to_owned() })
}
