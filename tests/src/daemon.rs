//! A daemon of a host: started in it, logged, and waited for by its own sign of readiness.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, at, doing};
use crate::host::Door;
use crate::keeper::last_line;
use crate::plan::Place;
use crate::process::{Process, readable};

/// How long a daemon may take to become ready.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a daemon says that it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// It prints a line `ready`.
    Said,
    /// It sends `READY=1` to $NOTIFY_SOCKET (sd_notify(3)).
    Notified,
    /// It leaves its daemon behind and ends.
    Forked,
    /// Not at all: what it does is waited for instead.
    AtOnce,
}

/// What is to be started.
#[derive(Debug)]
pub struct Daemon {
    /// Its name, also its log's.
    pub name: &'static str,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// How it says that it is ready.
    pub ready: Ready,
    /// What its environment has beside ours.
    pub environment: Vec<(&'static str, OsString)>,
}

/// A daemon that is starting.
#[derive(Debug)]
pub struct Starting {
    name: &'static str,
    log: PathBuf,
    child: Child,
    process: Process,
    notify: Option<UnixDatagram>,
    ready: Ready,
    deadline: Instant,
}

impl Daemon {
    /// Starts it in a host; [`Starting::wait`] waits until it is ready.
    pub fn start(&self, place: &Place, door: &Door) -> Result<Starting, Error> {
        let log = place.log(self.name);
        let file = File::options().create(true).append(true).open(&log).map_err(at(&log))?;
        let socket = place.run(door.host).join(format!("{}.notify", self.name));
        let notify = (self.ready == Ready::Notified).then(|| listen(&socket)).transpose()?;
        let mut command = Command::new(&self.program);
        // Its own process group: smbd takes its group with it when it ends.
        command.args(&self.args).process_group(0).stdin(Stdio::null());
        command.stderr(file.try_clone().map_err(at(&log))?);
        match self.ready {
            Ready::Said => command.stdout(Stdio::piped()),
            _ => command.stdout(file),
        };
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        match notify {
            Some(_) => command.env("NOTIFY_SOCKET", &socket),
            None => command.env_remove("NOTIFY_SOCKET"),
        };
        let failed = || doing(format!("start {}", self.name));
        let child = door.inside(|| command.spawn().map_err(failed()))?;
        let dead = || Error::Daemon { name: self.name.into(), said: last_line(&log) };
        let process = Process::of(child.id().cast_signed()).ok_or_else(dead);
        let forked = Process { pid: child.id().cast_signed(), started: 0 };
        let process = if self.ready == Ready::Forked { process.unwrap_or(forked) } else { process? };
        let deadline = Instant::now() + PATIENCE;
        Ok(Starting { name: self.name, log, child, process, notify, ready: self.ready, deadline })
    }
}

fn listen(path: &PathBuf) -> Result<UnixDatagram, Error> {
    // Left by the same daemon's last start.
    let _ = std::fs::remove_file(path);
    UnixDatagram::bind(path).map_err(at(path))
}

impl Starting {
    /// Waits until the daemon is ready.
    pub fn wait(mut self) -> Result<Process, Error> {
        let ready = match self.ready {
            Ready::AtOnce => true,
            Ready::Said => self.said(),
            Ready::Notified => self.notified(),
            Ready::Forked => return self.forked(),
        };
        if ready {
            return Ok(self.process);
        }
        Err(if self.process.is_alive() { self.late() } else { self.dead() })
    }

    fn late(&self) -> Error {
        Error::Late { what: format!("{} become ready", self.name), seconds: PATIENCE.as_secs() }
    }

    fn dead(&self) -> Error {
        Error::Daemon { name: self.name.into(), said: last_line(&self.log) }
    }

    fn said(&mut self) -> bool {
        let Some(mut stdout) = self.child.stdout.take() else { return false };
        let (mut text, mut piece) = (Vec::new(), [0_u8; 256]);
        while readable(&[stdout.as_fd()], self.deadline) == [true] {
            match stdout.read(&mut piece) {
                Ok(length) if length > 0 => text.extend_from_slice(&piece[..length]),
                _ => return false,
            }
            if String::from_utf8_lossy(&text).lines().any(|line| line == "ready") {
                return true;
            }
        }
        false
    }

    fn notified(&self) -> bool {
        let (Some(socket), Some(hold)) = (&self.notify, self.process.hold()) else { return false };
        let mut message = [0_u8; 512];
        loop {
            let came = readable(&[socket.as_fd(), hold.as_fd()], self.deadline);
            if came != [true, false] && came != [true, true] {
                return false;
            }
            let length = socket.recv(&mut message).unwrap_or(0);
            if String::from_utf8_lossy(&message[..length]).lines().any(|line| line == "READY=1") {
                return true;
            }
        }
    }

    /// The one that ends is our child; the daemon it leaves is found by its namespace.
    fn forked(mut self) -> Result<Process, Error> {
        if let Some(hold) = self.process.hold()
            && !hold.ended(self.deadline)
        {
            return Err(self.late());
        }
        let status = self.child.wait().map_err(doing(format!("wait for {}", self.name)))?;
        if status.success() { Ok(self.process) } else { Err(self.dead()) }
    }
}
