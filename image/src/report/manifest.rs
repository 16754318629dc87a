//! The manifest: what was made, for programs. Test runners and flashing programs read file names from it.

use serde_json::json;

use super::Parts;
use crate::build::Build;
use crate::digest;
use crate::error::{Error, at};
use crate::step::keys::Keys;
use crate::step::uki::SLOTS;

/// The document.
pub fn text(build: &Build, keys: &Keys, parts: &Parts) -> Result<String, Error> {
    let name = |end: &str| format!("sekisho-{}{end}", build.version);
    let file = |end: &str| -> Result<serde_json::Value, Error> {
        let path = build.place.out().join(name(end));
        let size = std::fs::metadata(&path).map_err(at("read", &path))?.len();
        Ok(json!({ "file": name(end), "size": size, "sha256": digest::file(&path)? }))
    };
    let hash = build.place.made("root.hash");
    let hash = std::fs::read_to_string(&hash).map_err(at("read", &hash))?;
    let public = keys.file("image.pub");
    let public = std::fs::read(&public).map_err(at("read", &public))?;
    let document = json!({
        "product": "sekisho",
        "version": build.version,
        "release": build.wish.release,
        "time": build.epoch,
        "kernel": crate::step::kernel(&build.place.made("base"))?,
        "root_hash": hash.trim(),
        "slots": SLOTS.map(|slot| json!({ "name": slot.name, "uki": slot.file(&build.version) })),
        "image": file(".img")?,
        "compressed": file(".img.zst")?,
        "signature": { "file": name(".img.zst.sig"), "key": digest::hex(&public) },
        "sbom": name(".cdx.json"),
        "licences": name(".licences.html"),
        "sources": name(".sources.txt"),
        "sizes": name(".sizes.txt"),
        "virtual_board": { "code": "ovmf-code.fd", "variables": "ovmf-vars.fd" },
        "packages": parts.packages.len(),
        "crates": parts.crates.len(),
    });
    Ok(format!("{document:#}\n"))
}
