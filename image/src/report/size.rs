//! The size report: what is large, before it is packed, by package and by file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::build::Build;
use crate::digest;
use crate::error::{Error, at};

const SHOWN: usize = 20;

/// The report.
pub fn text(build: &Build) -> Result<String, Error> {
    let out = |end: &str| build.place.out().join(format!("sekisho-{}{end}", build.version));
    let (base, root) = (build.place.made("base"), build.place.made("root"));
    let kernel = base.join(format!("boot/vmlinuz-{}", crate::step::kernel(&base)?));
    let wholes = [
        ("image, compressed (what is downloaded)", out(".img.zst")),
        ("image (what is written to a disk)", out(".img")),
        ("root, packed", build.place.made("root.erofs")),
        ("its hash tree", build.place.made("root.verity")),
        ("UKI of a slot", build.place.made("uki/a.efi")),
        ("  kernel in it", kernel),
        ("  initrd in it", build.place.made("initrd.img")),
        ("our binary", root.join("usr/bin/sekisho")),
    ];
    let mut text = format!("Sizes of Sekisho {}\n\n", build.version);
    for (name, path) in wholes {
        let size = std::fs::metadata(&path).map_err(at("read", &path))?.len();
        let _ = writeln!(text, "{:>9.2} MiB  {name}", mib(size));
    }
    let files = sizes(&root)?;
    let _ = writeln!(
        text,
        "\nThe root before it is packed: {:.1} MiB in {} files.",
        mib(files.values().sum()),
        files.len()
    );
    section(&mut text, "By package, what is left of it", by_owner(&files, &owners(&base)?));
    section(
        &mut text,
        "By file",
        files.into_iter().map(|(path, size)| (format!("/{}", path.display()), size)).collect(),
    );
    Ok(text)
}

fn mib(size: u64) -> f64 {
    size as f64 / f64::from(1 << 20)
}

fn section(text: &mut String, title: &str, mut sizes: Vec<(String, u64)>) {
    sizes.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let _ = writeln!(text, "\n{title}, the {SHOWN} largest:\n");
    for (name, size) in sizes.iter().take(SHOWN) {
        let _ = writeln!(text, "{:>9.2} MiB  {name}", mib(*size));
    }
}

/// Regular files and their sizes; of a file with several names, the first.
fn sizes(root: &Path) -> Result<BTreeMap<PathBuf, u64>, Error> {
    let (mut sizes, mut seen) = (BTreeMap::new(), std::collections::BTreeSet::new());
    for path in digest::walk(root)? {
        let full = root.join(&path);
        let meta = full.symlink_metadata().map_err(at("read", &full))?;
        if meta.is_file() && seen.insert(meta.ino()) {
            sizes.insert(path, meta.len());
        }
    }
    Ok(sizes)
}

fn by_owner(files: &BTreeMap<PathBuf, u64>, owners: &BTreeMap<PathBuf, String>) -> Vec<(String, u64)> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (path, size) in files {
        let owner = owners.get(path).map_or("ours, or made with the image", String::as_str);
        *sums.entry(owner.to_owned()).or_default() += size;
    }
    sums.into_iter().collect()
}

/// Which package brought a file, by dpkg's lists.
fn owners(base: &Path) -> Result<BTreeMap<PathBuf, String>, Error> {
    let folder = base.join("var/lib/dpkg/info");
    let mut owners = BTreeMap::new();
    for path in digest::walk(&folder)? {
        let name = path.to_string_lossy().into_owned();
        let Some(package) = name.strip_suffix(".list") else { continue };
        let full = folder.join(&path);
        let package = package.split(':').next().unwrap_or_default();
        for file in std::fs::read_to_string(&full).map_err(at("read", &full))?.lines() {
            owners.insert(merged(file), package.to_owned());
        }
    }
    Ok(owners)
}

/// Some packages still say `/lib`, which is `/usr/lib`.
fn merged(file: &str) -> PathBuf {
    let file = file.trim_start_matches('/');
    let old = ["bin/", "sbin/", "lib/", "lib64/"].iter().any(|folder| file.starts_with(folder));
    if old { Path::new("usr").join(file) } else { file.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_belongs_to_its_package_wherever_the_package_thinks_it_is() {
        assert_eq!(merged("/lib/udev/x"), PathBuf::from("usr/lib/udev/x"));
        let files =
            BTreeMap::from([(PathBuf::from("usr/lib/udev/x"), 3), (PathBuf::from("usr/bin/sekisho"), 4)]);
        let owners = BTreeMap::from([(merged("/lib/udev/x"), "udev".to_owned())]);
        assert_eq!(
            by_owner(&files, &owners),
            [("ours, or made with the image".to_owned(), 4), ("udev".to_owned(), 3)]
        );
    }
}
