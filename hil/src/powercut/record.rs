//! Records a machine: its disk is made, it runs the load to its end, and QEMU writes down every write of it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use clinic::check::Wrong;

use super::cut::Part;
use super::guest::{DIES, DONE, MODULES, ROUNDS, TERMINAL, WORD};
use super::log::Log;
use super::place::{Place, Terminal};
use crate::initrd::{self, Contents};
use crate::tools::Tools;

/// What the machine needs to read an ext4 on its disk.
const DRIVERS: [&str; 2] = ["virtio_blk", "ext4"];
const MIB: u64 = 1024 * 1024;
/// Where on the disk the box's file system lies, the terminal's, and the one of those outside.
pub const PARTS: [Part; 3] = [MIB..41 * MIB, 41 * MIB..73 * MIB, 73 * MIB..105 * MIB];
/// How long a machine may run, seconds.
const PATIENCE_S: u32 = 600;

/// What is recorded.
#[derive(Clone, Debug)]
pub struct Load {
    /// The program the machine runs.
    pub program: PathBuf,
    /// How many requests.
    pub rounds: u32,
    /// How the terminal stands to the box.
    pub terminal: Terminal,
    /// The defects the relay has.
    pub sabotage: Option<String>,
    /// Whether it dies by itself, instead of being killed.
    pub dies: bool,
}

/// What was recorded.
#[derive(Debug)]
pub struct Recording {
    /// Every write.
    pub log: Log,
    /// The disk before the first of them.
    pub disk: PathBuf,
    /// How its terminal stood to the box.
    pub terminal: Terminal,
    /// What the machine said at its end.
    pub said: String,
}

/// Records a machine with the kernel of the image's base.
///
/// # Errors
/// It does not run to its end.
pub fn record(tools: &Tools, base: &Path, load: &Load) -> Result<Recording, Wrong> {
    let kernel = image::step::kernel(base).map_err(|error| Wrong(format!("failed to {error}")))?;
    let [disk, first, log, image, initrd, console] =
        ["disk", "first", "writes", "vmlinuz", "initrd", "console"].map(|name| tools.work.join(name));
    make_disk(&first, &tools.work)?;
    fs::copy(&first, &disk)?;
    File::create(&log)?;
    fs::copy(base.join("boot").join(format!("vmlinuz-{kernel}")), &image)?;
    let contents = Contents {
        root: Path::new("/"),
        programs: &[(load.program.clone(), "init".to_owned())],
        texts: &[],
        folders: &[],
        drivers: &DRIVERS,
        modules: MODULES,
    };
    initrd::write(&initrd, &contents, &base.join("usr/lib/modules").join(&kernel))?;
    let argv = arguments(tools, [&image, &initrd, &disk, &log, &console], load)?;
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    tools.run_here(&words)?;
    let console = fs::read_to_string(&console)?;
    let said = word(&console)
        .ok_or_else(|| Wrong(format!("the machine ends without a word: {}", tail(&console))))?;
    // With a defect the load may well come to no end; what was written until then is good for cuts.
    if load.sabotage.is_none() && !said.starts_with(DONE) {
        return Err(Wrong(said.to_owned()));
    }
    Ok(Recording { log: Log::read(&log)?, disk: first, terminal: load.terminal, said: said.to_owned() })
}

/// What the machine itself said at its end; a program of it may have been heard later.
fn word(console: &str) -> Option<&str> {
    console.lines().rfind(|line| line.starts_with(WORD)).map(str::trim_end)
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(3)..].join(" | ")
}

/// A disk with the partitions, all of them formatted; but for the box's they have their folders.
///
/// # Errors
/// A program of this machine's fails.
pub fn make_disk(disk: &Path, work: &Path) -> Result<(), Wrong> {
    let file = File::create(disk)?;
    file.set_len(PARTS[2].end)?;
    file.write_all_at(&table(&PARTS), 0)?;
    let tree = work.join("tree");
    let place = Place::below(&tree);
    fs::create_dir_all(&place.state)?;
    place.furnish()?;
    for (part, folder) in PARTS.into_iter().zip([place.state, place.terminal, place.outside]) {
        let (offset, kib) = (format!("offset={}", part.start), (part.end - part.start) / 1024);
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-b", "4096", "-J", "size=4", "-E", &offset, "-d"])
            .args([&folder, disk])
            .arg(format!("{kib}k")))?;
    }
    Ok(fs::remove_dir_all(tree)?)
}

/// Runs a program of this machine's.
///
/// # Errors
/// It is not there, or fails.
pub fn run(command: &mut Command) -> Result<(), Wrong> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Wrong(format!("failed to start {name}: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or("no word");
    if output.status.success() { Ok(()) } else { Err(Wrong(format!("{name}: {last}"))) }
}

/// The first sector of a disk with these partitions, as PCs always had it.
fn table(parts: &[Part]) -> [u8; 512] {
    const SECTOR: u64 = 512;
    let mut sector = [0; 512];
    for (nth, part) in parts.iter().enumerate() {
        let mut entry = [0; 16];
        entry[4] = 0x83;
        for (at, value) in [(8, part.start / SECTOR), (12, (part.end - part.start) / SECTOR)] {
            let value = u32::try_from(value).unwrap_or(u32::MAX);
            entry[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        sector[446 + nth * 16..462 + nth * 16].copy_from_slice(&entry);
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

fn arguments(tools: &Tools, files: [&Path; 5], load: &Load) -> Result<Vec<String>, Wrong> {
    let [image, initrd, disk, log, console] = files.map(|file| tools.inside(file));
    let (image, initrd, disk, log, console) = (image?, initrd?, disk?, log?, console?);
    let mut words =
        format!("console=ttyS0 quiet panic=-1 {ROUNDS}={} {TERMINAL}={}", load.rounds, load.terminal.word());
    if let Some(defects) = &load.sabotage {
        words.push_str(&format!(" SEKISHO_SABOTAGE={defects}"));
    }
    if load.dies {
        words.push_str(&format!(" {DIES}=yes"));
    }
    let mut list: Vec<String> = format!(
        "timeout {PATIENCE_S} qemu-system-x86_64 -nodefaults -no-user-config -display none -vga none -no-reboot \
         -machine pc -accel tcg,thread=multi -cpu max -smp 2 -m 768 \
         -kernel {image} -initrd {initrd} -serial file:{console} \
         -blockdev driver=file,filename={disk},node-name=disk,cache.no-flush=on \
         -blockdev driver=file,filename={log},node-name=log,cache.no-flush=on \
         -blockdev driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=512 \
         -device virtio-blk-pci,drive=logged"
    )
    .split_whitespace()
    .map(str::to_owned)
    .collect();
    list.extend(["-append".into(), words]);
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_while_the_machine_ends_is_not_the_machines_word() {
        let console = "powercut: Broken pipe (os error 32)\r\nmachine: done, killed 9 times\r\n\
                       powercut: Broken pipe (os error 32)\r\n[ 12.3] Kernel panic\r\n";
        assert_eq!(word(console), Some("machine: done, killed 9 times"));
        assert_eq!(word("powercut: Broken pipe (os error 32)\n"), None);
    }

    #[test]
    fn the_table_says_where_the_parts_are() {
        let table = table(&PARTS);
        assert_eq!(table[446 + 4], 0x83);
        assert_eq!(u32::from_le_bytes(table[462 + 8..462 + 12].try_into().unwrap()), 41 * 2048);
        assert_eq!(u32::from_le_bytes(table[462 + 12..462 + 16].try_into().unwrap()), 32 * 2048);
        assert_eq!(&table[510..], &[0x55, 0xaa]);
    }
}
