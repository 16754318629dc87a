//! Another household's gateway on the line's segment: a router beside the line's own, or a host with the box's address.
//! It hangs on the router's end of the wire with a port of its own, as behind a shared hub.

use std::net::Ipv6Addr;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::Error;
use crate::fault::{Home, World};
use crate::ground::{Daemons, Ground};
use crate::host;
use crate::line;
use crate::plan::{Host, TheBox};
use crate::process::Process;
use crate::watch;

/// Its advertisements' daemon.
const ROUTER: &str = "home-radvd";
/// Its own prefix, which it offers to everybody.
const PREFIX: [u16; 4] = [0x2001, 0xdb8, 0, 0x666];
/// A prefix's lifetime (12 s), an advertisement's interval, and slack.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes `to` out of `from`.
pub fn change(ground: &Ground, daemons: &mut Daemons, from: &World, to: &World) -> Result<(), Error> {
    if from.home == to.home {
        return Ok(());
    }
    if ground.layout.has_home() {
        return Err(Error::Usage(
            "put a stranger on the line: here the home gateway stands there already".into(),
        ));
    }
    match from.home {
        Home::Nothing => {}
        Home::Router | Home::Thief => router_leaves(ground, daemons, to)?,
        Home::Twin => twin_leaves(ground, to)?,
    }
    match to.home {
        Home::Nothing => Ok(()),
        Home::Router | Home::Thief => {
            let preference = if to.home == Home::Thief { "high" } else { "medium" };
            come(ground, "address replace fe80::666/64 dev e0 nodad\n")?;
            daemons.insert(ROUTER.into(), router(ground, preference)?);
            let door = ground.door(Host::Box);
            if !to.router_is_heard() || ground.the_box == TheBox::None {
                return Ok(());
            }
            watch::until(door, "wan0 hear the other router", PATIENCE, || has_its_prefix("wan0"))
        }
        Home::Twin => twin_comes(ground, to),
    }
}

fn router(ground: &Ground, preference: &str) -> Result<Process, Error> {
    let template = include_str!("../../lab/home-radvd.conf");
    let config = ground.write(Host::Home, "radvd.conf", template, &[("preference", preference)])?;
    line::advertise(ground, Host::Home, ROUTER, &config)
}

/// It says goodbye, and what it gave has run out before this comes back.
fn router_leaves(ground: &Ground, daemons: &mut Daemons, to: &World) -> Result<(), Error> {
    line::stop(daemons, ROUTER, Signal::SIGTERM);
    leave(ground)?;
    if ground.the_box == TheBox::None || !to.line_plugged {
        return Ok(());
    }
    let door = ground.door(Host::Box);
    watch::until(door, "wan0 forget the other router", PATIENCE, || !has_its_prefix("wan0"))
}

fn has_its_prefix(port: &str) -> bool {
    watch::global_addresses(port).iter().any(|(address, ..)| address.segments().starts_with(&PREFIX))
}

/// The box's address, on another host, and the box told to look for such a thing: the lab's hosts do not by themselves.
fn twin_comes(ground: &Ground, to: &World) -> Result<(), Error> {
    if ground.the_box == TheBox::None || !to.router_is_heard() {
        return Err(Error::Usage("make a duplicate address: the box here has none that is known".into()));
    }
    let door = ground.door(Host::Box);
    let own = door.inside(|| Ok(watch::global_addresses("wan0")))?;
    let all: String =
        own.iter().map(|(own, ..)| format!("address replace {own}/128 dev e0 nodad\n")).collect();
    come(ground, &all)?;
    let said = || ground.door(Host::Home).inside(|| Ok(watch::neighbour_advertisements()));
    let before = said()?;
    door.set(&[("ipv6/conf/wan0/accept_dad", "1"), ("ipv6/conf/wan0/dad_transmits", "1")])?;
    forget(ground, &own)?;
    // An address that is taken is not kept with a flag: the kernel drops what an advertisement brought, each time.
    watch::until(door, "wan0 find its address taken", PATIENCE, || {
        !watch::has_global_address("wan0") && said().is_ok_and(|now| now > before)
    })
}

fn twin_leaves(ground: &Ground, to: &World) -> Result<(), Error> {
    leave(ground)?;
    let door = ground.door(Host::Box);
    door.set(&[("ipv6/conf/wan0/accept_dad", "0"), ("ipv6/conf/wan0/dad_transmits", "0")])?;
    let own = door.inside(|| Ok(watch::global_addresses("wan0")))?;
    forget(ground, &own)?;
    if !to.router_is_heard() {
        return Ok(());
    }
    watch::until(door, "an address on wan0", PATIENCE, || watch::has_global_address("wan0"))
}

/// Takes the box's addresses away; the next advertisement brings them anew.
fn forget(ground: &Ground, own: &[(Ipv6Addr, u8, u32)]) -> Result<(), Error> {
    let all: String =
        own.iter().map(|(own, length, _)| format!("address delete {own}/{length} dev wan0\n")).collect();
    ground.door(Host::Box).run(&["ip", "-6", "-batch", "-"], &all).map(drop)
}

fn come(ground: &Ground, addresses: &str) -> Result<(), Error> {
    let [ngn, home] = [Host::Ngn, Host::Home].map(|host| ground.place.namespace(host));
    let orders = format!("link add link w0 name e0 netns {home} type macvlan mode bridge\n");
    host::run(&["ip", "-netns", &ngn, "-batch", "-"], &orders)?;
    let orders = format!("link set dev e0 addrgenmode none\nlink set dev e0 up\n{addresses}");
    ground.door(Host::Home).run(&["ip", "-batch", "-"], &orders).map(drop)
}

fn leave(ground: &Ground) -> Result<(), Error> {
    ground.door(Host::Home).run(&["ip", "link", "delete", "dev", "e0"], "").map(drop)
}
