//! The keys: Secure Boot's (PK, KEK, db) and the one that signs the image as a whole. Development keys are made here
//! and never leave this machine; a release brings its own by path.

use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

use crate::build::Build;
use crate::digest;
use crate::error::{Error, at};
use crate::room::Room;
use crate::tool::Tool;

/// In the folder of development keys: a release refuses a folder that has it.
const DEVELOPMENT: &str = "DEVELOPMENT";
/// In the subject of development certificates, for one that was copied elsewhere.
const SUBJECT: &str = "development only";
const NAMES: [&str; 3] = ["PK", "KEK", "db"];

/// A folder of keys.
#[derive(Debug)]
pub struct Keys {
    folder: PathBuf,
    /// Which keys these are, without telling them.
    pub mark: String,
}

impl Keys {
    /// One of its files.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The key that signs images (Ed25519, PKCS#8).
    pub fn image(&self) -> Result<Ed25519KeyPair, Error> {
        let path = self.file("image.key");
        let bytes = std::fs::read(&path).map_err(at("read", &path))?;
        Ed25519KeyPair::from_pkcs8(&bytes)
            .map_err(|_| Error::Data { path, reason: "it is no Ed25519 key in PKCS#8, binary".to_owned() })
    }
}

/// The keys wished for, or this machine's development keys.
pub fn find(build: &mut Build, room: &Room) -> Result<Keys, Error> {
    let own = build.place.keys();
    if build.wish.keys.is_none() && !build.wish.release {
        let key = digest::text("1");
        build.step("keys", key, &[own.join("image.key")], |build| make(&own, room, &build.log("keys")))?;
    }
    let Some(folder) = build.wish.keys.clone().or_else(|| (!build.wish.release).then_some(own)) else {
        return Err(Error::Usage("sign a release: name its keys with --keys DIR".into()));
    };
    let folder = folder.canonicalize().map_err(at("find", &folder))?;
    if build.wish.release {
        refuse_development(&folder, &build.log("keys"))?;
    }
    let mut mark = digest::Digest::default();
    for name in NAMES.map(|name| format!("{name}.crt")).iter().map(String::as_str).chain(["image.pub"]) {
        let path = folder.join(name);
        mark.part(&std::fs::read(&path).map_err(at("read", &path))?);
    }
    if !folder.starts_with(build.place.shared()) {
        // The tools see no other folder of this machine.
        crate::room::show(&folder, &build.place.tools().join(folder.strip_prefix("/").unwrap_or(&folder)))?;
    }
    Ok(Keys { folder, mark: mark.hex() })
}

fn refuse_development(folder: &Path, log: &Path) -> Result<(), Error> {
    let refuse =
        || Error::Usage(format!("sign a release: the keys in {} are development keys", folder.display()));
    if folder.join(DEVELOPMENT).exists() {
        return Err(refuse());
    }
    for name in NAMES {
        let subject = Tool::host("openssl", log)
            .args(["x509", "-noout", "-subject", "-in"])
            .arg(folder.join(format!("{name}.crt")))
            .read("read a certificate")?;
        if subject.contains(SUBJECT) {
            return Err(refuse());
        }
    }
    Ok(())
}

fn make(folder: &Path, room: &Room, log: &Path) -> Result<(), Error> {
    crate::place::fresh(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(at("close", folder))?;
    let mark = folder.join(DEVELOPMENT);
    std::fs::write(&mark, "Made by scripts/image for tests on this machine. No clinic's box trusts them.\n")
        .map_err(at("write", &mark))?;
    for name in NAMES {
        room.tool("openssl", log)
            .args(["req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650"])
            .args(["-subj", &format!("/CN=Sekisho {name}, {SUBJECT}/")])
            .args([Path::new("-keyout"), &folder.join(format!("{name}.key"))])
            .args([Path::new("-out"), &folder.join(format!("{name}.crt"))])
            .run("make a Secure Boot key")?;
    }
    let unspecified = |_| Error::Promise("this machine's random numbers failed".to_owned());
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(unspecified)?;
    secret(&folder.join("image.key"), pair.as_ref())?;
    let pair =
        Ed25519KeyPair::from_pkcs8(pair.as_ref()).map_err(|_| unspecified(aws_lc_rs::error::Unspecified))?;
    let public = folder.join("image.pub");
    std::fs::write(&public, pair.public_key().as_ref()).map_err(at("write", &public))
}

fn secret(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Write as _;
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(at("write", path))?;
    file.write_all(bytes).map_err(at("write", path))
}
