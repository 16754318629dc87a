//! The tools: a Debian tree of its own, so that this machine needs almost nothing and every machine has the same.

use crate::archive::{Archive, Tree};
use crate::build::Build;
use crate::error::Error;
use crate::{digest, list, place};

/// Makes the tools tree; kept until its list changes or fresh packages are asked for.
pub fn make(build: &mut Build) -> Result<String, Error> {
    let packages = list::names(&build.place.data("tools.list"))?;
    let key = digest::text(&format!("2 {}", packages.join(" ")));
    let root = build.place.tools();
    if build.wish.fresh {
        place::clear(&build.place.made("kept/tools"))?;
    }
    build.step("tools", key, &[root.join("usr/bin")], |build| {
        let log = build.log("tools");
        let tree = Tree {
            list: "image/tools.list",
            packages: &packages,
            without: &super::base::WITHOUT,
            epoch: super::base::EPOCH,
        };
        Archive::of_this_machine(&log)?.unpack(&tree, &root, &log)
    })
}
