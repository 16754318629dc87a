//! The relay below strace.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clinic::check::Wrong;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::trace::{CALLS, Done, read};
use crate::powercut::CARRY;
use crate::powercut::carry::PERSON;
use crate::powercut::replay::LOOK;

/// The relay; killed when dropped.
#[derive(Debug)]
pub struct Traced {
    strace: Child,
    trace: PathBuf,
}

impl Traced {
    /// Starts it with these defects, and a person who decides so about what is no request. What it did is written down in
    /// this folder.
    ///
    /// # Errors
    /// strace does not start.
    pub fn start(folder: &Path, program: &Path, sabotage: &str, verb: &str) -> Result<Self, Wrong> {
        let trace = folder.join("trace");
        // One that ends before it has begun must not leave what the last one wrote.
        match fs::remove_file(&trace) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let log = fs::File::create(folder.join("spoilt.log"))?;
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
    /// The trace cannot be read, or strace ended by itself before it began one.
    pub fn end(mut self) -> Result<Vec<Done>, Wrong> {
        let lived = !self.died()?;
        self.kill();
        match fs::read_to_string(&self.trace) {
            Ok(trace) => Ok(read(&trace)),
            Err(error) if error.kind() == ErrorKind::NotFound && lived => Ok(Vec::new()),
            Err(error) => Err(Wrong(format!("strace has written nothing down: {error}"))),
        }
    }

    /// Kills the relay; strace ends with it. Before it begins the relay it has children of its own for a moment, to try
    /// what the kernel can do: without one of those it ends before it has begun.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::powercut::forgetful::trace::Op;

    #[test]
    fn one_that_is_killed_before_it_began_did_nothing_of_what_the_last_one_did() {
        let folder = tempfile::tempdir().unwrap();
        let made = PathBuf::from("/of-the-last-one");
        let hex: String = made.display().to_string().bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        // Which of strace's children the kill meets is chance.
        for _ in 0..400 {
            fs::write(folder.path().join("trace"), format!("7 1.000000001 mkdir(\"{hex}\", 0777) = 0\n"))
                .unwrap();
            let traced = Traced::start(folder.path(), Path::new("/bin/true"), "", "").unwrap();
            let done = traced.end().unwrap();
            assert!(!done.iter().any(|done| done.op == Op::Folder(made.clone())), "{done:?}");
        }
    }

    #[test]
    fn a_strace_that_ends_by_itself_without_a_trace_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut traced = Traced::start(folder.path(), Path::new("/nowhere/relay"), "", "").unwrap();
        traced.strace.wait().unwrap();
        let _ = fs::remove_file(&traced.trace);
        assert!(traced.end().is_err());
    }
}
