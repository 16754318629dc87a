//! The initrd: as little as finds the disk, checks the root's hash tree and goes on to the root.

use crate::build::Build;
use crate::error::{Error, at};
use crate::modules::Modules;
use crate::tool::Tool;
use crate::{digest, list, place, promise};

/// dracut's parts: systemd, udev, the verity unit. No shell that asks, no network, no other storage.
const PARTS: &str = "systemd systemd-initrd systemd-veritysetup udev-rules dm base";
/// What dracut is made of; the base has all that it calls.
const DRACUT: [&str; 4] = ["usr/bin/dracut", "usr/lib/dracut", "usr/bin/cpio", "usr/bin/zstd"];

/// What dracut would take along: mounts by guessing, a shell by a word to the kernel.
const AWAY: [&str; 2] = [
    "usr/lib/systemd/system-generators/systemd-gpt-auto-generator",
    "usr/lib/systemd/system/debug-shell.service",
];

/// Makes `initrd.img`.
pub fn make(build: &mut Build, from: &[&str]) -> Result<String, Error> {
    let drivers = list::names(&build.place.data("initrd.list"))?;
    let words = drivers.join(" ");
    let release = build.wish.release.to_string();
    let ours = build.place.data("initrd");
    let mut parts = vec![PARTS, &words, &release];
    let files = digest::folder(&ours)?;
    parts.push(&files);
    parts.extend(from);
    let key = build.key(&parts);
    let made = build.place.made("initrd.img");
    build.step("initrd", key, std::slice::from_ref(&made), |build| {
        let (log, tree) = (build.log("initrd"), build.place.made("initrd-tree"));
        super::copy_tree(&build.place.made("base"), &tree, &log)?;
        for path in AWAY.iter().chain(build.wish.release.then_some(&promise::FOR_TESTS)) {
            place::clear(&tree.join(path))?;
        }
        let keep = Modules::read(&super::modules(&tree)?)?.named(&drivers).map_err(|names| Error::Data {
            path: "image/initrd.list".into(),
            reason: format!("this kernel has no {}", names.join(", no ")),
        })?;
        super::keep_modules(&tree, &keep, &log)?;
        for path in DRACUT {
            super::copy_tree(&build.place.tools().join(path), &tree.join(path), &log)?;
        }
        super::copy_tree(&ours, &tree.join("initrd"), &log)?;
        Tool::inside(&tree, "dracut", &log)
            .args([
                "--force",
                "--reproducible",
                "--no-hostonly",
                "--no-hostonly-cmdline",
                "--no-early-microcode",
            ])
            .args(["--zstd", "--kver", &super::kernel(&tree)?])
            .args(["--modules", PARTS, "--drivers", &words])
            .args(["--include", "/initrd", "/"])
            .arg("/initrd.img")
            .env("SOURCE_DATE_EPOCH", super::base::EPOCH.to_string())
            .run("make the initrd")?;
        std::fs::rename(tree.join("initrd.img"), &made).map_err(at("make", &made))?;
        place::clear(&tree)
    })
}
