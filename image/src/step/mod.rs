//! The steps of a build, each in a file of its own.

pub mod base;
pub mod board;
pub mod disk;
pub mod initrd;
pub mod keys;
pub mod pack;
pub mod root;
pub mod seal;
pub mod tools;
pub mod trim;
pub mod uki;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::digest;
use crate::error::Error;
use crate::place::Place;
use crate::tool::Tool;

/// The time of the last commit; a fixed one where there is no git.
pub fn epoch(place: &Place) -> Result<u64, Error> {
    const WITHOUT_GIT: u64 = 1_780_000_000;
    if !place.repo.join(".git").exists() {
        return Ok(WITHOUT_GIT);
    }
    let said = Tool::host("git", &place.made("git.log"))
        // Root builds in the caller's repository.
        .args(["-c", "safe.directory=*", "log", "-1", "--format=%ct"])
        .read("ask git for the time of the last commit")?;
    said.trim()
        .parse()
        .map_err(|_| Error::Usage(format!("read the time of the last commit: git said `{}`", said.trim())))
}

/// A tree again, with owners, modes and links; where the file system can, without copying what is in the files.
fn copy_tree(from: &Path, to: &Path, log: &Path) -> Result<(), Error> {
    crate::place::clear(to)?;
    Tool::host("cp", log)
        .args(["-a", "--reflink=auto", "--no-target-directory"])
        .args([from, to])
        .run(&format!("copy {}", from.display()))
}

/// The folder of a tree's one kernel.
fn modules(tree: &Path) -> Result<PathBuf, Error> {
    Ok(tree.join("usr/lib/modules").join(kernel(tree)?))
}

/// Removes all other kernel modules.
fn keep_modules(tree: &Path, keep: &BTreeSet<PathBuf>, log: &Path) -> Result<(), Error> {
    let folder = modules(tree)?;
    for path in digest::walk(&folder)? {
        let module = path.starts_with("kernel") && folder.join(&path).is_file();
        if module && !keep.contains(&path) {
            crate::place::clear(&folder.join(path))?;
        }
    }
    Tool::inside(tree, "depmod", log).arg(kernel(tree)?).run("list the modules")
}

/// The one kernel a tree has.
pub fn kernel(tree: &Path) -> Result<String, Error> {
    let modules = tree.join("usr/lib/modules");
    let names: Vec<String> = std::fs::read_dir(&modules)
        .map_err(crate::error::at("read", &modules))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    match &names[..] {
        [one] => Ok(one.clone()),
        _ => Err(Error::Data { path: modules, reason: format!("it holds {} kernels, not one", names.len()) }),
    }
}
