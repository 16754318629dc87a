//! The disk itself: Debian's own tools, each a step, with their last word as the reason when one fails.
//!
//! The key: sealed to the TPM (PCR 7, the state of Secure Boot) where there is one. Otherwise it is made of what the
//! machine says of itself, so that the disk alone, in another machine, cannot be read; whoever has the whole box can
//! (docs/known-issues.md). Both keys are random or as good as random to LUKS, whose salt differs on every box, so
//! the passphrase is not stretched.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::data::{FORMAT, Partition, Trouble};
use super::header::{self, Header};
use super::tool::{last_line, run};
use super::{Places, machine};
use crate::failure::Failure;

/// The partition, by its GPT label.
const DEVICE: &str = "/dev/disk/by-partlabel/data";
/// Its name when it is open.
const NAME: &str = "sekisho-data";
const OPENED: &str = "/dev/mapper/sekisho-data";
const VAR: &str = "/var";
const TPM: &str = "/dev/tpmrm0";
/// systemd-repart's definitions. Not in its own folder: nothing but this program is to change the partitions.
const GROW: &str = "--definitions=/usr/lib/sekisho/repart.d";

/// The data partition of this box.
pub struct Disk {
    identity: String,
    run: PathBuf,
    state: PathBuf,
    opened: bool,
    mounted: bool,
}

impl Disk {
    /// The disk of a box with these places.
    pub fn new(places: &Places) -> Self {
        Self {
            identity: machine::identity(&places.sys),
            run: places.own(),
            state: places.state.clone(),
            opened: false,
            mounted: false,
        }
    }

    /// A volume in memory in the place of the data, small and gone at the next boot.
    ///
    /// # Errors
    /// [`Failure::Write`] with the place.
    pub fn mount_in_memory(&self) -> Result<(), Failure> {
        mount(Some("tmpfs"), VAR, Some("tmpfs"), flags(), Some("size=64m,mode=0755"))
            .map_err(|error| Failure::Write { path: VAR.into(), source: error.into() })
    }

    /// Not stretched and not secret against whoever holds the machine; see the head of this file.
    fn passphrase(&self) -> String {
        blake3::Hasher::new_derive_key("sekisho 2026-11 data partition, from the machine's identity")
            .update(self.identity.as_bytes())
            .finalize()
            .to_hex()
            .to_string()
    }

    fn encrypt(&self, key: &str) -> Result<(), Trouble> {
        let arguments = [
            "luksFormat",
            "--batch-mode",
            "--type=luks2",
            "--label",
            header::UNFINISHED,
            "--pbkdf=pbkdf2",
            "--pbkdf-force-iterations=1000",
            "--key-file=-",
            DEVICE,
        ];
        run("/usr/sbin/cryptsetup", &arguments, key)
    }

    fn unlock(&mut self, key: &str) -> Result<(), Trouble> {
        run("/usr/sbin/cryptsetup", &["open", "--allow-discards", "--key-file=-", DEVICE, NAME], key)?;
        self.opened = true;
        Ok(())
    }

    /// Seals a random key to the TPM and takes the random key away; the partition stays open with it.
    fn format_sealed(&mut self) -> Result<(), Trouble> {
        let key = random()?;
        self.encrypt(&key)?;
        let file = self.run.join("data.key");
        write_secret(&file, &key).map_err(|error| format!("{}: {error}", file.display()))?;
        let unlock = format!("--unlock-key-file={}", file.display());
        let arguments = [&unlock, "--tpm2-device=auto", "--tpm2-pcrs=7", "--wipe-slot=password", DEVICE];
        let sealed = run("/usr/bin/systemd-cryptenroll", &arguments, "");
        let _ = std::fs::remove_file(&file);
        sealed?;
        self.open(true)
    }

    fn file(&self) -> PathBuf {
        self.state.join("format")
    }
}

impl Partition for Disk {
    fn header(&mut self) -> Result<Header, Trouble> {
        let mut bytes = Vec::with_capacity(header::LENGTH);
        let file = File::open(DEVICE).map_err(|error| format!("{DEVICE}: {error}"))?;
        let length = u64::try_from(header::LENGTH).unwrap_or(u64::MAX);
        file.take(length).read_to_end(&mut bytes).map_err(|error| format!("{DEVICE}: {error}"))?;
        Ok(header::read(&bytes))
    }

    fn grow(&mut self) -> Result<(), Trouble> {
        let device = std::fs::canonicalize(DEVICE).map_err(|error| format!("{DEVICE}: {error}"))?;
        let disk = whole(&device)?;
        let disk = disk.display().to_string();
        run("/usr/bin/systemd-repart", &["--dry-run=no", "--no-pager", GROW, &disk], "")
    }

    fn format(&mut self) -> Result<(), Trouble> {
        if Path::new(TPM).exists() {
            match self.format_sealed() {
                Ok(()) => return Ok(()),
                Err(reason) => crate::output::error(&format!("the TPM keeps no key: {reason}")),
            }
        }
        let key = self.passphrase();
        self.encrypt(&key)?;
        self.unlock(&key)
    }

    fn open(&mut self, sealed: bool) -> Result<(), Trouble> {
        if !sealed {
            return self.unlock(&self.passphrase());
        }
        let options = "tpm2-device=auto,headless=true,discard";
        run("/usr/lib/systemd/systemd-cryptsetup", &["attach", NAME, DEVICE, "-", options], "")?;
        self.opened = true;
        Ok(())
    }

    fn make_file_system(&mut self) -> Result<(), Trouble> {
        run("/usr/sbin/mkfs.ext4", &["-q", "-F", "-L", NAME, "-m", "1", OPENED], "")
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
        let options = Some("errors=remount-ro");
        mount(Some(OPENED), VAR, Some("ext4"), flags(), options)
            .map_err(|error| format!("{VAR}: {error}"))?;
        self.mounted = true;
        Ok(())
    }

    fn format_version(&mut self) -> Result<u32, Trouble> {
        let file = self.file();
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        text.trim().parse().map_err(|_| format!("{}: no number", file.display()))
    }

    fn write_format_version(&mut self, format: u32) -> Result<(), Trouble> {
        debug_assert!(format <= FORMAT);
        crate::files::replace(&self.file(), format!("{format}\n"), 0o644)
            .map_err(|failure| failure.to_string())?;
        let folder = File::open(VAR).map_err(|error| format!("{VAR}: {error}"))?;
        nix::unistd::syncfs(&folder).map_err(|error| format!("{VAR}: {error}"))
    }

    fn has_room(&mut self) -> Result<bool, Trouble> {
        let found = nix::sys::statvfs::statvfs(VAR).map_err(|error| format!("{VAR}: {error}"))?;
        Ok(found.blocks_available() > 0 && found.files_available() > 0)
    }

    fn complete(&mut self) -> Result<(), Trouble> {
        run("/usr/sbin/cryptsetup", &["config", "--label", header::COMPLETE, DEVICE], "")
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

/// The disk a partition is on, as the kernel says it.
fn whole(partition: &Path) -> Result<PathBuf, Trouble> {
    let name = partition.file_name().unwrap_or_default();
    let entry = Path::new("/sys/class/block").join(name);
    let entry = std::fs::canonicalize(&entry).map_err(|error| format!("{}: {error}", entry.display()))?;
    let disk = entry.parent().and_then(Path::file_name);
    disk.map(|disk| Path::new("/dev").join(disk))
        .ok_or_else(|| format!("{} is on no disk", partition.display()))
}

fn random() -> Result<String, Trouble> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
