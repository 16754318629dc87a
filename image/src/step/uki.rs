//! A UKI for each slot: kernel, initrd and the command line that names the slot's own root by its hash. Signed once and
//! kept, because a signature bears its time; the unsigned ones are what two builds compare.

use std::path::Path;

use crate::build::Build;
use crate::error::{Error, at};
use crate::room::Room;
use crate::step::keys::Keys;

/// The slots. Of two UKIs with one version the boot loader takes the one with the later name, so what stands for the
/// slot in a name counts down: A before B.
pub const SLOTS: [Slot; 2] = [Slot { name: "a", order: "2a" }, Slot { name: "b", order: "1b" }];

/// One of the two places a version can be in.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// As the partitions have it.
    pub name: &'static str,
    order: &'static str,
}

impl Slot {
    /// The name of its UKI on the EFI partition, with three tries to boot well.
    pub fn file(self, version: &str) -> String {
        format!("sekisho_{version}-{}+3.efi", self.order)
    }
}

/// A word by which the firmware could add to the command line even under Secure Boot (systemd-stub reads it from
/// SMBIOS). In a release the stub does not know it any more.
const MORE_WORDS: &[u8] = b"io.systemd.stub.kernel-cmdline-extra";

/// Said to every kernel. `gpt`: the first boot writes the partition table, and where the power goes between its two
/// copies the kernel takes the second one only if told to. `nowayout`: a PID 1 that crashes closes its watchdog, and that
/// must not stop it; the four are the drivers of x86-64 boxes (Intel, AMD, ACPI, and the virtual board's). The console is also the board's; the last one named is where the kernel's own words go.
const ALWAYS: &str = "root=/dev/mapper/root rootfstype=erofs ro systemd.verity_root_options=panic-on-corruption \
    gpt panic=10 oops=panic i6300esb.nowayout=1 iTCO_wdt.nowayout=1 sp5100_tco.nowayout=1 wdat_wdt.nowayout=1 \
    lockdown=integrity systemd.machine_id=firmware systemd.gpt_auto=no \
    console=tty0 console=ttyS0,115200n8";

/// Makes `uki/`: unsigned, signed, and the signed boot loader.
pub fn make(build: &mut Build, room: &Room, keys: &Keys, from: &[&str]) -> Result<String, Error> {
    let release = build.wish.release.to_string();
    let mut parts = vec![ALWAYS, &release, &keys.mark];
    parts.extend(from);
    let key = build.key(&parts);
    let folder = build.place.made("uki");
    build.step("uki", key, std::slice::from_ref(&folder), |build| {
        let log = build.log("uki");
        crate::place::fresh(&folder)?;
        let hash = build.place.made("root.hash");
        let hash = std::fs::read_to_string(&hash).map_err(at("read", &hash))?;
        for slot in SLOTS {
            let unsigned = folder.join(format!("{}.unsigned.efi", slot.name));
            unsigned_uki(build, room, slot, hash.trim(), &unsigned, &log)?;
            sign(room, keys, &unsigned, &folder.join(format!("{}.efi", slot.name)), &log)?;
        }
        let loader = build.place.made("base/usr/lib/systemd/boot/efi/systemd-bootx64.efi");
        let copy = folder.join("loader.unsigned.efi");
        std::fs::copy(&loader, &copy).map_err(at("copy", &loader))?;
        sign(room, keys, &copy, &folder.join("loader.efi"), &log)
    })
}

fn unsigned_uki(
    build: &Build,
    room: &Room,
    slot: Slot,
    hash: &str,
    to: &Path,
    log: &Path,
) -> Result<(), Error> {
    let base = build.place.made("base");
    let kernel = super::kernel(&base)?;
    let inputs = build.place.made("uki/inputs");
    crate::place::fresh(&inputs)?;
    // The tools see only what lies in the work folder.
    let (linux, stub) = (inputs.join("linux"), inputs.join("stub"));
    let image = base.join(format!("boot/vmlinuz-{kernel}"));
    std::fs::copy(&image, &linux).map_err(at("copy", &image))?;
    let shipped = base.join("usr/lib/systemd/boot/efi/linuxx64.efi.stub");
    let mut bytes = std::fs::read(&shipped).map_err(at("read", &shipped))?;
    if build.wish.release {
        bytes = deafened(&bytes).map_err(|reason| Error::Data { path: shipped, reason })?;
    }
    std::fs::write(&stub, bytes).map_err(at("write", &stub))?;
    room.tool("ukify", log)
        .arg("build")
        .option("linux", &linux)
        .option("initrd", build.place.made("initrd.img"))
        .option("stub", &stub)
        .option("uname", &kernel)
        .option("os-release", os_release(&build.version, slot))
        .option("cmdline", command_line(slot, hash, build.wish.release))
        .option("output", to)
        .run("put the UKI together")?;
    crate::place::clear(&inputs)
}

/// Every box takes what its firmware tells it (a test's unit, a password) unless it is told not to.
fn command_line(slot: Slot, hash: &str, release: bool) -> String {
    let closed = if release { " systemd.import_credentials=no" } else { "" };
    let slot = slot.name;
    format!(
        "roothash={hash} systemd.verity_root_data=/dev/disk/by-partlabel/root-{slot} \
         systemd.verity_root_hash=/dev/disk/by-partlabel/root-{slot}-verity {ALWAYS}{closed}"
    )
}

/// What the boot loader reads: name and version, which decides the order.
fn os_release(version: &str, slot: Slot) -> String {
    format!(
        "ID=sekisho
NAME=Sekisho
PRETTY_NAME=\"Sekisho {version} ({})\"
IMAGE_ID=sekisho
\
         VERSION_ID={version}
IMAGE_VERSION={version}
",
        slot.name.to_uppercase()
    )
}

/// The stub without the word. Anything but one hit means that we no longer understand it.
fn deafened(stub: &[u8]) -> Result<Vec<u8>, String> {
    let hits: Vec<usize> = stub
        .windows(MORE_WORDS.len())
        .enumerate()
        .filter(|(_, part)| *part == MORE_WORDS)
        .map(|(at, _)| at)
        .collect();
    let [at] = hits[..] else {
        return Err(format!("it has the word it must forget {} times, not once", hits.len()));
    };
    let mut deaf = stub.to_vec();
    deaf[at..at + MORE_WORDS.len()].fill(b'-');
    Ok(deaf)
}

fn sign(room: &Room, keys: &Keys, from: &Path, to: &Path, log: &Path) -> Result<(), Error> {
    room.tool("sbsign", log)
        .args([Path::new("--key"), &keys.file("db.key"), Path::new("--cert"), &keys.file("db.crt")])
        .args([Path::new("--output"), to, from])
        .run(&format!("sign {}", from.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_names_its_own_partitions() {
        let line = command_line(SLOTS[1], "12ab", false);
        assert!(line.starts_with("roothash=12ab systemd.verity_root_data=/dev/disk/by-partlabel/root-b "));
        assert!(line.contains("/root-b-verity ") && !line.contains("root-a"));
        assert!(!line.contains("import_credentials"));
    }

    #[test]
    fn a_release_takes_no_credentials_from_the_firmware() {
        assert!(command_line(SLOTS[0], "0", true).ends_with(" systemd.import_credentials=no"));
    }

    #[test]
    fn of_two_slots_with_one_version_a_has_the_later_name() {
        let [a, b] = SLOTS.map(|slot| slot.file("1.2"));
        assert_eq!((a.as_str(), b.as_str()), ("sekisho_1.2-2a+3.efi", "sekisho_1.2-1b+3.efi"));
        assert!(a > b);
    }

    #[test]
    fn the_stub_of_a_release_forgets_one_word_and_keeps_its_length() {
        let stub = [b"abc".as_slice(), MORE_WORDS, b"\0xyz"].concat();
        let deaf = deafened(&stub).unwrap();
        assert_eq!(deaf.len(), stub.len());
        assert!(deaf.starts_with(b"abc---") && deaf.ends_with(b"---\0xyz"));
        assert!(deafened(&deaf).unwrap_err().contains("0 times"));
        assert!(deafened(&[stub.as_slice(), &stub].concat()).unwrap_err().contains("2 times"));
    }
}
