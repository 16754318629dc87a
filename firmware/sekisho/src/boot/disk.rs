//! The disk itself: Debian's own tools, each a step, with their last word as the reason when one fails.
//!
//! The partition is looked for on the disk that the root runs from, and by its label there: a stick or a second disk
//! with the same label is not ours.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{FallocateFlags, fallocate};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::Places;
use super::data::{FORMAT, Label, Partition, Trouble};
use super::key::{self, Kept};
use super::tool::{last_line, run};
use crate::failure::Failure;

/// The label as the image makes it.
const NEW: &str = "data-new";
/// The label of one that was completed once.
const COMPLETE: &str = "data";
/// Its name when it is open.
const NAME: &str = "sekisho-data";
const OPENED: &str = "/dev/mapper/sekisho-data";
const VAR: &str = "/var";
/// The group that may use what the file system keeps back; sysusers.d has its number too.
const RESERVE: u32 = 977;
/// With less than this left, bytes, nothing of use can be kept.
const ROOM: i64 = 1024 * 1024;
const TPM: &str = "/dev/tpmrm0";
/// LUKS2's metadata with its usual size, both copies.
const HEADER: u64 = 32 * 1024;

/// A partition of the root's own disk.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    disk: PathBuf,
    device: PathBuf,
    number: String,
    label: String,
}

/// The data partition of this box.
pub struct Disk {
    sys: PathBuf,
    run: PathBuf,
    state: PathBuf,
    place: Option<Place>,
    opened: bool,
    mounted: bool,
}

/// A volume in memory in the place of the data, small and gone at the next boot.
///
/// # Errors
/// [`Failure::Write`] with the place.
pub fn mount_in_memory() -> Result<(), Failure> {
    mount(Some("tmpfs"), VAR, Some("tmpfs"), flags(), Some("size=64m,mode=0755"))
        .map_err(|error| Failure::Write { path: VAR.into(), source: error.into() })
}

impl Disk {
    /// The disk of a box with these places.
    pub fn new(places: &Places) -> Self {
        Self {
            sys: places.sys.clone(),
            run: places.own(),
            state: places.state.clone(),
            place: None,
            opened: false,
            mounted: false,
        }
    }

    fn place(&mut self) -> Result<Place, Trouble> {
        if self.place.is_none() {
            let root = std::fs::metadata("/").map_err(|error| format!("/: {error}"))?.dev();
            let number = format!("{}:{}", nix::sys::stat::major(root), nix::sys::stat::minor(root));
            let disk = disk_below(&self.sys, &self.sys.join("dev/block").join(number))?;
            self.place = Some(find(&disk)?);
        }
        self.place.clone().ok_or_else(|| "no data partition".into())
    }

    fn device(&mut self) -> Result<String, Trouble> {
        Ok(self.place()?.device.display().to_string())
    }

    fn encrypt(&mut self, key: &str) -> Result<(), Trouble> {
        let device = self.device()?;
        // The keys are random, so stretching them would buy nothing.
        let arguments = [
            "luksFormat",
            "--batch-mode",
            "--type=luks2",
            "--label",
            NAME,
            "--pbkdf=pbkdf2",
            "--pbkdf-force-iterations=1000",
            "--key-file=-",
            &device,
        ];
        run("/usr/sbin/cryptsetup", &arguments, key)
    }

    fn unlock(&mut self, key: &str) -> Result<(), Trouble> {
        let device = self.device()?;
        let arguments = ["open", "--allow-discards", "--key-file=-", &device, NAME];
        run("/usr/sbin/cryptsetup", &arguments, key)?;
        self.opened = true;
        Ok(())
    }

    fn unlock_sealed(&mut self) -> Result<(), Trouble> {
        let device = self.device()?;
        let options = "tpm2-device=auto,headless=true,discard";
        run("/usr/lib/systemd/systemd-cryptsetup", &["attach", NAME, &device, "-", options], "")?;
        self.opened = true;
        Ok(())
    }

    /// Seals a random key to the TPM; the partition keeps no other.
    fn format_sealed(&mut self) -> Result<(), Trouble> {
        let key = key::random()?;
        self.encrypt(&key)?;
        let (device, file) = (self.device()?, self.run.join("data.key"));
        crate::files::replace(&file, &key, 0o600).map_err(|failure| failure.to_string())?;
        let unlock = format!("--unlock-key-file={}", file.display());
        let arguments = [&unlock, "--tpm2-device=auto", "--tpm2-pcrs=7", "--wipe-slot=password", &device];
        let sealed = run("/usr/bin/systemd-cryptenroll", &arguments, "");
        // Memory only; it is nobody's any more once the TPM has it.
        let _ = std::fs::remove_file(&file);
        sealed?;
        self.unlock_sealed()
    }

    fn format_in_firmware(&mut self) -> Result<(), Trouble> {
        let key = key::make(Path::new(key::VARIABLES))?;
        self.encrypt(&key)?;
        let device = self.device()?;
        run("/usr/sbin/cryptsetup", &["token", "import", "--json-file=-", &device], key::TOKEN)?;
        self.unlock(&key)
    }

    fn format_file(&self) -> PathBuf {
        self.state.join("format")
    }
}

impl Partition for Disk {
    fn label(&mut self) -> Result<Label, Trouble> {
        Ok(if self.place()?.label == NEW { Label::New } else { Label::Complete })
    }

    fn grow(&mut self) -> Result<(), Trouble> {
        let place = self.place()?;
        let disk = place.disk.display().to_string();
        // The other partitions are in use, so only the kernel's idea of this one is renewed.
        run("/usr/sbin/sfdisk", &["--no-reread", "--force", "-N", &place.number, &disk], ", +\n")?;
        run("/usr/bin/partx", &["--update", "--nr", &place.number, &disk], "")
    }

    fn format(&mut self) -> Result<(), Trouble> {
        if Path::new(TPM).exists() {
            match self.format_sealed() {
                Ok(()) => return Ok(()),
                Err(reason) => crate::output::error(&format!("the TPM keeps no key: {reason}")),
            }
        }
        self.format_in_firmware()
    }

    fn open(&mut self) -> Result<(), Trouble> {
        let device = self.place()?.device;
        let mut header = Vec::new();
        let file = File::open(&device).map_err(|error| format!("{}: {error}", device.display()))?;
        file.take(HEADER)
            .read_to_end(&mut header)
            .map_err(|error| format!("{}: {error}", device.display()))?;
        match key::kept(&header) {
            Some(Kept::Tpm) => self.unlock_sealed(),
            Some(Kept::Firmware) => {
                let key = key::read(Path::new(key::VARIABLES))?;
                self.unlock(&key)
            }
            None => Err("its header does not say how its key is kept".into()),
        }
    }

    fn make_file_system(&mut self) -> Result<(), Trouble> {
        // What is kept back for root and the roles lets a box whose share a PC has filled go on, and boot.
        run("/usr/sbin/mkfs.ext4", &["-q", "-F", "-L", NAME, "-m", "2", OPENED], "")
    }

    fn check(&mut self) -> Result<(), Trouble> {
        let said = Command::new("/usr/sbin/e2fsck").args(["-p", OPENED]).stdin(Stdio::null()).output();
        let said = said.map_err(|error| format!("e2fsck: {error}"))?;
        // e2fsck(8): 1 is repaired, 2 asks for a new start of a mounted root, which this is not.
        match said.status.code() {
            Some(0..=3) => Ok(()),
            code => Err(format!("e2fsck says {}: {}", code.unwrap_or(-1), last_line(&said.stdout))),
        }
    }

    fn mount(&mut self) -> Result<(), Trouble> {
        let options = format!("errors=remount-ro,resgid={RESERVE}");
        mount(Some(OPENED), VAR, Some("ext4"), flags(), Some(options.as_str()))
            .map_err(|error| format!("{VAR}: {error}"))?;
        self.mounted = true;
        Ok(())
    }

    fn format_version(&mut self) -> Result<u32, Trouble> {
        let file = self.format_file();
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        text.trim().parse().map_err(|_| format!("{}: no number", file.display()))
    }

    fn write_format_version(&mut self, format: u32) -> Result<(), Trouble> {
        debug_assert!(format <= FORMAT);
        crate::files::replace(&self.format_file(), format!("{format}\n"), 0o644)
            .map_err(|failure| failure.to_string())?;
        let folder = File::open(VAR).map_err(|error| format!("{VAR}: {error}"))?;
        nix::unistd::syncfs(&folder).map_err(|error| format!("{VAR}: {error}"))
    }

    fn has_room(&mut self) -> Result<bool, Trouble> {
        // Tried, not read: of what a file system calls free it keeps a part for itself.
        let path = self.state.join("room");
        let tried = File::create(&path).and_then(|file| {
            fallocate(&file, FallocateFlags::empty(), 0, ROOM).map_err(std::io::Error::from)
        });
        let _ = std::fs::remove_file(&path);
        match tried {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => Ok(false),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    fn complete(&mut self) -> Result<(), Trouble> {
        let place = self.place()?;
        let disk = place.disk.display().to_string();
        run(
            "/usr/sbin/sfdisk",
            &["--no-reread", "--force", "--part-label", &disk, &place.number, COMPLETE],
            "",
        )
    }

    fn close(&mut self) {
        if self.mounted {
            let _ = umount2(VAR, MntFlags::empty());
        }
        if self.opened {
            let _ = run("/usr/sbin/cryptsetup", &["close", NAME], "");
        }
        (self.mounted, self.opened) = (false, false);
    }
}

/// Nothing that lies in the data is a device, a program, or another user's program.
const fn flags() -> MsFlags {
    MsFlags::MS_NODEV.union(MsFlags::MS_NOSUID).union(MsFlags::MS_NOEXEC).union(MsFlags::MS_NOATIME)
}

/// The disk that carries a block device, through whatever the device mapper laid over it, as the kernel shows it.
fn disk_below(sys: &Path, device: &Path) -> Result<PathBuf, Trouble> {
    let mut entry = resolve(device)?;
    // The root's hash tree and its data lie on one disk, so the first one below leads there.
    while let Some(below) = first(&entry.join("slaves")) {
        entry = resolve(&sys.join("class/block").join(below))?;
    }
    let is_partition = entry.join("partition").exists();
    let disk = if is_partition { entry.parent().map(Path::to_owned) } else { Some(entry.clone()) };
    disk.ok_or_else(|| format!("{} is on no disk", entry.display()))
}

/// The data partition among those of a disk.
fn find(disk: &Path) -> Result<Place, Trouble> {
    let partitions = std::fs::read_dir(disk).map_err(|error| format!("{}: {error}", disk.display()))?;
    let found: Vec<Place> = partitions
        .filter_map(|entry| place(disk, &entry.ok()?.path()))
        .filter(|place| place.label == NEW || place.label == COMPLETE)
        .collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err("there is no data partition".into()),
        _ => Err("there are several data partitions".into()),
    }
}

fn place(disk: &Path, entry: &Path) -> Option<Place> {
    let number = std::fs::read_to_string(entry.join("partition")).ok()?.trim().to_owned();
    let about = std::fs::read_to_string(entry.join("uevent")).ok()?;
    let label = about.lines().find_map(|line| line.strip_prefix("PARTNAME="))?.to_owned();
    let dev = |path: &Path| path.file_name().map(|name| Path::new("/dev").join(name));
    Some(Place { disk: dev(disk)?, device: dev(entry)?, number, label })
}

fn resolve(path: &Path) -> Result<PathBuf, Trouble> {
    std::fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn first(folder: &Path) -> Option<std::ffi::OsString> {
    std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.file_name())).min()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A /sys with a disk of four partitions, and a root of the device mapper on two of them.
    fn sys(labels: &[&str]) -> tempfile::TempDir {
        let sys = tempfile::tempdir().unwrap();
        let at = |path: &str| sys.path().join(path);
        let make = |path: &str| std::fs::create_dir_all(at(path)).unwrap();
        for folder in ["class/block", "dev/block", "devices/virtual/dm-0/slaves", "devices/pci/vda/slaves"] {
            make(folder);
        }
        for (number, label) in (1..).zip(labels) {
            let part = format!("devices/pci/vda/vda{number}");
            make(&part);
            std::fs::write(at(&part).join("partition"), format!("{number}\n")).unwrap();
            std::fs::write(at(&part).join("uevent"), format!("DEVNAME=vda\nPARTNAME={label}\n")).unwrap();
            symlink(at(&part), at(&format!("class/block/vda{number}"))).unwrap();
        }
        for slave in ["vda1", "vda2"] {
            symlink(at(&format!("class/block/{slave}")), at(&format!("devices/virtual/dm-0/slaves/{slave}")))
                .unwrap();
        }
        symlink(at("devices/virtual/dm-0"), at("dev/block/254:0")).unwrap();
        sys
    }

    fn found(labels: &[&str]) -> Result<Place, Trouble> {
        let sys = sys(labels);
        find(&disk_below(sys.path(), &sys.path().join("dev/block/254:0")).unwrap())
    }

    #[test]
    fn the_data_partition_is_on_the_roots_own_disk() {
        let place = found(&["root-a", "root-a-verity", "data-new"]).unwrap();
        assert_eq!((place.disk, place.device), ("/dev/vda".into(), "/dev/vda3".into()));
        assert_eq!((place.number.as_str(), place.label.as_str()), ("3", NEW));
        assert_eq!(found(&["root-a", "root-a-verity", "x", "data"]).unwrap().label, COMPLETE);
    }

    #[test]
    fn none_and_two_are_told() {
        assert!(found(&["root-a", "root-a-verity"]).is_err());
        assert!(found(&["root-a", "root-a-verity", "data", "data-new"]).is_err());
    }
}
