//! `sekisho boot data`: the data partition. At the first boot it is grown, encrypted and made; at every other it is
//! opened, checked and mounted. What cannot be used is left as it is, and the box comes up on a volume in memory.
//!
//! The partition is made only while the partition table calls it `data-new`, so no order of power cuts loses what
//! was written once, and none leaves the first boot stuck.

use std::path::PathBuf;

use model::Notice;
use serde::{Deserialize, Serialize};

use super::Places;
use super::disk::{self, Disk};
use crate::failure::Failure;
use crate::{files, output};

/// The format of what lies in the data partition; raised when an older firmware could not read it any more.
pub const FORMAT: u32 = 1;

/// How the data partition is: written to `data.json`, read by `boot site`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum Data {
    /// Mounted.
    Good,
    /// It cannot be read.
    Damaged {
        /// What was said, a line.
        reason: String,
    },
    /// No room is left.
    Full,
    /// A newer firmware wrote it.
    Newer {
        /// Its format.
        format: u32,
    },
}

impl Data {
    /// What a person is told about it.
    pub fn notice(&self) -> Option<Notice> {
        match self {
            Self::Good => None,
            Self::Damaged { reason } => Some(Notice::DataDamaged { reason: reason.clone() }),
            Self::Full => Some(Notice::DataFull),
            Self::Newer { format } => Some(Notice::DataNewer { format: *format }),
        }
    }

    /// What `boot data` found. If it did not even say so, the data cannot be relied on.
    pub fn read(places: &Places) -> Self {
        let read = std::fs::read(told(places));
        let found = read.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        found.unwrap_or(Self::Damaged { reason: "it was not opened".into() })
    }
}

/// Why something on the disk did not work, a line.
pub type Trouble = String;

/// What the partition table says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// As the image left it, or begun by a first boot that was cut.
    New,
    /// It was completed once.
    Complete,
}

/// The disk, or a double of it. Every call may be the last before the power goes.
pub trait Partition {
    /// What the partition table says of it.
    fn label(&mut self) -> Result<Label, Trouble>;
    /// Lets the partition have the rest of the disk.
    fn grow(&mut self) -> Result<(), Trouble>;
    /// Encrypts it with a key of this box, and opens it.
    fn format(&mut self) -> Result<(), Trouble>;
    /// Opens it with this box's key.
    fn open(&mut self) -> Result<(), Trouble>;
    /// Makes the file system in it.
    fn make_file_system(&mut self) -> Result<(), Trouble>;
    /// Checks the file system, and repairs what can be repaired without a loss.
    fn check(&mut self) -> Result<(), Trouble>;
    /// Mounts it.
    fn mount(&mut self) -> Result<(), Trouble>;
    /// The format it was written with; an error if it does not say.
    fn format_version(&mut self) -> Result<u32, Trouble>;
    /// Says the format, and makes sure that it is on the disk.
    fn write_format_version(&mut self, format: u32) -> Result<(), Trouble>;
    /// Whether a role can write anything more.
    fn has_room(&mut self) -> Result<bool, Trouble>;
    /// From now on it is complete: the partition table says so.
    fn complete(&mut self) -> Result<(), Trouble>;
    /// Unmounts and closes what is open; nothing is if there was nothing.
    fn close(&mut self);
}

/// Brings the data up. What is not [`Data::Good`] is closed again.
pub fn bring_up(disk: &mut impl Partition) -> Data {
    let found = begin(disk).unwrap_or_else(|reason| Data::Damaged { reason });
    if found != Data::Good {
        disk.close();
    }
    found
}

fn begin(disk: &mut impl Partition) -> Result<Data, Trouble> {
    match disk.label()? {
        Label::New => make(disk),
        Label::Complete => open(disk),
    }
}

fn make(disk: &mut impl Partition) -> Result<Data, Trouble> {
    disk.grow()?;
    disk.format()?;
    disk.make_file_system()?;
    disk.mount()?;
    disk.write_format_version(FORMAT)?;
    disk.complete()?;
    Ok(Data::Good)
}

fn open(disk: &mut impl Partition) -> Result<Data, Trouble> {
    disk.open()?;
    disk.check()?;
    disk.mount()?;
    match disk.format_version()? {
        format if format > FORMAT => Ok(Data::Newer { format }),
        _ if !disk.has_room()? => Ok(Data::Full),
        _ => Ok(Data::Good),
    }
}

/// Brings the data up, or a volume in memory in its place, and says which.
///
/// # Errors
/// What keeps even the volume in memory from being there, or `data.json` from being written.
pub fn run(places: &Places) -> Result<(), Failure> {
    let mut disk = Disk::new(places);
    let found = bring_up(&mut disk);
    if found != Data::Good {
        disk::mount_in_memory()?;
        output::error(&format!("the data partition is not used: {found:?}"));
    }
    say(places, &found)
}

/// After [`run`] was ended from outside: a volume in memory, unless the data is there.
///
/// # Errors
/// As [`run`].
pub fn lost(places: &Places) -> Result<(), Failure> {
    if told(places).exists() {
        return Ok(());
    }
    disk::mount_in_memory()?;
    say(places, &Data::Damaged { reason: "it was not opened in time".into() })
}

fn say(places: &Places, found: &Data) -> Result<(), Failure> {
    files::replace(&told(places), output::json(found), 0o644)
}

fn told(places: &Places) -> PathBuf {
    places.own().join("data.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that keeps what is flushed, and loses its power at a chosen call.
    #[derive(Clone, Debug, Default)]
    struct Fake {
        complete: bool,
        file_system: bool,
        format: Option<u32>,
        full: bool,
        broken: Option<&'static str>,
        open: bool,
        mounted: bool,
        formats: usize,
        calls: Vec<&'static str>,
        power: Option<usize>,
    }

    impl Fake {
        fn call(&mut self, name: &'static str) -> Result<(), Trouble> {
            self.calls.push(name);
            if self.power.is_some_and(|left| self.calls.len() > left) {
                return Err("the power is gone".into());
            }
            if self.broken == Some(name) { Err(format!("{name} failed")) } else { Ok(()) }
        }

        /// The same disk at the next boot.
        fn next_boot(&self) -> Self {
            Self { open: false, mounted: false, calls: Vec::new(), power: None, ..self.clone() }
        }

        fn completed() -> Self {
            Self { complete: true, file_system: true, format: Some(FORMAT), ..Self::default() }
        }
    }

    impl Partition for Fake {
        fn label(&mut self) -> Result<Label, Trouble> {
            self.call("label")?;
            Ok(if self.complete { Label::Complete } else { Label::New })
        }
        fn grow(&mut self) -> Result<(), Trouble> {
            self.call("grow")
        }
        fn format(&mut self) -> Result<(), Trouble> {
            self.call("format")?;
            assert!(!self.complete, "a completed partition was made again");
            (self.file_system, self.format, self.open) = (false, None, true);
            self.formats += 1;
            Ok(())
        }
        fn open(&mut self) -> Result<(), Trouble> {
            self.call("open")?;
            self.open = true;
            Ok(())
        }
        fn make_file_system(&mut self) -> Result<(), Trouble> {
            self.call("make file system")?;
            assert!(self.open);
            self.file_system = true;
            Ok(())
        }
        fn check(&mut self) -> Result<(), Trouble> {
            self.call("check")
        }
        fn mount(&mut self) -> Result<(), Trouble> {
            self.call("mount")?;
            assert!(self.open && self.file_system);
            self.mounted = true;
            Ok(())
        }
        fn format_version(&mut self) -> Result<u32, Trouble> {
            self.call("format version")?;
            self.format.ok_or_else(|| "it does not say its format".into())
        }
        fn write_format_version(&mut self, format: u32) -> Result<(), Trouble> {
            self.call("write format version")?;
            assert!(self.mounted);
            self.format = Some(format);
            Ok(())
        }
        fn has_room(&mut self) -> Result<bool, Trouble> {
            self.call("has room")?;
            Ok(!self.full)
        }
        fn complete(&mut self) -> Result<(), Trouble> {
            self.call("complete")?;
            assert!(self.format.is_some(), "complete before everything was there");
            self.complete = true;
            Ok(())
        }
        fn close(&mut self) {
            (self.open, self.mounted) = (false, false);
        }
    }

    #[test]
    fn the_first_boot_makes_it_and_every_other_opens_it() {
        let mut disk = Fake::default();
        assert_eq!(bring_up(&mut disk), Data::Good);
        let mut disk = disk.next_boot();
        assert_eq!(bring_up(&mut disk), Data::Good);
        assert_eq!((disk.formats, disk.mounted), (1, true));
    }

    #[test]
    fn a_first_boot_cut_at_any_moment_begins_anew_and_completes() {
        let calls = {
            let mut disk = Fake::default();
            bring_up(&mut disk);
            disk.calls.len()
        };
        for power in 0..=calls {
            let mut disk = Fake { power: Some(power), ..Fake::default() };
            bring_up(&mut disk);
            let mut disk = disk.next_boot();
            assert_eq!(bring_up(&mut disk), Data::Good, "after a cut at call {power}");
            assert!(disk.mounted);
        }
    }

    #[test]
    fn a_completed_one_is_never_made_again_whatever_is_wrong_with_it() {
        for broken in ["label", "open", "check", "mount", "format version", "has room"] {
            let mut disk = Fake { broken: Some(broken), ..Fake::completed() };
            let found = bring_up(&mut disk);
            assert_eq!(found, Data::Damaged { reason: format!("{broken} failed") });
            assert!(!disk.open && !disk.mounted && disk.formats == 0);
        }
    }

    #[test]
    fn one_that_is_full_or_newer_is_left_as_it_is() {
        for (disk, wanted) in [
            (Fake { full: true, ..Fake::completed() }, Data::Full),
            (Fake { format: Some(FORMAT + 1), ..Fake::completed() }, Data::Newer { format: FORMAT + 1 }),
        ] {
            let mut disk = disk;
            assert_eq!(bring_up(&mut disk), wanted);
            assert!(!disk.open && disk.formats == 0);
        }
    }
}
