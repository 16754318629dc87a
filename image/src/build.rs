//! `image build`, from top to bottom: packages in, a signed disk image out. Each step has a file below `step/` and is
//! skipped while nothing it is made from has changed.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};

use crate::error::{Error, at};
use crate::place::Place;
use crate::room::{self, Room};
use crate::step::keys::Keys;
use crate::{digest, report, reproduce, say, step};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Keys from there instead of development keys made here.
    pub keys: Option<PathBuf>,
    /// An image for clinics: refuses development keys, takes no credentials from the firmware.
    pub release: bool,
    /// Packages anew from the archive, whatever is there.
    pub fresh: bool,
    /// Our binary.
    pub sekisho: Option<PathBuf>,
    /// What cargo says of its crates.
    pub crates: Option<PathBuf>,
    /// The compiler it was made with.
    pub compiler: String,
    /// Make the contents a second time and compare.
    pub check_reproducible: bool,
}

/// A build under way.
#[derive(Debug)]
pub struct Build {
    /// Where everything is.
    pub place: Place,
    /// What is asked for.
    pub wish: Wish,
    /// Version of the product.
    pub version: String,
    /// The time every file of the image bears: that of the last commit, so that two builds of it agree.
    pub epoch: u64,
    /// This program itself: a step made by an older one is made anew.
    recipe: String,
    minutes: Vec<(String, Option<Duration>)>,
}

/// Makes the image and what belongs to it.
pub fn image(place: Place, wish: Wish) -> Result<(), Error> {
    room::own_mounts()?;
    let _alone = alone(&place)?;
    let mut build = Build::start(place, wish)?;
    let tools = step::tools::make(&mut build)?;
    let room = Room::open(&build.place.tools(), &[build.place.shared()])?;
    let keys = step::keys::find(&mut build, &room)?;
    let made = contents(&mut build, &room, &keys, &tools)?;
    let disk = step::disk::make(&mut build, &room, &keys, &[&made.ukis, &made.root])?;
    step::board::make(&mut build, &room, &keys)?;
    let packed = step::pack::make(&mut build, &keys, &disk)?;
    report::make(&mut build, &keys, &[&packed])?;
    build.tell();
    if build.wish.check_reproducible {
        reproduce::check(&build, &room, &keys, &tools)?;
    }
    Ok(())
}

/// Two builds in one folder would each find the other's halves.
fn alone(place: &Place) -> Result<Flock<File>, Error> {
    let path = place.made("lock");
    let file = File::create(&path).map_err(at("write", &path))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|_| Error::Usage(format!("build in {}: another build is at it", place.work.display())))
}

/// What two builds of the same packages must agree in, by the keys of the steps that make it.
#[derive(Debug)]
pub struct Contents {
    root: String,
    ukis: String,
}

/// From packages to what goes onto the disk.
pub fn contents(build: &mut Build, room: &Room, keys: &Keys, tools: &str) -> Result<Contents, Error> {
    let base = step::base::make(build)?;
    let initrd = step::initrd::make(build, &[tools, &base])?;
    let trimmed = step::trim::make(build, &base)?;
    let root = step::root::make(build, &trimmed)?;
    let root = step::seal::make(build, room, &root)?;
    let ukis = step::uki::make(build, room, keys, &[&initrd, &root])?;
    Ok(Contents { root, ukis })
}

impl Build {
    /// Sets up; every list is read first, so that a slip in one does not show after minutes.
    pub fn start(place: Place, wish: Wish) -> Result<Self, Error> {
        let this = std::env::current_exe().map_err(crate::error::doing("find this program"))?;
        std::fs::create_dir_all(place.out()).map_err(at("make", &place.out()))?;
        for folder in ["log", "kept"] {
            std::fs::create_dir_all(place.made(folder)).map_err(at("make", &place.made(folder)))?;
        }
        for list in ["packages", "tools", "initrd", "modules", "prune"] {
            crate::list::read(&place.data(&format!("{list}.list")))?;
        }
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let epoch = step::epoch(&place)?;
        Ok(Self { recipe: digest::file(&this)?, place, wish, version, epoch, minutes: Vec::new() })
    }

    /// The log of a step.
    pub fn log(&self, step: &str) -> PathBuf {
        self.place.made(&format!("log/{step}.log"))
    }

    /// A key from everything a step is made from, and from this program.
    pub fn key(&self, parts: &[&str]) -> String {
        let mut sum = digest::Digest::default();
        for part in parts.iter().chain(&[self.recipe.as_str()]) {
            sum.part(part.as_bytes());
        }
        sum.hex()
    }

    /// Makes a step unless its results are there and were made from the same; gives back its key.
    pub fn step(
        &mut self,
        name: &str,
        key: String,
        results: &[PathBuf],
        make: impl FnOnce(&Self) -> Result<(), Error>,
    ) -> Result<String, Error> {
        let kept = self.place.made(&format!("kept/{name}"));
        let same = std::fs::read_to_string(&kept).is_ok_and(|old| old == key);
        if same && results.iter().all(|path| path.symlink_metadata().is_ok()) {
            self.minutes.push((name.to_owned(), None));
            return Ok(key);
        }
        crate::place::clear(&kept)?;
        crate::place::clear(&self.log(name))?;
        say::error(&format!("== {name}"));
        let (made, took) = say::counting(name, || make(self));
        made?;
        say::error(&format!("   {:.1} s", took.as_secs_f64()));
        std::fs::write(&kept, &key).map_err(at("write", &kept))?;
        self.minutes.push((name.to_owned(), Some(took)));
        Ok(key)
    }

    /// The minutes of each step.
    pub fn tell(&self) {
        let mut all = Duration::ZERO;
        for (name, took) in &self.minutes {
            all += took.unwrap_or_default();
            let text =
                took.map_or_else(|| "    kept".to_owned(), |took| format!("{:6.1} s", took.as_secs_f64()));
            say::print(&format!("{text}  {name}"));
        }
        say::print(&format!("{:6.1} s  together", all.as_secs_f64()));
        say::print(&format!("{}", self.place.out().display()));
    }
}
