//! A virtual clinic, driven from outside only: the `clinic` program, the `sekisho` verbs, an SMB client, and the folders
//! that the two Samba servers serve.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use model::part::{LinePart, Snapshot};
use serde::de::DeserializeOwned;

use super::event::until;
use super::{Wrong, must};
use crate::faux::receipt::{Session, Share, stem_of_answer};
use crate::{ShareStatus, Status};

/// How long a file may take on its way there and back.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What runs, and under what name.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The clinic's name.
    pub name: String,
    /// The `clinic` program.
    pub clinic: PathBuf,
    /// The `sekisho` program.
    pub sekisho: PathBuf,
    /// A defect that sekisho is to have.
    pub sabotage: Option<&'static str>,
    /// Faults the clinic is born with.
    pub faults: Vec<&'static str>,
}

/// A clinic that is up; it goes down when dropped.
pub struct Lab {
    wish: Wish,
    status: Status,
    scratch: PathBuf,
    session: Option<Session>,
    restarted: Option<Child>,
    serial: u32,
}

impl Lab {
    /// Brings it up.
    ///
    /// # Errors
    /// `clinic up` fails.
    pub fn up(wish: Wish) -> Result<Self, Wrong> {
        let sekisho = wish.sekisho.as_os_str();
        let mut command = Command::new(&wish.clinic);
        command.args(["up", "--json", "--name", &wish.name, "--sekisho"]).arg(sekisho);
        for fault in &wish.faults {
            command.args(["--fault", fault]);
        }
        match wish.sabotage {
            Some(defect) => command.env("SEKISHO_SABOTAGE", defect),
            None => command.env_remove("SEKISHO_SABOTAGE"),
        };
        let status: Status = parse(&done(&mut command)?)?;
        let scratch = std::env::temp_dir().join(format!("check-{}-{}", wish.name, std::process::id()));
        let lab = Self { wish, status, scratch, session: None, restarted: None, serial: 0 };
        fs::create_dir_all(&lab.scratch)?;
        Ok(lab)
    }

    /// What was wished for.
    pub const fn wish(&self) -> &Wish {
        &self.wish
    }

    /// What `clinic up` said.
    pub const fn status(&self) -> &Status {
        &self.status
    }

    /// A folder of the share the terminal's Samba serves.
    pub fn on_terminal(&self, folder: &str) -> PathBuf {
        self.status.the_box.state.with_file_name("terminal").join("OQS").join(folder)
    }

    /// A folder of the share the box's Samba serves.
    pub fn on_box(&self, folder: &str) -> PathBuf {
        self.status.the_box.state.join("share/OQS").join(folder)
    }

    /// A folder for the receipt computer's own files.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// A verb of the clinic.
    ///
    /// # Errors
    /// It fails.
    pub fn clinic(&self, verb: &str, rest: &[&str]) -> Result<String, Wrong> {
        done(Command::new(&self.wish.clinic).args([verb, "--name", &self.wish.name]).args(rest))
    }

    /// Makes a fault or undoes it.
    ///
    /// # Errors
    /// `clinic fault` fails.
    pub fn fault(&self, code: &str, on: bool) -> Result<(), Wrong> {
        self.clinic("fault", &[code, if on { "on" } else { "off" }]).map(drop)
    }

    /// Steers the link application's double.
    ///
    /// # Errors
    /// It refuses.
    pub fn oqs(&self, order: &str) -> Result<String, Wrong> {
        self.clinic("oqs", &[order])
    }

    /// A figure of the link application's tally.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn count(&self, figure: &str) -> Result<u64, Wrong> {
        let said = self.oqs("counts")?;
        let value = said.split_whitespace().find_map(|word| word.strip_prefix(figure)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).ok_or_else(|| Wrong(format!("no {figure} in {said}")))
    }

    /// Runs a command in a host.
    ///
    /// # Errors
    /// It fails.
    pub fn exec(&self, host: &str, argv: &[&str]) -> Result<String, Wrong> {
        done(Command::new(&self.wish.clinic).args(["exec", "--name", &self.wish.name, host, "--"]).args(argv))
    }

    /// Runs a verb of sekisho that talks to the daemon.
    ///
    /// # Errors
    /// It cannot be run at all.
    pub fn verb(&self, argv: &[&str]) -> Result<Output, Wrong> {
        let mut command = Command::new(&self.wish.sekisho);
        command.args(argv).arg("--socket").arg(&self.status.the_box.socket);
        Ok(command.env_remove("SEKISHO_SOCKET").env("LC_ALL", "C").stdin(Stdio::null()).output()?)
    }

    /// A verb's exit code.
    ///
    /// # Errors
    /// It was killed.
    pub fn exit(&self, argv: &[&str]) -> Result<i32, Wrong> {
        self.verb(argv)?.status.code().ok_or_else(|| Wrong(format!("sekisho {} was killed", argv.join(" "))))
    }

    /// A full check, now.
    ///
    /// # Errors
    /// No daemon answers.
    pub fn check(&self) -> Result<LinePart, Wrong> {
        parse(&String::from_utf8_lossy(&self.verb(&["check", "--json"])?.stdout))
    }

    /// The status.
    ///
    /// # Errors
    /// No daemon answers.
    pub fn snapshot(&self) -> Result<Snapshot, Wrong> {
        parse(&String::from_utf8_lossy(&self.verb(&["status", "--json"])?.stdout))
    }

    /// The receipt computer's SMB session, kept open between cases.
    ///
    /// # Errors
    /// The share refuses.
    pub fn session(&mut self) -> Result<&mut Session, Wrong> {
        if self.session.is_none() {
            let share = self.status.shares.clinic.as_ref();
            let share = share.ok_or_else(|| Wrong::new("the box serves no share"))?.clone();
            self.session = Some(self.open_share("clinic", &share)?);
        }
        self.session.as_mut().ok_or_else(|| Wrong::new("the session is gone"))
    }

    /// An SMB session from a host to a share.
    ///
    /// # Errors
    /// The share refuses.
    pub fn open_share(&self, host: &str, share: &ShareStatus) -> Result<Session, Wrong> {
        let ShareStatus { unc, user, password_file } = share.clone();
        let clinic = self.wish.clinic.as_os_str();
        let words = ["exec", "--name", &self.wish.name, host, "--"].map(OsString::from);
        let before: Vec<OsString> = [clinic.to_owned()].into_iter().chain(words).collect();
        Ok(Share { unc, user, password_file }.open(&before)?)
    }

    /// A name no request of this clinic had before.
    pub fn fresh(&mut self, kind: &str, extension: &str) -> String {
        self.serial += 1;
        format!("{kind}req_{:012}.{extension}", self.serial)
    }

    /// Puts a file into a folder of the box's share, as the receipt computer.
    ///
    /// # Errors
    /// The share refuses.
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), Wrong> {
        let local = self.scratch.join("put");
        fs::write(&local, bytes)?;
        Ok(self.session()?.put(&local, path)?)
    }

    /// Collects the answer to a request; gives its name and bytes.
    ///
    /// # Errors
    /// None comes in time.
    pub fn answer(&mut self, request: &str) -> Result<(String, Vec<u8>), Wrong> {
        let stem = stem_of_answer(request);
        let into = self.scratch.clone();
        let is_it = |name: &str| name.rsplit_once('.').is_some_and(|(own, _)| own == stem);
        let got = self.session()?.collect_count("res", &into, 1, PATIENCE, is_it)?;
        let name = got.into_iter().next().map(|entry| entry.name).unwrap_or_default();
        let bytes = fs::read(into.join(&name))?;
        Ok((name, bytes))
    }

    /// Puts a request and collects its answer.
    ///
    /// # Errors
    /// The share refuses, or none comes in time.
    pub fn exchange(&mut self, request: &str, bytes: &[u8]) -> Result<(String, Vec<u8>), Wrong> {
        self.put(&format!("req/{request}"), bytes)?;
        self.answer(request)
    }

    /// Waits until a folder has no file in it.
    ///
    /// # Errors
    /// Something stays.
    pub fn empties(&self, folder: &Path) -> Result<(), Wrong> {
        let count = || fs::read_dir(folder).map_or(0, Iterator::count);
        until(&format!("{} is emptied", folder.display()), PATIENCE, || Ok((count() == 0).then_some(())))
    }

    /// The process that runs the role.
    ///
    /// # Errors
    /// None does.
    pub fn pid(&self, role: &str) -> Result<i32, Wrong> {
        if let Some(child) = &self.restarted {
            return Ok(child.id().cast_signed());
        }
        let pid = self.status.the_box.pids.get(role).copied();
        pid.ok_or_else(|| Wrong(format!("nothing runs {role}")))
    }

    /// Starts the daemon again after it was killed, as systemd would, and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub fn restart(&mut self) -> Result<(), Wrong> {
        self.reap();
        let the_box = &self.status.the_box;
        let mut command = Command::new(&self.wish.clinic);
        command.args(["exec", "--name", &self.wish.name, "box", "--"]).arg(&self.wish.sekisho).arg("daemon");
        command.arg("--site").arg(&the_box.site).arg("--state").arg(&the_box.state);
        command.arg("--socket").arg(&the_box.socket).env_remove("SEKISHO_SABOTAGE");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let out = child.stdout.take().map(BufReader::new);
        self.restarted = Some(child);
        let said = out.into_iter().flat_map(BufRead::lines).map_while(Result::ok);
        must(said.take(20).any(|line| line == "ready"), || "the daemon did not become ready again".into())
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.restarted.take() {
            // Killed already, most of the time.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.session = None;
        self.reap();
        // What cannot be cleared away now is cleared by the next clinic of this name.
        let _ = self.clinic("down", &[]);
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// Runs a command that must succeed and gives what it printed.
fn done(command: &mut Command) -> Result<String, Wrong> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Wrong(said.trim().lines().last().unwrap_or("a command failed without a word").to_owned()))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        let first = text.lines().next().unwrap_or("nothing");
        Wrong(format!("{error} in what was printed: {first}"))
    })
}
