//! Running a program: everything it says goes to a log, and only a failure shows the end of it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, at};

/// A program, in a chroot or not.
#[derive(Debug)]
pub struct Tool {
    program: String,
    command: Command,
    log: PathBuf,
}

impl Tool {
    /// A program of this machine.
    pub fn host(program: &str, log: &Path) -> Self {
        Self { program: program.to_owned(), command: Command::new(program), log: log.to_owned() }
    }

    /// A program of a chroot, called in it.
    pub fn within(root: &Path, program: &str, log: &Path) -> Self {
        let mut command = Command::new("chroot");
        command.arg(root).arg(program);
        Self { program: program.to_owned(), command, log: log.to_owned() }.clean()
    }

    /// A program of a tree that has no mounts of its own: it gets devices and processes, in a mount namespace that
    /// ends with it. (A mount of ours could outlive the call, and then clearing the tree would clear `/dev`.)
    pub fn inside(root: &Path, program: &str, log: &Path) -> Self {
        const ENTER: &str =
            r#"mount --rbind /dev "$0/dev" && mount --rbind /proc "$0/proc" && exec chroot "$0" "$@""#;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", ENTER]).arg(root).arg(program);
        Self { program: program.to_owned(), command, log: log.to_owned() }.clean()
    }

    /// What this machine's shell exports means nothing in a tree, and would make two builds differ.
    fn clean(mut self) -> Self {
        self.command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/root");
        self
    }

    /// One more word.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<OsStr>) -> Self {
        self.command.arg(word);
        self
    }

    /// More words.
    #[must_use]
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, words: I) -> Self {
        self.command.args(words);
        self
    }

    /// `--name=value`, for a value that may be a path.
    #[must_use]
    pub fn option(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let mut word = OsString::from(format!("--{name}="));
        word.push(value);
        self.arg(word)
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it; what it says goes to the log.
    pub fn run(mut self, what: &str) -> Result<(), Error> {
        let log =
            File::options().create(true).append(true).open(&self.log).map_err(at("write", &self.log))?;
        let both = log.try_clone().map_err(at("write", &self.log))?;
        self.command.stdin(Stdio::null()).stdout(log).stderr(both);
        let status = self.command.status().map_err(|source| missing(&self.program, source))?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Tool {
            what: what.to_owned(),
            program: self.program,
            status: status.to_string(),
            said: format!("the end of {}:\n{}", self.log.display(), tail(&self.log)),
        })
    }

    /// Runs it and gives what it says on standard output.
    pub fn read(mut self, what: &str) -> Result<String, Error> {
        self.command.stdin(Stdio::null());
        let done = self.command.output().map_err(|source| missing(&self.program, source))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            let (program, status) = (self.program, done.status.to_string());
            return Err(Error::Tool { what: what.to_owned(), program, status, said });
        }
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}

fn missing(program: &str, source: std::io::Error) -> Error {
    if source.kind() == std::io::ErrorKind::NotFound {
        let remedy = "scripts/image installs what scripts/packages/image.list names".to_owned();
        return Error::Missing { program: program.to_owned(), remedy };
    }
    Error::System { what: format!("run {program}"), source }
}

fn tail(log: &Path) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
