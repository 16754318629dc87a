//! The line's cable: a wire with habits put in its place while it stays in, and somebody who pulls it again and again.

use nix::sys::signal::Signal;

use crate::daemon::{Daemon, Ready};
use crate::error::{Error, doing};
use crate::fault::World;
use crate::ground::{Daemons, Ground, args, text};
use crate::layout::LINE;
use crate::line;

/// The names among the daemons.
const WIRE: &str = "wire";
const FLAPPER: &str = "flapper";

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    if from.wire != to.wire {
        if from.wire.is_some() {
            orders(ground, &format!("link set dev {LINE} master w0\nlink delete dev wire-hub\n"))?;
            line::stop(daemons, WIRE, Signal::SIGTERM);
        }
        if let Some(habits) = to.wire {
            wire(ground, daemons, habits)?;
        }
    }
    if from.flapping && !to.flapping {
        line::stop(daemons, FLAPPER, Signal::SIGKILL);
        let word = if to.line_plugged { "up" } else { "down" };
        orders(ground, &format!("link set dev {LINE} {word}\n"))?;
        line::settle(ground, to)?;
    }
    if to.flapping && !from.flapping {
        flap(ground, daemons)?;
    }
    Ok(())
}

/// The cable's end goes into a bridge of its own, and the wire leads from there to the router's.
fn wire(ground: &Ground, daemons: &mut Daemons, habits: &[&str]) -> Result<(), Error> {
    let daemon = Daemon {
        name: WIRE,
        program: ground.tools.wire.clone(),
        args: args([&["wire-far", "wire-near"], habits].concat()),
        ready: Ready::Said,
        environment: Vec::new(),
    };
    daemons.insert(WIRE.into(), daemon.start(&ground.place, ground.door(ground.layout.near()))?.wait()?);
    let hub = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0";
    orders(
        ground,
        &format!(
            "link add dev wire-hub {hub}
             link set dev wire-hub addrgenmode none
             link set dev wire-hub up
             link set dev wire-far master wire-hub up
             link set dev wire-near master w0 up
             link set dev {LINE} master wire-hub\n"
        ),
    )
}

/// Somebody pulls the cable and puts it in again, until it is stopped.
fn flap(ground: &Ground, daemons: &mut Daemons) -> Result<(), Error> {
    let daemon = Daemon {
        name: FLAPPER,
        program: std::env::current_exe().map_err(doing("find this program"))?,
        // The clinic's folder is there so that what is left of a killed clinic is known as its own.
        args: args(["flap", LINE, &text(&ground.place.root)]),
        ready: Ready::Said,
        environment: Vec::new(),
    };
    daemons.insert(FLAPPER.into(), daemon.start(&ground.place, ground.door(ground.layout.near()))?.wait()?);
    Ok(())
}

fn orders(ground: &Ground, orders: &str) -> Result<(), Error> {
    ground.door(ground.layout.near()).run(&["ip", "-batch", "-"], orders).map(drop)
}
