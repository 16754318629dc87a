//! Each role of sekisho as a process and a user of its own, with no more rights than its unit in the image has: its
//! capabilities, its folders, and for the page a network in which there is nothing.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

use crate::daemon::{Daemon, Ready, Starting};
use crate::error::{Error, at, doing};
use crate::ground::{Daemons, Ground, args, text};
use crate::plan::{Host, Place};
use crate::process::{self, Process};
use crate::{samba, the_box};

/// A role as its unit has it.
#[derive(Debug)]
pub struct Role {
    /// Its name, also its user's.
    pub name: &'static str,
    /// Its user's number, in the image too.
    pub uid: u32,
    /// What it may do beside an ordinary user.
    capabilities: &'static [&'static str],
    /// Whether it is on the box's network at all.
    network: bool,
}

/// The roles.
pub const ROLES: [Role; 5] = [
    Role {
        name: "netd",
        uid: 971,
        capabilities: &["net_admin", "net_raw", "net_bind_service"],
        network: true,
    },
    Role { name: "reachd", uid: 972, capabilities: &[], network: true },
    Role { name: RELAYD, uid: OWNER, capabilities: &[], network: true },
    Role { name: "webd", uid: 974, capabilities: &[], network: false },
    Role { name: "boardd", uid: 975, capabilities: &[], network: false },
];

/// The role that the files of the share and the terminal's login belong to.
pub const RELAYD: &str = "relayd";
/// Its user's number.
pub const OWNER: u32 = 973;

/// Where a host has the program: the folder it was built in may be closed to others.
const PROGRAM: &str = "/run/bin/sekisho";

/// Makes the roles' users on the box, their folders, and the program they all run.
pub fn prepare(ground: &Ground, sekisho: &Path) -> Result<(), Error> {
    let place = &ground.place;
    for role in &ROLES {
        samba::add_account(place, Host::Box, role.name, role.uid)?;
        own(&the_box::socket(place).join(role.name), role.uid, 0o755)?;
    }
    let state = the_box::state(place);
    own(&state.join("secrets"), 0, 0o711)?;
    let proofs = ["line", "cloud"].map(|name| state.join("secrets").join(name));
    for proof in proofs.iter().filter(|proof| proof.exists()) {
        chown(proof, Some(ROLES[0].uid), None).map_err(at(proof))?;
    }
    for (folder, uid) in
        [("firewall", 971), ("maintenance", 971), ("page", 974), ("reach", 972), ("relay", OWNER)]
    {
        own(&state.join(folder), uid, 0o700)?;
    }
    own(&state.join("share/OQS"), 0, 0o755)?;
    for folder in ["req", "res", "face", "returned"] {
        own(&state.join("share/OQS").join(folder), OWNER, 0o770)?;
    }
    tun(ground)?;
    ground.door(Host::Box).inside(|| {
        older_tables()?;
        let (program, nothing) = (Path::new(PROGRAM), None::<&str>);
        fs::write(program, "").map_err(at(program))?;
        mount(Some(sekisho), program, nothing, MsFlags::MS_BIND, nothing)
            .map_err(doing(format!("mount {PROGRAM}")))
    })
}

/// The maintainer's charon is a child of `netd`, and in the lab it encrypts through a TUN: here that device is `netd`'s, in the
/// box alone. The image's kernel encrypts by itself.
fn tun(ground: &Ground) -> Result<(), Error> {
    const DEVICE: &str = "/dev/net/tun";
    const OWN: &str = "/run/tun";
    if !Path::new(DEVICE).exists() {
        return Ok(());
    }
    let (door, uid) = (ground.door(Host::Box), ROLES[0].uid.to_string());
    door.run(&["mknod", OWN, "c", "10", "200"], "")?;
    door.run(&["chown", &uid, OWN], "")?;
    door.run(&["mount", "--bind", OWN, DEVICE], "").map(drop)
}

/// Lets `netd` read which tables of iptables there are. The image's kernel has the files only once somebody uses those
/// tools; one with the tools built in always has them, for root's group.
fn older_tables() -> Result<(), Error> {
    for name in ["ip_tables_names", "ip6_tables_names", "arp_tables_names"] {
        let path = PathBuf::from(format!("/proc/thread-self/net/{name}"));
        if path.exists() {
            chown(&path, None, Some(ROLES[0].uid)).map_err(at(&path))?;
        }
    }
    Ok(())
}

fn own(folder: &Path, uid: u32, mode: u32) -> Result<(), Error> {
    fs::create_dir_all(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(mode)))
        .and_then(|()| chown(folder, Some(uid), Some(uid)))
        .map_err(at(folder))
}

/// The role of this name.
pub fn role(name: &str) -> Result<&'static Role, Error> {
    ROLES.iter().find(|role| role.name == name).ok_or_else(|| {
        let names = ROLES.each_ref().map(|role| role.name).join(", ");
        Error::Usage(format!("find a role {name:?}: there are {names}"))
    })
}

/// Starts these roles and waits until all serve: they wait for each other.
pub fn start(ground: &Ground, roles: &[&'static Role]) -> Result<Daemons, Error> {
    let starting: Vec<(&str, Starting)> = roles
        .iter()
        .map(|role| {
            let mut daemon = daemon(&ground.place, role);
            daemon.environment = ground.environment()?;
            Ok((role.name, daemon.start(&ground.place, ground.door(Host::Box))?))
        })
        .collect::<Result<_, Error>>()?;
    starting.into_iter().map(|(name, starting)| Ok((name.to_owned(), starting.wait()?))).collect()
}

fn daemon(place: &Place, role: &Role) -> Daemon {
    let [site, state, socket] =
        [the_box::site, the_box::state, the_box::socket].map(|part| text(&part(place)));
    let mut list = confined(role);
    list.extend(args([PROGRAM, "daemon", "--role", role.name]));
    list.extend(args(["--site", &site, "--state", &state, "--socket", &socket]));
    let program = PathBuf::from(list.remove(0));
    Daemon { name: role.name, program, args: list, ready: Ready::Said, environment: Vec::new() }
}

/// Every role of a clinic that runs: the faces are in no host's network, and of one whose `up` was killed there is no
/// record.
pub fn running(place: &Place) -> Vec<Process> {
    running_as(place, &[])
}

/// The same with these words in its arguments too, like a role's name.
pub fn running_as(place: &Place, words: &[&str]) -> Vec<Process> {
    let socket = text(&the_box::socket(place));
    process::started_with(&[&[PROGRAM, socket.as_str()], words].concat())
}

/// What puts a role into its confines and then becomes it (setpriv(1), unshare(1)).
fn confined(role: &Role) -> Vec<OsString> {
    let mut list = Vec::new();
    if !role.network {
        list.extend(args(["/usr/bin/unshare", "--net", "--"]));
    }
    let uid = role.uid.to_string();
    list.extend(args(["/usr/bin/setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups"]));
    let only: String = role.capabilities.iter().map(|name| format!(",+{name}")).collect();
    for set in ["inh-caps", "ambient-caps", "bounding-set"] {
        list.push(format!("--{set}=-all{only}").into());
    }
    list.extend(args(["--no-new-privs", "--"]));
    list
}
