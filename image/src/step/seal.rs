//! The root as one file that cannot change unseen: erofs and its hash tree.

use crate::build::Build;
use crate::error::{Error, at};
use crate::room::Room;
use crate::{digest, place};

/// The size of a root partition; how both partitions of a slot lie on the disk is in `repart/`.
const SLOT: u64 = 240 << 20;

/// Makes `root.erofs`, `root.verity` and `root.hash`.
pub fn make(build: &mut Build, room: &Room, root: &str) -> Result<String, Error> {
    let key = build.key(&[root, &build.epoch.to_string()]);
    let made = ["root.erofs", "root.verity", "root.hash"].map(|name| build.place.made(name));
    build.step("seal", key, &made, |build| {
        let log = build.log("seal");
        let [erofs, verity, hash] = &made;
        for old in &made {
            place::clear(old)?;
        }
        // Names of this file system, not secrets; fixed, so that the same tree gives the same bytes.
        let seed = digest::text(&format!("sekisho {}", build.version));
        room.tool("mkfs.erofs", &log)
            .args(["--quiet", "-zzstd,3", "-C65536", "--workers=2", "-x-1"])
            .arg(format!("-T{}", build.epoch))
            .arg(format!("-U{}", uuid(&seed)))
            .args([erofs, &build.place.made("root")])
            .run("pack the root")?;
        room.tool("veritysetup", &log)
            .arg("format")
            .option("salt", &seed)
            .option("uuid", uuid(&digest::text(&seed)))
            .option("root-hash-file", hash)
            .args([erofs, verity])
            .run("make the hash tree")?;
        let size = std::fs::metadata(erofs).map_err(at("read", erofs))?.len();
        if size > SLOT {
            return Err(Error::Promise(format!("the root is {} MiB, a slot has {}", size >> 20, SLOT >> 20)));
        }
        Ok(())
    })
}

/// A UUID from a digest.
pub fn uuid(hex: &str) -> String {
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_says_that_it_is_one() {
        assert_eq!(uuid(&digest::text("abc")), "ba7816bf-8f01-4fea-8141-40de5dae2223");
    }
}
