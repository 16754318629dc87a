//! From one world to another: a fault is made, or undone. Comes back when it is really so.

mod clinic;
mod home;
pub mod share;
mod the_box;
mod wire;

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::{Error, at};
use crate::fault::{Internet, World};
use crate::ground::{Daemons, Ground};
use crate::layout::LINE;
use crate::plan::Host;
use crate::{line, terminal, watch};

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    tables(ground, from, to)?;
    widen(ground, from, to)?;
    change_line(ground, daemons, from, to)?;
    if (from.other_kind, from.undelegated) != (to.other_kind, to.undelegated) {
        line::give_otherwise(ground, daemons, to)?;
    }
    if from.renumbered != to.renumbered {
        line::renumber(ground, daemons, to)?;
    }
    wire::change(ground, daemons, from, to)?;
    home::change(ground, daemons, from, to)?;
    line::internet::change(ground, from, to)?;
    the_box::change(ground, daemons, from, to)?;
    if from.gateway != to.gateway {
        let responder = line::gateway::Responder::of_the_line(ground.layout);
        line::gateway::change(ground, daemons, &responder, to.gateway)?;
    }
    line::cloud::change(ground, daemons, from, to)?;
    if from.names != to.names {
        line::rename(ground, from.names, to.names)?;
    }
    if from.centre != to.centre {
        line::stop(daemons, line::CENTRE, Signal::SIGKILL);
        daemons.insert(line::CENTRE.into(), line::centre(ground, to.centre)?);
    }
    change_terminal(ground, daemons, from, to)?;
    change_clinic(ground, from, to)?;
    clinic::change(ground, from, to)
}

/// Takes away the tables that go, makes those that come; each host's in one transaction.
fn tables(ground: &Ground, from: &World, to: &World) -> Result<(), Error> {
    for host in ground.layout.hosts() {
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
        plug(ground, ground.layout.near(), LINE, to.line_plugged)?;
    }
    if from.router && !to.router {
        line::stop_router(daemons, Signal::SIGTERM);
    }
    if to.router && ground.layout.advertises() && (!from.router || hears == (false, true)) {
        // A router that starts advertises at once; one that runs, within its interval only.
        line::stop_router(daemons, Signal::SIGKILL);
        daemons.insert(line::ROUTER.into(), line::router(ground, to)?);
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
    terminal::work(ground, from.oqs, to.oqs)?;
    let stranger = terminal::share(&ground.place).join("res/OQSnewkind99res_1.xml");
    match (from.stranger, to.stranger) {
        (false, true) => std::fs::write(&stranger, "<a/>").map_err(at(&stranger))?,
        (true, false) => std::fs::remove_file(&stranger).map_err(at(&stranger))?,
        _ => {}
    }
    change_share(ground, daemons, from, to)
}

fn change_share(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    let password = from.password_changed != to.password_changed;
    let other = password || (from.folder, from.disk) != (to.folder, to.disk);
    if (other || !to.share) && from.share {
        // With smbd its sessions end: the new password is felt at once, and no folder is held open.
        line::stop(daemons, terminal::SMBD, Signal::SIGKILL);
    }
    if password {
        terminal::set_password(ground, to)?;
    }
    share::change(ground, from, to)?;
    if to.share && (other || !from.share) {
        daemons.insert(terminal::SMBD.into(), terminal::smbd(ground)?);
    }
    Ok(())
}

fn change_clinic(ground: &Ground, from: &World, to: &World) -> Result<(), Error> {
    if from.clinic_plugged == to.clinic_plugged {
        return Ok(());
    }
    plug(ground, Host::Clinic, "e0", to.clinic_plugged)?;
    let (port, wanted) = (ground.the_box.end_of("lan0"), to.clinic_plugged);
    let felt = || watch::has_carrier(&port) == wanted;
    watch::until(ground.door(Host::Box), "lan0's carrier change", Duration::from_secs(5), felt)
}

/// The widest packet that the line and what lies behind it take. The box's own end keeps its width: it is not told.
fn widen(ground: &Ground, from: &World, to: &World) -> Result<(), Error> {
    if from.narrow == to.narrow {
        return Ok(());
    }
    let width = if to.narrow { 1280 } else { 1500 };
    let orders: String = [LINE, "w0", "c0"].map(|port| format!("link set dev {port} mtu {width}\n")).concat();
    ground.door(Host::Ngn).run(&["ip", "-batch", "-"], &orders).map(drop)
}

/// Takes a host's link down, or up with the addresses that went with it.
pub fn plug(ground: &Ground, host: Host, port: &str, plugged: bool) -> Result<(), Error> {
    let door = ground.door(host);
    if plugged {
        return ground.lay(host);
    }
    door.run(&["ip", "link", "set", "dev", port, "down"], "").map(drop)
}

/// Makes what must be there before the first daemon starts, so that the box has never seen it otherwise.
pub fn before_the_first(ground: &Ground, to: &World) -> Result<(), Error> {
    tables(ground, &World::with([]), to)?;
    if !to.line_plugged {
        plug(ground, ground.layout.near(), LINE, false)?;
    }
    if !to.terminal_plugged {
        plug(ground, Host::Terminal, "e0", false)?;
    }
    if !to.clinic_plugged {
        plug(ground, Host::Clinic, "e0", false)?;
    }
    if to.internet == Internet::Unplugged {
        plug(ground, Host::Isp, "i0", false)?;
    }
    widen(ground, &World::with([]), to)
}

/// Makes what needs everything to run already.
pub fn after_the_last(ground: &Ground, daemons: &mut Daemons, to: &World) -> Result<(), Error> {
    let clean = World::with([]);
    wire::change(ground, daemons, &clean, to)?;
    home::change(ground, daemons, &clean, to)?;
    clinic::change(ground, &clean, to)?;
    line::internet::settle(ground, to)?;
    // The box was born with its clock.
    the_box::change(ground, daemons, &World { clock: to.clock, ..clean }, to)
}
