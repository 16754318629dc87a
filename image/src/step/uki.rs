//! A UKI for each slot: kernel, initrd and the command line that names the slot's own root by its hash. Signed once and
//! kept, because a signature bears its time; the unsigned ones are what two builds compare.

use std::path::Path;

use crate::build::Build;
use crate::error::{Error, at};
use crate::room::Room;
use crate::step::keys::Keys;

/// The slots, in the order they are preferred while both hold the same version.
pub const SLOTS: [&str; 2] = ["a", "b"];

/// Said to every kernel. The console is also the board's; the last one named is where the kernel's own words go.
const ALWAYS: &str = "root=/dev/mapper/root rootfstype=erofs ro systemd.verity_root_options=panic-on-corruption \
    panic=10 oops=panic lockdown=integrity systemd.machine_id=firmware systemd.gpt_auto=no \
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
            let unsigned = folder.join(format!("sekisho-{slot}.unsigned.efi"));
            unsigned_uki(build, room, slot, hash.trim(), &unsigned, &log)?;
            sign(room, keys, &unsigned, &folder.join(format!("sekisho-{slot}.efi")), &log)?;
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
    slot: &str,
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
    for (from, to) in [
        (base.join(format!("boot/vmlinuz-{kernel}")), &linux),
        (base.join("usr/lib/systemd/boot/efi/linuxx64.efi.stub"), &stub),
    ] {
        std::fs::copy(&from, to).map_err(at("copy", &from))?;
    }
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
fn command_line(slot: &str, hash: &str, release: bool) -> String {
    let closed = if release { " systemd.import_credentials=no" } else { "" };
    format!(
        "roothash={hash} systemd.verity_root_data=/dev/disk/by-partlabel/root-{slot} \
         systemd.verity_root_hash=/dev/disk/by-partlabel/root-{slot}-verity {ALWAYS}{closed}"
    )
}

/// The boot loader takes the newest version first. Of two the same, `^a` (newer than the version itself and older than
/// the next one, by the rules of UAPI.10) puts A before B, whose name would else be the later one.
fn os_release(version: &str, slot: &str) -> String {
    let order = if slot == SLOTS[0] { "^a" } else { "" };
    format!(
        "ID=sekisho\nNAME=Sekisho\nPRETTY_NAME=\"Sekisho {version} ({})\"\nIMAGE_ID=sekisho\n\
         VERSION_ID={version}{order}\nIMAGE_VERSION={version}{order}\n",
        slot.to_uppercase()
    )
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
        let line = command_line("b", "12ab", false);
        assert!(line.starts_with("roothash=12ab systemd.verity_root_data=/dev/disk/by-partlabel/root-b "));
        assert!(line.contains("/root-b-verity ") && !line.contains("root-a"));
        assert!(!line.contains("import_credentials"));
    }

    #[test]
    fn a_release_takes_no_credentials_from_the_firmware() {
        assert!(command_line("a", "0", true).ends_with(" systemd.import_credentials=no"));
    }

    #[test]
    fn of_two_slots_with_one_version_a_is_the_newer() {
        assert!(os_release("1.2", "a").contains("IMAGE_VERSION=1.2^a\n"));
        assert!(os_release("1.2", "b").contains("IMAGE_VERSION=1.2\n"));
    }
}
