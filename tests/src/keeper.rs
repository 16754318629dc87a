//! The keeper of a host: a process that does nothing but be there, so that the host's namespaces are.
//!
//! While the clinic is coming up, it holds a pipe from the `clinic up` that started it; if that ends without the word
//! `stay`, the keeper ends too.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

use crate::error::{Error, at, doing};
use crate::host;
use crate::plan::{Host, Place};
use crate::process::{self, Process};
use crate::tools::{Tools, in_a_host};

/// A keeper that `clinic up` has just started.
#[derive(Debug)]
pub struct Keeper {
    /// Its host.
    pub host: Host,
    /// The process.
    pub process: Process,
    /// Reaped when the clinic fails to come up; left alone otherwise.
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Keeper {
    /// Starts a keeper; [`Self::bind`] waits for it.
    pub fn start(place: &Place, host: Host) -> Result<Self, Error> {
        let failed = || doing(format!("start the keeper of {host}"));
        let path = place.log(&format!("keeper-{host}"));
        let log = File::create(&path).map_err(at(&path))?;
        let mut child = Command::new(std::env::current_exe().map_err(failed())?)
            .args(["keeper", &place.name, host.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(failed())?;
        let ended = || failed()(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        let process = Process::of(child.id().cast_signed()).ok_or_else(ended)?;
        let stdin = child.stdin.take().expect("invariant: stdin is piped");
        let stdout = child.stdout.take().expect("invariant: stdout is piped");
        Ok(Self { host, process, _child: child, stdin, stdout: BufReader::new(stdout) })
    }

    /// Waits until the host is there, and gives its namespace the name that `ip netns` knows.
    pub fn bind(&mut self, place: &Place) -> Result<(), Error> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(doing(format!("hear from the keeper of {}", self.host)))?;
        if line.trim() != "there" {
            let said = last_line(&place.log(&format!("keeper-{}", self.host)));
            return Err(Error::Daemon { name: format!("the keeper of {}", self.host), said });
        }
        let path = place.netns(self.host);
        named_namespaces()?;
        OpenOptions::new().write(true).create_new(true).open(&path).map_err(at(&path))?;
        let source = format!("/proc/{}/ns/net", self.process.pid);
        bind(Path::new(&source), &path)
    }

    /// Lets the keeper outlive us.
    pub fn stay(mut self) -> Result<(), Error> {
        writeln!(self.stdin, "stay").map_err(doing(format!("speak to the keeper of {}", self.host)))
    }
}

/// The last line of a log that says something.
pub fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rfind(|line| !line.trim().is_empty());
    line.map_or_else(|| "it ended without a word".into(), |line| line.trim().to_owned())
}

/// Makes the folder of named namespaces as `ip netns add` does: a shared mount. A folder that is none yet would be
/// covered by the next `ip netns add`, with our namespaces below, where nobody can let go of them any more.
fn named_namespaces() -> Result<(), Error> {
    let (folder, nothing) = (Path::new("/run/netns"), None::<&str>);
    fs::create_dir_all(folder).map_err(at(folder))?;
    // Two at once would cover each other; `ip` takes the same lock.
    let opened = File::open(folder).map_err(at(folder))?;
    opened.lock().map_err(at(folder))?;
    let share = || mount(nothing, folder, nothing, MsFlags::MS_SHARED | MsFlags::MS_REC, nothing);
    if share() == Err(Errno::EINVAL) {
        mount(Some(folder), folder, nothing, MsFlags::MS_BIND | MsFlags::MS_REC, nothing)
            .map_err(doing("mount /run/netns"))?;
    }
    share().map_err(doing("share /run/netns"))
}

fn bind(from: &Path, to: &Path) -> Result<(), Error> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(doing(format!("mount {}", to.display())))
}

/// The keeper's whole life.
pub fn keep(place: &Place, host: Host) -> Result<(), Error> {
    // The terminal's Ctrl-C is not for the hosts.
    nix::unistd::setsid().map_err(doing("leave the session"))?;
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).map_err(doing("make namespaces"))?;
    furnish(place, host)?;
    host::set(host.settings())?;
    host::run(&["ip", "link", "set", "dev", "lo", "up"], "")?;
    writeln!(std::io::stdout(), "there").map_err(doing("say that the host is there"))?;
    let mut word = String::new();
    std::io::stdin().read_line(&mut word).map_err(doing("wait for the word to stay"))?;
    if word.trim() == "stay" {
        loop {
            nix::unistd::pause();
        }
    }
    Ok(())
}

/// The host's own mounts: an empty /run in which only this clinic's folder shows, /sys of its own network, its own
/// accounts, which Samba needs, and Debian's daemons under a path of ours.
fn furnish(place: &Place, host: Host) -> Result<(), Error> {
    let nothing = None::<&str>;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)
        .map_err(doing("part from the host's mounts"))?;
    forget_namespaces();
    let folder = File::open(&place.root).map_err(at(&place.root))?;
    for (kind, target) in [("tmpfs", "/run"), ("sysfs", "/sys")] {
        mount(Some(kind), target, Some(kind), MsFlags::empty(), nothing)
            .map_err(doing(format!("mount {target}")))?;
    }
    fs::create_dir(&place.root).map_err(at(&place.root))?;
    bind(&through(&folder), &place.root)?;
    for name in ["passwd", "group"] {
        bind(&accounts(place, host, name), &Path::new("/etc").join(name))?;
    }
    for program in Tools::find()?.daemons() {
        let path = in_a_host(program);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, ""))
            .map_err(at(&path))?;
        bind(program, &path)?;
    }
    Ok(())
}

fn through(folder: &File) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}

/// A host's own copy of /etc/passwd or /etc/group.
pub fn accounts(place: &Place, host: Host, name: &str) -> PathBuf {
    place.run(host).join(name)
}

/// Lets go of the copies of other namespaces' names that came with our copy of the mounts: they would keep a clinic
/// alive that has been taken down.
fn forget_namespaces() {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for target in mounts.lines().filter_map(|line| line.split(' ').nth(4)) {
        if process::namespace(Path::new(target)).is_some() {
            let _ = umount2(target, MntFlags::MNT_DETACH);
        }
    }
}
