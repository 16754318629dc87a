//! The initrd: as little as finds the disk, checks the root's hash tree and goes on to the root.

use crate::build::Build;
use crate::error::{Error, at};
use crate::tool::Tool;
use crate::{digest, list, place};

/// dracut's parts: systemd, udev, the verity unit. No shell that asks, no network, no other storage.
const PARTS: &str = "systemd systemd-initrd systemd-veritysetup udev-rules dm base";
/// What dracut is made of; the base has all that it calls.
const DRACUT: [&str; 4] = ["usr/bin/dracut", "usr/lib/dracut", "usr/bin/cpio", "usr/bin/zstd"];

/// Makes `initrd.img`.
pub fn make(build: &mut Build, from: &[&str]) -> Result<String, Error> {
    let drivers = list::names(&build.place.data("initrd.list"))?.join(" ");
    let ours = build.place.data("initrd");
    let mut parts = vec![PARTS, &drivers];
    let files = digest::folder(&ours)?;
    parts.push(&files);
    parts.extend(from);
    let key = build.key(&parts);
    let made = build.place.made("initrd.img");
    build.step("initrd", key, std::slice::from_ref(&made), |build| {
        let (log, tree) = (build.log("initrd"), build.place.made("initrd-tree"));
        super::copy_tree(&build.place.made("base"), &tree, &log)?;
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
            .args(["--modules", PARTS, "--drivers", &drivers])
            .args(["--include", "/initrd", "/"])
            .arg("/initrd.img")
            .env("SOURCE_DATE_EPOCH", super::base::EPOCH.to_string())
            .run("make the initrd")?;
        std::fs::rename(tree.join("initrd.img"), &made).map_err(at("make", &made))?;
        place::clear(&tree)
    })
}
