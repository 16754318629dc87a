//! The programs the clinic is made of: Debian's, found before anything is made, and our own beside this one.

use std::path::{Path, PathBuf};

use crate::error::{Error, doing};

/// Debian's programs and the packages that bring them.
const PACKAGES: [(&str, &str); 8] = [
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("radvd", "radvd"),
    ("unbound", "unbound"),
    ("unbound-control", "unbound"),
    ("smbd", "samba"),
    ("smbpasswd", "samba-common-bin"),
    ("smbclient", "smbclient"),
];

/// Where Debian has systemd-networkd.
const NETWORKD: &str = "/lib/systemd/systemd-networkd";

/// Where root's programs are, even when $PATH is a user's.
const PLACES: [&str; 3] = ["/usr/sbin", "/sbin", "/usr/bin"];

/// What `up` found.
#[derive(Debug)]
pub struct Tools {
    /// The router's advertisements.
    pub radvd: PathBuf,
    /// The resolvers.
    pub unbound: PathBuf,
    /// The shares.
    pub smbd: PathBuf,
    /// Their accounts.
    pub smbpasswd: PathBuf,
    /// The time server.
    pub chronyd: PathBuf,
    /// The centre's double.
    pub centre: PathBuf,
    /// The link application's double.
    pub oqs: PathBuf,
    /// A wire with habits.
    pub wire: PathBuf,
    /// Who hands prefixes on; only lines with delegation need it.
    pub kea: Option<PathBuf>,
    /// The line's client on the box; likewise.
    pub networkd: Option<PathBuf>,
    /// IKE; only a line by IPsec needs it.
    pub charon: Option<PathBuf>,
    /// What gives a program another time; only one fault needs it.
    pub clock: Option<PathBuf>,
}

/// Where a host has Debian's daemons. AppArmor's profiles go by a program's path, and the one of unbound refuses any
/// configuration outside /etc; here the same program has another path.
const IN_A_HOST: &str = "/run/bin";

/// A daemon's path in a host.
pub fn in_a_host(program: &Path) -> PathBuf {
    Path::new(IN_A_HOST).join(program.file_name().unwrap_or_default())
}

impl Tools {
    /// Debian's daemons.
    pub fn daemons(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.radvd, &self.unbound, &self.smbd, &self.chronyd].into_iter().chain(&self.kea)
    }

    /// Finds all, or says what is missing.
    pub fn find() -> Result<Self, Error> {
        for (program, package) in PACKAGES {
            debian(program, package)?;
        }
        Ok(Self {
            radvd: debian("radvd", "radvd")?,
            unbound: debian("unbound", "unbound")?,
            smbd: debian("smbd", "samba")?,
            smbpasswd: debian("smbpasswd", "samba-common-bin")?,
            chronyd: chronyd()?,
            centre: beside("faux-centre")?,
            oqs: beside("faux-oqs")?,
            wire: beside("wire")?,
            kea: on_path("kea-dhcp6"),
            networkd: Some(PathBuf::from(NETWORKD)).filter(|file| file.is_file()),
            charon: Some(PathBuf::from("/usr/lib/ipsec/charon")).filter(|file| file.is_file()),
            clock: clock(),
        })
    }
}

fn debian(program: &str, package: &str) -> Result<PathBuf, Error> {
    on_path(program).ok_or_else(|| Error::Missing {
        program: program.to_owned(),
        remedy: format!("Debian's package {package} brings it (`apt-get install {package}`)"),
    })
}

/// Finds a program as the shell would, and where root's are.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(PLACES.map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// chronyd is unpacked, not installed: installing it would push out the host's own time service.
fn chronyd() -> Result<PathBuf, Error> {
    let folder = std::env::var_os("SEKISHO_LAB_TOOLS").map(PathBuf::from);
    let unpacked = folder.map_or_else(|| Ok(target()?.join("lab-tools")), Ok)?.join("usr/sbin/chronyd");
    on_path("chronyd").or_else(|| unpacked.is_file().then(|| unpacked.clone())).ok_or_else(|| {
        let remedy = format!("unpack Debian's package chrony so that {} is there", unpacked.display());
        Error::Missing { program: "chronyd".into(), remedy }
    })
}

/// The library of Debian's package libfaketime, wherever this machine's kind has it.
fn clock() -> Option<PathBuf> {
    let kinds = std::fs::read_dir("/usr/lib").ok()?;
    kinds
        .filter_map(|kind| Some(kind.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|file| file.is_file())
}

/// Cargo's target folder, two above this program's (`target/debug/clinic`).
fn target() -> Result<PathBuf, Error> {
    let folder = here()?;
    Ok(folder.parent().unwrap_or(&folder).to_owned())
}

fn here() -> Result<PathBuf, Error> {
    let exe = std::env::current_exe().map_err(doing("find this program"))?;
    let folder = exe.parent().unwrap_or(Path::new("/"));
    // Test programs lie one folder deeper.
    let deeper = folder.file_name().is_some_and(|name| name == "deps");
    Ok(if deeper { folder.parent().unwrap_or(folder).to_owned() } else { folder.to_owned() })
}

/// A program of the workspace, which lies beside this one.
pub fn beside(program: &str) -> Result<PathBuf, Error> {
    let file = here()?.join(program);
    if file.is_file() {
        return Ok(file);
    }
    let remedy = format!("it should lie at {} (`cargo build --workspace` makes it)", file.display());
    Err(Error::Missing { program: program.into(), remedy })
}
