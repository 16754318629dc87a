//! Plays cuts: for each the disks as they were then, the relay on them until nothing moves any more, and the count.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clinic::check::Wrong;
use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::cut::{Cut, Kept, Part, flushed, pieces};
use super::log::Log;
use super::outside::Outside;
use super::place::{BOOT_ID, HOME, Place, REQUESTS, SITE, Terminal, same_boot};
use super::record::{PARTS, Recording, run};
use super::tally::{Tally, newest, under_way};

/// Every so many cuts the whole daemon comes up on the disks instead of the relay alone.
pub const WHOLE: usize = 50;
/// How long until nothing moves any more.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The pause of a look for something to do.
pub const LOOK: Duration = Duration::from_millis(2);
/// The number of the request that is put after a cut: none of the load's.
pub const FRESH: u64 = 900_000;
/// What the product says, below the home.
const LOG: &str = "product.log";
/// How many answers the application gives again after a cut.
const AGAIN: usize = 3;

/// A file system in an image of its own, which grows with the log.
#[derive(Debug)]
struct Disk {
    part: Part,
    /// Whether it lost power with the box.
    cut: bool,
    grown: PathBuf,
    now: PathBuf,
    at: PathBuf,
    written: usize,
}

impl Disk {
    fn of(whole: &[u8], part: Part, cut: bool, at: PathBuf) -> Result<Self, Wrong> {
        let byte = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let (grown, now) = (at.with_extension("grown"), at.with_extension("now"));
        fs::write(&grown, whole.get(byte(part.start)..byte(part.end)).unwrap_or_default())?;
        fs::create_dir_all(&at)?;
        Ok(Self { part, cut, grown, now, at, written: 0 })
    }

    /// As it was after a cut, mounted.
    fn after(&mut self, log: &Log, cut: Cut) -> Result<Mounted, Wrong> {
        let since = if self.cut { flushed(&log.entries, cut.at) } else { cut.at };
        let grown = File::options().write(true).open(&self.grown)?;
        write(log, self.written..since, &grown, &self.part, Kept::All)?;
        self.written = self.written.max(since);
        run(Command::new("cp").arg("--sparse=always").args([&self.grown, &self.now]))?;
        let now = File::options().write(true).open(&self.now)?;
        write(log, since..cut.at, &now, &self.part, cut.kept)?;
        Mounted::on(&self.now, &self.at)
    }
}

fn write(
    log: &Log,
    entries: std::ops::Range<usize>,
    image: &File,
    part: &Part,
    kept: Kept,
) -> Result<(), Wrong> {
    for nth in entries {
        let Some(entry) = log.entries.get(nth) else { break };
        for piece in pieces(entry, nth, part, kept) {
            log.write(entry, piece, image, part.start)?;
        }
    }
    Ok(())
}

/// The table on which cuts are played: a mount namespace of this process's own.
#[derive(Debug)]
pub struct Replay<'a> {
    log: &'a Log,
    place: Place,
    program: PathBuf,
    sekisho: PathBuf,
    disks: Vec<Disk>,
    terminal: Terminal,
}

/// What a cut came to.
#[derive(Debug)]
pub struct Played {
    /// The count.
    pub tally: Tally,
    /// What did not come to rest, if anything.
    pub restless: Option<String>,
}

impl<'a> Replay<'a> {
    /// Sets the table. `program` carries as the load's relay did, without any defect; `sekisho` is the whole daemon.
    ///
    /// # Errors
    /// This machine does not let us.
    pub fn set(recording: &'a Recording, program: PathBuf, sekisho: PathBuf) -> Result<Self, Wrong> {
        let home = Path::new(HOME);
        fs::create_dir_all(home)?;
        on("tmpfs", home, Some("tmpfs"))?;
        let (place, terminal) = (Place::default(), recording.terminal);
        if terminal == Terminal::Far {
            same_boot(&home.join("boot_id"))?;
        }
        fs::write(home.join("site.toml"), SITE)?;
        let whole = fs::read(&recording.disk)?;
        let lose = [true, terminal == Terminal::Near, false];
        let places = [&place.state, &place.terminal, &place.outside];
        let disks = PARTS.into_iter().zip(lose).zip(places);
        let disks = disks.map(|((part, lose), at)| Disk::of(&whole, part, lose, at.clone()));
        let disks = disks.collect::<Result<_, _>>()?;
        Ok(Self { log: &recording.log, place, program, sekisho, disks, terminal })
    }

    /// Plays a cut; they come in the order of the log.
    ///
    /// # Errors
    /// The disks cannot be read any more, or something cannot be started.
    pub fn play(&mut self, cut: Cut, whole: bool) -> Result<Played, Wrong> {
        let log = self.log;
        let mounted: Result<Vec<Mounted>, Wrong> =
            self.disks.iter_mut().map(|disk| disk.after(log, cut)).collect();
        let _mounted = mounted?;
        let product = if whole { self.daemon()? } else { relay(&self.program)? };
        settled(product, &self.place, FRESH)
    }

    /// The daemon with all its roles, in a network of its own with the site's ports.
    fn daemon(&self) -> Result<Product, Wrong> {
        let home = Path::new(HOME);
        let ports = "set -e; for port in wan0 term0 lan0; do ip link add $port type veth peer far-$port; done; \
                     ip link set lo up; exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sh", "-c", ports, "sh"]).arg(&self.sekisho).arg("daemon");
        command.arg("--site").arg(home.join("site.toml")).arg("--state").arg(&self.place.state);
        command.arg("--socket").arg(home.join("sockets"));
        Product::start(&mut command)
    }
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if self.terminal == Terminal::Far {
            let _ = umount(BOOT_ID);
        }
        let _ = umount(HOME);
    }
}

/// The relay without a defect.
///
/// # Errors
/// It cannot be started.
pub fn relay(program: &Path) -> Result<Product, Wrong> {
    Product::start(Command::new(program).arg(super::CARRY))
}

/// Lets life go on with this product and a new request until nothing moves any more, and counts.
///
/// # Errors
/// A folder cannot be read.
pub fn settled(product: Product, place: &Place, fresh: u64) -> Result<Played, Wrong> {
    let restless = live(place, fresh)?;
    drop(product);
    let restless = restless.map(|moving| format!("{moving}; the product said: {}", last_word()));
    Ok(Played { tally: Tally::of(place)?, restless })
}

/// Life goes on, with a new request, until nothing moves any more; then old answers are given again.
fn live(place: &Place, fresh: u64) -> Result<Option<String>, Wrong> {
    let outside = Outside { place: place.clone() };
    let end = Instant::now() + PATIENCE;
    while !place.clinic(REQUESTS).is_dir() && Instant::now() < end {
        std::thread::park_timeout(LOOK);
    }
    outside.put(fresh)?;
    if let Some(moving) = rest(&outside)? {
        return Ok(Some(moving));
    }
    for answer in newest(outside.collected()?, AGAIN) {
        outside.give(&answer)?;
    }
    rest(&outside)
}

fn rest(outside: &Outside) -> Result<Option<String>, Wrong> {
    let end = Instant::now() + PATIENCE;
    loop {
        if outside.turn()? {
            continue;
        }
        match under_way(&outside.place)? {
            None => return Ok(None),
            moving if Instant::now() > end => return Ok(moving),
            _ => std::thread::park_timeout(LOOK),
        }
    }
}

/// From here on what this process mounts is nobody else's, and ends with it. To be called before any thread is begun.
///
/// # Errors
/// We are not root.
pub fn alone_with_mounts() -> Result<(), Wrong> {
    unshare(CloneFlags::CLONE_NEWNS).map_err(std::io::Error::from)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    Ok(mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(std::io::Error::from)?)
}

fn last_word() -> String {
    let said = fs::read_to_string(Path::new(HOME).join(LOG)).unwrap_or_default();
    said.trim().lines().last().unwrap_or("nothing").to_owned()
}

/// A running product; killed when dropped.
#[derive(Debug)]
pub struct Product(Child);

impl Product {
    fn start(command: &mut Command) -> Result<Self, Wrong> {
        let log = File::create(Path::new(HOME).join(LOG))?;
        let command = command.env_remove("SEKISHO_SABOTAGE").stdin(Stdio::null());
        // A group of its own: whoever answers about the history ends with it, and writes nothing later.
        Ok(Self(command.stdout(log.try_clone()?).stderr(log).process_group(0).spawn()?))
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let group = i32::try_from(self.0.id()).map(Pid::from_raw);
        let _ = group.map(|group| killpg(group, Signal::SIGKILL));
        let _ = self.0.wait();
    }
}

/// A mounted image; not any more when dropped.
#[derive(Debug)]
struct Mounted(PathBuf);

impl Mounted {
    fn on(image: &Path, at: &Path) -> Result<Self, Wrong> {
        run(Command::new("mount").args(["-t", "ext4", "-o", "loop"]).arg(image).arg(at))?;
        Ok(Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // A killed process lets its files go a moment later.
        let end = Instant::now() + PATIENCE;
        while umount(&self.0).is_err() && Instant::now() < end {
            std::thread::park_timeout(LOOK);
        }
    }
}

/// Mounts something.
///
/// # Errors
/// The kernel refuses it.
pub fn on(what: &str, at: &Path, kind: Option<&str>) -> Result<(), Wrong> {
    let mounted = mount(Some(what), at, kind, MsFlags::empty(), None::<&str>);
    mounted.map_err(|error| Wrong(format!("failed to mount {what} at {}: {error}", at.display())))
}
