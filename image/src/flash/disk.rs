//! The disk: what it is, by what the kernel says, and whether it may be written.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use nix::sys::stat::{major, minor};

use crate::error::{Error, at};

/// A place that might be written.
#[derive(Debug, Clone)]
pub struct Disk {
    path: PathBuf,
    kind: Kind,
    size: u64,
    model: String,
    serial: String,
    in_use: Vec<String>,
    read_only: bool,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Disk,
    Partition,
    File,
}

impl Disk {
    /// Looks at a disk; a regular file counts as one, for a virtual board.
    pub fn look(path: &Path) -> Result<Self, Error> {
        let meta = path.metadata().map_err(at("find", path))?;
        if meta.is_file() {
            return Ok(Self::file(path, &meta));
        }
        if !meta.file_type().is_block_device() {
            return Err(Error::Refused {
                disk: path.to_owned(),
                reason: "it is neither a disk nor a file".to_owned(),
            });
        }
        let (path, number) = (path.to_owned(), (major(meta.rdev()), minor(meta.rdev())));
        let sys = PathBuf::from(format!("/sys/dev/block/{}:{}", number.0, number.1));
        let sys = sys.canonicalize().map_err(at("find", &sys))?;
        let word = |name: &str| std::fs::read_to_string(sys.join(name)).unwrap_or_default().trim().to_owned();
        let kind = if sys.join("partition").exists() { Kind::Partition } else { Kind::Disk };
        // An eMMC or a card has `name` instead of `model`.
        let model = [word("device/model"), word("device/name"), file_name(&sys)]
            .into_iter()
            .find(|text| !text.is_empty());
        let serial = [word("device/serial"), word("serial"), serial_by_udev(number)]
            .into_iter()
            .find(|text| !text.is_empty());
        Ok(Self {
            path,
            kind,
            size: word("size").parse::<u64>().unwrap_or_default() * 512,
            model: model.unwrap_or_default(),
            serial: serial.unwrap_or_default(),
            in_use: in_use(&sys)?,
            read_only: word("ro") == "1",
        })
    }

    fn file(path: &Path, meta: &Metadata) -> Self {
        Self {
            path: path.to_owned(),
            kind: Kind::File,
            size: meta.len(),
            model: "a file, not a disk".to_owned(),
            serial: String::new(),
            in_use: Vec::new(),
            read_only: meta.permissions().readonly(),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes it has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// What a person types to mean this one.
    pub fn name(&self) -> String {
        if self.serial.is_empty() { file_name(&self.path) } else { self.serial.clone() }
    }

    /// What that is.
    pub const fn word(&self) -> &'static str {
        if self.serial.is_empty() { "its name" } else { "its serial number" }
    }

    /// May an image of this size be written?
    pub fn fit(&self, size: u64) -> Result<(), Error> {
        let reason = if self.kind == Kind::Partition {
            "it is a partition; the image needs the whole disk".to_owned()
        } else if !self.in_use.is_empty() {
            format!("it is in use: {}", self.in_use.join(", "))
        } else if self.read_only {
            "it is write-protected".to_owned()
        } else if self.size < size {
            format!("it has {} MiB, the image needs {}", self.size >> 20, size.div_ceil(1 << 20))
        } else {
            return Ok(());
        };
        Err(Error::Refused { disk: self.path.clone(), reason })
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let serial = if self.serial.is_empty() { "none" } else { &self.serial };
        let (path, model, size) = (self.path.display(), &self.model, self.size as f64 / 1e9);
        write!(f, "   disk    {path}\n   model   {model}\n   serial  {serial}\n   size    {size:.1} GB")
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A USB stick's serial number is known to udev only.
fn serial_by_udev((major, minor): (u64, u64)) -> String {
    let text = std::fs::read_to_string(format!("/run/udev/data/b{major}:{minor}")).unwrap_or_default();
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned);
    value("E:ID_SERIAL_SHORT=").or_else(|| value("E:ID_SERIAL=")).unwrap_or_default()
}

/// Who uses the disk or a part of it: mounts (the system's own among them), swap, volumes that lie on it.
fn in_use(sys: &Path) -> Result<Vec<String>, Error> {
    let parts = with_parts(sys)?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo")
        .map_err(at("read", Path::new("/proc/self/mountinfo")))?;
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    let mut uses: Vec<String> =
        mounted(&mounts, &numbers(&parts)).into_iter().map(|place| format!("mounted at {place}")).collect();
    for part in &parts {
        if swaps
            .lines()
            .any(|line| line.split_whitespace().next() == Some(&format!("/dev/{}", file_name(part))))
        {
            uses.push(format!("{} is swap", file_name(part)));
        }
        for holder in children(&part.join("holders"))? {
            uses.push(format!("{} lies on it", file_name(&holder)));
        }
    }
    Ok(uses)
}

/// The disk, its partitions, and the volumes that lie on any of them.
fn with_parts(sys: &Path) -> Result<Vec<PathBuf>, Error> {
    let (mut found, mut open) = (Vec::new(), vec![sys.to_owned()]);
    while let Some(one) = open.pop() {
        open.extend(children(&one)?.into_iter().filter(|child| child.join("partition").exists()));
        for holder in children(&one.join("holders"))? {
            open.push(holder.canonicalize().map_err(at("find", &holder))?);
        }
        found.push(one);
    }
    Ok(found)
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(at("read", folder))).collect()
}

fn numbers(parts: &[PathBuf]) -> BTreeSet<String> {
    let number =
        |part: &PathBuf| std::fs::read_to_string(part.join("dev")).ok().map(|text| text.trim().to_owned());
    parts.iter().filter_map(number).collect()
}

/// Where file systems of these devices are mounted. (The root's device number is its disk's, so this finds the disk the
/// system runs from too.)
fn mounted(mountinfo: &str, numbers: &BTreeSet<String>) -> Vec<String> {
    let place = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        numbers.contains(*fields.get(2)?).then(|| fields.get(4).map(|place| (*place).to_owned()))?
    };
    mountinfo.lines().filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> Disk {
        Disk {
            path: "/dev/sdx".into(),
            kind: Kind::Disk,
            size: 4 << 30,
            model: "Stick".to_owned(),
            serial: "S1".to_owned(),
            in_use: Vec::new(),
            read_only: false,
        }
    }

    fn refusal(disk: &Disk) -> String {
        disk.fit(1 << 30).unwrap_err().to_string()
    }

    #[test]
    fn a_free_large_disk_is_fit() {
        disk().fit(1 << 30).unwrap();
    }

    #[test]
    fn a_partition_a_used_a_small_and_a_protected_disk_are_refused() {
        assert!(refusal(&Disk { kind: Kind::Partition, ..disk() }).contains("whole disk"));
        assert!(refusal(&Disk { in_use: vec!["mounted at /".into()], ..disk() }).contains("mounted at /"));
        assert!(refusal(&Disk { size: 1 << 20, ..disk() }).contains("it has 1 MiB, the image needs 1024"));
        assert!(refusal(&Disk { read_only: true, ..disk() }).contains("write-protected"));
    }

    #[test]
    fn a_disk_without_a_serial_number_is_called_by_its_name() {
        assert_eq!(disk().name(), "S1");
        assert_eq!(Disk { serial: String::new(), ..disk() }.name(), "sdx");
    }

    #[test]
    fn a_mount_is_found_by_its_device() {
        let info = "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n30 22 0:5 / /proc rw - proc proc rw\n";
        assert_eq!(mounted(info, &BTreeSet::from(["8:2".to_owned()])), ["/"]);
        assert!(mounted(info, &BTreeSet::from(["8:1".to_owned()])).is_empty());
    }

    #[test]
    fn the_disk_this_machine_runs_from_is_in_use() {
        let root = std::fs::metadata("/").unwrap().dev();
        let sys = PathBuf::from(format!("/sys/dev/block/{}:{}", major(root), minor(root)));
        // A machine whose root is no disk (an overlay, a network) has nothing to show here.
        if let Ok(sys) = sys.canonicalize() {
            assert!(in_use(&sys).unwrap().contains(&"mounted at /".to_owned()));
        }
    }
}
