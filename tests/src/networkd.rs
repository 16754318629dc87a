//! The real systemd-networkd in a host: on the box from the files that sekisho writes, at the internet provider as the one
//! who lends addresses.

use std::path::PathBuf;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, at};
use crate::ground::{Daemons, Ground, args, text};
use crate::plan::Host;
use crate::process::Process;

/// Its name among the daemons.
pub const NETWORKD: &str = "box-networkd";

/// It takes its files from one place, keeps what it knows in another, and waits for udev where /sys can be written. It gives
/// up root by itself.
const SCRIPT: &str = "set -e
for folder in links leases lldp; do mkdir -p /run/systemd/netif/$folder; done
chown -R systemd-network: /run/systemd/netif
mount --bind \"$1\" /etc/systemd/network
mount -o remount,bind,ro /sys
exec \"$2\"";

/// Starts it where it holds a port of the box, for those ports.
pub fn start(ground: &Ground) -> Result<Daemons, Error> {
    let held = ground.layout.held();
    if held.is_empty() {
        return Ok(Daemons::new());
    }
    let (from, to) = (ground.place.run(Host::Box).join("network"), folder(ground, Host::Box)?);
    for port in held {
        let file = format!("20-{port}.network");
        std::fs::copy(from.join(&file), to.join(&file)).map_err(at(&from.join(&file)))?;
    }
    Ok(Daemons::from([(NETWORKD.into(), serve(ground, Host::Box, NETWORKD)?)]))
}

/// The folder of its files in a host.
pub fn folder(ground: &Ground, host: Host) -> Result<PathBuf, Error> {
    let folder = ground.place.run(host).join("networkd");
    std::fs::create_dir_all(&folder).map_err(at(&folder))?;
    Ok(folder)
}

/// Starts it in a host, from the files in that folder.
pub fn serve(ground: &Ground, host: Host, name: &'static str) -> Result<Process, Error> {
    let program = ground.tools.networkd.as_deref().ok_or_else(|| Error::Missing {
        program: "systemd-networkd".into(),
        remedy: "Debian's package systemd brings it (`apt-get install systemd`)".into(),
    })?;
    let files = text(&folder(ground, host)?);
    let daemon = Daemon {
        name,
        program: "/usr/bin/unshare".into(),
        args: args(["--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh", &files, &text(program)]),
        // What it does is waited for at the line.
        ready: Ready::AtOnce,
        environment: vec![("SYSTEMD_LOG_TARGET", "console".into())],
    };
    daemon.start(&ground.place, ground.door(host))?.wait()
}
