//! The base: the Debian packages of the box, unpacked and configured, nothing else touched. The kernel, the boot loader
//! and the list of packages are taken from it.

use crate::archive::{Archive, Tree};
use crate::build::Build;
use crate::error::Error;
use crate::{digest, list, place};

/// The time that what packages' scripts make bears. Fixed: the packages and not the day decide what is in the base.
pub const EPOCH: u64 = 1_780_000_000;

/// Words for people who sit before a Debian system.
pub const WITHOUT: [&str; 4] = ["/usr/share/doc", "/usr/share/man", "/usr/share/locale", "/usr/share/info"];

/// Makes the base tree; kept until its list changes or fresh packages are asked for.
pub fn make(build: &mut Build) -> Result<String, Error> {
    let packages = list::names(&build.place.data("packages.list"))?;
    let key = digest::text(&format!("2 {}", packages.join(" ")));
    let root = build.place.made("base");
    if build.wish.fresh {
        place::clear(&build.place.made("kept/base"))?;
    }
    build.step("base", key, &[root.join("usr/bin")], |build| {
        let log = build.log("base");
        let tree = Tree { list: "image/packages.list", packages: &packages, without: &WITHOUT, epoch: EPOCH };
        Archive::of_this_machine(&log)?.unpack(&tree, &root, &log)
    })
}
