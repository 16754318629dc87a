//! The relay below strace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clinic::check::Wrong;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::trace::{CALLS, Done, read};
use crate::powercut::CARRY;
use crate::powercut::carry::PERSON;
use crate::powercut::place::HOME;
use crate::powercut::replay::LOOK;

/// The relay; killed when dropped.
#[derive(Debug)]
pub struct Traced {
    strace: Child,
    trace: PathBuf,
}

impl Traced {
    /// Starts it with these defects, and a person who decides so about what is no request.
    ///
    /// # Errors
    /// strace does not start.
    pub fn start(program: &Path, sabotage: &str, verb: &str) -> Result<Self, Wrong> {
        let trace = Path::new(HOME).join("trace");
        let log = fs::File::create(Path::new(HOME).join("spoilt.log"))?;
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-xx", "-qq", "--seccomp-bpf", "-s", "16777216", "-e", CALLS, "-o"]);
        command.arg(&trace).arg("--absolute-timestamps=format:unix,precision:ns").arg(program).arg(CARRY);
        command.env("SEKISHO_SABOTAGE", sabotage).env(PERSON, verb).stdin(Stdio::null());
        let started = command.stdout(log.try_clone()?).stderr(log).spawn();
        let strace = started.map_err(|error| Wrong(format!("failed to start strace: {error}")))?;
        Ok(Self { strace, trace })
    }

    /// Whether it has died by itself.
    ///
    /// # Errors
    /// What the system says.
    pub fn died(&mut self) -> Result<bool, Wrong> {
        Ok(self.strace.try_wait()?.is_some())
    }

    /// Kills it, if it lives. Returns what it did.
    ///
    /// # Errors
    /// The trace cannot be read.
    pub fn end(mut self) -> Result<Vec<Done>, Wrong> {
        self.kill();
        Ok(read(&fs::read_to_string(&self.trace)?))
    }

    /// Kills the relay; strace ends with it. It may not have begun it yet.
    fn kill(&mut self) {
        while matches!(self.strace.try_wait(), Ok(None)) {
            let id = self.strace.id();
            let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
            for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
                let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
            }
            std::thread::park_timeout(LOOK);
        }
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.kill();
    }
}
