//! The disk: partitions from `repart/`, made without a loop device or a mount.

use crate::build::Build;
use crate::error::{Error, at};
use crate::room::Room;
use crate::step::keys::Keys;
use crate::step::uki::SLOTS;
use crate::{digest, place};

/// Makes `disk.img`.
pub fn make(build: &mut Build, room: &Room, keys: &Keys, from: &[&str]) -> Result<String, Error> {
    let plan = build.place.data("repart");
    let loader = build.place.data("loader.conf");
    let mut parts = vec![keys.mark.clone(), digest::folder(&plan)?, digest::file(&loader)?];
    parts.extend(from.iter().map(|key| (*key).to_owned()));
    let key = build.key(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    let disk = build.place.made("disk.img");
    build.step("disk", key, std::slice::from_ref(&disk), |build| {
        let log = build.log("disk");
        place::clear(&disk)?;
        esp(build)?;
        definitions(build)?;
        let seed = digest::text(&format!("disk {}", build.version));
        room.tool("systemd-repart", &log)
            // Without the sector size the FAT would get sectors of 4096 bytes, and no firmware would find a boot file.
            .args(["--offline=yes", "--sector-size=512", "--empty=create", "--size=auto", "--dry-run=no"])
            .option("seed", super::seal::uuid(&seed))
            .option("definitions", build.place.made("repart"))
            .arg(&disk)
            .env("SOURCE_DATE_EPOCH", build.epoch.to_string())
            .run("put the disk together")
    })
}

/// What goes onto the EFI system partition: boot loader, its settings, a UKI for each slot with three tries.
fn esp(build: &Build) -> Result<(), Error> {
    let esp = build.place.made("esp");
    place::fresh(&esp)?;
    let mut files = vec![
        (build.place.made("uki/loader.efi"), "EFI/BOOT/BOOTX64.EFI".to_owned()),
        (build.place.data("loader.conf"), "loader/loader.conf".to_owned()),
    ];
    for slot in SLOTS {
        let name = format!("EFI/Linux/{}", slot.file(&build.version));
        files.push((build.place.made(&format!("uki/{}.efi", slot.name)), name));
    }
    for (from, name) in files {
        let to = esp.join(name);
        let folder = to.parent().unwrap_or(&esp);
        std::fs::create_dir_all(folder).map_err(at("make", folder))?;
        std::fs::copy(&from, &to).map_err(at("copy", &from))?;
    }
    Ok(())
}

/// The plan with the paths of this working copy.
fn definitions(build: &Build) -> Result<(), Error> {
    let to = build.place.made("repart");
    place::fresh(&to)?;
    let plan = build.place.data("repart");
    for path in digest::walk(&plan)? {
        let text = std::fs::read_to_string(plan.join(&path)).map_err(at("read", &plan.join(&path)))?;
        let text = text.replace("@made@", &build.place.work.display().to_string());
        std::fs::write(to.join(&path), text).map_err(at("write", &to.join(&path)))?;
    }
    Ok(())
}
