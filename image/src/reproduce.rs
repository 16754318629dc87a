//! Is the image what its sources say? The contents are made a second time, from the archive, and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::build::{self, Build, Wish};
use crate::error::{Error, at};
use crate::report::debian;
use crate::room::Room;
use crate::step::keys::Keys;
use crate::{digest, say};

/// What must be the same, bit for bit. (Signatures bear their time; they are made once and kept.)
const SAME: [&str; 6] =
    ["root.erofs", "root.verity", "root.hash", "initrd.img", "uki/a.unsigned.efi", "uki/b.unsigned.efi"];
const SHOWN: usize = 40;

/// Makes the contents again, in `again/`, and compares.
pub fn check(first: &Build, room: &Room, keys: &Keys, tools: &str) -> Result<(), Error> {
    let place = first.place.again("again");
    std::fs::create_dir_all(&place.work).map_err(at("make", &place.work))?;
    let wish = Wish { fresh: true, check_reproducible: false, ..first.wish.clone() };
    let mut second = Build::start(place, wish)?;
    say::print("once more, from the archive:");
    build::contents(&mut second, room, keys, tools)?;
    second.tell();
    archive_stood_still(first, &second)?;
    let mut differ = Vec::new();
    for name in SAME {
        let [one, other] = [first, &second].map(|build| digest::file(&build.place.made(name)));
        let (one, other) = (one?, other?);
        let word = if one == other { "same " } else { "OTHER" };
        say::print(&format!("{word}  {}  {name}", &one[..16]));
        if one != other {
            differ.push(name);
        }
    }
    if differ.is_empty() {
        return crate::place::clear(&second.place.work);
    }
    for tree in ["base", "trimmed", "root"] {
        show(&first.place.made(tree), &second.place.made(tree), tree)?;
    }
    Err(Error::Promise(format!("a second build gives another {}", differ.join(", "))))
}

/// With other packages another image is no surprise, and says nothing.
fn archive_stood_still(first: &Build, second: &Build) -> Result<(), Error> {
    let versions = |build: &Build| -> Result<BTreeMap<String, String>, Error> {
        let packages = debian::of(&build.place.made("base"))?;
        Ok(packages.into_iter().map(|package| (package.name, package.version)).collect())
    };
    let moved = moved(&versions(first)?, &versions(second)?);
    if moved.is_empty() {
        return Ok(());
    }
    let reason =
        format!("the archive has other packages by now ({}); call it again with --fresh", moved.join(", "));
    Err(Error::Promise(reason))
}

fn moved(one: &BTreeMap<String, String>, other: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

/// Prints what differs between two trees.
fn show(one: &Path, other: &Path, name: &str) -> Result<(), Error> {
    let (first, second) = (faces(one)?, faces(other)?);
    let paths = moved(&first, &second);
    for path in paths.iter().take(SHOWN) {
        say::print(&format!("differs in {name}: {path}"));
    }
    if paths.len() > SHOWN {
        say::print(&format!("differs in {name}: {} more", paths.len() - SHOWN));
    }
    Ok(())
}

/// What each path of a tree is, in a word.
fn faces(tree: &Path) -> Result<BTreeMap<String, String>, Error> {
    use std::os::unix::fs::MetadataExt as _;
    let mut faces = BTreeMap::new();
    for path in digest::walk(tree)? {
        let full = tree.join(&path);
        let meta = full.symlink_metadata().map_err(at("read", &full))?;
        let inside = if meta.is_file() {
            digest::file(&full)?
        } else if meta.is_symlink() {
            std::fs::read_link(&full).map_err(at("read", &full))?.display().to_string()
        } else {
            String::new()
        };
        faces.insert(
            path.display().to_string(),
            format!("{:o} {} {} {inside}", meta.mode(), meta.uid(), meta.gid()),
        );
    }
    Ok(faces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_what_came_went_or_changed() {
        let map = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, version)| ((*name).to_owned(), (*version).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let moved =
            moved(&map(&[("a", "1"), ("b", "1"), ("c", "1")]), &map(&[("a", "1"), ("b", "2"), ("d", "1")]));
        assert_eq!(moved, ["b", "c", "d"]);
    }

    #[test]
    fn two_trees_differ_by_mode_and_content() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("a"), "x").unwrap();
        let before = faces(place.path()).unwrap();
        std::fs::write(place.path().join("a"), "y").unwrap();
        assert_eq!(moved(&before, &faces(place.path()).unwrap()), ["a"]);
    }
}
