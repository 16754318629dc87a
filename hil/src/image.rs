//! The image under test, and the disks that are laid over it.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use clinic::check::Wrong;
use serde_json::Value;

use crate::tools::{Tools, WORK};

/// What scripts/image has made.
#[derive(Clone, Debug)]
pub struct Image {
    /// The whole disk as it leaves the factory, never written.
    pub disk: PathBuf,
    /// The firmware's variables, with the keys it trusts.
    pub variables: PathBuf,
    /// The same, compressed, as it is given away; its signature lies beside it.
    pub packed: PathBuf,
    /// The key of that signature.
    pub key: PathBuf,
    /// Its UKIs before they were signed.
    pub unsigned: PathBuf,
    /// Whether it is a release, which lets nobody look inside.
    pub release: bool,
    parts: Vec<Part>,
}

/// A partition of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name in the partition table.
    pub label: String,
    /// Where it begins, bytes.
    pub at: u64,
    /// How long it is, bytes.
    pub size: u64,
}

/// A disk and the firmware's memory that belongs to it: a key of the box lies in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The overlay.
    pub file: PathBuf,
    /// The firmware's variables.
    pub variables: PathBuf,
}

const SECTOR: u64 = 512;

impl Image {
    /// Finds what scripts/image has made in `TARGET/image`, and takes the disk into the work folder.
    ///
    /// # Errors
    /// It has made nothing, or no disk with the partitions that belong there.
    pub fn find(folder: &Path, tools: &Tools) -> Result<Self, Wrong> {
        let out = folder.join("out");
        let manifest = manifest(&out)?;
        let file = |value: &Value| value.as_str().map(|name| out.join(name));
        let named = |what: &str, found: Option<PathBuf>| {
            found.ok_or_else(|| Wrong(format!("the manifest in {} names no {what}", out.display())))
        };
        let image = named("image", file(&manifest["image"]["file"]))?;
        let packed = named("compressed image", file(&manifest["compressed"]["file"]))?;
        let variables = named("variables", file(&manifest["virtual_board"]["variables"]))?;
        let release = manifest["release"].as_bool().unwrap_or(true);
        let disk = tools.work.join("factory.img");
        if fs::hard_link(&image, &disk).is_err() {
            // On another file system.
            fs::copy(&image, &disk)?;
        }
        let parts = partitions(&disk)?;
        for label in ["esp", "root-a", "root-a-verity", "root-b", "root-b-verity"] {
            if !parts.iter().any(|part| part.label == label) {
                return Err(Wrong(format!("{} has no partition {label}", image.display())));
            }
        }
        let key = out.join("image.pub");
        Ok(Self { disk, packed, key, variables, unsigned: folder.join("uki"), release, parts })
    }

    /// One of its partitions.
    ///
    /// # Errors
    /// There is none of this label.
    pub fn part(&self, label: &str) -> Result<&Part, Wrong> {
        let found = self.parts.iter().find(|part| part.label == label);
        found.ok_or_else(|| Wrong(format!("the image has no partition {label}")))
    }

    /// A disk that begins as this raw one is.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn over(&self, tools: &Tools, name: &str, raw: &Path) -> Result<Disk, Wrong> {
        let disk = overlay(tools, name, raw, "raw", None)?;
        fs::copy(&self.variables, &disk.variables)?;
        Ok(disk)
    }

    /// A disk as it leaves the factory, as large as the bench's.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn factory(&self, tools: &Tools, name: &str, mib: u32) -> Result<Disk, Wrong> {
        let disk = overlay(tools, name, &self.disk, "raw", Some(mib))?;
        fs::copy(&self.variables, &disk.variables)?;
        Ok(disk)
    }
}

impl Disk {
    /// A disk that begins as another is now. That one must not be written any more.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn fork(&self, tools: &Tools, name: &str) -> Result<Self, Wrong> {
        let disk = overlay(tools, name, &self.file, "qcow2", None)?;
        fs::copy(&self.variables, &disk.variables)?;
        Ok(disk)
    }

    /// Overwrites a piece of a partition.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn damage(&self, tools: &Tools, part: &Part, at: u64, length: u64) -> Result<(), Wrong> {
        let order = format!("write -P 0x5a {} {length}", part.at + at);
        tools.run_here(&["qemu-io", "-f", "qcow2", "-c", &order, &tools.inside(&self.file)?]).map(drop)
    }

    /// Takes a partition out as a file, has it changed, and puts it back.
    ///
    /// # Errors
    /// It cannot be read or written, or the change fails.
    pub fn change(
        &self,
        tools: &Tools,
        part: &Part,
        change: impl FnOnce(&str) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let whole = format!("{WORK}/part.img");
        let piece = format!(
            "driver=raw,offset={},size={},file.driver=qcow2,file.file.driver=file,file.file.filename={}",
            part.at,
            part.size,
            tools.inside(&self.file)?
        );
        tools.run_here(&["qemu-img", "convert", "--image-opts", &piece, "-O", "raw", &whole])?;
        change(&whole)?;
        let back = ["qemu-img", "convert", "-n", "-f", "raw", "--target-image-opts", &whole, &piece];
        tools.run_here(&back)?;
        Ok(fs::remove_file(tools.work.join("part.img"))?)
    }
}

fn overlay(tools: &Tools, name: &str, base: &Path, form: &str, mib: Option<u32>) -> Result<Disk, Wrong> {
    let file = tools.work.join(format!("{name}.qcow2"));
    let (inside, base) = (tools.inside(&file)?, tools.inside(base)?);
    let mut argv = vec!["qemu-img", "create", "-q", "-f", "qcow2", "-b", &base, "-F", form, &inside];
    let size = mib.map(|mib| format!("{mib}M"));
    argv.extend(size.as_deref());
    tools.run_here(&argv)?;
    Ok(Disk { file, variables: tools.work.join(format!("{name}-vars.fd")) })
}

/// The one manifest that scripts/image has written.
fn manifest(out: &Path) -> Result<Value, Wrong> {
    let missing = || Wrong(format!("failed to find an image in {}: scripts/image makes it", out.display()));
    let files = fs::read_dir(out).map_err(|_absent| missing())?;
    let texts = files.filter_map(|entry| {
        let path = entry.ok()?.path();
        path.extension().is_some_and(|end| end == "json").then(|| fs::read_to_string(path).ok())?
    });
    let manifests = texts.filter_map(|text| serde_json::from_str::<Value>(&text).ok());
    let manifests: Vec<Value> = manifests.filter(|value| value["product"] == "sekisho").collect();
    let [manifest] = manifests.as_slice() else { return Err(missing()) };
    Ok(manifest.clone())
}

/// The partitions of a GPT (UEFI 2.10, 5.3): the header lies in the second sector.
fn partitions(disk: &Path) -> Result<Vec<Part>, Wrong> {
    let wrong = || Wrong(format!("{} has no partition table", disk.display()));
    let mut file = fs::File::open(disk)?;
    let mut header = [0_u8; 92];
    file.seek(SeekFrom::Start(SECTOR))?;
    file.read_exact(&mut header)?;
    if !header.starts_with(b"EFI PART") {
        return Err(wrong());
    }
    let (at, count, size) = (number(&header, 72, 8), number(&header, 80, 4), number(&header, 84, 4));
    let size = usize::try_from(size).ok().filter(|size| (128..=4096).contains(size)).ok_or_else(wrong)?;
    file.seek(SeekFrom::Start(at * SECTOR))?;
    let mut parts = Vec::new();
    for _ in 0..count.min(128) {
        let mut entry = vec![0_u8; size];
        file.read_exact(&mut entry)?;
        let (first, last) = (number(&entry, 32, 8), number(&entry, 40, 8));
        if first > 0 && last >= first {
            let units = entry[56..128].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
            let label = String::from_utf16_lossy(&units);
            parts.push(Part { label, at: first * SECTOR, size: (last - first + 1) * SECTOR });
        }
    }
    Ok(parts)
}

/// A little-endian number.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    let bytes = bytes.get(at..at + length).unwrap_or_default();
    bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_partition_is_found_by_its_label() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut disk = vec![0_u8; 512 * 8];
        disk[512..520].copy_from_slice(b"EFI PART");
        disk[512 + 72] = 2;
        disk[512 + 80] = 2;
        disk[512 + 84] = 128;
        let entry = 1024 + 128;
        disk[entry + 32] = 4;
        disk[entry + 40] = 5;
        for (at, letter) in "esp".bytes().enumerate() {
            disk[entry + 56 + 2 * at] = letter;
        }
        file.write_all(&disk).unwrap();
        let parts = partitions(file.path()).unwrap();
        assert_eq!(parts, [Part { label: "esp".into(), at: 2048, size: 1024 }]);
        std::fs::write(file.path(), vec![0; 4096]).unwrap();
        assert!(partitions(file.path()).is_err());
    }
}
