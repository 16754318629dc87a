//! A clinic held by a test: up while the value lives, down when it is dropped.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::error::{Error, doing};
use crate::host::Door;
use crate::plan::Place;
use crate::record::Record;
use crate::status::{self, ShareStatus, Status};
use crate::terminal;
use crate::tools::beside;

/// A clinic that is up.
#[derive(Debug)]
pub struct Clinic {
    program: PathBuf,
    place: Place,
}

impl Clinic {
    /// Brings a clinic of this name up, with the box and its daemon. What an earlier run of the same test left is
    /// taken down first, so the name must be the test's own.
    ///
    /// # Errors
    /// What `clinic up` said.
    pub fn up(name: &str) -> Result<Self, Error> {
        Self::up_with(name, &[])
    }

    /// The same with more arguments of `clinic up`, like `["--box", "bare"]` or `["--fault", "WAN-01"]`.
    ///
    /// # Errors
    /// What `clinic up` said.
    pub fn up_with(name: &str, arguments: &[&str]) -> Result<Self, Error> {
        let place = Place::of(name).ok_or_else(|| Error::Usage(format!("call a clinic {name:?}")))?;
        let clinic = Self { program: beside("clinic")?, place };
        clinic.call("down", &[])?;
        clinic.call("up", arguments)?;
        Ok(clinic)
    }

    /// Takes it down and brings it up anew, with other arguments: what knew the one before must be gone.
    ///
    /// # Errors
    /// What `clinic up` said.
    pub fn anew(&self, arguments: &[&str]) -> Result<(), Error> {
        self.call("down", &[])?;
        self.call("up", arguments).map(drop)
    }

    /// The clinic as it is now.
    ///
    /// # Errors
    /// It is not up any more, or cannot be looked at.
    pub fn status(&self) -> Result<Status, Error> {
        Status::of(&self.place, &Record::read(&self.place)?)
    }

    /// Makes a fault, or undoes it; comes back when it is really so.
    ///
    /// # Errors
    /// What `clinic fault` said.
    pub fn fault(&self, code: &str, on: bool) -> Result<(), Error> {
        self.call("fault", &[code, if on { "on" } else { "off" }]).map(drop)
    }

    /// Steers the link application's double and gives its answer.
    ///
    /// # Errors
    /// What `clinic oqs` said.
    pub fn oqs(&self, setting: &str) -> Result<String, Error> {
        self.call("oqs", &[setting])
    }

    /// Kills sekisho on the box as a crash would; comes back when it is gone.
    ///
    /// # Errors
    /// What `clinic daemon kill` said.
    pub fn kill_daemon(&self) -> Result<(), Error> {
        self.call("daemon", &["kill"]).map(drop)
    }

    /// Starts sekisho on the box again (killing it first if it runs) with this in its environment, like
    /// `("SEKISHO_LOG", "trace")`; comes back when it is ready.
    ///
    /// # Errors
    /// What `clinic daemon start` said.
    pub fn start_daemon(&self, environment: &[(&str, &str)]) -> Result<(), Error> {
        self.call_with("daemon", &["start"], environment).map(drop)
    }

    /// The same for what runs one role; the others go on where each is a process of its own.
    ///
    /// # Errors
    /// What `clinic daemon kill` said.
    pub fn kill_role(&self, role: &str) -> Result<(), Error> {
        self.call("daemon", &["kill", "--role", role]).map(drop)
    }

    /// Starts what runs one role again.
    ///
    /// # Errors
    /// What `clinic daemon start` said.
    pub fn start_role(&self, role: &str, environment: &[(&str, &str)]) -> Result<(), Error> {
        self.call_with("daemon", &["start", "--role", role], environment).map(drop)
    }

    /// A command in a host, not started yet.
    pub fn command(&self, host: &str, argv: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["exec", "--name", &self.place.name, host, "--"]).args(argv);
        command
    }

    /// Runs a command in a host to its end.
    ///
    /// # Errors
    /// It could not be started.
    pub fn exec(&self, host: &str, argv: &[&str]) -> Result<Output, Error> {
        self.command(host, argv).output().map_err(doing(format!("run {}", argv.join(" "))))
    }

    /// Runs `work` on a thread that is in a host: a socket made there is in the host's network.
    ///
    /// # Errors
    /// The host cannot be entered; what `work` gives stays inside.
    pub fn inside<T: Send>(&self, host: &str, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
        let host = status::host(host)?;
        Door::open(host, Record::read(&self.place)?.keepers[&host])?.inside(|| Ok(work()))
    }

    /// Opens the box's share as the receipt computer does, with smbclient, and gives it orders like `put a.xml`.
    ///
    /// # Errors
    /// Nothing runs on the box, or smbclient could not be started.
    pub fn smbclient(&self, orders: &str) -> Result<Output, Error> {
        let share = self.status()?.shares.clinic;
        let share =
            share.ok_or_else(|| Error::Usage("open the box's share: nothing runs on the box".into()))?;
        self.smbclient_at("clinic", &share, orders)
    }

    /// Opens a share from a host.
    ///
    /// # Errors
    /// The password cannot be read, or smbclient could not be started.
    pub fn smbclient_at(&self, host: &str, share: &ShareStatus, orders: &str) -> Result<Output, Error> {
        let password = crate::samba::Login::read(&share.password_file)?.password;
        let unc = share.unc.replace('\\', "/");
        let argv = ["smbclient", &unc, "--user", &share.user, "--max-protocol", "SMB3", "--command", orders];
        // By the environment: an argument would show in the list of processes.
        let output = self.command(host, &argv).env("PASSWD", password).output();
        output.map_err(doing(format!("open {unc}")))
    }

    /// Folder of the roles' sockets.
    pub fn socket_dir(&self) -> PathBuf {
        self.place.at("socket")
    }

    /// The box's state folder.
    pub fn state(&self) -> PathBuf {
        self.place.at("state")
    }

    /// The box's site file.
    pub fn site(&self) -> PathBuf {
        self.place.at("site.toml")
    }

    /// The folder that the terminal's smbd shares, with `req`, `res` and `face`.
    pub fn terminal_folder(&self) -> PathBuf {
        terminal::share(&self.place)
    }

    /// The folder that the box's smbd shares, with `req`, `res`, `face` and `returned`.
    pub fn clinic_folder(&self) -> PathBuf {
        self.place.at("state/share/OQS")
    }

    /// A file or folder of the clinic's own, which goes with it.
    pub fn place(&self, path: &str) -> PathBuf {
        self.place.at(path)
    }

    /// The centre's certificates and authorities.
    pub fn pki(&self) -> PathBuf {
        self.place.at("pki")
    }

    /// The log of a daemon, like `sekisho`, `faux-oqs` or `box-smbd`.
    pub fn log(&self, daemon: &str) -> PathBuf {
        self.place.log(daemon)
    }

    fn call(&self, verb: &str, arguments: &[&str]) -> Result<String, Error> {
        self.call_with(verb, arguments, &[])
    }

    fn call_with(
        &self,
        verb: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<String, Error> {
        let mut command = Command::new(&self.program);
        command.arg(verb).args(["--name", &self.place.name]).args(arguments);
        command.envs(environment.iter().copied());
        let what = || format!("clinic {verb} {}", arguments.join(" "));
        let output = command.output().map_err(doing(what()))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Error::Command { command: what(), said: said.trim().to_owned() })
    }
}

impl Drop for Clinic {
    fn drop(&mut self) {
        // What is left is found by the next `up` of the same name.
        let _ = self.call("down", &[]);
    }
}
