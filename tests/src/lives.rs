//! The lives of what makes a fault that has no standstill: both go on until they are killed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::error::{Error, doing};
use crate::host;
use crate::plan::Place;
use crate::process;
use crate::record::Record;
use crate::the_box;

/// How long a cable that is pulled is out, and in.
const OUT: Duration = Duration::from_millis(1500);
const IN: Duration = Duration::from_millis(2500);
/// As long as systemd waits before it starts a service again that has died.
const AGAIN: Duration = Duration::from_secs(1);

/// Pulls a cable of this host and puts it in again. The first time is over when it says that it is ready.
pub fn flap(port: &str) -> Result<(), Error> {
    for round in 0_u64.. {
        for (word, time) in [("down", OUT), ("up", IN)] {
            host::run(&["ip", "link", "set", "dev", port, word], "")?;
            std::thread::sleep(time);
        }
        if round == 0 {
            ready()?;
        }
    }
    Ok(())
}

/// Starts a role on the box and kills it as soon as it serves, as if it crashed.
pub fn crash(place: &Place, role: &str) -> Result<(), Error> {
    let record = Record::read(place)?;
    let ground = record.ground(place.clone())?;
    let sekisho = record.sekisho.ok_or_else(|| Error::Usage("find a role: nothing of ours runs".into()))?;
    for round in 0_u64.. {
        // One that does not come up has crashed as well.
        let started = the_box::sekisho_itself(&ground, &sekisho, Some(role)).unwrap_or_default();
        for process in started.into_values() {
            process::stop(process, Signal::SIGKILL, Instant::now() + AGAIN);
        }
        if round == 0 {
            ready()?;
        }
        std::thread::sleep(AGAIN);
    }
    Ok(())
}

/// What systemd does for radvd on the box: starts it when its configuration is there, and has it read it again when it changes.
pub fn advertise(program: &Path, config: &Path) -> Result<(), Error> {
    let folder = config.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(doing("find the box's files"))?;
    let events = Inotify::init(InitFlags::IN_CLOEXEC).map_err(doing("watch the box's files"))?;
    events
        .add_watch(folder, AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE)
        .map_err(doing("watch the box's files"))?;
    ready()?;
    let mut radvd: Option<Child> = None;
    let mut read: Option<Vec<u8>> = None;
    loop {
        let text = std::fs::read(config).ok();
        if text.is_some() && text != read {
            let gone = radvd.as_mut().is_none_or(|radvd| radvd.try_wait().is_ok_and(|ended| ended.is_some()));
            match radvd.as_ref().filter(|_| !gone) {
                Some(radvd) => {
                    let pid = Pid::from_raw(radvd.id().cast_signed());
                    nix::sys::signal::kill(pid, Signal::SIGHUP).map_err(doing("have radvd read its file"))?;
                }
                None => radvd = Some(start(program, config)?),
            }
            read = text;
        }
        events.read_events().map_err(doing("watch the box's files"))?;
    }
}

fn start(program: &Path, config: &Path) -> Result<Child, Error> {
    let pid = config.with_extension("pid");
    let mut command = Command::new(program);
    command.arg("-n").arg("-C").arg(config).args(["-m", "stderr", "-u", "root"]).arg("-p").arg(pid);
    command.stdin(Stdio::null()).spawn().map_err(doing("start radvd"))
}

fn ready() -> Result<(), Error> {
    writeln!(std::io::stdout(), "ready").map_err(doing("say that it is so"))
}
