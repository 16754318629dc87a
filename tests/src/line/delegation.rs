//! Delegation: who hands prefixes on by DHCPv6, and the home gateway that hands on a part of its own.

use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Ready};
use crate::error::Error;
use crate::fault::World;
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::{HANDED_ON, Layout, Line, POOLS, Wiring};
use crate::plan::Host;
use crate::process::Process;
use crate::tools::in_a_host;

/// Who hands prefixes on, and the gateway's advertisements.
const DELEGATES: &str = "kea";
const GATEWAY: &str = "gateway-radvd";

/// Starts what this line has of it.
pub fn start(ground: &Ground, world: &World) -> Result<Daemons, Error> {
    let mut daemons = Daemons::new();
    if ground.layout.line != Line::Pd {
        return Ok(daemons);
    }
    if world.gives_as_ever() {
        daemons.insert(DELEGATES.into(), server(ground, world.renumbered)?);
    }
    if ground.layout.wiring == Wiring::Behind {
        let config =
            ground.write(Host::Home, "radvd.conf", include_str!("../../lab/gateway-radvd.conf"), &[])?;
        daemons.insert(GATEWAY.into(), super::advertise(ground, Host::Home, GATEWAY, &config)?);
    }
    Ok(daemons)
}

/// Who was delegated a prefix asks again, and gets one of the other pool: a renumbering. What it had is no longer good.
pub fn renumber(ground: &Ground, daemons: &mut Daemons, to: &World) -> Result<(), Error> {
    super::stop(daemons, DELEGATES, Signal::SIGKILL);
    if to.gives_as_ever() {
        daemons.insert(DELEGATES.into(), server(ground, to.renumbered)?);
    }
    Ok(())
}

/// Stops all of it.
pub fn stop(daemons: &mut Daemons) {
    [DELEGATES, GATEWAY].into_iter().for_each(|name| super::stop(daemons, name, Signal::SIGKILL));
}

/// The server that the box speaks to: the line's, or the home gateway's with a part of what the line gave it.
fn server(ground: &Ground, renumbered: bool) -> Result<Process, Error> {
    let Layout { wiring, .. } = ground.layout;
    let nth = usize::from(renumbered);
    let (host, link, pool, delegated) = match wiring {
        Wiring::Behind => (Host::Home, "2001:db8:100::/64", HANDED_ON[nth], "60"),
        _ => (Host::Ngn, "2001:db8:0:1::/64", POOLS[nth], "56"),
    };
    let (pool, length) = pool.split_once('/').expect("invariant: a pool is a prefix");
    let run = text(&ground.place.run(host));
    let values = [
        ("run", run.as_str()),
        ("renew", "3"),
        ("rebind", "6"),
        ("link", link),
        ("pool", pool),
        ("length", length),
        ("delegated", delegated),
    ];
    let config = ground.write(host, "kea.json", include_str!("../../lab/kea.conf"), &values)?;
    let program = ground.tools.kea.as_deref().ok_or_else(|| Error::Missing {
        program: "kea-dhcp6".into(),
        remedy: "Debian's package kea-dhcp6-server brings it (`apt-get install kea-dhcp6-server`)".into(),
    })?;
    // One that was killed leaves its number there, and may not be gone from the table of processes yet.
    let _ = std::fs::remove_file(ground.place.run(host).join("kea.kea-dhcp6.pid"));
    let daemon = Daemon {
        name: DELEGATES,
        program: in_a_host(program),
        args: args(["-c", &config]),
        // The box asks until it is answered.
        ready: Ready::AtOnce,
        environment: vec![("KEA_PIDFILE_DIR", run.clone().into()), ("KEA_LOCKFILE_DIR", run.into())],
    };
    daemon.start(&ground.place, ground.door(host))?.wait()
}
