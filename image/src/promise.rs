//! What the finished root promises, looked at before it is sealed: a slip in a list must not become an image.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::digest;
use crate::error::{Error, at};

/// Files that would be a secret shared by every box, or a way in.
const NEVER: [&str; 6] = [
    "usr/sbin/sshd",
    "usr/bin/login",
    "usr/sbin/agetty",
    "usr/sbin/sulogin",
    "usr/bin/su",
    "usr/lib/systemd/system-generators/systemd-getty-generator",
];
/// What a test's unit comes in by: a credential of the firmware, which a release does not take either.
pub const FOR_TESTS: &str = "usr/lib/systemd/system-generators/systemd-debug-generator";
/// Folders that are filled on the box, not here.
const EMPTY: [&str; 4] = ["var", "run", "dev", "tmp"];

/// Looks at every promise; all that are broken are told at once.
pub fn keep(tree: &Path, release: bool) -> Result<(), Error> {
    let paths = digest::walk(tree)?;
    let mut broken = ways_in(tree, &paths)?;
    if release && tree.join(FOR_TESTS).exists() {
        broken.push(format!("/{FOR_TESTS} is in a release"));
    }
    broken.extend(missing_libraries(tree, &paths)?);
    if broken.is_empty() {
        return Ok(());
    }
    Err(Error::Promise(broken.join("; ")))
}

fn ways_in(tree: &Path, paths: &[PathBuf]) -> Result<Vec<String>, Error> {
    let mut broken: Vec<String> = NEVER
        .iter()
        .filter(|path| tree.join(path).exists())
        .map(|path| format!("/{path} is in it"))
        .collect();
    for folder in EMPTY {
        if let Some(path) = paths.iter().find(|path| path.starts_with(folder) && *path != Path::new(folder)) {
            broken.push(format!("/{folder} is not empty, it has {}", path.display()));
        }
    }
    let machine = tree.join("etc/machine-id");
    if std::fs::read(&machine).map_err(at("read", &machine))? != b"" {
        broken.push("/etc/machine-id is not empty, so all boxes would be the same one".to_owned());
    }
    for path in paths {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.starts_with("ssh_host_") || (file.ends_with(".key") && path.starts_with("etc")) {
            broken.push(format!("/{} would be a secret every box shares", path.display()));
        }
    }
    Ok(broken)
}

/// A library somebody needs and nobody has: pruning went too far.
fn missing_libraries(tree: &Path, paths: &[PathBuf]) -> Result<Vec<String>, Error> {
    let mut have: BTreeSet<String> = BTreeSet::new();
    let mut need: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in paths {
        let full = tree.join(path);
        if path.starts_with("usr/lib/modules") || full.is_dir() {
            continue;
        }
        have.insert(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        if full.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            let bytes = std::fs::read(&full).map_err(at("read", &full))?;
            for name in crate::elf::needed(&bytes) {
                need.entry(name).or_insert_with(|| path.clone());
            }
        }
    }
    let lost = need.iter().filter(|(name, _)| !have.contains(*name));
    Ok(lost.map(|(name, by)| format!("/{} needs {name}, which is not in it", by.display())).collect())
}
