//! The root: the trimmed tree, our files over it, our binary, the accounts without a way in, the units that start.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::build::Build;
use crate::error::{Error, at};
use crate::tool::Tool;
use crate::{accounts, digest, promise};

/// Makes `root/`.
pub fn make(build: &mut Build, trimmed: &str) -> Result<String, Error> {
    let ours = build.place.data("system");
    let sekisho = build.wish.sekisho.clone().unwrap_or_else(|| build.place.target.join("release/sekisho"));
    if !sekisho.is_file() {
        let remedy = "`cargo build --release -p sekisho` makes it".to_owned();
        return Err(Error::Missing { program: sekisho.display().to_string(), remedy });
    }
    let release = release(&build.version);
    let key = build.key(&[
        trimmed,
        &digest::folder(&ours)?,
        &digest::file(&sekisho)?,
        &release,
        &build.wish.release.to_string(),
    ]);
    let tree = build.place.made("root");
    build.step("root", key, std::slice::from_ref(&tree), |build| {
        let log = build.log("root");
        super::copy_tree(&build.place.made("trimmed"), &tree, &log)?;
        for folder in ["var", "dev", "run", "tmp", "efi"] {
            crate::place::fresh(&tree.join(folder))?;
        }
        lay_over(&ours, &tree)?;
        if build.wish.release {
            crate::place::clear(&tree.join(promise::FOR_TESTS))?;
        }
        // Its time is the earliest this box believes; a box whose clock lost its battery starts from there.
        write(&tree.join("usr/lib/clock-epoch"), "")?;
        write(&tree.join("usr/lib/os-release"), &release)?;
        let binary = tree.join("usr/bin/sekisho");
        std::fs::copy(&sekisho, &binary).map_err(at("copy", &sekisho))?;
        set_mode(&binary, 0o755)?;
        set_mode(&tree.join("tmp"), 0o1777)?;
        Tool::inside(&tree, "systemd-sysusers", &log).run("make the users")?;
        accounts::close(&tree)?;
        Tool::inside(&tree, "systemctl", &log)
            .args(["preset-all", "--preset-mode=full"])
            .run("choose the units")?;
        promise::keep(&tree, build.wish.release)
    })
}

/// os-release: what this is. The boot loader sorts by it, so each slot's UKI has its own variant (see `uki`).
fn release(version: &str) -> String {
    format!(
        "ID=sekisho\nID_LIKE=debian\nNAME=Sekisho\nPRETTY_NAME=\"Sekisho {version}\"\n\
         VERSION_ID={version}\nIMAGE_ID=sekisho\nIMAGE_VERSION={version}\n"
    )
}

/// Our files, with root's owner and plain modes, whatever the working copy's are.
fn lay_over(ours: &Path, tree: &Path) -> Result<(), Error> {
    for path in digest::walk(ours)? {
        let (from, to) = (ours.join(&path), tree.join(&path));
        let meta = from.symlink_metadata().map_err(at("read", &from))?;
        if meta.is_dir() {
            if !to.is_dir() {
                std::fs::create_dir(&to).map_err(at("make", &to))?;
                set_mode(&to, 0o755)?;
            }
            continue;
        }
        crate::place::clear(&to)?;
        if meta.is_symlink() {
            let aim: PathBuf = std::fs::read_link(&from).map_err(at("read", &from))?;
            symlink(aim, &to).map_err(at("make", &to))?;
        } else {
            std::fs::copy(&from, &to).map_err(at("copy", &from))?;
            let runs = meta.permissions().mode() & 0o100 != 0;
            set_mode(&to, if runs { 0o755 } else { 0o644 })?;
        }
    }
    Ok(())
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(at("set the mode of", path))
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(at("write", path))
}
