//! What lies beside the image: what is in it (SBOM), under which terms (licences), where its source is, how large what
//! is, and what was made.

pub mod crates;
pub mod debian;
pub mod licences;
pub mod manifest;
pub mod sbom;
pub mod size;
pub mod sources;

use std::path::PathBuf;

use crate::build::Build;
use crate::error::{Error, at};
use crate::step::keys::Keys;
use crates::Crate;
use debian::Package;

/// The compressed image is not to be larger, so that it goes over a clinic's line in a night.
const BUDGET: u64 = 140 << 20;

/// Everything the image is made of.
#[derive(Debug)]
pub struct Parts {
    /// Debian packages of the base, and of the tools whose files are in the initrd.
    pub packages: Vec<Package>,
    /// Crates of our binary.
    pub crates: Vec<Crate>,
    /// The compiler, whose library is part of our binary.
    pub compiler: String,
}

/// Makes the reports.
pub fn make(build: &mut Build, keys: &Keys, from: &[&str]) -> Result<String, Error> {
    let crates_file =
        build.wish.crates.clone().unwrap_or_else(|| build.place.target.join("image/crates.json"));
    let lock = build.place.repo.join("Cargo.lock");
    let text = |path: &PathBuf| std::fs::read_to_string(path).map_err(at("read", path));
    let (crates, lock) = (text(&crates_file)?, text(&lock)?);
    let parts = [build.wish.compiler.as_str(), &crates, &lock].map(crate::digest::text);
    let key = build.key(&[from, &parts.each_ref().map(String::as_str)].concat());
    let out = |end: &str| build.place.out().join(format!("sekisho-{}{end}", build.version));
    let made =
        [out(".cdx.json"), out(".licences.html"), out(".sources.txt"), out(".sizes.txt"), out(".json")];
    build.step("reports", key, &made, |build| {
        let [sbom, licences, sources, sizes, manifest] = &made;
        let write = |path: &PathBuf, text: String| std::fs::write(path, text).map_err(at("write", path));
        let bad = |reason| Error::Data { path: crates_file.clone(), reason };
        let parts = Parts {
            packages: debian::read(&build.place)?,
            crates: crates::parse(&crates, &lock).map_err(bad)?,
            compiler: build.wish.compiler.clone(),
        };
        write(sbom, sbom::text(&parts, &build.version, build.epoch))?;
        write(licences, licences::page(&parts, &build.version)?)?;
        write(sources, sources::text(&parts, &build.version))?;
        write(sizes, size::text(build)?)?;
        write(manifest, manifest::text(build, keys, &parts)?)?;
        within_budget(build)
    })
}

fn within_budget(build: &Build) -> Result<(), Error> {
    let image = build.place.out().join(format!("sekisho-{}.img.zst", build.version));
    let size = std::fs::metadata(&image).map_err(at("read", &image))?.len();
    if size <= BUDGET {
        return Ok(());
    }
    let (is, may) = (size >> 20, BUDGET >> 20);
    Err(Error::Promise(format!(
        "the compressed image has {is} MiB, {may} are allowed; the size report says what is large"
    )))
}
