//! Network namespaces of the bench, one a room, with mounts of their own; they end with it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::super::super::Wrong;
use crate::host;

/// A namespace in which a shell waits for lines, each of which it answers with one.
#[derive(Debug)]
pub(super) struct Room {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Room {
    /// Makes one. The script says `ready` when it is laid out; then each line that it is sent is one turn of its work.
    pub fn with(script: &str) -> Result<Self, Wrong> {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "--propagation", "private", "bash", "-euc", script]);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| Wrong(format!("failed to start unshare: {error}")))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Wrong::new("a room has no door"));
        };
        let mut room = Self { child, stdin, stdout: BufReader::new(stdout) };
        room.hear("ready")?;
        Ok(room)
    }

    /// A room in which nothing works but what is put there.
    pub fn empty() -> Result<Self, Wrong> {
        Self::with("ip link set lo up; echo ready; while read -r _; do echo done; done")
    }

    /// One turn of the script's work.
    pub fn turn(&mut self) -> Result<(), Wrong> {
        writeln!(self.stdin)?;
        self.hear("done")
    }

    fn hear(&mut self, word: &str) -> Result<(), Wrong> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        if line.trim() == word {
            Ok(())
        } else {
            Err(Wrong(format!("a room said {line:?} instead of {word}")))
        }
    }

    /// Its number, by which `ip` finds it.
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Runs commands in it, one a line.
    pub fn run(&self, commands: &str) -> Result<(), Wrong> {
        let pid = self.pid();
        for line in commands.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut argv = vec!["nsenter", "--target", &pid, "--net", "--mount", "--"];
            argv.extend(line.split_whitespace());
            host::run(&argv, "")?;
        }
        Ok(())
    }

    /// Runs one command with this on its standard input.
    pub fn feed(&self, argv: &[&str], input: &str) -> Result<String, Wrong> {
        let pid = self.pid();
        Ok(host::run(&[&["nsenter", "--target", &pid, "--net", "--mount", "--"], argv].concat(), input)?)
    }

    /// Moves this thread there, for good.
    pub fn door(&self) -> Result<impl FnOnce() -> Result<(), Wrong> + Send + use<>, Wrong> {
        let net = File::open(format!("/proc/{}/ns/net", self.pid()))?;
        Ok(move || {
            unshare(CloneFlags::CLONE_FS)
                .and_then(|()| setns(&net, CloneFlags::CLONE_NEWNET))
                .map_err(|errno| Wrong(format!("failed to enter a room: {errno}")))
        })
    }

    /// Lays a wire between a port of this room and one of another.
    pub fn wire(&self, port: &str, other: &Self, end: &str) -> Result<(), Wrong> {
        let pid = other.pid();
        self.run(&format!(
            "ip link add {port} type veth peer name {end} netns {pid}\nip link set {port} up"
        ))?;
        other.run(&format!("ip link set {end} up"))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Whatever the script started is of its group. Ended already: nothing is left to end.
        let group = i32::try_from(self.child.id()).map(Pid::from_raw);
        let _ = group.map(|group| killpg(group, Signal::SIGKILL));
        let _ = self.child.wait();
    }
}
