//! From one world to another: a fault is made, or undone. Comes back when it is really so.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::Error;
use crate::fault::World;
use crate::ground::{Daemons, Ground};
use crate::plan::Host;
use crate::{line, terminal, watch};

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    tables(ground, from, to)?;
    change_line(ground, daemons, from, to)?;
    if from.centre != to.centre {
        line::stop(daemons, line::CENTRE, Signal::SIGKILL);
        daemons.insert(line::CENTRE.into(), line::centre(ground, to.centre)?);
    }
    change_terminal(ground, daemons, from, to)
}

/// Takes away the tables that go, makes those that come; each host's in one transaction.
fn tables(ground: &Ground, from: &World, to: &World) -> Result<(), Error> {
    for host in Host::ALL {
        let gone = from.tables.values().filter(|table| !to.tables.contains_key(table.name));
        let new = to.tables.values().filter(|table| !from.tables.contains_key(table.name));
        let gone = gone.filter(|table| table.host == host).map(|table| table.unmake());
        let new = new.filter(|table| table.host == host).map(|table| table.make());
        let commands: String = gone.chain(new).collect();
        if !commands.is_empty() {
            ground.door(host).run(&["nft", "-f", "-"], &commands)?;
        }
    }
    Ok(())
}

fn change_line(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    let hears = (from.router_is_heard(), to.router_is_heard());
    if (from.line_plugged, from.router) == (to.line_plugged, to.router) && hears.0 == hears.1 {
        return Ok(());
    }
    if from.line_plugged != to.line_plugged {
        plug(ground, Host::Ngn, "w0", to.line_plugged)?;
    }
    if from.router && !to.router {
        line::stop_router(daemons, Signal::SIGTERM);
    }
    if to.router && (!from.router || hears == (false, true)) {
        // A router that starts advertises at once; one that runs, within its interval only.
        line::stop_router(daemons, Signal::SIGKILL);
        daemons.insert(line::ROUTER.into(), line::router(ground)?);
    }
    line::settle(ground, to)
}

fn change_terminal(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    if from.terminal_plugged != to.terminal_plugged {
        plug(ground, Host::Terminal, "e0", to.terminal_plugged)?;
        let (door, wanted) = (ground.door(Host::Box), to.terminal_plugged);
        let port = ground.the_box.end_of("term0");
        let felt = || watch::has_carrier(&port) == wanted;
        watch::until(door, "term0's carrier change", Duration::from_secs(5), felt)?;
    }
    let password = from.password_changed != to.password_changed;
    if (password || !to.share) && from.share {
        // With smbd its sessions end: the new password is felt at once.
        line::stop(daemons, terminal::SMBD, Signal::SIGKILL);
    }
    if password {
        terminal::set_password(ground, to)?;
    }
    if to.share && (password || !from.share) {
        daemons.insert(terminal::SMBD.into(), terminal::smbd(ground)?);
    }
    Ok(())
}

/// Takes a host's link down, or up with the addresses that went with it.
fn plug(ground: &Ground, host: Host, port: &str, plugged: bool) -> Result<(), Error> {
    let door = ground.door(host);
    if plugged {
        return door.lay();
    }
    door.run(&["ip", "link", "set", "dev", port, "down"], "").map(drop)
}

/// Makes what must be there before the first daemon starts, so that the box has never seen it otherwise.
pub fn before_the_first(ground: &Ground, to: &World) -> Result<(), Error> {
    tables(ground, &World::with([]), to)?;
    if !to.line_plugged {
        plug(ground, Host::Ngn, "w0", false)?;
    }
    if !to.terminal_plugged {
        plug(ground, Host::Terminal, "e0", false)?;
    }
    Ok(())
}
