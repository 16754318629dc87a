//! A virtual clinic, driven from outside only: the `clinic` program, an SMB client, the folders that the terminal's
//! Samba serves, and what the box says of itself. Where the box is sekisho in the clinic's own place, its verbs too.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use model::Usability;
use model::part::{LinePart, Snapshot};
use serde::de::DeserializeOwned;

use super::Wrong;
use super::event::{until, until_every};
use super::machine::Machine;
use crate::faux::receipt::{Session, Share, stem_of_answer};
use crate::layout::Layout;
use crate::process::{Hold, Process};
use crate::{Clinic, ShareStatus, Status};

/// How long a file may take on its way there and back, in the lab.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What runs, and under what name.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The clinic's name.
    pub name: String,
    /// The line, and how the box hangs on it.
    pub layout: Layout,
    /// The `sekisho` program.
    pub sekisho: PathBuf,
    /// A defect that sekisho is to have.
    pub sabotage: Option<&'static str>,
    /// Faults the clinic is born with.
    pub faults: Vec<&'static str>,
    /// Whether each role is a process and a user of its own.
    pub split: bool,
}

/// A clinic that is up; it goes down when dropped.
#[derive(Debug)]
pub struct Lab {
    clinic: Clinic,
    machine: Box<dyn Machine>,
    /// What was wished for; nothing where the box is a board.
    wish: Option<Wish>,
    scratch: PathBuf,
    session: Option<Session>,
    serial: u32,
}

impl Lab {
    /// Brings it up.
    ///
    /// # Errors
    /// `clinic up` fails.
    pub fn up(wish: Wish) -> Result<Self, Wrong> {
        let sekisho = wish.sekisho.to_string_lossy().into_owned();
        let faults = wish.faults.iter().flat_map(|fault| ["--fault", fault]);
        let split = wish.split.then_some("--split");
        let line = [
            "--line",
            wish.layout.line.word(),
            "--wiring",
            wish.layout.wiring.word(),
            "--uplink",
            wish.layout.uplink.word(),
        ];
        let arguments = ["--sekisho", &sekisho].into_iter().chain(line);
        let arguments: Vec<&str> = arguments.chain(faults).chain(split).collect();
        let clinic = Clinic::up_with(&wish.name, &arguments)?;
        let machine = Box::new(Here { sekisho: wish.sekisho.clone() });
        let sabotage = wish.sabotage.is_some();
        let mut lab = Self::around(clinic, machine)?;
        lab.wish = Some(wish);
        if sabotage {
            // A ruleset that stands and is proved would stay: the defect must have its turn at loading one.
            lab.exec("box", &["nft", "flush", "ruleset"])?;
            lab.restart()?;
        }
        Ok(lab)
    }

    /// A clinic that is up without a box, and a board in its place.
    ///
    /// # Errors
    /// There is no room for the receipt computer's files.
    pub fn around(clinic: Clinic, machine: Box<dyn Machine>) -> Result<Self, Wrong> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let scratch = std::env::temp_dir().join(format!("check-{}-{number}", std::process::id()));
        fs::create_dir_all(&scratch)?;
        Ok(Self { clinic, machine, wish: None, scratch, session: None, serial: 0 })
    }

    /// What was wished for.
    ///
    /// # Errors
    /// The box is a board.
    pub fn wish(&self) -> Result<&Wish, Wrong> {
        self.wish.as_ref().ok_or_else(|| Wrong::new("the box is a board: this case is for the lab's own"))
    }

    /// Whether the box is a board, which nobody looks into.
    pub const fn is_board(&self) -> bool {
        self.wish.is_none()
    }

    /// What the lab's own box does in this time, on the box that is here.
    pub fn patience(&self, in_the_lab: Duration) -> Duration {
        in_the_lab * self.machine.slowness()
    }

    /// [`until`], with more patience where the box is slower.
    ///
    /// # Errors
    /// There is no answer in time; an error of the question itself at once.
    pub fn until<T>(
        &self,
        what: &str,
        in_the_lab: Duration,
        ask: impl FnMut() -> Result<Option<T>, Wrong>,
    ) -> Result<T, Wrong> {
        until_every(self.machine.breath(), what, self.patience(in_the_lab), ask)
    }

    /// The clinic itself.
    pub const fn clinic(&self) -> &Clinic {
        &self.clinic
    }

    /// The clinic as it is now.
    ///
    /// # Errors
    /// It is not up any more.
    pub fn status(&self) -> Result<Status, Wrong> {
        Ok(self.clinic.status()?)
    }

    /// A folder of the share the terminal's Samba serves.
    pub fn on_terminal(&self, folder: &str) -> PathBuf {
        self.clinic.terminal_folder().join(folder)
    }

    /// A folder of the share the lab's own box serves.
    pub fn on_box(&self, folder: &str) -> PathBuf {
        self.clinic.clinic_folder().join(folder)
    }

    /// A folder for the receipt computer's own files.
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Makes a fault or undoes it.
    ///
    /// # Errors
    /// `clinic fault` fails.
    pub fn fault(&self, code: &str, on: bool) -> Result<(), Wrong> {
        self.machine.feel(code, on)?;
        Ok(self.clinic.fault(code, on)?)
    }

    /// Steers the link application's double.
    ///
    /// # Errors
    /// It refuses.
    pub fn oqs(&self, order: &str) -> Result<String, Wrong> {
        Ok(self.clinic.oqs(order)?)
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

    /// Runs a command in a host and gives what it printed.
    ///
    /// # Errors
    /// It fails.
    pub fn exec(&self, host: &str, argv: &[&str]) -> Result<String, Wrong> {
        let output = self.clinic.exec(host, argv)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.trim().lines().last().unwrap_or("no word");
        Err(Wrong(format!("{} in {host}: {last}", argv.join(" "))))
    }

    /// Runs a verb of sekisho that talks to the daemon, on the lab's own box.
    ///
    /// # Errors
    /// It cannot be run at all, or the box is a board.
    pub fn verb(&self, argv: &[&str]) -> Result<Output, Wrong> {
        verb(&self.clinic, &self.wish()?.sekisho, argv)
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
    /// Nobody answers.
    pub fn check(&self) -> Result<LinePart, Wrong> {
        self.machine.check(&self.clinic)
    }

    /// Waits until a check says something: until the first router advertisement it cannot.
    ///
    /// # Errors
    /// It says nothing in time.
    pub fn settle(&self) -> Result<(), Wrong> {
        let known = || Ok((self.check()?.verdict.usability != Usability::Unknown).then_some(()));
        self.until("the box knows how it is", PATIENCE, known)
    }

    /// The status.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn snapshot(&self) -> Result<Snapshot, Wrong> {
        self.machine.snapshot(&self.clinic)
    }

    /// The authority behind the certificate of the HTTPS page.
    ///
    /// # Errors
    /// There is none yet.
    pub fn authority(&self) -> Result<PathBuf, Wrong> {
        self.machine.authority(&self.clinic)
    }

    /// The receipt computer's SMB session, kept open between cases.
    ///
    /// # Errors
    /// The share refuses.
    pub fn session(&mut self) -> Result<&mut Session, Wrong> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.open_share()?,
        };
        Ok(self.session.insert(session))
    }

    /// Whether the receipt computer has a session open.
    pub const fn has_share(&self) -> bool {
        self.session.is_some()
    }

    /// Another SMB session of the receipt computer's, beside [`Self::session`].
    ///
    /// # Errors
    /// The share refuses.
    pub fn open_share(&self) -> Result<Session, Wrong> {
        let share = self.machine.share(&self.clinic)?;
        let enter = self.clinic.command("clinic", &[]);
        let before: Vec<OsString> =
            [enter.get_program()].into_iter().chain(enter.get_args()).map(OsString::from).collect();
        let share = Share { unc: share.unc, user: share.user, password_file: share.password_file };
        Ok(share.open(&before)?)
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
        let patience = self.patience(PATIENCE);
        let got = self.session()?.collect_count("res", &into, 1, patience, is_it)?;
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
        self.until(&format!("{} is emptied", folder.display()), PATIENCE, || Ok((count() == 0).then_some(())))
    }

    /// Waits until a folder of the box's share has no file in it, as the receipt computer sees it.
    ///
    /// # Errors
    /// Something stays.
    pub fn empties_on_box(&mut self, folder: &str) -> Result<(), Wrong> {
        let patience = self.patience(PATIENCE);
        let session = self.session()?;
        until(&format!("{folder} on the box is emptied"), patience, || {
            Ok(session.list(folder)?.is_empty().then_some(()))
        })
    }

    /// Lets go of the SMB session: the box it was with is gone, or another.
    pub fn leave_share(&mut self) {
        self.session = None;
    }

    /// A hold on the process that runs a role: it can be killed, and its very end be waited for.
    ///
    /// # Errors
    /// None runs it.
    pub fn hold(&self, role: &str) -> Result<Hold, Wrong> {
        let pid = self.status()?.the_box.pids.get(role).copied();
        let hold = pid.and_then(Process::of).and_then(Process::hold);
        hold.ok_or_else(|| Wrong(format!("nothing runs {role}")))
    }

    /// Kills the daemon if it still runs and starts it again, as systemd would; waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub fn restart(&self) -> Result<(), Wrong> {
        Ok(self.clinic.start_daemon(self.spoilt()?.as_slice())?)
    }

    /// Starts what runs one role again, as systemd would.
    ///
    /// # Errors
    /// It does not become ready.
    pub fn revive(&self, role: &str) -> Result<(), Wrong> {
        Ok(self.clinic.start_role(role, self.spoilt()?.as_slice())?)
    }

    fn spoilt(&self) -> Result<Option<(&'static str, &'static str)>, Wrong> {
        Ok(self.wish()?.sabotage.map(|defect| ("SEKISHO_SABOTAGE", defect)))
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The session's client lives in the clinic: it goes first. What cannot be removed is in the system's own
        // folder for such things.
        self.session = None;
        let _ = fs::remove_dir_all(&self.scratch);
    }
}

/// sekisho in the clinic's own place for the box.
#[derive(Debug)]
struct Here {
    sekisho: PathBuf,
}

impl Machine for Here {
    fn snapshot(&self, clinic: &Clinic) -> Result<Snapshot, Wrong> {
        parse(&String::from_utf8_lossy(&verb(clinic, &self.sekisho, &["status", "--json"])?.stdout))
    }

    fn check(&self, clinic: &Clinic) -> Result<LinePart, Wrong> {
        parse(&String::from_utf8_lossy(&verb(clinic, &self.sekisho, &["check", "--json"])?.stdout))
    }

    fn share(&self, clinic: &Clinic) -> Result<ShareStatus, Wrong> {
        clinic.status()?.shares.clinic.ok_or_else(|| Wrong::new("the box serves no share"))
    }

    fn authority(&self, clinic: &Clinic) -> Result<PathBuf, Wrong> {
        Ok(clinic.state().join("page/authority-198.51.100.1.pem"))
    }

    fn feel(&self, _code: &str, _on: bool) -> Result<(), Wrong> {
        Ok(())
    }

    fn breath(&self) -> Duration {
        Duration::from_millis(20)
    }

    fn slowness(&self) -> u32 {
        1
    }
}

fn verb(clinic: &Clinic, sekisho: &Path, argv: &[&str]) -> Result<Output, Wrong> {
    let mut command = Command::new(sekisho);
    command.args(argv).arg("--socket").arg(clinic.socket_dir());
    Ok(command.env_remove("SEKISHO_SOCKET").env("LC_ALL", "C").stdin(Stdio::null()).output()?)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        let first = text.lines().next().unwrap_or("nothing");
        Wrong(format!("{error} in what was printed: {first}"))
    })
}
