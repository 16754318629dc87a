//! The line's client on the box: the real systemd-networkd, from the files that sekisho writes.

use crate::daemon::{Daemon, Ready};
use crate::error::Error;
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::Line;
use crate::plan::Host;

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

/// Starts it where the line needs it. In a line by advertisement the kernel's own client does the same work, and the lab's
/// faults speak to that.
pub fn start(ground: &Ground) -> Result<Daemons, Error> {
    if ground.layout.line != Line::Pd {
        return Ok(Daemons::new());
    }
    let program = ground.tools.networkd.as_deref().ok_or_else(|| Error::Missing {
        program: "systemd-networkd".into(),
        remedy: "Debian's package systemd brings it (`apt-get install systemd`)".into(),
    })?;
    let files = text(&ground.place.run(Host::Box).join("network"));
    let daemon = Daemon {
        name: NETWORKD,
        program: "/usr/bin/unshare".into(),
        args: args(["--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh", &files, &text(program)]),
        // What it does is waited for at the line.
        ready: Ready::AtOnce,
        environment: vec![("SYSTEMD_LOG_TARGET", "console".into())],
    };
    let process = daemon.start(&ground.place, ground.door(Host::Box))?.wait()?;
    Ok(Daemons::from([(NETWORKD.into(), process)]))
}
