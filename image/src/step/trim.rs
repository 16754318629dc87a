//! The trimmed tree: the base without what a box never needs.

use std::path::Path;

use crate::build::Build;
use crate::error::{Error, at};
use crate::modules::Modules;
use crate::pattern::Patterns;
use crate::tool::Tool;
use crate::{digest, list, place, say};

/// Makes `trimmed/`.
pub fn make(build: &mut Build, base: &str) -> Result<String, Error> {
    let away = list::names(&build.place.data("prune.list"))?;
    let drivers = list::names(&build.place.data("modules.list"))?;
    let key = build.key(&[base, &away.join(" "), &drivers.join(" ")]);
    let tree = build.place.made("trimmed");
    build.step("trim", key, std::slice::from_ref(&tree), |build| {
        let log = build.log("trim");
        super::copy_tree(&build.place.made("base"), &tree, &log)?;
        prune(&tree, &Patterns::new(&away))?;
        modules(&tree, &Patterns::new(&drivers), &log)?;
        Tool::inside(&tree, "ldconfig", &log).run("list the libraries")
    })
}

fn prune(tree: &Path, away: &Patterns) -> Result<(), Error> {
    for path in digest::walk(tree)? {
        if away.cover(&path) {
            place::clear(&tree.join(path))?;
        }
    }
    for pattern in away.idle() {
        say::error(&format!("   prune.list: `{pattern}` matches nothing any more"));
    }
    Ok(())
}

/// Keeps the drivers wanted and what they need.
fn modules(tree: &Path, wanted: &Patterns, log: &Path) -> Result<(), Error> {
    let version = super::kernel(tree)?;
    let folder = tree.join("usr/lib/modules").join(&version);
    let read =
        |name: &str| std::fs::read_to_string(folder.join(name)).map_err(at("read", &folder.join(name)));
    let keep = Modules::parse(&read("modules.dep")?, &read("modules.softdep")?).needed(wanted);
    let idle = wanted.idle();
    if !idle.is_empty() {
        let reason = format!("this kernel has no {}", idle.join(", no "));
        return Err(Error::Data { path: "image/modules.list".into(), reason });
    }
    for path in digest::walk(&folder)? {
        let module = path.starts_with("kernel") && folder.join(&path).is_file();
        if module && !keep.contains(&path) {
            place::clear(&folder.join(path))?;
        }
    }
    Tool::inside(tree, "depmod", log).arg(version).run("list the modules")
}
