//! What leaves the house: the image, compressed, its checksum and its signature.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::build::Build;
use crate::digest;
use crate::error::{Error, at};
use crate::step::keys::Keys;

/// Both slots hold the same root, a little less than this apart: the second one costs nothing.
pub const WINDOW_LOG: u32 = 28;
const LEVEL: i32 = 6;

/// Makes `out/sekisho-VERSION.img` and its kin.
pub fn make(build: &mut Build, keys: &Keys, disk: &str) -> Result<String, Error> {
    let key = build.key(&[disk, &keys.mark]);
    let name = format!("sekisho-{}.img", build.version);
    let out = build.place.out();
    let [raw, packed, sums, signature] =
        ["", ".zst", ".zst.sha256", ".zst.sig"].map(|end| out.join(format!("{name}{end}")));
    let results = [raw.clone(), packed.clone(), sums.clone(), signature.clone()];
    build.step("pack", key, &results, |build| {
        clear_versions(&out)?;
        // A copy, so that a running machine that has it as its disk is not disturbed by the next build.
        super::copy_tree(&build.place.made("disk.img"), &raw, &build.log("pack"))?;
        compress(&raw, &packed)?;
        let bytes = std::fs::read(&packed).map_err(at("read", &packed))?;
        let line = format!("{}  {name}.zst\n", digest::file(&packed)?);
        std::fs::write(&sums, line).map_err(at("write", &sums))?;
        std::fs::write(&signature, keys.image()?.sign(&bytes)).map_err(at("write", &signature))?;
        let public = out.join("image.pub");
        std::fs::copy(keys.file("image.pub"), &public).map_err(at("write", &public))?;
        Ok(())
    })
}

/// Whoever takes the image from there finds one.
fn clear_versions(out: &Path) -> Result<(), Error> {
    for entry in std::fs::read_dir(out).map_err(at("read", out))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("sekisho-") {
            crate::place::clear(&entry.path())?;
        }
    }
    Ok(())
}

fn compress(from: &Path, to: &Path) -> Result<(), Error> {
    let mut source = File::open(from).map_err(at("read", from))?;
    let sink = File::create(to).map_err(at("write", to))?;
    let writing = || at("write", to);
    let mut packer = zstd::Encoder::new(sink, LEVEL).map_err(writing())?;
    packer.long_distance_matching(true).map_err(writing())?;
    packer.window_log(WINDOW_LOG).map_err(writing())?;
    packer.include_checksum(true).map_err(writing())?;
    packer.multithread(2).map_err(writing())?;
    let size = source.metadata().map_err(at("read", from))?.len();
    packer.set_pledged_src_size(Some(size)).map_err(writing())?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        match source.read(&mut buffer).map_err(at("read", from))? {
            0 => break,
            count => packer.write_all(&buffer[..count]).map_err(writing())?,
        }
    }
    packer.finish().map_err(writing())?.sync_all().map_err(writing())
}
