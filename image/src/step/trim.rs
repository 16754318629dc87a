//! The trimmed tree: the base without what a box never needs.

use std::path::Path;

use crate::build::Build;
use crate::error::Error;
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
    let folder = super::modules(tree)?;
    let keep = Modules::read(&folder)?.needed(wanted);
    let idle = wanted.idle();
    if !idle.is_empty() {
        let reason = format!("this kernel has no {}", idle.join(", no "));
        return Err(Error::Data { path: "image/modules.list".into(), reason });
    }
    super::keep_modules(tree, &keep, log)
}
