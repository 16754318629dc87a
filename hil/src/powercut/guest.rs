//! The machine whose writes are recorded: its first process, and all the load there is. Requests go, answers come, and
//! the relay is killed again and again in the middle of a step.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clinic::check::Wrong;
use nix::mount::{MsFlags, mount};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::outside::{Outside, names};
use super::place::{ANSWERS, HOME, Place, REQUESTS, Terminal, same_boot};

/// What the machine's own word begins with. Its programs write to the same console until the very end.
pub const WORD: &str = "machine: ";
/// What it says when all has gone its way.
pub const DONE: &str = "machine: done";
/// Says how many requests are put.
pub const ROUNDS: &str = "POWERCUT_ROUNDS";
/// Says that the relay dies by itself and is not to be killed.
pub const DIES: &str = "POWERCUT_DIES";
/// Says how the terminal stands to the box.
pub const TERMINAL: &str = "POWERCUT_TERMINAL";
/// The modules the machine loads, in this order.
pub const MODULES: &str = "/modules.list";

/// How many requests are under way at most.
const AT_ONCE: u64 = 3;
/// How long the others rest between two looks while the relay dies by itself, one request at a time: what they flush must
/// not stand in for what it left out.
const REST: Duration = Duration::from_secs(1);
/// How long all may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// The pause of a look for something to do.
const LOOK: Duration = Duration::from_millis(2);
/// `MODULE_INIT_COMPRESSED_FILE` of linux/module.h.
const COMPRESSED: libc::c_int = 4;

/// A step in whose middle the relay is killed: as soon as others can see that it was begun.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    folder: fn(&Place) -> PathBuf,
    seen: AddWatchFlags,
}

/// The steps.
pub const STEPS: [Step; 6] = [
    Step { folder: |place| place.own("attempted/t1"), seen: AddWatchFlags::IN_MOVED_TO },
    Step { folder: |place| place.share(REQUESTS), seen: AddWatchFlags::IN_MOVED_TO },
    Step { folder: |place| place.own("arriving/t1"), seen: AddWatchFlags::IN_CREATE },
    Step { folder: |place| place.own("log"), seen: AddWatchFlags::IN_MODIFY },
    Step { folder: |place| place.clinic(ANSWERS), seen: AddWatchFlags::IN_MOVED_TO },
    Step { folder: |place| place.share(ANSWERS), seen: AddWatchFlags::IN_DELETE },
];

/// Is the first process of the machine. When it ends the kernel panics, and by that the machine ends: nothing is
/// flushed on the way.
pub fn run() {
    let said = match load() {
        Ok(killed) => format!("{DONE}, killed {killed} times"),
        Err(wrong) => format!("{WORD}{wrong}"),
    };
    // The console is where the host reads it; nobody else is there to be told.
    let _ = writeln!(std::io::stdout(), "{said}");
    // What the serial port has not sent yet when the kernel panics is never sent.
    let _ = nix::sys::termios::tcdrain(std::io::stdout());
}

fn load() -> Result<u32, Wrong> {
    come_up()?;
    let rounds = std::env::var(ROUNDS).ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(100);
    let outside = Outside::default();
    let dies = std::env::var_os(DIES).is_some();
    let relay = Relay::start()?;
    wait_for(&outside.place)?;
    let killed = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&killed);
    std::thread::spawn(move || {
        let kept = if dies { relay.left_alone(&count) } else { relay.killed(&count) };
        if let Err(wrong) = kept {
            let _ = writeln!(std::io::stdout(), "not killed any more: {wrong}");
        }
    });
    let end = Instant::now() + PATIENCE;
    let (at_once, rest) = if dies { (1, REST) } else { (AT_ONCE, LOOK) };
    let mut put = 0;
    loop {
        let collected = outside.collected()?.len() as u64;
        if collected == rounds {
            return Ok(killed.load(Ordering::Relaxed));
        }
        if put < rounds && put < collected + at_once {
            outside.put(put)?;
            put += 1;
        } else if !outside.turn()? || dies {
            std::thread::park_timeout(rest);
        }
        if Instant::now() > end {
            return Err(Wrong(format!("{collected} of {rounds} answers within {PATIENCE:?}")));
        }
    }
}

/// The relay, in a process of its own.
#[derive(Debug)]
struct Relay(Child);

impl Relay {
    fn start() -> Result<Self, Wrong> {
        Ok(Self(Command::new(std::env::current_exe()?).arg(super::CARRY).spawn()?))
    }

    /// Kills it at each step in turn, at the first sight of it, then at the second, then at the third; starts it anew.
    fn killed(mut self, count: &AtomicU32) -> Result<(), Wrong> {
        let place = Place::default();
        for round in 0.. {
            for step in STEPS {
                let events = Inotify::init(InitFlags::empty()).map_err(std::io::Error::from)?;
                events.add_watch(&(step.folder)(&place), step.seen).map_err(std::io::Error::from)?;
                let mut left = round % 3 + 1;
                while left > 0 {
                    let seen = events.read_events().map_err(std::io::Error::from)?.len();
                    left -= seen.min(left);
                }
                self.0.kill()?;
                self = self.again(count)?;
            }
        }
        Ok(())
    }

    /// Starts it anew whenever it has died.
    fn left_alone(mut self, count: &AtomicU32) -> Result<(), Wrong> {
        loop {
            self = self.again(count)?;
        }
    }

    fn again(mut self, count: &AtomicU32) -> Result<Self, Wrong> {
        self.0.wait()?;
        count.fetch_add(1, Ordering::Relaxed);
        Self::start()
    }
}

/// Waits until the relay has made its folders.
fn wait_for(place: &Place) -> Result<(), Wrong> {
    let end = Instant::now() + PATIENCE;
    while STEPS.iter().any(|step| !(step.folder)(place).is_dir()) || !place.clinic(REQUESTS).is_dir() {
        if Instant::now() > end {
            return Err(Wrong::new("the relay makes no folders"));
        }
        std::thread::park_timeout(LOOK);
    }
    Ok(())
}

fn come_up() -> Result<(), Wrong> {
    for (kind, path) in [("proc", "/proc"), ("devtmpfs", "/dev")] {
        on(Path::new(kind), Path::new(path), kind, MsFlags::empty(), None)?;
    }
    for module in fs::read_to_string(MODULES)?.lines() {
        load_module(Path::new(module))?;
    }
    let near = std::env::var(TERMINAL).is_ok_and(|word| word == Terminal::Near.word());
    if !near {
        same_boot(Path::new("/boot_id"))?;
    }
    disks(near)
}

/// The box's disk as in the product, and a near terminal's too. The others show everybody at once what was done on
/// them, and ask for no flush: those in the log are the box's alone.
fn disks(near: bool) -> Result<(), Wrong> {
    let end = Instant::now() + PATIENCE;
    while !Path::new("/dev/vda3").exists() {
        if Instant::now() > end {
            return Err(Wrong(format!("there is no disk, only {:?}", names(Path::new("/dev"))?)));
        }
        std::thread::park_timeout(LOOK);
    }
    let (place, home) = (Place::default(), Path::new(HOME));
    fs::create_dir_all(home)?;
    on(Path::new("tmpfs"), home, "tmpfs", MsFlags::empty(), None)?;
    for (disk, at, in_order) in [
        ("/dev/vda1", place.state, false),
        ("/dev/vda2", place.terminal, !near),
        ("/dev/vda3", place.outside, true),
    ] {
        fs::create_dir_all(&at)?;
        let (flags, words) =
            if in_order { (MsFlags::MS_SYNCHRONOUS, Some("barrier=0")) } else { (MsFlags::empty(), None) };
        on(Path::new(disk), &at, "ext4", flags, words)?;
    }
    Ok(())
}

fn on(what: &Path, at: &Path, kind: &str, flags: MsFlags, words: Option<&str>) -> Result<(), Wrong> {
    mount(Some(what), at, Some(kind), flags, words)
        .map_err(|error| Wrong(format!("failed to mount {} at {}: {error}", what.display(), at.display())))
}

fn load_module(path: &Path) -> Result<(), Wrong> {
    let file = fs::File::open(path)?;
    let no_words = c"";
    #[expect(unsafe_code, reason = "nix's finit_module has no flag for a compressed module")]
    // SAFETY: the descriptor is open and the text ends with a nought; the kernel keeps neither.
    let done =
        unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), no_words.as_ptr(), COMPRESSED) };
    let error = std::io::Error::last_os_error();
    match done {
        0 => Ok(()),
        // One for another processor is named too.
        _ if matches!(error.raw_os_error(), Some(libc::EEXIST | libc::ENODEV)) => Ok(()),
        _ => Err(Wrong(format!("failed to load {}: {error}", path.display()))),
    }
}
