//! The relay on a disk that forgets all it may ([`disk`]). On a real file system a flush of one thing keeps much that
//! nobody asked it to keep: ext4 commits what was done in all folders, btrfs what was flushed once since its last commit.
//! Here strace writes down what the relay asks of its own folders ([`trace`]), one life after another; when the power
//! goes, what nobody flushed is taken back, and the relay comes up on what is left. The terminal, and everybody outside,
//! go on as if nothing had happened.

pub mod disk;
mod life;
mod seen;
pub mod trace;
mod traced;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clinic::check::Wrong;
use nix::mount::umount;

use self::disk::{Disk, Entry, Luck, Tree};
use self::life::{Life, RESERVED};
use self::trace::Done;
use super::cut::Chance;
use super::outside::names;
use super::place::{BOOT_ID, HOME, Place, SITE, same_boot};
use super::replay::{FRESH, Played, on, relay, settled};
use super::tally::Tally;

/// What else happens than requests and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Nothing.
    Nothing,
    /// A file that is no request is put, by a program that flushes nothing, and a person gives it back.
    Returned,
    /// The same, and a person discards it.
    Discarded,
    /// The terminal comes up without what it had staged, after the first death.
    Replaced,
    /// The receipt computer's folder of answers is removed while it is empty.
    Removed,
}

/// How the relay lives until the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// What else happens.
    pub odd: Odd,
    /// Where it dies, one life after another, before the last one; a star is a number by chance.
    pub dies: &'static [&'static str],
    /// Where it dies for the last time; none: the power goes when somebody outside has just seen something.
    pub ends: Option<&'static str>,
    /// Whether it begins on an empty disk.
    pub fresh: bool,
    /// Whether the terminal is a folder of this machine, on a disk of its own that forgets, too.
    pub near: bool,
}

/// The table on which it is played: a mount namespace of this process's own.
#[derive(Debug)]
pub struct Table {
    place: Place,
    /// The relay that may have a defect.
    spoilt: PathBuf,
    /// The relay without one.
    sound: PathBuf,
    /// How many points were played.
    played: u64,
    /// Whether the next one has to begin anew.
    used: bool,
}

impl Table {
    /// Sets the table.
    ///
    /// # Errors
    /// This machine does not let us.
    pub fn set(spoilt: PathBuf, sound: PathBuf) -> Result<Self, Wrong> {
        let home = Path::new(HOME);
        fs::create_dir_all(home)?;
        on("tmpfs", home, Some("tmpfs"))?;
        same_boot(&home.join("boot_id"))?;
        fs::write(home.join("site.toml"), SITE)?;
        Ok(Self { place: Place::default(), spoilt, sound, played: 0, used: true })
    }

    /// Plays a point, with this flush left out.
    ///
    /// # Errors
    /// Something cannot be started, or what was written down does not say how it looks.
    pub fn play(&mut self, way: &Way, flush: Option<&str>, seed: u64) -> Result<Played, Wrong> {
        let mut chance = Chance(seed ^ self.played.wrapping_mul(0x9e37_79b9));
        if std::mem::take(&mut self.used) || way.fresh {
            self.furnish()?;
        }
        let all = [self.place.state.clone(), self.place.terminal.clone()];
        let forgets = &all[..if way.near { 2 } else { 1 }];
        let before = forgets.iter().map(|root| Ok(Disk::of(root, &lying(root)?)));
        let before = before.collect::<Result<Vec<Disk>, Wrong>>()?;
        let (program, dies) = (&self.spoilt, self.spoilt != self.sound);
        let life = Life { place: &self.place, program, way, flush, dies, first: self.played * RESERVED };
        let done = life.live(&mut chance)?;
        for (root, before) in forgets.iter().zip(&before) {
            // Each disk has a luck of its own.
            let mut left = explained(before, root, &done)?.cut(luck(&mut chance));
            left.retain(|path, _| !is_history(path));
            self.lies(root, &left)?;
        }
        self.played += 1;
        if way.near {
            fs::write(Path::new(HOME).join("boot_id"), format!("{}\n", self.played))?;
        }
        let mut played = settled(relay(&self.sound)?, &self.place, FRESH + self.played)?;
        if way.odd == Odd::Replaced || way.near {
            // What was uncertain then is a person's to decide.
            (played.tally.held, self.used) = (0, true);
        }
        self.used |= played.restless.is_some() || played.tally != Tally::default();
        Ok(played)
    }

    /// What is no request was put by a program that flushes nothing. Until it is given back its bytes are what the cut
    /// has left of them.
    fn forgive(&self, left: &Tree) -> Result<(), Wrong> {
        for name in names(&self.place.outside("odd"))? {
            let is_it = |path: &Path| path.to_str().is_some_and(|path| path.ends_with(&name));
            let held = left.iter().find(|(path, _)| is_it(path) && !path.starts_with("share/OQS/returned"));
            if let Some((_, Entry::File(bytes))) = held {
                fs::write(self.place.outside("odd").join(name), bytes)?;
            }
        }
        Ok(())
    }

    /// An empty box, and a terminal that has nothing.
    fn furnish(&self) -> Result<(), Wrong> {
        for folder in [&self.place.state, &self.place.terminal, &self.place.outside] {
            if folder.exists() {
                fs::remove_dir_all(folder)?;
            }
            fs::create_dir_all(folder)?;
        }
        Ok(self.place.furnish()?)
    }

    /// What a cut has left of a disk.
    fn lies(&self, root: &Path, left: &Tree) -> Result<(), Wrong> {
        disk::write(root, left)?;
        if root == self.place.state { self.forgive(left) } else { Ok(()) }
    }
}

/// What lies on a disk, but for the history, which carries no promise.
fn lying(root: &Path) -> Result<Tree, Wrong> {
    Ok(disk::read(root, is_history)?)
}

fn is_history(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.starts_with("relay/history"))
}

fn luck(chance: &mut Chance) -> Luck {
    match chance.below(4) {
        0 => Luck::All,
        1 => Luck::Some(chance.number()),
        _ => Luck::None,
    }
}

/// A disk after all that was done. What lies there must be what that makes: else this is no witness.
fn explained(before: &Disk, root: &Path, done: &[Done]) -> Result<Disk, Wrong> {
    let lies = lying(root)?;
    let mut first = None;
    // What a death cut off was done or not.
    for unended in [false, true] {
        let mut disk = before.clone();
        let all = done.iter().filter(|done| done.ended || unended);
        all.for_each(|done| disk.apply(&done.op));
        let mut seen = disk.seen();
        seen.retain(|path, _| !is_history(path));
        if seen == lies {
            return Ok(disk);
        }
        first.get_or_insert_with(|| difference(&seen, &lies));
    }
    Err(Wrong(format!("what strace wrote down does not explain {}", first.unwrap_or_default())))
}

fn difference(seen: &Tree, lies: &Tree) -> String {
    let all: BTreeSet<&PathBuf> = seen.keys().chain(lies.keys()).collect();
    let differ = all.into_iter().filter(|path| seen.get(*path) != lies.get(*path));
    let said = |entry: Option<&Entry>| match entry {
        None => "nothing".to_owned(),
        Some(Entry::File(bytes)) => format!("{} bytes", bytes.len()),
        Some(other) => format!("{other:?}"),
    };
    let each = differ
        .map(|path| format!("{}: {}, not {}", path.display(), said(lies.get(path)), said(seen.get(path))));
    each.collect::<Vec<_>>().join("; ")
}

impl Drop for Table {
    fn drop(&mut self) {
        let _ = umount(BOOT_ID);
        let _ = umount(HOME);
    }
}
